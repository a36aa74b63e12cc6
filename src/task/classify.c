/* Choosing the way in which a model classifies, and what is the same in all of them. */
#include "task/classify_way.h"

/* In this order where a template fits several, or none is given. */
static const MgWay *const ways[] = {&mg_mask_way, &mg_entail_way, &mg_replaced_way, &mg_cosine_way, &mg_continuation_way, &mg_choice_way};

#define N_WAYS (sizeof ways / sizeof *ways)

static const char *const empty_inputs[] = {"", "N/A", "text"};
#define N_EMPTY_INPUTS 3

size_t
mg_prior_size(const MgRun *run, const MgLabels *labels)
{
	return run->model->meta.calibrate ? labels->n_labels : 0;
}

bool
mg_prior(const MgRun *run, const MgLabels *labels, float *prior)
{
	float *scores = mg_alloc_array(run->cx, N_EMPTY_INPUTS, labels->n_labels * sizeof *scores);
	MgClassifyOptions options = {labels, NULL, MG_LONG_TRUNCATE, NULL};
	MgSpan texts[N_EMPTY_INPUTS];

	for (size_t i = 0; i < N_EMPTY_INPUTS; i++)
		texts[i] = mg_span_of(empty_inputs[i]);
	if (scores == NULL || !labels->way->classify(run, &options, texts, N_EMPTY_INPUTS, scores))
		return false;
	memset(prior, 0, labels->n_labels * sizeof *prior);
	for (size_t i = 0; i < N_EMPTY_INPUTS * labels->n_labels; i++)
		prior[i % labels->n_labels] += scores[i] / N_EMPTY_INPUTS;
	return true;
}

void
mg_prior_take_off(const MgLabels *labels, const float *prior, size_t n, float *scores)
{
	for (size_t i = 0; prior != NULL && i < n * labels->n_labels; i++)
		scores[i] -= prior[i % labels->n_labels];
}

/* Where needle begins in text, from position at; SIZE_MAX when it does not. */
static size_t
find_in(MgSpan text, size_t at, MgSpan needle)
{
	for (; needle.size > 0 && at + needle.size <= text.size; at++)
		if (memcmp(text.data + at, needle.data, needle.size) == 0)
			return at;
	return SIZE_MAX;
}

bool
mg_template_find(MgCtx *cx, MgSpan template, MgSpan needle, size_t *at)
{
	*at = find_in(template, 0, needle);
	if (*at == SIZE_MAX || find_in(template, *at + needle.size, needle) == SIZE_MAX)
		return true;
	return mg_fail(cx, MG_BAD_ARGUMENT, "template holds %.*s more than once", MG_SPAN_ARGS(needle));
}

bool
mg_template_has(MgSpan template, const char *mark)
{
	return find_in(template, 0, mg_span_of(mark)) != SIZE_MAX;
}

bool
mg_labels_check_distinct(MgCtx *cx, const MgSpan *labels, const MgTokens *tokens, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (tokens[i].n == tokens[j].n &&
				memcmp(tokens[i].ids, tokens[j].ids, tokens[i].n * sizeof *tokens[i].ids) == 0)
			{
				mg_fail(cx, MG_BAD_ARGUMENT, "labels \"%.*s\" and \"%.*s\" are the same to the model",
						MG_SPAN_ARGS(labels[j]), MG_SPAN_ARGS(labels[i]));
				return mg_detail(cx, "They have the same tokens.");
			}
	return true;
}

/* The first way that the model has and that reads the template; else the first that it has, which then says what is wrong. */
static const MgWay *
find_way(const MgRun *run, MgSpan template)
{
	const MgWay *first = NULL;

	for (size_t i = 0; i < N_WAYS; i++)
	{
		if (!ways[i]->can(run->model))
			continue;
		if (template.size == 0 ? ways[i]->template != NULL : ways[i]->reads(template))
			return ways[i];
		if (first == NULL)
			first = ways[i];
	}
	if (first == NULL)
	{
		mg_fail(run->cx, MG_UNSUPPORTED, "model \"%s\" cannot classify", run->name);
		mg_detail(run->cx, "It has no masked-language-model head, no class \"entailment\", finds no replaced tokens, makes no embeddings and generates no text.");
		if (mg_model_can(run->model, MG_CAN_SCORE))
			mg_hint(run->cx, "It has labels of its own: see classify_own().");
		mg_hint(run->cx, "Use a model whose config.json says ...ForMaskedLM, or an embedding model.");
	}
	return first;
}

const MgLabels *
mg_labels_prepare(const MgRun *run, const MgSpan *texts, size_t n, MgSpan template)
{
	const MgWay *way;
	MgLabels *labels;

	if (template.size == 0)
		template = run->model->template;
	way = find_way(run, template);
	if (way == NULL)
		return NULL;
	if (n < 1 || n > MG_MAX_LABELS)
	{
		mg_fail(run->cx, MG_BAD_ARGUMENT, "%zu labels were given", n);
		mg_detail(run->cx, "Give at least one label and at most %d.", MG_MAX_LABELS);
		return NULL;
	}
	labels = way->prepare(run, texts, n, template.size > 0 ? template : mg_span_of(way->template));
	if (labels == NULL)
		return NULL;
	labels->way = way;
	labels->n_labels = n;
	return labels;
}

size_t
mg_labels_basis_size(const MgRun *run, const MgLabels *labels)
{
	return labels->way->basis_size(run, labels);
}

bool
mg_labels_basis(const MgRun *run, const MgLabels *labels, float *basis)
{
	MgMark mark = mg_mark(run->cx);
	uint64_t rows = run->usage->rows;
	MgRun aside = *run;

	/* They are nobody's texts, and nobody's rows. */
	aside.cut = NULL;
	if (!labels->way->basis(&aside, labels, basis))
		return false;
	run->usage->rows = rows;
	mg_rewind(run->cx, mark);
	return true;
}

bool
mg_classify(const MgRun *run, const MgClassifyOptions *options, const MgSpan *texts, size_t n, float *scores)
{
	return options->labels->way->classify(run, options, texts, n, scores);
}
