/*
 * What the table model says, remembered by each backend until any of it
 * changes.
 *
 * A statement trigger on the table, model_changed(), sends a relcache
 * invalidation of it with the transaction's commit; standbys get it
 * with the WAL. So a lookup costs a hash probe, and dropped models and revoked
 * grants take effect with the next call.
 */
#ifndef MASKGEN_PG_MODEL_CATALOG_H
#define MASKGEN_PG_MODEL_CATALOG_H

#include "postgres.h"
#include "pg/resident/registry.h"
#include "utils/snapshot.h"

/* Columns of the table that are read in C. A model is one row of part -1; the rest are pieces of its image. */
enum
{
	MODEL_ID = 1,
	MODEL_PART = 2,
	MODEL_DATA = 3,
	MODEL_NAME = 4,
	MODEL_VERSION = 5,
	MODEL_OWNER = 6,
	MODEL_GRANTS = 7,
	MODEL_TASKS = 9,
	MODEL_DIMS = 10,
	MODEL_DTYPE = 13,
	MODEL_STORED_BYTES = 14,
	MODEL_COLUMNS = 16
};

typedef struct ModelEntry
{
	NameData name;	 /* hash key; model names have at most 63 bytes */
	int64 id;
	uint8 digest[DIGEST_SIZE];
	Oid owner;
	int64 stored_bytes;
	int dims;	 /* of its vectors */
	bool embeds; /* whether it makes any */
	const char *codes; /* "int8", "q8", "q4": it computes with these, whatever maskgen.matmul says; NULL: with floats */
	int n_grants;
	Oid *grants; /* [n_grants] roles; InvalidOid is everybody */
	bool valid;
} ModelEntry;

/*
 * The model of that name, which the current user must be allowed to use;
 * otherwise an error (undefined_object, insufficient_privilege). The entry
 * stays where it is until the transaction ends, its contents until the next
 * lookup.
 */
ModelEntry *catalog_find(const char *name);

/* As above, for another role. */
ModelEntry *catalog_find_as(const char *name, Oid role);

/* As above, without asking about privileges. */
ModelEntry *catalog_find_any(const char *name);

/* As above, NULL when there is no such model, or no extension; for the planner, which must not fail for that. */
ModelEntry *catalog_look(const char *name);

/*
 * Names, ids, digests and codes of all models into *list, an array in the current
 * memory context; returns how many. All users may know that models exist.
 */
int catalog_list(ModelEntry **list);

/* Throws unless the current user owns the model, by membership or as a superuser. */
void catalog_check_owner(const ModelEntry *entry);

/* Counts up whenever something in the tables may have changed. */
uint64 catalog_version(void);

/* Throws unless the extension in this database is of the library's version; for who writes to its table. */
void catalog_check_version(void);

/* OID of the table of models that was read last, InvalidOid before the first look-up. */
Oid catalog_models(void);

/* A snapshot in which all pieces of an image are read, so that none is another's; registered with the transaction. */
Snapshot catalog_snapshot(void);

/*
 * Copies one chunk of a model's image into a buffer of CHUNK_SIZE bytes and
 * returns its length; throws when it is missing, or the model was dropped.
 */
Size catalog_read_chunk(const ModelEntry *entry, int32 part, Snapshot snapshot, uint8 *into);

/* Copies bytes [offset, offset + size) of the first chunk, without reading all of it; false when it has less. */
bool catalog_read_start(int64 model, Size offset, void *into, Size size);

/* Bytes of a chunk; only the last one of a model is shorter. */
#define CHUNK_SIZE ((Size) 1024 * 1024)

#endif
