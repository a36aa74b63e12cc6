/* Ridge regression by the normal equations, of dimensions or of rows. */
#include "learn/ridge.h"

#include <math.h>

#include "learn/fit.h"

/* Rows whose products are added up in float32, before they are in double. */
#define BLOCK 512

struct MgRidge
{
	MgCtx *cx;
	const MgSample *sample;
	size_t n_labels, n, dims;
	MgPairDistance inner;
	bool dual;
	double *products; /* [order, order], the lower triangle: of all rows' dimensions, or of rows */
	float *x;		  /* [n, dims] dual: the rows */
};

/* In four sums beside each other, always in this order. */
static double
dot(const double *a, const double *b, size_t n)
{
	double sums[4] = {0};
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		for (size_t j = 0; j < 4; j++)
			sums[j] += a[i + j] * b[i + j];
	for (; i < n; i++)
		sums[0] += a[i] * b[i];
	return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

/* Cholesky: A = L L', row by row, then L y = b and L' x = y. */
bool
mg_solve_positive(MgCtx *cx, double *a, size_t n, double *b, size_t n_b)
{
	for (size_t i = 0; i < n; i++)
	{
		double *row = a + i * n;

		if (!mg_poll(cx))
			return false;
		for (size_t j = 0; j < i; j++)
			row[j] = (row[j] - dot(row, a + j * n, j)) / a[j * n + j];
		row[i] -= dot(row, row, i);
		/* It cannot be, but for rounding: LAMBDA is in it. */
		row[i] = sqrt(row[i] > 1e-300 ? row[i] : 1e-300);
	}
	for (size_t k = 0; k < n_b; k++)
	{
		double *x = b + k * n;

		if (!mg_poll(cx))
			return false;
		for (size_t i = 0; i < n; i++)
			x[i] = (x[i] - dot(a + i * n, x, i)) / a[i * n + i];
		for (size_t i = n; i-- > 0;)
		{
			const double *row = a + i * n;

			x[i] /= row[i];
			for (size_t j = 0; j < i; j++)
				x[j] -= row[j] * x[i];
		}
	}
	return true;
}

/* Adds c x x' of the rows in a fold (fold -1: of all) to products [dims, dims]. */
static bool
add_products(const MgRidge *ridge, const uint8_t *folds, int fold, double *products)
{
	const MgSample *sample = ridge->sample;
	size_t d = ridge->dims, n = 0;
	MgMark mark = mg_mark(ridge->cx);
	float *turned = mg_alloc_array(ridge->cx, d, BLOCK * sizeof *turned), *x = mg_alloc_array(ridge->cx, d, sizeof *x);

	if (turned == NULL || x == NULL)
		return false;
	for (size_t i = 0; i < sample->n; i++)
	{
		if (fold < 0 || folds[i] == fold)
		{
			float scale = (float) sqrt((double) sample->rows[i].count);

			mg_sample_vector(sample, &sample->rows[i], x);
			for (size_t j = 0; j < d; j++)
				turned[j * BLOCK + n] = scale * x[j];
			n++;
		}
		if (n < BLOCK && i + 1 < sample->n)
			continue;
		for (size_t row = 0; row < d; row++)
		{
			if (!mg_poll(ridge->cx))
				return false;
			for (size_t column = 0; column <= row; column++)
				products[row * d + column] -= ridge->inner(turned + row * BLOCK, turned + column * BLOCK, n);
		}
		n = 0;
	}
	mg_rewind(ridge->cx, mark);
	return true;
}

static bool
begin_dual(MgRidge *ridge)
{
	size_t n = ridge->n, d = ridge->dims;

	ridge->x = mg_alloc_array(ridge->cx, n, d * sizeof *ridge->x);
	if (ridge->x == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (!mg_poll(ridge->cx))
			return false;
		mg_sample_vector(ridge->sample, &ridge->sample->rows[i], ridge->x + i * d);
		for (size_t j = 0; j <= i; j++)
			ridge->products[i * n + j] = -ridge->inner(ridge->x + i * d, ridge->x + j * d, d);
	}
	return true;
}

bool
mg_ridge_begin(MgCtx *cx, const MgSample *labelled, size_t n_labels, MgRidge **made)
{
	MgRidge *ridge = mg_alloc_zeroed(cx, 1, sizeof *ridge);
	size_t order = labelled->n < labelled->dims ? labelled->n : labelled->dims;
	MgDistance inner;

	*made = NULL;
	if (order > MG_FIT_MOST_ORDER)
		return true;
	if (ridge == NULL || !mg_distance_find(MG_ELEMENT_F32, MG_METRIC_INNER_PRODUCT, mg_cpu_level(), &inner))
		return false;
	*ridge = (MgRidge){cx, labelled, n_labels, labelled->n, labelled->dims, inner.pair, labelled->n < labelled->dims,
					   mg_alloc_zeroed(cx, order, order * sizeof(double)), NULL};
	*made = ridge;
	return ridge->products != NULL && (ridge->dual ? begin_dual(ridge) : add_products(ridge, NULL, -1, ridge->products));
}

/* Of the rows that are fitted to: shares [n_labels] of classes, as counts, and the sums of their rows [n_labels, dims]. */
static bool
sum_classes(const MgRidge *ridge, const uint8_t *folds, int hold_out, double *shares, double *sums, float *x)
{
	for (size_t i = 0; i < ridge->n; i++)
	{
		const MgSampleRow *row = &ridge->sample->rows[i];
		double *sum = sums + (size_t) row->label * ridge->dims;

		if (!mg_poll(ridge->cx))
			return false;
		if (folds[i] == hold_out)
			continue;
		mg_sample_vector(ridge->sample, row, x);
		for (size_t d = 0; d < ridge->dims; d++)
			sum[d] += (double) row->count * x[d];
		shares[row->label] += (double) row->count;
	}
	return true;
}

/* w [n_labels, dims], from the sums of classes: their right sides are sums_k - n_k mu. */
static bool
solve_dimensions(const MgRidge *ridge, const uint8_t *folds, int hold_out, const double *shares, const double *mean, double n_rows,
				 double *w)
{
	size_t d = ridge->dims;
	double *a = mg_alloc_zeroed(ridge->cx, d, d * sizeof *a);

	if (a == NULL || (hold_out >= 0 && !add_products(ridge, folds, hold_out, a)))
		return false;
	for (size_t i = 0; i < d; i++)
		for (size_t j = 0; j <= i; j++)
			a[i * d + j] = ridge->products[i * d + j] - a[i * d + j] - n_rows * mean[i] * mean[j] + (i == j ? MG_FIT_LAMBDA : 0);
	for (size_t k = 0; k < ridge->n_labels; k++)
		for (size_t j = 0; j < d; j++)
			w[k * d + j] -= shares[k] * mean[j];
	return mg_solve_positive(ridge->cx, a, d, w, ridge->n_labels);
}

/* The rows that are fitted to, and their products less what the mean takes away, each times the roots of both counts. */
static double *
center_rows(const MgRidge *ridge, const size_t *rows, const double *roots, size_t n)
{
	double *a = mg_alloc_array(ridge->cx, n, n * sizeof *a), *means = mg_alloc_zeroed(ridge->cx, n, sizeof *means);
	double mean = 0, total = 0;

	if (a == NULL || means == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
	{
		if (!mg_poll(ridge->cx))
			return NULL;
		for (size_t j = 0; j < n; j++)
			means[i] += roots[j] * roots[j] *
				ridge->products[rows[i] > rows[j] ? rows[i] * ridge->n + rows[j] : rows[j] * ridge->n + rows[i]];
		total += roots[i] * roots[i];
	}
	for (size_t i = 0; i < n; i++)
	{
		means[i] /= total;
		mean += roots[i] * roots[i] * means[i];
	}
	mean /= total;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++)
			a[i * n + j] = roots[i] * roots[j] * (ridge->products[rows[i] * ridge->n + rows[j]] - means[i] - means[j] + mean) +
				(i == j ? MG_FIT_LAMBDA : 0);
	return a;
}

static bool
solve_rows(const MgRidge *ridge, const uint8_t *folds, int hold_out, const double *shares, double n_rows, double *w)
{
	size_t d = ridge->dims, n = 0, *rows = mg_alloc_array(ridge->cx, ridge->n, sizeof *rows);
	double *roots = mg_alloc_array(ridge->cx, ridge->n, sizeof *roots);
	double *alphas = mg_alloc_array(ridge->cx, ridge->n_labels, ridge->n * sizeof *alphas), *a;

	if (rows == NULL || roots == NULL || alphas == NULL)
		return false;
	for (size_t i = 0; i < ridge->n; i++)
		if (folds[i] != hold_out)
		{
			roots[n] = sqrt((double) ridge->sample->rows[i].count);
			rows[n++] = i;
		}
	a = center_rows(ridge, rows, roots, n);
	if (a == NULL)
		return false;
	for (size_t k = 0; k < ridge->n_labels; k++)
		for (size_t i = 0; i < n; i++)
			alphas[k * n + i] = roots[i] * (((size_t) ridge->sample->rows[rows[i]].label == k) - shares[k] / n_rows);
	if (!mg_solve_positive(ridge->cx, a, n, alphas, ridge->n_labels))
		return false;
	memset(w, 0, ridge->n_labels * d * sizeof *w);
	for (size_t k = 0; k < ridge->n_labels; k++)
	{
		if (!mg_poll(ridge->cx))
			return false;
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < d; j++)
				w[k * d + j] += roots[i] * alphas[k * n + i] * ridge->x[rows[i] * d + j];
	}
	return true;
}

