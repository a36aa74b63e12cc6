/* SentencePiece's map of characters. */
#include "text/charsmap.h"

#include "text/utf8.h"
#include "text/vocab.h"

bool
mg_charsmap_is_sound(MgSpan map)
{
	uint32_t size;

	if (map.size < 8)
		return false;
	size = mg_load_u32(map.data);
	return size >= 4 && size % 4 == 0 && size <= map.size - 4;
}

static size_t
offset_of(uint32_t unit)
{
	return (size_t) (unit >> 10) << ((unit & 0x200) >> 6);
}

bool
mg_charsmap_find(MgSpan map, MgSpan chunk, MgSpan *text)
{
	size_t size = mg_load_u32(map.data), n = size / 4, at = 0;
	const uint8_t *units = map.data + 4, *end;
	MgSpan texts = mg_span(units + size, map.size - 4 - size);
	uint32_t unit = mg_load_u32(units);

	at ^= offset_of(unit);
	for (size_t i = 0; i < chunk.size; i++)
	{
		at ^= chunk.data[i];
		if (at >= n)
			return false;
		unit = mg_load_u32(units + 4 * at);
		if ((unit & 0x800000FF) != chunk.data[i])
			return false;
		at ^= offset_of(unit);
		if ((unit & 0x100) == 0)
			continue;
		if (at >= n)
			return false;
		unit = mg_load_u32(units + 4 * at) & 0x7FFFFFFF;
		if (unit > texts.size)
			return false;
		*text = mg_span(texts.data + unit, texts.size - unit);
		end = text->size > 0 ? memchr(text->data, 0, text->size) : NULL;
		if (end != NULL)
			text->size = (size_t) (end - text->data);
		return mg_utf8_check(*text) == text->size;
	}
	return false;
}
