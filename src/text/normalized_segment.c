/*
 * A segment that is normalised as a whole, as bytes with the place of each, so
 * that added tokens can be looked for in it.
 */
#include "text/normalized_segment.h"

#include "text/utf8.h"

static bool
make_room(MgCtx *cx, MgNormalized *normalized, size_t room)
{
	MgNormalized larger = {mg_alloc(cx, room), mg_alloc_array(cx, room, sizeof *larger.starts),
						 mg_alloc_array(cx, room, sizeof *larger.stops), normalized->n, room};

	if (larger.bytes == NULL || larger.starts == NULL || larger.stops == NULL)
		return false;
	if (larger.n > 0)
	{
		memcpy(larger.bytes, normalized->bytes, larger.n);
		memcpy(larger.starts, normalized->starts, larger.n * sizeof *larger.starts);
		memcpy(larger.stops, normalized->stops, larger.n * sizeof *larger.stops);
	}
	*normalized = larger;
	return true;
}

bool
mg_normalize_all(MgCtx *cx, MgNormalizer *normalizer, MgNormalized *normalized)
{
	if (!make_room(cx, normalized, normalizer->text.size + 64))
		return false;
	do
	{
		if (!mg_normalizer_next(cx, normalizer))
			return false;
		if (normalized->room - normalized->n < normalizer->n * MG_UTF8_MAX &&
			!make_room(cx, normalized, normalized->room * 2 + normalizer->n * MG_UTF8_MAX))
			return false;
		for (size_t i = 0; i < normalizer->n; i++)
		{
			const MgNormalChar *character = &normalizer->chars[i];
			size_t size = mg_utf8_put(character->code, normalized->bytes + normalized->n);

			for (; size > 0; size--, normalized->n++)
			{
				normalized->starts[normalized->n] = character->start;
				normalized->stops[normalized->n] = character->stop;
			}
		}
	} while (normalizer->n > 0);
	return true;
}

/* The words of [start, stop) of the normalised bytes. */
static bool
take_words(MgCtx *cx, const MgNormalized *normalized, size_t start, size_t stop, MgWordBuffer *buffer)
{
	MgSpan bytes = mg_span(normalized->bytes, stop);
	size_t at = start;

	while (at < stop)
	{
		MgNormalChar character = {0, normalized->starts[at], normalized->stops[at]};

		if (!mg_pace(cx, buffer->pieces->pace, 1))
			return false;
		character.code = mg_utf8_next(bytes, &at);
		if (!mg_word_buffer_put(cx, buffer, character))
			return false;
	}
	return mg_word_buffer_end(cx, buffer);
}

bool
mg_normalized_segment(MgCtx *cx, MgNormalizer *normalizer, MgWordBuffer *buffer)
{
	const MgTokenizer *tokenizer = buffer->pieces->tokenizer;
	MgNormalized normalized = {.n = 0};
	MgAddedSearch search;
	MgAddedMatch match;
	size_t done = 0;
	bool found;

	if (!mg_normalize_all(cx, normalizer, &normalized))
		return false;
	search = (MgAddedSearch){.vocab = &tokenizer->vocab,
							 .tokens = &tokenizer->normalized,
							 .text = mg_span(normalized.bytes, normalized.n),
							 .data = buffer->pieces->data,
							 .starts = normalized.starts,
							 .stops = normalized.stops,
							 .pace = buffer->pieces->pace};
	for (;;)
	{
		if (!mg_added_search_next(cx, &search, &match, &found))
			return false;
		if (!found)
			return take_words(cx, &normalized, done, normalized.n, buffer);
		if (!take_words(cx, &normalized, done, match.start, buffer) ||
			!mg_token_list_push(cx, buffer->pieces->list, match.id, normalized.starts[match.start],
								normalized.stops[match.stop - 1]))
			return false;
		done = match.stop;
	}
}
