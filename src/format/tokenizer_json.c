/*
 * tokenizer.json (github.com/huggingface/tokenizers): the model and its
 * vocabulary. The other parts of the pipeline are read by tokenizer_parts.c.
 *
 *   added_tokens    found in text before all else; ids may exceed the model's
 *   model           WordPiece, BPE, Unigram, WordLevel; files of before 2020 do not say its type
 *   truncation      max_length, of which the configuration knows better
 *   padding         of no interest: sequences are packed, not padded
 *
 * A part that would run differently from what the file says is refused, by its
 * name.
 */
#include "format/tokenizer_parts.h"

#define FILE_NAME MG_TOKENIZER_JSON

/* A longer word than any text: beyond this the file is not what it seems to be. */
#define MAX_WORD_CHARS 1000000

/* Entries between two polls. */
#define POLL_STEP 4096

/* What a model without a type is, by the keys that only it has. */
static MgSpan
guess_model(const MgJson *model)
{
	const MgJson *vocab = mg_json_get(model, "vocab");

	if (mg_json_get(model, "merges") != NULL)
		return mg_span_of("BPE");
	if (vocab != NULL && vocab->kind == MG_JSON_ARRAY)
		return mg_span_of("Unigram");
	if (mg_json_get(model, "continuing_subword_prefix") != NULL)
		return mg_span_of("WordPiece");
	return mg_span_of("WordLevel");
}

/* Raises *n above an id. */
static bool
count_id(MgCtx *cx, const MgJson *id, size_t *n)
{
	if (id == NULL || id->kind != MG_JSON_INTEGER || id->integer < 0)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has a token without a valid id", FILE_NAME);
	if ((uint64_t) id->integer >= *n)
		*n = (size_t) id->integer + 1;
	return true;
}

/* All tokens: the model's vocabulary, then those that were added. */
static bool
read_tokens(MgCtx *cx, const MgJson *vocab, const MgJson *added, MgTokenTable *table)
{
	size_t n_added = added == NULL ? 0 : added->n;
	size_t n = 0;

	for (size_t i = 0; i < vocab->n; i++)
	{
		if ((i % POLL_STEP == 0 && !mg_poll(cx)) || !count_id(cx, &vocab->items[i], &n))
			return false;
	}
	for (size_t i = 0; i < n_added; i++)
	{
		if (!count_id(cx, mg_json_get(&added->items[i], "id"), &n))
			return false;
	}
	if (!mg_token_table_init(cx, FILE_NAME, n, table))
		return false;
	for (size_t i = 0; i < vocab->n; i++)
	{
		if ((i % POLL_STEP == 0 && !mg_poll(cx)) ||
			!mg_token_table_put(cx, table, (size_t) vocab->items[i].integer, vocab->keys[i]))
			return false;
	}
	for (size_t i = 0; i < n_added; i++)
	{
		if ((i % POLL_STEP == 0 && !mg_poll(cx)) ||
			!mg_token_table_add(cx, table, (size_t) mg_json_get(&added->items[i], "id")->integer, &added->items[i]))
			return false;
	}
	return true;
}

/* "a b", or ["a", "b"]. */
static bool
read_merge(MgCtx *cx, const MgJson *merge, MgMergeNames *names)
{
	const uint8_t *space;

	if (merge->kind == MG_JSON_ARRAY && merge->n == 2 && merge->items[0].kind == MG_JSON_STRING &&
		merge->items[1].kind == MG_JSON_STRING)
	{
		names->left = merge->items[0].string;
		names->right = merge->items[1].string;
		return true;
	}
	space = merge->kind == MG_JSON_STRING ? memchr(merge->string.data, ' ', merge->string.size) : NULL;
	if (space == NULL)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has a merge that is not of two tokens", FILE_NAME);
	names->left = mg_span(merge->string.data, (size_t) (space - merge->string.data));
	names->right = mg_span(space + 1, merge->string.size - names->left.size - 1);
	return true;
}

