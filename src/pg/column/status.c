/* What the view maskgen_embedding_status and embed_failures show. */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pg/column/column.h"
#include "pg/column/state.h"
#include "pg/compat.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(maskgen_column_definition);
PG_FUNCTION_INFO_V1(maskgen_scan_progress);
PG_FUNCTION_INFO_V1(maskgen_embed_failures);

Datum
maskgen_column_definition(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *results = (ReturnSetInfo *) fcinfo->resultinfo;
	Relation table = try_relation_open(PG_GETARG_OID(1), AccessShareLock);
	EmbedColumn column;
	Datum values[2];
	bool nulls[2] = {false, false};

	InitMaterializedSRF(fcinfo, 0);
	if (table != NULL && embed_column_of_table(&column, table, PG_GETARG_INT32(0)))
	{
		values[0] = CStringGetTextDatum(column.model);
		values[1] = CStringGetTextDatum(embed_mode_name(column.mode));
		tuplestore_putvalues(results->setResult, results->setDesc, values, nulls);
	}
	if (table != NULL)
		relation_close(table, AccessShareLock);
	return (Datum) 0;
}

/* Partitions are looked at by their OIDs. */
Datum
maskgen_scan_progress(PG_FUNCTION_ARGS)
{
	Oid target = PG_GETARG_OID(0), at = PG_GETARG_OID(1);
	double n_blocks = 0, n_before = 0;
	ListCell *cell;

	if (get_rel_name(target) == NULL)
		PG_RETURN_NULL();
	foreach(cell, find_all_inheritors(target, AccessShareLock, NULL))
	{
		Oid oid = lfirst_oid(cell);
		Relation leaf = relation_open(oid, NoLock);

		if (leaf->rd_rel->relkind == RELKIND_RELATION)
		{
			double n = RelationGetNumberOfBlocks(leaf);

			n_blocks += n;
			n_before += oid < at ? n : oid == at ? Min(n, (double) PG_GETARG_INT64(2)) : 0;
		}
		relation_close(leaf, NoLock);
	}
	PG_RETURN_FLOAT8(n_blocks == 0 ? 1 : n_before / n_blocks);
}

Datum
maskgen_embed_failures(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *results = (ReturnSetInfo *) fcinfo->resultinfo;
	EmbedColumn column;
	Oid target = PG_GETARG_OID(0);
	uint64 n;

	if (get_rel_name(target) != NULL && !relation_ownercheck(target, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(target)), get_rel_name(target));
	embed_column_look_up(target, NameStr(*PG_GETARG_NAME(1)), &column);
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	n = embed_state_run("SELECT key, error, failed_at FROM @embed_failure WHERE column_id = $1 ORDER BY failed_at, key",
						&(EmbedParameters){1, {INT4OID}, {Int32GetDatum(column.id)}}, 0);
	for (uint64 i = 0; i < n; i++)
	{
		bool nulls[3];
		Datum values[3];

		for (int k = 0; k < 3; k++)
			values[k] = embed_result(i, k + 1, &nulls[k]);
		tuplestore_putvalues(results->setResult, results->setDesc, values, nulls);
	}
	SPI_finish();
	return (Datum) 0;
}
