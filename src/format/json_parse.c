/*
 * The parser behind json.h, in two passes:
 *
 *   1. scan   over the bytes alone (json_scan.c): depth, and how many members
 *             each array and object has at most, so that limits are kept and
 *             all memory is taken before the parser starts
 *   2. parse  recursively; the members of one array or object lie together,
 *             in the place that the scan has counted for them
 *
 * Both polls by bytes. A document that is malformed can be counted wrong, but
 * up to its first error the two passes agree on what is a string and what a
 * bracket; the parser checks the room all the same.
 */
#include <math.h>
#include <stdlib.h>

#include "core/hash.h"
#include "format/json_scan.h"
#include "text/utf8.h"

/* Keys that are compared between two polls. */
#define POLL_KEYS 4096

/* Integers up to here are exact as doubles. */
#define LARGEST_EXACT 9007199254740992.0

/* Longer numbers are no numbers. */
#define LONGEST_NUMBER 1024

/* Objects of more members look for equal keys by hash. */
#define FEW_KEYS 16

/* Bytes of a document that a message shows. */
#define NEAR 20

typedef struct Parser
{
	MgCtx *cx;
	const char *name;
	MgSpan text;
	size_t at, poll_at;
	const uint32_t *counts;	 /* of the array or object that opens next, and those after it */
	MgJson *values;			 /* free places */
	MgSpan *keys;
	char *bytes;
} Parser;

static bool
fail(Parser *parser, const char *what)
{
	char near[NEAR + 1];
	size_t line, column, n = 0;

	mg_json_place(parser->text, parser->at, &line, &column);
	for (size_t at = parser->at; at < parser->text.size && n < NEAR; at++)
	{
		uint8_t byte = parser->text.data[at];

		if (byte <= 0x20 || (n > 0 && strchr(",:]}", byte) != NULL))
			break;
		near[n++] = byte < 0x7F ? (char) byte : '?';
	}
	near[n] = '\0';
	mg_fail(parser->cx, MG_BAD_FILE, "file \"%s\" is not valid JSON", parser->name);
	if (parser->at == parser->text.size)
		return mg_detail(parser->cx, "Line %zu, column %zu: %s at the end.", line, column, what);
	return mg_detail(parser->cx, n > 0 ? "Line %zu, column %zu: %s near '%s'." : "Line %zu, column %zu: %s.", line, column,
					 what, near);
}

static bool
pace(Parser *parser)
{
	if (parser->at < parser->poll_at)
		return true;
	parser->poll_at = parser->at + MG_JSON_POLL_BYTES;
	return mg_poll(parser->cx);
}

/* The byte at hand; 0, which is no JSON, at the end. */
static uint8_t
peek(const Parser *parser)
{
	return parser->at < parser->text.size ? parser->text.data[parser->at] : 0;
}

static bool
skip_space(Parser *parser)
{
	while (parser->at < parser->text.size && strchr(" \t\n\r", peek(parser)) != NULL && peek(parser) != 0)
	{
		parser->at++;
		if (!pace(parser))
			return false;
	}
	return true;
}

