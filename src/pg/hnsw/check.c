/*
 * Looking at a whole index: index_check(index, heap_rows) gives a row for each thing
 * that is wrong, index_info(index) one with what there is. Writers of the table are kept out
 * meanwhile, as by amcheck's bt_index_parent_check; on a standby replay is not.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "funcapi.h"
#include "hnsw/check.h"
#include "hnsw/items.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/hnsw/build.h"
#include "pg/hnsw/list_check.h"
#include "pg/hnsw/open.h"
#include "pg/hnsw/scratch.h"
#include "pg/hnsw/store.h"
#include "pg/host.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(maskgen_index_check);
PG_FUNCTION_INFO_V1(maskgen_index_info);

typedef struct Check
{
	Relation heap, index;
	HnswOpened opened;
	HnswStore store;
	HnswScratch *scratch;
	MgChecked checked;
	HTAB *tids, *listed;   /* all items, and those in lists, when heap rows are compared; else NULL */
	uint64 n_listed_pages; /* pages of lists */
	uint64 n_owned, n_met; /* chunks that have an owner, by themselves and in chains */
	ReturnSetInfo *result; /* of complaints; NULL: nobody wants them */
	/* The position of next() */
	BlockNumber block, n_blocks;
	uint32 slot;
} Check;

static void
complain_at(Check *check, BlockNumber block, int slot, const char *text)
{
	Datum values[3] = {Int64GetDatum(block), Int32GetDatum(slot), (Datum) 0};
	bool nulls[3] = {false, slot < 0, false};

	if (check->result == NULL)
		return;
	values[2] = CStringGetTextDatum(text);
	tuplestore_putvalues(check->result->setResult, check->result->setDesc, values, nulls);
}

static void
hear(void *user, uint32_t id, const char *text)
{
	Check *check = user;

	complain_at(check, hnsw_place_block(&check->store.places, id), (int) hnsw_place_slot(&check->store.places, id), text);
}

/* ---- pages */

/* By its TID, which it begins with. */
static void
remember_item(HTAB *tids, const Check *check, const uint8 *item)
{
	memcpy(hash_search(tids, item, HASH_ENTER, NULL), item, check->store.layout.shape.item_size);
}

static void
remember_items(Check *check, const uint8 *items, uint32 n)
{
	for (uint32 i = 0; check->tids != NULL && i < n; i++)
		remember_item(check->tids, check, items + i * check->store.layout.shape.item_size);
}

/* That it is part of its owner's chain follow_chain sees to: as many are met there as have an owner here. */
static void
look_at_chunk(Check *check, BlockNumber block, uint32 slot, const uint8 *chunk)
{
	if (!mg_chunk_valid(&check->store.layout, chunk, check->store.places.entry_size[0]))
	{
		complain_at(check, block, (int) slot, "the chunk of heap tuples cannot be read");
		return;
	}
	check->n_owned += mg_chunk_owner(chunk) != MG_NO_NODE;
	if (mg_chunk_owner(chunk) == MG_NO_NODE && mg_chunk_n_items(chunk) > 0)
		complain_at(check, block, (int) slot, "the chunk has heap tuples and no owner");
	remember_items(check, mg_chunk_item(&check->store.layout, (uint8 *) chunk, 0), mg_chunk_n_items(chunk));
}

static void
look_at_slots(Check *check, BlockNumber block, Page page, int form)
{
	const HnswPlaces *places = &check->store.places;
	LocationIndex lower = ((PageHeader) page)->pd_lower;

	for (uint32 slot = 0; slot < places->n_slots[form]; slot++)
	{
		const uint8 *entry = hnsw_page_slot(places, page, form, slot);
		int upper = hnsw_place_upper(places, form, slot);

		if (entry[0] == 0)
			continue;
		if (entry[0] == MG_ENTRY_CHUNK)
			look_at_chunk(check, block, slot, entry);
		if (entry + places->slot_size[upper] > (const uint8 *) page + lower)
			complain_at(check, block, (int) slot, "the entry is beyond what WAL keeps of the page");
		if (mg_entry_valid(&check->store.layout, entry, places->entry_size[upper]) &&
			(mg_entry_level(entry) > 0) != upper)
			complain_at(check, block, (int) slot, "the entry is in a slot of the other kind");
		else if (!upper && mg_entry_valid(&check->store.layout, entry, places->entry_size[0]))
			remember_items(check, mg_entry_item(&check->store.layout, (uint8 *) entry, 0), mg_entry_n_items(entry));
	}
}

