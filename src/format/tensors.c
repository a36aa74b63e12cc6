/*
 * A checkpoint's tensors, of one file or of all shards, in order of name.
 *
 * The index of a sharded checkpoint and the shards' headers say the same thing
 * twice; both are read and compared, so that a directory with a shard of
 * another download is refused.
 */
#include "format/tensors.h"

#include <stdlib.h>

#include "format/json.h"
#include "format/safetensors.h"
#include "format/torch_file.h"

/* Types by the names that safetensors has; sizes are in bits because the newest ones are smaller than a byte. */
static const struct
{
	const char *name;
	unsigned bits;
	int dtype; /* MgDtype; -1: known, but not readable */
} dtypes[] = {
	{"F32", 32, MG_F32}, {"F16", 16, MG_F16},  {"BF16", 16, MG_BF16}, {"F64", 64, -1},	   {"I64", 64, -1},
	{"I32", 32, -1},	 {"I16", 16, -1},	   {"I8", 8, -1},		  {"U64", 64, -1},	   {"U32", 32, -1},
	{"U16", 16, -1},	 {"U8", 8, -1},		   {"BOOL", 8, -1},		  {"F8_E4M3", 8, -1},  {"F8_E5M2", 8, -1},
	{"F8_E8M0", 8, -1},	 {"F8_E4M3FNUZ", 8, -1}, {"F8_E5M2FNUZ", 8, -1}, {"F6_E2M3", 6, -1}, {"F6_E3M2", 6, -1},
	{"F4", 4, -1},		 {"C64", 64, -1},
};

#define N_DTYPES (sizeof dtypes / sizeof dtypes[0])

/* The kinds of files, the preferred one first. */
typedef struct FileKind
{
	const char *single, *index;
	bool (*read)(MgCtx *cx, const MgTensorFile *file, size_t *header_left, MgTensor **items, size_t *n);
} FileKind;

static const FileKind kinds[] = {
	{"model.safetensors", "model.safetensors.index.json", mg_safetensors_read},
	{"pytorch_model.bin", "pytorch_model.bin.index.json", mg_torch_file_read},
};

/* An index of MG_MAX_TENSORS long names is about 16 MB. */
#define INDEX_LIMIT ((size_t) 32 * 1024 * 1024)
#define MAX_SHARDS 1000

/* An index that was read: for tensor i of weight_map, shard_of[i] is its file. */
typedef struct Shards
{
	const FileKind *kind;
	const MgJson *weight_map;
	size_t n;
	MgTensorFile *files; /* [n] */
	uint32_t *shard_of;	 /* [weight_map->n] */
	size_t header_left;	 /* see safetensors.h */
	size_t n_items;		 /* tensors found so far */
	MgTensor *items;	 /* [n_items] of weight_map->n */
} Shards;

static int
compare_tensors(const void *a, const void *b)
{
	return mg_span_compare(((const MgTensor *) a)->name, ((const MgTensor *) b)->name);
}

const MgTensor *
mg_tensors_find(const MgTensors *tensors, MgSpan name)
{
	MgTensor key = {.name = name};

	return tensors->n == 0 ? NULL : bsearch(&key, tensors->items, tensors->n, sizeof key, compare_tensors);
}

/* The shard that an entry of weight_map names, added if it is new. */
static bool
find_shard(MgCtx *cx, Shards *shards, size_t i)
{
	const MgJson *name = &shards->weight_map->items[i];
	MgSpan tensor = shards->weight_map->keys[i];
	char *copy;

	if (name->kind != MG_JSON_STRING || name->string.size == 0)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" names no file for tensor \"%.*s\"", shards->kind->index, MG_SPAN_ARGS(tensor));
	for (size_t s = shards->n; s > 0; s--)
	{
		if (mg_span_is(name->string, shards->files[s - 1].name))
		{
			shards->shard_of[i] = (uint32_t) (s - 1);
			return true;
		}
	}
	copy = mg_copy_text(cx, name->string);
	if (copy == NULL)
		return false;

	/* The caller opens what it is told to: a name must not lead out of the directory. */
	if (strpbrk(copy, "/\\") != NULL || strstr(copy, "..") != NULL)
	{
		mg_fail(cx, MG_BAD_FILE, "file \"%s\" names a file outside of its directory", shards->kind->index);
		return mg_detail(cx, "The name is \"%.*s\".", MG_SPAN_ARGS(name->string));
	}
	if (shards->n == MAX_SHARDS)
	{
		mg_fail(cx, MG_TOO_LARGE, "file \"%s\" names too many files", shards->kind->index);
		return mg_detail(cx, "At most %d are supported.", MAX_SHARDS);
	}
	shards->shard_of[i] = (uint32_t) shards->n;
	shards->files[shards->n++].name = copy;
	return true;
}

static bool
read_index(MgCtx *cx, const MgSource *source, Shards *shards)
{
	const char *name = shards->kind->index;
	MgSpan text;
	const MgJson *index;

	if (!mg_source_read_all(cx, source, name, INDEX_LIMIT, &text))
		return false;
	index = mg_json_parse(cx, name, text);
	if (index == NULL)
		return false;
	shards->weight_map = mg_json_get(index, "weight_map");
	if (shards->weight_map == NULL || shards->weight_map->kind != MG_JSON_OBJECT || shards->weight_map->n == 0)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has no \"weight_map\"", name);
	if (shards->weight_map->n > MG_MAX_TENSORS)
	{
		mg_fail(cx, MG_TOO_LARGE, "file \"%s\" has too many tensors", name);
		return mg_detail(cx, "It has %u; at most %d are supported.", shards->weight_map->n, MG_MAX_TENSORS);
	}
	shards->files = mg_alloc_zeroed(cx, MAX_SHARDS, sizeof *shards->files);
	shards->shard_of = mg_alloc_array(cx, shards->weight_map->n, sizeof *shards->shard_of);
	if (shards->files == NULL || shards->shard_of == NULL)
		return false;
	for (size_t i = 0; i < shards->weight_map->n; i++)
	{
		if ((i % 512 == 0 && !mg_poll(cx)) || !find_shard(cx, shards, i))
			return false;
	}
	return true;
}

