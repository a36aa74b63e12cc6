/* int8 and bits for the level "avx512". bytes_scalar.h says what the names mean. */
#define BYTES 64

typedef struct ByteSums
{
	__m512i low, high; /* 16 of 32 bits each; of absolute differences, 8 of 64 in low */
} ByteSums;

ALWAYS_INLINE void
add_bytes(MgTerm term, ByteSums *sums, const int8_t *a, const int8_t *b)
{
	__m512i x_low, x_high, y_low, y_high;

	if (term == MG_TERM_ABSOLUTE)
	{
		const __m512i top = _mm512_set1_epi8((char) 0x80); /* signed to unsigned, which keeps differences */
		__m512i x = _mm512_loadu_si512(a), y = _mm512_loadu_si512(b);

		sums->low = _mm512_add_epi64(sums->low, _mm512_sad_epu8(_mm512_xor_si512(x, top), _mm512_xor_si512(y, top)));
		return;
	}
	x_low = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *) a));
	y_low = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *) b));
	x_high = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *) (a + 32)));
	y_high = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *) (b + 32)));
	if (term == MG_TERM_SQUARE)
	{
		x_low = y_low = _mm512_sub_epi16(x_low, y_low);
		x_high = y_high = _mm512_sub_epi16(x_high, y_high);
	}
	sums->low = _mm512_add_epi32(sums->low, _mm512_madd_epi16(x_low, y_low));
	sums->high = _mm512_add_epi32(sums->high, _mm512_madd_epi16(x_high, y_high));
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
	return term == MG_TERM_ABSOLUTE ? _mm512_reduce_add_epi64(sums->low)
									: total_of_32(_mm512_add_epi32(sums->low, sums->high));
}

#include "vector/bits_word.h"