static void
look_at_page(Check *check, BlockNumber block)
{
	Buffer buffer = ReadBuffer(check->index, block);
	Page page = BufferGetPage(buffer);

	CHECK_FOR_INTERRUPTS();
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	/* A crash may leave a page of zeros behind. */
	if (!PageIsNew(page))
	{
		int form = hnsw_page_form(page);

		if (!hnsw_page_is_ours(page) || (form < 0 && !hnsw_page_is_listed(page)))
			complain_at(check, block, -1, "the page is not one of a maskgen_hnsw index");
		else if (form >= 0)
			look_at_slots(check, block, page, form);
		else
			check->n_listed_pages += ((PageHeader) page)->pd_prune_xid == HNSW_PAGE_LIST;
	}
	UnlockReleaseBuffer(buffer);
}

/* Follows a list of pages with free slots. */
static void
look_at_list(Check *check, BlockNumber head, int upper)
{
	BlockNumber n = 0;

	for (BlockNumber block = head; block != InvalidBlockNumber; n++)
	{
		Buffer buffer;
		Page page;

		CHECK_FOR_INTERRUPTS();
		if (block >= check->n_blocks || n > check->n_blocks)
		{
			complain_at(check, HNSW_META_BLOCK, -1, "the list of pages with free slots is damaged");
			return;
		}
		buffer = ReadBuffer(check->index, block);
		page = BufferGetPage(buffer);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		if (hnsw_page_form(page) < 0 || !hnsw_page_special(page)->listed[upper])
			complain_at(check, block, -1, "the page is on a list of pages with free slots, and does not say so");
		block = hnsw_page_form(page) < 0 ? InvalidBlockNumber : hnsw_page_special(page)->next_free[upper];
		UnlockReleaseBuffer(buffer);
	}
}

/* For mg_check: all slots in use. */
static bool
next_id(void *user, MgCtx *cx, uint32_t *id)
{
	Check *check = user;

	for (*id = MG_NO_NODE; *id == MG_NO_NODE && check->block < check->n_blocks; check->block++, check->slot = 0)
	{
		Buffer buffer = ReadBuffer(check->index, check->block);
		Page page = BufferGetPage(buffer);
		int form;

		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		form = hnsw_page_form(page);
		while (form >= 0 && *id == MG_NO_NODE && check->slot < check->store.places.n_slots[form])
		{
			uint8 first = *hnsw_page_slot(&check->store.places, page, form, check->slot);

			if (first != 0 && first != MG_ENTRY_CHUNK)
				*id = hnsw_place_id(&check->store.places, check->block, check->slot);
			check->slot++;
		}
		UnlockReleaseBuffer(buffer);
		if (*id != MG_NO_NODE)
			break;
	}
	return true;
}

/* ---- chains */

/* Nodes whose heap tuples go on in chunks, of one page. */
static uint32
list_chains(Check *check, BlockNumber block, uint32 *ids, uint32 *heads)
{
	const HnswPlaces *places = &check->store.places;
	Buffer buffer = ReadBuffer(check->index, block);
	Page page = BufferGetPage(buffer);
	uint32 n = 0;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	for (uint32 slot = 0; hnsw_page_form(page) == 0 && slot < places->n_nodes; slot++)
	{
		uint32 id = hnsw_place_id(places, block, slot);
		const uint8 *entry = hnsw_store_entry_on(&check->store, page, id);

		if (entry == NULL || mg_entry_more(entry) == MG_NO_NODE)
			continue;
		ids[n] = id;
		heads[n++] = mg_entry_more(entry);
	}
	UnlockReleaseBuffer(buffer);
	return n;
}

