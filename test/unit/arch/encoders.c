/*
 * Encoders against transformers: of each registered architecture that has no cache of keys a tiny random checkpoint in several
 * configurations (test/golden/make_encoders.py), its states after each number of layers, and its heads, on every CPU level and layout. What is
 * computed in one batch, or of some rows, has the bits of a sequence alone; weights in 8 and in 16 bits give nearly the same.
 */
#include "model/classes.h"
#include "tensor/kernels.h"
#include "unit/golden.h"
#include "unit/memory_files.h"

#define GOLDEN "test/golden/encoder/"
#define MOST 64		 /* tokens of a sequence */
#define SEQUENCES 8	 /* of a variant */
#define MOST_WIDTH 64
#define MOST_VOCAB 400

typedef struct Sequence
{
	int32_t ids[MOST];
	uint8_t segments[MOST];
	size_t n;
	float states[MOST * MOST_WIDTH];
} Sequence;

/* A variant of a checkpoint at work. */
typedef struct Case
{
	MgCtx cx, scratch;
	MgCompute compute;
	MgUsage usage;
	const MgModel *whole;
	MgModel model; /* the same, or with fewer layers */
	MgCpuLevel level;
	MgForm form;
	const char *options;
	char weights[64]; /* file of weights of this variant; empty: the usual one */
	Sequence sequences[SEQUENCES];
	size_t n;			/* sequences of the whole model */
	Sequence part;		/* one of fewer layers */
	Sequence *last;
	double worst, dot, mine, theirs;
	long n_numbers, n_wrong;
} Case;

static MgRun
run_of(Case *c)
{
	return (MgRun){.cx = &c->scratch, .model = &c->model, .name = "tiny", .compute = &c->compute, .usage = &c->usage};
}

static void
compare(Case *c, float got, double want)
{
	double off = fabs(want - (double) got);

	c->worst = fmax(c->worst, off);
	c->n_wrong += !(off <= golden_tolerance * fmax(1, fabs(want)));
	c->n_numbers++;
	c->dot += want * (double) got;
	c->mine += (double) got * (double) got;
	c->theirs += want * want;
}

static void
compare_line(Case *c, const float *got, size_t n, char *rest)
{
	for (size_t i = 0; i < n; i++)
		compare(c, got[i], golden_number(&rest));
	c->n_wrong += strspn(rest, " ") != strlen(rest);
}

/* Sequences [n] as a batch. */
static MgBatch
batch_of(Sequence *const *sequences, size_t n)
{
	static int32_t ids[SEQUENCES * MOST];
	static uint8_t segments[SEQUENCES * MOST];
	static uint32_t offsets[SEQUENCES + 1];
	MgBatch batch = {.n_sequences = n, .ids = ids, .segments = segments, .offsets = offsets};

	for (size_t s = 0; s < n; s++)
	{
		memcpy(ids + offsets[s], sequences[s]->ids, sequences[s]->n * sizeof *ids);
		memcpy(segments + offsets[s], sequences[s]->segments, sequences[s]->n);
		offsets[s + 1] = offsets[s] + (uint32_t) sequences[s]->n;
	}
	batch.n_tokens = batch.n_rows = offsets[n];
	return batch;
}

static void
run_sequence(Case *c, Sequence *sequence)
{
	MgRun run = run_of(c);
	MgBatch batch = batch_of(&sequence, 1);

	c->n_wrong += !c->model.arch->forward(&run, &batch, sequence->states);
	mg_ctx_reset(&c->scratch);
}

/* The directory with another config.json, and another file in place of model.safetensors. */
typedef struct Directory
{
	ChangedFiles changed;
	const char *weights;
} Directory;

static bool
open_file(MgCtx *cx, void *user, const char *name, MgSource *source, bool *found)
{
	Directory *directory = user;
	bool other = directory->weights[0] != '\0' && strcmp(name, "model.safetensors") == 0;

	return changed_open(cx, &directory->changed, other ? directory->weights : name, source, found);
}

static const MgModel *
open_checkpoint(Case *c, const char *name, const char *config)
{
	char path[100];
	Directory directory = {{.name = "config.json", .bytes = mg_span_of(config)}, c->weights};
	MgFiles files = {&directory, open_file, NULL};

	snprintf(path, sizeof path, GOLDEN "%s", name);
	directory.changed.files = cli_directory(path);
	mg_ctx_reset(&c->cx);
	return cli_load_files(&c->cx, &files, c->options, c->compute.kernels, c->form, NULL);
}

