/* ambulkdelete, amvacuumcleanup */
#ifndef MASKGEN_PG_HNSW_VACUUM_H
#define MASKGEN_PG_HNSW_VACUUM_H

#include "postgres.h"
#include "access/genam.h"

IndexBulkDeleteResult *hnsw_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
										IndexBulkDeleteCallback callback, void *callback_state);
IndexBulkDeleteResult *hnsw_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats);

#endif
