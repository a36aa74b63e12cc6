/* What the files of a checkpoint say, read and found, before anything is laid out. */
#ifndef MG_MODEL_FACTS_H
#define MG_MODEL_FACTS_H

#include "format/json.h"
#include "format/safetensors.h"
#include "format/sentence_files.h"
#include "model/arch.h"
#include "text/spec.h"

typedef struct MgFacts
{
	const MgArch *arch;
	const MgClass *class; /* NULL: known by its model_type alone */
	const MgJson *config;
	MgSentenceFacts sentence;
	MgTokenizerSpec tokenizer;
	MgTensors tensors;
	const char *prefix; /* of the tensors' names */
} MgFacts;

/* Reads configuration, tokeniser and sentence-transformers' files, and the list of tensors. */
bool mg_facts_read(MgCtx *cx, const MgFiles *files, MgFacts *facts);

/* The tensor of that name, with the prefix or without, in its old spelling if need be; NULL when the checkpoint lacks it. */
const MgTensor *mg_facts_tensor(const MgFacts *facts, const char *name);

/* Bits 1 << part of the parts that the checkpoint has; false when it lacks the one that its class is named after. */
bool mg_facts_parts(MgCtx *cx, const MgFacts *facts, uint32_t *parts);

#endif
