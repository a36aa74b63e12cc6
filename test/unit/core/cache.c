/* Random finds and additions against a list of what was added: what is found is right, and the clock is fair. */
#include "core/cache.h"

#include <stdlib.h>

#include "unit/tap.h"

#define N_KEYS 400
#define LARGEST 3000

static uint32_t state = 1;

static uint32_t
next(void)
{
	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

static MgHash
key_of(uint32_t k)
{
	/* Low bits from a few values only, so that buckets are shared. */
	return (MgHash){{k % 5, k}};
}

/* The value of key k: its size and each byte follow from k. */
static size_t
value_of(uint32_t k, uint8_t *value)
{
	size_t size = k % 3 == 0 ? k % 10 : k * 37 % LARGEST;

	for (size_t i = 0; i < size; i++)
		value[i] = (uint8_t) (k + i * 7);
	return size;
}

static bool
is_right(MgCache *cache, uint32_t entry, uint32_t k)
{
	static uint8_t got[LARGEST + 1], want[LARGEST];
	size_t size = value_of(k, want);

	if (mg_cache_size(cache, entry) != size)
		return false;
	got[size] = 0x5A;
	mg_cache_read(cache, entry, got);
	return memcmp(got, want, size) == 0 && got[size] == 0x5A;
}

/* Keys that are found, each of them right; *bytes is the sum of their values. */
static uint32_t
count_found(MgCache *cache, size_t *bytes, bool *right)
{
	static uint8_t value[LARGEST];
	uint32_t n = 0;

	*bytes = 0;
	*right = true;
	for (uint32_t k = 0; k < N_KEYS; k++)
	{
		MgHash key = key_of(k);
		uint32_t entry = mg_cache_find(cache, &key);

		if (entry == MG_CACHE_NONE)
			continue;
		n++;
		*bytes += value_of(k, value);
		*right = *right && is_right(cache, entry, k);
	}
	return n;
}

static void
test_random(size_t size)
{
	static uint8_t value[LARGEST];
	uint8_t *memory = aligned_alloc(64, size + 64), *moved = aligned_alloc(64, size + 64);
	MgCache *cache;
	bool right = true, all_right;
	size_t bytes;
	uint32_t n_added = 0, n_found;

	memset(memory + size, 0x5A, 64);
	cache = mg_cache_init(memory, size);
	for (int step = 0; step < 20000; step++)
	{
		uint32_t k = next() % N_KEYS, n_before = cache->n_entries;
		uint64_t evicted = cache->n_evicted;
		MgHash key = key_of(k);
		uint32_t entry = mg_cache_find(cache, &key);

		if (entry != MG_CACHE_NONE)
		{
			right = right && is_right(cache, entry, k);
			mg_cache_add(cache, &key, mg_span(value, 1));
			right = right && cache->n_entries == n_before;
			continue;
		}
		mg_cache_add(cache, &key, mg_span(value, value_of(k, value)));
		entry = mg_cache_find(cache, &key);
		right = right && (entry == MG_CACHE_NONE ? cache->n_entries == n_before : is_right(cache, entry, k));
		n_added += entry != MG_CACHE_NONE;
		right = right && cache->n_entries == n_before + (entry != MG_CACHE_NONE) - (cache->n_evicted - evicted);
	}
	ok(right, "%zu bytes: %u additions, %u entries at the end", size, n_added, cache->n_entries);
	is_int(cache->n_evicted, n_added - cache->n_entries, "all others were evicted");
	n_found = count_found(cache, &bytes, &all_right);
	ok(all_right && n_found == cache->n_entries, "each entry is found and right");
	ok(mg_cache_used(cache) >= bytes && mg_cache_used(cache) <= size, "%zu bytes of values in %zu", bytes,
	   mg_cache_used(cache));
	memcpy(moved, memory, size);
	memset(memory, 0xA5, size);
	ok(count_found((MgCache *) moved, &bytes, &all_right) == n_found && all_right, "at another address, too");
	for (size_t i = 0; i < 64; i++)
		right = right && memory[size + i] == 0x5A;
	ok(right, "nothing was written behind it");
	free(memory);
	free(moved);
}

/* Entries that are found stay while others pass through. */
static void
test_clock(void)
{
	static uint8_t value[200];
	size_t size = 64 * 1024;
	void *memory = aligned_alloc(64, size);
	MgCache *cache = mg_cache_init(memory, size);
	uint32_t n_kept = 0, n_blocks = cache->n_blocks;

	for (uint32_t k = 0; k < 4000; k++)
	{
		MgHash key = {{k, 0}};

		mg_cache_add(cache, &key, mg_span(value, sizeof value));
		for (uint64_t hot = 0; hot < 10 && hot <= k; hot++)
			mg_cache_find(cache, &(MgHash){{hot, 0}});
	}
	for (uint64_t hot = 0; hot < 10; hot++)
		n_kept += mg_cache_find(cache, &(MgHash){{hot, 0}}) != MG_CACHE_NONE;
	is_int(n_kept, 10, "what is found again and again stays");
	is_int(cache->n_entries, n_blocks / 2, "all blocks are in use");
	ok(mg_cache_find(cache, &(MgHash){{3999, 0}}) != MG_CACHE_NONE, "the last addition is there");
	ok(mg_cache_find(cache, &(MgHash){{2000, 0}}) == MG_CACHE_NONE, "one that nobody asked for is not");

	for (uint32_t k = 0; k < 4000; k++)
		mg_cache_find(cache, &(MgHash){{k, 0}});
	mg_cache_add(cache, &(MgHash){{5000, 0}}, mg_span(value, sizeof value));
	ok(mg_cache_find(cache, &(MgHash){{5000, 0}}) != MG_CACHE_NONE, "there is room when all were found");
	free(memory);
}

static void
test_sizes(void)
{
	uint8_t *memory = aligned_alloc(64, MG_CACHE_LEAST), value[2000] = {0};
	MgCache *cache = mg_cache_init(memory, MG_CACHE_LEAST);
	MgHash key = {{1, 1}}, empty = {{2, 2}};

	mg_cache_add(cache, &key, mg_span(value, sizeof value));
	ok(mg_cache_find(cache, &key) == MG_CACHE_NONE, "what would take more than a quarter is not added");
	mg_cache_add(cache, &empty, mg_span(NULL, 0));
	is_int(mg_cache_size(cache, mg_cache_find(cache, &empty)), 0, "nothing is a value");
	mg_cache_read(cache, mg_cache_find(cache, &empty), NULL);
	mg_cache_init(memory, MG_CACHE_LEAST);
	ok(mg_cache_find(cache, &empty) == MG_CACHE_NONE && mg_cache_used(cache) == 0, "made empty");
	free(memory);
}

int
main(void)
{
	test_random(MG_CACHE_LEAST);
	test_random(16 * 1024);
	test_random(100 * 1024 + 64);
	test_random(2 * 1024 * 1024);
	test_clock();
	test_sizes();
	return done();
}
