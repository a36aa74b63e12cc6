/*
 * Values of a template, and the state of one rendering that they live in.
 *
 * Strings know of each byte whether it is data ("marked"). Slices share bytes and marks; whatever makes a new string carries both along.
 */
#ifndef MG_TEMPLATE_VALUE_H
#define MG_TEMPLATE_VALUE_H

#include "template/template.h"
#include "text/pace.h"

typedef struct MgMarked
{
	const uint8_t *bytes;
	const uint8_t *marks; /* [size] 1: data; NULL: all bytes are alike */
	size_t size;
	bool data; /* without marks: what they are */
	bool safe; /* filter "safe" gave it: in the reference what is added to it becomes HTML */
} MgMarked;

typedef enum MgValueKind
{
	MG_VALUE_UNDEFINED, /* text: the name, for errors */
	MG_VALUE_NONE,
	MG_VALUE_BOOL,
	MG_VALUE_INTEGER,
	MG_VALUE_REAL,
	MG_VALUE_STRING,
	MG_VALUE_LIST,
	MG_VALUE_TUPLE, /* as a list, printed otherwise */
	MG_VALUE_DICT,
	MG_VALUE_NAMESPACE, /* a dict that can be changed */
	MG_VALUE_LOOP,
	MG_VALUE_MACRO,
	MG_VALUE_METHOD
} MgValueKind;

typedef struct MgValue
{
	uint32_t kind;
	union
	{
		bool truth;
		int64_t integer;
		double real;
		const MgMarked *text;
		struct MgList *list;
		struct MgDict *dict;
		struct MgLoop *loop;
		const struct MgMacro *macro;
		const struct MgNode *method;
	};
} MgValue;

typedef struct MgList
{
	size_t n, room;
	MgValue *items; /* [room] */
} MgList;

typedef struct MgDict
{
	size_t n, room;
	const MgMarked **keys; /* [room] in order of entry, each once */
	MgValue *values;	   /* [room] */
} MgDict;

typedef struct MgLoop
{
	const MgList *list;
	size_t at;
	MgValue changed; /* what loop.changed saw last; undefined: nothing yet */
} MgLoop;

/* Names that a block has set; those around it are the parent's. */
typedef struct MgScope
{
	struct MgScope *parent;
	struct MgVariable *variables;
} MgScope;

typedef struct MgVariable
{
	struct MgVariable *next;
	MgSpan name;
	MgValue value;
} MgVariable;

typedef struct MgMacro
{
	const struct MgNode *node;
	MgScope *scope; /* that it was made in */
} MgMacro;

/* A string that grows. */
typedef struct MgPuts
{
	uint8_t *bytes, *marks; /* [room] */
	size_t size, room;
} MgPuts;

typedef enum MgFlow
{
	MG_FLOW_ON,
	MG_FLOW_BREAK,
	MG_FLOW_CONTINUE
} MgFlow;

typedef struct MgRender
{
	MgCtx *cx;
	uint8_t *chunk; /* where small pieces come from */
	size_t chunk_left, memory, steps;
	MgPace pace;
	unsigned depth, line;
	MgScope *scope;
	MgPuts *out;
	MgFlow flow;
} MgRender;

/* Calls, blocks, and values in values, all together: each is some frames of the stack. */
#define MG_RENDER_MAX_DEPTH (4 * MG_TEMPLATE_MAX_DEPTH)

#define MG_UNDEFINED_VALUE ((MgValue){.kind = MG_VALUE_UNDEFINED})
#define MG_NONE_VALUE ((MgValue){.kind = MG_VALUE_NONE})

/* Memory of the rendering, within its limit. NULL on an error. */
void *mg_render_alloc(MgRender *render, size_t n, size_t piece);

/* Counts work of so many steps; polls. False when the limit is reached or the host says stop. */
bool mg_render_step(MgRender *render, size_t steps);

/* Errors with the line; they return false. */
bool mg_render_fail(MgRender *render, MgCode code, const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline MgValue
mg_value_bool(bool truth)
{
	return (MgValue){.kind = MG_VALUE_BOOL, .truth = truth};
}

static inline MgValue
mg_value_integer(int64_t integer)
{
	return (MgValue){.kind = MG_VALUE_INTEGER, .integer = integer};
}

static inline bool
mg_value_is_list(MgValue value)
{
	return value.kind == MG_VALUE_LIST || value.kind == MG_VALUE_TUPLE;
}

static inline bool
mg_value_is_dict(MgValue value)
{
	return value.kind == MG_VALUE_DICT || value.kind == MG_VALUE_NAMESPACE;
}

/* Bytes that are the template's. */
static inline MgMarked
mg_marked(MgSpan span)
{
	return (MgMarked){span.data, NULL, span.size, false, false};
}

static inline MgSpan
mg_marked_span(const MgMarked *text)
{
	return mg_span(text->bytes, text->size);
}

static inline MgMarked
mg_marked_slice(const MgMarked *text, size_t from, size_t to)
{
	return (MgMarked){text->bytes + from, text->marks != NULL ? text->marks + from : NULL, to - from, text->data, false};
}

/* Values in memory of the rendering. */
bool mg_value_string(MgRender *render, MgMarked text, MgValue *value);
bool mg_value_list(MgRender *render, size_t room, MgValue *value);
bool mg_value_dict(MgRender *render, MgValueKind kind, MgValue *value);
bool mg_value_of_json(MgRender *render, const MgJson *json, MgValue *value);

bool mg_list_add(MgRender *render, MgList *list, MgValue item);
bool mg_dict_set(MgRender *render, MgDict *dict, const MgMarked *key, MgValue value);
const MgValue *mg_dict_find(const MgDict *dict, MgSpan key); /* NULL: there is none */

/* Strings that grow. */
bool mg_puts(MgRender *render, MgPuts *puts, MgMarked text);
bool mg_puts_text(MgRender *render, MgPuts *puts, const char *text);
bool mg_puts_span(MgRender *render, MgPuts *puts, MgSpan text, bool data);
bool mg_puts_value(MgRender *render, MgPuts *puts, MgValue value); /* as Python's str() */
bool mg_puts_repr(MgRender *render, MgPuts *puts, MgValue value);	/* as Python's repr() */
bool mg_puts_real(MgRender *render, MgPuts *puts, double real);
bool mg_puts_end(MgRender *render, const MgPuts *puts, MgValue *value); /* as a value */

/* What it is, for errors: "undefined", "a string". */
const char *mg_value_kind(MgValue value);
bool mg_value_truth(MgValue value);
bool mg_value_equal(MgRender *render, MgValue a, MgValue b, bool *equal);
/* *order below, at or above 0. False after an error: they have none. */
bool mg_value_compare(MgRender *render, MgValue a, MgValue b, int *order);
/* Number of items, keys or characters. False after an error: it has none. */
bool mg_value_length(MgRender *render, MgValue value, size_t *n);
/* The items of a list, the keys of a dict, the characters of a string; none of what is undefined. */
bool mg_value_items(MgRender *render, MgValue value, const MgList **items);
/* As a string: itself, or what str() makes of it. */
bool mg_value_text(MgRender *render, MgValue value, const MgMarked **text);
bool mg_value_contains(MgRender *render, MgValue container, MgValue item, bool *found);

#endif
