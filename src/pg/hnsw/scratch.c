/* Arenas kept from use to use. */
#include "pg/hnsw/scratch.h"

#include "pg/host.h"
#include "utils/memutils.h"

#define KEPT_SIZE ((Size) 4 * 1024 * 1024) /* of each one; a search of some 10 000 entries takes less */
#define KEPT_MAX 4

/* The arena, which outlives its users. */
typedef struct Arena
{
	MemoryContext memory;
	MgHost host;
	MgCtx cx;
	struct Arena *next; /* of those kept */
} Arena;

/* What a user has of it; in the owner's memory, since the callback cannot be taken back. */
struct HnswScratch
{
	Arena *arena; /* NULL: given back */
	MemoryContextCallback callback;
};

static Arena *kept;
static int n_kept;

static Arena *
make_arena(void)
{
	MemoryContext memory = AllocSetContextCreate(TopMemoryContext, "maskgen_hnsw scratch", ALLOCSET_DEFAULT_SIZES);
	Arena *arena = MemoryContextAllocZero(memory, sizeof *arena);

	arena->memory = memory;
	arena->host = host_in(memory);
	mg_ctx_init(&arena->cx, &arena->host);
	return arena;
}

void
hnsw_scratch_give(HnswScratch *scratch)
{
	Arena *arena = scratch->arena;

	if (arena == NULL)
		return;
	scratch->arena = NULL;
	if (n_kept == KEPT_MAX)
	{
		MemoryContextDelete(arena->memory);
		return;
	}
	mg_ctx_trim(&arena->cx, KEPT_SIZE);
	arena->next = kept;
	kept = arena;
	n_kept++;
}

static void
owner_gone(void *scratch)
{
	hnsw_scratch_give(scratch);
}

HnswScratch *
hnsw_scratch_take(MemoryContext owner)
{
	HnswScratch *scratch = MemoryContextAllocZero(owner, sizeof *scratch);

	if (kept == NULL)
		scratch->arena = make_arena();
	else
	{
		scratch->arena = kept;
		kept = kept->next;
		n_kept--;
	}
	scratch->callback.func = owner_gone;
	scratch->callback.arg = scratch;
	MemoryContextRegisterResetCallback(owner, &scratch->callback);
	return scratch;
}

MgCtx *
hnsw_scratch_cx(HnswScratch *scratch)
{
	return &scratch->arena->cx;
}

void *
hnsw_alloc(MgCtx *cx, size_t n, size_t piece_size)
{
	void *memory = mg_alloc_array(cx, n, piece_size);

	if (memory == NULL)
		host_throw(cx);
	return memory;
}
