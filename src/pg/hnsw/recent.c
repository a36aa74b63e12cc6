/* Hints about buffers. */
#include "pg/hnsw/recent.h"

#include "pg/compat.h"
#include "pgstat.h"
#include "storage/buf_internals.h"
#include "utils/memutils.h"

#define LINE_SIZE 64 /* of a cache, or a multiple */
#define N_INDEXES 4
#define N_HINTS (1u << 17) /* of each, by block modulo this: 512 kB, all of an index of 1 GB */

struct HnswRecent
{
	CompatLocator locator;
	uint64 used; /* a clock */
	Buffer *buffers; /* [N_HINTS] */
};

static HnswRecent indexes[N_INDEXES];
static uint64 clock_now;

HnswRecent *
hnsw_recent_of(Relation index)
{
	CompatLocator locator = compat_locator(index);
	HnswRecent *oldest = &indexes[0];

	clock_now++;
	for (int i = 0; i < N_INDEXES; i++)
	{
		if (indexes[i].buffers != NULL && compat_locator_equals(indexes[i].locator, locator))
		{
			indexes[i].used = clock_now;
			return &indexes[i];
		}
		if (indexes[i].used < oldest->used)
			oldest = &indexes[i];
	}
	if (oldest->buffers == NULL)
		oldest->buffers = MemoryContextAlloc(TopMemoryContext, N_HINTS * sizeof(Buffer));
	memset(oldest->buffers, 0, N_HINTS * sizeof(Buffer)); /* InvalidBuffer */
	oldest->locator = locator;
	oldest->used = clock_now;
	return oldest;
}

Buffer
hnsw_recent_read(HnswRecent *recent, Relation index, BlockNumber block)
{
	/* The hint may be of another index by now: what is read is checked against this one. */
	Buffer *hint = &recent->buffers[block % N_HINTS];

	if (BufferIsValid(*hint) && ReadRecentBuffer(compat_locator(index), MAIN_FORKNUM, block, *hint))
	{
		pgstat_count_buffer_read(index);
		pgstat_count_buffer_hit(index);
		return *hint;
	}
	*hint = ReadBuffer(index, block);
	return *hint;
}

void
hnsw_recent_prefetch(const HnswRecent *recent, BlockNumber block, Size offset, Size size)
{
	Buffer hint = recent->buffers[block % N_HINTS];
	const char *page;

	if (hint <= 0 || hint > NBuffers)
		return;
	page = (const char *) BufferGetBlock(hint);
	__builtin_prefetch(GetBufferDescriptor(hint - 1));
	__builtin_prefetch(page);
	for (Size at = offset; at < offset + size; at += LINE_SIZE)
		__builtin_prefetch(page + at);
}
