/*
 * What an architecture is: a value. Shared code reaches the code in src/arch
 * only through an MgArch, and never asks which one it runs.
 *
 * Weights are described by a table; from it come shape checks with readable
 * errors, the layout of the image, and the binding of pointers. A row's field
 * is the offset of an MgMatrix (all roles but MG_VECTOR) or of a `const float *`
 * (MG_VECTOR) in the architecture's struct of weights, or, for a row that
 * stands once in each layer, in its struct of one layer's weights.
 */
#ifndef MG_MODEL_ARCH_H
#define MG_MODEL_ARCH_H

#include "format/json.h"
#include "model/batch.h"
#include "model/hyper.h"
#include "tensor/compute.h"

typedef struct MgModel MgModel;

typedef enum MgRole
{
	MG_LINEAR, /* a matrix that states are multiplied by: laid out for products */
	MG_WORDS,  /* a matrix of the vocabulary, whose rows are looked up, by mg_table_row: MG_ROWS, MG_ROWS8 or MG_ROWS16 */
	MG_TABLE,  /* a small matrix whose rows are looked up: MG_ROWS, float32 */
	MG_VECTOR  /* gains and biases */
} MgRole;

/* A side of a weight's shape. */
typedef enum MgDim
{
	MG_DIM_NONE, /* columns of a vector */
	MG_DIM_HIDDEN,
	MG_DIM_INTERMEDIATE,
	MG_DIM_VOCAB,
	MG_DIM_POSITIONS,
	MG_DIM_TYPES
} MgDim;

/* The part of a model that a weight belongs to: a checkpoint has a part whole or not at all. */
typedef enum MgPart
{
	MG_PART_ENCODER,
	MG_PART_HEAD,	 /* masked-LM head */
	MG_PART_DECODER, /* a vocabulary matrix of its own; with a head whose embeddings are not tied */
	MG_PART_DECODER_BIAS, /* and a bias of its own, where the checkpoint has one beside the head's */
	MG_N_PARTS
} MgPart;

typedef struct MgWeightSpec
{
	const char *name; /* Hugging Face name behind the prefix; "%u" stands for the layer */
	const char *gguf; /* GGUF name, or NULL */
	MgPart part;
	MgRole role;
	MgDim rows, cols;
	bool layered; /* field is in the struct of a layer */
	size_t field;
} MgWeightSpec;

/* The vocabulary matrix behind a masked-LM head: logits = out [n, hidden] matrix^T + bias. */
typedef struct MgVocabulary
{
	const MgMatrix *matrix; /* [vocab, hidden], a table */
	const float *bias;		/* [vocab], or NULL */
} MgVocabulary;

typedef struct MgArch
{
	const char *name;				/* "bert"; also config.json's model_type */
	const char *const *classes;		/* names in config.json's architectures that are run; NULL ends */
	const char *const *prefixes;	/* that weight names may carry, "" among them; NULL ends */
	const char *const *ignored;		/* names, or beginnings ending in '*', of tensors that need not be used; NULL ends */
	const MgWeightSpec *weights;
	size_t n_weights;
	size_t weights_size; /* of the struct of weights; the layers' structs follow it */
	size_t layer_size;	 /* of the struct of one layer */

	/* Hyperparameters from config.json, with their bounds checked. */
	bool (*configure)(MgCtx *cx, const char *file, const MgJson *config, MgHyper *hyper);

	/* Checks hyperparameters that come from an image; the same bounds as configure. */
	bool (*check)(MgCtx *cx, const MgHyper *hyper);

	/* Final states of the rows that the batch wants: out [n_rows, hidden]. Polls. */
	bool (*forward)(MgCtx *cx, const MgModel *model, const MgBatch *batch, float *out);

	/* The head's transform, in place of what a decoder multiplies: out [n, hidden]; NULL: there is no head code. */
	bool (*head)(MgCtx *cx, const MgModel *model, const float *states, size_t n, float *out);
	MgVocabulary (*vocabulary)(const MgModel *model);
} MgArch;

/* The registered architectures, ended by NULL; see src/arch/registry.c. */
extern const MgArch *const mg_arches[];

/* By name, or NULL. */
const MgArch *mg_arch_find(MgSpan name);

/* A side's length. */
size_t mg_dim_size(const MgHyper *hyper, MgDim dim);

#endif
