/*
 * Finds the tokeniser's files and settles what they say together.
 *
 * The longest sequence is model_max_length of tokenizer_config.json; only
 * where that says nothing, truncation of tokenizer.json, since that is what
 * somebody set when the file was saved (all-MiniLM-L6-v2: 512 and 128) and
 * transformers overrides it on each call.
 */
#include "format/tokenizer_files.h"

#include "format/sentencepiece.h"

#define VOCABULARY_LIMIT ((size_t) 64 * 1024 * 1024)
#define CONFIG_LIMIT ((size_t) 16 * 1024 * 1024)

/* Lengths above are no limit but a way to say that there is none, such as 1e30. */
#define LONGEST_SEQUENCE 1048576

/* A file's bytes, if it is there. */
static bool
read_file(MgCtx *cx, const MgFiles *files, const char *name, size_t limit, MgSpan *text, bool *found)
{
	MgSource source;

	return mg_files_open(cx, files, name, &source, found) &&
		   (!*found || mg_source_read_all(cx, &source, name, limit, text));
}

/* A JSON object, if the file is there. */
static bool
read_object(MgCtx *cx, const MgFiles *files, const char *name, const MgJson **object)
{
	MgSpan text;
	bool found;

	*object = NULL;
	if (!read_file(cx, files, name, CONFIG_LIMIT, &text, &found))
		return false;
	if (!found)
		return true;
	*object = mg_json_parse(cx, name, text);
	if (*object == NULL)
		return false;
	return (*object)->kind == MG_JSON_OBJECT || mg_fail(cx, MG_BAD_FILE, "file \"%s\" is not an object", name);
}

/* Tokens of the old added_tokens.json have ids beyond vocab.txt, but no flags to find them by. */
static bool
refuse_added_tokens(MgCtx *cx, const MgFiles *files)
{
	const MgJson *added;

	if (!read_object(cx, files, "added_tokens.json", &added))
		return false;
	if (added == NULL || added->n == 0)
		return true;
	mg_fail(cx, MG_UNSUPPORTED, "file \"added_tokens.json\" is not supported beside file \"vocab.txt\"");
	return mg_hint(cx, "Save the tokenizer as tokenizer.json, with a fast tokenizer of transformers for example.");
}

static bool
read_vocabulary(MgCtx *cx, const MgFiles *files, const MgTokenizerConfig *config, MgTokenTable *table,
				MgTokenizerSpec *spec)
{
	MgSpan text;
	bool found;

	if (!read_file(cx, files, "tokenizer.json", VOCABULARY_LIMIT, &text, &found))
		return false;
	if (found)
		return mg_tokenizer_json_read(cx, text, table, spec);
	for (const char *const *name = mg_sentencepiece_files; *name != NULL; name++)
	{
		if (!read_file(cx, files, *name, VOCABULARY_LIMIT, &text, &found))
			return false;
		if (found)
			return refuse_added_tokens(cx, files) && mg_sentencepiece_read(cx, *name, text, config, table, spec);
	}
	if (!read_file(cx, files, "vocab.txt", VOCABULARY_LIMIT, &text, &found))
		return false;
	if (!found)
	{
		mg_fail(cx, MG_BAD_FILE, "file \"tokenizer.json\" is missing");
		return mg_detail(cx, "There is no file \"vocab.txt\", \"tokenizer.model\" or \"spiece.model\" either.");
	}
	return refuse_added_tokens(cx, files) && mg_vocab_txt_read(cx, text, config, table, spec);
}

static bool
read_max_tokens(MgCtx *cx, const MgJson *config, MgTokenizerSpec *spec)
{
	const MgJson *value = mg_json_get(config, "model_max_length");

	if (value != NULL)
	{
		if ((value->kind != MG_JSON_INTEGER && value->kind != MG_JSON_REAL) || value->real < 1)
			return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has a \"model_max_length\" that is not a positive number",
						   "tokenizer_config.json");
		if (value->real <= LONGEST_SEQUENCE)
			spec->max_tokens = (size_t) value->real;
	}
	if (spec->max_tokens > LONGEST_SEQUENCE)
		spec->max_tokens = 0;
	return true;
}

static bool
find_special(MgCtx *cx, const MgTokenizerConfig *config, const char *key, const char *name, const MgTokenTable *table,
			 int32_t *id)
{
	MgSpan token = mg_span_of(name);
	const MgJson *object;

	if (!mg_special_token(cx, config, key, &token, &object))
		return false;
	*id = mg_token_table_find(table, token);
	return true;
}

bool
mg_tokenizer_files_read(MgCtx *cx, const MgFiles *files, MgTokenizerSpec *spec)
{
	MgTokenizerConfig config;
	MgTokenTable table = {0};

	memset(spec, 0, sizeof *spec);
	spec->unknown = spec->pad = spec->mask = -1;
	if (!read_object(cx, files, "tokenizer_config.json", &config.config) ||
		!read_object(cx, files, "special_tokens_map.json", &config.special_map) ||
		!read_vocabulary(cx, files, &config, &table, spec) ||
		!find_special(cx, &config, "pad_token", "[PAD]", &table, &spec->pad) ||
		!find_special(cx, &config, "mask_token", "[MASK]", &table, &spec->mask) ||
		!read_max_tokens(cx, config.config, spec))
		return false;
	mg_token_table_finish(&table, spec);
	return true;
}