static void
follow_chain(Check *check, uint32 node, uint32 id)
{
	uint64 above = UINT64_MAX;

	while (id != MG_NO_NODE)
	{
		Buffer buffer;
		uint8 *chunk;
		uint32 owner, order, next;

		CHECK_FOR_INTERRUPTS();
		if (!hnsw_store_lock_chunk(&check->store, id, BUFFER_LOCK_SHARE, &buffer, &chunk))
		{
			hear(check, node, "the chain of its heap tuples leads to where no chunk is");
			return;
		}
		owner = mg_chunk_owner(chunk);
		order = mg_chunk_order(chunk);
		next = mg_chunk_next(chunk);
		UnlockReleaseBuffer(buffer);
		if (owner != node || order >= above)
		{
			hear(check, node, owner != node ? "the chain of its heap tuples leads to a chunk of another entry"
											: "the chain of its heap tuples is out of order");
			return;
		}
		check->n_met++;
		above = order;
		id = next;
	}
}

static void
follow_chains(Check *check)
{
	uint32 most = 1u << check->store.places.slot_bits, *ids = palloc(2 * most * sizeof *ids);

	for (BlockNumber block = HNSW_META_BLOCK + 1; block < check->n_blocks; block++)
	{
		uint32 n = list_chains(check, block, ids, ids + most);

		for (uint32 i = 0; i < n; i++)
			follow_chain(check, ids[i], ids[most + i]);
	}
	if (check->n_met != check->n_owned)
		complain_at(check, HNSW_META_BLOCK, -1, psprintf(UINT64_FORMAT " chunks of heap tuples have an owner, and "
														 UINT64_FORMAT " are in chains", check->n_owned, check->n_met));
	pfree(ids);
}

/* ---- lists */

static void
hear_of_list(void *user, BlockNumber block, const char *text)
{
	complain_at(user, block, -1, text);
}

static void
hear_of_row(void *user, const uint8 *item)
{
	Check *check = user;

	if (check->listed != NULL)
		remember_item(check->listed, check, item);
}

static void
look_at_lists(Check *check)
{
	HnswListWatch watch = {check, hear_of_list, hear_of_row};
	uint64 n = hnsw_lists_check(&check->store, &watch);

	if (n != check->n_listed_pages)
		complain_at(check, HNSW_META_BLOCK, -1,
					psprintf(UINT64_FORMAT " pages are of lists, which have " UINT64_FORMAT, check->n_listed_pages, n));
}

/* ---- rows of the table */

/* Whether an item is there, with the same included columns. */
static bool
has_item(HTAB *tids, const Check *check, const uint8 *item)
{
	const void *found = hash_search(tids, item, HASH_FIND, NULL);

	return found != NULL && memcmp(found, item, check->store.layout.shape.item_size) == 0;
}

static void
look_for_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *state)
{
	Check *check = state;
	MgCtx *cx = hnsw_scratch_cx(check->scratch);
	MgMark mark = mg_mark(cx);
	uint8 item[HNSW_MOST_ITEM];
	HnswValue value;
	Datum detoasted;
	bool in_list;

	if (isnull[0])
		return;
	hnsw_cover_pack(check->store.cover, tid, values, isnull, item);
	in_list = !hnsw_lists_exist(&check->store) || has_item(check->listed, check, item);
	if (in_list && has_item(check->tids, check, item))
		return;
	detoasted = hnsw_kind_detoast(check->store.kind, values[0]);
	if (hnsw_kind_convert(check->store.kind, &check->store.layout, check->store.seed, detoasted, cx, &value))
		complain_at(check, HNSW_META_BLOCK, -1,
					psprintf("row (%u,%u) of the table is not in %s", ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid),
							 in_list ? "the index" : "a list of the index"));
	mg_rewind(cx, mark);
}

static void
compare_rows(Check *check)
{
	IndexInfo *info = BuildIndexInfo(check->index);
	Snapshot snapshot = RegisterSnapshot(GetTransactionSnapshot());

	/* Rows that the snapshot sees: as CREATE INDEX CONCURRENTLY reads them. */
	info->ii_Concurrent = true;
	table_index_build_scan(check->heap, check->index, info, true, false, look_for_row, check,
						   table_beginscan_strat(check->heap, snapshot, 0, NULL, true, true));
	UnregisterSnapshot(snapshot);
}

