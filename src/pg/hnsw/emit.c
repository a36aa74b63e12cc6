/*
 * The graph in memory to pages, in the order in which the library gives its
 * entries: neighbours close together. Nodes and upper entries fill a page each at a time;
 * block numbers are given out as pages are begun, so entries arrive in the order of new blocks.
 */
#include "pg/hnsw/build.h"

#include "pg/compat.h"
#include "pg/host.h"

/* Ids are given out for all entries first; `next` says which one of a kind comes next. */
typedef struct Emission
{
	HnswBuild *build;
	BlockNumber n_blocks;	 /* with those that are only planned */
	BlockNumber block[2];	 /* that entries of a kind go to; InvalidBlockNumber: none yet */
	uint32 slot[2];
	BlockNumber n_written;	 /* blocks that exist */
} Emission;

static bool
place(void *user, MgCtx *cx, int level, uint32_t *id)
{
	Emission *emission = user;
	const HnswPlaces *places = &emission->build->store.places;
	int upper = level > 0;

	if (emission->block[upper] == InvalidBlockNumber || emission->slot[upper] == places->n_slots[upper])
	{
		if (emission->n_blocks >= MG_NO_NODE >> places->slot_bits)
			return mg_fail(cx, MG_TOO_LARGE, "a maskgen_hnsw index cannot have more than %u pages", emission->n_blocks);
		emission->block[upper] = emission->n_blocks++;
		emission->slot[upper] = 0;
	}
	*id = hnsw_place_id(places, emission->block[upper], emission->slot[upper]++);
	return true;
}

static bool
write_entry(void *user, MgCtx *cx, uint32_t id, int level, const uint8_t *entry)
{
	Emission *emission = user;
	const HnswPlaces *places = &emission->build->store.places;
	Relation index = emission->build->index;
	BlockNumber block = hnsw_place_block(places, id);
	int upper = level > 0;
	Buffer buffer;

	if (block == emission->n_written)
	{
		buffer = extend_relation(index, MAIN_FORKNUM);
		hnsw_page_init(BufferGetPage(buffer), upper ? HNSW_PAGE_UPPER : HNSW_PAGE_NODES);
		emission->n_written++;
	}
	else
	{
		buffer = ReadBuffer(index, block);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	}
	hnsw_page_write(places, BufferGetPage(buffer), upper, hnsw_place_slot(places, id), entry);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
	return true;
}

void
hnsw_build_emit(HnswBuild *build)
{
	Emission emission = {.build = build, .n_blocks = 1, .n_written = 1, .block = {InvalidBlockNumber, InvalidBlockNumber}};
	MgPlacer placer = {&emission, place, write_entry};
	MgCtx *cx = hnsw_scratch_cx(build->scratch);
	uint32 entry_point;
	int level;

	hnsw_must(cx, mg_build_emit(cx, build->block, &build->store.graph, &placer, &entry_point, &level));
	if (entry_point == MG_NO_NODE)
		return;
	hnsw_meta_raise_entry_point(build->index, true, entry_point, level);
	for (int upper = 0; upper < 2; upper++)
		if (emission.block[upper] != InvalidBlockNumber && emission.slot[upper] < build->store.places.n_slots[upper])
			hnsw_slot_offer_page(build->index, true, emission.block[upper]);
}
