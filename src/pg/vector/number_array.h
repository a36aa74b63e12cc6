/* Arrays of numbers as arguments, on their way to vectors. */
#ifndef MASKGEN_PG_VECTOR_NUMBER_ARRAY_H
#define MASKGEN_PG_VECTOR_NUMBER_ARRAY_H

#include "postgres.h"
#include "utils/array.h"

/*
 * The elements of a one-dimensional int[], real[], float8[] or numeric[] without nulls, as float4. check gets their
 * number before anything is made of them and throws when it is too large.
 */
float4 *floats_of_array(ArrayType *array, void (*check)(int64 n, const void *arg), const void *arg, int *n);

/* real[] of them */
ArrayType *array_of_floats(const float4 *values, int n);

#endif
