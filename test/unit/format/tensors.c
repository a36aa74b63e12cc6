/* safetensors: one file and shards, each check of the header, and a flip of each byte of a small golden. */
#include "format/tensors.h"

#include "unit/host.h"
#include "unit/memory_files.h"
#include "unit/tap.h"

#define INDEX "model.safetensors.index.json"

/* Three tensors, one of a type that is not readable, in 4 + 6 + 8 bytes; "b" is out of order of name. */
#define HEADER \
	"{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}," \
	"\"a.weight\":{\"dtype\":\"BF16\",\"shape\":[3,1],\"data_offsets\":[4,10]}," \
	"\"a\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[10,18]}," \
	"\"__metadata__\":{\"format\":\"pt\"}}"
#define DATA_SIZE 18

typedef struct Buffer
{
	uint8_t bytes[4096];
	size_t size;
} Buffer;

static TestHost host;
static MgCtx cx;

/* A file of that header and data_size bytes. */
static MgSpan
make(Buffer *buffer, const char *header, size_t data_size)
{
	size_t length = strlen(header);

	memset(buffer, 0, sizeof *buffer);
	buffer->bytes[0] = (uint8_t) length;
	buffer->bytes[1] = (uint8_t) (length >> 8);
	memcpy(buffer->bytes + 8, header, length);
	buffer->size = 8 + length + data_size;
	return mg_span(buffer->bytes, buffer->size);
}

static bool
open_bytes(MgSpan bytes, MgTensors *tensors)
{
	static MemoryFile array[2];

	array[0] = (MemoryFile){"model.safetensors", bytes};
	mg_ctx_reset(&cx);
	return mg_tensors_open(&cx, &MEMORY_FILES(array), tensors);
}

static void
refused(const char *header, size_t data_size, MgCode code, const char *message)
{
	Buffer buffer;
	MgTensors tensors;

	ok(!open_bytes(make(&buffer, header, data_size), &tensors), "refused: %s", message);
	is_int(cx.error.code, code, "with its code");
	is_text(cx.error.message, message, "and these words");
}

static void
check_single(void)
{
	Buffer buffer;
	MgTensors tensors;

	if (!ok(open_bytes(make(&buffer, HEADER, DATA_SIZE), &tensors), "a file opens (%s)", cx.error.message))
		return;
	is_int(tensors.n, 3, "with three tensors, metadata aside");
	ok(mg_span_is(tensors.items[0].name, "a") && mg_span_is(tensors.items[1].name, "a.weight") &&
		   mg_span_is(tensors.items[2].name, "b"),
	   "in order of name, the shorter first");

	const MgTensor *tensor = mg_tensors_find(&tensors, mg_span_of("a.weight"));

	ok(tensor == &tensors.items[1], "one is found by name");
	ok(tensor->readable && tensor->dtype == MG_BF16 && tensor->rank == 2, "of a readable type");
	ok(tensor->shape[0] == 3 && tensor->shape[1] == 1, "of its shape");
	is_int(tensor->offset, 8 + strlen(HEADER) + 4, "at its place in the file");
	is_int(tensor->size, 6, "of its size");
	is_text(tensor->file->name, "model.safetensors", "in its file");
	ok(!tensors.items[0].readable && tensors.items[0].rank == 0, "another is not of a readable type");
	is_text(tensors.items[0].dtype_name, "I64", "which has a name");
	ok(mg_tensors_find(&tensors, mg_span_of("a.weigh")) == NULL && mg_tensors_find(&tensors, mg_span_of("")) == NULL &&
		   mg_tensors_find(&tensors, mg_span_of("c")) == NULL,
	   "a name that is not there is not found");
}

static void
check_edges(void)
{
	Buffer buffer;
	MgTensors tensors;

	ok(open_bytes(make(&buffer, "{}", 0), &tensors) && tensors.n == 0, "a file without tensors");
	ok(mg_tensors_find(&tensors, mg_span_of("a")) == NULL, "where nothing is found");
	ok(open_bytes(make(&buffer,
					   "{\"e\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[0,0]},"
					   "\"f\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}  ",
					   2),
				  &tensors),
	   "an empty tensor, and a header padded with spaces (%s)", cx.error.message);
	ok(open_bytes(make(&buffer, "{\"q\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,2]}}", 2), &tensors) &&
		   !tensors.items[0].readable,
	   "a type smaller than a byte");
}

