/*
 * bf16x2 products on the tile registers of AMX, part of kernels_body.h for the level "amx". Registers are used as in
 * body_amx.h: four of sums, two of x, two of W, whose tiles lie ready in its panels.
 *
 * The sums of a tile are one chain, which starts from the bias and, where the inner dimension is cut, goes on from what out
 * holds: cuts change no bit.
 */

#define BF16X2_PREFERRED true
#define BF16X2_FLOPS 2400e6
#define BF16X2_TILE_ROWS ((size_t) 32)

/* The compilers do not know that loading a tile reads memory. */
#define AMX_WRITTEN() __asm__ volatile("" : : : "memory")

static void
split(const float *row, size_t n, uint16_t *to)
{
	size_t padded = mg_bf16x2_cols(n);

	for (size_t k = 0; k < padded; k += VW)
	{
		vf x = n >= k + VW ? v_load(row + k) : n > k ? v_load_n(row + k, n - k) : v_set1(0.0f);
		__m256i upper = (__m256i) _mm512_cvtneps_pbh(x);
		vf rest = x - (vf) _mm512_slli_epi32(_mm512_cvtepu16_epi32(upper), 16);

		_mm256_storeu_si256((__m256i *) (void *) (to + k), upper);
		_mm256_storeu_si256((__m256i *) (void *) (to + padded + k), (__m256i) _mm512_cvtneps_pbh(rest));
	}
}

/* What a tile of rows needs. */
typedef struct PairsTile
{
	const uint16_t *x, *w;
	size_t x_stride; /* bytes */
	size_t lower;	 /* numbers from h to l of x */
	size_t steps;
} PairsTile;

INLINE void
pairs_multiply(const bool second)
{
	_tile_dpbf16ps(0, 4, 6);
	_tile_dpbf16ps(1, 4, 7);
	if (second)
	{
		_tile_dpbf16ps(2, 5, 6);
		_tile_dpbf16ps(3, 5, 7);
	}
}

INLINE void
pairs_load_x(const bool second, const uint16_t *x, size_t stride)
{
	_tile_loadd(4, x, stride);
	if (second)
		_tile_loadd(5, (const uint8_t *) x + MG_BF16X2_ROWS * stride, stride);
}

/* second: there are more than MG_BF16X2_ROWS rows; planes of W. */
INLINE void
pairs_steps(const bool second, const size_t planes, const PairsTile *t)
{
	const size_t tile = MG_BF16X2_DEPTH * MG_PANEL / 2;
	const uint16_t *x = t->x, *w = t->w;

	for (size_t left = t->steps; left > 0; left--, x += MG_BF16X2_DEPTH, w += 2 * planes * tile)
	{
		pairs_load_x(second, x, t->x_stride);
		if (planes == 2)
		{
			_tile_loadd(6, w + 2 * tile, 64);
			_tile_loadd(7, w + 3 * tile, 64);
			pairs_multiply(second);
		}
		_tile_loadd(6, w, 64);
		_tile_loadd(7, w + tile, 64);
		pairs_multiply(second);
		pairs_load_x(second, x + t->lower, t->x_stride);
		pairs_multiply(second);
	}
}

/* The sums of a tile, from and to rows a stride of bytes apart. */
INLINE void
pairs_load_sums(const bool second, const float *from, size_t stride)
{
	_tile_loadd(0, from, stride);
	_tile_loadd(1, from + MG_PANEL / 2, stride);
	if (second)
	{
		_tile_loadd(2, (const uint8_t *) from + MG_BF16X2_ROWS * stride, stride);
		_tile_loadd(3, (const uint8_t *) from + MG_BF16X2_ROWS * stride + 64, stride);
	}
}

INLINE void
pairs_store_sums(const bool second, float *to, size_t stride)
{
	_tile_stored(0, to, stride);
	_tile_stored(1, to + MG_PANEL / 2, stride);
	if (second)
	{
		_tile_stored(2, (uint8_t *) to + MG_BF16X2_ROWS * stride, stride);
		_tile_stored(3, (uint8_t *) to + MG_BF16X2_ROWS * stride + 64, stride);
	}
}

