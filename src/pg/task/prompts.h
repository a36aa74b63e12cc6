/* The beginnings of prompts that all sessions share (task/prompt_cache.h): privileges are checked before, as with results. */
#ifndef MASKGEN_PG_TASK_PROMPTS_H
#define MASKGEN_PG_TASK_PROMPTS_H

#include "postgres.h"
#include "pg/model/session.h"
#include "task/prompt_cache.h"

/*
 * The cache for a model that is in use, which *cache becomes; NULL without one. It holds for this use: setting and segment may change
 * with the next.
 */
const MgPromptCache *prompts_begin(const ModelUse *use, MgPromptCache *cache);

Size prompts_size(void);

#endif
