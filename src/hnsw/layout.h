/*
 * The bytes of an entry: one node on one level of the graph. README.md has
 * the picture. All numbers are in the machine's order, as on a page.
 *
 *   0  u8   form       MG_ENTRY_CODED or MG_ENTRY_PLAIN
 *   1  u8   level
 *   2  u8   flags      MG_ENTRY_DELETED
 *   3  u8   n_items    heap tuples that have this vector, without those in chunks; 0 above level 0
 *   4  u8   n_links    slots in use: the first ones
 *   5  u8   n_ways     links that are ways (ways.h): the first ones
 *   6  u16  value_size bytes of the value that are used
 *   8  u32  below      above level 0: id of the same node's entry one level lower
 *           more       on level 0: id of the first chunk (items.h); MG_NO_NODE: none
 *  12  value           coded: the node's own code (code.h), u64 fingerprint; plain: bytes that the store gave
 *      items           [max_items, item_size], opaque; on level 0 only
 *      links           [2 m on level 0, else m], each link_size bytes, from a multiple of 4 on
 *
 *   a link: u32 id; coded: and bf16 offset, bf16 factor, code_bits / 8 bytes of signs (code.h)
 *
 * An id names an entry, so a link on level 2 leads to an entry of level 2.
 * Ids are made by the store (a page and a slot in it, say); the library only
 * compares them.
 */
#ifndef MG_HNSW_LAYOUT_H
#define MG_HNSW_LAYOUT_H

#include "core/ctx.h"

#define MG_NO_NODE UINT32_MAX
#define MG_ENTRY_CODED 1
#define MG_ENTRY_PLAIN 2
#define MG_ENTRY_CHUNK 3 /* no entry, but in an entry's place: items.h */
#define MG_ENTRY_DELETED 1 /* no heap tuple is left: passed through by searches, never returned, never linked to */
#define MG_ENTRY_HEADER 12
#define MG_MAX_M 100
#define MG_MAX_LEVEL 31
#define MG_MAX_DIMS 16384

typedef enum MgGraphMetric
{
	MG_GRAPH_L2, /* squared; cosine is this on vectors of length 1, and the distance twice 1 - cos */
	MG_GRAPH_IP, /* -<a, b> */
	MG_GRAPH_PLAIN /* the store's own (l1, hamming, jaccard; sparse values): entries are plain */
} MgGraphMetric;

/* What an index stores of its shape; everything else follows. */
typedef struct MgShape
{
	MgGraphMetric metric;
	uint32_t dims;		 /* coded: 1..MG_MAX_DIMS; plain: unused */
	uint32_t code_bits;	 /* coded: signs a link keeps: a multiple of 16, from 64 to padded dims; mg_layout_code_bits chooses */
	uint32_t value_size; /* plain: most bytes that a value has; coded: follows from dims, 0 */
	uint32_t m;			 /* 2..MG_MAX_M */
	uint32_t item_size, max_items; /* heap tuples of equal vectors that an entry has room for; at most 255 */
} MgShape;

typedef struct MgEntryLayout
{
	MgShape shape;
	bool coded;
	uint32_t padded;	 /* coded: dims rounded up to a multiple of 64 */
	uint32_t value_size; /* room for the value */
	uint32_t link_size;
	uint32_t chunk_items; /* room of a chunk, which takes as much as an entry of level 0 */
	uint32_t links_at[2]; /* on level 0, above */
	uint32_t n_slots[2];  /* 2 m, m */
	uint32_t entry_size[2];
} MgEntryLayout;

/* MG_BAD_ARGUMENT when the shape is out of range (it comes from a page: every field is checked). */
bool mg_layout_init(MgCtx *cx, MgEntryLayout *layout, const MgShape *shape);

/*
 * The bits of a link's code, so that entries fill pages well: as many as the
 * padded dims, or as fit a page at all. Up to three tenths of these, or all beyond
 * 448, are given up if more entries of level 0 then fit a page; and a fifth of what is left if
 * an entry from above then fits beside those of level 0, so that these need no pages of their own.
 *
 * room: bytes of a page for entries; overhead: bytes that each takes besides
 * its own. 0: not one entry fits, the caller refuses the index.
 */
uint32_t mg_layout_code_bits(const MgShape *shape, uint32_t room, uint32_t overhead);

static inline uint32_t
mg_entry_size(const MgEntryLayout *layout, int level)
{
	return layout->entry_size[level > 0];
}

static inline uint32_t
mg_entry_slots(const MgEntryLayout *layout, int level)
{
	return layout->n_slots[level > 0];
}

static inline uint16_t
mg_entry_u16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

static inline uint32_t
mg_entry_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

static inline int
mg_entry_level(const uint8_t *entry)
{
	return entry[1];
}

static inline bool
mg_entry_deleted(const uint8_t *entry)
{
	return (entry[2] & MG_ENTRY_DELETED) != 0;
}

static inline uint32_t
mg_entry_n_links(const uint8_t *entry)
{
	return entry[4];
}

static inline uint32_t
mg_entry_n_ways(const uint8_t *entry)
{
	return entry[5];
}

static inline uint32_t
mg_entry_n_items(const uint8_t *entry)
{
	return entry[3];
}

