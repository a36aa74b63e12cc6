/* Lookups in the tables of models, and the memory of them. */
#include "pg/model/catalog.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "core/dtype.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "model/arch.h"
#include "pg/compat.h"
#include "pg/extension.h"
#include "pg/model/planned.h"
#include "pg/model/restore.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"
#include "utils/wait_event.h"

static HTAB *entries;
static uint64 version = 1;	 /* of what the tables say */
static uint64 entries_version; /* that the entries are from */
static Oid model_relation;	 /* to tell our invalidations from others */

PG_FUNCTION_INFO_V1(maskgen_model_changed);

/*
 * Called for each relation that somebody altered, and with InvalidOid for "anything". CHECK constraints of domains are
 * kept with results of calls computed, by each session until a constraint changes.
 */
static void
relation_changed(Datum arg, Oid relation)
{
	if (relation == InvalidOid || relation == model_relation || model_relation == InvalidOid)
		version++;
	if (OidIsValid(relation) && relation == model_relation)
		CallSyscacheCallbacks(CONSTROID, 0);
}

/* The table, of the version of the extension that this library is for. */
static Relation
open_models(void)
{
	Relation relation = extension_table_open("model");

	if (RelationGetNumberOfAttributes(relation) != MODEL_COLUMNS)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("extension \"maskgen\" of this database is of another version than its library"),
						errhint("Run ALTER EXTENSION maskgen UPDATE.")));
	return relation;
}

void
catalog_check_version(void)
{
	table_close(open_models(), AccessShareLock);
}

/* Nobody but the extension's owner makes relations beside its tables. */
static Oid
index_of(Relation table, const char *name)
{
	Oid index = get_relname_relid(name, RelationGetNamespace(table));

	if (!OidIsValid(index))
		elog(ERROR, "table \"%s\" has no index \"%s\"", RelationGetRelationName(table), name);
	return index;
}

Oid
catalog_models(void)
{
	return model_relation;
}

uint64
catalog_version(void)
{
	return version;
}

static void
prepare(void)
{
	HASHCTL control = {.keysize = NAMEDATALEN, .entrysize = sizeof(ModelEntry)};

	if (entries == NULL)
	{
		control.hcxt = TopMemoryContext;
		entries = hash_create("maskgen models", 16, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	}
	/* Between the statements of a transaction nothing else may have looked for what others committed. Costs nanoseconds. */
	AcceptInvalidationMessages();
	if (entries_version != version)
	{
		HASH_SEQ_STATUS scan;
		ModelEntry *entry;

		hash_seq_init(&scan, entries);
		while ((entry = hash_seq_search(&scan)) != NULL)
			entry->valid = false;
		entries_version = version;
	}
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The digest that a version spells; a changed row may hold anything. */
static void
parse_digest(const char *name, const char *text, uint8 digest[DIGEST_SIZE])
{
	bool fine = strlen(text) == 2 * DIGEST_SIZE;

	for (int i = 0; fine && i < DIGEST_SIZE; i++)
	{
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		fine = high >= 0 && low >= 0;
		digest[i] = (uint8) (high * 16 + low);
	}
	if (!fine)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("version of model \"%s\" is not a SHA-256", name)));
}

/* A column that the table declares NOT NULL. */
static Datum
column(HeapTuple tuple, int number, TupleDesc descriptor)
{
	bool isnull;
	Datum value = heap_getattr(tuple, number, descriptor, &isnull);

	if (isnull)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("table of models holds an unexpected null")));
	return value;
}

static void
read_grants(ModelEntry *entry, HeapTuple tuple, TupleDesc descriptor)
{
	ArrayType *grants = DatumGetArrayTypeP(column(tuple, MODEL_GRANTS, descriptor));
	Datum *roles;
	int n;

	deconstruct_array(grants, ARR_ELEMTYPE(grants), sizeof(Oid), true, TYPALIGN_INT, &roles, NULL, &n);
	if (entry->grants != NULL)
		pfree(entry->grants);
	entry->grants = NULL;
	entry->n_grants = 0;
	if (n > 0)
		entry->grants = MemoryContextAlloc(TopMemoryContext, n * sizeof(Oid));
	for (int i = 0; i < n; i++)
		entry->grants[entry->n_grants++] = DatumGetObjectId(roles[i]);
}

/* The name of the type that matrices are stored in, if products of it are of codes; NULL: of floats. */
static const char *
codes_of(HeapTuple tuple, TupleDesc descriptor)
{
	const char *dtype = TextDatumGetCString(column(tuple, MODEL_DTYPE, descriptor));

	for (int i = MG_N_FLOAT_DTYPES; i < MG_N_DTYPES; i++)
		if (strcmp(dtype, mg_dtype_name((MgDtype) i)) == 0)
			return mg_dtype_name((MgDtype) i);
	return NULL;
}

