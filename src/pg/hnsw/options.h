/* Options of an index, and settings of scans. */
#ifndef MASKGEN_PG_HNSW_OPTIONS_H
#define MASKGEN_PG_HNSW_OPTIONS_H

#include "postgres.h"
#include "pg/hnsw/cover.h"
#include "pg/hnsw/kind.h"
#include "pg/hnsw/meta.h"

#define HNSW_DEFAULT_M 16
#define HNSW_DEFAULT_EF_CONSTRUCTION 64
#define HNSW_DEFAULT_EF_SEARCH 40
#define HNSW_MOST_EF_SEARCH 1000
#define HNSW_DEFAULT_MAX_SCAN_TUPLES 200000
#define HNSW_DEFAULT_SCAN_MEM_MULTIPLIER 16

typedef enum HnswQuantizer
{
	HNSW_QUANTIZER_AUTO, /* rabitq where the class has it */
	HNSW_QUANTIZER_RABITQ,
	HNSW_QUANTIZER_NONE
} HnswQuantizer;

typedef enum HnswIteration
{
	HNSW_ITERATION_OFF,		/* a scan ends after ef_search rows */
	HNSW_ITERATION_RELAXED, /* it goes on; a later batch may hold a row nearer than one that was returned */
	HNSW_ITERATION_STRICT,	/* such rows are left out */
	HNSW_ITERATION_FULL		/* as many rows as are asked for, in order; what a LIMIT keeps is sorted (order.h) */
} HnswIteration;

extern int maskgen_ef_search;
extern int maskgen_iterative_scan;	 /* HnswIteration */
extern int maskgen_max_scan_tuples;		 /* entries that a search by the graph may expand; 0: no bound */
extern double maskgen_scan_mem_multiplier; /* of work_mem, for one scan */
extern bool maskgen_distance_filter;	 /* comparisons of distances use indexes */
extern bool maskgen_exact_radius;		 /* all rows within a radius, not only those that a search finds */

/* For _PG_init. */
void hnsw_options_init(void);

/* amoptions; of an access method named ivfflat, which has lists as well. */
bytea *hnsw_options(Datum options, bool validate);
bytea *hnsw_options_ivfflat(Datum options, bool validate);

/* The option lists of an index whose access method is named ivfflat. */
int hnsw_options_lists(Relation index);

/* What follows for a coded shape from its metric, dims, m and item_size: its other fields. code_bits 0: no entry fits a page. */
void hnsw_options_coded(MgShape *shape);

/* What a new index of this relation will be: all of the metapage. Throws when it cannot be. */
void hnsw_options_meta(Relation index, const HnswKind *kind, HnswMeta *meta);

#endif
