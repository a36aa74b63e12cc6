/* Any bytes as a GGUF file of two parts: the first four say where the second one begins. */
#include "format/gguf_split.h"
#include "fuzz/host.h"
#include "unit/memory_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char names[2][MG_GGUF_PART_SIZE];
	uint32_t first;
	MgCtx cx;
	MgGguf gguf;
	bool fine, found;

	if (size < sizeof first)
		return 0;
	memcpy(&first, data, sizeof first);
	data += sizeof first;
	size -= sizeof first;
	first = first < size ? first : (uint32_t) size;
	mg_gguf_part_name(0, 2, names[0]);
	mg_gguf_part_name(1, 2, names[1]);
	mg_ctx_init(&cx, &fuzz_host);
	for (int named = 0; named < 2; named++)
	{
		MgSpan parts[] = {mg_span(data, first), mg_span(data + first, size - first)};
		MemoryFile files[] = {{MG_GGUF_FILE, parts[named]}, {names[0], parts[0]}, {names[1], parts[1]}, {NULL, {NULL, 0}}};

		mg_ctx_reset(&cx);
		fine = mg_gguf_open(&cx, &MEMORY_FILES(files), &gguf, &found);
		fuzz_judge(&cx, fine);
		for (size_t i = 0; fine && i < gguf.tensors.n; i++)
		{
			const MgTensor *tensor = &gguf.tensors.items[i];

			fuzz_require(mg_tensors_find(&gguf.tensors, tensor->name) == tensor);
			fuzz_require(tensor->offset <= tensor->file->source.size && tensor->size <= tensor->file->source.size - tensor->offset);
		}
	}
	mg_ctx_free(&cx);
	return 0;
}
