/*
 * out = act(x W^T + bias): cut into pieces (grid.h), given to a provider or to our kernels.
 *
 * For panels of floats, a piece first copies its block of x, MG_BLOCK_DEPTH
 * columns at a time, to rows that lie MG_COPY_STRIDE apart: with the strides of
 * real models (768, 3072) all rows of a tile would fall on the same few cache
 * lines. Each depth block is a chain over its k, added to what out holds: short
 * chains also round less. MG_BLOCK_DEPTH is thereby part of what a result is
 * made of.
 *
 * For int8 x is quantised first, and for bf16x2 split, all of it, once for all
 * products of it.
 */
#include "tensor/blas.h"
#include "tensor/block.h"
#include "tensor/grid.h"

typedef struct Work
{
	const MgKernels *kernels;
	MgProduct floats; /* all rows and columns; with w of floats only */
	const MgMatrix *w;
	float *copies; /* [threads, MG_COPY_FLOATS]; NULL: multiply x where it stands */
	void *codes;   /* of x, when w is MG_INT8; or x split, when it is MG_BF16X2 */
	MgRowScale *scales;
	MgGroupScale *group_scales; /* when w is in groups, of codes */
	uint8_t *scratch;			/* the same: [threads, scratch_size] */
	size_t scratch_size;
} Work;

/* x [rows, MG_BLOCK_DEPTH at most] to rows MG_COPY_STRIDE apart */
static void
copy_block(const MgProduct *p, size_t depth, float *copy)
{
	for (size_t i = 0; i < p->rows; i++)
		memcpy(copy + i * MG_COPY_STRIDE, p->x + i * p->x_stride, depth * sizeof(float));
}

void
mg_block_product(const MgKernels *kernels, const MgProduct *product, float *copy)
{
	size_t depth = product->depth;
	size_t at = 0;

	do
	{
		MgProduct p = *product;

		p.depth = depth - at < MG_BLOCK_DEPTH ? depth - at : MG_BLOCK_DEPTH;
		p.x += at;
		mg_product_skip(&p, at * MG_PANEL);
		p.accumulate = at > 0;
		if (at + p.depth < depth)
			p.activation = MG_ACT_NONE;
		if (copy != NULL)
		{
			copy_block(&p, p.depth, copy);
			p.x = copy;
			p.x_stride = MG_COPY_STRIDE;
		}
		kernels->panel_product(&p);
		at += p.depth;
	} while (at < depth);
}

static void
multiply_floats(void *arg, const MgPiece *piece)
{
	const Work *work = arg;
	MgProduct p = work->floats;

	p.x += piece->row * p.x_stride;
	p.out += piece->row * p.out_stride + piece->column;
	p.rows = piece->n_rows;
	p.columns = piece->n_columns;
	if (p.bias != NULL)
		p.bias += piece->column;
	if (work->w->layout != MG_ROWS)
	{
		mg_product_skip(&p, piece->column / MG_PANEL * p.w_stride);
		mg_block_product(work->kernels, &p, work->copies != NULL ? work->copies + piece->worker * MG_COPY_FLOATS : NULL);
		return;
	}
	p.w += piece->column * p.w_stride;
	work->kernels->row_product(&p);
}

static void
multiply_int8(void *arg, const MgPiece *piece)
{
	const Work *work = arg;
	const MgProduct *p = &work->floats;
	size_t stride = mg_code_stride(p->depth);

	work->kernels->int8_product(&(MgInt8Product){
		.x = (const uint8_t *) work->codes + piece->row * stride * work->kernels->int8_code_size, .x_stride = stride,
		.scales = work->scales + piece->row, .rows = piece->n_rows, .depth = p->depth,
		.w = work->w->panels + piece->column / MG_PANEL * mg_int8_panel_size(p->depth), .columns = piece->n_columns,
		.bias = p->bias != NULL ? p->bias + piece->column : NULL, .activation = p->activation,
		.out = p->out + piece->row * p->out_stride + piece->column, .out_stride = p->out_stride,
	});
}

static void
multiply_groups(void *arg, const MgPiece *piece)
{
	const Work *work = arg;
	const MgProduct *p = &work->floats;
	const MgKernels *kernels = work->kernels;
	size_t stride = mg_code_stride(p->depth), n_groups = p->depth / MG_GROUP;
	float *out = p->out + piece->row * p->out_stride + piece->column;

	kernels->group_product(&(MgGroupProduct){
		.x = (const uint8_t *) work->codes + piece->row * stride * kernels->int8_code_size, .x_stride = stride,
		.scales = work->group_scales + piece->row * n_groups, .scales_stride = n_groups,
		.rows = piece->n_rows, .depth = p->depth, .narrow = work->w->layout == MG_GROUPS4,
		.w = work->w->panels + piece->column / MG_PANEL * n_groups * mg_group_panel(work->w->layout),
		.columns = piece->n_columns, .scratch = work->scratch + piece->worker * work->scratch_size,
		.out = out, .out_stride = p->out_stride,
	});
	if (p->bias != NULL || p->activation != MG_ACT_NONE)
		kernels->epilogue(out, p->out_stride, piece->n_rows, piece->n_columns, p->bias != NULL ? p->bias + piece->column : NULL,
						  p->activation);
}

