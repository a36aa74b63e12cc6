/*
 * One answer, piece by piece. All that a stream has is in the arena that it began with; the model may be bound anew between two pieces.
 * The pieces, end to end, are what mg_generate gives at once.
 */
#ifndef MG_TASK_ANSWER_STREAM_H
#define MG_TASK_ANSWER_STREAM_H

#include "task/draft.h"
#include "task/generate.h"
#include "text/stream.h"

typedef struct MgAnswerStream
{
	const MgGenerateOptions *options;
	MgIds ends;
	MgDecoder decoder;
	int32_t *ids; /* [room] prompt and answer */
	size_t n, n_prompt, n_read, room; /* n_read: that the decoder holds */
	float *logits; /* [1 + MG_MOST_DRAFTED, vocab] behind the last token that was read, and behind drafts */
	size_t n_rows, row; /* of logits, and those that were drawn from */
	MgDraft draft;
	int32_t drafts[MG_MOST_DRAFTED]; /* [n_rows - 1] */
	MgTextStream *text;
	bool done;
} MgAnswerStream;

/* options and prompt outlive the stream, but options->cache the first piece alone. */
bool mg_answer_stream_begin(const MgRun *run, const MgGenerateOptions *options, MgIds prompt, MgAnswerStream *stream);

/* The next piece, which is not empty, and valid until the next call; or stream->done. run->cx is the arena that it began with. Polls. */
bool mg_answer_stream_next(const MgRun *run, MgAnswerStream *stream, MgSpan *piece);

#endif
