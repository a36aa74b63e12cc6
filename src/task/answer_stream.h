/*
 * One answer, piece by piece. All that a stream has is in the arena that it began with; the model may be bound anew between two pieces.
 * The pieces, end to end, are what mg_generate gives at once.
 */
#ifndef MG_TASK_ANSWER_STREAM_H
#define MG_TASK_ANSWER_STREAM_H

#include "task/decoder.h"
#include "task/generate.h"
#include "text/stream.h"

typedef struct MgAnswerStream
{
	const MgGenerateOptions *options;
	MgIds ends;
	MgDecoder decoder;
	int32_t *ids; /* [room] prompt and answer */
	size_t n, n_prompt, n_read, room;
	float *logits; /* [vocab] */
	MgTextStream *text;
	bool done;
} MgAnswerStream;

/* options and prompt outlive the stream. */
bool mg_answer_stream_begin(const MgRun *run, const MgGenerateOptions *options, MgIds prompt, MgAnswerStream *stream);

/* The next piece, which is not empty, and valid until the next call; or stream->done. run->cx is the arena that it began with. Polls. */
bool mg_answer_stream_next(const MgRun *run, MgAnswerStream *stream, MgSpan *piece);

#endif
