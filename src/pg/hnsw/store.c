/* Pages as a store. An entry is copied under a share lock, which then is the only lock held. */
#include "pg/hnsw/store.h"

#include "executor/instrument.h"
#include "hnsw/items.h"
#include "miscadmin.h"
#include "pg/guc.h"
#include "pg/hnsw/scratch.h"
#include "pg/host.h"
#include "storage/itemptr.h"
#include "utils/spccache.h"

#define PREFETCHED 1024

/* Reads after one that had to wait for a disk, for which the next ones are begun ahead. */
#define STAYS_COLD 32

static bool
store_entry_point(void *user, MgCtx *cx, uint32_t *id, int *level)
{
	HnswStore *store = user;
	Buffer buffer = hnsw_recent_read(store->recent, store->index, HNSW_META_BLOCK);
	const HnswMeta *meta;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	meta = hnsw_meta_of(BufferGetPage(buffer));
	*id = meta->entry_point;
	*level = meta->entry_level;
	UnlockReleaseBuffer(buffer);
	return true;
}

bool
hnsw_store_has_block(HnswStore *store, BlockNumber block)
{
	if (block >= store->n_blocks)
		store->n_blocks = RelationGetNumberOfBlocks(store->index);
	return block != HNSW_META_BLOCK && block < store->n_blocks;
}

/* The slot of an id on its page; NULL when the page has no such slot. *upper: whether it is for upper entries. */
static uint8 *
slot_on(const HnswStore *store, Page page, uint32 id, int *upper)
{
	uint32 slot = hnsw_place_slot(&store->places, id);
	int form = hnsw_page_form(page);

	if (form < 0 || slot >= store->places.n_slots[form])
		return NULL;
	*upper = hnsw_place_upper(&store->places, form, slot);
	return hnsw_page_slot(&store->places, page, form, slot);
}

uint8 *
hnsw_store_entry_on(const HnswStore *store, Page page, uint32 id)
{
	int upper;
	uint8 *entry = slot_on(store, page, id, &upper);

	return entry != NULL && mg_entry_valid(&store->layout, entry, store->places.entry_size[upper]) &&
			(mg_entry_level(entry) > 0) == upper
		? entry
		: NULL;
}

uint8 *
hnsw_store_chunk_on(const HnswStore *store, Page page, uint32 id)
{
	int upper;
	uint8 *chunk = slot_on(store, page, id, &upper);

	return chunk != NULL && mg_chunk_valid(&store->layout, chunk, store->places.entry_size[upper]) ? chunk : NULL;
}

bool
hnsw_store_is_damaged(const HnswStore *store, Page page, uint32 id)
{
	int upper;
	const uint8 *slot;

	/* A crash may leave a page of zeros behind. */
	if (PageIsNew(page))
		return false;
	if (!hnsw_page_is_ours(page) || hnsw_page_form(page) < 0)
		return true;
	slot = slot_on(store, page, id, &upper);
	return slot != NULL && slot[0] != 0 && hnsw_store_entry_on(store, page, id) == NULL && hnsw_store_chunk_on(store, page, id) == NULL;
}

void
hnsw_store_throw_damaged(const HnswStore *store, uint32 id)
{
	ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
					errmsg("index \"%s\" is damaged in block %u", RelationGetRelationName(store->index),
						   hnsw_place_block(&store->places, id)),
					errdetail("Slot %u holds nothing that was written there.", hnsw_place_slot(&store->places, id)),
					errhint("REINDEX INDEX makes it anew from the table.")));
}

#define MOST_ATTEMPTS 1000

bool
hnsw_store_again(const HnswStore *store, uint32 id, int *attempts)
{
	CHECK_FOR_INTERRUPTS();
	if (++*attempts >= MOST_ATTEMPTS)
		hnsw_store_throw_damaged(store, id);
	return true;
}

