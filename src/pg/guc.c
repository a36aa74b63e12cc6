/* Definitions of the settings. */
#include "pg/guc.h"

#include <limits.h>

#include "task/input.h"
#include "tensor/compute.h"
#include "utils/guc.h"
#include "utils/plancache.h"

char *maskgen_embed_model;
char *maskgen_classify_model;
int maskgen_long_input = MASKGEN_LONG_NOTICE;
int maskgen_on_row_error = MASKGEN_ROW_ERROR;
int maskgen_threads = 1;
int maskgen_max_threads = MASKGEN_MOST_THREADS;
int maskgen_batch_tokens = MG_BATCH_TOKENS;
int maskgen_cpu = MASKGEN_CPU_AUTO;
int maskgen_matmul = MG_NATIVE;
int maskgen_kv_memory = 512 * 1024;
int maskgen_statement_tokens;
int maskgen_embed_workers = 1;
int maskgen_embed_worker_nice = 10;
bool maskgen_enable_batching = true;
int maskgen_max_model_memory;
int maskgen_result_cache_size;
int maskgen_prompt_cache_size;
bool maskgen_enable_result_cache = true;
bool maskgen_enable_prompt_cache = true;
bool maskgen_has_planned;

static const struct config_enum_entry long_input_values[] = {
	{"notice", MASKGEN_LONG_NOTICE, false}, {"truncate", MG_LONG_TRUNCATE, false}, {"error", MG_LONG_ERROR, false}, {NULL, 0, false}};

static const struct config_enum_entry on_row_error_values[] = {{"error", MASKGEN_ROW_ERROR, false}, {"null", MASKGEN_ROW_NULL, false}, {NULL, 0, false}};

static const struct config_enum_entry cpu_values[] = {{"auto", MASKGEN_CPU_AUTO, false},
#if defined(__aarch64__)
													  {"neondot", MG_CPU_NEONDOT, false},
													  {"neon", MG_CPU_NEON, false},
#else
													  {"amx", MG_CPU_AMX, false},
													  {"avx512vnni", MG_CPU_VNNI, false},
													  {"avx512", MG_CPU_AVX512, false},
													  {"avx2", MG_CPU_AVX2, false},
#endif
													  {"scalar", MG_CPU_SCALAR, false},
													  {NULL, 0, false}};

static const struct config_enum_entry matmul_values[] = {
	{"native", MG_NATIVE, false}, {"onednn", MG_ONEDNN, false}, {"openblas", MG_OPENBLAS, false}, {NULL, 0, false}};

/* A CPU must have what it is asked to use. */
static bool
check_cpu(int *value, void **extra, GucSource source)
{
	if (*value <= (int) mg_cpu_level())
		return true;
	GUC_check_errdetail("This CPU has no more than %s.", mg_cpu_level_name(mg_cpu_level()));
	return false;
}

MgLongInput
guc_long_input(void)
{
	return maskgen_long_input == MG_LONG_ERROR ? MG_LONG_ERROR : MG_LONG_TRUNCATE;
}

MgCpuLevel
guc_cpu_level(void)
{
	return maskgen_cpu == MASKGEN_CPU_AUTO ? mg_cpu_level() : (MgCpuLevel) maskgen_cpu;
}

static void
results_change(bool changed)
{
	if (changed && maskgen_has_planned)
		ResetPlanCache();
}

static void
assign_long_input(int value, void *extra)
{
	results_change(value != maskgen_long_input);
}

static void
assign_on_row_error(int value, void *extra)
{
	results_change(value != maskgen_on_row_error);
}

static void
assign_cpu(int value, void *extra)
{
	results_change(value != maskgen_cpu);
}

static void
assign_matmul(int value, void *extra)
{
	results_change(value != maskgen_matmul);
}

/* What a cache that is one needs. */
static bool
check_cache_size(int *value, void **extra, GucSource source)
{
	if (*value == 0 || *value >= MASKGEN_CACHE_LEAST)
		return true;
	GUC_check_errdetail("It is 0, for none, or at least %d kB.", MASKGEN_CACHE_LEAST);
	return false;
}

