/*
 * Short codes of vectors, and distances from them. All in rotated space
 * (rotation.h), where n = padded dims.
 *
 * A node's own code: 4 bits for each dimension, x^_i = scale * (c_i - 7.5),
 * c in 0..15; f32 scale, f32 |x^|^2, then n / 2 bytes: a block of 64
 * dimensions is 32 bytes, the low halves the first 32 of them. The scale is the
 * one of a few tried that leaves the smallest error. Behind it a fingerprint (layout.h).
 *
 * A link's code: of the residual r = v - u^ between the neighbour v and the
 * *decoded* own code of the node u, the signs of the first code_bits
 * dimensions, after RaBitQ (SIGMOD 2024, arXiv 2405.12497) in the use of
 * SymphonyQG (SIGMOD 2025, arXiv 2411.12229). With s in {-1, 1}^code_bits,
 * s_i = sign(r_i), and f = |r|^2 / <s, r>
 *
 *   <r, x> ~ f <s, x>                      for any x; exact for x = r
 *   l2:  |q - v|^2 = |q - u^|^2 + |r|^2 - 2 <r, q - u^>
 *                  ~ |q - u^|^2 + offset - factor <s, q>,   factor = 2 f, offset = |r|^2 + 2 f <s, u^>
 *   ip:  -<q, v>   ~ -<q, u^> - factor <s, q>,              factor = f,   offset = |r|^2, kept for linking only
 *
 * Taking u^ and not u for the centre makes what the own code gets wrong no
 * part of the error. With code_bits < n the estimate is that of a projection:
 * its standard error is |r| |q - u^| sqrt((1 - 0.637 b) / code_bits) / 0.798,
 * b = code_bits / n. offset and factor are bfloat16 (8 bits of precision, 0.2 %,
 * against an error of some 4 %).
 *
 * The query is rounded to 4 bits for links, four planes of bits, so that <s, q>
 * is and, popcount and add; and to 8 bits for own codes. All sums
 * are of integers, hence the same on all instruction sets.
 */
#ifndef MG_HNSW_CODE_H
#define MG_HNSW_CODE_H

#include "core/cpu.h"
#include "hnsw/layout.h"
#include "hnsw/rotation.h"

#define MG_LINK_HEADER 8 /* id, offset, factor */
#define MG_QUERY_PLANES 4

typedef struct MgCodeKernels
{
	/*
	 * sums[i] = sum over the planes of weight * popcount(plane & signs of link i), weights 1, 2, 4, -8. signs: of the
	 * first link, the others at multiples of stride; planes [MG_QUERY_PLANES, (bits + 63) / 64]; bits at least 64.
	 */
	void (*sign_sums)(const uint64_t *planes, uint32_t bits, const uint8_t *signs, size_t stride, size_t n,
					  int32_t *sums);

	/* Signs that differ; bits at least 64, a multiple of 16. */
	uint32_t (*different)(const uint8_t *a, const uint8_t *b, uint32_t bits);

	/* sum of c_i q_i; code [n / 2], query [n], n a multiple of 64, at most MG_MAX_DIMS */
	int32_t (*nibble_sum)(const uint8_t *code, const int8_t *query, size_t n);

	/*
	 * Sum of a_i b_i, all in -127..127; n a multiple of 64, at most MG_MAX_DIMS. With -128 ruled out it is twice as
	 * fast as that of vector/distance.h; NULL where it would not be.
	 */
	int32_t (*byte_sum)(const int8_t *a, const int8_t *b, size_t n);

	/* to_i = scale * from_i; n a multiple of 64 */
	void (*widen)(const int8_t *from, float scale, float *to, size_t n);

	/*
	 * What a link needs of r = neighbour - centre, n a multiple of 64: the signs of the first bits (set: not negative), and
	 * sums[0] = |r|^2 over all n, sums[1] = <s, r> and sums[2] = <s, centre> over the first bits. The same bits at all levels.
	 */
	void (*residual)(const float *centre, const float *neighbour, size_t n, size_t bits, uint8_t *signs, float sums[3]);
} MgCodeKernels;

/* Of a level that this CPU has. There are three kinds on x86-64: the last one wants MG_CPU_VNNI and mg_cpu_counts_bits(). */
const MgCodeKernels *mg_code_kernels(MgCpuLevel level);

/* A query, ready for both kinds of codes. Lives in the arena. */
typedef struct MgQuery
{
	const void *value;		/* plain: the value; coded: NULL */
	uint32_t value_size;
	uint64_t fingerprint;	/* of the value, for inserts: mg_entry_fingerprint */
	const float *rotated;	/* [padded] */
	int8_t *bytes;			/* [padded]: rotated_i ~ byte_scale * bytes_i */
	uint64_t *planes;		/* [MG_QUERY_PLANES, words]: rotated_i ~ plane_scale * k_i, k in -8..7 in two's complement */
	float byte_scale, plane_scale;
	float square;			/* |q|^2 */
	float sign_total;		/* sum of plane_scale * k_i */
	float byte_total;		/* sum of byte_scale * bytes_i */
} MgQuery;

/* rotated [padded] is kept by reference. */
bool mg_query_init(MgCtx *cx, const MgEntryLayout *layout, const float *rotated, MgQuery *query);

/* x [n] ~ scale * bytes [n], bytes in -127..127; the scale. */
float mg_bytes_encode(const float *x, size_t n, int8_t *bytes);

/* The planes alone: for mg_code_link_square and its kin. */
bool mg_query_planes(MgCtx *cx, const MgEntryLayout *layout, const float *rotated, MgQuery *query);

/* value [layout->value_size] becomes the own code of rotated [padded]; its fingerprint is left alone. */
void mg_code_encode(const MgEntryLayout *layout, const float *rotated, uint8_t *value);

/* decoded [padded]. */
void mg_code_decode(const MgEntryLayout *layout, const uint8_t *value, float *decoded);

/* Distance of the query from an own code, in the layout's metric. */
float mg_code_distance(const MgEntryLayout *layout, const MgCodeKernels *kernels, const MgQuery *query,
					   const uint8_t *value);

/*
 * Estimated distances of the neighbours in slots [first, first + n) of an
 * entry, whose own distance is known. Not a number only if the entry's
 * factors are none.
 */
void mg_code_estimate(const MgEntryLayout *layout, const MgCodeKernels *kernels, const MgQuery *query,
					  const uint8_t *entry, float own, uint32_t first, uint32_t n, float *distances);

/* The link from a node to a neighbour. centre: the node's decoded code; neighbour: rotated; both [padded]. */
void mg_code_link(const MgEntryLayout *layout, const MgCodeKernels *kernels, const float *centre, const float *neighbour,
				  uint32_t id, uint8_t *link);

/* |r|^2 of a link of the node whose decoded own code is centre. */
float mg_code_link_square(const MgEntryLayout *layout, const MgCodeKernels *kernels, const MgQuery *centre,
						  const uint8_t *link);

/* <u^, r> of such a link, estimated. */
float mg_code_link_product(const MgEntryLayout *layout, const MgCodeKernels *kernels, const MgQuery *centre,
						   const uint8_t *link);

/* Whether offset and factor are finite numbers. */
bool mg_code_link_finite(const uint8_t *link);

#endif
