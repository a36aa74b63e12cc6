/* Labels as tokens: with the space that a mask swallows, where the vocabulary has words with and without one. */
#include "task/mask_labels.h"

#include "cli/host.h"
#include "format/tokenizer_files.h"
#include "unit/host.h"
#include "unit/memory_files.h"
#include "unit/run.h"

static char json[100000];

static const MgTokenizer *
read_tokenizer(MgCtx *cx, const char *path)
{
	MemoryFile array[2];
	MgTokenizerSpec spec;
	MgSpan section;
	FILE *file = fopen(path, "r");
	size_t size = file == NULL ? 0 : fread(json, 1, sizeof json, file);

	if (file != NULL)
		fclose(file);
	memset(array, 0, sizeof array);
	array[0] = (MemoryFile){"tokenizer.json", mg_span(json, size)};
	return mg_tokenizer_files_read(cx, &MEMORY_FILES(array), &spec) && mg_tokenizer_build(cx, &spec, &section)
		? mg_tokenizer_bind(cx, section)
		: NULL;
}

/* The only label's only token, by its name. */
static void
is_token(const MgRun *run, const char *template, const char *label, const char *token)
{
	MgSpan name = mg_span_of(label);
	const MgMaskLabels *labels = (const MgMaskLabels *) mg_labels_prepare(run, &name, 1, mg_span_of(template));

	if (ok(labels != NULL && labels->n_candidates == 1, "%s: \"%s\" is one token (%s)", template, label, run->cx->error.message))
		ok(mg_span_is(mg_token_text(run->model->tokenizer, labels->candidates[0]), token), "which is \"%s\"", token);
}

int
main(void)
{
	MgModel model = {.can = MG_CAN_FILL_MASK | MG_CAN_CLASSIFY};
	MgUsage usage = {0};
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	model.tokenizer = read_tokenizer(&cx, "test/golden/byte_level/neox.json");
	if (!ok(model.tokenizer != NULL, "a tokeniser (%s)", cx.error.message))
		return done();
	model.specials = mg_special_tokens(model.tokenizer);
	is_token(RUN(&cx, &model, scalar_compute(), &usage), "{mask} news: {text}", "the", "the");
	is_token(RUN(&cx, &model, scalar_compute(), &usage), "{text} about {mask}", "the", "\xC4\xA0the");
	is_token(RUN(&cx, &model, scalar_compute(), &usage), "{text}:{mask}", "the", "the");
	is_token(RUN(&cx, &model, scalar_compute(), &usage), "see {mask}, {text}", "the", "\xC4\xA0the");
	mg_ctx_free(&cx);
	return done();
}
