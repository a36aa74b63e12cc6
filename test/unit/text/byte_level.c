/* Byte-level BPE, and wrapping, as the reference does them: test/golden/byte_level.py. */
#include "text/byte_level.h"

#include "cli/host.h"
#include "format/tokenizer_files.h"
#include "text/tokenizer.h"
#include "text/utf8.h"
#include "unit/host.h"
#include "unit/memory_files.h"
#include "unit/whole_file.h"

#define LINE_SIZE 400000
#define MOST 100000

static char line[LINE_SIZE];
static uint8_t first[LINE_SIZE], second[LINE_SIZE];

/* Bytes of a word of hexadecimal digits; *rest moves behind it. */
static MgSpan
next_word(const char **rest, uint8_t *into)
{
	size_t size = 0;
	unsigned byte;

	while (**rest == ' ')
		++*rest;
	if (**rest == '-')
		++*rest;
	for (; sscanf(*rest, "%2x", &byte) == 1 && **rest != ' '; *rest += 2)
		into[size++] = (uint8_t) byte;
	return mg_span(into, size);
}

typedef struct Reference
{
	const MgTokenizer *tokenizer;
	MgTokens found;
	MgIds pair[2];
	int32_t *ids[2];
	long n_texts, n_pairs, n_wrong;
} Reference;

static void
wrong(Reference *reference, const char *what)
{
	if (reference->n_wrong++ < 5)
		printf("# text %ld, pair %ld: %s\n", reference->n_texts, reference->n_pairs, what);
}

static void
check_ids(Reference *reference, const char *rest)
{
	size_t n = 0;
	int id, used;

	for (; sscanf(rest, " %d%n", &id, &used) == 1; rest += used, n++)
		if (n >= reference->found.n || reference->found.ids[n] != id)
		{
			wrong(reference, "other ids");
			printf("# token %zu should be %d, is %d\n", n, id, n < reference->found.n ? reference->found.ids[n] : -1);
			return;
		}
	if (n != reference->found.n)
		wrong(reference, "more ids");
}

/* "-", or ids and segments. */
static void
check_wrapped(MgCtx *cx, Reference *reference, MgIds a, MgIds b, bool fits, const char *rest)
{
	MgIds texts[] = {a, b};
	MgWrapped wrapped;
	size_t n = 0;
	int id, segment, used;

	if (strchr(rest, '-') != NULL)
	{
		if (fits)
			wrong(reference, "should not fit");
		return;
	}
	if (!fits || !mg_wrap(cx, mg_tokenizer_wrapping(reference->tokenizer), texts, 2, &wrapped))
	{
		wrong(reference, fits ? cx->error.message : "does not fit");
		return;
	}
	for (; sscanf(rest, " %d:%d%n", &id, &segment, &used) == 2; rest += used, n++)
		if (n >= wrapped.n || wrapped.ids[n] != id || wrapped.segments[n] != segment)
		{
			wrong(reference, "wrapped in another way");
			return;
		}
	if (n != wrapped.n || (a.n > 0 && wrapped.ids[wrapped.starts[0]] != a.ids[0]) ||
		(b.n > 0 && wrapped.ids[wrapped.starts[1]] != b.ids[0]))
		wrong(reference, "wrapped with more, or texts elsewhere");
}

static void
check_cut(MgCtx *cx, Reference *reference, MgCut cut, const char *rest)
{
	size_t extra = mg_wrap_extra(mg_tokenizer_wrapping(reference->tokenizer), 2), n[2];
	MgIds a = reference->pair[0], b = reference->pair[1];
	int most, used;

	sscanf(rest, " %d%n", &most, &used);
	n[0] = a.n;
	n[1] = b.n;
	if (mg_wrap_cut(cut, (size_t) most - extra, &n[0], &n[1]))
		check_wrapped(cx, reference, (MgIds){n[0], a.ids}, (MgIds){n[1], b.ids}, true, rest + used);
	else
		check_wrapped(cx, reference, a, b, false, rest + used);
}

static bool
tokenize(MgCtx *cx, Reference *reference, MgSpan text)
{
	if (mg_tokenize(cx, reference->tokenizer, text, MG_NO_DATA, &reference->found))
		return true;
	wrong(reference, cx->error.message);
	return false;
}

static void
check_line(MgCtx *cx, Reference *reference)
{
	const char *rest = strchr(line, ' ');
	MgSpan back;

	if (rest == NULL)
		rest = line + strlen(line);
	if (strncmp(line, "text", 4) == 0)
	{
		mg_ctx_reset(cx);
		reference->n_texts++;
		tokenize(cx, reference, next_word(&rest, first));
	}
	else if (strncmp(line, "ids", 3) == 0)
		check_ids(reference, rest);
	else if (strncmp(line, "back", 4) == 0)
	{
		if (!mg_detokenize(cx, reference->tokenizer, reference->found.ids, reference->found.n, false, &back) ||
			!mg_span_equal(back, next_word(&rest, second)) || mg_utf8_check(back) != back.size)
			wrong(reference, "another text comes back");
	}
	else if (strncmp(line, "pair", 4) == 0)
	{
		mg_ctx_reset(cx);
		reference->n_pairs++;
		for (int i = 0; i < 2; i++)
			if (tokenize(cx, reference, next_word(&rest, first)))
				reference->pair[i] = (MgIds){reference->found.n, reference->found.ids};
	}
	else if (strncmp(line, "whole", 5) == 0)
		check_wrapped(cx, reference, reference->pair[0], reference->pair[1], true, rest);
	else if (strncmp(line, "longer", 6) == 0 || strncmp(line, "second", 6) == 0)
		check_cut(cx, reference, line[0] == 'l' ? MG_CUT_LONGER : MG_CUT_SECOND, rest);
}

