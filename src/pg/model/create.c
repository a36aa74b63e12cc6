/*
 * create_model and drop_model: from files to rows, and away.
 *
 * The image is streamed into chunks, through a SHA-256 that becomes the
 * model's version. Rows are written through SPI as the owner of the tables,
 * since the caller needs no privilege on them. All is part of the caller's
 * transaction; what outlives a rollback is at most a resident copy, which the
 * callback at the end of the transaction removes (model/forget.c).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "model/checkpoint.h"
#include "pg/compat.h"
#include "pg/extension.h"
#include "pg/host.h"
#include "pg/model/catalog.h"
#include "pg/model/dependents.h"
#include "pg/model/forget.h"
#include "pg/model/server_files.h"
#include "pg/model/session.h"
#include "pg/model/table_owner.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(maskgen_create_model);
PG_FUNCTION_INFO_V1(maskgen_drop_model);

/* Where the image goes. */
typedef struct ChunkWriter
{
	int64 model;
	int32 part;
	bytea *chunk; /* CHUNK_SIZE of room */
	Size used;
	pg_cryptohash_ctx *hash;
	SPIPlanPtr insert;
} ChunkWriter;

static void
flush_chunk(ChunkWriter *writer)
{
	Datum values[3] = {Int64GetDatum(writer->model), Int32GetDatum(writer->part), PointerGetDatum(writer->chunk)};
	int result;

	if (writer->used == 0)
		return;
	if (writer->part == PG_INT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("model is too large")));
	SET_VARSIZE(writer->chunk, VARHDRSZ + writer->used);
	result = SPI_execute_plan(writer->insert, values, NULL, false, 0);
	if (result != SPI_OK_INSERT)
		elog(ERROR, "could not store a model: %s", SPI_result_code_string(result));
	writer->part++;
	writer->used = 0;
}

static bool
write_chunks(MgCtx *cx, void *user, const void *bytes, size_t size)
{
	ChunkWriter *writer = user;
	const uint8 *from = bytes;

	if (size > 0 && pg_cryptohash_update(writer->hash, from, size) < 0)
		elog(ERROR, "could not compute SHA-256 of a model");
	while (size > 0)
	{
		Size n = Min(size, CHUNK_SIZE - writer->used);

		memcpy(VARDATA(writer->chunk) + writer->used, from, n);
		writer->used += n;
		from += n;
		size -= n;
		if (writer->used == CHUNK_SIZE)
			flush_chunk(writer);
	}
	return true;
}

static int64
next_model_id(void)
{
	bool isnull;

	char *query = psprintf("SELECT pg_catalog.nextval(%u::pg_catalog.regclass)", extension_relation("model_id_seq", false));

	if (SPI_execute(query, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not number a model");
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* Streams the image into chunks and returns its SHA-256 in hexadecimal. */
static char *
store_image(MgCtx *cx, const MgPlan *plan, int64 id)
{
	Oid types[3] = {INT8OID, INT4OID, BYTEAOID};
	ChunkWriter writer = {.model = id};
	MgSink sink = {&writer, write_chunks};
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	char *text = palloc(2 * sizeof digest + 1);

	writer.chunk = palloc(VARHDRSZ + CHUNK_SIZE);
	writer.hash = pg_cryptohash_create(PG_SHA256);
	writer.insert = SPI_prepare(psprintf("INSERT INTO %s (id, part, data) VALUES ($1, $2, $3)",
										 extension_relation_name("model")),
								3, types);
	if (writer.hash == NULL || pg_cryptohash_init(writer.hash) < 0 || writer.insert == NULL)
		elog(ERROR, "could not begin to store a model");
	if (!mg_checkpoint_write(cx, mg_kernels(mg_cpu_level()), plan, &sink))
		host_throw(cx);
	flush_chunk(&writer);
	if (pg_cryptohash_final(writer.hash, digest, sizeof digest) < 0)
		elog(ERROR, "could not compute SHA-256 of a model");
	pg_cryptohash_free(writer.hash);
	hex_encode((const char *) digest, sizeof digest, text);
	text[2 * sizeof digest] = '\0';
	return text;
}

static void
throw_exists(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT), errmsg("model \"%s\" already exists", name),
					errdetail("A model never changes under its name, so that results stay what they were."),
					errhint("Choose another name, such as \"%s-2\", or drop the model first.", name)));
}

