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

static bool
lists_class(const MgArch *arch, MgSpan name)
{
	for (const char *const *class = arch->classes; *class != NULL; class++)
		if (mg_span_is(name, *class))
			return true;
	return false;
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
		for (const MgArch *const *arch = mg_arches; *arch != NULL; arch++)
			if (lists_class(*arch, name))
				facts->arch = *arch;
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
		for (const char *const *class = (*arch)->classes; *class != NULL && length < sizeof known; class++)
			length += (size_t) snprintf(known + length, sizeof known - length, "%s%s", length > 0 ? ", " : "", *class);
	mg_fail(cx, MG_UNSUPPORTED, "architecture \"%.*s\" is not supported", MG_SPAN_ARGS(name));
	return mg_hint(cx, "Supported are: %s.", known);
}

const MgTensor *
mg_facts_tensor(const MgFacts *facts, const char *name)
{
	char full[160];
	int length = snprintf(full, sizeof full, "%s%s", facts->prefix, name);
	const MgTensor *tensor = mg_tensors_find(&facts->tensors, mg_span(full, (size_t) length));

	/* Heads stand beside the encoder and never carry its prefix. */
	return tensor != NULL ? tensor : mg_tensors_find(&facts->tensors, mg_span_of(name));
}

/* The prefix under which the first weight of the table is found. */
static bool
find_prefix(MgCtx *cx, MgFacts *facts)
{
	const char *first = facts->arch->weights[0].name;

	for (const char *const *prefix = facts->arch->prefixes; *prefix != NULL; prefix++)
	{
		char full[160];
		int length = snprintf(full, sizeof full, "%s%s", *prefix, first);

		if (mg_tensors_find(&facts->tensors, mg_span(full, (size_t) length)) != NULL)
		{
			facts->prefix = *prefix;
			return true;
		}
	}
	return mg_fail(cx, MG_BAD_FILE, "tensor \"%s\" is missing", first);
}

/* A head is there when one of its weights is; an untied vocabulary only beside a head. */
uint32_t
mg_facts_parts(const MgFacts *facts, const MgHyper *hyper)
{
	uint32_t parts = 1u << MG_PART_ENCODER;

	for (size_t i = 0; i < facts->arch->n_weights; i++)
	{
		const MgWeightSpec *spec = &facts->arch->weights[i];

		if (spec->part == MG_PART_HEAD && mg_facts_tensor(facts, spec->name) != NULL)
			parts |= 1u << MG_PART_HEAD;
	}
	if ((parts & (1u << MG_PART_HEAD)) == 0 || hyper->tied)
		return parts;
	for (size_t i = 0; i < facts->arch->n_weights; i++)
		if (facts->arch->weights[i].part == MG_PART_DECODER_BIAS &&
			mg_facts_tensor(facts, facts->arch->weights[i].name) != NULL)
			parts |= 1u << MG_PART_DECODER_BIAS;
	return parts | 1u << MG_PART_DECODER;
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
