/*
 * The tokeniser of a Hugging Face directory: tokenizer.json, or else vocab.txt
 * with tokenizer_config.json, as an MgTokenizerSpec in arena memory.
 *
 * tokenizer.json is refused, by the name of the part, when its normalizer,
 * pre_tokenizer, model, post_processor or decoder is not one that text/ runs.
 * vocab.txt: one token per line, id = line number from 0; its special tokens
 * are [UNK] [CLS] [SEP] [PAD] [MASK] unless tokenizer_config.json or
 * special_tokens_map.json say otherwise; do_lower_case from
 * tokenizer_config.json, default true (as BertTokenizer).
 */
#ifndef MG_FORMAT_TOKENIZER_FILES_H
#define MG_FORMAT_TOKENIZER_FILES_H

#include "core/source.h"
#include "text/spec.h"

bool mg_tokenizer_files_read(MgCtx *cx, const MgFiles *files, MgTokenizerSpec *spec);

#endif
