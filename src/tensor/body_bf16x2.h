/*
 * bf16x2 products as compute.h defines them, part of kernels_body.h for levels without tiles of bfloat16. They serve to
 * compare with, and where a lower level is asked of weights that were packed for tiles: plain, and slow.
 *
 * A product of two bfloat16 numbers is exact in float32, so that each step of a chain rounds once, as a fused one does.
 */

#define BF16X2_PREFERRED false
#define BF16X2_FLOPS 10e6
#define BF16X2_TILE_ROWS 1

static void
split(const float *row, size_t n, uint16_t *to)
{
	size_t padded = mg_bf16x2_cols(n);

	memset(to, 0, 2 * padded * sizeof *to);
	mg_from_f32(MG_BF16, row, n, to);
	for (size_t k = 0; k < n; k++)
	{
		float rest = row[k] - mg_bf16_to_float(to[k]);

		mg_from_f32(MG_BF16, &rest, 1, to + padded + k);
	}
}

/* sums [MG_PANEL] += x times the tiles of a step, for one term */
static void
pairs_step(const uint16_t *x, const uint16_t *w, float *sums)
{
	float chains[2][MG_PANEL] = {{0}};

	for (size_t k = 0; k < MG_BF16X2_DEPTH; k++)
		for (size_t j = 0; j < MG_PANEL; j++)
		{
			const uint16_t *tile = w + j / (MG_PANEL / 2) * (MG_PANEL / 2) * MG_BF16X2_DEPTH;

			chains[k % 2][j] += mg_bf16_to_float(x[k]) *
				mg_bf16_to_float(tile[k / 2 * MG_PANEL + j % (MG_PANEL / 2) * 2 + k % 2]);
		}
	for (size_t j = 0; j < MG_PANEL; j++)
		sums[j] += chains[0][j] + chains[1][j];
}

static void
bf16x2_product(const MgBf16x2Product *p)
{
	size_t padded = mg_bf16x2_cols(p->depth);

	for (size_t at = 0; at < p->columns; at += MG_PANEL)
	{
		const uint16_t *panel = p->w + at / MG_PANEL * mg_bf16x2_panel(p->depth, p->planes);
		size_t n = p->columns - at < MG_PANEL ? p->columns - at : MG_PANEL;

		for (size_t i = 0; i < p->rows; i++)
		{
			const uint16_t *x = p->x + i * p->x_stride, *w = panel;
			float sums[MG_PANEL] = {0};

			if (p->bias != NULL)
				memcpy(sums, p->bias + at, n * sizeof *sums);
			for (size_t k = 0; k < padded; k += MG_BF16X2_DEPTH, w += p->planes * MG_BF16X2_DEPTH * MG_PANEL)
			{
				if (p->planes == 2)
					pairs_step(x + k, w + MG_BF16X2_DEPTH * MG_PANEL, sums);
				pairs_step(x + k, w, sums);
				pairs_step(x + padded + k, w, sums);
			}
			memcpy(p->out + i * p->out_stride + at, sums, n * sizeof *sums);
		}
	}
	activate(p->out, p->out_stride, p->rows, p->columns, p->activation);
}
