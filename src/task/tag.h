/*
 * A class for each token of a text, by a head for classes of tokens, and what is
 * made of them: entities, by the usual marks B- (begins) and I- (goes on).
 *
 * Texts that are longer than the model reads are read in windows that overlap by a
 * quarter; a token's class is that of the window in which it stands farther from an
 * edge. So nothing is cut: what is to be found may stand anywhere.
 */
#ifndef MG_TASK_TAG_H
#define MG_TASK_TAG_H

#include "model/classes.h"
#include "task/input.h"

typedef struct MgTag
{
	uint32_t start, stop; /* bytes of the text */
	int32_t id;
	uint32_t class; /* the likeliest; 0 where the model tells of replaced tokens */
	float score;	/* its probability; that the token was replaced */
} MgTag;

typedef struct MgTags
{
	size_t n;
	MgTag *tags; /* [n], of the text's tokens, without those that are put around it */
} MgTags;

typedef struct MgTagOptions
{
	bool replaced; /* asks whether tokens were replaced, not for their classes */
	const MgRefusals *refusals; /* NULL: a text that is refused ends the call */
} MgTagOptions;

/* tags [n]: of each text, in arena memory; of a refused one none. Adds to the run's usage. Polls. */
bool mg_tag(const MgRun *run, const MgTagOptions *options, const MgSpan *texts, size_t n, MgTags *tags);

typedef struct MgEntity
{
	uint32_t start, stop; /* bytes of the text */
	MgSpan label;		  /* without its mark */
	float score;		  /* mean of its words' probabilities */
} MgEntity;

/*
 * Words of one label that follow each other, unless a B- begins another; O is none. A word has the class of its first piece, as
 * models are trained that read words in pieces. Arena memory.
 */
bool mg_entities(const MgRun *run, MgSpan text, const MgTags *tags, MgEntity **entities, size_t *n);

/* The labels of entities [*n], each once, without marks and O, in the order of the classes. Arena memory. */
bool mg_entity_labels(const MgRun *run, MgSpan **labels, size_t *n);

/* Whether config.json names this label, with or without a mark; O and no name are none. */
bool mg_entity_is_label(const MgRun *run, MgSpan label, bool *is);

#endif
