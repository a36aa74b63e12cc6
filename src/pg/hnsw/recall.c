/*
 * index_recall(index, samples, k): the function "+maskgen".index_recall_of asks the table, for what is written in the
 * index's definition; so it runs as the table's owner, who made that. Whoever sees only some rows may
 * not ask: the answer is about all that the owner sees.
 */
#include "postgres.h"

#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/extension.h"
#include "pg/hnsw/open.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(maskgen_index_recall);

Datum
maskgen_index_recall(PG_FUNCTION_ARGS)
{
	Oid oid = PG_GETARG_OID(0), table = IndexGetRelation(oid, true);
	FmgrInfo function;
	HnswOpened opened;
	Datum recall;
	LOCAL_FCINFO(call, 3);

	/* Before it is locked: who may not ask may not hold up others either. */
	if (OidIsValid(table) && !relation_maintaincheck(table, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, get_rel_name(oid));
	hnsw_open(oid, AccessShareLock, &opened);
	fmgr_info(extension_function("index_recall_of"), &function);
	InitFunctionCallInfoData(*call, &function, 3, InvalidOid, NULL, NULL);
	for (int i = 0; i < 3; i++)
		call->args[i] = (NullableDatum){PG_GETARG_DATUM(i), false};
	recall = FunctionCallInvoke(call);
	hnsw_close(&opened);
	/* NULL if there was no row to try. */
	fcinfo->isnull = call->isnull;
	return recall;
}
