/* What runs row by row or number by number, handed to the level's kernels. */
#include "tensor/kernels.h"
#include "tensor/pool.h"

/* Numbers in a thread's share of rows: about 10 microseconds of work. */
#define SHARE ((size_t) 32 * 1024)

typedef struct Rows
{
	const MgKernels *kernels;
	const MgNorm *norm;
	float *x;
	const float *residual;
	size_t n;
	size_t rows_per_piece;
	float *out;
} Rows;

static void
norm_piece(void *arg, size_t piece, size_t worker)
{
	const Rows *rows = arg;
	size_t d = rows->norm->d;
	size_t first = piece * rows->rows_per_piece;
	size_t end = rows->n - first < rows->rows_per_piece ? rows->n : first + rows->rows_per_piece;

	(void) worker;
	for (size_t i = first; i < end; i++)
		rows->kernels->norm(rows->x + i * d, rows->residual != NULL ? rows->residual + i * d : NULL, rows->out + i * d,
							rows->norm);
}

void
mg_add_norm(const MgCompute *compute, const MgNorm *norm, float *x, const float *residual, size_t n, float *out)
{
	Rows rows = {compute->kernels, norm, x, residual, n, 1, out};
	uint64_t begin = mg_profile_begin(compute);

	if (n == 0 || norm->d == 0)
		return;
	if (norm->d < SHARE)
		rows.rows_per_piece = SHARE / norm->d;
	mg_pool_run(compute->pool, (n - 1) / rows.rows_per_piece + 1, norm_piece, &rows);
	mg_profile_end(compute, MG_PHASE_ELEMENTS, begin);
}

float
mg_dot(const MgCompute *compute, const float *a, const float *b, size_t n)
{
	return compute->kernels->dot(a, b, n);
}

void
mg_add(const MgCompute *compute, float *to, const float *from, size_t n)
{
	compute->kernels->add(to, from, n);
}

void
mg_cap(const MgCompute *compute, float cap, float *x, size_t n)
{
	compute->kernels->scale(x, n, 1 / cap);
	compute->kernels->epilogue(x, n, 1, n, NULL, MG_ACT_TANH);
	compute->kernels->scale(x, n, cap);
}

void
mg_to_f32(const MgKernels *kernels, MgDtype dtype, const void *from, size_t n, float *to)
{
	switch (dtype)
	{
		case MG_F32:
			if (n > 0)
				memcpy(to, from, n * sizeof(float));
			break;
		case MG_F16:
			kernels->from_f16(from, n, to);
			break;
		case MG_BF16:
			kernels->from_bf16(from, n, to);
			break;
		case MG_Q4G:
		case MG_Q8G:
		case MG_Q8: /* has no meaning without its row's scale */
			break;
	}
}
