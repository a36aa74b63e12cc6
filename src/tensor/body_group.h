/*
 * Products with weights in groups, part of kernels_body.h, over the steps of an int8_*.h file; compute.h (groups) says what they give.
 *
 * The codes of a panel are widened to bytes once for all rows of x. A tile of rows keeps its sums of floats in registers and goes
 * group by group: integers first, which are exact, then two fused steps. So all that a result depends on is its row and its channel.
 */

#define GROUP_STEPS (MG_GROUP / DEEP)
#define GROUP_BYTES (MG_GROUP * MG_PANEL) /* codes of a group of a panel, widened */

/* How far ahead of its use a panel is asked for, as LINES_AHEAD of body_product.h. */
#define GROUPS_AHEAD 4

/* Rows of a tile: sums of integers and of floats have to fit the registers. */
#if INT8_ROWS > 6
#define GROUP_ROWS 6
#elif VW > 8
#define GROUP_ROWS 3
#else
#define GROUP_ROWS 1
#endif

/* As wide as the loads of q_weights, at least: a load of what two stores wrote waits for both to reach the cache. */
typedef uint8_t group_bytes __attribute__((vector_size(4 * VW)));

/* The codes of a group to bytes: [GROUP_STEPS][MG_PANEL][DEEP]. */
INLINE void
widen_codes(const uint8_t *panel, uint8_t *codes)
{
	UNROLL for (size_t pair = 0; pair < GROUP_STEPS / 2; pair++)
		UNROLL for (size_t at = 0; at < MG_PANEL * DEEP; at += sizeof(group_bytes))
		{
			group_bytes both, low, high;

			memcpy(&both, panel + pair * MG_PANEL * DEEP + at, sizeof both);
			low = both & 15;
			high = both >> 4;
			memcpy(codes + 2 * pair * MG_PANEL * DEEP + at, &low, sizeof low);
			memcpy(codes + (2 * pair + 1) * MG_PANEL * DEEP + at, &high, sizeof high);
		}
}

/* The lines of the group that stands GROUPS_AHEAD of them further. */
INLINE void
ask_for_group(const uint8_t *group, const size_t group_size)
{
	UNROLL for (size_t line = 0; line < 1152; line += 64)
		if (line < group_size)
			__builtin_prefetch((const void *) ((uintptr_t) group + GROUPS_AHEAD * group_size + line), 0);
}

/* A panel as a tile sees it. */
typedef struct GroupPanel
{
	const uint8_t *codes;  /* of the first group, in bytes */
	size_t codes_stride;   /* to the next one */
	const uint8_t *scales; /* d [MG_PANEL], m [MG_PANEL] of the first group */
	size_t scales_stride;
	bool narrow; /* codes are of 4 bits, and widened on the way */
	bool ahead;	 /* it comes from memory: what follows is asked for */
} GroupPanel;

/* out [rows, INT8_CHANNELS] of channels from at on within the panel. */
INLINE void
group_tile(const size_t rows, const bool narrow, const MgGroupProduct *p, const GroupPanel *panel, size_t first, size_t at, float *out, size_t out_stride)
{
	const size_t vectors = INT8_CHANNELS / VW, n = p->depth / MG_GROUP, group_size = narrow ? 640 : 1152;
	const uint8_t *codes = panel->codes, *scales = panel->scales;
	vf total[GROUP_ROWS][INT8_CHANNELS / VW];
	uint8_t wide[GROUP_BYTES] __attribute__((aligned(64)));

	UNROLL for (size_t i = 0; i < rows; i++)
		UNROLL for (size_t v = 0; v < vectors; v++)
			total[i][v] = v_set1(0.0f);
	for (size_t g = 0; g < n; g++, codes += panel->codes_stride, scales += panel->scales_stride)
	{
		const uint8_t *from = codes + at * DEEP;
		const int8_code *x = (const int8_code *) p->x + first * p->x_stride + g * MG_GROUP;
		vq sum[GROUP_ROWS][INT8_SUMS];

		if (panel->ahead)
			ask_for_group(codes, group_size);
		if (narrow)
		{
			widen_codes(codes, wide);
			from = wide + at * DEEP;
		}
		UNROLL for (size_t i = 0; i < rows; i++)
			UNROLL for (size_t v = 0; v < INT8_SUMS; v++)
				sum[i][v] = (vq){0};
		UNROLL for (size_t step = 0; step < GROUP_STEPS; step++)
		{
			vw b[INT8_SUMS];

			UNROLL for (size_t v = 0; v < INT8_SUMS; v++)
				b[v] = q_weights(from + step * MG_PANEL * DEEP + v * (INT8_CHANNELS / INT8_SUMS) * DEEP);
			UNROLL for (size_t i = 0; i < rows; i++)
			{
				vx a = q_row(x + i * p->x_stride + step * DEEP);

				UNROLL for (size_t v = 0; v < INT8_SUMS; v++)
					sum[i][v] = q_step(sum[i][v], b[v], a);
			}
		}
		UNROLL for (size_t v = 0; v < vectors; v++)
		{
			vf d = v_load_f16(scales + (at + v * VW) * sizeof(uint16_t));
			vf m = v_load_f16(scales + (MG_PANEL + at + v * VW) * sizeof(uint16_t));

			UNROLL for (size_t i = 0; i < rows; i++)
			{
				const MgGroupScale *s = &p->scales[(first + i) * p->scales_stride + g];
				vi codes_sum = q_channels(&sum[i][v * SUMS_IN_VECTOR]);

				if (INT8_SIGNED)
					codes_sum = (vi) ((vu) codes_sum + (vu) i_set1(128 * s->codes));
				total[i][v] = v_fma(v_of_int(codes_sum), d * v_set1(s->scale), v_fma(m, v_set1(s->sum), total[i][v]));
			}
		}
	}
	UNROLL for (size_t i = 0; i < rows; i++)
		UNROLL for (size_t v = 0; v < vectors; v++)
			v_store(out + i * out_stride + v * VW, total[i][v]);
}

