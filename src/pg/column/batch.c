/* One batch of a column, from keys to vectors: see batch.h. */
#include "pg/column/batch.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "pg/arrays.h"
#include "pg/column/backfill.h"
#include "pg/column/claim.h"
#include "pg/column/key.h"
#include "pg/column/state.h"
#include "pg/extension.h"
#include "pg/model/catalog.h"
#include "pg/model/table_owner.h"
#include "pg/restricted.h"
#include "pg/task/call.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Bytes of texts that are held at a time. */
#define BATCH_BYTES (4 * 1024 * 1024)

typedef struct Batch
{
	EmbedClaim claim;
	EmbedColumn column;
	text **texts;	/* [n] NULL: the row has none */
	bool *found;	/* [n] whether the row is there */
	bool *deferred; /* [n] left for another batch */
	Datum *vectors; /* [n] of those with a text */
	const char **errors; /* [n] NULL: none */
} Batch;

/* What this process has at hand; kept across transactions. */
static MemoryContext context;
static Batch batch;

static char *
name_of_table(Relation table)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)), RelationGetRelationName(table));
}

/* Element k of all keys, as a text[]. */
static Datum
key_column(const Batch *at, int k)
{
	Datum *values = palloc(at->claim.n * sizeof *values);

	for (int i = 0; i < at->claim.n; i++)
	{
		Datum *elements;
		int n;

		deconstruct_array(at->claim.keys[i], TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL, &n);
		if (k >= n)
			ereport(ERROR, (errcode(ERRCODE_INVALID_TABLE_DEFINITION), errmsg("primary key of the table has other columns than when its rows were queued"),
							errhint("Call maskgen.retry_failed(target, destination), which looks for all rows without a vector.")));
		values[i] = elements[k];
	}
	return PointerGetDatum(construct_array(values, at->claim.n, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
set_keys(EmbedParameters *parameters, const Batch *at, const EmbedKey *key)
{
	if (key->n > (int) lengthof(parameters->types) - 3)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("primary keys of embedded tables have at most %d columns", (int) lengthof(parameters->types) - 3)));
	for (parameters->n = 0; parameters->n < key->n; parameters->n++)
	{
		parameters->types[parameters->n] = TEXTARRAYOID;
		parameters->values[parameters->n] = key_column(at, parameters->n);
	}
}

static void
add_parameter(EmbedParameters *parameters, Oid type, Datum value)
{
	parameters->types[parameters->n] = type;
	parameters->values[parameters->n++] = value;
}

/* ---- reading */

static void
keep_texts(Batch *at, const char *query, const EmbedParameters *parameters)
{
	SPIPlanPtr plan = SPI_prepare(query, parameters->n, (Oid *) parameters->types);
	Portal portal;
	Size n_bytes = 0;

	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", query, SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, (Datum *) parameters->values, NULL, true);
	while (n_bytes < BATCH_BYTES && (SPI_cursor_fetch(portal, true, 16), SPI_processed > 0))
	{
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			bool is_null;
			int row = (int) DatumGetInt64(embed_result(i, 1, NULL)) - 1;
			Datum value = embed_result(i, 2, &is_null);
			MemoryContext caller = MemoryContextSwitchTo(context);

			at->found[row] = true;
			at->deferred[row] = false;
			at->texts[row] = is_null ? NULL : (text *) PG_DETOAST_DATUM_COPY(value);
			n_bytes += is_null ? 0 : VARSIZE(at->texts[row]);
			MemoryContextSwitchTo(caller);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	/* What the texts' size leaves for later is not gone. */
	if (n_bytes >= BATCH_BYTES)
		for (int i = 0; i < at->claim.n; i++)
			at->deferred[i] = !at->found[i];
	SPI_cursor_close(portal);
	SPI_freeplan(plan);
}

static void
read_texts(Batch *at, Relation table)
{
	EmbedKey key;
	EmbedParameters parameters;
	StringInfoData query;
	Restricted restricted;

	embed_key_find(&key, table);
	set_keys(&parameters, at, &key);
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT n.\"+i\", (%s)::pg_catalog.text FROM ", at->column.source);
	embed_key_append_rows(&query, &key, "", "");
	appendStringInfo(&query, " JOIN %s AS t ON ", name_of_table(table));
	embed_key_append_equal(&query, &key, table);
	restricted_enter(&restricted, table);
	embed_key_set_output();
	PushActiveSnapshot(GetTransactionSnapshot());
	keep_texts(at, query.data, &parameters);
	PopActiveSnapshot();
	restricted_leave(&restricted);
}

/* ---- computing */

/* Vectors of one model only: who has put something else under its name must say so. */
static void
check_version(const Batch *at)
{
	const ModelEntry *model = catalog_find(at->column.model);
	char version[2 * DIGEST_SIZE + 1];

	hex_encode((const char *) model->digest, DIGEST_SIZE, version);
	version[2 * DIGEST_SIZE] = '\0';
	if (strcmp(version, at->column.version) != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" is not the one that column \"%s\" was embedded with", at->column.model, at->column.destination),
						errdetail("Its content is %.12s..., and the vectors are of %.12s....", version, at->column.version),
						errhint("CALL maskgen.reembed(%s, %s, %s) embeds all rows with the present one.", quote_literal_cstr(get_rel_name(at->column.target)),
								quote_literal_cstr(at->column.destination), quote_literal_cstr(at->column.model))));
}

