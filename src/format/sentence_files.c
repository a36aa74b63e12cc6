/*
 * sentence-transformers' files. What its versions write differs:
 *
 *   modules.json    types are "sentence_transformers.models.Pooling" up to 4,
 *                   longer paths since: the last word counts
 *   pooling         pooling_mode_mean_tokens, pooling_mode_cls_token ... as
 *                   booleans, or since 5 one "pooling_mode": "mean"
 *   max_seq_length  in sentence_bert_config.json, or since 5 nowhere but as
 *                   model_max_length of tokenizer_config.json
 *
 * Two things that it does on its own are left to the caller and noted when a
 * model asks for them: lowercasing before tokenisation, and a default prompt.
 */
#include "format/sentence_files.h"

#include "format/json.h"

#define FILE_LIMIT ((size_t) 1024 * 1024)
#define MAX_MODULES 16
#define MAX_PROMPTS 1000
#define LONGEST_SEQUENCE 1048576

#define MODULES "modules.json"
#define TRANSFORMER "sentence_bert_config.json"
#define PROMPTS "config_sentence_transformers.json"

static const char *const pooling_names[] = {"none", "mean", "cls", "max", "last", "weighted_mean", "mean_sqrt_len"};

/* Pooling modes by their two names. */
static const struct
{
	const char *key;  /* of a boolean */
	const char *name; /* as "pooling_mode" */
	MgPooling pooling;
} modes[] = {
	{"pooling_mode_mean_tokens", "mean", MG_POOL_MEAN},
	{"pooling_mode_cls_token", "cls", MG_POOL_CLS},
	{"pooling_mode_max_tokens", "max", MG_POOL_MAX},
	{"pooling_mode_lasttoken", "lasttoken", MG_POOL_LAST},
	{"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", MG_POOL_MEAN_SQRT},
	{"pooling_mode_weightedmean_tokens", "weightedmean", MG_POOL_WEIGHTED_MEAN},
};

#define N_MODES (sizeof modes / sizeof modes[0])

MgPooling
mg_pooling_of_name(MgSpan name)
{
	for (int i = MG_POOL_MEAN; i <= MG_POOL_MEAN_SQRT; i++)
	{
		if (mg_span_is(name, pooling_names[i]))
			return (MgPooling) i;
	}
	return MG_POOL_NONE;
}

const char *
mg_pooling_name(MgPooling pooling)
{
	return (unsigned) pooling <= MG_POOL_MEAN_SQRT ? pooling_names[pooling] : "unknown";
}

/* A document of that kind, or NULL in *root when there is no such file. */
static bool
read_json(MgCtx *cx, const MgFiles *files, const char *name, MgJsonKind kind, const MgJson **root)
{
	MgSource source;
	MgSpan text;
	bool found;

	*root = NULL;
	if (!mg_files_open(cx, files, name, &source, &found))
		return false;
	if (!found)
		return true;
	if (!mg_source_read_all(cx, &source, name, FILE_LIMIT, &text))
		return false;
	*root = mg_json_parse(cx, name, text);
	if (*root == NULL)
		return false;
	return (*root)->kind == kind ||
		   mg_fail(cx, MG_BAD_FILE, "file \"%s\" is not an %s", name, kind == MG_JSON_ARRAY ? "array" : "object");
}

/* The one mode that is on, among the booleans of versions up to 4; without any of them it is the mean. */
static bool
read_boolean_modes(MgCtx *cx, const char *name, const MgJson *config, size_t *mode)
{
	size_t n_said = 0, n_on = 0;

	*mode = 0;
	for (size_t i = 0; i < N_MODES; i++)
	{
		bool on = false;

		if (!mg_json_get_bool(cx, name, config, modes[i].key, &on))
			return false;
		n_said += mg_json_get(config, modes[i].key) != NULL;
		n_on += on;
		if (on)
			*mode = i;
	}
	if (n_on == 1 || n_said == 0)
		return true;
	mg_fail(cx, n_on == 0 ? MG_BAD_FILE : MG_UNSUPPORTED, "file \"%s\" has %zu pooling modes, expected 1", name, n_on);
	return mg_hint(cx, "Vectors of several modes put end to end are not supported.");
}

