/*
 * Costs that the planner was told of late, for who looks at the finished plan: it asks with what it knows of columns, which a finished plan no
 * longer says.
 */
#include "pg/planner/cost.h"

#include "nodes/primnodes.h"
#include "optimizer/plancat.h"

#define TOLD 64

typedef struct Told
{
	Oid function;
	int location;
	double cost;
	PlanTokens tokens;
} Told;

static Told told[TOLD];
static int n_told;

static Told *
find(const FuncExpr *call)
{
	for (int i = 0; i < Min(n_told, TOLD); i++)
		if (told[i].function == call->funcid && told[i].location == call->location)
			return &told[i];
	return NULL;
}

void
plan_tell(Node *node, double cost, PlanTokens tokens)
{
	Told *entry;

	if (node == NULL || !IsA(node, FuncExpr))
		return;
	entry = find((FuncExpr *) node);
	if (entry == NULL)
		entry = &told[n_told++ % TOLD];
	if (n_told >= 2 * TOLD)
		n_told -= TOLD;
	*entry = (Told){((FuncExpr *) node)->funcid, ((FuncExpr *) node)->location, cost, tokens};
}

double
plan_call_cost(FuncExpr *call)
{
	const Told *entry = find(call);
	QualCost cost = {0, 0};

	if (entry != NULL)
		return entry->cost;
	add_function_cost(NULL, call->funcid, (Node *) call, &cost);
	return cost.per_tuple;
}

PlanTokens
plan_call_tokens(FuncExpr *call)
{
	const Told *entry;

	/* Nobody may have asked yet. */
	if (find(call) == NULL)
		(void) plan_call_cost(call);
	entry = find(call);
	return entry != NULL ? entry->tokens : (PlanTokens){0, 0};
}