static bool
is_embedder(HeapTuple tuple, TupleDesc descriptor)
{
	char embed[MG_CAN_TEXT], *tasks = TextDatumGetCString(column(tuple, MODEL_TASKS, descriptor));
	Size size = strlen(mg_can_text(MG_CAN_EMBED, embed));

	/* It is the first of them. */
	return strncmp(tasks, embed, size) == 0 && (tasks[size] == ',' || tasks[size] == '\0');
}

/* Fills the entry of that name from the table; false when there is no such model. */
static bool
read_model(ModelEntry *entry)
{
	Relation relation;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	relation = open_models();
	model_relation = RelationGetRelid(relation);
	ScanKeyInit(&key, MODEL_NAME, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(NameStr(entry->name)));
	key.sk_collation = DEFAULT_COLLATION_OID;
	scan = systable_beginscan(relation, index_of(relation, "model_name_key"), true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (tuple != NULL)
	{
		TupleDesc descriptor = RelationGetDescr(relation);

		entry->id = DatumGetInt64(column(tuple, MODEL_ID, descriptor));
		entry->owner = DatumGetObjectId(column(tuple, MODEL_OWNER, descriptor));
		entry->stored_bytes = DatumGetInt64(column(tuple, MODEL_STORED_BYTES, descriptor));
		entry->codes = codes_of(tuple, descriptor);
		entry->dims = DatumGetInt32(column(tuple, MODEL_DIMS, descriptor));
		entry->embeds = is_embedder(tuple, descriptor);
		parse_digest(NameStr(entry->name), TextDatumGetCString(column(tuple, MODEL_VERSION, descriptor)), entry->digest);
		read_grants(entry, tuple, descriptor);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return tuple != NULL;
}

/* Slips of a finger that a name may be away from another. */
#define MOST_SLIPS 2

/* The model whose name is nearest to one that is none, palloc'd; NULL: none is near. Letters of the other case count as slips together. */
static char *
nearest_name(const char *name)
{
	int length = (int) strlen(name), least = Min(MOST_SLIPS, length / 3) + 1;
	Relation relation = open_models();
	char *nearest = NULL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	/* Pieces of models have no names. */
	ScanKeyInit(&key, MODEL_NAME, BTGreaterEqualStrategyNumber, F_TEXT_GE, CStringGetTextDatum(""));
	key.sk_collation = DEFAULT_COLLATION_OID;
	scan = systable_beginscan(relation, index_of(relation, "model_name_key"), true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		char *other = TextDatumGetCString(column(tuple, MODEL_NAME, RelationGetDescr(relation)));
		int slips = pg_strcasecmp(name, other) == 0
			? 1
			: varstr_levenshtein_less_equal(name, length, other, (int) strlen(other), 1, 1, 1, MOST_SLIPS, true);

		CHECK_FOR_INTERRUPTS();
		if (slips >= least)
			continue;
		least = slips;
		nearest = other;
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return nearest;
}

static const char *
missing_hint(const char *name)
{
	if (!restore_is_running())
	{
		char *nearest = strlen(name) < NAMEDATALEN ? nearest_name(name) : NULL;

		return psprintf("%sSee the view maskgen.maskgen_models; maskgen.create_model(name, path) makes one.",
						nearest != NULL ? psprintf("Perhaps you mean \"%s\". ", nearest) : "");
	}
	return psprintf("Restore the models before the rows that need them: pg_restore --section=pre-data, then pg_restore --section=data "
					"--schema=+maskgen, then pg_restore --section=data --exclude-schema=+maskgen, then pg_restore --section=post-data. If the dump "
					"has no models, run SELECT maskgen.create_model(%s, path, options) after the first of these, with what maskgen_model_sources says where it was made.", quote_literal_cstr(name));
}

static void
throw_missing(const char *name)
{
	if (name[0] == '\0')
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("no model is named"),
						errhint("Name one as the first argument.")));
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("model \"%s\" does not exist", name),
					errhint("%s", missing_hint(name))));
}

ModelEntry *
catalog_look(const char *name)
{
	ModelEntry *entry;
	bool found;

	planned_look();
	if (name[0] == '\0' || strlen(name) >= NAMEDATALEN)
		return NULL;
	prepare();
	entry = hash_search(entries, name, HASH_ENTER, &found);
	if (!found)
	{
		entry->valid = false;
		entry->grants = NULL;
	}
	if (!entry->valid)
	{
		uint64 before = version;

		if (!OidIsValid(extension_relation("model", true)) || !read_model(entry))
		{
			if (entry->grants != NULL)
				pfree(entry->grants);
			hash_search(entries, name, HASH_REMOVE, NULL);
			return NULL;
		}
		/* An invalidation that came while reading leaves it to be read again. */
		entry->valid = before == version;
	}
	return entry;
}

