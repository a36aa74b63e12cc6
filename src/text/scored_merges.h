/*
 * Merges that follow from scores: SentencePiece's BPE has no list of them, but joins any two neighbours whose text together is a token, those
 * of the largest score first, and of equal ones the leftmost. So each way to cut a token in two tokens is a merge of its rank.
 */
#ifndef MG_TEXT_SCORED_MERGES_H
#define MG_TEXT_SCORED_MERGES_H

#include "text/bpe.h"

/* Merges of the spec's tokens, in arena memory; added tokens, special ones and those of bytes take no part. */
bool mg_scored_merges(MgCtx *cx, const MgTokenizerSpec *spec, const MgVocab *vocab, MgMerge **merges, size_t *n);

#endif
