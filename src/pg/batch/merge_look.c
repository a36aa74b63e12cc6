/*
 * What a MERGE is about to do with a row of its join: which calls of its actions our node makes ahead (batch/merge.c).
 *
 * The same steps as the server's: is there a row of the target (its identity is a column of the join's row); does ON hold, where actions for rows
 * of the target without a source ask for it; which action is the first of that kind whose conditions hold. Calls that are needed for the next step
 * are made for all rows of the window that have come so far, and then is looked again.
 */
#include "pg/batch/scan.h"

#include "access/table.h"
#include "access/tableam.h"
#include "executor/executor.h"
#include "pg/compat.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

typedef struct Condition
{
	ExprState *state; /* NULL: it is the server's alone, and what comes after it is not looked at */
	const List *calls; /* numbers of those in it */
} Condition;

typedef struct Action
{
	int kind, n_conditions;
	Condition *conditions; /* [n_conditions] */
	const List *calls;
} Action;

typedef struct Target
{
	Oid table;
	bool is_read; /* something reads columns of its rows */
	ExprState *join;
	int n_actions;
	Action *actions;   /* [n_actions] */
	Relation relation; /* NULL: not opened yet */
	TupleTableSlot *row;
} Target;

struct BatchMerge
{
	AttrNumber row_id, table_id;
	int n_targets;
	Target *targets;		 /* [n_targets] */
	const List **inner;		 /* [n_calls] numbers of calls in its arguments */
	TupleTableSlot *results; /* of the calls for the row that is looked at; INNER_VAR */
};

/* ------------------------------------------------------------------- begin */

static void
read_action(BatchScan *scan, Action *action, const List *description)
{
	const List *conditions = lsecond(description);
	ListCell *cell;

	action->kind = linitial_node(Integer, description)->ival;
	action->conditions = palloc0(list_length(conditions) * sizeof *action->conditions);
	foreach(cell, conditions)
	{
		const List *condition = lfirst(cell);
		bool is_checked = linitial_node(Integer, condition)->ival != 0;

		action->conditions[action->n_conditions++] =
			(Condition){is_checked ? ExecInitQual(list_make1(lsecond(condition)), &scan->custom.ss.ps) : NULL, lthird(condition)};
	}
	action->calls = lthird(description);
}

static void
read_target(BatchScan *scan, Target *target, const List *description)
{
	Index number = (Index) linitial_node(Integer, description)->ival;
	const List *actions = lfourth(description);
	ListCell *cell;

	target->table = exec_rt_fetch(number, scan->custom.ss.ps.state)->relid;
	target->is_read = lsecond_node(Integer, description)->ival != 0;
	target->join = ExecInitQual(lthird(description), &scan->custom.ss.ps);
	target->actions = palloc0(list_length(actions) * sizeof *target->actions);
	foreach(cell, actions)
		read_action(scan, &target->actions[target->n_actions++], lfirst(cell));
}

void
batch_merge_begin(BatchScan *scan, const List *description)
{
	BatchMerge *merge = scan->merge = palloc0(sizeof *merge);
	const List *columns = linitial(description), *calls = lsecond(description), *targets = lthird(description);
	ListCell *cell;

	merge->row_id = (AttrNumber) linitial_int(columns);
	merge->table_id = (AttrNumber) lsecond_int(columns);
	merge->inner = palloc0(scan->n_calls * sizeof *merge->inner);
	foreach(cell, calls)
		merge->inner[foreach_current_index(cell)] = lsecond(lfirst_node(List, cell));
	merge->targets = palloc0(list_length(targets) * sizeof *merge->targets);
	foreach(cell, targets)
		read_target(scan, &merge->targets[merge->n_targets++], lfirst(cell));
	merge->results = ExecInitExtraTupleSlot(scan->custom.ss.ps.state, scan->custom.ss.ss_ScanTupleSlot->tts_tupleDescriptor, &TTSOpsVirtual);
}

FuncExpr *
batch_merge_call(const List *description, int call)
{
	return linitial(list_nth_node(List, lsecond_node(List, description), call));
}

/* -------------------------------------------------------------------- look */

/* The target of the row that is shown, which is the first one's if it has none; NULL: not ours. */
static Target *
target_of(BatchMerge *merge, TupleTableSlot *row)
{
	bool is_null;
	Datum table;

	if (merge->table_id == 0)
		return merge->targets;
	table = slot_getattr(row, merge->table_id, &is_null);
	if (is_null)
		return merge->targets;
	for (int i = 0; i < merge->n_targets; i++)
		if (merge->targets[i].table == DatumGetObjectId(table))
			return &merge->targets[i];
	return NULL;
}

