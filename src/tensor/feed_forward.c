/*
 * The feed-forward block of a transformer by blocks of rows: up, activation
 * and down for one block before the next, so that its wide states [rows, wide]
 * are written and read in a second-level cache. Gated, a row of wide states is
 * what is activated, and then what that is multiplied by; down reads the first half.
 */
#include "tensor/block.h"
#include "tensor/grid.h"
#include "tensor/pool.h"

/* Floats of wide states: half of a second-level cache of 1 MiB. */
#define WIDE_FLOATS ((size_t) 128 * 1024)

/*
 * Rows that a block must have to be worth it: each block reads all weights again. With 30 of them, as BERT base would
 * have, its classification takes 6 to 20 % more time than with one product after the other (Zen 3).
 */
#define LEAST_ROWS 64

typedef struct Work
{
	const MgKernels *kernels;
	const MgFeedForward *block;
	const float *x;
	float *out;
	size_t most_rows;
	float *wide;   /* [threads, most_rows, wide] */
	float *copies; /* [threads, MG_COPY_FLOATS], for floats */
	uint8_t *codes; /* [threads, code_rows * code_bytes], for int8: of x, then of the wide states */
	size_t code_rows;
	size_t code_bytes;
	MgRowScale *scales; /* [threads, most_rows] */
} Work;

static bool
is_gated(const MgFeedForward *block)
{
	return block->gate != NULL || block->fused;
}

/* Numbers of a row of wide states. */
static size_t
wide_of(const MgFeedForward *block)
{
	return block->gate != NULL ? 2 * block->up->rows : block->up->rows;
}

/* The products before the activation; gated ones get theirs later. Returns how many. */
static size_t
first_products(const MgFeedForward *block, float *states, MgLinear linears[2])
{
	size_t wide = wide_of(block);

	if (block->gate == NULL)
	{
		linears[0] = (MgLinear){block->up, block->up_bias, block->fused ? MG_ACT_NONE : block->activation, states, wide};
		return 1;
	}
	linears[0] = (MgLinear){block->gate, block->gate_bias, MG_ACT_NONE, states, wide};
	linears[1] = (MgLinear){block->up, block->up_bias, MG_ACT_NONE, states + block->gate->rows, wide};
	return 2;
}

/* states [n, 2 i]: the first half becomes act(first half) times the second. */
static void
gate(const MgKernels *kernels, const MgFeedForward *block, float *states, size_t n)
{
	size_t wide = wide_of(block), half = wide / 2;

	kernels->epilogue(states, wide, n, half, NULL, block->activation);
	for (size_t i = 0; i < n; i++)
		kernels->multiply(states + i * wide, states + i * wide + half, half);
}

/* Products of one block of rows. */
static void
multiply(const Work *work, const MgPiece *piece, const MgLinear *linears, size_t n_linears, const float *x, size_t x_stride)
{
	size_t depth = linears[0].w->cols;
	uint8_t *codes = NULL;
	MgRowScale *scales = NULL;

	if (linears[0].w->layout == MG_INT8)
	{
		codes = work->codes + piece->worker * work->code_rows * work->code_bytes;
		scales = work->scales + piece->worker * work->most_rows;
		mg_quantize_rows(work->kernels, x, x_stride, piece->n_rows, depth, codes, scales);
	}
	for (size_t i = 0; i < n_linears; i++)
	{
		const MgLinear *linear = &linears[i];
		const MgMatrix *w = linear->w;

		if (w->layout == MG_INT8)
			work->kernels->int8_product(&(MgInt8Product){
				.x = codes, .x_stride = mg_code_stride(depth), .scales = scales, .rows = piece->n_rows,
				.depth = depth, .w = w->panels, .columns = w->rows, .bias = linear->bias,
				.activation = linear->activation, .out = linear->out, .out_stride = linear->out_stride,
			});
		else
			mg_block_product(work->kernels, &(MgProduct){
				.x = x, .x_stride = x_stride, .rows = piece->n_rows, .depth = depth,
				.w = w->layout == MG_PANELS ? w->data : NULL, .narrow = w->layout == MG_PANELS16 ? w->panels16 : NULL,
				.w_stride = depth * MG_PANEL, .columns = w->rows, .bias = linear->bias,
				.activation = linear->activation, .out = linear->out, .out_stride = linear->out_stride,
			}, work->copies + piece->worker * MG_COPY_FLOATS);
	}
}

static void
run_block(void *arg, const MgPiece *piece)
{
	const Work *work = arg;
	const MgFeedForward *block = work->block;
	size_t d = block->up->cols, wide = wide_of(block);
	float *states = work->wide + piece->worker * work->most_rows * wide;
	MgLinear linears[2], down = {block->down, block->down_bias, MG_ACT_NONE, work->out + piece->row * d, d};
	size_t n_linears = first_products(block, states, linears);

	multiply(work, piece, linears, n_linears, work->x + piece->row * d, d);
	if (is_gated(block))
		gate(work->kernels, block, states, piece->n_rows);
	multiply(work, piece, &down, 1, states, wide);
}

