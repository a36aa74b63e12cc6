/*
 * Heap tuples of nodes.
 *
 * A chain changes at its head, by inserts, and wherever a chunk is empty, by
 * vacuum, of which there is one at a time. Each change is of two entries at most, under both locks, as one record. An insert that
 * comes to the head late, when it is full, linked out or no longer the head, begins anew.
 */
#include "pg/hnsw/items.h"

#include "commands/vacuum.h"
#include "hnsw/items.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/hnsw/scratch.h"

#define MOST_ATTEMPTS 1000 /* of an insert: each fails only when another one, or vacuum, came between */

/* What was found at the head of a chain. */
typedef enum Head
{
	HEAD_ADDED,
	HEAD_FULL,
	HEAD_GONE
} Head;

static void
throw_damaged(const HnswStore *store, uint32 node)
{
	ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
					errmsg("the chain of heap tuples of entry %u in index \"%s\" is damaged", node,
						   RelationGetRelationName(store->index)),
					errhint("REINDEX INDEX makes it anew from the table.")));
}

/* Into the entry itself: true. Else *more: the head of its chain. False in *live: it is deleted. */
static bool
add_to_entry(HnswStore *store, uint32 node, const uint8 *item, uint32 *more, bool *live)
{
	Buffer buffer;
	HnswChange change;
	uint8 *entry;
	bool added = false;

	*live = hnsw_store_lock(store, node, BUFFER_LOCK_EXCLUSIVE, &buffer, &entry);
	if (!*live)
		return false;
	*live = !mg_entry_deleted(entry) && mg_entry_level(entry) == 0;
	*more = mg_entry_more(entry);
	if (*live && mg_entry_n_items(entry) < store->layout.shape.max_items)
	{
		hnsw_change_begin(&change, store->index, store->building);
		entry = (uint8 *) hnsw_change_page(&change, buffer, false) + (entry - (uint8 *) BufferGetPage(buffer));
		added = mg_entry_add_item(&store->layout, entry, item);
		hnsw_change_apply(&change);
	}
	UnlockReleaseBuffer(buffer);
	return added;
}

static Head
add_to_head(HnswStore *store, uint32 node, uint32 head, const uint8 *item, uint32 *order)
{
	Buffer buffer;
	HnswChange change;
	uint8 *chunk;
	Head result = HEAD_GONE;

	if (!hnsw_store_lock_chunk(store, head, BUFFER_LOCK_EXCLUSIVE, &buffer, &chunk))
		return HEAD_GONE;
	*order = mg_chunk_order(chunk);
	if (mg_chunk_owner(chunk) == node)
		result = mg_chunk_n_items(chunk) < store->layout.chunk_items ? HEAD_ADDED : HEAD_FULL;
	if (result == HEAD_ADDED)
	{
		hnsw_change_begin(&change, store->index, store->building);
		chunk = (uint8 *) hnsw_change_page(&change, buffer, false) + (chunk - (uint8 *) BufferGetPage(buffer));
		mg_chunk_add(&store->layout, chunk, item);
		hnsw_change_apply(&change);
	}
	UnlockReleaseBuffer(buffer);
	return result;
}

/* A slot with a chunk that is nobody's. */
static uint32
reserve_chunk(HnswStore *store)
{
	uint8 *chunk = palloc(store->layout.entry_size[0]);
	uint32 id;

	mg_chunk_start(&store->layout, chunk);
	hnsw_slot_place(store, chunk, NULL, &id);
	pfree(chunk);
	return id;
}