static bool
read_named_mode(MgCtx *cx, const char *name, const MgJson *value, size_t *mode)
{
	if (value->kind == MG_JSON_ARRAY && value->n == 1)
		value = &value->items[0];
	if (value->kind != MG_JSON_STRING)
		return mg_fail(cx, MG_UNSUPPORTED, "\"pooling_mode\" in file \"%s\" is not one name", name);
	for (size_t i = 0; i < N_MODES; i++)
	{
		if (mg_span_is(value->string, modes[i].name))
		{
			*mode = i;
			return true;
		}
	}
	return mg_fail(cx, MG_UNSUPPORTED, "pooling mode \"%.*s\" is not supported", MG_SPAN_ARGS(value->string));
}

static bool
read_pooling(MgCtx *cx, const char *name, const MgJson *config, MgSentenceFacts *facts)
{
	const MgJson *named = mg_json_get(config, "pooling_mode");
	bool include_prompt = true;
	size_t mode = 0;

	if (!(named != NULL ? read_named_mode(cx, name, named, &mode) : read_boolean_modes(cx, name, config, &mode)) ||
		!mg_json_get_bool(cx, name, config, "include_prompt", &include_prompt))
		return false;
	if (!include_prompt)
		return mg_fail(cx, MG_UNSUPPORTED, "pooling that leaves the prompt out is not supported");
	facts->pooling = modes[mode].pooling;
	return true;
}

/* "1_Pooling" to "1_Pooling/config.json"; the caller opens what it is told to, so a path must not lead out. */
static char *
config_path(MgCtx *cx, MgSpan path)
{
	static const char tail[] = "/config.json";
	char *folder = mg_copy_text(cx, path);
	char *name;

	if (folder == NULL)
		return NULL;
	if (folder[0] == '/' || strstr(folder, "..") != NULL || strchr(folder, '\\') != NULL)
	{
		mg_fail(cx, MG_BAD_FILE, "file \"%s\" names a folder outside of its directory", MODULES);
		mg_detail(cx, "The name is \"%.*s\".", MG_SPAN_ARGS(path));
		return NULL;
	}
	if (path.size == 0)
		return mg_copy_text(cx, mg_span_of(tail + 1));
	name = mg_alloc(cx, path.size + sizeof tail);
	if (name == NULL)
		return NULL;
	memcpy(name, path.data, path.size);
	memcpy(name + path.size, tail, sizeof tail);
	return name;
}

static bool
open_pooling(MgCtx *cx, const MgFiles *files, MgSpan path, MgSentenceFacts *facts)
{
	const char *name = config_path(cx, path);
	const MgJson *config;

	if (name == NULL || !read_json(cx, files, name, MG_JSON_OBJECT, &config))
		return false;
	if (config == NULL)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" is missing", name);
	return read_pooling(cx, name, config, facts);
}

static bool
fail_module(MgCtx *cx, MgSpan type, const char *why)
{
	mg_fail(cx, MG_UNSUPPORTED, "sentence-transformers module \"%.*s\" %s", MG_SPAN_ARGS(type), why);
	return mg_hint(cx, "Supported: Transformer, then Pooling, then Normalize or nothing.");
}

/* The last word of "sentence_transformers.models.Pooling". */
static MgSpan
last_word(MgSpan type)
{
	for (size_t i = type.size; i > 0; i--)
	{
		if (type.data[i - 1] == '.')
			return mg_span(type.data + i, type.size - i);
	}
	return type;
}

