/*
 * Classes of tokens, and replaced tokens, against transformers; entities against its pipeline; windows over texts that are
 * longer than a model reads.
 */
#include "task/tag.h"

#include "unit/golden.h"

#define MOST 8
#define MOST_ENTITIES 64

/* Characters of the reference to bytes. */
static size_t
bytes_of(const char *text, size_t characters)
{
	size_t at = 0;

	for (; characters > 0 && text[at] != '\0'; characters--)
		for (at++; (text[at] & 0xc0) == 0x80;)
			at++;
	return at;
}

/* The likeliest class of each token of a text, and its probability, by the reference's logits of the sequence. */
static void
compare_tags(const MgModel *model, const MgTags *tags, char *rest, size_t classes, double *worst, size_t *wrong)
{
	size_t n = (size_t) golden_number(&rest) / classes;

	(void) model;
	*wrong += n != tags->n + 2;
	for (size_t t = 0; t < n; t++)
	{
		double logits[8], largest = -INFINITY, sum = 0;
		size_t best = 0;

		for (size_t c = 0; c < classes; c++)
		{
			logits[c] = golden_number(&rest);
			best = logits[c] > largest ? c : best;
			largest = fmax(largest, logits[c]);
		}
		for (size_t c = 0; c < classes; c++)
			sum += exp(logits[c] - largest);
		if (t == 0 || t > tags->n)
			continue;
		*wrong += tags->tags[t - 1].class != best;
		*worst = fmax(*worst, fabs(tags->tags[t - 1].score - (classes == 1 ? 1 / (1 + exp(-logits[0])) : 1 / sum)));
	}
}

static void
check_model(MgCtx *cx, const char *name, bool replaced, MgCpuLevel level)
{
	char directory[100], values[110], *line = NULL, *texts[MOST] = {NULL};
	MgCompute compute = {.kernels = mg_kernels(level)};
	MgUsage usage = {0};
	MgTagOptions options = {.replaced = replaced};
	MgEntity *entities[MOST];
	size_t room = 0, n_entities[MOST] = {0}, seen[MOST] = {0}, wrong = 0, classes, n_seen = 0, n_texts = 0;
	double worst = 0, worst_entity = 0;
	MgCtx kept;
	const MgModel *model;
	const MgRun *run;
	FILE *file;

	snprintf(directory, sizeof directory, "test/golden/tiny/%s", name);
	snprintf(values, sizeof values, "%s.txt", directory);
	mg_ctx_init(&kept, &cli_host);
	mg_ctx_reset(cx);
	model = cli_load(&kept, directory, "{}", compute.kernels, MG_FORM_PANELS, NULL);
	file = fopen(values, "r");
	if (!ok(model != NULL && file != NULL, "%s: loaded (%s)", name, kept.error.message))
		return;
	run = RUN(cx, model, &compute, &usage);
	classes = (replaced ? model->arch->replaced_head(model) : model->arch->token_head(model)).out->rows;
	while (getline(&line, &room, file) > 0)
	{
		char *rest = line + strcspn(line, " ");
		MgTags tags;
		long t;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "input ", 6) == 0)
		{
			t = (long) golden_number(&rest);
			free(texts[t]);
			texts[t] = strdup(golden_text(rest));
		}
		else if (strncmp(line, replaced ? "replaced " : "tags ", replaced ? 9 : 5) == 0)
		{
			MgSpan text;

			t = (long) golden_number(&rest);
			text = mg_span_of(texts[t]);
			wrong += !mg_tag(run, &options, &text, 1, &tags);
			n_texts++;
			compare_tags(model, &tags, rest, classes, &worst, &wrong);
			if (!replaced)
				wrong += !mg_entities(run, text, &tags, &entities[t], &n_entities[t]);
		}
		else if (strncmp(line, "entity ", 7) == 0)
		{
			const MgEntity *entity;
			size_t start, stop;
			double score;

			t = (long) golden_number(&rest);
			start = bytes_of(texts[t], (size_t) golden_number(&rest));
			stop = bytes_of(texts[t], (size_t) golden_number(&rest));
			score = golden_number(&rest);
			n_seen++;
			entity = &entities[t][seen[t]];
			if (seen[t]++ >= n_entities[t] || entity->start != start || entity->stop != stop || !mg_span_is(entity->label, golden_text(rest)))
				wrong++;
			else
				worst_entity = fmax(worst_entity, fabs(entity->score - score));
		}
	}
	for (size_t t = 0; n_seen > 0 && t < MOST; t++)
		wrong += seen[t] != n_entities[t];
	ok(wrong == 0 && n_texts == 7 && worst <= GOLDEN_TOLERANCE, "%s, %s: classes of all tokens, off by %.2g at most, %zu wrong", name,
	   mg_cpu_level_name(level), worst, wrong);
	if (n_seen > 0)
		ok(n_seen > 5 && worst_entity <= GOLDEN_TOLERANCE, "%s: %zu entities, off by %.2g at most", name, n_seen, worst_entity);
	for (size_t t = 0; t < MOST; t++)
		free(texts[t]);
	free(line);
	fclose(file);
	mg_ctx_free(&kept);
}

