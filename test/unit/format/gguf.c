/*
 * GGUF: numbers of each type of block against those of the package "gguf"; a file's values and tensors; and that a file with any
 * byte changed, or cut anywhere, is an error or is read, and nothing else.
 */
#include "unit/format/gguf_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/host.h"
#include "core/half.h"
#include "format/gguf_blocks.h"
#include "format/gguf_tokenizer.h"
#include "unit/tap.h"

static bool
read_bytes(MgCtx *cx, const uint8_t *bytes, size_t n, MgGguf *gguf)
{
	MgSpan span = mg_span(bytes, n);
	MgSource source = mg_source_of_span(&span);

	mg_ctx_reset(cx);
	return mg_gguf_read(cx, "test.gguf", &source, gguf);
}

/* One line of the golden file. */
static void
check_block(char *line)
{
	const MgBlockType *type = mg_block_type((uint32_t) strtoul(line, &line, 10));
	uint8_t block[256], group[MG_GROUP + 4];
	float numbers[256];
	double worst = 0;
	MgDtype dtype;

	line++;
	for (size_t i = 0; i < type->size; i++, line += 2)
	{
		char hex[3] = {line[0], line[1], '\0'};

		block[i] = (uint8_t) strtoul(hex, NULL, 16);
	}
	mg_blocks_widen(type, block, type->elements, numbers);
	for (size_t i = 0; i < type->elements; i++)
	{
		float want = strtof(line, &line);

		worst = fmax(worst, fabs((double) (want - numbers[i])) / fmax(1e-3, fabs((double) want)));
	}
	ok(worst < 1e-5, "%s: numbers are those of the reference, to %.2g", type->name, worst);
	dtype = type->dtype;
	if (!mg_blocks_group(type, block, MG_GROUP, dtype, group))
		return;
	for (size_t i = 0, at; i < MG_GROUP; i++)
	{
		float d = mg_half_to_float((uint16_t) (group[0] | group[1] << 8)), m = mg_half_to_float((uint16_t) (group[2] | group[3] << 8));

		at = 4 + (dtype == MG_Q8G ? i : i % 16);
		worst = fmax(worst, fabs((double) (numbers[i] - ((float) (dtype == MG_Q8G ? group[at] : group[at] >> i / 16 * 4 & 15) * d + m))));
	}
	ok(worst < 1e-5, "%s: a group has the same numbers, to %.2g", type->name, worst);
}

static void
check_blocks(void)
{
	FILE *file = fopen("test/golden/quantized/gguf.txt", "r");
	char *line = NULL;
	size_t room = 0;

	while (file != NULL && getline(&line, &room, file) > 0)
		check_block(line);
	ok(file != NULL, "there are blocks");
	if (file != NULL)
		fclose(file);
	free(line);
}

static void
make_file(GgufFile *file)
{
	static const char *const tokens[] = {"a", "b", "ab", "<|im_end|>"};
	float eps = 1e-5f;

	gguf_begin(file);
	gguf_put_key(file, "general.architecture", MG_GGUF_STRING);
	gguf_put_text(file, "llama");
	gguf_put_integer(file, "llama.block_count", 2);
	gguf_put_key(file, "llama.attention.layer_norm_rms_epsilon", MG_GGUF_F32);
	gguf_put(file, &eps, sizeof eps);
	gguf_put_key(file, "tokenizer.ggml.add_bos_token", MG_GGUF_BOOL);
	gguf_put_number(file, 0, 1);
	gguf_put_key(file, "tokenizer.ggml.model", MG_GGUF_STRING);
	gguf_put_text(file, "gpt2");
	gguf_put_key(file, "tokenizer.ggml.pre", MG_GGUF_STRING);
	gguf_put_text(file, "smollm");
	gguf_put_key(file, "tokenizer.ggml.tokens", MG_GGUF_ARRAY);
	gguf_put_number(file, MG_GGUF_STRING, 4);
	gguf_put_number(file, 4, 8);
	for (size_t i = 0; i < 4; i++)
		gguf_put_text(file, tokens[i]);
	gguf_put_key(file, "tokenizer.ggml.token_type", MG_GGUF_ARRAY);
	gguf_put_number(file, MG_GGUF_I32, 4);
	gguf_put_number(file, 4, 8);
	for (size_t i = 0; i < 4; i++)
		gguf_put_number(file, i < 3 ? 1 : 3, 4);
	gguf_put_key(file, "tokenizer.ggml.merges", MG_GGUF_ARRAY);
	gguf_put_number(file, MG_GGUF_STRING, 4);
	gguf_put_number(file, 1, 8);
	gguf_put_text(file, "a b");
	gguf_put_integer(file, "tokenizer.ggml.eos_token_id", 3);
	gguf_put_tensor(file, "token_embd.weight", 64, 4, 8, 4 * 68);
	gguf_put_tensor(file, "blk.0.attn_q.weight", 64, 64, 3, 64 * 40);
	gguf_end(file);
}

