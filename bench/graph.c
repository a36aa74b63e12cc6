/*
 * The graph alone, in memory: build time, then recall@10 against microseconds a query.
 *
 *   graph BASE.f32 QUERIES.f32 DIMS [NAME=VALUE...]
 *
 * Files are rows of float32, nothing else. Names: m, ef_construction, threads, bits (of a link's code; 0: as a page
 * of 8 kB allows), metric (l2, ip), rerank (how many are ranked by exact distance; 0: ef), rows (at most),
 * insert (of the rows, this many by plans after the build).
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/host.h"
#include "hnsw/build.h"
#include "hnsw/memstore.h"
#include "hnsw/search.h"
#include "vector/distance.h"

#define K 10
#define HUGE_PAGE ((size_t) 2 << 20)
#define ITEM 6 /* as large as a TID */
#define PAGE_ROOM 8160 /* of 8192 bytes, after a page's header and 8 bytes of ours */
#define PAGE_OVERHEAD 4

typedef struct Run
{
	const float *base, *queries;
	size_t n, n_queries, dims;
	long m, ef_construction, threads, bits, rerank, rows, insert, ip;
	uint32_t *truth; /* [n_queries, K] */
	MgEntryLayout layout;
	MgRotation rotation;
	MgGraph graph;
	MgBuild *build;
	MgDistance distance;
} Run;

static double
clock_seconds(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "graph: %s\n", what);
	exit(1);
}

static float *
read_rows(const char *path, size_t dims, size_t *n)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	float *rows;

	if (file == NULL || fstat(fileno(file), &status) != 0)
		fail("could not open a file");
	*n = (size_t) status.st_size / (dims * sizeof *rows);
	rows = malloc(*n * dims * sizeof *rows);
	if (rows == NULL || fread(rows, dims * sizeof *rows, *n, file) != *n)
		fail("could not read a file");
	fclose(file);
	return rows;
}

static double
exact(const Run *run, const float *query, uint32_t row)
{
	return run->distance.pair(query, run->base + row * run->dims, run->dims);
}

typedef struct Ranked
{
	double distance;
	uint32_t row;
} Ranked;

/* Into the K nearest of [0, n), ascending. */
static void
rank(Ranked *best, size_t *n, double distance, uint32_t row)
{
	size_t at = *n;

	if (*n == K && distance >= best[K - 1].distance)
		return;
	if (*n == K)
		at--;
	else
		(*n)++;
	for (; at > 0 && best[at - 1].distance > distance; at--)
		best[at] = best[at - 1];
	best[at] = (Ranked){distance, row};
}

static void
find_truth(Run *run)
{
	run->truth = malloc(run->n_queries * K * sizeof *run->truth);
	for (size_t q = 0; q < run->n_queries; q++)
	{
		Ranked best[K];
		size_t n = 0;

		for (uint32_t row = 0; row < run->n; row++)
			rank(best, &n, exact(run, run->queries + q * run->dims, row), row);
		for (size_t i = 0; i < K; i++)
			run->truth[q * K + i] = best[i].row;
	}
}

static uint64_t
mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

static void
make_item(size_t row, uint8_t item[ITEM])
{
	uint32_t narrow = (uint32_t) row;

	memset(item, 0, ITEM);
	memcpy(item, &narrow, sizeof narrow);
}

typedef struct Worker
{
	Run *run;
	MgBuilder *builder;
	MgCtx cx;
	uint32_t n_ranges;
	int step; /* -1: values are stored; else an MgConnectStep */
	size_t first, stride, last;
	pthread_t thread;
} Worker;

static void
store(Worker *worker)
{
	Run *run = worker->run;

	for (size_t row = worker->first; row < worker->last; row += worker->stride)
	{
		MgBuildValue value = {run->base + row * run->dims, 0, mix(row)};
		uint8_t item[ITEM];

		make_item(row, item);
		if (mg_builder_add(worker->builder, &value, item, mix(row + 1)) == MG_BUILT_FULL)
			fail("the block is full");
	}
}

static void *
work(void *argument)
{
	Worker *worker = argument;

	if (worker->step < 0)
		store(worker);
	else
		for (uint32_t range = (uint32_t) worker->first; range < worker->n_ranges; range += (uint32_t) worker->stride)
			if (!mg_connect(&worker->cx, worker->builder, (MgConnectStep) worker->step, range))
				fail(worker->cx.error.message);
	return NULL;
}

/* One step by all threads; seconds of CPU. */
static double
work_together(Run *run, Worker *workers, int step, uint32_t n_ranges)
{
	double cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);

	for (long t = 0; t < run->threads; t++)
	{
		workers[t].step = step;
		workers[t].n_ranges = n_ranges;
		if (pthread_create(&workers[t].thread, NULL, work, &workers[t]) != 0)
			fail("no thread");
	}
	for (long t = 0; t < run->threads; t++)
		pthread_join(workers[t].thread, NULL);
	return clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

