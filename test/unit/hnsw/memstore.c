/* Whole lives of graphs in memory: built, grown, half deleted, repaired; for each metric and form. */
#include "unit/hnsw/world.h"

typedef struct Kind
{
	const char *name;
	MgGraphMetric metric;
	uint32_t n, dims, m, bits, ef;
	double least; /* recall@10: some 0.02 below what was measured */
} Kind;

static void
test_kind(const Kind *kind)
{
	World *world = world_open(kind->metric, kind->n, kind->dims, kind->m, kind->bits);
	uint32_t built = kind->n / 2;
	MgChecked checked;
	double recall;
	bool fine = world_build(world, 0, built);

	ok(fine, "%s: builds", kind->name);
	is_int(world_check(world, &checked), 0, "%s: no violations after the build", kind->name);
	is_int(checked.nodes, built, "%s: every vector has a node", kind->name);
	recall = world_recall(world, kind->ef, 100);
	ok(recall >= kind->least, "%s: recall after the build", kind->name);
	printf("# %.3f, %llu unreachable\n", recall, (unsigned long long) checked.unreachable);

	for (uint32_t i = built; i < kind->n; i++)
		fine = fine && world_insert(world, i);
	ok(fine, "%s: grows to twice its size", kind->name);
	is_int(world_check(world, &checked), 0, "%s: no violations after inserts", kind->name);
	recall = world_recall(world, kind->ef, 100);
	ok(recall >= kind->least, "%s: recall after inserts", kind->name);
	printf("# %.3f, %llu unreachable\n", recall, (unsigned long long) checked.unreachable);

	for (uint32_t i = 0; i < kind->n; i++)
		world->alive[i] = world_random(world) % 2 == 0;
	ok(world_vacuum(world), "%s: half of it is vacuumed", kind->name);
	is_int(world_check(world, &checked), 0, "%s: no violations after vacuum", kind->name);
	is_int(checked.dead_links + checked.deleted, 0, "%s: no entry is left of what is dead", kind->name);
	/* Without the ways that repair keeps, 132 of 750 with few bits. Inner products leave short vectors without links. */
	ok(kind->metric == MG_GRAPH_IP || checked.unreachable <= checked.nodes / 50, "%s: clusters hold together", kind->name);
	recall = world_recall(world, kind->ef, 100);
	ok(recall >= kind->least - 0.02, "%s: recall after vacuum", kind->name);
	printf("# %.3f, %llu unreachable\n", recall, (unsigned long long) checked.unreachable);

	for (uint32_t i = 0; i < kind->n; i++)
		world->alive[i] = false;
	ok(world_vacuum(world), "%s: all of it is vacuumed", kind->name);
	is_int(world->memstore.entry_point, MG_NO_NODE, "%s: there is no entry point then", kind->name);
	ok(world_insert(world, 3) && world_recall(world, 10, 5) == 1, "%s: begins again with one vector", kind->name);
	world_close(world);
}

int
main(void)
{
	static const Kind kinds[] = {
		{"l2", MG_GRAPH_L2, 2000, 96, 12, 0, 40, 0.95},
		{"ip", MG_GRAPH_IP, 2000, 96, 12, 0, 60, 0.85},
		{"few bits", MG_GRAPH_L2, 1500, 200, 12, 144, 40, 0.9},
		{"few dimensions", MG_GRAPH_L2, 1500, 3, 8, 0, 40, 0.95},
		{"plain", MG_GRAPH_PLAIN, 1000, 24, 8, 0, 40, 0.95},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		test_kind(&kinds[i]);
	return done();
}