/* A text of several windows: the first window's tokens as if it were alone, and the same bits in any batch. */
static void
test_windows(MgCtx *cx, const MgModel *model)
{
	MgUsage usage = {0};
	const MgRun *run = RUN(cx, model, scalar_compute(), &usage);
	MgTagOptions options = {.replaced = false};
	char many[4000] = "";
	MgSpan texts[3];
	MgTags alone[3], together[3];
	MgTokens tokens;
	size_t limit = mg_text_limit(model), differ = 0;

	for (int i = 0; i < 40; i++)
		sprintf(many + strlen(many), "%s wine paris %d london technology ", i % 3 == 0 ? "red" : "the", i);
	mg_ctx_reset(cx);
	texts[0] = mg_span_of(many);
	texts[1] = mg_span_of("paris");
	texts[2] = texts[0];
	ok(mg_tokenize(cx, model->tokenizer, texts[0], MG_ALL_DATA, &tokens) && tokens.n > 5 * limit, "%zu tokens, where %zu fit", tokens.n, limit);
	ok(mg_tag(run, &options, texts, 3, together), "are read");
	is_int(usage.rows, 3, "as three texts");
	is_int(together[0].n, tokens.n, "and all have a class");
	for (size_t i = 0; i < 3; i++)
		differ += !mg_tag(run, &options, &texts[i], 1, &alone[i]) || alone[i].n != together[i].n ||
			memcmp(alone[i].tags, together[i].tags, alone[i].n * sizeof(MgTag)) != 0;
	is_int(differ, 0, "the same alone");
	texts[1] = mg_span(many, tokens.stops[limit - 1]);
	ok(mg_tag(run, &options, &texts[1], 1, &alone[1]) && alone[1].n == limit &&
		   memcmp(alone[1].tags, together[0].tags, (limit - limit / 4 + limit / 8) * sizeof(MgTag)) == 0,
	   "the first window is the text of its tokens");
	is_int(together[0].tags[tokens.n - 1].stop, strlen(many) - 1, "the last token is the text's");
}

static MgTags
made(MgTag *tags, size_t n, const uint32_t (*rows)[3])
{
	for (size_t i = 0; i < n; i++)
		tags[i] = (MgTag){rows[i][0], rows[i][1], 0, rows[i][2], i % 2 == 0 ? 1.0f : 0.5f};
	return (MgTags){n, tags};
}

/* Entities of byte-level tokens, by hand: classes are O, B-PER, I-PER, B-LOC, I-LOC. */
static void
test_words(MgCtx *cx, const MgModel *model)
{
	/*                0    5   9     15  19 */
	MgSpan text = mg_span_of("Maria Lopez, Boston x@y");
	static const uint32_t rows[][3] = {{0, 3, 1}, {3, 5, 0}, {5, 11, 2}, {11, 12, 0}, {12, 16, 3}, {16, 19, 0}, {19, 21, 1}, {21, 22, 1}, {22, 23, 2}};
	MgUsage usage = {0};
	MgTag tags[9];
	MgTags all = made(tags, 9, rows);
	MgEntity *e;
	size_t n;

	mg_ctx_reset(cx);
	ok(mg_entities(RUN(cx, model, scalar_compute(), &usage), text, &all, &e, &n) && n == 4, "four entities");
	ok(e[0].start == 0 && e[0].stop == 11 && mg_span_is(e[0].label, "PER"), "a name of two words, the first in two pieces");
	ok(e[0].score == 1.0f, "its score is the mean of its words', each by its first piece");
	ok(e[1].start == 13 && e[1].stop == 19 && mg_span_is(e[1].label, "LOC"), "without the comma and the blank before it");
	/* One character of three bytes in two pieces, which both have its place, then another character. */
	all = made(tags, 3, (const uint32_t[][3]){{0, 3, 3}, {0, 3, 1}, {3, 6, 1}});
	ok(mg_entities(RUN(cx, model, scalar_compute(), &usage), mg_span_of("\xE5\x90\x8D\xE5\x89\x8D"), &all, &e, &n) && n == 1 && e[0].start == 0 && e[0].stop == 6 &&
		   mg_span_is(e[0].label, "LOC"), "pieces of one character are one word, of its first piece's class");
	all = made(tags, 9, rows);
	mg_entities(RUN(cx, model, scalar_compute(), &usage), text, &all, &e, &n);
	ok(e[2].start == 20 && e[2].stop == 21 && e[3].start == 21 && e[3].stop == 23, "B- begins another; punctuation is a word of its own");
}

int
main(void)
{
	MgCtx cx, kept;
	const MgModel *model;
	bool is = false;

	mg_ctx_init(&cx, &cli_host);
	mg_ctx_init(&kept, &cli_host);
	for (int level = MG_CPU_SCALAR; level <= (int) mg_cpu_level(); level++)
	{
		check_model(&cx, "bert-tags", false, (MgCpuLevel) level);
		check_model(&cx, "xlmr-tags", false, (MgCpuLevel) level);
		check_model(&cx, "modernbert-tags", false, (MgCpuLevel) level);
		check_model(&cx, "electra", true, (MgCpuLevel) level);
	}
	model = cli_load(&kept, "test/golden/tiny/bert-tags", "{}", mg_kernels(MG_CPU_SCALAR), MG_FORM_PANELS, NULL);
	test_windows(&cx, model);
	ok(mg_entity_is_label(RUN(&cx, model, scalar_compute(), &(MgUsage){0}), mg_span_of("LOC"), &is) && is, "LOC is a label");
	ok(mg_entity_is_label(RUN(&cx, model, scalar_compute(), &(MgUsage){0}), mg_span_of("O"), &is) && !is, "O is none");
	ok(!mg_tag(RUN(&cx, model, scalar_compute(), &(MgUsage){0}), &(MgTagOptions){.replaced = true}, NULL, 0, NULL), "no discriminator");
	is_text(cx.error.message, "model \"tiny\" has no head that finds replaced tokens", "is an error");
	mg_ctx_reset(&kept);
	model = cli_load(&kept, "test/golden/tiny/xlmr-tags", "{}", mg_kernels(MG_CPU_SCALAR), MG_FORM_PANELS, NULL);
	test_words(&cx, model);
	mg_ctx_free(&kept);
	mg_ctx_free(&cx);
	return done();
}
