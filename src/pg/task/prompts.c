/*
 * Blocks of keys in a segment of one partition, for they are large, under one lock: 1 MB is copied in less than a millisecond.
 *
 * What several prompts of a call begin with is kept at once; what only one began with, when it comes the second time: names that came once
 * are remembered in a table that is small and forgets, without a lock, since a name that is lost or torn costs one more computation.
 */
#include "pg/task/prompts.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "pg/guc.h"
#include "pg/shared.h"
#include "pg/task/cache_segment.h"

PG_FUNCTION_INFO_V1(maskgen_prompt_cache_state);
PG_FUNCTION_INFO_V1(maskgen_prompt_cache_reset);

#define N_SEEN 4096

typedef struct Seen
{
	SharedHead head;
	pg_atomic_uint64 names[N_SEEN]; /* the second half of a name, at the place that the first one gives */
} Seen;

static Seen *seen;
static SharedCache prompts = {.piece = "maskgen_prompt_cache", .name = "prompt cache", .setting = "maskgen.prompt_cache_size",
							  .size = &maskgen_prompt_cache_size, .most_partitions = 1, .followed_size = -1};

Size
prompts_size(void)
{
	return add_size(cache_control_size(), MAXALIGN(sizeof(Seen)));
}

static void
init_seen(void *piece)
{
	for (int i = 0; i < N_SEEN; i++)
		pg_atomic_init_u64(&((Seen *) piece)->names[i], 0);
}

static bool
find(void *user, const MgHash *name, void *block, size_t size)
{
	LWLock *lock;
	MgCache *cache = cache_partition(user, name, &lock);
	bool found;
	uint32 entry;

	LWLockAcquire(lock, LW_SHARED);
	entry = mg_cache_find(cache, name);
	found = entry != MG_CACHE_NONE && mg_cache_size(cache, entry) == size;
	if (found)
		mg_cache_read(cache, entry, block);
	LWLockRelease(lock);
	cache_count(&prompts, found, !found);
	return found;
}

static bool
is_there(CacheSegment *segment, const MgHash *name)
{
	LWLock *lock;
	MgCache *cache = cache_partition(segment, name, &lock);
	bool found;

	LWLockAcquire(lock, LW_SHARED);
	found = mg_cache_find(cache, name) != MG_CACHE_NONE;
	LWLockRelease(lock);
	return found;
}

/* Whether a name came before; from now on it did. */
static bool
came_before(const MgHash *name)
{
	pg_atomic_uint64 *place;

	if (seen == NULL)
		seen = shared_piece("maskgen_prompts_seen", MAXALIGN(sizeof(Seen)), init_seen);
	place = &seen->names[name->words[0] % N_SEEN];
	if (pg_atomic_read_u64(place) == name->words[1])
		return true;
	pg_atomic_write_u64(place, name->words[1]);
	return false;
}

static bool
wants(void *user, const MgHash *name, bool certain)
{
	return !is_there(user, name) && (came_before(name) || certain);
}

static void
keep(void *user, const MgHash *name, MgSpan block)
{
	cache_add(&prompts, user, name, block);
}

const MgPromptCache *
prompts_begin(const ModelUse *use, MgPromptCache *cache)
{
	CacheSegment *segment = maskgen_enable_prompt_cache ? cache_segment(&prompts) : NULL;
	struct
	{
		uint8 digest[DIGEST_SIZE];
		uint32 database, cpu, matmul;
	} all;

	if (segment == NULL)
		return NULL;
	/* The database, so that nobody can probe what another one asks. */
	memset(&all, 0, sizeof all);
	memcpy(all.digest, use->entry->digest, DIGEST_SIZE);
	all.database = MyDatabaseId;
	all.cpu = (uint32) guc_cpu_level();
	all.matmul = (uint32) maskgen_matmul;
	*cache = (MgPromptCache){segment, mg_hash(segment->secret, mg_span(&all, sizeof all)), segment->partition_size / 2, find, wants, keep};
	return cache;
}

Datum
maskgen_prompt_cache_state(PG_FUNCTION_ARGS)
{
	return cache_state(&prompts, fcinfo);
}

Datum
maskgen_prompt_cache_reset(PG_FUNCTION_ARGS)
{
	cache_reset(&prompts);
	PG_RETURN_VOID();
}