static void
load(Case *c, const char *name, const char *config)
{
	c->n = 0;
	c->whole = open_checkpoint(c, name, config);
	if (c->whole == NULL)
	{
		printf("Bail out! %s: %s %s\n", name, c->cx.error.message, c->cx.error.detail);
		exit(1);
	}
	c->model = *c->whole;
}

/* The first layers of the model. */
static void
cut_layers(Case *c, uint32_t n)
{
	void *config = mg_alloc(&c->cx, c->model.arch->config_size);

	memcpy(config, c->whole->config, c->model.arch->config_size);
	*(c->whole->sizes->depth > 0 ? &((MgSizes *) config)->depth : &((MgSizes *) config)->layers) = n;
	c->model.config = c->model.sizes = config;
}

static void
read_ids(Case *c, char *rest)
{
	bool part = c->model.config != c->whole->config;

	c->last = part ? &c->part : &c->sequences[c->n++];
	memset(c->last, 0, sizeof *c->last);
	while (strspn(rest, " ") != strlen(rest) && c->last->n < MOST)
		c->last->ids[c->last->n++] = (int32_t) golden_number(&rest);
	run_sequence(c, c->last);
}

static void
read_segments(Case *c, char *rest)
{
	for (size_t i = 0; i < c->last->n; i++)
		c->last->segments[i] = (uint8_t) golden_number(&rest);
	run_sequence(c, c->last);
}

static void
check_words(Case *c, size_t row, char *rest)
{
	static float headed[MOST * MOST_WIDTH], logits[MOST_VOCAB];
	MgRun run = run_of(c);
	MgVocabulary vocabulary = c->model.arch->vocabulary(&c->model);
	size_t width = c->model.sizes->width;

	c->n_wrong += !mg_model_can(&c->model, MG_CAN_FILL_MASK) || !c->model.arch->head(&run, c->last->states, c->last->n, headed) ||
		!mg_table_linear(&c->scratch, &c->compute, (MgRows){headed + row * width, width, 1},
						 (MgLinear){vocabulary.matrix, vocabulary.bias, MG_ACT_NONE, logits, vocabulary.matrix->rows});
	compare_line(c, logits, vocabulary.matrix->rows, rest);
}

static void
check_head(Case *c, const char *word, size_t row, char *rest)
{
	static float logits[MOST * 3];
	const MgArch *arch = c->model.arch;
	bool sequence = word[0] == 'c';
	MgRun run = run_of(c);
	MgBatch batch = batch_of(&c->last, 1);
	MgClassHead head = sequence ? arch->sequence_head(&c->model) : word[0] == 't' ? arch->token_head(&c->model) : arch->replaced_head(&c->model);

	c->n_wrong += !(sequence ? mg_score_sequences : mg_score_tokens)(&run, &head, &batch, logits);
	compare_line(c, logits + (sequence ? 0 : row * head.out->rows), head.out->rows, rest);
	mg_ctx_reset(&c->scratch);
}

static void
check_line(Case *c, const char *word, char *rest)
{
	size_t width = c->model.sizes->width, row = strcmp(word, "classes") == 0 ? 0 : (size_t) golden_number(&rest);

	if (strcmp(word, "state") == 0)
		compare_line(c, c->last->states + row * width, width, rest);
	else if (strcmp(word, "words") == 0)
		check_words(c, row, rest);
	else
		check_head(c, word, row, rest);
}

/* All sequences so far in one batch, and then only the first and the last row of each: the bits are those of each alone. */
static bool
same_bits(Case *c)
{
	static float states[SEQUENCES * MOST * MOST_WIDTH];
	Sequence *all[SEQUENCES];
	uint32_t rows[2 * SEQUENCES];
	size_t width = c->whole->sizes->width, n_wrong = 0;
	MgRun run;
	MgBatch batch;

	c->model = *c->whole;
	run = run_of(c);
	for (size_t s = 0; s < c->n; s++)
		all[s] = &c->sequences[c->n - 1 - s];
	batch = batch_of(all, c->n);
	if (!c->model.arch->forward(&run, &batch, states))
		return false;
	for (size_t s = 0; s < c->n; s++)
		n_wrong += memcmp(states + batch.offsets[s] * width, all[s]->states, all[s]->n * width * sizeof *states) != 0;
	for (size_t s = 0; s < c->n; s++)
	{
		rows[2 * s] = batch.offsets[s];
		rows[2 * s + 1] = batch.offsets[s + 1] - 1;
	}
	batch.rows = rows;
	batch.n_rows = 2 * c->n;
	if (!c->model.arch->forward(&run, &batch, states))
		return false;
	for (size_t s = 0; s < c->n; s++)
		n_wrong += memcmp(states + 2 * s * width, all[s]->states, width * sizeof *states) != 0 ||
			memcmp(states + (2 * s + 1) * width, all[s]->states + (all[s]->n - 1) * width, width * sizeof *states) != 0;
	mg_ctx_reset(&c->scratch);
	return n_wrong == 0;
}

