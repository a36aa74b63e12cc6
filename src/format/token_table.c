/* The gathering of a vocabulary, and what all of its files have in common. */
#include "format/token_table.h"

bool
mg_token_table_init(MgCtx *cx, const char *file, size_t n, MgTokenTable *table)
{
	if (n > MG_MAX_TOKEN_IDS)
	{
		mg_fail(cx, MG_TOO_LARGE, "vocabulary of file \"%s\" is too large", file);
		return mg_detail(cx, "It has token ids up to %zu; at most %d are supported.", n - 1, MG_MAX_TOKEN_IDS - 1);
	}
	table->file = file;
	table->n = n;
	table->tokens = mg_alloc_zeroed(cx, n, sizeof *table->tokens);
	table->flags = mg_alloc_zeroed(cx, n, sizeof *table->flags);
	return table->tokens != NULL && table->flags != NULL;
}

bool
mg_token_table_put(MgCtx *cx, MgTokenTable *table, size_t id, MgSpan token)
{
	if (id >= table->n)
		return mg_fail(cx, MG_BAD_FILE, "token \"%.*s\" in file \"%s\" has id %zu of %zu", MG_SPAN_ARGS(token),
					   table->file, id, table->n);
	if (table->tokens[id].size > 0)
		return mg_fail(cx, MG_BAD_FILE, "tokens \"%.*s\" and \"%.*s\" in file \"%s\" both have id %zu",
					   MG_SPAN_ARGS(table->tokens[id]), MG_SPAN_ARGS(token), table->file, id);
	table->tokens[id] = token;
	return true;
}

bool
mg_token_flags(MgCtx *cx, const char *file, const MgJson *token, bool special, uint8_t *flags)
{
	bool normalized, lstrip = false, rstrip = false, single_word = false;

	if (!mg_json_get_bool(cx, file, token, "special", &special))
		return false;
	normalized = !special;
	if (!mg_json_get_bool(cx, file, token, "normalized", &normalized) ||
		!mg_json_get_bool(cx, file, token, "lstrip", &lstrip) ||
		!mg_json_get_bool(cx, file, token, "rstrip", &rstrip) ||
		!mg_json_get_bool(cx, file, token, "single_word", &single_word))
		return false;
	*flags = MG_TOKEN_ADDED;
	*flags |= special ? MG_TOKEN_SPECIAL : 0;
	*flags |= lstrip ? MG_TOKEN_LSTRIP : 0;
	*flags |= rstrip ? MG_TOKEN_RSTRIP : 0;
	*flags |= single_word ? MG_TOKEN_SINGLE_WORD : 0;
	*flags |= normalized ? MG_TOKEN_NORMALIZED : 0;
	return true;
}

bool
mg_token_table_add(MgCtx *cx, MgTokenTable *table, size_t id, const MgJson *token)
{
	MgSpan content = {NULL, 0};

	if (!mg_json_get_string(cx, table->file, token, "content", &content))
		return false;
	if (content.size == 0)
		return mg_fail(cx, MG_BAD_FILE, "added token %zu in file \"%s\" has no content", id, table->file);
	if ((id >= table->n || !mg_span_equal(table->tokens[id], content)) &&
		!mg_token_table_put(cx, table, id, content))
		return false;
	return mg_token_flags(cx, table->file, token, false, &table->flags[id]);
}

int32_t
mg_token_table_find(const MgTokenTable *table, MgSpan token)
{
	if (token.size == 0)
		return -1;
	for (size_t id = 0; id < table->n; id++)
	{
		if (mg_span_equal(table->tokens[id], token))
			return (int32_t) id;
	}
	return -1;
}

bool
mg_token_table_require(MgCtx *cx, const MgTokenTable *table, MgSpan token, int32_t *id)
{
	*id = mg_token_table_find(table, token);
	return *id >= 0 || mg_fail(cx, MG_BAD_FILE, "token \"%.*s\" is not in the vocabulary of file \"%s\"",
							   MG_SPAN_ARGS(token), table->file);
}

void
mg_token_table_finish(const MgTokenTable *table, MgTokenizerSpec *spec)
{
	spec->n_tokens = table->n;
	spec->tokens = table->tokens;
	spec->flags = table->flags;
}

bool
mg_special_token(MgCtx *cx, const MgTokenizerConfig *files, const char *key, MgSpan *text, const MgJson **object)
{
	const char *file = "tokenizer_config.json";
	const MgJson *value = mg_json_get(files->config, key);

	*object = NULL;
	if (value == NULL)
	{
		file = "special_tokens_map.json";
		value = mg_json_get(files->special_map, key);
	}
	if (value == NULL)
		return true;
	if (value->kind == MG_JSON_STRING)
	{
		*text = value->string;
		return true;
	}
	if (value->kind != MG_JSON_OBJECT || mg_json_get(value, "content") == NULL)
		return mg_fail(cx, MG_BAD_FILE, "\"%s\" in file \"%s\" is neither a string nor a token", key, file);
	*object = value;
	return mg_json_get_string(cx, file, value, "content", text);
}
