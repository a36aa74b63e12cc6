/* Tables: rows of a vocabulary, in float32 or 8 bits. */
#include "tensor/compute.h"

/* Rows widened at once for a product: 256 kB at 768 columns, which a cache keeps between writing and reading. */
#define ROWS_AT_ONCE 96

/* Columns of a row that are widened at once for one sum. */
#define DOT_AT_ONCE 256

typedef int8_t b8 __attribute__((vector_size(8)));
typedef float v8 __attribute__((vector_size(32)));

static size_t
row_size(const MgMatrix *table)
{
	return sizeof(float) + table->cols;
}

/* codes [n] times scale */
static void
widen(const uint8_t *codes, float scale, size_t n, float *to)
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

/* Widens a whole row. */
static void
widen_row(const MgMatrix *table, size_t row, float *to)
{
	const uint8_t *from = table->rows8 + row * row_size(table);
	float scale;

	memcpy(&scale, from, sizeof scale);
	widen(from + sizeof scale, scale, table->cols, to);
}

const float *
mg_table_row(const MgMatrix *table, size_t row, float *scratch)
{
	if (table->layout != MG_ROWS8)
		return table->data + row * table->cols;
	widen_row(table, row, scratch);
	return scratch;
}

float
mg_table_dot(const MgCompute *compute, const MgMatrix *table, size_t row, const float *x)
{
	const uint8_t *codes;
	float wide[DOT_AT_ONCE], scale, sum = 0;

	if (table->layout != MG_ROWS8)
		return mg_dot(compute, table->data + row * table->cols, x, table->cols);
	codes = table->rows8 + row * row_size(table);
	memcpy(&scale, codes, sizeof scale);
	codes += sizeof scale;
	for (size_t at = 0; at < table->cols; at += DOT_AT_ONCE)
	{
		size_t n = table->cols - at < DOT_AT_ONCE ? table->cols - at : DOT_AT_ONCE;

		widen(codes + at, scale, n, wide);
		sum += mg_dot(compute, wide, x + at, n);
	}
	return sum;
}

bool
mg_table_linear(MgCtx *cx, const MgCompute *compute, const float *x, size_t x_stride, size_t n, const MgMatrix *table,
				const float *bias, float *out, size_t out_stride)
{
	MgMark mark = mg_mark(cx);
	float *block;

	if (table->layout != MG_ROWS8)
		return mg_linear(cx, compute, x, x_stride, n, table, bias, MG_ACT_NONE, out, out_stride);
	block = mg_alloc_array(cx, ROWS_AT_ONCE, table->cols * sizeof *block);
	if (block == NULL)
		return false;
	for (size_t row = 0; row < table->rows; row += ROWS_AT_ONCE)
	{
		MgMatrix part = {MG_ROWS, table->rows - row < ROWS_AT_ONCE ? table->rows - row : ROWS_AT_ONCE, table->cols,
						 {block}};

		for (size_t i = 0; i < part.rows; i++)
			widen_row(table, row + i, block + i * table->cols);
		if (!mg_linear(cx, compute, x, x_stride, n, &part, bias != NULL ? bias + row : NULL, MG_ACT_NONE, out + row,
					   out_stride))
			return false;
	}
	mg_rewind(cx, mark);
	return true;
}
