/* Works in shared memory; see model/progress.h. */
#include "pg/model/progress.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/host.h"
#include "pg/shared.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(maskgen_progress);

/* Works of one process that are told apart; more are counted with the last one. */
#define MOST_WORKS 8

/* Tokens after which other processes of a parallel statement are asked what they have. */
#define LOOK_AFTER 256

/* Times that a reader tries to see a slot that does not change. */
#define MOST_TRIES 1000

#define VERB_SIZE 32

/* What a slot is of. */
typedef struct Identity
{
	int leader; /* process of the parallel statement's leader, or its own */
	Oid database, role;
	char verb[VERB_SIZE], model[NAMEDATALEN];
	double expected; /* rows; 0: not known */
	TimestampTz since;
} Identity;

typedef struct Slot
{
	pg_atomic_uint32 process; /* 0: free */
	pg_atomic_uint32 changes; /* odd while the identity is written */
	Identity identity;
	pg_atomic_uint64 rows, tokens, new_tokens;
} Slot;

typedef struct Table
{
	SharedHead head; /* whose lock nobody takes */
	Slot slots[PROGRESS_SLOTS];
} Table;

/* A work of this process; its counts, without those of the usage that is watched. */
typedef struct Work
{
	const char *verb;
	char model[NAMEDATALEN];
	Slot *slot; /* NULL: none was free */
	uint64 rows, tokens, new_tokens;
} Work;

static Table *table;
static Work works[MOST_WORKS];
static int n_works;
static Work *current; /* NULL: nothing is at work */
static const MgUsage *watched;

/* Tokens of this process in this statement, but for those of the usage that is watched; and how many there were at the last look at others. */
static uint64 n_tokens, n_tokens_looked, n_tokens_others;
static double n_expected; /* of the plan that has begun last */
static bool exit_registered;

Size
progress_size(void)
{
	return MAXALIGN(sizeof(Table));
}

static void
init_table(void *piece)
{
	Table *fresh = piece;

	for (int i = 0; i < PROGRESS_SLOTS; i++)
	{
		Slot *slot = &fresh->slots[i];

		pg_atomic_init_u32(&slot->process, 0);
		pg_atomic_init_u32(&slot->changes, 0);
		pg_atomic_init_u64(&slot->rows, 0);
		pg_atomic_init_u64(&slot->tokens, 0);
		pg_atomic_init_u64(&slot->new_tokens, 0);
	}
}

static void
attach(void)
{
	if (table == NULL)
		table = shared_piece("maskgen_progress", progress_size(), init_table);
}

static int
leader_process(void)
{
	return MyProc->lockGroupLeader != NULL ? MyProc->lockGroupLeader->pid : MyProcPid;
}

/* A free slot, or one whose process is gone; NULL: there is none. */
static Slot *
take_slot(void)
{
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < PROGRESS_SLOTS; i++)
		{
			Slot *slot = &table->slots[i];
			uint32 process = pg_atomic_read_u32(&slot->process);

			if ((process == 0 || (pass == 1 && BackendPidGetProc((int) process) == NULL)) &&
				pg_atomic_compare_exchange_u32(&slot->process, &process, (uint32) MyProcPid))
				return slot;
		}
	return NULL;
}

static void
write_identity(Slot *slot, const Identity *identity)
{
	pg_atomic_fetch_add_u32(&slot->changes, 1);
	pg_write_barrier();
	slot->identity = *identity;
	pg_atomic_write_u64(&slot->rows, 0);
	pg_atomic_write_u64(&slot->tokens, 0);
	pg_atomic_write_u64(&slot->new_tokens, 0);
	pg_write_barrier();
	pg_atomic_fetch_add_u32(&slot->changes, 1);
}

static void
free_slots(void)
{
	for (int i = 0; table != NULL && i < PROGRESS_SLOTS; i++)
		if (pg_atomic_read_u32(&table->slots[i].process) == (uint32) MyProcPid)
			pg_atomic_write_u32(&table->slots[i].process, 0);
}

static void
free_at_exit(int code, Datum unused)
{
	free_slots();
}

