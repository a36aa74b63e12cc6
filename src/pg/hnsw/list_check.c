/* That chains end, have what belongs there, and say what they have. */
#include "pg/hnsw/list_check.h"

#include "miscadmin.h"

typedef struct Look
{
	const HnswStore *store;
	const HnswListWatch *watch;
	uint32 bucket;
	uint64 n_pages; /* of all chains */
} Look;

static void look_at_chain(Look *look, HnswListHead head, const uint64 *key);

/* key: of all records of the chain; NULL: it is a bucket's. */
static void
look_at_record(Look *look, BlockNumber block, HnswRecord *record, const uint64 *key)
{
	const HnswStore *store = look->store;
	void *user = look->watch->user;
	HnswListHead own;

	if (record->form > HNSW_RECORD_HEAD || record->value_size > store->layout.value_size)
		look->watch->complain(user, block, "a record of a list cannot be read");
	else if (key != NULL ? record->key != *key : hnsw_list_bucket(store->n_lists, record->key) != look->bucket)
		look->watch->complain(user, block, "a record is in the list of another key");
	else if (record->form == HNSW_RECORD_ROW)
	{
		if (hnsw_list_key(store->cover, record->rest) != record->key)
			look->watch->complain(user, block, "a row is in the list of another key than its own");
		look->watch->row(user, record->rest);
	}
	else if (key != NULL)
		look->watch->complain(user, block, "the list of one key leads to another list");
	else
	{
		memcpy(&own, record->rest, sizeof own);
		look_at_chain(look, own, &record->key);
	}
}

static void
look_at_chain(Look *look, HnswListHead head, const uint64 *key)
{
	const HnswStore *store = look->store;
	BlockNumber n_blocks = RelationGetNumberOfBlocks(store->index), block = head.newest;
	bool filled = head.fill == head.newest;
	PGAlignedBlock copy;
	uint32 n = 0;

	check_stack_depth();
	for (; block != InvalidBlockNumber; n++)
	{
		Buffer buffer;

		CHECK_FOR_INTERRUPTS();
		if (block >= n_blocks || n > n_blocks)
		{
			look->watch->complain(look->watch->user, block, "the pages of a list have no end");
			return;
		}
		buffer = ReadBuffer(store->index, block);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		memcpy(copy.data, BufferGetPage(buffer), BLCKSZ);
		UnlockReleaseBuffer(buffer);
		if (!hnsw_page_is_ours((Page) copy.data) || ((PageHeader) copy.data)->pd_prune_xid != HNSW_PAGE_LIST)
		{
			look->watch->complain(look->watch->user, block, "a list leads to a page that is of no list");
			return;
		}
		filled = filled || block == head.fill;
		for (uint32 slot = 0; slot < hnsw_records_a_page(store); slot++)
		{
			HnswRecord *record = hnsw_record_of(store, (Page) copy.data, slot);

			if (record->form != HNSW_RECORD_FREE)
				look_at_record(look, block, record, key);
		}
		block = hnsw_page_special((Page) copy.data)->next_free[0];
	}
	if (n != head.n_pages || !filled)
		look->watch->complain(look->watch->user, head.newest, "the head of a list does not say what pages it has");
	look->n_pages += n;
}

uint64
hnsw_lists_check(const HnswStore *store, const HnswListWatch *watch)
{
	Look look = {.store = store, .watch = watch};

	for (look.bucket = 0; look.bucket < store->n_lists; look.bucket++)
		look_at_chain(&look, hnsw_list_head(store, hnsw_list_place(store, look.bucket)), NULL);
	return look.n_pages;
}
