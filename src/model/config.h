/*
 * A model's configuration: typed keys and values, and the struct that an
 * architecture reads them into.
 *
 * An architecture lists its keys in a table (MgKey): the name that config.json
 * has, the field of its own struct, the bounds. From the table comes the
 * reading of config.json, of an image's section "config", and the writing of
 * that section. A key that the table lacks is left out or passed over, so that
 * neither a new library nor a new file makes the other one unreadable.
 *
 * The section: u32 number of values, then for each u32 kind, u32 size and
 * bytes of the key, and the value:
 *   integer  i64            real  f64
 *   flag     u32, 0 or 1    text  u32 size and bytes
 */
#ifndef MG_MODEL_CONFIG_H
#define MG_MODEL_CONFIG_H

#include "core/ctx.h"

/* Bounds that keep every product of two of them, in bytes, far below 2^63. */
#define MG_MAX_VOCAB 4000000
#define MG_MAX_WIDTH 65536
#define MG_MAX_LAYERS 512
#define MG_MAX_POSITIONS 1048576

/* Values of one configuration: labels are the only ones that come by the thousand. */
#define MG_MAX_VALUES 65536

typedef enum MgValueKind
{
	MG_VALUE_INTEGER = 0, /* the numbers are part of the image format */
	MG_VALUE_REAL = 1,
	MG_VALUE_FLAG = 2,
	MG_VALUE_TEXT = 3
} MgValueKind;

typedef struct MgConfigValue
{
	MgSpan key; /* "hidden_size"; a dot leads into an object or array: "id2label.0" */
	MgValueKind kind;
	int64_t integer; /* of an integer or a flag */
	double real;	 /* of a real */
	MgSpan text;	 /* of a text */
} MgConfigValue;

typedef struct MgConfig
{
	const char *file; /* that it is from, for errors; NULL: an image */
	size_t n;
	const MgConfigValue *values; /* [n] */
} MgConfig;

typedef enum MgKeyKind
{
	MG_KEY_SIZE,	   /* uint32_t */
	MG_KEY_COUNT,	   /* uint64_t */
	MG_KEY_REAL,	   /* float */
	MG_KEY_CAP,		   /* the same; null is 0, not the default */
	MG_KEY_FLAG,	   /* bool */
	MG_KEY_TEXT,	   /* MgSpan */
	MG_KEY_ACTIVATION, /* uint32_t: MgActivation, by its name */
	MG_KEY_LIST		   /* no field: all members of an array or object are kept, to be found by mg_config_find; a text is an array of one */
} MgKeyKind;

/* A key, and where it goes. A key that is absent leaves its field as it is. */
typedef struct MgKey
{
	const char *name;
	MgKeyKind kind;
	size_t field;
	double least, most; /* of a number */
} MgKey;

/* What shared code asks of every architecture: the first member of its struct. */
typedef struct MgSizes
{
	uint32_t layers;
	uint32_t depth;	  /* passes through layers, where these are taken more than once; 0: as many as layers */
	uint32_t width;	  /* of a token's state */
	uint32_t vocab;	  /* rows of the vocabulary's matrix */
	uint32_t longest; /* sequence, in tokens */
	uint32_t segments; /* kinds of them that it tells apart; 0: it looks at none */
	uint32_t labels;  /* of a class head; 0: there is no such head */
	bool tied;		  /* the vocabulary's matrix is the table of words */
	bool both_sides;  /* of a decoder: a token sees those behind it, too, so that it makes no text */
	MgSpan problem, activation, old_activation; /* of a class head, as the files say: model/classes.h */
} MgSizes;

typedef struct MgJson MgJson; /* format/json.h */

/* The values of these keys that a JSON object has. */
bool mg_config_of_json(MgCtx *cx, const char *file, const MgJson *object, const MgKey *keys, size_t n_keys,
					   MgConfig *config);

/* Fills a struct, which holds the defaults, from the values; types and bounds are checked. */
bool mg_config_fill(MgCtx *cx, const MgConfig *config, const MgKey *keys, size_t n_keys, void *fields);

/* The other way: values of the fields that are within their bounds, with the lists of another configuration, or NULL. */
bool mg_config_of_fields(MgCtx *cx, const MgKey *keys, size_t n_keys, const void *fields, const MgConfig *lists,
						 MgConfig *config);

/* To and from the bytes of a section; texts point into bytes. */
bool mg_config_write(MgCtx *cx, const MgConfig *config, MgSpan *bytes);
bool mg_config_read(MgCtx *cx, MgSpan bytes, MgConfig *config);

/* The value of a key, or NULL. */
const MgConfigValue *mg_config_find(const MgConfig *config, const char *key);

/* How many values a list has, such as "id2label". */
size_t mg_config_count(const MgConfig *config, const char *list);

/* What is wrong with a configuration, by its file or as damage of an image; returns false. */
bool mg_config_fail(MgCtx *cx, const MgConfig *config, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
