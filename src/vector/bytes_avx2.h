/* int8 and bits for the level "avx2". bytes_scalar.h says what the names mean. */
#define BYTES 32

typedef struct ByteSums
{
	__m256i low, high; /* 8 of 32 bits each; of absolute differences, 4 of 64 in low */
} ByteSums;

ALWAYS_INLINE void
add_bytes(MgTerm term, ByteSums *sums, const int8_t *a, const int8_t *b)
{
	__m256i x = _mm256_loadu_si256((const __m256i *) a), y = _mm256_loadu_si256((const __m256i *) b);
	__m256i x_low, x_high, y_low, y_high;

	if (term == MG_TERM_ABSOLUTE)
	{
		const __m256i top = _mm256_set1_epi8((char) 0x80); /* signed to unsigned, which keeps differences */

		sums->low = _mm256_add_epi64(sums->low, _mm256_sad_epu8(_mm256_xor_si256(x, top), _mm256_xor_si256(y, top)));
		return;
	}
	x_low = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(x));
	y_low = _mm256_cvtepi8_epi16(_mm256_castsi256_si128(y));
	x_high = _mm256_cvtepi8_epi16(_mm256_extracti128_si256(x, 1));
	y_high = _mm256_cvtepi8_epi16(_mm256_extracti128_si256(y, 1));
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
	int32_t narrow[16];
	int64_t wide[4], total = 0;

	if (term == MG_TERM_ABSOLUTE)
	{
		memcpy(wide, &sums->low, sizeof wide);
		return wide[0] + wide[1] + wide[2] + wide[3];
	}
	memcpy(narrow, sums, sizeof narrow);
	for (int i = 0; i < 16; i++)
		total += narrow[i];
	return total;
}

#include "vector/bits_word.h"
