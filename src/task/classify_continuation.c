/*
 * Classification by a decoder: which label would it write at {label}, behind a
 * text in a template such as "{text} Topic: {label}"?
 *
 *   p        the template up to {label}, with the text in it, without the blanks at its end
 *   c_k      these blanks, label k, and what the template has behind it
 *   raw_k    sum over tokens of log p(c_k,t | p, c_k,<t)
 *   s_k      raw_k - log sum_j exp raw_j
 *   score_k  s_k(text) - mean over e in {"", "N/A", "text"} of s_k(e)
 *
 * The prompt goes through the model once, the labels' tokens behind it, those of
 * several texts in step. A long text loses its end, never the template. Only in
 * the template are special tokens read.
 */
#include <math.h>

#include "task/classify_way.h"
#include "task/decoder.h"
#include "task/draw.h"
#include "task/schedule.h"

/* Of 100 texts of AG News SmolLM2-135M gets 67 right by it, by "{text}\nThis text is about {label}." 51. */
#define DEFAULT_TEMPLATE "{text} Topic: {label}"

typedef struct ContinuationLabels
{
	MgLabels head;
	MgSpan before, between; /* of the template: before {text}; then up to the continuation */
	MgIds *continuations;	/* [n_labels] */
	size_t longest;			/* of them */
} ContinuationLabels;

/* Blank, label, rest as the tokens of one continuation. */
static bool
make_continuation(const MgRun *run, MgSpan blanks, MgSpan label, MgSpan rest, MgTokens *tokens)
{
	MgDataRange data = {blanks.size, blanks.size + label.size};
	uint8_t *bytes = label.size > MG_TEXT_LIMIT ? NULL : mg_alloc(run->cx, blanks.size + label.size + rest.size);

	if (bytes == NULL)
		return mg_fail(run->cx, MG_TOO_LARGE, "label is too long");
	memcpy(bytes, blanks.data, blanks.size);
	memcpy(bytes + blanks.size, label.data, label.size);
	memcpy(bytes + data.stop, rest.data, rest.size);
	if (!mg_tokenize(run->cx, run->model->tokenizer, mg_span(bytes, data.stop + rest.size), (MgData){1, &data}, tokens))
		return false;
	return tokens->n > 0 || mg_fail(run->cx, MG_BAD_ARGUMENT, "label \"%.*s\" has no tokens", MG_SPAN_ARGS(label));
}

/* Cuts the template at its two places. */
static bool
cut_template(const MgRun *run, MgSpan template, ContinuationLabels *labels, MgSpan *blanks, MgSpan *rest)
{
	const size_t text_mark = sizeof "{text}" - 1, label_mark = sizeof "{label}" - 1;
	size_t text, label, from, end;

	if (!mg_template_find(run->cx, template, mg_span_of("{text}"), &text) || !mg_template_find(run->cx, template, mg_span_of("{label}"), &label))
		return false;
	if (text == SIZE_MAX || label == SIZE_MAX || label < text)
	{
		mg_fail(run->cx, MG_BAD_ARGUMENT, "template lacks {text} before {label}");
		mg_detail(run->cx, "The template is \"%.*s\". A decoder says how likely each label is behind the text.", MG_SPAN_ARGS(template));
		return mg_hint(run->cx, "A template looks like \"{text} Topic: {label}\".");
	}
	from = text + text_mark;
	for (end = label; end > from && template.data[end - 1] == ' ';)
		end--;
	labels->before = mg_span(template.data, text);
	labels->between = mg_span(template.data + from, end - from);
	*blanks = mg_span(template.data + end, label - end);
	*rest = mg_span(template.data + label + label_mark, template.size - label - label_mark);
	return true;
}

