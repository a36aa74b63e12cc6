/*
 * vector in and out, in pgvector's forms:
 *   text    [1,2.5,3]  white space is allowed on input
 *   binary  int16 dimensions, int16 0, then float4 each, big-endian
 *   typmod  number of dimensions
 */
#include "pg/vector.h"

#include <ctype.h>
#include <math.h>

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(maskgen_vector_in);
PG_FUNCTION_INFO_V1(maskgen_vector_out);
PG_FUNCTION_INFO_V1(maskgen_vector_typmod_in);
PG_FUNCTION_INFO_V1(maskgen_vector_recv);
PG_FUNCTION_INFO_V1(maskgen_vector_send);
PG_FUNCTION_INFO_V1(maskgen_vector);

void
vector_check_dim(int dim)
{
	if (dim < 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("vector must have at least 1 dimension")));
	if (dim > VECTOR_MAX_DIM)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("vector cannot have more than %d dimensions", VECTOR_MAX_DIM)));
}

void
vector_check_element(float4 value)
{
	if (isnan(value))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("NaN not allowed in vector")));
	if (isinf(value))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("infinite value not allowed in vector")));
}

void
vector_check_same_dims(const Vector *a, const Vector *b)
{
	if (a->dim != b->dim)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("different vector dimensions %d and %d", a->dim, b->dim)));
}

static void
check_typmod(int dim, int32 typmod)
{
	if (typmod != -1 && dim != typmod)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected %d dimensions, not %d", typmod, dim)));
}

Vector *
vector_new(int dim)
{
	Size size = VECTOR_SIZE(dim);
	Vector *vector = palloc0(size);

	SET_VARSIZE(vector, size);
	vector->dim = (int16) dim;
	return vector;
}

/* A value cast without function from a foreign type, or a damaged page, may lie about its dimensions. */
Vector *
vector_of_datum(Datum datum)
{
	Vector *vector = (Vector *) PG_DETOAST_DATUM(datum);

	if (VARSIZE(vector) < VECTOR_SIZE(1) || vector->dim < 1 || VARSIZE(vector) != VECTOR_SIZE(vector->dim))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("vector value is damaged")));
	return vector;
}

static void
throw_syntax(const char *text, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid input syntax for type vector: \"%s\"", text), detail ? errdetail("%s", detail) : 0));
}

static char *
skip_space(char *at)
{
	while (*at == ' ' || (*at >= '\t' && *at <= '\r'))
		at++;
	return at;
}

Datum
maskgen_vector_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0), *at = skip_space(text);
	float4 *values = palloc(sizeof *values * VECTOR_MAX_DIM);
	Vector *vector;
	int dim = 0;

	if (*at != '[')
		throw_syntax(text, "Vector contents must start with \"[\".");
	at = skip_space(at + 1);
	if (*at == ']')
		vector_check_dim(0);
	for (;;)
	{
		char *end;

		if (dim == VECTOR_MAX_DIM)
			vector_check_dim(dim + 1);
		at = skip_space(at);
		errno = 0;
		values[dim] = strtof(at, &end);
		if (end == at)
			throw_syntax(text, NULL);
		/* Too small is rounded to zero or a subnormal; too large is an error. */
		if (errno == ERANGE && isinf(values[dim]))
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							errmsg("\"%s\" is out of range for type vector", pnstrdup(at, end - at))));
		vector_check_element(values[dim++]);
		at = skip_space(end);
		if (*at == ']')
			break;
		if (*at++ != ',')
			throw_syntax(text, NULL);
	}
	if (*skip_space(at + 1) != '\0')
		throw_syntax(text, "Junk after closing right brace.");
	check_typmod(dim, PG_GETARG_INT32(2));
	vector = vector_new(dim);
	memcpy(vector->x, values, dim * sizeof *values);
	PG_RETURN_VECTOR_P(vector);
}

Datum
maskgen_vector_out(PG_FUNCTION_ARGS)
{
	const Vector *vector = PG_GETARG_VECTOR_P(0);
	char *text = palloc(2 + (Size) vector->dim * FLOAT_SHORTEST_DECIMAL_LEN), *at = text;

	*at++ = '[';
	for (int i = 0; i < vector->dim; i++)
	{
		if (i > 0)
			*at++ = ',';
		at += float_to_shortest_decimal_bufn(vector->x[i], at);
	}
	*at++ = ']';
	*at = '\0';
	PG_RETURN_CSTRING(text);
}

Datum
maskgen_vector_typmod_in(PG_FUNCTION_ARGS)
{
	int n;
	int32 *typmods = ArrayGetIntegerTypmods(PG_GETARG_ARRAYTYPE_P(0), &n);

	if (n != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid type modifier")));
	if (*typmods < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("dimensions for type vector must be at least 1")));
	if (*typmods > VECTOR_MAX_DIM)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("dimensions for type vector cannot exceed %d", VECTOR_MAX_DIM)));
	PG_RETURN_INT32(*typmods);
}

Datum
maskgen_vector_recv(PG_FUNCTION_ARGS)
{
	StringInfo buffer = (StringInfo) PG_GETARG_POINTER(0);
	int dim = (int16) pq_getmsgint(buffer, sizeof(int16)), unused = (int16) pq_getmsgint(buffer, sizeof(int16));
	Vector *vector;

	vector_check_dim(dim);
	check_typmod(dim, PG_GETARG_INT32(2));
	if (unused != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected unused to be 0, not %d", unused)));
	vector = vector_new(dim);
	for (int i = 0; i < dim; i++)
	{
		vector->x[i] = pq_getmsgfloat4(buffer);
		vector_check_element(vector->x[i]);
	}
	PG_RETURN_VECTOR_P(vector);
}

Datum
maskgen_vector_send(PG_FUNCTION_ARGS)
{
	const Vector *vector = PG_GETARG_VECTOR_P(0);
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendint16(&buffer, vector->dim);
	pq_sendint16(&buffer, 0);
	for (int i = 0; i < vector->dim; i++)
		pq_sendfloat4(&buffer, vector->x[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

/* The cast to vector(n): checks, changes nothing. */
Datum
maskgen_vector(PG_FUNCTION_ARGS)
{
	Vector *vector = PG_GETARG_VECTOR_P(0);

	check_typmod(vector->dim, PG_GETARG_INT32(1));
	PG_RETURN_VECTOR_P(vector);
}
