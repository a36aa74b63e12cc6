#include "hnsw/layout.h"

#include "hnsw/items.h"
#include "hnsw/rotation.h"

#define CODED_VALUE 16 /* scale and square before an own code's bits, fingerprint behind them */
#define CODED_LINK 8  /* id, offset and factor before a link's signs */

static uint32_t
aligned(uint32_t size)
{
	return (size + 3) / 4 * 4;
}

bool
mg_layout_init(MgCtx *cx, MgEntryLayout *layout, const MgShape *shape)
{
	bool coded = shape->metric != MG_GRAPH_PLAIN;
	uint32_t padded = 0;

	if ((int) shape->metric < MG_GRAPH_L2 || shape->metric > MG_GRAPH_PLAIN)
		return mg_fail(cx, MG_BAD_ARGUMENT, "a graph cannot have metric %d", (int) shape->metric);
	if (shape->m < 2 || shape->m > MG_MAX_M)
		return mg_fail(cx, MG_BAD_ARGUMENT, "a graph cannot have m = %u", shape->m);
	if (shape->max_items < 1 || shape->max_items > 255 || shape->item_size < 1 || shape->item_size > 64)
		return mg_fail(cx, MG_BAD_ARGUMENT, "a graph's node cannot have %u items of %u bytes", shape->max_items,
					   shape->item_size);
	if (coded)
	{
		if (shape->dims < 1 || shape->dims > MG_MAX_DIMS)
			return mg_fail(cx, MG_BAD_ARGUMENT, "a graph cannot have %u dimensions", shape->dims);
		padded = mg_rotation_padded(shape->dims);
		if (shape->code_bits < 64 || shape->code_bits > padded || shape->code_bits % 16 != 0)
			return mg_fail(cx, MG_BAD_ARGUMENT, "a graph's links cannot have codes of %u bits", shape->code_bits);
	}
	else if (shape->value_size < 1 || shape->value_size > UINT16_MAX)
		return mg_fail(cx, MG_BAD_ARGUMENT, "a graph's node cannot have a value of %u bytes", shape->value_size);

	*layout = (MgEntryLayout){.shape = *shape, .coded = coded, .padded = padded};
	layout->value_size = coded ? CODED_VALUE + padded / 2 : shape->value_size;
	layout->link_size = coded ? CODED_LINK + shape->code_bits / 8 : 4;
	for (int upper = 0; upper < 2; upper++)
	{
		uint32_t items = upper ? 0 : shape->max_items * shape->item_size;

		layout->n_slots[upper] = upper ? shape->m : 2 * shape->m;
		layout->links_at[upper] = aligned(MG_ENTRY_HEADER + layout->value_size + items);
		layout->entry_size[upper] = aligned(layout->links_at[upper] + layout->n_slots[upper] * layout->link_size);
	}
	layout->chunk_items = (layout->entry_size[0] - MG_CHUNK_HEADER) / shape->item_size;
	layout->chunk_items = layout->chunk_items > UINT16_MAX ? UINT16_MAX : layout->chunk_items;
	return true;
}

/*
 * However many dimensions there are, so many signs of a link are enough for more nodes to share a page: the error of an
 * estimate depends on their number more than on what share of the dimensions that is (code.h).
 */
#define ENOUGH_BITS 448

/* Of a coded shape with so many bits. */
static uint32_t
entry_size(const MgShape *shape, uint32_t bits, int level)
{
	uint32_t value = CODED_VALUE + mg_rotation_padded(shape->dims) / 2;
	uint32_t items = level > 0 ? 0 : shape->max_items * shape->item_size, slots = level > 0 ? shape->m : 2 * shape->m;

	return aligned(aligned(MG_ENTRY_HEADER + value + items) + slots * (CODED_LINK + bits / 8));
}

uint32_t
mg_layout_code_bits(const MgShape *shape, uint32_t room, uint32_t overhead)
{
	uint32_t most = mg_rotation_padded(shape->dims), least, per_page;

	while (most >= 64 && entry_size(shape, most, 0) + overhead > room)
		most -= 16;
	if (most < 64)
		return 0;
	least = most * 7 / 10 / 16 * 16;
	least = least < 64 ? 64 : least;
	least = least > ENOUGH_BITS ? ENOUGH_BITS : least;
	per_page = room / (entry_size(shape, least, 0) + overhead);
	while (room / (entry_size(shape, most, 0) + overhead) < per_page)
		most -= 16;
	/* An upper entry beside them saves a page in a hundred. */
	for (uint32_t bits = most; bits >= least && bits >= most * 8 / 10; bits -= 16)
		if (per_page * (entry_size(shape, bits, 0) + overhead) + entry_size(shape, bits, 1) + overhead <= room)
			return bits;
	return most;
}

bool
mg_entry_valid(const MgEntryLayout *layout, const uint8_t *entry, size_t size)
{
	int level;

	if (size < MG_ENTRY_HEADER || entry[0] != (layout->coded ? MG_ENTRY_CODED : MG_ENTRY_PLAIN))
		return false;
	level = mg_entry_level(entry);
	return level <= MG_MAX_LEVEL && size >= mg_entry_size(layout, level) &&
		mg_entry_n_links(entry) <= mg_entry_slots(layout, level) && mg_entry_n_ways(entry) <= mg_entry_n_links(entry) &&
		mg_entry_n_items(entry) <= (level > 0 ? 0 : layout->shape.max_items) &&
		(layout->coded ? mg_entry_value_size(entry) == layout->value_size
					   : mg_entry_value_size(entry) <= layout->value_size);
}

