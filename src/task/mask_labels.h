/* What labels and a template become for masks; shared by mask_labels.c (preparing) and classify_mask.c (running). */
#ifndef MG_TASK_MASK_LABELS_H
#define MG_TASK_MASK_LABELS_H

#include "task/classify_way.h"
#include "task/places.h"

/* Labels with the same number of tokens: they share a sequence with that many masks. */
typedef struct MgLabelGroup
{
	size_t n_masks;
	size_t n_labels;
	const uint32_t *labels; /* [n_labels] positions in the caller's list */
	const uint32_t *tokens; /* [n_labels, n_masks] positions in candidates */
} MgLabelGroup;

typedef struct MgMaskLabels
{
	MgLabels head;
	size_t n_candidates;
	const int32_t *candidates; /* [n_candidates] ids, ascending, distinct */
	size_t n_groups;
	const MgLabelGroup *groups; /* [n_groups] */
	size_t most_masks;			/* of any group */
	MgPlaces places;
} MgMaskLabels;

/* A template alone, with one mask and no labels; an empty one is the model's own, or the default. */
const MgMaskLabels *mg_mask_template_prepare(const MgRun *run, MgSpan template);

/* The sequences of one text, one for each group. */
bool mg_mask_fill(const MgRun *run, const MgMaskLabels *labels, MgLongInput long_input, MgSpan text, MgSequence *sequences);

/*
 * One forward pass: the states of all masks behind the head, in the order of sequences [n]; each row is the model's width. In
 * arena memory, NULL on error.
 */
float *mg_mask_states(const MgRun *run, const MgMaskLabels *labels, const MgSequence *sequences, size_t n);

/* The prepare of mg_mask_way. */
MgLabels *mg_mask_labels_prepare(const MgRun *run, const MgSpan *texts, size_t n, MgSpan template);

#endif
