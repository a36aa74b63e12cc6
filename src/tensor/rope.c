/* Rotary positions. */
#include "tensor/rope.h"

#include <math.h>

#include "tensor/kernels.h"
#include "tensor/pool.h"

/* Numbers in a thread's share of rows: about 10 microseconds of work. */
#define SHARE ((size_t) 16 * 1024)

typedef struct Rows
{
	const MgKernels *kernels;
	const MgRope *rope;
	float *x;
	size_t x_stride;
	size_t n, heads, head_size;
	size_t rows_per_piece;
} Rows;

void
mg_rope_frequencies(float theta, size_t width, float *frequencies)
{
	for (size_t i = 0; i < width / 2; i++)
		frequencies[i] = (float) pow(theta, -2.0 * (double) i / (double) width);
}

bool
mg_rope_init(MgCtx *cx, MgRope *rope, const float *frequencies, const uint32_t *positions, size_t n)
{
	size_t half = rope->width / 2;

	rope->cosines = mg_alloc_array(cx, n, half * sizeof(float));
	rope->sines = rope->cosines != NULL ? mg_alloc_array(cx, n, half * sizeof(float)) : NULL;
	if (rope->sines == NULL)
		return false;
	for (size_t row = 0; row < n; row++)
		for (size_t i = 0; i < half; i++)
		{
			float angle = (float) (positions != NULL ? positions[row] : row) * frequencies[i];

			rope->cosines[row * half + i] = (float) cos(angle);
			rope->sines[row * half + i] = (float) sin(angle);
		}
	return true;
}

static void
turn_pairs(float *x, size_t half, const float *cosines, const float *sines)
{
	for (size_t i = 0; i < half; i++)
	{
		float a = x[2 * i], b = x[2 * i + 1];

		x[2 * i] = a * cosines[i] - b * sines[i];
		x[2 * i + 1] = b * cosines[i] + a * sines[i];
	}
}

static void
turn_piece(void *arg, size_t piece, size_t worker)
{
	const Rows *rows = arg;
	const MgRope *rope = rows->rope;
	size_t half = rope->width / 2, first = piece * rows->rows_per_piece;
	size_t end = rows->n - first < rows->rows_per_piece ? rows->n : first + rows->rows_per_piece;

	(void) worker;
	for (size_t row = first; row < end; row++)
		for (size_t head = 0; head < rows->heads; head++)
		{
			float *x = rows->x + row * rows->x_stride + head * rows->head_size;

			if (rope->interleaved)
				turn_pairs(x, half, rope->cosines + row * half, rope->sines + row * half);
			else
				rows->kernels->turn(x, half, rope->cosines + row * half, rope->sines + row * half);
		}
}

void
mg_rope(const MgCompute *compute, const MgRope *rope, float *x, size_t x_stride, size_t n, size_t heads,
		size_t head_size)
{
	size_t width = heads * head_size;
	Rows rows = {compute->kernels, rope, x, x_stride, n, heads, head_size, width > 0 && width < SHARE ? SHARE / width : 1};
	uint64_t begin = mg_profile_begin(compute);

	if (n == 0)
		return;
	mg_pool_run(compute->pool, (n - 1) / rows.rows_per_piece + 1, turn_piece, &rows);
	mg_profile_end(compute, MG_PHASE_ATTENTION, begin);
}