bool
mg_entry_links_valid(const MgEntryLayout *layout, const uint8_t *entry)
{
	return mg_entry_find_link(layout, entry, MG_NO_NODE) == MG_NO_NODE;
}

void
mg_entry_set_n_links(uint8_t *entry, uint32_t n)
{
	entry[4] = (uint8_t) n;
}

void
mg_entry_set_n_ways(uint8_t *entry, uint32_t n)
{
	entry[5] = (uint8_t) n;
}

void
mg_entry_start(const MgEntryLayout *layout, uint8_t *entry, int level, const void *value, uint32_t value_size)
{
	uint16_t narrow = (uint16_t) value_size;

	memset(entry, 0, mg_entry_size(layout, level));
	entry[0] = layout->coded ? MG_ENTRY_CODED : MG_ENTRY_PLAIN;
	entry[1] = (uint8_t) level;
	memcpy(entry + 6, &narrow, sizeof narrow);
	mg_entry_set_below(entry, MG_NO_NODE);
	memcpy(entry + MG_ENTRY_HEADER, value, value_size);
}

void
mg_entry_set_below(uint8_t *entry, uint32_t below)
{
	memcpy(entry + 8, &below, sizeof below);
}

void
mg_entry_set_more(uint8_t *entry, uint32_t more)
{
	memcpy(entry + 8, &more, sizeof more);
}

void
mg_entry_set_fingerprint(const MgEntryLayout *layout, uint8_t *value, uint64_t fingerprint)
{
	memcpy(value + layout->value_size - sizeof fingerprint, &fingerprint, sizeof fingerprint);
}

void
mg_entry_append_link(const MgEntryLayout *layout, uint8_t *entry, const uint8_t *link)
{
	uint32_t n = mg_entry_n_links(entry);

	memcpy((uint8_t *) mg_entry_link(layout, entry, n), link, layout->link_size);
	mg_entry_set_n_links(entry, n + 1);
}

void
mg_entry_swap_links(const MgEntryLayout *layout, uint8_t *entry, uint32_t a, uint32_t b)
{
	uint8_t *left = (uint8_t *) mg_entry_link(layout, entry, a), *right = (uint8_t *) mg_entry_link(layout, entry, b);

	for (uint32_t i = 0; a != b && i < layout->link_size; i++)
	{
		uint8_t byte = left[i];

		left[i] = right[i];
		right[i] = byte;
	}
}

void
mg_entry_remove_link(const MgEntryLayout *layout, uint8_t *entry, uint32_t slot)
{
	uint32_t last = mg_entry_n_links(entry) - 1;

	if (slot < last)
		memcpy((uint8_t *) mg_entry_link(layout, entry, slot), mg_entry_link(layout, entry, last), layout->link_size);
	mg_entry_set_n_links(entry, last);
}

bool
mg_entry_add_item(const MgEntryLayout *layout, uint8_t *entry, const void *item)
{
	if (mg_entry_deleted(entry) || entry[3] >= layout->shape.max_items)
		return false;
	memcpy(mg_entry_item(layout, entry, entry[3]), item, layout->shape.item_size);
	entry[3]++;
	return true;
}

uint32_t
mg_entry_remove_items(const MgEntryLayout *layout, uint8_t *entry, bool (*gone)(void *user, const void *item), void *user)
{
	uint32_t kept = 0, n = entry[3];

	for (uint32_t i = 0; i < n; i++)
	{
		uint8_t *item = mg_entry_item(layout, entry, i);

		if (gone(user, item))
			continue;
		if (kept < i)
			memcpy(mg_entry_item(layout, entry, kept), item, layout->shape.item_size);
		kept++;
	}
	entry[3] = (uint8_t) kept;
	if (kept == 0 && mg_entry_more(entry) == MG_NO_NODE)
		mg_entry_delete(entry);
	return n - kept;
}

void
mg_entry_delete(uint8_t *entry)
{
	entry[2] |= MG_ENTRY_DELETED;
}

uint32_t
mg_entry_find_link(const MgEntryLayout *layout, const uint8_t *entry, uint32_t id)
{
	uint32_t n = mg_entry_n_links(entry);

	for (uint32_t slot = 0; slot < n; slot++)
		if (mg_entry_link_id(layout, entry, slot) == id)
			return slot;
	return MG_NO_NODE;
}

MgApplied
mg_edge_apply(const MgEntryLayout *layout, uint8_t *entry, const MgEdge *edge)
{
	uint32_t n = mg_entry_n_links(entry);

	if (mg_entry_deleted(entry) ||
		(edge->link != NULL && mg_entry_find_link(layout, entry, mg_entry_u32(edge->link)) != MG_NO_NODE))
		return MG_NOT_NEEDED;
	if (edge->expected == MG_NO_NODE)
	{
		if (edge->link == NULL || edge->slot != n || n >= mg_entry_slots(layout, mg_entry_level(entry)))
			return MG_CHANGED;
		mg_entry_append_link(layout, entry, edge->link);
		return MG_APPLIED;
	}
	if (edge->slot >= n || edge->slot < mg_entry_n_ways(entry) ||
		mg_entry_link_id(layout, entry, edge->slot) != edge->expected)
		return MG_CHANGED;
	if (edge->link == NULL)
		mg_entry_remove_link(layout, entry, edge->slot);
	else
		memcpy((uint8_t *) mg_entry_link(layout, entry, edge->slot), edge->link, layout->link_size);
	return MG_APPLIED;
}