/* Opens a shard and appends its tensors. */
static bool
read_shard(MgCtx *cx, const MgFiles *files, MgTensorFile *file, Shards *shards)
{
	MgTensor *some;
	size_t n_some;
	bool found;

	if (!mg_files_open(cx, files, file->name, &file->source, &found))
		return false;
	if (!found)
	{
		mg_fail(cx, MG_BAD_FILE, "file \"%s\" is missing", file->name);
		return mg_detail(cx, "File \"%s\" names it.", shards->kind->index);
	}
	if (!shards->kind->read(cx, file, &shards->header_left, &some, &n_some))
		return false;
	if (n_some > shards->weight_map->n - shards->n_items)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has tensors that file \"%s\" does not name", file->name, shards->kind->index);
	if (n_some > 0)
		memcpy(shards->items + shards->n_items, some, n_some * sizeof *some);
	shards->n_items += n_some;
	return true;
}

bool
mg_tensors_sort(MgCtx *cx, MgTensor *items, size_t n, MgTensors *tensors)
{
	qsort(items, n, sizeof *items, compare_tensors);
	for (size_t i = 1; i < n; i++)
	{
		if (mg_span_equal(items[i].name, items[i - 1].name))
			return mg_fail(cx, MG_BAD_FILE, "tensor \"%.*s\" is in both file \"%s\" and file \"%s\"",
						   MG_SPAN_ARGS(items[i].name), items[i - 1].file->name, items[i].file->name);
	}
	*tensors = (MgTensors){n, items};
	return true;
}

static bool
check_index(MgCtx *cx, const Shards *shards, const MgTensors *tensors)
{
	for (size_t i = 0; i < shards->weight_map->n; i++)
	{
		MgSpan name = shards->weight_map->keys[i];
		const MgTensorFile *file = &shards->files[shards->shard_of[i]];
		const MgTensor *tensor = mg_tensors_find(tensors, name);

		if (tensor == NULL || tensor->file != file)
		{
			mg_fail(cx, MG_BAD_FILE, "tensor \"%.*s\" is not in file \"%s\"", MG_SPAN_ARGS(name), file->name);
			return mg_detail(cx, "File \"%s\" says that it is.", shards->kind->index);
		}
	}
	return true;
}

static bool
open_sharded(MgCtx *cx, const MgFiles *files, const FileKind *kind, const MgSource *index, MgTensors *tensors)
{
	Shards shards = {.kind = kind, .header_left = MG_TENSOR_HEADER_LIMIT};

	if (!read_index(cx, index, &shards))
		return false;
	shards.items = mg_alloc_array(cx, shards.weight_map->n, sizeof *shards.items);
	if (shards.items == NULL)
		return false;
	for (size_t s = 0; s < shards.n; s++)
	{
		if (!read_shard(cx, files, &shards.files[s], &shards))
			return false;
	}
	return mg_tensors_sort(cx, shards.items, shards.n_items, tensors) && check_index(cx, &shards, tensors);
}

static bool
open_single(MgCtx *cx, const FileKind *kind, const MgSource *source, MgTensors *tensors)
{
	MgTensorFile *file = mg_alloc(cx, sizeof *file);
	size_t header_left = MG_TENSOR_HEADER_LIMIT;
	MgTensor *items;
	size_t n;

	if (file == NULL)
		return false;
	*file = (MgTensorFile){kind->single, *source};
	return kind->read(cx, file, &header_left, &items, &n) && mg_tensors_sort(cx, items, n, tensors);
}

/* There is no file that is read; other formats are named, since their remedy is known. */
static bool
fail_missing(MgCtx *cx, const MgFiles *files)
{
	static const char *const others[] = {"tf_model.h5", "flax_model.msgpack"};

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
	{
		MgSource source;
		bool found;

		if (!mg_files_open(cx, files, others[i], &source, &found))
			return false;
		if (!found)
			continue;
		mg_fail(cx, MG_UNSUPPORTED, "file \"%s\" is not supported", others[i]);
		mg_detail(cx, "There is no file \"%s\".", kinds[0].single);
		return mg_hint(cx, "Convert the checkpoint to safetensors, with save_pretrained of transformers for example.");
	}
	return mg_fail(cx, MG_BAD_FILE, "file \"%s\" is missing", kinds[0].single);
}

bool
mg_tensors_open(MgCtx *cx, const MgFiles *files, MgTensors *tensors)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
	{
		const FileKind *kind = &kinds[i];
		MgSource source;
		bool found;

		if (!mg_files_open(cx, files, kind->single, &source, &found))
			return false;
		if (found)
			return open_single(cx, kind, &source, tensors);
		if (!mg_files_open(cx, files, kind->index, &source, &found))
			return false;
		if (found)
			return open_sharded(cx, files, kind, &source, tensors);
	}
	return fail_missing(cx, files);
}

bool
mg_tensor_set_dtype(MgTensor *tensor, MgSpan name, unsigned *bits)
{
	for (size_t i = 0; i < N_DTYPES; i++)
		if (mg_span_is(name, dtypes[i].name))
		{
			tensor->dtype_name = dtypes[i].name;
			tensor->readable = dtypes[i].dtype >= 0;
			tensor->dtype = tensor->readable ? (MgDtype) dtypes[i].dtype : MG_F32;
			*bits = dtypes[i].bits;
			return true;
		}
	return false;
}
