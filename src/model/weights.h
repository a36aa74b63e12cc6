/*
 * The table of an architecture's weights: one row a weight. From it come shape
 * checks with readable errors, the layout of the image, the binding of
 * pointers, the estimate of work. mg_weights_next is the one walk over it.
 *
 * A row's field is the offset of an MgMatrix, or for MG_VECTOR of a `const
 * float *`, in the architecture's struct of weights, or with MG_LAYERED in its
 * struct of one layer's weights. A side is the offset of a uint32_t in the
 * struct of the architecture's configuration, or MG_ONE. A weight with a side of 0 is not there.
 *
 * MG_TRANSPOSED, MG_LESS_ONE and run say how Hugging Face's checkpoints have a weight. A reader whose checkpoints
 * have all as the image has it says so (MgFacts).
 *
 * Rows belong to parts. Part 0 is what every checkpoint has; another part, a
 * head, is there whole or not at all, and is known by the first of its rows.
 */
#ifndef MG_MODEL_WEIGHTS_H
#define MG_MODEL_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct MgArch MgArch;

typedef enum MgRole
{
	MG_LINEAR, /* a matrix that states are multiplied by: laid out for products */
	MG_WORDS,  /* a matrix of the vocabulary, whose rows are looked up, by mg_table_row: MG_ROWS, MG_ROWS8 or MG_ROWS16 */
	MG_TABLE,  /* a small matrix whose rows are looked up: MG_ROWS, float32 */
	MG_VECTOR  /* gains and biases */
} MgRole;

enum
{
	MG_LAYERED = 1,		/* once in each layer; "%u" in the name is its number */
	MG_NOT_FIRST = 2,	/* of MG_LAYERED: but not in layer 0 */
	MG_OPTIONAL = 4,	/* absent, it binds to NULL, or to a matrix of no rows */
	MG_TRANSPOSED = 8,	/* the checkpoint has [cols, rows] */
	MG_TIED = 16,		/* where sizes.tied says so it is not stored, and binds to the first row's matrix */
	MG_SLICE = 32,		/* rows of a tensor that several rows of the table share, in their order */
	MG_LESS_ONE = 64	/* a vector: the checkpoint has each number less 1 */
};

#define MG_ONE SIZE_MAX /* columns of a vector */
#define MG_MAX_PARTS 8
#define MG_NAME_SIZE 80

typedef struct MgWeightSpec
{
	const char *name; /* in the image: the Hugging Face name behind the prefix */
	uint32_t part;
	MgRole role;
	uint32_t flags;
	size_t rows, cols;
	size_t field;
	const char *tensor; /* its name in the checkpoint, where that is another; else NULL */
	size_t run;			/* of MG_SLICE: a side, so many rows of each slice come in turn; 0: all of one, then all of the next */
} MgWeightSpec;

/* One weight: a row of the table in one layer. A walk begins with zeros. */
typedef struct MgWeight
{
	const MgWeightSpec *spec;
	uint32_t layer;
	size_t next; /* row of the table that is looked at next */
	size_t rows, cols;
	char name[MG_NAME_SIZE];
} MgWeight;

/* The next weight of these parts (bits 1 << part), layer by layer; false behind the last. */
bool mg_weights_next(const MgArch *arch, const void *config, uint32_t parts, MgWeight *weight);

/* The length of a side. */
size_t mg_side(const void *config, size_t side);

/* The name that a weight's tensor has in a checkpoint, behind the prefix. */
void mg_weight_tensor(const MgWeight *weight, char name[MG_NAME_SIZE]);

/* Of a weight with MG_SLICE: where in its tensor it begins. Returns the rows of all slices together. */
size_t mg_weight_slice(const MgArch *arch, const void *config, const MgWeightSpec *spec, size_t *first);

/* Bits of the parts that are there, by whether a name is. */
uint32_t mg_weights_parts(const MgArch *arch, bool (*has)(const void *user, const MgWeightSpec *spec),
						  const void *user);

#endif