bool
mg_ridge_solve(const MgRidge *ridge, const uint8_t *folds, int hold_out, float *weights, float *biases)
{
	size_t d = ridge->dims, n_labels = ridge->n_labels;
	double *shares = mg_alloc_zeroed(ridge->cx, n_labels, sizeof *shares), *w = mg_alloc_zeroed(ridge->cx, n_labels, d * sizeof *w);
	double *mean = mg_alloc_zeroed(ridge->cx, d, sizeof *mean), n_rows = 0;
	float *x = mg_alloc_array(ridge->cx, d, sizeof *x);

	if (shares == NULL || w == NULL || mean == NULL || x == NULL || !sum_classes(ridge, folds, hold_out, shares, w, x))
		return false;
	for (size_t k = 0; k < n_labels; k++)
	{
		n_rows += shares[k];
		for (size_t j = 0; j < d; j++)
			mean[j] += w[k * d + j];
	}
	/* All rows may be in one fold. */
	for (size_t j = 0; n_rows > 0 && j < d; j++)
		mean[j] /= n_rows;
	if (n_rows > 0 && !(ridge->dual ? solve_rows(ridge, folds, hold_out, shares, n_rows, w)
									: solve_dimensions(ridge, folds, hold_out, shares, mean, n_rows, w)))
		return false;
	for (size_t k = 0; k < n_labels; k++)
	{
		double share = n_rows > 0 ? shares[k] / n_rows : 0;

		if (!mg_poll(ridge->cx))
			return false;
		for (size_t j = 0; j < d; j++)
			weights[k * d + j] = (float) (MG_FIT_RIDGE_SCALE * w[k * d + j]);
		biases[k] = (float) (MG_FIT_RIDGE_SCALE * (share - dot(mean, w + k * d, d)));
	}
	return true;
}
