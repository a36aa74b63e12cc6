/*
 * Files of torch.save: one that PyTorch made (test/golden/torch), cut and changed
 * everywhere; and archives made here, of pickles that say what they should not.
 */
#include <stdlib.h>

#include "format/torch_file.h"
#include "unit/host.h"
#include "unit/memory_files.h"

#define SMALL "test/golden/torch/small.bin"

/* An archive that grows. */
typedef struct Archive
{
	uint8_t bytes[4096], directory[1024];
	size_t n, n_directory, n_entries;
} Archive;

static void
put(uint8_t *to, size_t *n, const void *from, size_t size)
{
	memcpy(to + *n, from, size);
	*n += size;
}

static void
put_number(uint8_t *to, size_t *n, uint64_t number, size_t size)
{
	put(to, n, &number, size);
}

static void
add_entry(Archive *a, const char *name, const void *bytes, size_t size, int method)
{
	size_t at = a->n;

	for (int central = 0; central < 2; central++)
	{
		uint8_t *to = central ? a->directory : a->bytes;
		size_t *n = central ? &a->n_directory : &a->n;

		put_number(to, n, central ? 0x02014b50 : 0x04034b50, 4);
		put_number(to, n, 20, central ? 4 : 2);
		put_number(to, n, 0, 2);
		put_number(to, n, (uint64_t) method, 2);
		put_number(to, n, 0, 8);
		put_number(to, n, size, 4);
		put_number(to, n, size, 4);
		put_number(to, n, strlen(name), 2);
		put_number(to, n, 0, 2);
		if (central)
		{
			put_number(to, n, 0, 8);
			put_number(to, n, 0, 2);
			put_number(to, n, at, 4);
		}
		put(to, n, name, strlen(name));
		if (!central)
			put(to, n, bytes, size);
	}
	a->n_entries++;
}

static MgSpan
end_archive(Archive *a)
{
	size_t at = a->n;

	put(a->bytes, &a->n, a->directory, a->n_directory);
	put_number(a->bytes, &a->n, 0x06054b50, 4);
	put_number(a->bytes, &a->n, 0, 4);
	put_number(a->bytes, &a->n, a->n_entries, 2);
	put_number(a->bytes, &a->n, a->n_entries, 2);
	put_number(a->bytes, &a->n, a->n_directory, 4);
	put_number(a->bytes, &a->n, at, 4);
	put_number(a->bytes, &a->n, 0, 2);
	return mg_span(a->bytes, a->n);
}

static bool
read_bytes(MgCtx *cx, MgSpan bytes, MgTensors *tensors)
{
	MemoryFile files[] = {{"pytorch_model.bin", bytes}, {NULL, {NULL, 0}}};

	return mg_tensors_open(cx, &MEMORY_FILES(files), tensors);
}

/* Every tensor lies in the file: what is read there later is in bounds. */
static bool
all_inside(const MgTensors *tensors, size_t size)
{
	for (size_t i = 0; i < tensors->n; i++)
		if (tensors->items[i].offset > size || tensors->items[i].size > size - tensors->items[i].offset)
			return false;
	return true;
}

static void
test_small(MgSpan file)
{
	const MgTensor *a, *b, *view;
	MgTensors tensors;
	float number;
	MgCtx cx;
	TestHost test;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	if (!ok(read_bytes(&cx, file, &tensors), "a file of PyTorch's is read (%s)", cx.error.message))
		return;
	is_int(tensors.n, 5, "all its tensors");
	a = mg_tensors_find(&tensors, mg_span_of("a.weight"));
	b = mg_tensors_find(&tensors, mg_span_of("b"));
	view = mg_tensors_find(&tensors, mg_span_of("view"));
	ok(a != NULL && a->rank == 2 && a->shape[0] == 2 && a->shape[1] == 3 && a->dtype == MG_F32 && a->size == 24,
	   "a matrix of float32");
	memcpy(&number, file.data + a->offset + 16, sizeof number);
	ok(number == 4, "with its numbers");
	ok(b != NULL && b->rank == 1 && b->dtype == MG_F16 && b->size == 6, "a parameter of float16");
	ok(view != NULL && view->offset == a->offset + 12 && view->size == 12, "a view of another's storage");
	ok(!mg_tensors_find(&tensors, mg_span_of("c"))->readable, "integers are told apart");
	is_int(mg_tensors_find(&tensors, mg_span_of("scalar"))->rank, 0, "and a number alone");
	mg_ctx_free(&cx);
}

static bool
read_whole(MgCtx *cx, void *user)
{
	MgTensors tensors;

	return read_bytes(cx, *(const MgSpan *) user, &tensors);
}