/* from [rows, columns] to rows elsewhere */
static void
pairs_copy(const float *from, size_t from_stride, size_t rows, size_t columns, float *to, size_t to_stride)
{
	for (size_t i = 0; i < rows; i++)
		memcpy(to + i * to_stride, from + i * from_stride, columns * sizeof *to);
}

/* Sums in out that wait for their activation, which is computed while the tile registers are at work on the next ones. */
typedef struct PairsWaiting
{
	float *out;
	size_t stride, rows; /* rows 0: nothing waits */
} PairsWaiting;

/* All rows against the panel of the column at, over the columns of x from `from` to `to`. */
static void
pairs_strip(const MgBf16x2Product *p, size_t at, size_t from, size_t to, PairsWaiting *waiting)
{
	float edge[2 * MG_BF16X2_ROWS * MG_PANEL] __attribute__((aligned(64)));
	float bias[MG_PANEL] __attribute__((aligned(64))) = {0};
	size_t columns = p->columns - at < MG_PANEL ? p->columns - at : MG_PANEL;
	MgActivation activation = to >= p->depth ? p->activation : MG_ACT_NONE;
	PairsTile t = {
		.x = p->x + from, .x_stride = p->x_stride * sizeof *p->x, .lower = mg_bf16x2_cols(p->depth),
		.w = p->w + at / MG_PANEL * mg_bf16x2_panel(p->depth, p->planes) + from * p->planes * MG_PANEL,
		.steps = (to - from + MG_BF16X2_DEPTH - 1) / MG_BF16X2_DEPTH,
	};

	if (p->bias != NULL)
		memcpy(bias, p->bias + at, columns * sizeof *bias);
	for (size_t row = 0, n; row < p->rows; row += n, t.x += n * p->x_stride)
	{
		float *out = p->out + row * p->out_stride + at, *sums = out;
		size_t stride = p->out_stride * sizeof *out;
		bool second, whole;

		n = p->rows - row < 2 * MG_BF16X2_ROWS ? p->rows - row : 2 * MG_BF16X2_ROWS;
		second = n > MG_BF16X2_ROWS;
		whole = (n % MG_BF16X2_ROWS == 0 || p->rows < MG_BF16X2_ROWS) && columns == MG_PANEL;
		if (!whole)
		{
			if (from > 0)
				pairs_copy(out, p->out_stride, n, columns, edge, MG_PANEL);
			sums = edge;
			stride = MG_PANEL * sizeof *edge;
		}
		AMX_WRITTEN();
		/* A distance of 0 gives each row the bias. */
		pairs_load_sums(second, from > 0 ? sums : bias, from > 0 ? stride : 0);
		if (second && p->planes == 2)
			pairs_steps(true, 2, &t);
		else if (second)
			pairs_steps(true, 1, &t);
		else if (p->planes == 2)
			pairs_steps(false, 2, &t);
		else
			pairs_steps(false, 1, &t);
		activate(waiting->out, waiting->stride, waiting->rows, MG_PANEL, activation);
		waiting->rows = 0;
		pairs_store_sums(second, sums, stride);
		if (whole)
			*waiting = (PairsWaiting){out, p->out_stride, n};
		else
		{
			activate(edge, MG_PANEL, n, columns, activation);
			pairs_copy(edge, MG_PANEL, n, columns, out, p->out_stride);
		}
	}
}

static void
bf16x2_product(const MgBf16x2Product *p)
{
	PairsWaiting waiting = {.rows = 0};
	AmxShape shape = amx_shape;
	size_t from = 0;

	/* Few rows take as many cycles. */
	if (p->rows < MG_BF16X2_ROWS)
		memset(shape.rows, (int) p->rows, 6);
	AMX_WRITTEN();
	_tile_loadconfig(&shape);
	do
	{
		size_t to = p->depth - from < MG_BF16X2_BLOCK_DEPTH ? p->depth : from + MG_BF16X2_BLOCK_DEPTH;

		for (size_t at = 0; at < p->columns; at += MG_PANEL)
			pairs_strip(p, at, from, to, &waiting);
		activate(waiting.out, waiting.stride, waiting.rows, MG_PANEL, to >= p->depth ? p->activation : MG_ACT_NONE);
		waiting.rows = 0;
		from = to;
	} while (from < p->depth);
	_tile_release();
}
