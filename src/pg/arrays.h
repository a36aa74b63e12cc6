/* Texts and arrays of texts as arguments, arrays of vectors as results. */
#ifndef MASKGEN_PG_ARRAYS_H
#define MASKGEN_PG_ARRAYS_H

#include "postgres.h"
#include "core/span.h"
#include "fmgr.h"
#include "utils/array.h"

/* A text argument as a span that lives as long as the argument. */
MgSpan span_of_text(const text *value);

/* The elements of a one-dimensional text[] without nulls, as spans into it; what names the argument in errors. */
MgSpan *spans_of_text_array(ArrayType *array, const char *what, int *n);

/* The element type of the array that a function returns. */
Oid vector_array_element(FmgrInfo *flinfo);

#endif
