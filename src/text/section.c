/* The section's parts, and the checks that stand between its bytes and everything else in this folder. */
#include "text/section.h"

#include "text/steps.h"
#include "text/unigram.h"
#include "text/utf8.h"

_Static_assert(sizeof(MgSectionPart) == 32 && sizeof(MgVocabFacts) == 24 && sizeof(MgModelFacts) == 44 && sizeof(MgOptionFacts) == 24,
			   "structs of the section have no gaps");

/* ------------------------------------------------------------------- read */

static bool
fail_part(MgCtx *cx, const char *name)
{
	return mg_fail(cx, MG_BAD_FILE, "part \"%s\" of tokenizer section is damaged", name);
}

/* The bytes of a part; an empty span when it is absent. */
static MgSpan
find_part(MgSpan section, size_t n_parts, const char *name)
{
	MgSectionPart part;

	for (size_t i = 0; i < n_parts; i++)
	{
		memcpy(&part, section.data + MG_SECTION_HEADER + i * sizeof part, sizeof part);
		if (strncmp(part.name, name, sizeof part.name) == 0)
			return mg_span(section.data + part.offset, (size_t) part.size);
	}
	return mg_span("", 0);
}

/* A part that is a struct. */
static bool
read_struct(MgCtx *cx, MgSpan section, size_t n_parts, const char *name, void *into, size_t size)
{
	MgSpan part = find_part(section, n_parts, name);

	if (part.size != size)
		return fail_part(cx, name);
	memcpy(into, part.data, size);
	return true;
}

static bool
read_wrapping(MgCtx *cx, MgSpan bytes, MgWrapping *wrapping)
{
	MgWrapForm *forms[] = {&wrapping->single, &wrapping->pair};
	uint32_t n[2];
	size_t at = sizeof n;

	memset(wrapping, 0, sizeof *wrapping);
	if (bytes.size < sizeof n)
		return fail_part(cx, "wrap");
	memcpy(n, bytes.data, sizeof n);
	if (n[0] > MG_WRAP_PIECES || n[1] > MG_WRAP_PIECES || bytes.size != sizeof n + (n[0] + n[1]) * sizeof(MgWrapPiece))
		return fail_part(cx, "wrap");
	for (size_t i = 0; i < 2; i++)
	{
		forms[i]->n = n[i];
		memcpy(forms[i]->pieces, bytes.data + at, n[i] * sizeof(MgWrapPiece));
		at += n[i] * sizeof(MgWrapPiece);
	}
	return true;
}

/* Checks that the parts lie end to end and fill the section. */
static bool
check_parts(MgCtx *cx, MgSpan section, size_t n_parts)
{
	uint64_t end = MG_SECTION_HEADER + n_parts * sizeof(MgSectionPart);

	if (n_parts > MG_SECTION_PARTS || end > section.size)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has %zu parts in %zu bytes", n_parts, section.size);
	for (size_t i = 0; i < n_parts; i++)
	{
		MgSectionPart part;

		memcpy(&part, section.data + MG_SECTION_HEADER + i * sizeof part, sizeof part);
		if (part.offset != end || part.size > section.size - end)
			return mg_fail(cx, MG_BAD_FILE, "part %zu of tokenizer section is not in its place", i);
		end += part.size;
	}
	return end == section.size || mg_fail(cx, MG_BAD_FILE, "tokenizer section has the wrong size");
}

static bool
read_facts(MgCtx *cx, MgSpan section, size_t n, MgSectionFacts *facts)
{
	if (!check_parts(cx, section, n) ||
		!read_struct(cx, section, n, "vocab", &facts->vocab, sizeof facts->vocab) ||
		!read_struct(cx, section, n, "normalizer", &facts->normalizer, sizeof facts->normalizer) ||
		!read_struct(cx, section, n, "words", &facts->words, sizeof facts->words) ||
		!read_struct(cx, section, n, "model", &facts->model, sizeof facts->model) ||
		!read_struct(cx, section, n, "decoder", &facts->decoder, sizeof facts->decoder) ||
		!read_wrapping(cx, find_part(section, n, "wrap"), &facts->wrapping))
		return false;
	memset(&facts->options, 0, sizeof facts->options);
	if (find_part(section, n, "options").size > 0 &&
		!read_struct(cx, section, n, "options", &facts->options, sizeof facts->options))
		return false;
	facts->normalizing = find_part(section, n, "normalizing");
	facts->cutting = find_part(section, n, "cutting");
	facts->decoding = find_part(section, n, "decoding");
	facts->scores = find_part(section, n, "scores");
	facts->prefixes = find_part(section, n, "prefixes");
	facts->joins = find_part(section, n, "joins");
	facts->offsets = find_part(section, n, "offsets");
	facts->slots = find_part(section, n, "slots");
	facts->flags = find_part(section, n, "flags");
	facts->strings = find_part(section, n, "strings");
	facts->raw = find_part(section, n, "added");
	facts->normalized = find_part(section, n, "added.norm");
	facts->merges = find_part(section, n, "merges");
	return true;
}

