/*
 * Any bytes as pytorch_model.bin or, when they do not begin as an archive does,
 * as the pickle of one that is whole otherwise: an error, or tensors in order of
 * name that lie within the file.
 */
#include "format/pickle.h"
#include "format/tensors.h"
#include "fuzz/host.h"
#include "unit/memory_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
read_file(MgCtx *cx, MgSpan bytes)
{
	MemoryFile files[] = {{"pytorch_model.bin", bytes}, {NULL, {NULL, 0}}};
	MgTensors tensors;

	if (!mg_tensors_open(cx, &MEMORY_FILES(files), &tensors))
		return false;
	for (size_t i = 0; i < tensors.n; i++)
	{
		const MgTensor *tensor = &tensors.items[i];

		fuzz_require(mg_tensors_find(&tensors, tensor->name) == tensor);
		fuzz_require(tensor->rank <= MG_MAX_RANK);
		fuzz_require(tensor->offset <= bytes.size && tensor->size <= bytes.size - tensor->offset);
	}
	return true;
}

static bool
read_pickle(MgCtx *cx, MgSpan bytes)
{
	MgPickled *items;
	size_t n;

	if (!mg_pickle_read(cx, "fuzz", bytes, &items, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		fuzz_require(items[i].rank <= MG_MAX_RANK && items[i].dtype_name != NULL);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MgCtx cx;

	mg_ctx_init(&cx, &fuzz_host);
	fuzz_judge(&cx, size >= 1 && data[0] == 0x80 ? read_pickle(&cx, mg_span(data, size)) : read_file(&cx, mg_span(data, size)));
	mg_ctx_free(&cx);
	return 0;
}
