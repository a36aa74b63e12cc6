/*
 * A warning where a query compares vectors of two models: those of a column that stays embedded with one that another model makes.
 *
 * Distances of them mean nothing, and nothing else says so: the dimensions may be the same.
 */
#include "pg/column/mixed.h"

#include "access/relation.h"
#include "nodes/nodeFuncs.h"
#include "parser/analyze.h"
#include "parser/parsetree.h"
#include "pg/column/column.h"
#include "pg/task/function.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static post_parse_analyze_hook_type next_analyze;

/* The model of a call that embeds, if it is named by a constant. */
static const char *
model_of_call(const FuncExpr *call)
{
	const TaskFunction *task = task_description_of(call->funcid);
	int at;
	Const *model;

	if (task == NULL || task->cost != TASK_COST_EMBED || strncmp(task->symbol, "maskgen_embed", 13) != 0 || (at = task_arg(task, "model")) < 0 ||
		at >= list_length(call->args))
		return NULL;
	model = list_nth(call->args, at);
	return IsA(model, Const) && !model->constisnull ? TextDatumGetCString(model->constvalue) : NULL;
}

static bool
find_model(Node *node, const char **model)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && (*model = model_of_call((FuncExpr *) node)) != NULL)
		return true;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, find_model, model, 0);
	return expression_tree_walker(node, find_model, model);
}

static void
warn(const Query *query, const Var *var, const char *model)
{
	const RangeTblEntry *entry = rt_fetch(var->varno, query->rtable);
	Relation table;
	EmbedColumn column;
	char *name;

	if (entry->rtekind != RTE_RELATION || var->varattno <= 0 || (table = try_relation_open(entry->relid, AccessShareLock)) == NULL)
		return;
	name = get_attname(entry->relid, var->varattno, true);
	if (table->trigdesc != NULL && name != NULL && embed_column_named(&column, table, name) && strcmp(column.model, model) != 0)
		ereport(WARNING, (errmsg("column \"%s\" of table \"%s\" has vectors of model \"%s\" and is compared with one of model \"%s\"", name,
								 RelationGetRelationName(table), column.model, model),
						  errhint("maskgen.embed_for takes the column's own model.")));
	relation_close(table, AccessShareLock);
}

static bool
look(Node *node, Query *query)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, look, node, 0);
	if (IsA(node, OpExpr) && list_length(((OpExpr *) node)->args) == 2)
		for (int side = 0; side < 2; side++)
		{
			const Var *var = list_nth(((OpExpr *) node)->args, side);
			const char *model;

			if (IsA(var, Var) && var->varlevelsup == 0 && find_model(list_nth(((OpExpr *) node)->args, 1 - side), &model))
				warn(query, var, model);
		}
	return expression_tree_walker(node, look, query);
}

static void
analyze(ParseState *state, Query *query, JumbleState *jumble)
{
	if (query->commandType != CMD_UTILITY)
		look((Node *) query, query);
	if (next_analyze != NULL)
		next_analyze(state, query, jumble);
}

void
embed_mixed_install(void)
{
	next_analyze = post_parse_analyze_hook;
	post_parse_analyze_hook = analyze;
}
