/*
 * Lines of EXPLAIN (VERBOSE) behind the plan.
 *
 * Before 18 no hook adds to what EXPLAIN prints. But ExplainOneQuery_hook is told of the statement, and ends the executor while what it has
 * printed of it is still open; so the lines are printed there, in any format. EXPLAIN EXECUTE comes by neither, and has no such lines.
 */
#include "pg/hnsw/explain.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/planner.h"
#include "pg/compat.h"
#include EXPLAIN_FORMAT_HEADER
#include EXPLAIN_STATE_HEADER
#include "utils/lsyscache.h"

typedef struct Note
{
	Oid index;
	const char *reason; /* NULL: costs */
} Note;

/* The statement that is being explained, and those around it. */
typedef struct Explained
{
	struct Explained *outer;
	const Query *query;
	const PlannedStmt *statement; /* once it is planned */
	ExplainState *state;
	bool planning; /* right now, and nothing inside of that */
	List *notes;
	MemoryContext memory;
} Explained;

static Explained *explained;

static ExplainOneQuery_hook_type next_explain;
static planner_hook_type next_planner;
static ExecutorEnd_hook_type next_end;

bool
hnsw_explain_is_wanted(void)
{
	return explained != NULL && explained->planning;
}

void
hnsw_explain_add(Oid index, const char *reason)
{
	MemoryContext caller = MemoryContextSwitchTo(explained->memory);
	Note *note = palloc(sizeof *note);

	*note = (Note){index, reason != NULL ? pstrdup(reason) : NULL};
	explained->notes = lappend(explained->notes, note);
	MemoryContextSwitchTo(caller);
}

/* ------------------------------------------------------------------ printing */

static bool
find_index(PlanState *state, void *index)
{
	if (IsA(state, IndexScanState) && ((IndexScan *) state->plan)->indexid == *(Oid *) index)
		return true;
	if (IsA(state, IndexOnlyScanState) && ((IndexOnlyScan *) state->plan)->indexid == *(Oid *) index)
		return true;
	return planstate_tree_walker(state, find_index, index);
}

/* Whether a note adds nothing: it is said already, or another says that the index could be used. */
static bool
is_told(int n)
{
	const Note *note = list_nth(explained->notes, n);
	ListCell *cell;

	foreach(cell, explained->notes)
	{
		const Note *other = lfirst(cell);
		bool earlier = foreach_current_index(cell) < n;

		if (other->index != note->index)
			continue;
		if (other->reason == NULL && (note->reason != NULL || earlier))
			return true;
		if (other->reason != NULL && note->reason != NULL && earlier && strcmp(other->reason, note->reason) == 0)
			return true;
	}
	return false;
}

static void
print_note(const Note *note)
{
	ExplainState *state = explained->state;
	const char *name = get_rel_name(note->index);
	const char *reason = note->reason;

	if (reason == NULL)
		reason = enable_indexscan ? "a scan of it is expected to cost more than this plan" : "enable_indexscan is off";
	if (name == NULL)
		return;
	if (state->format == EXPLAIN_FORMAT_TEXT)
	{
		ExplainPropertyText("Index Not Used", psprintf("%s: %s", name, reason), state);
		return;
	}
	ExplainOpenGroup("Index", NULL, true, state);
	ExplainPropertyText("Index Name", name, state);
	ExplainPropertyText("Reason", reason, state);
	ExplainCloseGroup("Index", NULL, true, state);
}

static void
print_notes(QueryDesc *query)
{
	bool any = false;
	ListCell *cell;

	foreach(cell, explained->notes)
	{
		Note *note = lfirst(cell);

		if (is_told(foreach_current_index(cell)) || find_index(query->planstate, &note->index))
			continue;
		if (!any)
			ExplainOpenGroup("Indexes Not Used", "Indexes Not Used", false, explained->state);
		any = true;
		print_note(note);
	}
	if (any)
		ExplainCloseGroup("Indexes Not Used", "Indexes Not Used", false, explained->state);
}

/* --------------------------------------------------------------------- hooks */

static void
explain_query(Query *query, int options, IntoClause *into, ExplainState *state, const char *text, ParamListInfo params, QueryEnvironment *environment)
{
	Explained here = {.outer = explained, .query = query, .state = state, .memory = CurrentMemoryContext};

	if (state->verbose)
		explained = &here;
	PG_TRY();
	{
		if (next_explain != NULL)
			next_explain(query, options, into, state, text, params, environment);
		else
			compat_explain_query(query, options, into, state, text, params, environment);
	}
	PG_FINALLY();
	{
		explained = here.outer;
	}
	PG_END_TRY();
}

static PlannedStmt *
plan(Query *parse, const char *text, int options, ParamListInfo params)
{
	Explained *around = explained;
	bool planning = around != NULL && around->planning;
	PlannedStmt *statement = NULL;

	if (around == NULL)
		return next_planner != NULL ? next_planner(parse, text, options, params) : standard_planner(parse, text, options, params);
	around->planning = parse == around->query;
	PG_TRY();
	{
		statement = next_planner != NULL ? next_planner(parse, text, options, params) : standard_planner(parse, text, options, params);
		if (parse == around->query)
			around->statement = statement;
	}
	PG_FINALLY();
	{
		around->planning = planning;
	}
	PG_END_TRY();
	return statement;
}

static void
end(QueryDesc *query)
{
	if (explained != NULL && explained->statement != NULL && query->plannedstmt == explained->statement)
		print_notes(query);
	if (next_end != NULL)
		next_end(query);
	else
		standard_ExecutorEnd(query);
}

void
hnsw_explain_install(void)
{
	next_explain = ExplainOneQuery_hook;
	ExplainOneQuery_hook = explain_query;
	next_planner = planner_hook;
	planner_hook = plan;
	next_end = ExecutorEnd_hook;
	ExecutorEnd_hook = end;
}
