/*
 * Best-first search (HNSW, arXiv 1603.09320, algorithms 2 and 5, over
 * estimated distances), which goes on where it stopped.
 *
 *   mg_search_begin, then mg_search_next until it gives nothing or the caller has enough
 *
 * Each call of mg_search_next returns a batch in the order of distances from
 * own codes (coded) or values (plain): the ef nearest that are not yet
 * returned. No node is returned twice. A later batch may hold a node nearer
 * than the last of an earlier one, as the search is approximate; a caller who
 * needs strict order leaves such out, or re-ranks.
 *
 * Distances of own codes are some per cent off. The caller re-ranks: takes a
 * batch, computes exact distances of the first few items, orders by them.
 */
#ifndef MG_HNSW_SEARCH_H
#define MG_HNSW_SEARCH_H

#include "hnsw/graph.h"

typedef struct MgSearchOptions
{
	uint32_t ef;		   /* at least 1: nodes of a batch, and how far the search looks */
	uint32_t widest_ef;	   /* above ef: each batch is twice as wide as the one before, up to this; going on costs what waits, too */
	uint64_t max_expanded; /* nodes that may be expanded in all; 0: no bound */
	size_t max_memory;	   /* bytes of candidates and results; 0: no bound */

	/*
	 * Search by radius: a batch holds, beside the ef nearest, all within this
	 * distance (in the metric's own measure: squared for l2), and the search goes on as
	 * long as a candidate may be within. -INFINITY: no radius.
	 */
	float radius;
} MgSearchOptions;

typedef struct MgFound
{
	float distance;
	uint32_t id;
	uint32_t n_items;
	const uint8_t *items; /* [n_items, item_size], the search's memory until the next call of mg_search_next */
	uint32_t more;		  /* id of the first chunk of further ones (items.h), or MG_NO_NODE */
} MgFound;

typedef struct MgSearch MgSearch;

/* In the arena; query and graph stay the caller's and must outlive it. NULL: an error was recorded. */
MgSearch *mg_search_begin(MgCtx *cx, const MgGraph *graph, const MgQuery *query, const MgSearchOptions *options);

/* The next batch; *n is 0 at the end. found is valid until the next call. Polls. False: an error was recorded. */
bool mg_search_next(MgCtx *cx, MgSearch *search, const MgFound **found, size_t *n);

/* The next batch holds so many nodes at most, whatever the one before held. It is no wider than widest_ef. */
void mg_search_narrow(MgSearch *search, uint32_t ef);

/* Another bound than that of the options, from the next batch on; what is found until it is reached is still given. */
void mg_search_limit(MgSearch *search, uint64_t max_expanded);

/* True when the end came from max_expanded or max_memory: there may be more. */
bool mg_search_bounded(const MgSearch *search);

/* So far. */
const MgCounts *mg_search_counts(const MgSearch *search);

#endif
