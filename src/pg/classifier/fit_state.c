/* States of fits: names, merging, and their way between processes. */
#include "pg/classifier/fit_state.h"

#include "core/hash.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/host.h"
#include "utils/memutils.h"

FitState *
fit_state_new(MemoryContext parent)
{
	MemoryContext memory = AllocSetContextCreate(parent, "maskgen fit", ALLOCSET_SMALL_SIZES);
	FitState *state = MemoryContextAllocZero(memory, sizeof *state);

	state->memory = memory;
	state->host = host_in(memory);
	mg_ctx_init(&state->cx, &state->host);
	mg_sample_init(&state->labelled, &state->host, FIT_MOST_LABELLED, FIT_BYTES);
	mg_sample_init(&state->unlabelled, &state->host, FIT_MOST_UNLABELLED, FIT_BYTES);
	return state;
}

void
fit_state_check(FitState *state, bool fine)
{
	if (!fine)
		host_throw(&state->cx);
}

void
fit_state_check_dims(const MgSample *sample, size_t dims)
{
	if (sample->dims != 0 && dims != 0 && sample->dims != dims)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected %zu dimensions, not %zu", sample->dims, dims)));
}

void *
fit_state_keep(FitState *state, const void *value)
{
	Size size = VARSIZE(value);
	void *copy = MemoryContextAlloc(state->memory, size);

	memcpy(copy, value, size);
	return copy;
}

/* The slot of a name, or the free one where it belongs. */
static size_t
find_slot(const FitState *state, MgSpan name)
{
	size_t n = 2 * state->names_room, slot = mg_hash((MgHash){{0, 0}}, name).words[0] % n;

	while (state->slots[slot] != 0 && !mg_span_equal(state->names[state->slots[slot] - 1], name))
		slot = (slot + 1) % n;
	return slot;
}

/* At least half of the slots stay free. */
static void
make_room(FitState *state)
{
	MgSpan *names = state->names;

	state->names_room = state->names_room == 0 ? 8 : 2 * state->names_room;
	state->names = MemoryContextAlloc(state->memory, state->names_room * sizeof *state->names);
	if (names != NULL)
	{
		memcpy(state->names, names, state->n_names * sizeof *names);
		pfree(names);
		pfree(state->slots);
	}
	state->slots = MemoryContextAllocZero(state->memory, 2 * state->names_room * sizeof *state->slots);
	for (size_t i = 0; i < state->n_names; i++)
		state->slots[find_slot(state, state->names[i])] = (uint16) (i + 1);
}

int32
fit_state_label(FitState *state, MgSpan name)
{
	size_t slot;
	char *copy;

	if (state->n_names == state->names_room)
		make_room(state);
	slot = find_slot(state, name);
	if (state->slots[slot] != 0)
		return state->slots[slot] - 1;
	if (state->n_names == MG_CLASSIFIER_MOST_LABELS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("there are more than %d labels", MG_CLASSIFIER_MOST_LABELS)));
	if (name.size > CLASSIFIER_MOST_LABEL)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("label is longer than %d bytes", CLASSIFIER_MOST_LABEL)));
	copy = MemoryContextAlloc(state->memory, name.size + 1);
	if (name.size > 0)
		memcpy(copy, name.data, name.size);
	state->names[state->n_names++] = mg_span(copy, name.size);
	state->slots[slot] = (uint16) state->n_names;
	return (int32) state->n_names - 1;
}

static bool
same_value(const void *a, const void *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || (VARSIZE_ANY(a) == VARSIZE_ANY(b) && memcmp(a, b, VARSIZE_ANY(a)) == 0));
}

static void *
keep(FitState *state, const void *value)
{
	return value == NULL ? NULL : fit_state_keep(state, value);
}

/* A worker or a partition may have seen nothing but NULLs. */
static bool
is_empty(const FitState *state)
{
	return state->n_names == 0 && state->labelled.n_seen == 0 && state->unlabelled.n_seen == 0;
}

void
fit_state_merge(FitState *state, const FitState *other)
{
	int32 numbers[MG_CLASSIFIER_MOST_LABELS];

	if (is_empty(other))
		return;
	if (is_empty(state))
	{
		state->given = other->given;
		state->guess = keep(state, other->guess);
		state->labels = keep(state, other->labels);
	}
	if (state->given != other->given || !same_value(state->guess, other->guess) || !same_value(state->labels, other->labels))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("labels are not the same in all rows")));
	for (size_t i = 0; i < other->n_names; i++)
		numbers[i] = fit_state_label(state, other->names[i]);
	fit_state_check(state, mg_sample_merge(&state->cx, &state->labelled, &other->labelled, numbers) &&
							   mg_sample_merge(&state->cx, &state->unlabelled, &other->unlabelled, numbers));
	fit_state_check_dims(&state->labelled, state->unlabelled.dims);
}

