/*
 * Softmax attention of one sequence, all heads:
 *
 *   out[i, h] = sum_j p[i, j] v[j, g],   p[i, :] = softmax_j(cap(scale q[i, h] . k[j, g]) + bias[h, i, j])
 *
 * where j runs over the range of keys that query i sees, and g = h / (heads / kv_heads).
 *
 * What a query sees is a range [first, last) of the keys, given by its position and a window. A sum over it has one
 * order, which depends on the range alone: not on other queries, other keys, the block of queries that is computed at
 * once, or when the keys were packed. So a sequence that is computed as a whole, in pieces, or token by token over keys
 * that were kept has the same bits.
 *
 * Numbers are row-major float32 as in compute.h.
 */
#ifndef MG_TENSOR_ATTENTION_H
#define MG_TENSOR_ATTENTION_H

#include "tensor/compute.h"

/*
 * A query at position p sees the keys at positions p - before to p + after.
 *
 *   causal                    {MG_UNBOUNDED, 0}
 *   local, 129 keys           {64, 64}
 *   causal, the last w keys   {w - 1, 0}
 */
typedef struct MgWindow
{
	uint32_t before, after;
} MgWindow;

#define MG_UNBOUNDED UINT32_MAX

/*
 * Keys and values of one sequence in the form that products want. A cache owns them, one for each layer; n keys are
 * there, and room for more.
 *
 *   keys    [heads][padded room / MG_PANEL][head_size][MG_PANEL]    packed like a weight
 *   values  [heads][padded head_size / MG_PANEL][room][MG_PANEL]    panels of columns
 *
 * Or as bfloat16, for models whose weights are coarser than that, where products take numbers in pairs (MgPairProduct):
 *
 *   narrow_keys    [heads][padded room / MG_PANEL][head_size / 2][MG_PANEL][2]
 *   narrow_values  [heads][padded head_size / MG_PANEL][room / 2][MG_PANEL][2]
 *
 * Such keys may lend their beginning to other sequences: base has the first n_base of them, whole panels, and what follows is a sequence's own.
 */
typedef struct MgKeys
{
	size_t heads, head_size;
	size_t room;
	size_t n;
	float *keys;
	float *values;
	bool finite; /* whether all values are finite numbers */
	uint16_t *narrow_keys, *narrow_values; /* instead of keys and values */
	const struct MgKeys *base;
	size_t n_base;
} MgKeys;

/* Floats of keys and of values; false on overflow. */
bool mg_keys_size(size_t heads, size_t head_size, size_t room, size_t *n_keys, size_t *n_values);

/* The same of narrow ones. */
bool mg_pair_keys_size(size_t heads, size_t head_size, size_t room, size_t *n_keys, size_t *n_values);

/* Appends n keys and values [n, heads * head_size], each with its stride; there must be room for them. */
void mg_keys_append(MgKeys *keys, const float *k, size_t k_stride, const float *v, size_t v_stride, size_t n);

/* Gives to, of the same form and room, the first n keys of from; what it had is forgotten. */
void mg_keys_copy(const MgKeys *from, size_t n, MgKeys *to);

/* The same, but narrow ones are lent: from has no base of its own, and those keys of it stay as they are while to has them. */
void mg_keys_share(const MgKeys *from, size_t n, MgKeys *to);

/* The first n keys stay, at most as many as there are; the others can be appended again. */
void mg_keys_truncate(MgKeys *keys, size_t n);

/*
 * Keys of MG_PANEL tokens, from the one first on, a multiple of that: copied to memory for k and v, whose size is that of such room, and appended
 * to other keys of the same form, which hold a multiple of MG_PANEL tokens. finite is what the keys were saved with.
 */
void mg_keys_save(const MgKeys *keys, size_t first, void *k, void *v);
void mg_keys_load(MgKeys *keys, const void *k, const void *v, bool finite);

/* Scores by distance: tensor/relative.h. */
typedef struct MgRelative MgRelative;

/* Scores of one query in one head, for a bias: what is added to scores[j] belongs to key first + j. */
typedef struct MgScores
{
	size_t head;
	uint32_t position;			   /* of the query */
	const uint32_t *key_positions; /* as in MgAttention: NULL when key j stands at j */
	size_t first, n;
	float *scores; /* [n] */
} MgScores;

typedef struct MgAttention
{
	const float *q;		 /* [n_queries, heads * head_size] */
	const float *k, *v;	 /* [n_keys, kv_heads * head_size] */
	const MgKeys *keys;	 /* instead of k and v: n_keys of them */
	size_t q_stride, k_stride, v_stride;
	size_t n_queries, n_keys;
	size_t heads, kv_heads; /* heads is a multiple of kv_heads; 0: as many */
	size_t head_size;
	float scale;
	float soft_cap; /* cap(s) = soft_cap tanh(s / soft_cap); 0: none */

	/* NULL: each query sees all keys, and positions matter to a bias alone. */
	const MgWindow *window;
	const uint32_t *key_positions;	 /* [n_keys], ascending; NULL: 0, 1, 2 ... */
	const uint32_t *query_positions; /* [n_queries], of any order; NULL: those of the last n_queries keys */

	/* Adds to scores; pure, runs in any thread. NULL: none. */
	void (*bias)(const void *user, const MgScores *scores);
	const void *bias_user;
	const MgRelative *relative; /* the same by distance; NULL: none */

	float *out; /* [n_queries, heads * head_size], may not overlap the inputs; zeros for a query that sees nothing */
	size_t out_stride;
} MgAttention;

/* Scratch comes from cx and is rewound. Polls; false when stopped or out of memory. */
bool mg_attention(MgCtx *cx, const MgCompute *compute, const MgAttention *attention);

#endif
