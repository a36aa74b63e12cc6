/* Finding a checkpoint's tensors and parts in what its reader has found. */
#include "model/facts.h"

#include <stdio.h>

#include "format/gguf_split.h"

bool
mg_facts_read(MgCtx *cx, const MgFiles *files, MgFacts *facts)
{
	MgGguf gguf;
	bool found, fine;

	if (!mg_gguf_open(cx, files, &gguf, &found))
		return false;
	fine = found ? mg_facts_of_gguf(cx, &gguf, facts) : mg_facts_read_directory(cx, files, facts);
	facts->file = found ? MG_GGUF_FILE : MG_CONFIG_FILE;
	return fine;
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

bool
mg_facts_find_prefix(MgCtx *cx, MgFacts *facts)
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

/* The first row of a part, or NULL. */
static const MgWeightSpec *
first_of(const MgArch *arch, uint32_t part)
{
	for (size_t i = 0; i < arch->n_weights; i++)
		if (arch->weights[i].part == part)
			return &arch->weights[i];
	return NULL;
}

static const char *
tensor_of(const MgWeightSpec *spec)
{
	return spec->tensor != NULL ? spec->tensor : spec->name;
}

/* Parts may be known by the same tensor: then the class says which of them it is, or else it is the first. */
static uint32_t
tell_apart(const MgFacts *facts, uint32_t parts)
{
	uint32_t meant = facts->class != NULL ? facts->class->part : 0, told = parts;

	for (uint32_t a = 1; a < MG_MAX_PARTS; a++)
		for (uint32_t b = a + 1; b < MG_MAX_PARTS; b++)
			if ((told & 1u << a) != 0 && (told & 1u << b) != 0 &&
				strcmp(tensor_of(first_of(facts->arch, a)), tensor_of(first_of(facts->arch, b))) == 0)
				told &= ~(1u << (b == meant ? a : b));
	return told;
}

bool
mg_facts_parts(MgCtx *cx, const MgFacts *facts, uint32_t *parts)
{
	*parts = tell_apart(facts, mg_weights_parts(facts->arch, has_weight, facts));
	if (facts->class == NULL || (*parts & 1u << facts->class->part) != 0)
		return true;
	return mg_fail(cx, MG_BAD_FILE, "tensor \"%s\" is missing", tensor_of(first_of(facts->arch, facts->class->part)));
}
