/* Generation: prompts to slots, steps of all of them, tokens drawn, slots refilled. */
#include "task/generate.h"

#include <stdio.h>

#include "core/hash.h"
#include "format/json.h"
#include "task/draft.h"
#include "text/stream.h"

/* A beginning that all prompts share is computed once from this length on. */
#define LEAST_SHARED 16

#define MOST_ENDS 64
#define NO_ROW SIZE_MAX

/* Bytes of an answer at first. */
#define FIRST_TEXT 256

static bool
add_end(const MgRun *run, const MgJson *value, int32_t *ends, size_t *n)
{
	if (value->kind != MG_JSON_INTEGER || value->integer < 0 || value->integer >= (int64_t) run->model->sizes->vocab || *n == MOST_ENDS)
		return mg_fail(run->cx, MG_BAD_FILE, "model \"%s\" has an \"eos_token_id\" that is no token, or too many", run->name);
	ends[(*n)++] = (int32_t) value->integer;
	return true;
}

bool
mg_generation_defaults(const MgRun *run, MgSampling *sampling, MgIds *ends)
{
	static const char name[] = "generation_config.json";
	int32_t *ids = mg_alloc_array(run->cx, MOST_ENDS, sizeof *ids);
	const MgJson *object, *value;

	*sampling = MG_SAMPLING_PLAIN;
	sampling->temperature = 0;
	*ends = (MgIds){0, ids};
	if (ids == NULL || run->model->generation.size == 0)
		return ids != NULL;
	object = mg_json_parse(run->cx, name, run->model->generation);
	if (object == NULL || !mg_sampling_read(run->cx, name, object, sampling))
		return false;
	value = mg_json_get(object, "eos_token_id");
	if (value == NULL || value->kind == MG_JSON_NULL)
		return true;
	if (value->kind != MG_JSON_ARRAY)
		return add_end(run, value, ids, &ends->n);
	for (size_t i = 0; i < value->n; i++)
		if (!add_end(run, &value->items[i], ids, &ends->n))
			return false;
	return true;
}

/* A sequence in a slot. */
typedef struct Running
{
	size_t row; /* of the prompts; NO_ROW: the slot is free */
	int32_t *ids; /* [room] prompt and answer */
	size_t n;
	MgTextStream *stream;
} Running;

typedef struct Engine
{
	const MgRun *run;
	const MgGenerateOptions *options;
	const MgIds *prompts;
	MgAnswer *answers;
	size_t n, next; /* prompts, and those that have begun */
	MgIds ends;
	MgDecoder decoder;
	size_t n_slots, room;
	size_t shared; /* tokens that all prompts begin with, kept in the slot behind the others */
	Running *slots;
	MgDecoderInput *inputs; /* [n_slots] of a step */
	float *logits;			/* [n_slots, vocab] */
	float *scored;			/* [vocab] of samples: as the model has them */
	MgDraft draft;			/* of the last text, when it goes on alone */
} Engine;

/* The most tokens of prompt and answer. */
static size_t
room_for(const MgRun *run, const MgGenerateOptions *options, size_t n)
{
	size_t longest = run->model->meta.max_tokens;

	return options->max_tokens < longest - n ? n + options->max_tokens : longest;
}

static size_t
room_of(const Engine *engine, size_t row)
{
	return room_for(engine->run, engine->options, engine->prompts[row].n);
}

/* Sequences of so many tokens that the memory has keys for: at least one. */
static bool
count_fitting(const MgRun *run, const MgGenerateOptions *options, size_t room, size_t *fitting)
{
	size_t size;

	if (!mg_decoder_slot_size(run->model, room, &size))
		size = SIZE_MAX;
	*fitting = options->memory / (size > 0 ? size : 1);
	if (*fitting > 0)
		return true;
	mg_fail(run->cx, MG_TOO_LARGE, "keys of %zu tokens do not fit into the memory for them", room);
	mg_detail(run->cx, "They take %zu kB of model \"%s\", and %zu kB are allowed.", size / 1024, run->name, options->memory / 1024);
	return mg_hint(run->cx, "Raise maskgen.kv_memory, shorten the prompt, or lower max_tokens.");
}

