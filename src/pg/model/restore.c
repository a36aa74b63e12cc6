/* Whom to wait for, and when to give up. */
#include "pg/model/restore.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/rls.h"
#include "utils/wait_event.h"

#define POLL_MS 20

/* What a session does between two tables takes less; the second time there is less to hope for. */
#define PATIENCE (3000 / POLL_MS)
#define LITTLE_PATIENCE (1000 / POLL_MS)

/* A long wait is said once. */
#define LONG_WAIT (10000 / POLL_MS)

/* A session that looks around is not seen to wait for some microseconds: one poll says little. */
#define SURE 3

static bool gave_up;

bool
restore_is_running(void)
{
	return !check_function_bodies && (!row_security || namespace_search_path[0] == '\0');
}

/* Parallel workers count as their leader, which waits for them. Unlocked, as all that is read of others here. */
static const PGPROC *
leader_of(const PGPROC *process)
{
	const PGPROC *leader = process->lockGroupLeader;

	return leader != NULL ? leader : process;
}

static bool
is_here(const PGPROC *process)
{
	return process->pid != 0 && process->databaseId == MyDatabaseId;
}

/* Whether a session, or a worker of it, waits for a model. */
static bool
is_waiting(const PGPROC *leader)
{
	for (uint32 i = 0; i < ProcGlobal->allProcCount; i++)
	{
		const PGPROC *process = &ProcGlobal->allProcs[i];

		if (is_here(process) && leader_of(process) == leader && process->wait_event_info == compat_wait_for_model())
			return true;
	}
	return false;
}

/* What the others in this database are about. */
typedef struct Others
{
	bool writing;	  /* somebody runs a statement that has written, and does not wait */
	int n_waiting;
	bool first_waits; /* a session that gives up before this one */
} Others;

static Others
look_around(void)
{
	const PGPROC *own = leader_of(MyProc);
	Others others = {0};

	for (uint32 i = 0; i < ProcGlobal->allProcCount; i++)
	{
		const PGPROC *process = &ProcGlobal->allProcs[i];

		if (!is_here(process) || process == own || leader_of(process) != process)
			continue;
		if (is_waiting(process))
		{
			others.n_waiting++;
			others.first_waits = others.first_waits || process < own;
		}
		else if (compat_is_client(process) && TransactionIdIsValid(process->xid) && TransactionIdIsValid(process->xmin))
			others.writing = true;
	}
	return others;
}

/* One gives up at a time: it frees a worker of pg_restore, which may load the models next. */
static bool
is_hopeless(RestoreWait *wait)
{
	Others others = look_around();

	if (others.writing || others.n_waiting != wait->n_waiting)
	{
		if (++wait->disturbed >= SURE)
		{
			wait->quiet = 0;
			wait->n_waiting = others.n_waiting;
		}
		return false;
	}
	wait->disturbed = 0;
	return ++wait->quiet > (gave_up ? LITTLE_PATIENCE : PATIENCE) && !others.first_waits;
}

bool
restore_wait(RestoreWait *wait, const char *name)
{
	if (!restore_is_running())
		return false;
	if (is_hopeless(wait))
	{
		pgstat_report_wait_end();
		gave_up = true;
		return false;
	}
	if (++wait->polls == LONG_WAIT)
		ereport(WARNING, (errmsg("model \"%s\" is not restored yet", name),
						  errdetail("This session waits while others restore.")));
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, POLL_MS, compat_wait_for_model());
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	/* Goes on to be seen waiting while it looks for the model. */
	pgstat_report_wait_start(compat_wait_for_model());
	return true;
}
