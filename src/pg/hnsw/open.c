/* Opening an index that SQL names. */
#include "pg/hnsw/open.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "access/table.h"
#include "catalog/index.h"
#include "pg/hnsw/build.h"
#include "utils/lsyscache.h"

void
hnsw_open(Oid oid, LOCKMODE mode, HnswOpened *opened)
{
	Oid table = IndexGetRelation(oid, true);
	Relation index;

	if (!OidIsValid(table) || get_rel_relkind(oid) != RELKIND_INDEX)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not an index", get_rel_name(oid) != NULL ? get_rel_name(oid) : "?")));
	opened->heap = table_open(table, mode);
	restricted_enter(&opened->restricted, opened->heap);
	index = opened->index = index_open(oid, AccessShareLock);
	if (index->rd_indam->ambuildempty != hnsw_build_empty || index->rd_index->indrelid != table)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not a maskgen_hnsw index", RelationGetRelationName(index))));
	if (!index->rd_index->indisvalid)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("index \"%s\" is not valid", RelationGetRelationName(index)),
						errdetail("CREATE INDEX CONCURRENTLY may have failed."), errhint("REINDEX it.")));
	if (RELATION_IS_OTHER_TEMP(index))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("index \"%s\" is of another session's temporary table", RelationGetRelationName(index))));
}

void
hnsw_close(const HnswOpened *opened)
{
	index_close(opened->index, NoLock);
	restricted_leave(&opened->restricted);
	table_close(opened->heap, NoLock);
}
