/*
 * vocab.txt: a token a line, its id the number of the line from 0, as Google's
 * BERT had it. All else stands in tokenizer_config.json, where the defaults are
 * those of BertTokenizer. A line may end in CR LF; an empty line is a hole.
 *
 * The special tokens are found in text as they stand; tokens that were added
 * to the vocabulary later stand in the configuration's added_tokens_decoder.
 */
#include "format/token_table.h"
#include "text/utf8.h"

#define FILE_NAME "vocab.txt"
#define CONFIG_NAME "tokenizer_config.json"
#define POLL_STEP 4096

/* What reads vocab.txt in the way above, with or without "Fast" behind it. Japanese BERT, for one, does not. */
static const char *const classes[] = {
	"BertTokenizer",	   "DistilBertTokenizer", "ElectraTokenizer",	  "MobileBertTokenizer",
	"ConvBertTokenizer",   "LayoutLMTokenizer",	  "RetriBertTokenizer",	  "SqueezeBertTokenizer",
	"LxmertTokenizer",	   "PreTrainedTokenizer",
};

static bool
check_class(MgCtx *cx, const MgJson *config)
{
	MgSpan name = mg_span_of(classes[0]);
	MgSpan base;
	bool basic = true;
	const MgJson *never_split = mg_json_get(config, "never_split");

	if (!mg_json_get_string(cx, CONFIG_NAME, config, "tokenizer_class", &name) ||
		!mg_json_get_bool(cx, CONFIG_NAME, config, "do_basic_tokenize", &basic))
		return false;
	if (!basic || (never_split != NULL && never_split->n > 0))
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer option \"%s\" is not supported with file \"%s\"",
					   basic ? "never_split" : "do_basic_tokenize", FILE_NAME);
	base = name;
	if (base.size > 4 && memcmp(base.data + base.size - 4, "Fast", 4) == 0)
		base.size -= 4;
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
	{
		if (mg_span_is(base, classes[i]))
			return true;
	}
	mg_fail(cx, MG_UNSUPPORTED, "tokenizer class \"%.*s\" is not supported with file \"%s\"", MG_SPAN_ARGS(name),
			FILE_NAME);
	return mg_hint(cx, "Save the tokenizer as tokenizer.json, with a fast tokenizer of transformers for example.");
}

static MgSpan
read_line(MgSpan text, size_t *position)
{
	const uint8_t *start = text.data + *position;
	size_t left = text.size - *position;
	const uint8_t *newline = memchr(start, '\n', left);
	size_t size = newline != NULL ? (size_t) (newline - start) : left;

	*position += size + (newline != NULL);
	if (size > 0 && start[size - 1] == '\r')
		size--;
	return mg_span(start, size);
}

/* "30522", a key of added_tokens_decoder. */
static bool
read_key(MgCtx *cx, MgSpan key, size_t *id)
{
	size_t value = 0;

	for (size_t i = 0; i < key.size; i++)
	{
		if (key.data[i] < '0' || key.data[i] > '9' || i == 8)
			return mg_fail(cx, MG_BAD_FILE, "added_tokens_decoder in file \"%s\" has key \"%.*s\", expected an id",
						   CONFIG_NAME, MG_SPAN_ARGS(key));
		value = 10 * value + (size_t) (key.data[i] - '0');
	}
	*id = value;
	return true;
}

