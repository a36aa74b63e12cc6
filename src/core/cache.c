/* Blocks by number, so that addresses do not matter; NONE ends each list. */
#include "core/cache.h"

#define NONE MG_CACHE_NONE

/* Entries that are queued again before one goes although it was found: bounds what one addition costs. */
#define MOST_CHANCES 32

/* The first block of an entry. */
typedef struct Entry
{
	uint32_t next;	/* block that goes on with the value */
	uint32_t chain; /* next entry of the bucket */
	uint32_t later; /* next entry of the queue */
	uint32_t used;	/* found since it was queued */
	MgHash key;
	uint32_t size;
	uint8_t value[MG_CACHE_BLOCK - 36];
} Entry;

typedef struct Rest
{
	uint32_t next;
	uint8_t value[MG_CACHE_BLOCK - 4];
} Rest;

typedef union Block
{
	uint32_t next; /* of a free block, too */
	Entry entry;
	Rest rest;
} Block;

_Static_assert(sizeof(Block) == MG_CACHE_BLOCK, "a block is two cache lines");

#define FIRST_BYTES sizeof(((Entry *) 0)->value)
#define REST_BYTES sizeof(((Rest *) 0)->value)

static size_t
blocks_offset(uint32_t n_buckets)
{
	size_t size = sizeof(MgCache) + (size_t) n_buckets * sizeof(uint32_t);

	return (size + 63) & ~(size_t) 63;
}

static uint32_t *
buckets(MgCache *cache)
{
	return (uint32_t *) (cache + 1);
}

static Block *
block_at(const MgCache *cache, uint32_t number)
{
	return (Block *) ((uint8_t *) (uintptr_t) cache + blocks_offset(cache->n_buckets)) + number;
}

static uint32_t *
bucket_of(MgCache *cache, const MgHash *key)
{
	return &buckets(cache)[key->words[0] & (cache->n_buckets - 1)];
}

MgCache *
mg_cache_init(void *memory, size_t size)
{
	MgCache *cache = memory;
	size_t n_buckets = 1;

	while (n_buckets * 2 <= size / MG_CACHE_BLOCK)
		n_buckets *= 2;
	*cache = (MgCache){.n_buckets = (uint32_t) n_buckets, .free = NONE, .first = NONE, .last = NONE};
	cache->n_blocks = (uint32_t) ((size - blocks_offset(cache->n_buckets)) / MG_CACHE_BLOCK);
	cache->n_fresh = cache->n_free = cache->n_blocks;
	memset(buckets(cache), 0xFF, n_buckets * sizeof(uint32_t));
	return cache;
}

uint32_t
mg_cache_find(MgCache *cache, const MgHash *key)
{
	uint32_t number = *bucket_of(cache, key);

	while (number != NONE)
	{
		Entry *entry = &block_at(cache, number)->entry;

		if (entry->key.words[0] == key->words[0] && entry->key.words[1] == key->words[1])
		{
			/* Under a shared lock others do the same. */
			if (__atomic_load_n(&entry->used, __ATOMIC_RELAXED) == 0)
				__atomic_store_n(&entry->used, 1, __ATOMIC_RELAXED);
			return number;
		}
		number = entry->chain;
	}
	return NONE;
}

size_t
mg_cache_size(const MgCache *cache, uint32_t entry)
{
	return block_at(cache, entry)->entry.size;
}

void
mg_cache_read(const MgCache *cache, uint32_t number, void *into)
{
	const Entry *entry = &block_at(cache, number)->entry;
	size_t left = entry->size, part = left < FIRST_BYTES ? left : FIRST_BYTES;
	uint8_t *to = into;

	if (left == 0)
		return;
	memcpy(to, entry->value, part);
	for (uint32_t next = entry->next; (left -= part) > 0;)
	{
		const Rest *rest = &block_at(cache, next)->rest;

		to += part;
		part = left < REST_BYTES ? left : REST_BYTES;
		memcpy(to, rest->value, part);
		next = rest->next;
	}
}

static void
enqueue(MgCache *cache, uint32_t number)
{
	block_at(cache, number)->entry.later = NONE;
	if (cache->last != NONE)
		block_at(cache, cache->last)->entry.later = number;
	else
		cache->first = number;
	cache->last = number;
}

static uint32_t
dequeue(MgCache *cache)
{
	uint32_t number = cache->first;

	cache->first = block_at(cache, number)->entry.later;
	if (cache->first == NONE)
		cache->last = NONE;
	return number;
}

/* Takes an entry that has left the queue out of its bucket, and frees its blocks. */
static void
drop(MgCache *cache, uint32_t number)
{
	const Entry *entry = &block_at(cache, number)->entry;
	uint32_t *link = bucket_of(cache, &entry->key);

	while (*link != number)
		link = &block_at(cache, *link)->entry.chain;
	*link = entry->chain;
	while (number != NONE)
	{
		Block *block = block_at(cache, number);
		uint32_t next = block->next;

		block->next = cache->free;
		cache->free = number;
		cache->n_free++;
		number = next;
	}
	cache->n_entries--;
	cache->n_evicted++;
}

static void
evict(MgCache *cache)
{
	for (int chances = 0;; chances++)
	{
		uint32_t number = dequeue(cache);
		Entry *entry = &block_at(cache, number)->entry;

		if (entry->used == 0 || chances == MOST_CHANCES)
		{
			drop(cache, number);
			return;
		}
		entry->used = 0;
		enqueue(cache, number);
	}
}

static uint32_t
take_block(MgCache *cache)
{
	uint32_t number = cache->free;

	cache->n_free--;
	if (number == NONE)
		return cache->n_blocks - cache->n_fresh--;
	cache->free = block_at(cache, number)->next;
	return number;
}

/* The blocks of a value after the first one. */
static uint32_t
store_rest(MgCache *cache, MgSpan value)
{
	uint32_t first = NONE, *link = &first;

	for (size_t done = FIRST_BYTES; done < value.size; done += REST_BYTES)
	{
		size_t part = value.size - done < REST_BYTES ? value.size - done : REST_BYTES;
		Rest *rest;

		*link = take_block(cache);
		rest = &block_at(cache, *link)->rest;
		memcpy(rest->value, value.data + done, part);
		rest->next = NONE;
		link = &rest->next;
	}
	return first;
}

void
mg_cache_add(MgCache *cache, const MgHash *key, MgSpan value)
{
	size_t more = value.size > FIRST_BYTES ? (value.size - FIRST_BYTES + REST_BYTES - 1) / REST_BYTES : 0;
	uint32_t *bucket = bucket_of(cache, key), number;
	Entry *entry;

	if (more + 1 > cache->n_blocks / 4 || mg_cache_find(cache, key) != NONE)
		return;
	while (cache->n_free < more + 1)
		evict(cache);
	number = take_block(cache);
	entry = &block_at(cache, number)->entry;
	entry->next = store_rest(cache, value);
	entry->used = 0;
	entry->key = *key;
	entry->size = (uint32_t) value.size;
	if (value.size > 0)
		memcpy(entry->value, value.data, value.size < FIRST_BYTES ? value.size : FIRST_BYTES);
	entry->chain = *bucket;
	*bucket = number;
	enqueue(cache, number);
	cache->n_entries++;
}

size_t
mg_cache_used(const MgCache *cache)
{
	return (size_t) (cache->n_blocks - cache->n_free) * MG_CACHE_BLOCK;
}
