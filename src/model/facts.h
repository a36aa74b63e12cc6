/*
 * What a checkpoint says, read and found, before anything is laid out: the one
 * thing that a reader fills and planning asks. A reader knows a form of
 * checkpoints: names of tensors and keys of the configuration come out as the
 * architectures' tables have them.
 */
#ifndef MG_MODEL_FACTS_H
#define MG_MODEL_FACTS_H

#include "format/tensors.h"
#include "format/sentence_files.h"
#include "model/arch.h"
#include "text/spec.h"

/* What a Hugging Face directory says about a model. */
#define MG_CONFIG_FILE "config.json"

typedef struct MgFacts
{
	const MgArch *arch;
	const char *file;	  /* that the configuration is in */
	const MgClass *class; /* NULL: known by its model_type alone */
	MgConfig config;	/* values of the architecture's keys */
	MgSentenceFacts sentence;
	MgTokenizerSpec tokenizer;
	MgTensors tensors;
	const char *prefix; /* of the tensors' names */
	bool plain;			/* tensors are as the image has them: none is transposed, less one, or in runs (weights.h) */
	MgSpan generation;	  /* how answers are drawn unless somebody says otherwise: a generation_config.json; empty: nothing is said */
	MgSpan chat_template; /* Jinja; empty: there is none */
} MgFacts;

/* A GGUF file where there is one of the name that format/gguf.h has, else a Hugging Face directory. */
bool mg_facts_read(MgCtx *cx, const MgFiles *files, MgFacts *facts);

/* What a GGUF file says (gguf_facts.c). */
struct MgGguf;
bool mg_facts_of_gguf(MgCtx *cx, const struct MgGguf *gguf, MgFacts *facts);

/* The reader of Hugging Face directories (directory.c). */
bool mg_facts_read_directory(MgCtx *cx, const MgFiles *files, MgFacts *facts);

/* Sets the prefix, under which the first weight of the table is found. */
bool mg_facts_find_prefix(MgCtx *cx, MgFacts *facts);

/* The tensor of that name, with the prefix or without, in its old spelling if need be; NULL when the checkpoint lacks it. */
const MgTensor *mg_facts_tensor(const MgFacts *facts, const char *name);

/* Bits 1 << part of the parts that the checkpoint has; false when it lacks the one that its class is named after. */
bool mg_facts_parts(MgCtx *cx, const MgFacts *facts, uint32_t *parts);

#endif
