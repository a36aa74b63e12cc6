/* Choosing by letters: scores are those of the letters at the mask, or behind the prompt; rotations, batches, cuts; questions as people get them wrong. */
#include "task/choose.h"

#include <math.h>

#include "cli/host.h"
#include "task/fill_mask.h"
#include "task/likelihood.h"
#include "unit/host.h"
#include "unit/run.h"

#define TEMPLATE "q: {question} {choices} a: {mask}"
#define N_QUESTIONS 60

static MgCompute compute;

static const MgModel *
load(MgCtx *cx, const char *directory)
{
	const MgModel *model = cli_load(cx, directory, "{}", compute.kernels, MG_FORM_PANELS, NULL);

	if (!ok(model != NULL, "loaded (%s)", cx->error.message))
		exit(done());
	return model;
}

static bool
choose(const MgRun *run, const char *template, size_t rotations, const char *input, MgChoice *choice)
{
	MgChooseOptions options = {.form = mg_question_form(run, mg_span_of(template)), .rotations = rotations, .long_input = MG_LONG_TRUNCATE};
	MgSpan span = mg_span_of(input);

	return options.form != NULL && mg_choose(run, &options, &span, 1, choice);
}

/* Log probabilities of two values of which the first has p, among both. */
static void
is_scores(const MgChoice *choice, double first, double second, const char *what)
{
	double sum = log(exp(first) + exp(second));

	ok(choice->n == 2 && fabs(choice->scores[0] - (first - sum)) < 1e-4 && fabs(choice->scores[1] - (second - sum)) < 1e-4,
	   "%s: %.4f and %.4f", what, choice->scores[0], choice->scores[1]);
}

/* By filling the mask of the same words, written out. */
static void
test_masked(const char *directory, const char *mask, const char *letters[2])
{
	MgSpan targets[] = {mg_span_of(letters[0]), mg_span_of(letters[1])};
	MgFillMaskOptions options = {.top_k = 2, .targets = targets, .n_targets = 2};
	char prompt[200];
	double values[2] = {0};
	MgFilled *filled;
	MgUsage usage = {0};
	MgCtx kept, cx;
	MgChoice choice = {0};
	size_t n = 0;

	mg_ctx_init(&kept, &cli_host);
	mg_ctx_init(&cx, &cli_host);

	const MgRun *run = RUN(&cx, load(&kept, directory), &compute, &usage);

	snprintf(prompt, sizeof prompt, "q: the city? - A: paris\n- B: red a: %s", mask);
	ok(choose(run, TEMPLATE, 1, "9:the city?,5:paris,3:red,", &choice) && usage.rows == 1 && usage.tokens > 10, "chosen (%s)", cx.error.message);
	ok(mg_fill_mask(run, &options, mg_span_of(prompt), &filled, &n) && n == 2, "filled (%s)", cx.error.message);
	for (size_t i = 0; i < n; i++)
		values[mg_span_equal(filled[i].token, targets[1])] = log(filled[i].score);
	is_scores(&choice, values[0], values[1], directory);
	mg_ctx_free(&cx);
	mg_ctx_free(&kept);
}

/* By the likelihood of the letters behind the prompt. */
static void
test_decoder(void)
{
	MgLikelihoodOptions options = {MG_LONG_ERROR, 1 << 24};
	MgSpan prompt = mg_span_of("q: the city? - A: paris\n- B: red a:");
	double values[2];
	MgUsage usage = {0};
	MgCtx kept, cx;
	MgChoice choice = {0};

	mg_ctx_init(&kept, &cli_host);
	mg_ctx_init(&cx, &cli_host);

	const MgRun *run = RUN(&cx, load(&kept, "test/golden/decoder/llama"), &compute, &usage);

	ok(choose(run, TEMPLATE, 1, "9:the city?,5:paris,3:red,", &choice), "chosen (%s)", cx.error.message);
	ok(mg_continuation_likelihood(run, &options, prompt, mg_span_of("A"), &values[0]) &&
		   mg_continuation_likelihood(run, &options, prompt, mg_span_of("B"), &values[1]),
	   "found likely (%s)", cx.error.message);
	is_scores(&choice, values[0], values[1], "a decoder");
	ok(!choose(run, "{mask} {question} {choices}", 1, "1:q,1:a,", &choice), "a decoder ends with the mask");
	is_text(cx.error.message, "template does not end with {mask}, where a decoder writes", "and says so");
	mg_ctx_free(&cx);
	mg_ctx_free(&kept);
}

