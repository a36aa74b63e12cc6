/* Values as text in the two forms that templates have: Python's (mg_puts_value, mg_puts_repr of value.h) and JSON. */
#ifndef MG_TEMPLATE_PRINT_H
#define MG_TEMPLATE_PRINT_H

#include "template/value.h"

/* As Python's json.dumps() has them. */
typedef struct MgJsonForm
{
	int indent; /* -1: all in one line */
	bool ascii, sort_keys;
	const MgMarked *between, *behind_key; /* ", " and ": " */
} MgJsonForm;

bool mg_puts_json(MgRender *render, MgPuts *puts, MgValue value, const MgJsonForm *form);

#endif