static bool
read_lines(MgCtx *cx, MgSpan text, const MgJson *added, MgTokenTable *table)
{
	size_t n_lines = 0, position = 0, n, id;

	for (; position < text.size; n_lines++)
	{
		if (n_lines % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		read_line(text, &position);
	}
	n = n_lines;
	for (size_t i = 0; added != NULL && i < added->n; i++)
	{
		if (!read_key(cx, added->keys[i], &id))
			return false;
		if (id >= n)
			n = id + 1;
	}
	if (!mg_token_table_init(cx, FILE_NAME, n, table))
		return false;
	position = 0;
	for (size_t line = 0; line < n_lines; line++)
	{
		if ((line % POLL_STEP == 0 && !mg_poll(cx)) ||
			!mg_token_table_put(cx, table, line, read_line(text, &position)))
			return false;
	}
	for (size_t i = 0; added != NULL && i < added->n; i++)
	{
		if (!read_key(cx, added->keys[i], &id) || !mg_token_table_add(cx, table, id, &added->items[i]))
			return false;
	}
	return true;
}

/* One special token: its id, and its flags unless added_tokens_decoder gave them; -1 when it need not exist. */
static bool
read_special(MgCtx *cx, const MgTokenizerConfig *files, const char *key, const char *name, MgTokenTable *table,
			 int32_t *id)
{
	MgSpan token = mg_span_of(name);
	const MgJson *object;

	if (!mg_special_token(cx, files, key, &token, &object))
		return false;
	*id = mg_token_table_find(table, token);
	if (*id < 0)
		return true;
	if (table->flags[*id] != 0)
		return true;
	table->flags[*id] = MG_TOKEN_ADDED | MG_TOKEN_SPECIAL;
	return object == NULL || mg_token_flags(cx, CONFIG_NAME, object, true, &table->flags[*id]);
}

static bool
check_text(MgCtx *cx, MgSpan text)
{
	size_t bad = mg_utf8_check(text);

	if (bad < text.size)
	{
		mg_fail(cx, MG_BAD_FILE, "file \"%s\" is not valid UTF-8", FILE_NAME);
		return mg_detail(cx, "Byte %zu does not continue a character.", bad);
	}
	if (text.size > 0 && memchr(text.data, 0, text.size) != NULL)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has a zero byte", FILE_NAME);
	return true;
}

bool
mg_vocab_txt_read(MgCtx *cx, MgSpan text, const MgTokenizerConfig *files, MgTokenTable *table, MgTokenizerSpec *spec)
{
	const MgJson *config = files->config;
	const MgJson *added = mg_json_get(config, "added_tokens_decoder");
	int32_t unused, classify, separate;

	if (!check_class(cx, config) || !check_text(cx, text))
		return false;
	if (added != NULL && added->kind != MG_JSON_OBJECT)
		return mg_fail(cx, MG_BAD_FILE, "\"added_tokens_decoder\" in file \"%s\" is not an object", CONFIG_NAME);
	spec->kind = MG_WORDPIECE;
	spec->pre = MG_PRE_BERT;
	spec->decoder = MG_DECODE_WORDPIECE;
	spec->continuation = mg_span_of("##");
	spec->max_word_chars = 100;
	spec->clean_text = spec->chinese_chars = spec->lowercase = true;
	if (!mg_json_get_bool(cx, CONFIG_NAME, config, "do_lower_case", &spec->lowercase) ||
		!mg_json_get_bool(cx, CONFIG_NAME, config, "tokenize_chinese_chars", &spec->chinese_chars))
		return false;
	spec->strip_accents = spec->lowercase;
	if (!mg_json_get_bool(cx, CONFIG_NAME, config, "strip_accents", &spec->strip_accents) ||
		!read_lines(cx, text, added, table))
		return false;
	if (!read_special(cx, files, "unk_token", "[UNK]", table, &spec->unknown) ||
		!read_special(cx, files, "cls_token", "[CLS]", table, &classify) ||
		!read_special(cx, files, "sep_token", "[SEP]", table, &separate) ||
		!read_special(cx, files, "pad_token", "[PAD]", table, &unused) ||
		!read_special(cx, files, "mask_token", "[MASK]", table, &unused))
		return false;
	if (spec->unknown < 0 || classify < 0 || separate < 0)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has no %s token", FILE_NAME,
					   spec->unknown < 0 ? "unknown" : classify < 0 ? "classification" : "separator");
	spec->wrapping = mg_wrapping_of_bert(classify, separate);
	return true;
}
