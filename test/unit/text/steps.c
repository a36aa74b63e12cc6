/*
 * Pipelines of steps, as the reference has them: test/golden/steps.py. Without arguments the files of test/golden/steps; else those that are
 * named, NAME.json and NAME.txt by NAME.
 */
#include "text/steps.h"

#include "cli/host.h"
#include "format/tokenizer_files.h"
#include "unit/host.h"
#include "unit/memory_files.h"
#include "unit/whole_file.h"

typedef struct Case
{
	MgCtx cx, kept;
	const MgTokenizer *tokenizer;
	MgSpan text;
	MgTokens found;
	long n_texts, n_tokens, n_wrong;
} Case;

static void
wrong(Case *c, const char *what)
{
	if (c->n_wrong++ < 5)
		printf("# text %ld: %s: %.*s\n", c->n_texts, what, (int) (c->text.size < 200 ? c->text.size : 200), (const char *) c->text.data);
}

/* "ids ID:START:STOP ...", places in bytes. */
static void
check_ids(Case *c, const char *rest)
{
	size_t n = 0;
	char *end;

	for (; *rest == ' '; n++, rest = end)
	{
		long id = strtol(rest + 1, &end, 10), start = strtol(end + 1, &end, 10), stop = strtol(end + 1, &end, 10);

		if (n < c->found.n && c->found.ids[n] == id && c->found.starts[n] == start && c->found.stops[n] == stop)
			continue;
		wrong(c, n < c->found.n && c->found.ids[n] == id ? "other places" : "other tokens");
		if (c->n_wrong <= 5)
			printf("# token %zu should be %ld at %ld to %ld, is %d at %u to %u\n", n, id, start, stop, n < c->found.n ? c->found.ids[n] : -1,
				   n < c->found.n ? c->found.starts[n] : 0, n < c->found.n ? c->found.stops[n] : 0);
		return;
	}
	c->n_tokens += (long) n;
	if (n != c->found.n)
		wrong(c, "more tokens");
}

static void
check_line(Case *c, char *line)
{
	uint8_t *bytes = malloc(strlen(line) + 1);
	MgSpan text;

	if (strncmp(line, "text ", 5) == 0)
	{
		mg_ctx_reset(&c->cx);
		c->n_texts++;
		text = unhex(line + 5, bytes);
		c->text = mg_span(mg_copy_text(&c->cx, text), text.size);
		memset(&c->found, 0, sizeof c->found);
		if (!mg_tokenize(&c->cx, c->tokenizer, c->text, MG_NO_DATA, &c->found))
			wrong(c, c->cx.error.message);
	}
	else if (strncmp(line, "ids", 3) == 0)
		check_ids(c, line + 3);
	else if (strncmp(line, "back ", 5) == 0 &&
			 (!mg_detokenize(&c->cx, c->tokenizer, c->found.ids, c->found.n, false, &text) || !mg_span_equal(text, unhex(line + 5, bytes))))
	{
		wrong(c, "other text");
		if (c->n_wrong <= 5)
			printf("# is \"%.*s\"\n", (int) (text.size < 200 ? text.size : 200), (const char *) text.data);
	}
	free(bytes);
}

static void
check_file(const char *name)
{
	Case *c = calloc(1, sizeof *c);
	char path[300], *line = NULL;
	size_t size = 0, room = 0;
	char *json;
	MemoryFile array[2] = {{"tokenizer.json", {NULL, 0}}, {NULL, {NULL, 0}}};
	MgFiles files = MEMORY_FILES(array);
	MgTokenizerSpec spec;
	MgSpan section;
	FILE *file;

	mg_ctx_init(&c->cx, &cli_host);
	mg_ctx_init(&c->kept, &cli_host);
	snprintf(path, sizeof path, "%s.json", name);
	json = read_whole(path, &size);
	array[0].bytes = mg_span(json, size);
	if (json == NULL || !mg_tokenizer_files_read(&c->kept, &files, &spec) || !mg_tokenizer_build(&c->kept, &spec, &section) ||
		(c->tokenizer = mg_tokenizer_bind(&c->kept, section)) == NULL)
	{
		ok(false, "%s: %s %s", name, c->kept.error.message, c->kept.error.detail);
		return;
	}
	snprintf(path, sizeof path, "%s.txt", name);
	file = fopen(path, "r");
	while (file != NULL && getline(&line, &room, file) > 0)
	{
		line[strcspn(line, "\n")] = '\0';
		check_line(c, line);
	}
	ok(c->n_texts > 100 && c->n_wrong == 0, "%s: %ld texts, %ld tokens, %ld differences", name, c->n_texts, c->n_tokens, c->n_wrong);
	if (file != NULL)
		fclose(file);
	free(line);
	free(json);
	mg_ctx_free(&c->cx);
	mg_ctx_free(&c->kept);
	free(c);
}

int
main(int argc, char **argv)
{
	static const char *const names[] = {"llama", "gemma", "t5",	"albert",	"words",	"pieces",
										"split", "patterns", "fixed", "o200k", "deepseek", "bloom", "crossing"};
	char path[100];

	for (int i = 1; i < argc; i++)
		check_file(argv[i]);
	for (size_t i = 0; argc < 2 && i < sizeof names / sizeof *names; i++)
	{
		snprintf(path, sizeof path, "test/golden/steps/%s", names[i]);
		check_file(path);
	}
	return done();
}
