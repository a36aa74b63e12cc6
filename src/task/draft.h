/*
 * Guesses of what follows a text that goes on alone: tokens that followed the same few tokens before, in prompt or answer. They are computed
 * with the last token and drawn as far as they prove right, which changes no draw: only, a text that repeats itself takes fewer steps.
 *
 * Source: prompt lookup decoding, A. Saxena, 2023.
 */
#ifndef MG_TASK_DRAFT_H
#define MG_TASK_DRAFT_H

#include "task/decoder.h"

#define MG_MOST_DRAFTED 5

/* Whether drafts pay, by those of a text so far. */
typedef struct MgDraft
{
	double right;	/* share of drafts that proved right, lately */
	size_t untried; /* draws since drafts were last tried */
} MgDraft;

void mg_draft_init(MgDraft *draft);

/* Tokens [most at most] that may follow those of a text, in the text itself; 0: none are known, or they do not pay. */
size_t mg_draft_find(MgDraft *draft, const int32_t *ids, size_t n, size_t most, const int32_t **found);

/* Appends a token and drafts [n] behind it to a slot: logits [1 + n, vocab] are those behind each. Polls. */
bool mg_draft_read(MgDecoder *decoder, uint32_t slot, int32_t last, const int32_t *drafts, size_t n, float *logits);

/* So many of n drafts were right. */
void mg_draft_tell(MgDraft *draft, size_t right, size_t n);

#endif
