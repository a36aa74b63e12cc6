/*
 * Runs a program of steps. A place to go back to has the step and the text's place; that of a greedy repetition stands for all its shorter
 * ways, and is shortened by a character each time; that of a lazy one is lengthened.
 */
#include "text/regex.h"

#include "text/utf8.h"

#define NONE SIZE_MAX

/* Steps between two polls. */
#define POLL_STEP 16384

typedef struct MgRegexPlace
{
	uint32_t step; /* where to go on; of a lazy repetition, that */
	size_t at;
	size_t low;		/* of a greedy repetition: its shortest way; NONE: there is no other way */
	uint32_t lazy;	/* characters that a lazy repetition may still take */
} MgRegexPlace;

typedef struct Run
{
	const MgRegexText *text;
	const MgRegex *regex;
	MgSpan bytes; /* that this match may see */
	size_t n;	  /* of the stack */
	size_t work, polled;
} Run;

static bool
push(Run *run, MgRegexPlace place)
{
	MgRegexStack *stack = run->text->stack;

	if (run->n == stack->room)
	{
		size_t room = stack->room > 0 ? 2 * stack->room : 64;
		MgRegexPlace *places = mg_alloc_array(run->text->cx, room, sizeof *places);

		if (places == NULL)
			return false;
		if (run->n > 0)
			memcpy(places, stack->places, run->n * sizeof *places);
		stack->places = places;
		stack->room = room;
	}
	stack->places[run->n++] = place;
	return true;
}

static bool
count(Run *run, size_t steps)
{
	run->work += steps;
	if (run->work > MG_REGEX_WORK)
		return mg_fail(run->text->cx, MG_TOO_LARGE, "regular expression of tokenizer takes more than %d steps for a word", MG_REGEX_WORK);
	if (run->work - run->polled < POLL_STEP)
		return true;
	steps = run->work - run->polled;
	run->polled = run->work;
	return mg_pace(run->text->cx, run->text->pace, steps);
}

/* Moves over a character of the set; false at another one, or the end. */
static inline bool
take(const MgCodeSet *set, MgSpan bytes, size_t *at)
{
	size_t next = *at;

	if (next >= bytes.size)
		return false;
	if (bytes.data[next] < 128)
	{
		if (!(set->ascii[bytes.data[next] >> 6] >> (bytes.data[next] & 63) & 1))
			return false;
		*at = next + 1;
		return true;
	}
	if (!mg_code_set_has(set, mg_utf8_next(bytes, &next)))
		return false;
	*at = next;
	return true;
}

static bool
word_at(const Run *run, size_t at)
{
	return at < run->bytes.size && take(&run->regex->words, run->bytes, &at);
}

static bool
word_before(const Run *run, size_t at)
{
	return at > 0 && mg_code_set_has(&run->regex->words, mg_utf8_previous(run->bytes, &at));
}

static bool
holds(const Run *run, uint8_t assertion, size_t at)
{
	const uint8_t *bytes = run->bytes.data;
	size_t size = run->bytes.size;

	switch (assertion)
	{
		case '^':
			return at == 0 || bytes[at - 1] == '\n';
		case '$':
			return at == size || bytes[at] == '\n';
		case 'A':
			return at == 0;
		case 'z':
			return at == size;
		case 'Z':
			return at == size || (at + 1 == size && bytes[at] == '\n');
		default:
			return (word_at(run, at) != word_before(run, at)) == (assertion == 'b');
	}
}

/* The most of a repetition; lowest is where its shortest way ends, NONE where there is none. */
static bool
repeat(Run *run, const MgRegexStep *step, size_t *at, size_t *lowest)
{
	const MgCodeSet *set = &run->regex->sets[step->set];
	uint32_t n = 0, most = step->mode == MG_RE_LAZY ? step->x : step->y;
	size_t from = *at;

	*lowest = step->x == 0 ? from : NONE;
	while (n < most && take(set, run->bytes, at))
		if (++n == step->x)
			*lowest = *at;
	return count(run, *at - from);
}

