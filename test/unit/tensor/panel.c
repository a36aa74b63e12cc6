#include "unit/tensor/numbers.h"

static void
test_size(void)
{
	size_t n = 7;

	ok(mg_panels_size(1, 5, &n) && n == MG_PANEL * 5, "one row takes a whole panel");
	ok(mg_panels_size(MG_PANEL, 5, &n) && n == MG_PANEL * 5, "as many rows as a panel has");
	ok(mg_panels_size(MG_PANEL + 1, 5, &n) && n == 2 * MG_PANEL * 5, "and one more");
	ok(mg_panels_size(0, 5, &n) && n == 0, "no rows");
	ok(mg_panels_size(30522, 0, &n) && n == 0, "no columns");
	ok(!mg_panels_size(SIZE_MAX, 1, &n), "rounding up overflows");
	ok(!mg_panels_size(SIZE_MAX / 2, 3, &n), "the product overflows");
}

/* Misplaced numbers of a panel of 16 bits. */
static size_t
bad_narrow(size_t rows, size_t cols)
{
	uint16_t *from = malloc(rows * cols * sizeof *from + 1), *panel = malloc(MG_PANEL * cols * sizeof *panel + 1);
	size_t bad = 0;

	for (size_t i = 0; i < rows * cols; i++)
		from[i] = (uint16_t) (i + 1);
	mg_pack_panel16(from, rows, cols, panel);
	for (size_t j = 0; j < cols; j++)
		for (size_t i = 0; i < MG_PANEL; i++)
			bad += panel[j * MG_PANEL + i] != (i < rows ? i * cols + j + 1 : 0);
	free(from);
	free(panel);
	return bad;
}

static void
test_pack(void)
{
	size_t bad = 0, tried = 0;

	for (size_t rows = 1; rows <= MG_PANEL; rows++)
		for (size_t cols = 0; cols < 14; cols++)
			for (size_t gap = 0; gap < 3; gap += 2)
			{
				size_t stride = cols + gap;
				float *from = numbers((rows - 1) * stride + cols);
				float *panel = numbers(MG_PANEL * cols);

				if (gap == 0)
					mg_pack_panel(from, rows, cols, panel);
				else
					mg_pack_panel_strided(from, stride, rows, cols, panel);
				for (size_t j = 0; j < cols; j++)
					for (size_t i = 0; i < MG_PANEL; i++)
						bad += panel[j * MG_PANEL + i] != (i < rows ? from[i * stride + j] : 0.0f);
				if (gap == 0)
					bad += bad_narrow(rows, cols);
				tried++;
				free(from);
				free(panel);
			}
	ok(bad == 0, "%zu shapes are transposed and filled up with zeros", tried);
}

int
main(void)
{
	test_size();
	test_pack();
	return done();
}
