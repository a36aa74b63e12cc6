/* Keeping the rows of the smallest hashes. */
#include "learn/sample.h"

#include <math.h>
#include <stdlib.h>

#include "core/half.h"
#include "core/hash.h"
#include "vector/distance.h"

#define FIRST_ROOM 16

void
mg_sample_init(MgSample *sample, const MgHost *host, size_t most_rows, size_t most_bytes)
{
	memset(sample, 0, sizeof *sample);
	sample->host = host;
	sample->most_rows = most_rows;
	sample->most_bytes = most_bytes;
}

static void
release(const MgHost *host, void *memory, size_t size)
{
	if (memory != NULL)
		host->release(host->user, memory, size);
}

static void
release_arrays(const MgSample *sample)
{
	release(sample->host, sample->rows, sample->room * sizeof *sample->rows);
	release(sample->host, sample->vectors, sample->room * sample->dims * sizeof *sample->vectors);
	release(sample->host, sample->scores, sample->room * sample->n_scores * sizeof *sample->scores);
}

void
mg_sample_free(MgSample *sample)
{
	release_arrays(sample);
	mg_sample_init(sample, sample->host, sample->most_rows, sample->most_bytes);
}

static bool
begin(MgCtx *cx, MgSample *sample, size_t dims, size_t n_scores)
{
	if (sample->dims == 0)
	{
		sample->dims = dims;
		sample->n_scores = n_scores;
		sample->limit = sample->most_bytes / (dims * sizeof *sample->vectors + n_scores * sizeof *sample->scores + sizeof *sample->rows);
		if (sample->limit > sample->most_rows)
			sample->limit = sample->most_rows;
		if (sample->limit == 0)
			sample->limit = 1;
	}
	if (sample->dims != dims)
		return mg_fail(cx, MG_BAD_ARGUMENT, "expected %zu dimensions, not %zu", sample->dims, dims);
	return sample->n_scores == n_scores ||
		mg_fail(cx, MG_BAD_ARGUMENT, "expected %zu scores, not %zu", sample->n_scores, n_scores);
}

/* Room for a quarter more than is kept, so that dropping is rare. */
static size_t
most_room(const MgSample *sample)
{
	return sample->limit + sample->limit / 4 + FIRST_ROOM;
}

static bool
make_room(MgCtx *cx, MgSample *sample)
{
	const MgHost *host = sample->host;
	MgSample larger = *sample;
	size_t vector = sample->dims * sizeof *sample->vectors, scores = sample->n_scores * sizeof *sample->scores;

	larger.room = sample->room == 0 ? FIRST_ROOM : sample->room * 2;
	if (larger.room > most_room(sample))
		larger.room = most_room(sample);
	larger.rows = host->alloc(host->user, larger.room * sizeof *larger.rows);
	larger.vectors = host->alloc(host->user, larger.room * vector);
	larger.scores = scores > 0 ? host->alloc(host->user, larger.room * scores) : NULL;
	if (larger.rows == NULL || larger.vectors == NULL || (scores > 0 && larger.scores == NULL))
	{
		release_arrays(&larger);
		return mg_fail(cx, MG_NO_MEMORY, "out of memory");
	}
	if (sample->n > 0)
	{
		memcpy(larger.rows, sample->rows, sample->n * sizeof *larger.rows);
		memcpy(larger.vectors, sample->vectors, sample->n * vector);
		if (scores > 0)
			memcpy(larger.scores, sample->scores, sample->n * scores);
	}
	release_arrays(sample);
	*sample = larger;
	return true;
}

static int
compare_rows(const void *a, const void *b)
{
	const MgSampleRow *left = a, *right = b;

	if (left->hash != right->hash)
		return left->hash < right->hash ? -1 : 1;
	return (left->spread > right->spread) - (left->spread < right->spread);
}

/* Sorted, each once; what the limit allows. */
static void
drop_rows(MgSample *sample)
{
	size_t n = 0;

	qsort(sample->rows, sample->n, sizeof *sample->rows, compare_rows);
	for (size_t i = 0; i < sample->n; i++)
	{
		if (n > 0 && compare_rows(&sample->rows[n - 1], &sample->rows[i]) == 0)
			sample->rows[n - 1].count += sample->rows[i].count;
		else if (n < sample->limit)
			sample->rows[n++] = sample->rows[i];
		else
			break;
	}
	sample->n = n;
	sample->full = n == sample->limit;
	if (sample->full)
		sample->most = sample->rows[n - 1].hash;
}