/* All rotations: the mean of each order of choices asked alone; shifted choices have the same bits. */
static void
test_rotations(const MgModel *model)
{
	static const char *const inputs[] = {"4:what,3:red,5:paris,4:blue,", "4:what,5:paris,4:blue,3:red,", "4:what,4:blue,3:red,5:paris,"};
	MgUsage usage = {0};
	MgChoice whole[3], single[3];
	double means[3] = {0}, sum = 0;
	MgCtx cx;
	bool fine = true;

	mg_ctx_init(&cx, &cli_host);
	for (int i = 0; i < 3; i++)
		fine = fine && choose(RUN(&cx, model, &compute, &usage), TEMPLATE, 3, inputs[i], &whole[i]) &&
			choose(RUN(&cx, model, &compute, &usage), TEMPLATE, 1, inputs[i], &single[i]);
	ok(fine && usage.rows == 6, "asked in three orders (%s)", cx.error.message);
	for (int c = 0; fine && c < 3; c++)
	{
		ok(memcmp(&whole[0].scores[c], &whole[1].scores[(c + 2) % 3], sizeof(float)) == 0 &&
			   memcmp(&whole[0].scores[c], &whole[2].scores[(c + 1) % 3], sizeof(float)) == 0,
		   "choice %d has the same bits wherever it stands", c);
		means[c] = (single[0].scores[c] + (double) single[1].scores[(c + 2) % 3] + single[2].scores[(c + 1) % 3]) / 3;
		sum += exp(means[c]);
	}
	for (int c = 0; fine && c < 3; c++)
		ok(fabs(whole[0].scores[c] - (means[c] - log(sum))) < 1e-5, "and is the mean of three");
	ok(fine && memcmp(whole[0].scores, single[0].scores, 3 * sizeof(float)) != 0, "which is another than one order's");
	mg_ctx_free(&cx);
}

/* A long question loses its end: what stands before the cut decides, and no choice is lost. */
static void
test_cut(const MgModel *model)
{
	char input[3000], other[3000];
	MgChoice one = {0}, two = {0};
	MgUsage usage = {0};
	bool cut = false;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);

	MgRun run = *RUN(&cx, model, &compute, &usage);

	run.cut = &cut;
	snprintf(input, sizeof input, "2000:%02000d,5:paris,3:red,", 0);
	snprintf(other, sizeof other, "2000:%01999d1,5:paris,3:red,", 0);
	ok(choose(&run, TEMPLATE, 1, input, &one) && cut, "cut (%s)", cx.error.message);
	ok(choose(&run, TEMPLATE, 1, other, &two) && memcmp(one.scores, two.scores, 2 * sizeof(float)) == 0, "the end is not read");
	snprintf(input, sizeof input, "1:q,2000:%02000d,", 0);
	ok(!choose(&run, TEMPLATE, 1, input, &one), "a choice is not cut");
	is_text(cx.error.message, "template and choices are too long for model \"tiny\"", "but refused");
	mg_ctx_free(&cx);
}

