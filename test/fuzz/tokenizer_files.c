/*
 * Any bytes as a tokeniser's files, cut at bytes 0x1E, which JSON cannot hold:
 * an error, or a spec whose special tokens exist. An empty file is absent.
 */
#include "format/tokenizer_files.h"

#include "fuzz/host.h"
#include "unit/memory_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
split(MgSpan input, MemoryFile *files)
{
	static const char *const names[] = {"tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json",
										"added_tokens.json"};
	size_t position = 0;

	for (size_t i = 0; i < 5 && position < input.size; i++)
	{
		const uint8_t *start = input.data + position;
		const uint8_t *cut = memchr(start, 0x1E, input.size - position);
		size_t size = cut != NULL ? (size_t) (cut - start) : input.size - position;

		if (size > 0)
			*files++ = (MemoryFile){names[i], mg_span(start, size)};
		position += size + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MemoryFile array[6] = {{NULL, {NULL, 0}}};
	MgTokenizerSpec spec;
	MgCtx cx;
	bool fine;

	split(mg_span(data, size), array);
	mg_ctx_init(&cx, &fuzz_host);
	fine = mg_tokenizer_files_read(&cx, &MEMORY_FILES(array), &spec);
	fuzz_judge(&cx, fine);
	if (fine)
	{
		const int32_t ids[] = {spec.unknown, spec.pad, spec.mask};

		for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		{
			fuzz_require(ids[i] >= (i == 0 && spec.kind == MG_WORDPIECE ? 0 : -1) && ids[i] < (int32_t) spec.n_tokens);
			fuzz_require(ids[i] < 0 || spec.tokens[ids[i]].size > 0);
		}
		for (size_t id = 0; id < spec.n_tokens; id++)
			fuzz_require(spec.flags[id] == 0 || spec.tokens[id].size > 0);
	}
	mg_ctx_free(&cx);
	return 0;
}
