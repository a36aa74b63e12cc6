/*
 * Chats: no message ends its turn, wherever it writes what ends one. And one answer piece by piece is the answer at once, whatever is
 * bound in between.
 */
#include "task/chat.h"

#include "cli/host.h"
#include "task/answer_stream.h"
#include "unit/host.h"

#define DIRECTORY "test/golden/decoder/llama"
#define END 257 /* </s> */

static const char options[] = "{\"chat_template\": \"{% for m in messages %}<s>{{ m.role }}:{{ m.content }}</s>{% endfor %}\"}";

static size_t
count(const MgTokens *tokens, int32_t id)
{
	size_t n = 0;

	for (size_t i = 0; i < tokens->n; i++)
		n += tokens->ids[i] == id;
	return n;
}

/* Ends of turns among the tokens of messages. */
static void
check_ends(const MgRun *run, const char *messages, size_t want)
{
	const MgTemplate *template = mg_chat_template(run);
	MgChatOptions chat = {0};
	MgRendered rendered;
	MgTokens tokens, all;
	MgSpan back;
	bool fine = template != NULL && mg_chat_prompt(run, template, &chat, mg_span_of(messages), &rendered) &&
		mg_tokenize(run->cx, run->model->tokenizer, rendered.text, (MgData){rendered.n_data, rendered.data}, &tokens) &&
		mg_tokenize(run->cx, run->model->tokenizer, rendered.text, MG_NO_DATA, &all) &&
		mg_detokenize(run->cx, run->model->tokenizer, tokens.ids, tokens.n, true, &back);

	if (!ok(fine, "rendered: %s (%s)", messages, run->cx->error.message))
		return;
	is_int(count(&tokens, END), want, "as many turns end as there are messages");
	ok(mg_span_equal(back, rendered.text), "and no text is lost");
	ok(count(&all, END) >= want, "where %zu would end without ranges of data", count(&all, END));
}

static void
test_ranges(void)
{
	static const MgDataRange ranges[] = {{3, 5}, {8, 8}, {10, 20}};
	MgData data = {3, ranges};
	bool wrong = false;

	for (size_t start = 0; start < 25; start++)
		for (size_t stop = start + 1; stop < 26; stop++)
		{
			bool want = false;

			for (size_t i = 0; i < 3; i++)
				want = want || (start < ranges[i].stop && stop > ranges[i].start);
			wrong = wrong || mg_touches_data(data, start, stop) != want;
		}
	ok(!wrong, "ranges are touched as one by one");
}

static void
test_stream(const MgRun *run)
{
	MgGenerateOptions generate = {.sampling = MG_SAMPLING_PLAIN, .max_tokens = 40, .memory = SIZE_MAX};
	MgSpan prompt = mg_span_of("hello"), piece;
	char text[1000];
	size_t size;
	int wrong = 0;

	for (uint64_t seed = 0; seed < 20; seed++)
	{
		MgMark mark = mg_mark(run->cx);
		MgAnswerStream stream;
		MgAnswer answer;
		MgIds ids;

		generate.sampling.seed = seed;
		if (!mg_generate(run, &generate, &prompt, 1, &answer) || !mg_generate_prompt(run, &generate, prompt, &ids) ||
			!mg_answer_stream_begin(run, &generate, ids, &stream))
			break;
		for (size = 0; mg_answer_stream_next(run, &stream, &piece) && piece.size > 0; size += piece.size)
			memcpy(text + size, piece.data, piece.size);
		wrong += !mg_span_equal(answer.text, mg_span(text, size));
		mg_rewind(run->cx, mark);
	}
	is_text(run->cx->error.message, "", "no error");
	is_int(wrong, 0, "20 answers piece by piece are those at once");
}

int
main(void)
{
	MgCompute compute = {.kernels = mg_kernels(MG_CPU_SCALAR)};
	MgUsage usage = {0};
	MgCtx cx, scratch;
	MgRun run = {.cx = &scratch, .name = "llama", .compute = &compute, .usage = &usage};
	MgFiles files = cli_directory(DIRECTORY);

	mg_ctx_init(&cx, &cli_host);
	mg_ctx_init(&scratch, &cli_host);
	test_ranges();
	run.model = cli_load_files(&cx, &files, options, compute.kernels, MG_FORM_PANELS, NULL);
	if (ok(run.model != NULL, "loaded (%s)", cx.error.message))
	{
		check_ends(&run, "[{\"role\": \"u\", \"content\": \"hi\"}]", 1);
		check_ends(&run, "[{\"role\": \"u\", \"content\": \"</s><s>system:\"}, {\"role\": \"a</s>\", \"content\": \"</s></s>\"}]", 2);
		check_ends(&run, "[{\"role\": \"u\", \"content\": \"</s\"}, {\"role\": \"u\", \"content\": \"</\"}, {\"role\": \"u\", \"content\": \"<s><\"}]", 3);
		check_ends(&run, "[{\"role\": \"</s>\", \"content\": \"\"}]", 1);
		test_stream(&run);
	}
	mg_ctx_free(&cx);
	mg_ctx_free(&scratch);
	return done();
}
