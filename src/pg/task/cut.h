/*
 * Texts that were longer than their model takes, told once a statement: a
 * NOTICE with their number, when maskgen.long_input is "notice". A statement is
 * what the client sent: what its functions and triggers run, what the planner
 * computed for it and what parallel workers did is counted with it.
 */
#ifndef MASKGEN_PG_TASK_CUT_H
#define MASKGEN_PG_TASK_CUT_H

#include "postgres.h"

/* For _PG_init: sets hooks, and says how much shared memory is used. */
void cut_install(void);
Size cut_size(void);

/* Counts texts of this statement that were cut. */
void cut_count(uint64 n);

#endif
