/* embed() and its kin. */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/host.h"
#include "pg/session.h"
#include "pg/vector.h"
#include "task/embed.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(maskgen_embed);
PG_FUNCTION_INFO_V1(maskgen_embed_default);
PG_FUNCTION_INFO_V1(maskgen_embed_batch);
PG_FUNCTION_INFO_V1(maskgen_embed_query);
PG_FUNCTION_INFO_V1(maskgen_embed_document);

/* The arguments of a call. */
typedef struct Call
{
	const text *model, *input, *prompt;
	int dims;
	bool normalize;
} Call;

/*
 * The last call of one place in a statement: `ORDER BY v <=> embed(m, $1)` in
 * a generic plan asks the same for each row of a scan.
 */
typedef struct Memo
{
	uint64 version; /* of the catalog: privileges and names */
	Oid user;
	uint8 digest[DIGEST_SIZE];
	Call call; /* its texts are the memo's own */
	int long_input, cpu, matmul;
	Vector *result;
} Memo;

static bool
same_text(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static bool
memo_fits(const Memo *memo, const Call *call)
{
	return memo != NULL && memo->result != NULL && memo->version == catalog_version() && memo->user == GetUserId() &&
		memo->call.dims == call->dims && memo->call.normalize == call->normalize &&
		memo->long_input == maskgen_long_input && memo->cpu == maskgen_cpu && memo->matmul == maskgen_matmul &&
		same_text(memo->call.input, call->input) && same_text(memo->call.model, call->model) &&
		same_text(memo->call.prompt, call->prompt);
}

static text *
copy_text(const text *value, MemoryContext context)
{
	Size size = VARSIZE_ANY(value);
	text *copy = MemoryContextAlloc(context, size);

	memcpy(copy, value, size);
	return copy;
}

/* Remembers a call; what it replaces is freed, so that a long scan does not grow. */
static void
memo_keep(FmgrInfo *flinfo, const ModelUse *use, const Call *call, const Vector *result)
{
	MemoryContext context = flinfo->fn_mcxt;
	Memo *memo = flinfo->fn_extra;

	if (memo == NULL)
		memo = flinfo->fn_extra = MemoryContextAllocZero(context, sizeof *memo);
	if (memo->result != NULL)
	{
		pfree(memo->result);
		pfree((void *) memo->call.model);
		pfree((void *) memo->call.input);
		pfree((void *) memo->call.prompt);
		memo->result = NULL;
	}
	memo->version = use->version;
	memo->user = GetUserId();
	memcpy(memo->digest, use->entry->digest, DIGEST_SIZE);
	memo->call = *call;
	memo->call.model = copy_text(call->model, context);
	memo->call.input = copy_text(call->input, context);
	memo->call.prompt = copy_text(call->prompt, context);
	memo->long_input = maskgen_long_input;
	memo->cpu = maskgen_cpu;
	memo->matmul = maskgen_matmul;
	memo->result = (Vector *) copy_text((const text *) result, context);
}

static MgEmbedOptions
make_options(const text *prompt, int dims, bool normalize)
{
	if (dims < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("dims is %d", dims),
						errdetail("It is at least 0, which means all dimensions of the model.")));
	return (MgEmbedOptions){span_of_text(prompt), (size_t) dims, normalize, (MgLongInput) maskgen_long_input};
}

/* n texts of one model; out gets a vector for each. use tells afterwards what computed them. */
static void
embed_texts(ModelUse *use, const char *model, const MgEmbedOptions *options, const MgSpan *texts, int n, Vector **out)
{
	size_t dims = 0;
	float *values = NULL;
	bool fine;

	model_use_begin(use, model);
	fine = mg_embed_dims(use->cx, use->model, options, &dims);
	if (fine && dims > VECTOR_MAX_DIM)
		fine = mg_fail(use->cx, MG_TOO_LARGE, "model \"%s\" has %zu dimensions", use->model->name, dims);
	if (fine)
	{
		values = mg_alloc_array(use->cx, (size_t) n, dims * sizeof *values);
		fine = values != NULL && mg_embed(use->cx, use->model, options, texts, (size_t) n, values, &use->usage);
	}
	model_use_end(use, fine);
	for (int i = 0; i < n; i++)
	{
		out[i] = vector_new((int) dims);
		memcpy(out[i]->x, values + (size_t) i * dims, dims * sizeof *values);
	}
}

