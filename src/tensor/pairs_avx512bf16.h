/* The step of a product of pairs by AVX-512 BF16; body_pairs.h says what it is. */
#ifndef MG_TENSOR_PAIRS_AVX512BF16_H
#define MG_TENSOR_PAIRS_AVX512BF16_H

#define HAS_PAIR_STEP

static inline vf
v_pair_step(vf sum, vu w, vu x)
{
	return _mm512_dpbf16_ps(sum, (__m512bh) w, (__m512bh) x);
}

#endif