/* Numbers between rows of x that was split: an odd number of lines of a cache, so that the rows of a tile lie in different ones. */
static size_t
bf16x2_stride(size_t cols)
{
	return 2 * mg_bf16x2_cols(cols) + 32;
}

static void
multiply_bf16x2(void *arg, const MgPiece *piece)
{
	const Work *work = arg;
	const MgProduct *p = &work->floats;
	size_t stride = bf16x2_stride(p->depth), planes = mg_bf16x2_planes(work->w->layout);

	work->kernels->bf16x2_product(&(MgBf16x2Product){
		.x = (const uint16_t *) work->codes + piece->row * stride, .x_stride = stride, .rows = piece->n_rows,
		.depth = p->depth, .planes = planes,
		.w = work->w->panels16 + piece->column / MG_PANEL * mg_bf16x2_panel(p->depth, planes), .columns = piece->n_columns,
		.bias = p->bias != NULL ? p->bias + piece->column : NULL, .activation = p->activation,
		.out = p->out + piece->row * p->out_stride + piece->column, .out_stride = p->out_stride,
	});
}

/*
 * Rows of x that fill, split and MG_BF16X2_BLOCK_DEPTH columns deep, half of a second-level cache of 2 MiB. The fewer blocks, the
 * fewer times weights are read: from a third-level cache 14 GB/s come (Emerald Rapids), which at 128 rows is a third of the time.
 */
static size_t
bf16x2_block_rows(size_t depth)
{
	size_t cols = depth < MG_BF16X2_BLOCK_DEPTH ? mg_bf16x2_cols(depth) : MG_BF16X2_BLOCK_DEPTH;
	size_t rows = 1024 * 1024 / (4 * (cols > 0 ? cols : 1)) / 32 * 32;

	return rows < 1024 ? rows : 1024;
}

/* Rows for which the codes of a panel are widened once: of both tiles of rows, 16 and 6, a multiple. */
#define GROUP_BLOCK_ROWS 480

size_t
mg_code_rows(size_t rows)
{
	return rows + (MG_INT8_ROWS - rows % MG_INT8_ROWS) % MG_INT8_ROWS;
}

size_t
mg_code_stride(size_t cols)
{
	return (cols + 63) / 64 * 64 + 64;
}

void
mg_quantize_rows(const MgKernels *kernels, const float *x, size_t x_stride, size_t n, size_t cols, void *codes,
				 MgRowScale *scales)
{
	size_t stride = mg_code_stride(cols) * kernels->int8_code_size;

	for (size_t i = 0; i < n; i++)
		kernels->quantize(x + i * x_stride, cols, (uint8_t *) codes + i * stride, &scales[i]);
}

static void
quantize_piece(void *arg, const MgPiece *piece)
{
	const Work *work = arg;
	const MgProduct *p = &work->floats;
	size_t stride = mg_code_stride(p->depth) * work->kernels->int8_code_size;

	mg_quantize_rows(work->kernels, p->x + piece->row * p->x_stride, p->x_stride, piece->n_rows, p->depth,
					 (uint8_t *) work->codes + piece->row * stride, work->scales + piece->row);
}

static void
group_piece(void *arg, const MgPiece *piece)
{
	const Work *work = arg;
	const MgProduct *p = &work->floats;
	size_t stride = mg_code_stride(p->depth) * work->kernels->int8_code_size, n_groups = p->depth / MG_GROUP;

	for (size_t i = piece->row; i < piece->row + piece->n_rows; i++)
		work->kernels->quantize_groups(p->x + i * p->x_stride, p->depth, (uint8_t *) work->codes + i * stride,
									   work->group_scales + i * n_groups);
}

static void
split_piece(void *arg, const MgPiece *piece)
{
	const Work *work = arg;
	const MgProduct *p = &work->floats;

	for (size_t i = piece->row; i < piece->row + piece->n_rows; i++)
		work->kernels->split(p->x + i * p->x_stride, p->depth, (uint16_t *) work->codes + i * bf16x2_stride(p->depth));
}

/* About what converting a number takes, in operations of a product. */
#define CONVERT_FLOPS 16.0

/* x to codes, or split. */
static bool
convert_all(MgCtx *cx, const MgCompute *compute, Work *work)
{
	const MgProduct *p = &work->floats;
	bool int8 = work->w->layout == MG_INT8, grouped = mg_layout_is_grouped(work->w->layout);
	size_t row_size = int8 || grouped ? mg_code_stride(p->depth) * work->kernels->int8_code_size : bf16x2_stride(p->depth) * sizeof(uint16_t);
	MgGrid grid = {
		.rows = p->rows, .columns = 1, .tile_rows = 1, .most_rows = MG_BLOCK_ROWS / 4,
		.cell_flops = CONVERT_FLOPS * (double) p->depth, .column_bytes = 1.0,
		.piece_flops = work->kernels->piece_flops, .run = int8 ? quantize_piece : grouped ? group_piece : split_piece, .arg = work,
	};

	work->codes = mg_alloc_array(cx, mg_code_rows(p->rows), row_size);
	if (work->codes == NULL)
		return false;
	if (grouped)
	{
		work->group_scales = mg_alloc_array(cx, mg_code_rows(p->rows), p->depth / MG_GROUP * sizeof *work->group_scales);
		if (work->group_scales == NULL)
			return false;
	}
	if (!int8)
		return mg_grid_run(cx, compute, &grid);
	work->scales = mg_alloc_array(cx, p->rows, sizeof *work->scales);
	return work->scales != NULL && mg_grid_run(cx, compute, &grid);
}

