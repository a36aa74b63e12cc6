/* max_sim(): how well each vector of a query finds one of a document (ColBERT, arXiv 2004.12832). */
#include "pg/vector/vector.h"

#include <math.h>

#include "catalog/pg_type.h"

#include "miscadmin.h"
#include "pg/guc.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(maskgen_max_sim);

/* Pairs of vectors between two looks for a cancel: some milliseconds of them. */
#define PAIRS_A_CHECK 10000

/* The vectors of an array, all of dims dimensions, or of those of the first where that is 0. */
static const void **
read_vectors(ArrayType *array, int *n, int *dims)
{
	Datum *elements;
	const void **rows;
	bool *nulls;

	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_INT, &elements, &nulls, n);
	rows = palloc((*n + 1) * sizeof *rows);
	for (int i = 0; i < *n; i++)
	{
		const Dense *vector;

		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("vectors hold a null")));
		vector = dense_of_datum(&vector_type, elements[i]);
		if (*dims == 0)
			*dims = vector->dim;
		if (vector->dim != *dims)
			ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("different vector dimensions %d and %d", *dims, vector->dim)));
		rows[i] = vector->x;
	}
	return rows;
}

/* The sum over vectors of the query of the largest inner product with one of the document; NULL where one has none. */
Datum
maskgen_max_sim(PG_FUNCTION_ARGS)
{
	int n_query, n_document, dims = 0, pairs = 0;
	const void **query = read_vectors(PG_GETARG_ARRAYTYPE_P(0), &n_query, &dims);
	const void **document = read_vectors(PG_GETARG_ARRAYTYPE_P(1), &n_document, &dims);
	MgDistance distance;
	double sum = 0;

	if (n_query == 0 || n_document == 0)
		PG_RETURN_NULL();
	mg_distance_find(MG_ELEMENT_F32, MG_METRIC_INNER_PRODUCT, guc_cpu_level(), &distance);
	for (int q = 0; q < n_query; q++)
	{
		double least = INFINITY;

		for (int d = 0; d < n_document; d++)
		{
			least = fmin(least, distance.pair(query[q], document[d], (size_t) dims));
			if (++pairs % PAIRS_A_CHECK == 0)
				CHECK_FOR_INTERRUPTS();
		}
		sum -= least;
	}
	PG_RETURN_FLOAT4((float4) sum);
}