size_t
mg_tokenizer_extra(MgSpan head)
{
	uint32_t header[4], n;
	int32_t around[2];

	if (head.size < 128)
		return 0;
	memcpy(header, head.data, sizeof header);
	if (header[1] == 1)
	{
		/* "classify" and "separate" of the old header. */
		memcpy(around, head.data + MG_OLD_AROUND, sizeof around);
		return (size_t) (around[0] >= 0) + (around[1] >= 0);
	}
	for (size_t i = 0; i < header[2] && MG_SECTION_HEADER + (i + 1) * sizeof(MgSectionPart) <= head.size; i++)
	{
		MgSectionPart part;

		memcpy(&part, head.data + MG_SECTION_HEADER + i * sizeof part, sizeof part);
		if (strncmp(part.name, "wrap", sizeof part.name) != 0 || part.offset > head.size - sizeof n)
			continue;
		memcpy(&n, head.data + part.offset, sizeof n);
		return n > 1 && n <= MG_WRAP_PIECES ? n - 1 : 0;
	}
	return 0;
}

/* ------------------------------------------------------------------ check */

static bool
check_kinds(MgCtx *cx, const MgSectionFacts *facts)
{
	bool words = facts->words.kind == MG_PRE_BERT ||
		(facts->words.kind == MG_PRE_BYTES && facts->words.pattern >= MG_PATTERN_GPT2 && facts->words.pattern <= MG_PATTERN_DIGITS);
	bool rules = (facts->normalizer.rules & ~(uint32_t) MG_RULES_BERT) == 0 || facts->normalizer.rules == MG_RULE_COMPOSE;

	if (facts->words.kind == MG_PRE_STEPS && facts->decoder.kind == MG_DECODE_STEPS && facts->normalizer.rules == 0 &&
		facts->model.kind >= MG_WORDPIECE && facts->model.kind <= MG_WORDLEVEL)
		return true;
	/* A model's words are those of its pre-tokeniser. */
	if (words && rules && facts->model.kind == (facts->words.kind == MG_PRE_BERT ? MG_WORDPIECE : MG_BPE) &&
		facts->decoder.kind == (facts->words.kind == MG_PRE_BERT ? MG_DECODE_WORDPIECE : MG_DECODE_BYTES))
		return true;
	mg_fail(cx, MG_UNSUPPORTED, "tokenizer section is of an unknown kind");
	return mg_detail(cx, "It has rules %u, words of kind %u and pattern %u, a model of kind %u and a decoder of kind %u.",
					 facts->normalizer.rules, facts->words.kind, facts->words.pattern, facts->model.kind,
					 facts->decoder.kind);
}

static bool
check_vocab(MgCtx *cx, const MgSectionFacts *facts)
{
	const MgVocabFacts *vocab = &facts->vocab;
	int32_t least = facts->model.kind == MG_WORDPIECE || facts->model.kind == MG_UNIGRAM ? 0 : -1;

	if (vocab->n_tokens == 0 || vocab->n_tokens > MG_VOCAB_LIMIT || vocab->slot_bits == 0 ||
		vocab->slot_bits > MG_MAX_SLOT_BITS)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has %u tokens in 2^%u slots", vocab->n_tokens,
					   vocab->slot_bits);
	if (facts->offsets.size != 4 * ((uint64_t) vocab->n_tokens + 1) || facts->slots.size != UINT64_C(8) << vocab->slot_bits ||
		facts->flags.size != vocab->n_tokens || facts->strings.size > UINT32_MAX ||
		facts->raw.size % MG_ADDED_ENTRY != 0 || facts->normalized.size % MG_ADDED_ENTRY != 0)
		return mg_fail(cx, MG_BAD_FILE, "parts of tokenizer section do not fit its vocabulary");
	if (vocab->unknown < least || vocab->unknown >= (int64_t) vocab->n_tokens || vocab->pad < -1 ||
		vocab->pad >= (int64_t) vocab->n_tokens || vocab->mask < -1 || vocab->mask >= (int64_t) vocab->n_tokens)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has special tokens %d, %d and %d of %u", vocab->unknown,
					   vocab->pad, vocab->mask, vocab->n_tokens);
	return mg_wrapping_is_valid(&facts->wrapping, vocab->n_tokens) || fail_part(cx, "wrap");
}