/* Tokens that all prompts begin with; each keeps one of its own. */
static size_t
shared_beginning(const Engine *engine)
{
	const MgIds *first = &engine->prompts[0];
	size_t n = first->n - 1;

	for (size_t i = 1; i < engine->n; i++)
	{
		const MgIds *other = &engine->prompts[i];
		size_t at = 0;

		while (at < n && at + 1 < other->n && first->ids[at] == other->ids[at])
			at++;
		n = at;
	}
	return engine->n > 1 && n >= LEAST_SHARED ? n : 0;
}

/* Slots as memory allows. */
static bool
plan_slots(Engine *engine)
{
	size_t fitting;

	engine->room = 1;
	for (size_t i = 0; i < engine->n; i++)
		if (room_of(engine, i) > engine->room)
			engine->room = room_of(engine, i);
	engine->shared = shared_beginning(engine);
	if (!count_fitting(engine->run, engine->options, engine->room, &fitting))
		return false;
	if (fitting < 2)
		engine->shared = 0;
	engine->n_slots = engine->n < MG_GENERATE_SLOTS ? engine->n : MG_GENERATE_SLOTS;
	if (engine->n_slots > fitting - (engine->shared > 0))
		engine->n_slots = fitting - (engine->shared > 0);
	return true;
}

/* What all prompts begin with, which is kept for the next call: samples of one prompt say nothing of others. */
static bool
begin_shared(Engine *engine)
{
	const MgPromptCache *cache = engine->options->cache;
	uint32_t slot = (uint32_t) engine->n_slots;
	const int32_t *ids = engine->prompts[0].ids;
	size_t found;

	if (!mg_prompt_cache_load(cache, &engine->decoder, slot, ids, engine->shared))
		return false;
	found = engine->decoder.lengths[slot];
	return (found == engine->shared || mg_decoder_step(&engine->decoder, &(MgDecoderInput){slot, ids + found, engine->shared - found}, 1, NULL)) &&
		mg_prompt_cache_save(cache, &engine->decoder, slot, ids, engine->shared, !engine->options->samples);
}

static bool
prepare(Engine *engine)
{
	MgCtx *cx = engine->run->cx;
	size_t vocab = engine->run->model->sizes->vocab;

	if (!plan_slots(engine) ||
		!mg_decoder_init(engine->run, engine->n_slots + (engine->shared > 0), engine->room, &engine->decoder))
		return false;
	engine->slots = mg_alloc_zeroed(cx, engine->n_slots, sizeof *engine->slots);
	engine->inputs = mg_alloc_array(cx, engine->n_slots, sizeof *engine->inputs);
	engine->logits = mg_alloc_array(cx, engine->n_slots > MG_MOST_DRAFTED ? engine->n_slots : MG_MOST_DRAFTED + 1, vocab * sizeof *engine->logits);
	mg_draft_init(&engine->draft);
	engine->scored = mg_alloc_array(cx, engine->options->samples ? vocab : 0, sizeof *engine->scored);
	if (engine->slots == NULL || engine->inputs == NULL || engine->logits == NULL || engine->scored == NULL)
		return false;
	for (size_t s = 0; s < engine->n_slots; s++)
	{
		engine->slots[s].row = NO_ROW;
		engine->slots[s].ids = mg_alloc_array(cx, engine->room, sizeof(int32_t));
		if (engine->slots[s].ids == NULL)
			return false;
	}
	return engine->shared == 0 || begin_shared(engine);
}

/* Appends to an answer, in arena memory that doubles. */
static bool
add_text(const Engine *engine, MgAnswer *answer, MgSpan piece)
{
	size_t old = answer->text.size, size = old + piece.size, room = FIRST_TEXT;
	uint8_t *text = (uint8_t *) answer->text.data;

	if (piece.size == 0)
		return true;
	while (room < old)
		room *= 2;
	if (old == 0 || size > room)
	{
		while (room < size)
			room *= 2;
		text = mg_alloc(engine->run->cx, room);
		if (text == NULL)
			return false;
		if (old > 0)
			memcpy(text, answer->text.data, old);
	}
	memcpy(text + old, piece.data, piece.size);
	answer->text = mg_span(text, size);
	return true;
}

