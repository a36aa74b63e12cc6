/*
 * Statistics of what classify() gives: the labels, each as likely as the
 * others, and nothing else. With them `classify(...) = 'a'`, `<>`, `IN`, `GROUP
 * BY classify(...)` and joins get estimates from the planner's own code.
 *
 * That code looks for the statistics of an expression among the columns of
 * indexes. So a relation whose columns a statement classifies is given one more
 * index, which exists in that planner's memory only and carries the calls as
 * its columns; whoever asks for statistics of these gets a tuple made up on the
 * spot. It is partial, and its predicate is false: no path ever uses it. Real
 * indexes come first in the list, so what ANALYZE found out about such an
 * expression wins; expressions with extended statistics are left out.
 */
#include "pg/planner/cost.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"

/* The index that does not exist has no OID. */
#define LABELS_INDEX InvalidOid

/* More calls than this in one statement are left to the planner's defaults. */
#define MOST_CALLS INDEX_MAX_KEYS

static get_relation_info_hook_type next_relation_info;
static get_index_stats_hook_type next_index_stats;

typedef struct CallWalk
{
	PlannerInfo *root;
	int relid;
	List *calls;
} CallWalk;

/* Calls of classify() with known labels over columns of one relation. */
static bool
find_calls(Node *node, CallWalk *walk)
{
	ArrayType *labels;
	int n;

	if (node == NULL || IsA(node, Query))
		return false;
	if (plan_find_labels(node, &labels, &n) && bms_equal(pull_varnos(walk->root, node), bms_make_singleton(walk->relid)))
		walk->calls = list_append_unique(walk->calls, node);
	return expression_tree_walker(node, find_calls, walk);
}

static IndexOptInfo *
find_index(RelOptInfo *rel)
{
	ListCell *cell;

	foreach(cell, rel->indexlist)
		if (lfirst_node(IndexOptInfo, cell)->indexoid == LABELS_INDEX)
			return lfirst(cell);
	return NULL;
}

/* The calls on a partition or an inheritance child are its parent's. */
static List *
calls_on_child(PlannerInfo *root, RelOptInfo *rel)
{
	AppendRelInfo *child = root->append_rel_array[rel->relid];
	RelOptInfo *parent = root->simple_rel_array[child->parent_relid];
	IndexOptInfo *index = parent == NULL ? NULL : find_index(parent);

	return index == NULL ? NIL : (List *) adjust_appendrel_attrs(root, (Node *) index->indexprs, 1, &child);
}

static List *
calls_on(PlannerInfo *root, RelOptInfo *rel)
{
	CallWalk walk = {root, (int) rel->relid, NIL};

	if (rel->reloptkind == RELOPT_OTHER_MEMBER_REL)
		return calls_on_child(root, rel);
	find_calls((Node *) root->parse->jointree, &walk);
	find_calls((Node *) root->parse->targetList, &walk);
	find_calls(root->parse->havingQual, &walk);
	return walk.calls;
}

static bool
has_statistics(RelOptInfo *rel, Node *call)
{
	ListCell *cell;

	foreach(cell, rel->statlist)
	{
		StatisticExtInfo *info = lfirst_node(StatisticExtInfo, cell);

		if (info->kind == STATS_EXT_EXPRESSIONS && list_member(info->exprs, call))
			return true;
	}
	return false;
}

static IndexOptInfo *
make_index(RelOptInfo *rel, List *calls)
{
	IndexOptInfo *index = makeNode(IndexOptInfo);
	int n = list_length(calls);

	index->indexoid = LABELS_INDEX;
	index->rel = rel;
	index->ncolumns = index->nkeycolumns = n;
	index->indexkeys = palloc0(n * sizeof *index->indexkeys);
	index->indexcollations = palloc0(n * sizeof *index->indexcollations);
	index->opfamily = palloc0(n * sizeof *index->opfamily);
	index->opcintype = palloc0(n * sizeof *index->opcintype);
	index->canreturn = palloc0(n * sizeof *index->canreturn);
	index->indexprs = calls;
	index->indpred = list_make1(makeBoolConst(false, false));
	index->hypothetical = true;
	return index;
}

