/* Templates and questions to sequences, states to letters. */
#include "task/question.h"

#include <math.h>

#include "task/chat.h"
#include "task/classify_way.h"
#include "task/decoder.h"
#include "task/draw.h"
#include "task/fill_mask.h"

/* As the authors' model was trained; where the vocabulary has their spare token, it is in front of the mask. */
#define INSTRUCTION "You will be given a question and options. Select the right answer."
#define PLAIN INSTRUCTION "\nQUESTION: {question}\nCHOICES:\n{choices}\nANSWER: "
#define SPARE_TOKEN "[unused0]"

/* Of a model for chats the user says the same, and the answer is begun. */
#define CHAT "[{\"role\": \"user\", \"content\": \"" INSTRUCTION " Write its letter.\\nQUESTION: {question}\\nCHOICES:\\n{choices}\"}]"
#define CHAT_ANSWER "The answer is {mask}"

bool
mg_question_can(const MgRun *run)
{
	return mg_model_can(run->model, MG_CAN_GENERATE) ? mg_decoder_can(run) : mg_needs_masks(run);
}

bool
mg_question_reads(MgSpan template)
{
	return mg_template_has(template, "{choices}");
}

static MgSpan
chat_template(const MgRun *run)
{
	MgChatOptions options = {.add_generation_prompt = true};
	const MgTemplate *template = mg_chat_template(run);
	MgRendered rendered;
	uint8_t *bytes;

	if (template == NULL || !mg_chat_prompt(run, template, &options, mg_span_of(CHAT), &rendered))
		return mg_span(NULL, 0);
	bytes = mg_alloc(run->cx, rendered.text.size + sizeof CHAT_ANSWER - 1);
	if (bytes == NULL)
		return mg_span(NULL, 0);
	memcpy(bytes, rendered.text.data, rendered.text.size);
	memcpy(bytes + rendered.text.size, CHAT_ANSWER, sizeof CHAT_ANSWER - 1);
	return mg_span(bytes, rendered.text.size + sizeof CHAT_ANSWER - 1);
}

MgSpan
mg_question_template(const MgRun *run)
{
	if (!mg_model_can(run->model, MG_CAN_FILL_MASK) && run->model->chat_template.size > 0)
		return chat_template(run);
	return mg_model_can(run->model, MG_CAN_FILL_MASK) && mg_token_find(run->model->tokenizer, mg_span_of(SPARE_TOKEN)) >= 0
		? mg_span_of(PLAIN SPARE_TOKEN " {mask}")
		: mg_span_of(PLAIN "{mask}");
}

static bool
fail_template(const MgRun *run, MgSpan template, const char *message, const char *mark)
{
	mg_fail(run->cx, MG_BAD_ARGUMENT, message, mark);
	mg_detail(run->cx, "The template is \"%.*s\".", MG_SPAN_ARGS(template));
	return mg_hint(run->cx, "A template looks like \"QUESTION: {question} CHOICES: {choices} ANSWER: {mask}\".");
}

/* Where the marks are, in their order. */
static bool
split(const MgRun *run, MgSpan template, MgQuestionForm *form)
{
	const char *names[] = {"{question}", "{choices}", "{mask}"};
	size_t at[3], from = 0;

	form->whole = mg_template_has(template, "{text}");
	if (form->whole)
		names[MG_MARK_QUESTION] = "{text}";
	for (int i = 0; i < 3; i++)
	{
		if (!mg_template_find(run->cx, template, mg_span_of(names[i]), &at[i]))
			return false;
		if (at[i] == SIZE_MAX)
			return fail_template(run, template, "template lacks %s", names[i]);
	}
	for (int done = 0; done < 3; done++)
	{
		int next = -1;

		for (int i = 0; i < 3; i++)
			if (at[i] != SIZE_MAX && (next < 0 || at[i] < at[next]))
				next = i;
		form->marks[done] = (MgQuestionMark) next;
		form->parts[done] = mg_span(template.data + from, at[next] - from);
		from = at[next] + strlen(names[next]);
		at[next] = SIZE_MAX;
	}
	form->parts[3] = mg_span(template.data + from, template.size - from);
	return true;
}