static void
build(MgCtx *cx, Run *run, MgMemstore *memstore)
{
	size_t size = mg_build_size(&run->layout, run->n, 0);
	MgBuildOptions options = {.ef_construction = (uint32_t) run->ef_construction, .size = size};
	MgPlacer placer = mg_memstore_placer(memstore);
	Worker workers[64];
	double start = clock_seconds(CLOCK_MONOTONIC), cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID), linked, emitted;

	/* Huge pages, as the server asks for. */
	run->build = aligned_alloc(HUGE_PAGE, (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
	madvise(run->build, size, MADV_HUGEPAGE);
	if (run->build == NULL || !mg_build_init(cx, run->build, &run->layout, &options))
		fail("no block");
	for (long t = 0; t < run->threads; t++)
	{
		workers[t] = (Worker){.run = run, .first = (size_t) t, .stride = (size_t) run->threads, .last = run->n - (size_t) run->insert};
		mg_ctx_init(&workers[t].cx, &cli_host);
		workers[t].builder = mg_builder_attach(&workers[t].cx, run->build, &run->graph);
		if (workers[t].builder == NULL)
			fail(workers[t].cx.error.message);
	}
	printf("CPU: stored %.2f", work_together(run, workers, -1, 0));
	for (int step = 0; step < MG_CONNECT_STEPS; step++)
	{
		uint32_t n_ranges;

		if (!mg_connect_begin(cx, run->build, &run->graph, (MgConnectStep) step, &n_ranges))
			fail(cx->error.message);
		printf(", %s %.2f", step == MG_CONNECT_UPPER ? "upper" : step == MG_CONNECT_ASSIGN ? "assigned" : "and",
			   work_together(run, workers, step, n_ranges));
	}
	printf(" s\n");
	linked = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
	if (!mg_build_emit(cx, workers[0].builder, &placer, &memstore->entry_point, &memstore->entry_level))
		fail(cx->error.message);
	emitted = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
	printf("built %zu rows (%llu nodes, %u entries): %.2f s, CPU %.2f + %.2f s; block %.1f MB of %.1f, entries of %u bytes\n",
		   run->n - (size_t) run->insert, (unsigned long long) mg_build_nodes(run->build), memstore->n,
		   clock_seconds(CLOCK_MONOTONIC) - start, linked - cpu, emitted - linked,
		   (double) mg_build_used(run->build) / 1048576, (double) size / 1048576, run->layout.entry_size[0]);
	for (long t = 0; t < run->threads; t++)
		mg_ctx_free(&workers[t].cx);
	free(run->build);
}

/* The last rows by plans, as an index on disk takes them. */
static void
insert(MgCtx *scratch, Run *run, MgMemstore *memstore)
{
	double start = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);

	for (size_t row = run->n - (size_t) run->insert; row < run->n; row++)
	{
		float *rotated;
		uint8_t item[ITEM];
		MgQuery query;

		make_item(row, item);
		mg_ctx_reset(scratch);
		rotated = mg_alloc_array(scratch, run->layout.padded, sizeof *rotated);
		mg_rotate(&run->rotation, run->base + row * run->dims, rotated);
		if (!mg_query_init(scratch, &run->layout, rotated, &query) ||
			!mg_memstore_insert(scratch, memstore, &run->graph, &query, item, mg_level(&run->layout, mix(row + 1)),
								(uint32_t) run->ef_construction))
			fail(scratch->error.message);
	}
	if (run->insert > 0)
		printf("inserted %ld rows, %.0f us each\n", run->insert,
			   1e6 * (clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - start) / (double) run->insert);
}

/* The query's hits among the true K. */
static size_t
search(MgCtx *cx, Run *run, size_t q, uint32_t ef, MgCounts *counts, uint64_t *n_exact)
{
	const float *query = run->queries + q * run->dims;
	float *rotated = mg_alloc_array(cx, run->layout.padded, sizeof *rotated);
	MgQuery prepared;
	MgSearchOptions options = {.ef = ef, .radius = -INFINITY};
	MgSearch *search;
	const MgFound *found;
	Ranked best[K];
	size_t n, n_best = 0, hits = 0, ranked = 0;

	mg_rotate(&run->rotation, query, rotated);
	if (!mg_query_init(cx, &run->layout, rotated, &prepared) ||
		(search = mg_search_begin(cx, &run->graph, &prepared, &options)) == NULL ||
		!mg_search_next(cx, search, &found, &n))
		fail(cx->error.message);
	for (size_t i = 0; i < n && (run->rerank == 0 || ranked < (size_t) run->rerank); i++)
		for (uint32_t j = 0; j < found[i].n_items; j++, ranked++)
		{
			uint32_t row;

			memcpy(&row, found[i].items + j * ITEM, sizeof row);
			rank(best, &n_best, exact(run, query, row), row);
		}
	*n_exact += ranked;
	counts->entries += mg_search_counts(search)->entries;
	counts->estimates += mg_search_counts(search)->estimates;
	for (size_t i = 0; i < n_best; i++)
	{
		/* Equal distances are equally right. */
		double last = exact(run, query, run->truth[q * K + K - 1]);

		hits += best[i].distance <= last;
	}
	return hits;
}

