/* check_model(): what create_model would make of files, without making it. */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "model/checkpoint.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/host.h"
#include "pg/model/server_files.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(maskgen_check_model);

/* Names of tensors that one row shows. */
#define MOST_NAMES 5

static void
put(ReturnSetInfo *result, const char *item, const char *value)
{
	Datum values[2] = {CStringGetTextDatum(item), CStringGetTextDatum(value)};
	bool nulls[2] = {false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static char *
ignored_names(const MgPlan *plan)
{
	StringInfoData names;

	initStringInfo(&names);
	appendStringInfo(&names, "%zu", plan->n_ignored);
	for (size_t i = 0; i < plan->n_ignored && i < MOST_NAMES; i++)
		appendStringInfo(&names, "%s%.*s", i == 0 ? ": " : ", ", MG_SPAN_ARGS(plan->ignored[i]));
	if (plan->n_ignored > MOST_NAMES)
		appendStringInfoString(&names, ", ...");
	return names.data;
}

static void
put_model(ReturnSetInfo *result, const MgPlan *plan, const MgImage *resident)
{
	const MgImage *image = &plan->image;
	const MgSizes *sizes = mg_image_sizes(image);
	char tasks[MG_CAN_TEXT];

	put(result, "architecture", image->arch->name);
	put(result, "tasks", mg_can_text(image->can, tasks));
	put(result, "dims", psprintf("%u", sizes->width));
	put(result, "layers", psprintf("%u", sizes->depth > 0 ? sizes->depth : sizes->layers));
	put(result, "vocabulary", psprintf("%u", sizes->vocab));
	put(result, "max_tokens", psprintf("%u of %u", image->meta.max_tokens, sizes->longest));
	put(result, "parameters", psprintf("%llu", (unsigned long long) image->meta.parameters));
	put(result, "dtype", mg_dtype_name(image->meta.dtype));
	put(result, "pooling", mg_pooling_name(image->meta.pooling));
	put(result, "ignored tensors", ignored_names(plan));
	put(result, "stored bytes", psprintf("%llu", (unsigned long long) image->size));
	put(result, "resident bytes", psprintf("%llu", (unsigned long long) resident->size));
}

Datum
maskgen_check_model(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char *path = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Jsonb *json = PG_GETARG_JSONB_P(1);
	MgSpan options_text = mg_span_of(JsonbToCString(NULL, &json->root, VARSIZE(json)));
	MemoryContext context;
	MgImage resident;
	MgModelOptions options;
	MgPlan plan;
	MgFiles files;
	MgHost host;
	MgCtx cx;

	canonicalize_path(path);
	server_files_check(path);
	InitMaterializedSRF(fcinfo, 0);
	context = AllocSetContextCreate(CurrentMemoryContext, "maskgen check_model", ALLOCSET_DEFAULT_SIZES);
	host = host_in(context);
	mg_ctx_init(&cx, &host);
	if (!mg_model_options_parse(&cx, options_text, &options))
		host_throw(&cx);
	files = server_model_files(&cx, context, path, &options);
	if (!mg_checkpoint_plan(&cx, &files, &options, &plan) ||
		!mg_image_plan_pack(&cx, &plan.image, mg_image_form(mg_kernels(guc_cpu_level()), (MgProvider) maskgen_matmul), &resident))
		host_throw(&cx);
	put_model(result, &plan, &resident);
	MemoryContextDelete(context);
	return (Datum) 0;
}