/* ---- the whole */

static void
run(Check *check, bool rows)
{
	MgComplaints complaints = {check, hear};
	HASHCTL control = {.keysize = sizeof(ItemPointerData), .entrysize = MAXALIGN(HNSW_MOST_ITEM)};
	HnswMeta meta;
	MgCtx *cx;

	check->scratch = hnsw_scratch_take(CurrentMemoryContext);
	cx = hnsw_scratch_cx(check->scratch);
	hnsw_store_open(&check->store, cx, check->index);
	check->store.lenient = true;
	hnsw_meta_read(check->index, &meta);
	check->n_blocks = RelationGetNumberOfBlocks(check->index);
	if (rows)
	{
		check->tids = hash_create("maskgen_hnsw items", 1024, &control, HASH_ELEM | HASH_BLOBS);
		check->listed = hash_create("maskgen_hnsw lists", 1024, &control, HASH_ELEM | HASH_BLOBS);
	}
	for (BlockNumber block = HNSW_META_BLOCK + 1; block < check->n_blocks; block++)
		look_at_page(check, block);
	look_at_list(check, meta.free_pages[0], 0);
	look_at_list(check, meta.free_pages[1], 1);
	follow_chains(check);
	look_at_lists(check);
	check->block = HNSW_META_BLOCK + 1;
	hnsw_must(cx, mg_check(cx, &check->store.graph, next_id, check, &complaints, &check->checked));
	if (rows)
		compare_rows(check);
	hnsw_scratch_give(check->scratch);
}

/* Row locks are not needed; the lock of the table keeps out writers and vacuum. */
static void
open_check(Check *check, Oid index)
{
	LOCKMODE mode = RecoveryInProgress() ? AccessShareLock : ShareLock;

	hnsw_open(index, mode, &check->opened);
	check->heap = check->opened.heap;
	check->index = check->opened.index;
}

Datum
maskgen_index_check(PG_FUNCTION_ARGS)
{
	Check check = {0};

	InitMaterializedSRF(fcinfo, 0);
	check.result = (ReturnSetInfo *) fcinfo->resultinfo;
	open_check(&check, PG_GETARG_OID(0));
	run(&check, PG_GETARG_BOOL(1));
	hnsw_close(&check.opened);
	return (Datum) 0;
}

Datum
maskgen_index_info(PG_FUNCTION_ARGS)
{
	Check check = {0};
	Datum values[13];
	bool nulls[13] = {false};
	int levels = 0, i = 0;
	TupleDesc shape;
	HnswMeta meta;

	if (get_call_result_type(fcinfo, NULL, &shape) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	open_check(&check, PG_GETARG_OID(0));
	hnsw_meta_read(check.index, &meta);
	run(&check, false);
	while (levels <= MG_MAX_LEVEL && check.checked.entries[levels] > 0)
		levels++;
	values[i++] = Int32GetDatum((int32) meta.version);
	values[i++] = Int32GetDatum((int32) meta.shape.dims);
	values[i++] = Int32GetDatum((int32) meta.shape.m);
	values[i++] = Int32GetDatum((int32) meta.ef_construction);
	values[i++] = CStringGetTextDatum(check.store.layout.coded ? "rabitq" : "none");
	values[i++] = Int32GetDatum((int32) meta.shape.code_bits);
	values[i++] = Int32GetDatum((int32) check.store.places.n_nodes);
	values[i++] = Int64GetDatum(check.n_blocks);
	values[i++] = Int32GetDatum(levels);
	values[i++] = Int64GetDatum((int64) check.checked.nodes);
	values[i++] = Int64GetDatum((int64) check.checked.deleted);
	values[i++] = Int64GetDatum((int64) check.checked.dead_links);
	values[i++] = Int64GetDatum((int64) check.checked.unreachable);
	hnsw_close(&check.opened);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(shape), values, nulls)));
}
