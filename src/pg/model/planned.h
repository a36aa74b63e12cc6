/*
 * Results of models inside plans. The planner computes a call whose arguments
 * are constants; its result is then a constant of the plan, which may be kept
 * and executed long after. Such a plan
 *
 *   1. depends on the table of models: create_model, drop_model, grant_model and
 *      revoke_model make it be planned again;
 *   2. depends on the role;
 *   3. names the models that it was made with, and for whom. They are looked up
 *      again each time it is executed: that they exist, are the same and may be
 *      used.
 *
 * What a call is hidden in does not matter (views, functions of any language,
 * arms of CASE): a lookup that happens while a statement is planned is one of
 * that statement. A plan whose calls are all left to its execution has the first property
 * alone, for its costs.
 */
#ifndef MASKGEN_PG_MODEL_PLANNED_H
#define MASKGEN_PG_MODEL_PLANNED_H

#include "postgres.h"

/* For _PG_init. */
void planned_install(void);

/* Whether a statement is being planned. */
bool planned_is_active(void);

/* To be called when a model is looked for. Cheap where nothing is planned. */
void planned_look(void);

/* To be called when the current user is about to use that model. */
void planned_use(const char *name, const uint8 *digest);

#endif
