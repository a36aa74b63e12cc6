/* Binding models, once a backend and model; and what each call does before and after. */
#include "pg/model/session.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/host.h"
#include "pg/model/progress.h"
#include "pg/model/stats.h"
#include "pg/model/stored_image.h"
#include "tensor/blas.h"
#include "tensor/pool.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* Scratch memory that stays between transactions; more is given back at their end. */
#define SCRATCH_KEPT ((Size) 64 * 1024 * 1024)

/* A model bound by this backend, found by digest and form. */
typedef struct Bound
{
	ModelKey key; /* hash key */
	const Resident *resident; /* NULL: not bound */
	MemoryContext context; /* of cx */
	MgHost host;
	MgCtx cx;	  /* memory of model */
	const MgModel *model;
} Bound;

static HTAB *bound_models;
static MgHost scratch_host;
static MgCtx scratch;
static bool scratch_ready;

/* The pool, and the number of threads that it was made for. */
static MgPool *pool;
static int pool_threads = 1;
static MgCtx pool_cx;

static void
trim_scratch(XactEvent event, void *arg)
{
	if ((event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_COMMIT ||
		 event == XACT_EVENT_PARALLEL_ABORT) &&
		scratch_ready && mg_ctx_size(&scratch) > SCRATCH_KEPT)
		mg_ctx_trim(&scratch, SCRATCH_KEPT);
}

