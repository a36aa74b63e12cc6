/* Runs a pickle of tensors: a stack of values, a memo, and no calls. */
#include "format/pickle.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/reader.h"

typedef enum Kind
{
	VALUE_MARK,
	VALUE_OTHER, /* None, a float, a list: carried, not looked at */
	VALUE_INTEGER, /* and booleans */
	VALUE_TEXT,
	VALUE_TUPLE,
	VALUE_DICT,
	VALUE_NAME, /* of a function or type */
	VALUE_STORAGE,
	VALUE_TENSOR
} Kind;

typedef enum Name
{
	NAME_DICT,
	NAME_TENSOR,
	NAME_PARAMETER,
	NAME_STORAGE /* and above: types of storage */
} Name;

static const struct
{
	const char *module, *name;
	Name meaning;
	const char *dtype; /* of a storage */
} names[] = {
	{"collections", "OrderedDict", NAME_DICT, NULL},
	{"torch._utils", "_rebuild_tensor_v2", NAME_TENSOR, NULL},
	{"torch._utils", "_rebuild_parameter", NAME_PARAMETER, NULL},
	{"torch", "FloatStorage", NAME_STORAGE, "F32"},
	{"torch", "HalfStorage", NAME_STORAGE, "F16"},
	{"torch", "BFloat16Storage", NAME_STORAGE, "BF16"},
	{"torch", "DoubleStorage", NAME_STORAGE, "F64"},
	{"torch", "LongStorage", NAME_STORAGE, "I64"},
	{"torch", "IntStorage", NAME_STORAGE, "I32"},
	{"torch", "ShortStorage", NAME_STORAGE, "I16"},
	{"torch", "CharStorage", NAME_STORAGE, "I8"},
	{"torch", "ByteStorage", NAME_STORAGE, "U8"},
	{"torch", "BoolStorage", NAME_STORAGE, "BOOL"},
};

#define N_NAMES (sizeof names / sizeof *names)

typedef struct Dict Dict;

typedef struct Value
{
	Kind kind;
	uint32_t n; /* of a tuple */
	union
	{
		int64_t integer;
		MgSpan text;
		const struct Value *items; /* [n] of a tuple */
		Dict *dict;
		size_t name;			  /* of names[] */
		const MgPickled *pickled; /* a storage has dtype, key and length alone */
	};
} Value;

typedef struct Entry
{
	Value key, value;
	struct Entry *next;
} Entry;

struct Dict
{
	size_t n;
	Entry *first, **end;
};

typedef struct Machine
{
	MgCtx *cx;
	const char *file;
	MgReader reader;
	Value *stack, *memo; /* [room] */
	size_t n_stack, n_memo, room;
	uint8_t *piece; /* of memory, since values are small and many */
	size_t piece_left;
} Machine;

#define PIECE ((size_t) 64 * 1024)

static bool
broken(Machine *m, const char *what)
{
	mg_fail(m->cx, MG_BAD_FILE, "file \"%s\" does not describe tensors", m->file);
	return mg_detail(m->cx, "%s at byte %zu of its pickle.", what, m->reader.position);
}

static void *
take(Machine *m, size_t size)
{
	void *taken;

	size = size / 16 * 16 + 16;
	if (size > PIECE / 4)
		return mg_alloc(m->cx, size);
	if (size > m->piece_left)
	{
		m->piece = mg_alloc(m->cx, PIECE);
		if (m->piece == NULL)
			return NULL;
		m->piece_left = PIECE;
	}
	taken = m->piece;
	m->piece += size;
	m->piece_left -= size;
	return taken;
}

static bool
push(Machine *m, Value value)
{
	/* Each instruction pushes one value at most, so there is room. */
	m->stack[m->n_stack++] = value;
	return true;
}

static bool
push_integer(Machine *m, int64_t integer)
{
	return push(m, (Value){.kind = VALUE_INTEGER, .integer = integer});
}