static Datum
embed_one(FmgrInfo *flinfo, const Call *call)
{
	MgEmbedOptions options = make_options(call->prompt, call->dims, call->normalize);
	MgSpan input = span_of_text(call->input);
	Vector *result;
	ModelUse use;

	if (memo_fits(flinfo->fn_extra, call))
	{
		const Memo *memo = flinfo->fn_extra;

		session_count_hit(memo->digest);
		return PointerGetDatum(copy_text((const void *) memo->result, CurrentMemoryContext));
	}
	embed_texts(&use, text_to_cstring(call->model), &options, &input, 1, &result);
	memo_keep(flinfo, &use, call, result);
	return PointerGetDatum(result);
}

Datum
maskgen_embed(PG_FUNCTION_ARGS)
{
	Call call = {PG_GETARG_TEXT_PP(0), PG_GETARG_TEXT_PP(1), PG_GETARG_TEXT_PP(2), PG_GETARG_INT32(3),
				 PG_GETARG_BOOL(4)};

	return embed_one(fcinfo->flinfo, &call);
}

Datum
maskgen_embed_default(PG_FUNCTION_ARGS)
{
	Call call = {cstring_to_text(maskgen_embed_model), PG_GETARG_TEXT_PP(0), cstring_to_text(""), 0, true};

	return embed_one(fcinfo->flinfo, &call);
}

/* The model's own prompt of that name, or of the other one; a model without them gets the text as it is. */
static text *
prompt_of_model(const char *model, const char *name, const char *other)
{
	ModelUse use;
	const MgPrompt *prompt;

	model_use_begin(&use, model);
	prompt = mg_model_prompt(use.model, mg_span_of(name));
	if (prompt == NULL)
		prompt = mg_model_prompt(use.model, mg_span_of(other));
	if (prompt == NULL || prompt->text.size == 0)
		return cstring_to_text("");
	return cstring_to_text_with_len((const char *) prompt->text.data, (int) prompt->text.size);
}

static Datum
embed_prompted(FunctionCallInfo fcinfo, const char *prompt, const char *other)
{
	text *model = PG_GETARG_TEXT_PP(0);
	Call call = {model, PG_GETARG_TEXT_PP(1), prompt_of_model(text_to_cstring(model), prompt, other),
				 PG_GETARG_INT32(2), true};

	return embed_one(fcinfo->flinfo, &call);
}

Datum
maskgen_embed_query(PG_FUNCTION_ARGS)
{
	return embed_prompted(fcinfo, "query", "question");
}

Datum
maskgen_embed_document(PG_FUNCTION_ARGS)
{
	/* What retrieval models call it differs. */
	return embed_prompted(fcinfo, "document", "passage");
}

/* A NULL among the inputs gives a NULL at its place; the shape of the array is kept. */
Datum
maskgen_embed_batch(PG_FUNCTION_ARGS)
{
	char *model = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(1);
	MgEmbedOptions options = make_options(PG_GETARG_TEXT_PP(2), PG_GETARG_INT32(3), PG_GETARG_BOOL(4));
	Oid vector_type = vector_array_element(fcinfo->flinfo);
	Datum *inputs, *outputs;
	bool *nulls;
	int n, n_texts = 0;
	MgSpan *texts;
	Vector **vectors;
	ModelUse use;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &inputs, &nulls, &n);
	texts = palloc((n + 1) * sizeof *texts);
	vectors = palloc((n + 1) * sizeof *vectors);
	outputs = palloc0((n + 1) * sizeof *outputs);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			texts[n_texts++] = span_of_text(DatumGetTextPP(inputs[i]));
	embed_texts(&use, model, &options, texts, n_texts, vectors);
	n_texts = 0;
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			outputs[i] = PointerGetDatum(vectors[n_texts++]);
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(vector_type));
	PG_RETURN_ARRAYTYPE_P(construct_md_array(outputs, nulls, ARR_NDIM(array), ARR_DIMS(array), ARR_LBOUND(array),
											 vector_type, -1, false, TYPALIGN_INT));
}
