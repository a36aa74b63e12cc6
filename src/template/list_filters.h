/* Filters of lists and dictionaries, for the table of filters.c. */
#ifndef MG_TEMPLATE_LIST_FILTERS_H
#define MG_TEMPLATE_LIST_FILTERS_H

#include "template/calls.h"

typedef bool MgFilter(MgRender *render, MgValue of, const MgArguments *arguments, MgValue *result);

MgFilter mg_filter_list, mg_filter_first, mg_filter_last, mg_filter_reverse, mg_filter_join, mg_filter_items, mg_filter_sort,
	mg_filter_dictsort, mg_filter_unique, mg_filter_map, mg_filter_select_items, mg_filter_reject_items, mg_filter_select_attribute,
	mg_filter_reject_attribute, mg_filter_sum, mg_filter_least, mg_filter_most;

#endif
