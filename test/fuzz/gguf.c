/* Any bytes as a GGUF file: an error, or values in order of key and tensors that lie within the file; then as a model to be created. */
#include "fuzz/host.h"
#include "model/checkpoint.h"
#include "format/gguf.h"
#include "unit/memory_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_tensors(const MgGguf *gguf, size_t size)
{
	for (size_t i = 0; i < gguf->tensors.n; i++)
	{
		const MgTensor *tensor = &gguf->tensors.items[i];

		fuzz_require(mg_tensors_find(&gguf->tensors, tensor->name) == tensor);
		fuzz_require(tensor->rank >= 1 && tensor->rank <= MG_MAX_RANK);
		fuzz_require(tensor->offset <= size && tensor->size <= size - tensor->offset);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MgSpan bytes = mg_span(data, size);
	MgSource source = mg_source_of_span(&bytes);
	MemoryFile files[] = {{MG_GGUF_FILE, bytes}, {NULL, {NULL, 0}}};
	MgModelOptions options = {.dtype = -1, .normalize = -1};
	MgCtx cx;
	MgGguf gguf;
	MgPlan plan;
	bool fine;

	mg_ctx_init(&cx, &fuzz_host);
	fine = mg_gguf_read(&cx, MG_GGUF_FILE, &source, &gguf);
	fuzz_judge(&cx, fine);
	if (fine)
		check_tensors(&gguf, size);
	mg_ctx_reset(&cx);
	fine = mg_checkpoint_plan(&cx, &MEMORY_FILES(files), &options, &plan);
	fuzz_judge(&cx, fine);
	mg_ctx_free(&cx);
	return 0;
}
