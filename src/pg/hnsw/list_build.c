/*
 * Lists of an index whose graph is on its pages: all items, sorted by their keys, are written list after list. What a bucket's chain gets is
 * collected until the bucket is complete; a key's own chain is written as its rows come.
 */
#include "pg/hnsw/list.h"

#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "hnsw/items.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/hnsw/scratch.h"
#include "pg/host.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"

/* Sorted as bytes: the key, its first byte first, then the record. */
#define SORTED_KEY sizeof(uint64)

typedef struct Lists
{
	HnswStore *store;
	MgCtx *cx;
	Tuplesortstate *sort;
	double n_rows;
	uint8 *sorted;	   /* a varlena with room for one */
	HnswRecord *record; /* room for one */

	/* The bucket that is written, and the key */
	uint32 bucket;
	bool any;
	uint64 key;
	uint32 n_of_key; /* rows in the bucket's chain */
	uint8 *records;	 /* [n_records, record_size], room for n_room */
	Size n_records, n_room;
	HnswListHead own; /* the key's own chain */
	uint32 n_on_page; /* records on its newest page */
} Lists;

/* ---- items out of pages */

static void
put(Lists *lists, const uint8 *item, const uint8 *value, uint32 value_size)
{
	HnswStore *store = lists->store;
	uint64 key = hnsw_list_key(store->cover, item), first = pg_hton64(key);
	Size size = hnsw_record_size(store);

	hnsw_list_make_row(store, lists->record, key, item, value, value_size);
	SET_VARSIZE(lists->sorted, VARHDRSZ + SORTED_KEY + size);
	memcpy(VARDATA(lists->sorted), &first, sizeof first);
	memcpy(VARDATA(lists->sorted) + SORTED_KEY, lists->record, size);
	tuplesort_putdatum(lists->sort, PointerGetDatum(lists->sorted), false);
	lists->n_rows++;
}

static void
put_items(Lists *lists, uint8 *entry, const uint8 *items, uint32 n)
{
	for (uint32 i = 0; i < n; i++)
		put(lists, items + i * lists->store->layout.shape.item_size, mg_entry_value(entry), mg_entry_value_size(entry));
}

/* entry: room for the owner's. */
static void
put_chunk(Lists *lists, uint8 *chunk, uint8 *entry)
{
	HnswStore *store = lists->store;
	bool exists = false;

	hnsw_must(lists->cx, store->graph.store.read(store, lists->cx, mg_chunk_owner(chunk), entry, &exists));
	if (exists)
		put_items(lists, entry, mg_chunk_item(&store->layout, chunk, 0), mg_chunk_n_items(chunk));
}

