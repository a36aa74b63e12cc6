/*
 * spheresel: how many rows are within a radius, by the distances of some rows of the table.
 *
 * ANALYZE keeps nothing of vectors that could say it: they are too wide for its histograms. So a few pages are read when a
 * statement is planned, which takes some 0.1 ms from memory. The share of sampled rows within the radius is the answer when
 * they are many enough to count; with fewer, a tail that is fitted to the sample, between bounds that the count gives.
 *
 * Near its centre a radius r holds a share of rows that grows as r^lid, lid being the local intrinsic dimension, whose
 * maximum likelihood estimate from the k nearest of a sample is -1 / mean(ln(d_i / d_k)) (Hill; Amsaleg et al., KDD 2015).
 * Inner products have no such centre: theirs is the tail of a normal distribution with the sample's mean and deviation.
 *
 * Rows are those that the transaction sees, and they are looked at only where the current user may see them all: an estimate
 * says something about them. Row security of the table that the statement names counts, as do its privileges.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_amop.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "pg/hnsw/kind.h"
#include "pg/hnsw/sphere.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/selfuncs.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(maskgen_spheresel);

#define N_PAGES 64
#define MOST_ROWS 128

/* Sampled rows within the radius that are enough to count. */
#define COUNTED 10

/* Nearest rows of the sample that the tail is fitted to. */
#define TAIL 24

/* A distance of the centre from itself, rounded. */
#define AT_CENTRE 1e-6

/* Where nothing is known; that of contsel. */
#define DEFAULT_SELECTIVITY 0.001

typedef struct Sample
{
	HnswSphere sphere;
	FmgrInfo distance;
	Oid collation;
	AttrNumber column;
	int n_seen, n; /* rows, and those of them that are not NULL */
	int n_within;
	double distances[MOST_ROWS]; /* [n] */
} Sample;

/* The distance that the operator compares with a radius, and what it takes. */
static const HnswKind *
find_distance(Oid operator, FmgrInfo *distance)
{
	CatCList *list = SearchSysCacheList1(AMOPOPID, ObjectIdGetDatum(operator));
	Oid found = InvalidOid, kind = InvalidOid;

	for (int i = 0; i < list->n_members && !OidIsValid(found); i++)
	{
		Form_pg_amop member = (Form_pg_amop) GETSTRUCT(&list->members[i]->tuple);

		if (member->amopstrategy == HNSW_RADIUS_STRATEGY && member->amoppurpose == AMOP_SEARCH)
		{
			found = get_opfamily_member(member->amopfamily, member->amoplefttype, member->amoplefttype, HNSW_ORDER_STRATEGY);
			kind = get_opfamily_proc(member->amopfamily, member->amoplefttype, member->amoplefttype, HNSW_KIND_PROC);
		}
	}
	ReleaseSysCacheList(list);
	if (!OidIsValid(found) || !OidIsValid(kind))
		return NULL;
	fmgr_info(get_opcode(found), distance);
	return (const HnswKind *) DatumGetPointer(OidFunctionCall1(kind, PointerGetDatum(NULL)));
}

static void
add_row(Sample *sample, TupleTableSlot *slot)
{
	bool is_null;
	Datum value = slot_getattr(slot, sample->column, &is_null);
	double distance;

	sample->n_seen++;
	if (is_null)
		return;
	distance = DatumGetFloat8(FunctionCall2Coll(&sample->distance, sample->collation, value, sample->sphere.center));
	if (isnan(distance) || isinf(distance))
		return;
	sample->distances[sample->n++] = distance;
	sample->n_within += distance <= sample->sphere.radius;
}

/* Rows of pages that lie evenly spread, as many of each: neighbours in a table are often alike. */
static void
read_sample(Relation table, Sample *sample)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "maskgen sample", ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot = table_slot_create(table, NULL);
	BlockNumber n_blocks = RelationGetNumberOfBlocks(table), n_pages = Min(n_blocks, N_PAGES);
	TableScanDesc scan = NULL;

	for (BlockNumber i = 0; i < n_pages; i++)
	{
		int most = (int) ((i + 1) * MOST_ROWS / n_pages); /* with those of earlier pages */
		BlockNumber block = (BlockNumber) ((uint64) i * n_blocks / n_pages);
		ItemPointerData first, last;
		MemoryContext caller;

		CHECK_FOR_INTERRUPTS();
		ItemPointerSet(&first, block, 1);
		ItemPointerSet(&last, block, MaxOffsetNumber);
		if (scan == NULL)
			scan = table_beginscan_tidrange(table, GetActiveSnapshot(), &first, &last);
		else
			table_rescan_tidrange(scan, &first, &last);
		while (sample->n_seen < most && table_scan_getnextslot_tidrange(scan, ForwardScanDirection, slot))
		{
			caller = MemoryContextSwitchTo(scratch);
			add_row(sample, slot);
			MemoryContextSwitchTo(caller);
			MemoryContextReset(scratch);
		}
	}
	if (scan != NULL)
		table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(scratch);
}

static int
nearer_first(const void *a, const void *b)
{
	double left = *(const double *) a, right = *(const double *) b;

	return (left > right) - (left < right);
}

static double
normal_tail(const Sample *sample)
{
	double sum = 0, squares = 0, mean, deviation;

	for (int i = 0; i < sample->n; i++)
		sum += sample->distances[i];
	mean = sum / sample->n;
	for (int i = 0; i < sample->n; i++)
		squares += (sample->distances[i] - mean) * (sample->distances[i] - mean);
	deviation = sqrt(squares / sample->n);
	if (deviation == 0)
		return (double) sample->n_within / sample->n;
	return erfc((mean - sample->sphere.radius) / deviation * M_SQRT1_2) / 2;
}