/* Shows the target's row as the server will: the version that the join has read. So its table is locked, as those of pruned partitions are not. */
static bool
show_target(BatchScan *scan, Target *target, ItemPointer row_id)
{
	EState *state = scan->custom.ss.ps.state;

	if (target->relation == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(state->es_query_cxt);

		target->relation = table_open(target->table, NoLock);
		target->row = ExecInitExtraTupleSlot(state, RelationGetDescr(target->relation), table_slot_callbacks(target->relation));
		MemoryContextSwitchTo(caller);
	}
	scan->custom.ss.ps.ps_ExprContext->ecxt_scantuple = target->row;
	return table_tuple_fetch_row_version(target->relation, row_id, SnapshotAny, target->row);
}

static void
show_results(BatchScan *scan, int row)
{
	TupleTableSlot *slot = scan->merge->results;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof *slot->tts_isnull);
	for (int i = 0; i < scan->n_calls; i++)
	{
		const BatchCall *call = &scan->calls[i];

		if (!call->made[row] || call->nulls[row] || call->errors[row] != NULL)
			continue;
		slot->tts_values[i] = call->results[row];
		slot->tts_isnull[i] = false;
	}
	ExecStoreVirtualTuple(slot);
	scan->custom.ss.ps.ps_ExprContext->ecxt_innertuple = slot;
}

/* Has those calls made for a row that are not yet; returns whether there were any. Those in their arguments come first. */
static bool
want_calls(BatchScan *scan, const List *calls, int row, size_t *tokens)
{
	bool any = false;
	ListCell *cell;

	foreach(cell, calls)
	{
		int number = lfirst_int(cell);

		if (scan->calls[number].made[row])
			continue;
		any = true;
		if (!want_calls(scan, scan->merge->inner[number], row, tokens))
			*tokens = Max(*tokens, batch_window_read(scan, &scan->calls[number], row));
	}
	return any;
}

/* Whether an action is one for the row, as far as is known; wants calls if it has to be found out, or it is. */
static bool
is_for_row(BatchScan *scan, const Action *action, int row, bool *wants, size_t *tokens)
{
	ExprContext *context = scan->custom.ss.ps.ps_ExprContext;

	for (int i = 0; i < action->n_conditions; i++)
	{
		*wants = want_calls(scan, action->conditions[i].calls, row, tokens);
		if (*wants || action->conditions[i].state == NULL)
			return true;
		if (!ExecQual(action->conditions[i].state, context))
			return false;
	}
	*wants = want_calls(scan, action->calls, row, tokens);
	return true;
}

static bool
look_at_actions(BatchScan *scan, const Target *target, int kind, int row, size_t *tokens)
{
	bool wants;

	for (int i = 0; i < target->n_actions; i++)
		if (target->actions[i].kind == kind && is_for_row(scan, &target->actions[i], row, &wants, tokens))
			return wants;
	return false;
}

bool
batch_merge_look(BatchScan *scan, int row, size_t *tokens)
{
	BatchMerge *merge = scan->merge;
	ExprContext *context = scan->custom.ss.ps.ps_ExprContext;
	Target *target;
	Datum row_id;
	bool is_null, wants = false;

	/* A row that somebody else has changed: the server asks for it alone, and computes for itself. */
	if (scan->custom.ss.ps.state->es_epq_active != NULL)
		return false;
	batch_window_show(scan, row);
	show_results(scan, row);
	target = target_of(merge, scan->row);
	if (target == NULL)
		return false;
	row_id = slot_getattr(scan->row, merge->row_id, &is_null);
	if (is_null)
		wants = look_at_actions(scan, target, COMPAT_NOT_MATCHED, row, tokens);
	else if (!target->is_read || show_target(scan, target, (ItemPointer) DatumGetPointer(row_id)))
		wants = look_at_actions(scan, target, ExecQual(target->join, context) ? COMPAT_MATCHED : COMPAT_NOT_MATCHED_BY_SOURCE, row, tokens);
	if (target->row != NULL)
		ExecClearTuple(target->row);
	ExecClearTuple(merge->results);
	return wants;
}

void
batch_merge_end(BatchScan *scan)
{
	for (int i = 0; scan->merge != NULL && i < scan->merge->n_targets; i++)
		if (scan->merge->targets[i].relation != NULL)
		{
			ExecClearTuple(scan->merge->targets[i].row);
			table_close(scan->merge->targets[i].relation, NoLock);
		}
}
