/*
 * Counting texts that were cut, and rows that failed, and telling it; see cut.h.
 *
 * A statement ends with the outermost ExecutorFinish or ProcessUtility. A
 * parallel worker hands its count to its leader with the end of its
 * transaction, which the leader waits for, through a table in shared memory by
 * the leader's process. When all its places are taken a count is lost.
 */
#include "pg/task/cut.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/host.h"
#include "pg/model/planned.h"
#include "pg/model/progress.h"
#include "pg/shared.h"
#include "storage/proc.h"
#include "tcop/utility.h"

/* Leaders whose workers have counted something since they looked. */
#define PLACES 32

/* Bytes of an error's message that a worker hands over. */
#define REASON_SIZE 192

/* What is counted. */
typedef struct Counts
{
	uint64 n_cut, n_failed;
	char reason[REASON_SIZE]; /* of the first that failed */
} Counts;

typedef struct Place
{
	int leader; /* process; 0: free */
	Counts counts;
} Place;

typedef struct CutTable
{
	SharedHead head;
	Place places[PLACES];
} CutTable;

static Counts counted;
static int depth; /* of executors and utilities that are running */
static bool may_have_workers;
static CutTable *table;

static ExecutorRun_hook_type next_run;
static ExecutorFinish_hook_type next_finish;
static ProcessUtility_hook_type next_utility;

Size
cut_size(void)
{
	return MAXALIGN(sizeof(CutTable));
}

/* Zeros are a table of free places. */
static void
init_table(void *piece)
{
}

static void
attach(void)
{
	if (table == NULL)
		table = shared_piece("maskgen_cut", cut_size(), init_table);
}

/* The place of a leader, or else a free one, or else NULL. Under the lock. */
static Place *
find_place(int leader)
{
	Place *free = NULL;

	for (int i = 0; i < PLACES; i++)
	{
		if (table->places[i].leader == leader)
			return &table->places[i];
		if (table->places[i].leader == 0 && free == NULL)
			free = &table->places[i];
	}
	return free;
}

static void
add(Counts *sum, const Counts *more)
{
	if (sum->n_failed == 0)
		strlcpy(sum->reason, more->reason, REASON_SIZE);
	sum->n_cut += more->n_cut;
	sum->n_failed += more->n_failed;
}

static void
hand_over(void)
{
	PGPROC *leader = MyProc->lockGroupLeader;
	Place *place;

	if ((counted.n_cut == 0 && counted.n_failed == 0) || leader == NULL)
		return;
	attach();
	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	place = find_place(leader->pid);
	if (place != NULL)
	{
		place->leader = leader->pid;
		add(&place->counts, &counted);
	}
	LWLockRelease(&table->head.lock);
	counted = (Counts){0};
}

static Counts
collect(void)
{
	Place *place;
	Counts counts = {0};

	attach();
	LWLockAcquire(&table->head.lock, LW_EXCLUSIVE);
	place = find_place(MyProcPid);
	if (place != NULL && place->leader == MyProcPid)
	{
		counts = place->counts;
		*place = (Place){0};
	}
	LWLockRelease(&table->head.lock);
	return counts;
}

static void
tell(const Counts *counts)
{
	if (counts->n_cut > 0 && maskgen_long_input == MASKGEN_LONG_NOTICE)
		ereport(NOTICE, (errcode(ERRCODE_WARNING_STRING_DATA_RIGHT_TRUNCATION),
						 errmsg_plural("%llu text was longer than its model takes and was cut",
									   "%llu texts were longer than their models take and were cut", (unsigned long) counts->n_cut,
									   (unsigned long long) counts->n_cut),
						 errhint("Set maskgen.long_input to \"truncate\" to allow that, or to \"error\" to refuse it.")));
	if (counts->n_failed > 0)
		ereport(WARNING, (errmsg_plural("%llu row has no result", "%llu rows have no result", (unsigned long) counts->n_failed,
										(unsigned long long) counts->n_failed),
						  errdetail("The first reason: %s", counts->reason),
						  errhint("Set maskgen.on_row_error to \"error\" to have an error instead.")));
}

static void
end_statement(void)
{
	Counts counts;

	if (depth > 0 || planned_is_active() || IsParallelWorker())
		return;
	if (may_have_workers)
	{
		counts = collect();
		add(&counted, &counts);
	}
	may_have_workers = false;
	progress_end();
	counts = counted;
	counted = (Counts){0};
	tell(&counts);
}

void
cut_count(uint64 n)
{
	counted.n_cut += n;
}

void
row_error_count(const MgError *error)
{
	if (counted.n_failed++ == 0)
		host_show(error->message, counted.reason, REASON_SIZE);
}

static void
run(COMPAT_EXECUTOR_RUN_PARAMETERS)
{
	may_have_workers = may_have_workers || query->plannedstmt->parallelModeNeeded;
	depth++;
	PG_TRY();
	{
		if (next_run != NULL)
			next_run(COMPAT_EXECUTOR_RUN_ARGUMENTS);
		else
			standard_ExecutorRun(COMPAT_EXECUTOR_RUN_ARGUMENTS);
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
}

static void
finish(QueryDesc *query)
{
	depth++;
	PG_TRY();
	{
		if (next_finish != NULL)
			next_finish(query);
		else
			standard_ExecutorFinish(query);
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
	end_statement();
}

/* Workers of a build evaluate the index's expressions. */
static bool
may_build_index(const Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_IndexStmt:
		case T_ReindexStmt:
		case T_AlterTableStmt:
		case T_ClusterStmt:
		case T_VacuumStmt:
		case T_RefreshMatViewStmt:
			return true;
		default:
			return false;
	}
}

static void
utility(PlannedStmt *statement, const char *text, bool read_only, ProcessUtilityContext context, ParamListInfo params,
		QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
	may_have_workers = may_have_workers || may_build_index(statement->utilityStmt);
	depth++;
	PG_TRY();
	{
		if (next_utility != NULL)
			next_utility(statement, text, read_only, context, params, environment, receiver, completion);
		else
			standard_ProcessUtility(statement, text, read_only, context, params, environment, receiver, completion);
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
	end_statement();
}

static void
end_transaction(XactEvent event, void *unused)
{
	if (event == XACT_EVENT_PARALLEL_PRE_COMMIT)
		hand_over();
	else if (event == XACT_EVENT_ABORT)
	{
		counted = (Counts){0};
		/* Workers of a statement that failed may have counted. */
		if (table != NULL)
			(void) collect();
	}
}

void
cut_install(void)
{
	next_run = ExecutorRun_hook;
	ExecutorRun_hook = run;
	next_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = finish;
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = utility;
	RegisterXactCallback(end_transaction, NULL);
}
