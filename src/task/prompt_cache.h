/*
 * Keys of what prompts begin with, which the caller keeps beyond a call, in blocks of MG_DECODER_BLOCK tokens:
 *
 *   | block 0 | block 1 | block 2 | rest      a block's keys follow from all tokens up to its end, and so does its name:
 *
 *   name(0) = hash(root, tokens of block 0),  name(i) = hash(name(i - 1), tokens of block i)
 *
 * root stands for all that keys depend on besides: the model and how it is computed. Keys that are found have the bits that computing them has.
 */
#ifndef MG_TASK_PROMPT_CACHE_H
#define MG_TASK_PROMPT_CACHE_H

#include "core/hash.h"
#include "task/decoder.h"

typedef struct MgPromptCache
{
	void *user;
	MgHash root;
	size_t room; /* bytes of all blocks that one prompt may take: more would drive out its own */

	/* Copies a block of that size; false: it is not there. */
	bool (*find)(void *user, const MgHash *name, void *block, size_t size);

	/* Whether a block shall be kept; certain: it is known to be common to several prompts. */
	bool (*wants)(void *user, const MgHash *name, bool certain);
	void (*keep)(void *user, const MgHash *name, MgSpan block);
} MgPromptCache;

/*
 * Gives a slot that is empty the blocks that are there of a prompt's first n tokens; the decoder's lengths say how many tokens that are. With
 * NULL for the cache none. Polls; false when stopped or out of memory.
 */
bool mg_prompt_cache_load(const MgPromptCache *cache, MgDecoder *decoder, uint32_t slot, const int32_t *ids, size_t n);

/* Keeps the whole blocks of a slot's first n tokens, which are ids. The same. */
bool mg_prompt_cache_save(const MgPromptCache *cache, const MgDecoder *decoder, uint32_t slot, const int32_t *ids, size_t n, bool certain);

#endif
