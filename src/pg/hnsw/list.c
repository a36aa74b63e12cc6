/* Lists: reading, and adding a row. */
#include "pg/hnsw/list.h"

#include "access/xloginsert.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/hnsw/scratch.h"
#include "pg/host.h"
#include "storage/lmgr.h"

uint32
hnsw_lists_for(const HnswStore *store, double n_rows)
{
	/* A page of rows for each, and up to twice as much: pages are well filled, and a small tenant reads one or two. */
	double wanted = n_rows / hnsw_records_a_page(store);
	uint32 n = HNSW_LEAST_LISTS;

	while (2 * n <= wanted && n < HNSW_MOST_LISTS)
		n *= 2;
	return n;
}

BlockNumber
hnsw_lists_create(Relation index, ForkNumber fork, uint32 n_lists)
{
	uint32 n_pages = (n_lists + HNSW_HEADS_A_PAGE - 1) / HNSW_HEADS_A_PAGE;
	BlockNumber first = InvalidBlockNumber;

	for (uint32 i = 0; i < n_pages; i++)
	{
		Buffer buffer = extend_relation(index, fork);
		Page page = BufferGetPage(buffer);
		HnswListHead *heads = (HnswListHead *) PageGetContents(page);

		START_CRIT_SECTION();
		hnsw_page_init(page, HNSW_PAGE_DIRECTORY);
		for (uint32 j = 0; j < HNSW_HEADS_A_PAGE; j++)
			heads[j] = (HnswListHead){InvalidBlockNumber, InvalidBlockNumber, 0};
		((PageHeader) page)->pd_lower = (LocationIndex) ((char *) (heads + HNSW_HEADS_A_PAGE) - (char *) page);
		MarkBufferDirty(buffer);
		if (fork == INIT_FORKNUM)
			log_newpage_buffer(buffer, true);
		END_CRIT_SECTION();
		first = i == 0 ? BufferGetBlockNumber(buffer) : first;
		UnlockReleaseBuffer(buffer);
	}
	return first;
}

static void
throw_damaged(const HnswStore *store, BlockNumber block)
{
	ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
					errmsg("block %u of index \"%s\" is no page of a list of rows", block, RelationGetRelationName(store->index)),
					errhint("REINDEX INDEX makes it anew from the table.")));
}

/* Of a list, or of the directory: locked. */
static Buffer
lock_page(const HnswStore *store, BlockNumber block, int mode, HnswPageKind kind)
{
	Buffer buffer;

	CHECK_FOR_INTERRUPTS();
	if (!hnsw_store_has_block((HnswStore *) store, block))
		throw_damaged(store, block);
	buffer = ReadBuffer(store->index, block);
	LockBuffer(buffer, mode);
	if (PageIsNew(BufferGetPage(buffer)) || ((PageHeader) BufferGetPage(buffer))->pd_prune_xid != (TransactionId) kind)
	{
		UnlockReleaseBuffer(buffer);
		throw_damaged(store, block);
	}
	return buffer;
}

HnswListPlace
hnsw_list_place(const HnswStore *store, uint32 bucket)
{
	return (HnswListPlace){store->lists_at + bucket / HNSW_HEADS_A_PAGE,
						   (uint32) (MAXALIGN(SizeOfPageHeaderData) + bucket % HNSW_HEADS_A_PAGE * sizeof(HnswListHead))};
}

static HnswPageKind
kind_of(const HnswStore *store, HnswListPlace place)
{
	uint32 n_pages = (store->n_lists + HNSW_HEADS_A_PAGE - 1) / HNSW_HEADS_A_PAGE;

	return place.block - store->lists_at < n_pages ? HNSW_PAGE_DIRECTORY : HNSW_PAGE_LIST;
}

HnswListHead
hnsw_list_head(const HnswStore *store, HnswListPlace place)
{
	Buffer buffer = lock_page(store, place.block, BUFFER_LOCK_SHARE, kind_of(store, place));
	HnswListHead head;

	memcpy(&head, (char *) BufferGetPage(buffer) + place.offset, sizeof head);
	UnlockReleaseBuffer(buffer);
	return head;
}

