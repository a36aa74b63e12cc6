/* Inserting one value after another, by the plans of hnsw/insert.h. */
#ifndef MASKGEN_PG_HNSW_INSERT_H
#define MASKGEN_PG_HNSW_INSERT_H

#include "postgres.h"
#include "access/genam.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

typedef struct HnswInserter HnswInserter;

/* Lives in owner. building: nobody but the build's processes knows the index yet, nothing is logged. */
HnswInserter *hnsw_inserter_begin(Relation index, MemoryContext owner, bool building);

/* values and nulls: the index's columns, the first not NULL; unchanged: that is probably the value of another version of the row. */
void hnsw_inserter_add(HnswInserter *inserter, const Datum *values, const bool *nulls, const ItemPointerData *tid, bool unchanged);

/* aminsert */
bool hnsw_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap, IndexUniqueCheck unique,
				 bool unchanged, IndexInfo *info);

#endif
