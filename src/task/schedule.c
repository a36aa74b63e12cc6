/* Windows of texts: distinct ones to sequences, sequences sorted by length, cut into batches, results copied to equals. */
#include "task/schedule.h"

#include "core/hash.h"

/* Batches of a window. Sorting over more finds nothing better; tokens of a window are 128 kB at the default. */
#define WINDOW_BATCHES 64

/* Most texts and sequences of a window, however short they are. */
#define WINDOW_TEXTS 65536
#define WINDOW_SEQUENCES 16384

typedef struct Window
{
	size_t budget; /* tokens of a batch */
	size_t most_texts;
	size_t most_sequences; /* it is full from there on */
	size_t most_tokens;

	size_t n_texts;
	uint32_t *firsts; /* [n_texts] the first text that is equal, which may be the text itself */
	bool *refused;	  /* [n_texts] */
	size_t n_refused;
	size_t n_slots;	  /* a power of 2 */
	uint32_t *slots;  /* [n_slots] distinct texts by hash, plus 1; 0: free */

	size_t n_sequences;
	MgSequence *sequences, *sorted;
	size_t n_tokens;
	int32_t *ids; /* [n_tokens] of all sequences */
	uint8_t *segments; /* the same; not set where a sequence has none */
	size_t *ends; /* [max_tokens + 2] for sorting */
} Window;

static size_t
budget_of(const MgRun *run)
{
	return run->batch_tokens > 0 ? run->batch_tokens : MG_BATCH_TOKENS;
}

/* Batches of sequences [n], in their order. */
static bool
run_batches(const MgTask *task, const MgSequence *sequences, size_t n)
{
	for (size_t done = 0; done < n;)
	{
		MgMark mark = mg_mark(task->run->cx);
		size_t taken = mg_batch_take(sequences + done, n - done, budget_of(task->run));

		if (!mg_poll(task->run->cx) || !task->run_batch(task, sequences + done, taken))
			return false;
		for (size_t i = 0; i < taken; i++)
			task->run->usage->tokens += sequences[done + i].n;
		task->run->usage->batches++;
		done += taken;
		mg_rewind(task->run->cx, mark);
	}
	return true;
}

/* Hands on a text's own fault, if somebody wants to hear of it; false when the error is the call's. */
static bool
refuse(const MgTask *task, size_t number)
{
	MgError *error = &task->run->cx->error;

	if (task->refusals == NULL ||
		(error->code != MG_BAD_ARGUMENT && error->code != MG_BAD_TEXT && error->code != MG_TOO_LARGE))
		return false;
	task->refusals->refuse(task->refusals->user, number, error);
	memset(error, 0, sizeof *error);
	return true;
}

/* Sequences of one text, told whose they are. */
static bool
fill(const MgTask *task, MgSpan text, size_t number, MgSequence *sequences, bool *refused)
{
	uint64_t begin = mg_profile_begin(task->run->compute);

	*refused = false;
	memset(sequences, 0, task->n_parts * sizeof *sequences);
	if (!task->fill(task, text, sequences))
		return *refused = refuse(task, number);
	for (size_t i = 0; i < task->n_parts; i++)
	{
		sequences[i].text = number;
		sequences[i].part = i;
		if (sequences[i].cut && task->run->cut != NULL)
			task->run->cut[number] = true;
	}
	mg_profile_end(task->run->compute, MG_PHASE_TOKENIZE, begin);
	return true;
}

static bool
run_alone(const MgTask *task, MgSpan text, size_t *n_refused)
{
	MgSequence *sequences = mg_alloc_array(task->run->cx, task->n_parts, sizeof *sequences);
	bool refused;

	if (sequences == NULL || !mg_poll(task->run->cx) || !fill(task, text, 0, sequences, &refused))
		return false;
	*n_refused = refused;
	return refused || run_batches(task, sequences, task->n_parts);
}

static bool
make_window(const MgTask *task, size_t n, Window *window)
{
	size_t longest = task->run->model->meta.max_tokens, room, tokens;

	window->budget = budget_of(task->run);
	window->most_texts = n < WINDOW_TEXTS ? n : WINDOW_TEXTS;
	window->most_sequences = WINDOW_SEQUENCES;
	window->most_tokens = WINDOW_BATCHES * window->budget;
	for (window->n_slots = 4; window->n_slots < 2 * window->most_texts;)
		window->n_slots *= 2;

	/* What is full takes one more text; few texts never fill it. */
	room = window->most_sequences - 1 + task->n_parts;
	if (window->most_texts < room / task->n_parts)
		room = window->most_texts * task->n_parts;
	if (!mg_multiply(room, longest, &tokens) || tokens > window->most_tokens - 1 + task->n_parts * longest)
		tokens = window->most_tokens - 1 + task->n_parts * longest;
	window->n_refused = 0;
	window->refused = mg_alloc(task->run->cx, window->most_texts);
	window->firsts = mg_alloc_array(task->run->cx, window->most_texts, sizeof *window->firsts);
	window->slots = mg_alloc_array(task->run->cx, window->n_slots, sizeof *window->slots);
	window->sequences = mg_alloc_array(task->run->cx, room, sizeof *window->sequences);
	window->sorted = mg_alloc_array(task->run->cx, room, sizeof *window->sorted);
	window->ids = mg_alloc_array(task->run->cx, tokens, sizeof *window->ids);
	window->segments = mg_alloc(task->run->cx, tokens);
	window->ends = mg_alloc_array(task->run->cx, longest + 2, sizeof *window->ends);
	return window->refused != NULL && window->firsts != NULL && window->slots != NULL && window->sequences != NULL && window->sorted != NULL &&
		window->ids != NULL && window->segments != NULL && window->ends != NULL;
}

