/*
 * What the processes of a parallel plan share about our node: how many of the
 * rows that a LIMIT asks for are taken.
 *
 * Without that each would compute as many as all together need. A process
 * takes its share of what is left, so that parts become smaller and all end
 * about together. Who finds nothing left goes on with a row, two, four: under
 * Gather Merge the rows that are wanted may all be here, whoever has taken
 * them. So what is computed in vain is limited, and no result depends on it.
 */
#include "pg/batch/scan.h"

#include "access/parallel.h"
#include "port/atomics.h"

struct BatchShared
{
	dsm_handle usage;
	uint64 n_processes;
	pg_atomic_uint64 taken;
};

Size
batch_share_estimate(CustomScanState *node, ParallelContext *context)
{
	return sizeof(BatchShared);
}

void
batch_share_initialize(CustomScanState *node, ParallelContext *context, void *piece)
{
	BatchScan *scan = (BatchScan *) node;

	scan->shared = piece;
	scan->shared->usage = batch_usage_share(scan);
	scan->shared->n_processes = (uint64) context->nworkers + 1;
	pg_atomic_init_u64(&scan->shared->taken, 0);
}

/* Counts of the scans before this one stay. */
void
batch_share_restart(CustomScanState *node, ParallelContext *context, void *piece)
{
	BatchScan *scan = (BatchScan *) node;

	scan->shared = piece;
	pg_atomic_write_u64(&scan->shared->taken, 0);
}

void
batch_share_attach(CustomScanState *node, shm_toc *toc, void *piece)
{
	BatchScan *scan = (BatchScan *) node;

	scan->shared = piece;
	batch_usage_attach(scan, scan->shared->usage);
}

/* The leader's part of the plan's memory may go. */
void
batch_share_end(CustomScanState *node)
{
	BatchScan *scan = (BatchScan *) node;

	batch_usage_report(scan);
	scan->shared = NULL;
}

uint64
batch_share_take(BatchScan *scan, uint64 most)
{
	uint64 taken = pg_atomic_read_u64(&scan->shared->taken);

	while (taken < (uint64) scan->bound)
	{
		uint64 left = (uint64) scan->bound - taken;

		scan->taken = Min(most, (left + scan->shared->n_processes - 1) / scan->shared->n_processes);
		if (pg_atomic_compare_exchange_u64(&scan->shared->taken, &taken, taken + scan->taken))
			return scan->taken;
	}
	scan->taken = 0;
	return Min(most, Max(scan->n_beyond, 1));
}

void
batch_share_settle(BatchScan *scan)
{
	uint64 n = (uint64) scan->n;

	if (n < scan->taken && scan->shared != NULL)
		pg_atomic_fetch_sub_u64(&scan->shared->taken, (int64) (scan->taken - n));
	if (scan->taken == 0)
		scan->n_beyond += n;
	scan->taken = 0;
}
