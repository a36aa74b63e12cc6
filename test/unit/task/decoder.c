/*
 * Decoders against transformers: of each registered architecture tiny random checkpoints in several configurations, prompts and 32
 * greedy steps through the cache, on every CPU level; states of those that see both sides; and that tokens in steps, in batches, and behind a copied beginning give the same bits.
 */
#include "task/decoder.h"

#include "tensor/kernels.h"
#include "unit/golden.h"
#include "unit/memory_files.h"

#define GOLDEN "test/golden/decoder/"
#define SHOWN 17 /* each such logit is in the file */
#define MOST 128

/* A model at work, and the sequence that it is asked about. */
typedef struct Case
{
	MgCtx cx, scratch;
	MgCompute compute;
	MgUsage usage;
	MgRun run;
	MgDecoder decoder;
	float *logits;
	int32_t ids[MOST];
	size_t n, n_done; /* tokens, and those that were put in */
	double worst;
	long n_logits, n_wrong;
} Case;

static void
load(Case *c, const char *name, const char *config, MgCpuLevel level, MgForm form)
{
	char directory[100];
	ChangedFiles variant = {.name = config != NULL ? "config.json" : ""};
	MgFiles files = CHANGED_FILES(&variant);

	snprintf(directory, sizeof directory, GOLDEN "%s%s", config == NULL ? "gguf/" : "", name);
	variant.files = cli_directory(directory);
	variant.bytes = mg_span_of(config != NULL ? config : "");
	mg_ctx_reset(&c->cx);
	mg_ctx_reset(&c->scratch);
	c->compute = (MgCompute){.kernels = mg_kernels(level), .provider = MG_NATIVE};
	c->run = (MgRun){.cx = &c->scratch, .name = name, .compute = &c->compute, .usage = &c->usage};
	c->run.model = cli_load_files(&c->cx, &files, "{}", c->compute.kernels, form, NULL);
	if (c->run.model == NULL)
	{
		printf("Bail out! %s: %s\n", name, c->cx.error.message);
		exit(1);
	}
	c->logits = mg_alloc_array(&c->scratch, 4 * c->run.model->sizes->vocab, sizeof(float));
	if (!mg_decoder_init(&c->run, 4, MOST, &c->decoder))
		exit(1);
}

/* Compares a line's logits with those after the tokens so far, which are put in now. */
static void
check_step(Case *c, char *rest)
{
	int32_t best = (int32_t) golden_number(&rest);
	MgDecoderInput input = {0, c->ids + c->n_done, c->n - c->n_done};

	if (!mg_decoder_step(&c->decoder, &input, 1, c->logits))
		exit(1);
	c->n_done = c->n;
	for (size_t i = 0; i < c->run.model->sizes->vocab; i += SHOWN)
	{
		double want = golden_number(&rest), off = fabs(want - (double) c->logits[i]);

		c->worst = fmax(c->worst, off);
		c->n_wrong += !(off <= golden_tolerance * fmax(1, fabs(want)));
		c->n_logits++;
	}
	c->ids[c->n++] = best;
}

/* The same of a final state, of a model that makes no text. */
static void
check_state(Case *c, char *rest)
{
	size_t row = (size_t) golden_number(&rest), width = c->run.model->sizes->width;
	uint32_t offsets[] = {0, (uint32_t) c->n};
	MgBatch batch = {.n_sequences = 1, .n_tokens = c->n, .ids = c->ids, .offsets = offsets, .n_rows = c->n};
	static float states[MOST * 64];

	if (row == 0 && !c->run.model->arch->forward(&c->run, &batch, states))
		exit(1);
	for (size_t i = 0; i < width; i++)
	{
		double want = golden_number(&rest), off = fabs(want - (double) states[row * width + i]);

		c->worst = fmax(c->worst, off);
		c->n_wrong += !(off <= golden_tolerance * fmax(1, fabs(want)));
		c->n_logits++;
	}
	c->n_wrong += mg_decoder_can(&c->run);
}

static void
report(Case *c, const char *name, int variant, MgCpuLevel level, MgForm form)
{
	if (variant > 0)
		ok(c->n_logits > 1000 && c->n_wrong == 0, "%s %d, %s%s: %ld logits, worst %.2g", name, variant, mg_cpu_level_name(level),
		   form == MG_FORM_BF16X2 ? " bf16x2" : "", c->n_logits, c->worst);
	c->n_logits = c->n_wrong = 0;
	c->worst = 0;
}

