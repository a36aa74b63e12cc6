/* Each method against what defines it, which one is chosen, and the same bits for the same rows. */
#include "learn/fit.h"

#include <math.h>

#include "cli/host.h"
#include "learn/ridge.h"
#include "unit/host.h"

#define DIMS 8

static uint32_t state;

static float
random_number(void)
{
	state = state * 1664525 + 1013904223;
	return (float) (state >> 8) / (1 << 23) - 1;
}

/* A row around direction axis; noise is added to each dimension. */
static void
make_row(size_t axis, float noise, float *x)
{
	for (size_t d = 0; d < DIMS; d++)
		x[d] = noise * random_number() + (d == axis);
}

static const char *const label_names[] = {"first", "second", "third"};

/* n rows of each of n_labels classes along axes of their own; scores say another class for a share of them. */
static void
fill(MgCtx *cx, MgSample *sample, size_t n, size_t n_labels, bool labelled, float noise, bool scored, double wrong)
{
	for (size_t i = 0; i < n * n_labels; i++)
	{
		float x[DIMS], scores[3] = {0};
		size_t k = i % n_labels;

		make_row(k, noise, x);
		scores[random_number() < 2 * wrong - 1 ? (k + 1) % n_labels : k] = 1;
		mg_sample_add(cx, sample, x, DIMS, labelled ? (int32_t) k : MG_UNLABELLED, labelled ? mg_span_of(label_names[k]) : mg_span(NULL, 0),
					  scores, scored ? n_labels : 0);
	}
	mg_sample_settle(cx, sample);
}

/* Rows along the axes that a classifier calls wrong, of 1000. */
static long
count_wrong(const MgClassifier *classifier)
{
	MgDistance inner;
	double scores[3];
	long wrong = 0;

	mg_distance_find(MG_ELEMENT_F32, MG_METRIC_INNER_PRODUCT, mg_cpu_level(), &inner);
	for (size_t i = 0; i < 1000; i++)
	{
		float x[DIMS];

		make_row(i % classifier->n_labels, 0.3f, x);
		mg_classifier_scores(classifier, inner.pair, x, scores);
		wrong += mg_best_score(scores, classifier->n_labels) != i % classifier->n_labels;
	}
	return wrong;
}

/* The gradient of the penalised squares, by the rows as they are kept: zero at the minimum. */
static void
test_ridge(size_t n)
{
	MgSpan labels[3] = {mg_span_of("first"), mg_span_of("second"), mg_span_of("third")};
	uint8_t folds[300];
	float weights[3 * DIMS], biases[3], again[3 * DIMS];
	double worst = 0;
	MgSample sample;
	MgRidge *ridge;
	MgCtx cx;

	(void) labels;
	state = 7;
	mg_ctx_init(&cx, &cli_host);
	mg_sample_init(&sample, &cli_host, 1000, SIZE_MAX);
	fill(&cx, &sample, n, 3, true, 0.5f, false, 0);
	/* Some rows come often. */
	for (size_t i = 0; i < sample.n; i++)
	{
		sample.rows[i].count = 1 + (int64_t) (i % 3);
		folds[i] = i % 4;
	}
	ok(mg_ridge_begin(&cx, &sample, 3, &ridge) && ridge != NULL && mg_ridge_solve(ridge, folds, 3, weights, biases), "%zu rows of %d dimensions",
	   sample.n, DIMS);
	for (size_t k = 0; k < 3; k++)
	{
		double gradient[DIMS + 1] = {0};

		for (size_t i = 0; i < sample.n; i++)
		{
			float x[DIMS];
			double error = biases[k] / MG_FIT_RIDGE_SCALE - (sample.rows[i].label == (int32_t) k);

			if (folds[i] == 3)
				continue;
			mg_sample_vector(&sample, &sample.rows[i], x);
			for (size_t d = 0; d < DIMS; d++)
				error += weights[k * DIMS + d] / MG_FIT_RIDGE_SCALE * x[d];
			for (size_t d = 0; d < DIMS; d++)
				gradient[d] += (double) sample.rows[i].count * error * x[d];
			gradient[DIMS] += (double) sample.rows[i].count * error;
		}
		for (size_t d = 0; d < DIMS; d++)
			worst = fmax(worst, fabs(gradient[d] + MG_FIT_LAMBDA * weights[k * DIMS + d] / MG_FIT_RIDGE_SCALE));
		worst = fmax(worst, fabs(gradient[DIMS]));
	}
	ok(worst < 1e-4, "at the minimum (%g)", worst);
	ok(mg_ridge_solve(ridge, folds, -1, again, biases) && memcmp(again, weights, sizeof again) != 0, "of other rows another one");
	mg_sample_free(&sample);
	mg_ctx_free(&cx);
}

