/*
 * Products with weights in groups on the tile registers of AMX, part of kernels_body.h for the level "amx". A group is half as deep
 * as a tile can be, since each has scales of its own:
 *
 *   x [ 16 rows, 32 deep ]   W [ 32 deep, 16 channels ]   sums [ 16, 16 ]
 *
 * The sums of one group are finished, out of memory, while the registers work at the next ones. All of them are integers, and what
 * is done with them is what group_tile does: both give the same bits.
 */

#define AMX_GROUP_CHANNELS 16

/* Groups whose sums are on their way while others are finished. */
#define AMX_LAG 3

#define GROUP_PRODUCT amx_group_product
#define GROUP_PRODUCT_ROWS AMX_ROWS

static const AmxShape amx_group_shape = {
	.palette = 1,
	.row_bytes = {64, 64, MG_GROUP, MG_GROUP, 64, 64},
	.rows = {AMX_ROWS, AMX_ROWS, AMX_ROWS, AMX_ROWS, GROUP_STEPS, GROUP_STEPS},
};

/* The sums of a group, by the registers of even groups or of odd ones. */
#define AMX_GROUP(to, row, weights, x, x_stride, w, sums) \
	do \
	{ \
		_tile_zero(to); \
		_tile_loadd(row, x, x_stride); \
		_tile_loadd(weights, w, MG_PANEL * DEEP); \
		_tile_dpbsud(to, row, weights); \
		_tile_stored(to, sums, AMX_GROUP_CHANNELS * sizeof(int32_t)); \
	} while (0)

INLINE void
amx_finish_group(const MgGroupScale *scales, size_t scales_stride, const uint8_t *halves, const int32_t *sums, vf *total)
{
	vf d = v_load_f16(halves), m = v_load_f16(halves + MG_PANEL * sizeof(uint16_t));

	UNROLL for (size_t i = 0; i < AMX_ROWS; i++)
	{
		const MgGroupScale *s = scales + i * scales_stride;

		total[i] = v_fma(v_of_int(i_load(sums + i * AMX_GROUP_CHANNELS)), d * v_set1(s->scale), v_fma(m, v_set1(s->sum), total[i]));
	}
}

/* 16 rows from first on, some of which are there, and 16 channels from at on of a panel. */
static void
amx_group_tile(const MgGroupProduct *p, const GroupPanel *panel, size_t first, size_t rows, size_t at, float *out)
{
	int32_t sums[AMX_LAG + 1][AMX_ROWS * AMX_GROUP_CHANNELS] __attribute__((aligned(64)));
	const int8_code *x = (const int8_code *) p->x + first * p->x_stride;
	const MgGroupScale *scales = p->scales + first * p->scales_stride;
	const uint8_t *codes = panel->codes + at * DEEP, *halves = panel->scales + at * sizeof(uint16_t);
	size_t n = p->depth / MG_GROUP;
	vf total[AMX_ROWS];

	UNROLL for (size_t i = 0; i < AMX_ROWS; i++)
		total[i] = v_set1(0.0f);
	for (size_t g = 0; g < n + AMX_LAG; g++)
	{
		const uint8_t *w = codes + g * panel->codes_stride;

		if (g < n && g % 2 == 1)
			AMX_GROUP(1, 3, 5, x + g * MG_GROUP, p->x_stride, w, sums[g % (AMX_LAG + 1)]);
		else if (g < n)
			AMX_GROUP(0, 2, 4, x + g * MG_GROUP, p->x_stride, w, sums[g % (AMX_LAG + 1)]);
		if (g >= AMX_LAG)
		{
			size_t done = g - AMX_LAG;

			amx_finish_group(scales + done, p->scales_stride, halves + done * panel->scales_stride, sums[done % (AMX_LAG + 1)], total);
		}
	}
	UNROLL for (size_t i = 0; i < AMX_ROWS; i++)
		if (i < rows)
			v_store(out + i * p->out_stride, total[i]);
}

static void
amx_group_product(const MgGroupProduct *p)
{
	size_t columns = p->columns / MG_PANEL * MG_PANEL;
	MgGroupProduct rest = *p;

	if (p->rows < AMX_LEAST_ROWS || p->depth == 0 || columns == 0)
	{
		group_product(p);
		return;
	}
	_tile_loadconfig(&amx_group_shape);
	for (size_t column = 0; column < columns; column += MG_PANEL)
	{
		GroupPanel panel = group_panel(p, column, 0);

		for (size_t row = 0; row < p->rows; row += AMX_ROWS)
			for (size_t at = 0; at < MG_PANEL; at += AMX_GROUP_CHANNELS)
				amx_group_tile(p, &panel, row, p->rows - row < AMX_ROWS ? p->rows - row : AMX_ROWS, at,
							   p->out + row * p->out_stride + column + at);
	}
	_tile_release();
	rest.w += columns / MG_PANEL * (p->depth / MG_GROUP) * mg_group_panel(p->narrow ? MG_GROUPS4 : MG_GROUPS8);
	rest.columns -= columns;
	rest.out += columns;
	group_product(&rest);
}
