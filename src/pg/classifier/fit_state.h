/*
 * The state of the aggregates fit_classifier and fit_labels: a sample of labelled rows and one of others
 * (learn/sample.h), and the names of labels. At most FIT_BYTES for each sample, a quarter more while rows come, whatever their number.
 */
#ifndef MASKGEN_PG_CLASSIFIER_FIT_STATE_H
#define MASKGEN_PG_CLASSIFIER_FIT_STATE_H

#include "postgres.h"
#include "core/ctx.h"
#include "learn/sample.h"
#include "pg/classifier/classifier.h"
#include "utils/array.h"

#define FIT_BYTES (96 * 1024 * 1024)
#define FIT_MOST_LABELLED 200000 /* sorted without a poll */
#define FIT_MOST_UNLABELLED 16384

typedef struct FitState
{
	MemoryContext memory;
	MgHost host;
	MgCtx cx; /* for errors of the library */
	MgSample labelled, unlabelled;

	/* Labels: in the order that rows bring them, or as they were given. */
	size_t n_names, names_room;
	MgSpan *names; /* [names_room] */
	uint16 *slots; /* [2 names_room] number of a name by its hash, plus 1 */

	bool given;		   /* fit_labels: names are all labels, in their order */
	Classifier *guess; /* fit_labels of a classifier: where rows begin from */
	ArrayType *labels; /* fit_labels of an array: as the first row has it */
} FitState;

FitState *fit_state_new(MemoryContext parent);

/* The number of a label, a new one if it is new; throws where there are too many, or it is too long. */
int32 fit_state_label(FitState *state, MgSpan name);

/* A copy of a value, in the state's memory. */
void *fit_state_keep(FitState *state, const void *value);

/* Throws unless rows of so many dimensions go with those of a sample, which may be empty. */
void fit_state_check_dims(const MgSample *sample, size_t dims);

/* Throws what the library has said. */
void fit_state_check(FitState *state, bool fine);

/* Rows and names of another state; throws unless both are about the same labels and dimensions. One without rows changes nothing. */
void fit_state_merge(FitState *state, const FitState *other);

/* To bytes for another process, and back. */
bytea *fit_state_write(const FitState *state);
FitState *fit_state_read(MemoryContext parent, const bytea *bytes);

#endif
