/*
 * A tokeniser by itself, for bench/tokenization.py:
 *
 *   tokenize DIR FILE N    tokenises each line of FILE, N rounds; prints a line of JSON with the best round's CPU seconds
 *   tokenize DIR           reads texts, u32 size and bytes, and writes for each u32 n, then u32 id, first and last byte of each token
 *
 * DIR has the tokeniser's files. Special tokens are not put around a text.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/host.h"
#include "format/tokenizer_files.h"
#include "text/tokenizer.h"

static double
cpu_seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

static int
fail(const MgCtx *cx)
{
	fprintf(stderr, "%s\n%s\n%s\n", cx->error.message, cx->error.detail, cx->error.hint);
	return 1;
}

static int
answer(MgCtx *cx, const MgTokenizer *tokenizer)
{
	uint32_t size;
	uint8_t *bytes = NULL;

	while (fread(&size, sizeof size, 1, stdin) == 1)
	{
		MgTokens tokens = {0};
		uint32_t n;

		bytes = realloc(bytes, (size_t) size + 1);
		if (bytes == NULL || fread(bytes, 1, size, stdin) != size)
			return 1;
		mg_ctx_reset(cx);
		if (!mg_tokenize(cx, tokenizer, mg_span(bytes, size), MG_NO_DATA, &tokens))
			return fail(cx);
		n = (uint32_t) tokens.n;
		fwrite(&n, sizeof n, 1, stdout);
		for (size_t i = 0; i < tokens.n; i++)
		{
			uint32_t one[3] = {(uint32_t) tokens.ids[i], tokens.starts[i], tokens.stops[i]};

			fwrite(one, sizeof one, 1, stdout);
		}
		fflush(stdout);
	}
	free(bytes);
	return 0;
}

static int
measure(MgCtx *cx, const MgTokenizer *tokenizer, const char *path, int rounds)
{
	FILE *file = fopen(path, "rb");
	double best = 1e30;
	size_t n_tokens = 0, n_bytes = 0, room = 0;
	char *line = NULL;

	if (file == NULL)
	{
		fprintf(stderr, "could not open file \"%s\": %s\n", path, strerror(errno));
		return 1;
	}
	for (int round = 0; round < rounds; round++)
	{
		double seconds = 0;
		ssize_t size;

		rewind(file);
		n_tokens = n_bytes = 0;
		while ((size = getline(&line, &room, file)) > 0)
		{
			MgSpan text = mg_span(line, (size_t) size - (line[size - 1] == '\n'));
			MgTokens tokens = {0};
			double start = cpu_seconds();

			mg_ctx_reset(cx);
			if (!mg_tokenize(cx, tokenizer, text, MG_NO_DATA, &tokens))
				return fail(cx);
			seconds += cpu_seconds() - start;
			n_tokens += tokens.n;
			n_bytes += text.size;
		}
		best = seconds < best ? seconds : best;
	}
	printf("{\"tokens\":%zu,\"bytes\":%zu,\"cpu_seconds\":%.6f}\n", n_tokens, n_bytes, best);
	free(line);
	fclose(file);
	return 0;
}

int
main(int argc, char **argv)
{
	MgCtx kept, cx;
	MgFiles files;
	MgTokenizerSpec spec;
	MgSpan section;
	const MgTokenizer *tokenizer;

	if (argc != 2 && argc != 4)
	{
		fprintf(stderr, "usage: tokenize DIR [FILE ROUNDS]\n");
		return 2;
	}
	mg_ctx_init(&kept, &cli_host);
	mg_ctx_init(&cx, &cli_host);
	files = cli_directory(argv[1]);
	if (!mg_tokenizer_files_read(&kept, &files, &spec) || !mg_tokenizer_build(&kept, &spec, &section) ||
		(tokenizer = mg_tokenizer_bind(&kept, section)) == NULL)
		return fail(&kept);
	return argc == 2 ? answer(&cx, tokenizer) : measure(&cx, tokenizer, argv[2], atoi(argv[3]));
}
