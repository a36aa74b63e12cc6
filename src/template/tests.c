/* Tests: what stands behind "is". */
#include "template/evaluate.h"

typedef enum Test
{
	DEFINED,
	UNDEFINED,
	NONE,
	BOOLEAN,
	TRUE,
	FALSE,
	INTEGER,
	FLOAT,
	NUMBER,
	STRING,
	MAPPING,
	ITERABLE,
	SEQUENCE,
	CALLABLE,
	ODD,
	EVEN,
	DIVISIBLE,
	LOWER,
	UPPER,
	SAME,
	EQ,
	NE,
	LT,
	LE,
	GT,
	GE,
	IN
} Test;

static const struct
{
	const char *name;
	Test test;
} tests[] = {{"defined", DEFINED}, {"undefined", UNDEFINED}, {"none", NONE}, {"boolean", BOOLEAN}, {"true", TRUE}, {"false", FALSE},
			 {"integer", INTEGER}, {"float", FLOAT}, {"number", NUMBER}, {"string", STRING}, {"mapping", MAPPING}, {"iterable", ITERABLE},
			 {"sequence", SEQUENCE}, {"callable", CALLABLE}, {"odd", ODD}, {"even", EVEN}, {"divisibleby", DIVISIBLE}, {"lower", LOWER},
			 {"upper", UPPER}, {"sameas", SAME}, {"eq", EQ}, {"equalto", EQ}, {"==", EQ}, {"ne", NE}, {"!=", NE}, {"lt", LT}, {"lessthan", LT},
			 {"le", LE}, {"gt", GT}, {"greaterthan", GT}, {"ge", GE}, {"in", IN}};

int
mg_test_find(MgSpan name)
{
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		if (mg_span_is(name, tests[i].name))
			return (int) i;
	return -1;
}

/* Of a kind, or not. */
static bool
is_kind(Test test, MgValue value)
{
	switch (test)
	{
		case DEFINED:
			return value.kind != MG_VALUE_UNDEFINED;
		case UNDEFINED:
			return value.kind == MG_VALUE_UNDEFINED;
		case NONE:
			return value.kind == MG_VALUE_NONE;
		case BOOLEAN:
			return value.kind == MG_VALUE_BOOL;
		case TRUE:
			return value.kind == MG_VALUE_BOOL && value.truth;
		case FALSE:
			return value.kind == MG_VALUE_BOOL && !value.truth;
		case INTEGER:
			return value.kind == MG_VALUE_INTEGER;
		case FLOAT:
			return value.kind == MG_VALUE_REAL;
		case NUMBER:
			return value.kind == MG_VALUE_INTEGER || value.kind == MG_VALUE_REAL || value.kind == MG_VALUE_BOOL;
		case STRING:
			return value.kind == MG_VALUE_STRING;
		case MAPPING:
			return value.kind == MG_VALUE_DICT;
		case CALLABLE:
			return value.kind == MG_VALUE_MACRO || value.kind == MG_VALUE_METHOD;
		default:
			/* What is undefined has no items, and can be asked for them and their number. */
			return value.kind == MG_VALUE_STRING || mg_value_is_list(value) || value.kind == MG_VALUE_DICT || value.kind == MG_VALUE_UNDEFINED;
	}
}

/* Whether a string equals itself in a case, and has letters. */
static bool
has_case(Test test, const MgMarked *text)
{
	bool letters = false;

	for (size_t i = 0; i < text->size; i++)
	{
		bool small = text->bytes[i] >= 'a' && text->bytes[i] <= 'z', large = text->bytes[i] >= 'A' && text->bytes[i] <= 'Z';

		if (test == LOWER ? large : small)
			return false;
		letters = letters || small || large;
	}
	return letters;
}

static bool
test_number(MgRender *render, Test test, MgValue value, const MgArguments *arguments, bool *passed)
{
	int64_t by = 2;
	MgValue rest;
	MgArguments two = {.n = 1, .values = {test == DIVISIBLE && arguments->n > 0 ? arguments->values[0] : mg_value_integer(2)}};

	if (!mg_argument_integer(render, &two, 0, NULL, &by) || !mg_operate(render, MG_OP_MODULO, value, mg_value_integer(by), &rest))
		return false;
	*passed = mg_value_truth(rest) == (test == ODD);
	return true;
}

bool
mg_test(MgRender *render, unsigned number, MgValue value, const MgArguments *arguments, bool *passed)
{
	static const MgOp ops[] = {MG_OP_EQ, MG_OP_NE, MG_OP_LT, MG_OP_LE, MG_OP_GT, MG_OP_GE, MG_OP_IN};
	Test test = tests[number].test;
	MgValue other = arguments->n > 0 ? arguments->values[0] : MG_UNDEFINED_VALUE;

	if (test <= CALLABLE)
	{
		*passed = is_kind(test, value);
		return true;
	}
	if (test <= DIVISIBLE)
		return test_number(render, test, value, arguments, passed);
	if (test == LOWER || test == UPPER)
	{
		const MgMarked *text;

		if (!mg_value_text(render, value, &text))
			return false;
		*passed = has_case(test, text);
		return mg_render_step(render, text->size / 64);
	}
	if (arguments->n < 1)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template has test \"%s\" without a value", tests[number].name);
	if (test == SAME)
		return value.kind != other.kind ? (*passed = false, true) : mg_value_equal(render, value, other, passed);
	return mg_compare(render, ops[test - EQ], value, other, passed);
}