/* A decoder goes on at the mask: nothing follows it, and the blank before it belongs to the letter. */
static bool
end_at_mask(const MgRun *run, MgSpan template, MgQuestionForm *form)
{
	MgSpan *last = &form->parts[2];

	for (size_t i = 0; i < form->parts[3].size; i++)
		if (form->parts[3].data[i] != ' ' && form->parts[3].data[i] != '\n')
			return fail_template(run, template, "template goes on behind %s, where a decoder writes", "{mask}");
	if (form->marks[2] != MG_MARK_MASK)
		return fail_template(run, template, "template does not end with %s, where a decoder writes", "{mask}");
	form->parts[3].size = 0;
	while (last->size > 0 && last->data[last->size - 1] == ' ')
		last->size--;
	return true;
}

/* The one token of a text; -1: it has several, or none that is known. */
static bool
one_token(const MgRun *run, const char *text, int32_t *id)
{
	MgTokens tokens;

	if (!mg_tokenize(run->cx, run->model->tokenizer, mg_span_of(text), MG_ALL_DATA, &tokens))
		return false;
	*id = tokens.n == 1 && tokens.ids[0] != run->model->specials.unknown ? tokens.ids[0] : -1;
	return true;
}

static bool
find_letters(const MgRun *run, MgQuestionForm *form)
{
	for (int i = 0; i < MG_MOST_CHOICES; i++)
	{
		char bare[] = {(char) ('A' + i), 0}, spaced[] = {' ', (char) ('A' + i), 0};

		if (!one_token(run, bare, &form->letters[i][0]) || !one_token(run, spaced, &form->letters[i][1]))
			return false;
		if (form->letters[i][1] == form->letters[i][0])
			form->letters[i][1] = -1;
		if (form->letters[i][0] < 0 && form->letters[i][1] < 0)
			return mg_fail(run->cx, MG_UNSUPPORTED, "letter %s is not one token of model \"%s\"", bare, run->name);
		/* A vocabulary without capitals has all the same. */
		for (int j = 0; j < i; j++)
			if (form->letters[j][0] == form->letters[i][0] && form->letters[j][1] == form->letters[i][1])
				return mg_fail(run->cx, MG_UNSUPPORTED, "letters are the same to model \"%s\"", run->name);
	}
	return true;
}

const MgQuestionForm *
mg_question_form(const MgRun *run, MgSpan template)
{
	bool masked = mg_model_can(run->model, MG_CAN_FILL_MASK);
	MgQuestionForm *form = mg_alloc_zeroed(run->cx, 1, sizeof *form);
	char *copy;

	if (form == NULL || !mg_question_can(run))
		return NULL;
	copy = mg_copy_text(run->cx, template);
	if (copy == NULL || !split(run, mg_span(copy, template.size), form))
		return NULL;
	if (masked)
	{
		MgSpan mask = mg_token_text(run->model->tokenizer, run->model->specials.mask);

		form->mask = mg_span(mg_copy_text(run->cx, mask), mask.size);
		if (form->mask.data == NULL)
			return NULL;
	}
	else if (!end_at_mask(run, template, form))
		return NULL;
	return find_letters(run, form) ? form : NULL;
}

/* A prompt as it is put together. */
typedef struct Prompt
{
	uint8_t *bytes;
	size_t size;
	MgDataRange data[2 + MG_MOST_CHOICES];
	size_t n_data;
	size_t question; /* of data, that which may be cut */
	size_t mask;	 /* where it is */
} Prompt;

static void
put(Prompt *prompt, MgSpan part, bool is_data)
{
	if (is_data)
		prompt->data[prompt->n_data++] = (MgDataRange){prompt->size, prompt->size + part.size};
	if (part.size > 0)
		memcpy(prompt->bytes + prompt->size, part.data, part.size);
	prompt->size += part.size;
}

static void
put_choices(Prompt *prompt, const MgQuestion *question)
{
	for (size_t i = 0; i < question->n; i++)
	{
		char head[] = {'\n', '-', ' ', (char) ('A' + i), ':', ' '};

		put(prompt, i == 0 ? mg_span(head + 1, sizeof head - 1) : mg_span(head, sizeof head), false);
		put(prompt, question->choices[(i + question->shift) % question->n], true);
	}
}

