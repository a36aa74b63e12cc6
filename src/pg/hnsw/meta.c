/* The metapage. */
#include "pg/hnsw/meta.h"

#include "access/genam.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "utils/inval.h"
#include "utils/plancache.h"

void
hnsw_meta_create(Relation index, ForkNumber fork, const HnswMeta *meta)
{
	Buffer buffer = extend_relation(index, fork);
	Page page = BufferGetPage(buffer);

	if (BufferGetBlockNumber(buffer) != HNSW_META_BLOCK)
		elog(ERROR, "index \"%s\" already has blocks", RelationGetRelationName(index));
	START_CRIT_SECTION();
	hnsw_page_init(page, HNSW_PAGE_META);
	*hnsw_meta_of(page) = *meta;
	((PageHeader) page)->pd_lower = (LocationIndex) ((char *) (hnsw_meta_of(page) + 1) - (char *) page);
	MarkBufferDirty(buffer);
	/* The fork of an unlogged index that is copied after a crash must itself survive one. */
	if (RelationNeedsWAL(index) || fork == INIT_FORKNUM)
		log_newpage_buffer(buffer, true);
	END_CRIT_SECTION();
	UnlockReleaseBuffer(buffer);
}

static void
check(Relation index, Page page)
{
	const HnswMeta *meta = hnsw_meta_of(page);

	if (!hnsw_page_is_ours(page) || meta->magic != HNSW_MAGIC)
		ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
						errmsg("index \"%s\" is not a maskgen_hnsw index", RelationGetRelationName(index)),
						errhint("REINDEX makes it anew from the table.")));
	if (meta->version != HNSW_FORMAT_VERSION)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("index \"%s\" has format version %u", RelationGetRelationName(index), meta->version),
						errdetail("This version of maskgen reads and writes version %d.", HNSW_FORMAT_VERSION),
						errhint("REINDEX INDEX makes it anew from the table.")));
}

void
hnsw_meta_read(Relation index, HnswMeta *meta)
{
	Buffer buffer = ReadBuffer(index, HNSW_META_BLOCK);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	check(index, BufferGetPage(buffer));
	*meta = *hnsw_meta_of(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
}

/* With the metapage locked. */
static void
write_entry_point(Relation index, bool building, Buffer buffer, uint32 id, int level)
{
	HnswChange change;
	HnswMeta *meta;

	hnsw_change_begin(&change, index, building);
	meta = hnsw_meta_of(hnsw_change_page(&change, buffer, false));
	meta->entry_point = id;
	meta->entry_level = level;
	hnsw_change_apply(&change);
}

bool
hnsw_meta_set_entry_point(Relation index, bool building, uint32 expected, uint32 id, int level)
{
	Buffer buffer = ReadBuffer(index, HNSW_META_BLOCK);
	bool same;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	same = hnsw_meta_of(BufferGetPage(buffer))->entry_point == expected;
	if (same)
		write_entry_point(index, building, buffer, id, level);
	UnlockReleaseBuffer(buffer);
	return same;
}

void
hnsw_meta_raise_entry_point(Relation index, bool building, uint32 id, int level)
{
	Buffer buffer = ReadBuffer(index, HNSW_META_BLOCK);
	const HnswMeta *meta = hnsw_meta_of(BufferGetPage(buffer));

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	if (meta->entry_point == MG_NO_NODE || level > meta->entry_level)
	{
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		if (meta->entry_point == MG_NO_NODE || level > meta->entry_level)
			write_entry_point(index, building, buffer, id, level);
	}
	UnlockReleaseBuffer(buffer);
}

void
hnsw_meta_set_lists(Relation index, BlockNumber first, uint32 n)
{
	Buffer buffer = ReadBuffer(index, HNSW_META_BLOCK);
	HnswMeta *meta = hnsw_meta_of(BufferGetPage(buffer));

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	meta->lists_at = first;
	meta->n_lists = n;
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
}

void
hnsw_meta_take_complete(Relation index, bool building, int bit)
{
	Buffer buffer = ReadBuffer(index, HNSW_META_BLOCK);
	const HnswMeta *meta = hnsw_meta_of(BufferGetPage(buffer));
	HnswChange change;
	bool taken;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	taken = (meta->complete & bit) == 0;
	if (!taken)
	{
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		hnsw_change_begin(&change, index, building);
		hnsw_meta_of(hnsw_change_page(&change, buffer, false))->complete &= ~bit;
		hnsw_change_apply(&change);
	}
	UnlockReleaseBuffer(buffer);
	if (!taken && !building)
		CacheInvalidateRelcacheByRelid(index->rd_index->indrelid);
}

int
hnsw_meta_complete(Oid oid)
{
	/* The planner holds a lock. */
	Relation index = index_open(oid, NoLock);
	int complete = 0;

	if (RelationGetNumberOfBlocks(index) > HNSW_META_BLOCK)
	{
		Buffer buffer = ReadBuffer(index, HNSW_META_BLOCK);
		Page page = BufferGetPage(buffer);
		const HnswMeta *meta = hnsw_meta_of(page);

		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		if (hnsw_page_is_ours(page) && meta->magic == HNSW_MAGIC && meta->version == HNSW_FORMAT_VERSION)
			complete = (int) meta->complete;
		UnlockReleaseBuffer(buffer);
	}
	index_close(index, NoLock);
	return complete;
}

void
hnsw_meta_check(Relation index, int bits)
{
	HnswMeta meta;

	if (bits == 0)
		return;
	hnsw_meta_read(index, &meta);
	if ((meta.complete & bits) == bits)
		return;
	/* The row may have been rolled back, and nobody told of it. */
	ResetPlanCache();
	ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					errmsg("a row was inserted that index \"%s\" leaves out after the statement was planned", RelationGetRelationName(index)),
					errhint("Run the statement again.")));
}