static void
compute(Batch *at)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	MgSpan *inputs = palloc(at->claim.n * sizeof *inputs);
	Datum *results = palloc(at->claim.n * sizeof *results);
	const TaskError **errors = palloc0(at->claim.n * sizeof *errors);
	TaskCall *call = palloc0(sizeof *call);
	TableOwner owner;
	int n = 0;

	for (int i = 0; i < at->claim.n; i++)
		if (at->texts[i] != NULL)
			inputs[n++] = span_of_text(at->texts[i]);
	table_owner_become_of(&owner, at->column.target);
	check_version(at);
	if (n > 0)
	{
		call->function = task_function_named("maskgen_embed_document");
		call->flinfo = palloc0(sizeof *call->flinfo);
		fmgr_info(extension_function("embed_document"), call->flinfo);
		call->args[0] = CStringGetTextDatum(at->column.model);
		call->args[2] = Int32GetDatum(0);
		task_call(call, inputs, n, results, errors);
	}
	table_owner_leave(&owner);
	n = 0;
	for (int i = 0; i < at->claim.n; i++)
		if (at->texts[i] != NULL)
		{
			if (errors[n] != NULL && !errors[n]->of_row)
				task_throw(call, errors[n]);
			at->errors[i] = errors[n] == NULL ? NULL : pstrdup(errors[n]->error.message);
			at->vectors[i] = results[n++];
		}
	MemoryContextSwitchTo(caller);
}

/* ---- writing */

/* Rows that nobody else has locked at the moment: these are locked now, and the others wait. */
static bool *
lock_rows(const Batch *at, Relation table, const EmbedKey *key, EmbedParameters *parameters)
{
	bool *locked = palloc0(at->claim.n * sizeof *locked);
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT n.\"+i\" FROM ");
	embed_key_append_rows(&query, key, "", "");
	appendStringInfo(&query, " JOIN %s AS t ON ", name_of_table(table));
	embed_key_append_equal(&query, key, table);
	appendStringInfoString(&query, " FOR NO KEY UPDATE OF t SKIP LOCKED");
	embed_run(query.data, parameters, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
		locked[DatumGetInt64(embed_result(i, 1, NULL)) - 1] = true;
	return locked;
}

static Datum
array_of(const Batch *at, Datum *values, bool *nulls, Oid type)
{
	int dims[1] = {at->claim.n}, bounds[1] = {1};

	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, bounds, type, -1, false, TYPALIGN_INT));
}

