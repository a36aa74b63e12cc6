/*
 * The worker, which empties the queues of a database, and the launcher, which looks for queues that were left.
 *
 * Columns take turns, a batch each; an error of one is written down, and it waits while the others go on. A worker runs at a lower
 * priority of the operating system than sessions (maskgen.embed_worker_nice), so it takes what they leave.
 */
#include "postgres.h"

#include <sys/resource.h>

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pg/column/batch.h"
#include "pg/column/pool.h"
#include "pg/column/state.h"
#include "pg/extension.h"
#include "pg/guc.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

PGDLLEXPORT void maskgen_embed_worker(Datum arg);
PGDLLEXPORT void maskgen_embed_launcher(Datum arg);

/* A worker without work ends after this; DROP DATABASE waits for five seconds. */
#define IDLE_MS 3000

/* It stays for what is to be tried again sooner than this. */
#define RETRY_MS 60000

/* In place of a time to wait for: there is nothing that a worker could wait for, and its connection would only be in the way. */
#define NO_COLUMNS (-2)

/* Milliseconds between two looks of the launcher at databases whose queues might wait. */
#define LAUNCHER_MS 60000

static void
begin(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	SPI_connect();
}

static void
commit(void)
{
	SPI_finish();
	CommitTransactionCommand();
	CHECK_FOR_INTERRUPTS();
	begin();
}

static void
end(void)
{
	SPI_finish();
	CommitTransactionCommand();
}

static void
handle_signals(void)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
}

static void
reload(void)
{
	if (!ConfigReloadPending)
		return;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
}

/* What a worker's own settings are: those on which keys as texts depend, and no hints for people. */
static void
configure(void)
{
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("statement_timeout", "0", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("idle_in_transaction_session_timeout", "0", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("default_transaction_read_only", "off", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("client_min_messages", "error", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("maskgen.long_input", "truncate", PGC_USERSET, PGC_S_SESSION);
	if (maskgen_embed_worker_nice > 0 && setpriority(PRIO_PROCESS, 0, maskgen_embed_worker_nice) != 0)
		ereport(LOG, (errmsg("could not lower the priority of a worker: %m")));
}

/* After the transaction of a batch has been rolled back; true if there is more to do for the column now. */
static bool
note_error(int32 id, const ErrorData *error)
{
	bool is_rows;

	begin();
	is_rows = embed_batch_charge(error);
	if (!is_rows)
		embed_state_set_error(id, error->message);
	end();
	embed_batch_release();
	return is_rows;
}

/* An error of the whole: what is at hand is given back, and the column waits. Cancels and shutdowns are not a column's. */
static EmbedOutcome
run_batch(const EmbedWork *work)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile EmbedOutcome outcome = EMBED_NOTHING;

	PG_TRY();
	{
		int64 n_rows;

		begin();
		outcome = embed_batch_run(work->id, work->target, true, commit, &n_rows);
		end();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		HOLD_INTERRUPTS();
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
		outcome = note_error(work->id, error) ? EMBED_MORE : EMBED_NOTHING;
		FreeErrorData(error);
	}
	PG_END_TRY();
	return outcome;
}

/* Whether the extension is there, and of a version that has columns. */
static bool
has_columns(void)
{
	return OidIsValid(get_extension_oid("maskgen", true)) && OidIsValid(extension_relation("embed_column", true));
}

/* A batch of each column; whether any has more. Milliseconds until something waits no longer, -1 for nothing, or NO_COLUMNS. */
static bool
run_round(MemoryContext context, long *wait)
{
	EmbedWork *list;
	bool is_more = false;
	int n = 0;

	MemoryContextReset(context);
	*wait = -1;
	begin();
	if (has_columns())
		n = embed_state_list(&list, true, context);
	embed_pool_tell(n > 0);
	if (n > 0)
		n = embed_state_list(&list, false, context);
	else
		*wait = NO_COLUMNS;
	end();
	if (*wait == NO_COLUMNS)
		return false;
	for (int i = 0; i < n; i++)
	{
		EmbedOutcome outcome = run_batch(&list[i]);

		CHECK_FOR_INTERRUPTS();
		reload();
		is_more = is_more || outcome == EMBED_MORE;
		if (outcome == EMBED_MORE)
			embed_pool_start(MyDatabaseId);
	}
	if (is_more)
		return true;
	begin();
	if (has_columns())
		*wait = embed_state_next_time();
	end();
	return false;
}

void
maskgen_embed_worker(Datum arg)
{
	MemoryContext context;
	Oid database;
	long idle = 0;

	memcpy(&database, MyBgworkerEntry->bgw_extra, sizeof database);
	handle_signals();
	if (!embed_pool_enter(DatumGetInt32(arg)))
		return;
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	configure();
	context = AllocSetContextCreate(TopMemoryContext, "maskgen embedding worker", ALLOCSET_DEFAULT_SIZES);
	while (idle < IDLE_MS)
	{
		long wait;

		CHECK_FOR_INTERRUPTS();
		reload();
		ResetLatch(MyLatch);
		pgstat_report_activity(STATE_RUNNING, "embedding queued rows");
		if (run_round(context, &wait))
		{
			idle = 0;
			continue;
		}
		if (wait == NO_COLUMNS)
			return;
		pgstat_report_stat(true);
		pgstat_report_activity(STATE_IDLE, NULL);
		if (wait < 0 || wait > RETRY_MS)
			wait = IDLE_MS - idle;
		else
			idle = 0;
		if (WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, wait, PG_WAIT_EXTENSION) & WL_LATCH_SET)
			idle = 0;
		else
			idle += wait;
	}
}

/* Databases that take connections; into context. */
static int
list_databases(Oid **list, MemoryContext context)
{
	Relation relation;
	TableScanDesc scan;
	HeapTuple tuple;
	int n = 0, room = 16;

	*list = MemoryContextAlloc(context, room * sizeof **list);
	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	relation = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(relation, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);

		if (!database->datallowconn || database->datistemplate)
			continue;
		if (n == room)
			*list = repalloc(*list, (room *= 2) * sizeof **list);
		(*list)[n++] = database->oid;
	}
	table_endscan(scan);
	table_close(relation, AccessShareLock);
	CommitTransactionCommand();
	return n;
}

/*
 * A worker for each database in turn, which ends at once if nothing waits: after a start, a crash or a promotion, and now and then for what
 * nobody has woken a worker for, rows of a prepared transaction for example.
 */
void
maskgen_embed_launcher(Datum arg)
{
	MemoryContext context;

	handle_signals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	context = AllocSetContextCreate(TopMemoryContext, "maskgen launcher", ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		Oid *databases;
		int n;

		MemoryContextReset(context);
		n = list_databases(&databases, context);
		for (int i = 0; i < n; i++)
		{
			if (embed_pool_is_wanted(databases[i]))
				embed_pool_start(databases[i]);
			(void) WaitLatch(MyLatch, WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 50, PG_WAIT_EXTENSION);
			CHECK_FOR_INTERRUPTS();
		}
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, LAUNCHER_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		reload();
	}
}