void
guc_define(void)
{
	DefineCustomStringVariable("maskgen.embed_model", "Model of embed(input).", NULL, &maskgen_embed_model, "",
							   PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("maskgen.classify_model", "Model of classify(input, labels).", NULL,
							   &maskgen_classify_model, "", PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("maskgen.long_input", "What happens to a text that is longer than a model takes.", NULL,
							 &maskgen_long_input, MASKGEN_LONG_NOTICE, long_input_values, PGC_USERSET, 0, NULL, assign_long_input, NULL);
	DefineCustomEnumVariable("maskgen.on_row_error", "What happens to a text that a model refuses, or cannot go on with.",
							 "\"null\" gives NULL for it, and a WARNING a statement says how many there were.", &maskgen_on_row_error,
							 MASKGEN_ROW_ERROR, on_row_error_values, PGC_USERSET, 0, NULL, assign_on_row_error, NULL);
	DefineCustomIntVariable("maskgen.threads", "Threads that one session computes with.",
							"Parallel workers always use one.", &maskgen_threads, 1, 1, MASKGEN_MOST_THREADS, PGC_USERSET, 0, NULL, NULL,
							NULL);
	DefineCustomIntVariable("maskgen.max_threads", "Most threads that a session may compute with.", "It caps maskgen.threads.",
							&maskgen_max_threads, MASKGEN_MOST_THREADS, 1, MASKGEN_MOST_THREADS, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("maskgen.batch_tokens", "Tokens of texts that are computed together.",
							"A longer text is computed alone. Results do not depend on it.", &maskgen_batch_tokens,
							MG_BATCH_TOKENS, 16, 16384, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("maskgen.cpu", "Highest instruction set that kernels use.", NULL, &maskgen_cpu,
							 MASKGEN_CPU_AUTO, cpu_values, PGC_USERSET, 0, check_cpu, assign_cpu, NULL);
	DefineCustomEnumVariable("maskgen.matmul", "What multiplies matrices.",
							 "Models are resident once for \"native\" and once for the libraries.", &maskgen_matmul,
							 MG_NATIVE, matmul_values, PGC_SUSET, 0, NULL, assign_matmul, NULL);
	DefineCustomIntVariable("maskgen.kv_memory", "Memory for keys and values of texts that are generated together.",
							"A text that does not fit is an error. Results do not depend on it.", &maskgen_kv_memory,
							512 * 1024, 64, MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("maskgen.statement_tokens", "Most tokens that a statement may compute.",
							"Compared with the plan's estimate before the first row, and then with what is computed; 0 means no limit.",
							&maskgen_statement_tokens, 0, 0, INT_MAX, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("maskgen.embed_workers", "Background workers that embed queued rows, in each database.",
							"They are started when rows wait, out of max_worker_processes; 0 means none.", &maskgen_embed_workers, 1, 0, 16, PGC_SIGHUP, 0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("maskgen.embed_worker_nice", "How far such workers give way to sessions.",
							"The operating system's nice value; read when a worker starts.", &maskgen_embed_worker_nice, 10, 0, 19, PGC_SIGHUP, 0, NULL, NULL,
							NULL);
	DefineCustomBoolVariable("maskgen.enable_batching", "Lets plans compute tasks for many rows at once.", NULL,
							 &maskgen_enable_batching, true, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomIntVariable("maskgen.max_model_memory", "Limit on the size of all resident models.",
							"The least recently used ones are evicted; 0 means no limit.", &maskgen_max_model_memory, 0,
							0, INT_MAX, PGC_SIGHUP, GUC_UNIT_MB, NULL, NULL, NULL);
	DefineCustomIntVariable("maskgen.result_cache_size", "Shared memory for results of models.",
							"Who asks again what was asked before is answered from it; 0 means none.",
							&maskgen_result_cache_size, 16 * 1024, 0, MAX_KILOBYTES, PGC_SIGHUP, GUC_UNIT_KB,
							check_cache_size, NULL, NULL);
	DefineCustomBoolVariable("maskgen.enable_result_cache", "Uses results that were computed before.", NULL,
							 &maskgen_enable_result_cache, true, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("maskgen.prompt_cache_size", "Shared memory for keys of what prompts begin with.",
							"A beginning that comes again is not computed again; 0 means none.",
							&maskgen_prompt_cache_size, 32 * 1024, 0, MAX_KILOBYTES, PGC_SIGHUP, GUC_UNIT_KB, check_cache_size, NULL, NULL);
	DefineCustomBoolVariable("maskgen.enable_prompt_cache", "Uses and keeps beginnings of prompts that were computed before.", NULL,
							 &maskgen_enable_prompt_cache, true, PGC_USERSET, 0, NULL, NULL, NULL);
}

void
guc_reserve(void)
{
	MarkGUCPrefixReserved("maskgen");
}
