/* Preparing labels: the template's pieces and the labels' tokens, checked. Labels are data: no special token is read in them. */
#include "task/fill_mask.h"
#include "task/mask_labels.h"

#include <stdlib.h>

static bool
split_template(const MgRun *run, MgSpan template, MgMaskLabels *labels)
{
	MgSpan text_mark = mg_span_of("{text}"), mask_mark = mg_span_of("{mask}");
	size_t text_at, mask_at, first, second, first_size, second_size;
	char *copy;

	if (!mg_template_find(run->cx, template, text_mark, &text_at) || !mg_template_find(run->cx, template, mask_mark, &mask_at))
		return false;
	if (mask_at == SIZE_MAX)
	{
		mask_mark = mg_token_text(run->model->tokenizer, run->model->specials.mask);
		if (!mg_template_find(run->cx, template, mask_mark, &mask_at))
			return false;
	}
	if (text_at == SIZE_MAX || mask_at == SIZE_MAX)
	{
		mg_fail(run->cx, MG_BAD_ARGUMENT, "template lacks %s", text_at == SIZE_MAX ? "{text}" : "{mask}");
		mg_detail(run->cx, "The template is \"%.*s\".", MG_SPAN_ARGS(template));
		return mg_hint(run->cx, "A template looks like \"{mask} news: {text}\".");
	}
	/* Labels outlive both the request and the model. */
	copy = mg_copy_text(run->cx, template);
	labels->mask = mg_token_text(run->model->tokenizer, run->model->specials.mask);
	labels->mask.data = (const uint8_t *) mg_copy_text(run->cx, labels->mask);
	if (copy == NULL || labels->mask.data == NULL)
		return false;
	template.data = (const uint8_t *) copy;
	labels->mask_first = mask_at < text_at;
	first = labels->mask_first ? mask_at : text_at;
	second = labels->mask_first ? text_at : mask_at;
	first_size = labels->mask_first ? mask_mark.size : text_mark.size;
	second_size = labels->mask_first ? text_mark.size : mask_mark.size;
	labels->before = mg_span(template.data, first);
	labels->between = mg_span(template.data + first + first_size, second - first - first_size);
	labels->after = mg_span(template.data + second + second_size, template.size - second - second_size);
	return true;
}

/* Whether a mask swallows the space that the template has before it: then the word in its place begins with one. */
static bool
begins_with_space(const MgRun *run, const MgMaskLabels *labels)
{
	MgSpan before = labels->mask_first ? labels->before : labels->between;

	return before.size > 0 && before.data[before.size - 1] == ' ' &&
		mg_token_strips_left(run->model->tokenizer, run->model->specials.mask);
}

static bool
tokenize_label(const MgRun *run, MgSpan label, bool with_space, MgTokens *tokens)
{
	MgSpan text = label;

	if (with_space)
	{
		char *spaced = mg_alloc(run->cx, label.size + 1);

		if (spaced == NULL)
			return false;
		spaced[0] = ' ';
		if (label.size > 0)
			memcpy(spaced + 1, label.data, label.size);
		text = mg_span(spaced, label.size + 1);
	}
	if (!mg_tokenize(run->cx, run->model->tokenizer, text, MG_ALL_DATA, tokens))
		return false;
	if (tokens->n == 0)
		return mg_fail(run->cx, MG_BAD_ARGUMENT, "label \"%.*s\" has no tokens", MG_SPAN_ARGS(label));
	for (size_t i = 0; i < tokens->n; i++)
		if (tokens->ids[i] == run->model->specials.unknown)
			return mg_fail(run->cx, MG_BAD_ARGUMENT, "label \"%.*s\" is not in the vocabulary of model \"%s\"",
						   MG_SPAN_ARGS(label), run->name);
	if (tokens->n <= MG_MAX_LABEL_TOKENS)
		return true;
	mg_fail(run->cx, MG_TOO_LARGE, "label \"%.*s\" is too long", MG_SPAN_ARGS(label));
	return mg_detail(run->cx, "It has %zu tokens, at most %d are allowed.", tokens->n, MG_MAX_LABEL_TOKENS);
}

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
	if (tokens == NULL || groups == NULL || !split_template(run, template, labels))
		return NULL;
	labels->head.n_labels = n;
	labels->groups = groups;
	for (size_t i = 0; i < n; i++)
		if (!tokenize_label(run, texts[i], begins_with_space(run, labels), &tokens[i]))
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
		template = mg_template_has(run->model->template, "{text}") ? run->model->template : mg_span_of(mg_mask_way.template);
	if (labels == NULL || !mg_needs_masks(run) || !split_template(run, template, labels))
		return NULL;
	labels->groups = &one;
	labels->n_groups = 1;
	labels->most_masks = 1;
	return labels;
}
