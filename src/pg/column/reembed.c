/*
 * reembed: another model for a column, while it is read and written.
 *
 *   1. a second column, embedded by the new model, with indexes like those of the first       commit
 *   2. its rows, by the workers and by this session                                         a commit each batch
 *   3. under a lock that nobody had to wait behind: the last rows, the first column away, the second in its place       commit
 *
 * A call that was interrupted is made again, and goes on where it was. Nothing is seen of it but the second column, and that with step 3 at once.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_utilcmd.h"
#include "pg/column/batch.h"
#include "pg/column/make.h"
#include "pg/column/pool.h"
#include "pg/column/state.h"
#include "pg/column/triggers.h"
#include "pg/compat.h"
#include "pg/extension.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

PG_FUNCTION_INFO_V1(maskgen_reembed);

/* Rows that may be embedded under the lock, at which all others wait. */
#define LAST_ROWS 32

/* Times that the lock is asked for without waiting, 20 ms apart, before this waits for it and others wait behind. */
#define PATIENT_TRIES 250

typedef struct Change
{
	EmbedColumn old, new; /* new.id is 0 before there is one */
	const char *table;	  /* its name in SQL */
} Change;

static void
commit(void)
{
	SPI_commit();
}

static void
no_commit(void)
{
}

static void
sleep_ms(long ms)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

static char *
name_of_second(const char *destination)
{
	return makeObjectName(destination, "reembed", NULL);
}

/* What the column is needed for, and would be lost with it. */
static void
refuse_dependents(const Change *change)
{
	AttrNumber column = get_attnum(change->old.target, change->old.destination);
	uint64 n;
	StringInfoData list;

	n = embed_state_run("SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1"
						" AND d.refobjsubid = $2 AND d.deptype = 'n' AND d.classid <> 'pg_class'::regclass AND NOT EXISTS (SELECT FROM pg_trigger t WHERE"
						" d.classid = 'pg_trigger'::regclass AND t.oid = d.objid AND t.tgfoid = $3) LIMIT 10",
						&(EmbedParameters){3,
										   {OIDOID, INT4OID, OIDOID},
										   {ObjectIdGetDatum(change->old.target), Int32GetDatum(column), ObjectIdGetDatum(extension_function("embed_row_trigger"))}}, 0);
	if (n == 0)
		return;
	initStringInfo(&list);
	for (uint64 i = 0; i < n; i++)
		appendStringInfo(&list, "%s%s", i == 0 ? "" : "\n", TextDatumGetCString(embed_result(i, 1, NULL)));
	ereport(ERROR, (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST), errmsg("column \"%s\" cannot be changed, for others depend on it", change->old.destination),
					errdetail_internal("%s", list.data),
					errhint("Drop them first, and make them again afterwards; or embed another column and let them read that one.")));
}

/* ---- step 1 */

/* Keys are named, and expressions mapped. */
static void
rename_keys(List *keys, const Change *change)
{
	ListCell *cell;

	foreach(cell, keys)
	{
		IndexElem *key = lfirst_node(IndexElem, cell);

		if (key->name != NULL && strcmp(key->name, change->old.destination) == 0)
			key->name = pstrdup(change->new.destination);
	}
}

/* Like an index of the first column, on the second. */
static void
clone_index(const Change *change, Oid index_oid, AttrNumber from, AttrNumber to)
{
	Relation table = table_open(change->old.target, NoLock), index = index_open(index_oid, AccessShareLock);
	AttrMap *map = make_attrmap(RelationGetDescr(table)->natts);
	IndexStmt *statement;
	PlannedStmt *plan = makeNode(PlannedStmt);

	for (int i = 0; i < map->maplen; i++)
		map->attnums[i] = i + 1 == from ? to : (AttrNumber) (i + 1);
	statement = generateClonedIndexStmt(makeRangeVar(get_namespace_name(RelationGetNamespace(table)), pstrdup(RelationGetRelationName(table)), -1), index, map, NULL);
	rename_keys(statement->indexParams, change);
	rename_keys(statement->indexIncludingParams, change);
	index_close(index, NoLock);
	table_close(table, NoLock);
	plan->commandType = CMD_UTILITY;
	plan->utilityStmt = (Node *) statement;
	plan->canSetTag = true;
	PushActiveSnapshot(GetTransactionSnapshot());
	ProcessUtility(plan, "CREATE INDEX by maskgen.reembed", false, PROCESS_UTILITY_SUBCOMMAND, NULL, NULL, None_Receiver, NULL);
	PopActiveSnapshot();
	CommandCounterIncrement();
}

