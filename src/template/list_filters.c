/* Filters of lists and dictionaries; what they give is a list, where the reference has a generator. */
#include "template/list_filters.h"

#include "template/evaluate.h"
#include "template/strings.h"

/* All of a table take what one of them needs. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

bool
mg_filter_list(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgList *items;

	if (!mg_value_items(render, of, &items))
		return false;
	*result = (MgValue){.kind = MG_VALUE_LIST, .list = (MgList *) items};
	return true;
}

bool
mg_filter_first(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgList *items;

	if (!mg_value_items(render, of, &items))
		return false;
	*result = items->n > 0 ? items->items[0] : MG_UNDEFINED_VALUE;
	return true;
}

bool
mg_filter_last(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgList *items;

	if (!mg_value_items(render, of, &items))
		return false;
	*result = items->n > 0 ? items->items[items->n - 1] : MG_UNDEFINED_VALUE;
	return true;
}

bool
mg_filter_reverse(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgList *items;

	if (of.kind == MG_VALUE_STRING)
		return mg_slice(render, of, (const MgValue[]){MG_NONE_VALUE, MG_NONE_VALUE, mg_value_integer(-1)}, result);
	if (!mg_value_items(render, of, &items) || !mg_value_list(render, items->n, result))
		return false;
	for (size_t i = items->n; i-- > 0;)
		result->list->items[result->list->n++] = items->items[i];
	return mg_render_step(render, items->n / 8);
}

/* An item, or its member of a name with dots. */
static bool
attribute_of(MgRender *render, MgValue item, const MgMarked *path, MgValue *value)
{
	*value = item;
	while (path != NULL && path->size > 0)
	{
		const uint8_t *dot = memchr(path->bytes, '.', path->size);
		size_t n = dot != NULL ? (size_t) (dot - path->bytes) : path->size;
		MgMarked *rest = mg_render_alloc(render, 1, sizeof *rest);

		if (rest == NULL || !mg_member(render, *value, mg_span(path->bytes, n), value))
			return false;
		*rest = mg_marked_slice(path, dot != NULL ? n + 1 : n, path->size);
		path = rest;
	}
	return true;
}

bool
mg_filter_join(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgMarked empty = mg_marked(mg_span_of("")), *between = &empty, *attribute = NULL;
	const MgList *items;
	MgValue picked;

	if (!mg_argument_text(render, arguments, 0, "d", &between) || !mg_argument_text(render, arguments, 1, "attribute", &attribute) ||
		!mg_value_items(render, of, &items))
		return false;
	if (attribute != NULL)
	{
		if (!mg_value_list(render, items->n, &picked))
			return false;
		for (size_t i = 0; i < items->n; i++)
			if (!attribute_of(render, items->items[i], attribute, &picked.list->items[picked.list->n++]))
				return false;
		items = picked.list;
	}
	return mg_string_join(render, between, items, false, result);
}

bool
mg_filter_items(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	if (of.kind == MG_VALUE_UNDEFINED)
		return mg_value_list(render, 0, result);
	if (of.kind != MG_VALUE_DICT)
		return mg_render_fail(render, MG_BAD_ARGUMENT, "chat template asks for the items of %s", mg_value_kind(of));
	return mg_method(render, of, mg_span_of("items"), arguments, result);
}

/* Stable, by insertion; steps are counted by comparing. */
static bool
sort_values(MgRender *render, MgList *list, const MgMarked *attribute, bool reverse, bool fold)
{
	for (size_t i = 1; i < list->n; i++)
		for (size_t at = i; at > 0; at--)
		{
			MgValue pair[2], item = list->items[at];
			int order;

			for (int k = 0; k < 2; k++)
				if (!attribute_of(render, list->items[at - 1 + (size_t) k], attribute, &pair[k]) ||
					(fold && pair[k].kind == MG_VALUE_STRING && !mg_string_case(render, pair[k].text, MG_CASE_LOWER, &pair[k])))
					return false;
			if (!mg_value_compare(render, pair[0], pair[1], &order))
				return false;
			if (reverse ? order >= 0 : order <= 0)
				break;
			list->items[at] = list->items[at - 1];
			list->items[at - 1] = item;
		}
	return true;
}

