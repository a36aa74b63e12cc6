/*
 * Merging. Nearly all words are short, and for these the best pair is looked
 * for again after each merge; a long one has a heap of all pairs, in which
 * those that a merge has overtaken are left out when they come up.
 */
#include "text/bpe.h"

#include <stdio.h>

#include "text/byte_level.h"
#include "text/utf8.h"
#include "text/wordpiece.h"

/* Symbols up to which the best pair is looked for again and again. */
#define SHORT_WORD 48

/* Bytes of a token that a whole word is looked for as. */
#define LONGEST_NAME 512

#define NO_RANK UINT32_MAX

typedef struct Merge
{
	uint32_t rank; /* NO_RANK: there is none */
	int32_t id;
} Merge;

/* A token while a word is merged. */
typedef struct Symbol
{
	int32_t id;
	uint32_t start, stop; /* bytes of the word; both equal in one that was merged into its left neighbour */
	uint32_t previous, next; /* of a long word; NONE at its ends */
} Symbol;

#define NONE UINT32_MAX

typedef struct Pair
{
	Merge merge;
	uint32_t at; /* the left symbol */
} Pair;

typedef struct MgBpeScratch
{
	Symbol *symbols;
	Pair *heap; /* [3 * room] each merge adds two pairs */
	size_t room;
} MgBpeScratch;

static inline size_t
slot_of(uint32_t left, uint32_t right, unsigned bits)
{
	uint64_t hash = (((uint64_t) left << 32 | right) ^ UINT64_C(0x6C62272E07BB0142)) * UINT64_C(0x9E3779B97F4A7C15);

	hash = (hash ^ hash >> 29) * UINT64_C(0xBF58476D1CE4E5B9);
	return (size_t) (hash >> (64 - bits));
}

bool
mg_bpe_build(MgCtx *cx, const MgMerge *merges, size_t n, MgSpan *slots, uint32_t *merge_bits, uint32_t *max_probe)
{
	uint32_t bits = 4, longest = 1;
	uint8_t *bytes;

	while (((size_t) 1 << bits) < 2 * n)
		bits++;
	if (bits > MG_MAX_MERGE_BITS)
		return mg_fail(cx, MG_TOO_LARGE, "tokenizer has too many merges: %zu", n);
	bytes = mg_alloc_zeroed(cx, (size_t) 1 << bits, MG_MERGE_SLOT);
	if (bytes == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		uint32_t slot[4] = {merges[i].left, merges[i].right, merges[i].rank + 1, merges[i].id};
		size_t at = slot_of(slot[0], slot[1], bits);
		uint32_t steps = 1;

		if (i % 4096 == 0 && !mg_poll(cx))
			return false;
		for (; mg_load_u32(bytes + MG_MERGE_SLOT * at + 8) != 0; steps++, at = (at + 1) & (((size_t) 1 << bits) - 1))
			if (memcmp(bytes + MG_MERGE_SLOT * at, slot, 8) == 0)
				break;
			else if (steps == MG_PROBE_LIMIT)
				return mg_fail(cx, MG_TOO_LARGE, "merges of the tokenizer cannot be hashed");
		memcpy(bytes + MG_MERGE_SLOT * at, slot, sizeof slot);
		longest = steps > longest ? steps : longest;
	}
	*slots = mg_span(bytes, ((size_t) 1 << bits) * MG_MERGE_SLOT);
	*merge_bits = bits;
	*max_probe = longest;
	return true;
}

bool
mg_bpe_check(MgCtx *cx, uint32_t merge_bits, uint32_t max_probe, size_t n_tokens, MgSpan slots)
{
	if (merge_bits == 0 || merge_bits > MG_MAX_MERGE_BITS || max_probe > MG_PROBE_LIMIT ||
		slots.size != (UINT64_C(1) << merge_bits) * MG_MERGE_SLOT)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has 2^%u merges, searched in %u steps", merge_bits, max_probe);
	for (size_t at = 0; at < slots.size; at += MG_MERGE_SLOT)
	{
		if (at % (65536 * MG_MERGE_SLOT) == 0 && !mg_poll(cx))
			return false;
		if (mg_load_u32(slots.data + at + 12) >= n_tokens)
			return mg_fail(cx, MG_BAD_FILE, "tokenizer section has a merge to token %u of %zu",
						   mg_load_u32(slots.data + at + 12), n_tokens);
	}
	return true;
}

