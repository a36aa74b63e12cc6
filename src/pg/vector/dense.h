/*
 * The types that store each element, vector (float32) and halfvec (float16),
 * as PostgreSQL sees them. Their forms on disk are pgvector's, so that values
 * can be cast between the two without a copy. What they do is written once:
 * a function takes the type's description, and DENSE_FUNCTIONS(name) makes
 * the SQL functions maskgen_vector_NAME and maskgen_halfvec_NAME of it.
 */
#ifndef MASKGEN_PG_VECTOR_DENSE_H
#define MASKGEN_PG_VECTOR_DENSE_H

#include "postgres.h"
#include "fmgr.h"
#include "pg/compat.h"
#include "vector/distance.h"

#define DENSE_MAX_DIM 16000

typedef struct Dense
{
	int32 vl_len_; /* varlena header (do not touch directly) */
	int16 dim;	   /* 1 .. DENSE_MAX_DIM */
	int16 unused;  /* 0 */
	char x[FLEXIBLE_ARRAY_MEMBER];
} Dense;

typedef struct DenseType
{
	const char *name;
	MgElement element; /* MG_ELEMENT_F32 or MG_ELEMENT_F16 */
} DenseType;

extern const DenseType vector_type, halfvec_type;

#define DENSE_FUNCTIONS(function) \
	PG_FUNCTION_INFO_V1(maskgen_vector_##function); \
	PG_FUNCTION_INFO_V1(maskgen_halfvec_##function); \
	Datum maskgen_vector_##function(PG_FUNCTION_ARGS) \
	{ \
		return dense_##function(fcinfo, &vector_type); \
	} \
	Datum maskgen_halfvec_##function(PG_FUNCTION_ARGS) \
	{ \
		return dense_##function(fcinfo, &halfvec_type); \
	} \
	extern int no_such_variable /* takes the semicolon, as in PG_FUNCTION_INFO_V1 */

/* Detoasted; throws when the datum is no well-formed value of the type. */
Dense *dense_of_datum(const DenseType *type, Datum datum);
#define PG_GETARG_DENSE_P(n) dense_of_datum(type, PG_GETARG_DATUM(n))

/* Two arguments of equal dimensions; throws unless they are. */
void dense_pair(const DenseType *type, FunctionCallInfo fcinfo, const Dense **a, const Dense **b);

/* Zeros, in the current memory context; throws unless dim is within bounds. */
Dense *dense_new(const DenseType *type, int dim);

/* The elements as float32: those of the value itself, or a copy in the current memory context. */
const float4 *dense_floats(const DenseType *type, const Dense *dense);

/* Stores an element; throws when it is not finite, or not in the range of the type. */
void dense_set(const DenseType *type, Dense *dense, int i, float4 value);

/* The same for results of arithmetic, where too large is an overflow. */
void dense_set_result(const DenseType *type, Dense *dense, int i, double value);

/* Throw unless dim is 1 .. DENSE_MAX_DIM; is what the type modifier says. */
void dense_check_dim(const DenseType *type, int64 dim);
void dense_check_typmod(int dim, int32 typmod);

/* The text of a number at *at, which is moved behind it; throws unless it is a finite number that fits the type. */
float4 dense_parse(const DenseType *type, const char *text, char **at);

#endif
