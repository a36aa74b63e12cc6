/* Throughput over a file's lines and latency of a short text, as JSON lines for the drivers in bench/. */
#include "cli/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "task/classify.h"
#include "task/embed.h"

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

/* One line of results. CPU time is this process's, all threads: on a machine that is not calm, the truer one. */
static void
report(const char *task, size_t n, const MgUsage *usage, double start, double cpu_start)
{
	printf("{\"engine\":\"maskgen\",\"task\":\"%s\",\"texts\":%zu,\"tokens\":%llu,\"seconds\":%.6f,\"cpu_seconds\":%.6f}\n",
		   task, n, (unsigned long long) usage->tokens, now() - start,
		   clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start);
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
bench_embed(MgCtx *cx, const MgModel *model, const MgSpan *lines, size_t n)
{
	MgEmbedOptions options = {.normalize = true};
	MgSpan query = mg_span_of("red shoes");
	float *out = malloc(n * model->meta.hyper.hidden * sizeof *out);
	double times[SHORT_CALLS];
	bool fine = out != NULL;

	for (int round = 0; fine && round < ROUNDS; round++)
	{
		MgUsage usage = {0};
		double start = now(), cpu_start = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);

		mg_ctx_reset(cx);
		fine = mg_embed(cx, model, &options, lines, n, out, &usage);
		report("embed", n, &usage, start, cpu_start);
	}
	for (int i = 0; fine && i < SHORT_CALLS; i++)
	{
		MgUsage usage = {0};
		double start = now();

		mg_ctx_reset(cx);
		fine = mg_embed(cx, model, &options, &query, 1, out, &usage);
		times[i] = now() - start;
	}
	if (fine)
	{
		qsort(times, SHORT_CALLS, sizeof *times, compare_times);
		printf("{\"engine\":\"maskgen\",\"task\":\"embed_short\",\"p50_ms\":%.4f,\"p95_ms\":%.4f}\n",
			   1e3 * times[SHORT_CALLS / 2], 1e3 * times[SHORT_CALLS * 95 / 100]);
	}
	free(out);
	return fine;
}

static bool
bench_classify(MgCtx *cx, const MgModel *model, const MgSpan *lines, size_t n)
{
	const char *const words[] = {"world", "sports", "business", "technology"};
	MgCtx kept;
	MgSpan names[4];
	const MgLabels *labels;
	float *scores = malloc(n * 4 * sizeof *scores);
	bool fine = scores != NULL;

	for (size_t i = 0; i < 4; i++)
		names[i] = mg_span_of(words[i]);
	mg_ctx_init(&kept, cx->host);
	labels = mg_labels_prepare(&kept, model, names, 4, mg_span_of("{mask} news: {text}"));
	for (int round = 0; fine && labels != NULL && round < ROUNDS; round++)
	{
		MgUsage usage = {0};
		double start = now(), cpu_start = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);

		mg_ctx_reset(cx);
		fine = mg_classify(cx, model, labels, NULL, MG_LONG_TRUNCATE, lines, n, scores, &usage);
		report("classify", n, &usage, start, cpu_start);
	}
	if (labels == NULL)
		cx->error = kept.error;
	mg_ctx_free(&kept);
	free(scores);
	return fine && labels != NULL;
}

bool
bench_run(MgCtx *cx, const MgModel *model, const char *task, const char *file)
{
	MgSpan *lines = NULL;
	size_t n = 0;
	MgCtx scratch;
	bool fine;

	if (!read_lines(cx, file, &lines, &n))
		return false;
	mg_ctx_init(&scratch, cx->host);
	fine = strcmp(task, "embed") == 0 ? bench_embed(&scratch, model, lines, n)
									  : bench_classify(&scratch, model, lines, n);
	if (!fine)
		cx->error = scratch.error;
	mg_ctx_free(&scratch);
	for (size_t i = 0; i < n; i++)
		free((void *) lines[i].data);
	free(lines);
	return fine;
}
