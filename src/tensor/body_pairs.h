/*
 * Products of bfloat16 in pairs, part of kernels_body.h; kernels.h says what they give.
 *
 * An instruction of AVX-512 BF16 multiplies the pairs of a lane and adds both products, the odd one first, rounding after each. A
 * product of two bfloat16 numbers is exact in float32, so two fused steps, or four plain ones, give the same bits.
 */

#if VW > 8
#define PAIR_ROWS 6
#define PAIR_PANELS 2
#else
#define PAIR_ROWS 2
#define PAIR_PANELS 1
#endif

#define PAIR_VECTORS (MG_PANEL / VW)

#if defined(HAS_PAIR_STEP)
#define pair_step v_pair_step
#else
INLINE vf
pair_step(vf sum, vu w, vu x)
{
	const vu upper = (vu) i_set1((int32_t) 0xFFFF0000);

	sum = v_fma((vf) (w & upper), (vf) (x & upper), sum);
	return v_fma((vf) (w << 16), (vf) (x << 16), sum);
}
#endif

INLINE void
pair_tile(const size_t rows, const size_t panels, const MgPairProduct *p)
{
	const uint16_t *x = p->x, *w = p->w;
	vf sum[PAIR_ROWS][PAIR_PANELS * PAIR_VECTORS];

	UNROLL for (size_t i = 0; i < rows; i++)
		UNROLL for (size_t v = 0; v < panels * PAIR_VECTORS; v++)
			sum[i][v] = p->chained ? v_load(p->out + i * p->out_stride + v * VW) : v_set1(0.0f);
	for (size_t k = 0; k < p->depth; k += 2, x += 2, w += 2 * MG_PANEL)
	{
		vu b[PAIR_PANELS * PAIR_VECTORS];

		UNROLL for (size_t v = 0; v < panels * PAIR_VECTORS; v++)
			memcpy(&b[v], w + v / PAIR_VECTORS * p->w_stride + v % PAIR_VECTORS * 2 * VW, sizeof b[v]);
		UNROLL for (size_t i = 0; i < rows; i++)
		{
			int32_t pair;
			vu a;

			memcpy(&pair, x + i * p->x_stride, sizeof pair);
			a = (vu) i_set1(pair);
			UNROLL for (size_t v = 0; v < panels * PAIR_VECTORS; v++)
				sum[i][v] = pair_step(sum[i][v], b[v], a);
		}
	}
	UNROLL for (size_t i = 0; i < rows; i++)
		UNROLL for (size_t v = 0; v < panels * PAIR_VECTORS; v++)
			v_store(p->out + i * p->out_stride + v * VW, sum[i][v]);
}

#define PAIR_TILE(rows) \
	static void pair_tile_##rows(const MgPairProduct *p) \
	{ \
		if (PAIR_PANELS > 1 && p->columns > MG_PANEL) \
			pair_tile(rows, PAIR_PANELS, p); \
		else \
			pair_tile(rows, 1, p); \
	}

PAIR_TILE(1) PAIR_TILE(2)
#if PAIR_ROWS > 2
PAIR_TILE(3) PAIR_TILE(4) PAIR_TILE(5) PAIR_TILE(6)
#endif

static void
pair_product(const MgPairProduct *product)
{
	static void (*const pair_tiles[PAIR_ROWS + 1])(const MgPairProduct *) = {
		NULL, pair_tile_1, pair_tile_2,
#if PAIR_ROWS > 2
		pair_tile_3, pair_tile_4, pair_tile_5, pair_tile_6,
#endif
	};
	MgPairProduct p = *product;

	for (size_t column = 0; column < product->columns; column += p.columns)
	{
		p.columns = product->columns - column < PAIR_PANELS * MG_PANEL ? MG_PANEL : PAIR_PANELS * MG_PANEL;
		p.w = product->w + column / MG_PANEL * p.w_stride;
		for (size_t row = 0; row < product->rows; row += p.rows)
		{
			p.rows = product->rows - row < PAIR_ROWS ? product->rows - row : PAIR_ROWS;
			p.x = product->x + row * p.x_stride;
			p.out = product->out + row * p.out_stride + column;
			pair_tiles[p.rows](&p);
		}
	}
}

typedef uint16_t vh __attribute__((vector_size(2 * VW)));

INLINE vh
narrow_bf16(vf v)
{
	const vu nan = (vu) i_set1(0x7FC00000), infinity = (vu) i_set1(0x7F800000), magnitude = (vu) i_set1(0x7FFFFFFF);
	vu bits = (vu) v, is_nan = (vu) ((bits & magnitude) > infinity), rounded = bits + 0x7FFF + (bits >> 16 & 1);

	return __builtin_convertvector(((rounded & ~is_nan) | (nan & is_nan)) >> 16, vh);
}

/* Rounds to the nearest, ties to even; a NaN stays one. */
static void
to_bf16(const float *from, size_t n, uint16_t *to)
{
	size_t i = 0;

	for (; i + VW <= n; i += VW)
	{
		vh some = narrow_bf16(v_load(from + i));

		memcpy(to + i, &some, sizeof some);
	}
	if (i < n)
	{
		vh some = narrow_bf16(v_load_n(from + i, n - i));

		memcpy(to + i, &some, (n - i) * sizeof *to);
	}
}
