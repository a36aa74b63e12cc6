/* Blocks of GGUF to float32, and to the groups of an image. */
#include "format/gguf_blocks.h"

#include "core/half.h"

#define SMALL 32
#define LARGE 256

static float
half_at(const uint8_t *bytes)
{
	return mg_half_to_float((uint16_t) (bytes[0] | bytes[1] << 8));
}

static uint32_t
word_at(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t) bytes[1] << 8 | (uint32_t) bytes[2] << 16 | (uint32_t) bytes[3] << 24;
}

/* Codes of 4 bits: the low halves of 16 bytes are the first 16. */
static void
split_nibbles(const uint8_t *bytes, uint8_t codes[SMALL])
{
	for (size_t i = 0; i < SMALL / 2; i++)
	{
		codes[i] = bytes[i] & 15;
		codes[i + SMALL / 2] = bytes[i] >> 4;
	}
}

/* The same with a fifth bit of each, in a word before them. */
static void
split_fives(const uint8_t *bytes, uint8_t codes[SMALL])
{
	uint32_t high = word_at(bytes);

	split_nibbles(bytes + 4, codes);
	for (size_t i = 0; i < SMALL; i++)
		codes[i] |= (uint8_t) ((high >> i & 1) << 4);
}

static void
widen_q4_0(const uint8_t *block, float *numbers)
{
	uint8_t codes[SMALL];
	float d = half_at(block);

	split_nibbles(block + 2, codes);
	for (size_t i = 0; i < SMALL; i++)
		numbers[i] = (float) (codes[i] - 8) * d;
}

static void
widen_q4_1(const uint8_t *block, float *numbers)
{
	uint8_t codes[SMALL];
	float d = half_at(block), m = half_at(block + 2);

	split_nibbles(block + 4, codes);
	for (size_t i = 0; i < SMALL; i++)
		numbers[i] = (float) codes[i] * d + m;
}

static void
widen_q5_0(const uint8_t *block, float *numbers)
{
	uint8_t codes[SMALL];
	float d = half_at(block);

	split_fives(block + 2, codes);
	for (size_t i = 0; i < SMALL; i++)
		numbers[i] = (float) (codes[i] - 16) * d;
}

static void
widen_q5_1(const uint8_t *block, float *numbers)
{
	uint8_t codes[SMALL];
	float d = half_at(block), m = half_at(block + 2);

	split_fives(block + 4, codes);
	for (size_t i = 0; i < SMALL; i++)
		numbers[i] = (float) codes[i] * d + m;
}

static void
widen_q8_0(const uint8_t *block, float *numbers)
{
	float d = half_at(block);

	for (size_t i = 0; i < SMALL; i++)
		numbers[i] = (float) (int8_t) block[2 + i] * d;
}

static void
widen_iq4_nl(const uint8_t *block, float *numbers)
{
	static const int8_t values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
	uint8_t codes[SMALL];
	float d = half_at(block);

	split_nibbles(block + 2, codes);
	for (size_t i = 0; i < SMALL; i++)
		numbers[i] = d * (float) values[codes[i]];
}

/* 16 bytes of scale and minimum, 64 of codes of 2 bits, d, dmin. Bits 2 j of 32 bytes are the j-th 32 elements of a half. */
static void
widen_q2_k(const uint8_t *block, float *numbers)
{
	const uint8_t *codes = block + 16;
	float d = half_at(block + 80), least = half_at(block + 82);

	for (size_t i = 0; i < LARGE; i++)
	{
		size_t half = i / 128, j = i % 128 / 32, at = i % 32;
		uint8_t scale = block[i / 16];

		numbers[i] = d * (float) (scale & 15) * (float) (codes[half * 32 + at] >> (2 * j) & 3) - least * (float) (scale >> 4);
	}
}

/* 32 bytes of third bits, 64 of codes of 2 bits, 12 of scales of 6 bits, d. */
static void
widen_q3_k(const uint8_t *block, float *numbers)
{
	const uint8_t *codes = block + 32, *packed = block + 96;
	float d = half_at(block + 108);

	for (size_t i = 0; i < LARGE; i++)
	{
		size_t half = i / 128, j = i % 128 / 32, at = i % 32, part = i / 16;
		int low = part < 8 ? packed[part] & 15 : packed[part - 8] >> 4;
		int scale = (low | (packed[8 + part % 4] >> (2 * (part / 4)) & 3) << 4) - 32;
		int code = (codes[half * 32 + at] >> (2 * j) & 3) - ((block[at] >> (4 * half + j) & 1) != 0 ? 0 : 4);

		numbers[i] = d * (float) scale * (float) code;
	}
}

/* Scale and minimum of part j of 8, each of 6 bits, in 12 bytes. */
static void
scale_and_least(const uint8_t *packed, size_t j, uint8_t *scale, uint8_t *least)
{
	if (j < 4)
	{
		*scale = packed[j] & 63;
		*least = packed[j + 4] & 63;
		return;
	}
	*scale = (uint8_t) ((packed[j + 4] & 15) | packed[j - 4] >> 6 << 4);
	*least = (uint8_t) (packed[j + 4] >> 4 | packed[j] >> 6 << 4);
}

/* d, dmin, 12 bytes of scales, 128 of codes: the halves of 32 bytes are two parts of 32. high: fifth bits [32], or NULL. */
static void
widen_parts(const uint8_t *block, const uint8_t *high, const uint8_t *codes, float *numbers)
{
	float d = half_at(block), dmin = half_at(block + 2);

	for (size_t part = 0; part < 8; part++)
	{
		uint8_t scale, least;

		scale_and_least(block + 4, part, &scale, &least);
		for (size_t i = 0; i < 32; i++)
		{
			int code = codes[part / 2 * 32 + i] >> (4 * (part % 2)) & 15;

			if (high != NULL)
				code |= (high[i] >> part & 1) << 4;
			numbers[part * 32 + i] = d * (float) scale * (float) code - dmin * (float) least;
		}
	}
}