/* One product; x is converted already. */
static bool
multiply(MgCtx *cx, const MgCompute *compute, Work *work)
{
	const MgProduct *p = &work->floats;
	const MgKernels *kernels = compute->kernels;
	bool int8 = work->w->layout == MG_INT8, bf16x2 = mg_bf16x2_planes(work->w->layout) > 0;
	bool grouped = mg_layout_is_grouped(work->w->layout);
	size_t tile = grouped ? kernels->group_tile_rows : int8 ? kernels->int8_tile_rows : bf16x2 ? kernels->bf16x2_tile_rows : kernels->tile_rows;
	double depth = p->depth > 0 ? (double) p->depth : 1.0;
	double width = int8 || grouped ? 1.0 : p->narrow != NULL || work->w->layout == MG_BF16X1 ? sizeof *p->narrow : sizeof *p->w;
	MgGrid grid = {
		.rows = p->rows, .columns = p->columns, .tile_rows = tile,
		.most_rows = bf16x2 && kernels->prefers_bf16x2 ? bf16x2_block_rows(p->depth) : grouped ? GROUP_BLOCK_ROWS : MG_BLOCK_ROWS,
		.cell_flops = 2.0 * depth, .column_bytes = width * depth,
		.piece_flops = bf16x2 ? kernels->bf16x2_flops : kernels->piece_flops,
		.run = grouped ? multiply_groups : int8 ? multiply_int8 : bf16x2 ? multiply_bf16x2 : multiply_floats, .arg = work,
	};
	MgMark mark = mg_mark(cx);
	bool fine;

	work->copies = NULL;
	if (grouped)
	{
		work->scratch_size = p->depth * MG_PANEL;
		work->scratch = mg_alloc_array(cx, mg_grid_threads(compute, &grid), work->scratch_size);
		if (work->scratch == NULL)
			return false;
	}
	/* One tile of rows meets too few panels to pay for a copy, and fits a cache as it is. */
	if ((work->w->layout == MG_PANELS || work->w->layout == MG_PANELS16) && p->rows > tile && p->columns > MG_PANEL)
	{
		work->copies = mg_alloc_array(cx, mg_grid_threads(compute, &grid), MG_COPY_FLOATS * sizeof(float));
		if (work->copies == NULL)
			return false;
	}
	fine = mg_grid_run(cx, compute, &grid);
	mg_rewind(cx, mark);
	return fine;
}

static bool
run_linear(MgCtx *cx, const MgCompute *compute, Work *work, const MgLinear *linear)
{
	MgProduct *p = &work->floats;
	const MgMatrix *w = linear->w;

	work->w = w;
	p->w = w->layout == MG_ROWS || w->layout == MG_PANELS ? w->data : NULL;
	p->narrow = w->layout == MG_PANELS16 ? w->panels16 : NULL;
	p->w_stride = w->layout == MG_ROWS ? w->cols : w->cols * MG_PANEL;
	p->columns = w->rows;
	p->bias = linear->bias;
	p->activation = linear->activation;
	p->out = linear->out;
	p->out_stride = linear->out_stride;
	if (p->columns == 0)
		return true;
	if (w->layout == MG_ROWS && compute->provider != MG_NATIVE)
		return mg_blas_product(cx, compute, p);
	return multiply(cx, compute, work);
}

bool
mg_linears(MgCtx *cx, const MgCompute *compute, MgRows x, const MgLinear *linears, size_t n_linears)
{
	Work work = {.kernels = compute->kernels, .floats = {.x = x.x, .x_stride = x.stride, .rows = x.n}};
	MgMark mark = mg_mark(cx);
	uint64_t begin = mg_profile_begin(compute);

	if (x.n == 0 || n_linears == 0)
		return true;
	work.floats.depth = linears[0].w->cols;
	work.w = linears[0].w;
	if ((work.w->layout == MG_INT8 || mg_layout_is_grouped(work.w->layout) || mg_bf16x2_planes(work.w->layout) > 0) && !convert_all(cx, compute, &work))
		return false;
	for (size_t i = 0; i < n_linears; i++)
		if (!run_linear(cx, compute, &work, &linears[i]))
			return false;
	mg_rewind(cx, mark);
	mg_profile_end(compute, MG_PHASE_PRODUCT, begin);
	return true;
}

bool
mg_linear(MgCtx *cx, const MgCompute *compute, MgRows x, MgLinear linear)
{
	return mg_linears(cx, compute, x, &linear, 1);
}
