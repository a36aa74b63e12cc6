/*
 * A template with two places: one for a text, and one for what stands beside it, masks or the tokens of a label.
 * Labels are data, as texts are: no special token is read in either.
 */
#ifndef MG_TASK_PLACES_H
#define MG_TASK_PLACES_H

#include "task/input.h"

typedef struct MgPlaces
{
	MgSpan before, between, after; /* before, then the first of the two, between, then the other, after */
	MgSpan mask;				   /* the mask token, as a text has it: it stands for the other place while tokens are made */
	bool mask_first;
} MgPlaces;

/*
 * Copies template to arena memory, cut at {text} and at the other place: {mask} or the mask token, or if with_label says so {label}, before
 * all of them.
 */
bool mg_places_split(const MgRun *run, MgSpan template, bool with_label, MgPlaces *split);

/* The tokens of a label in its place, 1 .. MG_MAX_LABEL_TOKENS, all of them in the vocabulary. */
bool mg_places_tokenize(const MgRun *run, const MgPlaces *places, MgSpan label, MgTokens *tokens);

/* A template with a text in it, as tokens; arena memory. */
typedef struct MgPlaced
{
	MgTokens tokens;
	size_t mask;				  /* that for the other place */
	size_t text_first, text_stop; /* tokens that lie within the text; one across its edge is the template's */
	size_t n_text;				  /* of which these are kept */
	bool cut;
} MgPlaced;

/* The text loses its end, or is refused, where most tokens would not fit into the other place. */
bool mg_places_fill(const MgRun *run, const MgPlaces *places, size_t most, MgLongInput long_input, MgSpan text, MgPlaced *filled);

/* The sequence with ids, of which there are at most most, in the other place. Sets place and cut. */
bool mg_placed_sequence(const MgRun *run, const MgPlaced *filled, MgIds ids, MgSequence *sequence);

#endif
