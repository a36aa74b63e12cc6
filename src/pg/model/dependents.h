/*
 * What in the database calls a model by its name: columns that are generated
 * or have a default, indexes, constraints, triggers, views and the like. A call
 * whose model is not a constant, and one that is hidden in the text of a function, is not known;
 * nor is what a transaction makes that has not committed.
 */
#ifndef MASKGEN_PG_MODEL_DEPENDENTS_H
#define MASKGEN_PG_MODEL_DEPENDENTS_H

#include "postgres.h"

/*
 * Throws when something depends on the model; with cascade drops it, which the
 * current user has to own, and says so. Whatever sessions remember of expressions of indexes they forget with this transaction.
 */
void dependents_drop(const char *model, bool cascade);

#endif
