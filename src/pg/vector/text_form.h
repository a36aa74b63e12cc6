/* What the input functions of vector, halfvec and sparsevec share. */
#ifndef MASKGEN_PG_VECTOR_TEXT_FORM_H
#define MASKGEN_PG_VECTOR_TEXT_FORM_H

#include "postgres.h"
#include "utils/array.h"

static inline char *
skip_space(char *at)
{
	while (*at == ' ' || (*at >= '\t' && *at <= '\r'))
		at++;
	return at;
}

/* "invalid input syntax"; detail may be NULL. */
void throw_syntax(const char *type, const char *text, const char *detail) __attribute__((noreturn));

/* The one type modifier, a number of dimensions; throws unless it is 1 .. most. */
int32 dimensions_of_typmod(const char *type, ArrayType *typmods, int32 most);

/* Throws unless the field of a binary form that has no use yet is 0. */
void check_unused(int32 unused);

#endif
