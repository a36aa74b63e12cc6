/* The parts of tokenizer.json beside the model. */
#ifndef MG_FORMAT_TOKENIZER_PARTS_H
#define MG_FORMAT_TOKENIZER_PARTS_H

#include "format/token_table.h"

#define MG_TOKENIZER_JSON "tokenizer.json"

/* Normaliser, pre-tokeniser, post-processor and decoder, for the spec's kind of model. */
bool mg_tokenizer_parts_read(MgCtx *cx, const MgJson *root, const MgTokenTable *table, MgTokenizerSpec *spec);

/* The post-processor; tokenizer_wrap.c. */
bool mg_tokenizer_wrap_read(MgCtx *cx, const MgJson *root, const MgTokenTable *table, MgTokenizerSpec *spec);

/* The pattern that is known by this text of its. */
bool mg_tokenizer_pattern(MgSpan regex, MgPattern *pattern);

/* The type of a part, empty where there is no such part. False when it is there without a type. */
bool mg_tokenizer_part_type(MgCtx *cx, const MgJson *part, const char *key, MgSpan *type);

/* The error for a part of that type, which may be empty; returns false. */
bool mg_tokenizer_part_fail(MgCtx *cx, const char *part, MgSpan type, const char *supported);

#endif
