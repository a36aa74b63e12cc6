/*
 * Any bytes as model.safetensors or, when the first one is odd, as an index
 * and two shards, "one" and "two", whose sizes stand in the four bytes behind
 * it: an error, or tensors in order of name that lie within their files.
 */
#include "format/tensors.h"

#include "core/reader.h"
#include "fuzz/host.h"
#include "unit/memory_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
split(MgSpan input, MemoryFile files[4])
{
	MgReader reader = mg_reader(input);
	bool sharded = (mg_read_u8(&reader) & 1) != 0;
	size_t sizes[2];

	if (!sharded)
	{
		files[0] = (MemoryFile){"model.safetensors", mg_read_span(&reader, mg_reader_left(&reader))};
		return;
	}
	for (int i = 0; i < 2; i++)
	{
		sizes[i] = (size_t) mg_read_unsigned(&reader, 2);
		if (sizes[i] > mg_reader_left(&reader))
			sizes[i] = mg_reader_left(&reader);
	}
	files[0] = (MemoryFile){"model.safetensors.index.json", mg_read_span(&reader, sizes[0])};
	if (sizes[1] > mg_reader_left(&reader))
		sizes[1] = mg_reader_left(&reader);
	files[1] = (MemoryFile){"one", mg_read_span(&reader, sizes[1])};
	files[2] = (MemoryFile){"two", mg_read_span(&reader, mg_reader_left(&reader))};
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MemoryFile array[4] = {{NULL, {NULL, 0}}};
	MgCtx cx;
	MgTensors tensors;
	bool fine;

	split(mg_span(data, size), array);
	mg_ctx_init(&cx, &fuzz_host);
	fine = mg_tensors_open(&cx, &MEMORY_FILES(array), &tensors);
	fuzz_judge(&cx, fine);
	for (size_t i = 0; fine && i < tensors.n; i++)
	{
		const MgTensor *tensor = &tensors.items[i];

		fuzz_require(mg_tensors_find(&tensors, tensor->name) == tensor);
		fuzz_require(tensor->rank <= MG_MAX_RANK);
		fuzz_require(tensor->offset <= tensor->file->source.size);
		fuzz_require(tensor->size <= tensor->file->source.size - tensor->offset);
	}
	mg_ctx_free(&cx);
	return 0;
}
