/* What classifying by cosines (task/classify_cosine.c) has for those who do it themselves, with vectors that are stored. */
#ifndef MG_TASK_CLASSIFY_COSINE_H
#define MG_TASK_CLASSIFY_COSINE_H

#include "task/embed.h"

/* Cosines are divided by it before they become log probabilities. */
#define MG_COSINE_TAU 0.05f

/* How a text is embedded to be classified: with the model's prompt for it. */
MgEmbedOptions mg_cosine_options(const MgModel *model, MgLongInput long_input);

#endif