static void
test_methods(void)
{
	MgSpan labels[3] = {mg_span_of("first"), mg_span_of("second"), mg_span_of("third")};
	MgSample labelled, unlabelled;
	MgFitRows rows = {labels, 2, NULL, &unlabelled, NULL};
	MgClassifier classifier = {0}, guess;
	bool fine;
	MgCtx cx;

	state = 1;
	mg_ctx_init(&cx, &cli_host);
	mg_sample_init(&labelled, &cli_host, 10000, SIZE_MAX);
	mg_sample_init(&unlabelled, &cli_host, 10000, SIZE_MAX);
	fill(&cx, &unlabelled, 100, 2, false, 0.3f, true, 0.3);
	ok(mg_fit(&cx, &rows, &classifier) && classifier.method == MG_MIXTURE && isnan(classifier.accuracy) && classifier.unlabelled == 200,
	   "unlabelled rows, guessed wrong 30 times in 100 (%s)", cx.error.message);
	is_int(count_wrong(&classifier), 0, "are understood");

	/* 90 of 100 rows in one class do not draw the others to it. */
	mg_sample_free(&unlabelled);
	fill(&cx, &unlabelled, 100, 1, false, 0.3f, false, 0);
	fill(&cx, &unlabelled, 10, 2, false, 0.3f, false, 0);
	guess = (MgClassifier){MG_ZERO_SHOT, 2, DIMS, 0, 0, NAN, labels, (float[2 * DIMS]){[0] = 4, [2] = 4, [DIMS + 1] = 4}, (float[2]){0, 0}};
	rows.guess = &guess;
	ok(mg_fit(&cx, &rows, &classifier) && classifier.biases[0] > classifier.biases[1] + 1, "a class that is ten times as large");
	ok(count_wrong(&classifier) <= 5, "takes nothing from the other");

	/* One label. */
	rows.n_labels = guess.n_labels = 1;
	ok(mg_fit(&cx, &rows, &classifier) && classifier.n_labels == 1 && count_wrong(&(MgClassifier){.n_labels = 1, .dims = DIMS, .weights = classifier.weights, .biases = classifier.biases}) == 0,
	   "one label is the answer");

	/* Labelled rows alone, then with others. */
	rows = (MgFitRows){labels, 3, &labelled, NULL, NULL};
	fill(&cx, &labelled, 60, 3, true, 0.4f, false, 0);
	fine = mg_fit(&cx, &rows, &classifier);
	ok(fine && classifier.accuracy > 0.95 && classifier.labelled == 180, "labelled rows: %s, %.3f", mg_method_name(classifier.method),
	   classifier.accuracy);
	ok(count_wrong(&classifier) < 20, "are learnt");
	mg_sample_free(&labelled);
	mg_sample_free(&unlabelled);
	fill(&cx, &labelled, 1, 3, true, 0.4f, false, 0);
	fill(&cx, &unlabelled, 200, 3, false, 0.3f, false, 0);
	rows.unlabelled = &unlabelled;
	ok(mg_fit(&cx, &rows, &classifier) && classifier.method == MG_MIXTURE && isnan(classifier.accuracy), "one labelled row a class and others");
	is_int(count_wrong(&classifier), 0, "are enough");
	mg_sample_free(&labelled);
	mg_sample_free(&unlabelled);
	mg_ctx_free(&cx);
}

/* A class that no sphere around a centre has: two opposite clouds against one between them. */
static void
test_choice(void)
{
	MgSpan labels[2] = {mg_span_of("first"), mg_span_of("second")};
	MgSample sample;
	MgFitRows rows = {labels, 2, &sample, NULL, NULL};
	MgClassifier classifier = {0};
	bool fine;
	MgCtx cx;

	state = 3;
	mg_ctx_init(&cx, &cli_host);
	mg_sample_init(&sample, &cli_host, 10000, SIZE_MAX);
	for (size_t i = 0; i < 600; i++)
	{
		float x[DIMS];

		/* Second lies near first, and they differ in a dimension of little weight. */
		make_row(0, 0.05f, x);
		x[1] = (i % 2 == 0 ? 0.1f : -0.1f) + 0.02f * random_number();
		x[2] = 2 * random_number();
		mg_sample_add(&cx, &sample, x, DIMS, (int32_t) (i % 2), labels[i % 2], NULL, 0);
	}
	mg_sample_settle(&cx, &sample);
	fine = mg_fit(&cx, &rows, &classifier);
	ok(fine && classifier.method == MG_RIDGE && classifier.accuracy > 0.98, "where centres mislead, %s is chosen: %.3f",
	   mg_method_name(classifier.method), classifier.accuracy);
	mg_sample_free(&sample);
	mg_ctx_free(&cx);
}

static bool
fit_some(MgCtx *cx, void *user)
{
	MgSpan labels[3] = {mg_span_of("first"), mg_span_of("second"), mg_span_of("third")};
	MgFitRows rows = *(MgFitRows *) user;
	MgClassifier classifier;

	rows.labels = labels;
	return mg_fit(cx, &rows, &classifier);
}

int
main(void)
{
	MgSample labelled, unlabelled;
	MgFitRows rows = {NULL, 3, &labelled, &unlabelled, NULL};
	MgCtx cx;

	test_ridge(2);
	test_ridge(60);
	test_methods();
	test_choice();
	mg_ctx_init(&cx, &cli_host);
	mg_sample_init(&labelled, &cli_host, 100, SIZE_MAX);
	mg_sample_init(&unlabelled, &cli_host, 100, SIZE_MAX);
	fill(&cx, &labelled, 5, 3, true, 0.4f, false, 0);
	fill(&cx, &unlabelled, 10, 3, false, 0.4f, false, 0);
	sweep("fit", fit_some, &rows, 7);
	mg_sample_free(&labelled);
	mg_sample_free(&unlabelled);
	mg_ctx_free(&cx);
	return done();
}
