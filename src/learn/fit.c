/* Fitting by each method, and choosing one by cross-validation. */
#include "learn/fit.h"

#include <math.h>

#include "learn/ridge.h"

/* A row of less probability in a class than that is not counted in it: of many classes few are worth the time. */
#define LEAST_PROBABILITY 1e-6

typedef struct Fit
{
	MgCtx *cx;
	const MgFitRows *rows;
	size_t n_labels, dims;
	const uint8_t *folds; /* [labelled rows] */
	size_t n_folds;
	MgPairDistance inner;
	float *x; /* [dims] */
	MgRidge *ridge; /* NULL: there are too many rows and dimensions */
	int64_t weight_labelled; /* labelled rows, each as often as it came */
} Fit;

static const MgSample nothing;

static bool
make_classifier(const Fit *fit, MgMethod method, MgClassifier *classifier)
{
	float *weights = mg_alloc_zeroed(fit->cx, fit->n_labels * fit->dims, sizeof *weights);
	float *biases = mg_alloc_zeroed(fit->cx, fit->n_labels, sizeof *biases);

	*classifier = (MgClassifier){method, fit->n_labels, fit->dims, 0, 0, NAN, fit->rows->labels, weights, biases};
	return weights != NULL && biases != NULL;
}

/* weights [n_labels, dims] in the directions of sums [n_labels, dims]; a class without rows has none. */
static bool
set_centres(const Fit *fit, const double *sums, float *weights)
{
	for (size_t k = 0; k < fit->n_labels; k++)
	{
		const double *sum = sums + k * fit->dims;
		double squares = 0, length;

		if (!mg_poll(fit->cx))
			return false;
		for (size_t d = 0; d < fit->dims; d++)
			squares += sum[d] * sum[d];
		length = sqrt(squares);
		for (size_t d = 0; d < fit->dims; d++)
			weights[k * fit->dims + d] = squares > 0 ? (float) (MG_FIT_KAPPA * sum[d] / length) : 0;
	}
	return true;
}

/* Adds labelled rows that are not in fold hold_out; shares [n_labels]. */
static bool
add_labelled(const Fit *fit, int hold_out, double *sums, double *shares)
{
	const MgSample *sample = fit->rows->labelled;

	for (size_t i = 0; i < sample->n; i++)
	{
		const MgSampleRow *row = &sample->rows[i];
		double *sum = sums + (size_t) row->label * fit->dims;

		if (!mg_poll(fit->cx))
			return false;
		if (fit->folds[i] == hold_out)
			continue;
		mg_sample_vector(sample, row, fit->x);
		for (size_t d = 0; d < fit->dims; d++)
			sum[d] += (double) row->count * fit->x[d];
		shares[row->label] += (double) row->count;
	}
	return true;
}

static bool
fit_centres(const Fit *fit, int hold_out, MgClassifier *classifier)
{
	double *sums = mg_alloc_zeroed(fit->cx, fit->n_labels * fit->dims, sizeof *sums);
	double *shares = mg_alloc_zeroed(fit->cx, fit->n_labels, sizeof *shares);

	if (sums == NULL || shares == NULL || !make_classifier(fit, MG_CENTRES, classifier) ||
		!add_labelled(fit, hold_out, sums, shares))
		return false;
	return set_centres(fit, sums, (float *) classifier->weights);
}

static bool
fit_ridge(const Fit *fit, int hold_out, MgClassifier *classifier)
{
	return make_classifier(fit, MG_RIDGE, classifier) &&
		mg_ridge_solve(fit->ridge, fit->folds, hold_out, (float *) classifier->weights, (float *) classifier->biases);
}

/* Log probabilities [n_labels] of a row before anything is known of the other rows. */
static void
guess_row(const Fit *fit, const MgClassifier *guess, const MgSampleRow *row, double *z)
{
	const MgSample *sample = fit->rows->unlabelled;

	if (sample->n_scores > 0)
		for (size_t k = 0; k < fit->n_labels; k++)
			z[k] = sample->scores[row->place * sample->n_scores + k];
	else
		mg_classifier_scores(guess, fit->inner, fit->x, z);
	mg_log_softmax(z, fit->n_labels);
}

