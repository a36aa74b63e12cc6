/*
 * JSON as an arena tree. The parser (json_parse.c) is strict: duplicate keys,
 * invalid UTF-8, zero bytes in strings and trailing bytes are refused. It
 * polls, and its memory is known before it starts: 24 bytes a value, 16 a key,
 * and no more text than the document has.
 *
 * Numbers follow JavaScript: a number without a fraction and within 2^53 is an
 * integer however it is written (4 and 4.0 alike), any other is a real. So an
 * absurd integer such as 1000000000000000019884624838656, which Hugging Face
 * writes for "no limit", is a real and no error.
 */
#ifndef MG_FORMAT_JSON_H
#define MG_FORMAT_JSON_H

#include "core/ctx.h"

/* A document beyond these is refused with MG_TOO_LARGE: they bound stack and memory. */
#define MG_JSON_MAX_DEPTH 64
#define MG_JSON_MAX_VALUES 4194304

typedef enum MgJsonKind
{
	MG_JSON_NULL,
	MG_JSON_FALSE,
	MG_JSON_TRUE,
	MG_JSON_INTEGER,
	MG_JSON_REAL,
	MG_JSON_STRING,
	MG_JSON_ARRAY,
	MG_JSON_OBJECT
} MgJsonKind;

typedef struct MgJson
{
	uint32_t kind; /* MgJsonKind */
	uint32_t n;	   /* members of an array or object; else 0 */
	union
	{
		struct
		{
			const struct MgJson *items; /* [n] */
			const MgSpan *keys;			/* [n] of an object, in file order; NUL-terminated as well */
		};
		MgSpan string; /* of a string; NUL-terminated as well */
		struct
		{
			int64_t integer; /* of an integer */
			double real;	 /* of an integer or a real */
		};
	};
} MgJson;

/* Parses one document; name appears in errors ("file \"config.json\" ..."). NULL on error. */
const MgJson *mg_json_parse(MgCtx *cx, const char *name, MgSpan text);

/* A member of an object; NULL when object is NULL, no object, or lacks it. A JSON null counts as lacking. */
const MgJson *mg_json_get(const MgJson *object, const char *key);

/*
 * Typed members. A missing member leaves *value as it is and gives true, so
 * the caller sets the default before; a member of another type, or out of
 * [least, most], is an error that names file, key and value. With name NULL
 * the members are a user's options, and so the error says.
 */
bool mg_json_get_size(MgCtx *cx, const char *name, const MgJson *object, const char *key, size_t least, size_t most,
					  size_t *value);
bool mg_json_get_float(MgCtx *cx, const char *name, const MgJson *object, const char *key, float *value);
bool mg_json_get_bool(MgCtx *cx, const char *name, const MgJson *object, const char *key, bool *value);
bool mg_json_get_string(MgCtx *cx, const char *name, const MgJson *object, const char *key, MgSpan *value);

#endif
