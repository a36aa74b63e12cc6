/* index_memory: what a build in memory takes, before it is begun. */
#include "postgres.h"

#include "fmgr.h"
#include "hnsw/build.h"
#include "pg/hnsw/options.h"
#include "pg/host.h"

PG_FUNCTION_INFO_V1(maskgen_index_memory);

static void
check_range(const char *name, int64 value, int64 least, int64 most)
{
	if (value < least || value > most)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be between " INT64_FORMAT " and " INT64_FORMAT, name, least, most)));
}

/* Of vectors and halfvecs with codes, as the block of a build has them: bytes that maintenance_work_mem should allow. */
Datum
maskgen_index_memory(PG_FUNCTION_ARGS)
{
	int64 rows = PG_GETARG_INT64(0);
	MgShape shape = {.metric = MG_GRAPH_L2,
					 .dims = (uint32) PG_GETARG_INT32(1),
					 .m = (uint32) PG_GETARG_INT32(2),
					 .item_size = hnsw_cover_item_size(NULL)};
	MgHost host = host_in(CurrentMemoryContext);
	MgEntryLayout layout;
	size_t size;
	MgCtx cx;

	check_range("rows", rows, 0, PG_INT64_MAX);
	check_range("dims", PG_GETARG_INT32(1), 1, MG_MAX_DIMS);
	check_range("m", PG_GETARG_INT32(2), 2, MG_MAX_M);
	mg_ctx_init(&cx, &host);
	hnsw_options_coded(&shape);
	if (shape.code_bits == 0)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("an entry of %d dimensions does not fit a page", PG_GETARG_INT32(1))));
	if (!mg_layout_init(&cx, &layout, &shape))
		host_throw(&cx);
	size = mg_build_size(&layout, (uint64) rows, layout.value_size);
	if (size > PG_INT64_MAX)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("bigint out of range")));
	PG_RETURN_INT64((int64) size);
}
