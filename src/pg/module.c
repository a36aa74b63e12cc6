/* The module: magic, settings, room in shared memory, hooks. No model, thread or library is touched here. */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "pg/batch/rewrite.h"
#include "pg/column/mixed.h"
#include "pg/column/pool.h"
#include "pg/column/queue.h"
#include "pg/guc.h"
#include "pg/hnsw/explain.h"
#include "pg/hnsw/filter.h"
#include "pg/hnsw/options.h"
#include "pg/hnsw/order.h"
#include "pg/hnsw/tally.h"
#include "pg/model/forget.h"
#include "pg/hnsw/paths.h"
#include "pg/model/planned.h"
#include "pg/model/progress.h"
#include "pg/model/stats.h"
#include "pg/planner/cost.h"
#include "pg/resident/registry.h"
#include "pg/shared.h"
#include "pg/task/cache_segment.h"
#include "pg/task/cut.h"
#include "pg/task/priors.h"
#include "pg/task/prompts.h"
#include "storage/shmem.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void
_PG_init(void)
{
	guc_define();
	hnsw_options_init();
	guc_reserve();
	shared_reserve(add_size(add_size(add_size(registry_size(), stats_size()), progress_size()),
							add_size(add_size(add_size(priors_size(), cut_size()), embed_pool_size()), add_size(cache_control_size(), prompts_size()))));
	plan_labels_install();
	plan_lateral_install();
	plan_parallel_install();
	plan_jit_install();
	plan_dims_install();
	plan_batch_install();
	planned_install();
	forget_install();
	progress_install();
	cut_install();
	hnsw_order_install();
	hnsw_paths_install();
	hnsw_filter_install();
	hnsw_explain_install();
	hnsw_tally_install();
	embed_queue_install();
	embed_mixed_install();
	embed_pool_install();
}
