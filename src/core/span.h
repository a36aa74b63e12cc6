/* A view of bytes that somebody else owns. Never NUL-terminated, never freed through the view. */
#ifndef MG_CORE_SPAN_H
#define MG_CORE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct MgSpan
{
	const uint8_t *data; /* may be NULL only when size is 0 */
	size_t size;		 /* bytes */
} MgSpan;

static inline MgSpan
mg_span(const void *data, size_t size)
{
	return (MgSpan){(const uint8_t *) data, size};
}

/* The span of a C string, without its terminator. */
static inline MgSpan
mg_span_of(const char *text)
{
	return mg_span(text, strlen(text));
}

static inline bool
mg_span_equal(MgSpan a, MgSpan b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Order of bytes; of two spans that begin alike the shorter comes first. */
static inline int
mg_span_compare(MgSpan a, MgSpan b)
{
	size_t shorter = a.size < b.size ? a.size : b.size;
	int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static inline bool
mg_span_is(MgSpan a, const char *text)
{
	return mg_span_equal(a, mg_span_of(text));
}

/* Bytes of a span that a message shows: spans come from outside, so at most 200, and no UTF-8 sequence is split. */
static inline int
mg_span_shown(MgSpan span)
{
	size_t size = span.size;

	if (size > 200)
	{
		size = 200;
		while (size > 0 && (span.data[size] & 0xC0) == 0x80)
			size--;
	}
	return (int) size;
}

/* For printf's "%.*s". */
#define MG_SPAN_ARGS(span) mg_span_shown(span), (const char *) ((span).size > 0 ? (span).data : (const uint8_t *) "")

#endif
