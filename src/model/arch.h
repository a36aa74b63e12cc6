/*
 * What an architecture is: a value. Shared code reaches the code in src/arch
 * only through an MgArch, and never asks which one it runs.
 *
 * It is mostly tables: the keys of its configuration (config.h) and its
 * weights (weights.h).
 */
#ifndef MG_MODEL_ARCH_H
#define MG_MODEL_ARCH_H

#include "model/batch.h"
#include "model/config.h"
#include "model/weights.h"
#include "tensor/compute.h"

typedef struct MgModel MgModel;
typedef struct MgRun MgRun; /* model/run.h */
typedef struct MgClassHead MgClassHead; /* model/classes.h */

/* What a model can be asked for; bits. */
enum
{
	MG_CAN_EMBED = 1, /* if the model says how to pool */
	MG_CAN_FILL_MASK = 2,
	MG_CAN_CLASSIFY = 4,
	MG_CAN_RERANK = 8,
	MG_CAN_CHOOSE = 16,		   /* among classes of its own */
	MG_CAN_SCORE = 32,		   /* has a head for classes of its own */
	MG_CAN_TAG = 64,		   /* has one for classes of tokens */
	MG_CAN_FIND_REPLACED = 128, /* tells which tokens do not belong */
	MG_CAN_GENERATE = 256,
	MG_CAN_ALL = 511
};

#define MG_CAN_TEXT 128

/* The vocabulary matrix behind a masked-LM head: logits = out [n, d] matrix^T + bias. */
typedef struct MgVocabulary
{
	const MgMatrix *matrix; /* [vocab, d], a table; d is width, or less */
	const float *bias;		/* [vocab], or NULL */
	float cap;				/* logits are then cap tanh(logits / cap), of decoders alone; 0: they are not */
} MgVocabulary;

/* Keys and values of a token in one layer, as a cache keeps them. */
typedef struct MgKeysForm
{
	size_t heads, head_size;
} MgKeysForm;

/* A name in config.json's architectures, and the part that such a checkpoint must have beside part 0; 0: none. */
typedef struct MgClass
{
	const char *name; /* NULL ends a list */
	uint32_t part;
} MgClass;

/* Endings of tensors' names, as they are and as old checkpoints have them. */
typedef struct MgRename
{
	const char *now; /* NULL ends a list */
	const char *before;
} MgRename;

/*
 * How GGUF files have it: general.architecture, and tensors up to the last dot of their names, ours and theirs, "%u" being the layer.
 * Keys of the configuration are renamed by model/gguf_facts.c, to those of Llama's config.json.
 */
typedef struct MgGgufNames
{
	const char *name; /* NULL: they do not */
	const MgRename *tensors;
	bool interleaved; /* rows of queries and keys are such that pairs of a head stand side by side */
} MgGgufNames;

struct MgArch
{
	const char *name;			 /* "bert"; also config.json's model_type */
	const MgClass *classes;
	const char *const *prefixes; /* that weight names may carry, "" among them; NULL ends */
	const char *const *ignored;	 /* names, beginnings ending in '*', or ends that begin with it, of tensors that need not be used; NULL ends */
	const MgRename *renames;	 /* or NULL */
	MgGgufNames gguf;
	const MgKey *keys;
	size_t n_keys;
	const void *defaults; /* a struct of configuration, which begins with an MgSizes */
	size_t config_size;
	const MgWeightSpec *weights; /* the first one is the table of words */
	size_t n_weights;
	size_t weights_size;		/* of the struct of weights */
	size_t layer_size;			/* of the struct of one layer */
	uint32_t can[MG_MAX_PARTS]; /* MG_CAN_... that each part gives */

	/* Checks the struct as a whole, with its lists, and fills in what follows from it. May be called again on its result. */
	bool (*settle)(MgCtx *cx, const MgConfig *lists, void *config);

	/* Final states of the rows that the batch wants: out [n_rows, width]. Polls. */
	bool (*forward)(const MgRun *run, const MgBatch *batch, float *out);

	/* The head's transform, in place of what a decoder multiplies: out [n, width], zeros behind the columns of the vocabulary's matrix. */
	bool (*head)(const MgRun *run, const float *states, size_t n, float *out);
	MgVocabulary (*vocabulary)(const MgModel *model);

	/* Heads for classes of a sequence, classes of its tokens, and whether a token was replaced; model/classes.h runs them. */
	MgClassHead (*sequence_head)(const MgModel *model);
	MgClassHead (*token_head)(const MgModel *model);
	MgClassHead (*replaced_head)(const MgModel *model);

	/* What the cache of a run keeps for forward; NULL: it keeps none, and forward continues no sequence. */
	MgKeysForm (*keys_form)(const MgModel *model);
};

/* The registered architectures, ended by NULL; see src/arch/registry.c. */
extern const MgArch *const mg_arches[];

/* By name, or NULL. */
const MgArch *mg_arch_find(MgSpan name);

/* The struct of configuration, checked and settled, in arena memory; lists of config are kept by reference. NULL on error. */
void *mg_arch_configure(MgCtx *cx, const MgArch *arch, const MgConfig *config);

/* "embed, fill_mask, classify": the names of MG_CAN_... bits, each that of an SQL function. */
const char *mg_can_text(uint32_t can, char text[MG_CAN_TEXT]);

#endif
