/* Files of reference values as a whole, and the bytes that stand in them as hexadecimal digits. */
#ifndef TEST_UNIT_WHOLE_FILE_H
#define TEST_UNIT_WHOLE_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/span.h"

/* The bytes of a file, which the caller frees; NULL: there is none. */
static char *
read_whole(const char *path, size_t *size)
{
	FILE *file = fopen(path, "r");
	char *text;

	if (file == NULL)
		return NULL;
	fseek(file, 0, SEEK_END);
	*size = (size_t) ftell(file);
	rewind(file);
	text = malloc(*size + 1);
	*size = fread(text, 1, *size, file);
	fclose(file);
	return text;
}

/* Bytes of hexadecimal digits; "-" is none. */
__attribute__((unused)) static MgSpan
unhex(const char *digits, uint8_t *into)
{
	size_t size = 0;
	unsigned byte;

	for (; *digits != '-' && sscanf(digits, "%2x", &byte) == 1; digits += 2)
		into[size++] = (uint8_t) byte;
	return mg_span(into, size);
}

#endif
