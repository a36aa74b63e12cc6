/*
 * The statement of an embedding trigger: parsed once, run many times.
 *
 * It runs as whoever fires the trigger, so that other triggers, rules,
 * constraints, expressions of indexes and operators, whoever made them, have the
 * rights that they would have in an UPDATE by that role. What comes from the owner are the privileges on the
 * table alone: its permission entry says that they are the owner's
 * (checkAsUser), as the rewriter has it for the table below a view.
 */
#ifndef MASKGEN_PG_TRIGGER_PLAN_H
#define MASKGEN_PG_TRIGGER_PLAN_H

#include "postgres.h"

typedef struct EmbedPlan EmbedPlan;

/* What makes a statement another one. */
typedef struct EmbedStatement
{
	const char *query; /* an UPDATE; its target comes before any parameter */
	int n_parameters;
	const Oid *types; /* [n_parameters] */
	bool as_owner;	  /* privileges on the target are its owner's, past row security */
} EmbedStatement;

/* The plan that is kept for a trigger if it is of this statement, otherwise a new one; InvalidOid: a plan in the current memory context. */
EmbedPlan *embed_plan_find(Oid trigger, const EmbedStatement *statement);

/* Runs it; values [n_parameters] are not NULL. False if a rule has put something else in its place. */
bool embed_plan_run(EmbedPlan *plan, const Datum *values);

#endif
