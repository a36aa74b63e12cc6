/*
 * The distances, written once over what a level brings (WIDTH, load_f16,
 * to_doubles and the names of bytes_scalar.h), and compiled once for each
 * level by kernels_*.c.
 *
 * Sums over float32 and float16. A block of BLOCK elements is summed in
 * float32, in 64 chains of 8 terms; chains are joined four to one, then go on
 * in double. A term of a square, the worst, is rounded 3 times (the
 * difference counts twice) and 10 more on its way: 13 x 2^-24 = 7.8e-7 of the
 * sum of the terms' absolute values, at any dimension. What overflows float32
 * is infinite.
 *
 * Every level adds the same terms in the same order and multiplies and adds
 * apart (-ffp-contract=off), so all CPUs give the same bits. Loads bound a
 * single sum; only the three of a cosine would be faster with fused
 * operations. float16 is widened as it is loaded: arithmetic in float16
 * (AVX-512 FP16) would keep three digits.
 */
#define LANES 16		 /* sums that are kept in double */
#define STEP (4 * LANES) /* chains of additions: enough to hide the latency of one */
#define BLOCK (8 * STEP) /* see above */

typedef int32_t WideBits __attribute__((vector_size(WIDTH * 4)));

/* Loops of constant length, whose arrays become registers. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* LANES sums: of floats, of doubles. */
#define WIDES (LANES / WIDTH)
#define DOUBLES (2 * WIDES)

ALWAYS_INLINE Wide
load(MgElement element, const char *from)
{
	Wide wide;

	if (element == MG_ELEMENT_F16)
		return load_f16(from);
	memcpy(&wide, from, sizeof wide);
	return wide;
}

/* The terms of WIDTH elements from number i on. */
ALWAYS_INLINE void
add_term(MgElement element, MgTerm term, Wide *sum, const char *a, const char *b, size_t i)
{
	size_t size = element == MG_ELEMENT_F16 ? 2 : 4;
	Wide x = load(element, a + size * i), y = load(element, b + size * i), difference = x - y;

	if (term == MG_TERM_PRODUCT)
		*sum += x * y;
	else if (term == MG_TERM_SQUARE)
		*sum += difference * difference;
	else
		*sum += (Wide) ((WideBits) difference & 0x7FFFFFFF); /* without the sign */
}

/* Adds the terms of n elements, a multiple of LANES and at most BLOCK, to LANES sums. */
ALWAYS_INLINE void
add_block(MgElement element, MgTerm term, const char *a, const char *b, size_t n, Doubles *lanes)
{
	size_t whole = n - n % STEP;
	Wide chains[4][WIDES] = {{{0}}};

	for (size_t i = 0; i < whole; i += STEP)
		UNROLL
		for (int k = 0; k < 4 * WIDES; k++)
			add_term(element, term, &chains[k / WIDES][k % WIDES], a, b, i + (size_t) k * WIDTH);
	UNROLL
	for (int k = 0; k < 3 * WIDES; k++)
		if (whole + (size_t) (k / WIDES) * LANES < n)
			add_term(element, term, &chains[k / WIDES][k % WIDES], a, b, whole + (size_t) k * WIDTH);
	UNROLL
	for (int k = 0; k < WIDES; k++)
	{
		Wide joined = (chains[0][k] + chains[1][k]) + (chains[2][k] + chains[3][k]);
		HalfWide halves[2];

		memcpy(halves, &joined, sizeof halves);
		lanes[2 * k] += to_doubles(halves[0]);
		lanes[2 * k + 1] += to_doubles(halves[1]);
	}
}

/* Their sum, each lane with the one half of the rest away. */
ALWAYS_INLINE double
add_lanes(Doubles *lanes)
{
	double rest[WIDTH / 2];

	UNROLL
	for (int n = DOUBLES / 2; n > 0; n /= 2)
		for (int i = 0; i < n; i++)
			lanes[i] += lanes[i + n];
	memcpy(rest, lanes, sizeof rest);
	UNROLL
	for (int n = WIDTH / 4; n > 0; n /= 2)
		for (int i = 0; i < n; i++)
			rest[i] += rest[i + n];
	return rest[0];
}

