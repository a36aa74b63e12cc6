/*
 * A spec laid out as a section (text/section.h). The strings come first, in
 * memory of their own, since the patterns of normalized added tokens are known
 * only after normalisation; then all sizes are known and the section is filled.
 */
#include "text/section.h"

#include <math.h>

#include "text/byte_level.h"
#include "text/scored_merges.h"
#include "text/steps.h"
#include "text/utf8.h"

/* Bytes of a token that a word may be known to be. */
#define LONGEST_WHOLE 128

/* Tokens between two polls. */
#define POLL_STEP 4096

/* The strings and the two lists of entries while they are gathered. */
typedef struct Gathered
{
	uint8_t *strings;
	size_t strings_size;
	size_t strings_room;
	uint8_t *raw, *normalized; /* entries */
	size_t n_raw, n_normalized;
} Gathered;

static bool
check_id(MgCtx *cx, const MgTokenizerSpec *spec, const char *what, int32_t id)
{
	if (id == -1)
		return true;
	if (id < 0 || (size_t) id >= spec->n_tokens || spec->tokens[id].size == 0)
		return mg_fail(cx, MG_BAD_FILE, "id %d of the %s token is not in the vocabulary", id, what);
	return true;
}

static bool
check_wordpiece(MgCtx *cx, const MgTokenizerSpec *spec)
{
	if (spec->unknown == -1)
		return mg_fail(cx, MG_BAD_FILE, "vocabulary has no token for unknown words");
	if (spec->max_word_chars == 0 || spec->max_word_chars > MG_MAX_WORD_CHARS)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer's longest word has %zu characters, must be 1 to %d",
					   spec->max_word_chars, MG_MAX_WORD_CHARS);
	if (spec->continuation.size > MG_MAX_CONTINUATION)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer's continuation has %zu bytes, more than %d",
					   spec->continuation.size, MG_MAX_CONTINUATION);
	if (mg_utf8_check(spec->continuation) != spec->continuation.size)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer's continuation is not valid UTF-8");
	return true;
}

static bool
check_scores(MgCtx *cx, const MgTokenizerSpec *spec)
{
	if (spec->kind == MG_UNIGRAM && spec->unknown == -1)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer model Unigram without an unknown token is not supported");
	for (size_t i = 0; spec->scores != NULL && i < spec->n_tokens; i++)
		if (!isfinite(spec->scores[i]))
			return mg_fail(cx, MG_BAD_FILE, "score of token %zu is not a finite number", i);
	return true;
}

static bool
check_facts(MgCtx *cx, const MgTokenizerSpec *spec)
{
	bool words = spec->kind == MG_WORDPIECE, steps = spec->pre == MG_PRE_STEPS && spec->decoder == MG_DECODE_STEPS;

	if (steps ? spec->normalizing.n > MG_STEPS_MAX || spec->cutting.n > MG_STEPS_MAX || spec->decoding.n > MG_STEPS_MAX : (!words && spec->kind != MG_BPE) || spec->pre != (words ? MG_PRE_BERT : MG_PRE_BYTES) ||
		spec->decoder != (words ? MG_DECODE_WORDPIECE : MG_DECODE_BYTES))
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer of kind %d with words of kind %d and decoder %d is not supported",
					   (int) spec->kind, (int) spec->pre, (int) spec->decoder);
	if (spec->n_tokens == 0)
		return mg_fail(cx, MG_BAD_FILE, "vocabulary is empty");
	if (spec->n_tokens > MG_VOCAB_LIMIT)
		return mg_fail(cx, MG_TOO_LARGE, "vocabulary has %zu tokens, more than %zu", spec->n_tokens, MG_VOCAB_LIMIT);
	if ((words && !check_wordpiece(cx, spec)) || !check_scores(cx, spec))
		return false;
	if (!mg_wrapping_is_valid(&spec->wrapping, spec->n_tokens))
		return mg_fail(cx, MG_BAD_FILE, "special tokens around a text are not in the vocabulary");
	return check_id(cx, spec, "unknown", spec->unknown) && check_id(cx, spec, "pad", spec->pad) &&
		   check_id(cx, spec, "mask", spec->mask);
}

