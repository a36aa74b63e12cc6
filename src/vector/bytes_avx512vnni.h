/* int8 and bits for the level "avx512vnni". bytes_scalar.h says what the names mean. */
#define BYTES 64

typedef struct ByteSums
{
	/* 16 of 32 bits; less holds 128 times the sum of b for products. Of absolute differences, 8 of 64 in sums. */
	__m512i sums, less;
} ByteSums;

ALWAYS_INLINE void
add_bytes(MgTerm term, ByteSums *sums, const int8_t *a, const int8_t *b)
{
	const __m512i top = _mm512_set1_epi8((char) 0x80); /* signed to unsigned: 128 more */

	if (term == MG_TERM_SQUARE)
	{
		for (int half = 0; half < 2; half++)
		{
			__m512i x = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *) (a + 32 * half)));
			__m512i y = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *) (b + 32 * half)));
			__m512i difference = _mm512_sub_epi16(x, y);

			sums->sums = _mm512_dpwssd_epi32(sums->sums, difference, difference);
		}
	}
	else
	{
		__m512i x = _mm512_xor_si512(_mm512_loadu_si512(a), top), y = _mm512_loadu_si512(b);

		if (term == MG_TERM_ABSOLUTE)
			sums->sums = _mm512_add_epi64(sums->sums, _mm512_sad_epu8(x, _mm512_xor_si512(y, top)));
		else
		{
			sums->sums = _mm512_dpbusd_epi32(sums->sums, x, y);
			sums->less = _mm512_dpbusd_epi32(sums->less, top, y);
		}
	}
}

/* 16 sums of 32 bits, which together may need more. */
ALWAYS_INLINE int64_t
total_of_32(__m512i sums)
{
	return _mm512_reduce_add_epi64(_mm512_add_epi64(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(sums)),
													_mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(sums, 1))));
}

ALWAYS_INLINE int64_t
total_of(MgTerm term, const ByteSums *sums)
{
	return term == MG_TERM_ABSOLUTE ? _mm512_reduce_add_epi64(sums->sums)
									: total_of_32(_mm512_sub_epi32(sums->sums, sums->less));
}

ALWAYS_INLINE __m512i
bits_of(MgBits bits, __m512i x, __m512i y)
{
	return bits == MG_BITS_DIFFERENT ? _mm512_xor_si512(x, y)
									 : bits == MG_BITS_COMMON ? _mm512_and_si512(x, y) : _mm512_or_si512(x, y);
}

ALWAYS_INLINE int64_t
count_bits(MgBits bits, const uint8_t *a, const uint8_t *b, size_t n)
{
	__m512i counts = _mm512_setzero_si512();
	__mmask64 rest = ((__mmask64) 1 << n % 64) - 1;
	size_t whole = n - n % 64;

	for (size_t i = 0; i < whole; i += 64)
		counts = _mm512_add_epi64(
			counts, _mm512_popcnt_epi64(bits_of(bits, _mm512_loadu_si512(a + i), _mm512_loadu_si512(b + i))));
	if (rest != 0)
		counts = _mm512_add_epi64(counts, _mm512_popcnt_epi64(bits_of(bits, _mm512_maskz_loadu_epi8(rest, a + whole),
																	   _mm512_maskz_loadu_epi8(rest, b + whole))));
	return _mm512_reduce_add_epi64(counts);
}
