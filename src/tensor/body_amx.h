/*
 * int8 products on the tile registers of AMX, part of kernels_body.h for the level "amx".
 *
 * A register has 16 rows of 64 bytes. One instruction multiplies 16 rows of x with 16 channels of W, 64 codes deep; it
 * wants four codes of a channel side by side, which is how panels are stored.
 *
 *                          W  [ 64 deep, 16 channels ] twice
 *   x  [ 16 rows, 64 deep ]   [ sums ][ sums ]
 *      [ 16 rows, 64 deep ]   [ sums ][ sums ]
 *
 * The sums go through memory to the vector registers, and are finished as those of any other tile (int8_finish): they are
 * integers, so all levels give the same bits.
 *
 * The registers are the thread's between loading their shape and releasing them: a thread that holds none costs the
 * operating system no 8 kB at each switch. Source: Intel 64 and IA-32 Architectures Software Developer's Manual, vol. 1, ch. 18.
 */

#define AMX_ROWS MG_INT8_ROWS
#define AMX_DEPTH 64

/* Below, the instructions that take a row at a time are faster: a text of 4 tokens takes MiniLM 10 % less time. */
#define AMX_LEAST_ROWS 6

/* The operand of LDTILECFG. */
typedef struct AmxShape
{
	uint8_t palette;
	uint8_t start_row;
	uint8_t reserved[14];
	uint16_t row_bytes[16];
	uint8_t rows[16];
} AmxShape;

static const AmxShape amx_shape = {
	.palette = 1,
	.row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
	.rows = {AMX_ROWS, AMX_ROWS, AMX_ROWS, AMX_ROWS, AMX_ROWS, AMX_ROWS, AMX_ROWS, AMX_ROWS},
};

/* sums [AMX_ROWS * (1 + second), INT8_CHANNELS]; second: there are more than AMX_ROWS rows. */
INLINE void
amx_sums(const bool second, const Int8Tile *t, int32_t *sums)
{
	const int8_code *x = t->x;
	const uint8_t *w = t->w;
	const size_t channel_bytes = INT8_CHANNELS / 2 * DEEP;
	size_t x_stride = t->x_stride;
	size_t sums_stride = INT8_CHANNELS * sizeof *sums;

	_tile_zero(0);
	_tile_zero(1);
	if (second)
	{
		_tile_zero(2);
		_tile_zero(3);
	}
	for (size_t left = t->steps; left > 0; left -= AMX_DEPTH / DEEP, x += AMX_DEPTH, w += AMX_DEPTH * MG_PANEL)
	{
		_tile_loadd(6, w, MG_PANEL * DEEP);
		_tile_loadd(4, x, x_stride);
		_tile_dpbsud(0, 4, 6);
		_tile_loadd(7, w + channel_bytes, MG_PANEL * DEEP);
		_tile_dpbsud(1, 4, 7);
		if (second)
		{
			_tile_loadd(5, x + AMX_ROWS * x_stride, x_stride);
			_tile_dpbsud(2, 5, 6);
			_tile_dpbsud(3, 5, 7);
		}
	}
	_tile_stored(0, sums, sums_stride);
	_tile_stored(1, sums + INT8_CHANNELS / 2, sums_stride);
	if (second)
	{
		_tile_stored(2, sums + AMX_ROWS * INT8_CHANNELS, sums_stride);
		_tile_stored(3, sums + AMX_ROWS * INT8_CHANNELS + INT8_CHANNELS / 2, sums_stride);
	}
}

/* Sums that wait to be finished. */
typedef struct AmxPart
{
	Int8Tile tile;
	size_t rows; /* 0: nothing waits */
	const int32_t *sums; /* [rows, INT8_CHANNELS] */
} AmxPart;

static void
amx_finish(const AmxPart *part, MgActivation activation)
{
	const Int8Tile *t = &part->tile;

	Int8Channels channels[INT8_SUMS];

	UNROLL for (size_t v = 0; v < INT8_SUMS; v++)
		channels[v] = int8_channels(t, v);
	for (size_t i = 0; i < part->rows; i++)
		UNROLL for (size_t v = 0; v < INT8_SUMS; v++)
		{
			vi sums = i_load(part->sums + i * INT8_CHANNELS + v * VW);

			int8_finish(t, i, v, add_outliers(t, i, v, sums), &channels[v]);
		}
	activate(t->out, t->out_stride, part->rows, INT8_CHANNELS, activation);
}

/* The channels that fill strips. Sums are finished while the tile registers are at work on the next ones. */
static void
amx_strips(const MgInt8Product *p, size_t columns)
{
	int32_t sums[2][2 * AMX_ROWS * INT8_CHANNELS] __attribute__((aligned(64)));
	AmxPart waiting = {.rows = 0};
	size_t turn = 0;

	_tile_loadconfig(&amx_shape);
	for (size_t at = 0; at < columns; at += INT8_CHANNELS)
	{
		AmxPart part = {.tile = first_int8_tile(p, at)};

		for (size_t left = p->rows; left > 0; left -= part.rows, next_int8_tile(&part.tile, part.rows), turn ^= 1)
		{
			part.rows = left < 2 * AMX_ROWS ? left : 2 * AMX_ROWS;
			if (part.rows > AMX_ROWS)
				amx_sums(true, &part.tile, sums[turn]);
			else
				amx_sums(false, &part.tile, sums[turn]);
			if (waiting.rows > 0)
				amx_finish(&waiting, p->activation);
			part.sums = sums[turn];
			waiting = part;
		}
	}
	_tile_release();
	amx_finish(&waiting, p->activation);
}

static void
amx_product(const MgInt8Product *p)
{
	MgInt8Product rest = *p;

	if (p->rows >= AMX_LEAST_ROWS && p->depth > 0 && p->depth % AMX_DEPTH == 0 && p->columns >= INT8_CHANNELS)
	{
		size_t columns = p->columns / INT8_CHANNELS * INT8_CHANNELS;

		amx_strips(p, columns);
		rest.w += columns / MG_PANEL * mg_int8_panel_size(p->depth);
		rest.columns -= columns;
		rest.bias = p->bias != NULL ? p->bias + columns : NULL;
		rest.out += columns;
	}
	int8_product(&rest);
}