/* Four hexadecimal digits behind "\u"; -1: they are none. */
static long
read_hex(Parser *parser)
{
	long value = 0;

	for (int i = 0; i < 4; i++, parser->at++)
	{
		uint8_t byte = peek(parser);

		if (byte >= '0' && byte <= '9')
			value = 16 * value + byte - '0';
		else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
			value = 16 * value + (byte | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return value;
}

/* "\u00e9" or "\ud83d\ude00", behind the "u". */
static bool
parse_unicode(Parser *parser)
{
	size_t start = parser->at - 2;
	long code = read_hex(parser), low = -1;

	if (code >= 0xD800 && code <= 0xDBFF && peek(parser) == '\\')
	{
		parser->at++;
		if (peek(parser) == 'u')
		{
			parser->at++;
			low = read_hex(parser);
		}
		code = low >= 0xDC00 && low <= 0xDFFF ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : -1;
	}
	if (code <= 0 || (code >= 0xD800 && code <= 0xDFFF))
	{
		parser->at = start;
		return fail(parser, code == 0 ? "\\u0000 is not allowed" : "invalid Unicode escape");
	}
	parser->bytes += mg_utf8_put((uint32_t) code, (uint8_t *) parser->bytes);
	return true;
}

/* What stands behind a backslash. */
static bool
parse_escape(Parser *parser)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	parser->at++;
	found = peek(parser) != 0 ? strchr(from, peek(parser)) : NULL;
	if (found != NULL)
		*parser->bytes++ = to[found - from];
	else if (peek(parser) != 'u')
	{
		parser->at--;
		return fail(parser, "invalid escape");
	}
	parser->at++;
	return found != NULL || parse_unicode(parser);
}

/* Copies characters that stand for themselves, as many as there are before the next poll. */
static bool
parse_plain(Parser *parser)
{
	const uint8_t *text = parser->text.data;
	size_t start = parser->at, end = parser->text.size - start > MG_JSON_POLL_BYTES ? start + MG_JSON_POLL_BYTES : parser->text.size;
	size_t at = start;

	while (at < end && text[at] >= 0x20 && text[at] < 0x80 && text[at] != '"' && text[at] != '\\')
		at++;
	if (at == start)
	{
		MgSpan rest = mg_span(text + at, parser->text.size - at < MG_UTF8_MAX ? parser->text.size - at : MG_UTF8_MAX);

		if (text[at] < 0x20)
			return fail(parser, "control character in a string");
		if (mg_utf8_check(rest) == 0)
			return fail(parser, "invalid UTF-8");
		mg_utf8_next(parser->text, &at);
	}
	memcpy(parser->bytes, text + start, at - start);
	parser->bytes += at - start;
	parser->at = at;
	return true;
}

static bool
parse_string(Parser *parser, MgSpan *string)
{
	char *start = parser->bytes;

	parser->at++;
	while (peek(parser) != '"')
	{
		if (parser->at == parser->text.size)
			return fail(parser, "a string does not end");
		if (!(peek(parser) == '\\' ? parse_escape(parser) : parse_plain(parser)) || !pace(parser))
			return false;
	}
	parser->at++;
	*string = mg_span(start, (size_t) (parser->bytes - start));
	*parser->bytes++ = '\0';
	return true;
}

static size_t
skip_digits(Parser *parser)
{
	size_t start = parser->at;

	while (peek(parser) >= '0' && peek(parser) <= '9' && parser->at - start <= LONGEST_NUMBER)
		parser->at++;
	return parser->at - start;
}

/* Moves behind a number, if there is one. */
static bool
skip_number(Parser *parser)
{
	bool is_zero;

	parser->at += peek(parser) == '-';
	is_zero = peek(parser) == '0';
	if (is_zero)
		parser->at++;
	else if (skip_digits(parser) == 0)
		return false;
	if (peek(parser) == '.')
	{
		parser->at++;
		if (skip_digits(parser) == 0)
			return false;
	}
	if ((peek(parser) | 0x20) == 'e')
	{
		parser->at++;
		parser->at += peek(parser) == '+' || peek(parser) == '-';
		if (skip_digits(parser) == 0)
			return false;
	}
	return true;
}

static bool
parse_number(Parser *parser, MgJson *into)
{
	size_t start = parser->at;
	char digits[LONGEST_NUMBER + 1];
	double real;

	if (!skip_number(parser))
		return fail(parser, "invalid number");
	if (parser->at - start > LONGEST_NUMBER)
		return fail(parser, "a number is too long");
	memcpy(digits, parser->text.data + start, parser->at - start);
	digits[parser->at - start] = '\0';
	real = strtod(digits, NULL);
	if (!isfinite(real))
	{
		parser->at = start;
		return fail(parser, "a number is too large");
	}
	into->real = real;
	into->kind = MG_JSON_REAL;
	if (fabs(real) <= LARGEST_EXACT && real == trunc(real))
	{
		into->kind = MG_JSON_INTEGER;
		into->integer = (int64_t) real;
	}
	return true;
}

static bool
parse_word(Parser *parser, MgJson *into)
{
	static const struct
	{
		const char *word;
		MgJsonKind kind;
	} words[] = {{"true", MG_JSON_TRUE}, {"false", MG_JSON_FALSE}, {"null", MG_JSON_NULL}};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
	{
		size_t size = strlen(words[i].word);

		if (parser->text.size - parser->at < size || memcmp(parser->text.data + parser->at, words[i].word, size) != 0)
			continue;
		parser->at += size;
		into->kind = words[i].kind;
		return true;
	}
	return fail(parser, "a value is expected");
}

/* Whether a key stands in an object twice: all pairs of few keys, a table of many. */
static bool
check_keys(Parser *parser, const MgSpan *keys, size_t n)
{
	MgCtx *cx = parser->cx;
	MgMark mark = mg_mark(cx);
	size_t n_slots = 4, steps = 0;
	uint32_t *slots;

	for (size_t i = 0; n <= FEW_KEYS && i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (mg_span_equal(keys[i], keys[j]))
				return fail(parser, "duplicate key in the object that ends here");
	if (n <= FEW_KEYS)
		return true;
	while (n_slots < 2 * n)
		n_slots *= 2;
	slots = mg_alloc_zeroed(cx, n_slots, sizeof *slots);
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		size_t slot = mg_hash((MgHash){{0, 0}}, keys[i]).words[0] & (n_slots - 1);

		for (; slots[slot] != 0; slot = (slot + 1) & (n_slots - 1))
		{
			if (++steps % POLL_KEYS == 0 && !mg_poll(cx))
				return false;
			if (mg_span_equal(keys[slots[slot] - 1], keys[i]))
				return fail(parser, "duplicate key in the object that ends here");
		}
		slots[slot] = (uint32_t) i + 1;
		if (++steps % POLL_KEYS == 0 && !mg_poll(cx))
			return false;
	}
	mg_rewind(cx, mark);
	return true;
}

static bool parse_value(Parser *parser, MgJson *into);

/* A key and the colon behind it. */
static bool
parse_key(Parser *parser, MgSpan *key)
{
	if (peek(parser) != '"')
		return fail(parser, "a string or '}' expected");
	if (!parse_string(parser, key) || !skip_space(parser))
		return false;
	if (peek(parser) != ':')
		return fail(parser, "':' expected");
	parser->at++;
	return skip_space(parser);
}

static bool
parse_members(Parser *parser, MgJson *into)
{
	bool is_object = peek(parser) == '{';
	uint32_t room = *parser->counts++, n = 0;
	MgJson *items = parser->values;
	MgSpan *keys = is_object ? parser->keys : NULL;
	uint8_t close = is_object ? '}' : ']';

	parser->values += room;
	parser->keys += is_object ? room : 0;
	parser->at++;
	if (!skip_space(parser))
		return false;
	while (n > 0 || peek(parser) != close)
	{
		if (n == room)
			return fail(parser, "a value is expected");
		if ((is_object && !parse_key(parser, &keys[n])) || !parse_value(parser, &items[n]) || !skip_space(parser))
			return false;
		n++;
		if (peek(parser) == close)
			break;
		if (peek(parser) != ',')
			return fail(parser, is_object ? "',' or '}' expected" : "',' or ']' expected");
		parser->at++;
		if (!skip_space(parser))
			return false;
	}
	if (is_object && !check_keys(parser, keys, n))
		return false;
	parser->at++;
	into->kind = is_object ? MG_JSON_OBJECT : MG_JSON_ARRAY;
	into->n = n;
	into->items = items;
	into->keys = keys;
	return true;
}

static bool
parse_value(Parser *parser, MgJson *into)
{
	memset(into, 0, sizeof *into);
	if (!pace(parser))
		return false;
	switch (peek(parser))
	{
		case '{':
		case '[':
			return parse_members(parser, into);
		case '"':
			into->kind = MG_JSON_STRING;
			return parse_string(parser, &into->string);
		case '-':
		case '0' ... '9':
			return parse_number(parser, into);
		default:
			return parse_word(parser, into);
	}
}

const MgJson *
mg_json_parse(MgCtx *cx, const char *name, MgSpan text)
{
	Parser parser = {.cx = cx, .name = name, .text = text.size > 0 ? text : mg_span("", 0)};
	MgJson *root;
	MgJsonScan scan;

	if (!mg_json_scan(cx, name, text, &scan))
		return NULL;
	parser.counts = scan.counts;
	parser.values = mg_alloc_array(cx, scan.n_values + 1, sizeof *parser.values);
	parser.keys = mg_alloc_array(cx, scan.n_keys, sizeof *parser.keys);
	/* A string takes a byte more than it has, and two quotes in the document. */
	parser.bytes = mg_alloc(cx, text.size + 1);
	if (parser.values == NULL || parser.keys == NULL || parser.bytes == NULL)
		return NULL;
	root = parser.values++;
	if (!skip_space(&parser))
		return NULL;
	if (peek(&parser) != '[' && peek(&parser) != '{')
	{
		fail(&parser, "'[' or '{' expected");
		return NULL;
	}
	if (!parse_members(&parser, root) || !skip_space(&parser))
		return NULL;
	if (parser.at < text.size)
	{
		fail(&parser, "end of file expected");
		return NULL;
	}
	return root;
}