static void
prepare(void)
{
	HASHCTL control = {.keysize = sizeof(ModelKey), .entrysize = sizeof(Bound), .hcxt = TopMemoryContext};

	if (scratch_ready)
		return;
	bound_models = hash_create("maskgen bound models", 8, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	scratch_host = host_in(AllocSetContextCreate(TopMemoryContext, "maskgen scratch", ALLOCSET_DEFAULT_SIZES));
	mg_ctx_init(&scratch, &scratch_host);
	mg_ctx_init(&pool_cx, &scratch_host);
	RegisterXactCallback(trim_scratch, NULL);
	scratch_ready = true;
}

MgForm
session_form(void)
{
	return mg_image_form(mg_kernels(guc_cpu_level()), (MgProvider) maskgen_matmul);
}

const char *
session_kernel(const ModelEntry *entry)
{
	const char *level = mg_cpu_level_name(guc_cpu_level());

	if (entry->codes != NULL)
		return psprintf("%s %s", level, entry->codes);
	if (session_form() == MG_FORM_BF16X2)
		return psprintf("%s bf16x2", level);
	return maskgen_matmul == MG_NATIVE ? level
									   : psprintf("%s %s", level, mg_provider_name((MgProvider) maskgen_matmul));
}

/* The library that maskgen.matmul names, with what it reads from the environment set before it is loaded. */
static void
open_blas(int threads)
{
	MgVariable variables[MG_BLAS_MAX_VARIABLES];
	size_t n = mg_blas_environment((MgProvider) maskgen_matmul, guc_cpu_level(), threads, variables);

	for (size_t i = 0; i < n; i++)
		setenv(variables[i].name, variables[i].value, 0);
	if (!mg_blas_open(&scratch, (MgProvider) maskgen_matmul, threads))
		host_throw(&scratch);
}

/* What the settings of this moment ask for. Parallel workers share the cores already. */
static MgCompute
choose_compute(void)
{
	int threads = IsParallelWorker() ? 1 : Min(maskgen_threads, maskgen_max_threads);

	if (threads != pool_threads)
	{
		if (pool != NULL)
			mg_pool_destroy(pool);
		pool = NULL;
		pool_threads = 1;
		mg_ctx_reset(&pool_cx);
		if (threads > 1)
		{
			pool = mg_pool_create(&pool_cx, threads);
			if (pool == NULL)
				host_throw(&pool_cx);
		}
		pool_threads = threads;
	}
	if (maskgen_matmul != MG_NATIVE)
		open_blas(threads);
	return (MgCompute){.kernels = mg_kernels(guc_cpu_level()),
					   .provider = (MgProvider) maskgen_matmul,
					   .pool = pool};
}

static void
unbind(Bound *bound)
{
	const Resident *resident = bound->resident;

	bound->resident = NULL;
	bound->model = NULL;
	if (bound->context != NULL)
		MemoryContextDelete(bound->context);
	bound->context = NULL;
	resident_release(resident);
}

/* Binds to a copy that was just acquired; a failure gives it back. */
static void
bind(Bound *bound, const Resident *resident)
{
	bound->resident = resident;
	bound->context = AllocSetContextCreate(TopMemoryContext, "maskgen model", ALLOCSET_DEFAULT_SIZES);
	bound->host = host_in(bound->context);
	mg_ctx_init(&bound->cx, &bound->host);
	bound->model = mg_model_bind(&bound->cx, mg_span(resident->map.bytes, resident->map.size));
	if (bound->model == NULL)
	{
		scratch.error = bound->cx.error;
		unbind(bound);
		host_throw(&scratch);
	}
}

static const MgModel *
bound_model(const ModelEntry *entry)
{
	ModelKey key = stored_image_key(entry, session_form());
	Bound *bound;
	bool found;

	bound = hash_search(bound_models, &key, HASH_ENTER, &found);
	if (!found)
	{
		bound->resident = NULL;
		bound->context = NULL;
		bound->model = NULL;
	}
	/* A throw while binding leaves a copy without a model. */
	if (bound->resident != NULL && (bound->model == NULL || !resident_is_current(bound->resident)))
		unbind(bound);
	if (bound->resident == NULL)
		bind(bound, stored_image_acquire(entry, session_form()));
	return bound->model;
}

void
model_use_begin(ModelUse *use, const char *name)
{
	static MgCompute compute;
	const MgModel *model;

	prepare();
	mg_ctx_reset(&scratch);
	memset(use, 0, sizeof *use);
	use->entry = catalog_find(name);
	use->version = catalog_version();
	model = bound_model(use->entry);
	compute = choose_compute();
	/* Two models of equal content are bound once; errors name the one that was asked for. */
	use->run = (MgRun){.cx = &scratch,
					   .model = model,
					   .name = NameStr(use->entry->name),
					   .compute = &compute,
					   .batch_tokens = (size_t) maskgen_batch_tokens,
					   .usage = &use->usage};
	INSTR_TIME_SET_CURRENT(use->start);
	progress_watch(&use->usage);
}

void
model_use_begin_as(ModelUse *use, const char *name, const char *verb)
{
	progress_begin(verb, name, 0);
	model_use_begin(use, name);
	use->is_work = true;
}

void
model_use_end(ModelUse *use, bool fine)
{
	StatsCounts counts = {{0}};
	instr_time end;

	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, use->start);
	counts.values[STATS_CALLS] = 1;
	counts.values[STATS_ROWS] = use->usage.rows;
	counts.values[STATS_TOKENS] = use->usage.tokens;
	counts.values[STATS_BATCHES] = use->usage.batches;
	counts.values[STATS_MICROSECONDS] = INSTR_TIME_GET_MICROSEC(end);
	counts.values[STATS_ERRORS] = !fine;
	counts.values[STATS_DECODED] = use->usage.decoded;
	counts.values[STATS_NEW_TOKENS] = use->usage.new_tokens;
	stats_add(use->entry->digest, &counts);
	progress_watch(NULL);
	if (use->is_work)
		progress_rows(use->usage.rows);
	if (!fine)
		host_throw(use->run.cx);
}

void
session_count_error(const uint8 *digest)
{
	StatsCounts counts = {{0}};

	counts.values[STATS_ERRORS] = 1;
	stats_add(digest, &counts);
}

void
session_count_hits(const uint8 *digest, int n, bool call)
{
	StatsCounts counts = {{0}};

	counts.values[STATS_CALLS] = call;
	counts.values[STATS_ROWS] = counts.values[STATS_CACHE_HITS] = (uint64) n;
	stats_add(digest, &counts);
}
