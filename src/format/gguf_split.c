/* Finding the parts of a GGUF file. */
#include "format/gguf_split.h"

#include <stdio.h>

/* What a part says of itself and of the others. */
typedef struct Split
{
	int64_t number, parts, tensors;
} Split;

void
mg_gguf_part_name(unsigned part, unsigned parts, char name[MG_GGUF_PART_SIZE])
{
	snprintf(name, MG_GGUF_PART_SIZE, MG_GGUF_PART_STEM "-%05u-of-%05u.gguf", (part + 1) % 100000, parts % 100000);
}

bool
mg_gguf_is_part(const char *name)
{
	static const char tail[] = MG_GGUF_PART_TAIL;
	size_t size = strlen(name);

	if (size < sizeof tail - 1)
		return false;
	name += size - (sizeof tail - 1);
	for (size_t i = 0; i < sizeof tail - 1; i++)
		if (tail[i] >= '0' && tail[i] <= '9' ? name[i] < '0' || name[i] > '9' : name[i] != tail[i])
			return false;
	return true;
}

static bool
read_split(MgCtx *cx, const MgGguf *gguf, Split *split)
{
	*split = (Split){0, 1, -1};
	if (!mg_gguf_integer(cx, gguf, "split.no", &split->number) || !mg_gguf_integer(cx, gguf, "split.count", &split->parts) ||
		!mg_gguf_integer(cx, gguf, "split.tensors.count", &split->tensors))
		return false;
	/* Writers put 0 for a file that is whole. */
	if (split->parts == 0)
		split->parts = 1;
	if (split->parts < 1 || split->number < 0 || split->number >= split->parts)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" says that it is part %lld of %lld, counted from 0", gguf->name, (long long) split->number,
					   (long long) split->parts);
	if (split->parts > MG_GGUF_MOST_PARTS)
	{
		mg_fail(cx, MG_TOO_LARGE, "file \"%s\" is one of %lld", gguf->name, (long long) split->parts);
		return mg_detail(cx, "At most %d parts are read.", MG_GGUF_MOST_PARTS);
	}
	return true;
}

/* Another part than the one that was named. */
static bool
read_part(MgCtx *cx, const MgFiles *files, const Split *wanted, MgGguf *part)
{
	char *name = mg_alloc(cx, MG_GGUF_PART_SIZE);
	MgSource source;
	Split split;
	bool found;

	if (name == NULL)
		return false;
	mg_gguf_part_name((unsigned) wanted->number, (unsigned) wanted->parts, name);
	if (!mg_files_open(cx, files, name, &source, &found))
		return false;
	if (!found)
	{
		mg_fail(cx, MG_BAD_FILE, "part %lld of %lld of the model does not exist", (long long) wanted->number + 1, (long long) wanted->parts);
		return mg_hint(cx, "The parts of a GGUF file lie in one directory and are called NAME%s and so on, as they were downloaded.", "-00001-of-00003.gguf");
	}
	if (!mg_gguf_read(cx, name, &source, part) || !read_split(cx, part, &split))
		return false;
	if (split.number == wanted->number && split.parts == wanted->parts && split.tensors == wanted->tensors)
		return true;
	mg_fail(cx, MG_BAD_FILE, "file \"%s\" is a part of something else", name);
	return mg_detail(cx, "It is part %lld of %lld, of %lld tensors; expected is part %lld of %lld, of %lld tensors.", (long long) split.number + 1,
					 (long long) split.parts, (long long) split.tensors, (long long) wanted->number + 1, (long long) wanted->parts,
					 (long long) wanted->tensors);
}

/* Appends tensors of a part to items, which has room for n. */
static bool
add_tensors(MgCtx *cx, const MgGguf *part, size_t n, MgTensor *items, size_t *at)
{
	if (part->tensors.n > n - *at)
		return mg_fail(cx, MG_BAD_FILE, "parts of file \"%s\" have more than the %zu tensors that they tell of", MG_GGUF_FILE, n);
	if (part->tensors.n > 0)
		memcpy(items + *at, part->tensors.items, part->tensors.n * sizeof *items);
	*at += part->tensors.n;
	return true;
}

/* All parts, of which *gguf is the one that split says. */
static bool
join(MgCtx *cx, const MgFiles *files, Split split, MgGguf *gguf)
{
	MgGguf named = *gguf;
	size_t n = (size_t) split.tensors, at = 0;
	MgTensor *items;

	if (split.tensors < 1 || split.tensors > MG_MAX_TENSORS)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" tells of %lld tensors in all of its parts", gguf->name, (long long) split.tensors);
	items = mg_alloc_array(cx, n, sizeof *items);
	if (items == NULL)
		return false;
	for (int64_t i = 0; i < split.parts; i++)
	{
		MgGguf part = named;
		Split wanted = {i, split.parts, split.tensors};

		if (!mg_poll(cx) || (i != split.number && !read_part(cx, files, &wanted, &part)) || !add_tensors(cx, &part, n, items, &at))
			return false;
		if (i == 0)
			*gguf = part;
	}
	if (at < n)
		return mg_fail(cx, MG_BAD_FILE, "parts of file \"%s\" have %zu of the %zu tensors that they tell of", MG_GGUF_FILE, at, n);
	return mg_tensors_sort(cx, items, n, &gguf->tensors);
}

bool
mg_gguf_open(MgCtx *cx, const MgFiles *files, MgGguf *gguf, bool *found)
{
	MgSource source;
	Split split;

	if (!mg_files_open(cx, files, MG_GGUF_FILE, &source, found))
		return false;
	if (!*found)
		return true;
	return mg_gguf_read(cx, MG_GGUF_FILE, &source, gguf) && read_split(cx, gguf, &split) && (split.parts == 1 || join(cx, files, split, gguf));
}