/* Rows that stayed take the places of those that went, so that new ones find the places from n on free. */
static bool
close_gaps(MgCtx *cx, MgSample *sample)
{
	size_t vector = sample->dims, scores = sample->n_scores, free = 0;
	bool *taken = sample->host->alloc(sample->host->user, sample->n + 1);

	if (taken == NULL)
		return mg_fail(cx, MG_NO_MEMORY, "out of memory");
	memset(taken, 0, sample->n + 1);
	for (size_t i = 0; i < sample->n; i++)
		if (sample->rows[i].place < sample->n)
			taken[sample->rows[i].place] = true;
	for (size_t i = 0; i < sample->n; i++)
	{
		size_t from = sample->rows[i].place;

		if (from < sample->n)
			continue;
		while (taken[free])
			free++;
		memcpy(sample->vectors + free * vector, sample->vectors + from * vector, vector * sizeof *sample->vectors);
		if (scores > 0)
			memcpy(sample->scores + free * scores, sample->scores + from * scores, scores * sizeof *sample->scores);
		sample->rows[i].place = (uint32_t) free;
		taken[free] = true;
	}
	release(sample->host, taken, sample->n + 1);
	return true;
}

bool
mg_sample_settle(MgCtx *cx, MgSample *sample)
{
	if (sample->n == 0)
		return true;
	drop_rows(sample);
	return close_gaps(cx, sample);
}

/* Where the next row may be written. */
static bool
next_place(MgCtx *cx, MgSample *sample, size_t *place)
{
	if (sample->n == sample->room && !(sample->room < most_room(sample) ? make_room(cx, sample) : mg_sample_settle(cx, sample)))
		return false;
	*place = sample->n;
	return true;
}

/* To length 1 and float16. */
static void
narrow(const float *x, size_t dims, uint16_t *out)
{
	double length = mg_norm(x, dims), scale = length > 0 ? 1 / length : 0;

	for (size_t d = 0; d < dims; d++)
		out[d] = mg_half_of_float((float) (x[d] * scale));
}

bool
mg_sample_add(MgCtx *cx, MgSample *sample, const float *x, size_t dims, int32_t label, MgSpan name, const float *scores,
			  size_t n_scores)
{
	MgHash hash = {{0, 0}};
	size_t place;

	if (!begin(cx, sample, dims, n_scores) || !next_place(cx, sample, &place))
		return false;
	sample->n_seen++;
	narrow(x, dims, sample->vectors + place * dims);
	if (label != MG_UNLABELLED)
		hash = mg_hash(hash, name);
	if (n_scores > 0)
		hash = mg_hash(hash, mg_span(scores, n_scores * sizeof *scores));
	hash = mg_hash(hash, mg_span(sample->vectors + place * dims, dims * sizeof *sample->vectors));
	if (sample->full && hash.words[0] > sample->most)
		return true;
	if (n_scores > 0)
		memcpy(sample->scores + place * n_scores, scores, n_scores * sizeof *scores);
	sample->rows[sample->n++] = (MgSampleRow){hash.words[0], hash.words[1], 1, label, (uint32_t) place};
	return true;
}

bool
mg_sample_merge(MgCtx *cx, MgSample *sample, const MgSample *other, const int32_t *numbers)
{
	if (other->dims == 0)
		return true;
	if (!begin(cx, sample, other->dims, other->n_scores))
		return false;
	sample->n_seen += other->n_seen;
	for (size_t i = 0; i < other->n; i++)
	{
		MgSampleRow row = other->rows[i];
		size_t place, n = sample->n_scores;

		if (sample->full && row.hash > sample->most)
			continue;
		if (!next_place(cx, sample, &place))
			return false;
		memcpy(sample->vectors + place * sample->dims, other->vectors + row.place * sample->dims,
			   sample->dims * sizeof *sample->vectors);
		if (n > 0)
			memcpy(sample->scores + place * n, other->scores + row.place * n, n * sizeof *sample->scores);
		row.place = (uint32_t) place;
		if (row.label != MG_UNLABELLED)
			row.label = numbers[row.label];
		sample->rows[sample->n++] = row;
	}
	return true;
}

void
mg_sample_vector(const MgSample *sample, const MgSampleRow *row, float *x)
{
	const uint16_t *vector = sample->vectors + row->place * sample->dims;

	for (size_t d = 0; d < sample->dims; d++)
		x[d] = mg_half_to_float(vector[d]);
}