#define GROUP_TILE(rows) \
	static void group_tile_##rows(const MgGroupProduct *p, const GroupPanel *panel, size_t first, size_t at, float *out, size_t stride) \
	{ \
		if (panel->narrow) \
			group_tile(rows, true, p, panel, first, at, out, stride); \
		else \
			group_tile(rows, false, p, panel, first, at, out, stride); \
	}

GROUP_TILE(1)
#if GROUP_ROWS > 1
GROUP_TILE(2) GROUP_TILE(3)
#endif
#if GROUP_ROWS > 3
GROUP_TILE(4) GROUP_TILE(5) GROUP_TILE(6)
#endif

static void (*const group_tiles[GROUP_ROWS + 1])(const MgGroupProduct *, const GroupPanel *, size_t, size_t, float *, size_t) = {
	NULL, group_tile_1,
#if GROUP_ROWS > 1
	group_tile_2, group_tile_3,
#endif
#if GROUP_ROWS > 3
	group_tile_4, group_tile_5, group_tile_6,
#endif
};

/* The rows from first on of a panel whose first n columns are those of out. */
static void
group_rows(const MgGroupProduct *p, const GroupPanel *panel, size_t first, size_t rows, size_t n, float *out)
{
	float scratch[GROUP_ROWS * INT8_CHANNELS];

	for (size_t at = 0; at < n; at += INT8_CHANNELS)
	{
		size_t columns = n - at < INT8_CHANNELS ? n - at : INT8_CHANNELS;

		if (columns == INT8_CHANNELS)
			group_tiles[rows](p, panel, first, at, out + at, p->out_stride);
		else
		{
			group_tiles[rows](p, panel, first, at, scratch, INT8_CHANNELS);
			for (size_t i = 0; i < rows; i++)
				memcpy(out + i * p->out_stride + at, scratch + i * INT8_CHANNELS, columns * sizeof(float));
		}
	}
}

/* A panel of codes of 4 bits, widened to p->scratch. */
static void
widen_panel(const MgGroupProduct *p, const uint8_t *panel, size_t panel_size)
{
	for (size_t g = 0; g < p->depth / MG_GROUP; g++)
	{
		ask_for_group(panel + g * panel_size, 640);
		widen_codes(panel + g * panel_size, p->scratch + g * GROUP_BYTES);
	}
}

/* The panel at a column, widened where that pays. */
static GroupPanel
group_panel(const MgGroupProduct *p, size_t column, size_t least_rows)
{
	size_t panel_size = GROUP_BYTES / (p->narrow ? 2 : 1) + 2 * MG_PANEL * sizeof(uint16_t);
	const uint8_t *panel = p->w + column / MG_PANEL * (p->depth / MG_GROUP) * panel_size;
	GroupPanel made = {panel, panel_size, panel + panel_size - 2 * MG_PANEL * sizeof(uint16_t), panel_size, p->narrow, true};

	if (p->narrow && (p->rows > least_rows || INT8_CHANNELS < MG_PANEL))
	{
		widen_panel(p, panel, panel_size);
		made.codes = p->scratch;
		made.codes_stride = GROUP_BYTES;
		made.narrow = made.ahead = false;
	}
	return made;
}

static void
group_product(const MgGroupProduct *p)
{
	for (size_t column = 0; column < p->columns; column += MG_PANEL)
	{
		size_t n = p->columns - column < MG_PANEL ? p->columns - column : MG_PANEL;
		GroupPanel panel = group_panel(p, column, GROUP_ROWS);

		for (size_t row = 0, rows; row < p->rows; row += rows)
		{
			float *out = p->out + row * p->out_stride + column;

			rows = p->rows - row < GROUP_ROWS ? p->rows - row : GROUP_ROWS;
			group_rows(p, &panel, row, rows, n, out);
			panel.ahead = false;
		}
	}
}

static void
quantize_groups(const float *row, size_t n, void *codes, MgGroupScale *scales)
{
	int8_code *to = codes;

	for (size_t g = 0; g < n / MG_GROUP; g++, row += MG_GROUP, to += MG_GROUP)
	{
		const vf round = v_set1(12582912.0f); /* 1.5 * 2^23, as in quantize */
		vf most = v_set1(0.0f), zero = v_set1(0.0f);
		vi sum = i_set1(0);
		float largest, factor;
		int32_t total;

		UNROLL for (size_t i = 0; i < MG_GROUP; i += VW)
		{
			vf v = v_load(row + i);

			most = v_max(most, v_max(v, v_set1(0.0f) - v));
			zero = v_fma(v, v_set1(0.0f), zero); /* NaN where a number is not finite */
		}
		largest = v_sum(zero) == 0 ? v_largest(most) : NAN;
		factor = largest >= LEAST_EXTENT && largest <= FLT_MAX ? 127.0f / largest : 0.0f;
		UNROLL for (size_t i = 0; i < MG_GROUP; i += VW)
		{
			vi code = factor > 0 ? (vi) (v_load(row + i) * v_set1(factor) + round) - i_set1(0x4B400000) : i_set1(0);

			q_store(to + i, code);
			sum += code;
		}
		total = (int32_t) v_sum(v_of_int(sum));
		scales[g].scale = factor > 0 ? largest / 127.0f : largest <= FLT_MAX ? 0.0f : NAN;
		scales[g].codes = total;
		scales[g].sum = scales[g].scale * (float) total;
	}
}
