/* entities(), mask_entities(), token_anomalies(): what a head for classes of tokens says of a text. */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/task/call.h"
#include "task/tag.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(maskgen_entities);
PG_FUNCTION_INFO_V1(maskgen_mask_entities);
PG_FUNCTION_INFO_V1(maskgen_token_anomalies);

#define LABEL_MARK "{label}"

/* Entities of one text. */
typedef struct Found
{
	MgEntity *entities; /* [n] */
	size_t n;
} Found;

/* Entities of inputs [n] that are not refused, in scratch memory; the caller ends the use and throws. */
static bool
find_entities(ModelUse *use, const MgRefusals *refusals, const MgSpan *inputs, int n, Found *found)
{
	MgTagOptions options = {.replaced = false, .refusals = refusals};
	MgTags *tags = mg_alloc_array(use->run.cx, (size_t) n, sizeof *tags);

	if (tags == NULL || !mg_tag(&use->run, &options, inputs, (size_t) n, tags))
		return false;
	for (int i = 0; i < n; i++)
		if (!mg_entities(&use->run, inputs[i], &tags[i], &found[i].entities, &found[i].n))
			return false;
	return true;
}

/* The labels are the model's: of one that it does not have nothing would ever be masked. */
static bool
check_labels(ModelUse *use, const MgSpan *labels, int n)
{
	for (int i = 0; i < n; i++)
	{
		bool is;

		if (!mg_entity_is_label(&use->run, labels[i], &is))
			return false;
		if (!is)
		{
			mg_fail(use->run.cx, MG_BAD_ARGUMENT, "model \"%s\" has no label \"%.*s\"", use->run.name, MG_SPAN_ARGS(labels[i]));
			return mg_hint(use->run.cx, "Labels are those that entities() gives, without B- and I-; an empty array means all.");
		}
	}
	return true;
}

static bool
is_wanted(const MgEntity *entity, const MgSpan *labels, int n)
{
	for (int i = 0; i < n; i++)
		if (mg_span_equal(entity->label, labels[i]))
			return true;
	return n == 0;
}

/* The replacement, with the label where it says so. */
static void
put_replacement(StringInfo masked, const char *replacement, MgSpan label)
{
	const char *mark;

	for (; (mark = strstr(replacement, LABEL_MARK)) != NULL; replacement = mark + strlen(LABEL_MARK))
	{
		appendBinaryStringInfo(masked, replacement, (int) (mark - replacement));
		appendBinaryStringInfo(masked, (const char *) label.data, (int) label.size);
	}
	appendStringInfoString(masked, replacement);
}

