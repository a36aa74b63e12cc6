/* Finds the tensors of a pickle in the archive that it came with. */
#include "format/torch_file.h"

#include <inttypes.h>
#include <stdio.h>

#include "format/pickle.h"
#include "format/zip.h"

#define PICKLE "data.pkl"
#define CONVERT "Convert the checkpoint to safetensors, with save_pretrained of transformers for example."

/* The longest name of an entry that a key leads to. */
#define NAME_SIZE 512

/* A pickle that is no archive is the old form. */
static bool
check_form(MgCtx *cx, const MgTensorFile *file)
{
	uint8_t start[2] = {0, 0};

	if (file->source.size >= sizeof start && !file->source.read(cx, file->source.user, 0, start, sizeof start))
		return false;
	if (start[0] != 0x80)
		return true;
	mg_fail(cx, MG_UNSUPPORTED, "file \"%s\" has the form that PyTorch wrote before 1.6", file->name);
	return mg_hint(cx, CONVERT);
}

static bool
ends_with(MgSpan name, const char *end)
{
	size_t size = strlen(end);

	return name.size > size && memcmp(name.data + name.size - size, end, size) == 0;
}

/* The one entry NAME/data.pkl; prefix is "NAME/". */
static bool
find_pickle(MgCtx *cx, const MgZip *zip, const MgZipEntry **pickle, MgSpan *prefix)
{
	*pickle = NULL;
	for (size_t i = 0; i < zip->n; i++)
		if (ends_with(zip->entries[i].name, "/" PICKLE))
		{
			if (*pickle != NULL)
				return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has several entries \"%s\"", zip->file, PICKLE);
			*pickle = &zip->entries[i];
		}
	if (*pickle == NULL)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has no entry \"%s\"", zip->file, PICKLE);
	*prefix = mg_span((*pickle)->name.data, (*pickle)->name.size - strlen(PICKLE));
	return prefix->size < NAME_SIZE / 2 ||
		mg_fail(cx, MG_TOO_LARGE, "file \"%s\" has an entry with a name of %zu bytes", zip->file, (*pickle)->name.size);
}

/* The entry of that name behind the prefix, or NULL. */
static const MgZipEntry *
find_entry(const MgZip *zip, MgSpan prefix, const char *folder, MgSpan key)
{
	uint8_t name[NAME_SIZE];
	size_t folder_size = strlen(folder);

	if (key.size > NAME_SIZE / 2 - folder_size)
		return NULL;
	memcpy(name, prefix.data, prefix.size);
	memcpy(name + prefix.size, folder, folder_size);
	if (key.size > 0)
		memcpy(name + prefix.size + folder_size, key.data, key.size);
	return mg_zip_find(zip, mg_span(name, prefix.size + folder_size + key.size));
}

static bool
check_byte_order(MgCtx *cx, const MgZip *zip, MgSpan prefix)
{
	const MgZipEntry *entry = find_entry(zip, prefix, "byteorder", mg_span(NULL, 0));
	uint8_t order[6];
	uint64_t offset;

	if (entry == NULL)
		return true;
	if (!mg_zip_locate(cx, zip, entry, &offset))
		return false;
	if (entry->size == sizeof order && !zip->source->read(cx, zip->source->user, offset, order, sizeof order))
		return false;
	return (entry->size == sizeof order && memcmp(order, "little", sizeof order) == 0) ||
		mg_fail(cx, MG_UNSUPPORTED, "file \"%s\" has another byte order than little-endian", zip->file);
}

static bool
fail_tensor(MgCtx *cx, const MgZip *zip, const MgPickled *pickled, MgCode code, const char *problem)
{
	return mg_fail(cx, code, "tensor \"%.*s\" in file \"%s\" %s", MG_SPAN_ARGS(pickled->name), zip->file, problem);
}