static Work *
make_work(const char *verb, const char *model, double expected)
{
	Identity identity = {leader_process(), MyDatabaseId, GetSessionUserId(), .expected = expected, .since = GetCurrentTimestamp()};
	Work *work = &works[n_works];

	if (n_works == MOST_WORKS)
		return &works[MOST_WORKS - 1];
	attach();
	if (!exit_registered)
		before_shmem_exit(free_at_exit, (Datum) 0);
	exit_registered = true;
	*work = (Work){.verb = verb, .slot = take_slot()};
	strlcpy(work->model, model, sizeof work->model);
	strlcpy(identity.verb, verb, sizeof identity.verb);
	strlcpy(identity.model, model, sizeof identity.model);
	if (work->slot != NULL)
		write_identity(work->slot, &identity);
	n_works++;
	return work;
}

void
progress_begin(const char *verb, const char *model, double expected)
{
	for (int i = 0; i < n_works; i++)
		if (works[i].verb == verb && strcmp(works[i].model, model) == 0)
		{
			current = &works[i];
			return;
		}
	current = make_work(verb, model, expected);
}

/* Shows what the current work has, and what runs. */
static void
publish(void)
{
	uint64 rows = current->rows, tokens = current->tokens, new_tokens = current->new_tokens;

	if (current->slot == NULL)
		return;
	if (watched != NULL)
	{
		rows += watched->answers;
		tokens += watched->tokens;
		new_tokens += watched->new_tokens;
	}
	pg_atomic_write_u64(&current->slot->rows, rows);
	pg_atomic_write_u64(&current->slot->tokens, tokens);
	pg_atomic_write_u64(&current->slot->new_tokens, new_tokens);
}

void
progress_rows(uint64 n)
{
	if (current == NULL)
		return;
	current->rows += n;
	publish();
}

/* What the other processes of a parallel statement have computed, those that have ended among them. */
static uint64
tokens_of_others(void)
{
	int leader = leader_process();
	uint64 n = 0;

	if (MyProc->lockGroupLeader == NULL)
		return 0;
	attach();
	for (int i = 0; i < PROGRESS_SLOTS; i++)
	{
		Slot *slot = &table->slots[i];
		bool mine = false;

		for (int k = 0; k < n_works; k++)
			mine = mine || works[k].slot == slot;
		if (!mine && pg_atomic_read_u32(&slot->process) != 0 && slot->identity.leader == leader)
			n += pg_atomic_read_u64(&slot->tokens);
	}
	return n;
}

static void
check_tokens(void)
{
	uint64 own = n_tokens + (watched != NULL ? watched->tokens : 0);

	if (maskgen_statement_tokens == 0)
		return;
	if (own >= n_tokens_looked + LOOK_AFTER)
	{
		n_tokens_others = tokens_of_others();
		n_tokens_looked = own;
	}
	if (own + n_tokens_others > (uint64) maskgen_statement_tokens)
		ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg("statement has computed more tokens than it may"),
						errdetail("It has computed %llu, and maskgen.statement_tokens is %d.", (unsigned long long) (own + n_tokens_others),
								  maskgen_statement_tokens),
						errhint("Compute fewer rows or shorter texts in a statement, lower max_tokens, or raise maskgen.statement_tokens.")));
}

void
progress_expect(void)
{
	n_expected = 0;
}

void
progress_expect_tokens(double rows, double tokens)
{
	n_expected += tokens;
	if (maskgen_statement_tokens > 0 && (double) n_tokens + n_expected > (double) maskgen_statement_tokens)
		ereport(ERROR, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED), errmsg("statement would compute more tokens than it may"),
						errdetail("It is expected to compute %.0f in %.0f rows, and maskgen.statement_tokens is %d.", (double) n_tokens + n_expected, rows,
								  maskgen_statement_tokens),
						errhint("EXPLAIN shows the estimate, ANALYZE of the tables makes it better. Compute fewer rows in a statement, lower max_tokens, or raise "
								"maskgen.statement_tokens.")));
}

void
progress_watch(const MgUsage *usage)
{
	if (usage == NULL && watched != NULL)
	{
		n_tokens += watched->tokens;
		if (current != NULL)
		{
			current->tokens += watched->tokens;
			current->new_tokens += watched->new_tokens;
		}
	}
	watched = usage;
	if (current != NULL)
		publish();
}

