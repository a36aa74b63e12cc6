/*
 * int8 products, part of kernels_body.h, over the steps of an int8_*.h file.
 *
 * A tile keeps its sums in registers and goes four bytes deep at a time: for each channel of W four codes stand
 * together, and each row of x gives four to all channels.
 *
 * A group of columns of x (compute.h) ends with its sums turned to floats, which wait in out for the next one.
 *
 * With u = w + 128 and a = q - 128, what the instructions see, what compute.h asks for is
 *   sum (q - z) w = sum a u - 128 sum a + (128 - z) sum w
 * and where they multiply signed bytes, q_weights gives w and the first two terms are sum a w.
 */

#define DEEP 4 /* codes of a step */

/* Sums of VW channels take this many vectors. */
#define SUMS_IN_VECTOR (INT8_SUMS * VW / INT8_CHANNELS)

/* How far ahead of its use W is asked for, as LINES_AHEAD of body_product.h. */
#define STEPS_AHEAD 12

/* Rows that differ by less count as zeros: 255 / extent must be finite. */
#define LEAST_EXTENT 1e-35f

typedef struct Int8Tile
{
	const int8_code *x;
	size_t x_stride;
	const MgRowScale *scales; /* [rows, n_groups] */
	const uint8_t *w;		  /* the tile's channels in the panel */
	size_t steps, n_groups;
	const float *w_scales; /* of the tile's channels */
	const int32_t *w_sums; /* the same, MG_PANEL from group to group */
	const float *bias; /* of the tile's channels, or NULL */
	float *out;
	size_t out_stride;
} Int8Tile;

/* What the v-th vector of a tile's channels has of its own in a group. */
typedef struct Int8Channels
{
	vi w_sum;
	vf w_scale;
	vf bias;
} Int8Channels;

INLINE Int8Channels
int8_channels(const Int8Tile *t, size_t group, size_t v)
{
	return (Int8Channels){
		.w_sum = i_load(t->w_sums + group * MG_PANEL + v * VW), .w_scale = v_load(t->w_scales + v * VW),
		.bias = t->bias != NULL ? v_load(t->bias + v * VW) : v_set1(0.0f),
	};
}

/* Adds the share of a group, sums as the instructions gave them, to the row i of out. */
INLINE void
int8_finish(const Int8Tile *t, size_t group, size_t i, size_t v, vi sums, const Int8Channels *channels)
{
	const MgRowScale *s = &t->scales[i * t->n_groups + group];
	float *out = t->out + i * t->out_stride + v * VW;
	vu total = (vu) sums + (vu) i_multiply(i_set1(s->shift), channels->w_sum);
	vf share;

	if (!INT8_SIGNED)
		total += (vu) i_set1(s->rest);
	share = v_of_int((vi) total) * v_set1(s->scale);
	if (group > 0)
		share += v_load(out);
	if (group + 1 == t->n_groups)
		share = share * channels->w_scale + channels->bias;
	v_store(out, share);
}

/* Steps of a group. */
INLINE size_t
int8_steps(const Int8Tile *t, size_t group)
{
	return group + 1 == t->n_groups ? t->steps - group * (MG_INT8_GROUP / DEEP) : MG_INT8_GROUP / DEEP;
}

/* The share of a group. */
INLINE void
int8_tile_group(const size_t rows, const Int8Tile *t, size_t group)
{
	const int8_code *x = t->x + group * MG_INT8_GROUP;
	const uint8_t *w = t->w + group * MG_INT8_GROUP * MG_PANEL;
	size_t x_stride = t->x_stride;
	size_t steps = int8_steps(t, group);
	vq sum[INT8_ROWS][INT8_SUMS];

	UNROLL for (size_t i = 0; i < rows; i++)
		UNROLL for (size_t v = 0; v < INT8_SUMS; v++)
			sum[i][v] = (vq){0};
	for (size_t step = 0; step < steps; step++, x += DEEP, w += MG_PANEL * DEEP)
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
	UNROLL for (size_t v = 0; v < INT8_CHANNELS / VW; v++)
	{
		Int8Channels channels = int8_channels(t, group, v);

		UNROLL for (size_t i = 0; i < rows; i++)
			int8_finish(t, group, i, v, q_channels(&sum[i][v * SUMS_IN_VECTOR]), &channels);
	}
}

INLINE void
int8_tile(const size_t rows, const Int8Tile *t)
{
	size_t group = 0;

	do
		int8_tile_group(rows, t, group);
	while (++group < t->n_groups);
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
		.w = panel + at % MG_PANEL * DEEP, .steps = steps, .n_groups = mg_int8_groups(p->depth),
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
	tile->scales += rows * tile->n_groups;
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

/* What extent has found so far in the vectors of a group. */
typedef struct Extent
{
	vf least, most;
	vf odd; /* zeros, but NaN after a number that is not finite */
} Extent;

INLINE Extent
extend(Extent e, vf v)
{
	return (Extent){v_min(v, e.least), v_max(v, e.most), v_fma(v, v_set1(0.0f), e.odd)};
}

/* The smallest and the largest number of a row and zero; false when one is not finite or they lie too far apart. */
static bool
extent(const float *row, size_t n, float *low, float *high)
{
	Extent a = {v_set1(0.0f), v_set1(0.0f), v_set1(0.0f)};
	Extent b = a;
	size_t i = 0;

	/* Two at a time, for each chain waits for its latency. */
	for (; i + 2 * VW <= n; i += 2 * VW)
	{
		a = extend(a, v_load(row + i));
		b = extend(b, v_load(row + i + VW));
	}
	for (; i < n; i += VW)
		a = extend(a, load_some(row + i, n - i));
	*low = -v_largest(v_set1(0.0f) - v_min(a.least, b.least));
	*high = v_largest(v_max(a.most, b.most));
	return v_sum(a.odd + b.odd) == 0.0f && *high - *low <= FLT_MAX;
}

static void
quantize(const float *row, size_t n, void *codes, MgRowScale *scale)
{
	const float round = 12582912.0f; /* 1.5 * 2^23: adding it leaves the nearest integer in the low bits */
	const int32_t round_bits = 0x4B400000;
	int8_code *to = codes;
	vi sum = i_set1(0);
	float low, high, factor;
	int32_t zero, total;
	size_t i = 0;
	bool finite = extent(row, n, &low, &high);

	if (!finite || high - low < LEAST_EXTENT)
	{
		/* All sums are zero, and so is what they give, but for NaN. */
		*scale = (MgRowScale){.scale = finite ? 0.0f : NAN};
		memset(to, 0, (n + DEEP - 1) / DEEP * DEEP * sizeof *to);
		return;
	}
	factor = 255.0f / (high - low);
	zero = (int32_t) rintf(-low * factor);
	for (; i < n; i += VW)
	{
		vf shifted = load_some(row + i, n - i) * v_set1(factor) + v_set1(round);
		/* Rounding both ends away from zero gives 256 steps; no code is below -128, for rounding is symmetric. */
		vi code = i_min((vi) shifted + i_set1(zero - 128 - round_bits), i_set1(127));

		q_store(to + i, code);
		sum += code;
	}
	total = (int32_t) v_sum(v_of_int(sum)); /* at most 2^23: exact */
	total -= (int32_t) (i - n) * (zero - 128); /* without the zeros past the end */
	for (i = n; i % DEEP != 0; i++)
		to[i] = 0;
	*scale = (MgRowScale){.scale = (high - low) / 255.0f, .shift = 128 - zero, .rest = -128 * total};
}