static void
put_value(StringInfo bytes, const void *value)
{
	int32 size = value == NULL ? 0 : (int32) VARSIZE_ANY(value);

	appendBinaryStringInfo(bytes, (const char *) &size, sizeof size);
	if (size > 0)
		appendBinaryStringInfo(bytes, value, size);
}

/* Workers are processes of this server: numbers are as they are in memory. */
static void
put_sample(StringInfo bytes, const MgSample *sample)
{
	int64 head[4] = {(int64) sample->dims, (int64) sample->n_scores, sample->n_seen, (int64) sample->n};

	appendBinaryStringInfo(bytes, (const char *) head, sizeof head);
	for (size_t i = 0; i < sample->n; i++)
	{
		const MgSampleRow *row = &sample->rows[i];

		CHECK_FOR_INTERRUPTS();
		appendBinaryStringInfo(bytes, (const char *) row, sizeof *row);
		appendBinaryStringInfo(bytes, (const char *) (sample->vectors + row->place * sample->dims), (int) (sample->dims * sizeof(uint16)));
		appendBinaryStringInfo(bytes, (const char *) (sample->scores + row->place * sample->n_scores), (int) (sample->n_scores * sizeof(float4)));
	}
}

bytea *
fit_state_write(const FitState *state)
{
	StringInfoData bytes;
	int32 head[2] = {state->given, (int32) state->n_names};

	pq_begintypsend(&bytes);
	appendBinaryStringInfo(&bytes, (const char *) head, sizeof head);
	for (size_t i = 0; i < state->n_names; i++)
	{
		int32 size = (int32) state->names[i].size;

		appendBinaryStringInfo(&bytes, (const char *) &size, sizeof size);
		appendBinaryStringInfo(&bytes, (const char *) state->names[i].data, size);
	}
	put_value(&bytes, state->guess);
	put_value(&bytes, state->labels);
	put_sample(&bytes, &state->labelled);
	put_sample(&bytes, &state->unlabelled);
	return pq_endtypsend(&bytes);
}

static const void *
get(StringInfo bytes, Size size)
{
	return pq_getmsgbytes(bytes, (int) size);
}

static void *
get_value(FitState *state, StringInfo bytes)
{
	int32 size;
	void *value;

	memcpy(&size, get(bytes, sizeof size), sizeof size);
	if (size == 0)
		return NULL;
	value = MemoryContextAlloc(state->memory, size);
	memcpy(value, get(bytes, size), size);
	return value;
}

/* What was written is a sample as it was: its rows are merged into an empty one. */
static void
get_sample(FitState *state, StringInfo bytes, MgSample *sample)
{
	int64 head[4];
	MgSampleRow row;
	int32 same[MG_CLASSIFIER_MOST_LABELS];
	MgSample one;

	for (int i = 0; i < MG_CLASSIFIER_MOST_LABELS; i++)
		same[i] = i;
	memcpy(head, get(bytes, sizeof head), sizeof head);
	for (int64 i = 0; i < head[3]; i++)
	{
		CHECK_FOR_INTERRUPTS();
		memcpy(&row, get(bytes, sizeof row), sizeof row);
		row.place = 0;
		one = (MgSample){.dims = (Size) head[0], .n_scores = (Size) head[1], .n = 1, .rows = &row};
		one.vectors = (uint16_t *) get(bytes, one.dims * sizeof(uint16));
		one.scores = (float *) get(bytes, one.n_scores * sizeof(float4));
		fit_state_check(state, mg_sample_merge(&state->cx, sample, &one, same));
	}
	sample->n_seen = head[2];
}

FitState *
fit_state_read(MemoryContext parent, const bytea *bytes)
{
	FitState *state = fit_state_new(parent);
	StringInfoData buffer = {(char *) VARDATA_ANY(bytes), (int) VARSIZE_ANY_EXHDR(bytes), (int) VARSIZE_ANY_EXHDR(bytes) + 1, 0};
	int32 head[2];

	memcpy(head, get(&buffer, sizeof head), sizeof head);
	state->given = head[0] != 0;
	for (int i = 0; i < head[1]; i++)
	{
		int32 size;

		memcpy(&size, get(&buffer, sizeof size), sizeof size);
		fit_state_label(state, mg_span(get(&buffer, size), size));
	}
	state->guess = get_value(state, &buffer);
	state->labels = get_value(state, &buffer);
	get_sample(state, &buffer, &state->labelled);
	get_sample(state, &buffer, &state->unlabelled);
	return state;
}
