/* Reading a GGUF file's head. It does not say how long it is: a beginning of the file is read, and a longer one if that ends too early. */
#include "format/gguf.h"

#include <stdlib.h>

#include "core/reader.h"
#include "format/gguf_blocks.h"

#define MAX_VALUES 4096
#define FIRST_TRY ((size_t) 256 * 1024) /* enough for a part without values (format/gguf_split.h) */
#define KEY_LIMIT 65535
#define MAX_NAME 512

/* Entries between two polls. */
#define POLL_STEP 4096

/* A head of the file that is being read. */
typedef struct Head
{
	MgCtx *cx;
	const MgSource *source;
	MgGguf *gguf;
	MgReader reader;
	uint64_t n_tensors, n_values;
	uint64_t alignment;
} Head;

static bool
fail(const Head *head, const char *what)
{
	return mg_fail(head->cx, MG_BAD_FILE, "file \"%s\" %s", head->gguf->name, what);
}

/* Whether the head goes on behind what was read: no error, a longer beginning is tried. */
static bool
is_short(const Head *head)
{
	return head->reader.failed && head->reader.bytes.size < head->source->size;
}

/* Bytes of a value of fixed size; 0: none such. */
static size_t
type_size(uint32_t type)
{
	static const uint8_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

	return type < sizeof sizes ? sizes[type] : 0;
}

static MgSpan
read_string(MgReader *reader)
{
	uint64_t size = mg_read_u64(reader);

	return mg_read_span(reader, size > SIZE_MAX ? SIZE_MAX : (size_t) size);
}

/* The items of an array; false on an error, that of a short read excepted. */
static bool
read_items(Head *head, MgGgufValue *value)
{
	MgReader *reader = &head->reader;
	uint32_t item = mg_read_u32(reader);
	uint64_t n = mg_read_u64(reader);
	size_t start, size;

	if (reader->failed)
		return true;
	if (item != MG_GGUF_STRING && type_size(item) == 0)
		return fail(head, "has an array of a type that is not supported");
	value->item = (MgGgufType) item;
	value->n = (size_t) n;
	if (item != MG_GGUF_STRING)
	{
		if (!mg_multiply(value->n, type_size(item), &size))
			size = SIZE_MAX;
		value->bytes = mg_read_span(reader, size);
		return true;
	}
	start = reader->position;
	for (uint64_t i = 0; i < n && !reader->failed; i++)
	{
		if (i % POLL_STEP == 0 && !mg_poll(head->cx))
			return false;
		read_string(reader);
	}
	value->bytes = mg_span(reader->bytes.data + start, reader->position - start);
	return true;
}

static bool
read_value(Head *head, MgGgufValue *value)
{
	MgReader *reader = &head->reader;
	uint32_t type;

	*value = (MgGgufValue){.key = read_string(reader)};
	type = mg_read_u32(reader);
	if (reader->failed)
		return true;
	if (value->key.size == 0 || value->key.size > KEY_LIMIT)
		return fail(head, "has a key of no name, or of one that is too long");
	value->type = (MgGgufType) type;
	if (type == MG_GGUF_STRING)
		value->bytes = read_string(reader);
	else if (type == MG_GGUF_ARRAY)
		return read_items(head, value);
	else if (type_size(type) > 0)
		value->bytes = mg_read_span(reader, type_size(type));
	else
		return mg_fail(head->cx, MG_BAD_FILE, "file \"%s\" has a value of unknown type %u", head->gguf->name, type);
	return true;
}