/* All configurations of the file; or, unless gguf is 0, that one, with weights and configuration of a GGUF file. */
static void
check_file(const char *name, int gguf, MgCpuLevel level, MgForm form)
{
	int variant = 0;
	Case *c = calloc(1, sizeof *c);
	char path[100], *line = NULL;
	size_t room = 0;
	FILE *file;

	mg_ctx_init(&c->cx, &cli_host);
	mg_ctx_init(&c->scratch, &cli_host);
	snprintf(path, sizeof path, GOLDEN "%s.txt", name);
	file = fopen(path, "r");
	while (file != NULL && getline(&line, &room, file) > 0)
	{
		char *rest = line + strcspn(line, " ");

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "config ", 7) == 0)
		{
			if (gguf == 0)
				report(c, name, variant, level, form);
			variant++;
			if (gguf == 0 || gguf == variant)
				load(c, name, gguf == 0 ? rest + 1 : NULL, level, form);
		}
		else if (gguf > 0 && gguf != variant)
			continue;
		else if (strncmp(line, "prompt ", 7) == 0)
		{
			mg_decoder_keep(&c->decoder, 0, 0);
			for (c->n = c->n_done = 0; *rest != '\0' && c->n < MOST;)
				c->ids[c->n++] = (int32_t) golden_number(&rest);
		}
		else if (strncmp(line, "step ", 5) == 0)
			check_step(c, rest);
		else if (strncmp(line, "state ", 6) == 0)
			check_state(c, rest);
	}
	report(c, name, gguf > 0 ? gguf : variant, level, form);
	if (variant == 0)
		ok(false, "%s has numbers of the reference", name);
	if (file != NULL)
		fclose(file);
	free(line);
	mg_ctx_free(&c->cx);
	mg_ctx_free(&c->scratch);
	free(c);
}

/* Logits of 40 tokens put in as pieces say, ended by 0, to slot 0; beside others, unless alone. */
static void
run_pieces(Case *c, const size_t *pieces, bool alone, float *logits)
{
	size_t vocab = c->run.model->sizes->vocab, at = 0;
	int32_t other[7] = {3, 1, 4, 1, 5, 9, 2};

	for (uint32_t s = 0; s < 4; s++)
		mg_decoder_keep(&c->decoder, s, 0);
	for (; *pieces > 0; at += *pieces++)
	{
		MgDecoderInput inputs[] = {{2, other, alone ? 1 : 7}, {0, c->ids + at, *pieces}, {1, other, 3}};

		if (!mg_decoder_step(&c->decoder, alone ? inputs + 1 : inputs, alone ? 1 : 3, c->logits))
			exit(1);
	}
	memcpy(logits, c->logits + (alone ? 0 : vocab), vocab * sizeof *logits);
}

/* All of them by mg_decoder_read, whose last row counts. */
typedef struct Last
{
	float *logits;
	size_t vocab, seen;
} Last;

static bool
take_last(void *user, float *logits, size_t at, size_t n)
{
	Last *last = user;

	last->seen = at + n;
	memcpy(last->logits, logits + (n - 1) * last->vocab, last->vocab * sizeof *logits);
	return true;
}

