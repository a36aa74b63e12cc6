/* tokenize(), detokenize(), count_tokens(), tokens(). */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/model/session.h"
#include "pg/task/function.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(maskgen_tokenize);
PG_FUNCTION_INFO_V1(maskgen_detokenize);
PG_FUNCTION_INFO_V1(maskgen_count_tokens);
PG_FUNCTION_INFO_V1(maskgen_tokens);

const TaskFunction tokenize_tasks[] = {
	{"maskgen_tokenize", maskgen_tokenize, 2, {{"model", TASK_TEXT}, {"input", TASK_TEXT}},
	 NULL, TASK_SET, TASK_COST_TOKENIZE, NULL, NULL},
	{"maskgen_count_tokens", maskgen_count_tokens, 2, {{"model", TASK_TEXT}, {"input", TASK_TEXT}},
	 NULL, TASK_SET, TASK_COST_TOKENIZE, NULL, NULL},
	{"maskgen_tokens", maskgen_tokens, 2, {{"model", TASK_TEXT}, {"input", TASK_TEXT}},
	 NULL, TASK_SET, TASK_COST_TOKENIZE, NULL, NULL},
};
const int n_tokenize_tasks = lengthof(tokenize_tasks);

/* Tokens as the model sees them, in scratch memory. */
typedef struct Tokenized
{
	int n;
	const int32_t *ids;
	int first;	   /* tokens in front of the text's */
	MgTokens text; /* of the text alone */
} Tokenized;

/* A text of 64 MB has tens of millions of tokens: what goes over all of them hears a cancel. */
#define TOKENS_A_CHECK ((size_t) 65536)

static void
copy_ids(int32_t *into, const int32_t *ids, size_t n)
{
	for (size_t done = 0; done < n; done += TOKENS_A_CHECK)
	{
		CHECK_FOR_INTERRUPTS();
		memcpy(into + done, ids + done, Min(n - done, TOKENS_A_CHECK) * sizeof *ids);
	}
}

static bool
wrap(ModelUse *use, MgSpan input, MgTokens *tokens, MgWrapped *wrapped)
{
	const MgTokenizer *tokenizer = use->run.model->tokenizer;

	return mg_tokenize(use->run.cx, tokenizer, input, MG_NO_DATA, tokens) &&
		mg_wrap(use->run.cx, mg_tokenizer_wrapping(tokenizer), &(MgIds){tokens->n, tokens->ids}, 1, wrapped);
}

static Tokenized
tokenize(ModelUse *use, const char *model, MgSpan input)
{
	Tokenized result = {0};
	MgWrapped wrapped = {0};

	model_use_begin(use, model);
	model_use_end(use, wrap(use, input, &result.text, &wrapped));
	result.n = (int) wrapped.n;
	result.ids = wrapped.ids;
	result.first = (int) wrapped.starts[0];
	return result;
}

Datum
maskgen_tokenize(PG_FUNCTION_ARGS)
{
	ModelUse use;
	Tokenized tokenized = tokenize(&use, text_to_cstring(PG_GETARG_TEXT_PP(0)), span_of_text(PG_GETARG_TEXT_PP(1)));
	Size size = ARR_OVERHEAD_NONULLS(1) + (Size) tokenized.n * sizeof(int32);
	ArrayType *array;

	if (tokenized.n == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(INT4OID));
	array = palloc(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = INT4OID;
	ARR_DIMS(array)[0] = tokenized.n;
	ARR_LBOUND(array)[0] = 1;
	copy_ids((int32_t *) ARR_DATA_PTR(array), tokenized.ids, (size_t) tokenized.n);
	PG_RETURN_ARRAYTYPE_P(array);
}

Datum
maskgen_count_tokens(PG_FUNCTION_ARGS)
{
	ModelUse use;

	PG_RETURN_INT32(tokenize(&use, text_to_cstring(PG_GETARG_TEXT_PP(0)), span_of_text(PG_GETARG_TEXT_PP(1))).n);
}

Datum
maskgen_detokenize(PG_FUNCTION_ARGS)
{
	char *model = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(1);
	Datum *elements;
	bool *nulls;
	int n;
	int32_t *ids;
	ModelUse use;
	MgSpan text = {NULL, 0};

	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT, &elements, &nulls, &n);
	ids = palloc((n + 1) * sizeof *ids);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("ids hold a null")));
		ids[i] = DatumGetInt32(elements[i]);
	}
	model_use_begin(&use, model);
	model_use_end(&use, mg_detokenize(use.run.cx, use.run.model->tokenizer, ids, (size_t) n, false, &text));
	PG_RETURN_TEXT_P(cstring_to_text_with_len((const char *) text.data, (int) text.size));
}

Datum
maskgen_tokens(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MgSpan input = span_of_text(PG_GETARG_TEXT_PP(1));
	ModelUse use;
	Tokenized tokenized = tokenize(&use, text_to_cstring(PG_GETARG_TEXT_PP(0)), input);
	uint32_t byte = 0;
	int character = 1;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < tokenized.n; i++)
	{
		MgSpan token = mg_token_text(use.run.model->tokenizer, tokenized.ids[i]);
		int at = i - tokenized.first;
		bool around = at < 0 || at >= (int) tokenized.text.n;
		Datum values[5] = {Int32GetDatum(i), Int32GetDatum(tokenized.ids[i]),
						   PointerGetDatum(cstring_to_text_with_len((const char *) token.data, (int) token.size))};
		bool nulls[5] = {false, false, false, around, around};

		CHECK_FOR_INTERRUPTS();
		if (!around)
		{
			uint32_t start = tokenized.text.starts[at], stop = tokenized.text.stops[at];

			/* Offsets ascend, so characters are counted once over the text. */
			if (start >= byte)
				character += pg_mbstrlen_with_len((const char *) input.data + byte, (int) (start - byte));
			else
				character = 1 + pg_mbstrlen_with_len((const char *) input.data, (int) start);
			byte = start;
			values[3] = Int32GetDatum(character);
			values[4] = Int32GetDatum(character +
									  pg_mbstrlen_with_len((const char *) input.data + start, (int) (stop - start)));
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
