/* Included columns in items. */
#include "pg/hnsw/cover.h"

#include "access/tupmacs.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

static void
describe(Relation index, int i, HnswColumn *column)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(index), i);
	TypeCacheEntry *type;
	int32 modifier;
	Oid type_id;

	column->column = index->rd_index->indkey.values[i];
	get_atttypetypmodcoll(index->rd_index->indrelid, column->column, &type_id, &modifier, &column->collation);
	type = lookup_type_cache(type_id, TYPECACHE_HASH_OPFAMILY | TYPECACHE_HASH_EXTENDED_PROC_FINFO);
	column->kept = attribute->attlen > 0 && attribute->attlen <= HNSW_MOST_KEPT;
	column->by_value = attribute->attbyval;
	column->width = column->kept ? attribute->attlen : (int16) sizeof(uint64);
	if (OidIsValid(type->hash_extended_proc_finfo.fn_oid))
	{
		column->hash_family = type->hash_opf;
		fmgr_info_copy(&column->hash, &type->hash_extended_proc_finfo, CurrentMemoryContext);
	}
	else if (!column->kept)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("column \"%s\" of type %s cannot be included in a maskgen_hnsw index", NameStr(attribute->attname),
							   format_type_be(type_id)),
						errdetail("It is kept as a hash, and the type has no hash function.")));
}

HnswCover *
hnsw_cover_of(Relation index)
{
	int n_keys = index->rd_index->indnkeyatts, n = index->rd_index->indnatts - n_keys;
	HnswCover *cover;
	Size size;

	if (n == 0)
		return NULL;
	cover = palloc0(offsetof(HnswCover, columns) + (Size) n * sizeof *cover->columns);
	cover->n = n;
	cover->values_at = (uint32) sizeof(ItemPointerData) + ((uint32) n + 7) / 8;
	size = cover->values_at;
	for (int i = 0; i < n; i++)
	{
		describe(index, n_keys + i, &cover->columns[i]);
		cover->columns[i].at = (uint32) size;
		size += (Size) cover->columns[i].width;
	}
	if (size > HNSW_MOST_ITEM)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the included columns of index \"%s\" are too wide", RelationGetRelationName(index)),
						errdetail("They take %zu bytes with the address of the row, and at most %d fit. Columns of more than %d bytes, or of varying width, take 8.",
								  size, HNSW_MOST_ITEM, HNSW_MOST_KEPT)));
	cover->item_size = (uint32) size;
	return cover;
}

static uint64
hash_of(HnswColumn *column, Datum value)
{
	return DatumGetUInt64(FunctionCall2Coll(&column->hash, column->collation, value, UInt64GetDatum(0)));
}

static void
pack_value(HnswColumn *column, Datum value, uint8 *at)
{
	union
	{
		char bytes[sizeof(Datum)];
		Datum aligned;
	} stored;
	uint64 hash;

	if (!column->kept)
	{
		hash = hash_of(column, value);
		memcpy(at, &hash, sizeof hash);
	}
	else if (column->by_value)
	{
		store_att_byval(stored.bytes, value, column->width);
		memcpy(at, stored.bytes, (size_t) column->width);
	}
	else
		memcpy(at, DatumGetPointer(value), (size_t) column->width);
}

void
hnsw_cover_pack(const HnswCover *cover, const ItemPointerData *tid, const Datum *values, const bool *nulls, uint8 *item)
{
	uint8 *at;

	memcpy(item, tid, sizeof *tid);
	if (cover == NULL)
		return;
	memset(item + sizeof *tid, 0, cover->item_size - sizeof *tid);
	at = item + cover->values_at;
	for (int i = 0; i < cover->n; i++)
	{
		/* Behind the vector, which is the one key. */
		if (nulls[1 + i])
			item[sizeof *tid + (Size) i / 8] |= (uint8) (1 << i % 8);
		else
			pack_value((HnswColumn *) &cover->columns[i], values[1 + i], at);
		at += cover->columns[i].width;
	}
}

bool
hnsw_cover_is_null(const HnswCover *cover, const uint8 *item, int column)
{
	return (item[sizeof(ItemPointerData) + (Size) column / 8] >> column % 8 & 1) != 0;
}

/* Of a kept column. */
static Datum
datum_at(const HnswColumn *column, const uint8 *at, HnswCoverRoom *room)
{
	memcpy(room->words, at, (size_t) column->width);
	return fetch_att(room->words, column->by_value, column->width);
}

void
hnsw_cover_fill(const HnswCover *cover, const uint8 *item, TupleTableSlot *slot, HnswCoverRoom *rooms)
{
	const uint8 *at = item + cover->values_at;

	for (int i = 0; i < cover->n; i++)
	{
		const HnswColumn *column = &cover->columns[i];
		int to = column->column - 1;

		if (column->kept)
		{
			slot->tts_isnull[to] = hnsw_cover_is_null(cover, item, i);
			slot->tts_values[to] = slot->tts_isnull[to] ? (Datum) 0 : datum_at(column, at, &rooms[i]);
		}
		at += column->width;
	}
}

bool
hnsw_cover_value(const HnswCover *cover, const uint8 *item, int column, Datum *value)
{
	HnswCoverRoom room;

	if (hnsw_cover_is_null(cover, item, column))
		return false;
	*value = datum_at(&cover->columns[column], item + cover->columns[column].at, &room);
	return true;
}

uint64
hnsw_cover_hash(HnswCover *cover, const uint8 *item, int column)
{
	const uint8 *at = item + cover->columns[column].at;
	HnswCoverRoom room;
	uint64 hash;

	if (cover->columns[column].kept)
		return hash_of(&cover->columns[column], datum_at(&cover->columns[column], at, &room));
	memcpy(&hash, at, sizeof hash);
	return hash;
}