/* Links lead anywhere when a page is damaged or was written by nobody; ReadBuffer throws beyond the end. */
static bool
lock_page(HnswStore *store, uint32 id, int mode, Buffer *buffer)
{
	BlockNumber block = hnsw_place_block(&store->places, id);

	if (id == MG_NO_NODE || !hnsw_store_has_block(store, block))
		return false;
	*buffer = hnsw_recent_read(store->recent, store->index, block);
	LockBuffer(*buffer, mode);
	return true;
}

bool
hnsw_store_lock(HnswStore *store, uint32 id, int mode, Buffer *buffer, uint8 **entry)
{
	if (!lock_page(store, id, mode, buffer))
		return false;
	*entry = hnsw_store_entry_on(store, BufferGetPage(*buffer), id);
	if (*entry == NULL)
	{
		bool damaged = !store->lenient && hnsw_store_is_damaged(store, BufferGetPage(*buffer), id);

		UnlockReleaseBuffer(*buffer);
		if (damaged)
			hnsw_store_throw_damaged(store, id);
	}
	return *entry != NULL;
}

bool
hnsw_store_lock_chunk(HnswStore *store, uint32 id, int mode, Buffer *buffer, uint8 **chunk)
{
	if (!lock_page(store, id, mode, buffer))
		return false;
	*chunk = hnsw_store_chunk_on(store, BufferGetPage(*buffer), id);
	if (*chunk == NULL)
		UnlockReleaseBuffer(*buffer);
	return *chunk != NULL;
}

void
hnsw_pair_lock(HnswPair *pair, HnswStore *store, BlockNumber first, BlockNumber second)
{
	pair->buffers[0] = hnsw_recent_read(store->recent, store->index, first);
	pair->buffers[1] = first == second ? pair->buffers[0] : hnsw_recent_read(store->recent, store->index, second);
	LockBuffer(pair->buffers[first > second], BUFFER_LOCK_EXCLUSIVE);
	if (first != second)
		LockBuffer(pair->buffers[first < second], BUFFER_LOCK_EXCLUSIVE);
}

void
hnsw_pair_change(HnswPair *pair, HnswChange *change, HnswStore *store)
{
	hnsw_change_begin(change, store->index, store->building);
	pair->pages[0] = hnsw_change_page(change, pair->buffers[0], false);
	pair->pages[1] =
		pair->buffers[1] == pair->buffers[0] ? pair->pages[0] : hnsw_change_page(change, pair->buffers[1], false);
}

void
hnsw_pair_unlock(HnswPair *pair)
{
	if (pair->buffers[1] != pair->buffers[0])
		UnlockReleaseBuffer(pair->buffers[1]);
	UnlockReleaseBuffer(pair->buffers[0]);
}

/* Whether the block that was just read had been in no buffer. */
static void
note_read(HnswAhead *ahead)
{
	if (pgBufferUsage.shared_blks_read != ahead->blocks_read)
		ahead->cold = STAYS_COLD;
	else if (ahead->cold > 0)
		ahead->cold--;
	ahead->blocks_read = pgBufferUsage.shared_blks_read;
}

static bool
store_read(void *user, MgCtx *cx, uint32_t id, uint8_t *entry, bool *found)
{
	HnswStore *store = user;
	Buffer buffer;
	uint8 *at;

	CHECK_FOR_INTERRUPTS();
	*found = hnsw_store_lock(store, id, BUFFER_LOCK_SHARE, &buffer, &at);
	note_read(&store->ahead);
	if (*found)
	{
		memcpy(entry, at, mg_entry_size(&store->layout, mg_entry_level(at)));
		UnlockReleaseBuffer(buffer);
		if (!store->lenient && !mg_entry_links_valid(&store->layout, entry))
			hnsw_store_throw_damaged(store, id);
	}
	return true;
}

static bool
store_peek(void *user, MgCtx *cx, uint32_t id, uint8_t *entry, bool *found)
{
	HnswStore *store = user;
	Buffer buffer;
	uint8 *at;

	CHECK_FOR_INTERRUPTS();
	*found = hnsw_store_lock(store, id, BUFFER_LOCK_SHARE, &buffer, &at);
	note_read(&store->ahead);
	if (*found)
	{
		memcpy(entry, at, store->layout.links_at[mg_entry_level(at) > 0]);
		UnlockReleaseBuffer(buffer);
	}
	return true;
}

