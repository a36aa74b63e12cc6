/* Tables: rows of a vocabulary, in float32 or narrower. */
#include "core/half.h"
#include "tensor/compute.h"

/* Rows widened at once for a product: 288 kB at 768 columns, which a cache keeps between writing and reading. */
#define ROWS_AT_ONCE 96

/* Columns of a row that are widened at once for one sum. */
#define DOT_AT_ONCE 256

typedef int8_t b8 __attribute__((vector_size(8)));
typedef uint16_t h8 __attribute__((vector_size(16)));
typedef uint32_t u8 __attribute__((vector_size(32)));
typedef float v8 __attribute__((vector_size(32)));

/* codes [n] times scale */
static void
widen8(const uint8_t *codes, float scale, size_t n, float *to)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
	{
		b8 eight;
		v8 wide;

		memcpy(&eight, codes + i, sizeof eight);
		wide = __builtin_convertvector(eight, v8) * scale;
		memcpy(to + i, &wide, sizeof wide);
	}
	for (; i < n; i++)
		to[i] = (float) (int8_t) codes[i] * scale;
}

/* bfloat16 is the upper half of a float32. */
static void
widen16(const uint8_t *from, size_t n, float *to)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
	{
		h8 eight;
		u8 wide;

		memcpy(&eight, from + 2 * i, sizeof eight);
		wide = __builtin_convertvector(eight, u8) << 16;
		memcpy(to + i, &wide, sizeof wide);
	}
	for (; i < n; i++)
	{
		uint16_t one;

		memcpy(&one, from + 2 * i, sizeof one);
		to[i] = mg_bf16_to_float(one);
	}
}

/* n columns of a narrow row, from the one at */
static void
widen(const MgMatrix *table, size_t row, size_t at, size_t n, float *to)
{
	const uint8_t *from;
	float scale;

	if (table->layout == MG_ROWS16)
	{
		widen16(table->narrow + 2 * (row * table->cols + at), n, to);
		return;
	}
	from = table->narrow + row * (sizeof scale + table->cols);
	memcpy(&scale, from, sizeof scale);
	widen8(from + sizeof scale + at, scale, n, to);
}

const float *
mg_table_row(const MgMatrix *table, size_t row, float *scratch)
{
	if (table->layout == MG_ROWS)
		return table->data + row * table->cols;
	if (mg_layout_is_grouped(table->layout))
	{
		mg_group_widen_row(table, row, scratch);
		return scratch;
	}
	widen(table, row, 0, table->cols, scratch);
	return scratch;
}

float
mg_table_dot(const MgCompute *compute, const MgMatrix *table, size_t row, const float *x)
{
	float wide[DOT_AT_ONCE], sum = 0;

	if (table->layout == MG_ROWS)
		return mg_dot(compute, table->data + row * table->cols, x, table->cols);
	for (size_t at = 0; at < table->cols; at += DOT_AT_ONCE)
	{
		size_t n = table->cols - at < DOT_AT_ONCE ? table->cols - at : DOT_AT_ONCE;

		widen(table, row, at, n, wide);
		sum += mg_dot(compute, wide, x + at, n);
	}
	return sum;
}

bool
mg_table_linear(MgCtx *cx, const MgCompute *compute, MgRows x, MgLinear linear)
{
	const MgMatrix *table = linear.w;
	MgMark mark = mg_mark(cx);
	float *block;

	if (table->layout == MG_ROWS || mg_layout_is_grouped(table->layout))
		return mg_linear(cx, compute, x, linear);
	block = mg_alloc_array(cx, ROWS_AT_ONCE, table->cols * sizeof *block);
	if (block == NULL)
		return false;
	for (size_t row = 0; row < table->rows; row += ROWS_AT_ONCE)
	{
		size_t rows = table->rows - row < ROWS_AT_ONCE ? table->rows - row : ROWS_AT_ONCE;
		MgMatrix part = {MG_ROWS, rows, table->cols, {block}};
		MgLinear some = {&part, linear.bias != NULL ? linear.bias + row : NULL, MG_ACT_NONE, linear.out + row, linear.out_stride};

		for (size_t i = 0; i < rows; i++)
			widen(table, row + i, 0, table->cols, block + i * table->cols);
		if (!mg_linear(cx, compute, x, some))
			return false;
	}
	mg_rewind(cx, mark);
	return true;
}