static void
check_pieces(const char *config, const char *dtype, MgCpuLevel level, MgForm form)
{
	static const size_t whole[] = {40, 0}, halves[] = {17, 23, 0}, uneven[] = {1, 30, 1, 1, 7, 0};
	static const size_t *const all[] = {whole, halves, uneven};
	Case *c = calloc(1, sizeof *c);
	float *first, *other;
	bool same = true;
	size_t size;
	Last last;

	mg_ctx_init(&c->cx, &cli_host);
	mg_ctx_init(&c->scratch, &cli_host);
	load(c, "llama", config, level, form);
	if (dtype[0] != '\0')
	{
		char directory[] = GOLDEN "llama";

		c->run.model = cli_load(&c->cx, directory, dtype, c->compute.kernels, form, NULL);
		if (c->run.model == NULL || !mg_decoder_init(&c->run, 4, MOST, &c->decoder))
			exit(1);
	}
	size = c->run.model->sizes->vocab * sizeof *first;
	first = mg_alloc(&c->scratch, size);
	other = mg_alloc(&c->scratch, size);
	for (int32_t i = 0; i < 40; i++)
		c->ids[i] = (7 * i * i + 3 * i) % 256;
	run_pieces(c, whole, true, first);
	for (size_t i = 0; i < 6; i++)
	{
		run_pieces(c, all[i / 2], i % 2 == 0, other);
		same = same && memcmp(first, other, size) == 0;
	}
	mg_decoder_copy(&c->decoder, 0, 25, 3);
	if (!mg_decoder_step(&c->decoder, &(MgDecoderInput){3, c->ids + 25, 15}, 1, other))
		exit(1);
	same = same && memcmp(first, other, size) == 0;
	for (uint32_t s = 1; s < 4; s++)
		mg_decoder_keep(&c->decoder, s, 0);
	mg_decoder_share(&c->decoder, 0, 37, 1);
	mg_decoder_share(&c->decoder, 0, 37, 3);
	if (!mg_decoder_step(&c->decoder, (MgDecoderInput[]){{1, c->ids, 2}, {3, c->ids + 37, 3}}, 2, c->logits))
		exit(1);
	same = same && memcmp(first, c->logits + c->run.model->sizes->vocab, size) == 0;
	c->run.batch_tokens = c->decoder.run.batch_tokens = 16;
	run_pieces(c, whole, false, other);
	same = same && memcmp(first, other, size) == 0;
	last = (Last){other, c->run.model->sizes->vocab, 0};
	mg_decoder_keep(&c->decoder, 0, 0);
	if (!mg_decoder_read(&c->decoder, (MgDecoderInput){0, c->ids, 40}, &(MgLogitsTaker){&last, take_last}))
		exit(1);
	same = same && last.seen == 40 && memcmp(first, other, size) == 0;
	ok(same, "pieces, neighbours and copies, %s %s, %s", mg_cpu_level_name(level), form == MG_FORM_BF16X2 ? "bf16x2" : "panels",
	   dtype[0] != '\0' ? dtype : "as in the file");
	mg_ctx_free(&c->cx);
	mg_ctx_free(&c->scratch);
	free(c);
}

#define CONFIG(window) \
	"{\"architectures\": [\"LlamaForCausalLM\"], \"vocab_size\": 272, \"hidden_size\": 32, \"num_hidden_layers\": 2, " \
	"\"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"intermediate_size\": 64, \"max_position_embeddings\": 128, " \
	"\"rms_norm_eps\": 1e-5, \"rope_scaling\": null, \"sliding_window\": " window "}"

int
main(void)
{
	for (int level = 0; level <= (int) mg_cpu_level(); level++)
	{
		if (mg_kernels((MgCpuLevel) level) == NULL)
			continue;
		golden_tolerance = GOLDEN_TOLERANCE;
		for (const MgArch *const *arch = mg_arches; *arch != NULL; arch++)
			if ((*arch)->keys_form != NULL)
				check_file((*arch)->name, 0, (MgCpuLevel) level, MG_FORM_PANELS);
		check_pieces(CONFIG("null"), "", (MgCpuLevel) level, MG_FORM_PANELS);
		check_pieces(CONFIG("9"), "", (MgCpuLevel) level, MG_FORM_BF16X2);
		check_pieces(CONFIG("null"), "{\"dtype\": \"int8\"}", (MgCpuLevel) level, MG_FORM_PANELS);
		check_pieces(CONFIG("null"), "{\"dtype\": \"q8\"}", (MgCpuLevel) level, MG_FORM_PANELS);
		check_pieces(CONFIG("null"), "{\"dtype\": \"q4\"}", (MgCpuLevel) level, MG_FORM_PANELS);
		check_pieces(CONFIG("9"), "{\"dtype\": \"q4\"}", (MgCpuLevel) level, MG_FORM_PANELS);
	}
	golden_tolerance = 2e-3; /* 16 bits of each factor */
	check_file("llama", 0, mg_cpu_level(), MG_FORM_BF16X2);
	golden_tolerance = GOLDEN_TOLERANCE;
	check_file("gpt2", 1, mg_cpu_level(), MG_FORM_PANELS);
	check_file("gpt_neox", 1, mg_cpu_level(), MG_FORM_PANELS);
	check_file("phi3", 3, mg_cpu_level(), MG_FORM_PANELS);
	check_file("gemma3", 2, mg_cpu_level(), MG_FORM_PANELS);
	check_file("gemma2", 3, mg_cpu_level(), MG_FORM_PANELS);
	return done();
}
