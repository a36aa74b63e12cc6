/*
 * A scan between two rows, and what its files do with it:
 *
 *   scan.c     the access method's calls; which stage is next; which row comes first
 *   stages.c   the other stages: a pass, a list, a sequential scan of the table
 *   batches.c  the search by the graph, in batches, and what it costs beside other ways
 *   rows.c     nodes to rows: fetching, filtering, measuring, ranking
 */
#ifndef MASKGEN_PG_HNSW_SCAN_STATE_H
#define MASKGEN_PG_HNSW_SCAN_STATE_H

#include "postgres.h"
#include "hnsw/search.h"
#include "nodes/execnodes.h"
#include "pg/hnsw/covered.h"
#include "pg/hnsw/filter.h"
#include "pg/hnsw/items.h"
#include "pg/hnsw/list_scan.h"
#include "pg/hnsw/pass.h"
#include "pg/hnsw/ranking.h"
#include "pg/hnsw/rerank.h"
#include "pg/hnsw/scratch.h"
#include "pg/hnsw/settings.h"
#include "pg/hnsw/sift.h"
#include "pg/hnsw/tally.h"
#include "pg/hnsw/target.h"

typedef enum Stage
{
	STAGE_GRAPH,
	STAGE_PASS,
	STAGE_SIFT,
	STAGE_LIST,
	STAGE_END /* what is ranked remains */
} Stage;

typedef struct HnswScan
{
	HnswSettings settings; /* as they were when the search began */
	MemoryContext memory, search_memory; /* of one search */
	HnswScratch *scratch; /* NULL until the first row is asked for */
	MgMark start;		  /* of a search, behind what the scan has */
	HnswStore store;
	HnswRerank *rerank;
	HnswRanking ranking;

	/* One search */
	bool begun;
	bool told; /* of the bound; once a scan */
	Stage stage;
	bool complete; /* after the graph comes the pass */
	HnswTarget target;
	bool unranked; /* no row is nearer than another */
	MgQuery query;
	MgSearch *search;
	const MgFound *found; /* [n_found], those before next are ranked */
	size_t n_found, next, ahead; /* those before ahead have been asked for from disk, if any were */
	bool any_within;	 /* of the batch */
	bool chained;		 /* the last node has further tuples in chain, all of chain_distance */
	HnswChain chain;
	double chain_distance; /* -INFINITY: none of its tuples is known yet */
	uint32 *done;		 /* [n_done]: nodes that were ranked, if a pass will come */
	Size n_done, done_room;
	HnswPass *pass;
	HnswSift *sift;
	bool sifted;
	HnswListScan *list; /* what conditions on included columns are tested on; NULL: there are none */
	bool listed;		/* it is read */
	uint64 n_fetched_before;	/* n_fetched when the pass began */
	uint64 *returned; /* [n_returned]: hnsw_sift_key of rows, if they may be sifted */
	Size n_returned, returned_room;
	const HnswNode *node;		/* NULL: it is unknown */
	IndexScanState *filter;		/* NULL: none is known */
	double heap_cost;			/* of sifting the table; INFINITY: it cannot be */
	HnswCovered *covered;		/* conditions that items are tested by; NULL: none */
	/* Items met, those that covered dropped; rows of the table that are visible, that passed the filter, that were measured */
	uint64 n_met, n_dropped, n_fetched, n_passed, n_ranked;
	HnswTally tally; /* of the searches that have ended */
	double last;		 /* distance of the last row returned */
	FmgrInfo distance;	 /* of the class; where no ORDER BY has one */
} HnswScan;

/* Bytes that a scan may use. */
Size hnsw_scan_memory(const HnswScan *state);

/* ---- batches.c */

void hnsw_batches_begin(IndexScanDesc scan);

/* The next batch; false when the search has found all, or another way to go on is better. */
bool hnsw_batches_next(IndexScanDesc scan);

/* Whether the list of the scan is the cheapest from the start. by_graph: the search would be begun with. */
bool hnsw_list_is_best(const HnswScan *state, bool by_graph);

/* What other ways cost: a pass in order, a list, and a sequential scan of the table. */
double hnsw_cost_of_pass(const HnswScan *state);
double hnsw_cost_of_list(const HnswScan *state);
double hnsw_cost_of_sift(IndexScanDesc scan);

/* Whether a pass under way has looked at so many rows in vain that sifting the table costs less. */
bool hnsw_pass_is_worse(const HnswScan *state);

/* ---- stages.c */

void hnsw_stage_pass(HnswScan *state);
void hnsw_stage_sift(IndexScanDesc scan);

/* The lists of what the first included column has to be equal to, or all of them if other included columns are tested; and their stage. */
void hnsw_find_lists(HnswScan *state);
void hnsw_stage_list(HnswScan *state);

/* The next row of either, if any, into the ranking. */
void hnsw_rank_listed(HnswScan *state);
void hnsw_rank_sifted(HnswScan *state);

/* After the search: what it left out, by the cheapest way. */
void hnsw_go_on(IndexScanDesc scan);

/* ---- rows.c: each puts rows into the ranking */

/* Those of the next node of the batch; of a node that a pass gives; some of the others that the last node has. */
void hnsw_rows_of_found(HnswScan *state);
void hnsw_rows_of_passed(HnswScan *state, uint32 id);
void hnsw_rows_of_chain(HnswScan *state);
void hnsw_rows_of_listed(HnswScan *state, const ItemPointerData *tid); /* a row that a list gives */

/* A row is returned while its node, or it itself, may be met again. */
void hnsw_rows_note_returned(HnswScan *state, const ItemPointerData *tid);

#endif
