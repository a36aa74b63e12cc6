/* Preparing labels for masks: which of them share a sequence, and which tokens they have. */
#include "task/fill_mask.h"
#include "task/mask_labels.h"

#include <stdlib.h>

static int
compare_ids(const void *a, const void *b)
{
	int32_t left = *(const int32_t *) a, right = *(const int32_t *) b;

	return (left > right) - (left < right);
}

static bool
collect_candidates(MgCtx *cx, const MgTokens *tokens, MgMaskLabels *labels)
{
	size_t n = 0, distinct = 0;
	int32_t *ids;

	for (size_t i = 0; i < labels->head.n_labels; i++)
		n += tokens[i].n;
	ids = mg_alloc_array(cx, n, sizeof *ids);
	if (ids == NULL)
		return false;
	n = 0;
	for (size_t i = 0; i < labels->head.n_labels; i++)
		for (size_t j = 0; j < tokens[i].n; j++)
			ids[n++] = tokens[i].ids[j];
	qsort(ids, n, sizeof *ids, compare_ids);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || ids[i] != ids[i - 1])
			ids[distinct++] = ids[i];
	labels->candidates = ids;
	labels->n_candidates = distinct;
	return true;
}

static bool
make_group(MgCtx *cx, const MgTokens *tokens, const MgMaskLabels *labels, size_t n_masks, MgLabelGroup *group)
{
	uint32_t *members = mg_alloc_array(cx, labels->head.n_labels, sizeof *members);
	uint32_t *positions = mg_alloc_array(cx, labels->head.n_labels, n_masks * sizeof *positions);

	if (members == NULL || positions == NULL)
		return false;
	*group = (MgLabelGroup){n_masks, 0, members, positions};
	for (size_t i = 0; i < labels->head.n_labels; i++)
	{
		if (tokens[i].n != n_masks)
			continue;
		for (size_t j = 0; j < n_masks; j++)
		{
			const int32_t *found = bsearch(&tokens[i].ids[j], labels->candidates, labels->n_candidates,
										   sizeof *labels->candidates, compare_ids);

			positions[group->n_labels * n_masks + j] = (uint32_t) (found - labels->candidates);
		}
		members[group->n_labels++] = (uint32_t) i;
	}
	return true;
}

MgLabels *
mg_mask_labels_prepare(const MgRun *run, const MgSpan *texts, size_t n, MgSpan template)
{
	MgMaskLabels *labels = mg_alloc_zeroed(run->cx, 1, sizeof *labels);
	MgTokens *tokens;
	MgLabelGroup *groups;

	if (labels == NULL || !mg_needs_masks(run))
		return NULL;
	tokens = mg_alloc_array(run->cx, n, sizeof *tokens);
	groups = mg_alloc_array(run->cx, MG_MAX_LABEL_TOKENS, sizeof *groups);
	if (tokens == NULL || groups == NULL || !mg_places_split(run, template, false, &labels->places))
		return NULL;
	labels->head.n_labels = n;
	labels->groups = groups;
	for (size_t i = 0; i < n; i++)
		if (!mg_places_tokenize(run, &labels->places, texts[i], &tokens[i]))
			return NULL;
	if (!mg_labels_check_distinct(run->cx, texts, tokens, n) || !collect_candidates(run->cx, tokens, labels))
		return NULL;
	for (size_t n_masks = 1; n_masks <= MG_MAX_LABEL_TOKENS; n_masks++)
	{
		MgLabelGroup *group = &groups[labels->n_groups];

		if (!make_group(run->cx, tokens, labels, n_masks, group))
			return NULL;
		if (group->n_labels == 0)
			continue;
		labels->n_groups++;
		labels->most_masks = n_masks;
	}
	return &labels->head;
}

const MgMaskLabels *
mg_mask_template_prepare(const MgRun *run, MgSpan template)
{
	static const MgLabelGroup one = {.n_masks = 1};
	MgMaskLabels *labels = mg_alloc_zeroed(run->cx, 1, sizeof *labels);

	if (template.size == 0)
		template = mg_mask_way.reads(run->model->template) && mg_template_has(run->model->template, "{text}") ? run->model->template : mg_span_of(mg_mask_way.template);
	if (labels == NULL || !mg_needs_masks(run) || !mg_places_split(run, template, false, &labels->places))
		return NULL;
	labels->groups = &one;
	labels->n_groups = 1;
	labels->most_masks = 1;
	return labels;
}
