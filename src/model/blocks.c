/* Attention over packed sequences. */
#include "model/blocks.h"

#include <math.h>

#include "tensor/cached.h"

static float
scale_of(const MgAttendBatch *attend)
{
	return attend->scale != 0 ? attend->scale : 1.0f / sqrtf((float) attend->head_size);
}

/* Positions of the rows [first, end) of a sequence, which are tokens of the batch. */
static const uint32_t *
positions_of(MgCtx *cx, const MgBatch *batch, size_t sequence, const uint32_t *rows, size_t first, size_t end)
{
	uint32_t *positions = mg_alloc_array(cx, end - first, sizeof *positions);

	for (size_t i = first; i < end && positions != NULL; i++)
		positions[i - first] = mg_batch_position(batch, sequence, rows[i]);
	return positions;
}

/* Rows [first, end) of one sequence. */
static bool
attend_sequence(const MgRun *run, const MgBatch *batch, size_t sequence, const uint32_t *rows,
				size_t first, size_t end, const MgAttendBatch *attend)
{
	size_t token = batch->offsets[sequence], n = batch->offsets[sequence + 1] - token;
	const float *k = attend->k + token * attend->kv_stride, *v = attend->v + token * attend->kv_stride;
	MgKeys *keys = attend->keys != NULL ? &attend->keys[mg_batch_slot(batch, sequence)] : NULL;
	size_t h = attend->heads * attend->head_size;
	MgAttention a = {.q = attend->q + first * attend->q_stride, .q_stride = attend->q_stride, .n_queries = end - first,
					 .k = k, .v = v, .k_stride = attend->kv_stride, .v_stride = attend->kv_stride, .n_keys = n,
					 .heads = attend->heads, .kv_heads = attend->kv_heads, .head_size = attend->head_size,
					 .scale = scale_of(attend),
					 .soft_cap = attend->soft_cap, .window = attend->window,
					 .bias = attend->bias, .bias_user = attend->bias_user, .relative = attend->relative,
					 .out = attend->out + first * h, .out_stride = h};
	MgMark mark = mg_mark(run->cx);

	if (keys != NULL)
	{
		mg_keys_truncate(keys, mg_batch_past(batch, sequence));
		mg_keys_append(keys, k, attend->kv_stride, v, attend->kv_stride, n);
		a.keys = keys;
		a.n_keys = keys->n;
	}
	else if (batch->positions != NULL)
		a.key_positions = batch->positions + token;
	if (a.n_queries == 0)
		return true;
	if (rows != NULL && (attend->window != NULL || attend->bias != NULL || attend->relative != NULL) &&
		(a.query_positions = positions_of(run->cx, batch, sequence, rows, first, end)) == NULL)
		return false;
	if (!mg_attention(run->cx, run->compute, &a))
		return false;
	mg_rewind(run->cx, mark);
	return true;
}

/* All of a batch over narrow keys. */
static bool
attend_cached(const MgRun *run, const MgBatch *batch, const uint32_t *rows, const MgAttendBatch *attend)
{
	size_t n = rows != NULL ? batch->n_rows : batch->n_tokens, h = attend->heads * attend->head_size, stride = attend->kv_stride;
	MgMark mark = mg_mark(run->cx);
	MgCachedQuery *queries = mg_alloc_array(run->cx, n, sizeof *queries);
	MgCachedAttention a = {.q = attend->q, .q_stride = attend->q_stride, .queries = queries, .n = n,
						   .heads = attend->heads, .kv_heads = attend->kv_heads > 0 ? attend->kv_heads : attend->heads,
						   .head_size = attend->head_size, .scale = scale_of(attend), .soft_cap = attend->soft_cap,
						   .window = attend->window, .bias = attend->bias, .bias_user = attend->bias_user,
						   .out = attend->out, .out_stride = h};

	if (queries == NULL)
		return false;
	for (size_t s = 0, row = 0; s < batch->n_sequences; s++)
	{
		MgKeys *keys = &attend->keys[mg_batch_slot(batch, s)];
		size_t token = batch->offsets[s], end = batch->offsets[s + 1];

		mg_keys_truncate(keys, mg_batch_past(batch, s));
		mg_keys_append(keys, attend->k + token * stride, stride, attend->v + token * stride, stride, end - token);
		for (; row < n && (rows != NULL ? rows[row] : row) < end; row++)
			queries[row] = (MgCachedQuery){keys, mg_batch_past(batch, s) + (uint32_t) ((rows != NULL ? rows[row] : row) - token)};
	}
	if (!mg_cached_attention(run->cx, run->compute, &a))
		return false;
	mg_rewind(run->cx, mark);
	return true;
}

bool
mg_attend_batch(const MgRun *run, const MgBatch *batch, const uint32_t *rows,
				const MgAttendBatch *attend)
{
	uint64_t begin = mg_profile_begin(run->compute);
	bool narrow = attend->keys != NULL && attend->keys->narrow_keys != NULL;
	size_t row = 0;

	if (narrow && !attend_cached(run, batch, rows, attend))
		return false;
	for (size_t s = 0; s < batch->n_sequences && !narrow; s++)
	{
		size_t first = row, end = batch->offsets[s + 1];

		if (rows == NULL)
			row = end;
		while (rows != NULL && row < batch->n_rows && rows[row] < end)
			row++;
		if (!attend_sequence(run, batch, s, rows, first, row, attend))
			return false;
	}
	mg_profile_end(run->compute, MG_PHASE_ATTENTION, begin);
	return true;
}
