/*
 * The graph in memory to pages, in the order in which the library gives its
 * entries: neighbours close together. Ids are given out for all entries first, slots of a
 * kind one after another. Then each is written, in ranges of nodes by all processes at once: whoever needs a block that there is not yet
 * extends the index up to it, and whoever writes to a page first makes it.
 */
#include "pg/hnsw/build.h"

#include "pg/compat.h"
#include "pg/host.h"

/* By [level > 0]: where the next entry goes. */
typedef struct Emission
{
	HnswBuild *build;
	BlockNumber n_blocks; /* planned */
	BlockNumber block[2]; /* InvalidBlockNumber: none yet */
	uint32 slot[2];
} Emission;

/* The next page for entries of a kind. Mixed pages are filled with either from the first one on. */
static void
next_page(Emission *emission, int upper)
{
	const HnswPlaces *places = &emission->build->store.places;
	bool mixed = hnsw_places_mixed(places);
	BlockNumber next = emission->block[upper] == InvalidBlockNumber ? HNSW_META_BLOCK + 1 : emission->block[upper] + 1;

	if (!mixed || next == emission->n_blocks)
		next = emission->n_blocks++;
	emission->block[upper] = next;
	emission->slot[upper] = upper && mixed ? places->n_nodes : 0;
}

static bool
is_full(const Emission *emission, int upper)
{
	const HnswPlaces *places = &emission->build->store.places;

	if (upper)
		return emission->slot[1] == places->n_slots[hnsw_places_mixed(places) ? 0 : 1];
	return emission->slot[0] == places->n_nodes;
}

static bool
place(void *user, MgCtx *cx, int level, uint32_t *id)
{
	Emission *emission = user;
	const HnswPlaces *places = &emission->build->store.places;
	int upper = level > 0;

	if (emission->block[upper] == InvalidBlockNumber || is_full(emission, upper))
		next_page(emission, upper);
	if (emission->n_blocks > MG_NO_NODE >> places->slot_bits)
		return mg_fail(cx, MG_TOO_LARGE, "a maskgen_hnsw index cannot have more than %u pages", emission->n_blocks - 1);
	*id = hnsw_place_id(places, emission->block[upper], emission->slot[upper]++);
	return true;
}

void
hnsw_build_write(HnswBuild *build, uint32 id, int level, const uint8_t *entry)
{
	const HnswPlaces *places = &build->store.places;
	BlockNumber block = hnsw_place_block(places, id);
	Buffer buffer;
	Page page;

	if (!hnsw_store_has_block(&build->store, block))
		extend_relation_to(build->index, MAIN_FORKNUM, block + 1);
	buffer = ReadBuffer(build->index, block);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	page = BufferGetPage(buffer);
	if (PageIsNew(page))
		hnsw_page_init(page, level > 0 && !hnsw_places_mixed(places) ? HNSW_PAGE_UPPER : HNSW_PAGE_NODES);
	hnsw_page_write(places, page, hnsw_place_slot(places, id), entry);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
}

static bool
write_entry(void *user, MgCtx *cx, uint32_t id, int level, const uint8_t *entry)
{
	hnsw_build_write(user, id, level, entry);
	return true;
}

void
hnsw_build_emit_range(HnswBuild *build, bool write, uint32 range)
{
	MgPlacer placer = {.user = build, .write = write_entry};
	MgCtx *cx = hnsw_scratch_cx(build->scratch);

	if (build->emitter == NULL)
		build->emitter = mg_emitter_attach(cx, build->block, &build->store.graph);
	hnsw_must(cx, build->emitter != NULL);
	hnsw_must(cx, write ? mg_emit_write(cx, build->emitter, range, &placer) : mg_emit_cut(cx, build->emitter, range));
}

void
hnsw_build_connect(HnswBuild *build)
{
	MgCtx *cx = hnsw_scratch_cx(build->scratch);

	for (MgConnectStep step = 0; step < MG_CONNECT_STEPS; step++)
	{
		uint32_t n_ranges;

		hnsw_must(cx, mg_connect_begin(cx, build->block, &build->store.graph, step, &n_ranges));
		hnsw_job_run(build, (HnswJob) (HNSW_JOB_UPPER + step), n_ranges);
	}
}

void
hnsw_build_emit(HnswBuild *build)
{
	Emission emission = {.build = build, .n_blocks = HNSW_META_BLOCK + 1, .block = {InvalidBlockNumber, InvalidBlockNumber}};
	MgPlacer placer = {.user = &emission, .together = build->store.places.n_nodes, .place = place};
	MgCtx *cx = hnsw_scratch_cx(build->scratch);
	uint32 entry_point, n_ranges;
	int level;

	hnsw_must(cx, mg_emit_begin(cx, build->block, &build->store.graph, &n_ranges));
	hnsw_job_run(build, HNSW_JOB_CUT, n_ranges);
	hnsw_must(cx, mg_emit_place(cx, build->block, &build->store.graph, &placer, &entry_point, &level));
	hnsw_job_run(build, HNSW_JOB_WRITE, n_ranges);
	if (entry_point == MG_NO_NODE)
		return;
	hnsw_meta_raise_entry_point(build->index, true, entry_point, level);
	for (int upper = 0; upper < 2; upper++)
		if (emission.block[upper] != InvalidBlockNumber)
			hnsw_slot_offer_page(build->index, &build->store.places, true, emission.block[upper]);
}
