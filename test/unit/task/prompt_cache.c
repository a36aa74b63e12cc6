/* Beginnings that are kept: the same text with them as without, fewer tokens computed, in both forms of keys, and with blocks that are gone. */
#include "task/prompt_cache.h"

#include "task/answer_stream.h"
#include "unit/golden.h"
#include "unit/memory_files.h"

#define MOST_BLOCKS 64
#define N_PROMPTS 3
#define LENGTH 75 /* two blocks and a rest */

typedef struct Kept
{
	MgHash name;
	uint8_t *bytes;
	size_t size;
} Kept;

typedef struct Case
{
	MgCtx cx, scratch;
	MgCompute compute;
	MgUsage usage;
	MgRun run;
	MgGenerateOptions options;
	MgPromptCache cache;
	Kept kept[MOST_BLOCKS];
	size_t n, n_uncertain;
} Case;

static Kept *
look(Case *c, const MgHash *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (memcmp(&c->kept[i].name, name, sizeof *name) == 0)
			return &c->kept[i];
	return NULL;
}

static bool
find(void *user, const MgHash *name, void *block, size_t size)
{
	const Kept *kept = look(user, name);

	if (kept == NULL || kept->size != size)
		return false;
	memcpy(block, kept->bytes, size);
	return true;
}

static bool
wants(void *user, const MgHash *name, bool certain)
{
	Case *c = user;

	c->n_uncertain += !certain;
	return look(c, name) == NULL;
}

static void
keep(void *user, const MgHash *name, MgSpan block)
{
	Case *c = user;
	Kept *kept = &c->kept[c->n++];

	*kept = (Kept){*name, malloc(block.size), block.size};
	memcpy(kept->bytes, block.data, block.size);
}

static void
forget(Case *c, size_t from)
{
	while (c->n > from)
		free(c->kept[--c->n].bytes);
}

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

static bool
same(const MgAnswer *a, const MgAnswer *b, size_t n)
{
	bool equal = true;

	for (size_t i = 0; i < n; i++)
		equal = equal && mg_span_equal(a[i].text, b[i].text) && a[i].n_tokens == b[i].n_tokens && a[i].text.size > 0;
	return equal;
}

static void
check_together(Case *c, const char *what, const MgIds *prompts)
{
	MgAnswer without[N_PROMPTS], cold[N_PROMPTS], warm[N_PROMPTS];
	uint64_t tokens;

	c->options.cache = NULL;
	generate(c, prompts, N_PROMPTS, without);
	tokens = c->usage.tokens;
	c->options.cache = &c->cache;
	c->n_uncertain = 0;
	generate(c, prompts, N_PROMPTS, cold);
	ok(same(without, cold, N_PROMPTS) && c->usage.tokens == tokens && c->n == 2 && c->n_uncertain == 0, "%s: what all begin with is kept", what);
	generate(c, prompts, N_PROMPTS, warm);
	ok(same(without, warm, N_PROMPTS) && tokens - c->usage.tokens == 64 && c->n == 2, "%s: and is not computed again", what);
	/* The second block is gone. */
	forget(c, 1);
	generate(c, prompts, N_PROMPTS, warm);
	ok(same(without, warm, N_PROMPTS) && tokens - c->usage.tokens == 32 && c->n == 2, "%s: as far as it is there", what);
}

static void
check_alone(Case *c, const char *what, const MgIds *prompts)
{
	MgAnswer without, cold, warm;
	uint64_t tokens;
	MgIds other = {LENGTH, mg_alloc_array(&c->scratch, LENGTH, sizeof(int32_t))};

	c->options.cache = NULL;
	generate(c, prompts, 1, &without);
	tokens = c->usage.tokens;
	c->options.cache = &c->cache;
	generate(c, prompts, 1, &warm);
	ok(same(&without, &warm, 1) && tokens - c->usage.tokens == 64, "%s: one prompt begins with what others shared", what);
	memcpy((int32_t *) other.ids, prompts[0].ids, LENGTH * sizeof(int32_t));
	((int32_t *) other.ids)[40]++;
	c->options.cache = NULL;
	generate(c, &other, 1, &without);
	tokens = c->usage.tokens;
	c->options.cache = &c->cache;
	c->n_uncertain = 0;
	generate(c, &other, 1, &cold);
	ok(same(&without, &cold, 1) && tokens - c->usage.tokens == 32 && c->n == 3 && c->n_uncertain == 2, "%s: another one as far as it is the same", what);
	/* A prompt of whole blocks leaves its last token to be computed. */
	other.n = 64;
	c->options.cache = NULL;
	generate(c, &other, 1, &without);
	tokens = c->usage.tokens;
	c->options.cache = &c->cache;
	generate(c, &other, 1, &warm);
	ok(same(&without, &warm, 1) && tokens - c->usage.tokens == 32, "%s: one of whole blocks", what);
}