static void
put_page(Lists *lists, BlockNumber block, PGAlignedBlock *copy, uint8 *entry)
{
	HnswStore *store = lists->store;
	Buffer buffer = ReadBuffer(store->index, block);

	CHECK_FOR_INTERRUPTS();
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(copy->data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	if (hnsw_page_form((Page) copy->data) != 0)
		return;
	for (uint32 slot = 0; slot < store->places.n_nodes; slot++)
	{
		uint8 *at = hnsw_page_slot(&store->places, (Page) copy->data, 0, slot);

		if (mg_chunk_valid(&store->layout, at, store->places.entry_size[0]))
			put_chunk(lists, at, entry);
		else if (mg_entry_valid(&store->layout, at, store->places.entry_size[0]) && mg_entry_level(at) == 0)
			put_items(lists, at, mg_entry_item(&store->layout, at, 0), mg_entry_n_items(at));
	}
}

/* ---- chains */

/* A record on the newest page of a chain, or on one before it if that is full. */
static void
write_record(Lists *lists, HnswListHead *head, uint32 *n_on_page, const void *record)
{
	HnswStore *store = lists->store;
	Size size = hnsw_record_size(store);
	Buffer buffer;
	Page page;

	if (head->newest == InvalidBlockNumber || *n_on_page == hnsw_records_a_page(store))
	{
		buffer = extend_relation(store->index, MAIN_FORKNUM);
		page = BufferGetPage(buffer);
		hnsw_page_init(page, HNSW_PAGE_LIST);
		hnsw_page_special(page)->next_free[0] = head->newest;
		head->newest = head->fill = BufferGetBlockNumber(buffer);
		head->n_pages++;
		*n_on_page = 0;
	}
	else
	{
		buffer = ReadBuffer(store->index, head->newest);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		page = BufferGetPage(buffer);
	}
	memcpy(hnsw_record_of(store, page, *n_on_page), record, size);
	(*n_on_page)++;
	((PageHeader) page)->pd_lower = (LocationIndex) ((char *) hnsw_record_of(store, page, *n_on_page) - (char *) page);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
}

static const HnswListHead no_chain = {InvalidBlockNumber, InvalidBlockNumber, 0};

static void
keep(Lists *lists, const void *record)
{
	Size size = hnsw_record_size(lists->store);

	if (lists->n_records == lists->n_room)
	{
		lists->n_room = Max(2 * lists->n_room, 64);
		lists->records = lists->records == NULL ? palloc(lists->n_room * size) : repalloc_huge(lists->records, lists->n_room * size);
	}
	memcpy(lists->records + lists->n_records++ * size, record, size);
}

static void
end_key(Lists *lists)
{
	HnswRecord *head = lists->record;

	if (lists->own.newest != InvalidBlockNumber)
	{
		memset(head, 0, hnsw_record_size(lists->store));
		head->form = HNSW_RECORD_HEAD;
		head->key = lists->key;
		memcpy(head->rest, &lists->own, sizeof lists->own);
		keep(lists, head);
	}
	lists->own = no_chain;
	lists->n_of_key = lists->n_on_page = 0;
}

static void
end_bucket(Lists *lists)
{
	HnswStore *store = lists->store;
	HnswListPlace place = hnsw_list_place(store, lists->bucket);
	HnswListHead head = no_chain;
	uint32 n_on_page = 0;
	Buffer buffer;

	for (Size i = 0; i < lists->n_records; i++)
		write_record(lists, &head, &n_on_page, lists->records + i * hnsw_record_size(store));
	buffer = ReadBuffer(store->index, place.block);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	memcpy((char *) BufferGetPage(buffer) + place.offset, &head, sizeof head);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
	lists->n_records = 0;
}

static void
write_sorted(Lists *lists, const HnswRecord *record)
{
	uint32 bucket = hnsw_list_bucket(lists->store->n_lists, record->key);

	if (lists->any && record->key != lists->key)
		end_key(lists);
	if (lists->any && bucket != lists->bucket)
		end_bucket(lists);
	lists->any = true;
	lists->key = record->key;
	lists->bucket = bucket;
	if (lists->n_of_key < hnsw_records_a_page(lists->store))
	{
		keep(lists, record);
		lists->n_of_key++;
	}
	else
		write_record(lists, &lists->own, &lists->n_on_page, record);
}

/* ---- the whole */

static void
write_all(Lists *lists)
{
	HnswRecord *aligned = palloc(hnsw_record_size(lists->store));
	bool is_null;
	Datum sorted;

	tuplesort_performsort(lists->sort);
	while (compat_tuplesort_getdatum(lists->sort, &sorted, &is_null))
	{
		CHECK_FOR_INTERRUPTS();
		memcpy(aligned, VARDATA_ANY(DatumGetPointer(sorted)) + SORTED_KEY, hnsw_record_size(lists->store));
		pfree(DatumGetPointer(sorted));
		write_sorted(lists, aligned);
	}
	if (lists->any)
	{
		end_key(lists);
		end_bucket(lists);
	}
	pfree(aligned);
}

void
hnsw_lists_build(Relation index)
{
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "maskgen_hnsw lists", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(memory);
	HnswScratch *scratch = hnsw_scratch_take(memory);
	BlockNumber n_blocks = RelationGetNumberOfBlocks(index);
	PGAlignedBlock *copy = palloc(sizeof *copy);
	HnswStore store;
	Lists lists = {.store = &store, .cx = hnsw_scratch_cx(scratch), .own = no_chain};
	uint8 *entry;
	/* Beside the block of the build, which is still there. */
	int sort_memory = Max(maintenance_work_mem / 4, 1024);

	hnsw_store_open(&store, lists.cx, index);
	if (hnsw_lists_wanted(store.cover))
	{
		entry = palloc(store.layout.entry_size[0]);
		lists.record = palloc(hnsw_record_size(&store));
		lists.sorted = palloc(VARHDRSZ + SORTED_KEY + hnsw_record_size(&store));
		lists.sort = tuplesort_begin_datum(BYTEAOID, ByteaLessOperator, InvalidOid, false, sort_memory, NULL, TUPLESORT_NONE);
		for (BlockNumber block = HNSW_META_BLOCK + 1; block < n_blocks; block++)
			put_page(&lists, block, copy, entry);
		store.n_lists = hnsw_lists_for(&store, lists.n_rows);
		store.lists_at = hnsw_lists_create(index, MAIN_FORKNUM, store.n_lists);
		write_all(&lists);
		tuplesort_end(lists.sort);
		hnsw_meta_set_lists(index, store.lists_at, store.n_lists);
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(memory);
}