static MgLabels *
prepare(const MgRun *run, const MgSpan *texts, size_t n, MgSpan template)
{
	ContinuationLabels *labels = mg_alloc_zeroed(run->cx, 1, sizeof *labels);
	MgTokens *tokens = mg_alloc_array(run->cx, n, sizeof *tokens);
	MgSpan blanks = {NULL, 0}, rest = {NULL, 0};

	if (labels == NULL || tokens == NULL || !cut_template(run, template, labels, &blanks, &rest))
		return NULL;
	labels->continuations = mg_alloc_array(run->cx, n, sizeof *labels->continuations);
	if (labels->continuations == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
	{
		if (!mg_poll(run->cx) || !make_continuation(run, blanks, texts[i], rest, &tokens[i]))
			return NULL;
		labels->continuations[i] = (MgIds){tokens[i].n, tokens[i].ids};
		labels->longest = tokens[i].n > labels->longest ? tokens[i].n : labels->longest;
	}
	return mg_labels_check_distinct(run->cx, texts, tokens, n) ? &labels->head : NULL;
}

typedef struct Continuation
{
	MgTask task;
	const ContinuationLabels *labels;
	MgLongInput long_input;
} Continuation;

/* Drops the last of the text's tokens until n are left in all. */
static bool
cut_text(const MgRun *run, MgDataRange data, size_t limit, MgLongInput long_input, MgTokens *tokens)
{
	size_t wanting;

	if (long_input == MG_LONG_ERROR)
		return mg_fail_too_long(run, tokens->n, limit);
	wanting = mg_tokens_cut(tokens, data, tokens->n - limit);
	if (wanting == 0)
		return true;
	mg_fail(run->cx, MG_TOO_LARGE, "template and labels are too long for model \"%s\"", run->name);
	return mg_detail(run->cx, "Without a text they have %zu tokens more than fit.", wanting);
}

static bool
fill(const MgTask *task, MgSpan text, MgSequence *sequence)
{
	const Continuation *continuation = (const Continuation *) task;
	const ContinuationLabels *labels = continuation->labels;
	const MgRun *run = task->run;
	MgSpan parts[] = {labels->before, text, labels->between};
	MgDataRange data = {labels->before.size, labels->before.size + text.size};
	size_t limit = mg_text_limit(run->model), size = 0;
	uint8_t *bytes = text.size > MG_TEXT_LIMIT ? NULL : mg_alloc(run->cx, data.stop + labels->between.size);
	MgTokens tokens;
	bool cut;

	if (bytes == NULL)
		return mg_fail(run->cx, MG_TOO_LARGE, "input is too long");
	for (size_t i = 0; i < 3; size += parts[i++].size)
		if (parts[i].size > 0)
			memcpy(bytes + size, parts[i].data, parts[i].size);
	if (!mg_tokenize(run->cx, run->model->tokenizer, mg_span(bytes, size), (MgData){1, &data}, &tokens))
		return false;
	limit = limit > labels->longest ? limit - labels->longest : 0;
	cut = tokens.n > limit;
	if ((cut && !cut_text(run, data, limit, continuation->long_input, &tokens)) || !mg_sequence_wrap(run, (MgIds){tokens.n, tokens.ids}, sequence))
		return false;
	sequence->cut = cut;
	return sequence->n > 0 || mg_fail(run->cx, MG_BAD_ARGUMENT, "nothing comes before the labels");
}

/* Adds log p of one label's tokens to its score in each of n slots, whose logits behind the prompt are at hand. */
static bool
add_label(const MgRun *run, MgDecoder *decoder, const MgSequence *sequences, size_t n, MgIds label, const float *prompt_logits, float *logits,
		  double *raw, size_t stride)
{
	size_t vocab = run->model->sizes->vocab;
	MgDecoderInput inputs[MG_PROMPT_SLOTS];

	for (size_t t = 0; t < label.n; t++)
	{
		const float *from = t == 0 ? prompt_logits : logits;

		for (size_t i = 0; i < n; i++)
		{
			raw[i * stride] += mg_log_probability(from + i * vocab, vocab, label.ids[t]);
			inputs[i] = (MgDecoderInput){(uint32_t) i, &label.ids[t], 1};
		}
		if (t + 1 < label.n && !mg_decoder_step(decoder, inputs, n, logits))
			return false;
	}
	for (size_t i = 0; i < n; i++)
		mg_decoder_keep(decoder, (uint32_t) i, sequences[i].n);
	return mg_poll(run->cx);
}

/* Raw scores [n] of a text to log probabilities among them. */
static void
normalize(const double *raw, size_t n, float *scores)
{
	double largest = -INFINITY, sum = 0;

	for (size_t k = 0; k < n; k++)
		largest = raw[k] > largest ? raw[k] : largest;
	for (size_t k = 0; k < n; k++)
		sum += exp(raw[k] - largest);
	for (size_t k = 0; k < n; k++)
		scores[k] = (float) (raw[k] - largest - log(sum));
}

/* Sequences [n] in step, n at most MG_PROMPT_SLOTS. */
static bool
run_slots(const Continuation *continuation, const MgSequence *sequences, size_t n, size_t room)
{
	const ContinuationLabels *labels = continuation->labels;
	const MgRun *run = continuation->task.run;
	size_t vocab = run->model->sizes->vocab, n_labels = labels->head.n_labels;
	float *prompt_logits = mg_alloc_array(run->cx, n, vocab * sizeof *prompt_logits), *logits = mg_alloc_array(run->cx, n, vocab * sizeof *logits);
	double *raw = mg_alloc_zeroed(run->cx, n * n_labels, sizeof *raw);
	MgDecoderInput inputs[MG_PROMPT_SLOTS];
	MgDecoder decoder;

	if (prompt_logits == NULL || logits == NULL || raw == NULL || !mg_decoder_init(run, n, room, &decoder))
		return false;
	for (size_t i = 0; i < n; i++)
		inputs[i] = (MgDecoderInput){(uint32_t) i, sequences[i].ids, sequences[i].n};
	if (!mg_decoder_step(&decoder, inputs, n, prompt_logits))
		return false;
	for (size_t k = 0; k < n_labels; k++)
		if (!add_label(run, &decoder, sequences, n, labels->continuations[k], prompt_logits, logits, raw + k, n_labels))
			return false;
	for (size_t i = 0; i < n; i++)
		normalize(raw + i * n_labels, n_labels, continuation->task.out + sequences[i].text * n_labels);
	return true;
}

static bool
run_batch(const MgTask *task, const MgSequence *sequences, size_t n)
{
	const Continuation *continuation = (const Continuation *) task;
	size_t room = 0, slots;

	for (size_t i = 0; i < n; i++)
		room = sequences[i].n > room ? sequences[i].n : room;
	room += continuation->labels->longest;
	if (!mg_prompt_slots(task->run, room, "texts", &slots))
		return false;
	for (size_t at = 0; at < n; at += slots)
	{
		MgMark mark = mg_mark(task->run->cx);

		if (!run_slots(continuation, sequences + at, n - at < slots ? n - at : slots, room))
			return false;
		mg_rewind(task->run->cx, mark);
	}
	return true;
}

static bool
classify(const MgRun *run, const MgClassifyOptions *options, const MgSpan *texts, size_t n, float *scores)
{
	Continuation continuation = {{run, 1, options->refusals, fill, run_batch, .out = scores, .n_out = options->labels->n_labels},
								 (const ContinuationLabels *) options->labels, options->long_input};

	if (!mg_decoder_can(run) || !mg_task_run(&continuation.task, texts, n))
		return false;
	mg_prior_take_off(options->labels, options->basis, n, scores);
	return true;
}

static bool
can(const MgModel *model)
{
	return mg_model_can(model, MG_CAN_GENERATE);
}

static bool
reads(MgSpan template)
{
	return mg_template_has(template, "{text}") && mg_template_has(template, "{label}");
}

const MgWay mg_continuation_way = {can, reads, DEFAULT_TEMPLATE, prepare, mg_prior_size, mg_prior, classify};