/* Indexes that have a column as a key; palloc'd in the order of their OIDs. */
static List *
indexes_of(Oid target, AttrNumber column)
{
	Relation table = table_open(target, NoLock);
	List *found = NIL;
	ListCell *cell;

	foreach(cell, RelationGetIndexList(table))
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		for (int i = 0; i < index->rd_index->indnatts; i++)
			if (index->rd_index->indkey.values[i] == column)
			{
				found = lappend_oid(found, RelationGetRelid(index));
				break;
			}
		index_close(index, NoLock);
	}
	table_close(table, NoLock);
	return found;
}

static void
begin_change(Change *change, const char *model_name)
{
	Relation table = embed_open_own(change->old.target);
	ModelEntry *model = embed_find_model(change->old.target, model_name);
	EmbedSource source;
	AttrNumber from, to;
	ListCell *cell;

	change->new = change->old;
	change->new.destination = name_of_second(change->old.destination);
	change->new.model = pstrdup(model_name);
	change->new.version = embed_version_of(model);
	change->new.mode = EMBED_QUEUE;
	if (get_attnum(change->old.target, change->new.destination) != InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN), errmsg("column \"%s\" of table \"%s\" already exists", change->new.destination, RelationGetRelationName(table)),
						errhint("It is what reembed embeds into. If it is left of a call that is not to go on: SELECT maskgen.drop_embed_column(%s, %s, true).",
								quote_literal_cstr(change->table), quote_literal_cstr(change->new.destination))));
	embed_source_again(&source, table, change->old.source, change->old.destination);
	table = embed_make_destination(table, change->new.destination, model);
	change->new.id = embed_new_state(change->old.target, change->new.destination);
	embed_triggers_make(table, &change->new, &source);
	table_close(table, NoLock);
	from = get_attnum(change->old.target, change->old.destination);
	to = get_attnum(change->old.target, change->new.destination);
	foreach(cell, indexes_of(change->old.target, from))
		clone_index(change, lfirst_oid(cell), from, to);
}

/* The second column that an interrupted call has left, for that model as it is now. */
static bool
find_change(Change *change, const char *model)
{
	Relation table = relation_open(change->old.target, AccessShareLock);
	bool is_there = embed_column_named(&change->new, table, name_of_second(change->old.destination));

	relation_close(table, NoLock);
	if (!is_there)
		return false;
	if (strcmp(change->new.model, model) != 0 || strcmp(change->new.version, embed_version_of(embed_find_model(change->old.target, model))) != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE), errmsg("column \"%s\" is being embedded anew by model \"%s\" already", change->old.destination, change->new.model),
						errhint("Go on with that model, or give up: SELECT maskgen.drop_embed_column(%s, %s, true).", quote_literal_cstr(change->table),
								quote_literal_cstr(change->new.destination))));
	return true;
}

/* ---- step 2 */

static EmbedOutcome
run_batch(const Change *change, EmbedCommit end)
{
	EmbedOutcome outcome = EMBED_NOTHING;
	int64 n_rows;

	PG_TRY();
	{
		outcome = embed_batch_run(change->new.id, change->new.target, false, end, &n_rows);
	}
	PG_CATCH();
	{
		embed_batch_release();
		PG_RE_THROW();
	}
	PG_END_TRY();
	return outcome;
}