static void
check_refused(void)
{
	refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 5, MG_BAD_FILE,
			"file \"model.safetensors\" ends before tensor data (67 of 70 bytes)");
	refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9, MG_BAD_FILE,
			"file \"model.safetensors\" has 1 bytes behind its tensors");
	refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, MG_BAD_FILE,
			"tensor \"a\" in file \"model.safetensors\" is preceded by a gap");
	refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
			"\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
			12, MG_BAD_FILE, "tensor \"b\" in file \"model.safetensors\" overlaps the one before it");
	refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, MG_BAD_FILE,
			"tensor \"a\" in file \"model.safetensors\" has a size that does not fit its shape");
	refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, MG_BAD_FILE,
			"tensor \"a\" in file \"model.safetensors\" has a shape beyond 64 bits");
	refused("{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", 1, MG_BAD_FILE,
			"tensor \"a\" in file \"model.safetensors\" does not end at a whole byte");
	refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, MG_BAD_FILE,
			"tensor \"a\" in file \"model.safetensors\" has a shape that is not of whole numbers");
	refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, MG_BAD_FILE,
			"tensor \"a\" in file \"model.safetensors\" has no valid data_offsets");
	refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, MG_BAD_FILE,
			"tensor \"a\" in file \"model.safetensors\" has no valid data_offsets");
	refused("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, MG_BAD_FILE,
			"tensor \"a\" in file \"model.safetensors\" has no shape");
	refused("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, MG_BAD_FILE,
			"tensor \"a\" in file \"model.safetensors\" has no dtype");
	refused("{\"a\":{\"dtype\":\"Q4_1\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, MG_UNSUPPORTED,
			"tensor \"a\" in file \"model.safetensors\" has an unknown dtype");
	refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[0,4]}}", 4, MG_UNSUPPORTED,
			"tensor \"a\" in file \"model.safetensors\" has too many dimensions");
	refused("{\"a\":[]}", 0, MG_BAD_FILE, "tensor \"a\" in file \"model.safetensors\" is not described by an object");
	refused("{\"__metadata__\":{\"a\":1}}", 0, MG_BAD_FILE,
			"\"__metadata__\" of file \"model.safetensors\" is not a map of strings");
	refused("[]", 0, MG_BAD_FILE, "the header of file \"model.safetensors\" is not an object");
	refused("{\"a\":", 0, MG_BAD_FILE, "file \"model.safetensors\" is not valid JSON");
}

