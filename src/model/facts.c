/* Finding out what a checkpoint is: its architecture, the prefix of its names, the parts that it has. */
#include "model/facts.h"

#include <stdio.h>

#include "format/tokenizer_files.h"

#define CONFIG_LIMIT ((size_t) 4 * 1024 * 1024)

static const MgJson *
read_config(MgCtx *cx, const MgFiles *files)
{
	MgSource source;
	MgSpan text;
	bool found;

	if (!files->open(cx, files->user, "config.json", &source, &found))
		return NULL;
	if (!found)
	{
		mg_fail(cx, MG_BAD_FILE, "file \"config.json\" does not exist");
		mg_hint(cx, "A model is a directory with config.json, model.safetensors and tokenizer.json or vocab.txt.");
		return NULL;
	}
	if (!mg_source_read_all(cx, &source, "config.json", CONFIG_LIMIT, &text))
		return NULL;
	return mg_json_parse(cx, "config.json", text);
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
find_arch(MgCtx *cx, MgFacts *facts)
{
	const MgJson *classes = mg_json_get(facts->config, "architectures");
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
		if (!mg_json_get_string(cx, "config.json", facts->config, "model_type", &name))
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

/* A tensor by its name behind the prefix. Heads stand beside the encoder and never carry the prefix. */
static const MgTensor *
find_tensor(const MgFacts *facts, const char *prefix, const char *name)
{
	char full[MG_NAME_SIZE + 80];
	int length = snprintf(full, sizeof full, "%s%s", prefix, name);
	const MgTensor *tensor = mg_tensors_find(&facts->tensors, mg_span(full, (size_t) length));

	return tensor != NULL ? tensor : mg_tensors_find(&facts->tensors, mg_span_of(name));
}

static const MgTensor *
find_spelled(const MgFacts *facts, const char *prefix, const char *name)
{
	const MgTensor *tensor = find_tensor(facts, prefix, name);
	size_t size = strlen(name);

	for (const MgRename *rename = facts->arch->renames; tensor == NULL && rename != NULL && rename->now != NULL; rename++)
	{
		size_t tail = strlen(rename->now);
		char before[MG_NAME_SIZE + 40];

		if (size < tail || strcmp(name + size - tail, rename->now) != 0)
			continue;
		snprintf(before, sizeof before, "%.*s%s", (int) (size - tail), name, rename->before);
		tensor = find_tensor(facts, prefix, before);
	}
	return tensor;
}

const MgTensor *
mg_facts_tensor(const MgFacts *facts, const char *name)
{
	return find_spelled(facts, facts->prefix, name);
}

/* The prefix under which the first weight of the table is found. */
static bool
find_prefix(MgCtx *cx, MgFacts *facts)
{
	const char *first = facts->arch->weights[0].name;

	for (const char *const *prefix = facts->arch->prefixes; *prefix != NULL; prefix++)
		if (find_spelled(facts, *prefix, first) != NULL)
		{
			facts->prefix = *prefix;
			return true;
		}
	return mg_fail(cx, MG_BAD_FILE, "tensor \"%s\" is missing", first);
}

static bool
has_weight(const void *user, const MgWeightSpec *spec)
{
	MgWeight weight = {.spec = spec};
	char name[MG_NAME_SIZE];

	mg_weight_tensor(&weight, name);
	return mg_facts_tensor(user, name) != NULL;
}

bool
mg_facts_parts(MgCtx *cx, const MgFacts *facts, uint32_t *parts)
{
	*parts = mg_weights_parts(facts->arch, has_weight, facts);
	if (facts->class == NULL || (*parts & 1u << facts->class->part) != 0)
		return true;
	for (size_t i = 0; i < facts->arch->n_weights; i++)
		if (facts->arch->weights[i].part == facts->class->part)
			return mg_fail(cx, MG_BAD_FILE, "tensor \"%s\" is missing", facts->arch->weights[i].name);
	return true;
}

bool
mg_facts_read(MgCtx *cx, const MgFiles *files, MgFacts *facts)
{
	memset(facts, 0, sizeof *facts);
	facts->config = read_config(cx, files);
	return facts->config != NULL && find_arch(cx, facts) && mg_sentence_files_read(cx, files, &facts->sentence) &&
		mg_tokenizer_files_read(cx, files, &facts->tokenizer) && mg_safetensors_open(cx, files, &facts->tensors) &&
		find_prefix(cx, facts);
}
