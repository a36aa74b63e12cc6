/* What classifying by cosines (task/classify_cosine.c) has for those who do it themselves, with vectors that are stored. */
#ifndef MG_TASK_CLASSIFY_COSINE_H
#define MG_TASK_CLASSIFY_COSINE_H

#include "task/classify.h"
#include "task/embed.h"

/* Cosines are divided by it before they become log probabilities. */
#define MG_COSINE_TAU 0.05f

#define MG_COSINE_TEMPLATE "This is about {label}."

/* Whether a template is one of these; whether labels were prepared for it, so that their basis is their vectors [n, width]. */
bool mg_cosine_reads(MgSpan template);
bool mg_cosine_has(const MgLabels *labels);

/* How a text is embedded to be classified: with the model's prompt for it. */
MgEmbedOptions mg_cosine_options(const MgModel *model, MgLongInput long_input);

#endif
