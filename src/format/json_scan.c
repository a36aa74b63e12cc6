/* Counting the members of arrays and objects by their brackets and commas. */
#include "format/json_scan.h"

void
mg_json_place(MgSpan text, size_t at, size_t *line, size_t *column)
{
	size_t start = 0;

	*line = 1;
	for (const uint8_t *newline; (newline = memchr(text.data + start, '\n', at - start)) != NULL; ++*line)
		start = (size_t) (newline - text.data) + 1;
	*column = at - start + 1;
}

static bool
open_value(MgCtx *cx, MgJsonScan *scan, bool is_object)
{
	if (scan->n_counts == scan->room)
	{
		size_t room = scan->room == 0 ? 64 : 2 * scan->room;
		uint32_t *counts = mg_alloc_array(cx, room, sizeof *counts);

		if (counts == NULL)
			return false;
		if (scan->n_counts > 0)
			memcpy(counts, scan->counts, scan->n_counts * sizeof *counts);
		scan->counts = counts;
		scan->room = room;
	}
	scan->open[scan->depth] = (uint32_t) scan->n_counts;
	scan->is_object[scan->depth] = is_object;
	scan->counts[scan->n_counts++] = 1;
	scan->n_values++;
	scan->n_keys += is_object;
	return true;
}

/* One byte outside of a string; false after an error, or when a limit is exceeded. */
static bool
scan_byte(MgCtx *cx, MgJsonScan *scan, uint8_t byte)
{
	switch (byte)
	{
		case '"':
			scan->in_string = true;
			return true;
		case '[':
		case '{':
			return ++scan->depth <= MG_JSON_MAX_DEPTH && open_value(cx, scan, byte == '{') &&
				scan->n_values <= MG_JSON_MAX_VALUES;
		case ']':
		case '}':
			scan->depth -= scan->depth > 0;
			return true;
		case ',':
			scan->n_values++;
			if (scan->depth > 0)
			{
				scan->counts[scan->open[scan->depth]]++;
				scan->n_keys += scan->is_object[scan->depth];
			}
			return scan->n_values <= MG_JSON_MAX_VALUES;
		default:
			return true;
	}
}

static bool
fail_limit(MgCtx *cx, const char *name, MgSpan text, size_t at, bool is_depth)
{
	size_t line, column;

	mg_json_place(text, at, &line, &column);
	mg_fail(cx, MG_TOO_LARGE, is_depth ? "file \"%s\" nests JSON values too deeply" : "file \"%s\" has too many JSON values",
			name);
	return mg_detail(cx, "At line %zu, column %zu it exceeds the limit of %d %s.", line, column,
					 is_depth ? MG_JSON_MAX_DEPTH : MG_JSON_MAX_VALUES, is_depth ? "levels" : "values");
}

bool
mg_json_scan(MgCtx *cx, const char *name, MgSpan text, MgJsonScan *scan)
{
	/* Each value but the first of all follows a bracket or a comma. */
	*scan = (MgJsonScan){.n_values = 1};
	for (size_t i = 0; i < text.size; i++)
	{
		uint8_t byte = text.data[i];

		if (i % MG_JSON_POLL_BYTES == 0 && !mg_poll(cx))
			return false;
		if (scan->in_string)
		{
			if (scan->escaped)
				scan->escaped = false;
			else if (byte == '\\')
				scan->escaped = true;
			else if (byte == '"')
				scan->in_string = false;
		}
		else if (!scan_byte(cx, scan, byte))
			return cx->error.code != MG_OK ? false : fail_limit(cx, name, text, i, scan->depth > MG_JSON_MAX_DEPTH);
	}
	return true;
}