static void
read_ahead(HnswStore *store, BlockNumber block)
{
	BlockNumber *asked = &store->ahead.asked[block % HNSW_ASKED];

	if (*asked != block && hnsw_store_has_block(store, block) && hnsw_recent_read_ahead(store->recent, store->index, block))
		*asked = block;
}

/* The beginning of a node, after which the CPU sees the pattern. Only what is in a buffer already can be fetched ahead. */
static bool
store_prefetch(void *user, uint32_t id, bool whole)
{
	HnswStore *store = user;
	const HnswPlaces *places = &store->places;
	BlockNumber block = hnsw_place_block(places, id);
	Size offset = MAXALIGN(SizeOfPageHeaderData) + hnsw_place_slot(places, id) * places->slot_size[0];

	hnsw_recent_prefetch(store->recent, block, offset, whole ? Min(places->slot_size[0], PREFETCHED) : store->layout.links_at[0]);
	if (store->ahead.cold == 0 || !store->ahead.allowed)
		return false;
	read_ahead(store, block);
	return true;
}

void
hnsw_store_init(HnswStore *store, MgCtx *cx, Relation index, const HnswKind *kind, const HnswMeta *meta)
{
	memset(store, 0, sizeof *store);
	store->index = index;
	store->kind = kind;
	store->recent = hnsw_recent_of(index);
	store->ahead.allowed = get_tablespace_io_concurrency(index->rd_rel->reltablespace) > 0;
	store->ahead.blocks_read = pgBufferUsage.shared_blks_read;
	store->cover = hnsw_cover_of(index);
	store->ef_construction = meta->ef_construction;
	store->seed = meta->seed;
	store->lists_at = meta->lists_at;
	store->n_lists = meta->n_lists;
	if (!mg_layout_init(cx, &store->layout, &meta->shape))
		host_throw(cx);
	if (store->layout.shape.item_size != hnsw_cover_item_size(store->cover))
		ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
						errmsg("index \"%s\" was made for other included columns", RelationGetRelationName(index)),
						errhint("REINDEX INDEX makes it anew from the table.")));
	if (!hnsw_places_init(&store->places, &store->layout))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("an entry of index \"%s\" does not fit a page", RelationGetRelationName(index))));
	store->graph.layout = &store->layout;
	store->graph.cpu = guc_cpu_level();
	store->graph.store = (MgStore){store, store_entry_point, store_read, hnsw_kind_distance, store_prefetch, store_peek};
	if (!store->layout.coded)
	{
		store->rounded = store->layout.value_size != hnsw_kind_room(kind, (int) meta->shape.dims, true);
		if (!mg_distance_find(kind->element, kind->metric, store->graph.cpu, &store->plain))
			elog(ERROR, "there is no distance %d of elements %d", (int) kind->metric, (int) kind->element);
	}
	else
	{
		if (!mg_rotation_init(cx, &store->rotation, meta->shape.dims, meta->seed))
			host_throw(cx);
		store->graph.rotation = &store->rotation;
		store->graph.kernels = mg_code_kernels(store->graph.cpu);
	}
}

void
hnsw_store_open(HnswStore *store, MgCtx *cx, Relation index)
{
	const HnswKind *kind = hnsw_kind_of(index);
	HnswMeta meta;

	hnsw_meta_read(index, &meta);
	if (meta.kind != kind->id)
		ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
						errmsg("index \"%s\" was made for another operator class", RelationGetRelationName(index)),
						errhint("REINDEX INDEX makes it anew from the table.")));
	hnsw_store_init(store, cx, index, kind, &meta);
}

