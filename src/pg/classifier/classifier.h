/*
 * The type classifier (learn/classifier.h) as PostgreSQL sees it: one value that can be stored, dumped and granted like any
 * other. On disk, aligned as double:
 *
 *   header    below
 *   float4    biases [n_labels], weights [n_labels, dims]
 *   uint32    ends [n_labels] of the labels among the bytes that follow, ascending
 *   bytes     the labels, one after another
 */
#ifndef MASKGEN_PG_CLASSIFIER_CLASSIFIER_H
#define MASKGEN_PG_CLASSIFIER_CLASSIFIER_H

#include "postgres.h"
#include "fmgr.h"
#include "learn/classifier.h"

#define CLASSIFIER_VERSION 1
#define CLASSIFIER_MOST_LABEL 1024 /* bytes */

typedef struct Classifier
{
	int32 vl_len_; /* varlena header (do not touch directly) */
	uint8 version;
	uint8 method; /* MgMethod */
	uint16 unused;
	int32 n_labels;
	int32 dims;
	float8 accuracy; /* 0 .. 1, or NaN */
	int64 labelled, unlabelled;
	float4 numbers[FLEXIBLE_ARRAY_MEMBER];
} Classifier;

/* A value of what the library has made; throws where that is beyond the type's bounds. */
Classifier *classifier_make(const MgClassifier *from);

/* What a value holds, pointing into it, checked: it may come from a cast without function. In the current memory context. */
MgClassifier classifier_read(const Classifier *value);

/* Throws unless the labels are at least one, not too many, none too long, and each another. */
void classifier_check_labels(const MgSpan *labels, size_t n);

/* The classifier of an argument, read once for a statement where it is the same in each row, and the kernel to use it. */
typedef struct ClassifierUse
{
	MgClassifier classifier;
	MgPairDistance inner;
	double *scores; /* [n_labels] scratch */

	/* How it is known again. */
	MemoryContext memory;
	Classifier *value;
	const void *constant;	 /* of the plan */
	uint8 external[64];		 /* a pointer to a value out of line; external[0] is its size, 0: none */
	int64 transaction;
} ClassifierUse;

const ClassifierUse *classifier_argument(FunctionCallInfo fcinfo, int n);

/* The vector of an argument, with as many dimensions as the classifier has. */
const float4 *classifier_vector(FunctionCallInfo fcinfo, int n, const ClassifierUse *use);

#endif
