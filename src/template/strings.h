/* What filters and methods do to strings; marks go along. Characters are code points, as in Python. */
#ifndef MG_TEMPLATE_STRINGS_H
#define MG_TEMPLATE_STRINGS_H

#include "template/value.h"

typedef enum MgCase
{
	MG_CASE_LOWER,
	MG_CASE_UPPER,
	MG_CASE_CAPITAL, /* the first character upper, the rest lower */
	MG_CASE_TITLE	 /* the same for each word */
} MgCase;

/* Without white space, or the characters of chars, at its ends. */
bool mg_string_strip(MgRender *render, const MgMarked *text, const MgMarked *chars, bool left, bool right, MgValue *value);

/* Refuses what has no upper case by the tables that there are: letters outside ASCII. */
bool mg_string_case(MgRender *render, const MgMarked *text, MgCase to, MgValue *value);

/* most < 0: all. */
bool mg_string_replace(MgRender *render, const MgMarked *text, const MgMarked *old, const MgMarked *new, int64_t most, MgValue *value);

/* A list; by NULL: white space. most < 0: all. */
bool mg_string_split(MgRender *render, const MgMarked *text, const MgMarked *by, int64_t most, bool from_right, MgValue *value);
bool mg_string_lines(MgRender *render, const MgMarked *text, bool keep_ends, MgValue *value);

/* The items, as strings, with text between them. */
bool mg_string_join(MgRender *render, const MgMarked *between, const MgList *items, bool strict, MgValue *value);

/* The offset of the first occurrence, or the last; SIZE_MAX without one. */
size_t mg_string_find(const MgMarked *text, const MgMarked *what, bool last);

#endif