/* Options of BPE that would make other tokens. */
static bool
check_bpe(MgCtx *cx, const MgJson *model)
{
	MgSpan prefix = {NULL, 0}, suffix = {NULL, 0};
	float dropout = 0;

	if (!mg_json_get_string(cx, FILE_NAME, model, "continuing_subword_prefix", &prefix) ||
		!mg_json_get_string(cx, FILE_NAME, model, "end_of_word_suffix", &suffix) ||
		!mg_json_get_float(cx, FILE_NAME, model, "dropout", &dropout))
		return false;
	if (prefix.size == 0 && suffix.size == 0 && dropout == 0)
		return true;
	return mg_fail(cx, MG_UNSUPPORTED, "tokenizer model BPE with \"%s\" is not supported",
				   prefix.size > 0 ? "continuing_subword_prefix" : suffix.size > 0 ? "end_of_word_suffix" : "dropout");
}

static bool
read_bpe(MgCtx *cx, const MgJson *model, const MgTokenTable *table, MgTokenizerSpec *spec)
{
	const MgJson *merges = mg_json_get(model, "merges");
	MgMergeNames *names;
	MgSpan unknown = {NULL, 0};

	if (merges == NULL || merges->kind != MG_JSON_ARRAY)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has no merges", FILE_NAME);
	names = mg_alloc_array(cx, merges->n, sizeof *names);
	if (names == NULL || !check_bpe(cx, model))
		return false;
	for (size_t i = 0; i < merges->n; i++)
	{
		names[i].rank = (uint32_t) i;
		if ((i % POLL_STEP == 0 && !mg_poll(cx)) || !read_merge(cx, &merges->items[i], &names[i]))
			return false;
	}
	spec->kind = MG_BPE;
	spec->merges = names;
	spec->n_merges = merges->n;
	return mg_json_get_bool(cx, FILE_NAME, model, "ignore_merges", &spec->whole_words) &&
		   mg_json_get_bool(cx, FILE_NAME, model, "fuse_unk", &spec->fuse_unknown) &&
		   mg_json_get_bool(cx, FILE_NAME, model, "byte_fallback", &spec->byte_fallback) &&
		   mg_json_get_string(cx, FILE_NAME, model, "unk_token", &unknown) &&
		   (unknown.size == 0 || mg_token_table_require(cx, table, unknown, &spec->unknown));
}

static bool
read_wordpiece(MgCtx *cx, const MgJson *model, const MgTokenTable *table, MgTokenizerSpec *spec)
{
	MgSpan unknown = {NULL, 0};

	spec->kind = MG_WORDPIECE;
	spec->continuation = mg_span_of("##");
	spec->max_word_chars = 100;
	return mg_json_get_string(cx, FILE_NAME, model, "continuing_subword_prefix", &spec->continuation) &&
		   mg_json_get_size(cx, FILE_NAME, model, "max_input_chars_per_word", 1, MAX_WORD_CHARS,
							&spec->max_word_chars) &&
		   mg_json_get_string(cx, FILE_NAME, model, "unk_token", &unknown) &&
		   mg_token_table_require(cx, table, unknown, &spec->unknown);
}

static bool
read_wordlevel(MgCtx *cx, const MgJson *model, const MgTokenTable *table, MgTokenizerSpec *spec)
{
	MgSpan unknown = {NULL, 0};

	spec->kind = MG_WORDLEVEL;
	return mg_json_get_string(cx, FILE_NAME, model, "unk_token", &unknown) &&
		   (unknown.size == 0 || mg_token_table_find(table, unknown) < 0 || mg_token_table_require(cx, table, unknown, &spec->unknown));
}

