/* Generation on a tiny random model: a text alone, and piece by piece, where drafts are tried, is the one beside others, where none are. */
#include "task/answer_stream.h"

#include "unit/golden.h"
#include "unit/memory_files.h"

#define MOST 90
#define N_PROMPTS 3

typedef struct Case
{
	MgCtx cx, scratch;
	MgCompute compute;
	MgUsage usage;
	MgRun run;
	MgGenerateOptions options;
} Case;

static void
generate(Case *c, const MgIds *prompts, size_t n, MgAnswer *answers)
{
	c->usage = (MgUsage){0};
	if (!mg_generate_ids(&c->run, &c->options, prompts, n, answers))
	{
		printf("Bail out! %s\n", c->scratch.error.message);
		exit(1);
	}
}

/* The pieces of a stream, end to end, in memory of the case. */
static MgSpan
stream(Case *c, MgIds prompt)
{
	MgAnswerStream stream;
	MgSpan piece, text = {NULL, 0};
	uint8_t *bytes = mg_alloc(&c->scratch, 4096);
	bool fine;

	c->usage = (MgUsage){0};
	fine = bytes != NULL && mg_answer_stream_begin(&c->run, &c->options, prompt, &stream);
	while (fine && (fine = mg_answer_stream_next(&c->run, &stream, &piece)) && piece.size > 0 && text.size + piece.size <= 4096)
	{
		memcpy(bytes + text.size, piece.data, piece.size);
		text = mg_span(bytes, text.size + piece.size);
	}
	if (!fine)
	{
		printf("Bail out! %s\n", c->scratch.error.message);
		exit(1);
	}
	return text;
}

static void
check(Case *c, const char *what, bool drafts_prove_right)
{
	int32_t ids[N_PROMPTS][40];
	MgIds prompts[N_PROMPTS];
	MgAnswer alone, together[N_PROMPTS];
	bool same = true, streamed = true;
	uint64_t passes, alone_passes = 0, stream_passes = 0, drawn = 0;

	for (int32_t p = 0; p < N_PROMPTS; p++)
	{
		prompts[p] = (MgIds){40, ids[p]};
		for (int32_t i = 0; i < 40; i++)
			ids[p][i] = 3 + (i % 7 * 31 + p * 5) % 200; /* it repeats itself, so there is something to look up */
	}
	/* Of texts of one length none is ever alone. */
	generate(c, prompts, N_PROMPTS, together);
	passes = c->usage.batches;
	for (size_t p = 0; p < N_PROMPTS; p++)
	{
		generate(c, &prompts[p], 1, &alone);
		same = same && mg_span_equal(alone.text, together[p].text) && alone.n_tokens == together[p].n_tokens && alone.n_tokens == c->options.max_tokens;
		alone_passes += c->usage.batches;
		streamed = streamed && mg_span_equal(stream(c, prompts[p]), together[p].text) && c->usage.new_tokens == together[p].n_tokens;
		stream_passes += c->usage.batches;
		drawn += c->usage.decoded;
	}
	ok(same && alone.text.size > 30, "%s: a text alone is the one beside others", what);
	ok(streamed && drawn == N_PROMPTS * (c->options.max_tokens - 1), "%s: piece by piece as well", what);
	ok(stream_passes == alone_passes, "%s: in as many forward passes, %llu", what, (unsigned long long) stream_passes);
	if (drafts_prove_right)
		ok(alone_passes < N_PROMPTS * passes, "%s: in %llu forward passes instead of %llu", what, (unsigned long long) alone_passes, (unsigned long long) (N_PROMPTS * passes));
}

int
main(void)
{
	static const char *const dtypes[] = {"{}", "{\"dtype\": \"q4\"}"};
	char directory[] = "test/golden/decoder/llama";
	MgLogitBias biases[17]; /* the model has 272 tokens, its tokeniser 258; a text of three repeats itself, and drafts prove right */

	for (int32_t i = 0; i < 14; i++)
		biases[i] = (MgLogitBias){258 + i, -100};
	for (int32_t i = 0; i < 3; i++)
		biases[14 + i] = (MgLogitBias){70 + i, 50};

	for (size_t i = 0; i < 2; i++)
	{
		Case *c = calloc(1, sizeof *c);

		mg_ctx_init(&c->cx, &cli_host);
		mg_ctx_init(&c->scratch, &cli_host);
		c->compute = (MgCompute){.kernels = mg_kernels(mg_cpu_level()), .provider = MG_NATIVE};
		c->run = (MgRun){.cx = &c->scratch, .name = "llama", .compute = &c->compute, .usage = &c->usage};
		c->run.model = cli_load(&c->cx, directory, dtypes[i], c->compute.kernels, MG_FORM_PANELS, NULL);
		if (c->run.model == NULL)
		{
			printf("Bail out! %s\n", c->cx.error.message);
			return 1;
		}
		c->options = (MgGenerateOptions){.sampling = MG_SAMPLING_PLAIN, .max_tokens = MOST - 40, .memory = SIZE_MAX};
		c->options.sampling.biases = biases;
		c->options.sampling.n_biases = 17;
		c->options.sampling.min_tokens = c->options.max_tokens;
		c->options.sampling.temperature = 0;
		check(c, i == 0 ? "float32, greedy" : "q4, greedy", true);
		c->options.sampling.temperature = 0.5f;
		c->options.sampling.seed = 7;
		check(c, i == 0 ? "float32, drawn" : "q4, drawn", true);
		c->options.sampling.temperature = 0;
		c->options.sampling.repetition_penalty = 1.3f;
		check(c, i == 0 ? "float32, penalised" : "q4, penalised", false);
		mg_ctx_free(&c->cx);
		mg_ctx_free(&c->scratch);
		free(c);
	}
	return done();
}
