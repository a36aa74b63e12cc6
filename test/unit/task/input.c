/*
 * What reaches the model: the ids of each sequence, recorded on their way, for
 * texts with and without special tokens in them.
 */
#include "task/classify.h"
#include "task/embed.h"
#include "unit/images.h"

static MgModel model;
static MgArch recorder;
static bool (*forward)(const MgRun *run, const MgBatch *batch, float *out);

/* The sequences of the last call. */
static int32_t recorded[65536];
static size_t n_recorded, n_sequences;

static int32_t classify_id, separate_id;

static bool
record(const MgRun *run, const MgBatch *batch, float *out)
{
	if (n_recorded + batch->n_tokens > sizeof recorded / sizeof *recorded)
		return mg_fail(run->cx, MG_TOO_LARGE, "more tokens than the test records");
	memcpy(recorded + n_recorded, batch->ids, batch->n_tokens * sizeof *batch->ids);
	n_recorded += batch->n_tokens;
	n_sequences += batch->n_sequences;
	return forward(run, batch, out);
}

static size_t
count(int32_t id)
{
	size_t n = 0;

	for (size_t i = 0; i < n_recorded; i++)
		n += recorded[i] == id;
	return n;
}

static bool
classify(MgCtx *cx, const char *template, MgSpan text)
{
	MgSpan names[] = {mg_span_of("world"), mg_span_of("sports"), mg_span_of("science tech")};
	const MgLabels *labels = mg_labels_prepare(RUN(cx, &model, scalar_compute(), &(MgUsage){0}), names, 3, mg_span_of(template));
	float scores[3];
	MgUsage usage = {0};

	n_recorded = n_sequences = 0;
	return labels != NULL && mg_classify(RUN(cx, &model, scalar_compute(), &usage), &(MgClassifyOptions){labels, NULL, MG_LONG_TRUNCATE, NULL}, &text, 1, scores);
}

static bool
embed(MgCtx *cx, const char *prompt, MgSpan text)
{
	MgEmbedOptions options = {.prompt = mg_span_of(prompt), .normalize = true};
	float vector[64];
	MgUsage usage = {0};

	n_recorded = n_sequences = 0;
	return mg_embed(RUN(cx, &model, scalar_compute(), &usage), &options, &text, 1, vector);
}

/* Whether the only sequence, or the first one, is [CLS] joined [SEP]. */
static bool
is_joined(MgCtx *cx, const char *joined)
{
	MgTokens tokens;

	return mg_tokenize(cx, model.tokenizer, mg_span_of(joined), MG_NO_DATA, &tokens) && n_recorded >= tokens.n + 2 &&
		recorded[0] == classify_id && recorded[tokens.n + 1] == separate_id &&
		memcmp(recorded + 1, tokens.ids, tokens.n * sizeof *tokens.ids) == 0;
}

/* Some words, blanks, marks and letters of many kinds; no bracket. */
static void
random_text(uint32_t *state, char *text, size_t size)
{
	static const char *const pieces[] = {"paris", "news", " ", "  ", ".", "\n", "caf\xC3\xA9", "\xCC\x81", "x",	   "\xE4\xB8\xAD",
										 "the",	  "un",	  ", ", "'", "9", "\t",	"\xF0\x9F\x98\x80", "WORLD", "-", ":"};

	text[0] = '\0';
	for (;;)
	{
		const char *piece;

		*state = *state * 1664525u + 1013904223u;
		piece = pieces[(*state >> 16) % (sizeof pieces / sizeof *pieces)];
		if (strlen(text) + strlen(piece) + 1 > size || *state >> 27 == 0)
			return;
		strcat(text, piece);
	}
}

