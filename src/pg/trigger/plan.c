/*
 * Plans of embedding triggers, in the server's cache of plans.
 *
 * SPI would do but for two things. Whoever analyses the statement, again after an
 * invalidation for example, must say whose privileges count: a hook of the parser does, which belongs
 * to the cached statement. And row security, which the rewriter adds, is passed by for
 * the owner even if it is forced, as by foreign keys; but only while this statement is rewritten, not while
 * triggers run.
 */
#include "pg/trigger/plan.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "parser/parse_node.h"
#include "parser/parse_param.h"
#include "pg/compat.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

struct EmbedPlan
{
	MemoryContext context; /* that it is in */
	bool is_kept, as_owner;
	int n_parameters;
	Oid *types; /* [n_parameters] */
	CachedPlanSource *source;
};

typedef struct KeptPlan
{
	Oid trigger; /* hash key */
	EmbedPlan *plan; /* NULL for the moment between two */
} KeptPlan;

static HTAB *kept_plans;

/* ---- analysing */

/* What setup_parse_fixed_parameters installs. */
static ParseParamRefHook find_parameter;

static Node *
find_parameter_as_owner(ParseState *state, ParamRef *parameter)
{
	/* The target is open: it comes first in the statement. */
	compat_check_target_as(state, state->p_target_relation->rd_rel->relowner);
	return find_parameter(state, parameter);
}

static void
set_up_parser(ParseState *state, void *arg)
{
	const EmbedPlan *plan = arg;

	setup_parse_fixed_parameters(state, plan->types, plan->n_parameters);
	if (plan->as_owner)
	{
		find_parameter = state->p_paramref_hook;
		state->p_paramref_hook = find_parameter_as_owner;
	}
}

/* Nobody is asked for a role here: this is the current one, past row security that is forced upon it. */
static int
pass_row_security(const EmbedPlan *plan)
{
	Oid user;
	int context;

	GetUserIdAndSecContext(&user, &context);
	if (plan->as_owner)
		SetUserIdAndSecContext(user, context | SECURITY_NOFORCE_RLS);
	return context;
}

static void
obey_row_security(int context)
{
	SetUserIdAndSecContext(GetUserId(), context);
}

static void
analyze(EmbedPlan *plan, const char *query)
{
	RawStmt *raw = linitial_node(RawStmt, pg_parse_query(query));
	int context = pass_row_security(plan);
	List *queries;

	plan->source = CreateCachedPlan(raw, query, CMDTAG_UPDATE);
	queries = pg_analyze_and_rewrite_withcb(raw, query, set_up_parser, plan, NULL);
	obey_row_security(context);
	CompleteCachedPlan(plan->source, queries, NULL, NULL, 0, set_up_parser, plan, 0, true);
}

static EmbedPlan *
make_plan(const EmbedStatement *statement)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "maskgen embedding plan", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	EmbedPlan *plan = palloc0(sizeof *plan);

	plan->context = context;
	plan->as_owner = statement->as_owner;
	plan->n_parameters = statement->n_parameters;
	plan->types = palloc(statement->n_parameters * sizeof(Oid));
	memcpy(plan->types, statement->types, statement->n_parameters * sizeof(Oid));
	MemoryContextSwitchTo(caller);
	analyze(plan, statement->query);
	return plan;
}

static bool
is_of(const EmbedPlan *plan, const EmbedStatement *statement)
{
	return plan->as_owner == statement->as_owner && plan->n_parameters == statement->n_parameters &&
		memcmp(plan->types, statement->types, plan->n_parameters * sizeof(Oid)) == 0 &&
		strcmp(plan->source->query_string, statement->query) == 0;
}

static void
drop_plan(EmbedPlan *plan)
{
	DropCachedPlan(plan->source);
	MemoryContextDelete(plan->context);
}

static KeptPlan *
find_kept(Oid trigger)
{
	KeptPlan *kept;
	bool found;

	if (kept_plans == NULL)
	{
		HASHCTL control = {.keysize = sizeof(Oid), .entrysize = sizeof(KeptPlan)};

		kept_plans = hash_create("maskgen embedding plans", 16, &control, HASH_ELEM | HASH_BLOBS);
	}
	kept = hash_search(kept_plans, &trigger, HASH_ENTER, &found);
	if (!found)
		kept->plan = NULL;
	return kept;
}

EmbedPlan *
embed_plan_find(Oid trigger, const EmbedStatement *statement)
{
	KeptPlan *kept;
	EmbedPlan *plan;

	if (!OidIsValid(trigger))
		return make_plan(statement);
	kept = find_kept(trigger);
	if (kept->plan != NULL && is_of(kept->plan, statement))
		return kept->plan;
	plan = make_plan(statement);
	if (kept->plan != NULL)
		drop_plan(kept->plan);
	kept->plan = plan;
	MemoryContextSetParent(plan->context, CacheMemoryContext);
	SaveCachedPlan(plan->source);
	plan->is_kept = true;
	return plan;
}

/* ---- running */

static ParamListInfo
parameters_of(const EmbedPlan *plan, const Datum *values)
{
	ParamListInfo parameters = makeParamList(plan->n_parameters);

	for (int i = 0; i < plan->n_parameters; i++)
		parameters->params[i] = (ParamExternData){values[i], false, PARAM_FLAG_CONST, plan->types[i]};
	return parameters;
}

static void
run_statement(PlannedStmt *statement, const char *query, ParamListInfo parameters)
{
	QueryDesc *description;

	CommandCounterIncrement();
	UpdateActiveSnapshotCommandId();
	/* NOTIFY, of a rule. */
	if (statement->utilityStmt != NULL)
	{
		ProcessUtility(statement, query, true, PROCESS_UTILITY_QUERY, parameters, NULL, None_Receiver, NULL);
		return;
	}
	description = CreateQueryDesc(statement, query, GetActiveSnapshot(), InvalidSnapshot, None_Receiver, parameters, NULL, 0);
	ExecutorStart(description, 0);
	compat_executor_run(description);
	ExecutorFinish(description);
	ExecutorEnd(description);
	FreeQueryDesc(description);
}

bool
embed_plan_run(EmbedPlan *plan, const Datum *values)
{
	ResourceOwner owner = plan->is_kept ? CurrentResourceOwner : NULL;
	bool is_update = false;
	ParamListInfo parameters = parameters_of(plan, values);
	CachedPlan *cached;
	ListCell *cell;
	int context;

	PushActiveSnapshot(GetTransactionSnapshot());
	context = pass_row_security(plan);
	cached = GetCachedPlan(plan->source, parameters, owner, NULL);
	obey_row_security(context);
	foreach(cell, cached->stmt_list)
	{
		PlannedStmt *statement = lfirst_node(PlannedStmt, cell);

		run_statement(statement, plan->source->query_string, parameters);
		is_update = is_update || (statement->canSetTag && statement->commandType == CMD_UPDATE);
	}
	ReleaseCachedPlan(cached, owner);
	PopActiveSnapshot();
	CommandCounterIncrement();
	return is_update;
}