static int
compare_spans(MgSpan a, MgSpan b)
{
	size_t shorter = a.size < b.size ? a.size : b.size;
	int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int
compare_values(const void *a, const void *b)
{
	return compare_spans(((const MgGgufValue *) a)->key, ((const MgGgufValue *) b)->key);
}

static int
compare_tensors(const void *a, const void *b)
{
	return compare_spans(((const MgTensor *) a)->name, ((const MgTensor *) b)->name);
}

static bool
read_values(Head *head)
{
	MgGgufValue *values = mg_alloc_array(head->cx, (size_t) head->n_values, sizeof *values);

	if (values == NULL)
		return false;
	for (size_t i = 0; i < head->n_values && !head->reader.failed; i++)
		if (!read_value(head, &values[i]))
			return false;
	if (head->reader.failed)
		return true;
	qsort(values, (size_t) head->n_values, sizeof *values, compare_values);
	for (size_t i = 1; i < head->n_values; i++)
		if (compare_values(&values[i - 1], &values[i]) == 0)
			return mg_fail(head->cx, MG_BAD_FILE, "file \"%s\" has key \"%.*s\" twice", head->gguf->name, MG_SPAN_ARGS(values[i].key));
	head->gguf->n = (size_t) head->n_values;
	head->gguf->values = values;
	return true;
}

/* Lengths, type and offset of a tensor; the offset counts from the data's begin. */
static bool
read_tensor(Head *head, MgTensor *tensor)
{
	MgReader *reader = &head->reader;
	uint32_t rank, type;
	uint64_t lengths[MG_MAX_RANK] = {0}, n = 1;
	const MgBlockType *block;

	*tensor = (MgTensor){.name = read_string(reader)};
	rank = mg_read_u32(reader);
	if (reader->failed)
		return true;
	if (tensor->name.size == 0 || tensor->name.size > MAX_NAME || rank < 1 || rank > MG_MAX_RANK)
		return fail(head, "has a tensor of no name, of a name that is too long, or of a rank that is out of range");
	for (uint32_t i = 0; i < rank; i++)
		lengths[i] = mg_read_u64(reader);
	type = mg_read_u32(reader);
	tensor->offset = mg_read_u64(reader);
	if (reader->failed)
		return true;
	tensor->rank = rank;
	for (uint32_t i = 0; i < rank; i++)
	{
		if (lengths[i] == 0 || __builtin_mul_overflow(n, lengths[i], &n) || n > UINT64_MAX / 16)
			return mg_fail(head->cx, MG_BAD_FILE, "file \"%s\" has tensor \"%.*s\" of a shape that is out of range",
						   head->gguf->name, MG_SPAN_ARGS(tensor->name));
		tensor->shape[rank - 1 - i] = (size_t) lengths[i];
	}
	block = mg_block_type(type);
	if (block == NULL)
		return mg_fail(head->cx, MG_BAD_FILE, "file \"%s\" has tensor \"%.*s\" of unknown type %u", head->gguf->name,
					   MG_SPAN_ARGS(tensor->name), type);
	tensor->dtype_name = block->name;
	tensor->block = block->elements > 1 ? block : NULL;
	tensor->readable = block->readable;
	tensor->dtype = block->dtype;
	if (lengths[0] % block->elements != 0)
		return mg_fail(head->cx, MG_BAD_FILE, "file \"%s\" has tensor \"%.*s\" whose rows are no whole blocks", head->gguf->name,
					   MG_SPAN_ARGS(tensor->name));
	tensor->size = n / block->elements * block->size;
	return true;
}

static bool
read_tensors(Head *head)
{
	MgTensorFile *file = mg_alloc(head->cx, sizeof *file);
	MgTensor *items = mg_alloc_array(head->cx, (size_t) head->n_tensors, sizeof *items);
	uint64_t begin;

	if (file == NULL || items == NULL)
		return false;
	*file = (MgTensorFile){head->gguf->name, *head->source};
	for (size_t i = 0; i < head->n_tensors && !head->reader.failed; i++)
		if ((i % 512 == 0 && !mg_poll(head->cx)) || !read_tensor(head, &items[i]))
			return false;
	if (head->reader.failed)
		return true;
	begin = (head->reader.position + head->alignment - 1) / head->alignment * head->alignment;
	for (size_t i = 0; i < head->n_tensors; i++)
	{
		MgTensor *tensor = &items[i];

		if (tensor->offset % head->alignment != 0 || begin > head->source->size || tensor->offset > head->source->size - begin ||
			tensor->size > head->source->size - begin - tensor->offset)
			return mg_fail(head->cx, MG_BAD_FILE, "file \"%s\" ends before tensor \"%.*s\", or has it at a wrong offset",
						   head->gguf->name, MG_SPAN_ARGS(tensor->name));
		tensor->offset += begin;
		tensor->file = file;
	}
	qsort(items, (size_t) head->n_tensors, sizeof *items, compare_tensors);
	for (size_t i = 1; i < head->n_tensors; i++)
		if (compare_tensors(&items[i - 1], &items[i]) == 0)
			return mg_fail(head->cx, MG_BAD_FILE, "file \"%s\" has tensor \"%.*s\" twice", head->gguf->name, MG_SPAN_ARGS(items[i].name));
	head->gguf->tensors = (MgTensors){(size_t) head->n_tensors, items};
	return true;
}

static bool
read_counts(Head *head)
{
	MgReader *reader = &head->reader;
	MgSpan magic = mg_read_span(reader, 4);
	uint32_t version = mg_read_u32(reader);

	head->n_tensors = mg_read_u64(reader);
	head->n_values = mg_read_u64(reader);
	if (reader->failed || !mg_span_is(magic, "GGUF"))
		return fail(head, "is not a GGUF file");
	if (version != 3)
	{
		mg_fail(head->cx, MG_UNSUPPORTED, "file \"%s\" is GGUF of version %u", head->gguf->name, version);
		return mg_hint(head->cx, "Version 3, little-endian, is read.");
	}
	if (head->n_tensors <= MG_MAX_TENSORS && head->n_values <= MAX_VALUES)
		return true;
	mg_fail(head->cx, MG_TOO_LARGE, "file \"%s\" has too many tensors or values", head->gguf->name);
	return mg_detail(head->cx, "At most %d tensors and %d values are read.", MG_MAX_TENSORS, MAX_VALUES);
}

/* What values say about the file itself. */
static bool
check_general(Head *head)
{
	int64_t alignment = 32;

	if (!mg_gguf_integer(head->cx, head->gguf, "general.alignment", &alignment))
		return false;
	if (alignment < 1 || alignment > 65536 || (alignment & (alignment - 1)) != 0)
		return fail(head, "has an alignment that is out of range");
	head->alignment = (uint64_t) alignment;
	return true;
}

/* Reads the head of these bytes; *whole: they hold all of it. */
static bool
read_head(MgCtx *cx, const MgSource *source, MgSpan bytes, MgGguf *gguf, bool *whole)
{
	Head head = {.cx = cx, .source = source, .gguf = gguf, .reader = mg_reader(bytes)};

	*whole = false;
	if (!read_counts(&head) || !read_values(&head))
		return false;
	if (is_short(&head))
		return true;
	if (head.reader.failed)
		return fail(&head, "ends within its values");
	if (!check_general(&head) || !read_tensors(&head))
		return false;
	if (is_short(&head))
		return true;
	if (head.reader.failed)
		return fail(&head, "ends within its list of tensors");
	*whole = true;
	return true;
}

bool
mg_gguf_read(MgCtx *cx, const char *name, const MgSource *source, MgGguf *gguf)
{
	MgMark mark = mg_mark(cx);

	for (size_t size = FIRST_TRY;; size *= 4)
	{
		size_t n = size < MG_TENSOR_HEADER_LIMIT ? size : MG_TENSOR_HEADER_LIMIT;
		uint8_t *bytes;
		bool whole;

		n = n < source->size ? n : (size_t) source->size;
		*gguf = (MgGguf){.name = name};
		bytes = mg_alloc(cx, n);
		if (bytes == NULL || !source->read(cx, source->user, 0, bytes, n) ||
			!read_head(cx, source, mg_span(bytes, n), gguf, &whole))
			return false;
		if (whole)
			return true;
		if (size >= MG_TENSOR_HEADER_LIMIT)
			return mg_fail(cx, MG_TOO_LARGE, "file \"%s\" has a head of more than %zu bytes", name, MG_TENSOR_HEADER_LIMIT);
		mg_rewind(cx, mark);
	}
}

const MgGgufValue *
mg_gguf_find(const MgGguf *gguf, const char *key)
{
	MgGgufValue wanted = {.key = mg_span_of(key)};

	return gguf->n > 0 ? bsearch(&wanted, gguf->values, gguf->n, sizeof *gguf->values, compare_values) : NULL;
}

static bool
fail_type(MgCtx *cx, const MgGguf *gguf, const char *key, const char *what)
{
	return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has a \"%s\" that is not %s", gguf->name, key, what);
}