/* Pieces of one thing that touch, such as the parts of an address that a model begins anew, are replaced once. */
static Datum
mask(MgSpan input, const Found *found, const MgSpan *labels, int n_labels, const char *replacement)
{
	StringInfoData masked;
	MgSpan last = {NULL, 0};
	size_t done = 0;

	initStringInfo(&masked);
	for (size_t e = 0; e < found->n; e++)
	{
		const MgEntity *entity = &found->entities[e];
		size_t start = Max(entity->start, done);

		if (e % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		/* Where one begins inside of another, what is left of it is masked all the same. */
		if (!is_wanted(entity, labels, n_labels) || entity->stop <= done)
			continue;
		appendBinaryStringInfo(&masked, (const char *) input.data + done, (int) (start - done));
		if (start > done || !mg_span_equal(entity->label, last))
			put_replacement(&masked, replacement, entity->label);
		last = entity->label;
		done = entity->stop;
	}
	appendBinaryStringInfo(&masked, (const char *) input.data + done, (int) (input.size - done));
	return PointerGetDatum(cstring_to_text_with_len(masked.data, masked.len));
}

static void
run_mask_entities(TaskCall *call, const MgSpan *inputs, int n, Datum *results)
{
	int n_labels;
	MgSpan *labels = spans_of_text_array(DatumGetArrayTypeP(call->args[2]), "labels", &n_labels);
	char *replacement = TextDatumGetCString(call->args[3]);
	Found *found = palloc0((n + 1) * sizeof *found);

	task_begin(call);
	if (!task_end(call, check_labels(&call->use, labels, n_labels) && find_entities(&call->use, task_refusals(call, 0), inputs, n, found)))
		return;
	for (int i = 0; i < n; i++)
		if (!task_refused(call, i))
			results[i] = mask(inputs[i], &found[i], labels, n_labels, replacement);
}

const TaskFunction tag_tasks[] = {
	{"maskgen_mask_entities", maskgen_mask_entities, 4,
	 {{"model", TASK_TEXT}, {"input", TASK_TEXT}, {"labels", TASK_TEXTS}, {"replacement", TASK_TEXT}},
	 NULL, TASK_VARLENA, TASK_COST_SCORE, run_mask_entities, NULL},
	{"maskgen_entities", maskgen_entities, 2, {{"model", TASK_TEXT}, {"input", TASK_TEXT}},
	 NULL, TASK_SET, TASK_COST_SCORE, NULL, NULL},
	{"maskgen_token_anomalies", maskgen_token_anomalies, 2, {{"model", TASK_TEXT}, {"input", TASK_TEXT}},
	 NULL, TASK_SET, TASK_COST_SCORE, NULL, NULL},
};
const int n_tag_tasks = lengthof(tag_tasks);

Datum
maskgen_mask_entities(PG_FUNCTION_ARGS)
{
	return task_scalar(fcinfo, &tag_tasks[0]);
}

/* Counts characters over a text whose places ascend. */
typedef struct Place
{
	uint32_t byte;
	int character;
} Place;

static int
character_at(MgSpan text, Place *place, uint32_t byte)
{
	if (byte < place->byte)
		*place = (Place){0, 1};
	place->character += pg_mbstrlen_with_len((const char *) text.data + place->byte, (int) (byte - place->byte));
	place->byte = byte;
	return place->character;
}

static Datum
datum_of_span(MgSpan span)
{
	return PointerGetDatum(cstring_to_text_with_len((const char *) span.data, (int) span.size));
}

Datum
maskgen_entities(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MgSpan input = span_of_text(PG_GETARG_TEXT_PP(1));
	Place place = {0, 1};
	Found found = {0};
	ModelUse use;

	model_use_begin_as(&use, text_to_cstring(PG_GETARG_TEXT_PP(0)), "entities");
	model_use_end(&use, find_entities(&use, NULL, &input, 1, &found));
	InitMaterializedSRF(fcinfo, 0);
	for (size_t e = 0; e < found.n; e++)
	{
		const MgEntity *entity = &found.entities[e];
		Datum values[5] = {datum_of_span(mg_span(input.data + entity->start, entity->stop - entity->start)), datum_of_span(entity->label),
						   Float4GetDatum(entity->score)};
		bool nulls[5] = {false};

		CHECK_FOR_INTERRUPTS();
		values[3] = Int32GetDatum(character_at(input, &place, entity->start));
		values[4] = Int32GetDatum(character_at(input, &place, entity->stop));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
maskgen_token_anomalies(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MgSpan input = span_of_text(PG_GETARG_TEXT_PP(1));
	MgTagOptions options = {.replaced = true};
	Place place = {0, 1};
	MgTags tags = {0};
	MgWrapped around = {0};
	ModelUse use;
	bool fine;

	model_use_begin_as(&use, text_to_cstring(PG_GETARG_TEXT_PP(0)), "token_anomalies");
	fine = mg_tag(&use.run, &options, &input, 1, &tags) &&
		mg_wrap(use.run.cx, mg_tokenizer_wrapping(use.run.model->tokenizer), &(MgIds){0, NULL}, 1, &around);
	model_use_end(&use, fine);
	InitMaterializedSRF(fcinfo, 0);
	for (size_t t = 0; t < tags.n; t++)
	{
		const MgTag *tag = &tags.tags[t];
		/* pos as tokens() counts it, special tokens in front included. */
		Datum values[5] = {Int32GetDatum((int32) (t + around.starts[0])), datum_of_span(mg_token_text(use.run.model->tokenizer, tag->id))};
		bool nulls[5] = {false};

		CHECK_FOR_INTERRUPTS();
		values[2] = Int32GetDatum(character_at(input, &place, tag->start));
		values[3] = Int32GetDatum(character_at(input, &place, tag->stop));
		values[4] = Float4GetDatum(tag->score);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
