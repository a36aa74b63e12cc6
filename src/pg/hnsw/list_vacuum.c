/* Lists in vacuum: rows that are gone leave them, chain by chain, and room is looked for from the newest page on where there is some. */
#include "pg/hnsw/vacuum.h"

#include "commands/vacuum.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/hnsw/list.h"

/* Chains of keys of their own that a bucket's chain leads to. */
typedef struct Owns
{
	HnswListPlace *places; /* [n] */
	Size n, room;
} Owns;

static bool
is_gone(HnswVacuum *vacuum, const HnswRecord *record)
{
	ItemPointerData tid;

	memcpy(&tid, record->rest, sizeof tid);
	return record->form == HNSW_RECORD_ROW && vacuum->callback(&tid, vacuum->callback_state);
}

static void
note_own(Owns *owns, BlockNumber block, const PGAlignedBlock *copy, const HnswRecord *record)
{
	if (owns->n == owns->room)
	{
		owns->room = Max(2 * owns->room, 16);
		owns->places = owns->places == NULL ? palloc(owns->room * sizeof *owns->places)
											: repalloc_huge(owns->places, owns->room * sizeof *owns->places);
	}
	owns->places[owns->n++] = (HnswListPlace){block, (uint32) ((const char *) record->rest - copy->data)};
}

/* Takes rows that are gone off a page. An insert may have filled other slots since it was read. */
static void
clean_page(HnswVacuum *vacuum, BlockNumber block)
{
	HnswStore *store = &vacuum->store;
	Buffer buffer = ReadBufferExtended(store->index, MAIN_FORKNUM, block, RBM_NORMAL, vacuum->info->strategy);
	HnswChange change;
	Page page;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	hnsw_change_begin(&change, store->index, false);
	page = hnsw_change_page(&change, buffer, false);
	for (uint32 slot = 0; slot < hnsw_records_a_page(store); slot++)
	{
		HnswRecord *record = hnsw_record_of(store, page, slot);

		if (is_gone(vacuum, record))
			record->form = HNSW_RECORD_FREE;
	}
	hnsw_change_apply(&change);
	UnlockReleaseBuffer(buffer);
}

/* owns: NULL for a chain of one key. */
static void
clean_chain(HnswVacuum *vacuum, uint32 bucket, HnswListPlace place, Owns *owns)
{
	HnswStore *store = &vacuum->store;
	PGAlignedBlock copy;
	bool any = false;
	uint32 n_pages = 0;
	BlockNumber next;

	for (BlockNumber block = hnsw_list_head(store, place).newest; block != InvalidBlockNumber; block = next)
	{
		bool gone = false;

		vacuum_pause();
		next = hnsw_list_read(store, block, &copy, &n_pages);
		for (uint32 slot = 0; slot < hnsw_records_a_page(store); slot++)
		{
			HnswRecord *record = hnsw_record_of(store, (Page) copy.data, slot);

			gone = gone || is_gone(vacuum, record);
			if (record->form == HNSW_RECORD_HEAD && owns != NULL)
				note_own(owns, block, &copy, record);
		}
		if (gone)
			clean_page(vacuum, block);
		any = any || gone;
	}
	if (any)
		hnsw_list_refill(store, bucket, place);
}

void
hnsw_vacuum_lists(HnswVacuum *vacuum)
{
	HnswStore *store = &vacuum->store;
	Owns owns = {NULL, 0, 0};

	for (uint32 bucket = 0; bucket < store->n_lists; bucket++)
	{
		owns.n = 0;
		clean_chain(vacuum, bucket, hnsw_list_place(store, bucket), &owns);
		for (Size i = 0; i < owns.n; i++)
			clean_chain(vacuum, bucket, owns.places[i], NULL);
	}
}
