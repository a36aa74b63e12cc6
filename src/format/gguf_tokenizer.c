/* A GGUF file's tokeniser. */
#include "format/gguf_tokenizer.h"

#include <stdio.h>

#include "format/sentencepiece.h"

#define KEY(name) "tokenizer.ggml." name

/* A vocabulary in which more than one token of so many has a capital is cased. */
#define CASED 20

/* Entries between two polls. */
#define POLL_STEP 4096

/* Patterns by the names that converters of GGUF have given them. */
static const struct
{
	const char *name;
	MgPattern pattern;
	bool whole_words, compose;
	bool begins; /* whether a sequence begins with bos unless the file says otherwise */
} patterns[] = {
	{"default", MG_PATTERN_GPT2, false, false, false},
	{"gpt-2", MG_PATTERN_GPT2, false, false, false},
	{"phi-2", MG_PATTERN_GPT2, false, false, false},
	{"roberta-bpe", MG_PATTERN_GPT2, false, false, false},
	{"olmo", MG_PATTERN_GPT2, false, false, false},
	{"mpt", MG_PATTERN_GPT2, false, false, false},
	{"smollm", MG_PATTERN_DIGITS, false, false, false},
	{"starcoder", MG_PATTERN_DIGITS, false, false, false},
	{"refact", MG_PATTERN_DIGITS, false, false, false},
	{"command-r", MG_PATTERN_DIGITS, false, false, false},
	{"codeshell", MG_PATTERN_DIGITS, false, false, false},
	{"llama3", MG_PATTERN_CL100K, true, false, true},
	{"llama-v3", MG_PATTERN_CL100K, true, false, true},
	{"llama-bpe", MG_PATTERN_CL100K, true, false, true},
	{"dbrx", MG_PATTERN_CL100K, false, false, false},
	{"qwen2", MG_PATTERN_QWEN2, false, true, false},
	{"deepseek-r1-qwen", MG_PATTERN_QWEN2, false, true, false},
};

#define N_PATTERNS (sizeof patterns / sizeof *patterns)

static bool
find_pattern(MgCtx *cx, const MgGguf *gguf, MgTokenizerSpec *spec, bool *begins)
{
	MgSpan model = mg_span_of(""), name = mg_span_of("default");
	char known[MG_MESSAGE_SIZE];
	size_t length = 0;

	if (!mg_gguf_text(cx, gguf, KEY("model"), &model) || !mg_gguf_text(cx, gguf, KEY("pre"), &name))
		return false;
	if (!mg_span_is(model, "gpt2"))
	{
		mg_fail(cx, MG_UNSUPPORTED, "tokenizer model \"%.*s\" of a GGUF file is not supported", MG_SPAN_ARGS(model));
		return mg_hint(cx, "Supported are gpt2, byte-level BPE; llama, SentencePiece's BPE; and bert, WordPiece.");
	}
	for (size_t i = 0; i < N_PATTERNS; i++)
		if (mg_span_is(name, patterns[i].name))
		{
			spec->pattern = patterns[i].pattern;
			spec->whole_words = patterns[i].whole_words;
			spec->compose = patterns[i].compose;
			*begins = patterns[i].begins;
			return true;
		}
	for (size_t i = 0; i < N_PATTERNS && length < sizeof known; i++)
		length += (size_t) snprintf(known + length, sizeof known - length, "%s%s", i > 0 ? ", " : "", patterns[i].name);
	mg_fail(cx, MG_UNSUPPORTED, "pre-tokenizer \"%.*s\" of a GGUF file is not supported", MG_SPAN_ARGS(name));
	return mg_hint(cx, "Supported are %s.", known);
}

static bool
read_tokens(MgCtx *cx, const MgGguf *gguf, bool scored, MgTokenTable *table)
{
	MgSpan *tokens;
	int64_t *types;
	size_t n, n_types;

	if (!mg_gguf_texts(cx, gguf, KEY("tokens"), &tokens, &n) || !mg_gguf_integers(cx, gguf, KEY("token_type"), &types, &n_types))
		return false;
	if (n == 0 || (n_types != 0 && n_types != n))
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has %zu tokens and %zu types of tokens", gguf->name, n, n_types);
	if (!mg_token_table_init(cx, gguf->name, n, table))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		int64_t type = n_types > 0 ? types[i] : 1;

		if ((i % POLL_STEP == 0 && !mg_poll(cx)) || (tokens[i].size > 0 && !mg_token_table_put(cx, table, i, tokens[i])))
			return false;
		if (tokens[i].size > 0 && (type != MG_PIECE_UNUSED || scored) && (type != MG_PIECE_UNKNOWN || scored))
			table->flags[i] = mg_piece_flags(type);
	}
	return true;
}

