/*
 * Reads and checks one safetensors header (format: safetensors.h).
 *
 * Offsets in the JSON count from the first byte behind the header and become
 * offsets in the file here. Whole numbers of JSON are below 2^53, so sums of a
 * few of them stay far from overflowing 64 bits; products are checked.
 */
#include "format/safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/reader.h"
#include "format/json.h"

static const MgJson *
read_header(MgCtx *cx, const MgTensorFile *file, size_t *header_left, uint64_t *data_start)
{
	const MgSource *source = &file->source;
	uint8_t start[8];
	uint8_t *text;
	MgReader reader = mg_reader(mg_span(start, sizeof start));
	uint64_t size;

	if (source->size < sizeof start)
	{
		mg_fail(cx, MG_BAD_FILE, "file \"%s\" ends before its header (%" PRIu64 " of 8 bytes)", file->name,
				source->size);
		return NULL;
	}
	if (!source->read(cx, source->user, 0, start, sizeof start))
		return NULL;
	size = mg_read_u64(&reader);
	if (size > *header_left)
	{
		mg_fail(cx, MG_TOO_LARGE, "file \"%s\" has a header of %" PRIu64 " bytes", file->name, size);
		mg_detail(cx, "The headers of a checkpoint's files may have %zu bytes together.", MG_TENSOR_HEADER_LIMIT);
		mg_hint(cx, "Is it a safetensors file?");
		return NULL;
	}
	if (size > source->size - sizeof start)
	{
		mg_fail(cx, MG_BAD_FILE, "file \"%s\" ends within its header (%" PRIu64 " of %" PRIu64 " bytes)", file->name,
				source->size, size + sizeof start);
		return NULL;
	}
	*header_left -= (size_t) size;
	*data_start = sizeof start + size;
	text = mg_alloc(cx, (size_t) size);
	if (text == NULL || !source->read(cx, source->user, sizeof start, text, (size_t) size))
		return NULL;
	return mg_json_parse(cx, file->name, mg_span(text, (size_t) size));
}

static bool
check_metadata(MgCtx *cx, const MgTensorFile *file, const MgJson *metadata)
{
	bool fine = metadata->kind == MG_JSON_OBJECT || metadata->kind == MG_JSON_NULL;

	for (size_t i = 0; i < metadata->n; i++)
		fine = fine && metadata->items[i].kind == MG_JSON_STRING;
	return fine || mg_fail(cx, MG_BAD_FILE, "\"__metadata__\" of file \"%s\" is not a map of strings", file->name);
}

static bool
fail_tensor(MgCtx *cx, const MgTensor *tensor, MgCode code, const char *problem)
{
	mg_fail(cx, code, "tensor \"%.*s\" in file \"%s\" %s", MG_SPAN_ARGS(tensor->name), tensor->file->name, problem);
	return false;
}

static bool
read_dtype(MgCtx *cx, const MgJson *info, MgTensor *tensor, unsigned *bits)
{
	const MgJson *name = mg_json_get(info, "dtype");

	if (name == NULL || name->kind != MG_JSON_STRING)
		return fail_tensor(cx, tensor, MG_BAD_FILE, "has no dtype");
	if (mg_tensor_set_dtype(tensor, name->string, bits))
		return true;
	fail_tensor(cx, tensor, MG_UNSUPPORTED, "has an unknown dtype");
	return mg_detail(cx, "The dtype is \"%.*s\".", MG_SPAN_ARGS(name->string));
}

/* The shape, and the bytes that it takes. */
static bool
read_shape(MgCtx *cx, const MgJson *info, unsigned bits, MgTensor *tensor)
{
	const MgJson *shape = mg_json_get(info, "shape");
	uint64_t size = bits;

	if (shape == NULL || shape->kind != MG_JSON_ARRAY)
		return fail_tensor(cx, tensor, MG_BAD_FILE, "has no shape");
	if (shape->n > MG_MAX_RANK)
	{
		fail_tensor(cx, tensor, MG_UNSUPPORTED, "has too many dimensions");
		return mg_detail(cx, "It has %u; at most %d are supported.", shape->n, MG_MAX_RANK);
	}
	tensor->rank = shape->n;
	for (size_t i = 0; i < shape->n; i++)
	{
		const MgJson *side = &shape->items[i];

		if (side->kind != MG_JSON_INTEGER || side->integer < 0)
			return fail_tensor(cx, tensor, MG_BAD_FILE, "has a shape that is not of whole numbers");
		if (__builtin_mul_overflow(size, (uint64_t) side->integer, &size))
			return fail_tensor(cx, tensor, MG_BAD_FILE, "has a shape beyond 64 bits");
		tensor->shape[i] = (size_t) side->integer;
	}
	if (size % 8 != 0)
		return fail_tensor(cx, tensor, MG_BAD_FILE, "does not end at a whole byte");
	tensor->size = size / 8;
	return true;
}

