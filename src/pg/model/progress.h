/*
 * What is being computed right now, for maskgen_stat_progress, and how many tokens a statement has computed.
 *
 * A work is one verb on one model in one process; it has a slot in shared memory from its first row to the end of the statement, of the
 * outermost one. There are 64 slots: a work that finds none free is counted, but not shown. The owner of a slot alone writes
 * it, and takes no lock for that: who reads repeats what changed meanwhile.
 *
 * A parallel worker has slots of its own. When it ends they become its leader's, which frees them with its own. A slot whose process is gone, in
 * whatever way, is free.
 */
#ifndef MASKGEN_PG_MODEL_PROGRESS_H
#define MASKGEN_PG_MODEL_PROGRESS_H

#include "postgres.h"
#include "model/run.h"

#define PROGRESS_SLOTS 64

/* For _PG_init. */
void progress_install(void);
Size progress_size(void);

/*
 * From now on rows and tokens are counted for this work. verb is a constant, such as "generate"; rows that the plan expects of this process, or
 * 0 where nobody knows.
 */
void progress_begin(const char *verb, const char *model, double expected);

/* Rows that are done. */
void progress_rows(uint64 n);

/* A model is at work, and adds to that usage; with NULL it has ended, and what it used is counted for good. */
void progress_watch(const MgUsage *usage);

/* The statement is over. */
void progress_end(void);

/*
 * A plan is about to begin; and one of its nodes, which is expected to compute so many tokens in so many rows. Refuses by
 * maskgen.statement_tokens.
 */
void progress_expect(void);
void progress_expect_tokens(double rows, double tokens);

#endif