static bool
is_end(const Engine *engine, int32_t id)
{
	for (size_t i = 0; i < engine->ends.n; i++)
		if (engine->ends.ids[i] == id)
			return true;
	return false;
}

/* Gives up an answer that cannot go on, if somebody wants to hear of that; its slot is free. */
static bool
give_up(Engine *engine, Running *running)
{
	MgError *error = &engine->run->cx->error, *copy;

	if (engine->options->refusals == NULL || error->code == MG_NO_MEMORY || error->code == MG_STOPPED)
		return false;
	copy = mg_alloc(engine->run->cx, sizeof *copy);
	if (copy == NULL)
		return false;
	*copy = *error;
	memset(error, 0, sizeof *error);
	engine->answers[running->row].error = copy;
	running->row = NO_ROW;
	return true;
}

/* Draws the next token of a slot; the answer may be complete then, and the slot free. */
static bool
draw(Engine *engine, uint32_t slot, float *logits)
{
	Running *running = &engine->slots[slot];
	MgAnswer *answer = &engine->answers[running->row];
	MgHistory history = {running->ids, running->n, engine->prompts[running->row].n};
	MgSpan piece = {NULL, 0};
	size_t vocab = engine->run->model->sizes->vocab;
	int32_t id;

	/* Drawing changes logits. */
	if (engine->options->samples)
		memcpy(engine->scored, logits, vocab * sizeof *logits);
	if (!mg_draw(engine->run->cx, &engine->options->sampling, history, engine->ends, engine->options->samples ? running->row : 0, logits, vocab, &id))
		return give_up(engine, running);
	if (engine->options->samples)
		answer->score += mg_log_probability(engine->scored, vocab, id);
	answer->n_tokens++;
	engine->run->usage->new_tokens++;
	answer->complete = is_end(engine, id);
	if (!answer->complete)
	{
		running->ids[running->n++] = id;
		answer->complete = mg_text_stream_put(running->stream, id, &piece);
		if (!add_text(engine, answer, piece))
			return false;
		if (!answer->complete && running->n < room_of(engine, running->row))
			return true;
	}
	/* A stop string has taken what was held back; an end has not. */
	if ((!answer->complete || is_end(engine, id)) && !add_text(engine, answer, mg_text_stream_end(running->stream)))
		return false;
	running->row = NO_ROW;
	engine->run->usage->answers++;
	return true;
}

/* One step of n inputs, and a token for each. */
static bool
step(Engine *engine, size_t n)
{
	size_t vocab = engine->run->model->sizes->vocab;

	if (n == 0)
		return true;
	if (!mg_decoder_step(&engine->decoder, engine->inputs, n, engine->logits))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!mg_poll(engine->run->cx) || !draw(engine, engine->inputs[i].slot, engine->logits + i * vocab))
			return false;
	return true;
}

/* Prompts that were read by the last step's inputs [n], where no beginning that all share was kept: in case that they come again. */
static bool
keep_prompts(const Engine *engine, size_t n)
{
	for (size_t i = 0; i < n && engine->shared == 0; i++)
	{
		const MgDecoderInput *input = &engine->inputs[i];
		const int32_t *ids = engine->slots[input->slot].ids;

		if (!mg_prompt_cache_save(engine->options->cache, &engine->decoder, input->slot, ids, (size_t) (input->ids - ids) + input->n, false))
			return false;
	}
	return true;
}

/* Prompts to free slots. */
static bool
begin(Engine *engine)
{
	size_t n = 0, held;

	for (uint32_t s = 0; s < engine->n_slots && engine->next < engine->n; s++)
	{
		Running *running = &engine->slots[s];
		const MgIds *prompt = &engine->prompts[engine->next];

		if (running->row != NO_ROW)
			continue;
		running->stream = mg_text_stream(engine->run->cx, engine->run->model->tokenizer, engine->options->stops, engine->options->n_stops);
		if (running->stream == NULL)
			return false;
		running->row = engine->next++;
		running->n = prompt->n;
		memcpy(running->ids, prompt->ids, prompt->n * sizeof *running->ids);
		mg_decoder_keep(&engine->decoder, s, 0);
		if (engine->shared > 0)
			mg_decoder_share(&engine->decoder, (uint32_t) engine->n_slots, engine->shared, s);
		else if (!mg_prompt_cache_load(engine->options->cache, &engine->decoder, s, prompt->ids, prompt->n - 1))
			return false;
		held = engine->decoder.lengths[s];
		engine->inputs[n++] = (MgDecoderInput){s, running->ids + held, prompt->n - held};
	}
	return step(engine, n) && keep_prompts(engine, n);
}

