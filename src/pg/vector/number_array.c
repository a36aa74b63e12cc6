/* Arrays of numbers, to and from float4. */
#include "pg/vector/number_array.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

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

float4 *
floats_of_array(ArrayType *array, void (*check)(int64 n, const void *arg), const void *arg, int *n)
{
	Oid type = ARR_ELEMTYPE(array);
	ArrayIterator elements;
	Datum element;
	bool is_null;
	float4 *values;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("array must be 1-D")));
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	check(*n, arg);
	values = MemoryContextAllocHuge(CurrentMemoryContext, sizeof *values * *n);
	elements = array_create_iterator(array, 0, NULL);
	for (int i = 0; array_iterate(elements, &element, &is_null); i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_null)
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array must not contain nulls")));
		values[i] = element_of(element, type);
	}
	array_free_iterator(elements);
	return values;
}

ArrayType *
array_of_floats(const float4 *values, int n)
{
	Datum *elements = palloc(n * sizeof *elements);

	for (int i = 0; i < n; i++)
		elements[i] = Float4GetDatum(values[i]);
	return construct_array(elements, n, FLOAT4OID, sizeof(float4), true, TYPALIGN_INT);
}
