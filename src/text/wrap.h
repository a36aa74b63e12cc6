/*
 * Wrapping ("post-processor"): the special tokens that a model wants around one
 * text or a pair of them, and the segment of each token.
 *
 *   single  [CLS]:0 A:0 [SEP]:0             <s>:0 A:0 </s>:0
 *   pair    [CLS]:0 A:0 [SEP]:0 B:1 [SEP]:1   <s>:0 A:0 </s>:0 </s>:0 B:0 </s>:0
 *
 * No other place knows which tokens these are, or how many.
 */
#ifndef MG_TEXT_WRAP_H
#define MG_TEXT_WRAP_H

#include "core/ctx.h"

#define MG_WRAP_PIECES 16
#define MG_WRAP_TEXTS 2

/* In place of an id: a text. */
#define MG_WRAP_A (-1)
#define MG_WRAP_B (-2)

typedef struct MgWrapPiece
{
	int32_t id; /* of a special token; or MG_WRAP_A, MG_WRAP_B */
	uint32_t segment;
} MgWrapPiece;

typedef struct MgWrapForm
{
	uint32_t n;
	MgWrapPiece pieces[MG_WRAP_PIECES]; /* [n] */
} MgWrapForm;

typedef struct MgWrapping
{
	MgWrapForm single; /* A once */
	MgWrapForm pair;   /* A and B once each; n = 0: the model takes no pairs */
} MgWrapping;

/* The tokens of one text. */
typedef struct MgIds
{
	size_t n;
	const int32_t *ids; /* [n] */
} MgIds;

typedef struct MgWrapped
{
	size_t n;
	int32_t *ids;						/* [n] */
	uint8_t *segments;					/* [n] */
	size_t starts[MG_WRAP_TEXTS]; /* where each text's tokens begin */
} MgWrapped;

/* Which text loses its end when both are too long. */
typedef enum MgCut
{
	MG_CUT_LONGER, /* the longer one, until both are equal; then both, as the "tokenizers" package does it */
	MG_CUT_SECOND  /* the second alone: a question stays whole */
} MgCut;

/* BERT's, from the ids of [CLS] and [SEP]; -1: there is none. */
MgWrapping mg_wrapping_of_bert(int32_t classify, int32_t separate);

/* True if each form has its texts once and ids below n_tokens. */
bool mg_wrapping_is_valid(const MgWrapping *wrapping, size_t n_tokens);

/* Tokens that are put around n_texts texts, 1 or 2. */
size_t mg_wrap_extra(const MgWrapping *wrapping, size_t n_texts);

/* Tokens that each of two texts keeps of *first and *second within room. False: MG_CUT_SECOND, and the first alone fills it. */
bool mg_wrap_cut(MgCut cut, size_t room, size_t *first, size_t *second);

/* Wraps texts [n_texts], 1 or 2; arena memory. False after an error: no memory, or no pairs. */
bool mg_wrap(MgCtx *cx, const MgWrapping *wrapping, const MgIds *texts, size_t n_texts, MgWrapped *wrapped);

#endif
