/* Beginnings of prompts, block by block. */
#include "task/prompt_cache.h"

static MgHash
name_of(MgHash before, const int32_t *ids)
{
	return mg_hash(before, mg_span(ids, MG_DECODER_BLOCK * sizeof *ids));
}

bool
mg_prompt_cache_load(const MgPromptCache *cache, MgDecoder *decoder, uint32_t slot, const int32_t *ids, size_t n)
{
	MgCtx *cx = decoder->run.cx;
	MgMark mark = mg_mark(cx);
	MgHash name;
	uint8_t *block;
	size_t size;

	if (cache == NULL || n < MG_DECODER_BLOCK || !mg_decoder_block_size(decoder->run.model, &size))
		return true;
	block = mg_alloc(cx, size);
	if (block == NULL)
		return false;
	name = cache->root;
	for (size_t at = 0; n - at >= MG_DECODER_BLOCK; at += MG_DECODER_BLOCK)
	{
		if (!mg_poll(cx))
			return false;
		name = name_of(name, ids + at);
		if (!cache->find(cache->user, &name, block, size))
			break;
		mg_decoder_load(decoder, slot, block);
	}
	mg_rewind(cx, mark);
	return true;
}

bool
mg_prompt_cache_save(const MgPromptCache *cache, const MgDecoder *decoder, uint32_t slot, const int32_t *ids, size_t n, bool certain)
{
	MgCtx *cx = decoder->run.cx;
	MgMark mark = mg_mark(cx);
	MgHash name;
	uint8_t *block = NULL;
	size_t size;

	if (cache == NULL || n < MG_DECODER_BLOCK || !mg_decoder_block_size(decoder->run.model, &size))
		return true;
	name = cache->root;
	for (size_t at = 0; n - at >= MG_DECODER_BLOCK && at / MG_DECODER_BLOCK < cache->room / size; at += MG_DECODER_BLOCK)
	{
		if (!mg_poll(cx))
			return false;
		name = name_of(name, ids + at);
		if (!cache->wants(cache->user, &name, certain))
			continue;
		if (block == NULL && (block = mg_alloc(cx, size)) == NULL)
			return false;
		mg_decoder_save(decoder, slot, at / MG_DECODER_BLOCK, block);
		cache->keep(cache->user, &name, mg_span(block, size));
	}
	mg_rewind(cx, mark);
	return true;
}
