/* Templates: cut at their places, filled, made sequences. */
#include "task/places.h"

#include "task/classify_way.h"

/* Where the place for something beside the text is, and its mark. */
static bool
find_place(const MgRun *run, MgSpan template, bool with_label, size_t *at, MgSpan *mark)
{
	const MgSpan marks[] = {mg_span_of("{label}"), mg_span_of("{mask}"), mg_token_text(run->model->tokenizer, run->model->specials.mask)};

	*at = SIZE_MAX;
	for (size_t i = with_label ? 0 : 1; i < 3 && *at == SIZE_MAX; i++)
	{
		*mark = marks[i];
		if (!mg_template_find(run->cx, template, *mark, at))
			return false;
	}
	return true;
}

bool
mg_places_split(const MgRun *run, MgSpan template, bool with_label, MgPlaces *split)
{
	MgSpan text_mark = mg_span_of("{text}"), mask_mark;
	size_t text_at, mask_at, first, second, first_size, second_size;
	char *copy;

	if (!mg_template_find(run->cx, template, text_mark, &text_at) || !find_place(run, template, with_label, &mask_at, &mask_mark))
		return false;
	if (text_at == SIZE_MAX || mask_at == SIZE_MAX)
	{
		mg_fail(run->cx, MG_BAD_ARGUMENT, "template lacks %s", text_at == SIZE_MAX ? "{text}" : with_label ? "{label}" : "{mask}");
		mg_detail(run->cx, "The template is \"%.*s\".", MG_SPAN_ARGS(template));
		return mg_hint(run->cx, "A template looks like \"%s news: {text}\".", with_label ? "{label}" : "{mask}");
	}
	/* Labels outlive both the request and the model. */
	copy = mg_copy_text(run->cx, template);
	split->mask = mg_token_text(run->model->tokenizer, run->model->specials.mask);
	split->mask.data = (const uint8_t *) mg_copy_text(run->cx, split->mask);
	if (copy == NULL || split->mask.data == NULL)
		return false;
	template.data = (const uint8_t *) copy;
	split->mask_first = mask_at < text_at;
	first = split->mask_first ? mask_at : text_at;
	second = split->mask_first ? text_at : mask_at;
	first_size = split->mask_first ? mask_mark.size : text_mark.size;
	second_size = split->mask_first ? text_mark.size : mask_mark.size;
	split->before = mg_span(template.data, first);
	split->between = mg_span(template.data + first + first_size, second - first - first_size);
	split->after = mg_span(template.data + second + second_size, template.size - second - second_size);
	return true;
}

/* Whether a mask swallows the space that the template has before it: then the word in its place begins with one. */
static bool
begins_with_space(const MgRun *run, const MgPlaces *places)
{
	MgSpan before = places->mask_first ? places->before : places->between;

	return before.size > 0 && before.data[before.size - 1] == ' ' &&
		mg_token_strips_left(run->model->tokenizer, run->model->specials.mask);
}

bool
mg_places_tokenize(const MgRun *run, const MgPlaces *places, MgSpan label, MgTokens *tokens)
{
	MgSpan text = label;

	if (begins_with_space(run, places))
	{
		char *spaced = mg_alloc(run->cx, label.size + 1);

		if (spaced == NULL)
			return false;
		spaced[0] = ' ';
		if (label.size > 0)
			memcpy(spaced + 1, label.data, label.size);
		text = mg_span(spaced, label.size + 1);
	}
	if (!mg_tokenize(run->cx, run->model->tokenizer, text, MG_ALL_DATA, tokens))
		return false;
	if (tokens->n == 0)
		return mg_fail(run->cx, MG_BAD_ARGUMENT, "label \"%.*s\" has no tokens", MG_SPAN_ARGS(label));
	for (size_t i = 0; i < tokens->n; i++)
		if (tokens->ids[i] == run->model->specials.unknown)
			return mg_fail(run->cx, MG_BAD_ARGUMENT, "label \"%.*s\" is not in the vocabulary of model \"%s\"",
						   MG_SPAN_ARGS(label), run->name);
	if (tokens->n <= MG_MAX_LABEL_TOKENS)
		return true;
	mg_fail(run->cx, MG_TOO_LARGE, "label \"%.*s\" is too long", MG_SPAN_ARGS(label));
	return mg_detail(run->cx, "It has %zu tokens, at most %d are allowed.", tokens->n, MG_MAX_LABEL_TOKENS);
}

