/*
 * tokenizer.json (github.com/huggingface/tokenizers), for BERT's pipeline:
 *
 *   added_tokens    found in text before all else; ids may exceed the model's
 *   normalizer      BertNormalizer
 *   pre_tokenizer   BertPreTokenizer
 *   model           WordPiece; files of before 2020 do not say its type
 *   post_processor  TemplateProcessing or BertProcessing, as [CLS] A [SEP]
 *   decoder         WordPiece
 *   truncation      max_length, of which the configuration knows better
 *   padding         of no interest: sequences are packed, not padded
 *
 * A part that would run differently from what the file says is refused, by its
 * name. A missing strip_accents means "as lowercase".
 */
#include "format/token_table.h"

#define FILE_NAME "tokenizer.json"

/* A longer word than any text: beyond this the file is not what it seems to be. */
#define MAX_WORD_CHARS 1000000

/* Entries between two polls. */
#define POLL_STEP 4096

static bool
fail_part(MgCtx *cx, const char *part, MgSpan type, const char *wanted, const char *also)
{
	if (type.size == 0)
		mg_fail(cx, MG_UNSUPPORTED, "tokenizer without a %s is not supported", part);
	else
		mg_fail(cx, MG_UNSUPPORTED, "tokenizer %s \"%.*s\" is not supported", part, MG_SPAN_ARGS(type));
	return mg_hint(cx, "Supported: %s%s%s.", wanted, also != NULL ? ", " : "", also != NULL ? also : "");
}

/* The part of that key, with its type; refused unless it is wanted (or, where there are two, also). */
static bool
find_part(MgCtx *cx, const MgJson *root, const char *key, const char *wanted, const char *also, const MgJson **part)
{
	MgSpan type = {NULL, 0};

	*part = mg_json_get(root, key);
	if (!mg_json_get_string(cx, FILE_NAME, *part, "type", &type))
		return false;
	if (mg_span_is(type, wanted) || (also != NULL && mg_span_is(type, also)))
		return true;
	if (type.size == 0 && *part != NULL)
		return mg_fail(cx, MG_BAD_FILE, "\"%s\" in file \"%s\" has no type", key, FILE_NAME);
	return fail_part(cx, key, type, wanted, also);
}

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

static bool
read_model(MgCtx *cx, const MgJson *root, MgTokenTable *table, MgTokenizerSpec *spec)
{
	const MgJson *model = mg_json_get(root, "model");
	const MgJson *added = mg_json_get(root, "added_tokens");
	const MgJson *vocab = mg_json_get(model, "vocab");
	MgSpan type = {NULL, 0}, unknown = {NULL, 0};

	if (model == NULL || model->kind != MG_JSON_OBJECT)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has no model", FILE_NAME);
	if (!mg_json_get_string(cx, FILE_NAME, model, "type", &type))
		return false;
	if (type.size == 0)
		type = guess_model(model);
	if (!mg_span_is(type, "WordPiece"))
		return fail_part(cx, "model", type, "WordPiece", NULL);
	if (vocab == NULL || vocab->kind != MG_JSON_OBJECT)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has no vocabulary", FILE_NAME);
	if (added != NULL && added->kind != MG_JSON_ARRAY)
		return mg_fail(cx, MG_BAD_FILE, "\"added_tokens\" in file \"%s\" is not an array", FILE_NAME);

	spec->kind = MG_WORDPIECE;
	spec->continuation = mg_span_of("##");
	spec->max_word_chars = 100;
	return read_tokens(cx, vocab, added, table) &&
		   mg_json_get_string(cx, FILE_NAME, model, "continuing_subword_prefix", &spec->continuation) &&
		   mg_json_get_size(cx, FILE_NAME, model, "max_input_chars_per_word", 1, MAX_WORD_CHARS,
							&spec->max_word_chars) &&
		   mg_json_get_string(cx, FILE_NAME, model, "unk_token", &unknown) &&
		   mg_token_table_require(cx, table, unknown, &spec->unknown);
}

static bool
read_normalizer(MgCtx *cx, const MgJson *root, MgTokenizerSpec *spec)
{
	const MgJson *part;

	if (!find_part(cx, root, "normalizer", "BertNormalizer", NULL, &part))
		return false;
	spec->clean_text = spec->chinese_chars = spec->lowercase = true;
	if (!mg_json_get_bool(cx, FILE_NAME, part, "clean_text", &spec->clean_text) ||
		!mg_json_get_bool(cx, FILE_NAME, part, "handle_chinese_chars", &spec->chinese_chars) ||
		!mg_json_get_bool(cx, FILE_NAME, part, "lowercase", &spec->lowercase))
		return false;
	spec->strip_accents = spec->lowercase;
	return mg_json_get_bool(cx, FILE_NAME, part, "strip_accents", &spec->strip_accents);
}

