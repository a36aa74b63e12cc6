/* A template's text as tokens. */
#include "template/lexer.h"

#include <stdlib.h>

#include "text/unicode.h"
#include "text/utf8.h"

typedef struct Lexer
{
	MgCtx *cx;
	MgSpan text; /* with newlines only */
	size_t at;
	unsigned line;
	bool line_starts; /* what was taken last ended a line, or nothing was */
	MgLex *tokens;
	size_t n, room;
} Lexer;

/* Of ASCII, whatever the locale. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

static bool
is_letter(char c)
{
	return ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
}

static bool
is_word(char c)
{
	return is_letter(c) || is_digit(c);
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool
mg_is_space(uint32_t code)
{
	return (code >= 0x1C && code <= 0x1F) || (mg_char_flags(code) & MG_CHAR_SPACE) != 0;
}

static bool
fail(Lexer *lexer, const char *what)
{
	mg_fail(lexer->cx, MG_BAD_FILE, "chat template is malformed: %s", what);
	return mg_detail(lexer->cx, "This is in line %u of the chat template.", lexer->line);
}

static bool
add(Lexer *lexer, MgLex token)
{
	if (lexer->n == lexer->room)
	{
		size_t room = lexer->room > 0 ? lexer->room * 2 : 256;
		MgLex *tokens = mg_alloc_array(lexer->cx, room, sizeof *tokens);

		if (tokens == NULL || !mg_poll(lexer->cx))
			return false;
		if (lexer->n > 0)
			memcpy(tokens, lexer->tokens, lexer->n * sizeof *tokens);
		lexer->tokens = tokens;
		lexer->room = room;
	}
	token.line = lexer->line;
	lexer->tokens[lexer->n++] = token;
	return true;
}

static bool
looking_at(const Lexer *lexer, const char *what)
{
	size_t n = strlen(what);

	return lexer->text.size - lexer->at >= n && memcmp(lexer->text.data + lexer->at, what, n) == 0;
}

static void
move_to(Lexer *lexer, size_t to)
{
	for (; lexer->at < to; lexer->at++)
		lexer->line += lexer->text.data[lexer->at] == '\n';
}

static void
skip_spaces(Lexer *lexer)
{
	size_t at = lexer->at;

	while (at < lexer->text.size)
	{
		size_t next = at;

		if (!mg_is_space(mg_utf8_next(lexer->text, &next)))
			break;
		at = next;
	}
	move_to(lexer, at);
}

/* The next "{{", "{%" or "{#" at or behind at; the end of the text without one. */
static size_t
next_tag(MgSpan text, size_t at)
{
	for (; at + 1 < text.size; at++)
		if (text.data[at] == '{' && (text.data[at + 1] == '{' || text.data[at + 1] == '%' || text.data[at + 1] == '#'))
			return at;
	return text.size;
}

/* What is left of text [from, to) before a tag whose third character is sign. */
static size_t
strip_end(const Lexer *lexer, size_t from, size_t to, bool is_output, char sign)
{
	size_t end = to, line = to;

	if (sign == '-')
	{
		while (end > from)
		{
			size_t before = end;

			if (!mg_is_space(mg_utf8_previous(lexer->text, &before)))
				break;
			end = before;
		}
		return end;
	}
	if (is_output || sign == '+')
		return to;
	while (line > from && lexer->text.data[line - 1] != '\n')
		line--;
	if (line == from && !lexer->line_starts)
		return to;
	for (size_t at = line; at < to;)
		if (!mg_is_space(mg_utf8_next(lexer->text, &at)))
			return to;
	return line;
}

/* Behind the end of a statement or comment; sign is the character before its "%}". */
static void
trim_begin(Lexer *lexer, char sign)
{
	size_t from = lexer->at;

	if (sign == '-')
		skip_spaces(lexer);
	else if (sign != '+' && lexer->at < lexer->text.size && lexer->text.data[lexer->at] == '\n')
		move_to(lexer, lexer->at + 1);
	lexer->line_starts = lexer->at > from && lexer->text.data[lexer->at - 1] == '\n';
}

static bool
add_text(Lexer *lexer, size_t from, size_t to)
{
	return from == to || add(lexer, (MgLex){.kind = MG_LEX_TEXT, .text = mg_span(lexer->text.data + from, to - from)});
}

static char
char_at(const Lexer *lexer, size_t at)
{
	return at < lexer->text.size ? (char) lexer->text.data[at] : '\0';
}

/* The place of what [n bytes] at or behind the current one; the text's end without it. */
static size_t
find(const Lexer *lexer, size_t from, const char *what)
{
	const uint8_t *found = from < lexer->text.size ? memmem(lexer->text.data + from, lexer->text.size - from, what, strlen(what)) : NULL;

	return found != NULL ? (size_t) (found - lexer->text.data) : lexer->text.size;
}

static bool
take_comment(Lexer *lexer)
{
	size_t end = find(lexer, lexer->at + 2, "#}");

	if (end == lexer->text.size)
		return fail(lexer, "a comment does not end");
	move_to(lexer, end + 2);
	trim_begin(lexer, char_at(lexer, end - 1));
	return true;
}