static bool
build(const MgRun *run, const MgQuestionForm *form, const MgQuestion *question, Prompt *prompt)
{
	size_t room = form->mask.size + question->rest.size + question->text.size;

	for (int i = 0; i < 4; i++)
		room += form->parts[i].size;
	for (size_t i = 0; i < question->n; i++)
	{
		if (question->choices[i].size > MG_TEXT_LIMIT)
			return mg_fail(run->cx, MG_TOO_LARGE, "choice %zu is too long", i + 1);
		room += question->choices[i].size + 6;
	}
	*prompt = (Prompt){.bytes = question->text.size > MG_TEXT_LIMIT ? NULL : mg_alloc(run->cx, room)};
	if (prompt->bytes == NULL)
		return mg_fail(run->cx, MG_TOO_LARGE, "question is too long");
	for (int i = 0; i < 4; i++)
	{
		put(prompt, form->parts[i], false);
		if (i == 3)
			break;
		switch (form->marks[i])
		{
			case MG_MARK_QUESTION:
				prompt->question = prompt->n_data;
				put(prompt, question->text, true);
				put(prompt, question->rest, false);
				break;
			case MG_MARK_CHOICES:
				put_choices(prompt, question);
				break;
			case MG_MARK_MASK:
				prompt->mask = prompt->size;
				put(prompt, form->mask, false);
				break;
		}
	}
	return true;
}

/* Drops the last tokens of the question until limit are left in all. */
static bool
cut(const MgRun *run, MgDataRange question, size_t limit, MgLongInput long_input, MgTokens *tokens)
{
	size_t wanting;

	if (long_input == MG_LONG_ERROR)
		return mg_fail_too_long(run, tokens->n, limit);
	wanting = mg_tokens_cut(tokens, question, tokens->n - limit);
	if (wanting == 0)
		return true;
	mg_fail(run->cx, MG_TOO_LARGE, "template and choices are too long for model \"%s\"", run->name);
	return mg_detail(run->cx, "Without a question they have %zu tokens more than fit.", wanting);
}

bool
mg_question_fill(const MgRun *run, const MgQuestionForm *form, MgLongInput long_input, const MgQuestion *question, MgSequence *sequence)
{
	size_t limit = mg_text_limit(run->model), place = 0;
	bool masked = form->mask.size > 0, is_cut;
	Prompt prompt;
	MgTokens tokens;

	if (!build(run, form, question, &prompt) ||
		!mg_tokenize(run->cx, run->model->tokenizer, mg_span(prompt.bytes, prompt.size), (MgData){prompt.n_data, prompt.data}, &tokens))
		return false;
	is_cut = tokens.n > limit;
	if (is_cut && !cut(run, prompt.data[prompt.question], limit, long_input, &tokens))
		return false;
	while (masked && place < tokens.n &&
		   !(tokens.ids[place] == run->model->specials.mask && tokens.starts[place] <= prompt.mask && tokens.stops[place] > prompt.mask))
		place++;
	if (masked && place == tokens.n)
		return mg_fail(run->cx, MG_BAD_ARGUMENT, "mask token is not read where the template has it");
	if (!mg_sequence_wrap(run, (MgIds){tokens.n, tokens.ids}, sequence))
		return false;
	if (sequence->n == 0)
		return mg_fail(run->cx, MG_BAD_ARGUMENT, "question has no tokens");
	sequence->place = sequence->first + place;
	sequence->cut = is_cut;
	return true;
}

static float
add_exponents(float a, float b)
{
	float largest = fmaxf(a, b);

	return largest == -INFINITY ? largest : largest + (float) log(exp((double) a - largest) + exp((double) b - largest));
}

/* The letters' share of the vocabulary's probability. */
static float
letter_mass(const MgQuestionForm *form, const float *logits, size_t vocab, size_t count)
{
	double mass = 0;

	for (size_t i = 0; i < count; i++)
		for (int k = 0; k < 2; k++)
			if (form->letters[i][k] >= 0)
				mass += exp(mg_log_probability(logits, vocab, form->letters[i][k]));
	return (float) mass;
}

/* raw of a sequence whose logits over the vocabulary are at hand. */
static void
read_letters(const MgQuestionForm *form, const float *logits, float *raw)
{
	for (int i = 0; i < MG_MOST_CHOICES; i++)
	{
		float both[2];

		for (int k = 0; k < 2; k++)
			both[k] = form->letters[i][k] >= 0 ? logits[form->letters[i][k]] : -INFINITY;
		raw[i] = add_exponents(both[0], both[1]);
	}
}

/* The same from a state behind the head: only letters pass the vocabulary's matrix. */
static void
read_state(const MgRun *run, const MgQuestionForm *form, const float *state, float *raw)
{
	const MgVocabulary vocabulary = run->model->arch->vocabulary(run->model);

	for (int i = 0; i < MG_MOST_CHOICES; i++)
	{
		float both[2];

		for (int k = 0; k < 2; k++)
		{
			int32_t id = form->letters[i][k];

			both[k] = id < 0 ? -INFINITY
							 : mg_table_dot(run->compute, vocabulary.matrix, (size_t) id, state) + (vocabulary.bias != NULL ? vocabulary.bias[id] : 0);
		}
		raw[i] = add_exponents(both[0], both[1]);
	}
}