static bool
check_wordpiece(MgCtx *cx, const MgModelFacts *model)
{
	if (model->max_word_chars == 0 || model->max_word_chars > MG_MAX_WORD_CHARS ||
		model->continuation_size > MG_MAX_CONTINUATION)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has words of %u characters and a continuation of %u bytes",
					   model->max_word_chars, model->continuation_size);
	if (mg_utf8_check(mg_span(model->continuation, model->continuation_size)) != model->continuation_size)
		return mg_fail(cx, MG_BAD_FILE, "continuation in tokenizer section is not valid UTF-8");
	return true;
}

/* ------------------------------------------------------------------- bind */

static MgByteKind
kind_of(const MgNormalRules *rules, unsigned flags)
{
	if (rules->clean && (flags & MG_CHAR_DROP))
		return MG_BYTE_OTHER;
	if (flags & MG_CHAR_SPACE)
		return MG_BYTE_SPACE;
	return flags & MG_CHAR_PUNCTUATION ? MG_BYTE_PUNCTUATION : MG_BYTE_WORD;
}

static void
bind_wordpiece(MgTokenizer *tokenizer, const MgModelFacts *model)
{
	tokenizer->max_word_chars = model->max_word_chars;
	memcpy(tokenizer->continuation_bytes, model->continuation, MG_MAX_CONTINUATION);
	tokenizer->continuation_size = model->continuation_size;
	tokenizer->continuation_hash = mg_hash_span(MG_HASH_START, mg_continuation(tokenizer));
	memset(tokenizer->kinds, MG_BYTE_OTHER, sizeof tokenizer->kinds);
	for (uint32_t code = 0; code < 128; code++)
	{
		tokenizer->kinds[code] = (uint8_t) kind_of(&tokenizer->rules, mg_char_flags(code));
		tokenizer->lowered[code] = (uint8_t) (tokenizer->rules.lower ? mg_char_lower(code) : code);
	}
}

/* What the facts say by themselves; the strings are not looked at. */
static void
bind_facts(MgTokenizer *tokenizer, const MgSectionFacts *facts)
{
	uint32_t rules = facts->normalizer.rules;

	tokenizer->rules = (MgNormalRules){(rules & MG_RULE_CLEAN) != 0, (rules & MG_RULE_CHINESE) != 0,
									   (rules & MG_RULE_STRIP) != 0, (rules & MG_RULE_LOWER) != 0,
									   (rules & MG_RULE_COMPOSE) != 0};
	tokenizer->kind = (MgTokenizerKind) facts->model.kind;
	tokenizer->steps = facts->words.kind == MG_PRE_STEPS;
	tokenizer->pattern = (MgPattern) facts->words.pattern;
	tokenizer->leading_space = facts->words.leading_space != 0;
	tokenizer->special = (MgSpecialTokens){facts->vocab.unknown, facts->vocab.pad, facts->vocab.mask};
	tokenizer->wrapping = facts->wrapping;
	tokenizer->vocab = (MgVocab){.n_tokens = facts->vocab.n_tokens,
								 .offsets = facts->offsets.data,
								 .slots = facts->slots.data,
								 .flags = facts->flags.data,
								 .strings = facts->strings,
								 .slot_bits = facts->vocab.slot_bits,
								 .max_probe = facts->vocab.max_probe};
	tokenizer->raw.n = facts->raw.size / MG_ADDED_ENTRY;
	tokenizer->raw.entries = facts->raw.data;
	tokenizer->normalized.n = facts->normalized.size / MG_ADDED_ENTRY;
	tokenizer->normalized.entries = facts->normalized.data;
	if (tokenizer->kind == MG_WORDPIECE)
		bind_wordpiece(tokenizer, &facts->model);
	else if (tokenizer->kind == MG_UNIGRAM)
		tokenizer->unigram = (MgUnigram){.scores = facts->scores.data, .prefixes = facts->prefixes.data,
										 .prefix_bits = facts->options.prefix_bits, .unknown_score = facts->options.unknown_score};
	else if (tokenizer->kind == MG_BPE)
		tokenizer->bpe = (MgBpe){.merges = facts->merges.data,
								 .merge_bits = facts->model.merge_bits,
								 .max_probe = facts->model.merge_probe,
								 .whole_words = facts->model.whole_words != 0,
								 .fuse_unknown = facts->model.fuse_unknown != 0,
								 .characters = facts->options.characters != 0,
								 .cuts = facts->options.cuts != 0,
								 .joins = facts->joins.size == MG_JOINS_SIZE ? facts->joins.data : NULL};
	tokenizer->byte_fallback = facts->options.byte_fallback != 0;
}