BlockNumber
hnsw_list_read(const HnswStore *store, BlockNumber block, PGAlignedBlock *copy, uint32 *n_read)
{
	Buffer buffer = lock_page(store, block, BUFFER_LOCK_SHARE, HNSW_PAGE_LIST);

	if ((*n_read)++ > store->n_blocks)
	{
		UnlockReleaseBuffer(buffer);
		throw_damaged(store, block);
	}
	memcpy(copy->data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	return hnsw_page_special((Page) copy->data)->next_free[0];
}

HnswRecord *
hnsw_list_row(const HnswStore *store, Page page, uint32 slot)
{
	HnswRecord *record = hnsw_record_of(store, page, slot);

	return record->form == HNSW_RECORD_ROW && record->value_size <= store->layout.value_size ? record : NULL;
}

/* ---- adding */

void
hnsw_list_make_row(const HnswStore *store, HnswRecord *record, uint64 key, const uint8 *item, const void *value, uint32 value_size)
{
	memset(record, 0, hnsw_record_size(store));
	record->form = HNSW_RECORD_ROW;
	record->value_size = (uint16) value_size;
	record->key = key;
	memcpy(record->rest, item, store->layout.shape.item_size);
	memcpy(hnsw_record_value(store, record), value, value_size);
}

/* Stands for a bucket among the locks on pages of an index, as fingerprints do; nobody holds both. */
static BlockNumber
lock_of(uint32 bucket)
{
	return HNSW_META_BLOCK + 1 + bucket;
}

static void
set_fill(const HnswStore *store, HnswListPlace place, BlockNumber fill)
{
	Buffer buffer = lock_page(store, place.block, BUFFER_LOCK_EXCLUSIVE, kind_of(store, place));
	HnswChange change;
	char *at;

	hnsw_change_begin(&change, store->index, false);
	at = (char *) hnsw_change_page(&change, buffer, false) + place.offset;
	memcpy(at + offsetof(HnswListHead, fill), &fill, sizeof fill);
	hnsw_change_apply(&change);
	UnlockReleaseBuffer(buffer);
}

void
hnsw_list_refill(const HnswStore *store, uint32 bucket, HnswListPlace place)
{
	HnswListHead head;

	LockPage(store->index, lock_of(bucket), ExclusiveLock);
	head = hnsw_list_head(store, place);
	if (head.fill != head.newest)
		set_fill(store, place, head.newest);
	UnlockPage(store->index, lock_of(bucket), ExclusiveLock);
}

static void
write_record(const HnswStore *store, Page page, uint32 slot, const HnswRecord *record)
{
	HnswRecord *at = hnsw_record_of(store, page, slot);
	LocationIndex end = (LocationIndex) ((char *) at + hnsw_record_size(store) - (char *) page);
	PageHeader header = (PageHeader) page;

	memcpy(at, record, hnsw_record_size(store));
	header->pd_lower = Max(header->pd_lower, end);
}

/* Into a free slot of a page; false when it has none: *next. */
static bool
add_to_page(const HnswStore *store, BlockNumber block, const HnswRecord *record, HnswListPlace *placed, BlockNumber *next)
{
	Buffer buffer = lock_page(store, block, BUFFER_LOCK_EXCLUSIVE, HNSW_PAGE_LIST);
	uint32 slot = 0, n = hnsw_records_a_page(store);
	HnswChange change;
	Page page = BufferGetPage(buffer);

	*next = hnsw_page_special(page)->next_free[0];
	while (slot < n && hnsw_record_of(store, page, slot)->form != HNSW_RECORD_FREE)
		slot++;
	if (slot < n)
	{
		hnsw_change_begin(&change, store->index, false);
		write_record(store, hnsw_change_page(&change, buffer, false), slot, record);
		hnsw_change_apply(&change);
		*placed = (HnswListPlace){block, (uint32) ((char *) hnsw_record_of(store, page, slot)->rest - (char *) page)};
	}
	UnlockReleaseBuffer(buffer);
	return slot < n;
}

/* With a new page before the newest, as one change. */
static void
add_with_page(HnswStore *store, HnswListPlace owner, const HnswListHead *head, const HnswRecord *record, HnswListPlace *placed)
{
	Buffer buffer = extend_relation(store->index, MAIN_FORKNUM), owner_buffer;
	BlockNumber block = BufferGetBlockNumber(buffer);
	HnswListHead longer = {block, block, head->n_pages + 1};
	HnswChange change;
	Page page;

	/* The lower block first; the new one is the highest. */
	UnlockReleaseBuffer(buffer);
	owner_buffer = lock_page(store, owner.block, BUFFER_LOCK_EXCLUSIVE, kind_of(store, owner));
	buffer = ReadBuffer(store->index, block);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	hnsw_change_begin(&change, store->index, false);
	page = hnsw_change_page(&change, buffer, true);
	hnsw_page_init(page, HNSW_PAGE_LIST);
	hnsw_page_special(page)->next_free[0] = head->newest;
	write_record(store, page, 0, record);
	memcpy((char *) hnsw_change_page(&change, owner_buffer, false) + owner.offset, &longer, sizeof longer);
	hnsw_change_apply(&change);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(owner_buffer);
	*placed = (HnswListPlace){block, (uint32) (MAXALIGN(SizeOfPageHeaderData) + offsetof(HnswRecord, rest))};
}

/* Adds a record to a chain; where its rest is. */
static HnswListPlace
add_record(HnswStore *store, HnswListPlace owner, const HnswRecord *record)
{
	HnswListHead head = hnsw_list_head(store, owner);
	HnswListPlace placed;
	BlockNumber next;
	uint32 n_read = 0;

	for (BlockNumber block = head.fill; block != InvalidBlockNumber && n_read++ <= store->n_blocks; block = next)
		if (add_to_page(store, block, record, &placed, &next))
		{
			if (block != head.fill)
				set_fill(store, owner, block);
			return placed;
		}
	add_with_page(store, owner, &head, record, &placed);
	return placed;
}

/* Of a bucket: rows of a key, and the head of its own chain; false if it has none. */
static bool
find_head(const HnswStore *store, BlockNumber block, uint64 key, uint32 *n_rows, HnswListPlace *own)
{
	PGAlignedBlock copy;
	uint32 n_read = 0;

	*n_rows = 0;
	while (block != InvalidBlockNumber)
	{
		BlockNumber next = hnsw_list_read(store, block, &copy, &n_read);

		for (uint32 slot = 0; slot < hnsw_records_a_page(store); slot++)
		{
			HnswRecord *record = hnsw_record_of(store, (Page) copy.data, slot);

			if (record->form == HNSW_RECORD_FREE || record->key != key)
				continue;
			(*n_rows)++;
			*own = (HnswListPlace){block, (uint32) ((char *) record->rest - copy.data)};
			if (record->form == HNSW_RECORD_HEAD)
				return true;
		}
		block = next;
	}
	return false;
}

static void
add_row(HnswStore *store, uint32 bucket, const HnswRecord *row)
{
	HnswListPlace owner = hnsw_list_place(store, bucket), own;
	uint32 n_rows;

	if (find_head(store, hnsw_list_head(store, owner).newest, row->key, &n_rows, &own))
		owner = own;
	else if (n_rows >= hnsw_records_a_page(store))
	{
		HnswListHead empty = {InvalidBlockNumber, InvalidBlockNumber, 0};
		HnswRecord *head = palloc0(hnsw_record_size(store));

		head->form = HNSW_RECORD_HEAD;
		head->key = row->key;
		memcpy(head->rest, &empty, sizeof empty);
		owner = add_record(store, owner, head);
		pfree(head);
	}
	add_record(store, owner, row);
}

void
hnsw_list_add(HnswStore *store, MgCtx *cx, const uint8 *item, const MgQuery *query)
{
	uint64 key = hnsw_list_key(store->cover, item);
	uint32 bucket = hnsw_list_bucket(store->n_lists, key);
	HnswRecord *row = hnsw_alloc(cx, hnsw_record_size(store), 1);
	uint8 *code;

	if (store->layout.coded)
	{
		code = hnsw_alloc(cx, store->layout.value_size, 1);
		mg_code_encode(&store->layout, query->rotated, code);
		mg_entry_set_fingerprint(&store->layout, code, query->fingerprint);
		hnsw_list_make_row(store, row, key, item, code, store->layout.value_size);
	}
	else
		hnsw_list_make_row(store, row, key, item, query->value, query->value_size);
	LockPage(store->index, lock_of(bucket), ExclusiveLock);
	add_row(store, bucket, row);
	UnlockPage(store->index, lock_of(bucket), ExclusiveLock);
}