/* What a variant has come to. least: of the cosine of all its numbers; 0: each is compared by itself. */
static void
report(Case *c, const char *name, int variant, double least)
{
	if (variant == 0)
		return;
	ok(c->n_numbers > 8 && (least > 0 ? c->dot / sqrt(c->mine * c->theirs) >= least : c->n_wrong == 0),
	   "%s %d, %s, form %d %s: %ld numbers, off by %.2g, cosine less %.2g", name, variant, mg_cpu_level_name(c->level), (int) c->form,
	   c->options, c->n_numbers, c->worst, 1 - c->dot / sqrt(c->mine * c->theirs));
	ok(same_bits(c), "%s %d: the same bits in a batch and of some rows", name, variant);
	c->n_numbers = c->n_wrong = 0;
	c->worst = c->dot = c->mine = c->theirs = 0;
}

static void
check_file(const char *name, MgCpuLevel level, MgForm form, const char *options, double least)
{
	Case *c = calloc(1, sizeof *c);
	char path[100], *line = NULL;
	size_t room = 0;
	int variant = 0;
	bool ended = false;
	FILE *file;

	mg_ctx_init(&c->cx, &cli_host);
	mg_ctx_init(&c->scratch, &cli_host);
	c->compute = (MgCompute){.kernels = mg_kernels(level), .provider = MG_NATIVE};
	c->options = options;
	c->level = level;
	c->form = form;
	snprintf(path, sizeof path, GOLDEN "%s/expected.txt", name);
	file = fopen(path, "r");
	while (file != NULL && getline(&line, &room, file) > 0)
	{
		char *rest = line + strcspn(line, " ");

		line[strcspn(line, "\n")] = '\0';
		if (*rest != '\0')
			*rest++ = '\0';
		if (strcmp(line, "config") == 0)
		{
			report(c, name, variant++, least);
			load(c, name, rest);
			c->weights[0] = '\0';
		}
		else if (strcmp(line, "weights") == 0)
			snprintf(c->weights, sizeof c->weights, "%s", rest);
		else if (strcmp(line, "layers") == 0)
			cut_layers(c, (uint32_t) golden_number(&rest));
		else if (strcmp(line, "ids") == 0)
			read_ids(c, rest);
		else if (strcmp(line, "segments") == 0)
			read_segments(c, rest);
		else if (strcmp(line, "refused") == 0)
		{
			report(c, name, variant, least);
			variant = 0;
			ok(open_checkpoint(c, name, rest) == NULL, "%s: a configuration is refused", name);
		}
		else if (strcmp(line, "because") == 0)
			ok(strstr(c->cx.error.message, golden_text(rest)) != NULL, "because %s: %s", rest, c->cx.error.message);
		else if (strcmp(line, "end") == 0)
			ended = true;
		else if (line[0] != '#')
			check_line(c, line, rest);
	}
	report(c, name, variant, least);
	ok(ended, "%s has numbers of the reference", name);
	if (file != NULL)
		fclose(file);
	free(line);
	mg_ctx_free(&c->cx);
	mg_ctx_free(&c->scratch);
	free(c);
}

int
main(void)
{
	for (const MgArch *const *arch = mg_arches; *arch != NULL; arch++)
	{
		const char *name = (*arch)->name;

		if ((*arch)->keys_form != NULL)
			continue;
		golden_tolerance = GOLDEN_TOLERANCE;
		for (int level = 0; level <= (int) mg_cpu_level(); level++)
			check_file(name, (MgCpuLevel) level, MG_FORM_PANELS, "{}", 0);
		check_file(name, mg_cpu_level(), MG_FORM_ROWS, "{}", 0);
		golden_tolerance = 2e-3; /* 16 bits of each factor */
		check_file(name, mg_cpu_level(), MG_FORM_BF16X2, "{}", 0);
		check_file(name, mg_cpu_level(), MG_FORM_PANELS, "{\"dtype\": \"bf16\"}", 0.999);
		check_file(name, mg_cpu_level(), MG_FORM_PANELS, "{\"dtype\": \"int8\"}", 0.99);
	}
	return done();
}
