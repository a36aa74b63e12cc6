/*
 * Entries of a graph as pages may hold them: an input patches the entries of a
 * small graph, which is then searched, added to, repaired and checked through
 * a store that does as stores must: it asks mg_entry_valid. The first byte
 * chooses the form; then five bytes a patch: u8 entry, u16 place, u8 length - 1
 * (modulo 8), u8 value.
 */
#include "cli/host.h"
#include "core/reader.h"
#include "fuzz/host.h"
#include "hnsw/check.h"
#include "hnsw/memstore.h"
#include "hnsw/search.h"
#include "hnsw/ways.h"

#define NODES 48
#define DIMS 20

typedef struct World
{
	MgEntryLayout layout;
	MgRotation rotation;
	MgGraph graph;
	MgMemstore memstore;
	float vectors[NODES + 1][DIMS];
} World;

static float
l1(void *user, const void *a, uint32_t a_size, const void *b, uint32_t b_size)
{
	uint32_t size = a_size < b_size ? a_size : b_size;
	float x, y, sum = 0;

	(void) user;
	for (uint32_t at = 0; at + sizeof x <= size; at += (uint32_t) sizeof x)
	{
		memcpy(&x, (const char *) a + at, sizeof x);
		memcpy(&y, (const char *) b + at, sizeof y);
		sum += x > y ? x - y : y - x;
	}
	return sum;
}

/* As the memory store reads, but no entry that is not valid. */
static bool
read_valid(void *user, MgCtx *cx, uint32_t id, uint8_t *entry, bool *found)
{
	MgMemstore *memstore = user;
	const uint8_t *at = mg_memstore_at(memstore, id);

	(void) cx;
	*found = at != NULL && mg_entry_valid(memstore->layout, at, memstore->layout->entry_size[0]);
	if (*found)
		memcpy(entry, at, mg_entry_size(memstore->layout, mg_entry_level(at)));
	return true;
}

static bool
prepare(MgCtx *cx, const World *world, const float *vector, MgQuery *query)
{
	float *rotated = mg_alloc_array(cx, mg_rotation_padded(DIMS), sizeof *rotated);

	if (!world->layout.coded)
	{
		*query = (MgQuery){.value = vector, .value_size = DIMS * sizeof *vector};
		return true;
	}
	if (rotated == NULL)
		return false;
	mg_rotate(&world->rotation, vector, rotated);
	if (!mg_query_init(cx, &world->layout, rotated, query))
		return false;
	memcpy(&query->fingerprint, vector, sizeof query->fingerprint);
	return true;
}

static void
make_world(MgCtx *cx, MgCtx *scratch, World *world, bool plain)
{
	MgShape shape = {.metric = plain ? MG_GRAPH_PLAIN : MG_GRAPH_L2,
					 .dims = plain ? 0 : DIMS,
					 .code_bits = plain ? 0 : 64,
					 .value_size = plain ? DIMS * sizeof(float) : 0,
					 .m = 3,
					 .item_size = 4,
					 .max_items = 2};

	fuzz_require(mg_layout_init(cx, &world->layout, &shape) && mg_rotation_init(cx, &world->rotation, DIMS, 9));
	world->graph = (MgGraph){&world->layout, &world->rotation, MG_CPU_SCALAR, mg_code_kernels(MG_CPU_SCALAR), {0}};
	mg_memstore_init(cx, &world->memstore, &world->layout, &world->graph);
	world->graph.store.distance = l1;
	for (uint32_t i = 0; i <= NODES; i++)
		for (uint32_t d = 0; d < DIMS; d++)
			world->vectors[i][d] = (float) ((i * 37 + d * 101 + i * d * 13) % 64) / 8 - 4;
	for (uint32_t i = 0; i < NODES; i++)
	{
		MgQuery query;

		fuzz_require(prepare(scratch, world, world->vectors[i], &query) &&
					 mg_memstore_insert(scratch, &world->memstore, &world->graph, &query, &i, i % 8 == 0 ? 1 + (i % 16 == 0) : 0,
										8));
	}
	world->graph.store.read = read_valid;
}

static void
patch(World *world, MgReader *reader)
{
	while (mg_reader_left(reader) >= 5)
	{
		uint32_t id = mg_read_u8(reader) % world->memstore.n, at, run;
		uint8_t *entry = world->memstore.entries[id], value;

		at = mg_read_u8(reader);
		at = (at | (uint32_t) mg_read_u8(reader) << 8) % world->layout.entry_size[1];
		run = mg_read_u8(reader) % 8 + 1u;
		value = mg_read_u8(reader);
		for (uint32_t i = at; i < at + run && i < world->layout.entry_size[1]; i++)
			entry[i] = value;
	}
}

/* An entry of any level may be read as one of level 0, as on a page, where it is the page's size that counts. */
static void
widen_entries(MgCtx *cx, World *world)
{
	for (uint32_t id = 0; id < world->memstore.n; id++)
	{
		uint8_t *wide = mg_alloc_zeroed(cx, 1, world->layout.entry_size[0]);

		fuzz_require(wide != NULL);
		memcpy(wide, world->memstore.entries[id],
			   mg_entry_size(&world->layout, mg_entry_level(world->memstore.entries[id])));
		world->memstore.entries[id] = wide;
	}
}

static void
use(MgCtx *cx, World *world)
{
	MgMemstoreCursor cursor = {&world->memstore, 0};
	MgQuery query;
	MgSearch *search;
	const MgFound *found;
	size_t n;
	MgChecked checked;
	MgInsert plan;
	MgRepair repair;
	MgBypass step;
	MgCounts counts = {0};
	MgEdge edge;
	bool wanted;
	uint32_t entry_point;
	int level;

	fuzz_require(prepare(cx, world, world->vectors[NODES], &query));
	search = mg_search_begin(cx, &world->graph, &query, &(MgSearchOptions){.ef = 6, .radius = 3});
	fuzz_require(search != NULL);
	do
		fuzz_require(mg_search_next(cx, search, &found, &n));
	while (n > 0);
	fuzz_require(mg_insert_plan(cx, &world->graph, &query, "item", 2, 12, &plan));
	for (level = 0; level <= plan.level; level++)
	{
		fuzz_require(mg_insert_way(cx, &world->graph, &plan, level, &edge, &wanted));
		mg_insert_placed(&plan, level, 900 + (uint32_t) level);
	}
	for (uint32_t i = 0; i < mg_insert_n_edges(&world->graph, &plan); i++)
		fuzz_require(mg_insert_edge(cx, &world->graph, &plan, i, &edge, &wanted));
	for (uint32_t id = 0; id < world->memstore.n; id++)
		fuzz_require(mg_bypass_plan(cx, &world->graph, id, &step, &wanted, &counts) &&
					 mg_repair_plan(cx, &world->graph, NULL, id, 8, &repair));
	fuzz_require(mg_repair_entry_point(cx, &world->graph, NULL, &entry_point, &level));
	fuzz_require(mg_check(cx, &world->graph, mg_memstore_next, &cursor, NULL, &checked));
	fuzz_judge(cx, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MgReader reader = mg_reader(mg_span(data, size));
	bool plain = mg_read_u8(&reader) % 2 == 1;
	World world = {.layout = {.coded = false}};
	MgCtx cx, scratch;

	mg_ctx_init(&cx, &fuzz_host);
	mg_ctx_init(&scratch, &fuzz_host);
	make_world(&cx, &scratch, &world, plain);
	widen_entries(&cx, &world);
	patch(&world, &reader);
	use(&scratch, &world);
	mg_ctx_free(&scratch);
	mg_ctx_free(&cx);
	return 0;
}
