/*
 * What the SQL functions of tasks are, declared once: their arguments by name and type, what they give, and what a call
 * costs. fmgr's entry points, the planner's estimates, the node that computes batches and the result cache all read it, and a
 * function that pg_proc describes otherwise is none of them (task_function_of).
 */
#ifndef MASKGEN_PG_TASK_FUNCTION_H
#define MASKGEN_PG_TASK_FUNCTION_H

#include "postgres.h"
#include "core/span.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

#define TASK_MOST_ARGS 10

typedef enum TaskType
{
	TASK_TEXT,
	TASK_TEXTS, /* text[] */
	TASK_INT,
	TASK_BOOL,
	TASK_REAL,
	TASK_BIGINT,
	TASK_JSONB,
	TASK_ENUM /* a NULL that has the type of an enum; functions are strict but for it */
} TaskType;

typedef enum TaskResult
{
	TASK_VARLENA, /* text, a vector */
	TASK_VALUE,	  /* passed by value: float4, float8, int */
	TASK_LABEL,	  /* a value of the enum that an argument has the type of */
	TASK_SET	  /* rows, or what stands for several results: computed by the function itself */
} TaskResult;

/* What the planner's estimate goes by. */
typedef enum TaskCost
{
	TASK_COST_EMBED,
	TASK_COST_FILL_MASK,
	TASK_COST_CLASSIFY,
	TASK_COST_TOKENIZE,
	TASK_COST_GENERATE,
	TASK_COST_SCORE, /* an input, alone or beside a text that all share */
	TASK_COST_WORDS	 /* all tokens pass the head that fills masks */
} TaskCost;

/*
 * The name is that of the SQL function's argument, and says what it is: "model" (without one a setting names the model),
 * "input" (or "inputs"), or where there is none "document" or "prompt", is the text, and it alone differs from row to row in a batch.
 */
typedef struct TaskArg
{
	const char *name;
	TaskType type;
} TaskArg;

typedef struct TaskCall TaskCall;

typedef struct TaskFunction
{
	const char *symbol; /* of the C function, as pg_proc.prosrc has it: "maskgen_embed" */
	PGFunction address;
	int n_args;
	TaskArg args[TASK_MOST_ARGS];
	char **setting; /* NULL: an argument names the model */
	TaskResult result;
	TaskCost cost;

	/*
	 * Results of inputs [n], n > 0, in the current memory context, between task_begin and task_end; refused ones are left out.
	 * NULL for TASK_SET.
	 */
	void (*run)(TaskCall *call, const MgSpan *inputs, int n, Datum *results);

	/* Appends what a result depends on and the arguments do not say; for those with an enum. */
	void (*describe)(TaskCall *call, StringInfo bytes);
} TaskFunction;

/*
 * The task behind a function of this extension, by its OID; NULL for all others, and for one that somebody has given
 * settings or another owner's rights, since only fmgr obeys these; and for those without run. Cheap: remembered until
 * pg_proc changes.
 */
const TaskFunction *task_function_of(Oid function);

/* The same for any function that is described, whatever its settings are: for estimates. */
const TaskFunction *task_description_of(Oid function);

/* The task of that symbol, or NULL. */
const TaskFunction *task_function_named(const char *symbol);

/* The position of an argument; -1: there is none of that name. */
int task_arg(const TaskFunction *function, const char *name);

/* What a function does, as its SQL name says: "generate". */
const char *task_verb(const TaskFunction *function);

/* That of the text. */
int task_input(const TaskFunction *function);

static inline bool
task_type_by_value(TaskType type)
{
	return type != TASK_TEXT && type != TASK_TEXTS && type != TASK_JSONB;
}

static inline bool
task_result_by_value(const TaskFunction *function)
{
	return function->result != TASK_VARLENA;
}

/* Those of each file. */
extern const TaskFunction embed_tasks[], classify_tasks[], fill_mask_tasks[], tokenize_tasks[], generate_tasks[], score_tasks[], tag_tasks[],
	multi_tasks[], mask_state_tasks[], likelihood_tasks[], choose_tasks[];
extern const int n_embed_tasks, n_classify_tasks, n_fill_mask_tasks, n_tokenize_tasks, n_generate_tasks, n_score_tasks, n_tag_tasks,
	n_multi_tasks, n_mask_state_tasks, n_likelihood_tasks, n_choose_tasks;

#endif
