/*
 * Looking for rows without a vector, block by block.
 *
 * The position is a block of a table's file, so any key will do. A row that moves to a block that was passed is updated, and the trigger
 * of updates queues each row that it sees without a vector. A file that is rewritten is begun anew. Partitions come one after the other, by OID.
 */
#include "pg/column/backfill.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "pg/column/key.h"
#include "pg/column/queue.h"
#include "pg/column/source.h"
#include "pg/column/state.h"
#include "pg/column/triggers.h"
#include "pg/restricted.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Blocks that are looked at in one statement. */
#define STEP_BLOCKS 64

typedef struct Position
{
	bool is_done;
	Oid table;	 /* the partition at hand, InvalidOid before the first */
	Oid file;	 /* its file then */
	int64 block; /* the next one */
} Position;

/* All is done for now if somebody else has the column locked: another step, or a transaction that changes it. */
static Position
read_position(int32 id)
{
	Position position = {.is_done = true};

	if (embed_state_run("SELECT scan_done, scan_table, scan_file, scan_block FROM @embed_column WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED",
						&(EmbedParameters){1, {INT4OID}, {Int32GetDatum(id)}}, 0) == 1)
		position = (Position){DatumGetBool(embed_result(0, 1, NULL)), DatumGetObjectId(embed_result(0, 2, NULL)), DatumGetObjectId(embed_result(0, 3, NULL)),
							  DatumGetInt64(embed_result(0, 4, NULL))};
	return position;
}

static void
write_position(int32 id, const Position *position)
{
	embed_state_run("UPDATE @embed_column SET scan_done = $2, scan_table = $3, scan_file = $4, scan_block = $5 WHERE id = $1",
					&(EmbedParameters){5,
									   {INT4OID, BOOLOID, OIDOID, OIDOID, INT8OID},
									   {Int32GetDatum(id), BoolGetDatum(position->is_done), ObjectIdGetDatum(position->table), ObjectIdGetDatum(position->file),
										Int64GetDatum(position->block)}}, 0);
}

/* The leaf with the least OID that is not below that one; InvalidOid: there is none. */
static Oid
next_leaf(Relation table, Oid from)
{
	Oid next = InvalidOid;
	ListCell *cell;

	if (table->rd_rel->relkind == RELKIND_RELATION)
		return RelationGetRelid(table) >= from ? RelationGetRelid(table) : InvalidOid;
	foreach(cell, find_all_inheritors(RelationGetRelid(table), AccessShareLock, NULL))
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_RELATION && lfirst_oid(cell) >= from && (!OidIsValid(next) || lfirst_oid(cell) < next))
			next = lfirst_oid(cell);
	return next;
}

/*
 * Rows of some blocks of a leaf that have no vector and something to make one of; the expression itself is not
 * evaluated, for it may fail for one of them.
 */
static char *
make_query(const EmbedColumn *column, Relation leaf, Relation table, const Position *position, const EmbedKey *key)
{
	EmbedSource source;
	StringInfoData query;

	embed_source_again(&source, table, column->source, column->destination);
	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	embed_key_append_array(&query, key, leaf);
	appendStringInfo(&query, " FROM ONLY %s AS t WHERE t.ctid >= '(%u,0)'::pg_catalog.tid AND t.ctid < '(%u,0)'::pg_catalog.tid AND t.%s IS NULL AND pg_catalog.num_nonnulls(",
					 embed_name_of_table(leaf), (uint32) position->block, (uint32) position->block + STEP_BLOCKS, quote_identifier(column->destination));
	for (int i = 0; i < source.n; i++)
		appendStringInfo(&query, "%st.%s", i == 0 ? "" : ", ", quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(table), source.columns[i] - 1)->attname)));
	appendStringInfoString(&query, ") > 0");
	return query.data;
}

static int
read_keys(const EmbedColumn *column, Relation leaf, Relation table, const Position *position, Datum **keys)
{
	EmbedKey key;
	char *query;
	Restricted restricted;
	uint64 n;

	embed_key_find(&key, leaf);
	query = make_query(column, leaf, table, position, &key);
	restricted_enter(&restricted, table);
	embed_key_set_output();
	n = embed_run(query, NULL, 0);
	*keys = palloc(Max(n, 1) * sizeof **keys);
	for (uint64 i = 0; i < n; i++)
		(*keys)[i] = embed_result(i, 1, NULL);
	restricted_leave(&restricted);
	return (int) n;
}

bool
embed_backfill_step(const EmbedColumn *column, Relation table)
{
	Position position = read_position(column->id);
	Datum *keys;
	Relation leaf;
	Oid oid;
	int n;

	if (position.is_done)
		return false;
	oid = next_leaf(table, position.table);
	leaf = OidIsValid(oid) ? try_relation_open(oid, AccessShareLock) : NULL;
	if (leaf == NULL)
	{
		position = (Position){.is_done = true};
		write_position(column->id, &position);
		return false;
	}
	if (oid != position.table || leaf->rd_rel->relfilenode != position.file)
		position = (Position){false, oid, leaf->rd_rel->relfilenode, 0};
	n = read_keys(column, leaf, table, &position, &keys);
	embed_queue_add(column->id, keys, n);
	position.block += STEP_BLOCKS;
	if (position.block >= (int64) RelationGetNumberOfBlocks(leaf))
		position = (Position){false, oid + 1, InvalidOid, 0};
	relation_close(leaf, NoLock);
	write_position(column->id, &position);
	return true;
}