static bool
run_masked(const MgRun *run, const MgQuestionForm *form, const MgSequence *sequences, size_t n, float *raw, const size_t *counts, float *mass)
{
	const MgVocabulary vocabulary = run->model->arch->vocabulary(run->model);
	size_t h = run->model->sizes->width, vocab = run->model->sizes->vocab;
	uint32_t *rows = mg_alloc_array(run->cx, n, sizeof *rows);
	float *states = mg_alloc_array(run->cx, n, h * sizeof *states), *headed = mg_alloc_array(run->cx, n, h * sizeof *headed);
	float *logits = mass != NULL ? mg_alloc_array(run->cx, n, vocab * sizeof *logits) : headed;
	MgBatch batch;

	if (rows == NULL || states == NULL || headed == NULL || logits == NULL || !mg_batch_pack(run->cx, sequences, n, &batch))
		return false;
	for (size_t i = 0; i < n; i++)
		rows[i] = (uint32_t) (batch.offsets[i] + sequences[i].place);
	batch.rows = rows;
	batch.n_rows = n;
	if (!run->model->arch->forward(run, &batch, states) || !run->model->arch->head(run, states, n, headed))
		return false;
	for (size_t i = 0; i < n; i++)
		read_state(run, form, headed + i * h, raw + i * MG_MOST_CHOICES);
	if (mass == NULL)
		return true;
	if (!mg_table_linear(run->cx, run->compute, (MgRows){headed, h, n}, (MgLinear){vocabulary.matrix, vocabulary.bias, MG_ACT_NONE, logits, vocab}))
		return false;
	for (size_t i = 0; i < n; i++)
		mass[i] = letter_mass(form, logits + i * vocab, vocab, counts[i]);
	return true;
}

/* Sequences [n] as slots of a decoder. */
static bool
run_slots(const MgRun *run, const MgQuestionForm *form, const MgSequence *sequences, size_t n, size_t room, float *raw, const size_t *counts, float *mass)
{
	size_t vocab = run->model->sizes->vocab;
	float *logits = mg_alloc_array(run->cx, n, vocab * sizeof *logits);
	MgDecoderInput inputs[MG_PROMPT_SLOTS];
	MgDecoder decoder;

	if (logits == NULL || !mg_decoder_init(run, n, room, &decoder))
		return false;
	for (size_t i = 0; i < n; i++)
		inputs[i] = (MgDecoderInput){(uint32_t) i, sequences[i].ids, sequences[i].n};
	if (!mg_decoder_step(&decoder, inputs, n, logits))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		read_letters(form, logits + i * vocab, raw + i * MG_MOST_CHOICES);
		if (mass != NULL)
			mass[i] = letter_mass(form, logits + i * vocab, vocab, counts[i]);
	}
	return true;
}

static bool
run_decoder(const MgRun *run, const MgQuestionForm *form, const MgSequence *sequences, size_t n, float *raw, const size_t *counts, float *mass)
{
	size_t room = 0, slots;

	for (size_t i = 0; i < n; i++)
		room = sequences[i].n > room ? sequences[i].n : room;
	if (!mg_prompt_slots(run, room, "questions", &slots))
		return false;
	for (size_t at = 0; at < n; at += slots)
	{
		size_t some = n - at < slots ? n - at : slots;
		MgMark mark = mg_mark(run->cx);

		if (!run_slots(run, form, sequences + at, some, room, raw + at * MG_MOST_CHOICES, counts != NULL ? counts + at : NULL, mass != NULL ? mass + at : NULL))
			return false;
		mg_rewind(run->cx, mark);
	}
	return true;
}

bool
mg_question_run(const MgRun *run, const MgQuestionForm *form, const MgSequence *sequences, size_t n, float *raw, const size_t *counts, float *mass)
{
	return (form->mask.size > 0 ? run_masked : run_decoder)(run, form, sequences, n, raw, counts, mass);
}

void
mg_question_scores(const MgQuestion *question, const float *raw, float *scores)
{
	float largest = -INFINITY, log_sum;
	double sum = 0;

	for (size_t i = 0; i < question->n; i++)
		largest = fmaxf(largest, raw[i]);
	for (size_t i = 0; i < question->n; i++)
		sum += exp((double) raw[i] - largest);
	log_sum = largest + (float) log(sum);
	for (size_t i = 0; i < question->n; i++)
		scores[(i + question->shift) % question->n] = raw[i] - log_sum;
}