static void
test_damage(MgSpan file)
{
	long refused = 0, lengths = 0, wild = 0, changed = 0;
	MgCtx cx;
	TestHost test;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	for (size_t size = 0; size < file.size; size++, lengths++)
	{
		uint8_t *copy = malloc(size > 0 ? size : 1);
		MgTensors tensors;

		memcpy(copy, file.data, size);
		mg_ctx_reset(&cx);
		refused += !read_bytes(&cx, mg_span(copy, size), &tensors);
		free(copy);
	}
	is_int(refused, lengths, "refused at every length");
	refused = 0;
	for (size_t i = 0; i < file.size; i++)
		for (int bit = 0; bit < 8; bit++, changed++)
		{
			uint8_t *byte = (uint8_t *) file.data + i;
			MgTensors tensors;

			*byte ^= (uint8_t) (1 << bit);
			mg_ctx_reset(&cx);
			if (!read_bytes(&cx, file, &tensors))
				refused++;
			else
				wild += !all_inside(&tensors, file.size);
			*byte ^= (uint8_t) (1 << bit);
		}
	is_int(wild, 0, "of %ld changed bits %ld are refused, and no tensor lies outside", changed, refused);
	mg_ctx_free(&cx);
}

#define OPEN "\x80\x02}(X\1\0\0\0w"
#define REBUILD "ctorch._utils\n_rebuild_tensor_v2\n"
#define STORAGE(type, key, n) "((X\7\0\0\0storagectorch\n" type "\nX\1\0\0\0" key "X\3\0\0\0cpuK" n "tQ"
#define SHUT "\x89}tRu."

/* With a pickle of its own, and two storages of 16 bytes. */
static void
check_pickle(const char *pickle, size_t size, const char *message, const char *what)
{
	static const float numbers[4] = {0, 1, 2, 3};
	Archive archive = {.n = 0};
	MgTensors tensors;
	MgCtx cx;
	TestHost test;
	bool fine;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	add_entry(&archive, "x/data.pkl", pickle, size, 0);
	add_entry(&archive, "x/data/0", numbers, sizeof numbers, 0);
	add_entry(&archive, "x/data/1", numbers, sizeof numbers, 8);
	fine = read_bytes(&cx, end_archive(&archive), &tensors);
	if (message == NULL)
		ok(fine && tensors.n == 1, "%s (%s)", what, cx.error.message);
	else
	{
		ok(!fine, "refused: %s", what);
		is_text(cx.error.message, message, "%s", message);
	}
	mg_ctx_free(&cx);
}

#define CHECK(pickle, message, what) check_pickle(pickle, sizeof(pickle) - 1, message, what)
#define NO_TENSORS "file \"pytorch_model.bin\" does not describe tensors"