/* Only rows whose text is still the one that the vector is of: another one has an entry of its own. */
static uint64
update_rows(const Batch *at, Relation table, const EmbedKey *key, EmbedParameters *parameters, const bool *is_ready)
{
	Datum *texts = palloc(at->claim.n * sizeof *texts), *vectors = palloc(at->claim.n * sizeof *vectors);
	bool *text_nulls = palloc(at->claim.n * sizeof *text_nulls), *vector_nulls = palloc(at->claim.n * sizeof *vector_nulls);
	Datum *ready = palloc(at->claim.n * sizeof *ready);
	Oid vector = extension_type("vector");
	const char *destination = quote_identifier(at->column.destination);
	int n = parameters->n;
	StringInfoData query;

	for (int i = 0; i < at->claim.n; i++)
	{
		texts[i] = PointerGetDatum(at->texts[i]);
		vectors[i] = at->vectors[i];
		text_nulls[i] = vector_nulls[i] = at->texts[i] == NULL;
		ready[i] = BoolGetDatum(is_ready[i]);
		if (at->errors[i] != NULL)
			vector_nulls[i] = true;
	}
	add_parameter(parameters, TEXTARRAYOID, array_of(at, texts, text_nulls, TEXTOID));
	add_parameter(parameters, get_array_type(vector), array_of(at, vectors, vector_nulls, vector));
	add_parameter(parameters, BOOLARRAYOID, PointerGetDatum(construct_array(ready, at->claim.n, BOOLOID, 1, true, TYPALIGN_CHAR)));
	initStringInfo(&query);
	appendStringInfo(&query, "UPDATE %s AS t SET %s = n.\"+v\" FROM ", name_of_table(table), destination);
	embed_key_append_rows(&query, key,
						  psprintf(", pg_catalog.unnest($%d::pg_catalog.text[]), pg_catalog.unnest($%d), pg_catalog.unnest($%d)", n + 1, n + 2, n + 3),
						  "\"+s\", \"+v\", \"+r\", ");
	appendStringInfoString(&query, " WHERE n.\"+r\" AND ");
	embed_key_append_equal(&query, key, table);
	appendStringInfo(&query, " AND (%s)::pg_catalog.text COLLATE \"C\" IS NOT DISTINCT FROM n.\"+s\" AND (n.\"+v\" IS NOT NULL OR t.%s IS NOT NULL)",
					 at->column.source, destination);
	return embed_run(query.data, parameters, 0);
}

static uint64
write_rows(Batch *at, Relation table, bool *is_done)
{
	EmbedKey key;
	EmbedParameters parameters;
	Restricted restricted;
	bool *locked, *ready = palloc0(at->claim.n * sizeof *ready);
	uint64 n;

	embed_key_find(&key, table);
	set_keys(&parameters, at, &key);
	restricted_enter(&restricted, table);
	embed_key_set_output();
	locked = lock_rows(at, table, &key, &parameters);
	for (int i = 0; i < at->claim.n; i++)
	{
		ready[i] = locked[i] && at->errors[i] == NULL && !at->deferred[i];
		is_done[i] = !at->deferred[i] && (locked[i] || !at->found[i]);
	}
	n = update_rows(at, table, &key, &parameters, ready);
	restricted_leave(&restricted);
	return n;
}

/* Entries go, with the vectors, in one commit; those of rows that are refused to the failures. */
static void
settle(Batch *at, const bool *is_done, int64 n_rows, double seconds)
{
	int64 *done = palloc(at->claim.n * sizeof *done), *later = palloc(at->claim.n * sizeof *later), *failed = palloc(at->claim.n * sizeof *failed);
	const char **messages = palloc(at->claim.n * sizeof *messages);
	int n_done = 0, n_later = 0, n_failed = 0;

	for (int i = 0; i < at->claim.n; i++)
	{
		if (at->errors[i] != NULL)
		{
			messages[n_failed] = at->errors[i];
			failed[n_failed++] = at->claim.entries[i];
		}
		else if (is_done[i])
			done[n_done++] = at->claim.entries[i];
		else if (!at->deferred[i])
			later[n_later++] = at->claim.entries[i];
	}
	embed_claim_fail(at->claim.column, failed, messages, n_failed);
	if (n_later > 0)
		embed_claim_delay(later, n_later, at->claim.column);
	embed_claim_end(&at->claim, done, n_done);
	/* Counts are not worth waiting for somebody who has changed the column in a transaction that is still open. */
	embed_state_run("UPDATE @embed_column SET n_embedded = n_embedded + $2, n_errors = 0, error = NULL, retry_at = now(), served_at = clock_timestamp(),"
					" rate = CASE WHEN $2 = 0 THEN rate WHEN rate = 0 THEN $2 / $3 ELSE 0.8 * rate + 0.2 * $2 / $3 END"
					" WHERE id = (SELECT id FROM @embed_column WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED)",
					&(EmbedParameters){3, {INT4OID, INT8OID, FLOAT8OID}, {Int32GetDatum(at->claim.column), Int64GetDatum(n_rows), Float8GetDatum(Max(seconds, 1e-6))}}, 0);
}

