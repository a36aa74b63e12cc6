/* What bounds the scans of an index: maskgen's settings, or pgvector's where an access method has its name. */
#ifndef MASKGEN_PG_HNSW_SETTINGS_H
#define MASKGEN_PG_HNSW_SETTINGS_H

#include "postgres.h"
#include "pg/hnsw/options.h"

typedef struct HnswSettings
{
	int ef_search;
	int iteration;				/* HnswIteration */
	int max_scan_tuples;		/* entries that a search by the graph may expand; 0: no bound */
	bool first_is_whole;		/* its first batch counts for nothing, as in pgvector */
	double scan_mem_multiplier; /* of work_mem, for one scan */
	int probes;					/* of an index named ivfflat; 0: nobody has said how many */
} HnswSettings;

/*
 * Those of scans of an index of that access method. For one named hnsw or ivfflat (enable_pgvector_names()) settings of that prefix come
 * first, if somebody has set them: they are placeholders, or pgvector's own where its library is loaded, whose defaults do not count.
 * Throws when one of them is no value of its kind.
 */
void hnsw_settings_of(Oid access_method, HnswSettings *settings);

#endif