void
progress_end(void)
{
	if (n_works > 0)
		free_slots();
	n_works = 0;
	current = NULL;
	watched = NULL;
	n_tokens = n_tokens_looked = n_tokens_others = 0;
	n_expected = 0;
}

/* Between steps of a model: may throw, as CHECK_FOR_INTERRUPTS does. */
static void
polled(void)
{
	if (watched == NULL)
		return;
	if (current != NULL)
		publish();
	check_tokens();
}

/* A worker's slots are its leader's when it ends, before the leader goes on. */
static void
hand_over(void)
{
	int leader = leader_process();

	for (int i = 0; i < n_works; i++)
		if (works[i].slot != NULL && leader != MyProcPid)
			pg_atomic_write_u32(&works[i].slot->process, (uint32) leader);
	n_works = 0;
	current = NULL;
}

/* What an error has left may be gone. */
static void
forget_usage(void)
{
	if (watched != NULL && current != NULL && current->slot != NULL)
	{
		uint64 tokens = pg_atomic_read_u64(&current->slot->tokens);

		/* As it was shown last. */
		n_tokens += tokens - current->tokens;
		current->tokens = tokens;
		current->new_tokens = pg_atomic_read_u64(&current->slot->new_tokens);
	}
	watched = NULL;
}

static void
end_transaction(XactEvent event, void *unused)
{
	if (event == XACT_EVENT_PARALLEL_PRE_COMMIT)
		hand_over();
	else if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT)
		progress_end();
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId id, SubTransactionId parent, void *unused)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_usage();
}

void
progress_install(void)
{
	host_polled = polled;
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}

/* -------------------------------------------------------------------- view */

/* A slot as it was at one moment; false if it is free, or was taken and freed all the time. */
static bool
read_slot(Slot *slot, uint32 *process, Identity *identity, uint64 counts[3])
{
	for (int i = 0; i < MOST_TRIES; i++)
	{
		uint32 changes = pg_atomic_read_u32(&slot->changes);

		pg_read_barrier();
		*process = pg_atomic_read_u32(&slot->process);
		*identity = slot->identity;
		counts[0] = pg_atomic_read_u64(&slot->rows);
		counts[1] = pg_atomic_read_u64(&slot->tokens);
		counts[2] = pg_atomic_read_u64(&slot->new_tokens);
		pg_read_barrier();
		if (changes % 2 == 0 && changes == pg_atomic_read_u32(&slot->changes))
			return *process != 0 && identity->since != 0;
	}
	return false;
}

Datum
maskgen_progress(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz now = GetCurrentTimestamp();

	attach();
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < PROGRESS_SLOTS; i++)
	{
		uint32 process;
		Identity identity;
		uint64 counts[3];
		Datum values[12] = {0};
		bool nulls[12] = {false};
		double seconds;

		if (!read_slot(&table->slots[i], &process, &identity, counts) || BackendPidGetProc((int) process) == NULL)
			continue;
		values[0] = Int32GetDatum((int32) process);
		values[1] = Int32GetDatum(identity.leader);
		nulls[1] = identity.leader == (int) process;
		values[2] = ObjectIdGetDatum(identity.database);
		values[3] = ObjectIdGetDatum(identity.role);
		if (has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) || has_privs_of_role(GetUserId(), identity.role))
		{
			seconds = (double) (now - identity.since) / 1e6;
			values[4] = CStringGetTextDatum(identity.model);
			values[5] = CStringGetTextDatum(identity.verb);
			values[6] = Int64GetDatum((int64) counts[0]);
			values[7] = Int64GetDatum((int64) identity.expected);
			nulls[7] = identity.expected <= 0;
			values[8] = Int64GetDatum((int64) counts[1]);
			values[9] = Int64GetDatum((int64) counts[2]);
			values[10] = Float8GetDatum(seconds > 0 ? (double) counts[1] / seconds : 0);
			nulls[10] = seconds <= 0;
			values[11] = TimestampTzGetDatum(identity.since);
		}
		else
			memset(nulls + 4, true, 8);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
