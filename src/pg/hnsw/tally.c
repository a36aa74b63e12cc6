/*
 * Until PostgreSQL 18 nobody but core can add lines to a node's EXPLAIN, and a node of our own around each index scan would be in the way of what plans
 * are compared by. So the figures of the last scan of a session can be asked for; only by the role whose scan it was, for a function may
 * scan as its owner what its caller must not know of.
 */
#include "pg/hnsw/tally.h"

#include "catalog/pg_type_d.h"
#include "commands/explain.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/hnsw/scan.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include EXPLAIN_FORMAT_HEADER
#include EXPLAIN_STATE_HEADER

PG_FUNCTION_INFO_V1(maskgen_last_index_scan);

static HnswTally last;
static Oid last_index, last_user;

void
hnsw_tally_add(HnswTally *sum, const HnswTally *tally)
{
	sum->ways |= tally->ways;
	sum->searches += tally->searches;
	sum->entries += tally->entries;
	sum->passed += tally->passed;
	sum->listed += tally->listed;
	sum->dropped += tally->dropped;
	sum->fetched += tally->fetched;
	sum->kept += tally->kept;
	sum->ranked += tally->ranked;
}

void
hnsw_tally_note(IndexScanDesc scan, const HnswTally *tally)
{
	last = *tally;
	last_index = RelationGetRelid(scan->indexRelation);
	last_user = GetUserId();
	ereport(DEBUG1,
			(errmsg_internal("scan of index \"%s\": " UINT64_FORMAT " entries by links, " UINT64_FORMAT " by a pass, " UINT64_FORMAT " of lists, %s; " UINT64_FORMAT
							 " rows looked at, " UINT64_FORMAT " passed the filter",
							 RelationGetRelationName(scan->indexRelation), tally->entries, tally->passed, tally->listed,
							 (tally->ways & HNSW_WAY_TABLE) != 0 ? "then all rows of the table" : "no row of the table in order", tally->fetched,
							 tally->kept)));
}

static const struct
{
	int way;
	const char *name;
} names[] = {{HNSW_WAY_GRAPH, "graph"}, {HNSW_WAY_LIST, "list"}, {HNSW_WAY_PASS, "pass"}, {HNSW_WAY_TABLE, "table"}};

Datum
maskgen_last_index_scan(PG_FUNCTION_ARGS)
{
	uint64 numbers[] = {last.searches, last.entries, last.passed, last.listed, last.dropped, last.fetched, last.fetched - last.kept, last.ranked};
	Datum values[2 + lengthof(numbers)], ways[lengthof(names)];
	bool nulls[lengthof(values)] = {false};
	TupleDesc shape;
	int n = 0;

	if (get_call_result_type(fcinfo, NULL, &shape) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!OidIsValid(last_index) || !has_privs_of_role(GetUserId(), last_user))
		PG_RETURN_NULL();
	for (Size i = 0; i < lengthof(names); i++)
		if ((last.ways & names[i].way) != 0)
			ways[n++] = CStringGetTextDatum(names[i].name);
	values[0] = ObjectIdGetDatum(last_index);
	values[1] = PointerGetDatum(construct_array(ways, n, TEXTOID, -1, false, TYPALIGN_INT));
	for (Size i = 0; i < lengthof(numbers); i++)
		values[2 + i] = Int64GetDatum((int64) numbers[i]);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(shape), values, nulls)));
}

#ifdef COMPAT_EXPLAIN_NODES

static explain_per_node_hook_type next_node;

static void
explain_node(PlanState *state, List *ancestors, const char *relationship, const char *plan_name, ExplainState *explain)
{
	IndexScanState *scan = (IndexScanState *) state;
	HnswTally tally;
	List *ways = NIL;

	if (next_node != NULL)
		next_node(state, ancestors, relationship, plan_name, explain);
	if (!explain->analyze || !IsA(state, IndexScanState) || scan->iss_ScanDesc == NULL || !hnsw_scan_tally(scan->iss_ScanDesc, &tally))
		return;
	for (Size i = 0; i < lengthof(names); i++)
		if ((tally.ways & names[i].way) != 0)
			ways = lappend(ways, (void *) names[i].name);
	ExplainPropertyList("Ways", ways, explain);
	ExplainPropertyUInteger("Entries Read", NULL, tally.entries + tally.passed + tally.listed, explain);
	ExplainPropertyUInteger("Rows Dropped in Index", NULL, tally.dropped, explain);
	ExplainPropertyUInteger("Rows Fetched", NULL, tally.fetched, explain);
	ExplainPropertyUInteger("Rows Reranked", NULL, tally.ranked, explain);
}

void
hnsw_tally_install(void)
{
	next_node = explain_per_node_hook;
	explain_per_node_hook = explain_node;
}

#else

void
hnsw_tally_install(void)
{
}

#endif
