/*
 * No compilation of statements that run a model. The planner decides for JIT
 * by a plan's cost, which then is the model's: compiling takes a tenth of a
 * second in each process, and makes nothing faster that matters.
 */
#include "pg/planner/cost.h"

#include "jit/jit.h"
#include "optimizer/planner.h"

uint64 plan_n_costed;

static planner_hook_type next_planner;

static PlannedStmt *
plan(Query *parse, const char *query, int options, ParamListInfo params)
{
	uint64 before = plan_n_costed;
	PlannedStmt *statement = next_planner != NULL ? next_planner(parse, query, options, params)
												  : standard_planner(parse, query, options, params);

	if (plan_n_costed != before)
		statement->jitFlags = PGJIT_NONE;
	return statement;
}

void
plan_jit_install(void)
{
	next_planner = planner_hook;
	planner_hook = plan;
}
