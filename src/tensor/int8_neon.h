/*
 * Steps of an int8 product for the level "neon"; int8_scalar.h says what the names mean. Products of two signed bytes fit 16
 * bits; pairs of them are added to sums of 32. A vector has two sums of each of two channels.
 */
#ifndef MG_TENSOR_INT8_NEON_H
#define MG_TENSOR_INT8_NEON_H

#define INT8_ROWS 3
#define INT8_SUMS 4
#define INT8_CHANNELS 8
#define INT8_SIGNED 1

typedef int8_t int8_code;
typedef vi vq;
typedef int8x8_t vw;
typedef int8x8_t vx;

static inline vw
q_weights(const uint8_t *from)
{
	return vreinterpret_s8_u8(veor_u8(vld1_u8(from), vdup_n_u8(128)));
}

static inline vx
q_row(const int8_code *x)
{
	int32_t codes;

	memcpy(&codes, x, sizeof codes);
	return vreinterpret_s8_s32(vdup_n_s32(codes));
}

static inline vq
q_step(vq sum, vw w, vx x)
{
	return vpadalq_s16(sum, vmull_s8(w, x));
}

static inline vi
q_channels(const vq *sums)
{
	return vpaddq_s32(sums[0], sums[1]);
}

static inline void
q_store(int8_code *to, vi code)
{
	int16x4_t half = vqmovn_s32(code);
	int8x8_t narrow = vqmovn_s16(vcombine_s16(half, half));

	memcpy(to, &narrow, VW);
}

#endif