/* The shape, whose numbers must lie row after row, and the number of them. */
static bool
read_shape(MgCtx *cx, const MgZip *zip, const MgPickled *pickled, MgTensor *tensor, uint64_t *n)
{
	uint64_t step = 1;

	tensor->rank = pickled->rank;
	for (size_t i = pickled->rank; i-- > 0;)
	{
		uint64_t side = pickled->shape[i];

		tensor->shape[i] = (size_t) side;
		if (side > 1 && pickled->stride[i] != step)
		{
			fail_tensor(cx, zip, pickled, MG_UNSUPPORTED, "does not lie in memory row after row");
			return mg_hint(cx, CONVERT);
		}
		if (__builtin_mul_overflow(step, side, &step))
			return fail_tensor(cx, zip, pickled, MG_BAD_FILE, "has a shape beyond 64 bits");
	}
	*n = step;
	return true;
}

static bool
read_tensor(MgCtx *cx, const MgZip *zip, MgSpan prefix, const MgPickled *pickled, MgTensor *tensor)
{
	const MgZipEntry *entry = find_entry(zip, prefix, "data/", pickled->storage);
	uint64_t n = 0, end, stored, start;
	unsigned bits = 0;

	tensor->name = pickled->name;
	if (!mg_tensor_set_dtype(tensor, mg_span_of(pickled->dtype_name), &bits))
		return fail_tensor(cx, zip, pickled, MG_UNSUPPORTED, "has an unknown dtype");
	if (!read_shape(cx, zip, pickled, tensor, &n))
		return false;
	if (entry == NULL)
		return fail_tensor(cx, zip, pickled, MG_BAD_FILE, "refers to a storage that is missing");
	if (__builtin_mul_overflow(pickled->n_stored, bits / 8, &stored) || stored != entry->size)
		return fail_tensor(cx, zip, pickled, MG_BAD_FILE, "refers to a storage of another size");
	if (__builtin_add_overflow(pickled->first, n, &end) || end > pickled->n_stored)
		return fail_tensor(cx, zip, pickled, MG_BAD_FILE, "reaches beyond its storage");
	if (!mg_zip_locate(cx, zip, entry, &start))
		return false;
	tensor->offset = start + pickled->first * (bits / 8);
	tensor->size = n * (bits / 8);
	return true;
}

/* The bytes of the pickle. */
static bool
load_pickle(MgCtx *cx, const MgZip *zip, const MgZipEntry *entry, size_t *header_left, MgSpan *bytes)
{
	uint64_t offset;
	uint8_t *copy;

	if (!mg_zip_locate(cx, zip, entry, &offset))
		return false;
	if (entry->size > MG_PICKLE_LIMIT || entry->size > *header_left)
	{
		mg_fail(cx, MG_TOO_LARGE, "file \"%s\" has a pickle of %" PRIu64 " bytes", zip->file, entry->size);
		return mg_detail(cx, "At most %zu are read.", MG_PICKLE_LIMIT);
	}
	*header_left -= (size_t) entry->size;
	copy = mg_alloc(cx, (size_t) entry->size);
	*bytes = mg_span(copy, (size_t) entry->size);
	return copy != NULL && zip->source->read(cx, zip->source->user, offset, copy, (size_t) entry->size);
}

bool
mg_torch_file_read(MgCtx *cx, const MgTensorFile *file, size_t *header_left, MgTensor **items, size_t *n)
{
	const MgZipEntry *entry;
	MgPickled *pickled;
	MgSpan prefix, bytes;
	MgZip zip;

	if (!check_form(cx, file) || !mg_zip_open(cx, file->name, &file->source, &zip) ||
		!find_pickle(cx, &zip, &entry, &prefix) || !check_byte_order(cx, &zip, prefix) ||
		!load_pickle(cx, &zip, entry, header_left, &bytes) || !mg_pickle_read(cx, file->name, bytes, &pickled, n))
		return false;
	*items = mg_alloc_zeroed(cx, *n, sizeof **items);
	if (*items == NULL)
		return false;
	for (size_t i = 0; i < *n; i++)
	{
		(*items)[i].file = file;
		if ((i % 64 == 0 && !mg_poll(cx)) || !read_tensor(cx, &zip, prefix, &pickled[i], &(*items)[i]))
			return false;
	}
	return true;
}