/* Entries that wait, and whether all rows have been looked at. */
static int64
count_pending(const Change *change)
{
	EmbedParameters parameters = {1, {INT4OID}, {Int32GetDatum(change->new.id)}};

	if (embed_state_run("SELECT CASE WHEN scan_done THEN (SELECT count(*) FROM @embed_queue WHERE column_id = $1) ELSE 1000000 END, paused FROM @embed_column WHERE id = $1",
						&parameters, 0) == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("column \"%s\" was dropped meanwhile", change->new.destination)));
	return DatumGetInt64(embed_result(0, 1, NULL));
}

static void
fill(const Change *change)
{
	while (count_pending(change) > LAST_ROWS)
		if (run_batch(change, commit) != EMBED_MORE)
		{
			/* Workers have the rest. */
			commit();
			sleep_ms(20);
		}
}

/* ---- step 3 */

/* True with the lock; others have not had to wait behind, but at last. */
static bool
lock_table(Oid target, int *tries)
{
	if (ConditionalLockRelationOid(target, AccessExclusiveLock))
		return true;
	if (++*tries < PATIENT_TRIES)
	{
		commit();
		sleep_ms(20);
		return false;
	}
	LockRelationOid(target, AccessExclusiveLock);
	return true;
}

/* What reading a column is granted to, and its comment. */
static List *
statements_of_column(const Change *change)
{
	EmbedParameters parameters = {2, {OIDOID, TEXTOID}, {ObjectIdGetDatum(change->old.target), CStringGetTextDatum(change->old.destination)}};
	const char *column = quote_identifier(change->old.destination);
	List *statements = NIL;
	uint64 n = embed_state_run("SELECT x.privilege_type, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END, x.is_grantable"
							   " FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attrelid = $1 AND a.attname = $2::name",
							   &parameters, 0);

	for (uint64 i = 0; i < n; i++)
		statements = lappend(statements, psprintf("GRANT %s (%s) ON %s TO %s%s", TextDatumGetCString(embed_result(i, 1, NULL)), column, change->table,
												  TextDatumGetCString(embed_result(i, 2, NULL)),
												  DatumGetBool(embed_result(i, 3, NULL)) ? " WITH GRANT OPTION" : ""));
	n = embed_state_run("SELECT quote_literal(col_description($1, attnum)) FROM pg_attribute WHERE attrelid = $1 AND attname = $2::name AND col_description($1, attnum) IS NOT NULL",
						&parameters, 0);
	for (uint64 i = 0; i < n; i++)
		statements = lappend(statements, psprintf("COMMENT ON COLUMN %s.%s IS %s", change->table, column, TextDatumGetCString(embed_result(i, 1, NULL))));
	return statements;
}

/* The columns of text of the statement triggers of a column of mode "sync", as a list of arguments. */
static char *
names_of_sync(Relation table, const char *destination)
{
	Oid function = extension_function("embed_statement_trigger");
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; table->trigdesc != NULL && i < table->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &table->trigdesc->triggers[i];

		if (trigger->tgfoid != function || trigger->tgnargs < 3 || strcmp(trigger->tgargs[trigger->tgnargs - 1], destination) != 0)
			continue;
		for (int k = 1; k < trigger->tgnargs - 1; k++)
			appendStringInfo(&names, ", %s", quote_literal_cstr(trigger->tgargs[k]));
		break;
	}
	return names.data;
}

