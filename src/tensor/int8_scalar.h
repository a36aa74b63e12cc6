/*
 * Steps of an int8 product for the level "scalar", four bytes deep: 16-bit products, which cannot overflow
 * (255 * -128), widened to 32 bits.
 *
 * An int8_*.h file defines the same names for each level:
 *   int8_code         a quantised activation, q - 128, as its products like it
 *   INT8_ROWS         rows of a tile
 *   INT8_SUMS         vectors of sums for each row of a tile
 *   INT8_CHANNELS     channels (columns of out) of a tile: a divisor of MG_PANEL
 *   INT8_SIGNED       whether q_weights gives w, not w + 128
 *   vq                a vector of 32-bit sums, of VW or fewer channels
 *   vw, q_weights     codes of those channels, four deep
 *   vx, q_row         four codes of a row of x, for all of them
 *   q_step            sums + weights x row
 *   q_channels        the sums of VW channels, from as many vectors as it takes
 *   q_store           VW integers in [-128, 127] as codes
 *   q_store_block     where it is faster, STORE_BLOCK numbers of a row as codes: rint(x factor) + offset, cut to [-128, 127];
 *                     returns sum and the codes, which lane is one's and which another's being all one
 */
#ifndef MG_TENSOR_INT8_SCALAR_H
#define MG_TENSOR_INT8_SCALAR_H

#define INT8_ROWS 2
#define INT8_SUMS 2
#define INT8_CHANNELS 8
#define INT8_SIGNED 0

typedef int8_t int8_code;
typedef vi vq;
typedef int16_t vs __attribute__((vector_size(16)));

typedef struct vw
{
	vs even, odd;
} vw;
typedef vw vx;

/* Bytes 0 and 2 of each lane, and 1 and 3, in 16 bits. */
static inline vw
q_weights(const uint8_t *from)
{
	vu w;

	memcpy(&w, from, sizeof w);
	return (vw){(vs) (w & 0x00FF00FF), (vs) (w >> 8 & 0x00FF00FF)};
}

static inline vx
q_row(const int8_code *x)
{
	uint32_t even = (uint16_t) x[0] | (uint32_t) (uint16_t) x[2] << 16;
	uint32_t odd = (uint16_t) x[1] | (uint32_t) (uint16_t) x[3] << 16;

	return (vx){(vs) (vu){even, even, even, even}, (vs) (vu){odd, odd, odd, odd}};
}

static inline vq
q_step(vq sum, vw w, vx x)
{
	vi even = (vi) (w.even * x.even);
	vi odd = (vi) (w.odd * x.odd);

	return sum + (((vi) ((vu) even << 16) >> 16) + (even >> 16)) + (((vi) ((vu) odd << 16) >> 16) + (odd >> 16));
}

static inline vi
q_channels(const vq *sums)
{
	return sums[0];
}

static inline void
q_store(int8_code *to, vi code)
{
	for (size_t i = 0; i < VW; i++)
		to[i] = (int8_code) code[i];
}

#endif
