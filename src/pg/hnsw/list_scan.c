/* Rows out of lists. */
#include "pg/hnsw/list_scan.h"

#include <math.h>

#include "miscadmin.h"
#include "pg/hnsw/nearest.h"
#include "pg/hnsw/sift.h"

/* One key: its rows are in the bucket's chain, and in its own. */
typedef struct KeyList
{
	uint64 key;
	BlockNumber chains[2]; /* InvalidBlockNumber: none */
} KeyList;

struct HnswListScan
{
	const HnswStore *store;
	KeyList *lists; /* [n] */
	int n;
	bool all; /* lists, whatever their keys */
	double n_rows;
	HnswLeast least;
	HnswListOptions options;
	HnswNearest nearest;
	bool read; /* a round is done */
	uint64 n_read, n_dropped;
};

/* What a bucket's chain says of a key. */
static void
find_list(HnswListScan *scan, KeyList *list)
{
	const HnswStore *store = scan->store;
	uint32 n_records = hnsw_records_a_page(store), n_pages = 0;
	PGAlignedBlock copy;
	HnswListHead own;

	list->chains[0] = hnsw_list_head(store, hnsw_list_place(store, hnsw_list_bucket(store->n_lists, list->key))).newest;
	list->chains[1] = InvalidBlockNumber;
	for (BlockNumber block = list->chains[0]; block != InvalidBlockNumber;)
	{
		block = hnsw_list_read(store, block, &copy, &n_pages);
		for (uint32 slot = 0; slot < n_records; slot++)
		{
			HnswRecord *record = hnsw_record_of(store, (Page) copy.data, slot);

			if (record->form == HNSW_RECORD_FREE || record->key != list->key)
				continue;
			scan->n_rows++;
			if (record->form != HNSW_RECORD_HEAD)
				continue;
			memcpy(&own, record->rest, sizeof own);
			list->chains[1] = own.newest;
			scan->n_rows += (double) own.n_pages * n_records;
		}
	}
}

HnswListScan *
hnsw_list_scan_begin(const HnswStore *store, const uint64 *keys, int n)
{
	HnswListScan *scan = palloc0(sizeof *scan);

	scan->store = store;
	scan->all = keys == NULL;
	if (scan->all)
	{
		scan->n_rows = (double) (store->n_blocks - store->lists_at) * hnsw_records_a_page(store);
		return scan;
	}
	scan->lists = palloc((Size) Max(n, 1) * sizeof *scan->lists);
	scan->n = n;
	for (int i = 0; i < n; i++)
	{
		scan->lists[i].key = keys[i];
		find_list(scan, &scan->lists[i]);
	}
	return scan;
}

double
hnsw_list_scan_rows(const HnswListScan *scan)
{
	return scan->n_rows;
}

void
hnsw_list_scan_start(HnswListScan *scan, const MgQuery *query, const HnswListOptions *options)
{
	scan->options = *options;
	hnsw_nearest_init(&scan->nearest, options->memory);
	if (!options->unranked)
		hnsw_least_init(&scan->least, scan->store, query);
}

static void
look_at(HnswListScan *scan, HnswRecord *record)
{
	double least = -INFINITY;
	ItemPointerData tid;
	uint64 key;

	scan->n_read++;
	if (!hnsw_covered_passes(scan->options.covered, record->rest))
	{
		scan->n_dropped++;
		return;
	}
	memcpy(&tid, record->rest, sizeof tid);
	key = hnsw_sift_key(&tid);
	if (hnsw_sift_has(scan->options.returned, scan->options.n_returned, key))
		return;
	if (!scan->options.unranked)
		least = hnsw_least_of_value(&scan->least, hnsw_record_value(scan->store, record), record->value_size);
	if (least <= scan->options.radius)
		hnsw_nearest_add(&scan->nearest, least, key);
}

static void
read_chain(HnswListScan *scan, BlockNumber block, uint64 key)
{
	const HnswStore *store = scan->store;
	uint32 n_records = hnsw_records_a_page(store), n_pages = 0;
	PGAlignedBlock copy;

	while (block != InvalidBlockNumber)
	{
		hnsw_nearest_reserve(&scan->nearest, n_records);
		block = hnsw_list_read(store, block, &copy, &n_pages);
		for (uint32 slot = 0; slot < n_records; slot++)
		{
			HnswRecord *record = hnsw_list_row(store, (Page) copy.data, slot);

			if (record != NULL && record->key == key)
				look_at(scan, record);
		}
	}
}

/* All pages of lists, which are behind the directory, among pages of nodes that came later. */
static void
read_pages(HnswListScan *scan)
{
	const HnswStore *store = scan->store;
	uint32 n_records = hnsw_records_a_page(store);
	PGAlignedBlock copy;

	for (BlockNumber block = store->lists_at; block < store->n_blocks; block++)
	{
		Buffer buffer;
		bool listed;

		CHECK_FOR_INTERRUPTS();
		hnsw_nearest_reserve(&scan->nearest, n_records);
		buffer = hnsw_recent_read(store->recent, store->index, block);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		listed = !PageIsNew(BufferGetPage(buffer)) && ((PageHeader) BufferGetPage(buffer))->pd_prune_xid == HNSW_PAGE_LIST;
		if (listed)
			memcpy(copy.data, BufferGetPage(buffer), BLCKSZ);
		UnlockReleaseBuffer(buffer);
		for (uint32 slot = 0; listed && slot < n_records; slot++)
		{
			HnswRecord *record = hnsw_list_row(store, (Page) copy.data, slot);

			if (record != NULL)
				look_at(scan, record);
		}
	}
}

static void
read_all(HnswListScan *scan)
{
	hnsw_nearest_start(&scan->nearest);
	if (scan->all)
		read_pages(scan);
	for (int i = 0; i < scan->n; i++)
		for (int chain = 0; chain < 2; chain++)
			read_chain(scan, scan->lists[i].chains[chain], scan->lists[i].key);
	hnsw_nearest_finish(&scan->nearest);
	scan->read = true;
}

static bool
has_next(HnswListScan *scan)
{
	if (scan->nearest.n == 0 && (!scan->read || scan->nearest.further))
		read_all(scan);
	return scan->nearest.n > 0;
}

double
hnsw_list_scan_least(HnswListScan *scan)
{
	return has_next(scan) ? scan->nearest.items[0].key : INFINITY;
}

bool
hnsw_list_scan_next(HnswListScan *scan, ItemPointerData *tid)
{
	uint64 key;

	if (!has_next(scan))
		return false;
	key = hnsw_nearest_take(&scan->nearest).id;
	ItemPointerSet(tid, (BlockNumber) (key >> 16), (OffsetNumber) (key & 0xFFFF));
	return true;
}

uint64
hnsw_list_scan_read(const HnswListScan *scan)
{
	return scan->n_read;
}

uint64
hnsw_list_scan_dropped(const HnswListScan *scan)
{
	return scan->n_dropped;
}
