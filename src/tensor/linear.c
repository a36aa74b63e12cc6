/*
 * out = act(x W^T + bias): cut into pieces, given to a provider or to our kernels.
 *
 * A piece is a block of rows of x against a range of rows of W (columns of
 * out). The sizes:
 *   ROW_BLOCK    keeps a block of x, DEPTH_BLOCK deep, in a second-level cache
 *                beside the panel that streams by; a multiple of the tiles of
 *                14 and of 6 rows
 *   DEPTH_BLOCK  keeps one tile's rows of x in the first-level cache
 *   columns      so that a piece lasts at most about 10 ms, by arithmetic and
 *                by bytes of W read, and that all threads have something to do
 *
 * For panels, a piece first copies its block of x, DEPTH_BLOCK columns at a
 * time, to rows that lie COPY_STRIDE apart: with the strides of real models
 * (768, 3072) all rows of a tile would fall on the same few cache lines. Each
 * depth block is a chain over its k, added to what out holds: short chains also
 * round less. DEPTH_BLOCK is thereby part of what a result is made of.
 */
#include "tensor/blas.h"
#include "tensor/kernels.h"
#include "tensor/pool.h"

#define ROW_BLOCK 126
#define DEPTH_BLOCK 384
#define COPY_STRIDE (DEPTH_BLOCK + 16)
#define COPY_FLOATS ((size_t) ROW_BLOCK * COPY_STRIDE)

/* A piece's share of W: 5 ms at the 13 GB/s that one core reads. */
#define PIECE_WEIGHT_BYTES 64e6

/* Below piece_flops / 100, waking a thread costs more than it brings. */
#define POOL_THRESHOLD 0.01

/* Pieces per thread that even out threads of unequal speed. */
#define PIECES_PER_THREAD 4

typedef struct Grid
{
	const MgKernels *kernels;
	MgProduct whole;
	bool panels;
	size_t block_rows;
	size_t block_columns;
	size_t n_column_blocks;
	size_t n_pieces;
	size_t first;  /* piece 0 of the region at work */
	float *copies; /* [threads, COPY_FLOATS]; NULL: multiply x where it stands */
} Grid;

/* x [rows, DEPTH_BLOCK at most] to rows COPY_STRIDE apart */
static void
copy_block(const MgProduct *p, size_t depth, float *copy)
{
	for (size_t i = 0; i < p->rows; i++)
		memcpy(copy + i * COPY_STRIDE, p->x + i * p->x_stride, depth * sizeof(float));
}

static void
multiply_panels(const Grid *grid, MgProduct p, float *copy)
{
	size_t depth = p.depth;
	size_t at = 0;

	do
	{
		MgProduct q = p;

		q.depth = depth - at < DEPTH_BLOCK ? depth - at : DEPTH_BLOCK;
		q.x += at;
		q.w += at * MG_PANEL;
		q.resume = at > 0;
		if (at + q.depth < depth)
			q.activation = MG_ACT_NONE;
		if (copy != NULL)
		{
			copy_block(&q, q.depth, copy);
			q.x = copy;
			q.x_stride = COPY_STRIDE;
		}
		grid->kernels->panel_product(&q);
		at += q.depth;
	} while (at < depth);
}

static void
multiply_piece(void *arg, size_t piece, size_t worker)
{
	const Grid *grid = arg;
	const MgProduct *whole = &grid->whole;
	size_t row = (grid->first + piece) / grid->n_column_blocks * grid->block_rows;
	size_t column = (grid->first + piece) % grid->n_column_blocks * grid->block_columns;
	MgProduct p = *whole;

	p.x += row * p.x_stride;
	p.out += row * p.out_stride + column;
	p.rows = whole->rows - row < grid->block_rows ? whole->rows - row : grid->block_rows;
	p.columns = whole->columns - column < grid->block_columns ? whole->columns - column : grid->block_columns;
	if (p.bias != NULL)
		p.bias += column;
	if (!grid->panels)
	{
		p.w += column * p.w_stride;
		grid->kernels->row_product(&p);
		return;
	}
	p.w += column / MG_PANEL * p.w_stride;
	multiply_panels(grid, p, grid->copies != NULL ? grid->copies + worker * COPY_FLOATS : NULL);
}

static size_t
divide_up(size_t a, size_t b)
{
	return a / b + (a % b != 0);
}

