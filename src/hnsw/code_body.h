/*
 * The kernels of code_kernels.c that are written once for all instruction
 * sets, over registers of eight floats. Included once for each, with
 *   NAME(word)  the word with the level's suffix
 *   BYTE_SUM    that kernel of the level, or NULL
 *   TARGET      the attribute that a function of the level has, or nothing
 */

/* The sum of and-ed bits in the four planes, weighted; whole words, then what is left, read as the last 64 bits. */
TARGET static void
NAME(sign_sums)(const uint64_t *planes, uint32_t bits, const uint8_t *signs, size_t stride, size_t n, int32_t *sums)
{
	size_t whole = bits / 64, words = (bits + 63) / 64;
	uint32_t surplus = (uint32_t) (words * 64 - bits);

	for (size_t link = 0; link < n; link++, signs += stride)
	{
		int64_t ones = 0, twos = 0, fours = 0, eights = 0;
		uint64_t word;

		for (size_t w = 0; w < whole; w++)
		{
			memcpy(&word, signs + w * 8, sizeof word);
			ones += __builtin_popcountll(word & planes[w]);
			twos += __builtin_popcountll(word & planes[words + w]);
			fours += __builtin_popcountll(word & planes[2 * words + w]);
			eights += __builtin_popcountll(word & planes[3 * words + w]);
		}
		if (surplus > 0)
		{
			memcpy(&word, signs + bits / 8 - 8, sizeof word);
			word >>= surplus;
			ones += __builtin_popcountll(word & planes[whole]);
			twos += __builtin_popcountll(word & planes[words + whole]);
			fours += __builtin_popcountll(word & planes[2 * words + whole]);
			eights += __builtin_popcountll(word & planes[3 * words + whole]);
		}
		sums[link] = (int32_t) (ones + 2 * twos + 4 * fours - 8 * eights);
	}
}

TARGET static uint32_t
NAME(different)(const uint8_t *a, const uint8_t *b, uint32_t bits)
{
	uint32_t n = 0, at = 0;
	uint64_t x, y;

	for (; at + 8 <= bits / 8; at += 8)
	{
		memcpy(&x, a + at, sizeof x);
		memcpy(&y, b + at, sizeof y);
		n += (uint32_t) __builtin_popcountll(x ^ y);
	}
	if (at < bits / 8)
	{
		memcpy(&x, a + bits / 8 - 8, sizeof x);
		memcpy(&y, b + bits / 8 - 8, sizeof y);
		n += (uint32_t) __builtin_popcountll((x ^ y) >> (64 - bits % 64));
	}
	return n;
}

TARGET static void
NAME(residual)(const float *centre, const float *neighbour, size_t n, size_t bits, uint8_t *signs, float sums[3])
{
	Eight squares = {0}, absolutes = {0}, centres = {0};

	for (size_t i = 0; i < n; i += 8)
	{
		Eight c, r;
		Mask negative;

		memcpy(&c, centre + i, sizeof c);
		memcpy(&r, neighbour + i, sizeof r);
		r -= c;
		squares += r * r;
		if (i >= bits)
			continue;
		negative = r < 0;
		absolutes += (Eight) ((Mask) r & 0x7FFFFFFF);
		centres += (Eight) ((Mask) c ^ (negative & (int32_t) 0x80000000));
		signs[i / 8] = NAME(negative_bits)(&negative) ^ 0xFF;
	}
	sums[0] = add_eight(&squares);
	sums[1] = add_eight(&absolutes);
	sums[2] = add_eight(&centres);
}

static const MgCodeKernels NAME(kernels) = {.sign_sums = NAME(sign_sums),
											.different = NAME(different),
											.nibble_sum = NAME(nibble_sum),
											.byte_sum = BYTE_SUM,
											.widen = NAME(widen),
											.residual = NAME(residual)};

#undef NAME
#undef TARGET
#undef BYTE_SUM