/* Adds unlabelled rows, to each class by their probability in it; known is that of the round before, NULL in the first. */
static bool
add_unlabelled(const Fit *fit, const MgClassifier *guess, const MgClassifier *known, double *sums, double *shares)
{
	const MgSample *sample = fit->rows->unlabelled;
	double *z = mg_alloc_array(fit->cx, fit->n_labels, 2 * sizeof *z), *more = z + fit->n_labels;

	if (z == NULL)
		return false;
	for (size_t i = 0; i < sample->n; i++)
	{
		const MgSampleRow *row = &sample->rows[i];

		if (!mg_poll(fit->cx))
			return false;
		mg_sample_vector(sample, row, fit->x);
		guess_row(fit, guess, row, z);
		if (known != NULL)
		{
			mg_classifier_scores(known, fit->inner, fit->x, more);
			for (size_t k = 0; k < fit->n_labels; k++)
				z[k] += more[k];
			mg_log_softmax(z, fit->n_labels);
		}
		for (size_t k = 0; k < fit->n_labels; k++)
		{
			double probability = exp(z[k]) * (double) row->count, *sum = sums + k * fit->dims;

			shares[k] += probability;
			if (probability < LEAST_PROBABILITY)
				continue;
			for (size_t d = 0; d < fit->dims; d++)
				sum[d] += probability * fit->x[d];
		}
	}
	return true;
}

static bool
fit_mixture(const Fit *fit, int hold_out, MgClassifier *classifier)
{
	size_t k_n = fit->n_labels;
	double *sums = mg_alloc_array(fit->cx, k_n * fit->dims, sizeof *sums), *shares = mg_alloc_array(fit->cx, k_n, sizeof *shares);
	const MgClassifier *guess = fit->rows->guess;
	MgClassifier labelled;

	if (sums == NULL || shares == NULL || !make_classifier(fit, MG_MIXTURE, classifier))
		return false;
	if (guess == NULL && fit->rows->unlabelled->n_scores == 0)
	{
		if (!(fit->ridge != NULL ? fit_ridge : fit_centres)(fit, hold_out, &labelled))
			return false;
		guess = &labelled;
	}
	for (int round = 0; round < MG_FIT_ROUNDS; round++)
	{
		double n = 0;

		memset(sums, 0, k_n * fit->dims * sizeof *sums);
		memset(shares, 0, k_n * sizeof *shares);
		if (!add_labelled(fit, hold_out, sums, shares) ||
			!add_unlabelled(fit, guess, round == 0 ? NULL : classifier, sums, shares) ||
			!set_centres(fit, sums, (float *) classifier->weights))
			return false;
		for (size_t k = 0; k < k_n; k++)
			n += shares[k];
		for (size_t k = 0; k < k_n; k++)
			((float *) classifier->biases)[k] = (float) log((shares[k] + 10.0 / (double) k_n) / (n + 10));
	}
	return true;
}

typedef bool (*FitMethod)(const Fit *fit, int hold_out, MgClassifier *classifier);

/* Rows of fold hold_out that the classifier is right about, as often as they came. */
static bool
count_right(const Fit *fit, int hold_out, const MgClassifier *classifier, int64_t *right)
{
	const MgSample *sample = fit->rows->labelled;
	double *scores = mg_alloc_array(fit->cx, fit->n_labels, sizeof *scores);

	if (scores == NULL)
		return false;
	for (size_t i = 0; i < sample->n; i++)
	{
		const MgSampleRow *row = &sample->rows[i];

		if (!mg_poll(fit->cx))
			return false;
		if (fit->folds[i] != hold_out)
			continue;
		mg_sample_vector(sample, row, fit->x);
		mg_classifier_scores(classifier, fit->inner, fit->x, scores);
		if (mg_best_score(scores, fit->n_labels) == (size_t) row->label)
			*right += row->count;
	}
	return true;
}

