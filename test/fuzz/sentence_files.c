/*
 * Any bytes as sentence-transformers' files, cut at bytes 0x1E, which JSON
 * cannot hold: an error, or facts. An empty file is absent.
 */
#include "format/sentence_files.h"

#include "fuzz/host.h"
#include "unit/memory_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
split(MgSpan input, MemoryFile *files)
{
	static const char *const names[] = {"modules.json", "1_Pooling/config.json", "sentence_bert_config.json",
										"config_sentence_transformers.json"};
	size_t position = 0;

	for (size_t i = 0; i < 4 && position < input.size; i++)
	{
		const uint8_t *start = input.data + position;
		const uint8_t *cut = memchr(start, 0x1E, input.size - position);
		size_t size = cut != NULL ? (size_t) (cut - start) : input.size - position;

		if (size > 0)
			*files++ = (MemoryFile){names[i], mg_span(start, size)};
		position += size + 1;
	}
}

/* Files are only ever opened by names that stay within the directory. */
static bool
open_within(MgCtx *cx, void *user, const char *name, MgSource *source, bool *found)
{
	fuzz_require(name[0] != '/' && strstr(name, "..") == NULL);
	return memory_open(cx, user, name, source, found);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MemoryFile array[5] = {{NULL, {NULL, 0}}};
	MgFiles files = {array, open_within, NULL};
	MgSentenceFacts facts;
	MgCtx cx;
	bool fine;

	split(mg_span(data, size), array);
	mg_ctx_init(&cx, &fuzz_host);
	fine = mg_sentence_files_read(&cx, &files, &facts);
	fuzz_judge(&cx, fine);
	if (fine)
	{
		fuzz_require((unsigned) facts.pooling <= MG_POOL_MEAN_SQRT);
		fuzz_require(facts.present || (facts.pooling == MG_POOL_NONE && facts.n_prompts == 0));
		for (size_t i = 0; i < facts.n_prompts; i++)
			fuzz_require(strlen((const char *) facts.prompts[i].text.data) == facts.prompts[i].text.size);
	}
	mg_ctx_free(&cx);
	return 0;
}
