/*
 * The shared block of build.h, from within. A node is named by its offset in
 * units of 16 bytes, which is never 0; the nodes follow each other:
 *
 *   BuildNode, items, value, then for each level from 0 on a BuildList
 *
 *   coded value: f32 scale, f32 |x|^2, int8 [padded]: x_i = scale * byte_i, in rotated space; u64 fingerprint
 *
 * Between them lie chunks of items that nodes had no room for. Before the first node comes a table from values to nodes, by
 * fingerprint: open addressing, filled up to four fifths, never changed but from 0.
 *
 * A list has half as many slots again as the finished entry: the heuristic then
 * runs once for so many links, not once for each, which is most of the time
 * of a build. What is too much is cut when the graph is emitted.
 */
#ifndef MG_HNSW_BLOCK_H
#define MG_HNSW_BLOCK_H

#include <stdatomic.h>

#include "hnsw/build.h"
#include "vector/distance.h"

#define MG_BLOCK_UNIT 16
#define MG_BLOCK_LARGEST ((uint64_t) UINT32_MAX * MG_BLOCK_UNIT)

typedef _Atomic uint32_t MgSpinLock;

struct MgBuild
{
	MgEntryLayout layout;
	uint32_t ef_construction;
	uint64_t size;
	_Atomic uint64_t used; /* bytes */
	_Atomic uint64_t n_nodes;
	MgSpinLock lock; /* of the entry point */
	uint32_t entry_point; /* 0: none yet */
	int entry_level;
	uint32_t table_mask;
	_Atomic uint32_t n_in_table;
	bool ordered; /* the table has the nodes in the order of tour.h */
	_Atomic uint32_t table[]; /* [table_mask + 1]: nodes, 0: empty; once all are in, their order, or where ranges of them begin */
};

typedef struct BuildNode
{
	MgSpinLock lock; /* of items, chunks and all lists */
	uint8_t level;	 /* BLOCK_CHUNK: is a BuildChunk */
	uint8_t n_items;
	uint16_t value_size;
	uint32_t more; /* the newest chunk; 0: none */
} BuildNode;

#define BLOCK_CHUNK 0xFF

typedef struct BuildChunk
{
	MgSpinLock unused;
	uint8_t level;
	uint8_t unused_too;
	uint16_t n_items;
	uint32_t next; /* 0: none */
	uint32_t placed;
	uint8_t items[]; /* [chunk_items, item_size] */
} BuildChunk;

typedef struct BuildList
{
	uint32_t placed; /* the id of the entry, once emission has one */
	uint16_t n, n_ways;
	uint32_t nodes[];
} BuildList;

/* Bytes before the first node. */
static inline uint64_t
block_start(uint32_t table_mask)
{
	return (sizeof(MgBuild) + ((uint64_t) table_mask + 1) * sizeof(uint32_t) + 63) / 64 * 64;
}

static inline BuildNode *
block_node(const MgBuild *build, uint32_t node)
{
	return (BuildNode *) ((uintptr_t) build + (uint64_t) node * MG_BLOCK_UNIT);
}

static inline BuildChunk *
block_chunk(const MgBuild *build, uint32_t chunk)
{
	return (BuildChunk *) block_node(build, chunk);
}

static inline uint8_t *
block_items(BuildNode *node)
{
	return (uint8_t *) node + sizeof(BuildNode);
}

static inline uint32_t
block_items_size(const MgEntryLayout *layout)
{
	return (layout->shape.max_items * layout->shape.item_size + 3) / 4 * 4;
}

static inline uint8_t *
block_value(const MgEntryLayout *layout, BuildNode *node)
{
	return block_items(node) + block_items_size(layout);
}

/* With the slots that are over. */
static inline uint32_t
block_slots(const MgEntryLayout *layout, int level)
{
	return layout->n_slots[level > 0] + (layout->n_slots[level > 0] + 1) / 2;
}