/* Rows of one class, which lie in the order of their hashes, go to the folds in turn. */
static bool
divide(Fit *fit)
{
	const MgSample *sample = fit->rows->labelled;
	uint8_t *folds = mg_alloc(fit->cx, sample->n);
	size_t *turns = mg_alloc_array(fit->cx, fit->n_labels, sizeof *turns);

	if (folds == NULL || turns == NULL)
		return false;
	fit->n_folds = sample->n < 1000 ? 10 : 5;
	for (size_t k = 0; k < fit->n_labels; k++)
		turns[k] = k;
	for (size_t i = 0; i < sample->n; i++)
	{
		folds[i] = (uint8_t) (turns[sample->rows[i].label]++ % fit->n_folds);
		fit->weight_labelled += sample->rows[i].count;
	}
	fit->folds = folds;
	return true;
}

/* The method that is right most often, the first where several are; accuracy NaN where that cannot be told. */
static bool
choose(const Fit *fit, const FitMethod *methods, size_t n_methods, size_t *chosen, double *accuracy)
{
	int64_t most = -1;

	*chosen = 0;
	*accuracy = NAN;
	if (fit->rows->labelled->n < 2 * fit->n_labels)
		return true;
	for (size_t m = 0; m < n_methods; m++)
	{
		int64_t right = 0;

		for (size_t fold = 0; fold < fit->n_folds; fold++)
		{
			MgMark mark = mg_mark(fit->cx);
			MgClassifier classifier;

			if (!methods[m](fit, (int) fold, &classifier) || !count_right(fit, (int) fold, &classifier, &right))
				return false;
			mg_rewind(fit->cx, mark);
		}
		if (right > most)
		{
			most = right;
			*chosen = m;
		}
	}
	*accuracy = (double) most / (double) fit->weight_labelled;
	return true;
}

bool
mg_fit(MgCtx *cx, const MgFitRows *given, MgClassifier *classifier)
{
	MgFitRows rows = *given;
	MgDistance inner;
	Fit fit = {.cx = cx, .rows = &rows, .n_labels = rows.n_labels};
	FitMethod methods[3];
	size_t n_methods = 0, chosen, weights;
	double accuracy;

	rows.labelled = rows.labelled != NULL ? rows.labelled : &nothing;
	rows.unlabelled = rows.unlabelled != NULL ? rows.unlabelled : &nothing;
	fit.dims = rows.labelled->n > 0 ? rows.labelled->dims : rows.unlabelled->dims;
	if (rows.labelled->n > 0 && rows.unlabelled->n > 0 && rows.unlabelled->dims != fit.dims)
		return mg_fail(cx, MG_BAD_ARGUMENT, "rows with labels have %zu dimensions, and others %zu", fit.dims, rows.unlabelled->dims);
	if (!mg_multiply(fit.n_labels, fit.dims, &weights) || weights > MG_CLASSIFIER_MOST_WEIGHTS)
	{
		mg_fail(cx, MG_TOO_LARGE, "%zu labels of %zu dimensions are too many", fit.n_labels, fit.dims);
		return mg_detail(cx, "A classifier has at most %d weights.", MG_CLASSIFIER_MOST_WEIGHTS);
	}
	if (!mg_distance_find(MG_ELEMENT_F32, MG_METRIC_INNER_PRODUCT, mg_cpu_level(), &inner))
		return mg_fail(cx, MG_UNSUPPORTED, "there is no inner product");
	fit.inner = inner.pair;
	fit.x = mg_alloc_array(cx, fit.dims, sizeof *fit.x);
	if (fit.x == NULL || !divide(&fit) ||
		(rows.labelled->n > 0 && !mg_ridge_begin(cx, rows.labelled, fit.n_labels, &fit.ridge)))
		return false;
	if (rows.unlabelled->n > 0)
		methods[n_methods++] = fit_mixture;
	if (rows.labelled->n > 0)
		methods[n_methods++] = fit_centres;
	if (fit.ridge != NULL)
		methods[n_methods++] = fit_ridge;
	if (!choose(&fit, methods, n_methods, &chosen, &accuracy) || !methods[chosen](&fit, -1, classifier))
		return false;
	classifier->accuracy = accuracy;
	classifier->labelled = rows.labelled->n_seen;
	classifier->unlabelled = rows.unlabelled->n_seen;
	return true;
}
