/* Operators of two sides, signs and slices, as Python has them. */
#include <math.h>

#include "template/evaluate.h"
#include "text/utf8.h"

static bool
is_integer(MgValue value)
{
	return value.kind == MG_VALUE_INTEGER || value.kind == MG_VALUE_BOOL;
}

static bool
is_number(MgValue value)
{
	return is_integer(value) || value.kind == MG_VALUE_REAL;
}

static int64_t
integer_of(MgValue value)
{
	return value.kind == MG_VALUE_BOOL ? value.truth : value.integer;
}

static double
real_of(MgValue value)
{
	return value.kind == MG_VALUE_REAL ? value.real : (double) integer_of(value);
}

static bool
fail_operands(MgRender *render, MgOp op, MgValue left, MgValue right)
{
	static const char *const names[] = {"+", "-", "*", "/", "//", "%", "**", "~"};

	if (left.kind == MG_VALUE_UNDEFINED || right.kind == MG_VALUE_UNDEFINED)
	{
		const MgMarked *name = left.kind == MG_VALUE_UNDEFINED ? left.text : right.text;

		if (name != NULL)
			return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template uses \"%.*s\", which is undefined", MG_SPAN_ARGS(mg_marked_span(name)));
	}
	return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template computes %s %s %s", mg_value_kind(left), names[op], mg_value_kind(right));
}

static bool
operate_integers(MgRender *render, MgOp op, int64_t a, int64_t b, MgValue *value)
{
	int64_t result = 0;
	bool overflow = false;

	switch (op)
	{
		case MG_OP_ADD:
			overflow = __builtin_add_overflow(a, b, &result);
			break;
		case MG_OP_SUBTRACT:
			overflow = __builtin_sub_overflow(a, b, &result);
			break;
		case MG_OP_MULTIPLY:
			overflow = __builtin_mul_overflow(a, b, &result);
			break;
		case MG_OP_POWER:
			result = 1;
			for (int64_t i = 0; i < b && !overflow && i < 64; i++)
				overflow = __builtin_mul_overflow(result, a, &result);
			overflow = overflow || (b > 64 && a != 0 && a != 1);
			break;
		default:
			overflow = a == INT64_MIN && b == -1;
			if (overflow)
				break;
			result = a / b;
			if (a % b != 0 && (a < 0) != (b < 0))
				result--;
			if (op == MG_OP_MODULO)
				result = a - result * b;
	}
	if (overflow)
		return mg_render_fail(render, MG_TOO_LARGE, "chat template computes an integer of more than 64 bits");
	*value = mg_value_integer(result);
	return true;
}

static bool
operate_numbers(MgRender *render, MgOp op, MgValue left, MgValue right, MgValue *value)
{
	double a = real_of(left), b = real_of(right), result;

	if (b == 0 && (op == MG_OP_DIVIDE || op == MG_OP_FLOOR || op == MG_OP_MODULO))
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template divides by zero");
	if (is_integer(left) && is_integer(right) && op != MG_OP_DIVIDE && !(op == MG_OP_POWER && b < 0))
		return operate_integers(render, op, integer_of(left), integer_of(right), value);
	switch (op)
	{
		case MG_OP_ADD:
			result = a + b;
			break;
		case MG_OP_SUBTRACT:
			result = a - b;
			break;
		case MG_OP_MULTIPLY:
			result = a * b;
			break;
		case MG_OP_DIVIDE:
			result = a / b;
			break;
		case MG_OP_FLOOR:
			result = floor(a / b);
			break;
		case MG_OP_MODULO:
			result = fmod(a, b);
			if (result != 0 && (result < 0) != (b < 0))
				result += b;
			break;
		default:
			result = pow(a, b);
	}
	*value = (MgValue){.kind = MG_VALUE_REAL, .real = result};
	return true;
}

static bool
join(MgRender *render, const MgMarked *left, const MgMarked *right, MgValue *value)
{
	MgPuts puts = {0};

	return mg_puts(render, &puts, *left) && mg_puts(render, &puts, *right) && mg_puts_end(render, &puts, value);
}

