/*
 * Matrix products, part of kernels_body.h.
 *
 * panel_product walks over the columns in strips and over the rows in tiles.
 * A tile keeps all its sums in registers and for each k multiplies one number
 * of each row of x with the strip's k-th row:
 *
 *              strip of W^T (TILE_VECTORS vectors)
 *              k -> [ w w | w w ]
 *   x rows  [k] x   [ sum | sum ]   TILE_ROWS rows
 *           [k] x   [ sum | sum ]
 *
 * Each sum is one chain over k from 0 up, whatever the shape of the tile. With
 * few rows a tile is wider instead, because a handful of chains would wait for
 * the latency of the multiplier.
 *
 * row_product takes W as it is, row by row: each output is a dot product kept
 * in one vector of partial sums, again whatever the shape of the tile.
 */

#define MOST_VECTORS 8
#define LINE_FLOATS 16

/*
 * Asks for a line that stands n floats after p, which may lie past the end of the matrix: a prefetch of nothing does
 * no harm, but the pointer may not be formed.
 */
#define PREFETCH(p, n, write) __builtin_prefetch((const void *) ((uintptr_t) (p) + (n) * sizeof(float)), write)

/*
 * How far ahead of its use W is asked for. The hardware finds the stream by itself but not soon enough when few rows
 * use each line: a product of 12 rows with [768, 3072] gains 5 to 20 %.
 */
#define LINES_AHEAD 16

/* Panels of MG_BF16 are widened on the way to the registers, so that products of both kinds are the same. */
INLINE void
panel_tile(const size_t rows, const size_t vectors, const bool narrow, const MgProduct *p)
{
	const size_t size = narrow ? sizeof *p->narrow : sizeof *p->w;
	const float *x = p->x;
	const uint8_t *w = narrow ? (const uint8_t *) p->narrow : (const uint8_t *) p->w;
	float *out = p->out;
	size_t x_stride = p->x_stride;
	size_t w_stride = p->w_stride;
	size_t out_stride = p->out_stride;
	vf sum[TILE_ROWS][MOST_VECTORS];

	UNROLL for (size_t i = 0; i < rows; i++)
		UNROLL for (size_t v = 0; v < vectors * VW; v += LINE_FLOATS)
			PREFETCH(out + i * out_stride, v, 1);
	UNROLL for (size_t v = 0; v < vectors; v++)
	{
		vf start = p->bias != NULL && !p->accumulate ? v_load(p->bias + v * VW) : v_set1(0.0f);

		UNROLL for (size_t i = 0; i < rows; i++)
			sum[i][v] = start;
	}
	for (size_t k = 0; k < p->depth; k++, x++, w += MG_PANEL * size)
	{
		vf b[MOST_VECTORS];

		UNROLL for (size_t v = 0; v < vectors; v++)
		{
			const uint8_t *from = w + (v * VW / MG_PANEL * w_stride + v * VW % MG_PANEL) * size;

			if (v * VW % LINE_FLOATS == 0)
				PREFETCH(from, LINES_AHEAD * MG_PANEL * size / sizeof(float), 0);
			b[v] = narrow ? v_load_bf16(from) : v_load((const float *) (const void *) from);
		}
		UNROLL for (size_t i = 0; i < rows; i++)
		{
			vf a = v_set1(x[i * x_stride]);

			UNROLL for (size_t v = 0; v < vectors; v++)
				sum[i][v] = v_fma(a, b[v], sum[i][v]);
		}
	}
	if (p->accumulate)
		UNROLL for (size_t i = 0; i < rows; i++)
			UNROLL for (size_t v = 0; v < vectors; v++)
				sum[i][v] += v_load(out + i * out_stride + v * VW);
	UNROLL for (size_t i = 0; i < rows; i++)
		UNROLL for (size_t v = 0; v < vectors; v++)
			v_store(out + i * out_stride + v * VW, sum[i][v]);
}

typedef void (*TileFunction)(const MgProduct *p);

