/* embed_pending: a session that empties queues itself, a commit for each batch. */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pg/column/batch.h"
#include "pg/column/claim.h"
#include "pg/column/state.h"
#include "pg/compat.h"
#include "storage/latch.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

PG_FUNCTION_INFO_V1(maskgen_embed_pending);

static void
commit(void)
{
	SPI_commit();
}

/* For a worker that has rows of the column in its hands: who called is told when they are done. */
static void
sleep_ms(long ms)
{
	commit();
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

/* Gives back what is claimed, and lets the error go on. */
static EmbedOutcome
run_batch(const EmbedWork *work, int64 *n_rows)
{
	EmbedOutcome outcome = EMBED_NOTHING;

	PG_TRY();
	{
		outcome = embed_batch_run(work->id, work->target, false, commit, n_rows);
	}
	PG_CATCH();
	{
		embed_batch_release();
		PG_RE_THROW();
	}
	PG_END_TRY();
	return outcome;
}

/* What is left of tables that were dropped is removed by whoever comes. */
static bool
is_asked_for(const EmbedWork *work, FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(0))
		return work->target == PG_GETARG_OID(0);
	return get_rel_name(work->target) == NULL || relation_ownercheck(work->target, GetUserId());
}

/* A call in a transaction block could not commit between its batches. */
Datum
maskgen_embed_pending(PG_FUNCTION_ARGS)
{
	bool is_atomic = fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) || castNode(CallContext, fcinfo->context)->atomic;
	MemoryContext context = AllocSetContextCreate(PortalContext, "maskgen embed_pending", ALLOCSET_DEFAULT_SIZES);
	int64 n_all = 0, most = PG_ARGISNULL(1) ? PG_INT64_MAX : PG_GETARG_INT64(1);
	EmbedWork *list;
	int n;

	if (is_atomic)
		ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION), errmsg("embed_pending cannot run in a transaction block"),
						errdetail("It commits after each batch of rows.")));
	if (!PG_ARGISNULL(0) && get_rel_name(PG_GETARG_OID(0)) != NULL && !relation_ownercheck(PG_GETARG_OID(0), GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(PG_GETARG_OID(0))), get_rel_name(PG_GETARG_OID(0)));
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	n = embed_state_list(&list, true, context);
	for (int i = 0; i < n; i++)
	{
		EmbedOutcome outcome = EMBED_MORE;

		if (!is_asked_for(&list[i], fcinfo))
			continue;
		while ((outcome == EMBED_MORE || embed_claim_others(list[i].id)) && n_all < most)
		{
			int64 n_rows;

			outcome = run_batch(&list[i], &n_rows);
			n_all += n_rows;
			if (outcome == EMBED_NOTHING)
				sleep_ms(10);
			CHECK_FOR_INTERRUPTS();
		}
	}
	SPI_finish();
	ereport(NOTICE, (errmsg_plural("%lld row embedded", "%lld rows embedded", (unsigned long) n_all, (long long) n_all)));
	PG_RETURN_NULL();
}