/* Behind "{%", "-" and blanks: whether name and the tag's end come; then they are taken, and *sign is that of the end. */
static bool
take_bare_tag(Lexer *lexer, const char *name, char *sign)
{
	size_t at = lexer->at, n = strlen(name);

	if (char_at(lexer, at) == '-' || char_at(lexer, at) == '+')
		at++;
	while (is_blank(char_at(lexer, at)))
		at++;
	if (lexer->text.size - at < n || memcmp(lexer->text.data + at, name, n) != 0)
		return false;
	at += n;
	while (is_blank(char_at(lexer, at)))
		at++;
	*sign = char_at(lexer, at);
	if (*sign == '-' || *sign == '+')
		at++;
	if (char_at(lexer, at) != '%' || char_at(lexer, at + 1) != '}')
		return false;
	move_to(lexer, at + 2);
	return true;
}

/* Behind "{% raw %}": text up to "{% endraw %}". */
static bool
take_raw(Lexer *lexer, char sign)
{
	size_t from;

	/* No newline goes here by itself. */
	if (sign == '-')
		skip_spaces(lexer);
	from = lexer->at;
	lexer->line_starts = false;
	for (size_t tag = find(lexer, from, "{%"); tag < lexer->text.size; tag = find(lexer, tag + 2, "{%"))
	{
		size_t end = strip_end(lexer, from, tag, false, char_at(lexer, tag + 2));

		move_to(lexer, tag + 2);
		if (!take_bare_tag(lexer, "endraw", &sign))
			continue;
		trim_begin(lexer, sign);
		return add_text(lexer, from, end);
	}
	return fail(lexer, "a raw block does not end");
}

