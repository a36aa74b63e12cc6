/*
 * SentencePiece's models, as files of its own and within GGUF files, beside SentencePiece itself: test/golden/sentencepiece_models.py. Texts
 * are data, as they are there. With an argument the texts of that directory are taken.
 */
#include "format/sentencepiece.h"

#include "cli/host.h"
#include "format/gguf_tokenizer.h"
#include "format/tokenizer_files.h"
#include "text/tokenizer.h"
#include "unit/host.h"
#include "unit/memory_files.h"
#include "unit/whole_file.h"

#define GOLDEN "test/golden/sentencepiece/"

static MgCtx cx, kept;
static MemoryFile array[3];

/* Reads a model whose bytes are given, with a tokenizer_config.json unless that is NULL. */
static bool
read_model(const char *bytes, size_t size, const char *config, MgTokenizerSpec *spec)
{
	mg_ctx_reset(&kept);
	memset(array, 0, sizeof array);
	array[0] = (MemoryFile){"tokenizer.model", mg_span(bytes, size)};
	if (config != NULL)
		array[1] = (MemoryFile){"tokenizer_config.json", mg_span_of(config)};
	return mg_tokenizer_files_read(&kept, &MEMORY_FILES(array), spec);
}

static bool
read_gguf(const char *bytes, size_t size, MgTokenizerSpec *spec)
{
	static MgSpan span;
	MgSource source = {&span, size, memory_read};
	MgGguf gguf;

	mg_ctx_reset(&kept);
	span = mg_span(bytes, size);
	return mg_gguf_read(&kept, "model.gguf", &source, &gguf) && mg_gguf_tokenizer_read(&kept, &gguf, spec);
}

static void
check_texts(const MgTokenizerSpec *spec, const char *directory, const char *name, const char *what)
{
	const MgTokenizer *tokenizer;
	char path[300], *line = NULL;
	uint8_t *bytes = malloc(4000000);
	long n_texts = 0, n_tokens = 0, n_wrong = 0;
	size_t room = 0;
	MgSpan section, text = {NULL, 0}, back;
	MgTokens found = {.n = 0};
	FILE *file;

	if (!mg_tokenizer_build(&kept, spec, &section) || (tokenizer = mg_tokenizer_bind(&kept, section)) == NULL)
	{
		ok(false, "%s %s: %s %s", name, what, kept.error.message, kept.error.detail);
		return;
	}
	snprintf(path, sizeof path, "%s%s.txt", directory, name);
	file = fopen(path, "r");
	while (file != NULL && getline(&line, &room, file) > 0)
	{
		bool fine = true;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "text ", 5) == 0)
		{
			mg_ctx_reset(&cx);
			n_texts++;
			text = unhex(line + 5, bytes);
			text = mg_span(mg_copy_text(&cx, text), text.size);
			fine = mg_tokenize(&cx, tokenizer, text, MG_ALL_DATA, &found);
		}
		else if (strncmp(line, "ids", 3) == 0)
		{
			char *rest = line + 3;
			size_t n = 0;

			for (; *rest == ' ' && fine; n++)
				fine = strtol(rest, &rest, 10) == (n < found.n ? found.ids[n] : -1);
			fine = fine && n == found.n;
			n_tokens += (long) n;
		}
		else if (strncmp(line, "back ", 5) == 0)
			fine = mg_detokenize(&cx, tokenizer, found.ids, found.n, false, &back) && mg_span_equal(back, unhex(line + 5, bytes));
		if (!fine && n_wrong++ < 5)
			printf("# %.3s of text %ld: %.*s\n", line, n_texts, (int) text.size, (const char *) text.data);
	}
	ok(n_texts > 100 && n_wrong == 0, "%s %s: %ld texts, %ld tokens, %ld differences", name, what, n_texts, n_tokens, n_wrong);
	if (file != NULL)
		fclose(file);
	free(line);
	free(bytes);
}

static void
check_wrapping(const char *bytes, size_t size)
{
	MgTokenizerSpec spec;

	ok(read_model(bytes, size, NULL, &spec) && spec.wrapping.single.n == 2 && spec.wrapping.single.pieces[0].id == 1, "a text begins with <s>");
	ok(read_model(bytes, size, "{\"add_bos_token\": false, \"add_eos_token\": true}", &spec) && spec.wrapping.single.n == 2 &&
		   spec.wrapping.single.pieces[1].id == 2, "unless tokenizer_config.json says otherwise");
	ok(!read_model(bytes, size, "{\"tokenizer_class\": \"XLMRobertaTokenizer\"}", &spec) && kept.error.code == MG_UNSUPPORTED,
	   "a class whose ids are others is refused: %s", kept.error.message);
}

/* Whatever is cut or changed, a reader ends with an error or a spec that can be built or refused. */
static void
check_damage(const char *bytes, size_t size)
{
	char *copy = malloc(size);
	MgTokenizerSpec spec;
	MgSpan section;
	long n_read = 0;

	for (size_t at = 0; at < size; at += 7)
	{
		memcpy(copy, bytes, size);
		copy[at] = (char) (copy[at] ^ (at % 5 == 0 ? 0xFF : 1 << at % 8));
		if (read_model(copy, at % 3 == 0 ? at : size, NULL, &spec) && mg_tokenizer_build(&kept, &spec, &section))
			n_read += mg_tokenizer_bind(&kept, section) != NULL;
	}
	ok(n_read > 0, "%ld damaged models are models still, and none does harm", n_read);
	free(copy);
}

int
main(int argc, char **argv)
{
	const char *directory = argc > 1 ? argv[1] : GOLDEN;
	static const char *const names[] = {"bpe", "unigram"};
	MgTokenizerSpec spec;
	char path[100], *bytes;
	size_t size = 0;

	mg_ctx_init(&cx, &cli_host);
	mg_ctx_init(&kept, &cli_host);
	for (size_t i = 0; i < 2; i++)
	{
		snprintf(path, sizeof path, GOLDEN "%s.model", names[i]);
		bytes = read_whole(path, &size);
		if (bytes == NULL || !read_model(bytes, size, NULL, &spec))
			ok(false, "%s: %s", path, kept.error.message);
		else
			check_texts(&spec, directory, names[i], "as a file");
		if (i == 0)
			check_wrapping(bytes, size);
		if (argc < 2)
			check_damage(bytes, size);
		free(bytes);
	}
	bytes = read_whole(GOLDEN "bpe.gguf", &size);
	if (bytes == NULL || !read_gguf(bytes, size, &spec))
		ok(false, "bpe.gguf: %s", kept.error.message);
	else
		check_texts(&spec, directory, "bpe", "in a GGUF file");
	ok(spec.wrapping.single.n == 2 && spec.wrapping.single.pieces[0].id == 1, "which begins a text with <s>");
	free(bytes);
	mg_ctx_free(&cx);
	mg_ctx_free(&kept);
	return done();
}
