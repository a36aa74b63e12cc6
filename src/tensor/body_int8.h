/*
 * int8 products, part of kernels_body.h, over the steps of an int8_*.h file.
 *
 * A tile keeps its sums in registers and goes four bytes deep at a time: for each channel of W four codes stand
 * together, and each row of x gives four to all channels.
 *
 * With u = w + 128 and a = q - 128, what the instructions see, what compute.h asks for is
 *   sum (q + 256 h - z) w = sum a u + 256 sum h u - 128 sum (a + 256 h) + (128 - z) sum w
 * and where they multiply signed bytes, q_weights gives w and the first three terms are sum a w + 256 sum h w. Few h are
 * not zero: each is a step of its own, after all others.
 */

#define DEEP 4 /* codes of a step */

/* Sums of VW channels take this many vectors. */
#define SUMS_IN_VECTOR (INT8_SUMS * VW / INT8_CHANNELS)

/* How far ahead of its use W is asked for, as LINES_AHEAD of body_product.h. */
#define STEPS_AHEAD 12

/* Rows that differ by less count as zeros: 255 / extent must be finite. */
#define LEAST_EXTENT 1e-35f

/* The range of a row is at least this much of its largest number, so that two bytes hold that: 1/125. */
#define OUTLIER_SHARE 0.008f

typedef struct Int8Tile
{
	const int8_code *x;
	size_t x_stride;
	const MgRowScale *scales; /* [rows] */
	const uint8_t *w;		  /* the tile's channels in the panel */
	size_t steps;
	const float *w_scales; /* of the tile's channels, as all below */
	const int32_t *w_sums;
	const float *bias; /* or NULL */
	float *out;
	size_t out_stride;
} Int8Tile;

/* What the v-th vector of a tile's channels has of its own. */
typedef struct Int8Channels
{
	vi w_sum;
	vf w_scale;
	vf bias;
} Int8Channels;

INLINE Int8Channels
int8_channels(const Int8Tile *t, size_t v)
{
	return (Int8Channels){
		.w_sum = i_load(t->w_sums + v * VW), .w_scale = v_load(t->w_scales + v * VW),
		.bias = t->bias != NULL ? v_load(t->bias + v * VW) : v_set1(0.0f),
	};
}

/* The v-th sums of the row i, with what second bytes add to them. */
INLINE vq
add_outliers(const Int8Tile *t, size_t i, size_t v, vq sum)
{
	vq high = {0};

	UNROLL for (size_t k = 0; k < MG_INT8_OUTLIERS; k++)
	{
		const MgOutlier *outlier = &t->scales[i].outliers[k];
		const uint8_t *w = t->w + (size_t) outlier->column * MG_PANEL + v * (INT8_CHANNELS / INT8_SUMS) * DEEP;

		high = q_step(high, q_weights(w), q_row((const int8_code *) (const void *) outlier->codes));
	}
	return (vq) ((vu) sum + ((vu) high << 8));
}

/* The row i of out; sums are as the instructions gave them. */
INLINE void
int8_finish(const Int8Tile *t, size_t i, size_t v, vi sums, const Int8Channels *channels)
{
	const MgRowScale *s = &t->scales[i];
	vu total = (vu) sums + (vu) i_multiply(i_set1(s->offset), channels->w_sum);

	if (!INT8_SIGNED)
		total += (vu) i_set1(s->correction);
	v_store(t->out + i * t->out_stride + v * VW,
			v_of_int((vi) total) * v_set1(s->scale) * channels->w_scale + channels->bias);
}

INLINE void
int8_tile(const size_t rows, const Int8Tile *t)
{
	const int8_code *x = t->x;
	const uint8_t *w = t->w;
	size_t x_stride = t->x_stride;
	vq sum[INT8_ROWS][INT8_SUMS];

	UNROLL for (size_t i = 0; i < rows; i++)
		UNROLL for (size_t v = 0; v < INT8_SUMS; v++)
			sum[i][v] = (vq){0};
	for (size_t step = 0; step < t->steps; step++, x += DEEP, w += MG_PANEL * DEEP)
	{
		vw b[INT8_SUMS];

		UNROLL for (size_t v = 0; v < INT8_SUMS; v++)
			b[v] = q_weights(w + v * (INT8_CHANNELS / INT8_SUMS) * DEEP);
		UNROLL for (size_t at = 0; at < INT8_CHANNELS * DEEP; at += 64)
			__builtin_prefetch((const void *) ((uintptr_t) w + STEPS_AHEAD * MG_PANEL * DEEP + at), 0);
		UNROLL for (size_t i = 0; i < rows; i++)
		{
			vx a = q_row(x + i * x_stride);

			UNROLL for (size_t v = 0; v < INT8_SUMS; v++)
				sum[i][v] = q_step(sum[i][v], b[v], a);
		}
	}
	UNROLL for (size_t i = 0; i < rows; i++)
		UNROLL for (size_t v = 0; v < INT8_SUMS; v++)
			sum[i][v] = add_outliers(t, i, v, sum[i][v]);
	UNROLL for (size_t v = 0; v < INT8_CHANNELS / VW; v++)
	{
		Int8Channels channels = int8_channels(t, v);

		UNROLL for (size_t i = 0; i < rows; i++)
			int8_finish(t, i, v, q_channels(&sum[i][v * SUMS_IN_VECTOR]), &channels);
	}
}

