/* int8 and bits for the level "neon". bytes_scalar.h says what the names mean. */
#define BYTES 16

typedef struct ByteSums
{
	int32x4_t low, high;
} ByteSums;

ALWAYS_INLINE void
add_bytes(MgTerm term, ByteSums *sums, const int8_t *a, const int8_t *b)
{
	int8x16_t x = vld1q_s8(a), y = vld1q_s8(b);

	if (term == MG_TERM_PRODUCT)
	{
		sums->low = vpadalq_s16(sums->low, vmull_s8(vget_low_s8(x), vget_low_s8(y)));
		sums->high = vpadalq_s16(sums->high, vmull_high_s8(x, y));
	}
	else if (term == MG_TERM_SQUARE)
	{
		int16x8_t low = vsubl_s8(vget_low_s8(x), vget_low_s8(y)), high = vsubl_high_s8(x, y);

		sums->low = vmlal_s16(sums->low, vget_low_s16(low), vget_low_s16(low));
		sums->high = vmlal_high_s16(sums->high, low, low);
		sums->low = vmlal_s16(sums->low, vget_low_s16(high), vget_low_s16(high));
		sums->high = vmlal_high_s16(sums->high, high, high);
	}
	else
	{
		sums->low = vpadalq_s16(sums->low, vabdl_s8(vget_low_s8(x), vget_low_s8(y)));
		sums->high = vpadalq_s16(sums->high, vabdl_high_s8(x, y));
	}
}

ALWAYS_INLINE int64_t
total_of(MgTerm term, const ByteSums *sums)
{
	(void) term;
	return vaddlvq_s32(sums->low) + vaddlvq_s32(sums->high);
}

ALWAYS_INLINE uint8x16_t
bits_of(MgBits bits, const uint8_t *a, const uint8_t *b)
{
	uint8x16_t x = vld1q_u8(a), y = vld1q_u8(b);

	return bits == MG_BITS_DIFFERENT ? veorq_u8(x, y) : bits == MG_BITS_COMMON ? vandq_u8(x, y) : vorrq_u8(x, y);
}

ALWAYS_INLINE int64_t
count_bits(MgBits bits, const uint8_t *a, const uint8_t *b, size_t n)
{
	uint64x2_t counts = vdupq_n_u64(0);
	size_t whole = n - n % 16;
	uint8_t tail_a[16] = {0}, tail_b[16] = {0};

	for (size_t i = 0; i < whole; i += 16)
		counts = vpadalq_u32(counts, vpaddlq_u16(vpaddlq_u8(vcntq_u8(bits_of(bits, a + i, b + i)))));
	memcpy(tail_a, a + whole, n - whole);
	memcpy(tail_b, b + whole, n - whole);
	counts = vpadalq_u32(counts, vpaddlq_u16(vpaddlq_u8(vcntq_u8(bits_of(bits, tail_a, tail_b)))));
	return (int64_t) vaddvq_u64(counts);
}