static const MgTokenizer *
read_tokenizer(MgCtx *kept, const char *name)
{
	MemoryFile array[2];
	MgTokenizerSpec spec;
	MgSpan section;
	char path[100];
	size_t size;
	char *json;

	snprintf(path, sizeof path, "test/golden/byte_level/%s.json", name);
	json = read_whole(path, &size);
	if (json == NULL)
		return NULL;
	memset(array, 0, sizeof array);
	array[0] = (MemoryFile){"tokenizer.json", mg_span(json, size)};
	if (!mg_tokenizer_files_read(kept, &MEMORY_FILES(array), &spec) || !mg_tokenizer_build(kept, &spec, &section))
		return NULL;
	free(json);
	return mg_tokenizer_bind(kept, section);
}

static void
check_reference(const char *name)
{
	Reference reference = {0};
	MgCtx kept, cx;
	char path[100];
	FILE *file;
	bool ended = false;

	mg_ctx_init(&kept, &cli_host);
	mg_ctx_init(&cx, &cli_host);
	reference.tokenizer = read_tokenizer(&kept, name);
	snprintf(path, sizeof path, "test/golden/byte_level/%s.txt", name);
	file = fopen(path, "r");
	if (ok(reference.tokenizer != NULL && file != NULL, "%s: read, built and bound (%s)", name, kept.error.message))
		while (fgets(line, sizeof line, file) != NULL)
		{
			line[strcspn(line, "\n")] = '\0';
			ended = strcmp(line, "end") == 0;
			check_line(&cx, &reference);
		}
	if (file != NULL)
		fclose(file);
	ok(ended && reference.n_texts > 300 && reference.n_pairs == 25, "%s: %ld texts and %ld pairs", name, reference.n_texts,
	   reference.n_pairs);
	is_int(reference.n_wrong, 0, "%s: tokens, text again, wrapping and cutting as the reference has them", name);
	mg_ctx_free(&kept);
	mg_ctx_free(&cx);
}

/* GPT-2's table: the first and the last substitutes, and back. */
static void
check_bytes(void)
{
	long bad = 0;

	is_int(mg_byte_char(0), 0x100, "the first byte");
	is_int(mg_byte_char(' '), 0x120, "a blank");
	is_int(mg_byte_char(127), 0x121, "DEL");
	is_int(mg_byte_char(160), 0x142, "the last but one");
	is_int(mg_byte_char(173), 0x143, "the last");
	for (int byte = 0; byte < 256; byte++)
		bad += mg_char_byte(mg_byte_char((uint8_t) byte)) != byte;
	is_int(bad, 0, "and all of them back");
	ok(mg_char_byte(0x144) == -1 && mg_char_byte(' ') == -1 && mg_char_byte(173) == -1, "other characters stand for none");
}

typedef struct Long
{
	const MgTokenizer *tokenizer;
	char *text;
	size_t size;
} Long;

static bool
tokenize_long(MgCtx *cx, void *user)
{
	const Long *work = user;
	MgTokens tokens;

	return mg_tokenize(cx, work->tokenizer, mg_span(work->text, work->size), MG_NO_DATA, &tokens) && tokens.n > 0;
}

/* Words without end: cancelled soon, and cut where the header says. */
static void
check_long(const char *name)
{
	static const char *const fillers[] = {"a", " ", "\n", "'", "0", "\xE4\xB8\xAD", "e\xCC\x81", "\xCC\x81"};
	const size_t size = 3 * MG_LONGEST_WORD + 7;
	MgCtx kept;
	Long work;

	mg_ctx_init(&kept, &cli_host);
	work.tokenizer = read_tokenizer(&kept, name);
	work.text = malloc(size + 4);
	for (size_t f = 0; f < sizeof fillers / sizeof *fillers; f++)
	{
		TestHost host;
		MgCtx cx;

		for (work.size = 0; work.size < size; work.size += strlen(fillers[f]))
			memcpy(work.text + work.size, fillers[f], strlen(fillers[f]));
		test_host_init(&host);
		mg_ctx_init(&cx, &host.host);
		ok(tokenize_long(&cx, &work), "%s: a word of %zu bytes (%s)", name, work.size, cx.error.message);
		ok(host.n_polls > (long) (work.size / 65536), "with %ld polls", host.n_polls);
		mg_ctx_free(&cx);
	}
	work.size = 3000;
	sweep("a long word", tokenize_long, &work, 1);
	free(work.text);
	mg_ctx_free(&kept);
}

/* Special tokens in data are none, nor are those that letters spell. */
static void
check_data(void)
{
	static const char text[] = "a [MASK] b <|endoftext|>";
	MgCtx kept;
	const MgTokenizer *tokenizer;
	MgTokens read, data;
	long n = 0;

	mg_ctx_init(&kept, &cli_host);
	tokenizer = read_tokenizer(&kept, "neox");
	ok(mg_tokenize(&kept, tokenizer, mg_span_of(text), MG_NO_DATA, &read) &&
		   mg_tokenize(&kept, tokenizer, mg_span_of(text), MG_ALL_DATA, &data),
	   "a text with special tokens");
	for (size_t i = 0; i < data.n; i++)
		n += mg_token_is_special(tokenizer, data.ids[i]);
	is_int(n, 0, "has none as data");
	for (size_t i = 0; i < read.n; i++)
		n += mg_token_is_special(tokenizer, read.ids[i]);
	is_int(n, 2, "and two as it stands");
	mg_ctx_free(&kept);
}

int
main(void)
{
	static const char *const names[] = {"neox", "roberta", "prefix", "qwen", "llama"};

	check_bytes();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		check_reference(names[i]);
	check_long("neox");
	check_long("llama");
	check_data();
	return done();
}