ModelEntry *
catalog_find_any(const char *name)
{
	RestoreWait wait = {0};
	ModelEntry *entry;

	while ((entry = catalog_look(name)) == NULL)
		if (name[0] == '\0' || !restore_wait(&wait, name))
			throw_missing(name);
	if (wait.polls > 0)
		pgstat_report_wait_end();
	return entry;
}

int
catalog_list(ModelEntry **list)
{
	Relation relation = open_models();
	TupleDesc descriptor = RelationGetDescr(relation);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	int n = 0, room = 8;

	ScanKeyInit(&key, MODEL_PART, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(-1));
	scan = systable_beginscan(relation, InvalidOid, false, NULL, 1, &key);
	*list = palloc0(room * sizeof **list);
	while ((tuple = systable_getnext(scan)) != NULL)
	{
		ModelEntry *entry;

		if (n == room)
			*list = repalloc(*list, (Size) (room *= 2) * sizeof **list);
		entry = &(*list)[n++];
		memset(entry, 0, sizeof *entry);
		namestrcpy(&entry->name, TextDatumGetCString(column(tuple, MODEL_NAME, descriptor)));
		entry->id = DatumGetInt64(column(tuple, MODEL_ID, descriptor));
		entry->codes = codes_of(tuple, descriptor);
		entry->dims = DatumGetInt32(column(tuple, MODEL_DIMS, descriptor));
		entry->embeds = is_embedder(tuple, descriptor);
		parse_digest(NameStr(entry->name), TextDatumGetCString(column(tuple, MODEL_VERSION, descriptor)), entry->digest);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return n;
}

Snapshot
catalog_snapshot(void)
{
	return RegisterSnapshot(GetCatalogSnapshot(extension_relation("model", false)));
}

/* A chunk as it is stored, in the current memory context; NULL when it is missing. Without a snapshot, the newest. */
static bytea *
find_chunk(int64 model, int32 part, Snapshot snapshot, Size offset, Size size)
{
	Relation relation = open_models();
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple tuple;
	bytea *chunk = NULL;

	CHECK_FOR_INTERRUPTS();
	ScanKeyInit(&keys[0], MODEL_ID, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(model));
	ScanKeyInit(&keys[1], MODEL_PART, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(part));
	scan = systable_beginscan(relation, index_of(relation, "model_pkey"), true, snapshot, 2, keys);
	tuple = systable_getnext(scan);
	/* A slice of what is stored uncompressed reads no more than its rows of the TOAST table. */
	if (tuple != NULL)
		chunk = DatumGetByteaPSlice(column(tuple, MODEL_DATA, RelationGetDescr(relation)), (int32) offset, (int32) size);
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return chunk;
}

/* A model that was dropped since it was looked up has no pieces, either. */
static void
throw_missing_part(const ModelEntry *entry, int32 part)
{
	int64 id = entry->id;
	char *name = pstrdup(NameStr(entry->name));

	version++;
	if (catalog_find_any(name)->id != id)
		throw_missing(name);
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("part %d of stored model \"%s\" is missing", part, name),
					errhint("Drop the model and create it again.")));
}

Size
catalog_read_chunk(const ModelEntry *entry, int32 part, Snapshot snapshot, uint8 *into)
{
	/* One byte more than allowed shows one that is too long. */
	bytea *chunk = find_chunk(entry->id, part, snapshot, 0, CHUNK_SIZE + 1);
	Size size;

	if (chunk == NULL)
		throw_missing_part(entry, part);
	size = VARSIZE_ANY_EXHDR(chunk);
	if (size > CHUNK_SIZE)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("part %d of stored model \"%s\" is too long", part, NameStr(entry->name))));
	memcpy(into, VARDATA_ANY(chunk), size);
	pfree(chunk);
	return size;
}

bool
catalog_read_start(int64 model, Size offset, void *into, Size size)
{
	bytea *chunk;
	bool whole;

	if (offset > CHUNK_SIZE || size > CHUNK_SIZE - offset)
		return false;
	chunk = find_chunk(model, 0, NULL, offset, size);
	whole = chunk != NULL && VARSIZE_ANY_EXHDR(chunk) == size;
	if (whole)
		memcpy(into, VARDATA_ANY(chunk), size);
	if (chunk != NULL)
		pfree(chunk);
	return whole;
}

/* The statement trigger: makes all backends forget, when this transaction commits. */
Datum
maskgen_model_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("function \"model_changed\" was not called as a trigger")));
	CacheInvalidateRelcacheByRelid(extension_relation("model", false));
	PG_RETURN_POINTER(NULL);
}
