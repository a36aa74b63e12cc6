/* Distances between bit strings of equal length. */
#include "postgres.h"

#include "fmgr.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "utils/varbit.h"
#include "vector/distance.h"

PG_FUNCTION_INFO_V1(maskgen_hamming_distance);
PG_FUNCTION_INFO_V1(maskgen_jaccard_distance);

static double
distance_of(FunctionCallInfo fcinfo, MgMetric metric)
{
	static MgDistance chosen[MG_N_METRICS];
	MgDistance *distance = &chosen[metric];
	MgCpuLevel level = guc_cpu_level();
	const VarBit *a = PG_GETARG_VARBIT_P(0), *b = PG_GETARG_VARBIT_P(1);

	if (VARBITLEN(a) != VARBITLEN(b))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("different bit lengths %u and %u", VARBITLEN(a), VARBITLEN(b))));
	if (distance->pair == NULL || distance->level != level)
		mg_distance_find(MG_ELEMENT_BIT, metric, level, distance);
	return distance->pair(VARBITS(a), VARBITS(b), (size_t) VARBITLEN(a));
}

Datum
maskgen_hamming_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, MG_METRIC_HAMMING));
}

Datum
maskgen_jaccard_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(distance_of(fcinfo, MG_METRIC_JACCARD));
}
