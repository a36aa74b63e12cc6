/* Attention over packed sequences. */
#include "model/blocks.h"

#include <math.h>

#include "tensor/attention.h"

bool
mg_attend_batch(MgCtx *cx, const MgModel *model, const MgBatch *batch, const uint32_t *rows,
				const MgAttendBatch *attend)
{
	size_t h = attend->heads * attend->head_size, row = 0;
	uint64_t begin = mg_profile_begin(&model->compute);
	MgAttention a = {.q_stride = attend->q_stride,
					 .k_stride = attend->kv_stride,
					 .v_stride = attend->kv_stride,
					 .heads = attend->heads,
					 .head_size = attend->head_size,
					 .out_stride = h};

	a.scale = 1.0f / sqrtf((float) a.head_size);
	for (size_t s = 0; s < batch->n_sequences; s++)
	{
		size_t first = batch->offsets[s], end = batch->offsets[s + 1], first_row = first;

		a.n_keys = a.n_queries = end - first;
		if (rows != NULL)
		{
			first_row = row;
			while (row < batch->n_rows && rows[row] < end)
				row++;
			a.n_queries = row - first_row;
		}
		if (a.n_queries == 0)
			continue;
		a.q = attend->q + first_row * attend->q_stride;
		a.k = attend->k + first * attend->kv_stride;
		a.v = attend->v + first * attend->kv_stride;
		a.out = attend->out + first_row * h;
		if (!mg_attention(cx, &model->compute, &a))
			return false;
	}
	mg_profile_end(&model->compute, MG_PHASE_ATTENTION, begin);
	return true;
}
