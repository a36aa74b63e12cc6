/*
 * The models that this backend has bound, and one call of a task on one of
 * them:
 *
 *     ModelUse use;
 *     model_use_begin(&use, name);              privileges, weights, binding
 *     fine = mg_embed(&use.run, ...);
 *     model_use_end(&use, fine);                statistics; throws unless fine
 *
 * use.run.cx is the backend's one scratch context: it keeps its memory from call
 * to call, and begin resets it, so nothing in it outlives the next begin. An
 * error or a cancel in between needs no clean-up for that reason.
 */
#ifndef MASKGEN_PG_MODEL_SESSION_H
#define MASKGEN_PG_MODEL_SESSION_H

#include "postgres.h"
#include "pg/model/catalog.h"
#include "portability/instr_time.h"
#include "task/input.h"

typedef struct ModelUse
{
	const ModelEntry *entry;
	uint64 version; /* of the catalog that entry is from */
	MgRun run;
	MgUsage usage; /* that run adds to: a use is not copied */
	instr_time start;
	bool is_work; /* its rows are counted for progress */
} ModelUse;

void model_use_begin(ModelUse *use, const char *name);

/* The same of a call that is shown as a work of its own (model/progress.h), which those of tasks are anyway. */
void model_use_begin_as(ModelUse *use, const char *name, const char *verb);

void model_use_end(ModelUse *use, bool fine);

/* Counts an error that is thrown later than its use ended. */
void session_count_error(const uint8 *digest);

/* Counts results of a model that were still at hand, and the call, unless a run counts it. */
void session_count_hits(const uint8 *digest, int n, bool call);

/* The form that models are resident in, by maskgen.matmul. */
MgForm session_form(void);

/* "avx512", "avx2 openblas", "avx512vnni int8": what computes a model here and now. */
const char *session_kernel(const ModelEntry *entry);

#endif