#define INT8_TILE(rows) \
	static void int8_tile_##rows(const Int8Tile *tile) \
	{ \
		int8_tile(rows, tile); \
	}

INT8_TILE(1) INT8_TILE(2)
#if INT8_ROWS > 2
INT8_TILE(3)
#endif
#if INT8_ROWS > 3
INT8_TILE(4)
#endif
#if INT8_ROWS > 4
INT8_TILE(5)
#endif
#if INT8_ROWS > 5
INT8_TILE(6)
#endif
#if INT8_ROWS > 6
INT8_TILE(7) INT8_TILE(8) INT8_TILE(9) INT8_TILE(10) INT8_TILE(11) INT8_TILE(12) INT8_TILE(13) INT8_TILE(14)
#endif

static void (*const int8_tiles[INT8_ROWS + 1])(const Int8Tile *) = {
	NULL, int8_tile_1, int8_tile_2,
#if INT8_ROWS > 2
	int8_tile_3,
#endif
#if INT8_ROWS > 3
	int8_tile_4,
#endif
#if INT8_ROWS > 4
	int8_tile_5,
#endif
#if INT8_ROWS > 5
	int8_tile_6,
#endif
#if INT8_ROWS > 6
	int8_tile_7, int8_tile_8, int8_tile_9, int8_tile_10, int8_tile_11, int8_tile_12, int8_tile_13, int8_tile_14,
#endif
};

/* A tile of which out and bias have fewer columns. */
static void
partial_int8_tile(const Int8Tile *tile, size_t rows, size_t columns)
{
	float out[INT8_ROWS * INT8_CHANNELS];
	float bias[INT8_CHANNELS] = {0};
	Int8Tile full = *tile;

	if (tile->bias != NULL)
	{
		memcpy(bias, tile->bias, columns * sizeof(float));
		full.bias = bias;
	}
	full.out = out;
	full.out_stride = INT8_CHANNELS;
	int8_tiles[rows](&full);
	for (size_t i = 0; i < rows; i++)
		memcpy(tile->out + i * tile->out_stride, out + i * INT8_CHANNELS, columns * sizeof(float));
}

/* The tile of the first row and the column at, which is a multiple of INT8_CHANNELS. */
static Int8Tile
first_int8_tile(const MgInt8Product *p, size_t at)
{
	size_t steps = (p->depth + DEEP - 1) / DEEP;
	const uint8_t *panel = p->w + at / MG_PANEL * mg_int8_panel_size(p->depth);
	const uint8_t *ends = panel + steps * MG_PANEL * DEEP;

	return (Int8Tile){
		.x = p->x, .x_stride = p->x_stride, .scales = p->scales,
		.w = panel + at % MG_PANEL * DEEP, .steps = steps,
		.w_scales = (const float *) ends + at % MG_PANEL,
		.w_sums = (const int32_t *) (ends + MG_PANEL * sizeof(float)) + at % MG_PANEL,
		.bias = p->bias != NULL ? p->bias + at : NULL,
		.out = p->out + at, .out_stride = p->out_stride,
	};
}

/* Goes some rows further. */
static void
next_int8_tile(Int8Tile *tile, size_t rows)
{
	tile->x += rows * tile->x_stride;
	tile->scales += rows;
	tile->out += rows * tile->out_stride;
}

static void
int8_product(const MgInt8Product *p)
{
	for (size_t at = 0; at < p->columns; at += INT8_CHANNELS)
	{
		size_t columns = p->columns - at < INT8_CHANNELS ? p->columns - at : INT8_CHANNELS;
		size_t left = p->rows;
		size_t n_tiles = (left + INT8_ROWS - 1) / INT8_ROWS;
		Int8Tile tile = first_int8_tile(p, at);

		for (; n_tiles > 0; n_tiles--)
		{
			size_t rows = (left + n_tiles - 1) / n_tiles;

			if (columns < INT8_CHANNELS)
				partial_int8_tile(&tile, rows, columns);
			else
				int8_tiles[rows](&tile);
			activate(tile.out, tile.out_stride, rows, columns, p->activation);
			next_int8_tile(&tile, rows);
			left -= rows;
		}
	}
}

INLINE vi
lane_numbers(void)
{
	static const int32_t numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

	return i_load(numbers);
}

/*
 * The columns of a row's outliers, the larger one first. A key is the upper 16 bits of a magnitude and the column below, so
 * that the largest are found lane by lane, in any order: all levels find the same.
 */
