/* Lookups in the tables of models, and the memory of them. */
#include "pg/model/catalog.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "core/dtype.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/extension.h"
#include "pg/model/planned.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* Columns of model, model_chunk and model_grant that are read here. */
enum
{
	MODEL_ID = 1,
	MODEL_NAME = 2,
	MODEL_VERSION = 3,
	MODEL_OWNER = 4,
	MODEL_DTYPE = 10,
	MODEL_STORED_BYTES = 11,
	CHUNK_MODEL = 1,
	CHUNK_PART = 2,
	CHUNK_DATA = 3,
	GRANT_MODEL = 1,
	GRANT_ROLE = 2
};

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
read_grants(ModelEntry *entry)
{
	Relation relation = extension_table_open("model_grant");
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	int room = 0;

	if (entry->grants != NULL)
		pfree(entry->grants);
	entry->grants = NULL;
	entry->n_grants = 0;
	ScanKeyInit(&key, GRANT_MODEL, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(entry->id));
	scan = systable_beginscan(relation, index_of(relation, "model_grant_pkey"), true, NULL, 1, &key);
	while ((tuple = systable_getnext(scan)) != NULL)
	{
		if (entry->n_grants == room)
		{
			Size size = (room = room * 2 + 4) * sizeof(Oid);

			entry->grants = entry->grants == NULL ? MemoryContextAlloc(TopMemoryContext, size)
												  : repalloc(entry->grants, size);
		}
		entry->grants[entry->n_grants++] = DatumGetObjectId(column(tuple, GRANT_ROLE, RelationGetDescr(relation)));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

static bool
is_int8(HeapTuple tuple, TupleDesc descriptor)
{
	return strcmp(TextDatumGetCString(column(tuple, MODEL_DTYPE, descriptor)), mg_dtype_name(MG_Q8)) == 0;
}

/* Fills the entry of that name from the table; false when there is no such model. */
static bool
read_model(ModelEntry *entry)
{
	Relation relation;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	relation = extension_table_open("model");
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
		entry->int8 = is_int8(tuple, descriptor);
		parse_digest(NameStr(entry->name), TextDatumGetCString(column(tuple, MODEL_VERSION, descriptor)), entry->digest);
		read_grants(entry);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return tuple != NULL;
}

static void
throw_missing(const char *name)
{
	if (name[0] == '\0')
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("no model is named"),
						errhint("Name one as the first argument, or set maskgen.embed_model or "
								"maskgen.classify_model.")));
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("model \"%s\" does not exist", name),
					errhint("See the view maskgen.maskgen_models; maskgen.create_model(name, path) makes one.")));
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
	ModelEntry *entry = catalog_look(name);

	if (entry == NULL)
		throw_missing(name);
	return entry;
}

static bool
may_use(const ModelEntry *entry, Oid role)
{
	if (has_privs_of_role(role, entry->owner))
		return true;
	for (int i = 0; i < entry->n_grants; i++)
		if (entry->grants[i] == InvalidOid || has_privs_of_role(role, entry->grants[i]))
			return true;
	return false;
}

ModelEntry *
catalog_find_as(const char *name, Oid role)
{
	ModelEntry *entry = catalog_find_any(name);

	if (!may_use(entry, role))
	{
		/* Of a plan that is older, the role may be gone. */
		const char *role_name = GetUserNameFromId(role, true);

		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for model \"%s\"", name),
						role_name != NULL ? errhint("Its owner can run maskgen.grant_model('%s', '%s').", name, role_name) : 0));
	}
	return entry;
}

ModelEntry *
catalog_find(const char *name)
{
	ModelEntry *entry = catalog_find_as(name, GetUserId());

	planned_use(name, entry->digest);
	return entry;
}

int
catalog_list(ModelEntry **list)
{
	Relation relation = extension_table_open("model");
	TupleDesc descriptor = RelationGetDescr(relation);
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	HeapTuple tuple;
	int n = 0, room = 8;

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
		entry->int8 = is_int8(tuple, descriptor);
		parse_digest(NameStr(entry->name), TextDatumGetCString(column(tuple, MODEL_VERSION, descriptor)), entry->digest);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return n;
}

void
catalog_check_owner(const ModelEntry *entry)
{
	if (!has_privs_of_role(GetUserId(), entry->owner))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be owner of model \"%s\"", NameStr(entry->name))));
}

/* A chunk as it is stored, in the current memory context; NULL when it is missing. */
static bytea *
find_chunk(int64 model, int32 part, Size offset, Size size)
{
	Relation relation = extension_table_open("model_chunk");
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple tuple;
	bytea *chunk = NULL;

	CHECK_FOR_INTERRUPTS();
	ScanKeyInit(&keys[0], CHUNK_MODEL, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(model));
	ScanKeyInit(&keys[1], CHUNK_PART, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(part));
	scan = systable_beginscan(relation, index_of(relation, "model_chunk_pkey"), true, NULL, 2, keys);
	tuple = systable_getnext(scan);
	/* A slice of what is stored uncompressed reads no more than its rows of the TOAST table. */
	if (tuple != NULL)
		chunk = DatumGetByteaPSlice(column(tuple, CHUNK_DATA, RelationGetDescr(relation)), (int32) offset, (int32) size);
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return chunk;
}

Size
catalog_read_chunk(int64 model, int32 part, uint8 *into)
{
	/* One byte more than allowed shows one that is too long. */
	bytea *chunk = find_chunk(model, part, 0, CHUNK_SIZE + 1);
	Size size;

	if (chunk == NULL)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("part %d of a stored model is missing", part),
						errhint("Drop the model and create it again.")));
	size = VARSIZE_ANY_EXHDR(chunk);
	if (size > CHUNK_SIZE)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("part %d of a stored model is too long", part)));
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
	chunk = find_chunk(model, 0, offset, size);
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