#define TILE(rows, vectors) \
	static void tile_##rows##_##vectors(const MgProduct *p) \
	{ \
		panel_tile(rows, vectors, false, p); \
	} \
	static void narrow_tile_##rows##_##vectors(const MgProduct *p) \
	{ \
		panel_tile(rows, vectors, true, p); \
	}

#define TILES(rows) TILE(rows, 1) TILE(rows, 2)

TILES(1) TILES(2) TILES(3) TILES(4)
TILE(1, 8) TILE(2, 4) TILE(3, 4)
#if TILE_ROWS > 4
TILES(5) TILES(6)
#endif
#if TILE_ROWS > 6
TILES(7) TILES(8) TILES(9) TILES(10) TILES(11) TILES(12) TILES(13) TILES(14)
#endif

#define FOUR_TILES(kind, vectors) NULL, kind##_1_##vectors, kind##_2_##vectors, kind##_3_##vectors, kind##_4_##vectors
#define SIX_TILES(kind, vectors) FOUR_TILES(kind, vectors), kind##_5_##vectors, kind##_6_##vectors
#if TILE_ROWS == 4
#define ALL_TILES(kind, vectors) {FOUR_TILES(kind, vectors)}
#elif TILE_ROWS == 6
#define ALL_TILES(kind, vectors) {SIX_TILES(kind, vectors)}
#else
#define ALL_TILES(kind, vectors) \
	{SIX_TILES(kind, vectors), kind##_7_##vectors, kind##_8_##vectors, kind##_9_##vectors, kind##_10_##vectors, \
	 kind##_11_##vectors, kind##_12_##vectors, kind##_13_##vectors, kind##_14_##vectors}
#endif

/* By kind of panels, floats first, by vectors of a strip less one, and rows. */
static const TileFunction tiles[2][TILE_VECTORS][TILE_ROWS + 1] = {
	{ALL_TILES(tile, 1), ALL_TILES(tile, 2)}, {ALL_TILES(narrow_tile, 1), ALL_TILES(narrow_tile, 2)}};

/* The tile for columns of a strip: the last strip of a product may need half a tile only. */
static TileFunction
tile_for(const MgProduct *p, size_t columns)
{
	return tiles[p->narrow != NULL][columns > VW][p->rows];
}

/* A strip that columns fill only in part goes through a full one beside it. */
static void
partial_tile(const MgProduct *p, size_t columns)
{
	const size_t width = columns > VW ? TILE_VECTORS * VW : VW;
	float out[TILE_ROWS * TILE_VECTORS * VW] = {0};
	float bias[TILE_VECTORS * VW] = {0};
	MgProduct full = *p;

	if (p->accumulate)
		for (size_t i = 0; i < p->rows; i++)
			memcpy(out + i * width, p->out + i * p->out_stride, columns * sizeof(float));
	if (p->bias != NULL)
	{
		memcpy(bias, p->bias, columns * sizeof(float));
		full.bias = bias;
	}
	full.out = out;
	full.out_stride = width;
	tile_for(p, columns)(&full);
	for (size_t i = 0; i < p->rows; i++)
		memcpy(p->out + i * p->out_stride, out + i * width, columns * sizeof(float));
}

/* All rows against one strip; the rows are spread evenly over the tiles. */
static void
strip(MgProduct p, TileFunction wide, size_t columns)
{
	size_t left = p.rows;
	size_t n_tiles = (left + TILE_ROWS - 1) / TILE_ROWS;

	for (; n_tiles > 0; n_tiles--)
	{
		p.rows = (left + n_tiles - 1) / n_tiles;
		if (wide != NULL)
			wide(&p);
		else if (columns % VW != 0)
			partial_tile(&p, columns);
		else
			tile_for(&p, columns)(&p);
		activate(p.out, p.out_stride, p.rows, columns, p.activation);
		p.x += p.rows * p.x_stride;
		p.out += p.rows * p.out_stride;
		left -= p.rows;
	}
}

static void
panel_product(const MgProduct *product)
{
	static const TileFunction wide_tiles[2][4] = {{NULL, tile_1_8, tile_2_4, tile_3_4},
												  {NULL, narrow_tile_1_8, narrow_tile_2_4, narrow_tile_3_4}};
	static const size_t wide_vectors[4] = {0, 8, 4, 4};
	TileFunction wide = product->rows < 4 ? wide_tiles[product->narrow != NULL][product->rows] : NULL;
	size_t width = wide != NULL ? wide_vectors[product->rows] * VW : TILE_VECTORS * VW;

	for (size_t at = 0; at < product->columns; at += width)
	{
		size_t left = product->columns - at;
		MgProduct p = *product;

		if (wide != NULL && left < width)
		{
			wide = NULL;
			width = TILE_VECTORS * VW;
		}
		mg_product_skip(&p, at / MG_PANEL * p.w_stride + at % MG_PANEL);
		p.out = product->out + at;
		p.bias = product->bias != NULL ? product->bias + at : NULL;
		strip(p, wide, left < width ? left : width);
	}
}

/* Rows of x and of W that row_product takes at once. */
#define DOT_ROWS 4
#define DOT_COLUMNS (VW == 16 ? 4 : 2)

INLINE void
dot_tile(const size_t rows, const size_t columns, const MgProduct *p)
{
	vf sum[DOT_ROWS][4];
	vf a, b[4];
	size_t k = 0;

	UNROLL for (size_t i = 0; i < rows; i++)
		UNROLL for (size_t j = 0; j < columns; j++)
			sum[i][j] = v_set1(0.0f);

#define DOT_STEP(load) \
	UNROLL for (size_t j = 0; j < columns; j++) \
	{ \
		const float *from = p->w + j * p->w_stride + k; \
		b[j] = load; \
	} \
	UNROLL for (size_t i = 0; i < rows; i++) \
	{ \
		const float *from = p->x + i * p->x_stride + k; \
		a = load; \
		UNROLL for (size_t j = 0; j < columns; j++) \
			sum[i][j] = v_fma(a, b[j], sum[i][j]); \
	}

	for (; k + VW <= p->depth; k += VW)
	{
		if (k % LINE_FLOATS == 0)
			UNROLL for (size_t j = 0; j < columns; j++)
				PREFETCH(p->w, (j + columns) * p->w_stride + k, 0);
		DOT_STEP(v_load(from))
	}
	if (k < p->depth)
	{
		DOT_STEP(v_load_n(from, p->depth - k))
	}
	UNROLL for (size_t i = 0; i < rows; i++)
		UNROLL for (size_t j = 0; j < columns; j++)
		{
			float start = p->accumulate ? p->out[i * p->out_stride + j] : p->bias != NULL ? p->bias[j] : 0.0f;

			p->out[i * p->out_stride + j] = start + v_sum(sum[i][j]);
		}
}

#define DOT_TILE(rows) \
	static void dots_##rows(const MgProduct *p) \
	{ \
		if (p->columns == DOT_COLUMNS) \
			dot_tile(rows, DOT_COLUMNS, p); \
		else \
			dot_tile(rows, 1, p); \
	}

DOT_TILE(1) DOT_TILE(2) DOT_TILE(3) DOT_TILE(4)

static void
row_product(const MgProduct *product)
{
	static const TileFunction dots[DOT_ROWS + 1] = {NULL, dots_1, dots_2, dots_3, dots_4};
	MgProduct p = *product;

	for (size_t j = 0; j < product->columns; j += p.columns)
	{
		p.columns = product->columns - j < DOT_COLUMNS ? 1 : DOT_COLUMNS;
		p.w = product->w + j * product->w_stride;
		p.bias = product->bias != NULL ? product->bias + j : NULL;
		for (size_t i = 0; i < product->rows; i += p.rows)
		{
			p.rows = product->rows - i < DOT_ROWS ? product->rows - i : DOT_ROWS;
			p.x = product->x + i * product->x_stride;
			p.out = product->out + i * product->out_stride + j;
			dots[p.rows](&p);
		}
	}
	activate(product->out, product->out_stride, product->rows, product->columns, product->activation);
}