static void
relation_info(PlannerInfo *root, Oid relation, bool is_parent, RelOptInfo *rel)
{
	List *calls = NIL;
	ListCell *cell;

	if (next_relation_info != NULL)
		next_relation_info(root, relation, is_parent, rel);
	foreach(cell, calls_on(root, rel))
		if (list_length(calls) < MOST_CALLS && !has_statistics(rel, lfirst(cell)))
			calls = lappend(calls, lfirst(cell));
	if (calls != NIL)
		rel->indexlist = lappend(rel->indexlist, make_index(rel, calls));
}

/* The slot of the most common values: all labels, equally often. Values of enums need none: each is a label. */
static void
fill_slot(Datum values[Natts_pg_statistic], bool nulls[Natts_pg_statistic], ArrayType *labels, double fraction)
{
	Datum *elements, *frequencies;
	bool *null_elements;
	int n;

	deconstruct_array(labels, TEXTOID, -1, false, TYPALIGN_INT, &elements, &null_elements, &n);
	frequencies = palloc(n * sizeof *frequencies);
	for (int i = 0; i < n; i++)
	{
		frequencies[i] = Float4GetDatum((float4) fraction / n);
		/* The call will be an error. */
		if (null_elements[i])
			return;
	}
	values[Anum_pg_statistic_stakind1 - 1] = Int16GetDatum(STATISTIC_KIND_MCV);
	values[Anum_pg_statistic_staop1 - 1] = ObjectIdGetDatum(TextEqualOperator);
	values[Anum_pg_statistic_stacoll1 - 1] = ObjectIdGetDatum(DEFAULT_COLLATION_OID);
	values[Anum_pg_statistic_stanumbers1 - 1] =
		PointerGetDatum(construct_array(frequencies, n, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
	values[Anum_pg_statistic_stavalues1 - 1] =
		PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
	nulls[Anum_pg_statistic_stanumbers1 - 1] = nulls[Anum_pg_statistic_stavalues1 - 1] = false;
}

static HeapTuple
make_statistics(Node *call, ArrayType *labels, int n)
{
	Datum values[Natts_pg_statistic] = {0};
	bool nulls[Natts_pg_statistic] = {false};
	Relation relation = table_open(StatisticRelationId, AccessShareLock);
	HeapTuple tuple;

	for (int i = 0; i < STATISTIC_NUM_SLOTS; i++)
		nulls[Anum_pg_statistic_stanumbers1 - 1 + i] = nulls[Anum_pg_statistic_stavalues1 - 1 + i] = true;
	values[Anum_pg_statistic_stanullfrac - 1] = Float4GetDatum(0);
	values[Anum_pg_statistic_stawidth - 1] = Int32GetDatum(8);
	values[Anum_pg_statistic_stadistinct - 1] = Float4GetDatum((float4) n);
	if (labels != NULL)
		fill_slot(values, nulls, labels, 1);
	tuple = heap_form_tuple(RelationGetDescr(relation), values, nulls);
	table_close(relation, AccessShareLock);
	return tuple;
}

static bool
index_stats(PlannerInfo *root, Oid index, AttrNumber column, VariableStatData *vardata)
{
	ArrayType *labels;
	int n;

	if (index == LABELS_INDEX && plan_find_labels(vardata->var, &labels, &n))
	{
		vardata->statsTuple = make_statistics(vardata->var, labels, n);
		vardata->freefunc = heap_freetuple;
		/* Nothing in it is a secret: the statement itself names the labels. */
		vardata->acl_ok = true;
		return true;
	}
	return next_index_stats != NULL && next_index_stats(root, index, column, vardata);
}

void
plan_labels_install(void)
{
	next_relation_info = get_relation_info_hook;
	get_relation_info_hook = relation_info;
	next_index_stats = get_index_stats_hook;
	get_index_stats_hook = index_stats;
}
