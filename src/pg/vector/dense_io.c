/*
 * vector and halfvec in and out, in pgvector's forms:
 *   text    [1,2.5,3]  white space is allowed on input
 *   binary  int16 dimensions, int16 0, then float4 or float2 each, big-endian
 *   typmod  number of dimensions
 */
#include "pg/vector/dense.h"

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "pg/vector/text_form.h"
#include "utils/array.h"
#include "core/half.h"

static Datum
dense_in(FunctionCallInfo fcinfo, const DenseType *type)
{
	char *text = PG_GETARG_CSTRING(0), *at = skip_space(text);
	float4 *values = palloc(sizeof *values * DENSE_MAX_DIM);
	Dense *dense;
	int dim = 0;

	if (*at != '[')
		throw_syntax(type->name, text, "Vector contents must start with \"[\".");
	at = skip_space(at + 1);
	if (*at == ']')
		dense_check_dim(type, 0);
	for (;;)
	{
		if (dim == DENSE_MAX_DIM)
			dense_check_dim(type, dim + 1);
		at = skip_space(at);
		values[dim++] = dense_parse(type, text, &at);
		at = skip_space(at);
		if (*at == ']')
			break;
		if (*at++ != ',')
			throw_syntax(type->name, text, NULL);
	}
	if (*skip_space(at + 1) != '\0')
		throw_syntax(type->name, text, "Junk after closing right brace.");
	dense_check_typmod(dim, PG_GETARG_INT32(2));
	dense = dense_new(type, dim);
	for (int i = 0; i < dim; i++)
		dense_set(type, dense, i, values[i]);
	PG_RETURN_POINTER(dense);
}

DENSE_FUNCTIONS(in);

static Datum
dense_out(FunctionCallInfo fcinfo, const DenseType *type)
{
	const Dense *dense = PG_GETARG_DENSE_P(0);
	const float4 *values = dense_floats(type, dense);
	char *text = palloc(2 + (Size) dense->dim * FLOAT_SHORTEST_DECIMAL_LEN), *at = text;

	*at++ = '[';
	for (int i = 0; i < dense->dim; i++)
	{
		if (i > 0)
			*at++ = ',';
		at += float_to_shortest_decimal_bufn(values[i], at);
	}
	*at++ = ']';
	*at = '\0';
	PG_RETURN_CSTRING(text);
}

DENSE_FUNCTIONS(out);

static Datum
dense_typmod_in(FunctionCallInfo fcinfo, const DenseType *type)
{
	PG_RETURN_INT32(dimensions_of_typmod(type->name, PG_GETARG_ARRAYTYPE_P(0), DENSE_MAX_DIM));
}

DENSE_FUNCTIONS(typmod_in);

static Datum
dense_recv(FunctionCallInfo fcinfo, const DenseType *type)
{
	StringInfo buffer = (StringInfo) PG_GETARG_POINTER(0);
	int dim = (int16) pq_getmsgint(buffer, sizeof(int16)), unused = (int16) pq_getmsgint(buffer, sizeof(int16));
	Dense *dense;

	dense_check_dim(type, dim);
	dense_check_typmod(dim, PG_GETARG_INT32(2));
	check_unused(unused);
	dense = dense_new(type, dim);
	for (int i = 0; i < dim; i++)
		dense_set(type, dense, i,
				  type->element == MG_ELEMENT_F32
					  ? pq_getmsgfloat4(buffer)
					  : mg_half_to_float((uint16) pq_getmsgint(buffer, sizeof(uint16))));
	PG_RETURN_POINTER(dense);
}

DENSE_FUNCTIONS(recv);

static Datum
dense_send(FunctionCallInfo fcinfo, const DenseType *type)
{
	const Dense *dense = PG_GETARG_DENSE_P(0);
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendint16(&buffer, dense->dim);
	pq_sendint16(&buffer, 0);
	for (int i = 0; i < dense->dim; i++)
		if (type->element == MG_ELEMENT_F32)
			pq_sendfloat4(&buffer, ((const float4 *) dense->x)[i]);
		else
			pq_sendint16(&buffer, ((const uint16 *) dense->x)[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

DENSE_FUNCTIONS(send);

/* The cast to vector(n): checks, changes nothing. */
static Datum
dense_typed(FunctionCallInfo fcinfo, const DenseType *type)
{
	Dense *dense = PG_GETARG_DENSE_P(0);

	dense_check_typmod(dense->dim, PG_GETARG_INT32(1));
	PG_RETURN_POINTER(dense);
}

DENSE_FUNCTIONS(typed);