static bool
push_other(Machine *m)
{
	return push(m, (Value){.kind = VALUE_OTHER});
}

/* The top of the stack, taken off; false when there is none, or a mark. */
static bool
pop(Machine *m, Value *value)
{
	if (m->n_stack == 0 || m->stack[m->n_stack - 1].kind == VALUE_MARK)
		return broken(m, "Its stack is too short");
	*value = m->stack[--m->n_stack];
	return true;
}

/* Where the values behind the topmost mark begin. */
static bool
find_mark(Machine *m, size_t *first)
{
	for (*first = m->n_stack; *first > 0; --*first)
		if (m->stack[*first - 1].kind == VALUE_MARK)
			return true;
	return broken(m, "It has no mark");
}

static bool
push_dict(Machine *m)
{
	Dict *dict = take(m, sizeof *dict);

	if (dict == NULL)
		return false;
	*dict = (Dict){0, NULL, &dict->first};
	return push(m, (Value){.kind = VALUE_DICT, .dict = dict});
}

/* The topmost n values as one tuple. */
static bool
push_tuple(Machine *m, size_t n)
{
	Value *items;

	if (n > m->n_stack)
		return broken(m, "Its stack is too short");
	items = take(m, n * sizeof *items);
	if (items == NULL)
		return false;
	m->n_stack -= n;
	for (size_t i = 0; i < n; i++)
	{
		items[i] = m->stack[m->n_stack + i];
		if (items[i].kind == VALUE_MARK)
			return broken(m, "Its stack is too short");
	}
	return push(m, (Value){.kind = VALUE_TUPLE, .n = (uint32_t) n, .items = items});
}

/* Values [first, n_stack) as keys and values of the dictionary below them; below is how far. */
static bool
set_items(Machine *m, size_t first, size_t below)
{
	Dict *dict;

	if ((m->n_stack - first) % 2 != 0 || first < below || m->stack[first - below].kind != VALUE_DICT)
		return broken(m, "It sets items of what is no dictionary");
	dict = m->stack[first - below].dict;
	for (size_t i = first; i < m->n_stack; i += 2)
	{
		Entry *entry = take(m, sizeof *entry);

		if (entry == NULL)
			return false;
		*entry = (Entry){m->stack[i], m->stack[i + 1], NULL};
		if (entry->key.kind == VALUE_MARK || entry->value.kind == VALUE_MARK)
			return broken(m, "Its stack is too short");
		*dict->end = entry;
		dict->end = &entry->next;
		dict->n++;
	}
	m->n_stack = first - below + 1;
	return true;
}

static bool
push_name(Machine *m, MgSpan module, MgSpan name)
{
	for (size_t i = 0; i < N_NAMES; i++)
		if (mg_span_is(module, names[i].module) && mg_span_is(name, names[i].name))
			return push(m, (Value){.kind = VALUE_NAME, .name = i});
	mg_fail(m->cx, MG_UNSUPPORTED, "file \"%s\" names %.*s.%.*s", m->file, MG_SPAN_ARGS(module), MG_SPAN_ARGS(name));
	mg_detail(m->cx, "Tensors are read from such a file, and nothing in it is run.");
	return mg_hint(m->cx, "Convert the checkpoint to safetensors, with save_pretrained of transformers for example.");
}

/* A line, without its end. */
static MgSpan
read_line(Machine *m)
{
	MgSpan rest = mg_span(m->reader.bytes.data + m->reader.position, mg_reader_left(&m->reader)), line;
	const uint8_t *end = rest.size > 0 ? memchr(rest.data, '\n', rest.size) : NULL;

	line = mg_read_span(&m->reader, end != NULL ? (size_t) (end - rest.data) : rest.size + 1);
	mg_read_u8(&m->reader);
	return line;
}

