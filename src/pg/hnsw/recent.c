/* Hints about buffers. */
#include "pg/hnsw/recent.h"

#include "pg/compat.h"
#include "pgstat.h"
#include "storage/buf_internals.h"
#include "utils/memutils.h"

#define LINE_SIZE 64 /* of a cache, or a multiple */
#define N_INDEXES 4

/* Hints of an index, by block modulo their number, a power of two: one a block up to 4 GB, which is 2 MB of hints. */
#define LEAST_HINTS (1u << 13)
#define MOST_HINTS (1u << 19)

struct HnswRecent
{
	CompatLocator locator;
	uint64 used; /* a clock */
	Buffer *buffers; /* [n] */
	uint32 n;
};

static HnswRecent indexes[N_INDEXES];
static uint64 clock_now;

static uint32
hints_of(Relation index)
{
	BlockNumber n_blocks = RelationGetNumberOfBlocks(index);
	uint32 n = LEAST_HINTS;

	while (n < n_blocks && n < MOST_HINTS)
		n *= 2;
	return n;
}

HnswRecent *
hnsw_recent_of(Relation index)
{
	CompatLocator locator = compat_locator(index);
	HnswRecent *oldest = &indexes[0];
	uint32 n = hints_of(index);

	clock_now++;
	for (int i = 0; i < N_INDEXES; i++)
	{
		if (indexes[i].buffers != NULL && compat_locator_equals(indexes[i].locator, locator))
		{
			oldest = &indexes[i];
			break;
		}
		if (indexes[i].used < oldest->used)
			oldest = &indexes[i];
	}
	if (oldest->buffers == NULL || !compat_locator_equals(oldest->locator, locator) || oldest->n < n)
	{
		if (oldest->n != n)
		{
			Buffer *buffers = MemoryContextAlloc(TopMemoryContext, n * sizeof *buffers);

			if (oldest->buffers != NULL)
				pfree(oldest->buffers);
			oldest->buffers = buffers;
			oldest->n = n;
		}
		memset(oldest->buffers, 0, n * sizeof *oldest->buffers); /* InvalidBuffer */
		oldest->locator = locator;
	}
	oldest->used = clock_now;
	return oldest;
}

Buffer
hnsw_recent_read(HnswRecent *recent, Relation index, BlockNumber block)
{
	/* The hint may be of another index by now: what is read is checked against this one. */
	Buffer *hint = &recent->buffers[block & (recent->n - 1)];

	if (BufferIsValid(*hint) && ReadRecentBuffer(compat_locator(index), MAIN_FORKNUM, block, *hint))
	{
		pgstat_count_buffer_read(index);
		pgstat_count_buffer_hit(index);
		return *hint;
	}
	*hint = ReadBuffer(index, block);
	return *hint;
}

bool
hnsw_recent_read_ahead(HnswRecent *recent, Relation index, BlockNumber block)
{
	Buffer *hint = &recent->buffers[block & (recent->n - 1)];
	PrefetchBufferResult begun;

	/* Without a lock: who is wrong here asks for too much or too little. */
	if (*hint > 0 && *hint <= NBuffers && GetBufferDescriptor(*hint - 1)->tag.blockNum == block)
		return false;
	begun = PrefetchBuffer(index, MAIN_FORKNUM, block);
	if (BufferIsValid(begun.recent_buffer))
		*hint = begun.recent_buffer;
	return begun.initiated_io;
}

void
hnsw_recent_prefetch(const HnswRecent *recent, BlockNumber block, Size offset, Size size)
{
	Buffer hint = recent->buffers[block & (recent->n - 1)];
	const char *page;

	if (hint <= 0 || hint > NBuffers)
		return;
	page = (const char *) BufferGetBlock(hint);
	__builtin_prefetch(GetBufferDescriptor(hint - 1));
	__builtin_prefetch(page);
	for (Size at = offset; at < offset + size; at += LINE_SIZE)
		__builtin_prefetch(page + at);
}
