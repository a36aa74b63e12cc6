/*
 * What scores of attention gain by the distance of a key from the query, its position less the query's:
 *
 *   q[i, h] . k[j, g]  becomes  q[i, h] . (k[j, g] + a[p, h]) + k[j, g] . b[p, h],  before it is scaled
 *   and behind that t[p, h] is added,   p = places[distance + reach]
 *
 * T5 and MPNet have t alone, DeBERTa (arXiv 2006.03654) has a and b. Distances far apart share a place, and beyond reach all do.
 * A score has one order of sums, whatever is computed beside it: ((q . k + q . a) + k . b) scale + t.
 */
#ifndef MG_TENSOR_RELATIVE_H
#define MG_TENSOR_RELATIVE_H

#include "tensor/attention.h"

struct MgRelative
{
	size_t n; /* places */
	uint32_t reach;
	const uint32_t *places; /* [2 reach + 1], each below n; of distances from -reach on */
	const float *bias;		/* t [n, heads]; NULL: none */
	const float *keys, *queries; /* a, b [n, heads * head_size], rows stride apart; NULL: none. Not with keys of a cache. */
	size_t stride;
};

/*
 * places [2 reach + 1] of T5 (arXiv 1910.10683): half of n for keys behind the query, and of each half again half for
 * distances one by one, the others for those up to most in logarithmic steps. n is at least 4.
 */
void mg_relative_buckets(uint32_t n, uint32_t most, uint32_t reach, uint32_t *places);

/*
 * places of DeBERTa: distances below n / 2 one by one, those up to most in logarithmic steps, from -n to n - 1 and with n added; the query
 * less the key counts, so that a key behind the query has the smaller one. most is more than n / 2, n at least 2. With most 0 no steps are taken.
 */
void mg_relative_log_buckets(uint32_t n, uint32_t most, uint32_t reach, uint32_t *places);

/* Between attention.c and relative.c: one call of mg_attention. */
typedef struct MgRelativeWork
{
	const MgAttention *a; /* whose relative is not NULL */
	const MgKernels *kernels;
	size_t group;
	int64_t least;		 /* distance that occurs */
	size_t first, n;	 /* places that occur */
	uint32_t *where;	 /* [distances that occur] place less first, where keys stand one behind the other; else NULL */
	float *lines;		 /* [heads, distances that occur] t, there; else NULL */
	size_t n_distances;
	size_t block;
	float *panels;	/* [packed heads of queries, 2, n up to a panel, head_size] a and b of each head, packed */
	float *answers; /* [packed heads of queries, n_keys, n] k . b */
	float *asked;	/* [threads, block, n] q . a */
} MgRelativeWork;

/* Scratch for so many heads of keys at once, threads and queries in a block; query_positions [2] are the least and the greatest. */
bool mg_relative_prepare(MgCtx *cx, MgRelativeWork *work, size_t n_heads, size_t threads, const uint32_t query_positions[2]);

/* What a and b are to the heads of queries that share this head of keys, the packed-th of those that are packed. */
void mg_relative_pack(const MgRelativeWork *work, size_t packed, size_t head);

/* q . a of n queries, for mg_relative_add in the same thread. */
void mg_relative_ask(const MgRelativeWork *work, size_t packed, size_t head, size_t query, size_t n, size_t thread);

/* Adds q . a and k . b to the products of the i-th of these queries. */
void mg_relative_add(const MgRelativeWork *work, size_t packed, size_t i, size_t thread, const MgScores *scores);

/* Adds t. */
void mg_relative_bias(const MgRelativeWork *work, const MgScores *scores);

#endif
