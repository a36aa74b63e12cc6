/*
 * What plans depend on; see planned.h.
 *
 * A plan has no place for what an extension wants to keep with it. So the models go into a range table entry at the end
 * that no node reads: they are its column names, "role digest name".
 *
 * The plan cache looks whether a plan is still good without asking what others have committed; it hears of that when a
 * transaction begins, or a table is locked for the first time. A statement may read no table, so we ask before each that is
 * parsed. Where one is executed again without being parsed (a loop in PL/pgSQL, Bind of a
 * prepared statement inside a transaction), a model that was replaced meanwhile is an error: the plan is known to be
 * old when it can no longer be made anew.
 */
#include "pg/model/planned.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "optimizer/planner.h"
#include "parser/analyze.h"
#include "pg/guc.h"
#include "pg/model/catalog.h"
#include "utils/builtins.h"
#include "utils/inval.h"

/* What the planner itself calls such an entry is "*RESULT*". */
#define ENTRY_NAME "maskgen models"

/* A model that a call has used while a statement was planned. */
typedef struct UsedModel
{
	Oid role;
	uint8 digest[DIGEST_SIZE];
	NameData name;
} UsedModel;

/* A statement that is being planned; the planner may run functions, which plan statements of their own. */
typedef struct Planning
{
	struct Planning *outer;
	MemoryContext context;
	bool looked; /* for a model */
	List *used;	 /* UsedModel */
} Planning;

static Planning *current;
static planner_hook_type next_planner;
static ExecutorStart_hook_type next_start;
static post_parse_analyze_hook_type next_analyze;

bool
planned_is_active(void)
{
	return current != NULL;
}

void
planned_look(void)
{
	for (Planning *planning = current; planning != NULL; planning = planning->outer)
		planning->looked = true;
}

static bool
has_used(const Planning *planning, const UsedModel *model)
{
	ListCell *cell;

	foreach(cell, planning->used)
	{
		const UsedModel *other = lfirst(cell);

		if (other->role == model->role && strcmp(NameStr(other->name), NameStr(model->name)) == 0 &&
			memcmp(other->digest, model->digest, DIGEST_SIZE) == 0)
			return true;
	}
	return false;
}

static void
note_use(const char *name, const uint8 *digest, Oid role)
{
	UsedModel model = {.role = role};

	namestrcpy(&model.name, name);
	memcpy(model.digest, digest, DIGEST_SIZE);
	for (Planning *planning = current; planning != NULL; planning = planning->outer)
		if (!has_used(planning, &model))
		{
			MemoryContext caller = MemoryContextSwitchTo(planning->context);
			UsedModel *copy = palloc(sizeof *copy);

			*copy = model;
			planning->used = lappend(planning->used, copy);
			MemoryContextSwitchTo(caller);
		}
}

void
planned_use(const char *name, const uint8 *digest)
{
	if (current != NULL)
		note_use(name, digest, GetUserId());
}

/* The role is 0 for whoever executes the plan; another one was that of a SECURITY DEFINER function. */
static List *
describe(const List *used, Oid planner)
{
	List *names = NIL;
	ListCell *cell;

	foreach(cell, used)
	{
		const UsedModel *model = lfirst(cell);
		char digest[2 * DIGEST_SIZE + 1];

		digest[hex_encode((const char *) model->digest, DIGEST_SIZE, digest)] = '\0';
		names = lappend(names, makeString(psprintf("%u %s %s", model->role == planner ? InvalidOid : model->role, digest,
												   NameStr(model->name))));
	}
	return names;
}

static void
add_entry(PlannedStmt *statement, List *names)
{
	RangeTblEntry *entry = makeNode(RangeTblEntry);

	entry->rtekind = RTE_RESULT;
	entry->eref = makeAlias(ENTRY_NAME, names);
	statement->rtable = lappend(statement->rtable, entry);
}

static void
depend(PlannedStmt *statement, const Planning *planning)
{
	Oid table = catalog_models();

	if (!OidIsValid(table))
		return;
	statement->relationOids = list_append_unique_oid(statement->relationOids, table);
	if (planning->used == NIL)
		return;
	statement->dependsOnRole = true;
	maskgen_has_planned = true;
	add_entry(statement, describe(planning->used, GetUserId()));
}

static PlannedStmt *
plan(Query *query, const char *text, int options, ParamListInfo params)
{
	Planning planning = {.outer = current, .context = CurrentMemoryContext};
	PlannedStmt *statement = NULL;

	current = &planning;
	PG_TRY();
	{
		statement = next_planner != NULL ? next_planner(query, text, options, params)
										 : standard_planner(query, text, options, params);
	}
	PG_FINALLY();
	{
		current = planning.outer;
	}
	PG_END_TRY();
	if (planning.looked)
		depend(statement, &planning);
	return statement;
}

static void
check_model(const char *description)
{
	const ModelEntry *entry;
	char digest[2 * DIGEST_SIZE + 1], *rest;
	Oid role = (Oid) strtoul(description, &rest, 10);
	const char *name = rest + 1 + 2 * DIGEST_SIZE + 1;

	if (!OidIsValid(role))
		role = GetUserId();
	entry = catalog_find_as(name, role);
	/* A function that the planner runs may have planned its own statements long ago. */
	note_use(name, entry->digest, role);
	digest[hex_encode((const char *) entry->digest, DIGEST_SIZE, digest)] = '\0';
	if (strncmp(rest + 1, digest, 2 * DIGEST_SIZE) != 0)
		ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						errmsg("model \"%s\" has been replaced since the statement was planned", name),
						errhint("Run the statement again.")));
}

/* The plan cache plans again what needs it. Others keep plans for themselves, as functions in SQL do during a query. */
static void
check_models(const PlannedStmt *statement)
{
	const RangeTblEntry *entry;
	ListCell *cell;

	if (!statement->dependsOnRole || statement->rtable == NIL)
		return;
	entry = llast_node(RangeTblEntry, statement->rtable);
	if (entry->rtekind != RTE_RESULT || entry->alias != NULL || strcmp(entry->eref->aliasname, ENTRY_NAME) != 0)
		return;
	foreach(cell, entry->eref->colnames)
		check_model(strVal(lfirst(cell)));
}

static void
start(QueryDesc *query, int flags)
{
	check_models(query->plannedstmt);
	if (next_start != NULL)
		next_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
}

static void
analyze(ParseState *state, Query *query, JumbleState *jumble)
{
	if (maskgen_has_planned)
		AcceptInvalidationMessages();
	if (next_analyze != NULL)
		next_analyze(state, query, jumble);
}

void
planned_install(void)
{
	next_analyze = post_parse_analyze_hook;
	post_parse_analyze_hook = analyze;
	next_planner = planner_hook;
	planner_hook = plan;
	next_start = ExecutorStart_hook;
	ExecutorStart_hook = start;
}
