/*
 * A Hugging Face directory as a checkpoint:
 *
 *   config.json                                   architecture, configuration
 *   model.safetensors or pytorch_model.bin        tensors (format/tensors.h)
 *   tokenizer.json or vocab.txt, and others       tokeniser (format/tokenizer_files.h)
 *   generation_config.json, chat_template.jinja    how answers are drawn; how turns of a chat are written
 *   modules.json, 1_Pooling/config.json ...       pooling, prompts (format/sentence_files.h)
 */
#include <stdio.h>

#include "format/json.h"
#include "format/tokenizer_files.h"
#include "model/adapter.h"
#include "model/facts.h"
#include "template/template.h"

#define GENERATION "generation_config.json"
#define TEMPLATE "chat_template.jinja"
#define TOKENIZER_CONFIG "tokenizer_config.json"
#define CONFIG_LIMIT ((size_t) 4 * 1024 * 1024)

static const MgJson *
read_config(MgCtx *cx, const MgFiles *files)
{
	MgSource source;
	MgSpan text;
	bool found;

	if (!mg_files_open(cx, files, MG_CONFIG_FILE, &source, &found))
		return NULL;
	if (!found)
	{
		mg_fail(cx, MG_BAD_FILE, "file \"config.json\" does not exist");
		mg_hint(cx, "A model is a directory with config.json, model.safetensors or pytorch_model.bin, and tokenizer.json or vocab.txt; or the path of a GGUF file.");
		return NULL;
	}
	if (!mg_source_read_all(cx, &source, MG_CONFIG_FILE, CONFIG_LIMIT, &text))
		return NULL;
	return mg_json_parse(cx, MG_CONFIG_FILE, text);
}

static const MgClass *
find_class(const MgArch *arch, MgSpan name)
{
	for (const MgClass *class = arch->classes; class->name != NULL; class++)
		if (mg_span_is(name, class->name))
			return class;
	return NULL;
}

/* Finds the architecture by config.json's "architectures", or by "model_type" where that list is missing. */
static bool
find_arch(MgCtx *cx, const MgJson *config, MgFacts *facts)
{
	const MgJson *classes = mg_json_get(config, "architectures");
	MgSpan name = {NULL, 0};

	if (classes != NULL && classes->kind == MG_JSON_ARRAY && classes->n > 0 && classes->items[0].kind == MG_JSON_STRING)
	{
		name = classes->items[0].string;
		for (const MgArch *const *arch = mg_arches; *arch != NULL && facts->class == NULL; arch++)
		{
			facts->class = find_class(*arch, name);
			facts->arch = facts->class != NULL ? *arch : NULL;
		}
	}
	else
	{
		if (!mg_json_get_string(cx, MG_CONFIG_FILE, config, "model_type", &name))
			return false;
		facts->arch = mg_arch_find(name);
	}
	if (facts->arch != NULL)
		return true;
	if (name.size == 0)
		return mg_fail(cx, MG_BAD_FILE, "file \"config.json\" does not name an architecture");

	char known[MG_MESSAGE_SIZE] = "";
	size_t length = 0;

	for (const MgArch *const *arch = mg_arches; *arch != NULL; arch++)
		for (const MgClass *class = (*arch)->classes; class->name != NULL && length < sizeof known; class++)
			length += (size_t) snprintf(known + length, sizeof known - length, "%s%s", length > 0 ? ", " : "", class->name);
	mg_fail(cx, MG_UNSUPPORTED, "architecture \"%.*s\" is not supported", MG_SPAN_ARGS(name));
	return mg_hint(cx, "Supported are: %s.", known);
}

/* A text file, if it is there. */
static bool
read_text(MgCtx *cx, const MgFiles *files, const char *name, MgSpan *text)
{
	MgSource source;
	bool found;

	*text = mg_span(NULL, 0);
	return mg_files_open(cx, files, name, &source, &found) &&
		(!found || mg_source_read_all(cx, &source, name, CONFIG_LIMIT, text));
}

/* The defaults of generation; where no file has them, the ends of config.json. */
static bool
read_generation(MgCtx *cx, const MgFiles *files, const MgJson *config, MgSpan *generation)
{
	const MgJson *ends = mg_json_get(config, "eos_token_id");
	char *text;

	if (!read_text(cx, files, GENERATION, generation))
		return false;
	if (generation->size > 0)
		return mg_json_parse(cx, GENERATION, *generation) != NULL;
	if (ends == NULL || ends->kind != MG_JSON_INTEGER)
		return true;
	text = mg_alloc(cx, 64);
	if (text == NULL)
		return false;
	snprintf(text, 64, "{\"eos_token_id\": %lld}", (long long) ends->integer);
	*generation = mg_span_of(text);
	return true;
}

/* A token as a string, or as an object with its "content"; empty without one. */
static MgSpan
token_of(const MgJson *config, const char *key)
{
	const MgJson *token = mg_json_get(config, key);

	if (token != NULL && token->kind == MG_JSON_OBJECT)
		token = mg_json_get(token, "content");
	return token != NULL && token->kind == MG_JSON_STRING ? token->string : mg_span(NULL, 0);
}

/* The template of chats, by a file of its own or by the tokeniser's; of several the one called default. */
static bool
read_chat_template(MgCtx *cx, const MgFiles *files, MgSpan *template)
{
	const MgJson *config, *value;
	MgSpan text;

	if (!read_text(cx, files, TEMPLATE, template) || !read_text(cx, files, TOKENIZER_CONFIG, &text))
		return false;
	if (text.size == 0)
		return true;
	config = mg_json_parse(cx, TOKENIZER_CONFIG, text);
	if (config == NULL)
		return false;
	value = template->size == 0 ? mg_json_get(config, "chat_template") : NULL;
	for (size_t i = 0; value != NULL && value->kind == MG_JSON_ARRAY && i < value->n; i++)
	{
		const MgJson *name = mg_json_get(&value->items[i], "name"), *one = mg_json_get(&value->items[i], "template");

		if (name != NULL && name->kind == MG_JSON_STRING && mg_span_is(name->string, "default") && one != NULL &&
			one->kind == MG_JSON_STRING)
			*template = one->string;
	}
	if (value != NULL && value->kind == MG_JSON_STRING)
		*template = value->string;
	return mg_template_with_tokens(cx, *template, token_of(config, "bos_token"), token_of(config, "eos_token"), template);
}

bool
mg_facts_read_directory(MgCtx *cx, const MgFiles *files, MgFacts *facts)
{
	const MgJson *config = read_config(cx, files);

	memset(facts, 0, sizeof *facts);
	return config != NULL && find_arch(cx, config, facts) &&
		mg_config_of_json(cx, MG_CONFIG_FILE, config, facts->arch->keys, facts->arch->n_keys, &facts->config) &&
		mg_sentence_files_read(cx, files, &facts->sentence) && mg_tokenizer_files_read(cx, files, &facts->tokenizer) &&
		read_generation(cx, files, config, &facts->generation) && read_chat_template(cx, files, &facts->chat_template) &&
		mg_tensors_open(cx, files, &facts->tensors) && (files->adapter == NULL || mg_adapter_merge(cx, files->adapter, &facts->tensors)) &&
		mg_facts_find_prefix(cx, facts);
}