static void
test_refusals(const MgModel *model)
{
	static const struct
	{
		const char *template, *input, *message;
	} cases[] = {
		{TEMPLATE, "1:q,", "there are no choices"},
		{TEMPLATE, "1:q", "input is no question"},
		{TEMPLATE, "q", "input is no question"},
		{TEMPLATE, "1:q,2:a,", "input is no question"},
		{TEMPLATE, "99999999999999999999999:q,1:a,", "input is no question"},
		{TEMPLATE, "1:q,1:a,x", "input is no question"},
		{TEMPLATE, "1:q,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,1:a,", "there are more than 26 choices"},
		{TEMPLATE, "1:\xFF,1:a,", "text is not valid UTF-8 at byte 3"},
		{"{question} {mask}", "1:q,1:a,", "template lacks {choices}"},
		{"{question} {choices}", "1:q,1:a,", "template lacks {mask}"},
		{"{choices} {mask}", "1:q,1:a,", "template lacks {question}"},
		{"{question} {choices} {choices} {mask}", "1:q,1:a,", "template holds {choices} more than once"},
	};
	MgUsage usage = {0};
	MgChoice choice;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		mg_ctx_reset(&cx);
		ok(!choose(RUN(&cx, model, &compute, &usage), cases[i].template, 1, cases[i].input, &choice), "refused: %s", cases[i].message);
		is_text(cx.error.message, cases[i].message, "and said so");
	}
	mg_ctx_reset(&cx);
	ok(!mg_answers_with_letters(RUN(&cx, model, &compute, &usage), mg_question_form(RUN(&cx, model, &compute, &usage), mg_span_of("{question}{choices}{mask}"))),
	   "random weights do not answer with letters");
	is_text(cx.error.message, "model \"tiny\" does not answer with letters", "and it is said so");
	mg_ctx_free(&cx);
}

static void
note_refusal(void *user, size_t text, const MgError *error)
{
	(void) error;
	((int *) user)[text]++;
}

/* Many questions, of unlike numbers of choices, some of them bad: each has the bits that it has alone, and one refusal. */
static void
test_batch(const MgModel *model)
{
	static char inputs[N_QUESTIONS][80];
	MgSpan spans[N_QUESTIONS];
	MgChoice together[N_QUESTIONS], alone;
	int refused[N_QUESTIONS] = {0};
	MgRefusals refusals = {refused, note_refusal};
	long differ = 0, wrong = 0;
	MgUsage usage = {0};
	MgCtx kept, cx;

	for (size_t i = 0; i < N_QUESTIONS; i++)
	{
		snprintf(inputs[i], sizeof inputs[i], i % 10 == 9 ? "2:%02zu,2:\xFF\xFF,1:a," : i % 2 == 0 ? "2:%02zu,3:red,4:blue," : "2:%02zu,1:a,2:bc,3:def,", i / 4);
		spans[i] = mg_span_of(inputs[i]);
	}
	mg_ctx_init(&kept, &cli_host);
	mg_ctx_init(&cx, &cli_host);

	MgChooseOptions options = {mg_question_form(RUN(&kept, model, &compute, &usage), mg_span_of(TEMPLATE)), 2, MG_LONG_TRUNCATE, &refusals};

	ok(mg_choose(RUN(&kept, model, &compute, &usage), &options, spans, N_QUESTIONS, together), "chosen together (%s)", kept.error.message);
	ok(usage.rows == N_QUESTIONS - N_QUESTIONS / 10 && usage.batches > 1, "%d questions in %d batches", (int) usage.rows, (int) usage.batches);
	for (size_t i = 0; i < N_QUESTIONS; i++)
	{
		wrong += refused[i] != (i % 10 == 9) || together[i].n != (i % 10 == 9 ? 0 : i % 2 == 0 ? 2 : 3);
		if (together[i].n == 0)
			continue;
		mg_ctx_reset(&cx);
		differ += !mg_choose(RUN(&cx, model, &compute, &usage), &options, &spans[i], 1, &alone) ||
			memcmp(alone.scores, together[i].scores, alone.n * sizeof(float)) != 0;
	}
	is_int(wrong, 0, "what is refused is refused once");
	is_int(differ, 0, "all others have the bits that they have alone");
	mg_ctx_free(&cx);
	mg_ctx_free(&kept);
}

int
main(void)
{
	MgCtx cx;
	const MgModel *model;

	compute.kernels = mg_kernels(mg_cpu_level());
	mg_ctx_init(&cx, &cli_host);
	test_masked("test/golden/tiny/modernbert", "[MASK]", (const char *[]){"A", "B"});
	test_masked("test/golden/tiny/bert-mlm", "[MASK]", (const char *[]){"a", "b"});
	test_decoder();
	model = load(&cx, "test/golden/tiny/modernbert");
	test_rotations(model);
	test_cut(model);
	test_refusals(model);
	test_batch(model);
	mg_ctx_free(&cx);
	return done();
}
