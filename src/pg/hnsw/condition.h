/* Which conditions can be tested on included columns alone (cover.h), and how: for the planner and for scans. */
#ifndef MASKGEN_PG_HNSW_CONDITION_H
#define MASKGEN_PG_HNSW_CONDITION_H

#include "postgres.h"
#include "nodes/primnodes.h"
#include "pg/hnsw/cover.h"

typedef struct HnswCondition
{
	bool by_value; /* it can be evaluated on kept columns */

	/* Equality with something that is no column of the table: `=`, `= ANY (array)`, IS NULL */
	int column;		 /* the included one; -1: it is no equality */
	Expr *comparand; /* NULL: IS NULL */
	bool is_array;
	Oid hash; /* function that hashes a comparand as the column's hash does */
} HnswCondition;

/*
 * False when a clause is none of these. Only leakproof functions: items may be of rows that a scan must not see (covered.h).
 * relation: the table's number in the clause.
 */
bool hnsw_condition_of(Node *clause, Index relation, const HnswCover *cover, HnswCondition *condition);

#endif