static void
check_file(MgCtx *cx)
{
	GgufFile file;
	MgGguf gguf;
	MgTokenizerSpec spec;
	int64_t blocks = 0;
	double eps = 0;
	int32_t *ends;
	size_t n;
	const MgTensor *tensor;

	make_file(&file);
	ok(read_bytes(cx, file.bytes, file.n, &gguf), "a file is read: %s", cx->error.message);
	ok(mg_gguf_integer(cx, &gguf, "llama.block_count", &blocks) && blocks == 2, "an integer");
	ok(mg_gguf_real(cx, &gguf, "llama.attention.layer_norm_rms_epsilon", &eps) && fabs(eps - 1e-5) < 1e-9, "a real");
	tensor = mg_tensors_find(&gguf.tensors, mg_span_of("blk.0.attn_q.weight"));
	ok(tensor != NULL && tensor->rank == 2 && tensor->shape[0] == 64 && tensor->size == 2560 && strcmp(tensor->dtype_name, "Q4_1") == 0 &&
		   tensor->offset + 2560 <= file.n,
	   "a tensor");
	ok(mg_gguf_tokenizer_read(cx, &gguf, &spec) && spec.n_tokens == 4 && spec.n_merges == 1 && spec.pattern == MG_PATTERN_DIGITS &&
		   spec.wrapping.single.n == 1,
	   "a tokeniser");
	ok(mg_gguf_ends_read(cx, &gguf, &spec, &ends, &n) && n == 1 && ends[0] == 3, "ends of answers");
}

/* A file with one value put in place of another, and the error that it must be. */
static void
check_bad(MgCtx *cx, const char *what, size_t at, uint64_t value, size_t size, const char *part)
{
	GgufFile file;
	MgGguf gguf;

	make_file(&file);
	memcpy(file.bytes + at, &value, size);
	ok(!read_bytes(cx, file.bytes, file.n, &gguf) && strstr(cx->error.message, part) != NULL, "%s: %s", what, cx->error.message);
}

static void
check_errors(MgCtx *cx)
{
	GgufFile file;
	MgGguf gguf;

	check_bad(cx, "magic", 0, 0, 4, "not a GGUF file");
	check_bad(cx, "version", 4, 2, 4, "version 2");
	check_bad(cx, "tensors", 8, UINT64_MAX, 8, "too many");
	check_bad(cx, "values", 16, UINT64_MAX / 2, 8, "too many");
	check_bad(cx, "key", 24, UINT64_MAX, 8, "ends within");
	check_bad(cx, "empty key", 24, 0, 8, "");
	gguf_begin(&file);
	gguf_put_integer(&file, "a", 1);
	gguf_put_integer(&file, "a", 2);
	gguf_end(&file);
	ok(!read_bytes(cx, file.bytes, file.n, &gguf) && strstr(cx->error.message, "twice") != NULL, "two values: %s", cx->error.message);
	gguf_begin(&file);
	gguf_put_tensor(&file, "a", 64, 4, 0, 1024);
	gguf_put_tensor(&file, "a", 64, 4, 0, 1024);
	gguf_end(&file);
	ok(!read_bytes(cx, file.bytes, file.n, &gguf) && strstr(cx->error.message, "twice") != NULL, "two tensors: %s", cx->error.message);
	gguf_begin(&file);
	gguf_put_tensor(&file, "a", 48, 4, 2, 1024);
	gguf_end(&file);
	ok(!read_bytes(cx, file.bytes, file.n, &gguf) && strstr(cx->error.message, "whole blocks") != NULL, "blocks: %s", cx->error.message);
	gguf_begin(&file);
	gguf_put_tensor(&file, "a", UINT64_MAX / 2, 4, 0, 64);
	gguf_end(&file);
	ok(!read_bytes(cx, file.bytes, file.n, &gguf) && strstr(cx->error.message, "shape") != NULL, "overflow: %s", cx->error.message);
	gguf_begin(&file);
	gguf_put_integer(&file, "general.alignment", 24);
	gguf_end(&file);
	ok(!read_bytes(cx, file.bytes, file.n, &gguf) && strstr(cx->error.message, "alignment") != NULL, "alignment: %s", cx->error.message);
}