/* A step of the only text that goes on, with drafts behind its last token; *tried: there were some. */
static bool
speculate(Engine *engine, uint32_t slot, bool *tried)
{
	Running *running = &engine->slots[slot];
	size_t vocab = engine->run->model->sizes->vocab, n, drawn = 0;
	int32_t drafts[MG_MOST_DRAFTED];
	const int32_t *found;

	n = mg_draft_find(&engine->draft, running->ids, running->n, room_of(engine, running->row) - running->n, &found);
	*tried = n > 0;
	if (n == 0)
		return true;
	/* Draws are put behind the text, where drafts may stand. */
	memcpy(drafts, found, n * sizeof *drafts);
	if (!mg_draft_read(&engine->decoder, slot, running->ids[running->n - 1], drafts, n, engine->logits))
		return false;
	for (bool right = true; right && drawn <= n; drawn++)
	{
		if (!mg_poll(engine->run->cx) || !draw(engine, slot, engine->logits + drawn * vocab))
			return false;
		right = running->row != NO_ROW && drawn < n && running->ids[running->n - 1] == drafts[drawn];
	}
	engine->run->usage->decoded += drawn;
	mg_draft_tell(&engine->draft, drawn - 1, n);
	if (running->row != NO_ROW)
		mg_decoder_keep(&engine->decoder, slot, running->n - 1);
	return true;
}

/* The tokens that were drawn last, of all slots. */
static bool
advance(Engine *engine, bool *any)
{
	size_t n = 0;

	for (uint32_t s = 0; s < engine->n_slots; s++)
		if (engine->slots[s].row != NO_ROW)
			engine->inputs[n++] = (MgDecoderInput){s, engine->slots[s].ids + engine->slots[s].n - 1, 1};
	*any = n > 0;
	if (n == 1 && engine->next == engine->n)
	{
		bool tried;

		if (!speculate(engine, engine->inputs[0].slot, &tried))
			return false;
		if (tried)
			return true;
	}
	engine->run->usage->decoded += n;
	return step(engine, n);
}

bool
mg_generate_ids(const MgRun *run, const MgGenerateOptions *options, const MgIds *prompts, size_t n, MgAnswer *answers)
{
	Engine engine = {.run = run, .options = options, .prompts = prompts, .answers = answers, .n = n};
	MgSampling unused;
	bool any = true;

	memset(answers, 0, n * sizeof *answers);
	if (!mg_decoder_can(run))
		return false;
	if (n == 0)
		return true;
	if (!mg_sampling_check(run->cx, &options->sampling, run->model->sizes->vocab) ||
		!mg_generation_defaults(run, &unused, &engine.ends) || !prepare(&engine))
		return false;
	while (engine.next < n || any)
		if (!begin(&engine) || !advance(&engine, &any))
			return false;
	return true;
}

/* Prompts that are computed, and whose answers are whose. */
typedef struct Texts
{
	size_t n;
	MgIds *ids;		/* [n] */
	size_t *places; /* [texts] of the ids; NO_ROW: refused */
	size_t n_slots;
	uint32_t *slots; /* by hash: the number of a text, plus 1 */
} Texts;

bool
mg_generate_fits(const MgRun *run, MgIds prompt)
{
	size_t longest = run->model->meta.max_tokens;

	if (prompt.n == 0)
		return mg_fail(run->cx, MG_BAD_ARGUMENT, "prompt has no tokens");
	if (prompt.n < longest)
		return true;
	mg_fail(run->cx, MG_TOO_LARGE, "prompt is too long for model \"%s\"", run->name);
	return mg_detail(run->cx, "It has %zu tokens; at most %zu leave room for an answer.", prompt.n, longest - 1);
}

