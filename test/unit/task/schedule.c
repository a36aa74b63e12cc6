/* Batches over a task that adds up its tokens: budget, order, equal texts, windows, failures. */
#include "task/schedule.h"

#include "cli/host.h"
#include "unit/host.h"
#include "unit/run.h"

#define LONGEST 40

static const MgModel model = {.meta = {.max_tokens = LONGEST}};

/* Part p of a text is its letters, less their 'a', and p. What runs is noted down. */
typedef struct Sum
{
	MgTask task;
	float *out;
	size_t width;
	size_t n_batches, largest, n_texts, n_unsorted, last_length;
	size_t mixed; /* batches above the budget that hold more than one sequence */
} Sum;

static bool
fill(const MgTask *task, MgSpan text, MgSequence *sequences)
{
	((Sum *) (uintptr_t) task)->n_texts++;
	if (text.size > LONGEST - 1)
		return mg_fail(task->run->cx, MG_TOO_LARGE, "text %.*s is too long", 3, (const char *) text.data);
	for (size_t p = 0; p < task->n_parts; p++)
	{
		sequences[p].n = text.size + 1;
		sequences[p].ids = mg_alloc_array(task->run->cx, text.size + 1, sizeof(int32_t));
		if (sequences[p].ids == NULL)
			return false;
		for (size_t i = 0; i < text.size; i++)
			sequences[p].ids[i] = text.data[i] - 'a';
		sequences[p].ids[text.size] = (int32_t) p;
	}
	return true;
}

static bool
run(const MgTask *task, const MgSequence *sequences, size_t n)
{
	Sum *sum = (Sum *) (uintptr_t) task;
	size_t tokens = 0;

	for (size_t i = 0; i < n; i++)
	{
		float *out = sum->out + sequences[i].text * sum->width + sequences[i].part;

		*out = 0;
		for (size_t k = 0; k < sequences[i].n; k++)
			*out += (float) sequences[i].ids[k];
		tokens += sequences[i].n;
		sum->n_unsorted += sequences[i].n < sum->last_length;
		sum->last_length = sequences[i].n;
	}
	sum->n_batches++;
	sum->mixed += n > 1 && tokens > (task->run->batch_tokens > 0 ? task->run->batch_tokens : MG_BATCH_TOKENS);
	sum->largest = tokens > sum->largest ? tokens : sum->largest;
	return mg_alloc(task->run->cx, 1000) != NULL;
}

static bool
copy(const MgTask *task, size_t from, size_t to)
{
	const Sum *sum = (const Sum *) task;

	memcpy(sum->out + to * sum->width, sum->out + from * sum->width, sum->width * sizeof(float));
	return true;
}

static Sum
sum_of(const MgRun *run_of, size_t n_parts, float *out)
{
	return (Sum){.task = {run_of, n_parts, NULL, fill, run, .copy = copy}, .out = out, .width = n_parts};
}

/* Text i of a run of which every third one is new. */
static MgSpan
text_of(char *buffer, size_t i, size_t period)
{
	size_t which = i % period, length = which * 7 % (LONGEST - 4);

	memset(buffer, 'b', length);
	for (size_t k = 0; k < 3; k++, which /= 26)
		buffer[length + k] = (char) ('a' + which % 26);
	return mg_span(buffer, length + 3);
}

/* n texts of which period are distinct, in n_parts parts each, against the sums of their letters. */
static Sum
check(size_t n, size_t period, size_t n_parts, size_t budget, MgUsage *usage)
{
	char (*buffers)[LONGEST] = malloc(n * sizeof *buffers);
	MgSpan *texts = malloc(n * sizeof *texts);
	float *out = malloc(n * n_parts * sizeof *out);
	MgCtx cx;
	MgRun own = {.cx = &cx, .model = &model, .compute = scalar_compute(), .batch_tokens = budget, .usage = usage};
	Sum sum = sum_of(&own, n_parts, out);
	size_t wrong = 0;

	for (size_t i = 0; i < n; i++)
		texts[i] = text_of(buffers[i], i, period);
	mg_ctx_init(&cx, &cli_host);
	*usage = (MgUsage){0};
	ok(mg_task_run(&sum.task, texts, n), "%zu texts, %zu of them distinct, %zu parts, budget %zu", n, period,
	   n_parts, budget);
	for (size_t i = 0; i < n; i++)
		for (size_t p = 0; p < n_parts; p++)
		{
			float want = (float) p;

			for (size_t k = 0; k < texts[i].size; k++)
				want += (float) (texts[i].data[k] - 'a');
			wrong += out[i * n_parts + p] != want;
		}
	is_int(wrong, 0, "all results are at their places");
	is_int(usage->rows, n, "all texts are counted");
	is_int(usage->batches, sum.n_batches, "and all batches");
	is_int(sum.mixed, 0, "none is over the budget, unless a sequence is by itself");
	ok(mg_ctx_size(&cx) < 5 * 1024 * 1024, "in %zu kB", mg_ctx_size(&cx) / 1024);
	mg_ctx_free(&cx);
	free(buffers);
	free(texts);
	free(out);
	return sum;
}