static bool
put_html(MgRender *render, MgPuts *puts, const MgMarked *text)
{
	static const char from[] = "&<>'\"", *const to[] = {"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"};
	size_t done = 0;

	for (size_t i = 0; i < text->size; i++)
	{
		const char *found = text->bytes[i] != 0 ? strchr(from, text->bytes[i]) : NULL;

		if (found == NULL)
			continue;
		if (!mg_puts(render, puts, mg_marked_slice(text, done, i)) || !mg_puts_text(render, puts, to[found - from]))
			return false;
		done = i + 1;
	}
	return mg_puts(render, puts, mg_marked_slice(text, done, text->size));
}

/* What is added to a string that filter "safe" gave becomes HTML, and safe as well. */
static bool
add_strings(MgRender *render, const MgMarked *left, const MgMarked *right, MgValue *value)
{
	MgPuts puts = {0};
	MgMarked sum;

	if (left->safe == right->safe && !left->safe)
		return join(render, left, right, value);
	if ((left->safe ? !mg_puts(render, &puts, *left) : !put_html(render, &puts, left)) ||
		(right->safe ? !mg_puts(render, &puts, *right) : !put_html(render, &puts, right)))
		return false;
	sum = (MgMarked){puts.bytes, puts.marks, puts.size, false, true};
	return mg_value_string(render, sum, value);
}

static bool
join_lists(MgRender *render, MgValue left, MgValue right, MgValue *value)
{
	MgValue list;

	if (!mg_render_step(render, 1 + (left.list->n + right.list->n) / 8) || !mg_value_list(render, left.list->n + right.list->n, &list))
		return false;
	for (size_t i = 0; i < left.list->n; i++)
		list.list->items[list.list->n++] = left.list->items[i];
	for (size_t i = 0; i < right.list->n; i++)
		list.list->items[list.list->n++] = right.list->items[i];
	list.kind = left.kind;
	*value = list;
	return true;
}

static bool
repeat(MgRender *render, MgValue of, int64_t n, MgValue *value)
{
	MgPuts puts = {0};
	MgValue list;

	if (of.kind == MG_VALUE_STRING)
	{
		for (int64_t i = 0; i < n; i++)
			if (!mg_puts(render, &puts, *of.text))
				return false;
		return mg_puts_end(render, &puts, value);
	}
	if (!mg_value_list(render, 0, &list))
		return false;
	for (int64_t i = 0; i < n; i++)
		if (!mg_render_step(render, 1) || !join_lists(render, list, of, &list))
			return false;
	list.kind = of.kind;
	*value = list;
	return true;
}

bool
mg_operate(MgRender *render, MgOp op, MgValue left, MgValue right, MgValue *value)
{
	const MgMarked *a, *b;

	if (op == MG_OP_JOIN)
		return mg_value_text(render, left, &a) && mg_value_text(render, right, &b) && join(render, a, b, value);
	if (is_number(left) && is_number(right))
		return operate_numbers(render, op, left, right, value);
	if (op == MG_OP_ADD && left.kind == MG_VALUE_STRING && right.kind == MG_VALUE_STRING)
		return add_strings(render, left.text, right.text, value);
	if (op == MG_OP_ADD && mg_value_is_list(left) && left.kind == right.kind)
		return join_lists(render, left, right, value);
	if (op == MG_OP_MULTIPLY && is_integer(right) && (left.kind == MG_VALUE_STRING || mg_value_is_list(left)))
		return repeat(render, left, integer_of(right), value);
	if (op == MG_OP_MULTIPLY && is_integer(left) && (right.kind == MG_VALUE_STRING || mg_value_is_list(right)))
		return repeat(render, right, integer_of(left), value);
	if (op == MG_OP_MODULO && left.kind == MG_VALUE_STRING)
		return mg_render_fail(render, MG_UNSUPPORTED, "chat template formats a string by %%, which is not supported");
	return fail_operands(render, op, left, right);
}

bool
mg_compare(MgRender *render, MgOp op, MgValue left, MgValue right, bool *holds)
{
	int order;

	if (op == MG_OP_EQ || op == MG_OP_NE)
	{
		if (!mg_value_equal(render, left, right, holds))
			return false;
		*holds = *holds == (op == MG_OP_EQ);
		return true;
	}
	if (op == MG_OP_IN || op == MG_OP_NOT_IN)
	{
		if (!mg_value_contains(render, right, left, holds))
			return false;
		*holds = *holds == (op == MG_OP_IN);
		return true;
	}
	if (!mg_value_compare(render, left, right, &order))
		return false;
	*holds = op == MG_OP_LT ? order < 0 : op == MG_OP_LE ? order <= 0 : op == MG_OP_GT ? order > 0 : order >= 0;
	return true;
}

