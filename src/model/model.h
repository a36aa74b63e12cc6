/*
 * A model bound for use: a private table of pointers into a resident image,
 * which stays where it is and is never written.
 */
#ifndef MG_MODEL_MODEL_H
#define MG_MODEL_MODEL_H

#include "model/arch.h"
#include "model/image.h"
#include "text/tokenizer.h"

struct MgModel
{
	const char *name; /* for errors */
	const MgArch *arch;
	MgCompute compute; /* set by the caller before each use */
	MgMeta meta;
	uint64_t resident_size; /* bytes of its image */
	const MgTokenizer *tokenizer;
	MgSpecialTokens specials;
	MgSpan template; /* for classification; empty: the task's default */
	size_t n_prompts;
	const MgPrompt *prompts;
	void *weights; /* the architecture's struct of weights */
	void *layers;  /* [layers] of its layer structs */
};

/*
 * Binds a resident image, which must outlive the model. Checks all that was
 * not checked by whoever wrote it: the image may come from a changed row.
 * name is copied. NULL on error.
 */
MgModel *mg_model_bind(MgCtx *cx, const char *name, MgSpan image, const MgCompute *compute);

/* The prompt of that name, or NULL. */
const MgPrompt *mg_model_prompt(const MgModel *model, MgSpan name);

static inline bool
mg_model_has(const MgModel *model, MgPart part)
{
	return (model->meta.parts & (1u << part)) != 0;
}

/* What a model can be asked for, from its meta: "embed", "fill_mask, classify", ... */
const char *mg_meta_tasks(const MgMeta *meta);

#endif