/* The reserved chunk, with the tuple, becomes the head in the place of `more`, if that still is the head. */
static bool
link_chunk(HnswStore *store, uint32 node, uint32 id, uint32 more, uint32 order, const uint8 *item)
{
	uint8 *entry, *chunk;
	HnswChange change;
	HnswPair pair;
	bool linked;

	hnsw_pair_lock(&pair, store, hnsw_place_block(&store->places, node), hnsw_place_block(&store->places, id));
	hnsw_pair_change(&pair, &change, store);
	entry = hnsw_store_entry_on(store, pair.pages[0], node);
	chunk = hnsw_store_chunk_on(store, pair.pages[1], id);
	linked = entry != NULL && chunk != NULL && !mg_entry_deleted(entry) && mg_entry_level(entry) == 0 &&
		mg_entry_more(entry) == more && mg_chunk_owner(chunk) == MG_NO_NODE;
	if (linked)
	{
		mg_chunk_link(chunk, node, more, order);
		mg_chunk_add(&store->layout, chunk, item);
		mg_entry_set_more(entry, id);
		hnsw_change_apply(&change);
	}
	else
		hnsw_change_abandon(&change);
	hnsw_pair_unlock(&pair);
	return linked;
}

/* A reserved chunk that was not needed after all. */
static void
free_chunk(HnswStore *store, uint32 id)
{
	Buffer buffer;
	HnswChange change;
	uint8 *chunk;

	if (!hnsw_store_lock_chunk(store, id, BUFFER_LOCK_EXCLUSIVE, &buffer, &chunk))
		return;
	hnsw_change_begin(&change, store->index, store->building);
	chunk = (uint8 *) hnsw_change_page(&change, buffer, false) + (chunk - (uint8 *) BufferGetPage(buffer));
	chunk[0] = 0;
	hnsw_change_apply(&change);
	UnlockReleaseBuffer(buffer);
	hnsw_slot_offer_page(store->index, &store->places, store->building, hnsw_place_block(&store->places, id));
}

bool
hnsw_items_add(HnswStore *store, uint32 node, const uint8 *item)
{
	uint32 reserved = MG_NO_NODE, more, order;
	bool live = true, added = false;

	for (int i = 0; !added; i++)
	{
		Head head = HEAD_FULL;

		CHECK_FOR_INTERRUPTS();
		if (i == MOST_ATTEMPTS)
			throw_damaged(store, node);
		added = add_to_entry(store, node, item, &more, &live);
		if (added || !live)
			break;
		order = 0;
		if (more != MG_NO_NODE)
			head = add_to_head(store, node, more, item, &order);
		added = head == HEAD_ADDED;
		if (head != HEAD_FULL)
			continue;
		if (reserved == MG_NO_NODE)
			reserved = reserve_chunk(store);
		added = link_chunk(store, node, reserved, more, order, item);
		if (added)
			reserved = MG_NO_NODE;
	}
	if (reserved != MG_NO_NODE)
		free_chunk(store, reserved);
	return added;
}

/* ---- reading */

void
hnsw_chain_begin(HnswChain *chain, HnswStore *store, MgCtx *cx, uint32 node, uint32 more)
{
	chain->store = store;
	chain->node = node;
	chain->next = more;
	chain->order = UINT64_MAX;
	if (chain->chunk == NULL)
		chain->chunk = hnsw_alloc(cx, store->layout.entry_size[0], 1);
}

/* Copies a chunk of the node's; false when it is none. */
static bool
copy_chunk(HnswChain *chain, uint32 id)
{
	Buffer buffer;
	uint8 *chunk;
	bool ours;

	CHECK_FOR_INTERRUPTS();
	if (!hnsw_store_lock_chunk(chain->store, id, BUFFER_LOCK_SHARE, &buffer, &chunk))
		return false;
	ours = mg_chunk_owner(chunk) == chain->node;
	if (ours)
		memcpy(chain->chunk, chunk, chain->store->layout.entry_size[0]);
	UnlockReleaseBuffer(buffer);
	return ours;
}

/* The head of the chain as it is now. */
static uint32
read_head(HnswChain *chain)
{
	Buffer buffer;
	uint8 *entry;
	uint32 more;

	if (!hnsw_store_lock(chain->store, chain->node, BUFFER_LOCK_SHARE, &buffer, &entry))
		return MG_NO_NODE;
	more = mg_entry_level(entry) == 0 ? mg_entry_more(entry) : MG_NO_NODE;
	UnlockReleaseBuffer(buffer);
	return more;
}

