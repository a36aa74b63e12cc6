/* The ways in which models classify, and what classify.c needs to know of each. Another way is a file with one more MgWay. */
#ifndef MG_TASK_CLASSIFY_WAY_H
#define MG_TASK_CLASSIFY_WAY_H

#include "task/classify.h"

typedef struct MgWay
{
	bool (*can)(const MgModel *model);
	bool (*reads)(MgSpan template); /* whether a template is for this way; one that is wrong somehow may be, too */
	const char *template;			/* the default; NULL: the way is taken for templates alone */

	/* n is 1 .. MG_MAX_LABELS, template not empty. The result's way and n_labels are set by the caller. */
	MgLabels *(*prepare)(const MgRun *run, const MgSpan *labels, size_t n, MgSpan template);
	size_t (*basis_size)(const MgRun *run, const MgLabels *labels);
	bool (*basis)(const MgRun *run, const MgLabels *labels, float *basis);
	bool (*classify)(const MgRun *run, const MgClassifyOptions *options, const MgSpan *texts, size_t n, float *scores);
} MgWay;

/* The first member of each way's own struct. */
struct MgLabels
{
	const MgWay *way;
	size_t n_labels;
};

extern const MgWay mg_mask_way, mg_cosine_way, mg_entail_way, mg_replaced_way, mg_continuation_way, mg_choice_way;

/*
 * For ways whose basis is the contextual prior of labels: the mean score of each for inputs that say nothing. A model that is not calibrated has
 * none. mg_prior_take_off subtracts it from scores [n texts, n_labels]; prior may be NULL.
 */
size_t mg_prior_size(const MgRun *run, const MgLabels *labels);
bool mg_prior(const MgRun *run, const MgLabels *labels, float *prior);
void mg_prior_take_off(const MgLabels *labels, const float *prior, size_t n, float *scores);

/* For prepare: where needle stands in a template; SIZE_MAX when it does not, an error when it does several times. */
bool mg_template_find(MgCtx *cx, MgSpan template, MgSpan needle, size_t *at);

/* For prepare: refuses labels [n] of which two have the same tokens. */
bool mg_labels_check_distinct(MgCtx *cx, const MgSpan *labels, const MgTokens *tokens, size_t n);

/*
 * For prepare: the sentences [n] that a template with {label} makes of labels, each of which has tokens, and no two the same. example is a
 * template for the hint.
 */
const MgSpan *mg_label_sentences(const MgRun *run, const MgSpan *labels, size_t n, MgSpan template, const char *example);

/* For reads. */
bool mg_template_has(MgSpan template, const char *mark);

#endif
