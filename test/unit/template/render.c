/* Templates as transformers renders them (test/golden/template.py), limits, refusals, and what of a text is data. */
#include "template/template.h"

#include <dirent.h>

#include "unit/host.h"
#include "unit/whole_file.h"

/* Members of an object as variables; strings are the model's own, the rest is data. */
static size_t
variables_of(const MgJson *object, MgTemplateVariable *variables)
{
	for (size_t i = 0; i < object->n; i++)
	{
		const MgJson *value = &object->items[i];

		variables[i] = (MgTemplateVariable){(const char *) object->keys[i].data, value->kind == MG_JSON_STRING ? NULL : value, value->string};
	}
	return object->n;
}

static void
show(const char *what, MgSpan text)
{
	printf("# %s: ", what);
	for (size_t i = 0; i < text.size && i < 2000; i++)
		if (text.data[i] == '\n')
			printf("\\n");
		else
			putchar(text.data[i]);
	printf("\n");
}

/* Whether a case comes out as it should. */
static bool
check_case(MgCtx *cx, MgSpan source, const MgJson *one, size_t number)
{
	const MgJson *text = mg_json_get(one, "text");
	MgTemplateVariable variables[16];
	size_t n = variables_of(mg_json_get(one, "variables"), variables);
	const MgTemplate *parsed;
	MgRendered rendered;
	bool fine, same;

	memset(&cx->error, 0, sizeof cx->error);
	parsed = mg_template_parse(cx, source);
	fine = parsed != NULL && mg_template_render(cx, parsed, variables, n, &rendered);
	same = text == NULL ? !fine : fine && mg_span_equal(rendered.text, text->string);
	if (!same)
	{
		printf("# case %zu\n", number);
		show("template", mg_span(source.data, source.size < 300 ? source.size : 300));
		if (text != NULL)
			show("should be", text->string);
		if (fine)
			show("is", rendered.text);
		else
			printf("# error: %s %s\n", cx->error.message, cx->error.detail);
	}
	return same;
}

static void
check_file(const char *directory, const char *name)
{
	char path[1000];
	size_t size = 0, n = 0, wrong = 0;
	TestHost test;
	MgCtx kept, cx;
	const MgJson *json;
	char *text;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	text = read_whole(path, &size);
	test_host_init(&test);
	mg_ctx_init(&kept, &test.host);
	mg_ctx_init(&cx, &test.host);
	json = text != NULL ? mg_json_parse(&kept, name, mg_span(text, size)) : NULL;
	if (ok(json != NULL, "%s: read", name))
		for (size_t i = 0; i < json->n; i++)
		{
			const MgJson *cases = mg_json_get(&json->items[i], "cases");

			for (size_t c = 0; c < cases->n; c++, n++)
			{
				wrong += !check_case(&cx, mg_json_get(&json->items[i], "template")->string, &cases->items[c], c);
				mg_ctx_reset(&cx);
			}
		}
	ok(n > 0 && wrong == 0, "%s: %zu cases as the reference has them (%zu are not)", name, n, wrong);
	free(text);
	mg_ctx_free(&kept);
	mg_ctx_free(&cx);
}

static void
check_directory(const char *directory)
{
	struct dirent **entries;
	int n = scandir(directory, &entries, NULL, alphasort);

	ok(n > 0, "there are templates in %s", directory);
	for (int i = 0; i < n; i++)
	{
		if (strstr(entries[i]->d_name, ".json") != NULL)
			check_file(directory, entries[i]->d_name);
		free(entries[i]);
	}
	if (n > 0)
		free(entries);
}

/* Renders with messages; the text with data in brackets, or the error. */
static const char *
rendered_text(MgCtx *cx, const char *source, const char *messages)
{
	static char text[4096];
	const MgTemplate *parsed;
	MgTemplateVariable variables[2] = {{"messages", NULL, {NULL, 0}}, {"bos_token", NULL, mg_span_of("<s>")}};
	MgRendered rendered;
	size_t size = 0, range = 0;

	memset(&cx->error, 0, sizeof cx->error);
	variables[0].json = mg_json_parse(cx, "messages", mg_span_of(messages));
	parsed = mg_template_parse(cx, mg_span_of(source));
	if (parsed == NULL || variables[0].json == NULL || !mg_template_render(cx, parsed, variables, 2, &rendered))
		return cx->error.message;
	for (size_t i = 0; i <= rendered.text.size && size < sizeof text - 4; i++)
	{
		if (range < rendered.n_data && rendered.data[range].stop == i)
		{
			text[size++] = ']';
			range++;
		}
		if (range < rendered.n_data && rendered.data[range].start == i)
			text[size++] = '[';
		if (i < rendered.text.size)
			text[size++] = (char) rendered.text.data[i];
	}
	text[size] = '\0';
	return text;
}