/* [["<unk>", 0.0], ["\u2581the", -3.2], ...]: the id is the place. */
static bool
read_unigram(MgCtx *cx, const MgJson *model, const MgJson *added, MgTokenTable *table, MgTokenizerSpec *spec)
{
	const MgJson *vocab = mg_json_get(model, "vocab");
	size_t n = vocab->n, n_added = added == NULL ? 0 : added->n, unknown = SIZE_MAX;
	double *scores;

	spec->kind = MG_UNIGRAM;
	for (size_t i = 0; i < n_added; i++)
		if (!count_id(cx, mg_json_get(&added->items[i], "id"), &n))
			return false;
	if (!mg_token_table_init(cx, FILE_NAME, n, table) || (scores = mg_alloc_zeroed(cx, n, sizeof *scores)) == NULL)
		return false;
	for (size_t i = 0; i < vocab->n; i++)
	{
		const MgJson *pair = &vocab->items[i];

		if (pair->kind != MG_JSON_ARRAY || pair->n != 2 || pair->items[0].kind != MG_JSON_STRING ||
			(pair->items[1].kind != MG_JSON_REAL && pair->items[1].kind != MG_JSON_INTEGER))
			return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has a token without a score", FILE_NAME);
		scores[i] = pair->items[1].real;
		if ((i % POLL_STEP == 0 && !mg_poll(cx)) ||
			(pair->items[0].string.size > 0 && !mg_token_table_put(cx, table, i, pair->items[0].string)))
			return false;
	}
	for (size_t i = 0; i < n_added; i++)
		if (!mg_token_table_add(cx, table, (size_t) mg_json_get(&added->items[i], "id")->integer, &added->items[i]))
			return false;
	spec->scores = scores;
	if (!mg_json_get_size(cx, FILE_NAME, model, "unk_id", 0, n > 0 ? n - 1 : 0, &unknown) ||
		!mg_json_get_bool(cx, FILE_NAME, model, "byte_fallback", &spec->byte_fallback))
		return false;
	if (unknown != SIZE_MAX && table->tokens[unknown].size == 0)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has an \"unk_id\" that is no token", FILE_NAME);
	spec->unknown = unknown == SIZE_MAX ? -1 : (int32_t) unknown;
	return true;
}

static bool
read_model(MgCtx *cx, const MgJson *root, MgTokenTable *table, MgTokenizerSpec *spec)
{
	const MgJson *model = mg_json_get(root, "model");
	const MgJson *added = mg_json_get(root, "added_tokens");
	const MgJson *vocab = mg_json_get(model, "vocab");
	MgSpan type = {NULL, 0};

	if (model == NULL || model->kind != MG_JSON_OBJECT)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has no model", FILE_NAME);
	if (!mg_json_get_string(cx, FILE_NAME, model, "type", &type))
		return false;
	if (type.size == 0)
		type = guess_model(model);
	if (!mg_span_is(type, "WordPiece") && !mg_span_is(type, "BPE") && !mg_span_is(type, "Unigram") && !mg_span_is(type, "WordLevel"))
		return mg_tokenizer_part_fail(cx, "model", type, "WordPiece, BPE, Unigram, WordLevel");
	if (vocab == NULL || vocab->kind != (mg_span_is(type, "Unigram") ? MG_JSON_ARRAY : MG_JSON_OBJECT))
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has no vocabulary", FILE_NAME);
	if (added != NULL && added->kind != MG_JSON_ARRAY)
		return mg_fail(cx, MG_BAD_FILE, "\"added_tokens\" in file \"%s\" is not an array", FILE_NAME);
	if (mg_span_is(type, "Unigram"))
		return read_unigram(cx, model, added, table, spec);
	if (!read_tokens(cx, vocab, added, table))
		return false;
	if (mg_span_is(type, "WordLevel"))
		return read_wordlevel(cx, model, table, spec);
	return (mg_span_is(type, "BPE") ? read_bpe(cx, model, table, spec) : read_wordpiece(cx, model, table, spec));
}

bool
mg_tokenizer_json_read(MgCtx *cx, MgSpan text, MgTokenTable *table, MgTokenizerSpec *spec)
{
	const MgJson *root = mg_json_parse(cx, FILE_NAME, text);

	return root != NULL && read_model(cx, root, table, spec) && mg_tokenizer_parts_read(cx, root, table, spec) &&
		   mg_json_get_size(cx, FILE_NAME, mg_json_get(root, "truncation"), "max_length", 1, SIZE_MAX,
							&spec->max_tokens);
}
