/*
 * Many texts through a model: what embedding and classifying share.
 *
 *   texts      a b a c d ...        of any number, taken window by window
 *   distinct   a b c d ...          equal texts are computed once
 *   sequences  a0 a1 b0 b1 ...      n_parts of each, made by the task
 *   batches    | b0 a0 | b1 a1 ...  of similar lengths, up to the model's batch_tokens
 *   results    a b a c d ...        in the order of the texts
 *
 * A window holds as many texts as give 64 full batches, so memory does not
 * grow with their number. Texts that are equal but lie in different windows
 * are computed again. One text alone goes straight to the model.
 *
 * Errors come in the order of the texts within a window, before any of it is
 * computed; or, where a task has refusals, each text has its own.
 */
#ifndef MG_TASK_SCHEDULE_H
#define MG_TASK_SCHEDULE_H

#include "task/input.h"

typedef struct MgTask MgTask;

/* The first member of a task's own struct. */
struct MgTask
{
	const MgRun *run;
	size_t n_parts; /* sequences of each text, at least 1 */
	const MgRefusals *refusals; /* NULL: a text that is refused ends the call */

	/* The sequences [n_parts] of a text, zeroed before, in arena memory; sets n and ids. n is 1 .. max_tokens. */
	bool (*fill)(const MgTask *task, MgSpan text, MgSequence *sequences);

	/* One forward pass over sequences [n]; each says whose it is. What it leaves in the arena is rewound. */
	bool (*run_batch)(const MgTask *task, const MgSequence *sequences, size_t n);

	/* Gives a text the result of an equal one, by their numbers. Results may be of any type and length: they are the task's. */
	bool (*copy)(const MgTask *task, size_t from, size_t to);

	/* Where copy is NULL, results are rows of numbers: out [n texts, n_out]. */
	float *out;
	size_t n_out;
};

/* Runs the task for texts [n]. Adds to the run's usage: rows are texts that were not refused, tokens what ran. Polls. */
bool mg_task_run(const MgTask *task, const MgSpan *texts, size_t n);

#endif
