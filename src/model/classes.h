/*
 * Heads for classes: of a sequence (or a pair), from the state of its first token
 * or the mean of all, and of each token.
 *
 *   y [n, d] = norm(act(x A^T + a)),  or x
 *   out [n, classes] = y B^T + b
 *
 * What classes are called, and what their logits mean, config.json says: "id2label",
 * "problem_type", and for rerankers sentence-transformers' activation.
 */
#ifndef MG_MODEL_CLASSES_H
#define MG_MODEL_CLASSES_H

#include "model/run.h"

typedef struct MgClassHead
{
	const MgMatrix *dense; /* A [d, h]; NULL: none */
	const float *dense_bias;
	MgActivation activation;
	const float *norm; /* [d], without a bias; NULL: none */
	float eps;
	const MgMatrix *out; /* B [classes, d]; NULL: the model has no such head */
	const float *bias;
	bool mean; /* of a sequence: the mean of its tokens' states, not the first one */
} MgClassHead;

/* How logits of a sequence are told. */
typedef enum MgClassKind
{
	MG_CLASSES_ONE_OF, /* probabilities that add up to 1: softmax */
	MG_CLASSES_ANY_OF, /* a probability each: sigmoid */
	MG_CLASSES_NUMBERS /* as they are */
} MgClassKind;

/* Sets the number of classes, from the lists of a configuration. */
void mg_settle_classes(const MgConfig *lists, MgSizes *sizes);

/* The kind that a model's files say, or what transformers' pipeline takes instead: sigmoid for one class, softmax for more. */
MgClassKind mg_class_kind(const MgSizes *sizes);

/* Whether a reranker's files ask for the sigmoid of its logit. */
bool mg_class_is_sigmoid(const MgModel *model);

/* Whether a configuration has a class "entailment" (case does not count), and which it is. */
bool mg_class_entailment(const MgConfig *keys, const MgSizes *sizes, size_t *class);

/* The number of the class that a key of a configuration names ("id2label.2"); SIZE_MAX: it names none. */
size_t mg_class_number(MgSpan key);

/* Names of classes [n], the model's own, or LABEL_0 and so on; arena memory and the model's. */
bool mg_class_names(MgCtx *cx, const MgModel *model, size_t n, MgSpan *names);

/* Logits [n_sequences, classes]. Polls. */
bool mg_score_sequences(const MgRun *run, const MgClassHead *head, const MgBatch *batch, float *out);

/* Logits [n_rows, classes] of the rows that the batch wants. Polls. */
bool mg_score_tokens(const MgRun *run, const MgClassHead *head, const MgBatch *batch, float *out);

#endif