/* All blocks of one sum, or with cosine of a . b, a . a and b . b. What is left over is padded to LANES with 0. */
ALWAYS_INLINE void
sum_of_floats(MgElement element, MgTerm term, bool cosine, const void *from_a, const void *from_b, size_t n, double *sums)
{
	Doubles ab[DOUBLES] = {{0}}, aa[DOUBLES] = {{0}}, bb[DOUBLES] = {{0}};
	char tail_a[4 * LANES], tail_b[4 * LANES];
	const char *a = from_a, *b = from_b;
	size_t size = element == MG_ELEMENT_F16 ? 2 : 4;

	while (n > 0)
	{
		size_t block = n > BLOCK ? BLOCK : n - n % LANES, used = block;

		if (block == 0)
		{
			block = LANES;
			used = n;
			memset(tail_a, 0, sizeof tail_a);
			memset(tail_b, 0, sizeof tail_b);
			a = memcpy(tail_a, a, n * size);
			b = memcpy(tail_b, b, n * size);
		}
		add_block(element, term, a, b, block, ab);
		if (cosine)
		{
			add_block(element, term, a, a, block, aa);
			add_block(element, term, b, b, block, bb);
		}
		a += used * size;
		b += used * size;
		n -= used;
	}
	sums[0] = add_lanes(ab);
	if (cosine)
	{
		sums[1] = add_lanes(aa);
		sums[2] = add_lanes(bb);
	}
}

/* The same over bytes, exact. */
ALWAYS_INLINE void
sum_of_bytes(MgTerm term, bool cosine, const int8_t *a, const int8_t *b, size_t n, double *sums)
{
	ByteSums ab = {0}, aa = {0}, bb = {0};
	int8_t tail_a[BYTES], tail_b[BYTES];

	while (n > 0)
	{
		size_t used = n < BYTES ? n : BYTES;

		if (used < BYTES)
		{
			memset(tail_a, 0, sizeof tail_a);
			memset(tail_b, 0, sizeof tail_b);
			a = memcpy(tail_a, a, n);
			b = memcpy(tail_b, b, n);
		}
		add_bytes(term, &ab, a, b);
		if (cosine)
		{
			add_bytes(term, &aa, a, a);
			add_bytes(term, &bb, b, b);
		}
		a += used;
		b += used;
		n -= used;
	}
	sums[0] = (double) total_of(term, &ab);
	if (cosine)
	{
		sums[1] = (double) total_of(term, &aa);
		sums[2] = (double) total_of(term, &bb);
	}
}

ALWAYS_INLINE double
distance_of(MgElement element, MgMetric metric, const void *a, const void *b, size_t n)
{
	double sums[3];
	bool cosine = metric == MG_METRIC_COSINE;
	MgTerm term = metric == MG_METRIC_L2 ? MG_TERM_SQUARE : metric == MG_METRIC_L1 ? MG_TERM_ABSOLUTE : MG_TERM_PRODUCT;

	if (element == MG_ELEMENT_INT8)
		sum_of_bytes(term, cosine, a, b, n, sums);
	else
		sum_of_floats(element, term, cosine, a, b, n, sums);
	if (cosine)
		return mg_cosine_of(sums[0], sums[1], sums[2]);
	return metric == MG_METRIC_INNER_PRODUCT ? -sums[0] : sums[0];
}

#define DISTANCE(name, element, metric) \
	static double name(const void *a, const void *b, size_t n) \
	{ \
		return distance_of(element, metric, a, b, n); \
	}
#define DISTANCES(name, element) \
	DISTANCE(l2_##name, element, MG_METRIC_L2) \
	DISTANCE(inner_product_##name, element, MG_METRIC_INNER_PRODUCT) \
	DISTANCE(cosine_##name, element, MG_METRIC_COSINE) \
	DISTANCE(l1_##name, element, MG_METRIC_L1)

DISTANCES(f32, MG_ELEMENT_F32)
DISTANCES(f16, MG_ELEMENT_F16)
DISTANCES(int8, MG_ELEMENT_INT8)

static double
hamming(const void *a, const void *b, size_t n)
{
	return (double) count_bits(MG_BITS_DIFFERENT, a, b, (n + 7) / 8);
}

static double
jaccard(const void *a, const void *b, size_t n)
{
	int64_t common = count_bits(MG_BITS_COMMON, a, b, (n + 7) / 8);

	return common == 0 ? 1 : 1 - (double) common / (double) count_bits(MG_BITS_ANY, a, b, (n + 7) / 8);
}

#define TABLE_NAME(level) TABLE_NAME_(level)
#define TABLE_NAME_(level) mg_distances_##level
#define ROW(name) \
	{ \
		[MG_METRIC_L2] = l2_##name, [MG_METRIC_INNER_PRODUCT] = inner_product_##name, \
		[MG_METRIC_COSINE] = cosine_##name, [MG_METRIC_L1] = l1_##name \
	}

const MgDistanceTable TABLE_NAME(LEVEL_NAME) = {
	.pairs = {
		[MG_ELEMENT_F32] = ROW(f32),
		[MG_ELEMENT_F16] = ROW(f16),
		[MG_ELEMENT_INT8] = ROW(int8),
		[MG_ELEMENT_BIT] = {[MG_METRIC_HAMMING] = hamming, [MG_METRIC_JACCARD] = jaccard},
	}};
