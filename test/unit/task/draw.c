/* Drawing a token: distributions by chi-square, filters beside a plain reference that sorts everything. */
#include "task/draw.h"

#include <stdlib.h>

#include "unit/host.h"

#define MAX_TOKENS 400

static const MgHistory nothing = {NULL, 0, 0};
static const MgIds no_ends = {0, NULL};

/* Upper 0.1 % points of chi-square, by Wilson and Hilferty. */
static double
chi_square_limit(double freedom)
{
	double t = 1 - 2 / (9 * freedom) + 3.09 * sqrt(2 / (9 * freedom));

	return freedom * t * t * t;
}

static void
test_uniform(void)
{
	static long bins[1000];
	double chi = 0;
	bool inside = true, apart = true;

	for (uint64_t i = 0; i < 1000000; i++)
	{
		double u = mg_uniform(i / 100000, i / 1000 % 100, i % 1000, 0);

		inside = inside && u >= 0 && u < 1;
		bins[(int) (u * 1000)]++;
	}
	for (int i = 0; i < 1000; i++)
		chi += (bins[i] - 1000.0) * (bins[i] - 1000.0) / 1000;
	ok(inside, "uniforms are in [0, 1)");
	ok(chi < chi_square_limit(999), "and uniform over seeds, samples and steps (chi-square %.0f of 999)", chi);
	for (uint64_t i = 0; i < 1000; i++)
		apart = apart && mg_uniform(i, i + 1, 0, 0) != mg_uniform(i + 1, i, 0, 0) && mg_uniform(0, 0, i, 1) != mg_uniform(0, 0, i + 1, 0);
	ok(apart, "each number counts in its own place");
	ok(mg_uniform(7, 1, 2, 3) == 0x1.d3f7426f0a7b5p-1, "u(7, 1, 2, 3) is what the same formula gives in Python");
}

/* Draws n_draws times at consecutive seeds and compares with p, where tokens are put into bins of at least 1/50. */
static void
compare(MgCtx *cx, const char *what, const float *logits, size_t n, float temperature, int n_draws)
{
	MgSampling sampling = MG_SAMPLING_PLAIN;
	double *p = calloc(n, sizeof *p), sum = 0, chi = 0, expected = 0;
	long *times = calloc(n, sizeof *times), seen = 0;
	float *work = malloc(n * sizeof *work);
	int n_bins = 0;

	for (size_t i = 0; i < n; i++)
		sum += p[i] = exp(logits[i] / temperature);
	sampling.temperature = temperature;
	for (int i = 0; i < n_draws; i++)
	{
		int32_t id;

		memcpy(work, logits, n * sizeof *work);
		sampling.seed = (uint64_t) i;
		if (mg_draw(cx, &sampling, nothing, no_ends, 0, work, n, &id))
			times[id]++;
	}
	for (size_t i = 0; i < n; i++)
	{
		expected += p[i] / sum * n_draws;
		seen += times[i];
		if (expected < n_draws / 50.0 && i + 1 < n)
			continue;
		if (expected > 0)
			chi += (seen - expected) * (seen - expected) / expected;
		n_bins++;
		expected = seen = 0;
	}
	ok(chi < chi_square_limit(n_bins - 1), "%s: %d draws have the distribution (chi-square %.1f of %d)", what, n_draws, chi, n_bins - 1);
	free(p);
	free(times);
	free(work);
}

static void
test_distribution(MgCtx *cx)
{
	static const float five[] = {0.0f, 1.5f, -0.5f, 2.0f, 0.7f};
	static float zipf[20000];

	for (int i = 0; i < 20000; i++)
		zipf[i] = -logf((float) (i * 7919 % 20000 + 1));
	compare(cx, "five tokens", five, 5, 1, 1000000);
	compare(cx, "five tokens, temperature 0.5", five, 5, 0.5f, 200000);
	compare(cx, "Zipf over 20000", zipf, 20000, 1, 3000);
}