static bool
read_decoder(MgCtx *cx, const MgJson *root, const MgTokenizerSpec *spec)
{
	const MgJson *part;
	MgSpan prefix = mg_span_of("##");
	bool cleanup = true;

	if (!find_part(cx, root, "decoder", "WordPiece", NULL, &part) ||
		!mg_json_get_string(cx, FILE_NAME, part, "prefix", &prefix) ||
		!mg_json_get_bool(cx, FILE_NAME, part, "cleanup", &cleanup))
		return false;
	if (!cleanup)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer decoder without cleanup is not supported");
	if (!mg_span_equal(prefix, spec->continuation))
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer decoder has prefix \"%.*s\", the model \"%.*s\"",
					   MG_SPAN_ARGS(prefix), MG_SPAN_ARGS(spec->continuation));
	return true;
}

/* An id that must be one of the table's. */
static bool
read_id(MgCtx *cx, const MgTokenTable *table, const MgJson *value, int32_t *id)
{
	if (value == NULL || value->kind != MG_JSON_INTEGER || value->integer < 0 ||
		(uint64_t) value->integer >= table->n || table->tokens[value->integer].size == 0)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer post_processor in file \"%s\" names a token that does not exist",
					   FILE_NAME);
	*id = (int32_t) value->integer;
	return true;
}

/* ["[SEP]", 102] */
static bool
read_pair(MgCtx *cx, const MgTokenTable *table, const MgJson *part, const char *key, int32_t *id)
{
	const MgJson *pair = mg_json_get(part, key);

	if (pair == NULL || pair->kind != MG_JSON_ARRAY || pair->n != 2)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer post_processor in file \"%s\" has no \"%s\"", FILE_NAME, key);
	return read_id(cx, table, &pair->items[1], id);
}

/* The name in a template's piece, {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, if it is of that kind and type 0. */
static const MgJson *
template_id(const MgJson *piece, const char *kind)
{
	const MgJson *value = mg_json_get(piece, kind);
	const MgJson *id = mg_json_get(value, "id");
	const MgJson *type = mg_json_get(value, "type_id");

	if (id == NULL || id->kind != MG_JSON_STRING || type == NULL || type->kind != MG_JSON_INTEGER || type->integer != 0)
		return NULL;
	return id;
}

/* A special token of the template, through the table of ids that goes with it. */
static bool
read_template_token(MgCtx *cx, const MgTokenTable *table, const MgJson *part, const MgJson *name, int32_t *id)
{
	const MgJson *special = mg_json_get(part, "special_tokens");
	const MgJson *ids = mg_json_get(mg_json_get(special, (const char *) name->string.data), "ids");

	if (ids == NULL || ids->kind != MG_JSON_ARRAY || ids->n != 1)
	{
		mg_fail(cx, MG_UNSUPPORTED, "tokenizer template without one id for \"%.*s\" is not supported",
				MG_SPAN_ARGS(name->string));
		return false;
	}
	return read_id(cx, table, &ids->items[0], id);
}

static bool
read_post_processor(MgCtx *cx, const MgJson *root, const MgTokenTable *table, MgTokenizerSpec *spec)
{
	const MgJson *part, *single, *classify, *sequence, *separate;

	if (!find_part(cx, root, "post_processor", "TemplateProcessing", "BertProcessing", &part))
		return false;
	if (mg_span_is(mg_json_get(part, "type")->string, "BertProcessing"))
		return read_pair(cx, table, part, "cls", &spec->classify) && read_pair(cx, table, part, "sep", &spec->separate);

	single = mg_json_get(part, "single");
	if (single == NULL || single->kind != MG_JSON_ARRAY)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer template in file \"%s\" is missing", FILE_NAME);
	classify = single->n == 3 ? template_id(&single->items[0], "SpecialToken") : NULL;
	sequence = single->n == 3 ? template_id(&single->items[1], "Sequence") : NULL;
	separate = single->n == 3 ? template_id(&single->items[2], "SpecialToken") : NULL;
	if (classify == NULL || sequence == NULL || separate == NULL || !mg_span_is(sequence->string, "A"))
	{
		mg_fail(cx, MG_UNSUPPORTED, "tokenizer template for one sequence is not supported");
		return mg_hint(cx, "Supported: a special token, the sequence, a special token, all of type 0.");
	}
	return read_template_token(cx, table, part, classify, &spec->classify) &&
		   read_template_token(cx, table, part, separate, &spec->separate);
}

bool
mg_tokenizer_json_read(MgCtx *cx, MgSpan text, MgTokenTable *table, MgTokenizerSpec *spec)
{
	const MgJson *root = mg_json_parse(cx, FILE_NAME, text);
	const MgJson *part;

	return root != NULL && read_model(cx, root, table, spec) && read_normalizer(cx, root, spec) &&
		   find_part(cx, root, "pre_tokenizer", "BertPreTokenizer", NULL, &part) &&
		   read_post_processor(cx, root, table, spec) && read_decoder(cx, root, spec) &&
		   mg_json_get_size(cx, FILE_NAME, mg_json_get(root, "truncation"), "max_length", 1, SIZE_MAX,
							&spec->max_tokens);
}