static void
test_data(MgCtx *cx)
{
	const char *hi = "[{\"role\": \"user\", \"content\": \" <|end|>Hi there \"}]";

	is_text(rendered_text(cx, "{{ bos_token }}<|{{ messages[0].role }}|>{{ messages[0].content }}<|end|>", hi), "<s><|[user]|>[ <|end|>Hi there ]<|end|>",
			"messages are data, the template and its tokens are not");
	is_text(rendered_text(cx, "{{ '<|end|>' + messages[0].content.strip() + '<|end|>' }}", hi), "<|end|>[<|end|>Hi there]<|end|>", "through + and strip");
	is_text(rendered_text(cx, "{{ messages[0].content | trim | upper }}", hi), "[<|END|>HI THERE]", "through filters");
	is_text(rendered_text(cx, "{{ messages[0].content.replace('Hi', 'Yo').split('<|')[1] }}", hi), "[end|>]Yo[ there ]", "through replace and split");
	is_text(rendered_text(cx, "{{ messages | tojson }}", hi), "[{\"[role]\": \"[user]\", \"[content]\": \"[ <|end|>Hi there ]\"}]", "through JSON");
	is_text(rendered_text(cx, "{{ messages[0].content[1:4] ~ messages[0].content[::-1] }}", hi), "[<|e ereht iH>|dne|< ]", "through slices");
	is_text(rendered_text(cx, "{% set x %}a{{ messages[0].role }}{% endset %}{% macro m(y) %}-{{ y }}{% endmacro %}{{ m(x) }}{{ [x, 'z'] | join('|') }}", hi),
			"-a[user]a[user]|z", "through blocks, macros and join");
	is_text(rendered_text(cx, "{% for c in messages[0].role %}{{ c }}.{% endfor %}{{ messages }}", hi),
			"[u].[s].[e].[r].[{'[role]': '[user]', '[content]': '[ <|end|>Hi there ]'}]", "letter by letter, and printed");
}

/* What the reference does not have, or has as something that cannot be printed. */
static void
test_more(MgCtx *cx)
{
	is_text(rendered_text(cx, "{{ '{\"a\": [1, null, \"x\"]}' | from_json }}", "[]"), "{'[a]': [1, None, '[x]']}", "from_json reads JSON");
	is_text(rendered_text(cx, "{{ '{' | from_json }}", "[]"), "file \"from_json\" is not valid JSON", "or not");
	is_text(rendered_text(cx, "{{ [{'a': 1}] | map(attribute='a') | tojson }}{{ [1] | select }}", "[]"), "[1][1]", "filters give lists where there are generators there");
}

/* Brackets around a number, so many. */
static char *
bracketed(size_t n)
{
	char *text = malloc(2 * n + 16);

	memcpy(text, "{{ ", 3);
	memset(text + 3, '(', n);
	text[n + 3] = '1';
	memset(text + n + 4, ')', n);
	strcpy(text + 2 * n + 4, " }}");
	return text;
}

