/* A few label sets, found by comparing all that they depend on; the least recently used one makes room. */
#include "pg/task/label_cache.h"

#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/host.h"
#include "pg/task/priors.h"
#include "pg/task/result_cache.h"
#include "utils/memutils.h"

#define CACHE_SIZE 16

/*
 * Prepared labels hold ids only, no pointer into the model, so they outlive
 * its unloading. The basis is a little different on another CPU level.
 */
typedef struct CachedSet
{
	MemoryContext context; /* NULL: free */
	MgHost host;
	MgCtx cx; /* memory of labels and basis */
	uint64 last_used;
	uint8 digest[DIGEST_SIZE];
	int cpu, matmul;
	bytea *request; /* flattened */
	LabelSet set;
} CachedSet;

static CachedSet cache[CACHE_SIZE];
static uint64 clock_now;

/* Lengths and bytes of template and labels, one after the other. */
static bytea *
flatten(const LabelRequest *request)
{
	Size size = VARHDRSZ + sizeof(size_t) + request->template.size;
	bytea *flat;
	char *at;

	for (int i = 0; i < request->n; i++)
		size += sizeof(size_t) + request->labels[i].size;
	flat = palloc(size);
	SET_VARSIZE(flat, size);
	at = VARDATA(flat);
	for (int i = -1; i < request->n; i++)
	{
		MgSpan part = i < 0 ? request->template : request->labels[i];

		memcpy(at, &part.size, sizeof part.size);
		if (part.size > 0)
			memcpy(at + sizeof part.size, part.data, part.size);
		at += sizeof part.size + part.size;
	}
	return flat;
}

static bool
fits(const CachedSet *cached, const ModelUse *use, const bytea *request)
{
	return cached->context != NULL && memcmp(cached->digest, use->entry->digest, DIGEST_SIZE) == 0 &&
		cached->cpu == maskgen_cpu && cached->matmul == maskgen_matmul &&
		VARSIZE(cached->request) == VARSIZE(request) && memcmp(cached->request, request, VARSIZE(request)) == 0;
}

static void
drop(CachedSet *cached)
{
	MemoryContext context = cached->context;

	memset(cached, 0, sizeof *cached);
	if (context != NULL)
		MemoryContextDelete(context);
}

/* Small ones, priors, have a ring of their own. Larger ones, vectors of labels, lie among the results. */
static MgHash
result_key(const CacheSegment *segment, const ModelUse *use, const bytea *flat)
{
	static const char what[] = "label set";
	uint32 compute[] = {MyDatabaseId, (uint32) guc_cpu_level(), (uint32) maskgen_matmul};
	char bytes[sizeof what + sizeof compute + DIGEST_SIZE];

	memcpy(bytes, what, sizeof what);
	memcpy(bytes + sizeof what, compute, sizeof compute);
	memcpy(bytes + sizeof what + sizeof compute, use->entry->digest, DIGEST_SIZE);
	return mg_hash(result_cache_options(segment, bytes, sizeof bytes), mg_span(VARDATA(flat), VARSIZE(flat) - VARHDRSZ));
}

static bool
find_result(CacheSegment *segment, const MgHash *key, float *basis, Size size)
{
	struct varlena *value = result_cache_find(segment, key);
	bool fits = value != NULL && VARSIZE_ANY_EXHDR(value) == size;

	if (fits)
		memcpy(basis, VARDATA_ANY(value), size);
	if (value != NULL)
		pfree(value);
	return fits;
}

/* The basis, from shared memory or computed and left there; NULL after an error of use->run.cx or cx. */
static float *
get_basis(MgCtx *cx, ModelUse *use, const MgLabels *labels, size_t n, const bytea *flat)
{
	float *basis = mg_alloc_array(cx, n, sizeof *basis);
	CacheSegment *segment = result_segment();
	PriorKey prior_key;
	MgHash key;

	if (basis == NULL)
		return NULL;
	if (n <= PRIORS_MOST_LABELS)
	{
		prior_key = priors_key(use->entry->digest, VARDATA(flat), VARSIZE(flat) - VARHDRSZ);
		if (priors_find(&prior_key, (int) n, basis))
			return basis;
	}
	else if (segment != NULL)
	{
		key = result_key(segment, use, flat);
		if (find_result(segment, &key, basis, n * sizeof *basis))
			return basis;
	}
	if (!mg_labels_basis(&use->run, labels, basis))
		return NULL;
	if (n <= PRIORS_MOST_LABELS)
		priors_add(&prior_key, (int) n, basis);
	else if (segment != NULL)
		result_cache_add(segment, &key, mg_span(basis, n * sizeof *basis));
	return basis;
}

/* Fills a free place. A throw, as from a cancel while the basis is computed, leaves it to be dropped by the next. */
static void
fill(CachedSet *cached, ModelUse *use, const LabelRequest *request, const bytea *flat)
{
	MgRun run = use->run;
	const MgLabels *labels;
	float *basis = NULL;
	size_t size = 0;

	cached->context = AllocSetContextCreate(TopMemoryContext, "maskgen labels", ALLOCSET_SMALL_SIZES);
	cached->host = host_in(cached->context);
	mg_ctx_init(&cached->cx, &cached->host);
	run.cx = &cached->cx;
	labels = mg_labels_prepare(&run, request->labels, (size_t) request->n, request->template);
	if (labels != NULL)
		size = mg_labels_basis_size(&run, labels);
	if (size > 0)
		basis = get_basis(&cached->cx, use, labels, size, flat);
	if (labels == NULL || (size > 0 && basis == NULL))
	{
		if (use->run.cx->error.code == MG_OK)
			use->run.cx->error = cached->cx.error;
		drop(cached);
		model_use_end(use, false);
	}
	memcpy(cached->digest, use->entry->digest, DIGEST_SIZE);
	cached->cpu = maskgen_cpu;
	cached->matmul = maskgen_matmul;
	cached->request = MemoryContextAlloc(cached->context, VARSIZE(flat));
	memcpy(cached->request, flat, VARSIZE(flat));
	cached->set = (LabelSet){labels, basis};
}

LabelSet
label_cache_get(ModelUse *use, const LabelRequest *request)
{
	bytea *flat = flatten(request);
	CachedSet *oldest = &cache[0];

	for (int i = 0; i < CACHE_SIZE; i++)
	{
		CachedSet *cached = &cache[i];

		/* What a throw left behind half filled. */
		if (cached->context != NULL && cached->request == NULL)
			drop(cached);
		if (fits(cached, use, flat))
		{
			cached->last_used = ++clock_now;
			pfree(flat);
			return cached->set;
		}
		if (cached->last_used < oldest->last_used)
			oldest = cached;
	}
	drop(oldest);
	fill(oldest, use, request, flat);
	oldest->last_used = ++clock_now;
	pfree(flat);
	return oldest->set;
}