static void
test_pickles(void)
{
	CHECK(OPEN REBUILD STORAGE("FloatStorage", "0", "\4") "K\0K\2K\2\x86K\2K\1\x86" SHUT, NULL, "a matrix");
	CHECK(OPEN REBUILD STORAGE("FloatStorage", "0", "\4") "K\1K\3\x85K\1\x85" SHUT, NULL, "a vector from its second number on");
	CHECK("\x80\2cos\nsystem\nX\4\0\0\0true\x85R.", "file \"pytorch_model.bin\" names os.system", "a command");
	CHECK("\x80\2cbuiltins\neval\nX\1\0\0\0" "1\x85R.", "file \"pytorch_model.bin\" names builtins.eval", "an expression");
	CHECK("\x80\4\x8c\2os\x8c\6system\x93.", "file \"pytorch_model.bin\" names os.system", "a command by the newer instruction");
	CHECK("\x80\2(i", "file \"pytorch_model.bin\" has the pickle instruction 0x69", "an instruction that makes an object");
	CHECK("\x80\2ctorch\nFloatStorage\n)R.", NO_TENSORS, "a type that is called");
	CHECK("\x80\2}}}R.", NO_TENSORS, "a dictionary that is called");
	CHECK("\x80\2K\1.", NO_TENSORS, "a number");
	CHECK("\x80\2}(X\1\0\0\0wK\1u.", "\"w\" in file \"pytorch_model.bin\" is no tensor", "a number in place of a tensor");
	CHECK("\x80\2}(K\1K\1u.", NO_TENSORS, "a number for a name");
	CHECK("\x80\2u.", NO_TENSORS, "items of nothing");
	CHECK("\x80\2(u.", NO_TENSORS, "items of a mark");
	CHECK("\x80\2((((ttttt.", NO_TENSORS, "more tuples than marks");
	CHECK("\x80\2h\0.", NO_TENSORS, "what was never remembered");
	CHECK("\x80\2}r\377\377\377\177.", NO_TENSORS, "a memo with a gap");
	CHECK("\x80\2}X\377\377\377\377" "a.", NO_TENSORS, "a text beyond the end");
	CHECK("\x80\2\x8a\377" "1.", NO_TENSORS, "an integer of 255 bytes");
	CHECK("\x80\1}.", NO_TENSORS, "an old protocol");
	CHECK("\x80\2}", NO_TENSORS, "no end");
	CHECK(OPEN REBUILD STORAGE("FloatStorage", "2", "\4") "K\0K\2K\2\x86K\2K\1\x86" SHUT,
		  "tensor \"w\" in file \"pytorch_model.bin\" refers to a storage that is missing", "no such storage");
	CHECK(OPEN REBUILD STORAGE("FloatStorage", "0", "\5") "K\0K\2K\2\x86K\2K\1\x86" SHUT,
		  "tensor \"w\" in file \"pytorch_model.bin\" refers to a storage of another size", "a storage that is too short");
	CHECK(OPEN REBUILD STORAGE("FloatStorage", "0", "\4") "K\1K\2K\2\x86K\2K\1\x86" SHUT,
		  "tensor \"w\" in file \"pytorch_model.bin\" reaches beyond its storage", "a tensor that is too long");
	CHECK(OPEN REBUILD STORAGE("FloatStorage", "0", "\4") "K\0(J\377\377\377\177J\377\377\377\177J\377\377\377\177t(K\1K\1K\1t" SHUT,
		  "tensor \"w\" in file \"pytorch_model.bin\" does not lie in memory row after row", "a shape beyond all bounds");
	CHECK(OPEN REBUILD STORAGE("FloatStorage", "0", "\4") "K\0K\2K\2\x86K\1K\2\x86" SHUT,
		  "tensor \"w\" in file \"pytorch_model.bin\" does not lie in memory row after row", "a transposed view");
	CHECK(OPEN REBUILD STORAGE("FloatStorage", "0", "\4") "K\0J\376\377\377\377\x85K\1\x85" SHUT, NO_TENSORS, "a negative side");
	CHECK(OPEN REBUILD STORAGE("FloatStorage", "0", "\4") "K\0(K\1K\1K\1K\1K\1t(K\1K\1K\1K\1K\1t" SHUT,
		  "file \"pytorch_model.bin\" has a tensor of 5 dimensions, at most 4 are read", "five dimensions");
	CHECK(OPEN REBUILD STORAGE("FloatStorage", "1", "\4") "K\0K\2K\2\x86K\2K\1\x86" SHUT,
		  "entry \"x/data/1\" of file \"pytorch_model.bin\" is compressed or encrypted", "a compressed storage");
}

static void
test_archives(void)
{
	static const struct
	{
		const char *names[3];
		const char *bytes;
		const char *message;
	} cases[] = {
		{{"x/other", NULL, NULL}, "", "file \"pytorch_model.bin\" has no entry \"data.pkl\""},
		{{"x/data.pkl", "y/data.pkl", NULL}, "", "file \"pytorch_model.bin\" has several entries \"data.pkl\""},
		{{"x/data.pkl", "x/data.pkl", NULL}, "", "file \"pytorch_model.bin\" is not a whole ZIP archive"},
		{{"x/data.pkl", "x/byteorder", NULL}, "bigger", "file \"pytorch_model.bin\" has another byte order than little-endian"},
	};
	MgTensors tensors;
	MgCtx cx;
	TestHost test;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		Archive archive = {.n = 0};

		for (size_t j = 0; j < 3 && cases[i].names[j] != NULL; j++)
			add_entry(&archive, cases[i].names[j], cases[i].bytes, strlen(cases[i].bytes), 0);
		mg_ctx_reset(&cx);
		ok(!read_bytes(&cx, end_archive(&archive), &tensors), "refused");
		is_text(cx.error.message, cases[i].message, "%s", cases[i].message);
	}
	mg_ctx_reset(&cx);
	ok(!read_bytes(&cx, mg_span_of("\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2M\xe9\3."), &tensors), "refused");
	is_text(cx.error.message, "file \"pytorch_model.bin\" has the form that PyTorch wrote before 1.6", "the old form, by its name");
	mg_ctx_free(&cx);
}

int
main(void)
{
	static uint8_t bytes[8192];
	FILE *small = fopen(SMALL, "rb");
	MgSpan file = mg_span(bytes, small != NULL ? fread(bytes, 1, sizeof bytes, small) : 0);

	test_small(file);
	test_damage(file);
	sweep("a file of PyTorch's", read_whole, &file, 1);
	test_pickles();
	test_archives();
	if (small != NULL)
		fclose(small);
	return done();
}
