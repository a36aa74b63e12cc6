#include "tensor/grid.h"

#include "tensor/pool.h"

/* A piece's share of the weights: 5 ms at the 13 GB/s that one core reads. */
#define PIECE_WEIGHT_BYTES 64e6

/* Below piece_flops / 100, waking a thread costs more than it brings. */
#define POOL_THRESHOLD 0.01

/* Pieces per thread that even out threads of unequal speed. */
#define PIECES_PER_THREAD 4

typedef struct Plan
{
	const MgGrid *grid;
	size_t block_rows;
	size_t block_columns;
	size_t n_column_blocks;
	size_t n_pieces;
	size_t first; /* piece 0 of the region at work */
} Plan;

static size_t
divide_up(size_t a, size_t b)
{
	return a / b + (a % b != 0);
}

static MgPool *
pool_for(const MgCompute *compute, const MgGrid *grid)
{
	double flops = (double) grid->rows * (double) grid->columns * grid->cell_flops;

	return flops > POOL_THRESHOLD * grid->piece_flops ? compute->pool : NULL;
}

size_t
mg_grid_threads(const MgCompute *compute, const MgGrid *grid)
{
	return mg_pool_threads(pool_for(compute, grid));
}

/* Blocks as large as a piece may be, but no fewer pieces than the threads want. */
static Plan
plan(const MgGrid *grid, size_t threads)
{
	Plan plan = {.grid = grid};
	size_t n_row_blocks = divide_up(grid->rows, grid->most_rows);
	size_t columns = grid->columns;
	double most;

	plan.block_rows = divide_up(divide_up(grid->rows, n_row_blocks), grid->tile_rows) * grid->tile_rows;
	if (plan.block_rows > grid->most_rows)
		plan.block_rows = grid->most_rows;
	n_row_blocks = divide_up(grid->rows, plan.block_rows);

	most = grid->piece_flops / ((double) plan.block_rows * grid->cell_flops);
	if (most > PIECE_WEIGHT_BYTES / grid->column_bytes)
		most = PIECE_WEIGHT_BYTES / grid->column_bytes;
	if (most < (double) columns)
		columns = (size_t) most;
	if (threads > 1 && n_row_blocks < threads * PIECES_PER_THREAD)
	{
		size_t share = divide_up(grid->columns, divide_up(threads * PIECES_PER_THREAD, n_row_blocks));

		columns = share < columns ? share : columns;
	}
	plan.block_columns = columns < MG_PANEL ? MG_PANEL : columns - columns % MG_PANEL;
	if (columns == grid->columns)
		plan.block_columns = columns;
	plan.n_column_blocks = divide_up(grid->columns, plan.block_columns);
	plan.n_pieces = n_row_blocks * plan.n_column_blocks;
	return plan;
}

static void
run_piece(void *arg, size_t number, size_t worker)
{
	const Plan *plan = arg;
	const MgGrid *grid = plan->grid;
	MgPiece piece = {
		.row = (plan->first + number) / plan->n_column_blocks * plan->block_rows,
		.column = (plan->first + number) % plan->n_column_blocks * plan->block_columns,
		.worker = worker,
	};
	size_t rows = grid->rows - piece.row, columns = grid->columns - piece.column;

	piece.n_rows = rows < plan->block_rows ? rows : plan->block_rows;
	piece.n_columns = columns < plan->block_columns ? columns : plan->block_columns;
	grid->run(grid->arg, &piece);
}

bool
mg_grid_run(MgCtx *cx, const MgCompute *compute, const MgGrid *grid)
{
	MgPool *pool = pool_for(compute, grid);
	size_t threads = mg_pool_threads(pool);
	Plan p = plan(grid, threads);
	double share = (double) p.block_rows * (double) p.block_columns * grid->cell_flops / grid->piece_flops;
	double read = (double) p.block_columns * grid->column_bytes / PIECE_WEIGHT_BYTES;
	size_t step;

	share = share < read ? read : share;
	step = share < 1.0 / (double) p.n_pieces ? p.n_pieces : (size_t) (1.0 / share);
	step = (step < 1 ? 1 : step) * threads;
	for (; p.first < p.n_pieces; p.first += step)
	{
		size_t left = p.n_pieces - p.first;

		if (!mg_poll(cx))
			return false;
		mg_pool_run(pool, left < step ? left : step, run_piece, &p);
	}
	return true;
}
