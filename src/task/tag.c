/* Classes of tokens: texts to tokens, tokens to windows, windows to batches, and back. Entities: entity.c. */
#include "task/tag.h"

#include <math.h>

#include "task/schedule.h"

/* Some tokens of a text that are read together. To the schedule it is a text: the bytes of its ids. */
typedef struct Window
{
	size_t text, first; /* whose, and its first token there */
	MgTag *tags;		/* [n] */
} Window;

typedef struct Tagging
{
	MgTask task;
	const MgTagOptions *options;
	MgClassHead head;
	size_t limit;		/* tokens of a window */
	MgTokens *tokens;	/* [n texts] */
	size_t n_windows;
	Window *windows;	/* [n_windows] */
	MgSpan *spans;		/* [n_windows] */
} Tagging;

static bool
copy(const MgTask *task, size_t from, size_t to)
{
	const Tagging *tagging = (const Tagging *) task;

	memcpy(tagging->windows[to].tags, tagging->windows[from].tags, tagging->spans[to].size / sizeof(int32_t) * sizeof(MgTag));
	return true;
}

static bool
fill(const MgTask *task, MgSpan ids, MgSequence *sequence)
{
	return mg_sequence_wrap(task->run, (MgIds){ids.size / sizeof(int32_t), (const int32_t *) (const void *) ids.data}, sequence);
}

/* The likeliest of a token's classes, or the probability of the only one. */
static void
choose(const float *logits, size_t classes, MgTag *tag)
{
	double sum = 0;

	tag->class = 0;
	if (classes == 1)
	{
		tag->score = (float) (1 / (1 + exp(-(double) logits[0])));
		return;
	}
	for (size_t c = 1; c < classes; c++)
		if (logits[c] > logits[tag->class])
			tag->class = (uint32_t) c;
	for (size_t c = 0; c < classes; c++)
		sum += exp((double) logits[c] - logits[tag->class]);
	tag->score = (float) (1 / sum);
}

static bool
run_batch(const MgTask *task, const MgSequence *sequences, size_t n)
{
	const Tagging *tagging = (const Tagging *) task;
	size_t classes = tagging->head.out->rows;
	MgBatch batch;
	float *logits;

	if (!mg_batch_pack(task->run->cx, sequences, n, &batch))
		return false;
	logits = mg_alloc_array(task->run->cx, batch.n_tokens, classes * sizeof *logits);
	if (logits == NULL || !mg_score_tokens(task->run, &tagging->head, &batch, logits))
		return false;
	for (size_t i = 0; i < n; i++)
		for (size_t t = 0; t < sequences[i].n_text; t++)
			choose(logits + (batch.offsets[i] + sequences[i].first + t) * classes, classes, &tagging->windows[sequences[i].text].tags[t]);
	return true;
}

/* Hands on a text's own fault, if somebody wants to hear of it. */
static bool
refuse(const MgRun *run, const MgRefusals *refusals, size_t text)
{
	MgError *error = &run->cx->error;

	if (refusals == NULL || (error->code != MG_BAD_ARGUMENT && error->code != MG_BAD_TEXT && error->code != MG_TOO_LARGE))
		return false;
	refusals->refuse(refusals->user, text, error);
	memset(error, 0, sizeof *error);
	return true;
}

static size_t
windows_of(size_t n, size_t limit)
{
	size_t step = limit - limit / 4;

	return n == 0 ? 0 : n <= limit ? 1 : 1 + (n - limit + step - 1) / step;
}

/* Tokens of all texts, and how many windows they make. */
static bool
tokenize(Tagging *tagging, const MgSpan *texts, size_t n, uint64_t *n_refused)
{
	const MgRun *run = tagging->task.run;

	for (size_t i = 0; i < n; i++)
	{
		if (!mg_tokenize(run->cx, run->model->tokenizer, texts[i], MG_ALL_DATA, &tagging->tokens[i]))
		{
			if (!refuse(run, tagging->options->refusals, i))
				return false;
			tagging->tokens[i].n = 0;
			++*n_refused;
		}
		tagging->n_windows += windows_of(tagging->tokens[i].n, tagging->limit);
	}
	return true;
}

