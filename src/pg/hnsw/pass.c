/* All nodes of an index, page by page. */
#include "pg/hnsw/pass.h"

#include <math.h>

#include "miscadmin.h"
#include "pg/hnsw/nearest.h"

#define FETCHED_AHEAD 1 /* pages */

struct HnswPass
{
	const HnswStore *store;
	HnswLeast least;
	HnswPassOptions options;
	BufferAccessStrategy strategy; /* NULL: the index is small */
	BlockNumber block, n_blocks;   /* the next to read */
	uint32 at_done;
	HnswNearest nearest; /* ordered */
	bool read;			 /* ordered: a round is done */
	uint32 *ids;		 /* else [n], those of a page from next on */
	uint32 n, next;
	uint64 n_entries;
};

HnswPass *
hnsw_pass_begin(const HnswStore *store, const MgQuery *query, const HnswPassOptions *options)
{
	HnswPass *pass = palloc0(sizeof *pass);

	pass->store = store;
	pass->options = *options;
	pass->n_blocks = RelationGetNumberOfBlocks(store->index);
	pass->block = HNSW_META_BLOCK + 1;
	if (options->ordered)
		hnsw_nearest_init(&pass->nearest, options->memory);
	else
		pass->ids = palloc(store->places.n_nodes * sizeof *pass->ids);
	if (pass->n_blocks > NBuffers / 4)
		pass->strategy = GetAccessStrategy(BAS_BULKREAD);
	if (!options->unranked)
		hnsw_least_init(&pass->least, store, query);
	return pass;
}

static bool
is_done(HnswPass *pass, uint32 id)
{
	while (pass->at_done < pass->options.n_done && pass->options.done[pass->at_done] < id)
		pass->at_done++;
	return pass->at_done < pass->options.n_done && pass->options.done[pass->at_done] == id;
}

static void
look_at(HnswPass *pass, const uint8 *entry, uint32 id)
{
	double least;

	pass->n_entries++;
	if (is_done(pass, id))
		return;
	least = pass->options.unranked ? -INFINITY : hnsw_least_of(&pass->least, entry);
	if (least > pass->options.radius)
		return;
	if (pass->options.ordered)
		hnsw_nearest_add(&pass->nearest, least, id);
	else
		pass->ids[pass->n++] = id;
}

/* Of the page after the next one, what look_at() will touch: lines far apart, which the CPU sees no pattern in. */
static void
fetch_ahead(const HnswPass *pass, BlockNumber block)
{
	const HnswStore *store = pass->store;
	const HnswPlaces *places = &store->places;

	if (block >= pass->n_blocks || !store->layout.coded)
		return;
	for (uint32 slot = 0; slot < places->n_nodes; slot++)
		hnsw_recent_prefetch(store->recent, block, MAXALIGN(SizeOfPageHeaderData) + slot * places->slot_size[0],
							 MG_ENTRY_HEADER + store->layout.value_size);
}

static Buffer
read_block(const HnswPass *pass, BlockNumber block)
{
	if (pass->strategy != NULL)
		return ReadBufferExtended(pass->store->index, MAIN_FORKNUM, block, RBM_NORMAL, pass->strategy);
	fetch_ahead(pass, block + FETCHED_AHEAD);
	return hnsw_recent_read(pass->store->recent, pass->store->index, block);
}

/* The candidates of the next page. */
static void
read_page(HnswPass *pass)
{
	const HnswPlaces *places = &pass->store->places;
	BlockNumber block = pass->block++;
	Buffer buffer;
	Page page;

	CHECK_FOR_INTERRUPTS();
	/* Nothing takes long, or fails, under a lock. */
	if (pass->options.ordered)
		hnsw_nearest_reserve(&pass->nearest, places->n_nodes);
	buffer = read_block(pass, block);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (hnsw_page_form(page) < 0 && !PageIsNew(page) && !hnsw_page_is_listed(page))
		hnsw_store_throw_damaged(pass->store, hnsw_place_id(places, block, 0));
	if (hnsw_page_form(page) == 0)
		for (uint32 slot = 0; slot < places->n_nodes; slot++)
		{
			const uint8 *entry = hnsw_page_slot(places, page, 0, slot);

			if (mg_entry_valid(&pass->store->layout, entry, places->entry_size[0]) && mg_entry_level(entry) == 0 &&
				!mg_entry_deleted(entry))
				look_at(pass, entry, hnsw_place_id(places, block, slot));
			else if (entry[0] != 0 && hnsw_store_is_damaged(pass->store, page, hnsw_place_id(places, block, slot)))
				hnsw_store_throw_damaged(pass->store, hnsw_place_id(places, block, slot));
		}
	UnlockReleaseBuffer(buffer);
}

/* A whole pass: the nearest that come after those of the pass before. */
static void
read_all(HnswPass *pass)
{
	pass->at_done = 0;
	hnsw_nearest_start(&pass->nearest);
	for (pass->block = HNSW_META_BLOCK + 1; pass->block < pass->n_blocks;)
		read_page(pass);
	hnsw_nearest_finish(&pass->nearest);
	pass->read = true;
}

/* Sees to it that a node is there; false at the end. */
static bool
has_next(HnswPass *pass)
{
	if (pass->options.ordered)
	{
		if (pass->nearest.n == 0 && (!pass->read || pass->nearest.further))
			read_all(pass);
		return pass->nearest.n > 0;
	}
	while (pass->next == pass->n && pass->block < pass->n_blocks)
	{
		pass->n = pass->next = 0;
		read_page(pass);
	}
	return pass->next < pass->n;
}

double
hnsw_pass_least(HnswPass *pass)
{
	if (!has_next(pass))
		return INFINITY;
	return pass->options.ordered ? pass->nearest.items[0].key : -INFINITY;
}

uint32
hnsw_pass_next(HnswPass *pass)
{
	if (!has_next(pass))
		return MG_NO_NODE;
	return pass->options.ordered ? (uint32) hnsw_nearest_take(&pass->nearest).id : pass->ids[pass->next++];
}

uint64
hnsw_pass_entries(const HnswPass *pass)
{
	return pass->n_entries;
}
