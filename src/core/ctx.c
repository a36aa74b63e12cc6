/*
 * The context's arena and error record.
 *
 * The arena is a list of blocks, oldest first. A piece comes from the current
 * block; when it does not fit, the next block that is large enough is used, or
 * a new one is put behind the current one. Rewinding moves the current block
 * back and frees nothing. A block's header fills its first MG_ALIGNMENT bytes
 * at most, and its start is aligned by hand, since hosts promise 16 bytes only.
 */
#include "core/ctx.h"

#include <stdio.h>

struct MgBlock
{
	MgBlock *next;
	void *memory;	/* what the host gave */
	size_t given;	/* its size */
	uint8_t *start; /* first aligned byte for pieces */
	size_t size;	/* bytes from start */
	size_t used;
};

/* Small first blocks keep a bound model's private memory low; doubling keeps the list short. */
#define FIRST_BLOCK ((size_t) 64 * 1024)
#define LARGEST_STEP ((size_t) 64 * 1024 * 1024)

void
mg_ctx_init(MgCtx *cx, const MgHost *host)
{
	memset(cx, 0, sizeof *cx);
	cx->host = host;
}

void
mg_ctx_reset(MgCtx *cx)
{
	cx->current = cx->first;
	if (cx->first != NULL)
		cx->first->used = 0;
	memset(&cx->error, 0, sizeof cx->error);
}

void
mg_ctx_trim(MgCtx *cx, size_t keep)
{
	MgBlock **link = &cx->first;
	size_t held = 0;

	mg_ctx_reset(cx);
	while (*link != NULL && held + (*link)->given <= keep)
	{
		held += (*link)->given;
		link = &(*link)->next;
	}
	while (*link != NULL)
	{
		MgBlock *block = *link;

		*link = block->next;
		cx->host->release(cx->host->user, block->memory, block->given);
	}
	cx->current = cx->first;
}

void
mg_ctx_free(MgCtx *cx)
{
	mg_ctx_trim(cx, 0);
}

size_t
mg_ctx_size(const MgCtx *cx)
{
	size_t held = 0;

	for (const MgBlock *block = cx->first; block != NULL; block = block->next)
		held += block->given;
	return held;
}

MgMark
mg_mark(const MgCtx *cx)
{
	return (MgMark){cx->current, cx->current != NULL ? cx->current->used : 0};
}

void
mg_rewind(MgCtx *cx, MgMark mark)
{
	cx->current = mark.block != NULL ? mark.block : cx->first;
	if (cx->current != NULL)
		cx->current->used = mark.used;
}

/* A block for at least size bytes behind the current one; NULL when the host refuses. */
static MgBlock *
add_block(MgCtx *cx, size_t size)
{
	size_t want = cx->current == NULL ? FIRST_BLOCK : cx->current->size;
	size_t given;
	void *memory;
	MgBlock *block;
	uintptr_t start;

	want = want < LARGEST_STEP / 2 ? want * 2 : LARGEST_STEP;
	if (want < size)
		want = size;
	if (__builtin_add_overflow(want, sizeof *block + 2 * MG_ALIGNMENT, &given))
		return NULL;
	memory = cx->host->alloc(cx->host->user, given);
	if (memory == NULL)
		return NULL;
	block = memory;
	start = ((uintptr_t) (block + 1) + MG_ALIGNMENT - 1) & ~(uintptr_t) (MG_ALIGNMENT - 1);
	block->memory = memory;
	block->given = given;
	block->start = (uint8_t *) start;
	block->size = given - (size_t) (block->start - (uint8_t *) memory);
	block->used = 0;
	if (cx->current == NULL)
	{
		block->next = NULL;
		cx->first = block;
	}
	else
	{
		block->next = cx->current->next;
		cx->current->next = block;
	}
	return block;
}

void *
mg_alloc(MgCtx *cx, size_t size)
{
	size_t rounded;
	MgBlock *block = cx->current;
	void *piece;

	if (__builtin_add_overflow(size, (size_t) MG_ALIGNMENT - 1, &rounded))
		goto refused;
	rounded &= ~(size_t) (MG_ALIGNMENT - 1);

	while (block != NULL && block->size - block->used < rounded)
	{
		block = block->next;
		if (block != NULL)
			block->used = 0;
	}
	if (block == NULL)
		block = add_block(cx, rounded);
	if (block == NULL)
		goto refused;
	cx->current = block;
	piece = block->start + block->used;
	block->used += rounded;
	return piece;

refused:
	mg_fail(cx, MG_NO_MEMORY, "out of memory");
	mg_detail(cx, "Failed on a request for %zu bytes.", size);
	return NULL;
}

void *
mg_alloc_array(MgCtx *cx, size_t n, size_t piece_size)
{
	size_t size;

	if (!mg_multiply(n, piece_size, &size))
		size = SIZE_MAX;
	return mg_alloc(cx, size);
}

void *
mg_alloc_zeroed(MgCtx *cx, size_t n, size_t piece_size)
{
	void *piece = mg_alloc_array(cx, n, piece_size);

	if (piece != NULL)
		memset(piece, 0, n * piece_size);
	return piece;
}

char *
mg_copy_text(MgCtx *cx, MgSpan text)
{
	char *copy = text.size == SIZE_MAX ? NULL : mg_alloc(cx, text.size + 1);

	if (copy == NULL)
		return NULL;
	if (text.size > 0)
		memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	return copy;
}

/* Formats into a fixed field and never splits a UTF-8 sequence at its end. */
__attribute__((format(printf, 2, 0))) static void
format_field(char field[MG_MESSAGE_SIZE], const char *format, va_list args)
{
	int length = vsnprintf(field, MG_MESSAGE_SIZE, format, args);
	size_t end;

	if (length < MG_MESSAGE_SIZE)
		return;
	end = MG_MESSAGE_SIZE - 1;
	while (end > 0 && ((uint8_t) field[end - 1] & 0xC0) == 0x80)
		end--;
	if (end > 0 && ((uint8_t) field[end - 1] & 0xC0) == 0xC0)
		end--;
	field[end] = '\0';
}

bool
mg_fail(MgCtx *cx, MgCode code, const char *format, ...)
{
	va_list args;

	if (cx->error.code != MG_OK)
		return false;
	cx->error.code = code;
	va_start(args, format);
	format_field(cx->error.message, format, args);
	va_end(args);
	return false;
}

bool
mg_detail(MgCtx *cx, const char *format, ...)
{
	va_list args;

	if (cx->error.detail[0] != '\0')
		return false;
	va_start(args, format);
	format_field(cx->error.detail, format, args);
	va_end(args);
	return false;
}

bool
mg_hint(MgCtx *cx, const char *format, ...)
{
	va_list args;

	if (cx->error.hint[0] != '\0')
		return false;
	va_start(args, format);
	format_field(cx->error.hint, format, args);
	va_end(args);
	return false;
}

bool
mg_poll(MgCtx *cx)
{
	if (cx->host->poll(cx->host->user))
		return true;
	return mg_fail(cx, MG_STOPPED, "stopped on request");
}

void
mg_note(MgCtx *cx, const char *format, ...)
{
	char text[MG_MESSAGE_SIZE];
	va_list args;

	va_start(args, format);
	format_field(text, format, args);
	va_end(args);
	cx->host->note(cx->host->user, text);
}
