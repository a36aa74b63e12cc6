/* A GGUF file in parts: whichever is named, all are read; and what parts say that does not fit is refused by name. */
#include "format/gguf_split.h"

#include "cli/host.h"
#include "unit/format/gguf_file.h"
#include "unit/memory_files.h"
#include "unit/tap.h"

/* Part i of three, with a tensor of its own, and a value in the first. */
static void
make_part(GgufFile *file, uint32_t number, uint32_t parts, uint32_t tensors, const char *tensor)
{
	gguf_begin(file);
	gguf_put_integer(file, "split.no", number);
	gguf_put_integer(file, "split.count", parts);
	gguf_put_integer(file, "split.tensors.count", tensors);
	if (number == 0)
		gguf_put_integer(file, "llama.block_count", 7);
	if (tensor != NULL)
		gguf_put_tensor(file, tensor, 8, 4, 0, 128);
	gguf_end(file);
}

static const char *const tensor_of[] = {"b", "a", "c"};

typedef struct Parts
{
	GgufFile files[3];
	MemoryFile listed[5];
	char names[3][MG_GGUF_PART_SIZE];
} Parts;

/* Tensors b, a and c; the part that is named is the one of that number. */
static void
make_parts(Parts *parts, unsigned named)
{
	memset(parts, 0, sizeof *parts);
	for (unsigned i = 0; i < 3; i++)
	{
		make_part(&parts->files[i], i, 3, 3, tensor_of[i]);
		mg_gguf_part_name(i, 3, parts->names[i]);
		parts->listed[i] = (MemoryFile){parts->names[i], mg_span(parts->files[i].bytes, parts->files[i].n)};
	}
	parts->listed[3] = (MemoryFile){MG_GGUF_FILE, parts->listed[named].bytes};
}

static bool
open_parts(MgCtx *cx, Parts *parts, MgGguf *gguf)
{
	bool found = false;

	mg_ctx_reset(cx);
	return mg_gguf_open(cx, &MEMORY_FILES(parts->listed), gguf, &found) && found;
}

static void
check_named(MgCtx *cx, unsigned named)
{
	Parts parts;
	MgGguf gguf;
	int64_t blocks = 0;
	bool fine;

	make_parts(&parts, named);
	fine = open_parts(cx, &parts, &gguf);
	ok(fine && gguf.tensors.n == 3 && mg_gguf_integer(cx, &gguf, "llama.block_count", &blocks) && blocks == 7, "part %u: all are found: %s",
	   named, cx->error.message);
	for (unsigned i = 0; fine && i < 3; i++)
	{
		const MgTensor *tensor = mg_tensors_find(&gguf.tensors, mg_span_of(tensor_of[i]));

		fine = tensor != NULL && strcmp(tensor->file->name, i == named ? MG_GGUF_FILE : parts.names[i]) == 0 &&
			tensor->offset + tensor->size <= tensor->file->source.size;
	}
	ok(fine, "each tensor is in its own file");
}

/* One part in the place of another, and the error that it must be. */
static void
check_bad(MgCtx *cx, const char *what, unsigned place, const GgufFile *file, const char *part)
{
	Parts parts;
	MgGguf gguf;

	make_parts(&parts, 0);
	parts.files[place] = *file;
	parts.listed[place].bytes = mg_span(parts.files[place].bytes, parts.files[place].n);
	if (place == 0)
		parts.listed[3].bytes = parts.listed[0].bytes;
	ok(!open_parts(cx, &parts, &gguf) && strstr(cx->error.message, part) != NULL, "%s: %s", what, cx->error.message);
}

