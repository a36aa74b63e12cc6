/* Slots of workers: see pool.h. */
#include "pg/column/pool.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "pg/guc.h"
#include "pg/shared.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/timestamp.h"

/* A worker that has not come up by then has failed to. */
#define START_MS 30000

/* When no process was free for one, this is how long the next is not asked for. */
#define RETRY_MS 5000

/* Databases that have been looked at; more are looked at each time. */
#define MOST_DATABASES 64

typedef struct Database
{
	Oid oid;
	bool has_columns;
} Database;

typedef struct Slot
{
	Oid database; /* InvalidOid: free */
	Latch *latch; /* NULL until the worker has come up */
	TimestampTz started;
} Slot;

typedef struct Pool
{
	SharedHead head;
	TimestampTz made;
	int n_databases;
	Database databases[MOST_DATABASES];
	Slot slots[EMBED_POOL_SLOTS];
} Pool;

static Pool *pool;
static int own_slot = -1;

Size
embed_pool_size(void)
{
	return MAXALIGN(sizeof(Pool));
}

static void
init_pool(void *piece)
{
	((Pool *) piece)->made = GetCurrentTimestamp();
}

static void
attach(void)
{
	if (pool == NULL)
		pool = shared_piece("maskgen_workers", embed_pool_size(), init_pool);
}

/* Under the lock. */
static bool
is_free(const Slot *slot, TimestampTz now)
{
	return !OidIsValid(slot->database) || (slot->latch == NULL && TimestampDifferenceExceeds(slot->started, now, START_MS));
}

/* Has a slot for one more worker of the database, unless it has enough; -1: none. */
static int
reserve(Oid database, int most)
{
	TimestampTz now = GetCurrentTimestamp();
	int n = 0, slot = -1;

	LWLockAcquire(&pool->head.lock, LW_EXCLUSIVE);
	for (int i = 0; i < EMBED_POOL_SLOTS; i++)
		if (is_free(&pool->slots[i], now))
			slot = i;
		else if (pool->slots[i].database == database)
			n++;
	if (n >= most)
		slot = -1;
	if (slot >= 0)
		pool->slots[slot] = (Slot){database, NULL, now};
	LWLockRelease(&pool->head.lock);
	return slot;
}

static void
give_back(int slot)
{
	LWLockAcquire(&pool->head.lock, LW_EXCLUSIVE);
	pool->slots[slot] = (Slot){InvalidOid, NULL, 0};
	LWLockRelease(&pool->head.lock);
}

static void
start(Oid database, int most)
{
	BackgroundWorker worker = {.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
							   .bgw_start_time = BgWorkerStart_RecoveryFinished,
							   .bgw_restart_time = BGW_NEVER_RESTART};
	int slot = reserve(database, most);

	if (slot < 0)
		return;
	strlcpy(worker.bgw_name, "maskgen embedding worker", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "maskgen embedding worker", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "maskgen", sizeof worker.bgw_library_name);
	strlcpy(worker.bgw_function_name, "maskgen_embed_worker", BGW_MAXLEN);
	worker.bgw_main_arg = Int32GetDatum(slot);
	memcpy(worker.bgw_extra, &database, sizeof database);
	if (!RegisterDynamicBackgroundWorker(&worker, NULL))
	{
		/* Not each commit asks again, and writes to the log: the slot is taken for some seconds. */
		LWLockAcquire(&pool->head.lock, LW_EXCLUSIVE);
		pool->slots[slot].started -= (START_MS - RETRY_MS) * INT64CONST(1000);
		LWLockRelease(&pool->head.lock);
		ereport(LOG, (errmsg("could not start a worker of maskgen"), errhint("Increase max_worker_processes. Queued rows are embedded when a worker starts later, or by CALL maskgen.embed_pending().")));
	}
}

static bool
may_start(void)
{
	attach();
	return IsUnderPostmaster && !IsBinaryUpgrade && !RecoveryInProgress() && maskgen_embed_workers > 0;
}

void
embed_pool_start(Oid database)
{
	attach();
	if (may_start())
		start(database, maskgen_embed_workers);
}

void
embed_pool_wake(void)
{
	bool is_there = false;

	attach();
	LWLockAcquire(&pool->head.lock, LW_SHARED);
	for (int i = 0; i < EMBED_POOL_SLOTS; i++)
		if (pool->slots[i].database == MyDatabaseId && pool->slots[i].latch != NULL)
		{
			SetLatch(pool->slots[i].latch);
			is_there = true;
		}
	LWLockRelease(&pool->head.lock);
	if (!is_there && may_start())
		start(MyDatabaseId, 1);
}

static void
leave(int code, Datum arg)
{
	if (own_slot >= 0)
		give_back(own_slot);
	own_slot = -1;
}

bool
embed_pool_enter(int slot)
{
	bool is_ours;

	attach();
	LWLockAcquire(&pool->head.lock, LW_EXCLUSIVE);
	is_ours = slot >= 0 && slot < EMBED_POOL_SLOTS && OidIsValid(pool->slots[slot].database) && pool->slots[slot].latch == NULL;
	if (is_ours)
		pool->slots[slot].latch = &MyProc->procLatch;
	LWLockRelease(&pool->head.lock);
	if (!is_ours)
		return false;
	own_slot = slot;
	before_shmem_exit(leave, (Datum) 0);
	return true;
}

TimestampTz
embed_pool_made(void)
{
	attach();
	return pool->made;
}

/* Under the lock; NULL: it has not been looked at. */
static Database *
find_database(Oid oid)
{
	for (int i = 0; i < pool->n_databases; i++)
		if (pool->databases[i].oid == oid)
			return &pool->databases[i];
	return NULL;
}

bool
embed_pool_is_wanted(Oid database)
{
	const Database *found;
	bool is_wanted;

	attach();
	LWLockAcquire(&pool->head.lock, LW_SHARED);
	found = find_database(database);
	is_wanted = found == NULL || found->has_columns;
	LWLockRelease(&pool->head.lock);
	return is_wanted;
}

void
embed_pool_tell(bool has_columns)
{
	Database *found;

	LWLockAcquire(&pool->head.lock, LW_EXCLUSIVE);
	found = find_database(MyDatabaseId);
	if (found == NULL && pool->n_databases < MOST_DATABASES)
		found = &pool->databases[pool->n_databases++];
	if (found != NULL)
		*found = (Database){MyDatabaseId, has_columns};
	LWLockRelease(&pool->head.lock);
}

/* Without a launcher the first session that loads the library looks. */
static void
look(void)
{
	if (OidIsValid(MyDatabaseId) && MyBackendType == B_BACKEND && may_start() && embed_pool_is_wanted(MyDatabaseId))
		start(MyDatabaseId, 1);
}

void
embed_pool_install(void)
{
	BackgroundWorker launcher = {.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
								 .bgw_start_time = BgWorkerStart_RecoveryFinished,
								 .bgw_restart_time = 5};

	if (!process_shared_preload_libraries_in_progress)
	{
		look();
		return;
	}
	if (IsBinaryUpgrade)
		return;
	strlcpy(launcher.bgw_name, "maskgen launcher", BGW_MAXLEN);
	strlcpy(launcher.bgw_type, "maskgen launcher", BGW_MAXLEN);
	strlcpy(launcher.bgw_library_name, "maskgen", sizeof launcher.bgw_library_name);
	strlcpy(launcher.bgw_function_name, "maskgen_embed_launcher", BGW_MAXLEN);
	RegisterBackgroundWorker(&launcher);
}
