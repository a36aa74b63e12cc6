/* Finding a checkpoint's tensors and parts in what its reader has found. */
#include "model/facts.h"

#include <stdio.h>

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
