/* What the architectures' forward passes share. */
#ifndef MG_MODEL_BLOCKS_H
#define MG_MODEL_BLOCKS_H

#include "model/run.h"
#include "tensor/attention.h"

/* Where attention over a packed batch reads and writes, and what its queries see; h is heads * head_size. */
typedef struct MgAttendBatch
{
	const float *q; /* [n_tokens or n_rows, h] */
	size_t q_stride;
	const float *k, *v; /* [n_tokens, kv_heads * head_size] */
	size_t kv_stride;
	size_t heads, head_size;
	float *out; /* [as q, h], contiguous */

	size_t kv_heads;		/* 0: heads */
	float scale;			/* 0: 1 / sqrt(head_size) */
	float soft_cap;			/* 0: none */
	const MgWindow *window; /* by the batch's positions; NULL: all of the sequence */
	void (*bias)(const void *user, const MgScores *scores);
	const void *bias_user;
	const MgRelative *relative; /* tensor/relative.h; NULL: none. Not with a cache. */

	/* Of a cache, by slot: each sequence's k and v are appended to its keys, and its queries see all of these. NULL: no past. */
	MgKeys *keys;
} MgAttendBatch;

/*
 * Attention of each sequence over itself and its past. rows NULL: q has a row
 * for each token; otherwise one for each of the batch's wanted rows, in their
 * order. With keys, positions count from 0: the batch's own are not read. Polls.
 */
bool mg_attend_batch(const MgRun *run, const MgBatch *batch, const uint32_t *rows,
					 const MgAttendBatch *attend);

#endif
