/*
 * What a scan costs. A search reads some ef_search entries and the way down to them before it gives the first row, and
 * after that about one entry a row, until it has cost as much as a pass over all pages (scan.c), which gives the others. A radius
 * ends with a pass, and an order that no LIMIT bounds begins with one. What filters make of it is the planner's: one that
 * keeps one row in a hundred makes it expect a hundred times as many rows of the scan. Only what conditions on included columns let through
 * costs a look into the table, and a list gives its rows alone.
 */
#include "pg/hnsw/cost.h"

#include <math.h>

#include "access/genam.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "pg/hnsw/condition.h"
#include "pg/hnsw/list.h"
#include "pg/hnsw/meta.h"
#include "pg/hnsw/order.h"
#include "pg/hnsw/settings.h"
#include "utils/float.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

/* Entries that are read beyond ef_search until a search ends, and on each level above. Measured, m = 16. */
#define EXPANDED_FACTOR 1.3
#define EXPANDED_ABOVE 4

/* A node's estimates, in units of an operator's cost: one for a few links. */
#define OPERATORS_A_NODE 16

/* The same in a pass, which looks at the own code alone. */
#define OPERATORS_A_PASS 7

/*
 * Entries that a search reads for a row that it gives, far behind the first ones: there nodes lie close beside each other for their codes. Each
 * is a page in no order at its full price, for so core prices the pages of a bitmap, cached or not, that are the other way to these rows.
 */
#define ENTRIES_A_ROW 9

/* The same of rows within a radius, which one batch holds. */
#define ENTRIES_A_ROW_WITHIN 2.5

/* The same of a row in a list, with its part of a page. */
#define OPERATORS_A_LISTED 12

/* What is left of the price of a page that is in memory and read in order, as a sequential scan reads it. */
#define CACHED_PASS 0.25

/*
 * An entry is a page in no order; but an index that is searched is mostly in
 * memory, as effective_cache_size lets the planner suppose of other indexes.
 */
static double
page_cost(const IndexOptInfo *index)
{
	double random, sequential, cached = Min((double) effective_cache_size / Max(index->pages, 1), 1);

	get_tablespace_page_costs(index->reltablespace, &random, &sequential);
	/* As if a cached page cost a tenth; the same guess for which random_page_cost is set to 1.1 on fast disks. */
	return random * (1 - 0.9 * cached);
}

static double
full_page_cost(const IndexOptInfo *index)
{
	double random, sequential;

	get_tablespace_page_costs(index->reltablespace, &random, &sequential);
	return random;
}

/* All pages in order. */
static double
pass_cost(const IndexOptInfo *index, double n)
{
	double random, sequential, cached = Min((double) effective_cache_size / Max(index->pages, 1), 1);

	get_tablespace_page_costs(index->reltablespace, &random, &sequential);
	return index->pages * sequential * (1 - (1 - CACHED_PASS) * cached) + n * OPERATORS_A_PASS * cpu_operator_cost;
}

static bool
probes_all(const IndexOptInfo *index, const HnswSettings *settings)
{
	Relation relation;
	bool all;

	if (settings->probes == 0)
		return false;
	relation = index_open(index->indexoid, NoLock);
	all = settings->probes >= hnsw_options_lists(relation);
	index_close(relation, NoLock);
	return all;
}

/* What conditions on included columns leave. */
typedef struct Covered
{
	double share;  /* of all rows, by all of them */
	double listed; /* of all rows: what lists have to be read of */
	bool lists;	   /* there are some */
} Covered;

static void
look_at_clauses(PlannerInfo *root, const IndexOptInfo *index, const HnswCover *cover, List *clauses, List **tested, List **listed)
{
	ListCell *cell;

	foreach(cell, clauses)
	{
		RestrictInfo *info = lfirst_node(RestrictInfo, cell);
		HnswCondition condition;

		if (!hnsw_condition_of((Node *) info->clause, index->rel->relid, cover, &condition))
			continue;
		*tested = lappend(*tested, info);
		if (condition.column == 0 && hnsw_lists_wanted(cover))
			*listed = lappend(*listed, info);
	}
}

static Covered
look_at_conditions(PlannerInfo *root, const IndexPath *path)
{
	const IndexOptInfo *index = path->indexinfo;
	List *tested = NIL, *listed = NIL;
	Covered covered = {1, 1, false};
	HnswCover *cover;
	Relation relation;

	if (index->ncolumns == index->nkeycolumns)
		return covered;
	relation = index_open(index->indexoid, NoLock);
	cover = hnsw_cover_of(relation);
	index_close(relation, NoLock);
	look_at_clauses(root, index, cover, index->indrestrictinfo, &tested, &listed);
	if (path->path.param_info != NULL)
		look_at_clauses(root, index, cover, path->path.param_info->ppi_clauses, &tested, &listed);
	covered.lists = tested != NIL && hnsw_lists_wanted(cover);
	covered.share = clauselist_selectivity(root, tested, (int) index->rel->relid, JOIN_INNER, NULL);
	covered.listed = clauselist_selectivity(root, listed, (int) index->rel->relid, JOIN_INNER, NULL);
	return covered;
}