static void
test_refusals(MgCtx *cx)
{
	static const struct
	{
		const char *source, *error;
	} cases[] = {{"{{ x | frobnicate }}", "chat template uses filter \"frobnicate\", which is not supported"},
				 {"{% if x is prime %}{% endif %}", "chat template uses test \"prime\", which is not supported"},
				 {"{{ x.encode() }}", "chat template calls method \"encode\", which is not supported"},
				 {"{{ messages.append(1) }}", "chat template changes a list, which is not supported"},
				 {"{{ {1: 2} }}", "chat template has a dictionary whose keys are no strings, which is not supported"},
				 {"{{ lipsum() }}", "chat template calls function \"lipsum\", which is not supported"},
				 {"{% include 'x' %}", "chat template has statement \"include\", which is not supported here"},
				 {"{% call m() %}{% endcall %}", "chat template has statement \"call\", which is not supported here"},
				 {"{% for a in b recursive %}{% endfor %}", "chat template has a recursive loop, which is not supported"},
				 {"{{ f(*x) }}", "chat template passes arguments by \"*\", which is not supported"},
				 {"{% if x %}", "chat template is malformed: it lacks \"endif\""},
				 {"{% endif %}", "chat template has statement \"endif\", which is not supported here"},
				 {"{{ x", "chat template is malformed: a tag does not end"},
				 {"{{ 'x }}", "chat template is malformed: a string does not end"},
				 {"{# x", "chat template is malformed: a comment does not end"},
				 {"{{ }}", "chat template is malformed: it lacks an expression"},
				 {"{{ 1 2 }}", "chat template is malformed: it lacks \"}}\""},
				 {"{{ a b }}", "chat template is malformed: it has \"b\" instead of \"}}\""},
				 {"{% break %}", "chat template is malformed: it lacks a loop around break or continue"},
				 {"{{ 1 ? 2 }}", "chat template is malformed: an expression has a character that means nothing"},
				 {"{{ strftime_now('%Y') }}", "chat template asks for the time of day, which is not supported"},
				 {"{{ 'x' % 1 }}", "chat template formats a string by %, which is not supported"},
				 {"{{ x.y.z }}", "chat template uses \"x\", which is undefined"},
				 {"{{ raise_exception('Roles must alternate') }}", "chat template refuses these messages: Roles must alternate"},
				 {"\xFF", "chat template is not valid UTF-8"}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		is_text(rendered_text(cx, cases[i].source, "[]"), cases[i].error, "refused: %s", cases[i].source);
	is_text((rendered_text(cx, "a\n\n{{ x.y.z }}", "[]"), cx->error.detail), "This is in line 3 of the chat template.", "with the line");
}

/* A text of one piece again and again. */
static char *
repeated(const char *front, const char *piece, size_t n, const char *back)
{
	size_t size = strlen(piece), at = strlen(front);
	char *text = malloc(at + n * size + strlen(back) + 1);

	strcpy(text, front);
	for (size_t i = 0; i < n; i++, at += size)
		memcpy(text + at, piece, size);
	strcpy(text + at, back);
	return text;
}

static void
test_limits(MgCtx *cx)
{
	static const char *const endless[] = {
		"{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
		"{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
		"{% macro f(n) %}{% for i in range(1000) %}{{ f(n) }}{% endfor %}{% endmacro %}{{ f(0) }}",
		"{% set n = namespace(s='xxxxxxxx') %}{% for i in range(100) %}{% set n.s = n.s + n.s %}{% endfor %}",
		"{% set n = namespace(s=['x']) %}{% for i in range(100) %}{% set n.s = n.s + n.s %}{% endfor %}",
		"{% set n = namespace(s=[]) %}{% for i in range(100000) %}{% set n.s = [n.s] %}{% endfor %}{{ n.s }}",
		"{% set n = namespace(s=[]) %}{% for i in range(100000) %}{% set n.s = [n.s] %}{% endfor %}{{ n.s == [n.s] }}",
		"{% set n = namespace(s=[]) %}{% for i in range(100000) %}{% set n.s = [n.s] %}{% endfor %}{{ n.s | tojson }}",
		"{% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s == [n.s] }}{{ n.s }}",
		"{{ 'x' * 100000000000 }}", "{{ [1] * 100000000000 }}", "{{ range(100000000) }}", "{{ 2 ** 100 }}", "{{ 9223372036854775807 }}",
		"{% for i in range(100000) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' * 10000 }}{% endfor %}",
		"{{ '{}{'.format(1) }}{{ ('a' * 100000).split('') }}{% for i in range(100000) %}{{ ('a ' * 100000).split() }}{% endfor %}",
		"{{ range(50000) | sort(reverse=true) }}", "{{ 1 | tojson(indent=1000000) }}", "{{ 'a' | indent(1000000000000) }}"};
	char *deep[] = {bracketed(100000), bracketed(49), repeated("{{ ", "[", 3000, "}}"), repeated("{{ ", "-", 100000, "1 }}"),
					repeated("{{ ", "not ", 50000, "1 }}"), repeated("", "{% if 1 %}", 20000, ""), repeated("{{ 1", " + 1", 50000, " }}"),
					repeated("{{ x", ".a", 100000, " }}"), repeated("{{ 'a'", "|trim", 40000, " }}"), repeated("{% set x", "|trim", 40000, "%}a{% endset %}"),
					repeated("{% if 0 %}", "{% elif 0 %}", 20000, "{% endif %}"), repeated("{{ ", "x if x else ", 20000, "1 }}"),
					repeated("", "x", MG_TEMPLATE_MAX_SIZE + 1, ""), repeated("{{ x", "()", 100000, " }}"), repeated("{{ 1 ", "if 1 ", 40000, "}}")};

	for (size_t i = 0; i < sizeof endless / sizeof endless[0]; i++)
	{
		const char *error = rendered_text(cx, endless[i], "[]");

		ok(cx->error.code == MG_TOO_LARGE || cx->error.code == MG_BAD_ARGUMENT || cx->error.code == MG_UNSUPPORTED || cx->error.code == MG_BAD_FILE,
		   "stopped: %.80s (%s)", endless[i], error);
		mg_ctx_reset(cx);
	}
	for (size_t i = 0; i < sizeof deep / sizeof deep[0]; i++)
	{
		const char *error = rendered_text(cx, deep[i], "[]");

		ok(cx->error.code != MG_OK || i == 1, "deep: %.20s (%.100s)", deep[i], error);
		mg_ctx_reset(cx);
		free(deep[i]);
	}
}

static bool
swept(MgCtx *cx, void *user)
{
	const MgTemplate *parsed = mg_template_parse(cx, mg_span_of(user));
	MgTemplateVariable variable = {"messages", mg_json_parse(cx, "messages", mg_span_of("[{\"role\": \"user\", \"content\": \"a b c\"}]")), {NULL, 0}};
	MgRendered rendered;

	return parsed != NULL && variable.json != NULL && mg_template_render(cx, parsed, &variable, 1, &rendered);
}

int
main(void)
{
	static char source[] = "{% for i in range(30000) %}{% for m in messages %}{{ (m.content | upper).split()[0] ~ i }}{% endfor %}{% endfor %}";
	const char *more = getenv("MASKGEN_TEST_TEMPLATES");
	TestHost test;
	MgCtx cx;

	check_directory("test/golden/template");
	if (more != NULL)
		check_directory(more);
	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	test_data(&cx);
	test_more(&cx);
	test_refusals(&cx);
	test_limits(&cx);
	mg_ctx_free(&cx);
	ok(test.live == 0, "nothing is left");
	sweep("a rendering", swept, source, 7);
	return done();
}
