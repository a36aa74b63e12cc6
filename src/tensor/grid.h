/*
 * A product's work cut into pieces: blocks of rows against ranges of columns.
 * A piece lasts at most about 10 ms, by arithmetic and by bytes of weights
 * read, so that a poll between regions of pieces is often enough; and there
 * are pieces for all threads. What a cell is computed from does not depend on
 * the pieces.
 */
#ifndef MG_TENSOR_GRID_H
#define MG_TENSOR_GRID_H

#include "tensor/compute.h"

typedef struct MgPiece
{
	size_t row, n_rows;
	size_t column, n_columns; /* column is a multiple of MG_PANEL */
	size_t worker;			  /* below mg_grid_threads() */
} MgPiece;

typedef struct MgGrid
{
	size_t rows, columns; /* > 0 */
	size_t tile_rows;	  /* blocks of rows are multiples of it where they can be */
	size_t most_rows;	  /* of a block: a multiple of tile_rows */
	double cell_flops;	  /* operations for one row and one column */
	double column_bytes;  /* of weights that are read for a column */
	double piece_flops;	  /* MgKernels.piece_flops */
	void (*run)(void *arg, const MgPiece *piece);
	void *arg;
} MgGrid;

/* Threads that a grid runs on: 1 when it is too small to wake others. */
size_t mg_grid_threads(const MgCompute *compute, const MgGrid *grid);

/* Runs all pieces; false when stopped, some pieces undone. */
bool mg_grid_run(MgCtx *cx, const MgCompute *compute, const MgGrid *grid);

#endif