bool
mg_bpe_bind(MgCtx *cx, MgTokenizer *tokenizer)
{
	bool named = tokenizer->steps && (tokenizer->kind != MG_BPE || tokenizer->bpe.characters);

	(void) cx;
	for (int byte = 0; byte < 256; byte++)
	{
		uint8_t utf8[MG_UTF8_MAX];
		char text[8];
		MgSpan name = mg_span(utf8, mg_utf8_put(mg_byte_char((uint8_t) byte), utf8));
		int32_t id;

		if (named)
		{
			snprintf(text, sizeof text, "<0x%02X>", byte);
			name = mg_span_of(text);
		}
		id = mg_vocab_find(&tokenizer->vocab, mg_hash_span(MG_HASH_START, name), mg_span("", 0), name);
		tokenizer->bpe.names[byte][0] = (uint8_t) mg_utf8_put(mg_byte_char((uint8_t) byte), tokenizer->bpe.names[byte] + 1);
		tokenizer->bpe.bytes[byte] = id >= 0 && (tokenizer->vocab.flags[id] & MG_TOKEN_OUTSIDE) ? -1 : id;
	}
	return true;
}

/* What joins two tokens; a word of a text's data becomes no special token. */
static Merge
merge_of(const MgTokenizer *tokenizer, int32_t left, int32_t right, uint8_t excluded)
{
	const MgBpe *bpe = &tokenizer->bpe;
	size_t mask = ((size_t) 1 << bpe->merge_bits) - 1, at = slot_of((uint32_t) left, (uint32_t) right, bpe->merge_bits);

	for (uint32_t step = 0; step < bpe->max_probe; step++, at = (at + 1) & mask)
	{
		const uint8_t *slot = bpe->merges + MG_MERGE_SLOT * at;
		uint32_t rank = mg_load_u32(slot + 8);

		if (rank == 0)
			break;
		if (mg_load_u32(slot) != (uint32_t) left || mg_load_u32(slot + 4) != (uint32_t) right)
			continue;
		if (tokenizer->vocab.flags[mg_load_u32(slot + 12)] & excluded)
			break;
		return (Merge){rank - 1, (int32_t) mg_load_u32(slot + 12)};
	}
	return (Merge){NO_RANK, -1};
}

/* Writes the tokens of a character's bytes; 0 when one of them has none. */
static size_t
fall_back(const MgTokenizer *tokenizer, const MgWord *word, uint32_t from, uint32_t to, Symbol *symbols)
{
	for (uint32_t i = from; i < to; i++)
		if (!tokenizer->byte_fallback || tokenizer->bpe.bytes[word->bytes[i]] < 0)
			return 0;
	for (uint32_t i = from; i < to; i++)
		symbols[i - from] = (Symbol){.id = tokenizer->bpe.bytes[word->bytes[i]], .start = i, .stop = i + 1};
	return to - from;
}

/* The tokens of the characters. */
static size_t
first_characters(const MgTokenizer *tokenizer, const MgWord *word, uint8_t excluded, Symbol *symbols)
{
	const MgVocab *vocab = &tokenizer->vocab;
	MgSpan bytes = mg_span(word->bytes, word->size), none = mg_span("", 0);
	size_t n = 0, at = 0;
	bool was_unknown = false;

	while (at < word->size)
	{
		size_t from = at, fallen = 0;
		bool is_unknown;
		MgSpan one;
		int32_t id;

		mg_utf8_next(bytes, &at);
		one = mg_span(bytes.data + from, at - from);
		id = mg_vocab_find(vocab, mg_hash_span(MG_HASH_START, one), none, one);
		is_unknown = id < 0 || (vocab->flags[id] & excluded) != 0;
		if (is_unknown)
		{
			fallen = fall_back(tokenizer, word, (uint32_t) from, (uint32_t) at, symbols + n);
			n += fallen;
			is_unknown = fallen == 0;
			id = fallen == 0 ? tokenizer->special.unknown : -1;
		}
		if (is_unknown && was_unknown && tokenizer->bpe.fuse_unknown && id >= 0)
			symbols[n - 1].stop = (uint32_t) at;
		else if (id >= 0)
			symbols[n++] = (Symbol){.id = id, .start = (uint32_t) from, .stop = (uint32_t) at};
		was_unknown = is_unknown && id >= 0;
	}
	return n;
}

/* The tokens of the bytes; a byte without one is the unknown token, or nothing. */
static size_t
first_symbols(const MgTokenizer *tokenizer, const MgWord *word, Symbol *symbols)
{
	size_t n = 0;
	bool was_unknown = false;

	for (uint32_t i = 0; i < word->size; i++)
	{
		int32_t id = tokenizer->bpe.bytes[word->bytes[i]];
		bool is_unknown = id < 0;

		if (is_unknown)
			id = tokenizer->special.unknown;
		if (is_unknown && was_unknown && tokenizer->bpe.fuse_unknown)
			symbols[n - 1].stop = i + 1;
		else if (id >= 0)
			symbols[n++] = (Symbol){.id = id, .start = i, .stop = i + 1};
		was_unknown = is_unknown && id >= 0;
	}
	return n;
}