/*
 * The next chunk was linked out, and perhaps freed, since its id was read: what is behind it is found from the head on.
 * False: there is nothing. What is inserted meanwhile is before what was read.
 */
static bool
find_again(HnswChain *chain)
{
	for (int i = 0; i < MOST_ATTEMPTS; i++)
	{
		uint32 id = read_head(chain);
		uint64 above = UINT64_MAX;

		while (id != MG_NO_NODE && copy_chunk(chain, id) && mg_chunk_order(chain->chunk) < above)
		{
			above = mg_chunk_order(chain->chunk);
			if (above < chain->order)
				return true;
			id = mg_chunk_next(chain->chunk);
		}
		if (id == MG_NO_NODE)
			return false;
	}
	throw_damaged(chain->store, chain->node);
	return false;
}

bool
hnsw_chain_next(HnswChain *chain)
{
	while (chain->next != MG_NO_NODE)
	{
		if ((!copy_chunk(chain, chain->next) || mg_chunk_order(chain->chunk) >= chain->order) && !find_again(chain))
			break;
		chain->order = mg_chunk_order(chain->chunk);
		chain->next = mg_chunk_next(chain->chunk);
		if (mg_chunk_n_items(chain->chunk) > 0)
			return true;
	}
	chain->next = MG_NO_NODE;
	return false;
}

/* ---- vacuum */

/* Whether what comes before a chunk, the entry or another chunk, leads to it; then it is made to lead on. */
static bool
lead_past(HnswStore *store, Page page, uint32 before, uint32 node, uint32 id, uint32 next, bool *deleted)
{
	uint8 *at = before == node ? hnsw_store_entry_on(store, page, node) : hnsw_store_chunk_on(store, page, before);

	if (at == NULL || (before == node ? mg_entry_more(at) : mg_chunk_next(at)) != id)
		return false;
	if (before != node)
		mg_chunk_set_next(at, next);
	else
	{
		mg_entry_set_more(at, next);
		*deleted = next == MG_NO_NODE && mg_entry_n_items(at) == 0;
		if (*deleted)
			mg_entry_delete(at);
	}
	return true;
}

/* Links an empty chunk out; false when it is not what it was. */
static bool
link_out(HnswStore *store, uint32 before, uint32 node, uint32 id, uint32 next, bool *deleted)
{
	HnswChange change;
	HnswPair pair;
	uint8 *chunk;
	bool out;

	hnsw_pair_lock(&pair, store, hnsw_place_block(&store->places, before), hnsw_place_block(&store->places, id));
	hnsw_pair_change(&pair, &change, store);
	chunk = hnsw_store_chunk_on(store, pair.pages[1], id);
	out = chunk != NULL && mg_chunk_owner(chunk) == node && mg_chunk_n_items(chunk) == 0 &&
		lead_past(store, pair.pages[0], before, node, id, next, deleted);
	if (out)
	{
		mg_chunk_set_owner(chunk, MG_NO_NODE);
		hnsw_change_apply(&change);
	}
	else
		hnsw_change_abandon(&change);
	hnsw_pair_unlock(&pair);
	return out;
}

void
hnsw_items_trim(HnswStore *store, uint32 node, void (*drop)(void *user, uint32 id), void *user)
{
	HnswChain chain = {.store = store, .node = node, .chunk = palloc(store->layout.entry_size[0])};
	uint32 before = node, id = read_head(&chain);
	bool deleted = false;

	/* What it has come by stays as it is but for the head, before which inserts put others. */
	while (id != MG_NO_NODE && copy_chunk(&chain, id))
	{
		uint32 next = mg_chunk_next(chain.chunk);

		vacuum_pause();
		if (mg_chunk_n_items(chain.chunk) > 0)
			before = id;
		else if (link_out(store, before, node, id, next, &deleted))
			drop(user, id);
		else
		{
			/* An insert filled it or put another before it. */
			next = read_head(&chain);
			before = node;
		}
		id = next;
	}
	if (deleted)
		drop(user, node);
	pfree(chain.chunk);
}
