/* Throughput over a file's lines and latency of a short text, as JSON lines for the drivers in bench/. */
#include "cli/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "task/classify.h"
#include "task/embed.h"
#include "task/generate.h"

#define ROUNDS 3
#define SHORT_CALLS 200

static double
clock_seconds(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

static double
now(void)
{
	return clock_seconds(CLOCK_MONOTONIC);
}

/* This process's, all threads: on a machine that is not calm, the truer clock. */
static double
cpu_now(void)
{
	return clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static uint64_t
cpu_nanoseconds(void)
{
	return (uint64_t) (1e9 * cpu_now());
}

/* What a run is measured by. */
typedef struct Round
{
	const char *task;
	size_t n;
	MgUsage usage;
	MgProfile profile;
	MgCompute compute; /* with the profile */
	MgRun run;		   /* the caller's, which all this is told of */
	double start, cpu_start;
} Round;

/* Forgets what the run has in its arena. */
static void
round_begin(Round *round, const char *task, const MgRun *run, size_t n)
{
	*round = (Round){.task = task, .n = n, .profile = {.clock = cpu_nanoseconds}, .compute = *run->compute, .run = *run,
					 .start = now(), .cpu_start = cpu_now()};
	round->compute.profile = &round->profile;
	round->run.compute = &round->compute;
	round->run.usage = &round->usage;
	mg_ctx_reset(run->cx);
}

/* One line of results; shares of the time by phase, all else being the rest. */
static void
report(const Round *round)
{
	static const char *const phases[MG_N_PHASES] = {"tokenizer", "products", "attention", "elements"};
	double seconds = now() - round->start, cpu = cpu_now() - round->cpu_start, rest = 1.0;

	printf("{\"engine\":\"maskgen\",\"task\":\"%s\",\"texts\":%zu,\"tokens\":%llu,\"seconds\":%.6f,"
		   "\"cpu_seconds\":%.6f,\"shares\":{",
		   round->task, round->n, (unsigned long long) round->usage.tokens, seconds, cpu);
	for (size_t i = 0; i < MG_N_PHASES; i++)
	{
		double share = 1e-9 * (double) round->profile.spent[i] / cpu;

		printf("\"%s\":%.4f,", phases[i], share);
		rest -= share;
	}
	printf("\"rest\":%.4f}}\n", rest);
	fflush(stdout);
}

static bool
read_lines(MgCtx *cx, const char *path, MgSpan **lines, size_t *n)
{
	FILE *file = fopen(path, "rb");
	char *line = NULL;
	size_t room = 0, most = 1024;
	ssize_t length;

	*n = 0;
	if (file == NULL)
		return mg_fail(cx, MG_IO, "could not open file \"%s\": %s", path, strerror(errno));
	*lines = malloc(most * sizeof **lines);
	while (*lines != NULL && (length = getline(&line, &room, file)) > 0)
	{
		if (*n == most)
			*lines = realloc(*lines, (most *= 2) * sizeof **lines);
		if (*lines == NULL)
			break;
		(*lines)[(*n)++] = mg_span(line, (size_t) length - (line[length - 1] == '\n'));
		line = NULL;
		room = 0;
	}
	fclose(file);
	return *lines != NULL || mg_fail(cx, MG_NO_MEMORY, "out of memory");
}

static int
compare_times(const void *a, const void *b)
{
	double left = *(const double *) a, right = *(const double *) b;

	return (left > right) - (left < right);
}

static bool
bench_embed(const MgRun *run, const MgSpan *lines, size_t n)
{
	MgEmbedOptions options = {.normalize = true};
	MgSpan query = mg_span_of("red shoes");
	float *out = malloc(n * run->model->sizes->width * sizeof *out);
	double times[SHORT_CALLS], cpu_times[SHORT_CALLS];
	bool fine = out != NULL;

	for (int i = 0; fine && i < ROUNDS; i++)
	{
		Round round;

		round_begin(&round, "embed", run, n);
		fine = mg_embed(&round.run, &options, lines, n, out);
		report(&round);
	}
	for (int i = 0; fine && i < SHORT_CALLS; i++)
	{
		double start = now(), cpu_start = cpu_now();

		mg_ctx_reset(run->cx);
		fine = mg_embed(run, &options, &query, 1, out);
		times[i] = now() - start;
		cpu_times[i] = cpu_now() - cpu_start;
	}
	if (fine)
	{
		qsort(times, SHORT_CALLS, sizeof *times, compare_times);
		qsort(cpu_times, SHORT_CALLS, sizeof *cpu_times, compare_times);
		printf("{\"engine\":\"maskgen\",\"task\":\"embed_short\",\"p50_ms\":%.4f,\"p95_ms\":%.4f,\"cpu_p50_ms\":%.4f}\n",
			   1e3 * times[SHORT_CALLS / 2], 1e3 * times[SHORT_CALLS * 95 / 100], 1e3 * cpu_times[SHORT_CALLS / 2]);
	}
	free(out);
	return fine;
}

static bool
bench_classify(const MgRun *run, const MgSpan *lines, size_t n)
{
	const char *const words[] = {"world", "sports", "business", "technology"};
	MgCtx kept;
	MgSpan names[4];
	MgRun keeping = *run;
	MgClassifyOptions options = {NULL, NULL, MG_LONG_TRUNCATE, NULL};
	float *scores = malloc(n * 4 * sizeof *scores);
	bool fine = scores != NULL;

	for (size_t i = 0; i < 4; i++)
		names[i] = mg_span_of(words[i]);
	mg_ctx_init(&kept, run->cx->host);
	keeping.cx = &kept;
	options.labels = mg_labels_prepare(&keeping, names, 4, mg_span_of("{mask} news: {text}"));
	for (int i = 0; fine && options.labels != NULL && i < ROUNDS; i++)
	{
		Round round;

		round_begin(&round, "classify", run, n);
		fine = mg_classify(&round.run, &options, lines, n, scores);
		report(&round);
	}
	if (options.labels == NULL)
		run->cx->error = kept.error;
	mg_ctx_free(&kept);
	free(scores);
	return fine && options.labels != NULL;
}

/* All lines in step, each a prompt; ends are banned, so that each answer has as many tokens as may be. */
static bool
bench_generate(const MgRun *run, const MgSpan *lines, size_t n)
{
	const char *most = getenv("MG_MAX_TOKENS"), *rounds = getenv("MG_ROUNDS");
	MgGenerateOptions options = {.sampling = MG_SAMPLING_PLAIN, .max_tokens = most != NULL ? strtoul(most, NULL, 10) : 64,
								 .memory = SIZE_MAX, .read_specials = true};
	MgAnswer *answers = malloc(n * sizeof *answers);
	bool fine = answers != NULL;

	options.sampling.temperature = 0;
	options.sampling.min_tokens = options.max_tokens;
	for (int i = 0; fine && i < (rounds != NULL ? atoi(rounds) : ROUNDS); i++)
	{
		Round round;

		round_begin(&round, "generate", run, n);
		fine = mg_generate(&round.run, &options, lines, n, answers);
		report(&round);
	}
	free(answers);
	return fine;
}

bool
bench_run(const MgRun *run, const char *task, const char *file)
{
	MgSpan *lines = NULL;
	size_t n = 0;
	bool fine;

	if (strcmp(task, "embed") != 0 && strcmp(task, "classify") != 0 && strcmp(task, "generate") != 0)
		return mg_fail(run->cx, MG_BAD_ARGUMENT, "task \"%s\" cannot be measured", task);
	if (!read_lines(run->cx, file, &lines, &n))
		return false;
	fine = strcmp(task, "embed") == 0	   ? bench_embed(run, lines, n)
		: strcmp(task, "classify") == 0 ? bench_classify(run, lines, n)
										: bench_generate(run, lines, n);
	for (size_t i = 0; i < n; i++)
		free((void *) lines[i].data);
	free(lines);
	return fine;
}