static bool
read_merges(MgCtx *cx, const MgGguf *gguf, MgTokenizerSpec *spec)
{
	MgSpan *merges;
	MgMergeNames *names;
	size_t n;

	if (!mg_gguf_texts(cx, gguf, KEY("merges"), &merges, &n))
		return false;
	names = mg_alloc_array(cx, n, sizeof *names);
	if (names == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		/* A token may be a blank itself only as the character that stands for it. */
		const uint8_t *space = merges[i].size > 0 ? memchr(merges[i].data, ' ', merges[i].size) : NULL;

		if (i % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		if (space == NULL)
			return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has a merge that is not of two tokens", gguf->name);
		names[i].rank = (uint32_t) i;
		names[i].left = mg_span(merges[i].data, (size_t) (space - merges[i].data));
		names[i].right = mg_span(space + 1, merges[i].size - names[i].left.size - 1);
	}
	spec->merges = names;
	spec->n_merges = n;
	return true;
}

/* SentencePiece's BPE: merges follow from scores. */
static bool
read_scores(MgCtx *cx, const MgGguf *gguf, size_t n_tokens, MgTokenizerSpec *spec)
{
	bool prefix = true, squeeze = false;
	double *scores;
	size_t n;

	if (!mg_gguf_flag(cx, gguf, KEY("add_space_prefix"), &prefix) || !mg_gguf_flag(cx, gguf, KEY("remove_extra_whitespaces"), &squeeze) ||
		!mg_gguf_reals(cx, gguf, KEY("scores"), &scores, &n))
		return false;
	if (n != n_tokens)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has %zu tokens and %zu scores", gguf->name, n_tokens, n);
	spec->scores = scores;
	spec->byte_fallback = spec->fuse_unknown = true;
	return mg_sentencepiece_steps(cx, prefix, mg_span("", 0), squeeze, spec);
}

/* Whether a token of a vocabulary has a letter from A to Z. */
static bool
has_capital(MgSpan token)
{
	for (size_t i = 0; i < token.size; i++)
		if (token.data[i] >= 'A' && token.data[i] <= 'Z')
			return true;
	return false;
}

/*
 * WordPiece: the beginning of a word has U+2581 before it, and what goes on with one nothing, where vocab.txt has nothing and "##". Whether
 * text is made lower case no key says: it is, unless the vocabulary is one of words with capitals (some 4 of 10 are in bert-base-cased, none
 * in bert-base-uncased).
 */
static bool
read_pieces(MgCtx *cx, const MgGguf *gguf, MgTokenTable *table, MgTokenizerSpec *spec)
{
	static const char begin[] = "\xE2\x96\x81";
	MgSpan *tokens;
	int64_t *types;
	size_t n, n_types, capitals = 0;

	if (!mg_gguf_texts(cx, gguf, KEY("tokens"), &tokens, &n) || !mg_gguf_integers(cx, gguf, KEY("token_type"), &types, &n_types))
		return false;
	if (n == 0 || n_types != n)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has %zu tokens and %zu types of tokens", gguf->name, n, n_types);
	if (!mg_token_table_init(cx, gguf->name, n, table))
		return false;
	for (size_t i = 0; i < n; i++)
	{
		MgSpan token = tokens[i];
		bool plain = types[i] == MG_PIECE_NORMAL;

		if (i % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		if (plain && token.size > 3 && memcmp(token.data, begin, 3) == 0)
			token = mg_span(token.data + 3, token.size - 3);
		else if (plain && token.size > 0)
		{
			uint8_t *copy = mg_alloc(cx, token.size + 2);

			if (copy == NULL)
				return false;
			memcpy(copy, "##", 2);
			memcpy(copy + 2, token.data, token.size);
			token = mg_span(copy, token.size + 2);
		}
		if (token.size > 0 && !mg_token_table_put(cx, table, i, token))
			return false;
		if (token.size > 0 && !plain)
			table->flags[i] = mg_piece_flags(types[i]);
		capitals += plain && has_capital(token);
	}
	spec->kind = MG_WORDPIECE;
	spec->pre = MG_PRE_BERT;
	spec->decoder = MG_DECODE_WORDPIECE;
	spec->continuation = mg_span_of("##");
	spec->max_word_chars = 100;
	spec->clean_text = spec->chinese_chars = true;
	spec->lowercase = spec->strip_accents = capitals <= n / CASED;
	return true;
}

/* The id that a key names; -1: it is absent. */
static bool
read_id(MgCtx *cx, const MgGguf *gguf, const char *key, size_t n_tokens, int32_t *id)
{
	int64_t value = -1;

	if (!mg_gguf_integer(cx, gguf, key, &value))
		return false;
	/* Converters write the largest number for "none". */
	if (value == UINT32_MAX)
		value = -1;
	if (value < -1 || (value >= 0 && (uint64_t) value >= n_tokens))
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has a \"%s\" that is no token", gguf->name, key);
	*id = (int32_t) value;
	return true;
}

/* bos before a text, and eos behind it, where the file wants them. */
static bool
read_wrapping(MgCtx *cx, const MgGguf *gguf, bool begins, MgTokenizerSpec *spec)
{
	int32_t bos, eos;
	bool ends = false;
	MgWrapForm *form = &spec->wrapping.single;

	if (!mg_gguf_flag(cx, gguf, KEY("add_bos_token"), &begins) || !mg_gguf_flag(cx, gguf, KEY("add_eos_token"), &ends) ||
		!read_id(cx, gguf, KEY("bos_token_id"), spec->n_tokens, &bos) || !read_id(cx, gguf, KEY("eos_token_id"), spec->n_tokens, &eos))
		return false;
	if (begins && bos >= 0)
		form->pieces[form->n++] = (MgWrapPiece){bos, 0};
	form->pieces[form->n++] = (MgWrapPiece){MG_WRAP_A, 0};
	if (ends && eos >= 0)
		form->pieces[form->n++] = (MgWrapPiece){eos, 0};
	return true;
}

/* The id that a key says, or else that of a name. */
static bool
read_special(MgCtx *cx, const MgGguf *gguf, const char *key, const char *name, const MgTokenTable *table, int32_t *id)
{
	if (!read_id(cx, gguf, key, table->n, id))
		return false;
	if (*id < 0)
		*id = mg_token_table_find(table, mg_span_of(name));
	if (*id >= 0 && table->tokens[*id].size > 0)
		table->flags[*id] |= MG_TOKEN_ADDED | MG_TOKEN_SPECIAL;
	return true;
}

static bool
read_wordpiece(MgCtx *cx, const MgGguf *gguf, MgTokenizerSpec *spec)
{
	MgTokenTable table = {0};
	int32_t classify, separate;

	if (!read_pieces(cx, gguf, &table, spec) || !read_special(cx, gguf, KEY("unknown_token_id"), "[UNK]", &table, &spec->unknown) ||
		!read_special(cx, gguf, KEY("cls_token_id"), "[CLS]", &table, &classify) ||
		!read_special(cx, gguf, KEY("seperator_token_id"), "[SEP]", &table, &separate) ||
		!read_special(cx, gguf, KEY("padding_token_id"), "[PAD]", &table, &spec->pad) ||
		!read_special(cx, gguf, KEY("mask_token_id"), "[MASK]", &table, &spec->mask))
		return false;
	if (spec->unknown < 0 || classify < 0 || separate < 0)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has no %s token", gguf->name,
					   spec->unknown < 0 ? "unknown" : classify < 0 ? "classification" : "separator");
	mg_token_table_finish(&table, spec);
	spec->wrapping = mg_wrapping_of_bert(classify, separate);
	return true;
}

