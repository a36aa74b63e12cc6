/*
 * A cache of byte strings by 128-bit keys, in one piece of memory of fixed
 * size that may lie at different addresses in different processes. Nothing is
 * allocated; each operation takes the time of copying one value.
 *
 *   | MgCache | buckets [n] | block | block | block | ...
 *
 *   entry     next, chain, later, used, size, key, first bytes of the value
 *   rest      next, more bytes               each a block of 128 bytes
 *
 * Chained blocks let values of any size share the memory without gaps. What
 * makes room is the CLOCK algorithm, as a queue: the entry that was added first
 * goes, or, when it was found since, is queued again.
 *
 * Locks are the caller's: shared to find and read, exclusive for all else. The
 * mark that find leaves is one atomic store.
 */
#ifndef MG_CORE_CACHE_H
#define MG_CORE_CACHE_H

#include "core/hash.h"

typedef struct MgCache
{
	uint32_t n_buckets; /* a power of 2 */
	uint32_t n_blocks;
	uint32_t n_fresh; /* blocks from n_blocks - n_fresh on were never used */
	uint32_t free;	  /* a list of those that were */
	uint32_t n_free;  /* both kinds */
	uint32_t first, last; /* the queue of entries */
	uint32_t n_entries;
	uint64_t n_evicted; /* since it was made empty */
} MgCache;

#define MG_CACHE_LEAST ((size_t) 4096)
#define MG_CACHE_BLOCK 128
#define MG_CACHE_NONE UINT32_MAX

/* An empty cache at memory, aligned to 64 bytes; size is MG_CACHE_LEAST .. 128 GB, of which 3 % are written. */
MgCache *mg_cache_init(void *memory, size_t size);

/* The entry of that key, or MG_CACHE_NONE. It stays where it is until something is added. */
uint32_t mg_cache_find(MgCache *cache, const MgHash *key);

/* Size of an entry's value, and a copy of it. */
size_t mg_cache_size(const MgCache *cache, uint32_t entry);
void mg_cache_read(const MgCache *cache, uint32_t entry, void *into);

/* Adds a value, unless the key is there, or the value would take more than a quarter of all blocks. */
void mg_cache_add(MgCache *cache, const MgHash *key, MgSpan value);

/* Bytes of the blocks in use. */
size_t mg_cache_used(const MgCache *cache);

#endif