static void
check_errors(MgCtx *cx)
{
	static const struct
	{
		const char *what;
		unsigned place;
		uint32_t number, parts, tensors;
		const char *tensor, *error;
	} bad[] = {
		{"a number beyond the last", 0, 3, 3, 3, "b", "part 3 of 3"},
		{"a number that wraps", 0, UINT32_MAX, 3, 3, "b", "part 4294967295 of 3"},
		{"too many parts", 0, 0, 513, 3, "b", "one of 513"},
		{"more parts than there are", 0, 0, 4, 3, "b", "part 2 of 4 of the model does not exist"},
		{"no tensors", 0, 0, 3, 0, NULL, "0 tensors"},
		{"too many tensors", 0, 0, 3, MG_MAX_TENSORS + 1, "b", "65537 tensors"},
		{"a tensor too few", 0, 0, 3, 3, NULL, "2 of the 3 tensors"},
		{"a tensor that another has", 2, 2, 3, 3, "a", "is in both"},
		{"another number", 2, 1, 3, 3, "c", "a part of something else"},
		{"another count", 2, 2, 4, 3, "c", "a part of something else"},
		{"other tensors", 2, 2, 3, 4, "c", "a part of something else"},
		{"a whole file among parts", 2, 0, 0, 3, "c", "a part of something else"},
	};
	GgufFile file;
	Parts parts;
	MgGguf gguf;
	bool found;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
	{
		make_part(&file, bad[i].number, bad[i].parts, bad[i].tensors, bad[i].tensor);
		check_bad(cx, bad[i].what, bad[i].place, &file, bad[i].error);
	}
	gguf_begin(&file);
	gguf_put_key(&file, "split.count", MG_GGUF_STRING);
	gguf_put_text(&file, "three");
	gguf_end(&file);
	check_bad(cx, "a count of another type", 0, &file, "not an integer");
	gguf_begin(&file);
	gguf_put_integer(&file, "split.no", 1);
	gguf_put_integer(&file, "split.count", 3);
	gguf_put_integer(&file, "split.tensors.count", 3);
	gguf_put_tensor(&file, "a", 8, 4, 0, 128);
	gguf_put_tensor(&file, "d", 8, 4, 0, 128);
	gguf_end(&file);
	check_bad(cx, "a tensor too many", 1, &file, "more than the 3 tensors");
	make_parts(&parts, 0);
	parts.listed[3] = (MemoryFile){NULL, {NULL, 0}};
	mg_ctx_reset(cx);
	ok(mg_gguf_open(cx, &MEMORY_FILES(parts.listed), &gguf, &found) && !found, "parts without the file that is named are none");
	make_part(&parts.files[0], 0, 0, 1, "b");
	parts.listed[0] = (MemoryFile){MG_GGUF_FILE, mg_span(parts.files[0].bytes, parts.files[0].n)};
	ok(open_parts(cx, &parts, &gguf) && gguf.tensors.n == 1, "a file of no parts is whole");
}

/* Each bit of each head changed, and each part cut: an error, or tensors within their files. */
static void
check_damage(MgCtx *cx)
{
	Parts parts;
	MgGguf gguf;
	bool fine = true;

	make_parts(&parts, 1);
	for (unsigned p = 0; p < 3; p++)
		for (size_t i = 0; i < 8 * (parts.files[p].n - (size_t) parts.files[p].data); i++)
		{
			parts.files[p].bytes[i / 8] ^= (uint8_t) (1 << i % 8);
			if (open_parts(cx, &parts, &gguf))
				for (size_t t = 0; t < gguf.tensors.n; t++)
				{
					const MgTensor *tensor = &gguf.tensors.items[t];

					fine = fine && tensor->offset <= tensor->file->source.size && tensor->size <= tensor->file->source.size - tensor->offset;
				}
			else
				fine = fine && cx->error.code != MG_OK;
			parts.files[p].bytes[i / 8] ^= (uint8_t) (1 << i % 8);
		}
	for (size_t n = 0; n < parts.files[2].n; n++)
	{
		parts.listed[2].bytes.size = n;
		fine = !open_parts(cx, &parts, &gguf) && fine;
	}
	ok(fine, "each bit of the heads changed, and each beginning of a part");
}

int
main(void)
{
	static const char *const names[] = {"m-00001-of-00002.gguf", "-99999-of-12345.gguf"};
	static const char *const others[] = {"00001-of-00002.gguf", "m-0001-of-00002.gguf", "m-00001-of-00002.ggu", "m-0000x-of-00002.gguf", ""};
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	for (size_t i = 0; i < 2; i++)
		ok(mg_gguf_is_part(names[i]), "\"%s\" is a part's name", names[i]);
	for (size_t i = 0; i < 5; i++)
		ok(!mg_gguf_is_part(others[i]), "\"%s\" is none", others[i]);
	for (unsigned named = 0; named < 3; named++)
		check_named(&cx, named);
	check_errors(&cx);
	check_damage(&cx);
	mg_ctx_free(&cx);
	return done();
}