static void
insert_model(const char *name, const char *version, Oid owner, const MgPlan *plan, int64 id, const char *path, Datum options)
{
	Oid types[13] = {INT8OID, TEXTOID, TEXTOID, OIDOID, TEXTOID, TEXTOID, INT4OID, INT4OID, INT8OID, TEXTOID, INT8OID,
					 JSONBOID, TEXTOID};
	const MgImage *image = &plan->image;
	const MgMeta *meta = &image->meta;
	char tasks[MG_CAN_TEXT];
	Datum values[13] = {Int64GetDatum(id),
						CStringGetTextDatum(name),
						CStringGetTextDatum(version),
						ObjectIdGetDatum(owner),
						CStringGetTextDatum(image->arch->name),
						CStringGetTextDatum(mg_can_text(image->can, tasks)),
						Int32GetDatum((int32) mg_image_sizes(image)->width),
						Int32GetDatum((int32) meta->max_tokens),
						Int64GetDatum((int64) meta->parameters),
						CStringGetTextDatum(mg_dtype_name(meta->dtype)),
						Int64GetDatum((int64) plan->image.size),
						options,
						CStringGetTextDatum(path)};

	/* The path beside the options, none of which has that name. */
	char *statement = psprintf("INSERT INTO %s (id, part, name, version, owner, grants, architecture, tasks, dims, max_tokens, "
							   "parameters, dtype, stored_bytes, options, created) VALUES ($1, -1, $2, $3, $4, '{}', $5, $6, $7, "
							   "$8, $9, $10, $11, $12 OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('path', $13), pg_catalog.now()) ON CONFLICT (name) DO NOTHING",
							   extension_relation_name("model"));

	if (SPI_execute_with_args(statement, 13, types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not store a model");
	/* Another session was faster. */
	if (SPI_processed == 0)
		throw_exists(name);
}

/* Names are identifiers to people, but may hold what model names hold: letters, digits and - _ . / : */
static void
check_name(const char *name)
{
	size_t length = strlen(name);
	bool fine = length > 0;

	for (const char *c = name; *c != '\0'; c++)
		if (!IS_HIGHBIT_SET(*c) && !isalnum((unsigned char) *c) && strchr("-_./:", *c) == NULL)
			fine = false;
	if (length >= NAMEDATALEN)
		ereport(ERROR, (errcode(ERRCODE_NAME_TOO_LONG), errmsg("model name \"%s\" is too long", name),
						errdetail("It has %zu bytes, at most %d are allowed.", length, NAMEDATALEN - 1)));
	if (!fine)
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME), errmsg("model name \"%s\" is not allowed", name),
						errhint("Use letters, digits and - _ . / :, for instance \"minilm-l6\".")));
}

static void
check_absent(const char *name)
{
	Oid types[1] = {TEXTOID};
	Datum values[1] = {CStringGetTextDatum(name)};

	char *query = psprintf("SELECT FROM %s WHERE name OPERATOR(pg_catalog.=) $1", extension_relation_name("model"));

	if (SPI_execute_with_args(query, 1, types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for a model");
	if (SPI_processed > 0)
		throw_exists(name);
}

Datum
maskgen_create_model(PG_FUNCTION_ARGS)
{
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(0)), *path = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Jsonb *options_json = PG_GETARG_JSONB_P(2);
	char *options_text = JsonbToCString(NULL, &options_json->root, VARSIZE(options_json));
	Oid user = GetUserId();
	MemoryContext caller = CurrentMemoryContext, context;
	TableOwner owner;
	MgHost host;
	MgCtx cx;
	MgFiles files;
	MgModelOptions options;
	MgPlan plan;
	int64 id;
	char *version;
	text *result;

	check_name(name);
	canonicalize_path(path);
	server_files_check(path);
	if (GetDatabaseEncoding() != PG_UTF8)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("database encoding is not UTF8"),
						errhint("Models read UTF-8: use a database with ENCODING 'UTF8'.")));
	catalog_check_version();
	forget_prepare();
	context = AllocSetContextCreate(caller, "maskgen create_model", ALLOCSET_DEFAULT_SIZES);
	host = host_in(context);
	mg_ctx_init(&cx, &host);
	if (!mg_model_options_parse(&cx, mg_span_of(options_text), &options))
		host_throw(&cx);
	files = server_model_files(&cx, context, path, &options);

	SPI_connect();
	table_owner_become(&owner);
	check_absent(name);
	if (!mg_checkpoint_plan(&cx, &files, &options, &plan))
		host_throw(&cx);
	id = next_model_id();
	version = store_image(&cx, &plan, id);
	insert_model(name, version, user, &plan, id, path, JsonbPGetDatum(options_json));
	forget_on_abort(catalog_find_any(name)->digest);
	table_owner_leave(&owner);
	MemoryContextSwitchTo(caller);
	result = cstring_to_text(version);
	SPI_finish();
	MemoryContextDelete(context);
	PG_RETURN_TEXT_P(result);
}

Datum
maskgen_drop_model(PG_FUNCTION_ARGS)
{
	const char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const ModelEntry *entry = catalog_find_any(name);
	Oid types[1] = {INT8OID};
	Datum values[1];
	TableOwner owner;
	char *statement;

	catalog_check_owner(entry);
	/* The function had one argument in 0.1.0. */
	dependents_drop(name, PG_NARGS() > 1 && PG_GETARG_BOOL(1));
	/* Others may have changed it while we looked around. */
	entry = catalog_find_any(name);
	catalog_check_owner(entry);
	values[0] = Int64GetDatum(entry->id);
	forget_prepare();
	forget_on_commit(entry->digest);
	SPI_connect();
	table_owner_become(&owner);
	statement = psprintf("DELETE FROM %s WHERE id OPERATOR(pg_catalog.=) $1", extension_relation_name("model"));
	if (SPI_execute_with_args(statement, 1, types, values, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not drop a model");
	table_owner_leave(&owner);
	SPI_finish();
	PG_RETURN_VOID();
}