/* ('storage', type, key, location, number of elements) */
static bool
load_storage(Machine *m)
{
	Value id = {0};
	MgPickled *storage;

	if (!pop(m, &id))
		return false;
	if (id.kind != VALUE_TUPLE || id.n != 5 || id.items[0].kind != VALUE_TEXT ||
		!mg_span_is(id.items[0].text, "storage") || id.items[1].kind != VALUE_NAME ||
		names[id.items[1].name].meaning != NAME_STORAGE || id.items[2].kind != VALUE_TEXT ||
		id.items[4].kind != VALUE_INTEGER || id.items[4].integer < 0)
		return broken(m, "It refers to what is no storage");
	storage = take(m, sizeof *storage);
	if (storage == NULL)
		return false;
	*storage = (MgPickled){.storage = id.items[2].text,
						   .dtype_name = names[id.items[1].name].dtype,
						   .n_stored = (uint64_t) id.items[4].integer};
	return push(m, (Value){.kind = VALUE_STORAGE, .pickled = storage});
}

/* Sides of a shape, or strides. */
static bool
read_sides(Machine *m, const Value *tuple, size_t rank, uint64_t *sides)
{
	if (tuple->kind != VALUE_TUPLE || tuple->n != rank)
		return broken(m, "A tensor has no shape");
	for (size_t i = 0; i < rank; i++)
	{
		if (tuple->items[i].kind != VALUE_INTEGER || tuple->items[i].integer < 0)
			return broken(m, "A tensor has a side that is no whole number");
		sides[i] = (uint64_t) tuple->items[i].integer;
	}
	return true;
}

/* (storage, first, shape, stride, ...) */
static bool
build_tensor(Machine *m, const Value *args)
{
	MgPickled *tensor;

	if (args->n < 4 || args->items[0].kind != VALUE_STORAGE || args->items[1].kind != VALUE_INTEGER ||
		args->items[1].integer < 0 || args->items[2].kind != VALUE_TUPLE)
		return broken(m, "It builds a tensor of something else");
	if (args->items[2].n > MG_MAX_RANK)
		return mg_fail(m->cx, MG_UNSUPPORTED, "file \"%s\" has a tensor of %u dimensions, at most %d are read", m->file,
					   args->items[2].n, MG_MAX_RANK);
	tensor = take(m, sizeof *tensor);
	if (tensor == NULL)
		return false;
	*tensor = *args->items[0].pickled;
	tensor->first = (uint64_t) args->items[1].integer;
	tensor->rank = args->items[2].n;
	return read_sides(m, &args->items[2], tensor->rank, tensor->shape) &&
		read_sides(m, &args->items[3], tensor->rank, tensor->stride) &&
		push(m, (Value){.kind = VALUE_TENSOR, .pickled = tensor});
}

/* What a pickle calls, by hand. */
static bool
reduce(Machine *m)
{
	Value args = {0}, called = {0};

	if (!pop(m, &args) || !pop(m, &called))
		return false;
	if (called.kind != VALUE_NAME || args.kind != VALUE_TUPLE)
		return broken(m, "It calls what is no function");
	switch (names[called.name].meaning)
	{
		case NAME_DICT:
			return args.n == 0 ? push_dict(m) : broken(m, "It fills a dictionary as it makes it");
		case NAME_TENSOR:
			return build_tensor(m, &args);
		case NAME_PARAMETER:
			return args.n > 0 && args.items[0].kind == VALUE_TENSOR ? push(m, args.items[0])
																	: broken(m, "It makes a parameter of no tensor");
		default:
			return broken(m, "It calls a type of storage");
	}
}

/* An integer of n bytes, the last of which has the sign. */
static bool
push_long(Machine *m, size_t n)
{
	uint64_t bits;

	if (n > 8)
		return broken(m, "It has an integer of more than 8 bytes");
	bits = mg_read_unsigned(&m->reader, n);
	if (n > 0 && n < 8 && (bits >> (8 * n - 1)) != 0)
		bits |= UINT64_MAX << (8 * n);
	return push_integer(m, (int64_t) bits);
}

