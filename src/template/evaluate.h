/* Evaluating expressions and running statements. */
#ifndef MG_TEMPLATE_EVALUATE_H
#define MG_TEMPLATE_EVALUATE_H

#include "template/calls.h"

/* NULL is no expression and gives undefined. */
bool mg_evaluate(MgRender *render, const MgNode *node, MgValue *value);

/* Arguments of a call, filter or test. */
bool mg_evaluate_arguments(MgRender *render, const MgNode *node, MgArguments *arguments);

/* Applies FILTER nodes, of which the innermost stands around an EMPTY, to a value. */
bool mg_evaluate_filters(MgRender *render, const MgNode *filters, MgValue *value);

/* The variable of a name in this scope or one around it; undefined, by that name, without one. */
bool mg_variable(MgRender *render, MgSpan name, MgValue *value);

/* operators.c */
bool mg_operate(MgRender *render, MgOp op, MgValue left, MgValue right, MgValue *value);
bool mg_compare(MgRender *render, MgOp op, MgValue left, MgValue right, bool *holds);
bool mg_negate(MgRender *render, MgValue of, MgValue *value);
bool mg_slice(MgRender *render, MgValue of, const MgValue bounds[3], MgValue *value); /* bounds: integers or none */

/* render.c: sets a name in the innermost scope; runs what a macro is. */
bool mg_set_variable(MgRender *render, MgSpan name, MgValue value);
bool mg_run_macro(MgRender *render, const MgMacro *macro, const MgArguments *arguments, MgValue *result);

#endif