bool
mg_gguf_tokenizer_read(MgCtx *cx, const MgGguf *gguf, MgTokenizerSpec *spec)
{
	MgTokenTable table = {0};
	MgSpan model = mg_span_of("");
	bool begins = false;

	memset(spec, 0, sizeof *spec);
	spec->unknown = spec->pad = spec->mask = -1;
	spec->kind = MG_BPE;
	spec->pre = MG_PRE_BYTES;
	spec->decoder = MG_DECODE_BYTES;
	if (!mg_gguf_text(cx, gguf, KEY("model"), &model))
		return false;
	if (mg_span_is(model, "bert"))
		return read_wordpiece(cx, gguf, spec);
	if (mg_span_is(model, "llama"))
	{
		spec->decoder = MG_DECODE_STEPS;
		begins = true;
		if (!read_tokens(cx, gguf, true, &table) || !read_scores(cx, gguf, table.n, spec))
			return false;
	}
	else if (!find_pattern(cx, gguf, spec, &begins) || !read_tokens(cx, gguf, false, &table) || !read_merges(cx, gguf, spec))
		return false;
	mg_token_table_finish(&table, spec);
	return read_id(cx, gguf, KEY("unknown_token_id"), spec->n_tokens, &spec->unknown) &&
		read_id(cx, gguf, KEY("padding_token_id"), spec->n_tokens, &spec->pad) && read_wrapping(cx, gguf, begins, spec);
}

static void
add_end(int32_t *ends, size_t *n, int32_t id)
{
	for (size_t i = 0; i < *n; i++)
		if (ends[i] == id)
			return;
	if (id >= 0)
		ends[(*n)++] = id;
}

bool
mg_gguf_ends_read(MgCtx *cx, const MgGguf *gguf, const MgTokenizerSpec *spec, int32_t **ends, size_t *n)
{
	static const char *const keys[] = {KEY("eos_token_id"), KEY("eot_token_id"), KEY("eom_token_id")};
	static const char *const names[] = {"<|eot_id|>", "<|im_end|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>", "<|eom_id|>",
										"<end_of_turn>"};
	const size_t n_keys = sizeof keys / sizeof *keys, n_names = sizeof names / sizeof *names;
	int32_t id;

	*n = 0;
	*ends = mg_alloc_array(cx, n_keys + n_names, sizeof **ends);
	if (*ends == NULL)
		return false;
	for (size_t i = 0; i < n_keys; i++)
	{
		if (!read_id(cx, gguf, keys[i], spec->n_tokens, &id))
			return false;
		add_end(*ends, n, id);
	}
	for (size_t i = 0; i < spec->n_tokens; i++)
		for (size_t j = 0; j < n_names && (spec->flags[i] & MG_TOKEN_SPECIAL) != 0; j++)
			if (mg_span_is(spec->tokens[i], names[j]) && *n < n_keys + n_names)
				add_end(*ends, n, (int32_t) i);
	return true;
}
