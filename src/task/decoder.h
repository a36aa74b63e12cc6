/*
 * A decoder at work: sequences in slots, each with the keys of the tokens that it holds, which grow by steps.
 *
 *   MgDecoder decoder;
 *   mg_decoder_init(run, n_slots, room, &decoder)
 *   mg_decoder_step(&decoder, inputs, n, logits)       a prompt of any length, or the token that was drawn last, for each slot
 *   ... draw from logits, step again ...
 *
 * All sequences of a step go through the weights together. What a sequence's logits are depends on its own tokens alone: not on the
 * sequences beside it, on how its tokens were cut into steps, or on whether a beginning was copied from another slot.
 *
 * Keys are in the arena of the run, in memory of mg_decoder_slot_size() for each slot: who begins bounds n_slots and room.
 */
#ifndef MG_TASK_DECODER_H
#define MG_TASK_DECODER_H

#include "model/run.h"

typedef struct MgDecoder
{
	MgRun run; /* the caller's, with the keys below */
	size_t n_slots;
	size_t room;	  /* tokens of a slot */
	uint32_t *lengths; /* [n_slots] tokens that each holds */
} MgDecoder;

/* Tokens behind those that a slot holds. */
typedef struct MgDecoderInput
{
	uint32_t slot; /* each at most once in a step */
	const int32_t *ids;
	size_t n; /* at least 1 */
} MgDecoderInput;

/* Whether a model can be asked for the next token; false with an error that says why not. */
bool mg_decoder_can(const MgRun *run);

/* Bytes of keys of a slot; false on overflow. */
bool mg_decoder_slot_size(const MgModel *model, size_t room, size_t *size);

/*
 * How many slots of so much room tasks take that run many prompts once: up to MG_PROMPT_SLOTS, as fit into the memory that they allow
 * themselves. False, with an error, where not even one does; what names the prompts in its hint.
 */
#define MG_PROMPT_SLOTS 32
bool mg_prompt_slots(const MgRun *run, size_t room, const char *what, size_t *slots);

bool mg_decoder_init(const MgRun *run, size_t n_slots, size_t room, MgDecoder *decoder);

/*
 * Appends tokens to slots, which have room for them. logits [n, vocab] are of the last token of each input; NULL: nobody asks.
 * Ids are below the model's vocabulary. Adds tokens and batches to the run's usage. Polls; false when stopped or out of memory.
 */
bool mg_decoder_step(MgDecoder *decoder, const MgDecoderInput *inputs, size_t n, float *logits);

/*
 * The same for one input, with logits of each of its tokens: each [n] hands over n rows [n, vocab] of tokens from the one at.
 * They may be changed, and are gone afterwards. For scores of a text.
 */
typedef struct MgLogitsTaker
{
	void *user;
	bool (*take)(void *user, float *logits, size_t at, size_t n);
} MgLogitsTaker;

bool mg_decoder_read(MgDecoder *decoder, MgDecoderInput input, const MgLogitsTaker *taker);

/* The first n tokens of a slot stay: 0 frees it. */
void mg_decoder_keep(MgDecoder *decoder, uint32_t slot, size_t n);

/* Gives one slot the first n tokens of another. */
void mg_decoder_copy(MgDecoder *decoder, uint32_t from, size_t n, uint32_t to);

/* The same, without a copy where that can be: from, which was given nothing itself, keeps these tokens while to has them. */
void mg_decoder_share(MgDecoder *decoder, uint32_t from, size_t n, uint32_t to);

/*
 * Keys of MG_DECODER_BLOCK tokens as bytes: of a slot's block-th ones, which it holds, and appended to a slot, which holds whole blocks and has
 * room. The size is false on overflow.
 */
#define MG_DECODER_BLOCK MG_PANEL
bool mg_decoder_block_size(const MgModel *model, size_t *size);
void mg_decoder_save(const MgDecoder *decoder, uint32_t slot, size_t block, uint8_t *bytes);
void mg_decoder_load(MgDecoder *decoder, uint32_t slot, const uint8_t *bytes);

#endif