/* Of distances in ascending order, none below 0. Rows at the centre itself say nothing of its surroundings. */
static double
power_tail(const Sample *sample)
{
	double counted = (double) sample->n_within / sample->n, logarithms = 0, farthest;
	int first = 0, last;

	while (first < sample->n && sample->distances[first] < AT_CENTRE)
		first++;
	last = Min(first + TAIL, sample->n) - 1;
	if (last <= first)
		return counted;
	farthest = sample->distances[last];
	for (int i = first; i < last; i++)
		logarithms += log(sample->distances[i] / farthest);
	if (logarithms == 0)
		return counted;
	return (last + 1) * pow(Max(sample->sphere.radius, 0) / farthest, -(last - first) / logarithms) / sample->n;
}

static double
selectivity_of(Sample *sample)
{
	double share = (double) sample->n / sample->n_seen, n = sample->n, within = sample->n_within, tail;

	if (sample->n_within >= COUNTED || sample->n < COUNTED)
		return within / sample->n_seen;
	qsort(sample->distances, sample->n, sizeof sample->distances[0], nearer_first);
	tail = sample->distances[0] < 0 ? normal_tail(sample) : power_tail(sample);
	/* What was counted is not doubted by more than half. */
	return share * Min(Max(tail, within / n / 2), (within + 1) / n);
}

/*
 * The table that the statement names for a table of the plan: the root of the partitions or children that it was expanded to.
 * It bears the security quals and the privileges for all of them. The column becomes that of the root; 0: it has none.
 */
static const RangeTblEntry *
find_named(PlannerInfo *root, Index number, AttrNumber *column)
{
	const AppendRelInfo *child = root->append_rel_array != NULL ? root->append_rel_array[number] : NULL;

	/* What is no table above is an arm of UNION ALL. */
	while (child != NULL && planner_rt_fetch(child->parent_relid, root)->rtekind == RTE_RELATION)
	{
		*column = *column > 0 && *column <= child->num_child_cols ? child->parent_colnos[*column - 1] : 0;
		number = child->parent_relid;
		child = root->append_rel_array[number];
	}
	return planner_rt_fetch(number, root);
}

/*
 * Whether the current user may see all rows of a column. He is asked himself, also where the statement reads through a view with
 * its owner's rights: what the view's condition hides is not told either.
 */
static bool
may_see_all(PlannerInfo *root, Index number, AttrNumber column)
{
	const RangeTblEntry *named = find_named(root, number, &column);
	Oid user = GetUserId();

	if (named->securityQuals != NIL || check_enable_rls(named->relid, user, true) == RLS_ENABLED)
		return false;
	return pg_class_aclcheck(named->relid, user, ACL_SELECT) == ACLCHECK_OK ||
		(column > 0 && pg_attribute_aclcheck(named->relid, column, user, ACL_SELECT) == ACLCHECK_OK);
}

/* Whether the variable is a column of a table whose rows may be looked at, and all have one number of dimensions. */
static bool
may_look(PlannerInfo *root, const VariableStatData *variable)
{
	const Var *var = (const Var *) variable->var;
	RangeTblEntry *entry;

	if (variable->rel == NULL || !IsA(var, Var) || var->varattno <= 0 || var->varlevelsup > 0 || var->vartypmod <= 0 || !ActiveSnapshotSet())
		return false;
	entry = planner_rt_fetch(var->varno, root);
	return entry->rtekind == RTE_RELATION && (entry->relkind == RELKIND_RELATION || entry->relkind == RELKIND_MATVIEW) &&
		entry->securityQuals == NIL && may_see_all(root, var->varno, var->varattno);
}

static double
estimate(PlannerInfo *root, Oid operator, Oid collation, const VariableStatData *variable, const Const *sphere)
{
	const Var *var = (const Var *) variable->var;
	Sample sample = {.collation = collation};
	const HnswKind *kind;
	Relation table;

	if (sphere->constisnull || !hnsw_sphere_of(sphere->constvalue, &sample.sphere))
		return 0;
	if (!may_look(root, variable) || (kind = find_distance(operator, &sample.distance)) == NULL)
		return DEFAULT_SELECTIVITY;
	/* Other dimensions are an error, which is the executor's to throw. */
	sample.sphere.center = hnsw_kind_detoast(kind, sample.sphere.center);
	if (hnsw_kind_dims(kind, sample.sphere.center) != var->vartypmod)
		return DEFAULT_SELECTIVITY;
	sample.column = var->varattno;
	/* The planner holds a lock already. */
	table = table_open(planner_rt_fetch(var->varno, root)->relid, NoLock);
	read_sample(table, &sample);
	table_close(table, NoLock);
	return sample.n_seen > 0 ? selectivity_of(&sample) : DEFAULT_SELECTIVITY;
}

Datum
maskgen_spheresel(PG_FUNCTION_ARGS)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	double selectivity = DEFAULT_SELECTIVITY;
	VariableStatData variable;
	Node *other;
	bool var_on_left;

	if (!get_restriction_variable(root, (List *) PG_GETARG_POINTER(2), PG_GETARG_INT32(3), &variable, &other, &var_on_left))
		PG_RETURN_FLOAT8(selectivity);
	if (var_on_left && IsA(other, Const))
		selectivity = estimate(root, PG_GETARG_OID(1), PG_GET_COLLATION(), &variable, (Const *) other);
	ReleaseVariableStats(variable);
	CLAMP_PROBABILITY(selectivity);
	PG_RETURN_FLOAT8(selectivity);
}