static bool
push_text(Machine *m, uint64_t size)
{
	MgSpan text = mg_read_span(&m->reader, size > MG_PICKLE_LIMIT ? SIZE_MAX : (size_t) size);

	return push(m, (Value){.kind = VALUE_TEXT, .text = text});
}

/* Numbers in the memo come one after another. */
static bool
remember(Machine *m, size_t number)
{
	if (m->n_stack == 0 || m->stack[m->n_stack - 1].kind == VALUE_MARK || number > m->n_memo)
		return broken(m, "It remembers out of order");
	m->memo[number] = m->stack[m->n_stack - 1];
	m->n_memo += number == m->n_memo;
	return true;
}

static bool
recall(Machine *m, size_t number)
{
	return number < m->n_memo ? push(m, m->memo[number]) : broken(m, "It recalls what it has not seen");
}

/* Takes the mark below the topmost value away. */
static bool
drop_mark(Machine *m)
{
	m->stack[m->n_stack - 2] = m->stack[m->n_stack - 1];
	m->n_stack--;
	return true;
}

static bool
drop_to(Machine *m, size_t n)
{
	m->n_stack = n;
	return true;
}

/* What takes values together. */
static bool
run_group(Machine *m, uint8_t code)
{
	Value value = {0}, other = {0};
	size_t first;

	switch (code)
	{
		case 't': /* TUPLE */
			return find_mark(m, &first) && push_tuple(m, m->n_stack - first) && drop_mark(m);
		case 0x85: /* TUPLE1, TUPLE2, TUPLE3 */
		case 0x86:
		case 0x87:
			return push_tuple(m, code - 0x84u);
		case 's': /* SETITEM */
			return m->n_stack >= 3 ? set_items(m, m->n_stack - 2, 1) : broken(m, "Its stack is too short");
		case 'u': /* SETITEMS */
			return find_mark(m, &first) && set_items(m, first, 2);
		case 'a': /* APPEND */
		case 'b': /* BUILD: what an object is told beyond its contents */
			if (!pop(m, &value) || !pop(m, &other))
				return false;
			return code == 'a' && other.kind != VALUE_OTHER ? broken(m, "It appends to what is no list") : push(m, other);
		case 'e': /* APPENDS */
			return find_mark(m, &first) && drop_to(m, first - 1) && pop(m, &other) &&
				(other.kind == VALUE_OTHER ? push(m, other) : broken(m, "It appends to what is no list"));
		case 'R': /* REDUCE */
			return reduce(m);
		case 'Q': /* BINPERSID */
			return load_storage(m);
		case 0x93: /* STACK_GLOBAL */
			if (!pop(m, &value) || !pop(m, &other))
				return false;
			return value.kind == VALUE_TEXT && other.kind == VALUE_TEXT ? push_name(m, other.text, value.text)
																		: broken(m, "It names what is no text");
		default:
			mg_fail(m->cx, MG_UNSUPPORTED, "file \"%s\" has the pickle instruction 0x%02x", m->file, code);
			return mg_detail(m->cx, "It stands at byte %zu; files that hold only tensors do not need it.",
							 m->reader.position - 1);
	}
}

