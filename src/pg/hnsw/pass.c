/* All nodes of an index, page by page. */
#include "pg/hnsw/pass.h"

#include <math.h>

#include "miscadmin.h"

#define FIRST_ROOM 1024
#define POLL_EVERY 65536 /* steps through the heap: some 0.3 ms */

typedef struct Candidate
{
	float least; /* rounded down */
	uint32 id;
} Candidate;

struct HnswPass
{
	const HnswStore *store;
	HnswLeast least;
	HnswPassOptions options;
	BufferAccessStrategy strategy; /* NULL: the index is small */
	BlockNumber block, n_blocks;   /* the next to read */
	uint32 at_done;
	Candidate *heap; /* ordered: nearest first; else those of the page from next on */
	Size n, next, room, most;
	Candidate after; /* ordered: of another pass, only what comes after this */
	bool further;	 /* ... and there is such */
	bool read;		 /* the heap has been filled */
	uint64 n_entries;
};

/* By distance, then by id: a total order, so that what one pass keeps and what the next one brings make all. */
static inline bool
comes_before(const Candidate *a, const Candidate *b)
{
	return a->least < b->least || (a->least == b->least && a->id < b->id);
}

static inline void
swap(Candidate *a, Candidate *b)
{
	Candidate other = *a;

	*a = *b;
	*b = other;
}

HnswPass *
hnsw_pass_begin(const HnswStore *store, const MgQuery *query, const HnswPassOptions *options)
{
	HnswPass *pass = palloc0(sizeof *pass);

	pass->store = store;
	pass->options = *options;
	pass->n_blocks = RelationGetNumberOfBlocks(store->index);
	pass->block = HNSW_META_BLOCK + 1;
	pass->most = Max(options->memory, HNSW_PASS_LEAST_MEMORY) / (2 * sizeof(Candidate));
	pass->room = FIRST_ROOM;
	pass->heap = palloc(pass->room * sizeof *pass->heap);
	pass->after = (Candidate){-INFINITY, 0};
	if (pass->n_blocks > NBuffers / 4)
		pass->strategy = GetAccessStrategy(BAS_BULKREAD);
	if (!options->unranked)
		hnsw_least_init(&pass->least, store, query);
	return pass;
}

void
hnsw_pass_end(HnswPass *pass)
{
	if (pass->strategy != NULL)
		FreeAccessStrategy(pass->strategy);
	pfree(pass->heap);
	pfree(pass);
}

/* Moves the nearest pass->most to the front (Hoare's selection). */
static void
select_nearest(HnswPass *pass)
{
	Candidate *items = pass->heap;
	int64 low = 0, high = (int64) pass->n - 1, wanted = (int64) pass->most;

	while (low < high)
	{
		Candidate middle = items[low + (high - low) / 2];
		int64 i = low, k = high;

		CHECK_FOR_INTERRUPTS();
		do
		{
			while (comes_before(&items[i], &middle))
				i++;
			while (comes_before(&middle, &items[k]))
				k--;
			if (i <= k)
				swap(&items[i++], &items[k--]);
		} while (i <= k);
		if (wanted <= k)
			high = k;
		else if (wanted >= i)
			low = i;
		else
			return;
	}
}

static void
keep_nearest(HnswPass *pass)
{
	select_nearest(pass);
	pass->n = pass->most;
	pass->further = true;
}

/* Room for the nodes of a page, before it is locked: nothing takes long, or fails, under a lock. */
static void
make_room(HnswPass *pass)
{
	Size n_nodes = pass->store->places.n_nodes;

	if (pass->options.ordered && pass->n >= 2 * pass->most)
		keep_nearest(pass);
	if (pass->n + n_nodes <= pass->room)
		return;
	pass->room = Max(2 * pass->room, pass->n + n_nodes);
	pass->heap = repalloc_huge(pass->heap, pass->room * sizeof *pass->heap);
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
	Candidate candidate = {-INFINITY, id};

	pass->n_entries++;
	if (is_done(pass, id))
		return;
	if (!pass->options.unranked)
	{
		double least = hnsw_least_of(&pass->least, entry);

		if (least > pass->options.radius)
			return;
		candidate.least = (float) least;
		if (candidate.least > least)
			candidate.least = nextafterf(candidate.least, -INFINITY);
	}
	if (!pass->options.ordered || comes_before(&pass->after, &candidate))
		pass->heap[pass->n++] = candidate;
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
	make_room(pass);
	buffer = ReadBufferExtended(pass->store->index, MAIN_FORKNUM, block, RBM_NORMAL, pass->strategy);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (hnsw_page_form(page) == 0)
		for (uint32 slot = 0; slot < places->n_nodes; slot++)
		{
			const uint8 *entry = hnsw_page_slot(places, page, 0, slot);

			if (mg_entry_valid(&pass->store->layout, entry, places->entry_size[0]) && mg_entry_level(entry) == 0 &&
				!mg_entry_deleted(entry))
				look_at(pass, entry, hnsw_place_id(places, block, slot));
		}
	UnlockReleaseBuffer(buffer);
}

static void
sink(Candidate *heap, Size n, Size i)
{
	Candidate one = heap[i];

	for (Size child = 2 * i + 1; child < n; child = 2 * i + 1)
	{
		if (child + 1 < n && comes_before(&heap[child + 1], &heap[child]))
			child++;
		if (!comes_before(&heap[child], &one))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = one;
}

/* A whole pass: the heap of the nearest that come after those of the pass before. */
static void
fill_heap(HnswPass *pass)
{
	Candidate last = pass->after;

	pass->n = pass->next = 0;
	pass->at_done = 0;
	pass->further = false;
	for (pass->block = HNSW_META_BLOCK + 1; pass->block < pass->n_blocks;)
		read_page(pass);
	if (pass->n > pass->most)
		keep_nearest(pass);
	for (Size i = 0; i < pass->n && pass->further; i++)
		if (comes_before(&last, &pass->heap[i]))
			last = pass->heap[i];
	pass->after = last;
	for (Size i = pass->n / 2; i-- > 0;)
	{
		sink(pass->heap, pass->n, i);
		if (i % POLL_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

/* Sees to it that a candidate is there; false at the end. */
static bool
has_next(HnswPass *pass)
{
	if (pass->options.ordered)
	{
		if (pass->n == 0 && (!pass->read || pass->further))
		{
			fill_heap(pass);
			pass->read = true;
		}
		return pass->n > 0;
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
	return pass->options.ordered ? pass->heap[0].least : -INFINITY;
}

uint32
hnsw_pass_next(HnswPass *pass)
{
	uint32 id;

	if (!has_next(pass))
		return MG_NO_NODE;
	if (!pass->options.ordered)
		return pass->heap[pass->next++].id;
	id = pass->heap[0].id;
	pass->heap[0] = pass->heap[--pass->n];
	if (pass->n > 1)
		sink(pass->heap, pass->n, 0);
	return id;
}

uint64
hnsw_pass_entries(const HnswPass *pass)
{
	return pass->n_entries;
}
