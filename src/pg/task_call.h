/*
 * A task as SQL calls it: one function of one input text, whose other
 * arguments stay the same from row to row. Whoever has many inputs at hand -
 * an array, a batch of a plan (plan_batch*.c), the rows of a statement - hands
 * them over together, and the scalar functions are the case n = 1.
 *
 *   task_call()   asks the result cache, computes what is missing in one run
 *                 of the model, identical inputs once, and remembers it
 *
 * Everything that a scalar call does happens here, once a batch: privileges,
 * statistics, errors, cancellation.
 */
#ifndef MASKGEN_PG_TASK_CALL_H
#define MASKGEN_PG_TASK_CALL_H

#include "postgres.h"
#include "fmgr.h"
#include "pg/session.h"

#define TASK_MOST_ARGS 5

typedef struct TaskCall TaskCall;

typedef struct TaskFunction
{
	const char *symbol; /* of the C function, as pg_proc.prosrc has it: "maskgen_embed" */
	int n_args;
	int input;	   /* position of the input text; or */
	int model;	   /* -1: the model that a setting names */
	bool strict;   /* classify_as is not: its enum argument is NULL by design */

	/* Results of inputs [n], n > 0, none NULL, in the current memory context; ends by model_use_end. */
	void (*run)(TaskCall *call, const MgSpan *inputs, int n, Datum *results);
} TaskFunction;

/* What calls cost, added up by task_call; for EXPLAIN. */
typedef struct TaskUsage
{
	MgUsage model;	   /* rows, tokens and batches that a model computed */
	uint64 inputs;	   /* rows asked for */
	uint64 cache_hits; /* of them, answered from the result cache */
	instr_time time;
} TaskUsage;

/* One place of a call in a statement. Zeroed but for the first three before its first use. */
struct TaskCall
{
	const TaskFunction *function;
	FmgrInfo *flinfo;		   /* for types of arguments; its memory context is that of state */
	Datum args[TASK_MOST_ARGS]; /* detoasted, none NULL where strict; the one at position input is ignored */
	bool nulls[TASK_MOST_ARGS];
	TaskUsage usage;
	void *state; /* the function's own, kept from call to call */
};

/* The task behind a function of this extension, by its OID; NULL for all others. Cheap: remembered until pg_proc changes. */
const TaskFunction *task_function_of(Oid function);

/* Results of inputs [n], n > 0, in the current memory context. */
void task_call(TaskCall *call, const MgSpan *inputs, int n, Datum *results);

/* The model that a call names, for EXPLAIN; palloc'd. */
char *task_call_model(const TaskCall *call);

#endif
