/* The state of our plan node, for its executor (batch/scan.c, batch/window.c), its parallel workers (batch/share.c) and
 * what it tells (batch/usage.c).
 */
#ifndef MASKGEN_PG_BATCH_SCAN_H
#define MASKGEN_PG_BATCH_SCAN_H

#include "postgres.h"
#include "nodes/execnodes.h"
#include "nodes/extensible.h"
#include "pg/task/call.h"
#include "storage/dsm.h"

/* One call, and its values for the rows of the window. */
typedef struct BatchCall
{
	TaskCall call;
	FmgrInfo function;
	ExprState *args[TASK_MOST_ARGS]; /* NULL of an enum */
	int input;						 /* its position */
	bool is_column;					 /* the input, of the child's row */
	bool varies;					 /* options differ from row to row: rows with the same are computed when the first of them is asked for */
	Datum (*options)[TASK_MOST_ARGS]; /* [capacity]; of such a call, but for the input */
	bool *made;						 /* [capacity] */
	char *model;					 /* its name, once it was called */
	MgSpan *inputs;					 /* [capacity] */
	Datum *results;					 /* [capacity] */
	bool *nulls;					 /* [capacity]; no call is made */
	const TaskError **errors;			 /* [capacity] of inputs that the library refuses, else NULL; thrown when their row is asked for */
} BatchCall;

typedef struct BatchUsage BatchUsage;
typedef struct BatchShared BatchShared;
typedef struct BatchMerge BatchMerge;

typedef struct BatchScan
{
	CustomScanState custom;
	int n_calls, n_columns; /* columns of the child */
	BatchCall *calls;		/* [n_calls] */
	ExprState *limit, *offset; /* NULL: none */
	bool all, is_bound;		   /* as of BatchDemand */

	/* The window: rows that were read together. */
	MemoryContext memory; /* of all that belongs to it but for the arrays */
	int capacity;		  /* of arrays */
	MinimalTuple *rows;	  /* [capacity] of the child */
	int n, next;		  /* rows in it; the one to put out next */
	TupleTableSlot *row;  /* the one at hand */
	Size row_size;		  /* bytes that a row of the last window took; 0: there was none */

	/* Since the scan began */
	bool started, exhausted;
	uint64 n_read;
	int64 bound; /* rows that the limit asks for; -1: any number */
	uint64 taken;	 /* for this window, of the rows that processes share */
	uint64 n_beyond; /* rows read after all of these were taken */

	BatchUsage *usage; /* [n_calls], shared with parallel workers; NULL: with nobody */
	dsm_segment *usage_segment;
	BatchMerge *merge;	 /* below a MERGE, whose actions the calls are; NULL: not */
	BatchShared *shared; /* in the plan's shared memory; NULL: no process beside this one */
} BatchScan;

/* Fills the window with the next rows of the child and makes the calls; false if there are no more. */
bool batch_window_next(BatchScan *scan);

/* Makes a call whose options vary for a row, and for all others of the window that have the same. */
void batch_window_make(BatchScan *scan, BatchCall *call, int row);

/*
 * Of a node below a MERGE: reads what batch/merge.c wrote, when the calls are prepared; a call as it is computed.
 */
void batch_merge_begin(BatchScan *scan, const List *description);
FuncExpr *batch_merge_call(const List *description, int call);
void batch_merge_end(BatchScan *scan);

/* Looks at a row of the window and reads the inputs of calls that it needs now; returns whether there are any. Tokens become no less than those have. */
bool batch_merge_look(BatchScan *scan, int row, size_t *tokens);

/* Reads the input of a call for the row that is shown, in the current memory context; returns its tokens. */
size_t batch_window_read(BatchScan *scan, BatchCall *call, int row);

/* Shows a row of the window to expressions. */
void batch_window_show(BatchScan *scan, int row);

/* Frees the window; and lets the next one be the first, before the child is scanned again. */
void batch_window_forget(BatchScan *scan);
void batch_window_restart(BatchScan *scan);

/* What the plan expects of a call: rows of all processes, and tokens that it reads and draws for one. */
typedef struct BatchEstimate
{
	double rows, read, drawn;
} BatchEstimate;

BatchEstimate batch_scan_estimate(const CustomScan *plan, int call);

/* Callbacks of the node. */
void batch_usage_explain(CustomScanState *node, List *ancestors, ExplainState *state);
Size batch_share_estimate(CustomScanState *node, ParallelContext *context);
void batch_share_initialize(CustomScanState *node, ParallelContext *context, void *piece);
void batch_share_restart(CustomScanState *node, ParallelContext *context, void *piece);
void batch_share_attach(CustomScanState *node, shm_toc *toc, void *piece);
void batch_share_end(CustomScanState *node);

/*
 * Rows that this process shall read next, so many at most: its part of those that a LIMIT asks for. Afterwards, when the window
 * has them, what the child did not have is given back.
 */
uint64 batch_share_take(BatchScan *scan, uint64 most);
void batch_share_settle(BatchScan *scan);

/* Memory for the counts of workers, if somebody wants them; a worker's use of it; and a worker's counts, to the leader. */
dsm_handle batch_usage_share(BatchScan *scan);
void batch_usage_attach(BatchScan *scan, dsm_handle handle);
void batch_usage_report(BatchScan *scan);

/* For the end of the node. */
void batch_usage_detach(BatchScan *scan);

#endif
