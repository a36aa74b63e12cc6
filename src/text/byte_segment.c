/* Most text is normalised already: then bytes stay where they are, and their places are known without arrays. */
#include "text/byte_segment.h"

#include "text/byte_level.h"
#include "text/steps.h"
#include "text/utf8.h"

/* Bytes that are cut into words, with their places; starts NULL: byte i is at base + i. */
typedef struct Segment
{
	MgSpan bytes;
	const uint32_t *starts, *stops;
	uint32_t base;
} Segment;

/* Whether composition may change a text. */
static bool
may_change(MgCtx *cx, MgPieces *pieces, MgSpan text, bool *may)
{
	*may = false;
	for (size_t at = 0; at < text.size && !*may;)
	{
		uint32_t code;

		if (!mg_pace(cx, pieces->pace, 1))
			return false;
		if (text.data[at] < 0xCC)
		{
			at++;
			continue;
		}
		code = mg_utf8_next(text, &at);
		*may = mg_char_may_compose(code, mg_char_flags(code));
	}
	return true;
}

/* [start, stop) of a segment with a space before it, whose place is empty. */
static bool
put_space(MgCtx *cx, MgPieces *pieces, const Segment *from, size_t start, size_t stop, Segment *into)
{
	size_t n = stop - start + 1;
	uint8_t *bytes = mg_alloc(cx, n);
	uint32_t *starts = mg_alloc_array(cx, n, sizeof *starts), *stops = mg_alloc_array(cx, n, sizeof *stops);

	if (bytes == NULL || starts == NULL || stops == NULL)
		return false;
	for (size_t i = 1; i < n; i++)
	{
		size_t at = start + i - 1;

		if (!mg_pace(cx, pieces->pace, 1))
			return false;
		bytes[i] = from->bytes.data[at];
		starts[i] = from->starts != NULL ? from->starts[at] : from->base + (uint32_t) at;
		stops[i] = from->stops != NULL ? from->stops[at] : from->base + (uint32_t) at + 1;
	}
	bytes[0] = ' ';
	starts[0] = stops[0] = starts[1];
	*into = (Segment){mg_span(bytes, n), starts, stops, 0};
	return true;
}

static bool
take_words(MgCtx *cx, MgPieces *pieces, const Segment *segment, size_t start, size_t stop)
{
	const MgTokenizer *tokenizer = pieces->tokenizer;
	MgSpan bytes = mg_span(segment->bytes.data, stop);
	Segment spaced;

	if (start == stop)
		return true;
	if (tokenizer->leading_space && bytes.data[start] != ' ')
		return put_space(cx, pieces, segment, start, stop, &spaced) &&
			take_words(cx, pieces, &spaced, 0, spaced.bytes.size);
	while (start < stop)
	{
		size_t end = mg_pattern_next(tokenizer->pattern, bytes, start);
		MgWord word = {.bytes = bytes.data + start, .size = end - start, .first = segment->base + (uint32_t) start};

		if (segment->starts != NULL)
		{
			word.starts = segment->starts + start;
			word.stops = segment->stops + start;
		}
		if (!mg_bpe(cx, pieces, &word))
			return false;
		start = end;
	}
	return true;
}

/* Finds normalized added tokens. */
static bool
take_segment(MgCtx *cx, MgPieces *pieces, const Segment *segment)
{
	const MgTokenizer *tokenizer = pieces->tokenizer;
	MgAddedSearch search = {.vocab = &tokenizer->vocab,
							.tokens = &tokenizer->normalized,
							.text = segment->bytes,
							.data = pieces->data,
							.starts = segment->starts,
							.stops = segment->stops,
							.base = segment->base,
							.pace = pieces->pace};
	MgAddedMatch match;
	size_t done = 0;
	bool found;

	for (;;)
	{
		uint32_t start, stop;

		if (!mg_added_search_next(cx, &search, &match, &found))
			return false;
		if (!found)
			return take_words(cx, pieces, segment, done, segment->bytes.size);
		start = segment->starts != NULL ? segment->starts[match.start] : segment->base + (uint32_t) match.start;
		stop = segment->stops != NULL ? segment->stops[match.stop - 1] : segment->base + (uint32_t) match.stop;
		if (!take_words(cx, pieces, segment, done, match.start) ||
			!mg_token_list_push(cx, pieces->list, match.id, start, stop))
			return false;
		done = match.stop;
	}
}

bool
mg_byte_segment(MgCtx *cx, MgPieces *pieces, MgSpan text, size_t start, size_t stop)
{
	const MgTokenizer *tokenizer = pieces->tokenizer;
	Segment segment = {mg_span(text.data + start, stop - start), NULL, NULL, (uint32_t) start};
	const MgStep compose = {.kind = MG_STEP_NFC};
	MgPlaced placed = {segment.bytes, NULL, NULL, segment.base};
	bool change = false;

	if (tokenizer->rules.compose && !may_change(cx, pieces, segment.bytes, &change))
		return false;
	if (!change)
		return take_segment(cx, pieces, &segment);
	if (!mg_normalize_step(cx, pieces->pace, &compose, &placed))
		return false;
	segment = (Segment){placed.bytes, placed.starts, placed.stops, placed.base};
	return take_segment(cx, pieces, &segment);
}