/* WordPiece: words begin with U+2581; whose tokens are mostly capitals keep them. Without a part that it needs it is refused by name. */
static void
check_wordpiece(MgCtx *cx, const char *const *tokens, size_t n, size_t n_types, bool lowercase, const char *error)
{
	GgufFile file;
	MgGguf gguf;
	MgTokenizerSpec spec;
	bool fine;

	gguf_begin(&file);
	gguf_put_key(&file, "tokenizer.ggml.model", MG_GGUF_STRING);
	gguf_put_text(&file, "bert");
	gguf_put_key(&file, "tokenizer.ggml.tokens", MG_GGUF_ARRAY);
	gguf_put_number(&file, MG_GGUF_STRING, 4);
	gguf_put_number(&file, n, 8);
	for (size_t i = 0; i < n; i++)
		gguf_put_text(&file, tokens[i]);
	gguf_put_key(&file, "tokenizer.ggml.token_type", MG_GGUF_ARRAY);
	gguf_put_number(&file, MG_GGUF_I32, 4);
	gguf_put_number(&file, n_types, 8);
	for (size_t i = 0; i < n_types; i++)
		gguf_put_number(&file, i < n && tokens[i][0] == '[' ? 3 : 1, 4);
	gguf_end(&file);
	fine = read_bytes(cx, file.bytes, file.n, &gguf) && mg_gguf_tokenizer_read(cx, &gguf, &spec);
	if (error != NULL)
		ok(!fine && strstr(cx->error.message, error) != NULL, "WordPiece: %s", cx->error.message);
	else
		ok(fine && spec.kind == MG_WORDPIECE && spec.n_tokens == n && mg_span_is(spec.tokens[3], tokens[3] + 3) && mg_span_is(spec.tokens[4], "##s") &&
			   spec.lowercase == lowercase && spec.unknown == 0 && spec.wrapping.single.n == 3,
		   "WordPiece of %s: %s", tokens[3] + 3, cx->error.message);
}

static void
check_wordpieces(MgCtx *cx)
{
	static const char *const lower[] = {"[UNK]", "[CLS]", "[SEP]", "\xE2\x96\x81word", "s"};
	static const char *const capital[] = {"[UNK]", "[CLS]", "[SEP]", "\xE2\x96\x81Word", "s"};

	check_wordpiece(cx, lower, 5, 5, true, NULL);
	check_wordpiece(cx, capital, 5, 5, false, NULL);
	check_wordpiece(cx, lower, 5, 4, true, "5 tokens and 4 types");
	check_wordpiece(cx, lower, 5, 0, true, "5 tokens and 0 types");
	check_wordpiece(cx, lower, 2, 2, true, "no separator token");
	check_wordpiece(cx, lower + 1, 4, 4, true, "no unknown token");
	check_wordpiece(cx, lower, 0, 0, true, "0 tokens");
}

/* Reads a damaged file as far as it goes. */
static bool
survives(MgCtx *cx, const uint8_t *bytes, size_t n)
{
	MgGguf gguf;
	MgTokenizerSpec spec;

	return !read_bytes(cx, bytes, n, &gguf) ? cx->error.code != MG_OK : mg_gguf_tokenizer_read(cx, &gguf, &spec) || cx->error.code != MG_OK;
}

static void
check_damage(MgCtx *cx)
{
	GgufFile file;
	bool fine = true;
	size_t head;

	make_file(&file);
	head = file.n - (size_t) file.data;
	for (size_t i = 0; i < head; i++)
		for (int bit = 0; bit < 8; bit++)
		{
			file.bytes[i] ^= (uint8_t) (1 << bit);
			fine = survives(cx, file.bytes, file.n) && fine;
			file.bytes[i] ^= (uint8_t) (1 << bit);
		}
	for (size_t n = 0; n < file.n; n++)
	{
		/* A copy of its own, so that reading beyond the end is seen. */
		uint8_t *copy = malloc(n + 1);
		MgGguf gguf;

		memcpy(copy, file.bytes, n);
		fine = !read_bytes(cx, copy, n, &gguf) && fine;
		free(copy);
	}
	ok(fine, "each bit of the head changed, and each beginning of the file");
}

int
main(void)
{
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	check_blocks();
	check_file(&cx);
	check_errors(&cx);
	check_wordpieces(&cx);
	check_damage(&cx);
	mg_ctx_free(&cx);
	return done();
}
