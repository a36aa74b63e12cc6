/* mg bench: throughput of the library over the lines of a file. */
#ifndef MG_CLI_BENCH_H
#define MG_CLI_BENCH_H

#include "model/run.h"

/*
 * task "embed", "classify" (labels world, sports, business, technology, one
 * mask, sequences of at most 62 tokens) or "generate" (MG_MAX_TOKENS behind each
 * line, MG_ROUNDS times). Prints one JSON line a round: texts,
 * tokens, seconds for all of them in batches; and for "embed" the latency of
 * single short calls.
 */
bool bench_run(const MgRun *run, const char *task, const char *file);

#endif