/* What the kind of model wants of the section beside the vocabulary. */
static bool
check_model(MgCtx *cx, const MgSectionFacts *facts)
{
	switch (facts->model.kind)
	{
		case MG_WORDPIECE:
			return check_wordpiece(cx, &facts->model);
		case MG_BPE:
			return mg_bpe_check(cx, facts->model.merge_bits, facts->model.merge_probe, facts->vocab.n_tokens, facts->merges);
		case MG_UNIGRAM:
			return mg_unigram_check(cx, facts->vocab.n_tokens, facts->options.prefix_bits, facts->scores, facts->prefixes);
		default:
			return true;
	}
}

/* Words are bytes to the model where the last cutting step says so, and nowhere else. */
static bool
check_bytes(MgCtx *cx, const MgTokenizer *tokenizer)
{
	bool bytes = tokenizer->kind == MG_BPE && !tokenizer->bpe.characters;

	for (size_t i = 0; i < tokenizer->cutting.n; i++)
	{
		const MgStep *step = &tokenizer->cutting.items[i];

		if (step->kind != MG_STEP_BYTES || step->number == 0)
			continue;
		if (!bytes || i + 1 < tokenizer->cutting.n)
			return fail_part(cx, "cutting");
		return true;
	}
	return !bytes || fail_part(cx, "cutting");
}

static bool
read_steps(MgCtx *cx, const MgSectionFacts *facts, MgTokenizer *tokenizer)
{
	return !tokenizer->steps ||
		(mg_steps_read(cx, "normalizing", facts->normalizing, MG_STEP_NFD, MG_STEP_METASPACE - 1, &tokenizer->normalizing) &&
		 mg_steps_read(cx, "cutting", facts->cutting, MG_STEP_METASPACE, MG_STEP_BYTE_FALLBACK - 1, &tokenizer->cutting) &&
		 mg_steps_read(cx, "decoding", facts->decoding, MG_STEP_BYTE_FALLBACK, MG_STEP_BYTE_TEXT, &tokenizer->decoding) &&
		 check_bytes(cx, tokenizer));
}

bool
mg_section_bind(MgCtx *cx, MgSpan section, MgTokenizer *tokenizer)
{
	uint32_t header[4];
	MgSectionFacts facts;

	if (section.size < sizeof header)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section has %zu bytes, fewer than its header", section.size);
	memcpy(header, section.data, sizeof header);
	if (header[0] != MG_SECTION_MAGIC)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer section does not begin with its mark");
	if (header[1] != 1 && (header[1] != MG_SECTION_VERSION || header[3] != 0))
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer section has version %u, this library reads versions 1 to %d",
					   header[1], MG_SECTION_VERSION);
	if (!(header[1] == 1 ? mg_old_section_read(cx, section, &facts) : read_facts(cx, section, header[2], &facts)) ||
		!check_kinds(cx, &facts) || !check_vocab(cx, &facts) ||
		!check_model(cx, &facts))
		return false;
	bind_facts(tokenizer, &facts);
	return mg_vocab_check(cx, &tokenizer->vocab) &&
		   mg_added_tokens_check(cx, &tokenizer->vocab, &tokenizer->raw) &&
		   mg_added_tokens_check(cx, &tokenizer->vocab, &tokenizer->normalized) &&
		   read_steps(cx, &facts, tokenizer) && (tokenizer->kind == MG_WORDPIECE || tokenizer->kind == MG_WORDLEVEL || mg_bpe_bind(cx, tokenizer));
}

