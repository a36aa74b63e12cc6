/*
 * A task as SQL calls it: one function of one input text, whose other
 * arguments stay the same from row to row. Whoever has many inputs at hand -
 * a batch of a plan (plan_batch*.c), the rows of a statement - hands them over
 * together, and the scalar functions are the case n = 1.
 *
 *   task_call()   finds results in the shared cache, and computes all others in one run of the model
 *
 * Everything that a scalar call does happens here, once a batch: privileges,
 * statistics, errors, cancellation.
 */
#ifndef MASKGEN_PG_TASK_CALL_H
#define MASKGEN_PG_TASK_CALL_H

#include "postgres.h"
#include "pg/model/session.h"
#include "pg/task/function.h"

/* What an input failed of. */
typedef struct TaskError
{
	MgError error;
	bool of_row; /* the input's own: it is refused, and others are not; else the call as a whole has failed, and all have this error */
} TaskError;

/* What calls cost, added up by task_call; for EXPLAIN. */
typedef struct TaskUsage
{
	MgUsage model;	   /* rows, tokens and batches that a model computed */
	uint64 inputs;	   /* rows asked for */
	uint64 cache_hits; /* of them, answered without computing */
	instr_time time;
} TaskUsage;

/* One place of a call in a statement. Zeroed but for the first four before its first use. */
struct TaskCall
{
	const TaskFunction *function;
	FmgrInfo *flinfo;			/* for types of arguments; its memory context is that of state */
	Datum args[TASK_MOST_ARGS]; /* the input's is ignored */
	bool nulls[TASK_MOST_ARGS]; /* only of an enum */
	double expected; /* inputs of the whole scan, by the plan; 0: not known */
	TaskUsage usage;
	ModelUse use; /* of the last run; entry and version of the last task_call, which may have found all */
	void *state;  /* the function's own, kept from call to call */
	size_t extra_tokens; /* that the model puts around a text; 0 before the first run */
	uint8 digest[DIGEST_SIZE]; /* of the model of the last run */

	/* Of the run at hand: an error for each input that is refused, else NULL; NULL: errors are thrown. */
	const TaskError **errors;		/* [inputs] */
	const TaskError *failed;		/* the run as a whole */
	MgRefusals refusals;
	int n_done; /* inputs before those that the library has now */
	bool *cut;	  /* [inputs] to be set for those that are cut */
	uint64 n_cut; /* inputs of the last task_call that were */
};

/*
 * Results of inputs [n], none NULL, in the current memory context; from the result cache if they are there. With errors
 * [n], an input that the library refuses (it is too long, say) has its error there, and no result; the others have NULL.
 * Without, the first such error is thrown.
 */
void task_call(TaskCall *call, const MgSpan *inputs, int n, Datum *results, const TaskError **errors);

/* The same without the cache, and uncounted. */
void task_run(TaskCall *call, const MgSpan *inputs, int n, Datum *results, const TaskError **errors);

/* Throws an error of the last task_call, and counts it. */
void task_throw(const TaskCall *call, const TaskError *error) __attribute__((noreturn));

/* The result of an input with an error is NULL, by maskgen.on_row_error, which is counted; or the error is thrown. */
void task_null_or_throw(const TaskCall *call, const TaskError *error);

/* The name of the model that a call uses; palloc'd. */
char *task_call_model(const TaskCall *call);

/*
 * For run: as model_use_begin and model_use_end of call->use, adding to its usage. task_end returns false where there are no
 * results, and the error is kept for all inputs.
 */
void task_begin(TaskCall *call);
bool task_end(TaskCall *call, bool fine);

/* For run: who hears of refused inputs from number n_done on; and whether one was. */
const MgRefusals *task_refusals(TaskCall *call, int n_done);
bool task_refused(const TaskCall *call, int input);

/* The value of the call's enum type that has this label; refuses one that this transaction may still roll back. */
Datum task_enum_datum(const TaskCall *call, const char *label);

/* The body of each task's SQL function. */
Datum task_scalar(FunctionCallInfo fcinfo, const TaskFunction *function);

#endif
