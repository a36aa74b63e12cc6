/* Gathers one word at a time. */
#include "text/word_buffer.h"

#include "text/utf8.h"

bool
mg_word_buffer_init(MgCtx *cx, MgWordBuffer *buffer, const MgPieces *pieces)
{
	size_t most = MG_UTF8_MAX * pieces->tokenizer->max_word_chars;

	memset(buffer, 0, sizeof *buffer);
	buffer->pieces = pieces;
	buffer->bytes = mg_alloc(cx, most);
	buffer->starts = mg_alloc_array(cx, most, sizeof *buffer->starts);
	buffer->stops = mg_alloc_array(cx, most, sizeof *buffer->stops);
	return buffer->bytes != NULL && buffer->starts != NULL && buffer->stops != NULL;
}

static void
append(MgWordBuffer *buffer, MgNormalChar character)
{
	size_t size;

	if (buffer->n_chars == 0)
	{
		buffer->size = 0;
		buffer->hash = MG_HASH_START;
		buffer->start = character.start;
	}
	buffer->stop = character.stop;
	if (buffer->n_chars++ >= buffer->pieces->tokenizer->max_word_chars)
		return;
	size = mg_utf8_put(character.code, buffer->bytes + buffer->size);
	for (size_t i = buffer->size; i < buffer->size + size; i++)
	{
		buffer->hash = mg_hash_step(buffer->hash, buffer->bytes[i]);
		buffer->starts[i] = character.start;
		buffer->stops[i] = character.stop;
	}
	buffer->size += size;
}

bool
mg_word_buffer_end(MgCtx *cx, MgWordBuffer *buffer)
{
	const MgTokenizer *tokenizer = buffer->pieces->tokenizer;
	size_t n_chars = buffer->n_chars;
	MgWord word = {buffer->bytes, buffer->size, buffer->hash, buffer->starts, buffer->stops, 0};

	buffer->n_chars = 0;
	if (n_chars == 0)
		return true;
	if (n_chars > tokenizer->max_word_chars)
		return mg_token_list_push(cx, buffer->pieces->list, tokenizer->special.unknown, buffer->start, buffer->stop);
	return mg_wordpiece(cx, buffer->pieces, &word);
}

bool
mg_word_buffer_put(MgCtx *cx, MgWordBuffer *buffer, MgNormalChar character)
{
	unsigned flags = mg_char_flags(character.code);

	if (!(flags & (MG_CHAR_SPACE | MG_CHAR_PUNCTUATION)))
	{
		append(buffer, character);
		return true;
	}
	if (!mg_word_buffer_end(cx, buffer))
		return false;
	if (flags & MG_CHAR_SPACE)
		return true;
	append(buffer, character);
	return mg_word_buffer_end(cx, buffer);
}