static size_t
append(uint8_t *bytes, size_t size, MgSpan part)
{
	if (part.size > 0)
		memcpy(bytes + size, part.data, part.size);
	return size + part.size;
}

/*
 * Joined as text, since tokens and the blanks that they swallow cross the seams. Special tokens are read in the template and
 * not in the text, so that this cannot add a mask or end the sequence.
 */
static bool
tokenize_filled(const MgRun *run, const MgPlaces *places, MgSpan text, MgPlaced *filled)
{
	MgSpan parts[] = {places->before, places->mask_first ? places->mask : text, places->between,
					  places->mask_first ? text : places->mask, places->after};
	size_t room = places->before.size + places->between.size + places->after.size + places->mask.size, size = 0;
	size_t starts[5];
	MgDataRange data;
	const MgTokens *tokens = &filled->tokens;
	uint8_t *bytes = text.size > MG_TEXT_LIMIT ? NULL : mg_alloc(run->cx, room + text.size);

	if (bytes == NULL)
		return mg_fail(run->cx, MG_TOO_LARGE, "input is too long");
	for (size_t i = 0; i < 5; i++)
	{
		starts[i] = size;
		size = append(bytes, size, parts[i]);
	}
	data.start = starts[places->mask_first ? 3 : 1];
	data.stop = data.start + text.size;
	if (!mg_tokenize(run->cx, run->model->tokenizer, mg_span(bytes, size), (MgData){1, &data}, &filled->tokens))
		return false;
	for (filled->mask = 0; filled->mask < tokens->n; filled->mask++)
		if (tokens->ids[filled->mask] == run->model->specials.mask &&
			tokens->stops[filled->mask] > starts[places->mask_first ? 1 : 3] && tokens->starts[filled->mask] <= starts[places->mask_first ? 1 : 3])
			break;
	if (filled->mask == tokens->n)
		return mg_fail(run->cx, MG_BAD_ARGUMENT, "mask token is not read where the template has it");
	for (filled->text_first = 0; filled->text_first < tokens->n; filled->text_first++)
		if (tokens->starts[filled->text_first] >= data.start)
			break;
	for (filled->text_stop = filled->text_first; filled->text_stop < tokens->n; filled->text_stop++)
		if (tokens->stops[filled->text_stop] > data.stop)
			break;
	return true;
}

bool
mg_places_fill(const MgRun *run, const MgPlaces *places, size_t most, MgLongInput long_input, MgSpan text, MgPlaced *filled)
{
	size_t limit = mg_text_limit(run->model), fixed;

	if (!tokenize_filled(run, places, text, filled))
		return false;
	filled->n_text = filled->text_stop - filled->text_first;
	filled->cut = false;
	fixed = filled->tokens.n - filled->n_text - 1 + most;
	if (fixed > limit)
	{
		size_t extra = run->model->meta.max_tokens - limit;

		mg_fail(run->cx, MG_TOO_LARGE, "template is too long for model \"%s\"", run->name);
		return mg_detail(run->cx, "It has %zu tokens with the longest label, at most %zu fit.", fixed + extra, limit + extra);
	}
	if (filled->n_text <= limit - fixed)
		return true;
	if (long_input == MG_LONG_ERROR)
		return mg_fail_too_long(run, filled->n_text, limit - fixed);
	filled->n_text = limit - fixed;
	filled->cut = true;
	return true;
}

bool
mg_placed_sequence(const MgRun *run, const MgPlaced *filled, MgIds in_place, MgSequence *sequence)
{
	const MgTokens *tokens = &filled->tokens;
	int32_t *ids = mg_alloc_array(run->cx, tokens->n + in_place.n, sizeof *ids);
	size_t n = 0, place = 0;

	if (ids == NULL)
		return false;
	for (size_t i = 0; i < tokens->n; i++)
	{
		if (i >= filled->text_first + filled->n_text && i < filled->text_stop)
			continue;
		if (i != filled->mask)
		{
			ids[n++] = tokens->ids[i];
			continue;
		}
		place = n;
		for (size_t k = 0; k < in_place.n; k++)
			ids[n++] = in_place.ids[k];
	}
	if (!mg_sequence_wrap(run, (MgIds){n, ids}, sequence))
		return false;
	sequence->place = sequence->first + place;
	sequence->cut = filled->cut;
	return true;
}
