/*
 * A graph: how its entries look and the store that keeps them. The store is
 * the caller's: pages of an index, or memory (memstore.h).
 *
 * The library gets copies, never views, and holds no lock of the store: between
 * two calls anything may change. A reader meets ids that are gone, entries
 * that were reused for another node, links that lead nowhere; it then finds a
 * little less, and nothing worse.
 */
#ifndef MG_HNSW_GRAPH_H
#define MG_HNSW_GRAPH_H

#include "hnsw/code.h"
#include "hnsw/layout.h"

typedef struct MgStore
{
	void *user; /* handed back to each function */

	/* Where searches start and its level; MG_NO_NODE when the graph is empty. False: an error was recorded. */
	bool (*entry_point)(void *user, MgCtx *cx, uint32_t *id, int *level);

	/*
	 * Copies an entry into entry [layout->entry_size[0]], of which mg_entry_valid
	 * was asked. *found is false, and that is no error, when there is no such
	 * entry (any id may be asked for) or it is not valid. False: an error was recorded.
	 */
	bool (*read)(void *user, MgCtx *cx, uint32_t id, uint8_t *entry, bool *found);

	/* Plain entries only: the distance of two values; pure. */
	float (*distance)(void *user, const void *a, uint32_t a_size, const void *b, uint32_t b_size);

	/* May be NULL: this entry will be read soon, or peeked at. True: reads take long at present, so several should be under way at a time. */
	bool (*prefetch)(void *user, uint32_t id, bool whole);

	/* May be NULL: as read, but only what is before the links is copied. */
	bool (*peek)(void *user, MgCtx *cx, uint32_t id, uint8_t *entry, bool *found);
} MgStore;

typedef struct MgGraph
{
	const MgEntryLayout *layout;
	const MgRotation *rotation;		/* coded; NULL for plain */
	MgCpuLevel cpu;					/* of the kernels */
	const MgCodeKernels *kernels;	/* coded; NULL for plain */
	MgStore store;
} MgGraph;

/* What a call cost; functions add to it. */
typedef struct MgCounts
{
	uint64_t entries;	/* entries read */
	uint64_t estimates; /* distances estimated from links' codes */
	uint64_t distances; /* distances computed from own codes or plain values */
} MgCounts;

/* One node in this many of a level is also on the next. Twice HNSW's m: a step reads one entry, so a few more are cheap. */
static inline uint32_t
mg_level_ratio(uint32_t m)
{
	return 2 * m;
}

/* The level of a new node from 64 random bits: 0, and one higher each time with probability 1 / mg_level_ratio(m). */
int mg_level(const MgEntryLayout *layout, uint64_t random);

#endif
