/*
 * What sentence-transformers writes beside a checkpoint:
 *   modules.json                        the list of modules, in order
 *   1_Pooling/config.json               pooling_mode_..._tokens
 *   sentence_bert_config.json           max_seq_length
 *   config_sentence_transformers.json   prompts, default_prompt_name
 * A directory without modules.json is no sentence-transformers model: present
 * is false. Modules other than Transformer, Pooling and Normalize are refused.
 */
#ifndef MG_FORMAT_SENTENCE_FILES_H
#define MG_FORMAT_SENTENCE_FILES_H

#include "core/source.h"

typedef enum MgPooling
{
	MG_POOL_NONE = 0, /* the numbers are part of the image format */
	MG_POOL_MEAN = 1,
	MG_POOL_CLS = 2,
	MG_POOL_MAX = 3,
	MG_POOL_LAST = 4,
	MG_POOL_WEIGHTED_MEAN = 5, /* the i-th token counts i times, from 1 */
	MG_POOL_MEAN_SQRT = 6	   /* the sum by the square root of how many there are */
} MgPooling;

/* "mean", "cls", "max", "last", "weighted_mean", "mean_sqrt_len"; MG_POOL_NONE for anything else. */
MgPooling mg_pooling_of_name(MgSpan name);
const char *mg_pooling_name(MgPooling pooling);

typedef struct MgPrompt
{
	MgSpan name; /* "query", "document", ... */
	MgSpan text; /* put in front of the input */
} MgPrompt;

typedef struct MgSentenceFacts
{
	bool present;
	MgPooling pooling;
	bool normalize;	   /* a Normalize module follows */
	size_t max_tokens; /* 0: not said */
	size_t n_prompts;
	const MgPrompt *prompts; /* [n_prompts] */
} MgSentenceFacts;

bool mg_sentence_files_read(MgCtx *cx, const MgFiles *files, MgSentenceFacts *facts);

#endif
