/* The module: magic, settings, room in shared memory, hooks. No model, thread or library is touched here. */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "pg/guc.h"
#include "pg/plan_batch.h"
#include "pg/plan_cost.h"
#include "pg/shared.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void
_PG_init(void)
{
	guc_define();
	shared_preload();
	plan_labels_install();
	plan_lateral_install();
	plan_parallel_install();
	plan_jit_install();
	plan_batch_install();
}