/* The part of all its rows that a LIMIT is expected to ask of a scan. */
static double
part_wanted(const PlannerInfo *root, const IndexPath *path)
{
	if (root->limit_tuples <= 0)
		return 1;
	return Min(root->limit_tuples / Max(path->path.rows, 1), 1);
}

/* Takes the list if that is cheaper than what else was planned. */
static void
consider_list(PlannerInfo *root, const IndexPath *path, const Covered *covered, double n, double *first, double *further)
{
	double list = n * covered->listed * OPERATORS_A_LISTED * cpu_operator_cost;

	if (!covered->lists || list >= *first + *further * part_wanted(root, path))
		return;
	*first = list;
	*further = 0;
}

bool
hnsw_cost_is_complete(const IndexPath *path)
{
	List *quals = get_quals_from_indexclauses(path->indexclauses);
	HnswSettings settings;

	if (quals != NIL && (maskgen_exact_radius || (linitial_node(OpExpr, quals)->inputcollid & HNSW_EXACT) != 0))
		return true;
	hnsw_settings_of(path->indexinfo->relam, &settings);
	return settings.iteration == HNSW_ITERATION_FULL && (quals == NIL || path->indexorderbys != NIL);
}

/*
 * What looking at rows of the table costs beyond what core adds to each index scan. Core counts a page once however many rows of all there are it has, which
 * is right for a scan to its end; the first thousand rows of one that ends early are on a thousand pages.
 */
static double
table_cost(PlannerInfo *root, const IndexOptInfo *index, double n_rows)
{
	double random, sequential, most = Min(n_rows, index->rel->tuples);

	get_tablespace_page_costs(index->rel->reltablespace, &random, &sequential);
	return Max(most - index_pages_fetched(most, index->rel->pages, index->pages, root), 0) * random;
}

void
hnsw_cost(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup, Cost *total, Selectivity *selectivity,
		  double *correlation, double *pages)
{
	IndexOptInfo *index = path->indexinfo;
	double n = Max(index->tuples, 1), ef, n_rows, each, first, pass, further, part;
	List *quals = get_quals_from_indexclauses(path->indexclauses);
	HnswSettings settings;
	bool complete;
	Covered covered;

	*correlation = 0;
	*pages = index->pages;
	*selectivity = 1;
	hnsw_settings_of(index->relam, &settings);
	ef = settings.ef_search;
	complete = hnsw_cost_is_complete(path);
	/* Without an order or a radius there is nothing to look for; and who asks for all lists of ivfflat asks for an exact answer. */
	if ((path->indexorderbys == NIL && path->indexclauses == NIL) || probes_all(index, &settings))
	{
		*startup = *total = get_float8_infinity();
		return;
	}
	if (quals != NIL)
		*selectivity = clauselist_selectivity(root, quals, (int) index->rel->relid, JOIN_INNER, NULL);
	n_rows = Max(n * *selectivity, 1);
	each = page_cost(index) + OPERATORS_A_NODE * cpu_operator_cost + cpu_index_tuple_cost;
	first = Min(EXPANDED_FACTOR * ef + EXPANDED_ABOVE * log2(n + 1) / 4, n) * each;
	part = part_wanted(root, path);
	further = Max(n_rows - ef, 0);
	if (path->indexorderbys != NIL)
		further *= ENTRIES_A_ROW * (full_page_cost(index) + OPERATORS_A_NODE * cpu_operator_cost);
	else
		further *= ENTRIES_A_ROW_WITHIN * each;
	if (complete)
	{
		pass = pass_cost(index, n);
		if (path->indexorderbys != NIL && root->limit_tuples <= 0)
			first = pass;
		/* What is capped is what will be paid: of a scan that a LIMIT ends, core takes the part that it expects to run. */
		further = quals != NIL ? pass : Min(further, 2 * pass / part);
	}
	covered = look_at_conditions(root, path);
	if (path->indexorderbys != NIL && loop_count <= 1)
		further += table_cost(root, index, n_rows * covered.share);
	consider_list(root, path, &covered, n, &first, &further);
	*selectivity *= covered.share;
	n_rows = Max(n_rows * covered.share, 1);
	*startup = first;
	*total = first + further + n_rows * cpu_index_tuple_cost;
}
