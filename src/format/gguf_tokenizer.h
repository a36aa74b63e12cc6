/*
 * A GGUF file's tokeniser, by its values "tokenizer.ggml.*":
 *
 *   model        gpt2: byte-level BPE; llama: SentencePiece's BPE; others are refused by name
 *   pre          the pattern that cuts words, by name: gguf_tokenizer.c has those that are known
 *   tokens       texts by id, token_type what each is: 1 normal, 2 unknown, 3 control, 4 of the user, 5 unused, 6 a byte
 *   merges       "a b", of gpt2
 *   scores       f32, of llama; add_space_prefix, remove_extra_whitespaces
 *   bos_token_id, eos_token_id, eot_token_id, padding_token_id, unknown_token_id
 *   add_bos_token, add_eos_token
 */
#ifndef MG_FORMAT_GGUF_TOKENIZER_H
#define MG_FORMAT_GGUF_TOKENIZER_H

#include "format/gguf.h"
#include "text/spec.h"

bool mg_gguf_tokenizer_read(MgCtx *cx, const MgGguf *gguf, MgTokenizerSpec *spec);

/* Ids of tokens that end an answer, in arena memory: those that the file names, and those of known names. */
bool mg_gguf_ends_read(MgCtx *cx, const MgGguf *gguf, const MgTokenizerSpec *spec, int32_t **ends, size_t *n);

#endif