bool
mg_filter_sort(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgValue *reverse = mg_argument(arguments, 0, "reverse"), *exact = mg_argument(arguments, 1, "case_sensitive");
	const MgMarked *attribute = NULL;
	const MgList *all;

	if (!mg_argument_text(render, arguments, 2, "attribute", &attribute) || !mg_value_items(render, of, &all) ||
		!mg_value_list(render, all->n, result))
		return false;
	for (size_t i = 0; i < all->n; i++)
		result->list->items[result->list->n++] = all->items[i];
	return sort_values(render, result->list, attribute, reverse != NULL && mg_value_truth(*reverse), exact == NULL || !mg_value_truth(*exact));
}

bool
mg_filter_dictsort(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	if (arguments->n + arguments->n_named > 0)
		return mg_render_fail(render, MG_UNSUPPORTED, "chat template has filter \"dictsort\" with arguments, which is not supported");
	if (!mg_filter_items(render, of, arguments, result))
		return false;
	for (size_t i = 1; i < result->list->n; i++)
		for (size_t at = i; at > 0; at--)
		{
			MgValue *pairs = result->list->items + at - 1, keys[2], pair = pairs[0];
			int order;

			for (int k = 0; k < 2; k++)
				if (!mg_string_case(render, pairs[k].list->items[0].text, MG_CASE_LOWER, &keys[k]))
					return false;
			if (!mg_value_compare(render, keys[0], keys[1], &order))
				return false;
			if (order <= 0)
				break;
			pairs[0] = pairs[1];
			pairs[1] = pair;
		}
	return true;
}

bool
mg_filter_unique(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgList *all;
	MgValue folded;

	if (arguments->n + arguments->n_named > 0)
		return mg_render_fail(render, MG_UNSUPPORTED, "chat template has filter \"unique\" with arguments, which is not supported");
	if (!mg_value_items(render, of, &all) || !mg_value_list(render, 0, result) || !mg_value_list(render, 0, &folded))
		return false;
	for (size_t i = 0; i < all->n; i++)
	{
		MgValue item = all->items[i];
		bool found;

		if (item.kind == MG_VALUE_STRING && !mg_string_case(render, item.text, MG_CASE_LOWER, &item))
			return false;
		if (!mg_value_contains(render, folded, item, &found))
			return false;
		if (!found && (!mg_list_add(render, folded.list, item) || !mg_list_add(render, result->list, all->items[i])))
			return false;
	}
	return true;
}

/* Passes a value through the filter or test whose name is the argument at a place, with the arguments behind it. */
static bool
name_at(MgRender *render, const MgArguments *arguments, size_t at, const MgMarked **name, MgArguments *rest)
{
	*name = NULL;
	if (!mg_argument_text(render, arguments, (int) at, NULL, name))
		return false;
	*rest = (MgArguments){0};
	for (size_t i = at + 1; i < arguments->n; i++)
		rest->values[rest->n++] = arguments->values[i];
	return true;
}

/* Whatever is false has none, none included. */
static bool
items_if_any(MgRender *render, MgValue of, const MgList **items)
{
	return mg_value_items(render, mg_value_truth(of) ? of : MG_UNDEFINED_VALUE, items);
}