static size_t
merge_short(const MgTokenizer *tokenizer, Symbol *symbols, size_t n, uint8_t excluded)
{
	Merge merges[SHORT_WORD];

	for (size_t i = 0; i + 1 < n; i++)
		merges[i] = merge_of(tokenizer, symbols[i].id, symbols[i + 1].id, excluded);
	while (n > 1)
	{
		size_t best = 0;

		for (size_t i = 1; i + 1 < n; i++)
			if (merges[i].rank < merges[best].rank)
				best = i;
		if (merges[best].rank == NO_RANK)
			break;
		symbols[best].id = merges[best].id;
		symbols[best].stop = symbols[best + 1].stop;
		n--;
		memmove(symbols + best + 1, symbols + best + 2, (n - best - 1) * sizeof *symbols);
		memmove(merges + best, merges + best + 1, (n - best - 1) * sizeof *merges);
		if (best > 0)
			merges[best - 1] = merge_of(tokenizer, symbols[best - 1].id, symbols[best].id, excluded);
		if (best + 1 < n)
			merges[best] = merge_of(tokenizer, symbols[best].id, symbols[best + 1].id, excluded);
	}
	return n;
}

static bool
comes_before(const Pair *a, const Pair *b)
{
	return a->merge.rank != b->merge.rank ? a->merge.rank < b->merge.rank : a->at < b->at;
}