static bool
read_offsets(MgCtx *cx, const MgJson *info, uint64_t data_start, MgTensor *tensor)
{
	const MgJson *offsets = mg_json_get(info, "data_offsets");
	uint64_t begin, end;

	if (offsets == NULL || offsets->kind != MG_JSON_ARRAY || offsets->n != 2 ||
		offsets->items[0].kind != MG_JSON_INTEGER || offsets->items[0].integer < 0 ||
		offsets->items[1].kind != MG_JSON_INTEGER || offsets->items[1].integer < offsets->items[0].integer)
		return fail_tensor(cx, tensor, MG_BAD_FILE, "has no valid data_offsets");
	begin = (uint64_t) offsets->items[0].integer;
	end = (uint64_t) offsets->items[1].integer;
	if (end - begin != tensor->size)
	{
		fail_tensor(cx, tensor, MG_BAD_FILE, "has a size that does not fit its shape");
		return mg_detail(cx, "Its data_offsets span %" PRIu64 " bytes; dtype %s and shape need %" PRIu64 ".",
						 end - begin, tensor->dtype_name, tensor->size);
	}
	tensor->offset = data_start + begin;
	return true;
}

static bool
read_tensor(MgCtx *cx, const MgJson *info, uint64_t data_start, MgTensor *tensor)
{
	unsigned bits = 0;

	if (info->kind != MG_JSON_OBJECT)
		return fail_tensor(cx, tensor, MG_BAD_FILE, "is not described by an object");
	return read_dtype(cx, info, tensor, &bits) && read_shape(cx, info, bits, tensor) &&
		   read_offsets(cx, info, data_start, tensor);
}

/* By place; an empty tensor comes before the one that starts where it stands. */
static int
compare_places(const void *a, const void *b)
{
	const MgTensor *left = a, *right = b;

	if (left->offset != right->offset)
		return left->offset < right->offset ? -1 : 1;
	return (left->size > right->size) - (left->size < right->size);
}

/* Items, in order of place, follow each other from data_start to the file's end. */
static bool
check_cover(MgCtx *cx, const MgTensorFile *file, uint64_t data_start, const MgTensor *items, size_t n)
{
	uint64_t position = data_start;

	for (size_t i = 0; i < n; i++)
	{
		if (items[i].offset + items[i].size > position)
			position = items[i].offset + items[i].size;
	}
	if (position > file->source.size)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" ends before tensor data (%" PRIu64 " of %" PRIu64 " bytes)",
					   file->name, file->source.size, position);
	if (position < file->source.size)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has %" PRIu64 " bytes behind its tensors", file->name,
					   file->source.size - position);

	position = data_start;
	for (size_t i = 0; i < n; position += items[i].size, i++)
	{
		if (items[i].offset == position)
			continue;
		fail_tensor(cx, &items[i], MG_BAD_FILE,
					items[i].offset < position ? "overlaps the one before it" : "is preceded by a gap");
		return mg_detail(cx, "It starts at byte %" PRIu64 ", expected %" PRIu64 ".", items[i].offset, position);
	}
	return true;
}

bool
mg_safetensors_read(MgCtx *cx, const MgTensorFile *file, size_t *header_left, MgTensor **items, size_t *n)
{
	uint64_t data_start = 0;
	const MgJson *header = read_header(cx, file, header_left, &data_start);

	if (header == NULL)
		return false;
	if (header->kind != MG_JSON_OBJECT)
		return mg_fail(cx, MG_BAD_FILE, "the header of file \"%s\" is not an object", file->name);
	if (header->n > MG_MAX_TENSORS)
	{
		mg_fail(cx, MG_TOO_LARGE, "file \"%s\" has too many tensors", file->name);
		return mg_detail(cx, "It has %u; at most %d are supported.", header->n, MG_MAX_TENSORS);
	}
	*items = mg_alloc_zeroed(cx, header->n, sizeof **items);
	*n = 0;
	if (*items == NULL)
		return false;
	for (size_t i = 0; i < header->n; i++)
	{
		MgTensor *tensor = &(*items)[*n];

		if (mg_span_is(header->keys[i], "__metadata__"))
		{
			if (!check_metadata(cx, file, &header->items[i]))
				return false;
			continue;
		}
		tensor->name = header->keys[i];
		tensor->file = file;
		if (!read_tensor(cx, &header->items[i], data_start, tensor))
			return false;
		++*n;
	}
	qsort(*items, *n, sizeof **items, compare_places);
	return check_cover(cx, file, data_start, *items, *n);
}