bool
hnsw_store_query(HnswStore *store, MgCtx *cx, Datum value, MgQuery *query)
{
	HnswValue converted;
	float *rotated;

	memset(query, 0, sizeof *query);
	if (!hnsw_kind_convert(store->kind, &store->layout, store->seed, value, cx, &converted))
		return false;
	if (!store->layout.coded)
	{
		query->value = converted.bytes;
		query->value_size = converted.n_bytes;
		query->fingerprint = converted.fingerprint;
		return true;
	}
	rotated = hnsw_alloc(cx, store->layout.padded, sizeof *rotated);
	mg_rotate(&store->rotation, converted.x, rotated);
	hnsw_must(cx, mg_query_init(cx, &store->layout, rotated, query));
	query->fingerprint = converted.fingerprint;
	return true;
}

MgApplied
hnsw_store_apply(HnswStore *store, const MgEdge *edges, uint32 n_edges)
{
	MgApplied result = MG_NOT_NEEDED, applied = MG_NOT_NEEDED;
	Buffer buffer;
	HnswChange change;
	uint8 *entry;

	/* An entry that is gone needs no link. */
	if (!hnsw_store_lock(store, edges[0].target, BUFFER_LOCK_EXCLUSIVE, &buffer, &entry))
		return MG_NOT_NEEDED;
	hnsw_change_begin(&change, store->index, store->building);
	entry = (uint8 *) hnsw_change_page(&change, buffer, false) + (entry - (uint8 *) BufferGetPage(buffer));
	for (uint32 i = 0; i < n_edges && applied != MG_CHANGED; i++)
	{
		applied = mg_edge_apply(&store->layout, entry, &edges[i]);
		if (applied == MG_APPLIED)
			result = MG_APPLIED;
	}
	if (result == MG_APPLIED)
		hnsw_change_apply(&change);
	else
		hnsw_change_abandon(&change);
	UnlockReleaseBuffer(buffer);
	return applied == MG_CHANGED ? MG_CHANGED : result;
}

/* The last way to a deleted entry goes. */
static MgApplied
drop_way(HnswStore *store, uint32 from, uint32 to)
{
	Buffer buffer;
	HnswChange change;
	uint8 *entry;
	MgApplied applied;

	if (!hnsw_store_lock(store, from, BUFFER_LOCK_EXCLUSIVE, &buffer, &entry))
		return MG_CHANGED;
	hnsw_change_begin(&change, store->index, store->building);
	entry = (uint8 *) hnsw_change_page(&change, buffer, false) + (entry - (uint8 *) BufferGetPage(buffer));
	applied = mg_way_drop(&store->layout, entry, to);
	if (applied == MG_APPLIED)
		hnsw_change_apply(&change);
	else
		hnsw_change_abandon(&change);
	UnlockReleaseBuffer(buffer);
	return applied;
}

MgApplied
hnsw_store_bypass(HnswStore *store, const MgBypass *step)
{
	BlockNumber host_block = hnsw_place_block(&store->places, step->host.target);
	uint8 *host, *moved;
	HnswChange change;
	HnswPair pair;
	bool applied;

	if (step->last)
		return drop_way(store, step->moved.target, step->around);
	if (step->host.link == NULL)
		return MG_CHANGED;
	hnsw_pair_lock(&pair, store, host_block, hnsw_place_block(&store->places, step->moved.target));
	hnsw_pair_change(&pair, &change, store);
	host = hnsw_store_entry_on(store, pair.pages[0], step->host.target);
	moved = hnsw_store_entry_on(store, pair.pages[1], step->moved.target);
	applied = host != NULL && moved != NULL &&
		mg_way_add(&store->layout, host, &step->host, mg_entry_slots(&store->layout, mg_entry_level(host)), true) ==
			MG_APPLIED &&
		mg_way_replace(&store->layout, moved, step->around, step->moved.link) == MG_APPLIED;
	if (applied)
		hnsw_change_apply(&change);
	else
		hnsw_change_abandon(&change);
	hnsw_pair_unlock(&pair);
	return applied ? MG_APPLIED : MG_CHANGED;
}