static inline uint32_t
mg_entry_value_size(const uint8_t *entry)
{
	return mg_entry_u16(entry + 6);
}

static inline uint32_t
mg_entry_below(const uint8_t *entry)
{
	return mg_entry_u32(entry + 8);
}

/* Of an entry of level 0. */
static inline uint32_t
mg_entry_more(const uint8_t *entry)
{
	return mg_entry_u32(entry + 8);
}

static inline const uint8_t *
mg_entry_value(const uint8_t *entry)
{
	return entry + MG_ENTRY_HEADER;
}

/* Of a coded entry: equal for equal vectors, and for no others (README.md). */
static inline uint64_t
mg_entry_fingerprint(const MgEntryLayout *layout, const uint8_t *entry)
{
	uint64_t fingerprint;

	memcpy(&fingerprint, entry + MG_ENTRY_HEADER + layout->value_size - sizeof fingerprint, sizeof fingerprint);
	return fingerprint;
}

static inline uint8_t *
mg_entry_item(const MgEntryLayout *layout, uint8_t *entry, uint32_t i)
{
	return entry + MG_ENTRY_HEADER + layout->value_size + i * layout->shape.item_size;
}

static inline const uint8_t *
mg_entry_link(const MgEntryLayout *layout, const uint8_t *entry, uint32_t slot)
{
	return entry + layout->links_at[entry[1] > 0] + slot * layout->link_size;
}

static inline uint32_t
mg_entry_link_id(const MgEntryLayout *layout, const uint8_t *entry, uint32_t slot)
{
	return mg_entry_u32(mg_entry_link(layout, entry, slot));
}

/*
 * Bytes of a page are foreign: true when they are an entry of this layout and
 * every count keeps within it, so that the functions here and in code.h stay
 * inside [entry, entry + mg_entry_size(level)). Factors may still be any
 * number and ids may lead anywhere: searches bear both. Stores call it on
 * each read.
 */
bool mg_entry_valid(const MgEntryLayout *layout, const uint8_t *entry, size_t size);

/*
 * Of a valid entry: whether no link leads to MG_NO_NODE, which nobody ever wrote, and which plans take for no link at all. Asked for a
 * copy of a whole entry: it reads all of it.
 */
bool mg_entry_links_valid(const MgEntryLayout *layout, const uint8_t *entry);

/* The value of a coded entry: puts the fingerprint behind the code. value [layout->value_size]. */
void mg_entry_set_fingerprint(const MgEntryLayout *layout, uint8_t *value, uint64_t fingerprint);

/* An entry without links or items. value [value_size]. entry [mg_entry_size(level)] is set whole. */
void mg_entry_start(const MgEntryLayout *layout, uint8_t *entry, int level, const void *value, uint32_t value_size);

void mg_entry_set_below(uint8_t *entry, uint32_t below);
void mg_entry_set_more(uint8_t *entry, uint32_t more);

/* There must be a free slot. */
void mg_entry_append_link(const MgEntryLayout *layout, uint8_t *entry, const uint8_t *link);

/* Appends an item; false when there is no room, or the entry is deleted. */
bool mg_entry_add_item(const MgEntryLayout *layout, uint8_t *entry, const void *item);

/* Removes the items for which gone() is true; with none left, and no chunk, the entry is deleted. The number removed. */
uint32_t mg_entry_remove_items(const MgEntryLayout *layout, uint8_t *entry, bool (*gone)(void *user, const void *item),
							   void *user);

/* Marks an entry without regard to items: for entries above level 0, whose node is deleted. */
void mg_entry_delete(uint8_t *entry);

/*
 * One change of one entry, decided on a copy of it (insert.h, repair.h).
 *   slot == expected count and expected == MG_NO_NODE: a link is appended
 *   else the link in slot, which leads to expected and is no way, is replaced; or, with no
 *   link given, removed, the last one taking its place
 */
typedef struct MgEdge
{
	uint32_t target; /* the entry to change */
	uint32_t slot;
	uint32_t expected;
	uint8_t *link; /* [link_size], arena memory; NULL: remove */
} MgEdge;

typedef enum MgApplied
{
	MG_APPLIED,
	MG_NOT_NEEDED, /* the link is already there, or the entry is deleted: nothing was changed, the edge is done */
	MG_CHANGED	   /* the entry is no longer what the plan saw: nothing was changed, plan again */
} MgApplied;

/* Under the entry's lock, on its present bytes, which are valid. */
MgApplied mg_edge_apply(const MgEntryLayout *layout, uint8_t *entry, const MgEdge *edge);

/* The slot of the link to an id, or MG_NO_NODE. */
uint32_t mg_entry_find_link(const MgEntryLayout *layout, const uint8_t *entry, uint32_t id);

/* For what knows the places of links (layout.c, ways.c). */
void mg_entry_set_n_links(uint8_t *entry, uint32_t n);
void mg_entry_set_n_ways(uint8_t *entry, uint32_t n);
void mg_entry_swap_links(const MgEntryLayout *layout, uint8_t *entry, uint32_t a, uint32_t b);
void mg_entry_remove_link(const MgEntryLayout *layout, uint8_t *entry, uint32_t slot); /* no way; the last one takes its place */

#endif
