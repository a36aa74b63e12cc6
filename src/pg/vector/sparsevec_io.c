/*
 * sparsevec in and out, in pgvector's forms:
 *   text    {1:1.5,3:2}/5  pairs of an index from 1 and a value, in any order, white space allowed; then dimensions
 *   binary  int32 dimensions, int32 pairs, int32 0, then int32 indices from 0 in ascending order, then float4 values
 *   typmod  number of dimensions
 * Zeros are left out of text and refused in binary.
 */
#include "pg/vector/sparsevec.h"

#include <limits.h>
#include <math.h>

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "pg/vector/text_form.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(maskgen_sparsevec_in);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_out);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_typmod_in);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_recv);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_send);
PG_FUNCTION_INFO_V1(maskgen_sparsevec_typed);

typedef struct Element
{
	int32 index; /* from 0; -1 for all that are below */
	float4 value;
} Element;

/* A whole number at *at; what is out of range becomes INT_MIN or INT_MAX. */
static int
parse_integer(const char *text, char **at)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(*at, &end, 10);
	if (end == *at)
		throw_syntax("sparsevec", text, NULL);
	*at = end;
	return (int) Max(INT_MIN, Min(INT_MAX, number));
}

static float4
parse_value(const char *text, char **at)
{
	char *end;
	float4 value;

	errno = 0;
	value = strtof(*at, &end);
	if (end == *at)
		throw_syntax("sparsevec", text, NULL);
	/* Too small is an error, too: a zero would not be stored. */
	if (errno == ERANGE && (isinf(value) || value == 0))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("\"%s\" is out of range for type sparsevec", pnstrdup(*at, end - *at))));
	sparsevec_check_value(value);
	*at = end;
	return value;
}

/* The pairs from behind "{" to behind "}"; returns how many are not zero. */
static int
parse_elements(const char *text, char **at, Element *elements)
{
	int n = 0;

	*at = skip_space(*at);
	if (**at == '}')
	{
		(*at)++;
		return 0;
	}
	for (;; (*at)++)
	{
		int index;
		float4 value;

		*at = skip_space(*at);
		index = parse_integer(text, at);
		*at = skip_space(*at);
		if (*(*at)++ != ':')
			throw_syntax("sparsevec", text, NULL);
		*at = skip_space(*at);
		value = parse_value(text, at);
		if (value != 0)
		{
			if (n == MG_SPARSE_MAX_NNZ)
				ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
								errmsg("sparsevec cannot have more than %d non-zero elements", MG_SPARSE_MAX_NNZ)));
			elements[n++] = (Element){index < 1 ? -1 : index - 1, value};
		}
		*at = skip_space(*at);
		if (**at == '}')
			break;
		if (**at != ',')
			throw_syntax("sparsevec", text, NULL);
	}
	(*at)++;
	return n;
}

static int
by_index(const void *a, const void *b)
{
	int32 x = ((const Element *) a)->index, y = ((const Element *) b)->index;

	return (x > y) - (x < y);
}

Datum
maskgen_sparsevec_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0), *at = skip_space(text);
	Element *elements = palloc(sizeof *elements * MG_SPARSE_MAX_NNZ);
	int32 dim;
	Sparsevec *sparsevec;
	int nnz;

	if (*at != '{')
		throw_syntax("sparsevec", text, "Vector contents must start with \"{\".");
	at++;
	nnz = parse_elements(text, &at, elements);
	at = skip_space(at);
	if (*at++ != '/')
		throw_syntax("sparsevec", text, "Unexpected end of input.");
	at = skip_space(at);
	dim = parse_integer(text, &at);
	if (*skip_space(at) != '\0')
		throw_syntax("sparsevec", text, "Junk after closing.");
	sparsevec_check_dim(dim);
	sparsevec_check_typmod(dim, PG_GETARG_INT32(2));
	qsort(elements, nnz, sizeof *elements, by_index);
	sparsevec = sparsevec_new(dim, nnz);
	for (int i = 0; i < nnz; i++)
	{
		sparsevec->indices[i] = elements[i].index;
		sparsevec_check_index(sparsevec->indices, i, dim);
		sparsevec_values(sparsevec)[i] = elements[i].value;
	}
	PG_RETURN_POINTER(sparsevec);
}

Datum
maskgen_sparsevec_out(PG_FUNCTION_ARGS)
{
	Sparsevec *sparsevec = PG_GETARG_SPARSEVEC_P(0);
	const float4 *values = sparsevec_values(sparsevec);
	/* An index and dimensions have at most 10 digits, ":" and "," one each. */
	char *text = palloc((Size) sparsevec->nnz * (12 + FLOAT_SHORTEST_DECIMAL_LEN) + 14), *at = text;

	*at++ = '{';
	for (int i = 0; i < sparsevec->nnz; i++)
	{
		if (i > 0)
			*at++ = ',';
		at += pg_ltoa(sparsevec->indices[i] + 1, at);
		*at++ = ':';
		at += float_to_shortest_decimal_bufn(values[i], at);
	}
	*at++ = '}';
	*at++ = '/';
	at += pg_ltoa(sparsevec->dim, at);
	*at = '\0';
	PG_RETURN_CSTRING(text);
}

Datum
maskgen_sparsevec_typmod_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(dimensions_of_typmod("sparsevec", PG_GETARG_ARRAYTYPE_P(0), MG_SPARSE_MAX_DIM));
}

Datum
maskgen_sparsevec_recv(PG_FUNCTION_ARGS)
{
	StringInfo buffer = (StringInfo) PG_GETARG_POINTER(0);
	int32 dim = (int32) pq_getmsgint(buffer, sizeof(int32)), nnz = (int32) pq_getmsgint(buffer, sizeof(int32));
	int32 unused = (int32) pq_getmsgint(buffer, sizeof(int32));
	Sparsevec *sparsevec = sparsevec_new(dim, nnz);

	sparsevec_check_typmod(dim, PG_GETARG_INT32(2));
	check_unused(unused);
	for (int i = 0; i < nnz; i++)
	{
		sparsevec->indices[i] = (int32) pq_getmsgint(buffer, sizeof(int32));
		sparsevec_check_index(sparsevec->indices, i, dim);
	}
	for (int i = 0; i < nnz; i++)
	{
		float4 value = pq_getmsgfloat4(buffer);

		sparsevec_check_value(value);
		if (value == 0)
			ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
							errmsg("binary representation of sparsevec cannot contain zero values")));
		sparsevec_values(sparsevec)[i] = value;
	}
	PG_RETURN_POINTER(sparsevec);
}

Datum
maskgen_sparsevec_send(PG_FUNCTION_ARGS)
{
	Sparsevec *sparsevec = PG_GETARG_SPARSEVEC_P(0);
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendint32(&buffer, sparsevec->dim);
	pq_sendint32(&buffer, sparsevec->nnz);
	pq_sendint32(&buffer, 0);
	for (int i = 0; i < sparsevec->nnz; i++)
		pq_sendint32(&buffer, sparsevec->indices[i]);
	for (int i = 0; i < sparsevec->nnz; i++)
		pq_sendfloat4(&buffer, sparsevec_values(sparsevec)[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

/* The cast to sparsevec(n): checks, changes nothing. */
Datum
maskgen_sparsevec_typed(PG_FUNCTION_ARGS)
{
	Sparsevec *sparsevec = PG_GETARG_SPARSEVEC_P(0);

	sparsevec_check_typmod(sparsevec->dim, PG_GETARG_INT32(1));
	PG_RETURN_POINTER(sparsevec);
}
