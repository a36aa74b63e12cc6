/*
 * The sums of distance.c for one instruction set. Included once for each, with
 *   NAME(word)  the word with the level's suffix
 *   TARGET      the attribute that a function of the level has, or nothing
 *   WIDTH       floats in one of its registers: 4, 8 or 16
 * Functions carry the attribute themselves and take no wide values, so that
 * none crosses between targets.
 */
typedef float NAME(Wide) __attribute__((vector_size(WIDTH * 4)));
typedef int32_t NAME(Bits) __attribute__((vector_size(WIDTH * 4)));
typedef float NAME(Half) __attribute__((vector_size(WIDTH * 2)));
typedef double NAME(Doubles) __attribute__((vector_size(WIDTH * 4)));

TARGET INLINE void
NAME(add_term)(Term term, NAME(Wide) *sum, const float *a, const float *b)
{
	NAME(Wide) x, y, d;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	d = x - y;
	if (term == TERM_PRODUCT)
		*sum += x * y;
	else if (term == TERM_SQUARE)
		*sum += d * d;
	else
		*sum += (NAME(Wide)) ((NAME(Bits)) d & 0x7FFFFFFF); /* without the sign */
}

/* lanes[i] += from[i], WIDTH of them. */
TARGET INLINE void
NAME(widen)(double *lanes, const NAME(Wide) *from)
{
	for (int half = 0; half < 2; half++)
	{
		NAME(Half) narrow;
		NAME(Doubles) sum;

		memcpy(&narrow, (const char *) from + half * sizeof narrow, sizeof narrow);
		memcpy(&sum, lanes + half * WIDTH / 2, sizeof sum);
		sum += __builtin_convertvector(narrow, NAME(Doubles));
		memcpy(lanes + half * WIDTH / 2, &sum, sizeof sum);
	}
}

/* Adds the terms of n elements, a multiple of LANES and at most BLOCK, to LANES sums. */
TARGET INLINE void
NAME(add_block)(Term term, const float *a, const float *b, size_t n, double *lanes)
{
	size_t whole = n - n % STEP;

	for (size_t lane = 0; lane < LANES; lane += WIDTH)
	{
		NAME(Wide) s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
		const float *x = a + lane, *y = b + lane;

		for (size_t i = 0; i < whole; i += STEP)
		{
			NAME(add_term)(term, &s0, x + i, y + i);
			NAME(add_term)(term, &s1, x + i + LANES, y + i + LANES);
			NAME(add_term)(term, &s2, x + i + 2 * LANES, y + i + 2 * LANES);
			NAME(add_term)(term, &s3, x + i + 3 * LANES, y + i + 3 * LANES);
		}
		if (whole < n)
			NAME(add_term)(term, &s0, x + whole, y + whole);
		if (whole + LANES < n)
			NAME(add_term)(term, &s1, x + whole + LANES, y + whole + LANES);
		if (whole + 2 * LANES < n)
			NAME(add_term)(term, &s2, x + whole + 2 * LANES, y + whole + 2 * LANES);
		s0 = (s0 + s1) + (s2 + s3);
		NAME(widen)(lanes + lane, &s0);
	}
}

/* All blocks of one sum, or with cosine of a . b, a . a and b . b. What is left over is padded to LANES with 0. */
TARGET INLINE void
NAME(sum)(Term term, bool cosine, const float *a, const float *b, size_t n, double *sums)
{
	double lanes[3][LANES] = {{0}};
	float tail_a[LANES] = {0}, tail_b[LANES] = {0};

	while (n > 0)
	{
		size_t block = n > BLOCK ? BLOCK : n - n % LANES, used = block;

		if (block == 0)
		{
			block = LANES;
			used = n;
			a = memcpy(tail_a, a, n * sizeof *a);
			b = memcpy(tail_b, b, n * sizeof *b);
		}
		NAME(add_block)(term, a, b, block, lanes[0]);
		if (cosine)
		{
			NAME(add_block)(term, a, a, block, lanes[1]);
			NAME(add_block)(term, b, b, block, lanes[2]);
		}
		a += used;
		b += used;
		n -= used;
	}
	for (int i = 0; i < (cosine ? 3 : 1); i++)
		sums[i] = add_lanes(lanes[i]);
}

TARGET static double
NAME(inner_product)(const float *a, const float *b, size_t n)
{
	double sum;

	NAME(sum)(TERM_PRODUCT, false, a, b, n, &sum);
	return sum;
}

TARGET static double
NAME(squared_l2)(const float *a, const float *b, size_t n)
{
	double sum;

	NAME(sum)(TERM_SQUARE, false, a, b, n, &sum);
	return sum;
}

TARGET static double
NAME(l1)(const float *a, const float *b, size_t n)
{
	double sum;

	NAME(sum)(TERM_ABSOLUTE, false, a, b, n, &sum);
	return sum;
}

TARGET static void
NAME(cosine_parts)(const float *a, const float *b, size_t n, double parts[3])
{
	NAME(sum)(TERM_PRODUCT, true, a, b, n, parts);
}

static const MgDistances NAME(distances) = {NAME(inner_product), NAME(squared_l2), NAME(l1), NAME(cosine_parts)};

#undef NAME
#undef TARGET
#undef WIDTH
