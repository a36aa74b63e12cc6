/* What the architectures' forward passes share. */
#ifndef MG_MODEL_BLOCKS_H
#define MG_MODEL_BLOCKS_H

#include "model/model.h"

/* Where attention over a packed batch reads and writes; h is heads * head_size. */
typedef struct MgAttendBatch
{
	const float *q; /* [n_tokens or n_rows, h] */
	size_t q_stride;
	const float *k, *v; /* [n_tokens, h] */
	size_t kv_stride;
	size_t heads, head_size;
	float *out; /* [as q, h], contiguous */
} MgAttendBatch;

/*
 * Bidirectional attention of each sequence over itself, scaled by
 * 1/sqrt(head_size). rows NULL: q has a row for each token; otherwise one for
 * each of the batch's wanted rows, in their order. Polls.
 */
bool mg_attend_batch(MgCtx *cx, const MgModel *model, const MgBatch *batch, const uint32_t *rows,
					 const MgAttendBatch *attend);

#endif
