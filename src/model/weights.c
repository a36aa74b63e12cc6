/* Walking over the table of an architecture's weights. */
#include "model/weights.h"

#include <stdio.h>
#include <string.h>

#include "model/arch.h"

size_t
mg_side(const void *config, size_t side)
{
	return side == MG_ONE ? 1 : *(const uint32_t *) (const void *) ((const uint8_t *) config + side);
}

/* Whether a row of the table stands in a layer; what stands once is counted to layer 0. */
static bool
stands_in(const MgWeightSpec *spec, const MgSizes *sizes, uint32_t parts, uint32_t layer)
{
	if ((parts & 1u << spec->part) == 0 || ((spec->flags & MG_TIED) != 0 && sizes->tied))
		return false;
	return layer == 0 ? (spec->flags & MG_NOT_FIRST) == 0 : (spec->flags & MG_LAYERED) != 0;
}

bool
mg_weights_next(const MgArch *arch, const void *config, uint32_t parts, MgWeight *weight)
{
	const MgSizes *sizes = config;

	for (; weight->layer < sizes->layers; weight->layer++, weight->next = 0)
		while (weight->next < arch->n_weights)
		{
			const MgWeightSpec *spec = &arch->weights[weight->next++];

			if (!stands_in(spec, sizes, parts, weight->layer))
				continue;
			weight->spec = spec;
			weight->rows = mg_side(config, spec->rows);
			weight->cols = mg_side(config, spec->cols);
			if (weight->rows == 0 || weight->cols == 0)
				continue;
			snprintf(weight->name, sizeof weight->name, spec->name, weight->layer);
			return true;
		}
	return false;
}

void
mg_weight_tensor(const MgWeight *weight, char name[MG_NAME_SIZE])
{
	const char *format = weight->spec->tensor != NULL ? weight->spec->tensor : weight->spec->name;

	snprintf(name, MG_NAME_SIZE, format, weight->layer);
}

size_t
mg_weight_slice(const MgArch *arch, const void *config, const MgWeightSpec *spec, size_t *first)
{
	size_t rows = 0;

	*first = 0;
	for (size_t i = 0; i < arch->n_weights; i++)
	{
		const MgWeightSpec *other = &arch->weights[i];

		if (other == spec)
			*first = rows;
		if ((other->flags & MG_SLICE) != 0 && strcmp(other->tensor, spec->tensor) == 0)
			rows += mg_side(config, other->rows);
	}
	return rows;
}

uint32_t
mg_weights_parts(const MgArch *arch, bool (*has)(const void *user, const MgWeightSpec *spec), const void *user)
{
	uint32_t parts = 1, known = 1;

	for (size_t i = 0; i < arch->n_weights; i++)
	{
		const MgWeightSpec *spec = &arch->weights[i];

		if ((known & 1u << spec->part) == 0 && has(user, spec))
			parts |= 1u << spec->part;
		known |= 1u << spec->part;
	}
	return parts;
}
