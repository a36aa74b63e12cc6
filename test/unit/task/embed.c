/* What embedding promises: the same bits in any batch, cut or refused long texts, prompts, dimensions, failures. */
#include "task/embed.h"

#include <math.h>

#include "cli/host.h"
#include "unit/host.h"
#include "unit/run.h"

#define N_TEXTS 150

static const MgModel *model;
static MgCompute compute;

static bool
embed_two(MgCtx *cx, void *user)
{
	MgEmbedOptions options = {.normalize = true, .prompt = mg_span_of("query: ")};
	MgSpan texts[] = {mg_span_of("paris"), mg_span_of("")};
	MgUsage usage = {0};

	return mg_embed(RUN(cx, model, &compute, &usage), &options, texts, 2, user);
}

static void
test_batch_invariance(size_t dims)
{
	static char texts[N_TEXTS][60];
	static MgSpan spans[N_TEXTS];
	float *together = malloc(N_TEXTS * dims * sizeof *together), *alone = malloc(dims * sizeof *alone);
	MgEmbedOptions options = {.normalize = true};
	MgUsage usage = {0};
	long differ = 0;
	MgCtx cx;

	for (size_t i = 0; i < N_TEXTS; i++)
	{
		snprintf(texts[i], sizeof texts[i], "%zu %.*s", i, (int) (i % 31), "a b c d e f g h i j k l m n o p");
		spans[i] = mg_span_of(texts[i]);
	}
	mg_ctx_init(&cx, &cli_host);
	ok(mg_embed(RUN(&cx, model, &compute, &usage), &options, spans, N_TEXTS, together) && usage.batches > 1 && usage.rows == N_TEXTS,
	   "%d texts in %d batches", N_TEXTS, (int) usage.batches);
	for (size_t i = 0; i < N_TEXTS; i++)
	{
		mg_ctx_reset(&cx);
		mg_embed(RUN(&cx, model, &compute, &usage), &options, &spans[i], 1, alone);
		differ += memcmp(alone, together + i * dims, dims * sizeof *alone) != 0;
	}
	is_int(differ, 0, "have the same bits as one by one");

	/* Twice the same texts, in batches of any size. */
	for (size_t budget = 1; budget <= 4096; budget *= 4)
	{
		float *again = malloc(N_TEXTS * dims * sizeof *again);
		MgUsage one = {0};

		test_batch_tokens = budget;
		for (size_t i = 0; i < N_TEXTS; i++)
			spans[i] = mg_span_of(texts[i / 2]);
		mg_ctx_reset(&cx);
		ok(mg_embed(RUN(&cx, model, &compute, &one), &options, spans, N_TEXTS, again) && one.rows == N_TEXTS && one.tokens < usage.tokens,
		   "batches of %zu tokens: %d texts, %d tokens in %d batches", budget, N_TEXTS, (int) one.tokens,
		   (int) one.batches);
		for (size_t i = differ = 0; i < N_TEXTS; i++)
			differ += memcmp(again + i * dims, together + i / 2 * dims, dims * sizeof *again) != 0;
		is_int(differ, 0, "have the same bits");
		free(again);
	}
	test_batch_tokens = 0;
	ok(mg_embed(RUN(&cx, model, &compute, &usage), &options, NULL, 0, together), "no text at all is fine");
	mg_ctx_free(&cx);
	free(together);
	free(alone);
}

