/*
 * Results of models, shared by all sessions: who asks what was asked before
 * gets the answer without the model.
 *
 * An entry is found by 128 bits:
 *
 *   options = SipHash(secret, all that the result depends on but the text)
 *   key     = SipHash(options, text)
 *
 * The secret is random and never leaves the server's memory. SipHash is a
 * pseudorandom function: without the secret nobody can construct two texts of
 * one key, and by chance a collision among 2^32 results has a probability of
 * 2^-65. Values are the bytes of a vector or a text.
 *
 * Whoever calls checks privileges first, on the same catalog entry that a
 * computation would use: the cache knows models by digest and nobody's rights.
 */
#ifndef MASKGEN_PG_TASK_RESULT_CACHE_H
#define MASKGEN_PG_TASK_RESULT_CACHE_H

#include "pg/task/cache_segment.h"

/* The segment of this moment, valid until the next call; NULL: there is none, or maskgen.enable_result_cache is off. */
CacheSegment *result_segment(void);

/* The key of what a text's result depends on besides; see above. */
static inline MgHash
result_cache_options(const CacheSegment *segment, const void *options, Size size)
{
	return mg_hash(segment->secret, mg_span(options, size));
}

/* The value of that key as a varlena in the current memory context; NULL: it is not there. */
struct varlena *result_cache_find(CacheSegment *segment, const MgHash *key);

/* Adds a value; what is too large, or there already, is not added. */
void result_cache_add(CacheSegment *segment, const MgHash *key, MgSpan value);

/* Counts what was found and what was not. */
void result_cache_count(uint64 hits, uint64 misses);

#endif