static void
test_joined(MgCtx *cx)
{
	static const char *const templates[][3] = {
		{"{mask} news: {text}", "[MASK] news: ", ""},
		{"{text} this is about {mask}.", "", " this is about [MASK]."},
		{"un{text}able [SEP] {mask}", "un", "able [SEP] [MASK]"},
	};
	uint32_t state = 7;
	long embeds = 0, classifies[3] = {0};

	for (int i = 0; i < 1000; i++)
	{
		char text[24], joined[200];

		random_text(&state, text, sizeof text);
		mg_ctx_reset(cx);
		snprintf(joined, sizeof joined, "que%s", text);
		embeds += embed(cx, "que", mg_span_of(text)) && is_joined(cx, joined);
		for (int t = 0; t < 3; t++)
		{
			snprintf(joined, sizeof joined, "%s%s%s", templates[t][1], text, templates[t][2]);
			classifies[t] += classify(cx, templates[t][0], mg_span_of(text)) && is_joined(cx, joined);
		}
	}
	is_int(embeds, 1000, "texts without special tokens have the ids of prompt and text in one string");
	for (int t = 0; t < 3; t++)
		is_int(classifies[t], 1000, "and those of the template %s", templates[t][0]);
}

static void
test_specials(MgCtx *cx)
{
	static const char *const texts[] = {"[MASK]", "a [SEP] [MASK] b [CLS]", "[MASK][MASK] [SEP]", "[PAD] [UNK]", "[MA[MASK]SK]"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
	{
		MgSpan text = mg_span_of(texts[i]);

		mg_ctx_reset(cx);
		ok(classify(cx, "{mask} news: {text}", text), "classified: %s (%s)", texts[i], cx->error.message);
		ok(n_sequences == 2 && count(model.specials.mask) == 3, "with the template's masks: one, and two for two words");
		ok(count(separate_id) == 2 && count(classify_id) == 2, "and nothing that ends a sequence");
		mg_ctx_reset(cx);
		ok(embed(cx, "[MASK] query ", text), "embedded behind a prompt");
		ok(count(model.specials.mask) == 1 && count(separate_id) == 1 && count(classify_id) == 1,
		   "in which the prompt's mask is one");
		is_int(count(model.specials.pad), 0, "and the text's padding is none");
	}
	mg_ctx_reset(cx);
	ok(embed(cx, "[MA", mg_span_of("SK] x")) && count(model.specials.mask) == 0, "none comes about across the seam");
	mg_ctx_reset(cx);
	ok(embed(cx, "", mg_span_of("a [MASK] b")) && count(model.specials.mask) == 0, "nor without a prompt");
	mg_ctx_reset(cx);
	ok(classify(cx, "[CLS] {mask} [SEP] {text}", mg_span_of("x")) && count(separate_id) == 4 &&
		   count(classify_id) == 4,
	   "a template's own are read");
	mg_ctx_reset(cx);
	ok(!mg_labels_prepare(RUN(cx, &model, scalar_compute(), &(MgUsage){0}), (MgSpan[]){mg_span_of("[MASK]\xE2\x98\x83")}, 1, mg_span_of("")) &&
		   cx->error.code == MG_BAD_ARGUMENT,
	   "a label is data, too: %s", cx->error.message);
}

int
main(void)
{
	Bytes portable, resident;
	const MgModel *bound = NULL;
	MgCtx cx, work;

	mg_ctx_init(&cx, &cli_host);
	mg_ctx_init(&work, &cli_host);
	if (make_portable(&cx, TINY "bert-mlm", "{\"pooling\": \"mean\"}", &portable) &&
		make_resident(&cx, mg_span(portable.data, portable.used), MG_FORM_PANELS, &resident))
		bound = mg_model_bind(&cx, mg_span(resident.data, resident.used));
	if (!ok(bound != NULL, "a model (%s)", cx.error.message))
		return done();
	model = *bound;
	recorder = *model.arch;
	forward = recorder.forward;
	recorder.forward = record;
	model.arch = &recorder;
	classify_id = mg_token_find(model.tokenizer, mg_span_of("[CLS]"));
	separate_id = mg_token_find(model.tokenizer, mg_span_of("[SEP]"));
	test_joined(&work);
	test_specials(&work);
	mg_ctx_free(&work);
	mg_ctx_free(&cx);
	return done();
}
