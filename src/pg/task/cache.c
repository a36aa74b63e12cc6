/*
 * What a result depends on, as bytes, each part behind its size:
 *
 *   database             so that nobody can probe what another one asks
 *   model                its digest; so a model that is made anew under an old name has no old results
 *   function             the C symbol
 *   arguments            all but the model's name and the input; of an enum, its labels in their order
 *   maskgen.long_input, the instruction set, maskgen.matmul
 *
 * An enum's value is kept as its label: OIDs are the database's and may go. Behind each value is a byte that says whether the
 * text was cut.
 */
#include "pg/arrays.h"
#include "pg/task/cache.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/task/result_cache.h"
#include "utils/builtins.h"

static void
put(StringInfo bytes, const void *part, Size size)
{
	appendBinaryStringInfo(bytes, (const char *) &size, sizeof size);
	appendBinaryStringInfo(bytes, part, (int) size);
}

static void
put_arg(StringInfo bytes, TaskCall *call, int i)
{
	Datum arg = call->args[i];
	int32 number;
	int64 large;
	float4 real;

	switch (call->function->args[i].type)
	{
		case TASK_ENUM:
			call->function->describe(call, bytes);
			break;
		case TASK_INT:
		case TASK_BOOL:
			number = call->function->args[i].type == TASK_INT ? DatumGetInt32(arg) : DatumGetBool(arg);
			put(bytes, &number, sizeof number);
			break;
		case TASK_REAL:
			real = DatumGetFloat4(arg);
			put(bytes, &real, sizeof real);
			break;
		case TASK_BIGINT:
			large = DatumGetInt64(arg);
			put(bytes, &large, sizeof large);
			break;
		case TASK_TEXT:
		case TASK_TEXTS:
		case TASK_JSONB:
			put(bytes, VARDATA_ANY(DatumGetPointer(arg)), VARSIZE_ANY_EXHDR(DatumGetPointer(arg)));
	}
}

static MgHash
options_of(TaskCall *call, const CacheSegment *segment, const uint8 *digest)
{
	const TaskFunction *function = call->function;
	uint32 settings[] = {MyDatabaseId, (uint32) guc_long_input(), (uint32) guc_cpu_level(), (uint32) maskgen_matmul};
	StringInfoData bytes;
	MgHash options;

	initStringInfo(&bytes);
	put(&bytes, settings, sizeof settings);
	put(&bytes, digest, DIGEST_SIZE);
	put(&bytes, function->symbol, strlen(function->symbol));
	for (int i = 0; i < function->n_args; i++)
		if (i != task_input(function) && i != task_arg(function, "model"))
			put_arg(&bytes, call, i);
	options = result_cache_options(segment, bytes.data, (Size) bytes.len);
	pfree(bytes.data);
	return options;
}

static bool
find(TaskCall *call, CacheSegment *segment, const MgHash *key, Datum *result, bool *cut)
{
	struct varlena *value = result_cache_find(segment, key);

	if (value == NULL)
		return false;
	SET_VARSIZE(value, VARSIZE(value) - 1);
	*cut = *((char *) value + VARSIZE(value)) != 0;
	if (call->function->result == TASK_LABEL)
		*result = task_enum_datum(call, text_to_cstring(value));
	else if (call->function->result == TASK_VALUE)
		memcpy(result, VARDATA_ANY(value), sizeof *result);
	else
		*result = PointerGetDatum(value);
	return true;
}

static void
keep(const TaskCall *call, CacheSegment *segment, const MgHash *key, Datum result, bool cut)
{
	char *label = call->function->result == TASK_LABEL ? DatumGetCString(DirectFunctionCall1(enum_out, result)) : NULL;
	MgSpan value = label != NULL ? mg_span_of(label)
		: call->function->result == TASK_VALUE ? mg_span(&result, sizeof result)
											   : span_of_text((const text *) DatumGetPointer(result));
	char *bytes = palloc(value.size + 1);

	memcpy(bytes, value.data, value.size);
	bytes[value.size] = cut;
	result_cache_add(segment, key, mg_span(bytes, value.size + 1));
	pfree(bytes);
	if (label != NULL)
		pfree(label);
}

/* Inputs that are not in the cache. */
typedef struct Missing
{
	int n;
	int *numbers; /* [n] among all inputs */
	const MgHash *keys; /* of all inputs */
} Missing;

/* Runs the model for those that are missing, and keeps what it says. */
static void
run_missing(TaskCall *call, CacheSegment *segment, const Missing *missing, const MgSpan *inputs, Datum *results,
			const TaskError **errors)
{
	int n = missing->n;
	MgSpan *texts = palloc(n * sizeof *texts);
	Datum *computed = palloc(n * sizeof *computed);
	const TaskError **refused = errors == NULL ? NULL : palloc(n * sizeof *refused);
	uint8 digest[DIGEST_SIZE];
	bool *all_cut = call->cut, *cut = palloc0(n * sizeof *cut);

	memcpy(digest, call->use.entry->digest, DIGEST_SIZE);
	for (int i = 0; i < n; i++)
		texts[i] = inputs[missing->numbers[i]];
	call->cut = cut;
	task_run(call, texts, n, computed, refused);
	call->cut = all_cut;
	for (int i = 0; i < n; i++)
	{
		int number = missing->numbers[i];

		if (refused != NULL)
			errors[number] = refused[i];
		if (refused != NULL && refused[i] != NULL)
			continue;
		results[number] = computed[i];
		all_cut[number] = cut[i];
		/* Unless the name has just come to mean another model. */
		if (memcmp(call->use.entry->digest, digest, DIGEST_SIZE) == 0)
			keep(call, segment, &missing->keys[number], computed[i], cut[i]);
	}
	pfree(cut);
	pfree(texts);
	pfree(computed);
}

void
task_run_cached(TaskCall *call, CacheSegment *segment, const MgSpan *inputs, int n, Datum *results,
				const TaskError **errors)
{
	uint8 digest[DIGEST_SIZE];
	MgHash one_key, *keys = n == 1 ? &one_key : palloc(n * sizeof *keys), options;
	int one_missing;
	Missing missing = {0, n == 1 ? &one_missing : palloc(n * sizeof *missing.numbers), keys};
	char *model = task_call_model(call);

	call->use.entry = catalog_find(model);
	call->use.version = catalog_version();
	memcpy(digest, call->use.entry->digest, DIGEST_SIZE);
	options = options_of(call, segment, digest);
	for (int i = 0; i < n; i++)
	{
		keys[i] = mg_hash(options, inputs[i]);
		if (errors != NULL)
			errors[i] = NULL;
		if (!find(call, segment, &keys[i], &results[i], &call->cut[i]))
			missing.numbers[missing.n++] = i;
	}
	if (missing.n > 0)
		run_missing(call, segment, &missing, inputs, results, errors);
	result_cache_count((uint64) (n - missing.n), (uint64) missing.n);
	call->usage.cache_hits += (uint64) (n - missing.n);
	if (n > missing.n)
		session_count_hits(digest, n - missing.n, missing.n == 0);
	pfree(model);
	if (n > 1)
	{
		pfree(keys);
		pfree(missing.numbers);
	}
}
