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
	const MgArch *arch;
	MgMeta meta;
	MgConfig keys;		  /* its configuration as it is stored */
	const void *config;	  /* and the architecture's struct of it */
	const MgSizes *sizes; /* the beginning of that */
	uint32_t can;		  /* MG_CAN_... */
	uint64_t resident_size; /* bytes of its image */
	const MgTokenizer *tokenizer;
	MgSpecialTokens specials;
	MgSpan generation;	  /* a generation_config.json, or empty */
	MgSpan chat_template; /* Jinja, or empty */
	MgSpan template; /* for classification; empty: the task's default */
	size_t n_prompts;
	const MgPrompt *prompts;
	void *weights; /* the architecture's struct of weights */
	void *layers;  /* [layers] of its layer structs */
};

/*
 * Binds a resident image, which must outlive the model. Checks all that was
 * not checked by whoever wrote it: the image may come from a changed row.
 * NULL on error.
 */
const MgModel *mg_model_bind(MgCtx *cx, MgSpan image);

/* The prompt of that name, or NULL. */
const MgPrompt *mg_model_prompt(const MgModel *model, MgSpan name);

static inline bool
mg_model_can(const MgModel *model, uint32_t what)
{
	return (model->can & what) != 0;
}

#endif
