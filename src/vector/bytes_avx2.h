/* int8 and bits for the level "avx2". bytes_scalar.h says what the names mean. */
#define BYTES 32

typedef struct ByteSums
{
	__m256i low, high; /* 8 of 32 bits each; of absolute differences, 4 of 64 in low */
} ByteSums;

ALWAYS_INLINE void
add_bytes(MgTerm term, ByteSums *sums, const int8_t *a, const int8_t *b)
{
	const __m128i *from_a = (const __m128i *) a, *from_b = (const __m128i *) b;
	__m256i x_low, x_high, y_low, y_high;

	if (term == MG_TERM_ABSOLUTE)
	{
		const __m256i top = _mm256_set1_epi8((char) 0x80); /* signed to unsigned, which keeps differences */
		__m256i x = _mm256_loadu_si256((const __m256i *) a), y = _mm256_loadu_si256((const __m256i *) b);

		sums->low = _mm256_add_epi64(sums->low, _mm256_sad_epu8(_mm256_xor_si256(x, top), _mm256_xor_si256(y, top)));
		return;
	}
	x_low = _mm256_cvtepi8_epi16(_mm_loadu_si128(from_a));
	y_low = _mm256_cvtepi8_epi16(_mm_loadu_si128(from_b));
	x_high = _mm256_cvtepi8_epi16(_mm_loadu_si128(from_a + 1));
	y_high = _mm256_cvtepi8_epi16(_mm_loadu_si128(from_b + 1));
	if (term == MG_TERM_SQUARE)
	{
		x_low = y_low = _mm256_sub_epi16(x_low, y_low);
		x_high = y_high = _mm256_sub_epi16(x_high, y_high);
	}
	sums->low = _mm256_add_epi32(sums->low, _mm256_madd_epi16(x_low, y_low));
	sums->high = _mm256_add_epi32(sums->high, _mm256_madd_epi16(x_high, y_high));
}

ALWAYS_INLINE int64_t
total_of(MgTerm term, const ByteSums *sums)
{
	__m256i wide = sums->low;
	__m128i two;

	if (term != MG_TERM_ABSOLUTE)
	{
		__m256i narrow = _mm256_add_epi32(sums->low, sums->high);

		wide = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(narrow)),
								_mm256_cvtepi32_epi64(_mm256_extracti128_si256(narrow, 1)));
	}
	two = _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
	return _mm_cvtsi128_si64(two) + _mm_extract_epi64(two, 1);
}

#include "vector/bits_word.h"