/* The reference. */
typedef struct Entry
{
	float logit;
	int32_t id;
	long double weight;
} Entry;

static int
by_logit(const void *left, const void *right)
{
	const Entry *a = left, *b = right;

	return a->logit != b->logit ? (a->logit < b->logit ? 1 : -1) : a->id - b->id;
}

/* The token, or -1 when u lies too near to an edge to tell. */
static int32_t
reference(const MgSampling *sampling, const float *logits, size_t n, double u)
{
	Entry entries[MAX_TOKENS], sorted[MAX_TOKENS];
	bool sorts = (sampling->top_k > 0 && sampling->top_k < n) || sampling->top_p < 1;
	long double total = 0, sum = 0, running = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = entries[i] = (Entry){logits[i], (int32_t) i, 0};
	qsort(sorted, n, sizeof *sorted, by_logit);
	if (sampling->temperature == 0)
		return sorted[0].id;
	for (size_t i = 0; i < n; i++)
	{
		sorted[i].weight = expl(((long double) sorted[i].logit - sorted[0].logit) / (long double) sampling->temperature);
		if (sampling->top_k > 0 && i >= sampling->top_k)
			sorted[i].weight = 0;
		total += sorted[i].weight;
	}
	for (size_t i = 0; i < n; i++)
	{
		bool stays = sorted[i].weight > 0 && (i == 0 || sampling->top_p >= 1 || sum < (long double) sampling->top_p * total);

		if (i > 0 && sampling->top_p < 1 && fabsl(sum - (long double) sampling->top_p * total) < 1e-12L * total)
			return -1;
		sum += sorted[i].weight;
		if (fabsl(sorted[i].weight - (long double) sampling->min_p) < 1e-13L && i > 0 && sampling->min_p > 0)
			return -1;
		if (sorted[i].weight < (long double) sampling->min_p)
			stays = false;
		if (!stays)
			sorted[i].weight = 0;
		entries[sorted[i].id].weight = sorted[i].weight;
	}
	sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += sorts ? sorted[i].weight : entries[i].weight;
	for (size_t i = 0; i < n; i++)
	{
		const Entry *entry = sorts ? &sorted[i] : &entries[i];

		running += entry->weight;
		if (entry->weight > 0 && fabsl(running - u * sum) < 1e-12L * sum)
			return -1;
		if (running > u * sum)
			return entry->id;
	}
	return -1;
}

static uint64_t noise;

static double
random_number(void)
{
	return mg_uniform(1, 2, noise++, 3);
}

static void
test_filters(MgCtx *cx)
{
	long wrong = 0, unclear = 0;

	for (int round = 0; round < 20000; round++)
	{
		MgSampling sampling = MG_SAMPLING_PLAIN;
		size_t n = 1 + (size_t) (random_number() * (MAX_TOKENS - 1));
		float logits[MAX_TOKENS], work[MAX_TOKENS];
		double u = random_number();
		int32_t want, got = -2;

		for (size_t i = 0; i < n; i++)
			logits[i] = round % 3 == 0 ? (float) (int) (random_number() * 5) : (float) (random_number() * 12 - 6); /* ties too */
		for (size_t i = 0; i < n / 10; i++)
			logits[(size_t) (random_number() * (double) n)] = -INFINITY;
		logits[(size_t) (random_number() * (double) n)] = 1;
		if (random_number() < 0.5)
			sampling.top_k = (size_t) (random_number() * 50);
		if (random_number() < 0.5)
			sampling.top_p = (float) (random_number() * 0.999 + 0.001);
		if (random_number() < 0.3)
			sampling.min_p = (float) random_number();
		sampling.temperature = random_number() < 0.1 ? 0 : (float) (0.05 + random_number() * 2);
		want = reference(&sampling, logits, n, u);
		memcpy(work, logits, sizeof work);
		if (!mg_draw_at(cx, &sampling, nothing, no_ends, u, work, n, &got))
			wrong++;
		else if (want < 0)
			unclear++;
		else
			wrong += got != want;
	}
	ok(wrong == 0, "temperature, top_k, top_p and min_p as the reference in 20000 cases (%ld wrong, %ld at an edge)", wrong, unclear);
	ok(unclear < 2000, "few of which lie at an edge");
}

