/*
 * Rows that a classifier is fitted to: as many as a limit allows, whichever
 * order they come in and however they are divided among several samples that
 * are added together later. Of more distinct rows than that, those of the
 * smallest hashes stay (a bottom-k sample), with the number of times that each
 * came: what stays was never dropped before, so its count is right.
 *
 * Vectors are scaled to length 1 and kept as float16. Rows are the same if
 * these bits, the names of their labels and their scores are, which a hash of
 * 128 bits decides.
 *
 * Memory is the host's, taken piece by piece, and grows with the rows; nothing
 * here polls. mg_sample_free gives it back.
 */
#ifndef MG_LEARN_SAMPLE_H
#define MG_LEARN_SAMPLE_H

#include "core/ctx.h"

#define MG_UNLABELLED (-1)

typedef struct MgSampleRow
{
	uint64_t hash, spread; /* two words of one hash: by the first rows are kept, the second is free for other choices */
	int64_t count;
	int32_t label;	 /* a number of the caller's, or MG_UNLABELLED */
	uint32_t place;	 /* of its vector and scores */
} MgSampleRow;

typedef struct MgSample
{
	const MgHost *host;
	size_t most_rows, most_bytes;
	size_t dims, n_scores; /* of a row; 0 dims: no row yet */
	size_t limit;		   /* distinct rows that are kept */
	int64_t n_seen;		   /* rows that came */
	size_t n, room;		   /* rows held, some of them perhaps twice, and room for them */
	bool full;			   /* there are limit rows of hashes up to most: what is above it cannot stay */
	uint64_t most;
	MgSampleRow *rows;	   /* [room] */
	uint16_t *vectors;	   /* [room, dims] */
	float *scores;		   /* [room, n_scores] */
} MgSample;

/* An empty sample of at most so many distinct rows, and of about so many bytes; dims and n_scores come with the first row. */
void mg_sample_init(MgSample *sample, const MgHost *host, size_t most_rows, size_t most_bytes);
void mg_sample_free(MgSample *sample);

/*
 * One row. x [dims] is any vector, scores [n_scores]; both numbers are those of the first row. The name of the label is part
 * of the row's hash; its number, which may depend on who came first, is not.
 */
bool mg_sample_add(MgCtx *cx, MgSample *sample, const float *x, size_t dims, int32_t label, MgSpan name, const float *scores,
				   size_t n_scores);

/* The rows of another sample; numbers [labels of the other] says what its labels are here. */
bool mg_sample_merge(MgCtx *cx, MgSample *sample, const MgSample *other, const int32_t *numbers);

/* For the end: rows in an order that they alone decide, each once, at most limit. */
bool mg_sample_settle(MgCtx *cx, MgSample *sample);

/* x [dims] of a row, as float32. */
void mg_sample_vector(const MgSample *sample, const MgSampleRow *row, float *x);

#endif