static void
test_batches(void)
{
	MgUsage usage;
	Sum sum = check(1, 1, 1, 100, &usage);

	is_int(sum.n_batches, 1, "one text is one batch");
	sum = check(250, 250, 1, 100, &usage);
	is_int(sum.n_texts, 250, "distinct texts are filled once each");
	is_int(sum.n_unsorted, 0, "short ones run first");
	ok(sum.largest > 100 - LONGEST, "batches are full (%zu of 100 tokens)", sum.largest);
	sum = check(500, 500, 3, 1, &usage);
	is_int(sum.n_batches, 1500, "a budget below any sequence runs them one by one");
	sum = check(1, 1, 3, 10000, &usage);
	is_int(sum.n_batches, 1, "parts of one text run together");
	sum = check(100, 100, 2, 0, &usage);
	ok(sum.largest <= MG_BATCH_TOKENS && usage.batches > 1, "no budget is the default one");
}

static void
test_equal_texts(void)
{
	MgUsage once, many;
	Sum sum = check(100, 100, 2, 100, &once);

	sum = check(5000, 100, 2, 100, &many);
	is_int(sum.n_texts, 100, "equal texts are filled once");
	ok(many.tokens == once.tokens && many.batches == once.batches, "and run once");
	sum = check(70000, 2, 1, 100, &many);
	is_int(sum.n_texts, 4, "once a window");
	sum = check(20000, 17000, 1, 512, &many);
	ok(sum.n_texts >= 17000 && sum.n_unsorted > 0, "windows end when they hold enough tokens");
	sum = check(2000, 2000, 16, 512, &many);
}

static void
test_errors(void)
{
	MgSpan texts[3] = {mg_span_of("a"), mg_span_of("xyz.........................................."),
					   mg_span_of("uvw..........................................")};
	float out[3];
	MgUsage usage = {0};
	MgCtx cx;
	Sum sum = sum_of(RUN(&cx, &model, scalar_compute(), &usage), 1, out);

	mg_ctx_init(&cx, &cli_host);
	ok(!mg_task_run(&sum.task, texts, 3), "a text that is refused ends the run");
	is_text(cx.error.message, "text xyz is too long", "with the first error");
	is_int(sum.n_batches, 0, "before anything was computed");
	mg_ctx_reset(&cx);
	ok(mg_task_run(&sum.task, NULL, 0) && usage.rows == 0 && usage.batches == 0, "no text is nothing");
	mg_ctx_free(&cx);
}

/* What was refused: a letter for each text, '.' or the first one of its error's text. */
static void
note_refusal(void *user, size_t text, const MgError *error)
{
	((char *) user)[text] = error->message[5];
}

/* Texts that are refused stop neither the others nor equal ones, and each is told. */
static void
test_refusals(void)
{
	static const char x[] = "xyz..........................................", u[] = "uvw..........................................";
	MgSpan texts[] = {mg_span_of("b"), mg_span_of(x), mg_span_of("c"), mg_span_of(u), mg_span_of(x), mg_span_of("b"), mg_span_of(x)};
	char refused[8] = ".......";
	float out[7] = {0};
	MgUsage usage = {0};
	MgRefusals refusals = {refused, note_refusal};
	MgCtx cx;
	Sum sum = sum_of(RUN(&cx, &model, scalar_compute(), &usage), 1, out);

	mg_ctx_init(&cx, &cli_host);
	sum.task.refusals = &refusals;
	ok(mg_task_run(&sum.task, texts, 7) && cx.error.code == MG_OK, "a run goes on behind texts that are refused");
	is_text(refused, ".x.ux.x", "each is told of, equal ones as well");
	ok(out[0] == 1 && out[2] == 2 && out[5] == 1, "the others have their results");
	ok(usage.rows == 3 && sum.n_batches == 1, "which alone are counted");
	strcpy(refused, ".......");
	ok(mg_task_run(&sum.task, texts + 1, 1) && refused[0] == 'x' && sum.n_batches == 1, "one text alone");
	mg_ctx_free(&cx);
}

static bool
run_some(MgCtx *cx, void *user)
{
	static char buffers[60][LONGEST];
	MgSpan texts[60];
	float out[120];
	MgUsage usage = {0};
	MgRun own = {.cx = cx, .model = &model, .compute = scalar_compute(), .batch_tokens = 100, .usage = &usage};
	Sum sum = sum_of(&own, 2, out);

	for (size_t i = 0; i < 60; i++)
		texts[i] = text_of(buffers[i], i, 50);
	return mg_task_run(&sum.task, texts, 60) && user == NULL;
}

int
main(void)
{
	test_batches();
	test_equal_texts();
	test_errors();
	test_refusals();
	sweep("run", run_some, NULL, 1);
	return done();
}
