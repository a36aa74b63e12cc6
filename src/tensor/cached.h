/*
 * Attention of queries of several sequences at once, over narrow keys that a cache keeps for each (MgKeys).
 *
 *   queries   | a | b | c |                 neighbours whose keys have one beginning
 *   scores    | beginning, all together | own, sequence by sequence |
 *   out = weights values of the beginning, and behind them in the same chains those of its own
 *
 * Heads that share keys are rows of one product. What a query gives depends on itself and the keys that it sees, in their order alone: not
 * on the queries beside it, nor on how many of its keys are lent. A query and weights are rounded to bfloat16 before they are multiplied.
 */
#ifndef MG_TENSOR_CACHED_H
#define MG_TENSOR_CACHED_H

#include "tensor/attention.h"

typedef struct MgCachedQuery
{
	const MgKeys *keys;
	uint32_t position; /* among the keys, which stand at 0, 1, 2 ...; the query sees those up to itself that window allows */
} MgCachedQuery;

/* As MgAttention, where it has the same names. */
typedef struct MgCachedAttention
{
	const float *q;
	size_t q_stride;
	const MgCachedQuery *queries; /* [n] */
	size_t n;
	size_t heads, kv_heads, head_size;
	float scale, soft_cap;
	const MgWindow *window;
	void (*bias)(const void *user, const MgScores *scores);
	const void *bias_user;
	float *out;
	size_t out_stride;
} MgCachedAttention;

/* Polls; false when stopped or out of memory. */
bool mg_cached_attention(MgCtx *cx, const MgCompute *compute, const MgCachedAttention *attention);

#endif