/* Blocks as large as a piece may be, but no fewer pieces than the threads want. */
static void
plan(Grid *grid, size_t threads)
{
	const MgProduct *p = &grid->whole;
	size_t tile = grid->kernels->tile_rows;
	size_t n_row_blocks = divide_up(p->rows, ROW_BLOCK);
	size_t columns = p->columns;
	double depth = p->depth > 0 ? (double) p->depth : 1.0;
	double most;

	grid->block_rows = divide_up(divide_up(p->rows, n_row_blocks), tile) * tile;
	if (grid->block_rows > ROW_BLOCK)
		grid->block_rows = ROW_BLOCK;
	n_row_blocks = divide_up(p->rows, grid->block_rows);

	most = grid->kernels->piece_flops / (2.0 * (double) grid->block_rows * depth);
	if (most > PIECE_WEIGHT_BYTES / (sizeof(float) * depth))
		most = PIECE_WEIGHT_BYTES / (sizeof(float) * depth);
	if (most < (double) columns)
		columns = (size_t) most;
	if (threads > 1 && n_row_blocks < threads * PIECES_PER_THREAD)
	{
		size_t share = divide_up(p->columns, divide_up(threads * PIECES_PER_THREAD, n_row_blocks));

		columns = share < columns ? share : columns;
	}
	grid->block_columns = columns < MG_PANEL ? MG_PANEL : columns - columns % MG_PANEL;
	if (columns == p->columns)
		grid->block_columns = columns;
	grid->n_column_blocks = divide_up(p->columns, grid->block_columns);
	grid->n_pieces = n_row_blocks * grid->n_column_blocks;
}

/* Regions of pieces that last about 10 ms on all threads together, a poll before each. */
static bool
run_grid(MgCtx *cx, MgPool *pool, Grid *grid)
{
	double depth = (double) (grid->whole.depth > 0 ? grid->whole.depth : 1);
	double flops = 2.0 * (double) grid->block_rows * (double) grid->block_columns * depth;
	double bytes = sizeof(float) * (double) grid->block_columns * depth;
	double share = flops / grid->kernels->piece_flops;
	size_t threads = mg_pool_threads(pool);
	size_t step;

	if (share < bytes / PIECE_WEIGHT_BYTES)
		share = bytes / PIECE_WEIGHT_BYTES;
	step = share < 1.0 / (double) grid->n_pieces ? grid->n_pieces : (size_t) (1.0 / share);
	step = (step < 1 ? 1 : step) * threads;
	for (grid->first = 0; grid->first < grid->n_pieces; grid->first += step)
	{
		size_t left = grid->n_pieces - grid->first;

		if (!mg_poll(cx))
			return false;
		mg_pool_run(pool, left < step ? left : step, multiply_piece, grid);
	}
	return true;
}

static bool
native_linear(MgCtx *cx, const MgCompute *compute, const MgProduct *product, bool panels)
{
	Grid grid = {.kernels = compute->kernels, .whole = *product, .panels = panels};
	double flops = 2.0 * (double) product->rows * (double) product->columns * (double) product->depth;
	MgPool *pool = flops > POOL_THRESHOLD * compute->kernels->piece_flops ? compute->pool : NULL;
	MgMark mark = mg_mark(cx);
	bool fine;

	plan(&grid, mg_pool_threads(pool));
	/* One tile of rows meets too few panels to pay for a copy, and fits a cache as it is. */
	if (panels && product->rows > compute->kernels->tile_rows && product->columns > MG_PANEL)
	{
		grid.copies = mg_alloc_array(cx, mg_pool_threads(pool), COPY_FLOATS * sizeof(float));
		if (grid.copies == NULL)
			return false;
	}
	fine = run_grid(cx, pool, &grid);
	mg_rewind(cx, mark);
	return fine;
}

bool
mg_linear(MgCtx *cx, const MgCompute *compute, const float *x, size_t x_stride, size_t n, const MgMatrix *w,
		  const float *bias, MgActivation activation, float *out, size_t out_stride)
{
	bool panels = w->layout == MG_PANELS;
	MgProduct product = {
		.x = x, .x_stride = x_stride, .rows = n, .depth = w->cols,
		.w = w->data, .w_stride = panels ? w->cols * MG_PANEL : w->cols, .columns = w->rows,
		.bias = bias, .activation = activation,
		.out = out, .out_stride = out_stride,
	};

	if (n == 0 || w->rows == 0)
		return true;
	if (panels || compute->provider == MG_NATIVE)
		return native_linear(cx, compute, &product, panels);
	return mg_blas_product(cx, compute, &product);
}