/* The token at u = 0.5 with logits that are changed by what the settings say. */
static int32_t
best(MgCtx *cx, const MgSampling *sampling, MgHistory history, MgIds ends, const float *logits, size_t n)
{
	float work[16];
	int32_t id = -1;

	memcpy(work, logits, n * sizeof *work);
	return mg_draw_at(cx, sampling, history, ends, 0.5, work, n, &id) ? id : -1;
}

static void
test_penalties(MgCtx *cx)
{
	static const float logits[] = {2.0f, -1.0f, 1.0f, 0.5f};
	static const int32_t ids[] = {0, 1, 1, 0, 2, 2, 2};
	MgSampling sampling = MG_SAMPLING_PLAIN;
	float work[4];
	int32_t id;

	sampling.repetition_penalty = 2;
	memcpy(work, logits, sizeof work);
	ok(mg_draw_at(cx, &sampling, (MgHistory){ids, 7, 4}, no_ends, 0, work, 4, &id), "a draw with repetition_penalty");
	ok(work[0] == 1.0f && work[1] == -2.0f && work[2] == 0.5f && work[3] == 0.5f, "divides what is positive, multiplies the rest, each once");

	sampling.repetition_penalty = 1;
	sampling.frequency_penalty = 0.25f;
	sampling.presence_penalty = 0.125f;
	memcpy(work, logits, sizeof work);
	ok(mg_draw_at(cx, &sampling, (MgHistory){ids, 7, 4}, no_ends, 0, work, 4, &id), "a draw with the other two");
	ok(work[0] == 2.0f && work[1] == -1.0f && work[2] == 1.0f - 3 * 0.25f - 0.125f && work[3] == 0.5f, "counts the answer alone");

	sampling = MG_SAMPLING_PLAIN;
	sampling.temperature = 0;
	sampling.min_tokens = 3;
	is_int(best(cx, &sampling, (MgHistory){ids, 6, 4}, (MgIds){1, (const int32_t[]){0}}, logits, 4), 2, "no end before min_tokens");
	is_int(best(cx, &sampling, (MgHistory){ids, 7, 4}, (MgIds){1, (const int32_t[]){0}}, logits, 4), 0, "an end then");

	sampling.min_tokens = 0;
	sampling.n_biases = 2;
	sampling.biases = (const MgLogitBias[]){{0, -INFINITY}, {1, 5}};
	is_int(best(cx, &sampling, nothing, no_ends, logits, 4), 1, "biases are added");
	sampling.n_biases = 0;
	is_int(best(cx, &sampling, nothing, no_ends, (const float[]){1, 3, 3, 2}, 4), 1, "of equal ones the smallest id");
}

static void
test_runs(MgCtx *cx)
{
	static const float logits[] = {3, 2, 1, 0};
	static const int32_t ids[] = {0, 1, 0, 2, 3, 0};
	MgSampling sampling = MG_SAMPLING_PLAIN;

	sampling.temperature = 0;
	sampling.no_repeat_ngram = 2;
	is_int(best(cx, &sampling, (MgHistory){ids, 6, 2}, no_ends, logits, 4), 0, "0 1 and 0 2 are there, 0 0 is not");
	is_int(best(cx, &sampling, (MgHistory){ids, 6, 2}, no_ends, (const float[]){0, 5, 4, 3}, 4), 3, "so 3 is the best of the rest");
	sampling.no_repeat_ngram = 3;
	is_int(best(cx, &sampling, (MgHistory){ids, 6, 2}, no_ends, (const float[]){0, 5, 4, 3}, 4), 1, "3 0 has no follower yet");
	is_int(best(cx, &sampling, (MgHistory){ids, 2, 2}, no_ends, logits, 4), 0, "a short history has no run");
	sampling.no_repeat_ngram = 1;
	is_int(best(cx, &sampling, (MgHistory){ids, 4, 2}, no_ends, logits, 4), 3, "runs of one: no token twice");
	is_int(best(cx, &sampling, (MgHistory){ids, 6, 2}, no_ends, logits, 4), -1, "nothing is left");
	is_text(cx->error.message, "no token is left to draw", "which is an error");
	mg_ctx_reset(cx);
}

