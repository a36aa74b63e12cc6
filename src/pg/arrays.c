/* Taking texts and arrays apart. */
#include "pg/arrays.h"

#include "catalog/pg_type.h"
#include "pg/compat.h"
#include "utils/lsyscache.h"

MgSpan
span_of_text(const text *value)
{
	return mg_span(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

MgSpan *
spans_of_text_array(ArrayType *array, const char *what, int *n)
{
	Datum *elements;
	bool *nulls;
	MgSpan *spans;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("%s are not a one-dimensional array", what)));
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, n);
	spans = palloc((*n + 1) * sizeof *spans);
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s hold a null", what)));
		spans[i] = span_of_text(DatumGetTextPP(elements[i]));
	}
	return spans;
}

Oid
vector_array_element(FmgrInfo *flinfo)
{
	return get_element_type(get_func_rettype(flinfo->fn_oid));
}