static void
check_header_size(void)
{
	uint8_t bytes[12] = {3, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
	MgTensors tensors;

	ok(!open_bytes(mg_span(bytes, 7), &tensors), "a file of 7 bytes is refused");
	is_text(cx.error.message, "file \"model.safetensors\" ends before its header (7 of 8 bytes)", "with both numbers");
	ok(!open_bytes(mg_span(bytes, 10), &tensors), "a header beyond the end is refused");
	is_text(cx.error.message, "file \"model.safetensors\" ends within its header (10 of 11 bytes)",
			"with both numbers");
	memset(bytes, 0xFF, 8);
	ok(!open_bytes(mg_span(bytes, 10), &tensors), "a huge header is refused");
	is_int(cx.error.code, MG_TOO_LARGE, "as too large");
	is_text(cx.error.message, "file \"model.safetensors\" has a header of 18446744073709551615 bytes", "with its size");
	is_text(cx.error.detail, "The headers of a checkpoint's files may have 100000000 bytes together.", "and the limit");
}

/* Shards. */

#define INDEX_TEXT "{\"weight_map\":{\"a\":\"one\",\"c\":\"one\",\"b\":\"two\"}}"
#define SHARD_ONE \
	"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}," \
	"\"c\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[4,6]}}"
#define SHARD_TWO "{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"

static Buffer one, two;

static bool
open_shards(MgCtx *use, const char *index, const char *first, const char *second, MgTensors *tensors)
{
	static MemoryFile array[4];

	array[0] = (MemoryFile){INDEX, mg_span_of(index)};
	array[1] = (MemoryFile){"one", make(&one, first, 6)};
	array[2] = (MemoryFile){second != NULL ? "two" : NULL, second != NULL ? make(&two, second, 4) : mg_span("", 0)};
	return mg_tensors_open(use, &MEMORY_FILES(array), tensors);
}

static void
shards_refused(const char *index, const char *first, const char *second, const char *message)
{
	MgTensors tensors;

	mg_ctx_reset(&cx);
	ok(!open_shards(&cx, index, first, second, &tensors), "refused: %s", message);
	is_text(cx.error.message, message, "with these words");
}

static void
check_shards(void)
{
	MgTensors tensors;

	mg_ctx_reset(&cx);
	if (!ok(open_shards(&cx, INDEX_TEXT, SHARD_ONE, SHARD_TWO, &tensors), "shards open (%s)", cx.error.message))
		return;
	ok(tensors.n == 3 && mg_span_is(tensors.items[1].name, "b"), "as one list in order of name");
	is_text(tensors.items[1].file->name, "two", "each with its file");
	is_int(tensors.items[2].file->source.size, one.size, "and that file's source");

	shards_refused(INDEX_TEXT, SHARD_ONE, NULL, "file \"two\" is missing");
	shards_refused(INDEX_TEXT, SHARD_ONE, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
				   "tensor \"a\" is in both file \"one\" and file \"two\"");
	shards_refused("{\"weight_map\":{\"a\":\"one\",\"c\":\"two\",\"b\":\"two\"}}", SHARD_ONE, SHARD_TWO,
				   "tensor \"c\" is not in file \"two\"");
	shards_refused("{\"weight_map\":{\"a\":\"one\",\"c\":\"one\",\"x\":\"two\"}}", SHARD_ONE, SHARD_TWO,
				   "tensor \"x\" is not in file \"two\"");
	shards_refused("{\"weight_map\":{\"a\":\"one\"}}", SHARD_ONE, SHARD_TWO,
				   "file \"one\" has tensors that file \"" INDEX "\" does not name");
	shards_refused("{\"weight_map\":{\"a\":\"../one\"}}", SHARD_ONE, SHARD_TWO,
				   "file \"" INDEX "\" names a file outside of its directory");
	shards_refused("{\"weight_map\":{\"a\":\"/one\"}}", SHARD_ONE, SHARD_TWO,
				   "file \"" INDEX "\" names a file outside of its directory");
	shards_refused("{\"weight_map\":{\"a\":\"..\"}}", SHARD_ONE, SHARD_TWO,
				   "file \"" INDEX "\" names a file outside of its directory");
	shards_refused("{\"weight_map\":{\"a\":1}}", SHARD_ONE, SHARD_TWO,
				   "file \"" INDEX "\" names no file for tensor \"a\"");
	shards_refused("{\"weight_map\":{}}", SHARD_ONE, SHARD_TWO, "file \"" INDEX "\" has no \"weight_map\"");
	shards_refused("{}", SHARD_ONE, SHARD_TWO, "file \"" INDEX "\" has no \"weight_map\"");
	shards_refused("[]", SHARD_ONE, SHARD_TWO, "file \"" INDEX "\" has no \"weight_map\"");
}

static void
check_missing(void)
{
	MemoryFile array[2] = {{NULL, {NULL, 0}}};
	MgTensors tensors;

	mg_ctx_reset(&cx);
	ok(!mg_tensors_open(&cx, &MEMORY_FILES(array), &tensors), "an empty directory is refused");
	is_text(cx.error.message, "file \"model.safetensors\" is missing", "with the file's name");
	array[0].name = "tf_model.h5";
	mg_ctx_reset(&cx);
	ok(!mg_tensors_open(&cx, &MEMORY_FILES(array), &tensors), "tf_model.h5 is refused");
	is_int(cx.error.code, MG_UNSUPPORTED, "as unsupported");
	is_text(cx.error.message, "file \"tf_model.h5\" is not supported", "by its name");
	ok(strstr(cx.error.hint, "Convert") != NULL, "with a hint to convert it");
}

/* With each bit of each byte of the header flipped: an error with words, or tensors within the file. */
static void
check_flips(void)
{
	Buffer golden;
	size_t n_read = 0;
	long bad = 0;

	make(&golden, HEADER, DATA_SIZE);
	for (size_t at = 0; at < golden.size - DATA_SIZE; at++)
	{
		for (int bit = 0; bit < 8; bit++)
		{
			MgTensors tensors;

			golden.bytes[at] ^= (uint8_t) (1 << bit);
			if (open_bytes(mg_span(golden.bytes, golden.size), &tensors))
			{
				n_read++;
				for (size_t i = 0; i < tensors.n; i++)
					bad += tensors.items[i].offset > golden.size ||
						   tensors.items[i].size > golden.size - tensors.items[i].offset;
			}
			else
				bad += cx.error.code == MG_OK || cx.error.message[0] == '\0';
			golden.bytes[at] ^= (uint8_t) (1 << bit);
		}
	}
	ok(bad == 0, "each bit of the header flipped: an error, or tensors within the file");
	ok(n_read > 0, "some flips, of names, do no harm");
}

static bool
swept_single(MgCtx *use, void *user)
{
	static MemoryFile array[2];
	static Buffer buffer;
	MgTensors tensors;

	(void) user;
	array[0] = (MemoryFile){"model.safetensors", make(&buffer, HEADER, DATA_SIZE)};
	return mg_tensors_open(use, &MEMORY_FILES(array), &tensors) && tensors.n == 3;
}

static bool
swept_shards(MgCtx *use, void *user)
{
	MgTensors tensors;

	(void) user;
	return open_shards(use, INDEX_TEXT, SHARD_ONE, SHARD_TWO, &tensors) && tensors.n == 3;
}

/* What a clone without Git LFS has in the place of the weights. */
static void
check_pointer(void)
{
	static const char pointer[] = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 90868376\n";
	MgTensors tensors;

	ok(!open_bytes(mg_span(pointer, sizeof pointer - 1), &tensors), "a pointer of Git LFS is refused");
	is_text(cx.error.message, "file \"model.safetensors\" is a Git LFS pointer, not the file itself", "and called one");
}

int
main(void)
{
	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	check_single();
	check_edges();
	check_refused();
	check_header_size();
	check_shards();
	check_missing();
	check_flips();
	check_pointer();
	sweep("one file", swept_single, NULL, 1);
	sweep("shards", swept_shards, NULL, 1);
	mg_ctx_free(&cx);
	is_int(host.live, 0, "nothing is left");
	return done();
}