/* Reads n hexadecimal digits at *at. */
static bool
take_hex(const Lexer *lexer, size_t *at, size_t n, uint32_t *code)
{
	*code = 0;
	for (size_t i = 0; i < n; i++, ++*at)
	{
		char c = char_at(lexer, *at);

		if (!is_hex(c))
			return false;
		*code = *code * 16 + (uint32_t) (is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
	}
	return true;
}

/* Undoes the escape behind a backslash at *at; writes what it stands for. */
static bool
take_escape(Lexer *lexer, size_t *at, uint8_t *into, size_t *n)
{
	static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
	char c = char_at(lexer, (*at)++);
	const char *found = c != '\0' ? strchr(from, c) : NULL;
	uint32_t code = 0;

	if (found != NULL)
		into[(*n)++] = (uint8_t) to[found - from];
	else if (c == '\n')
		return true;
	else if (c >= '0' && c <= '7')
	{
		--*at;
		for (int i = 0; i < 3 && char_at(lexer, *at) >= '0' && char_at(lexer, *at) <= '7'; i++)
			code = code * 8 + (uint32_t) (char_at(lexer, (*at)++) - '0');
		*n += mg_utf8_put(code, into + *n);
	}
	else if (c == 'x' || c == 'u' || c == 'U')
	{
		if (!take_hex(lexer, at, c == 'x' ? 2 : c == 'u' ? 4 : 8, &code) || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
			return fail(lexer, "a string has a bad escape");
		*n += mg_utf8_put(code, into + *n);
	}
	else
	{
		into[(*n)++] = '\\';
		--*at;
	}
	return true;
}

static bool
take_string(Lexer *lexer)
{
	char quote = char_at(lexer, lexer->at);
	size_t at = lexer->at + 1, end = at, n = 0;
	uint8_t *into;

	for (; end < lexer->text.size && char_at(lexer, end) != quote; end++)
		end += char_at(lexer, end) == '\\';
	if (end >= lexer->text.size)
		return fail(lexer, "a string does not end");
	into = mg_alloc(lexer->cx, end - at + 1);
	if (into == NULL)
		return false;
	while (at < end)
	{
		if (char_at(lexer, at) != '\\')
			into[n++] = lexer->text.data[at++];
		else if (at++, !take_escape(lexer, &at, into, &n))
			return false;
	}
	if (!add(lexer, (MgLex){.kind = MG_LEX_STRING, .text = mg_span(into, n)}))
		return false;
	move_to(lexer, end + 1);
	return true;
}

static bool
take_number(Lexer *lexer)
{
	char digits[64];
	size_t at = lexer->at, n = 0;
	MgLex token = {.kind = MG_LEX_INTEGER};

	while (n < sizeof digits - 1)
	{
		char c = char_at(lexer, at);
		bool exponent = (c == 'e' || c == 'E') &&
						(is_digit(char_at(lexer, at + 1)) ||
						 ((char_at(lexer, at + 1) == '-' || char_at(lexer, at + 1) == '+') && is_digit(char_at(lexer, at + 2))));

		if (!is_digit(c) && c != '_' && !(c == '.' && is_digit(char_at(lexer, at + 1))) && !exponent)
			break;
		at++;
		if (c != '_')
			digits[n++] = c;
		if (c == '.' || exponent)
			token.kind = MG_LEX_REAL;
		if (exponent && !is_digit(char_at(lexer, at)))
			digits[n++] = char_at(lexer, at++);
	}
	digits[n] = '\0';
	if (n > (token.kind == MG_LEX_INTEGER ? 18u : 40u) || is_word(char_at(lexer, at)))
		return fail(lexer, "a number is none");
	if (token.kind == MG_LEX_INTEGER)
		token.integer = strtoll(digits, NULL, 10);
	else
		token.real = strtod(digits, NULL);
	if (!add(lexer, token))
		return false;
	move_to(lexer, at);
	return true;
}

static bool
take_name(Lexer *lexer)
{
	size_t at = lexer->at;

	while (is_word(char_at(lexer, at)))
		at++;
	if (!add(lexer, (MgLex){.kind = MG_LEX_NAME, .text = mg_span(lexer->text.data + lexer->at, at - lexer->at)}))
		return false;
	move_to(lexer, at);
	return true;
}

static bool
take_operator(Lexer *lexer, int *nesting)
{
	static const char *const two[] = {"==", "!=", "<=", ">=", "//", "**"};
	char c = char_at(lexer, lexer->at);
	size_t n = 1;

	for (size_t i = 0; i < sizeof two / sizeof two[0]; i++)
		if (looking_at(lexer, two[i]))
			n = 2;
	if (n == 1 && (c == '\0' || strchr("+-*/%~|.,:()[]{}<>=", c) == NULL))
		return fail(lexer, "an expression has a character that means nothing");
	*nesting += c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
	if (!add(lexer, (MgLex){.kind = MG_LEX_OPERATOR, .text = mg_span(lexer->text.data + lexer->at, n)}))
		return false;
	move_to(lexer, lexer->at + n);
	return true;
}

/* Behind "{{" or "{%": tokens up to the end. */
static bool
take_tag(Lexer *lexer, bool is_output)
{
	const char *end = is_output ? "}}" : "%}";
	int nesting = 0;
	char c;

	if (!add(lexer, (MgLex){.kind = is_output ? MG_LEX_OUTPUT : MG_LEX_BLOCK}))
		return false;
	if (char_at(lexer, lexer->at) == '-' || char_at(lexer, lexer->at) == '+')
		lexer->at++;
	for (;;)
	{
		char sign;

		skip_spaces(lexer);
		if (lexer->at == lexer->text.size)
			return fail(lexer, "a tag does not end");
		sign = char_at(lexer, lexer->at);
		lexer->at += sign == '-' || (sign == '+' && !is_output);
		if (nesting <= 0 && looking_at(lexer, end))
		{
			move_to(lexer, lexer->at + 2);
			if (!add(lexer, (MgLex){.kind = is_output ? MG_LEX_OUTPUT_END : MG_LEX_BLOCK_END}))
				return false;
			if (is_output)
				lexer->line_starts = false;
			if (!is_output || sign == '-')
				trim_begin(lexer, sign);
			return true;
		}
		lexer->at -= sign == '-' || (sign == '+' && !is_output);
		c = char_at(lexer, lexer->at);
		if (c == '"' || c == '\'' ? !take_string(lexer)
			: is_digit(c) ? !take_number(lexer)
			: is_letter(c) ? !take_name(lexer)
			: !take_operator(lexer, &nesting))
			return false;
	}
}

/* Text up to the next tag, and the tag. */
static bool
take_next(Lexer *lexer)
{
	size_t from = lexer->at, tag = next_tag(lexer->text, from);
	bool is_output = char_at(lexer, tag + 1) == '{';
	size_t end = tag < lexer->text.size ? strip_end(lexer, from, tag, is_output, char_at(lexer, tag + 2)) : tag;
	char sign;

	if (!add_text(lexer, from, end))
		return false;
	move_to(lexer, tag);
	if (tag == lexer->text.size)
		return true;
	if (char_at(lexer, tag + 1) == '#')
		return take_comment(lexer);
	lexer->at += 2;
	if (!is_output && take_bare_tag(lexer, "raw", &sign))
		return take_raw(lexer, sign);
	return take_tag(lexer, is_output);
}

/* With "\n" for each "\r\n" and "\r", and without one at the end. */
static bool
take_lines(MgCtx *cx, MgSpan source, MgSpan *text)
{
	uint8_t *bytes = mg_alloc(cx, source.size);
	size_t n = 0;

	if (bytes == NULL)
		return false;
	for (size_t i = 0; i < source.size; i++)
		if (source.data[i] != '\r')
			bytes[n++] = source.data[i];
		else if (i + 1 == source.size || source.data[i + 1] != '\n')
			bytes[n++] = '\n';
	*text = mg_span(bytes, n > 0 && bytes[n - 1] == '\n' ? n - 1 : n);
	return true;
}

bool
mg_lex(MgCtx *cx, MgSpan source, unsigned first_line, MgLex **tokens, size_t *n)
{
	Lexer lexer = {.cx = cx, .line = first_line, .line_starts = true};

	if (!take_lines(cx, source, &lexer.text))
		return false;
	while (lexer.at < lexer.text.size)
		if (!take_next(&lexer))
			return false;
	if (!add(&lexer, (MgLex){.kind = MG_LEX_END}))
		return false;
	*tokens = lexer.tokens;
	*n = lexer.n;
	return true;
}