/* What threads share when the products run apart. */
typedef struct Gated
{
	const MgKernels *kernels;
	const MgFeedForward *block;
	float *states;
	size_t n;
} Gated;

/* Rows that are gated at once: some 10 microseconds of work. */
#define GATED_ROWS 16

static void
gate_piece(void *arg, size_t piece, size_t worker)
{
	const Gated *gated = arg;
	size_t first = piece * GATED_ROWS, n = gated->n - first < GATED_ROWS ? gated->n - first : GATED_ROWS;

	(void) worker;
	gate(gated->kernels, gated->block, gated->states + first * wide_of(gated->block), n);
}

/* One product after the other: few rows, which threads share by columns, wide states of which few rows fit, or a library. */
static bool
run_apart(MgCtx *cx, const MgCompute *compute, const MgFeedForward *block, const float *x, size_t n, float *out)
{
	size_t d = block->up->cols, wide = wide_of(block);
	MgMark mark = mg_mark(cx);
	float *states = mg_alloc_array(cx, n, wide * sizeof(float));
	Gated gated = {compute->kernels, block, states, n};
	MgLinear linears[2];

	if (states == NULL ||
		!mg_linears(cx, compute, (MgRows){x, d, n}, linears, first_products(block, states, linears)))
		return false;
	if (is_gated(block))
		mg_pool_run(compute->pool, (n - 1) / GATED_ROWS + 1, gate_piece, &gated);
	if (!mg_linear(cx, compute, (MgRows){states, wide, n}, (MgLinear){block->down, block->down_bias, MG_ACT_NONE, out, d}))
		return false;
	mg_rewind(cx, mark);
	return true;
}

static bool
allocate(MgCtx *cx, Work *work, size_t threads)
{
	const MgFeedForward *block = work->block;
	size_t d = block->up->cols, wide = wide_of(block);

	work->wide = mg_alloc_array(cx, threads * work->most_rows, wide * sizeof(float));
	if (work->wide == NULL)
		return false;
	if (block->up->layout != MG_INT8)
		return (work->copies = mg_alloc_array(cx, threads, MG_COPY_FLOATS * sizeof(float))) != NULL;
	work->code_bytes = mg_code_stride(wide > d ? wide : d) * work->kernels->int8_code_size;
	work->code_rows = mg_code_rows(work->most_rows);
	return (work->codes = mg_alloc_array(cx, threads * work->code_rows, work->code_bytes)) != NULL &&
		(work->scales = mg_alloc_array(cx, threads * work->most_rows, sizeof(MgRowScale))) != NULL;
}

bool
mg_feed_forward(MgCtx *cx, const MgCompute *compute, const MgFeedForward *block, const float *x, size_t n, float *out)
{
	const MgKernels *kernels = compute->kernels;
	size_t d = block->up->cols, wide = wide_of(block);
	size_t tile = block->up->layout == MG_INT8 ? kernels->int8_tile_rows : kernels->tile_rows;
	double row_flops = 2.0 * (double) d * (double) (wide + block->down->cols);
	double most = kernels->piece_flops / (row_flops > 0 ? row_flops : 1.0);
	Work work = {.kernels = kernels, .block = block, .x = x, .out = out};
	MgGrid grid = {
		.rows = n, .columns = 1, .tile_rows = tile, .cell_flops = row_flops, .column_bytes = 1.0,
		.piece_flops = kernels->piece_flops, .run = run_block, .arg = &work,
	};
	MgMark mark = mg_mark(cx);
	uint64_t begin;

	if (n == 0 || d == 0)
		return true;
	if (most * (double) wide > (double) WIDE_FLOATS)
		most = (double) WIDE_FLOATS / (double) wide;
	work.most_rows = most < MG_BLOCK_ROWS ? (size_t) most / tile * tile : MG_BLOCK_ROWS / tile * tile;
	if (block->up->layout == MG_ROWS || mg_bf16x2_planes(block->up->layout) > 0 || mg_layout_is_grouped(block->up->layout) || block->up->layout != block->down->layout ||
		work.most_rows < LEAST_ROWS || n < 2 * tile * mg_pool_threads(compute->pool))
		return run_apart(cx, compute, block, x, n, out);
	begin = mg_profile_begin(compute);
	grid.most_rows = work.most_rows;
	if (!allocate(cx, &work, mg_grid_threads(compute, &grid)) || !mg_grid_run(cx, compute, &grid))
		return false;
	mg_rewind(cx, mark);
	mg_profile_end(compute, MG_PHASE_PRODUCT, begin);
	return true;
}