static void
push_pair(Pair *heap, size_t *n, Pair pair)
{
	size_t at = (*n)++;

	while (at > 0 && comes_before(&pair, &heap[(at - 1) / 2]))
	{
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = pair;
}

static Pair
pop_pair(Pair *heap, size_t *n)
{
	Pair top = heap[0], last = heap[--*n];
	size_t at = 0;

	for (size_t child = 1; child < *n; child = 2 * at + 1)
	{
		if (child + 1 < *n && comes_before(&heap[child + 1], &heap[child]))
			child++;
		if (!comes_before(&heap[child], &last))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = last;
	return top;
}

static void
offer_pair(const MgTokenizer *tokenizer, const MgBpeScratch *scratch, size_t *n, uint32_t at, uint8_t excluded)
{
	const Symbol *left = &scratch->symbols[at];
	Merge merge;

	if (left->next == NONE)
		return;
	merge = merge_of(tokenizer, left->id, scratch->symbols[left->next].id, excluded);
	if (merge.rank != NO_RANK)
		push_pair(scratch->heap, n, (Pair){merge, at});
}

static bool
merge_long(MgCtx *cx, MgPieces *pieces, size_t *n_symbols, uint8_t excluded)
{
	const MgTokenizer *tokenizer = pieces->tokenizer;
	const MgBpeScratch *scratch = pieces->bpe;
	Symbol *symbols = scratch->symbols;
	size_t n = 0, kept = 0;

	for (uint32_t i = 0; i < *n_symbols; i++)
	{
		symbols[i].previous = i > 0 ? i - 1 : NONE;
		symbols[i].next = i + 1 < *n_symbols ? i + 1 : NONE;
	}
	for (uint32_t i = 0; i < *n_symbols; i++)
	{
		if (!mg_pace(cx, pieces->pace, 4))
			return false;
		offer_pair(tokenizer, scratch, &n, i, excluded);
	}
	while (n > 0)
	{
		Pair pair = pop_pair(scratch->heap, &n);
		Symbol *left = &symbols[pair.at], *right;
		Merge now;

		if (!mg_pace(cx, pieces->pace, 16))
			return false;
		if (left->start == left->stop || left->next == NONE)
			continue;
		right = &symbols[left->next];
		now = merge_of(tokenizer, left->id, right->id, excluded);
		if (now.rank == NO_RANK || now.id != pair.merge.id)
			continue;
		left->id = now.id;
		left->stop = right->stop;
		left->next = right->next;
		right->start = right->stop;
		if (left->next != NONE)
			symbols[left->next].previous = pair.at;
		if (left->previous != NONE)
			offer_pair(tokenizer, scratch, &n, left->previous, excluded);
		offer_pair(tokenizer, scratch, &n, pair.at, excluded);
	}
	for (size_t i = 0; i < *n_symbols; i++)
		if (symbols[i].start < symbols[i].stop)
			symbols[kept++] = symbols[i];
	*n_symbols = kept;
	return true;
}

/* Room for the symbols of a long word. */
static bool
make_room(MgCtx *cx, MgPieces *pieces, size_t size)
{
	MgBpeScratch *scratch = pieces->bpe;

	if (scratch == NULL)
	{
		scratch = pieces->bpe = mg_alloc_zeroed(cx, 1, sizeof *scratch);
		if (scratch == NULL)
			return false;
	}
	if (size <= scratch->room)
		return true;
	scratch->room = 0;
	scratch->symbols = mg_alloc_array(cx, 2 * size, sizeof *scratch->symbols);
	scratch->heap = mg_alloc_array(cx, 2 * size, 3 * sizeof *scratch->heap);
	if (scratch->symbols == NULL || scratch->heap == NULL)
		return false;
	scratch->room = 2 * size;
	return true;
}

/* A token of part of a character has the place of all of it. */
static bool
push(MgCtx *cx, const MgPieces *pieces, const MgWord *word, const Symbol *symbol)
{
	MgSpan bytes = mg_span(word->bytes, word->size);
	size_t from = symbol->start, to = symbol->stop;

	while (from > 0 && mg_utf8_continues(bytes.data[from]))
		from--;
	while (!mg_utf8_boundary(bytes, to))
		to++;
	if (word->starts == NULL)
		return mg_token_list_push(cx, pieces->list, symbol->id, word->first + (uint32_t) from, word->first + (uint32_t) to);
	return mg_token_list_push(cx, pieces->list, symbol->id, word->starts[from], word->stops[to - 1]);
}

/* The token that a whole word is, as merging would find it or instead of merging; -1 when there is none. */
static int32_t
find_whole(const MgPieces *pieces, const MgWord *word, uint8_t excluded)
{
	const MgVocab *vocab = &pieces->tokenizer->vocab;
	const MgBpe *bpe = &pieces->tokenizer->bpe;
	uint8_t spelled[2 * LONGEST_NAME];
	MgSpan name = mg_span(word->bytes, word->size);
	int32_t id;

	if (word->size > LONGEST_NAME || word->size > vocab->longest)
		return -1;
	if (!bpe->characters)
	{
		size_t size = 0;

		for (size_t i = 0; i < word->size; i++)
		{
			const uint8_t *its = bpe->names[word->bytes[i]];

			memcpy(spelled + size, its + 1, 2);
			size += its[0];
		}
		name = mg_span(spelled, size);
	}
	id = mg_vocab_find(vocab, mg_hash_span(MG_HASH_START, name), mg_span("", 0), name);
	if (id < 0 || (vocab->flags[id] & excluded) != 0 || !(bpe->whole_words || (vocab->flags[id] & MG_TOKEN_WHOLE)))
		return -1;
	return id;
}

bool
mg_bpe(MgCtx *cx, MgPieces *pieces, const MgWord *word)
{
	const MgTokenizer *tokenizer = pieces->tokenizer;
	uint8_t excluded = mg_excluded_flags(pieces, word);
	Symbol few[SHORT_WORD], *symbols = few;
	int32_t whole;
	size_t n;

	if (!mg_pace(cx, pieces->pace, 8 * word->size))
		return false;
	whole = find_whole(pieces, word, excluded);
	if (whole >= 0)
		return push(cx, pieces, word, &(Symbol){.id = whole, .start = 0, .stop = (uint32_t) word->size});
	if (word->size > SHORT_WORD)
	{
		if (!make_room(cx, pieces, word->size))
			return false;
		symbols = pieces->bpe->symbols;
	}
	n = tokenizer->bpe.characters ? first_characters(tokenizer, word, excluded, symbols) : first_symbols(tokenizer, word, symbols);
	if (word->size > SHORT_WORD)
	{
		if (!merge_long(cx, pieces, &n, excluded))
			return false;
	}
	else
		n = merge_short(tokenizer, symbols, n, excluded);
	for (size_t i = 0; i < n; i++)
		if (!push(cx, pieces, word, &symbols[i]))
			return false;
	return true;
}

/* Whether a word may begin at, where nothing is merged with what is before it. */
static bool
begins_word(const MgBpe *bpe, const MgWord *text, size_t at)
{
	const uint8_t *b = text->bytes + at;

	return text->size - at >= 3 && b[0] == 0xE2 && b[1] == 0x96 && b[2] == 0x81 &&
		!(at >= 3 && b[-3] == 0xE2 && b[-2] == 0x96 && b[-1] == 0x81) &&
		(bpe->cuts || (bpe->joins != NULL && !(bpe->joins[b[-1] >> 3] >> (b[-1] & 7) & 1)));
}

bool
mg_bpe_text(MgCtx *cx, MgPieces *pieces, const MgWord *text)
{
	MgSpan bytes = mg_span(text->bytes, text->size);
	for (size_t from = 0; from < text->size;)
	{
		size_t to = from + 1, most = text->size - from < MG_LONGEST_WORD ? text->size - from : MG_LONGEST_WORD;
		MgWord word = *text;

		while (to < from + most && !begins_word(&pieces->tokenizer->bpe, text, to))
			to++;
		while (!mg_utf8_boundary(bytes, to))
			to--;
		word.bytes += from;
		word.size = to - from;
		word.first += (uint32_t) from;
		if (word.starts != NULL)
		{
			word.starts += from;
			word.stops += from;
		}
		if (!mg_bpe(cx, pieces, &word))
			return false;
		from = to;
	}
	return true;
}
