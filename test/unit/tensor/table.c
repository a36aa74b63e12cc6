/* Tables of 8 and 16 bits beside the same numbers in float32. */
#include "unit/tensor/numbers.h"

/* A narrow table [rows, cols], and the same in float32; both are the caller's to free. */
static void
make_table(MgLayout layout, size_t rows, size_t cols, uint8_t **narrow, float **wide)
{
	float *exact = numbers(rows * cols), scale;
	uint8_t *to = *narrow = malloc(rows * (layout == MG_ROWS8 ? sizeof scale + cols : 2 * cols) + 1);

	*wide = malloc(rows * cols * sizeof **wide + 1);
	if (layout == MG_ROWS16)
	{
		mg_from_f32(MG_BF16, exact, rows * cols, to);
		mg_to_f32(mg_kernels(MG_CPU_SCALAR), MG_BF16, to, rows * cols, *wide);
	}
	for (size_t i = 0; layout == MG_ROWS8 && i < rows; i++, to += sizeof scale + cols)
	{
		scale = mg_int8_quantize_row(exact + i * cols, cols, (int8_t *) to + sizeof scale);
		memcpy(to, &scale, sizeof scale);
		for (size_t k = 0; k < cols; k++)
			(*wide)[i * cols + k] = scale * (float) (int8_t) to[sizeof scale + k];
	}
	free(exact);
}

static void
test_table(MgCtx *cx, const MgCompute *compute, MgLayout layout, const size_t shape[3], const char *who)
{
	size_t n = shape[0], rows = shape[1], cols = shape[2];
	uint8_t *narrow;
	float *wide, *x = numbers(n * cols), *bias = numbers(rows), *scratch = malloc(cols * sizeof *scratch);
	float *out = malloc(n * rows * sizeof *out), *want = malloc(n * rows * sizeof *want);
	size_t wrong_rows = 0, wrong_dots = 0;
	bool fine;

	make_table(layout, rows, cols, &narrow, &wide);

	MgMatrix table = {layout, rows, cols, {.narrow = narrow}}, plain = {MG_ROWS, rows, cols, {wide}};

	for (size_t i = 0; i < rows; i++)
	{
		double sum = 0;

		wrong_rows += mg_table_row(&table, i, scratch) != scratch ||
			memcmp(scratch, wide + i * cols, cols * sizeof *scratch) != 0 || mg_table_row(&plain, i, NULL) != wide + i * cols;
		for (size_t k = 0; k < cols; k++)
			sum += (double) wide[i * cols + k] * x[k];
		/* Sums of float32 over at most 3 * 256 products of numbers below 1. */
		wrong_dots += !(fabs(mg_table_dot(compute, &table, i, x) - sum) <= 1e-4) ||
			mg_table_dot(compute, &plain, i, x) != mg_dot(compute, wide + i * cols, x, cols);
	}
	ok(wrong_rows == 0 && wrong_dots == 0, "%s: rows and dots of a table of %d bits, %zu by %zu: %zu and %zu wrong", who,
	   layout == MG_ROWS8 ? 8 : 16, rows, cols, wrong_rows, wrong_dots);
	fine = mg_linear(cx, compute, (MgRows){x, cols, n}, (MgLinear){&plain, bias, MG_ACT_NONE, want, rows}) &&
		mg_table_linear(cx, compute, (MgRows){x, cols, n}, (MgLinear){&table, bias, MG_ACT_NONE, out, rows});
	ok(fine && memcmp(out, want, n * rows * sizeof *out) == 0, "%s: products with %zu rows have the bits of float32", who, n);
	fine = mg_table_linear(cx, compute, (MgRows){x, cols, n}, (MgLinear){&plain, NULL, MG_ACT_NONE, out, rows}) &&
		mg_linear(cx, compute, (MgRows){x, cols, n}, (MgLinear){&plain, NULL, MG_ACT_NONE, want, rows});
	ok(fine && memcmp(out, want, n * rows * sizeof *out) == 0, "%s: and are those of mg_linear for float32", who);
	free(narrow);
	free(wide);
	free(x);
	free(bias);
	free(scratch);
	free(out);
	free(want);
}

typedef struct Case
{
	MgMatrix table;
	const float *x;
	float *out;
} Case;

static bool
multiply(MgCtx *cx, void *user)
{
	const Case *c = user;
	MgCompute compute = {.kernels = mg_kernels(MG_CPU_SCALAR), .provider = MG_NATIVE, .pool = NULL};

	return mg_table_linear(cx, &compute, (MgRows){c->x, c->table.cols, 1}, (MgLinear){&c->table, NULL, MG_ACT_NONE, c->out, c->table.rows});
}

int
main(void)
{
	static const size_t shapes[][3] = {{1, 1, 1}, {1, 3, 7}, {2, 95, 8}, {3, 96, 33}, {8, 97, 384}, {1, 200, 769}};
	uint8_t *narrow;
	float *wide;
	Case c;
	TestHost test;
	MgCtx cx;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	FOR_EACH_LEVEL(level)
	{
		MgCompute compute = {.kernels = mg_kernels(level), .provider = MG_NATIVE, .pool = NULL};

		for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		{
			test_table(&cx, &compute, MG_ROWS8, shapes[i], mg_cpu_level_name(level));
			test_table(&cx, &compute, MG_ROWS16, shapes[i], mg_cpu_level_name(level));
		}
	}
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left allocated");

	make_table(MG_ROWS8, 300, 64, &narrow, &wide);
	c = (Case){{MG_ROWS8, 300, 64, {.narrow = narrow}}, wide, malloc(300 * sizeof(float))};
	sweep("a product with a table", multiply, &c, 1);
	free(narrow);
	free(wide);
	free(c.out);
	return done();
}