/* ------------------------------------------------------------------ write */

typedef struct Writer
{
	uint8_t *bytes; /* NULL: only the size is wanted */
	size_t n_parts, part; /* all; so far */
	size_t size;
} Writer;

static void
put(Writer *writer, const char *name, const void *bytes, size_t size)
{
	MgSectionPart part = {.offset = writer->size, .size = size};

	if (writer->bytes != NULL)
	{
		memcpy(part.name, name, strlen(name));
		memcpy(writer->bytes + MG_SECTION_HEADER + writer->part * sizeof part, &part, sizeof part);
		if (size > 0)
			memcpy(writer->bytes + writer->size, bytes, size);
	}
	writer->size += size;
	writer->part++;
}

static void
put_all(Writer *writer, const MgSectionFacts *facts)
{
	uint8_t wrap[8 + 2 * MG_WRAP_PIECES * sizeof(MgWrapPiece)];
	uint32_t n[] = {facts->wrapping.single.n, facts->wrapping.pair.n};
	size_t single = n[0] * sizeof(MgWrapPiece), pair = n[1] * sizeof(MgWrapPiece);

	writer->part = 0;
	writer->size = MG_SECTION_HEADER + writer->n_parts * sizeof(MgSectionPart);
	memcpy(wrap, n, sizeof n);
	memcpy(wrap + sizeof n, facts->wrapping.single.pieces, single);
	memcpy(wrap + sizeof n + single, facts->wrapping.pair.pieces, pair);
	put(writer, "vocab", &facts->vocab, sizeof facts->vocab);
	put(writer, "normalizer", &facts->normalizer, sizeof facts->normalizer);
	put(writer, "words", &facts->words, sizeof facts->words);
	put(writer, "model", &facts->model, sizeof facts->model);
	put(writer, "wrap", wrap, sizeof n + single + pair);
	put(writer, "decoder", &facts->decoder, sizeof facts->decoder);
	put(writer, "offsets", facts->offsets.data, facts->offsets.size);
	put(writer, "slots", facts->slots.data, facts->slots.size);
	if (facts->merges.size > 0)
		put(writer, "merges", facts->merges.data, facts->merges.size);
	if (facts->words.kind == MG_PRE_STEPS)
	{
		put(writer, "options", &facts->options, sizeof facts->options);
		put(writer, "normalizing", facts->normalizing.data, facts->normalizing.size);
		put(writer, "cutting", facts->cutting.data, facts->cutting.size);
		put(writer, "decoding", facts->decoding.data, facts->decoding.size);
	}
	if (facts->joins.size > 0)
		put(writer, "joins", facts->joins.data, facts->joins.size);
	if (facts->model.kind == MG_UNIGRAM)
	{
		put(writer, "scores", facts->scores.data, facts->scores.size);
		put(writer, "prefixes", facts->prefixes.data, facts->prefixes.size);
	}
	put(writer, "added", facts->raw.data, facts->raw.size);
	put(writer, "added.norm", facts->normalized.data, facts->normalized.size);
	put(writer, "flags", facts->flags.data, facts->flags.size);
	put(writer, "strings", facts->strings.data, facts->strings.size);
}

bool
mg_section_write(MgCtx *cx, const MgSectionFacts *facts, MgSpan *section)
{
	Writer writer = {NULL, 0, 0, 0};
	uint32_t header[4] = {MG_SECTION_MAGIC, MG_SECTION_VERSION, 0, 0};

	put_all(&writer, facts);
	writer.n_parts = writer.part;
	put_all(&writer, facts);
	writer.bytes = mg_alloc(cx, writer.size);
	if (writer.bytes == NULL || !mg_poll(cx))
		return false;
	header[2] = (uint32_t) writer.n_parts;
	memcpy(writer.bytes, header, sizeof header);
	put_all(&writer, facts);
	*section = mg_span(writer.bytes, writer.size);
	return mg_poll(cx);
}