/* The module that is number i of the list. */
static bool
read_module(MgCtx *cx, const MgFiles *files, size_t i, const MgJson *module, MgSentenceFacts *facts)
{
	static const char *const order[] = {"Transformer", "Pooling", "Normalize"};
	MgSpan type = {NULL, 0}, path = {NULL, 0}, word;
	size_t place = 0;

	if (!mg_json_get_string(cx, MODULES, module, "type", &type) ||
		!mg_json_get_string(cx, MODULES, module, "path", &path))
		return false;
	word = last_word(type);
	while (place < 3 && !mg_span_is(word, order[place]))
		place++;
	if (word.size == 0)
		return mg_fail(cx, MG_BAD_FILE, "module %zu in file \"%s\" has no type", i, MODULES);
	if (place == 3)
		return fail_module(cx, word, "is not supported");
	if (place != i)
		return fail_module(cx, word, "is not supported in this place");
	if (place == 0 && path.size > 0)
	{
		mg_fail(cx, MG_UNSUPPORTED, "a Transformer module in a folder of its own is not supported");
		mg_detail(cx, "The folder is \"%.*s\".", MG_SPAN_ARGS(path));
		return mg_hint(cx, "Move that folder's files up, and set its path to \"\" in file \"%s\".", MODULES);
	}
	facts->normalize = facts->normalize || place == 2;
	return place != 1 || open_pooling(cx, files, path, facts);
}

static bool
read_transformer(MgCtx *cx, const MgFiles *files, MgSentenceFacts *facts)
{
	const MgJson *config;
	MgSpan task = mg_span_of("feature-extraction");
	bool lowercase = false;

	if (!read_json(cx, files, TRANSFORMER, MG_JSON_OBJECT, &config) ||
		!mg_json_get_size(cx, TRANSFORMER, config, "max_seq_length", 1, LONGEST_SEQUENCE, &facts->max_tokens) ||
		!mg_json_get_bool(cx, TRANSFORMER, config, "do_lower_case", &lowercase) ||
		!mg_json_get_string(cx, TRANSFORMER, config, "transformer_task", &task))
		return false;
	if (!mg_span_is(task, "feature-extraction"))
		return mg_fail(cx, MG_UNSUPPORTED, "sentence-transformers task \"%.*s\" is not supported", MG_SPAN_ARGS(task));
	if (lowercase)
		mg_note(cx, "file \"%s\" asks for text in lower case; the tokenizer's own setting is followed", TRANSFORMER);
	return true;
}

static bool
read_prompts(MgCtx *cx, const MgFiles *files, MgSentenceFacts *facts)
{
	const MgJson *config, *prompts;
	MgSpan by_default = {NULL, 0};
	MgPrompt *items;

	if (!read_json(cx, files, PROMPTS, MG_JSON_OBJECT, &config) ||
		!mg_json_get_string(cx, PROMPTS, config, "default_prompt_name", &by_default))
		return false;
	if (by_default.size > 0)
		mg_note(cx, "prompt \"%.*s\", a default in sentence-transformers, is used only where it is asked for",
				MG_SPAN_ARGS(by_default));
	prompts = mg_json_get(config, "prompts");
	if (prompts == NULL)
		return true;
	if (prompts->kind != MG_JSON_OBJECT || prompts->n > MAX_PROMPTS)
		return mg_fail(cx, MG_BAD_FILE, "\"prompts\" in file \"%s\" is not an object of at most %d members", PROMPTS,
					   MAX_PROMPTS);
	items = mg_alloc_array(cx, prompts->n, sizeof *items);
	if (items == NULL)
		return false;
	for (size_t i = 0; i < prompts->n; i++)
	{
		if (prompts->items[i].kind != MG_JSON_STRING)
			return mg_fail(cx, MG_BAD_FILE, "prompt \"%.*s\" in file \"%s\" is not a string",
						   MG_SPAN_ARGS(prompts->keys[i]), PROMPTS);
		items[i] = (MgPrompt){prompts->keys[i], prompts->items[i].string};
	}
	facts->n_prompts = prompts->n;
	facts->prompts = items;
	return true;
}

bool
mg_sentence_files_read(MgCtx *cx, const MgFiles *files, MgSentenceFacts *facts)
{
	const MgJson *modules;

	memset(facts, 0, sizeof *facts);
	if (!read_json(cx, files, MODULES, MG_JSON_ARRAY, &modules))
		return false;
	if (modules == NULL)
		return true;
	facts->present = true;
	if (modules->n == 0 || modules->n > MAX_MODULES)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has %u modules, expected 1 to %d", MODULES, modules->n,
					   MAX_MODULES);
	for (size_t i = 0; i < modules->n; i++)
	{
		if (!read_module(cx, files, i, &modules->items[i], facts))
			return false;
	}
	return read_transformer(cx, files, facts) && read_prompts(cx, files, facts);
}
