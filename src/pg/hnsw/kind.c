/* Operator classes' kinds. */
#include "pg/hnsw/kind.h"

#include <float.h>
#include <math.h>

#include "access/genam.h"
#include "common/hashfn.h"
#include "pg/hnsw/scratch.h"
#include "pg/hnsw/store.h"
#include "pg/vector/dense.h"
#include "pg/vector/sparsevec.h"
#include "utils/varbit.h"

/* Elements of a sparse vector that an entry keeps: three entries a page with m = 16. */
#define SPARSE_KEPT 256

/* Between its inverse and this, squares and sums of float32 neither overflow nor vanish. */
#define LONG 1e15

#define KIND(class, kind_id, sql_type, kind_element, kind_metric) \
	PG_FUNCTION_INFO_V1(maskgen_hnsw_##class##_kind); \
	Datum maskgen_hnsw_##class##_kind(PG_FUNCTION_ARGS) \
	{ \
		static const HnswKind kind = {kind_id, sql_type, kind_element, kind_metric}; \
\
		PG_RETURN_POINTER(&kind); \
	} \
	extern int no_such_variable /* takes the semicolon, as in PG_FUNCTION_INFO_V1 */

KIND(vector_l2, 1, "vector", MG_ELEMENT_F32, MG_METRIC_L2);
KIND(vector_ip, 2, "vector", MG_ELEMENT_F32, MG_METRIC_INNER_PRODUCT);
KIND(vector_cosine, 3, "vector", MG_ELEMENT_F32, MG_METRIC_COSINE);
KIND(vector_l1, 4, "vector", MG_ELEMENT_F32, MG_METRIC_L1);
KIND(halfvec_l2, 5, "halfvec", MG_ELEMENT_F16, MG_METRIC_L2);
KIND(halfvec_ip, 6, "halfvec", MG_ELEMENT_F16, MG_METRIC_INNER_PRODUCT);
KIND(halfvec_cosine, 7, "halfvec", MG_ELEMENT_F16, MG_METRIC_COSINE);
KIND(halfvec_l1, 8, "halfvec", MG_ELEMENT_F16, MG_METRIC_L1);
KIND(sparsevec_l2, 9, "sparsevec", MG_ELEMENT_SPARSE, MG_METRIC_L2);
KIND(sparsevec_ip, 10, "sparsevec", MG_ELEMENT_SPARSE, MG_METRIC_INNER_PRODUCT);
KIND(sparsevec_cosine, 11, "sparsevec", MG_ELEMENT_SPARSE, MG_METRIC_COSINE);
KIND(sparsevec_l1, 12, "sparsevec", MG_ELEMENT_SPARSE, MG_METRIC_L1);
KIND(bit_hamming, 13, "bit", MG_ELEMENT_BIT, MG_METRIC_HAMMING);
KIND(bit_jaccard, 14, "bit", MG_ELEMENT_BIT, MG_METRIC_JACCARD);

const HnswKind *
hnsw_kind_of(Relation index)
{
	FmgrInfo *support = index_getprocinfo(index, 1, HNSW_KIND_PROC);

	return (const HnswKind *) DatumGetPointer(FunctionCall1Coll(support, InvalidOid, PointerGetDatum(NULL)));
}

static bool
is_dense(const HnswKind *kind)
{
	return kind->element == MG_ELEMENT_F32 || kind->element == MG_ELEMENT_F16;
}

static const DenseType *
dense_type(const HnswKind *kind)
{
	return kind->element == MG_ELEMENT_F32 ? &vector_type : &halfvec_type;
}

bool
hnsw_kind_has_codes(const HnswKind *kind, MgGraphMetric *metric)
{
	*metric = kind->metric == MG_METRIC_INNER_PRODUCT ? MG_GRAPH_IP : MG_GRAPH_L2;
	return is_dense(kind) && kind->metric != MG_METRIC_L1;
}

/* ---- values of SQL */

Datum
hnsw_kind_detoast(const HnswKind *kind, Datum value)
{
	if (is_dense(kind))
		return PointerGetDatum(dense_of_datum(dense_type(kind), value));
	if (kind->element == MG_ELEMENT_SPARSE)
		return PointerGetDatum(sparsevec_of_datum(value));
	return PointerGetDatum(DatumGetVarBitP(value));
}

int
hnsw_kind_dims(const HnswKind *kind, Datum value)
{
	if (is_dense(kind))
		return ((const Dense *) DatumGetPointer(value))->dim;
	if (kind->element == MG_ELEMENT_SPARSE)
		return ((const Sparsevec *) DatumGetPointer(value))->dim;
	return VARBITLEN((VarBit *) DatumGetPointer(value));
}

/* ---- plain values */

#define FINGERPRINT sizeof(uint64)

/* As a whole where that takes no more. */
static Size
rounded_room(const HnswKind *kind, int dims)
{
	return Min(sizeof(float) + (Size) dims + FINGERPRINT, mg_row_size(kind->element, (size_t) dims));
}

Size
hnsw_kind_room(const HnswKind *kind, int dims, bool whole)
{
	if (kind->element == MG_ELEMENT_SPARSE)
		return mg_sparse_size(Min(dims, SPARSE_KEPT)) + FINGERPRINT;
	if (is_dense(kind) && kind->metric == MG_METRIC_L1 && !whole)
		return rounded_room(kind, dims);
	return mg_row_size(kind->element, (size_t) dims);
}

static void
round_floats(const float *x, Size n, uint8 *bytes)
{
	int8 *rounded = (int8 *) bytes + sizeof(float);
	float scale = 0;

	for (Size i = 0; i < n; i++)
		scale = Max(scale, fabsf(x[i]) / 127);
	memcpy(bytes, &scale, sizeof scale);
	for (Size i = 0; i < n; i++)
		rounded[i] = (int8) (scale > 0 ? rintf(x[i] / scale) : 0);
}

static float
rounded_l1(const void *a, const void *b, Size n)
{
	const int8 *x = (const int8 *) a + sizeof(float), *y = (const int8 *) b + sizeof(float);
	float x_scale, y_scale, sum = 0;

	memcpy(&x_scale, a, sizeof x_scale);
	memcpy(&y_scale, b, sizeof y_scale);
	for (Size i = 0; i < n; i++)
		sum += fabsf(x_scale * (float) x[i] - y_scale * (float) y[i]);
	return sum;
}

static int
by_magnitude(const void *a, const void *b)
{
	float x = *(const float *) a, y = *(const float *) b;

	return (x < y) - (x > y);
}

/* The magnitude that SPARSE_KEPT elements reach. */
static float
kept_magnitude(const MgSparse *row)
{
	float *magnitudes = palloc((Size) row->nnz * sizeof *magnitudes), kept;

	for (int i = 0; i < row->nnz; i++)
		magnitudes[i] = fabsf(mg_sparse_values(row)[i]);
	qsort(magnitudes, (size_t) row->nnz, sizeof *magnitudes, by_magnitude);
	kept = magnitudes[SPARSE_KEPT - 1];
	pfree(magnitudes);
	return kept;
}

static uint32
trim_sparse(const MgSparse *row, uint8 *bytes)
{
	float least = row->nnz > SPARSE_KEPT ? kept_magnitude(row) : 0, values[SPARSE_KEPT];
	MgSparse *trimmed = (MgSparse *) bytes;

	trimmed->dim = row->dim;
	trimmed->nnz = 0;
	trimmed->unused = 0;
	for (int i = 0; i < row->nnz && trimmed->nnz < SPARSE_KEPT; i++)
	{
		if (fabsf(mg_sparse_values(row)[i]) < least)
			continue;
		values[trimmed->nnz] = mg_sparse_values(row)[i];
		trimmed->indices[trimmed->nnz++] = row->indices[i];
	}
	memcpy(trimmed->indices + trimmed->nnz, values, (Size) trimmed->nnz * sizeof *values);
	return (uint32) mg_sparse_size((size_t) trimmed->nnz);
}

bool
hnsw_kind_trimmed(const HnswKind *kind, uint32 n_bytes)
{
	return kind->element == MG_ELEMENT_SPARSE && n_bytes >= mg_sparse_size(SPARSE_KEPT) + FINGERPRINT;
}

static uint32
plain_bytes(const HnswKind *kind, const MgEntryLayout *layout, Datum value, uint64 fingerprint, uint8 *bytes)
{
	if (kind->element == MG_ELEMENT_SPARSE)
	{
		uint32 n = trim_sparse(sparsevec_row((const Sparsevec *) DatumGetPointer(value)), bytes);

		memcpy(bytes + n, &fingerprint, FINGERPRINT);
		return n + FINGERPRINT;
	}
	if (kind->element == MG_ELEMENT_BIT)
		memcpy(bytes, VARBITS((VarBit *) DatumGetPointer(value)), layout->value_size);
	else if (layout->value_size == mg_row_size(kind->element, layout->shape.dims))
		memcpy(bytes, ((const Dense *) DatumGetPointer(value))->x, layout->value_size);
	else
	{
		round_floats(dense_floats(dense_type(kind), (const Dense *) DatumGetPointer(value)), layout->shape.dims, bytes);
		memcpy(bytes + layout->value_size - FINGERPRINT, &fingerprint, FINGERPRINT);
	}
	return layout->value_size;
}

/* Whether bytes are a sparse row that ends where they do. */
static bool
is_sparse(const void *bytes, uint32_t size)
{
	const MgSparse *row = bytes;

	return size >= sizeof *row && row->nnz >= 0 && row->nnz <= SPARSE_KEPT &&
		mg_sparse_size((size_t) row->nnz) <= size;
}

/* A square that overflows is as far as can be: rows that are infinitely far from all others would have no neighbours. */
static float
bounded(double distance)
{
	return distance > FLT_MAX ? FLT_MAX : distance < -FLT_MAX ? -FLT_MAX : (float) distance;
}

float
hnsw_kind_distance(void *user, const void *a, uint32_t a_size, const void *b, uint32_t b_size)
{
	const HnswStore *store = user;
	const MgEntryLayout *layout = &store->layout;

	if (store->kind->element == MG_ELEMENT_SPARSE)
		return is_sparse(a, a_size) && is_sparse(b, b_size) ? (float) store->plain.pair(a, b, layout->shape.dims)
															: INFINITY;
	if (a_size != layout->value_size || b_size != layout->value_size)
		return INFINITY;
	if (store->rounded)
		return rounded_l1(a, b, layout->shape.dims);
	return bounded(store->plain.pair(a, b, layout->shape.dims));
}

/* ---- what the library takes */

static bool
has_length_0(const HnswKind *kind, Datum value)
{
	const Dense *dense = (const Dense *) DatumGetPointer(value);

	if (kind->element == MG_ELEMENT_SPARSE)
		return ((const Sparsevec *) DatumGetPointer(value))->nnz == 0;
	return (kind->element == MG_ELEMENT_F32 ? mg_norm((const float *) dense->x, (size_t) dense->dim)
											: mg_norm_f16(dense->x, (size_t) dense->dim)) == 0;
}

bool
hnsw_kind_is_ordinary(const HnswKind *kind, Datum value)
{
	const Dense *dense = (const Dense *) DatumGetPointer(value);
	double length;

	if (kind->metric != MG_METRIC_COSINE && kind->metric != MG_METRIC_INNER_PRODUCT)
		return true;
	if (kind->element != MG_ELEMENT_F32)
		return kind->metric == MG_METRIC_INNER_PRODUCT || !has_length_0(kind, value);
	length = mg_norm((const float *) dense->x, (size_t) dense->dim);
	return length <= LONG && (kind->metric == MG_METRIC_INNER_PRODUCT || length >= 1 / LONG);
}

/* Floats, divided by their length under cosine; in double, since float32 may not hold it. */
static float *
coded_floats(const HnswKind *kind, Datum value, MgCtx *cx)
{
	const Dense *dense = (const Dense *) DatumGetPointer(value);
	const float *from = dense_floats(dense_type(kind), dense);
	float *x = hnsw_alloc(cx, (size_t) dense->dim, sizeof *x);
	double length = kind->metric == MG_METRIC_COSINE ? mg_norm(from, (size_t) dense->dim) : 1;

	for (int i = 0; i < dense->dim; i++)
		x[i] = (float) (from[i] / length);
	return x;
}

/* Of all bits that make the value. */
static uint64
fingerprint_of(const HnswKind *kind, uint64 seed, Datum value)
{
	const void *bytes;
	Size size;

	if (is_dense(kind))
	{
		const Dense *dense = (const Dense *) DatumGetPointer(value);

		bytes = dense->x;
		size = mg_row_size(kind->element, (size_t) dense->dim);
	}
	else if (kind->element == MG_ELEMENT_SPARSE)
	{
		const MgSparse *row = sparsevec_row((const Sparsevec *) DatumGetPointer(value));

		bytes = row;
		size = mg_sparse_size((size_t) row->nnz);
	}
	else
	{
		bytes = VARBITS((VarBit *) DatumGetPointer(value));
		size = VARBITBYTES((VarBit *) DatumGetPointer(value));
	}
	return hash_bytes_extended(bytes, (int) size, seed);
}

bool
hnsw_kind_convert(const HnswKind *kind, const MgEntryLayout *layout, uint64 seed, Datum value, MgCtx *cx,
				  HnswValue *result)
{
	int dims = hnsw_kind_dims(kind, value);

	if (dims != (int) layout->shape.dims)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected %u dimensions, not %d", layout->shape.dims, dims)));
	memset(result, 0, sizeof *result);
	if (kind->metric == MG_METRIC_COSINE && has_length_0(kind, value))
		return false;
	result->fingerprint = fingerprint_of(kind, seed, value);
	if (layout->coded)
		result->x = coded_floats(kind, value, cx);
	else
	{
		result->bytes = hnsw_alloc(cx, layout->value_size, 1);
		result->n_bytes = plain_bytes(kind, layout, value, result->fingerprint, result->bytes);
	}
	return true;
}

double
hnsw_kind_measure(const HnswKind *kind, bool coded, double distance)
{
	if (kind->metric == MG_METRIC_L2)
		return sqrt(Max(distance, 0));
	/* |a - b|^2 of vectors of length 1 */
	return coded && kind->metric == MG_METRIC_COSINE ? distance / 2 : distance;
}

double
hnsw_kind_unmeasure(const HnswKind *kind, bool coded, double distance)
{
	if (kind->metric == MG_METRIC_L2)
		return distance * fabs(distance); /* nothing is within a negative radius */
	return coded && kind->metric == MG_METRIC_COSINE ? distance * 2 : distance;
}