static inline size_t
block_list_size(const MgEntryLayout *layout, int level)
{
	return sizeof(BuildList) + block_slots(layout, level) * sizeof(uint32_t);
}

static inline BuildList *
block_list(const MgEntryLayout *layout, BuildNode *node, int level)
{
	uint8_t *at = block_value(layout, node) + (node->value_size + 3u) / 4 * 4;

	if (level > 0)
		at += block_list_size(layout, 0) + (size_t) (level - 1) * block_list_size(layout, 1);
	return (BuildList *) at;
}

size_t mg_block_node_size(const MgEntryLayout *layout, uint32_t value_size, int level);
size_t mg_block_chunk_size(const MgEntryLayout *layout);

/* Room of so many bytes, a multiple of MG_BLOCK_UNIT, set to 0; 0 when the block is full. */
uint32_t mg_block_take(MgBuild *build, uint64_t size);

/* The node that was added after this one; the first one after 0. 0 when there is none. */
uint32_t mg_block_next(const MgBuild *build, const MgEntryLayout *layout, uint32_t node);

/* Nodes in ranges, some ms of work each: by one process; and a range of them. Polls. */
bool mg_block_split(MgCtx *cx, MgBuild *build, const MgEntryLayout *layout, uint32_t *n_ranges);

typedef struct MgBlockWalk
{
	MgBuild *build;
	const MgEntryLayout *layout;
	uint64_t first, left; /* first: of the range, in the order of all */
	uint32_t at; /* ordered: of the table; else the node */
} MgBlockWalk;

MgBlockWalk mg_block_walk(MgBuild *build, const MgEntryLayout *layout, uint32_t range);
uint32_t mg_block_walk_next(MgBlockWalk *walk); /* 0: the end */

void mg_spin_lock(MgSpinLock *lock);
void mg_spin_unlock(MgSpinLock *lock);

/* Distances of values in the form that the block keeps. */
typedef struct MgBlockSpace
{
	const MgGraph *graph;
	MgPairDistance bytes; /* coded: - <a, b> of int8, where the graph's kernels have no byte_sum */
	uint32_t n;			  /* coded: bytes of a value; 0: plain */
	bool ip;
} MgBlockSpace;

MgBlockSpace mg_block_space(const MgGraph *graph);

/* Coded: the sum of products of the first n bytes of two values. */
static inline float
mg_block_bytes(const MgBlockSpace *space, const uint8_t *a, const uint8_t *b, uint32_t n)
{
	if (space->bytes == NULL)
		return (float) space->graph->kernels->byte_sum((const int8_t *) a + 8, (const int8_t *) b + 8, n);
	return (float) -space->bytes(a + 8, b + 8, n);
}

static inline float
mg_block_distance(const MgBlockSpace *space, const uint8_t *a, uint32_t a_size, const uint8_t *b, uint32_t b_size)
{
	const MgStore *store = &space->graph->store;
	float left[2], right[2], product, distance;

	if (space->n == 0)
		return store->distance(store->user, a, a_size, b, b_size);
	memcpy(left, a, sizeof left);
	memcpy(right, b, sizeof right);
	product = left[0] * right[0] * mg_block_bytes(space, a, b, space->n);
	if (space->ip)
		return -product;
	distance = left[1] + right[1] - 2 * product;
	return distance < 0 ? 0 : distance;
}

/* Room for choosing among the links of a list. */
typedef struct MgPruner
{
	MgBlockSpace space;
	const uint8_t **values; /* [most] */
	uint32_t *sizes, *nodes, *chosen;
	float *distances;
} MgPruner;

bool mg_pruner_init(MgCtx *cx, MgPruner *pruner, const MgGraph *graph);

/* Keeps the best `most` links of a node's list, whose lock is held. */
void mg_pruner_cut(MgPruner *pruner, MgBuild *build, BuildNode *node, int level, uint32_t most);

#endif
