/*
 * What an operator class says of its type and distance, and what follows for
 * values in the index. A class' support function 1 takes and returns internal: a
 * pointer to one of these, static.
 *
 *   coded entries    vector and halfvec under l2, inner product and cosine: floats, rotated and quantised by the library
 *   plain entries    all else, and these with quantizer = none:
 *     whole          the row as src/vector takes it
 *     rounded        l1 of vector and halfvec: a float32 scale, then int8 each
 *     trimmed        sparsevec: of more elements than SPARSE_KEPT those with the largest values
 *
 * Behind what is rounded or trimmed come 8 bytes, the fingerprint of the value as it was, so that equal bytes mean equal values.
 * What is rounded or trimmed makes estimates, as codes do: the heap tuple has the exact distance (rerank.h).
 */
#ifndef MASKGEN_PG_HNSW_KIND_H
#define MASKGEN_PG_HNSW_KIND_H

#include "postgres.h"
#include "fmgr.h"
#include "hnsw/graph.h"
#include "utils/rel.h"
#include "vector/distance.h"

#define HNSW_KIND_PROC 1
#define HNSW_N_PROCS 1
#define HNSW_ORDER_STRATEGY 1  /* value <op> value: the distance */
#define HNSW_RADIUS_STRATEGY 2 /* value <<op>> sphere: is it within the radius */

typedef struct HnswKind
{
	uint32 id; /* written to metapages: never changed */
	const char *type; /* for errors */
	MgElement element;
	MgMetric metric;
} HnswKind;

const HnswKind *hnsw_kind_of(Relation index);

/* Whether entries may be coded, and in which metric. */
bool hnsw_kind_has_codes(const HnswKind *kind, MgGraphMetric *metric);

/* Bytes of a plain value of dims, at most; whole: neither rounded nor trimmed. */
Size hnsw_kind_room(const HnswKind *kind, int dims, bool whole);

/* Detoasts; throws when the value is damaged. */
Datum hnsw_kind_detoast(const HnswKind *kind, Datum value);

/* Of a detoasted value. */
int hnsw_kind_dims(const HnswKind *kind, Datum value);

/* A detoasted value as the library takes it, in the arena. */
typedef struct HnswValue
{
	float *x;	  /* coded: [dims], of length 1 under cosine */
	uint8 *bytes; /* plain: [n_bytes] */
	uint32 n_bytes;
	uint64 fingerprint; /* of the value as it was, under the index's seed */
} HnswValue;

/*
 * False when it is not to be indexed: length 0 under cosine. Throws unless it has the layout's dimensions. seed: of the
 * fingerprint.
 */
bool hnsw_kind_convert(const HnswKind *kind, const MgEntryLayout *layout, uint64 seed, Datum value, MgCtx *cx,
					   HnswValue *result);

/* Whether distances between values of which this is said are numbers: it is neither of length 0 under cosine nor too long for float32. */
bool hnsw_kind_is_ordinary(const HnswKind *kind, Datum value);

/* Whether a plain value of so many bytes may have lost elements. */
bool hnsw_kind_trimmed(const HnswKind *kind, uint32 n_bytes);

/* The distance of plain values; user is the HnswStore. Values may come from a damaged page. */
float hnsw_kind_distance(void *user, const void *a, uint32_t a_size, const void *b, uint32_t b_size);

/* The operator's distance for one of the graph, and the other way. */
double hnsw_kind_measure(const HnswKind *kind, bool coded, double distance);
double hnsw_kind_unmeasure(const HnswKind *kind, bool coded, double distance);

#endif