/* ---- a batch */

static void
begin_batch(void)
{
	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "maskgen embedded column", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(context);
	batch = (Batch){.claim.id = 0};
}

static void
make_room(Batch *at)
{
	int n = at->claim.n;

	at->texts = MemoryContextAllocZero(context, n * sizeof *at->texts);
	at->found = MemoryContextAllocZero(context, n * sizeof *at->found);
	at->deferred = MemoryContextAllocZero(context, n * sizeof *at->deferred);
	at->vectors = MemoryContextAllocZero(context, n * sizeof *at->vectors);
	at->errors = MemoryContextAllocZero(context, n * sizeof *at->errors);
}

/* The table with its definition; NULL if one of them is not there. */
static Relation
open_table(EmbedColumn *column, int32 id, Oid target)
{
	Relation table = try_relation_open(target, AccessShareLock);
	MemoryContext caller;
	bool is_there;

	if (table == NULL)
		return NULL;
	caller = MemoryContextSwitchTo(context);
	is_there = embed_column_of_table(column, table, id);
	MemoryContextSwitchTo(caller);
	if (is_there)
		return table;
	relation_close(table, NoLock);
	return NULL;
}

EmbedOutcome
embed_batch_run(int32 id, Oid target, bool by_worker, EmbedCommit commit, int64 *n_rows)
{
	TimestampTz start = GetCurrentTimestamp();
	EmbedOutcome outcome;
	Relation table;
	bool *is_done;

	*n_rows = 0;
	begin_batch();
	table = open_table(&batch.column, id, target);
	if (table == NULL)
	{
		/* A table without its triggers may be one that is being restored: they come last. */
		if (get_rel_name(target) == NULL)
			embed_state_forget(id);
		return EMBED_NOTHING;
	}
	if (by_worker && batch.column.mode == EMBED_MANUAL)
	{
		relation_close(table, NoLock);
		return EMBED_NOTHING;
	}
	embed_claim(&batch.claim, id, EMBED_BATCH_ROWS, context);
	if (batch.claim.n < EMBED_BATCH_ROWS / 2 && embed_backfill_step(&batch.column, table))
	{
		if (batch.claim.n == 0)
		{
			relation_close(table, NoLock);
			commit();
			return EMBED_MORE;
		}
		batch.claim.is_full = true;
	}
	if (batch.claim.n == 0)
	{
		relation_close(table, NoLock);
		return EMBED_NOTHING;
	}
	relation_close(table, NoLock);
	commit();
	make_room(&batch);
	table = open_table(&batch.column, id, target);
	if (table != NULL)
	{
		read_texts(&batch, table);
		relation_close(table, NoLock);
	}
	commit();
	if (table != NULL)
		compute(&batch);
	is_done = palloc0(batch.claim.n * sizeof *is_done);
	table = open_table(&batch.column, id, target);
	if (table != NULL)
	{
		*n_rows = (int64) write_rows(&batch, table, is_done);
		relation_close(table, NoLock);
	}
	settle(&batch, is_done, *n_rows, (double) (GetCurrentTimestamp() - start) / USECS_PER_SEC);
	outcome = batch.claim.is_full || *n_rows == 0 ? EMBED_MORE : EMBED_SOME;
	commit();
	embed_claim_release(&batch.claim);
	return outcome;
}

void
embed_batch_release(void)
{
	embed_claim_release(&batch.claim);
}

/* Errors of these classes are not a row's: rights, syntax and names, resources, the system, locks, cancels, our own bugs. */
static bool
is_of_all(const ErrorData *error)
{
	static const char *const classes[] = {"42", "53", "54", "55", "57", "58", "40", "XX", "F0", "0A"};
	const char *state = unpack_sql_state(error->sqlerrcode);

	for (int i = 0; i < (int) lengthof(classes); i++)
		if (strncmp(state, classes[i], 2) == 0)
			return true;
	return false;
}

bool
embed_batch_charge(const ErrorData *error)
{
	bool is_rows = batch.claim.id != 0 && !is_of_all(error);

	if (is_rows)
		embed_claim_charge(&batch.claim, error->message);
	else if (batch.claim.id != 0)
		embed_claim_end(&batch.claim, NULL, 0);
	return is_rows;
}