/* Runs steps from one on, to a MATCH; *end is NONE when there is no way. */
static bool
run_steps(Run *run, uint32_t step_at, size_t at, size_t *end, int depth)
{
	const MgRegexStep *steps = run->regex->steps;
	size_t base = run->n;

	*end = NONE;
	for (;;)
	{
		const MgRegexStep *step = &steps[step_at++];
		MgRegexPlace *top;
		bool fine = true;
		size_t to, behind;

		if (++run->work - run->polled >= POLL_STEP && !count(run, 0))
			return false;
		switch ((MgRegexOp) step->op)
		{
			case MG_RE_MATCH:
				*end = at;
				run->n = base;
				return true;
			case MG_RE_SET:
				fine = take(&run->regex->sets[step->set], run->bytes, &at);
				break;
			case MG_RE_REPEAT:
				if (!repeat(run, step, &at, &to))
					return false;
				fine = to != NONE;
				if (fine && step->mode == MG_RE_LAZY && step->y > step->x &&
					!push(run, (MgRegexPlace){step_at, at, NONE, step->y - step->x}))
					return false;
				if (fine && step->mode == MG_RE_GREEDY && at > to && !push(run, (MgRegexPlace){step_at, at, to, 0}))
					return false;
				break;
			case MG_RE_FORK:
				behind = at;
				if (step->mode == 1 && !take(&run->regex->sets[step->set], run->bytes, &behind))
				{
					step_at = step->y;
					break;
				}
				if (!push(run, (MgRegexPlace){step->y, at, NONE, 0}))
					return false;
				step_at = step->x;
				break;
			case MG_RE_JUMP:
				step_at = step->x;
				break;
			case MG_RE_AHEAD:
			case MG_RE_ATOMIC:
				if (depth == 0 || !run_steps(run, step_at, at, &to, depth - 1))
					return false;
				fine = (to != NONE) == (step->op == MG_RE_ATOMIC || step->mode == 0);
				if (step->op == MG_RE_ATOMIC && fine)
					at = to;
				step_at = step->x;
				break;
			case MG_RE_BEHIND:
				behind = at;
				fine = (at > 0 && mg_code_set_has(&run->regex->sets[step->set], mg_utf8_previous(run->bytes, &behind))) == (step->mode == 0);
				break;
			case MG_RE_ASSERT:
				fine = holds(run, step->mode, at);
				break;
		}
		if (fine)
			continue;

		/* Back to the last place that has another way. */
		for (;;)
		{
			if (run->n == base)
				return true;
			top = &run->text->stack->places[run->n - 1];
			step_at = top->step;
			at = top->at;
			if (top->lazy > 0)
			{
				/* The repetition stands before the step. */
				if (!take(&run->regex->sets[steps[step_at - 1].set], run->bytes, &at))
				{
					run->n--;
					continue;
				}
				top->at = at;
				if (--top->lazy == 0)
					run->n--;
			}
			else if (top->low != NONE)
			{
				mg_utf8_previous(run->bytes, &at);
				top->at = at;
				if (at <= top->low)
					run->n--;
			}
			else
				run->n--;
			break;
		}
	}
}

bool
mg_regex_match(const MgRegexText *text, const MgRegex *regex, size_t at, size_t *end, bool *found)
{
	Run run = {.text = text, .regex = regex, .bytes = text->bytes};

	*found = false;
	if (run.bytes.size - at > MG_REGEX_REACH)
	{
		run.bytes.size = at + MG_REGEX_REACH;
		while (mg_utf8_continues(run.bytes.data[run.bytes.size]))
			run.bytes.size--;
	}
	if (!run_steps(&run, 0, at, end, MG_REGEX_DEPTH))
		return false;
	*found = *end != NONE && *end > at;
	return mg_pace(text->cx, text->pace, run.work - run.polled);
}

bool
mg_regex_search(const MgRegexText *text, const MgRegex *regex, size_t from, size_t *start, size_t *end, bool *found)
{
	*found = false;
	for (*start = from; *start < text->bytes.size;)
	{
		size_t next = *start;

		if (take(&regex->first, text->bytes, &next))
		{
			if (!mg_regex_match(text, regex, *start, end, found))
				return false;
			if (*found)
				return true;
		}
		else
			mg_utf8_next(text->bytes, &next);
		*start = next;
		if (!mg_pace(text->cx, text->pace, 1))
			return false;
	}
	return true;
}
