/* Calls of tasks through the result cache. */
#ifndef MASKGEN_PG_TASK_CACHE_H
#define MASKGEN_PG_TASK_CACHE_H

#include "pg/task/call.h"
#include "pg/task/result_cache.h"

/*
 * As task_run: results of inputs [n], n > 0. The model runs for those that are not in the cache, which then are.
 * Counts hits.
 */
void task_run_cached(TaskCall *call, CacheSegment *segment, const MgSpan *inputs, int n, Datum *results,
					 const TaskError **errors);

#endif
