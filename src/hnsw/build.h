/*
 * Building in memory: one flat block, offsets and no pointers, so that it may
 * be shared by processes; each inserts concurrently. Then emitted, entry by entry.
 *
 * Coded graphs keep 8 bits a dimension of the rotated vectors (a scale each):
 * the graph is the same as with float32 to within noise, a quarter of the
 * memory, and distances are sums of integers. A node of 384 dimensions with
 * m = 16 takes some 620 bytes.
 *
 * Locks: a spin lock in each node, an atomic word, held while its list of
 * links is copied, changed or cut (some 10 us) and never at a poll, an
 * allocation or an error; and one for the entry point, under which only the
 * very first node is made. No two nodes' are held at once.
 */
#ifndef MG_HNSW_BUILD_H
#define MG_HNSW_BUILD_H

#include "hnsw/graph.h"

/* The start of the block. A caller's pointer to it is good in its own process only. */
typedef struct MgBuild MgBuild;

typedef struct MgBuildOptions
{
	uint32_t ef_construction;
	size_t size; /* bytes of the block, header included */
} MgBuildOptions;

/* Bytes that a block for n nodes needs. SIZE_MAX when that overflows. For plain values: of the average size. */
size_t mg_build_size(const MgEntryLayout *layout, uint64_t n, uint32_t value_size);

/* Sets up a block of options->size bytes, aligned to 64; by one process, before any other attaches. */
bool mg_build_init(MgCtx *cx, MgBuild *build, const MgEntryLayout *layout, const MgBuildOptions *options);

/* What a process needs of its own to insert: scratch memory. In the arena. */
typedef struct MgBuilder MgBuilder;
MgBuilder *mg_builder_attach(MgCtx *cx, MgBuild *build, const MgGraph *graph);

typedef enum MgBuilt
{
	MG_BUILT_NODE,	 /* a new node */
	MG_BUILT_JOINED, /* the item went to the node with an equal value */
	MG_BUILT_FULL	 /* no room in the block: nothing was changed */
} MgBuilt;

typedef struct MgBuildValue
{
	const void *vector;	  /* coded: float [dims]; plain: size bytes */
	uint32_t size;
	uint64_t fingerprint; /* README.md, Equal vectors; plain: any hash of the bytes */
} MgBuildValue;

/* Stores a value, without links. random: 64 random bits. Neither polls nor fails. */
MgBuilt mg_builder_add(MgBuilder *builder, const MgBuildValue *value, const void *item, uint64_t random);

/* Nodes, and bytes used. */
uint64_t mg_build_nodes(const MgBuild *build);
size_t mg_build_used(const MgBuild *build);

/* ---- links, when all values are in */

/*
 * In this order, each when the one before has ended. Several processes may work on different ranges of one at once. All poll.
 * connect.c says what they do.
 */
typedef enum MgConnectStep
{
	MG_CONNECT_UPPER,
	MG_CONNECT_ASSIGN,
	MG_CONNECT_FEW, /* the rest, on level 0: one in 16, */
	MG_CONNECT_SOME, /* one in 4, */
	MG_CONNECT_REST,
	MG_CONNECT_STEPS
} MgConnectStep;

bool mg_connect_begin(MgCtx *cx, MgBuild *build, const MgGraph *graph, MgConnectStep step, uint32_t *n_ranges); /* by one */
bool mg_connect(MgCtx *cx, MgBuilder *builder, MgConnectStep step, uint32_t range);

/* All of it, by one process. */
bool mg_build_connect(MgCtx *cx, MgBuilder *builder);

/* ---- emission, after all links */

/*
 * Nodes come in the order of insertion, of each the entry of level 0, then those above, then its chunks, which are placed as
 * entries of level 0. place() says where the next entry will be, and is called for all of them before the first write().
 */
typedef struct MgPlacer
{
	void *user;
	uint32_t together; /* entries of level 0 that are read at once, as on a page: neighbours, if above 1 */

	/* The id of the next entry, of mg_entry_size(layout, level) bytes. */
	bool (*place)(void *user, MgCtx *cx, int level, uint32_t *id);

	/* The finished bytes of an entry; of a range in the order of the calls of place. */
	bool (*write)(void *user, MgCtx *cx, uint32_t id, int level, const uint8_t *entry);
} MgPlacer;

/* What a process needs of its own for its part: scratch memory. In the arena. */
typedef struct MgEmitter MgEmitter;
MgEmitter *mg_emitter_attach(MgCtx *cx, MgBuild *build, const MgGraph *graph);

/*
 * In this order, each when the one before has ended. cut and write are of one range, and several processes may work on different
 * ranges at once; what comes out is the same whoever does which. All poll.
 */
bool mg_emit_begin(MgCtx *cx, MgBuild *build, const MgGraph *graph, uint32_t *n_ranges); /* nodes in ranges */
bool mg_emit_cut(MgCtx *cx, MgEmitter *emitter, uint32_t range);						  /* lists to what entries hold */
bool mg_emit_place(MgCtx *cx, MgBuild *build, const MgGraph *graph, const MgPlacer *placer, uint32_t *entry_point,
				   int *level); /* places, and ways. entry_point MG_NO_NODE when nothing was inserted */
bool mg_emit_write(MgCtx *cx, MgEmitter *emitter, uint32_t range, const MgPlacer *placer);

/* All of it, by one process. */
bool mg_build_emit(MgCtx *cx, MgBuilder *builder, const MgPlacer *placer, uint32_t *entry_point, int *level);

#endif