/* An integer of that type at some bytes; false: another type, or too large. */
static bool
integer_at(MgGgufType type, const uint8_t *bytes, int64_t *integer)
{
	size_t size = type_size(type);
	MgReader reader = mg_reader(mg_span(bytes, size));
	uint64_t value = mg_read_unsigned(&reader, size);
	unsigned unused = 64 - 8 * (unsigned) size;

	switch (type)
	{
		case MG_GGUF_I8:
		case MG_GGUF_I16:
		case MG_GGUF_I32:
		case MG_GGUF_I64:
			*integer = (int64_t) (value << unused) >> unused;
			return true;
		case MG_GGUF_U8:
		case MG_GGUF_U16:
		case MG_GGUF_U32:
		case MG_GGUF_U64:
			*integer = (int64_t) value;
			return value <= INT64_MAX;
		default:
			return false;
	}
}

bool
mg_gguf_text(MgCtx *cx, const MgGguf *gguf, const char *key, MgSpan *text)
{
	const MgGgufValue *value = mg_gguf_find(gguf, key);

	if (value == NULL)
		return true;
	*text = value->bytes;
	return value->type == MG_GGUF_STRING || fail_type(cx, gguf, key, "a text");
}

bool
mg_gguf_integer(MgCtx *cx, const MgGguf *gguf, const char *key, int64_t *integer)
{
	const MgGgufValue *value = mg_gguf_find(gguf, key);

	return value == NULL || integer_at(value->type, value->bytes.data, integer) || fail_type(cx, gguf, key, "an integer");
}