bool
mg_negate(MgRender *render, MgValue of, MgValue *value)
{
	if (!is_number(of))
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template computes - %s", mg_value_kind(of));
	if (of.kind == MG_VALUE_REAL)
		*value = (MgValue){.kind = MG_VALUE_REAL, .real = -of.real};
	else
		return operate_integers(render, MG_OP_SUBTRACT, 0, integer_of(of), value);
	return true;
}

/* Start, stop and step within n items, by Python's rules. */
static bool
settle_bounds(MgRender *render, const MgValue bounds[3], int64_t n, int64_t settled[3])
{
	for (int i = 0; i < 3; i++)
		if (bounds[i].kind != MG_VALUE_NONE && !is_integer(bounds[i]))
			return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template slices by %s", mg_value_kind(bounds[i]));
	settled[2] = bounds[2].kind == MG_VALUE_NONE ? 1 : integer_of(bounds[2]);
	if (settled[2] == 0)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template slices by steps of 0");
	for (int i = 0; i < 2; i++)
	{
		int64_t least = settled[2] > 0 ? 0 : -1, most = settled[2] > 0 ? n : n - 1;
		int64_t bound;

		if (bounds[i].kind == MG_VALUE_NONE)
			settled[i] = (i == 0) == (settled[2] > 0) ? least : most;
		else
		{
			bound = integer_of(bounds[i]);
			bound = bound < 0 ? bound + n : bound;
			settled[i] = bound < least ? least : bound > most ? most : bound;
		}
	}
	return true;
}

/* The offset of each character of a text and, behind them, its size. */
static size_t *
offsets_of(MgRender *render, const MgMarked *text, size_t n)
{
	size_t *offsets = mg_render_alloc(render, n + 1, sizeof *offsets), at = 0;

	if (offsets == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
	{
		offsets[i] = at;
		mg_utf8_next(mg_marked_span(text), &at);
	}
	offsets[n] = text->size;
	return offsets;
}

static bool
slice_string(MgRender *render, const MgMarked *text, size_t n, const int64_t bounds[3], MgValue *value)
{
	size_t *offsets = offsets_of(render, text, n);
	MgPuts puts = {0};

	if (offsets == NULL)
		return false;
	if (bounds[2] == 1)
	{
		size_t from = offsets[bounds[0]], to = offsets[bounds[1] > bounds[0] ? bounds[1] : bounds[0]];

		return mg_value_string(render, mg_marked_slice(text, from, to), value);
	}
	for (int64_t i = bounds[0]; bounds[2] > 0 ? i < bounds[1] : i > bounds[1]; i += bounds[2])
		if (!mg_puts(render, &puts, mg_marked_slice(text, offsets[i], offsets[i + 1])))
			return false;
	return mg_puts_end(render, &puts, value);
}

bool
mg_slice(MgRender *render, MgValue of, const MgValue bounds[3], MgValue *value)
{
	int64_t settled[3];
	MgValue list;
	size_t n;

	if (of.kind != MG_VALUE_STRING && !mg_value_is_list(of))
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template slices %s", mg_value_kind(of));
	if (!mg_value_length(render, of, &n) || !settle_bounds(render, bounds, (int64_t) n, settled))
		return false;
	/* No step beyond the end, so that none overflows. */
	if (settled[2] > (int64_t) n + 1 || settled[2] < -(int64_t) n - 1)
		settled[2] = settled[2] > 0 ? (int64_t) n + 1 : -(int64_t) n - 1;
	if (of.kind == MG_VALUE_STRING)
		return slice_string(render, of.text, n, settled, value);
	if (!mg_value_list(render, 0, &list))
		return false;
	for (int64_t i = settled[0]; settled[2] > 0 ? i < settled[1] : i > settled[1]; i += settled[2])
		if (!mg_render_step(render, 1) || !mg_list_add(render, list.list, of.list->items[i]))
			return false;
	list.kind = of.kind;
	*value = list;
	return true;
}
