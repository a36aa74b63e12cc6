/*
 * The distances, written once over what a level brings (WIDTH, Wide, load_f16
 * and the names of bytes_scalar.h), and compiled once for each level by
 * kernels_*.c.
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
typedef float HalfWide __attribute__((vector_size(WIDTH * 2)));
typedef double Doubles __attribute__((vector_size(WIDTH * 4)));

/* Two doubles, which the registers of every target hold. */
typedef double Pair __attribute__((vector_size(16)));

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

/* lanes[i] += from[i], WIDTH of them. */
ALWAYS_INLINE void
widen(double *lanes, const Wide *from)
{
	for (int half = 0; half < 2; half++)
	{
		HalfWide narrow;
		Doubles sum;

		memcpy(&narrow, (const char *) from + half * sizeof narrow, sizeof narrow);
		memcpy(&sum, lanes + half * WIDTH / 2, sizeof sum);
		sum += __builtin_convertvector(narrow, Doubles);
		memcpy(lanes + half * WIDTH / 2, &sum, sizeof sum);
	}
}

/* Adds the terms of n elements, a multiple of LANES and at most BLOCK, to LANES sums. */
ALWAYS_INLINE void
add_block(MgElement element, MgTerm term, const char *a, const char *b, size_t n, double *lanes)
{
	size_t whole = n - n % STEP;

	for (size_t lane = 0; lane < LANES; lane += WIDTH)
	{
		Wide s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};

		for (size_t i = lane; i < whole; i += STEP)
		{
			add_term(element, term, &s0, a, b, i);
			add_term(element, term, &s1, a, b, i + LANES);
			add_term(element, term, &s2, a, b, i + 2 * LANES);
			add_term(element, term, &s3, a, b, i + 3 * LANES);
		}
		if (whole < n)
			add_term(element, term, &s0, a, b, whole + lane);
		if (whole + LANES < n)
			add_term(element, term, &s1, a, b, whole + lane + LANES);
		if (whole + 2 * LANES < n)
			add_term(element, term, &s2, a, b, whole + lane + 2 * LANES);
		s0 = (s0 + s1) + (s2 + s3);
		widen(lanes + lane, &s0);
	}
}

ALWAYS_INLINE double
add_lanes(const double *lanes)
{
	Pair sums[LANES / 2];

	memcpy(sums, lanes, sizeof sums);
	for (int n = LANES / 4; n > 0; n /= 2)
		for (int i = 0; i < n; i++)
			sums[i] += sums[i + n];
	return sums[0][0] + sums[0][1];
}

/* All blocks of one sum, or with cosine of a . b, a . a and b . b. What is left over is padded to LANES with 0. */
ALWAYS_INLINE void
sum_of_floats(MgElement element, MgTerm term, bool cosine, const void *from_a, const void *from_b, size_t n, double *sums)
{
	double lanes[3][LANES] = {{0}};
	char tail_a[4 * LANES] = {0}, tail_b[4 * LANES] = {0};
	const char *a = from_a, *b = from_b;
	size_t size = element == MG_ELEMENT_F16 ? 2 : 4;

	while (n > 0)
	{
		size_t block = n > BLOCK ? BLOCK : n - n % LANES, used = block;

		if (block == 0)
		{
			block = LANES;
			used = n;
			a = memcpy(tail_a, a, n * size);
			b = memcpy(tail_b, b, n * size);
		}
		add_block(element, term, a, b, block, lanes[0]);
		if (cosine)
		{
			add_block(element, term, a, a, block, lanes[1]);
			add_block(element, term, b, b, block, lanes[2]);
		}
		a += used * size;
		b += used * size;
		n -= used;
	}
	for (int i = 0; i < (cosine ? 3 : 1); i++)
		sums[i] = add_lanes(lanes[i]);
}

/* The same over bytes, exact. */
ALWAYS_INLINE void
sum_of_bytes(MgTerm term, bool cosine, const int8_t *a, const int8_t *b, size_t n, double *sums)
{
	ByteSums ab = {0}, aa = {0}, bb = {0};
	int8_t tail_a[BYTES] = {0}, tail_b[BYTES] = {0};

	while (n > 0)
	{
		size_t used = n < BYTES ? n : BYTES;

		if (used < BYTES)
		{
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