static void
swap(Change *change)
{
	Oid target = change->old.target;
	List *old_indexes = indexes_of(target, get_attnum(target, change->old.destination)), *new_indexes = indexes_of(target, get_attnum(target, change->new.destination));
	List *statements = statements_of_column(change), *names = NIL;
	const char *old_name = quote_identifier(change->old.destination), *new_name = quote_identifier(change->new.destination);
	Relation table = table_open(target, NoLock);
	EmbedSource source;
	EmbedColumn column = change->new;
	ListCell *cell, *other;

	embed_source_again(&source, table, change->old.source, change->old.destination);
	source.names = names_of_sync(table, change->old.destination);
	foreach(cell, old_indexes)
		names = lappend(names, get_rel_name(lfirst_oid(cell)));
	embed_triggers_drop(table, change->new.destination, false);
	embed_triggers_drop(table, change->old.destination, change->old.mode == EMBED_SYNC);
	table_close(table, NoLock);
	embed_execute(psprintf("ALTER TABLE %s DROP %s", change->table, old_name));
	embed_execute(psprintf("ALTER TABLE %s RENAME %s TO %s", change->table, new_name, old_name));
	forboth(cell, names, other, new_indexes)
		embed_execute(psprintf("ALTER INDEX %s RENAME TO %s",
							   quote_qualified_identifier(get_namespace_name(get_rel_namespace(lfirst_oid(other))), get_rel_name(lfirst_oid(other))),
							   quote_identifier(lfirst(cell))));
	foreach(cell, statements)
		embed_execute(lfirst(cell));
	column.id = change->old.id;
	column.destination = change->old.destination;
	column.mode = change->old.mode;
	embed_state_run("DELETE FROM @embed_queue WHERE column_id = $1", &(EmbedParameters){1, {INT4OID}, {Int32GetDatum(column.id)}}, 0);
	embed_state_run("DELETE FROM @embed_failure WHERE column_id = $1", &(EmbedParameters){1, {INT4OID}, {Int32GetDatum(column.id)}}, 0);
	embed_state_run("UPDATE @embed_failure SET column_id = $1 WHERE column_id = $2",
					&(EmbedParameters){2, {INT4OID, INT4OID}, {Int32GetDatum(column.id), Int32GetDatum(change->new.id)}}, 0);
	embed_state_forget(change->new.id);
	embed_state_run("UPDATE @embed_column SET n_errors = 0, error = NULL, retry_at = now(), scan_done = true WHERE id = $1",
					&(EmbedParameters){1, {INT4OID}, {Int32GetDatum(column.id)}}, 0);
	table = table_open(target, NoLock);
	embed_triggers_make(table, &column, &source);
	table_close(table, NoLock);
}

/* False if rows are left that would take too long under the lock. */
static bool
finish(Change *change)
{
	int64 n = count_pending(change);

	if (n > LAST_ROWS)
		return false;
	while (n > 0 && run_batch(change, no_commit) == EMBED_MORE)
		;
	/* A worker may have some of them in its hands, which it cannot write now. */
	if (count_pending(change) > 0)
		return false;
	swap(change);
	return true;
}

Datum
maskgen_reembed(PG_FUNCTION_ARGS)
{
	bool is_atomic = fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) || castNode(CallContext, fcinfo->context)->atomic, is_done = false;
	MemoryContext context = AllocSetContextCreate(PortalContext, "maskgen reembed", ALLOCSET_DEFAULT_SIZES), caller;
	Change change;
	char *model;
	Relation table;
	int tries = 0;

	for (int i = 0; i < 3; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("arguments of reembed must not be NULL")));
	if (is_atomic)
		ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION), errmsg("reembed cannot run in a transaction block"),
						errdetail("It commits what it has embedded, so that writers go on.")));
	caller = MemoryContextSwitchTo(context);
	embed_check_owner(PG_GETARG_OID(0));
	embed_column_look_up(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)), &change.old);
	model = text_to_cstring(PG_GETARG_TEXT_PP(2));
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	MemoryContextSwitchTo(context);
	table = relation_open(change.old.target, AccessShareLock);
	change.table = embed_name_of_table(table);
	relation_close(table, NoLock);
	refuse_dependents(&change);
	if (!find_change(&change, model))
		begin_change(&change, model);
	commit();
	embed_pool_wake();
	while (!is_done)
	{
		MemoryContextSwitchTo(context);
		fill(&change);
		commit();
		MemoryContextSwitchTo(context);
		if (lock_table(change.old.target, &tries))
			is_done = finish(&change);
		commit();
	}
	SPI_finish();
	MemoryContextSwitchTo(caller);
	PG_RETURN_NULL();
}