static void
test_edges(MgCtx *cx)
{
	float logits[200], work[200];
	MgSampling sampling = MG_SAMPLING_PLAIN;
	int32_t id = -1;

	for (int i = 0; i < 200; i++)
		logits[i] = -INFINITY;
	logits[70] = 0;
	logits[150] = -27.631021f; /* 1e-12 */
	memcpy(work, logits, sizeof work);
	ok(mg_draw_at(cx, &sampling, nothing, no_ends, 1 - 0.5e-12, work, 200, &id) && id == 150, "a token of 1e-12 is reached");
	ok(mg_draw_at(cx, &sampling, nothing, no_ends, 1 - 2e-12, work, 200, &id) && id == 70, "by its own share of u");
	ok(mg_draw_at(cx, &sampling, nothing, no_ends, 0, work, 200, &id) && id == 70, "u = 0 is a token that can be drawn");
	ok(mg_draw_at(cx, &sampling, nothing, no_ends, 1 - 0x1p-53, work, 200, &id) && id == 150, "and so is the largest u");
	sampling.temperature = 1e-30f;
	ok(mg_draw_at(cx, &sampling, nothing, no_ends, 0.99, work, 200, &id) && id == 70, "a tiny temperature is the likeliest");
	work[3] = NAN;
	ok(!mg_draw_at(cx, &sampling, nothing, no_ends, 0.99, work, 200, &id) && cx->error.code == MG_BAD_FILE, "NaN is an error");
	mg_ctx_reset(cx);
	work[3] = INFINITY;
	ok(!mg_draw_at(cx, &sampling, nothing, no_ends, 0.99, work, 200, &id) && cx->error.code == MG_BAD_FILE, "infinity as well");
	mg_ctx_reset(cx);
}

static void
test_log_probability(void)
{
	static float logits[1000];
	double sum = 0, log_sum = 0;

	for (int i = 0; i < 1000; i++)
	{
		logits[i] = (float) (random_number() * 20 - 10);
		sum += exp(logits[i]);
	}
	log_sum = log(sum);
	is_near(mg_log_probability(logits, 1000, 17), logits[17] - log_sum, 1e-12, "log probability");
	logits[17] = -INFINITY;
	ok(mg_log_probability(logits, 1000, 17) == -INFINITY, "of a banned token");
	ok(mg_log_probability((const float[]){5}, 1, 0) == 0, "of the only one");
}

static bool
swept(MgCtx *cx, void *user)
{
	static float logits[40000];
	MgSampling sampling = MG_SAMPLING_PLAIN;
	int32_t id;

	(void) user;
	for (int i = 0; i < 40000; i++)
		logits[i] = (float) (i % 101) / 50;
	sampling.top_p = 0.9f;
	sampling.presence_penalty = 1;
	return mg_draw(cx, &sampling, nothing, no_ends, 0, logits, 40000, &id);
}

int
main(void)
{
	TestHost test;
	MgCtx cx;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	test_uniform();
	test_distribution(&cx);
	test_filters(&cx);
	test_penalties(&cx);
	test_runs(&cx);
	test_edges(&cx);
	test_log_probability();
	mg_ctx_free(&cx);
	sweep("a draw", swept, NULL, 1);
	return done();
}