static void
find_outliers(const float *row, size_t n, uint32_t *outliers)
{
	vi columns = lane_numbers(), first = i_set1(0), second = i_set1(0);
	int32_t largest;

	for (size_t i = 0; i < n; i += VW, columns += i_set1(VW))
	{
		vi key = ((vi) load_some(row + i, n - i) & i_set1(0x7FFF0000)) | columns;

		/* Of positive floats, which AVX-512 compares at two ports, integers at one. Where one is none, the row is none. */
		second = i_max(second, (vi) v_min((vf) first, (vf) key));
		first = i_max(first, key);
	}
	largest = i_largest(first);
	outliers[0] = (uint32_t) largest & 0xFFFF;
	outliers[1] = (uint32_t) i_largest(i_max(second, first & (vi) (first != i_set1(largest)))) & 0xFFFF;
	/* Where all is zero, a column behind the last one may be the largest. */
	for (size_t k = 0; k < MG_INT8_OUTLIERS; k++)
		outliers[k] = outliers[k] < n ? outliers[k] : 0;
}

/* high - low of a row without its outliers and with a zero. */
static float
extent(const float *row, size_t n, const uint32_t *outliers, float *low)
{
	vf least[2] = {v_set1(0.0f), v_set1(0.0f)}, most[2] = {v_set1(0.0f), v_set1(0.0f)};
	vi columns = lane_numbers();
	vi first = i_set1((int32_t) outliers[0]), second = i_set1((int32_t) outliers[1]);
	size_t i = 0;

	/* Two at a time, for each chain waits for its latency. */
	for (; i + 2 * VW <= n; i += 2 * VW)
		UNROLL for (size_t k = 0; k < 2; k++, columns += i_set1(VW))
		{
			vf v = v_zero_where(v_load(row + i + k * VW), columns, first, second);

			least[k] = v_min(v, least[k]);
			most[k] = v_max(v, most[k]);
		}
	for (; i < n; i += VW, columns += i_set1(VW))
	{
		vf v = v_zero_where(load_some(row + i, n - i), columns, first, second);

		least[0] = v_min(v, least[0]);
		most[0] = v_max(v, most[0]);
	}
	*low = -v_largest(v_set1(0.0f) - v_min(least[0], least[1]));
	return v_largest(v_max(most[0], most[1])) - *low;
}

/* Makes the code of an outlier two bytes; what that adds to the sum of codes, in which it is cut to one. */
static int32_t
widen_code(int8_code *codes, uint32_t column, int32_t code, MgOutlier *outlier)
{
	int8_code high[DEEP] = {0};

	codes[column] = (int8_code) ((code & 0xFF) - 128);
	high[column % DEEP] = (int8_code) (code >> 8);
	memcpy(outlier->codes, high, sizeof high);
	outlier->column = column / DEEP * DEEP;
	return code - (code < 0 ? 0 : code < 255 ? code : 255);
}

static void
quantize(const float *row, size_t n, void *codes, MgRowScale *scale)
{
	const float round = 12582912.0f; /* 1.5 * 2^23: adding it leaves the nearest integer in the low bits */
	const int32_t round_bits = 0x4B400000;
	int8_code *to = codes;
	uint32_t outliers[MG_INT8_OUTLIERS] = {0};
	vi sum = i_set1(0);
	float low = 0.0f, range = 0.0f, most = 0.0f, factor;
	int32_t zero, total;
	size_t i;

	*scale = (MgRowScale){0};
	if (n > 0)
	{
		find_outliers(row, n, outliers);
		most = fabsf(row[outliers[0]]);
		range = extent(row, n, outliers, &low);
		range = range < most * OUTLIER_SHARE ? most * OUTLIER_SHARE : range;
	}
	if (!(most <= FLT_MAX) || range < LEAST_EXTENT || range > FLT_MAX)
	{
		/* All sums are zero, and so is what they give, but for NaN. */
		scale->scale = most <= FLT_MAX && range <= FLT_MAX ? 0.0f : NAN;
		memset(to, 0, (n + DEEP - 1) / DEEP * DEEP * sizeof *to);
		return;
	}
	factor = 255.0f / range;
	zero = (int32_t) rintf(-low * factor);
	i = 0;
#if defined(STORE_BLOCK)
	for (; i + STORE_BLOCK <= n; i += STORE_BLOCK)
		sum = q_store_block(to + i, row + i, factor, zero - 128, sum);
#endif
	for (; i < n; i += VW)
	{
		vf shifted = load_some(row + i, n - i) * v_set1(factor) + v_set1(round);
		/* Outliers go beyond both ends; others beyond the upper one, when both round away from zero. */
		vi code = i_max(i_min((vi) shifted + i_set1(zero - 128 - round_bits), i_set1(127)), i_set1(-128));

		q_store(to + i, code);
		sum += code;
	}
	total = (int32_t) v_sum(v_of_int(sum)); /* at most 2^23: exact */
	total -= (int32_t) (i - n) * (zero - 128); /* without the zeros past the end */
	for (i = n; i % DEEP != 0; i++)
		to[i] = 0;
	for (size_t k = 0; k < MG_INT8_OUTLIERS && (k == 0 || outliers[k] != outliers[0]); k++)
		total += widen_code(to, outliers[k], (int32_t) rintf(row[outliers[k]] * factor) + zero, &scale->outliers[k]);
	scale->scale = range / 255.0f;
	scale->offset = 128 - zero;
	scale->correction = -128 * total;
}
