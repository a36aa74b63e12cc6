/*
 * A vocabulary while it is gathered from files, and the files that say which
 * of its tokens are special; for tokenizer_json.c, vocab_txt.c and
 * tokenizer_files.c.
 */
#ifndef MG_FORMAT_TOKEN_TABLE_H
#define MG_FORMAT_TOKEN_TABLE_H

#include "format/json.h"
#include "text/spec.h"

/* Ids are below this: it bounds the table, which has a place for each id. */
#define MG_MAX_TOKEN_IDS 4000000

typedef struct MgTokenTable
{
	const char *file; /* that the tokens come from, for errors */
	size_t n;
	MgSpan *tokens; /* [n], by id; size 0: a hole */
	uint8_t *flags; /* [n] */
} MgTokenTable;

/* What stands beside the vocabulary; NULL for a file that is absent. */
typedef struct MgTokenizerConfig
{
	const MgJson *config;	   /* tokenizer_config.json */
	const MgJson *special_map; /* special_tokens_map.json */
} MgTokenizerConfig;

/* Makes a table of holes for ids below n. */
bool mg_token_table_init(MgCtx *cx, const char *file, size_t n, MgTokenTable *table);

/* Puts a token of the vocabulary in its place, which must be free. */
bool mg_token_table_put(MgCtx *cx, MgTokenTable *table, size_t id, MgSpan token);

/*
 * Puts an added token, an object of content and flags, in its place, where the
 * vocabulary may have the same token already.
 */
bool mg_token_table_add(MgCtx *cx, MgTokenTable *table, size_t id, const MgJson *token);

/* The id of a token, or -1; walks the table. */
int32_t mg_token_table_find(const MgTokenTable *table, MgSpan token);

/* As mg_token_table_find; that there is no such token is an error. */
bool mg_token_table_require(MgCtx *cx, const MgTokenTable *table, MgSpan token, int32_t *id);

/* Hands the table to a spec. */
void mg_token_table_finish(const MgTokenTable *table, MgTokenizerSpec *spec);

/*
 * A special token, as key ("mask_token") of tokenizer_config.json, or else of
 * special_tokens_map.json: *text and, where it is an object, *object. *text
 * stays as it is when neither says so.
 */
bool mg_special_token(MgCtx *cx, const MgTokenizerConfig *files, const char *key, MgSpan *text, const MgJson **object);

/* Flags of an added token's object; special is the default of its "special". */
bool mg_token_flags(MgCtx *cx, const char *file, const MgJson *token, bool special, uint8_t *flags);

/* The two readers behind mg_tokenizer_files_read. They leave pad, mask and max_tokens to it, where files agree. */
bool mg_tokenizer_json_read(MgCtx *cx, MgSpan text, MgTokenTable *table, MgTokenizerSpec *spec);
bool mg_vocab_txt_read(MgCtx *cx, MgSpan text, const MgTokenizerConfig *files, MgTokenTable *table,
					   MgTokenizerSpec *spec);

#endif
