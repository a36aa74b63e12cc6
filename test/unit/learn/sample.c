/* A sample of rows is the same in whatever order and parts they come, and counts them right. */
#include "learn/sample.h"

#include "cli/host.h"
#include "unit/host.h"

#define DIMS 24
#define N 5000

static float vectors[N][DIMS];
static const char *const names[3] = {"red", "green", "blue"};

/* Every third row is one of the last ten again. */
static void
make_rows(void)
{
	uint32_t state = 1;

	for (size_t i = 0; i < N; i++)
		for (size_t d = 0; d < DIMS; d++)
		{
			state = state * 1664525 + 1013904223;
			vectors[i][d] = (float) (state >> 8) / (1 << 23) - 1;
		}
	for (size_t i = 0; i < N; i += 3)
		memcpy(vectors[i], vectors[N - 1 - i % 10], sizeof vectors[i]);
}

/* Rows first, first + step ... of a permutation; labels are numbered by shift. */
static bool
add_rows(MgCtx *cx, MgSample *sample, size_t first, size_t step, size_t factor, size_t shift)
{
	bool fine = true;

	for (size_t i = first; fine && i < N; i += step)
	{
		size_t row = i * factor % N, name = row % 3;
		float score = (float) (row % 2);

		fine = name == 0 ? mg_sample_add(cx, sample, vectors[row], DIMS, MG_UNLABELLED, mg_span(NULL, 0), &score, 1)
						 : mg_sample_add(cx, sample, vectors[row], DIMS, (int32_t) ((name + shift) % 3), mg_span_of(names[name]), &score, 1);
	}
	return fine;
}

static bool
same(const MgSample *a, const MgSample *b, size_t shift)
{
	if (a->n != b->n || a->n_seen != b->n_seen)
		return false;
	for (size_t i = 0; i < a->n; i++)
	{
		const MgSampleRow *left = &a->rows[i], *right = &b->rows[i];

		if (left->hash != right->hash || left->count != right->count ||
			right->label != (left->label == MG_UNLABELLED ? MG_UNLABELLED : (int32_t) ((left->label + shift) % 3)) ||
			memcmp(a->vectors + left->place * DIMS, b->vectors + right->place * DIMS, DIMS * sizeof(uint16_t)) != 0 ||
			a->scores[left->place] != b->scores[right->place])
			return false;
	}
	return true;
}

static void
test_order(size_t limit)
{
	static const int32_t numbers[3] = {2, 0, 1};
	int64_t count = 0;
	MgSample one, other, part;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	mg_sample_init(&one, &cli_host, limit, SIZE_MAX);
	mg_sample_init(&other, &cli_host, limit, SIZE_MAX);
	mg_sample_init(&part, &cli_host, limit, SIZE_MAX);
	ok(add_rows(&cx, &one, 0, 1, 1, 0) && mg_sample_settle(&cx, &one), "%zu rows at most", limit);
	ok(add_rows(&cx, &other, 0, 1, 2473, 1) && mg_sample_settle(&cx, &other) && same(&one, &other, 1), "in another order");
	mg_sample_free(&other);
	for (size_t i = 0; i < 7; i++)
	{
		mg_sample_free(&part);
		add_rows(&cx, &part, i, 7, 777, 0);
		/* A row that a part has often comes once, with its count. */
		if (i % 2 == 1)
			mg_sample_settle(&cx, &part);
		mg_sample_merge(&cx, &other, &part, numbers);
	}
	ok(mg_sample_settle(&cx, &other) && same(&one, &other, 2), "in seven parts");
	ok(mg_sample_settle(&cx, &other) && same(&one, &other, 2), "settled twice");
	for (size_t i = 0; i < one.n; i++)
		count += one.rows[i].count;
	if (limit >= N)
		is_int(count, N, "each row counts");
	else
		ok(one.n == limit && count >= (int64_t) limit, "as many as may stay");
	mg_sample_free(&one);
	mg_sample_free(&other);
	mg_sample_free(&part);
	mg_ctx_free(&cx);
}

static bool
add_some(MgCtx *cx, void *user)
{
	MgSample sample, other;
	bool fine;

	(void) user;
	mg_sample_init(&sample, cx->host, 30, SIZE_MAX);
	mg_sample_init(&other, cx->host, 30, SIZE_MAX);
	fine = add_rows(cx, &sample, 0, 50, 1, 0) && add_rows(cx, &other, 1, 50, 1, 0) &&
		mg_sample_merge(cx, &sample, &other, (const int32_t[]){0, 1, 2}) && mg_sample_settle(cx, &sample);
	mg_sample_free(&sample);
	mg_sample_free(&other);
	return fine;
}

static void
test_refusals(void)
{
	float x[2] = {3, 4}, zero[2] = {0}, back[2];
	MgSample sample;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	mg_sample_init(&sample, &cli_host, 10, 1);
	ok(mg_sample_settle(&cx, &sample) && sample.n == 0, "without rows it stays empty");
	ok(mg_sample_add(&cx, &sample, x, 2, MG_UNLABELLED, mg_span(NULL, 0), NULL, 0) && sample.limit == 1, "one row at least");
	mg_sample_vector(&sample, &sample.rows[0], back);
	ok(back[0] > 0.599 && back[0] < 0.601 && back[1] > 0.799 && back[1] < 0.801, "to length 1");
	ok(mg_sample_add(&cx, &sample, zero, 2, MG_UNLABELLED, mg_span(NULL, 0), NULL, 0), "a vector of zeros stays one");
	ok(!mg_sample_add(&cx, &sample, x, 1, MG_UNLABELLED, mg_span(NULL, 0), NULL, 0), "other dimensions are refused");
	is_text(cx.error.message, "expected 2 dimensions, not 1", "and said so");
	mg_sample_free(&sample);
	mg_ctx_free(&cx);
}

int
main(void)
{
	make_rows();
	test_order(N);
	test_order(700);
	test_order(13);
	test_refusals();
	sweep("sample", add_some, NULL, 1);
	return done();
}