static void
test_limits(size_t dims)
{
	static char text[4000];
	float *out = malloc(dims * sizeof *out);
	double length = 0;
	MgEmbedOptions options = {.normalize = true};
	MgSpan input;
	MgUsage usage = {0};
	MgCtx cx;

	for (size_t i = 0; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "a ", 2);
	input = mg_span_of(text);
	mg_ctx_init(&cx, &cli_host);
	ok(mg_embed(RUN(&cx, model, &compute, &usage), &options, &input, 1, out), "a long text is cut");
	is_int(usage.tokens, model->meta.max_tokens, "to the model's limit");

	{
		MgRun run = *RUN(&cx, model, &compute, &usage);
		MgSpan texts[] = {mg_span_of("b"), input, mg_span_of("a"), input};
		float *each = malloc(4 * dims * sizeof *each);
		bool cut[4] = {false};

		run.cut = cut;
		ok(mg_embed(&run, &options, texts, 4, each) && !cut[0] && cut[1] && !cut[2] && cut[3], "those that are cut are marked, equal ones too");
		memset(cut, 0, sizeof cut);
		ok(mg_embed(&run, &options, &input, 1, each) && cut[0], "and one alone");
		free(each);
	}

	options.long_input = MG_LONG_ERROR;
	ok(!mg_embed(RUN(&cx, model, &compute, &usage), &options, &input, 1, out), "or refused");
	is_text(cx.error.message, "input is too long for model \"tiny\"", "and said so");

	mg_ctx_reset(&cx);
	options.long_input = MG_LONG_TRUNCATE;
	options.prompt = input;
	ok(!mg_embed(RUN(&cx, model, &compute, &usage), &options, &(MgSpan){(const uint8_t *) "b", 1}, 1, out),
	   "a prompt that leaves no room for the text is refused");
	is_text(cx.error.message, "prompt is too long for model \"tiny\"", "and said so");

	mg_ctx_reset(&cx);
	options.prompt = mg_span(NULL, 0);
	options.dims = 5;
	ok(mg_embed(RUN(&cx, model, &compute, &usage), &options, &input, 1, out), "five dimensions");
	for (size_t d = 0; d < 5; d++)
		length += (double) out[d] * out[d];
	is_near(length, 1, 1e-6, "have length 1 again");
	options.dims = dims + 1;
	ok(!mg_embed(RUN(&cx, model, &compute, &usage), &options, &input, 1, out), "more dimensions than there are are refused");

	mg_ctx_reset(&cx);
	options.dims = 0;
	input = mg_span("a\xFF", 2);
	ok(!mg_embed(RUN(&cx, model, &compute, &usage), &options, &input, 1, out) && cx.error.code == MG_BAD_TEXT,
	   "invalid UTF-8 is refused");
	mg_ctx_free(&cx);
	free(out);
}

/* What each pooling makes of the states of a text, by its definition (sentence-transformers' Pooling). */
static double
pooled(const char *pooling, const float *states, size_t n, size_t h, size_t d)
{
	double sum = 0, weighted = 0, most = -INFINITY;

	for (size_t i = 0; i < n; i++)
	{
		sum += (double) states[i * h + d];
		weighted += (double) (i + 1) * (double) states[i * h + d];
		most = fmax(most, (double) states[i * h + d]);
	}
	return strcmp(pooling, "mean") == 0				? sum / (double) n
		: strcmp(pooling, "mean_sqrt_len") == 0 ? sum / sqrt((double) n)
		: strcmp(pooling, "weighted_mean") == 0 ? weighted / ((double) n * (double) (n + 1) / 2)
		: strcmp(pooling, "max") == 0			? most
		: strcmp(pooling, "last") == 0			? (double) states[(n - 1) * h + d]
												: (double) states[d];
}

static void
test_poolings(size_t dims)
{
	static const char *const poolings[] = {"mean", "cls", "max", "last", "weighted_mean", "mean_sqrt_len"};
	float *states = malloc(100 * dims * sizeof *states), *out = malloc(dims * sizeof *out);
	MgSpan text = mg_span_of("red wine, unbelievable technology");
	MgEmbedOptions options = {.normalize = false};

	for (size_t p = 0; p < sizeof poolings / sizeof *poolings; p++)
	{
		const MgModel *other;
		char json[80];
		MgSequence sequence;
		MgBatch batch;
		MgUsage usage = {0};
		double off = 0;
		MgCtx cx;

		snprintf(json, sizeof json, "{\"pooling\": \"%s\"}", poolings[p]);
		mg_ctx_init(&cx, &cli_host);
		other = cli_load(&cx, "test/golden/tiny/bert-embed-mean", json, compute.kernels, MG_FORM_PANELS, NULL);
		ok(other != NULL && mg_embed_sequence(RUN(&cx, other, &compute, &usage), &options, text, &sequence) &&
			   mg_batch_pack(&cx, &sequence, 1, &batch) && other->arch->forward(RUN(&cx, other, &compute, &usage), &batch, states) &&
			   mg_embed(RUN(&cx, other, &compute, &usage), &options, &text, 1, out),
		   "pooling %s (%s)", poolings[p], cx.error.message);
		for (size_t d = 0; other != NULL && d < dims; d++)
			off = fmax(off, fabs(pooled(poolings[p], states, sequence.n, dims, d) - (double) out[d]));
		ok(off < 1e-5, "is off by %.2g", off);
		mg_ctx_free(&cx);
	}
	free(states);
	free(out);
}

int
main(void)
{
	size_t dims;
	float *out;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	compute.kernels = mg_kernels(mg_cpu_level());
	model = cli_load(&cx, "test/golden/tiny/bert-embed-mean", "{}", compute.kernels, MG_FORM_PANELS, NULL);
	if (!ok(model != NULL, "loaded (%s)", cx.error.message))
		return done();
	dims = model->sizes->width;
	out = malloc(2 * dims * sizeof *out);
	test_batch_invariance(dims);
	test_limits(dims);
	test_poolings(dims);
	sweep("embed", embed_two, out, 1);
	free(out);
	mg_ctx_free(&cx);
	return done();
}