bool
mg_gguf_real(MgCtx *cx, const MgGguf *gguf, const char *key, double *real)
{
	const MgGgufValue *value = mg_gguf_find(gguf, key);
	int64_t integer;
	float single;

	if (value == NULL)
		return true;
	if (value->type == MG_GGUF_F32)
	{
		memcpy(&single, value->bytes.data, sizeof single);
		*real = (double) single;
		return true;
	}
	if (value->type == MG_GGUF_F64)
	{
		memcpy(real, value->bytes.data, sizeof *real);
		return true;
	}
	if (!integer_at(value->type, value->bytes.data, &integer))
		return fail_type(cx, gguf, key, "a number");
	*real = (double) integer;
	return true;
}

bool
mg_gguf_flag(MgCtx *cx, const MgGguf *gguf, const char *key, bool *flag)
{
	const MgGgufValue *value = mg_gguf_find(gguf, key);

	if (value == NULL)
		return true;
	if (value->type != MG_GGUF_BOOL)
		return fail_type(cx, gguf, key, "true or false");
	*flag = value->bytes.data[0] != 0;
	return true;
}

bool
mg_gguf_texts(MgCtx *cx, const MgGguf *gguf, const char *key, MgSpan **texts, size_t *n)
{
	const MgGgufValue *value = mg_gguf_find(gguf, key);
	MgReader reader;

	*n = 0;
	*texts = NULL;
	if (value == NULL)
		return true;
	if (value->type != MG_GGUF_ARRAY || value->item != MG_GGUF_STRING)
		return fail_type(cx, gguf, key, "an array of texts");
	*texts = mg_alloc_array(cx, value->n, sizeof **texts);
	if (*texts == NULL)
		return false;
	reader = mg_reader(value->bytes);
	for (size_t i = 0; i < value->n; i++)
	{
		if (i % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		(*texts)[i] = read_string(&reader);
	}
	*n = value->n;
	return true;
}

bool
mg_gguf_integers(MgCtx *cx, const MgGguf *gguf, const char *key, int64_t **integers, size_t *n)
{
	const MgGgufValue *value = mg_gguf_find(gguf, key);

	*n = 0;
	*integers = NULL;
	if (value == NULL)
		return true;
	if (value->type != MG_GGUF_ARRAY)
		return fail_type(cx, gguf, key, "an array of integers");
	*integers = mg_alloc_array(cx, value->n, sizeof **integers);
	if (*integers == NULL)
		return false;
	for (size_t i = 0; i < value->n; i++)
	{
		if (i % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		if (!integer_at(value->item, value->bytes.data + i * type_size(value->item), &(*integers)[i]))
			return fail_type(cx, gguf, key, "an array of integers");
	}
	*n = value->n;
	return true;
}

bool
mg_gguf_reals(MgCtx *cx, const MgGguf *gguf, const char *key, double **reals, size_t *n)
{
	const MgGgufValue *value = mg_gguf_find(gguf, key);

	*n = 0;
	*reals = NULL;
	if (value == NULL)
		return true;
	if (value->type != MG_GGUF_ARRAY || value->item != MG_GGUF_F32)
		return fail_type(cx, gguf, key, "an array of f32 numbers");
	*reals = mg_alloc_array(cx, value->n, sizeof **reals);
	if (*reals == NULL)
		return false;
	for (size_t i = 0; i < value->n; i++)
	{
		float real;

		if (i % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		memcpy(&real, value->bytes.data + i * sizeof real, sizeof real);
		(*reals)[i] = (double) real;
	}
	*n = value->n;
	return true;
}