static bool
make_windows(Tagging *tagging, size_t n)
{
	MgCtx *cx = tagging->task.run->cx;
	size_t limit = tagging->limit, step = limit - limit / 4, at = 0;

	tagging->windows = mg_alloc_array(cx, tagging->n_windows, sizeof *tagging->windows);
	tagging->spans = mg_alloc_array(cx, tagging->n_windows, sizeof *tagging->spans);
	if (tagging->windows == NULL || tagging->spans == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		for (size_t w = 0; w < windows_of(tagging->tokens[i].n, limit); w++, at++)
		{
			size_t first = w * step, rest = tagging->tokens[i].n - first, size = rest < limit ? rest : limit;

			tagging->windows[at] = (Window){i, first, mg_alloc_array(cx, size, sizeof(MgTag))};
			tagging->spans[at] = mg_span(tagging->tokens[i].ids + first, size * sizeof(int32_t));
			if (tagging->windows[at].tags == NULL || (at % 256 == 0 && !mg_poll(cx)))
				return false;
		}
	return true;
}

/* The tags of each text out of its windows: a later one counts from the middle of what it shares with the one before. */
static bool
join(const Tagging *tagging, size_t n, MgTags *tags)
{
	MgCtx *cx = tagging->task.run->cx;
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
	{
		const MgTokens *tokens = &tagging->tokens[i];

		tags[i] = (MgTags){tokens->n, mg_alloc_array(cx, tokens->n, sizeof(MgTag))};
		if (tags[i].tags == NULL)
			return false;
		for (; at < tagging->n_windows && tagging->windows[at].text == i; at++)
		{
			const Window *window = &tagging->windows[at];
			size_t from = window->first == 0 ? 0 : tagging->limit / 4 / 2, size = tagging->spans[at].size / sizeof(int32_t);

			if (from < size)
				memcpy(tags[i].tags + window->first + from, window->tags + from, (size - from) * sizeof(MgTag));
		}
		for (size_t t = 0; t < tokens->n; t++)
		{
			tags[i].tags[t].start = tokens->starts[t];
			tags[i].tags[t].stop = tokens->stops[t];
			tags[i].tags[t].id = tokens->ids[t];
		}
		if (!mg_poll(cx))
			return false;
	}
	return true;
}

static bool
find_head(const MgRun *run, bool replaced, MgClassHead *head)
{
	uint32_t can = replaced ? MG_CAN_FIND_REPLACED : MG_CAN_TAG;

	if (!mg_model_can(run->model, can))
	{
		mg_fail(run->cx, MG_UNSUPPORTED, "model \"%s\" has no head %s", run->name,
				replaced ? "that finds replaced tokens" : "for classes of tokens");
		return mg_hint(run->cx, "Use a model whose config.json says %s.",
					   replaced ? "ElectraForPreTraining" : "...ForTokenClassification");
	}
	*head = replaced ? run->model->arch->replaced_head(run->model) : run->model->arch->token_head(run->model);
	return true;
}

bool
mg_tag(const MgRun *run, const MgTagOptions *options, const MgSpan *texts, size_t n, MgTags *tags)
{
	/* Nothing is cut, and windows are no texts. */
	MgRun aside = *run;
	Tagging tagging = {.task = {&aside, 1, NULL, fill, run_batch, .copy = copy}, .options = options, .limit = mg_text_limit(run->model)};
	uint64_t rows = run->usage->rows, n_refused = 0;

	aside.cut = NULL;
	tagging.tokens = mg_alloc_array(run->cx, n, sizeof *tagging.tokens);
	if (tagging.tokens == NULL || !find_head(run, options->replaced, &tagging.head))
		return false;
	if (tagging.limit == 0)
		return mg_fail(run->cx, MG_UNSUPPORTED, "model \"%s\" has no room for a text between its special tokens", run->name);
	if (!tokenize(&tagging, texts, n, &n_refused) || !make_windows(&tagging, n) ||
		!mg_task_run(&tagging.task, tagging.spans, tagging.n_windows) || !join(&tagging, n, tags))
		return false;
	run->usage->rows = rows + n - n_refused;
	return true;
}
