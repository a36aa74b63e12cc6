/* Values of vector and halfvec: made, looked at, checked. */
#include "pg/vector/dense.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "core/half.h"

const DenseType vector_type = {"vector", MG_ELEMENT_F32};
const DenseType halfvec_type = {"halfvec", MG_ELEMENT_F16};

static Size
dense_size(const DenseType *type, int dim)
{
	return offsetof(Dense, x) + mg_row_size(type->element, (size_t) dim);
}

void
dense_check_dim(const DenseType *type, int64 dim)
{
	if (dim < 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("%s must have at least 1 dimension", type->name)));
	if (dim > DENSE_MAX_DIM)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("%s cannot have more than %d dimensions", type->name, DENSE_MAX_DIM)));
}

void
dense_check_typmod(int dim, int32 typmod)
{
	if (typmod != -1 && dim != typmod)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected %d dimensions, not %d", typmod, dim)));
}

Dense *
dense_new(const DenseType *type, int dim)
{
	Size size;
	Dense *dense;

	dense_check_dim(type, dim);
	size = dense_size(type, dim);
	dense = palloc0(size);
	SET_VARSIZE(dense, size);
	dense->dim = (int16) dim;
	return dense;
}

/* A value cast without function from a foreign type, or a damaged page, may lie about its dimensions. */
Dense *
dense_of_datum(const DenseType *type, Datum datum)
{
	Dense *dense = (Dense *) PG_DETOAST_DATUM(datum);

	if (VARSIZE(dense) < dense_size(type, 1) || dense->dim < 1 || VARSIZE(dense) != dense_size(type, dense->dim))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("%s value is damaged", type->name)));
	return dense;
}

void
dense_pair(const DenseType *type, FunctionCallInfo fcinfo, const Dense **a, const Dense **b)
{
	*a = PG_GETARG_DENSE_P(0);
	*b = PG_GETARG_DENSE_P(1);
	if ((*a)->dim != (*b)->dim)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("different %s dimensions %d and %d", type->name, (*a)->dim, (*b)->dim)));
}

const float4 *
dense_floats(const DenseType *type, const Dense *dense)
{
	const uint16 *halves = (const uint16 *) dense->x;
	float4 *wide;

	if (type->element == MG_ELEMENT_F32)
		return (const float4 *) dense->x;
	wide = palloc(sizeof *wide * dense->dim);
	for (int i = 0; i < dense->dim; i++)
		wide[i] = mg_half_to_float(halves[i]);
	return wide;
}

/* False when it is too large for the type. */
static bool
store(const DenseType *type, Dense *dense, int i, float4 value)
{
	if (type->element == MG_ELEMENT_F32)
	{
		((float4 *) dense->x)[i] = value;
		return !isinf(value);
	}
	((uint16 *) dense->x)[i] = mg_half_of_float(value);
	return !mg_half_is_inf(((uint16 *) dense->x)[i]);
}

static void
check_finite(const DenseType *type, float4 value)
{
	if (isnan(value))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("NaN not allowed in %s", type->name)));
	if (isinf(value))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("infinite value not allowed in %s", type->name)));
}

static void
throw_range(const DenseType *type, const char *number)
{
	ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					errmsg("\"%s\" is out of range for type %s", number, type->name)));
}

void
dense_set(const DenseType *type, Dense *dense, int i, float4 value)
{
	char number[FLOAT_SHORTEST_DECIMAL_LEN];

	check_finite(type, value);
	if (store(type, dense, i, value))
		return;
	float_to_shortest_decimal_buf(value, number);
	throw_range(type, number);
}

void
dense_set_result(const DenseType *type, Dense *dense, int i, double value)
{
	if (!store(type, dense, i, (float4) value))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("value out of range: overflow")));
	check_finite(type, (float4) value);
}

float4
dense_parse(const DenseType *type, const char *text, char **at)
{
	char *end;
	float4 value;

	errno = 0;
	value = strtof(*at, &end);
	if (end == *at)
		ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						errmsg("invalid input syntax for type %s: \"%s\"", type->name, text)));
	/* Too small is rounded to zero or a subnormal; too large is an error. */
	if ((errno == ERANGE && isinf(value)) ||
		(type->element == MG_ELEMENT_F16 && !isinf(value) && mg_half_is_inf(mg_half_of_float(value))))
		throw_range(type, pnstrdup(*at, end - *at));
	check_finite(type, value);
	*at = end;
	return value;
}
