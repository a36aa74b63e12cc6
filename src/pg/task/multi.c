/* embed_tokens() and embed_sparse(): more of a text than one dense vector. */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/task/call.h"
#include "pg/vector/sparsevec.h"
#include "pg/vector/vector.h"
#include "task/sparse.h"
#include "task/token_vectors.h"
#include "utils/array.h"
#include "utils/datum.h"

PG_FUNCTION_INFO_V1(maskgen_embed_tokens);
PG_FUNCTION_INFO_V1(maskgen_embed_sparse);

/* Where results go, in the memory context of who asked. */
typedef struct Results
{
	Datum *values; /* [n inputs] */
	Oid element;   /* of an array */
	int dims;
} Results;

static void
copy_value(void *user, size_t from, size_t to)
{
	Results *results = user;

	results->values[to] = datumCopy(results->values[from], false, -1);
}

static void
put_vectors(void *user, size_t text, const float *vectors, size_t n)
{
	Results *results = user;
	Datum *elements = palloc((n + 1) * sizeof *elements);

	for (size_t i = 0; i < n; i++)
	{
		Vector *vector = vector_new(results->dims);

		memcpy(vector->x, vectors + i * (size_t) results->dims, (size_t) results->dims * sizeof *vectors);
		elements[i] = PointerGetDatum(vector);
	}
	results->values[text] = PointerGetDatum(construct_array(elements, (int) n, results->element, -1, false, TYPALIGN_INT));
	for (size_t i = 0; i < n; i++)
		pfree(DatumGetPointer(elements[i]));
	pfree(elements);
}

static void
run_embed_tokens(TaskCall *call, const MgSpan *inputs, int n, Datum *values)
{
	Results results = {values, vector_array_element(call->flinfo), 0};
	MgTokenVectorsOptions options = {.prompt = span_of_text(DatumGetTextPP(call->args[2])), .long_input = guc_long_input(),
									 .receiver = {&results, put_vectors, copy_value}};
	uint32_t width;

	task_begin(call);
	options.refusals = task_refusals(call, 0);
	width = call->use.run.model->sizes->width;
	results.dims = (int) width;
	task_end(call, width > VECTOR_MAX_DIM
				 ? mg_fail(call->use.run.cx, MG_TOO_LARGE, "model \"%s\" has %u dimensions", call->use.run.name, width)
				 : mg_embed_tokens(&call->use.run, &options, inputs, (size_t) n));
}

static void
put_sparse(void *user, size_t text, const MgWordWeights *words)
{
	Results *results = user;
	Sparsevec *sparse = sparsevec_new(results->dims, (int64) words->n);

	memcpy(sparse->indices, words->ids, words->n * sizeof *words->ids);
	memcpy(sparsevec_values(sparse), words->values, words->n * sizeof *words->values);
	results->values[text] = PointerGetDatum(sparse);
}

static void
run_embed_sparse(TaskCall *call, const MgSpan *inputs, int n, Datum *values)
{
	Results results = {.values = values};
	MgSparseOptions options = {.long_input = guc_long_input(), .receiver = {&results, put_sparse, copy_value}};

	task_begin(call);
	options.refusals = task_refusals(call, 0);
	results.dims = (int) call->use.run.model->sizes->vocab;
	task_end(call, mg_embed_sparse(&call->use.run, &options, inputs, (size_t) n));
}

const TaskFunction multi_tasks[] = {
	{"maskgen_embed_tokens", maskgen_embed_tokens, 3, {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"prompt", TASK_TEXT}},
	 NULL, TASK_VARLENA, TASK_COST_EMBED, run_embed_tokens, NULL},
	{"maskgen_embed_sparse", maskgen_embed_sparse, 2, {{"model", TASK_TEXT}, {"input", TASK_TEXT}},
	 NULL, TASK_VARLENA, TASK_COST_WORDS, run_embed_sparse, NULL},
};
const int n_multi_tasks = lengthof(multi_tasks);

Datum
maskgen_embed_tokens(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &multi_tasks[0]);
}

Datum
maskgen_embed_sparse(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &multi_tasks[1]);
}