static void
widen_q4_k(const uint8_t *block, float *numbers)
{
	widen_parts(block, NULL, block + 16, numbers);
}

static void
widen_q5_k(const uint8_t *block, float *numbers)
{
	widen_parts(block, block + 16, block + 48, numbers);
}

/* 128 bytes of low halves, 64 of two high bits, 16 scales of 8 bits, d. */
static void
widen_q6_k(const uint8_t *block, float *numbers)
{
	float d = half_at(block + 208);

	for (size_t i = 0; i < LARGE; i++)
	{
		size_t half = i / 128, j = i % 128 / 32, at = i % 32;
		int low = block[half * 64 + j % 2 * 32 + at] >> (4 * (j / 2)) & 15;
		int high = block[128 + half * 32 + at] >> (2 * j) & 3;

		numbers[i] = d * (float) (int8_t) block[192 + i / 16] * (float) ((low | high << 4) - 32);
	}
}

static const MgBlockType types[] = {
	{"F32", 0, 1, 4, true, MG_F32, NULL},
	{"F16", 1, 1, 2, true, MG_F16, NULL},
	{"BF16", 30, 1, 2, true, MG_BF16, NULL},
	{"Q4_0", 2, SMALL, 18, true, MG_Q4G, widen_q4_0},
	{"Q4_1", 3, SMALL, 20, true, MG_Q4G, widen_q4_1},
	{"Q5_0", 6, SMALL, 22, true, MG_Q8G, widen_q5_0},
	{"Q5_1", 7, SMALL, 24, true, MG_Q8G, widen_q5_1},
	{"Q8_0", 8, SMALL, 34, true, MG_Q8G, widen_q8_0},
	{"IQ4_NL", 20, SMALL, 18, true, MG_Q8G, widen_iq4_nl},
	{"Q2_K", 10, LARGE, 84, true, MG_Q8G, widen_q2_k},
	{"Q3_K", 11, LARGE, 110, true, MG_Q8G, widen_q3_k},
	{"Q4_K", 12, LARGE, 144, true, MG_Q8G, widen_q4_k},
	{"Q5_K", 13, LARGE, 176, true, MG_Q8G, widen_q5_k},
	{"Q6_K", 14, LARGE, 210, true, MG_Q8G, widen_q6_k},
	{"F64", 28, 1, 8, false, MG_F32, NULL},
	{"I8", 24, 1, 1, false, MG_F32, NULL},
	{"I16", 25, 1, 2, false, MG_F32, NULL},
	{"I32", 26, 1, 4, false, MG_F32, NULL},
	{"I64", 27, 1, 8, false, MG_F32, NULL},
	{"IQ2_XXS", 16, LARGE, 66, false, MG_F32, NULL},
	{"IQ2_XS", 17, LARGE, 74, false, MG_F32, NULL},
	{"IQ3_XXS", 18, LARGE, 98, false, MG_F32, NULL},
	{"IQ1_S", 19, LARGE, 50, false, MG_F32, NULL},
	{"IQ3_S", 21, LARGE, 110, false, MG_F32, NULL},
	{"IQ2_S", 22, LARGE, 82, false, MG_F32, NULL},
	{"IQ4_XS", 23, LARGE, 136, false, MG_F32, NULL},
	{"IQ1_M", 29, LARGE, 56, false, MG_F32, NULL},
	{"TQ1_0", 34, LARGE, 54, false, MG_F32, NULL},
	{"TQ2_0", 35, LARGE, 66, false, MG_F32, NULL},
	{"MXFP4", 39, SMALL, 17, false, MG_F32, NULL},
};

const MgBlockType *
mg_block_type(uint32_t number)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].number == number)
			return &types[i];
	return NULL;
}

void
mg_blocks_widen(const MgBlockType *type, const uint8_t *blocks, size_t n, float *numbers)
{
	for (size_t i = 0; i < n; i += type->elements, blocks += type->size)
		type->widen(blocks, numbers + i);
}

/* d q + m with m = -offset d, which is exact: offset is a power of two. */
static void
put_scales(const uint8_t *d, float offset, uint8_t *group)
{
	uint16_t least = mg_half_of_float(-offset * half_at(d));

	memcpy(group, d, 2);
	memcpy(group + 2, &least, 2);
}

/* Of small blocks whose codes are in a group as they are, but for a sign. */
static void
group_block(const MgBlockType *type, const uint8_t *block, uint8_t *group)
{
	switch (type->number)
	{
		case 2: /* Q4_0 */
			put_scales(block, 8.0f, group);
			memcpy(group + 4, block + 2, SMALL / 2);
			return;
		case 3: /* Q4_1 */
			memcpy(group, block, type->size);
			return;
		case 6: /* Q5_0 */
			put_scales(block, 16.0f, group);
			split_fives(block + 2, group + 4);
			return;
		case 7: /* Q5_1 */
			memcpy(group, block, 4);
			split_fives(block + 4, group + 4);
			return;
		default: /* Q8_0 */
			put_scales(block, 128.0f, group);
			for (size_t i = 0; i < SMALL; i++)
				group[4 + i] = block[2 + i] ^ 0x80;
	}
}

bool
mg_blocks_group(const MgBlockType *type, const uint8_t *blocks, size_t n, MgDtype dtype, uint8_t *groups)
{
	if (type->elements != SMALL || type->widen == widen_iq4_nl || type->dtype != dtype)
		return false;
	for (size_t i = 0; i < n / SMALL; i++)
		group_block(type, blocks + i * type->size, groups + i * mg_group_size(dtype));
	return true;
}