bool
mg_filter_map(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgValue *fallback = mg_argument(arguments, -1, "default");
	const MgMarked *attribute = NULL, *name;
	const MgList *all;
	MgArguments rest;
	int number = -1;

	if (!mg_argument_text(render, arguments, -1, "attribute", &attribute) || !name_at(render, arguments, 0, &name, &rest) ||
		!items_if_any(render, of, &all) || !mg_value_list(render, all->n, result))
		return false;
	if (attribute == NULL && (name == NULL || (number = mg_filter_find(mg_marked_span(name))) < 0))
		return mg_render_fail(render, MG_UNSUPPORTED, "chat template maps by filter \"%.*s\", which is not supported",
							  MG_SPAN_ARGS(name != NULL ? mg_marked_span(name) : mg_span_of("")));
	for (size_t i = 0; i < all->n; i++)
	{
		MgValue *item = &result->list->items[result->list->n++];

		if (!mg_render_step(render, 1))
			return false;
		if (attribute != NULL ? !attribute_of(render, all->items[i], attribute, item) : !mg_filter(render, (unsigned) number, all->items[i], &rest, item))
			return false;
		if (attribute != NULL && item->kind == MG_VALUE_UNDEFINED && fallback != NULL)
			*item = *fallback;
	}
	return true;
}

/* Keeps items whose attribute (or they themselves) pass a test, or do not; without a test: are true. */
static bool
choose(MgRender *render, MgValue of, const MgArguments *arguments, bool by_attribute, bool wanted, MgValue *result)
{
	const MgMarked *attribute = NULL, *name;
	const MgList *all;
	MgArguments rest;
	int number = -1;

	if ((by_attribute && !mg_argument_text(render, arguments, 0, NULL, &attribute)) ||
		!name_at(render, arguments, by_attribute ? 1 : 0, &name, &rest) || !items_if_any(render, of, &all) || !mg_value_list(render, 0, result))
		return false;
	if (name != NULL && (number = mg_test_find(mg_marked_span(name))) < 0)
		return mg_render_fail(render, MG_UNSUPPORTED, "chat template selects by test \"%.*s\", which is not supported", MG_SPAN_ARGS(mg_marked_span(name)));
	for (size_t i = 0; i < all->n; i++)
	{
		MgValue value;
		bool passed;

		if (!mg_render_step(render, 1) || !attribute_of(render, all->items[i], attribute, &value))
			return false;
		passed = mg_value_truth(value);
		if (number >= 0 && !mg_test(render, (unsigned) number, value, &rest, &passed))
			return false;
		if (passed == wanted && !mg_list_add(render, result->list, all->items[i]))
			return false;
	}
	return true;
}

bool
mg_filter_select_items(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return choose(render, of, arguments, false, true, result);
}

bool
mg_filter_reject_items(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return choose(render, of, arguments, false, false, result);
}

bool
mg_filter_select_attribute(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return choose(render, of, arguments, true, true, result);
}

bool
mg_filter_reject_attribute(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return choose(render, of, arguments, true, false, result);
}

bool
mg_filter_sum(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	const MgMarked *attribute = NULL;
	const MgList *all;
	MgValue item;

	*result = mg_value_integer(0);
	if (!mg_argument_text(render, arguments, 0, "attribute", &attribute) || !mg_value_items(render, of, &all))
		return false;
	for (size_t i = 0; i < all->n; i++)
		if (!attribute_of(render, all->items[i], attribute, &item) || !mg_operate(render, MG_OP_ADD, *result, item, result))
			return false;
	return true;
}

/* The least or the largest item. */
static bool
extreme(MgRender *render, MgValue of, int sign, MgValue *result)
{
	const MgList *all;
	int order;

	*result = MG_UNDEFINED_VALUE;
	if (!mg_value_items(render, of, &all))
		return false;
	for (size_t i = 0; i < all->n; i++)
	{
		order = 1;
		if (i > 0 && !mg_value_compare(render, all->items[i], *result, &order))
			return false;
		if (i == 0 || order * sign > 0)
			*result = all->items[i];
	}
	return true;
}

bool
mg_filter_least(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return extreme(render, of, -1, result);
}

bool
mg_filter_most(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result)
{
	return extreme(render, of, 1, result);
}
