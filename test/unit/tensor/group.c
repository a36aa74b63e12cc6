/* Weights in groups: quantised, packed, widened again, and multiplied on every level against a plain loop. */
#include <stdlib.h>

#include "core/half.h"
#include "tensor/kernels.h"
#include "cli/host.h"
#include "unit/tap.h"

#define ROWS 75 /* no whole panels */
#define COLS 160
#define MOST_X 37

static float
random_number(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (float) (int32_t) (*state >> 32) / 2147483648.0f;
}

/* A number of a group of a row, by core/dtype.h. */
static float
number_of(MgDtype dtype, const uint8_t *row, size_t k)
{
	const uint8_t *group = row + k / MG_GROUP * mg_group_size(dtype);
	size_t at = k % MG_GROUP;
	uint16_t halves[2];
	int code;

	memcpy(halves, group, sizeof halves);
	code = dtype == MG_Q8G ? group[4 + at] : at < 16 ? group[4 + at] & 15 : group[4 + at - 16] >> 4;
	return (float) code * mg_half_to_float(halves[0]) + mg_half_to_float(halves[1]);
}

/* The product that compute.h describes, in double. */
static double
product_of(MgDtype dtype, const uint8_t *row, const float *x)
{
	double sum = 0;

	for (size_t g = 0; g < COLS; g += MG_GROUP)
	{
		float most = 0, scale;

		for (size_t k = g; k < g + MG_GROUP; k++)
			most = fmaxf(most, fabsf(x[k]));
		scale = most / 127.0f;
		for (size_t k = g; k < g + MG_GROUP && most > 0; k++)
			sum += (double) scale * (double) rintf(x[k] * (127.0f / most)) * (double) number_of(dtype, row, k);
	}
	return sum;
}

static void
check_level(MgCtx *cx, MgCpuLevel level, MgDtype dtype, const MgMatrix *w, const uint8_t *groups, size_t row_size, const float *x)
{
	MgCompute compute = {.kernels = mg_kernels(level), .provider = MG_NATIVE};
	float bias[ROWS], *out = mg_alloc_array(cx, MOST_X, ROWS * sizeof *out), *one = mg_alloc_array(cx, 1, ROWS * sizeof *one);
	double worst = 0;
	bool same = true;

	for (size_t j = 0; j < ROWS; j++)
		bias[j] = (float) j * 0.01f;
	if (!mg_linear(cx, &compute, (MgRows){x, COLS, MOST_X}, (MgLinear){w, bias, MG_ACT_NONE, out, ROWS}))
		exit(1);
	for (size_t i = 0; i < MOST_X; i++)
	{
		for (size_t j = 0; j < ROWS; j++)
		{
			double want = product_of(dtype, groups + j * row_size, x + i * COLS) + (double) bias[j];

			worst = fmax(worst, fabs(want - (double) out[i * ROWS + j]) / fmax(1, fabs(want)));
		}
		if (!mg_linear(cx, &compute, (MgRows){x + i * COLS, COLS, 1}, (MgLinear){w, bias, MG_ACT_NONE, one, ROWS}))
			exit(1);
		same = same && memcmp(one, out + i * ROWS, ROWS * sizeof *one) == 0;
	}
	ok(worst < 2e-5, "%s on %s: products are those of the codes, to %.2g", mg_dtype_name(dtype), mg_cpu_level_name(level), worst);
	ok(same, "%s on %s: a row alone has the bits that it has among others", mg_dtype_name(dtype), mg_cpu_level_name(level));
}

static void
check_dtype(MgCtx *cx, MgDtype dtype)
{
	MgLayout layout = dtype == MG_Q4G ? MG_GROUPS4 : MG_GROUPS8;
	size_t row_size = COLS / MG_GROUP * mg_group_size(dtype), size, panel;
	float *rows = mg_alloc_array(cx, ROWS, COLS * sizeof *rows), *x = mg_alloc_array(cx, MOST_X, COLS * sizeof *x), wide[COLS];
	uint8_t *groups = mg_alloc_array(cx, ROWS, row_size), *panels;
	uint64_t state = 7;
	double worst = 0;
	bool same = true;
	MgMatrix w;

	for (size_t i = 0; i < ROWS * COLS; i++)
		rows[i] = random_number(&state) + (i % 7 == 0 ? 0.5f : 0);
	for (size_t i = 0; i < MOST_X * COLS; i++)
		x[i] = i / COLS == 3 ? 0 : random_number(&state) * (i % 50 == 0 ? 30.0f : 1.0f);
	for (size_t j = 0; j < ROWS; j++)
		mg_group_quantize_row(dtype, rows + j * COLS, COLS, groups + j * row_size);
	ok(mg_groups_size(layout, ROWS, COLS, &size) && !mg_groups_size(layout, ROWS, COLS + 1, &size), "rows are whole groups");
	if (!mg_groups_size(layout, ROWS, COLS, &size) || !mg_groups_size(layout, MG_PANEL, COLS, &panel))
		return;
	panels = mg_alloc(cx, size);
	for (size_t j = 0; j < ROWS; j += MG_PANEL)
		mg_group_pack_panel(dtype, groups + j * row_size, ROWS - j < MG_PANEL ? ROWS - j : MG_PANEL, COLS, panels + j / MG_PANEL * panel);
	w = (MgMatrix){.layout = layout, .rows = ROWS, .cols = COLS, .panels = panels};
	for (size_t j = 0; j < ROWS; j++)
	{
		mg_group_widen_row(&w, j, wide);
		for (size_t k = 0; k < COLS; k++)
		{
			same = same && wide[k] == number_of(dtype, groups + j * row_size, k);
			worst = fmax(worst, fabs((double) (wide[k] - rows[j * COLS + k])));
		}
	}
	ok(same, "%s: a panel's rows are the groups", mg_dtype_name(dtype));
	ok(worst < (dtype == MG_Q4G ? 0.12 : 0.006), "%s: codes are near, %.3g", mg_dtype_name(dtype), worst);
	for (int level = 0; level <= (int) mg_cpu_level(); level++)
		if (mg_kernels((MgCpuLevel) level) != NULL)
			check_level(cx, (MgCpuLevel) level, dtype, &w, groups, row_size, x);
}

int
main(void)
{
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	check_dtype(&cx, MG_Q4G);
	check_dtype(&cx, MG_Q8G);
	mg_ctx_free(&cx);
	return done();
}
