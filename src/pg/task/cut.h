/*
 * What is told once a statement: a NOTICE with the number of texts that were
 * longer than their model takes, when maskgen.long_input is "notice", and a WARNING with the number of rows that have no result
 * because they failed, when maskgen.on_row_error is "null". A statement is
 * what the client sent: what its functions and triggers run, what the planner
 * computed for it and what parallel workers did is counted with it.
 */
#ifndef MASKGEN_PG_TASK_CUT_H
#define MASKGEN_PG_TASK_CUT_H

#include "postgres.h"
#include "core/ctx.h"

/* For _PG_init: sets hooks, and says how much shared memory is used. */
void cut_install(void);
Size cut_size(void);

/* Counts texts of this statement that were cut. */
void cut_count(uint64 n);

/* Counts a row that got NULL instead of this error. */
void row_error_count(const MgError *error);

#endif
