/* Scoring texts and pairs: one sequence a text and fixed side, only first tokens to the end. */
#include "task/score.h"

#include <math.h>

#include "task/schedule.h"

typedef struct Scoring
{
	MgTask task;
	const MgScoreOptions *options;
	MgClassHead head;
	const MgIds *fixed; /* [n_fixed] */
	size_t classes; /* a result is [n_parts, classes] */
} Scoring;

size_t
mg_score_classes(const MgRun *run)
{
	if (mg_model_can(run->model, MG_CAN_SCORE))
		return run->model->arch->sequence_head(run->model).out->rows;
	mg_fail(run->cx, MG_UNSUPPORTED, "model \"%s\" has no head for classes of a text", run->name);
	mg_hint(run->cx, "Use a model whose config.json says ...ForSequenceClassification.");
	return 0;
}

/* The pair of a text and a fixed side, cut. */
static bool
fill_pair(const MgTask *task, MgIds text, MgIds fixed, MgSequence *sequence)
{
	const MgScoreOptions *options = ((const Scoring *) task)->options;
	size_t room = mg_pair_room(task->run->model), whole = text.n;
	bool fits = options->cut == MG_CUT_LONGER && !options->fixed_first ? mg_wrap_cut(options->cut, room, &text.n, &fixed.n)
																	   : mg_wrap_cut(options->cut, room, &fixed.n, &text.n);
	MgIds texts[2] = {options->fixed_first ? fixed : text, options->fixed_first ? text : fixed};

	if (!fits || (text.n < whole && options->long_input == MG_LONG_ERROR))
		return mg_fail_too_long(task->run, whole, room > fixed.n ? room - fixed.n : 0);
	sequence->cut = text.n < whole;
	return mg_sequence_of_pair(task->run, texts, sequence);
}

static bool
fill(const MgTask *task, MgSpan text, MgSequence *sequences)
{
	const Scoring *scoring = (const Scoring *) task;
	const MgRun *run = task->run;
	MgTokens tokens;

	if (scoring->options->n_fixed == 0)
		return mg_sequence_of_text(run, mg_span(NULL, 0), text, false, scoring->options->long_input, sequences) &&
			(sequences->n > 0 || mg_fail(run->cx, MG_BAD_ARGUMENT, "input has no tokens"));
	if (!mg_tokenize(run->cx, run->model->tokenizer, text, MG_ALL_DATA, &tokens))
		return false;
	for (size_t i = 0; i < scoring->options->n_fixed; i++)
		if (!fill_pair(task, (MgIds){tokens.n, tokens.ids}, scoring->fixed[i], &sequences[i]))
			return false;
	return true;
}

static bool
run_batch(const MgTask *task, const MgSequence *sequences, size_t n)
{
	const Scoring *scoring = (const Scoring *) task;
	size_t classes = scoring->classes;
	float *logits = mg_alloc_array(task->run->cx, n, classes * sizeof *logits);
	MgBatch batch;

	if (logits == NULL || !mg_batch_pack(task->run->cx, sequences, n, &batch) ||
		!mg_score_sequences(task->run, &scoring->head, &batch, logits))
		return false;
	for (size_t i = 0; i < n; i++)
		memcpy(task->out + (sequences[i].text * task->n_parts + sequences[i].part) * classes, logits + i * classes,
			   classes * sizeof *logits);
	return true;
}

/* The fixed sides as tokens; what leaves no room for a text is refused, unless it is cut itself. */
static const MgIds *
tokenize_fixed(const MgRun *run, const MgScoreOptions *options)
{
	MgIds *fixed = mg_alloc_array(run->cx, options->n_fixed, sizeof *fixed);
	size_t room = mg_pair_room(run->model);

	for (size_t i = 0; fixed != NULL && i < options->n_fixed; i++)
	{
		MgTokens tokens;

		if (!mg_tokenize(run->cx, run->model->tokenizer, options->fixed[i], MG_ALL_DATA, &tokens))
			return NULL;
		if (tokens.n >= room && options->cut == MG_CUT_SECOND)
		{
			mg_fail(run->cx, MG_TOO_LARGE, "%s is too long for model \"%s\"", options->fixed_first ? "query" : "label in its template",
					run->name);
			mg_detail(run->cx, "It has %zu tokens, and fewer than %zu leave room for a text.", tokens.n, room);
			return NULL;
		}
		fixed[i] = (MgIds){tokens.n, tokens.ids};
	}
	return fixed;
}

bool
mg_score(const MgRun *run, const MgScoreOptions *options, const MgSpan *texts, size_t n, float *out)
{
	size_t n_parts = options->n_fixed > 0 ? options->n_fixed : 1;
	Scoring scoring = {.task = {run, n_parts, options->refusals, fill, run_batch, .out = out}, .options = options};
	MgMark mark = mg_mark(run->cx);

	scoring.classes = mg_score_classes(run);
	if (scoring.classes == 0)
		return false;
	scoring.task.n_out = n_parts * scoring.classes;
	scoring.head = run->model->arch->sequence_head(run->model);
	scoring.fixed = tokenize_fixed(run, options);
	if (scoring.fixed == NULL || !mg_task_run(&scoring.task, texts, n))
		return false;
	mg_rewind(run->cx, mark);
	return true;
}

static float
sigmoid(float x)
{
	return (float) (1 / (1 + exp(-(double) x)));
}

void
mg_score_tell(const MgModel *model, float *logits, size_t classes)
{
	MgClassKind kind = mg_class_kind(model->sizes);
	float largest = logits[0];
	double sum = 0;

	for (size_t c = 0; c < classes && kind == MG_CLASSES_ANY_OF; c++)
		logits[c] = sigmoid(logits[c]);
	if (kind != MG_CLASSES_ONE_OF)
		return;
	for (size_t c = 1; c < classes; c++)
		largest = fmaxf(largest, logits[c]);
	for (size_t c = 0; c < classes; c++)
		sum += exp((double) logits[c] - largest);
	for (size_t c = 0; c < classes; c++)
		logits[c] = (float) (exp((double) logits[c] - largest) / sum);
}

bool
mg_needs_rerank(const MgRun *run)
{
	size_t classes = mg_score_classes(run);

	if (classes == 1 || classes == 2)
		return true;
	if (classes == 0)
		return false;
	mg_fail(run->cx, MG_UNSUPPORTED, "model \"%s\" is no reranker", run->name);
	return mg_detail(run->cx, "A reranker has one class, or two, and this model has %zu.", classes);
}

float
mg_rerank_score(const MgModel *model, const float *logits, size_t classes)
{
	float score = classes == 1 ? logits[0] : logits[1] - logits[0];

	return mg_class_is_sigmoid(model) ? sigmoid(score) : score;
}