/* What pushes a value of its own. */
static bool
run(Machine *m, uint8_t code)
{
	MgReader *r = &m->reader;
	MgSpan module;

	switch (code)
	{
		case '(': /* MARK */
			return push(m, (Value){.kind = VALUE_MARK});
		case 'N': /* NONE */
		case ']': /* EMPTY_LIST */
			return push_other(m);
		case 'G': /* BINFLOAT */
			mg_read_u64(r);
			return push_other(m);
		case 0x88: /* NEWTRUE, NEWFALSE */
		case 0x89:
			return push_integer(m, code == 0x88);
		case 'K': /* BININT1 */
			return push_integer(m, mg_read_u8(r));
		case 'M': /* BININT2 */
			return push_integer(m, (int64_t) mg_read_unsigned(r, 2));
		case 'J': /* BININT */
			return push_integer(m, (int32_t) mg_read_u32(r));
		case 0x8a: /* LONG1 */
			return push_long(m, mg_read_u8(r));
		case 'X': /* BINUNICODE */
			return push_text(m, mg_read_u32(r));
		case 0x8c: /* SHORT_BINUNICODE */
			return push_text(m, mg_read_u8(r));
		case '}': /* EMPTY_DICT */
			return push_dict(m);
		case ')': /* EMPTY_TUPLE */
			return push_tuple(m, 0);
		case 'c': /* GLOBAL */
			module = read_line(m);
			return push_name(m, module, read_line(m));
		case 'q': /* BINPUT */
			return remember(m, mg_read_u8(r));
		case 'r': /* LONG_BINPUT */
			return remember(m, mg_read_u32(r));
		case 0x94: /* MEMOIZE */
			return remember(m, m->n_memo);
		case 'h': /* BINGET */
			return recall(m, mg_read_u8(r));
		case 'j': /* LONG_BINGET */
			return recall(m, mg_read_u32(r));
		case 0x95: /* FRAME */
			mg_read_u64(r);
			return true;
		default:
			return run_group(m, code);
	}
}

/* The dictionary that is left, as a list of tensors. */
static bool
list_tensors(Machine *m, MgPickled **items, size_t *n)
{
	Value top = {0};

	if (!pop(m, &top))
		return false;
	if (m->n_stack > 0 || top.kind != VALUE_DICT)
		return broken(m, "It ends without a dictionary");
	if (top.dict->n > MG_MAX_TENSORS)
	{
		mg_fail(m->cx, MG_TOO_LARGE, "file \"%s\" has too many tensors", m->file);
		return mg_detail(m->cx, "It has %zu; at most %d are supported.", top.dict->n, MG_MAX_TENSORS);
	}
	*items = mg_alloc_array(m->cx, top.dict->n, sizeof **items);
	*n = 0;
	if (*items == NULL)
		return false;
	for (const Entry *entry = top.dict->first; entry != NULL; entry = entry->next)
	{
		if (entry->key.kind != VALUE_TEXT)
			return broken(m, "It has a tensor without a name");
		if (entry->value.kind != VALUE_TENSOR)
		{
			mg_fail(m->cx, MG_UNSUPPORTED, "\"%.*s\" in file \"%s\" is no tensor", MG_SPAN_ARGS(entry->key.text), m->file);
			return mg_hint(m->cx, "Files that hold a model's state_dict alone are read.");
		}
		(*items)[*n] = *entry->value.pickled;
		(*items)[(*n)++].name = entry->key.text;
	}
	return true;
}

bool
mg_pickle_read(MgCtx *cx, const char *file, MgSpan bytes, MgPickled **items, size_t *n)
{
	Machine m = {.cx = cx, .file = file, .reader = mg_reader(bytes), .room = bytes.size + 1};

	if (bytes.size > MG_PICKLE_LIMIT)
	{
		mg_fail(cx, MG_TOO_LARGE, "file \"%s\" has a pickle of %zu bytes", file, bytes.size);
		return mg_detail(cx, "At most %zu are read.", MG_PICKLE_LIMIT);
	}
	m.stack = mg_alloc_array(cx, m.room, sizeof *m.stack);
	m.memo = mg_alloc_array(cx, m.room, sizeof *m.memo);
	if (m.stack == NULL || m.memo == NULL)
		return false;
	if (mg_read_u8(&m.reader) != 0x80 || mg_read_u8(&m.reader) < 2 || bytes.data[1] > 5)
		return broken(&m, "It does not begin with a protocol from 2 to 5");
	for (size_t step = 0;; step++)
	{
		uint8_t code = mg_read_u8(&m.reader);

		if (step % 1024 == 0 && !mg_poll(cx))
			return false;
		if (m.reader.failed)
			return broken(&m, "It ends too early");
		if (code == '.') /* STOP */
			return list_tensors(&m, items, n);
		if (!run(&m, code))
			return false;
	}
}
