/*
 * From texts to packed batches: what the tasks share before a forward pass.
 */
#ifndef MG_TASK_INPUT_H
#define MG_TASK_INPUT_H

#include "model/run.h"

/*
 * Whom a task tells of each text that it refuses (too long, not UTF-8 ...), by its number among the texts of the call; the
 * result of such a text is not set. Without one the first refusal is the error of the call. What is not a text's fault
 * always is.
 */
typedef struct MgRefusals
{
	void *user;
	void (*refuse)(void *user, size_t text, const MgError *error);
} MgRefusals;

/* What happens to a text that is longer than the model takes. */
typedef enum MgLongInput
{
	MG_LONG_TRUNCATE, /* its end is cut off */
	MG_LONG_ERROR	  /* MG_TOO_LARGE, with both numbers */
} MgLongInput;

/* Tokens in one forward pass, unless one sequence is longer: products are at full speed, and states still near the core. */
#define MG_BATCH_TOKENS 512

/* A text, or a part of what is asked about it, as the ids of one sequence. */
typedef struct MgSequence
{
	size_t n;
	int32_t *ids; /* [n] */
	uint8_t *segments; /* [n], of a pair; NULL: all 0 */
	size_t text;  /* whose it is, where there are several (task/schedule.h) */
	size_t part;
	size_t first, n_text; /* where the text's tokens are, behind the special ones in front */
	size_t place;		  /* the task's own: where its masks begin */
	bool cut;			  /* the text did not fit */
} MgSequence;

/* The tokens of a text, wrapped as the model wants one. Refuses what is longer than max_tokens then. */
bool mg_sequence_wrap(const MgRun *run, MgIds text, MgSequence *sequence);

/* The most tokens of a text that fit into a sequence. */
size_t mg_text_limit(const MgModel *model);

/*
 * Prompt and text, wrapped and cut (or refused) at the model's max_tokens. prompt may be empty. Special tokens are read in the
 * prompt, and in the text only if read_specials says so: it is data.
 */
bool mg_sequence_of_text(const MgRun *run, MgSpan prompt, MgSpan text, bool read_specials,
						 MgLongInput long_input, MgSequence *sequence);

/*
 * Two texts, wrapped, as the model wants a pair. Both fit already, as mg_pair_room says: tokens of both together.
 */
bool mg_sequence_of_pair(const MgRun *run, const MgIds texts[2], MgSequence *sequence);
size_t mg_pair_room(const MgModel *model);

/*
 * The error for a text of n tokens that does not fit: at most limit do. Adds
 * a hint about what the caller can set.
 */
bool mg_fail_too_long(const MgRun *run, size_t n, size_t limit);

/*
 * Drops the last n of the tokens that lie, whole, within a part of their text. Where there are fewer it drops none, and returns how many
 * are wanting.
 */
size_t mg_tokens_cut(MgTokens *tokens, MgDataRange part, size_t n);

/* How many of sequences[0, n) go into the next batch: at least 1, and up to budget tokens. */
size_t mg_batch_take(const MgSequence *sequences, size_t n, size_t budget);

/* Packs sequences[0, n) into batch, wanting all rows. Arena memory. */
bool mg_batch_pack(MgCtx *cx, const MgSequence *sequences, size_t n, MgBatch *batch);

#endif
