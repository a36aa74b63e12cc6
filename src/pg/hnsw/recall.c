/*
 * index_recall and index_advice: "+maskgen".index_measured asks the table, for what is written in the
 * index's definition; so it runs as the table's owner, who made that. Whoever sees only some rows may
 * not ask: the answer is about all that the owner sees.
 */
#include "postgres.h"

#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/extension.h"
#include "pg/hnsw/meta.h"
#include "pg/hnsw/open.h"
#include "pg/hnsw/options.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define SAMPLES 100	   /* rows that advice is measured on */
#define FIRST_EF 10	   /* it tries this one, and twice as many until recall is enough */
#define MANY_EF 160	   /* a search that needs more reads entries that other neighbours would have spared */
#define HARDLY 0.005   /* recall that doubling ef_search adds when it is not what lacks */
#define FIGURES 3	   /* of each ef_search: itself, recall, milliseconds */

PG_FUNCTION_INFO_V1(maskgen_index_recall);
PG_FUNCTION_INFO_V1(maskgen_index_advice);

/* What index_measured says, as the table's owner: NULL and 0 if there was no row to try. Leaves the index's metapage in *meta. */
static float8 *
measure(Oid oid, int samples, int k, ArrayType *efs, float8 enough, HnswMeta *meta, int *n_tried)
{
	Oid table = IndexGetRelation(oid, true);
	Datum *figures = NULL, measured;
	float8 *result = NULL;
	FmgrInfo function;
	HnswOpened opened;
	int n = 0;
	LOCAL_FCINFO(call, 5);

	/* Before it is locked: who may not ask may not hold up others either. */
	if (OidIsValid(table) && !relation_maintaincheck(table, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, get_rel_name(oid));
	hnsw_open(oid, AccessShareLock, &opened);
	hnsw_meta_read(opened.index, meta);
	fmgr_info(extension_function("index_measured"), &function);
	InitFunctionCallInfoData(*call, &function, 5, InvalidOid, NULL, NULL);
	call->args[0] = (NullableDatum){ObjectIdGetDatum(oid), false};
	call->args[1] = (NullableDatum){Int32GetDatum(samples), false};
	call->args[2] = (NullableDatum){Int32GetDatum(k), false};
	call->args[3] = (NullableDatum){PointerGetDatum(efs), false};
	call->args[4] = (NullableDatum){Float8GetDatum(enough), false};
	measured = FunctionCallInvoke(call);
	hnsw_close(&opened);
	if (!call->isnull)
	{
		bool *nulls;

		deconstruct_array(DatumGetArrayTypeP(measured), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
						  &figures, &nulls, &n);
		result = palloc(n * sizeof *result);
		for (int i = 0; i < n; i++)
			result[i] = nulls[i] ? 0 : DatumGetFloat8(figures[i]);
	}
	*n_tried = n / FIGURES;
	return result;
}

/* NULL if there was no row to try. */
Datum
maskgen_index_recall(PG_FUNCTION_ARGS)
{
	Datum as_it_is = (Datum) 0;
	bool is_null = true;
	int n_tried, dims = 1, first = 1;
	ArrayType *efs = construct_md_array(&as_it_is, &is_null, 1, &dims, &first, INT4OID, sizeof(int32), true, TYPALIGN_INT);
	float8 *measured;
	HnswMeta meta;

	measured = measure(PG_GETARG_OID(0), PG_GETARG_INT32(1), PG_GETARG_INT32(2), efs, 1, &meta, &n_tried);
	if (n_tried == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(measured[1]);
}

static ArrayType *
efs_to_try(void)
{
	Datum efs[32];
	int n = 0;

	for (int ef = FIRST_EF; ef < HNSW_MOST_EF_SEARCH; ef *= 2)
		efs[n++] = Int32GetDatum(ef);
	efs[n++] = Int32GetDatum(HNSW_MOST_EF_SEARCH);
	return construct_array(efs, n, INT4OID, sizeof(int32), true, TYPALIGN_INT);
}

/* What the last of the figures means; the others were not enough. */
static char *
conclude(const HnswMeta *meta, const float8 *measured, int n_tried, float8 enough)
{
	const float8 *last = measured + (n_tried - 1) * FIGURES;
	int ef = (int) last[0], m = (int) meta->shape.m, more = Min(2 * m, MG_MAX_M);
	bool coded = meta->shape.metric != MG_GRAPH_PLAIN;

	if (last[1] < enough && n_tried > 1 && last[1] - last[1 - FIGURES] < HARDLY)
		return psprintf("a larger ef_search adds nothing; compare an index with %s",
						coded ? "quantizer = none" : psprintf("m = %d, or a larger ef_construction", more));
	if (last[1] < enough)
		return psprintf("no ef_search reaches it; compare an index with m = %d", more);
	if (ef > MANY_EF)
		return psprintf("reaches it, at the price of many entries; compare an index with m = %d", more);
	if (ef == FIRST_EF && m > 8)
		return psprintf("reaches it with ease; an index with m = %d, which is smaller, may do", m / 2);
	return psprintf("reaches it; m = %d and quantizer = %s suit these rows", m, coded ? "rabitq" : "none");
}

Datum
maskgen_index_advice(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	float8 enough = PG_GETARG_FLOAT8(2), *measured;
	HnswMeta meta;
	int n_tried;

	/* NaN, too */
	if (!(enough > 0 && enough <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("recall must be above 0 and at most 1")));
	InitMaterializedSRF(fcinfo, 0);
	measured = measure(PG_GETARG_OID(0), SAMPLES, PG_GETARG_INT32(1), efs_to_try(), enough, &meta, &n_tried);
	for (int i = 0; i < n_tried; i++)
	{
		const float8 *figures = measured + i * FIGURES;
		bool nulls[4] = {false, false, false, i < n_tried - 1};
		Datum values[4] = {Int32GetDatum((int32) figures[0]), Float8GetDatum(figures[1]), Float8GetDatum(figures[2])};

		if (!nulls[3])
			values[3] = CStringGetTextDatum(conclude(&meta, measured, n_tried, enough));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
