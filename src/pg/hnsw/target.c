/* What a scan looks for. */
#include "pg/hnsw/target.h"

#include <math.h>

#include "pg/hnsw/order.h"
#include "pg/hnsw/sphere.h"
#include "utils/datum.h"

/* A radius around a value, from a scan key. False: it is NULL, and nothing is within. */
static bool
read_radius(const ScanKeyData *key, const HnswKind *kind, HnswSphere *sphere)
{
	if ((key->sk_flags & SK_ISNULL) != 0 || !hnsw_sphere_of(key->sk_argument, sphere))
		return false;
	sphere->center = hnsw_kind_detoast(kind, sphere->center);
	return true;
}

/* What the plan tells by the keys (order.h). */
static Oid
marks_of(IndexScanDesc scan)
{
	Oid marks = 0;

	for (int i = 0; i < scan->numberOfKeys; i++)
		marks |= scan->keyData[i].sk_collation;
	for (int i = 0; i < scan->numberOfOrderBys; i++)
		marks |= scan->orderByData[i].sk_collation;
	return marks;
}

bool
hnsw_target_of(IndexScanDesc scan, const HnswKind *kind, MemoryContext memory, FmgrInfo *own, HnswTarget *target)
{
	ScanKey order = scan->numberOfOrderBys > 0 ? &scan->orderByData[0] : NULL;
	Oid marks = marks_of(scan);
	HnswSphere sphere;

	*target = (HnswTarget){.radius = INFINITY, .ordered = order != NULL, .sorted_above = (marks & HNSW_SORTED_ABOVE) != 0, .exact = (marks & HNSW_EXACT) != 0};
	hnsw_meta_check(scan->indexRelation, (int) (marks & (HNSW_NEEDS_NULLS | HNSW_NEEDS_NUMBERS)));
	scan->xs_recheck = scan->numberOfKeys > 1;
	if (order != NULL)
	{
		target->is_null = (order->sk_flags & SK_ISNULL) != 0;
		target->value = target->is_null ? (Datum) 0 : hnsw_kind_detoast(kind, order->sk_argument);
		target->distance = &order->sk_func;
	}
	for (int i = 0; i < scan->numberOfKeys; i++)
	{
		if (!read_radius(&scan->keyData[i], kind, &sphere))
			return false;
		if (i > 0)
			continue;
		if (order == NULL)
		{
			if (own->fn_oid == InvalidOid)
				hnsw_sphere_distance(scan->indexRelation, own, memory);
			target->value = sphere.center;
			target->distance = own;
			target->within = true;
			target->radius = sphere.radius;
		}
		else if (!target->is_null && datumIsEqual(target->value, sphere.center, false, -1))
		{
			target->within = true;
			target->radius = sphere.radius;
		}
		else
			scan->xs_recheck = true;
	}
	return true;
}

bool
hnsw_target_query(HnswStore *store, MgCtx *cx, const HnswTarget *target, MgQuery *query)
{
	const MgEntryLayout *layout = &store->layout;
	int dims;

	memset(query, 0, sizeof *query);
	if (target->is_null)
		return false;
	dims = hnsw_kind_dims(store->kind, target->value);
	if (dims != (int) layout->shape.dims)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("different %s dimensions %u and %d", store->kind->type, layout->shape.dims, dims)));
	return hnsw_store_query(store, cx, target->value, query);
}

/*
 * By the deviation of an own code of 4 bits in each dimension, 0.1 of the value's length, of which 1 / sqrt(dims) lies in one
 * direction; three times.
 */
float
hnsw_target_radius(const HnswStore *store, const MgQuery *query, double radius)
{
	double measured = hnsw_kind_unmeasure(store->kind, store->layout.coded, radius), square = query->square;

	if (!store->layout.coded)
		return (float) (measured + 0.02 * fabs(measured));
	return (float) (measured + 0.012 * square + 0.6 * sqrt(square * fabs(measured) / store->layout.padded));
}
