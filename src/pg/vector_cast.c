/* Casts between vectors and arrays of numbers. */
#include "pg/vector.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(maskgen_array_to_vector);
PG_FUNCTION_INFO_V1(maskgen_vector_to_float4);

static float4
element_of(Datum value, Oid type)
{
	switch (type)
	{
		case INT4OID:
			return (float4) DatumGetInt32(value);
		case FLOAT8OID:
			return (float4) DatumGetFloat8(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case NUMERICOID:
			return DatumGetFloat4(DirectFunctionCall1(numeric_float4, value));
		default:
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("unsupported array type")));
	}
	return 0;
}

Datum
maskgen_array_to_vector(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	int32 typmod = PG_GETARG_INT32(1);
	Oid type = ARR_ELEMTYPE(array);
	int16 length;
	bool by_value;
	char align;
	Datum *elements;
	bool *nulls;
	int n;
	Vector *result;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("array must be 1-D")));
	/* Before there is a Datum for each element: an array may have a hundred million. */
	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	vector_check_dim(n);
	get_typlenbyvalalign(type, &length, &by_value, &align);
	deconstruct_array(array, type, length, by_value, align, &elements, &nulls, &n);
	if (typmod != -1 && typmod != n)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected %d dimensions, not %d", typmod, n)));
	result = vector_new(n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array must not contain nulls")));
		result->x[i] = element_of(elements[i], type);
		vector_check_element(result->x[i]);
	}
	PG_RETURN_VECTOR_P(result);
}

Datum
maskgen_vector_to_float4(PG_FUNCTION_ARGS)
{
	const Vector *vector = PG_GETARG_VECTOR_P(0);
	Datum *elements = palloc(vector->dim * sizeof *elements);

	for (int i = 0; i < vector->dim; i++)
		elements[i] = Float4GetDatum(vector->x[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, vector->dim, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT));
}
