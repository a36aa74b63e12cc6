/* Steps of an int8 product for the level "neondot": an instruction for four signed bytes of each of four channels. */
#ifndef MG_TENSOR_INT8_NEONDOT_H
#define MG_TENSOR_INT8_NEONDOT_H

#define INT8_ROWS 5
#define INT8_SUMS 4
#define INT8_CHANNELS 16
#define INT8_SIGNED 1

typedef int8_t int8_code;
typedef vi vq;
typedef int8x16_t vw;
typedef int8x16_t vx;

static inline vw
q_weights(const uint8_t *from)
{
	return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(from), vdupq_n_u8(128)));
}

static inline vx
q_row(const int8_code *x)
{
	int32_t codes;

	memcpy(&codes, x, sizeof codes);
	return vreinterpretq_s8_s32(vdupq_n_s32(codes));
}

static inline vq
q_step(vq sum, vw w, vx x)
{
	return vdotq_s32(sum, w, x);
}

static inline vi
q_channels(const vq *sums)
{
	return sums[0];
}

static inline void
q_store(int8_code *to, vi code)
{
	int16x4_t half = vqmovn_s32(code);
	int8x8_t narrow = vqmovn_s16(vcombine_s16(half, half));

	memcpy(to, &narrow, VW);
}

#endif
