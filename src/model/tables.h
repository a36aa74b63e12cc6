/*
 * Short names for the rows of an architecture's tables; for files of src/arch
 * alone. Their structs are called Config and Weights, and layers are MgLayers.
 */
#ifndef MG_MODEL_TABLES_H
#define MG_MODEL_TABLES_H

#include <float.h>

#include "model/layer.h"

#define KEY(name, kind, field, least, most) {name, MG_KEY_##kind, offsetof(Config, field), least, most}

#define SIDE(field) offsetof(Config, field)
#define VOCAB SIDE(sizes.vocab)
#define WIDTH SIDE(sizes.width)

/* A weight that stands once, and one of each layer; a file defines LAYER, what their names begin with. */
#define ONE(part, role, flags, rows, cols, name, field) \
	{name, part, MG_##role, flags, rows, cols, offsetof(Weights, field), NULL}
#define EACH(role, flags, rows, cols, name, field) \
	{LAYER name, 0, MG_##role, MG_LAYERED | (flags), rows, cols, offsetof(MgLayer, field), NULL}

/* The members of a descriptor that are tables. */
#define TABLES \
	.classes = classes, .prefixes = prefixes, .ignored = ignored, .keys = keys, .n_keys = sizeof keys / sizeof *keys, \
	.defaults = &defaults, .config_size = sizeof(Config), .weights = weights, \
	.n_weights = sizeof weights / sizeof *weights, .weights_size = sizeof(Weights), .layer_size = sizeof(MgLayer)

#endif
