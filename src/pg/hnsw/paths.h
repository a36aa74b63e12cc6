/*
 * Scans for what the planner itself does not see that an index can do: a comparison of a distance with a number as a radius, an order by a
 * form of the distance (form.h), an order by the distance and something more.
 */
#ifndef MASKGEN_PG_HNSW_PATHS_H
#define MASKGEN_PG_HNSW_PATHS_H

#include "postgres.h"
#include "pg/hnsw/form.h"
#include "pg/hnsw/kind.h"

/* An index of a relation that is being planned. */
typedef struct HnswPlanned
{
	PlannerInfo *root;
	RelOptInfo *rel;
	Oid table;
	IndexOptInfo *index;
	const HnswKind *kind;
	Oid within, sphere; /* the operator with a radius, and the type of its right side */
} HnswPlanned;

/* Why something does not serve; NULL: it does. What is needed of the index is added to needs (order.h). */
typedef const char *HnswReason;

HnswReason hnsw_paths_order(const HnswPlanned *planned, const PathKey *key, Node *expr, HnswForm *form, int *needs);
HnswReason hnsw_paths_radius(const HnswPlanned *planned, RestrictInfo *condition, HnswForm *form, double *radius, int *needs);

/* For _PG_init. */
void hnsw_paths_install(void);

#endif