/* Adds up the strings and counts the added tokens, and those of them that have a normalised form. */
static bool
measure(MgCtx *cx, const MgTokenizerSpec *spec, size_t *size, size_t *n_added, size_t *n_normalized)
{
	*size = *n_added = *n_normalized = 0;
	for (size_t id = 0; id < spec->n_tokens; id++)
	{
		MgSpan token = spec->tokens[id];

		if (id % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		if (token.size > UINT32_MAX || *size + token.size > UINT32_MAX / 2)
			return mg_fail(cx, MG_TOO_LARGE, "vocabulary has more than %u bytes", UINT32_MAX / 2);
		*size += token.size;
		if (mg_utf8_check(token) != token.size)
			return mg_fail(cx, MG_BAD_FILE, "token %zu is not valid UTF-8", id);
		if (!(spec->flags[id] & MG_TOKEN_ADDED))
			continue;
		if (token.size == 0 || token.size > MG_ADDED_LIMIT)
			return mg_fail(cx, token.size == 0 ? MG_BAD_FILE : MG_TOO_LARGE,
						   "added token %zu has %zu bytes, must have 1 to %zu", id, token.size, MG_ADDED_LIMIT);
		*n_added += 1;
		*n_normalized += (spec->flags[id] & MG_TOKEN_NORMALIZED) != 0;
	}
	return true;
}

static void
add_entry(uint8_t *entries, size_t *n, size_t id, size_t offset, size_t size)
{
	uint32_t entry[3] = {(uint32_t) id, (uint32_t) offset, (uint32_t) size};

	memcpy(entries + MG_ADDED_ENTRY * (*n)++, entry, sizeof entry);
}

static MgNormalRules
rules_of(const MgTokenizerSpec *spec)
{
	return (MgNormalRules){spec->clean_text, spec->chinese_chars, spec->strip_accents, spec->lowercase, spec->compose};
}

/* The same by steps. */
static bool
add_stepped(MgCtx *cx, const MgTokenizerSpec *spec, Gathered *gathered, size_t id)
{
	MgPlaced placed = {spec->tokens[id], NULL, NULL, 0};
	MgPace pace = {0};
	size_t offset = gathered->strings_size;

	for (size_t i = 0; i < spec->normalizing.n; i++)
		if (!mg_normalize_step(cx, &pace, &spec->normalizing.items[i], &placed))
			return false;
	if (placed.bytes.size > MG_ADDED_LIMIT - MG_UTF8_MAX)
		return mg_fail(cx, MG_TOO_LARGE, "added token %zu has more than %zu bytes after normalization", id, MG_ADDED_LIMIT - MG_UTF8_MAX);
	if (placed.bytes.size == 0)
		return true;
	memcpy(gathered->strings + offset, placed.bytes.data, placed.bytes.size);
	gathered->strings_size += placed.bytes.size;
	add_entry(gathered->normalized, &gathered->n_normalized, id, offset, placed.bytes.size);
	return true;
}

/* The normalised form of an added token; one that normalises to nothing is never found. */
static bool
add_normalized(MgCtx *cx, const MgTokenizerSpec *spec, Gathered *gathered, size_t id)
{
	MgNormalizer normalizer = {.chars = NULL};
	MgPace pace = {0};
	size_t offset = gathered->strings_size;

	if (spec->pre == MG_PRE_STEPS)
		return add_stepped(cx, spec, gathered, id);
	mg_normalizer_start(&normalizer, rules_of(spec), spec->tokens[id], 0, &pace);
	do
	{
		if (!mg_normalizer_next(cx, &normalizer))
			return false;
		for (size_t i = 0; i < normalizer.n; i++)
		{
			uint8_t *into = gathered->strings + gathered->strings_size;

			if (gathered->strings_room - gathered->strings_size < MG_UTF8_MAX ||
				gathered->strings_size - offset > MG_ADDED_LIMIT - MG_UTF8_MAX)
				return mg_fail(cx, MG_TOO_LARGE, "added token %zu has more than %zu bytes after normalization", id,
							   MG_ADDED_LIMIT - MG_UTF8_MAX);
			gathered->strings_size += mg_utf8_put(normalizer.chars[i].code, into);
		}
	} while (normalizer.n > 0);
	if (gathered->strings_size > offset)
		add_entry(gathered->normalized, &gathered->n_normalized, id, offset, gathered->strings_size - offset);
	return true;
}

static bool
gather(MgCtx *cx, const MgTokenizerSpec *spec, Gathered *gathered)
{
	size_t size, n_added, n_normalized, offset;

	if (!measure(cx, spec, &size, &n_added, &n_normalized))
		return false;
	if (n_normalized > (UINT32_MAX / 2 - size) / MG_ADDED_LIMIT)
		return mg_fail(cx, MG_TOO_LARGE, "vocabulary has too many added tokens: %zu", n_normalized);
	memset(gathered, 0, sizeof *gathered);
	gathered->strings_room = size + n_normalized * MG_ADDED_LIMIT;
	gathered->strings = mg_alloc(cx, gathered->strings_room);
	gathered->raw = mg_alloc_array(cx, n_added, MG_ADDED_ENTRY);
	gathered->normalized = mg_alloc_array(cx, n_normalized, MG_ADDED_ENTRY);
	if (gathered->strings == NULL || gathered->raw == NULL || gathered->normalized == NULL)
		return false;
	for (size_t id = 0; id < spec->n_tokens; id++)
	{
		if (id % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		if (spec->tokens[id].size > 0)
			memcpy(gathered->strings + gathered->strings_size, spec->tokens[id].data, spec->tokens[id].size);
		gathered->strings_size += spec->tokens[id].size;
	}
	offset = 0;
	for (size_t id = 0; id < spec->n_tokens; id++)
	{
		if (id % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		if ((spec->flags[id] & (MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED)) == MG_TOKEN_ADDED)
			add_entry(gathered->raw, &gathered->n_raw, id, offset, spec->tokens[id].size);
		else if ((spec->flags[id] & MG_TOKEN_ADDED) && !add_normalized(cx, spec, gathered, id))
			return false;
		offset += spec->tokens[id].size;
	}
	return true;
}

static uint32_t
rules_word(const MgTokenizerSpec *spec)
{
	return (spec->clean_text ? MG_RULE_CLEAN : 0u) | (spec->chinese_chars ? MG_RULE_CHINESE : 0u) |
		   (spec->strip_accents ? MG_RULE_STRIP : 0u) | (spec->lowercase ? MG_RULE_LOWER : 0u) |
		   (spec->compose ? MG_RULE_COMPOSE : 0u);
}

/* All facts that are no arrays. */
static void
fill_facts(const MgTokenizerSpec *spec, MgSectionFacts *facts)
{
	*facts = (MgSectionFacts){.vocab = {.n_tokens = (uint32_t) spec->n_tokens,
										.slot_bits = mg_vocab_slot_bits(spec->n_tokens),
										.unknown = spec->unknown,
										.pad = spec->pad,
										.mask = spec->mask},
							  .normalizer = {rules_word(spec)},
							  .words = {.kind = spec->pre},
							  .model = {.kind = spec->kind},
							  .decoder = {spec->decoder},
							  .wrapping = spec->wrapping};
	facts->options.byte_fallback = spec->byte_fallback;
	if (spec->kind == MG_BPE)
	{
		facts->options.characters = spec->characters;
		facts->words.pattern = spec->pattern;
		facts->words.leading_space = spec->leading_space;
		facts->model.whole_words = spec->whole_words;
		facts->model.fuse_unknown = spec->fuse_unknown;
		return;
	}
	facts->model.max_word_chars = (uint32_t) spec->max_word_chars;
	facts->model.continuation_size = (uint32_t) spec->continuation.size;
	if (spec->continuation.size > 0)
		memcpy(facts->model.continuation, spec->continuation.data, spec->continuation.size);
}

/* The vocabulary's arrays. */
static bool
fill_vocab(MgCtx *cx, const MgTokenizerSpec *spec, const Gathered *gathered, MgSectionFacts *facts)
{
	size_t n_slots = (size_t) 1 << facts->vocab.slot_bits;
	uint32_t *offsets = mg_alloc_array(cx, spec->n_tokens + 1, sizeof *offsets), offset = 0;
	uint8_t *slots = mg_alloc_zeroed(cx, n_slots, 8);
	MgVocab vocab;

	if (offsets == NULL || slots == NULL)
		return false;
	for (size_t id = 0; id <= spec->n_tokens; id++)
	{
		if (id % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		offsets[id] = offset;
		if (id < spec->n_tokens)
			offset += (uint32_t) spec->tokens[id].size;
	}
	facts->offsets = mg_span(offsets, (spec->n_tokens + 1) * sizeof *offsets);
	facts->slots = mg_span(slots, 8 * n_slots);
	facts->flags = mg_span(spec->flags, spec->n_tokens);
	facts->strings = mg_span(gathered->strings, gathered->strings_size);
	facts->raw = mg_span(gathered->raw, MG_ADDED_ENTRY * gathered->n_raw);
	facts->normalized = mg_span(gathered->normalized, MG_ADDED_ENTRY * gathered->n_normalized);
	vocab = (MgVocab){.n_tokens = spec->n_tokens,
					  .offsets = facts->offsets.data,
					  .slots = slots,
					  .flags = spec->flags,
					  .strings = facts->strings,
					  .slot_bits = facts->vocab.slot_bits};
	if (!mg_vocab_fill(cx, &vocab, slots))
		return false;
	facts->vocab.max_probe = vocab.max_probe;
	return true;
}

/* The last bytes of characters that a merge has before U+2581, whether there are any; none of it where the mark is no token itself. */
static bool
find_joins(MgCtx *cx, const MgTokenizerSpec *spec, const MgVocab *vocab, const MgMerge *merges, size_t n, MgSectionFacts *facts)
{
	MgSpan mark = mg_span_of("\xE2\x96\x81");
	uint8_t *joins = mg_alloc_zeroed(cx, MG_JOINS_SIZE, 1);

	if (joins == NULL)
		return false;
	if (!spec->characters || mg_vocab_find(vocab, mg_hash_span(MG_HASH_START, mark), mg_span("", 0), mark) < 0)
		return true;
	facts->options.cuts = true;
	for (size_t i = 0; i < n; i++)
	{
		MgSpan token = spec->tokens[merges[i].id];
		bool other = false;

		if (i % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		for (size_t at = 0; at < token.size;)
		{
			size_t from = at;
			bool is_mark = mg_utf8_next(token, &at) == 0x2581;

			if (is_mark && other)
			{
				joins[token.data[from - 1] >> 3] |= (uint8_t) (1u << (token.data[from - 1] & 7));
				facts->options.cuts = false;
			}
			other = !is_mark;
		}
	}
	facts->joins = mg_span(joins, MG_JOINS_SIZE);
	return true;
}

/* The merges by ids, as slots. */
static bool
fill_merges(MgCtx *cx, const MgTokenizerSpec *spec, MgSectionFacts *facts)
{
	MgVocab vocab = {.n_tokens = spec->n_tokens,
					 .offsets = facts->offsets.data,
					 .slots = facts->slots.data,
					 .strings = facts->strings,
					 .slot_bits = facts->vocab.slot_bits,
					 .max_probe = facts->vocab.max_probe};
	MgMerge *merges = mg_alloc_array(cx, spec->n_merges, sizeof *merges);
	MgSpan none = mg_span("", 0);
	size_t n = spec->n_merges;

	if (merges == NULL)
		return false;
	for (size_t i = 0; i < spec->n_merges; i++)
	{
		MgSpan left = spec->merges[i].left, right = spec->merges[i].right;
		uint64_t hash = mg_hash_span(MG_HASH_START, left);
		int32_t ids[3] = {mg_vocab_find(&vocab, hash, none, left),
						  mg_vocab_find(&vocab, mg_hash_span(MG_HASH_START, right), none, right),
						  mg_vocab_find(&vocab, mg_hash_span(hash, right), left, right)};

		if (i % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		if (ids[0] < 0 || ids[1] < 0 || ids[2] < 0)
			return mg_fail(cx, MG_BAD_FILE, "merge of \"%.*s\" and \"%.*s\" is not in the vocabulary", MG_SPAN_ARGS(left),
						   MG_SPAN_ARGS(right));
		merges[i] = (MgMerge){(uint32_t) ids[0], (uint32_t) ids[1], (uint32_t) ids[2], spec->merges[i].rank};
	}
	if (spec->scores != NULL && !mg_scored_merges(cx, spec, &vocab, &merges, &n))
		return false;
	return find_joins(cx, spec, &vocab, merges, n, facts) &&
		mg_bpe_build(cx, merges, n, &facts->merges, &facts->model.merge_bits, &facts->model.merge_probe);
}

/* Steps, and what Unigram wants. */
static bool
fill_steps(MgCtx *cx, const MgTokenizerSpec *spec, MgSectionFacts *facts)
{
	double least = INFINITY;

	if (!mg_steps_write(cx, &spec->normalizing, &facts->normalizing) || !mg_steps_write(cx, &spec->cutting, &facts->cutting) ||
		!mg_steps_write(cx, &spec->decoding, &facts->decoding))
		return false;
	if (spec->kind != MG_UNIGRAM)
		return true;
	for (size_t i = 0; i < spec->n_tokens; i++)
		if (!(spec->flags[i] & MG_TOKEN_OUTSIDE))
			least = spec->scores[i] < least ? spec->scores[i] : least;
	facts->options.unknown_score = least - 10;
	facts->scores = mg_span(spec->scores, spec->n_tokens * sizeof *spec->scores);
	return mg_unigram_prefixes(cx, spec->tokens, spec->n_tokens, &facts->prefixes, &facts->options.prefix_bits);
}

/* Whether a word of the token's letters becomes that token; as_data: in a value, where no special token is found. */
static bool
is_whole(MgCtx *cx, MgPieces *pieces, size_t id, bool as_data, bool *whole)
{
	MgSpan token = mg_vocab_token(&pieces->tokenizer->vocab, id);
	uint8_t bytes[LONGEST_WHOLE];
	MgWord word = {.bytes = bytes, .size = 0};

	pieces->list->tokens.n = 0;
	pieces->data = as_data ? MG_ALL_DATA : MG_NO_DATA;
	*whole = false;
	if (pieces->tokenizer->kind == MG_BPE && !pieces->tokenizer->bpe.characters)
		for (size_t at = 0; at < token.size; word.size++)
		{
			int byte = mg_char_byte(mg_utf8_next(token, &at));

			if (byte < 0)
				return true;
			bytes[word.size] = (uint8_t) byte;
		}
	else
		memcpy(bytes, token.data, word.size = token.size);
	if (!(pieces->tokenizer->kind == MG_BPE ? mg_bpe(cx, pieces, &word) : mg_unigram(cx, pieces, &word)))
		return false;
	*whole = pieces->list->tokens.n == 1 && pieces->list->tokens.ids[0] == (int32_t) id;
	return true;
}

/*
 * Most words of a text are a token each. Those that merging, or the best path, makes of their own letters are found out once, and looked up
 * from then on.
 */
static bool
mark_whole(MgCtx *cx, const MgSectionFacts *facts, MgSpan section)
{
	MgTokenizer *tokenizer = mg_alloc_zeroed(cx, 1, sizeof *tokenizer);
	uint8_t *flags = mg_alloc(cx, facts->vocab.n_tokens), *into;
	MgPace pace = {0};
	MgTokenList list = {0};
	MgPieces pieces = {.tokenizer = tokenizer, .list = &list, .pace = &pace};

	if (tokenizer == NULL || flags == NULL || !mg_section_bind(cx, section, tokenizer) || !mg_token_list_init(cx, &list, 1024))
		return false;
	/* The section is this function's caller's, and nobody else reads it yet. */
	into = (uint8_t *) tokenizer->vocab.flags;
	memcpy(flags, into, facts->vocab.n_tokens);
	for (size_t id = 0; id < facts->vocab.n_tokens; id++)
	{
		size_t size = mg_vocab_token(&tokenizer->vocab, id).size;
		bool whole = false;

		if (size == 0 || size > LONGEST_WHOLE || (flags[id] & (MG_TOKEN_OUTSIDE | MG_TOKEN_SPECIAL)) != 0)
			continue;
		if (!is_whole(cx, &pieces, id, false, &whole) || (whole && !is_whole(cx, &pieces, id, true, &whole)))
			return false;
		flags[id] |= whole ? MG_TOKEN_WHOLE : 0;
	}
	memcpy(into, flags, facts->vocab.n_tokens);
	return true;
}

bool
mg_tokenizer_build(MgCtx *cx, const MgTokenizerSpec *given, MgSpan *section)
{
	MgTokenizerSpec prepared = *given, *spec = &prepared;
	Gathered gathered;
	MgSectionFacts facts;
	MgSpan strings;

	if (!mg_steps_prepare(cx, &prepared.normalizing) || !mg_steps_prepare(cx, &prepared.cutting) || !check_facts(cx, spec) || !gather(cx, spec, &gathered))
		return false;
	strings = mg_span(gathered.strings, gathered.strings_size);
	if (!mg_added_tokens_sort(cx, strings, gathered.raw, &gathered.n_raw) ||
		!mg_added_tokens_sort(cx, strings, gathered.normalized, &gathered.n_normalized))
		return false;
	fill_facts(spec, &facts);
	if (spec->pre == MG_PRE_STEPS && !fill_steps(cx, spec, &facts))
		return false;
	return fill_vocab(cx, spec, &gathered, &facts) && (spec->kind != MG_BPE || fill_merges(cx, spec, &facts)) &&
		mg_section_write(cx, &facts, section) && ((spec->kind != MG_BPE && spec->kind != MG_UNIGRAM) || mark_whole(cx, &facts, *section));
}
