/* The access method: what it can do and who does it. */
#include "postgres.h"

#include "access/amapi.h"
#include "commands/vacuum.h"
#include "pg/compat.h"
#include "pg/hnsw/build.h"
#include "pg/hnsw/cost.h"
#include "pg/hnsw/insert.h"
#include "pg/hnsw/options.h"
#include "pg/hnsw/scan.h"
#include "pg/hnsw/vacuum.h"

PG_FUNCTION_INFO_V1(maskgen_hnsw_handler);
PG_FUNCTION_INFO_V1(maskgen_ivfflat_handler);

/* Opclasses come with the extension; that others are sound is for who makes them. */
static bool
validate(Oid opclass)
{
	return true;
}

static IndexAmRoutine *
make_routine(void)
{
	IndexAmRoutine *routine = makeNode(IndexAmRoutine);

	routine->amstrategies = 0;
	routine->amsupport = HNSW_N_PROCS;
	routine->amcanorderbyop = true;
	routine->amoptionalkey = true; /* a scan may have an order only */
	routine->amcaninclude = true;
	routine->amparallelvacuumoptions = VACUUM_OPTION_PARALLEL_BULKDEL;
	routine->amkeytype = InvalidOid;
	set_parallel_build(routine);
	routine->ambuild = hnsw_build;
	routine->ambuildempty = hnsw_build_empty;
	routine->aminsert = hnsw_insert;
	routine->ambulkdelete = hnsw_bulk_delete;
	routine->amvacuumcleanup = hnsw_vacuum_cleanup;
	routine->amcostestimate = hnsw_cost;
	routine->amoptions = hnsw_options;
	routine->ambuildphasename = hnsw_build_phase_name;
	routine->amvalidate = validate;
	routine->ambeginscan = hnsw_scan_begin;
	routine->amrescan = hnsw_scan_rescan;
	routine->amgettuple = hnsw_scan_next;
	routine->amendscan = hnsw_scan_end;
	return routine;
}

Datum
maskgen_hnsw_handler(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(make_routine());
}

static IndexBuildResult *
build_ivfflat(Relation heap, Relation index, IndexInfo *info)
{
	static bool told;

	if (!told)
		ereport(NOTICE, (errmsg("access method \"ivfflat\" makes an index of maskgen_hnsw"),
						 errdetail("It has no lists: the option \"lists\" changes nothing.")));
	told = true;
	return hnsw_build(heap, index, info);
}

/* The graph for who asks for pgvector's lists (enable_pgvector_names()); said once in a session. */
Datum
maskgen_ivfflat_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *routine = make_routine();

	routine->ambuild = build_ivfflat;
	routine->amoptions = hnsw_options_ivfflat;
	PG_RETURN_POINTER(routine);
}
