/*
 * Vectors of a model that is named have its dimensions in tables and materialised views that a query makes:
 *
 *   CREATE TABLE t AS SELECT id, embed('m', body) AS v FROM doc      v is of type vector(384)
 *
 * so that an index can be made on them. The type of a function's result has no dimensions; so the query is given the cast that somebody would
 * have written, once it is parsed, and a view's definition has it like any other. A session whose first statement this is has no hook yet.
 */
#include "pg/planner/cost.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parse_coerce.h"
#include "parser/parsetree.h"
#include "pg/model/catalog.h"
#include "pg/task/function.h"
#include "utils/builtins.h"

static post_parse_analyze_hook_type next_analyze;

/* An argument by its position or its name; NULL: its default. */
static Node *
argument(const FuncExpr *call, int position)
{
	ListCell *cell;

	foreach(cell, call->args)
	{
		NamedArgExpr *named = lfirst(cell);

		if (IsA(named, NamedArgExpr) ? named->argnumber == position : foreach_current_index(cell) == position)
			return IsA(named, NamedArgExpr) ? (Node *) named->arg : lfirst(cell);
	}
	return NULL;
}

/* Of a call of a function that embeds; 0: it is another, or they are not known. */
static int
dims_of_call(const FuncExpr *call)
{
	const TaskFunction *task = task_description_of(call->funcid);
	int at_model, at_dims;
	Const *model, *dims;
	const ModelEntry *entry;

	if (task == NULL || task->cost != TASK_COST_EMBED || task->result != TASK_VARLENA || strncmp(task->symbol, "maskgen_embed", 13) != 0)
		return 0;
	at_model = task_arg(task, "model");
	at_dims = task_arg(task, "dims");
	if (at_model < 0 || at_dims < 0)
		return 0;
	model = (Const *) argument(call, at_model);
	dims = (Const *) argument(call, at_dims);
	if (model == NULL || !IsA(model, Const) || model->constisnull)
		return 0;
	if (dims != NULL && (!IsA(dims, Const) || dims->constisnull || DatumGetInt32(dims->constvalue) < 0))
		return 0;
	entry = catalog_look(TextDatumGetCString(model->constvalue));
	if (entry == NULL || !entry->embeds)
		return 0;
	return dims != NULL && DatumGetInt32(dims->constvalue) > 0 ? Min(DatumGetInt32(dims->constvalue), entry->dims) : entry->dims;
}

/* The same through columns of subqueries. */
static int
dims_of(const Query *query, Node *node)
{
	const Var *var = (const Var *) node;
	const RangeTblEntry *entry;
	const TargetEntry *target;

	check_stack_depth();
	if (IsA(node, FuncExpr))
		return dims_of_call((const FuncExpr *) node);
	if (!IsA(node, Var) || var->varlevelsup > 0 || var->vartypmod >= 0)
		return 0;
	entry = rt_fetch(var->varno, query->rtable);
	if (entry->rtekind != RTE_SUBQUERY || entry->subquery->setOperations != NULL)
		return 0;
	target = get_tle_by_resno(entry->subquery->targetList, var->varattno);
	return target != NULL ? dims_of(entry->subquery, (Node *) target->expr) : 0;
}

static void
give_dims(ParseState *state, Query *query)
{
	ListCell *cell;

	if (query->commandType != CMD_SELECT || query->setOperations != NULL)
		return;
	foreach(cell, query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);
		Node *expr = (Node *) entry->expr, *cast;
		int dims;

		/* What rows are grouped by stands in other places as well. */
		if (entry->resjunk || (entry->ressortgroupref != 0 && query->groupClause != NIL) || (dims = dims_of(query, expr)) <= 0)
			continue;
		cast = coerce_to_target_type(state, expr, exprType(expr), exprType(expr), dims, COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);
		if (cast != NULL)
			entry->expr = (Expr *) cast;
	}
}

static void
analyze(ParseState *state, Query *query, JumbleState *jumble)
{
	if (query->commandType == CMD_UTILITY && IsA(query->utilityStmt, CreateTableAsStmt))
	{
		CreateTableAsStmt *statement = (CreateTableAsStmt *) query->utilityStmt;
		Query *definition = (Query *) statement->into->viewQuery;

		if (IsA(statement->query, Query))
			give_dims(state, (Query *) statement->query);
		/* Of a materialised view, which keeps a copy. */
		if (definition != NULL && IsA(definition, Query))
			give_dims(state, definition);
	}
	if (next_analyze != NULL)
		next_analyze(state, query, jumble);
}

void
plan_dims_install(void)
{
	next_analyze = post_parse_analyze_hook;
	post_parse_analyze_hook = analyze;
}
