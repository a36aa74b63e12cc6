/*
 * What a template can call, by name. Arguments are evaluated; named ones come with their names.
 */
#ifndef MG_TEMPLATE_CALLS_H
#define MG_TEMPLATE_CALLS_H

#include "template/node.h"

#define MG_MAX_ARGUMENTS 8

typedef struct MgArguments
{
	size_t n; /* without names */
	MgValue values[MG_MAX_ARGUMENTS];
	size_t n_named;
	MgSpan names[MG_MAX_ARGUMENTS]; /* [n_named] */
	MgValue named[MG_MAX_ARGUMENTS];
} MgArguments;

/* The argument at a place (-1: none) or of a name, or NULL. */
const MgValue *mg_argument(const MgArguments *arguments, int place, const char *name);

/* The same as a kind of value; *value stays as it is when it is not there. False after an error: it is another kind. */
bool mg_argument_integer(MgRender *render, const MgArguments *arguments, int place, const char *name, int64_t *value);
bool mg_argument_text(MgRender *render, const MgArguments *arguments, int place, const char *name, const MgMarked **value);

/* filters.c: a filter's number, -1 when there is none; the filter applied. */
int mg_filter_find(MgSpan name);
bool mg_filter(MgRender *render, unsigned number, MgValue value, const MgArguments *arguments, MgValue *result);

/* tests.c */
int mg_test_find(MgSpan name);
bool mg_test(MgRender *render, unsigned number, MgValue value, const MgArguments *arguments, bool *passed);

/* methods.c: whether any kind of value has that method; whether this one has; the method called. */
bool mg_method_is_known(MgSpan name);
bool mg_method_of(MgValue value, MgSpan name);
bool mg_method(MgRender *render, MgValue value, MgSpan name, const MgArguments *arguments, MgValue *result);

/* functions.c: functions that are there without a definition */
bool mg_function_is_known(MgSpan name);
bool mg_function(MgRender *render, MgSpan name, const MgArguments *arguments, MgValue *result);

/* evaluate.c: a member or an item, as "." and "[]" of a value that is defined give it; undefined when there is none. */
bool mg_member(MgRender *render, MgValue of, MgSpan name, MgValue *value);
bool mg_item(MgRender *render, MgValue of, MgValue index, MgValue *value);

#endif