bool
mg_generate_prompt(const MgRun *run, const MgGenerateOptions *options, MgSpan text, MgIds *ids)
{
	MgSequence sequence;

	if (!mg_sequence_of_text(run, mg_span(NULL, 0), text, options->read_specials, MG_LONG_ERROR, &sequence))
	{
		/* A prompt is never cut, whatever maskgen.long_input says. */
		if (run->cx->error.code == MG_TOO_LARGE)
			snprintf(run->cx->error.hint, sizeof run->cx->error.hint, "Shorten the prompt.");
		return false;
	}
	*ids = (MgIds){sequence.n, sequence.ids};
	return mg_generate_fits(run, *ids);
}

/* The slot of a text: one that equals it, or a free one. */
static uint32_t *
find_text(const Texts *all, const MgSpan *texts, size_t number)
{
	size_t slot = mg_hash((MgHash){{0, 0}}, texts[number]).words[0] & (all->n_slots - 1);

	while (all->slots[slot] != 0 && !mg_span_equal(texts[all->slots[slot] - 1], texts[number]))
		slot = (slot + 1) & (all->n_slots - 1);
	return &all->slots[slot];
}

/* A prompt's own fault is handed on, if somebody wants to hear of it. Beyond memory and a stop, all that reading it meets is its own. */
static bool
refuse(const MgRun *run, const MgGenerateOptions *options, size_t number)
{
	MgError *error = &run->cx->error;

	if (options->refusals == NULL || error->code == MG_NO_MEMORY || error->code == MG_STOPPED)
		return false;
	options->refusals->refuse(options->refusals->user, number, error);
	memset(error, 0, sizeof *error);
	return true;
}

static bool
gather(const MgRun *run, const MgGenerateOptions *options, const MgPromptReader *reader, const MgSpan *texts, size_t n, Texts *all)
{
	for (all->n_slots = 4; all->n_slots < 2 * n;)
		all->n_slots *= 2;
	all->ids = mg_alloc_array(run->cx, n, sizeof *all->ids);
	all->places = mg_alloc_array(run->cx, n, sizeof *all->places);
	all->slots = mg_alloc_zeroed(run->cx, all->n_slots, sizeof *all->slots);
	if (all->ids == NULL || all->places == NULL || all->slots == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		uint32_t *slot = find_text(all, texts, i);
		size_t fitting;

		if (!mg_poll(run->cx))
			return false;
		all->places[i] = NO_ROW;
		if (*slot != 0)
			all->places[i] = all->places[*slot - 1];
		else if (reader->read(run, reader, texts[i], &all->ids[all->n]) &&
				 count_fitting(run, options, room_for(run, options, all->ids[all->n].n), &fitting))
		{
			all->places[i] = all->n++;
			*slot = (uint32_t) i + 1;
		}
		else if (!refuse(run, options, i))
			return false;
	}
	return true;
}

typedef struct TextReader
{
	MgPromptReader reader;
	const MgGenerateOptions *options;
} TextReader;

static bool
read_text(const MgRun *run, const MgPromptReader *reader, MgSpan text, MgIds *ids)
{
	return mg_generate_prompt(run, ((const TextReader *) reader)->options, text, ids);
}

bool
mg_generate(const MgRun *run, const MgGenerateOptions *options, const MgSpan *prompts, size_t n, MgAnswer *answers)
{
	TextReader reader = {{read_text}, options};

	return mg_generate_read(run, options, &reader.reader, prompts, n, answers);
}

bool
mg_generate_read(const MgRun *run, const MgGenerateOptions *options, const MgPromptReader *reader, const MgSpan *prompts, size_t n,
				 MgAnswer *answers)
{
	Texts all = {0};
	MgAnswer *computed;

	memset(answers, 0, n * sizeof *answers);
	if (!mg_decoder_can(run) || !gather(run, options, reader, prompts, n, &all))
		return false;
	computed = mg_alloc_array(run->cx, all.n, sizeof *computed);
	if (computed == NULL || !mg_generate_ids(run, options, all.ids, all.n, computed))
		return false;
	for (size_t i = 0; i < n; i++)
		if (all.places[i] != NO_ROW)
		{
			answers[i] = computed[all.places[i]];
			run->usage->rows++;
			if (answers[i].error == NULL)
				continue;
			run->cx->error = *answers[i].error;
			if (!refuse(run, options, i))
				return false;
		}
	return true;
}