static void
search_all(Run *run)
{
	static const uint32_t efs[] = {10, 15, 20, 25, 30, 40, 50, 60, 80, 120, 200};

	printf("  ef   recall@10   us/query   entries   estimates   exact\n");
	for (size_t i = 0; i < sizeof efs / sizeof *efs; i++)
	{
		double best = INFINITY;
		MgCounts counts;
		uint64_t n_exact = 0;
		size_t hits = 0;
		MgCtx cx;

		mg_ctx_init(&cx, &cli_host);
		for (int round = 0; round < 3; round++)
		{
			double start = clock_seconds(CLOCK_THREAD_CPUTIME_ID), spent;

			counts = (MgCounts){0};
			n_exact = hits = 0;
			for (size_t q = 0; q < run->n_queries; q++)
			{
				mg_ctx_reset(&cx);
				hits += search(&cx, run, q, efs[i], &counts, &n_exact);
			}
			spent = clock_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
			best = fmin(best, spent);
		}
		mg_ctx_free(&cx);
		printf("%4u   %9.4f   %8.1f   %7.1f   %9.0f   %5.1f\n", efs[i],
			   (double) hits / (double) (run->n_queries * K), 1e6 * best / (double) run->n_queries,
			   (double) counts.entries / (double) run->n_queries, (double) counts.estimates / (double) run->n_queries,
			   (double) n_exact / (double) run->n_queries);
	}
}

static void
read_options(Run *run, int argc, char **argv)
{
	struct
	{
		const char *name;
		long *value;
	} names[] = {{"m", &run->m}, {"ef_construction", &run->ef_construction}, {"threads", &run->threads},
				 {"bits", &run->bits}, {"rerank", &run->rerank}, {"rows", &run->rows}, {"insert", &run->insert}};

	for (int i = 4; i < argc; i++)
	{
		char *value = strchr(argv[i], '=');

		if (value == NULL)
			fail("options are NAME=VALUE");
		*value++ = '\0';
		if (strcmp(argv[i], "metric") == 0)
			run->ip = strcmp(value, "ip") == 0;
		for (size_t k = 0; k < sizeof names / sizeof *names; k++)
			if (strcmp(argv[i], names[k].name) == 0)
				*names[k].value = atol(value);
	}
}

int
main(int argc, char **argv)
{
	Run run = {.m = 16, .ef_construction = 64, .threads = 1};
	MgShape shape = {.item_size = ITEM, .max_items = 2};
	MgMemstore memstore;
	MgCtx cx, scratch;

	if (argc < 4)
		fail("usage: graph BASE.f32 QUERIES.f32 DIMS [NAME=VALUE...]");
	mg_ctx_init(&cx, &cli_host);
	run.dims = (size_t) atol(argv[3]);
	run.base = read_rows(argv[1], run.dims, &run.n);
	run.queries = read_rows(argv[2], run.dims, &run.n_queries);
	read_options(&run, argc, argv);
	if (run.rows > 0 && (size_t) run.rows < run.n)
		run.n = (size_t) run.rows;
	mg_distance_find(MG_ELEMENT_F32, run.ip ? MG_METRIC_INNER_PRODUCT : MG_METRIC_L2, mg_cpu_level(),
					 &run.distance);
	find_truth(&run);
	shape.metric = run.ip ? MG_GRAPH_IP : MG_GRAPH_L2;
	shape.dims = (uint32_t) run.dims;
	shape.m = (uint32_t) run.m;
	shape.code_bits = run.bits > 0 ? (uint32_t) run.bits : mg_layout_code_bits(&shape, PAGE_ROOM, PAGE_OVERHEAD);
	if (!mg_layout_init(&cx, &run.layout, &shape) || !mg_rotation_init(&cx, &run.rotation, shape.dims, 42))
		fail(cx.error.message);
	run.graph = (MgGraph){&run.layout, &run.rotation, mg_cpu_level(), mg_code_kernels(mg_cpu_level()), {0}};
	mg_memstore_init(&cx, &memstore, &run.layout, &run.graph);
	mg_ctx_init(&scratch, &cli_host);
	build(&cx, &run, &memstore);
	insert(&scratch, &run, &memstore);
	search_all(&run);
	return 0;
}
