/*
 * What a result depends on, as bytes, each part behind its size:
 *
 *   database             so that nobody can probe what another one asks
 *   model                its digest; so a model that is made anew under an old name has no old results
 *   function             the C symbol
 *   arguments            all but the model's name and the input; of an enum, its labels in their order
 *   maskgen.long_input, the instruction set, maskgen.matmul
 *
 * An enum's value is kept as its label: OIDs are the database's and may go.
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

	switch (call->function->args[i])
	{
		case 'e':
			call->function->describe(call, bytes);
			break;
		case 'i':
		case 'b':
			number = call->function->args[i] == 'i' ? DatumGetInt32(arg) : DatumGetBool(arg);
			put(bytes, &number, sizeof number);
			break;
		default:
			put(bytes, VARDATA_ANY(DatumGetPointer(arg)), VARSIZE_ANY_EXHDR(DatumGetPointer(arg)));
	}
}

static MgHash
options_of(TaskCall *call, const ResultSegment *segment, const uint8 *digest)
{
	const TaskFunction *function = call->function;
	uint32 settings[] = {MyDatabaseId, (uint32) maskgen_long_input, (uint32) guc_cpu_level(), (uint32) maskgen_matmul};
	StringInfoData bytes;
	MgHash options;

	initStringInfo(&bytes);
	put(&bytes, settings, sizeof settings);
	put(&bytes, digest, DIGEST_SIZE);
	put(&bytes, function->symbol, strlen(function->symbol));
	for (int i = 0; function->args[i] != '\0'; i++)
		if (i != function->input && i != function->model)
			put_arg(&bytes, call, i);
	options = result_cache_options(segment, bytes.data, (Size) bytes.len);
	pfree(bytes.data);
	return options;
}

static bool
find(TaskCall *call, ResultSegment *segment, const MgHash *key, Datum *result)
{
	struct varlena *value = result_cache_find(segment, key);

	if (value == NULL)
		return false;
	*result = call->function->enum_result ? task_enum_datum(call, text_to_cstring(value)) : PointerGetDatum(value);
	return true;
}

static void
keep(const TaskCall *call, ResultSegment *segment, const MgHash *key, Datum result)
{
	if (call->function->enum_result)
	{
		char *label = DatumGetCString(DirectFunctionCall1(enum_out, result));

		result_cache_add(segment, key, mg_span_of(label));
		pfree(label);
	}
	else
		result_cache_add(segment, key, span_of_text((const text *) DatumGetPointer(result)));
}

/* Runs the model for missing [n] of the inputs, by their numbers, and keeps what it says. */
static void
run_missing(TaskCall *call, ResultSegment *segment, const uint8 *digest, const MgHash *keys, const MgSpan *inputs,
			const int *missing, int n, Datum *results)
{
	MgSpan *texts = palloc(n * sizeof *texts);
	Datum *computed = palloc(n * sizeof *computed);

	for (int i = 0; i < n; i++)
		texts[i] = inputs[missing[i]];
	call->function->run(call, texts, n, computed);
	for (int i = 0; i < n; i++)
	{
		results[missing[i]] = computed[i];
		/* Unless the name has just come to mean another model. */
		if (memcmp(call->use.entry->digest, digest, DIGEST_SIZE) == 0)
			keep(call, segment, &keys[missing[i]], computed[i]);
	}
	pfree(texts);
	pfree(computed);
}

void
task_run_cached(TaskCall *call, ResultSegment *segment, const MgSpan *inputs, int n, Datum *results)
{
	uint8 digest[DIGEST_SIZE];
	MgHash one_key, *keys = n == 1 ? &one_key : palloc(n * sizeof *keys), options;
	int one_missing, *missing = n == 1 ? &one_missing : palloc(n * sizeof *missing), n_missing = 0;
	char *model = task_call_model(call);

	call->use.entry = catalog_find(model);
	call->use.version = catalog_version();
	memcpy(digest, call->use.entry->digest, DIGEST_SIZE);
	options = options_of(call, segment, digest);
	for (int i = 0; i < n; i++)
	{
		keys[i] = mg_hash(options, inputs[i]);
		if (!find(call, segment, &keys[i], &results[i]))
			missing[n_missing++] = i;
	}
	if (n_missing > 0)
		run_missing(call, segment, digest, keys, inputs, missing, n_missing, results);
	/* A run that is refused is asked for again, input by input: only what comes of it counts. */
	result_cache_count((uint64) (n - n_missing), (uint64) n_missing);
	call->usage.cache_hits += (uint64) (n - n_missing);
	if (n > n_missing)
		session_count_hits(digest, n - n_missing, n_missing == 0);
	pfree(model);
	if (n > 1)
	{
		pfree(keys);
		pfree(missing);
	}
}
