/* The vocabulary's hash: filling, checking, searching. */
#include "text/vocab.h"

#include "text/utf8.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "sections are little-endian"
#endif

#define SLOT_SIZE 8

static inline size_t
slot_of(const MgVocab *vocab, uint64_t hash)
{
	return (size_t) (hash >> (64 - vocab->slot_bits));
}

/* Bits that the choice of the slot leaves, but not the lowest, which stir least. */
static inline uint32_t
tag_of(uint64_t hash)
{
	return (uint32_t) (hash >> 8);
}

unsigned
mg_vocab_slot_bits(size_t n_tokens)
{
	unsigned bits = 4;

	while (((size_t) 1 << bits) < 2 * n_tokens)
		bits++;
	return bits;
}

static bool
is_token(const MgVocab *vocab, size_t id, MgSpan head, MgSpan tail)
{
	MgSpan token = mg_vocab_token(vocab, id);

	return token.size == head.size + tail.size && memcmp(token.data, head.data, head.size) == 0 &&
		   memcmp(token.data + head.size, tail.data, tail.size) == 0;
}

/* Puts one token into its slot; steps that this took, 0 when it took too many. */
static uint32_t
enter(const MgVocab *vocab, uint8_t *slots, size_t id)
{
	MgSpan token = mg_vocab_token(vocab, id);
	uint64_t hash = mg_hash_span(MG_HASH_START, token);
	uint32_t entry[2] = {tag_of(hash), (uint32_t) id + 1};
	size_t mask = ((size_t) 1 << vocab->slot_bits) - 1;

	for (uint32_t step = 0; step < MG_PROBE_LIMIT; step++)
	{
		uint8_t *slot = slots + SLOT_SIZE * ((slot_of(vocab, hash) + step) & mask);
		uint32_t there = mg_load_u32(slot + 4);

		if (there == 0 || is_token(vocab, there - 1, mg_span("", 0), token))
		{
			memcpy(slot, entry, SLOT_SIZE);
			return step + 1;
		}
	}
	return 0;
}

bool
mg_vocab_fill(MgCtx *cx, MgVocab *vocab, uint8_t *slots)
{
	vocab->max_probe = 1;
	for (size_t id = 0; id < vocab->n_tokens; id++)
	{
		uint32_t steps;

		if (id % 4096 == 0 && !mg_poll(cx))
			return false;
		if (mg_vocab_token(vocab, id).size == 0)
			continue;
		steps = enter(vocab, slots, id);
		if (steps == 0)
		{
			mg_fail(cx, MG_UNSUPPORTED, "vocabulary cannot be hashed");
			return mg_detail(cx, "More than %d tokens fall into one place.", MG_PROBE_LIMIT);
		}
		if (steps > vocab->max_probe)
			vocab->max_probe = steps;
	}
	return true;
}

static bool
check_offsets(MgCtx *cx, MgVocab *vocab)
{
	uint32_t from = 0;

	vocab->longest = 0;
	for (size_t i = 0; i <= vocab->n_tokens; i++)
	{
		uint32_t to = mg_load_u32(vocab->offsets + 4 * i);

		if (to < from || (i == 0 && to != 0) || !mg_utf8_boundary(vocab->strings, to))
			return mg_fail(cx, MG_BAD_FILE, "offset of token %zu in tokenizer section is invalid", i);
		if (to - from > vocab->longest)
			vocab->longest = to - from;
		from = to;
	}
	return true;
}

bool
mg_vocab_check(MgCtx *cx, MgVocab *vocab)
{
	size_t n_slots = (size_t) 1 << vocab->slot_bits;
	uint32_t highest = 0;

	if (vocab->max_probe > MG_PROBE_LIMIT)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has searches of %u steps", vocab->max_probe);
	if (mg_utf8_check(vocab->strings) != vocab->strings.size)
		return mg_fail(cx, MG_BAD_FILE, "strings in tokenizer section are not valid UTF-8");
	if (!check_offsets(cx, vocab))
		return false;

	/* One maximum over all slots, without a branch in the loop: this is most of a bind's time. */
	for (size_t i = 0; i < n_slots; i++)
	{
		uint32_t id_plus_1 = mg_load_u32(vocab->slots + SLOT_SIZE * i + 4);

		highest = id_plus_1 > highest ? id_plus_1 : highest;
	}
	if (highest > vocab->n_tokens)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has token %u of %zu", highest - 1, vocab->n_tokens);
	return true;
}

int32_t
mg_vocab_find(const MgVocab *vocab, uint64_t hash, MgSpan head, MgSpan tail)
{
	size_t mask = ((size_t) 1 << vocab->slot_bits) - 1;
	size_t at = slot_of(vocab, hash);
	uint32_t tag = tag_of(hash);

	for (uint32_t step = 0; step < vocab->max_probe; step++)
	{
		const uint8_t *slot = vocab->slots + SLOT_SIZE * ((at + step) & mask);
		uint32_t id_plus_1 = mg_load_u32(slot + 4);

		if (id_plus_1 == 0)
			return -1;
		if (mg_load_u32(slot) == tag && is_token(vocab, id_plus_1 - 1, head, tail))
			return (int32_t) (id_plus_1 - 1);
	}
	return -1;
}
