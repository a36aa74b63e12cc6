/* The settings, as the C variables behind them. */
#ifndef MASKGEN_PG_GUC_H
#define MASKGEN_PG_GUC_H

#include "postgres.h"
#include "core/cpu.h"
#include "task/input.h"

/* maskgen.long_input: MG_LONG_ERROR, MG_LONG_TRUNCATE, or this, which is MG_LONG_TRUNCATE with a NOTICE. */
#define MASKGEN_LONG_NOTICE 2

#define MASKGEN_MOST_THREADS 64

/* maskgen.on_row_error */
#define MASKGEN_ROW_ERROR 0
#define MASKGEN_ROW_NULL 1

/* maskgen.cpu: an MgCpuLevel, or this for the best that the machine has. */
#define MASKGEN_CPU_AUTO (-1)

extern char *maskgen_embed_model;	 /* "": none */
extern char *maskgen_classify_model; /* "": none */
extern int maskgen_long_input;		 /* see above */
extern int maskgen_on_row_error;	 /* see above */
extern int maskgen_threads;
extern int maskgen_max_threads;		 /* caps the one above */
extern int maskgen_batch_tokens;
extern int maskgen_cpu;				 /* MgCpuLevel or MASKGEN_CPU_AUTO */
extern int maskgen_matmul;			 /* MgProvider */
extern int maskgen_kv_memory;		 /* kB of keys of the texts that a call generates together */
extern int maskgen_statement_tokens; /* 0: no limit */
extern int maskgen_embed_workers;	 /* of a database */
extern int maskgen_embed_worker_nice;
extern bool maskgen_enable_batching;
extern int maskgen_max_model_memory; /* MB that all resident models may take together, 0 for no limit */
extern int maskgen_result_cache_size; /* kB; 0 for none */
extern bool maskgen_enable_result_cache;
extern int maskgen_prompt_cache_size; /* the same */
extern bool maskgen_enable_prompt_cache;

/* Whether a plan of this session may hold results of models; a setting that they depend on then makes all plans anew. */
extern bool maskgen_has_planned;

/* kB that a cache has at least. */
#define MASKGEN_CACHE_LEAST 64

/* What happens to a long text, told or not. */
MgLongInput guc_long_input(void);

/* The instruction set that all kernels use, by maskgen.cpu. */
MgCpuLevel guc_cpu_level(void);

/* For _PG_init: defines the settings above. */
void guc_define(void);

/* For _PG_init, once all settings are defined: any other name that begins with "maskgen." is an error from now on. */
void guc_reserve(void);

#endif