/*
 * The first text of the window that equals texts[number], which is put into the table if there is none before it. Texts
 * that are made to collide cost their maker time, 65536 steps each at most.
 */
static uint32_t
first_of(Window *window, const MgSpan *texts, uint32_t number)
{
	MgHash hash = mg_hash((MgHash){{0, 0}}, texts[number]);
	size_t slot = hash.words[0] & (window->n_slots - 1);

	while (window->slots[slot] != 0)
	{
		uint32_t other = window->slots[slot] - 1;

		if (mg_span_equal(texts[other], texts[number]))
			return other;
		slot = (slot + 1) & (window->n_slots - 1);
	}
	window->slots[slot] = number + 1;
	return number;
}

/* Makes a text's sequences; what tokenising leaves in the arena is not kept. */
static bool
add_text(const MgTask *task, Window *window, MgSpan text, size_t number, bool *refused)
{
	MgSequence *added = window->sequences + window->n_sequences;
	MgMark mark = mg_mark(task->run->cx);

	if (!fill(task, text, number, added, refused))
		return false;
	for (size_t i = 0; !*refused && i < task->n_parts; i++)
	{
		int32_t *ids = window->ids + window->n_tokens;

		memcpy(ids, added[i].ids, added[i].n * sizeof *ids);
		added[i].ids = ids;
		if (added[i].segments != NULL)
			added[i].segments = memcpy(window->segments + window->n_tokens, added[i].segments, added[i].n);
		window->n_tokens += added[i].n;
	}
	window->n_sequences += *refused ? 0 : task->n_parts;
	mg_rewind(task->run->cx, mark);
	return true;
}

/* The next texts of [n], n > 0; number is that of the first in the task. */
static bool
fill_window(const MgTask *task, Window *window, const MgSpan *texts, size_t n, size_t number)
{
	window->n_texts = window->n_sequences = window->n_tokens = 0;
	memset(window->slots, 0, window->n_slots * sizeof *window->slots);
	while (window->n_texts < n && window->n_texts < window->most_texts &&
		   window->n_sequences < window->most_sequences && window->n_tokens < window->most_tokens)
	{
		uint32_t text = (uint32_t) window->n_texts++;

		if (!mg_poll(task->run->cx))
			return false;
		window->firsts[text] = first_of(window, texts, text);
		window->refused[text] = false;
		/* What equals a refused text is asked for itself: it gets an error of its own. */
		if (window->refused[window->firsts[text]])
			window->firsts[text] = text;
		if (window->firsts[text] == text && !add_text(task, window, texts[text], number + text, &window->refused[text]))
			return false;
		window->n_refused += window->refused[text];
	}
	return true;
}

/* By length, the shortest first; equal lengths keep their order. */
static void
sort_window(const MgTask *task, Window *window)
{
	size_t longest = task->run->model->meta.max_tokens, *ends = window->ends;

	memset(ends, 0, (longest + 2) * sizeof *ends);
	for (size_t i = 0; i < window->n_sequences; i++)
		ends[window->sequences[i].n + 1]++;
	for (size_t length = 1; length <= longest + 1; length++)
		ends[length] += ends[length - 1];
	for (size_t i = 0; i < window->n_sequences; i++)
		window->sorted[ends[window->sequences[i].n]++] = window->sequences[i];
}

/* From a text to an equal one. */
static bool
copy_result(const MgTask *task, size_t from, size_t to)
{
	if (task->run->cut != NULL)
		task->run->cut[to] = task->run->cut[from];
	if (task->copy != NULL)
		return task->copy(task, from, to);
	memcpy(task->out + to * task->n_out, task->out + from * task->n_out, task->n_out * sizeof *task->out);
	return true;
}

static bool
run_many(const MgTask *task, const MgSpan *texts, size_t n, size_t *n_refused)
{
	Window window;

	if (!make_window(task, n, &window))
		return false;
	for (size_t done = 0; done < n; done += window.n_texts)
	{
		if (!fill_window(task, &window, texts + done, n - done, done))
			return false;
		sort_window(task, &window);
		if (!run_batches(task, window.sorted, window.n_sequences))
			return false;
		for (size_t i = 0; i < window.n_texts; i++)
			if (window.firsts[i] != i && !copy_result(task, done + window.firsts[i], done + i))
				return false;
	}
	*n_refused = window.n_refused;
	return true;
}

bool
mg_task_run(const MgTask *task, const MgSpan *texts, size_t n)
{
	MgMark mark = mg_mark(task->run->cx);
	size_t n_refused = 0;

	if (n > 0 && !(n == 1 ? run_alone(task, texts[0], &n_refused) : run_many(task, texts, n, &n_refused)))
		return false;
	task->run->usage->rows += n - n_refused;
	mg_rewind(task->run->cx, mark);
	return true;
}
