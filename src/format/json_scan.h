/*
 * The first pass over a JSON document, for json_parse.c: limits are kept and
 * all memory is known before the parser starts.
 */
#ifndef MG_FORMAT_JSON_SCAN_H
#define MG_FORMAT_JSON_SCAN_H

#include "format/json.h"

/* Bytes between two polls, a millisecond or two. */
#define MG_JSON_POLL_BYTES ((size_t) 256 * 1024)

typedef struct MgJsonScan
{
	size_t depth, n_values, n_keys;
	uint32_t *counts; /* [n_counts] most members of each array and object, in the order in which they open */
	size_t n_counts, room;
	uint32_t open[MG_JSON_MAX_DEPTH + 1]; /* [depth] those that are open, by number */
	bool is_object[MG_JSON_MAX_DEPTH + 1];
	bool in_string, escaped;
} MgJsonScan;

/* Counts what is in a text; refuses more than the limits with MG_TOO_LARGE. Malformed text is left to the parser. Polls. */
bool mg_json_scan(MgCtx *cx, const char *name, MgSpan text, MgJsonScan *scan);

/* Line and column of a byte, both from 1. */
void mg_json_place(MgSpan text, size_t at, size_t *line, size_t *column);

#endif