/* Of a prompt of many blocks no more is kept than the room is for. */
static void
check_room(Case *c, const char *what, MgIds prompt)
{
	MgAnswer answer;
	size_t size = 0;

	forget(c, 0);
	mg_decoder_block_size(c->run.model, &size);
	c->cache.room = 2 * size - 1;
	generate(c, &prompt, 1, &answer);
	ok(c->n == 1, "%s: no more than there is room for", what);
	c->cache.room = SIZE_MAX;
}

static void
check_stream(Case *c, const char *what, MgIds prompt)
{
	MgAnswer without;
	MgAnswerStream stream;
	MgSpan piece;
	size_t at = 0;
	bool fine;

	c->options.cache = NULL;
	generate(c, &prompt, 1, &without);
	c->options.cache = &c->cache;
	c->usage = (MgUsage){0};
	fine = mg_answer_stream_begin(&c->run, &c->options, prompt, &stream);
	while (fine && mg_answer_stream_next(&c->run, &stream, &piece) && piece.size > 0)
	{
		fine = at + piece.size <= without.text.size && memcmp(without.text.data + at, piece.data, piece.size) == 0;
		at += piece.size;
	}
	ok(fine && at == without.text.size && c->usage.tokens < LENGTH, "%s: a stream", what);
}

static void
check_form(const char *dtype, const char *what)
{
	Case *c = calloc(1, sizeof *c);
	char directory[] = "test/golden/decoder/llama";
	int32_t ids[N_PROMPTS][LENGTH];
	MgIds prompts[N_PROMPTS];
	MgLogitBias biases[14];

	/* The model has 272 tokens, its tokeniser 258. */
	for (int32_t i = 0; i < 14; i++)
		biases[i] = (MgLogitBias){258 + i, -100};
	mg_ctx_init(&c->cx, &cli_host);
	mg_ctx_init(&c->scratch, &cli_host);
	c->compute = (MgCompute){.kernels = mg_kernels(mg_cpu_level()), .provider = MG_NATIVE};
	c->run = (MgRun){.cx = &c->scratch, .name = "llama", .compute = &c->compute, .usage = &c->usage};
	c->run.model = cli_load(&c->cx, directory, dtype, c->compute.kernels, MG_FORM_PANELS, NULL);
	c->cache = (MgPromptCache){c, {{1, 2}}, SIZE_MAX, find, wants, keep};
	if (c->run.model == NULL)
		exit(1);
	c->options = (MgGenerateOptions){.sampling = MG_SAMPLING_PLAIN, .max_tokens = 12, .memory = SIZE_MAX};
	c->options.sampling.temperature = 0;
	c->options.sampling.biases = biases;
	c->options.sampling.n_biases = 14;
	for (int32_t p = 0; p < N_PROMPTS; p++)
	{
		for (int32_t i = 0; i < LENGTH; i++)
			ids[p][i] = 3 + (i * i * 31 + (i < 70 ? 0 : p * 7)) % 200;
		prompts[p] = (MgIds){LENGTH, ids[p]};
	}
	check_together(c, what, prompts);
	check_alone(c, what, prompts);
	check_stream(c, what, prompts[1]);
	check_room(c, what, prompts[1]);
	forget(c, 0);
	mg_ctx_free(&c->scratch);
	mg_ctx_free(&c->cx);
	free(c);
}

int
main(void)
{
	check_form("{}", "float32");
	check_form("{\"dtype\": \"q4\"}", "q4");
	return done();
}
