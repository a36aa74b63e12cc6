/*
 * Drawing a token from logits.
 *
 *   1. biases are added; tokens that would end an answer too early, or complete a run that is there already, are banned
 *   2. penalties: z / r if z > 0, else z * r, for tokens of prompt and answer; then z - frequency * count - presence for those of the answer
 *   3. temperature 0: the largest logit, of equal ones the smallest id. Else w = exp((z - zmax) / temperature), in double
 *   4. top_k, then top_p, then min_p, over tokens in order of logit, of equal ones of id
 *   5. one uniform u in [0, 1) of 53 bits; the first token whose running sum of w exceeds u * sum(w)
 *
 * Sums are taken in double in blocks of 64, then over blocks, in the order of ids (where top_k or top_p have sorted: in that
 * order), by own arithmetic: the same logits and the same u give the same token on every CPU, whatever else is drawn beside it. One uniform
 * of 53 bits reaches tokens of any probability above 1e-16, which noise in float32 does not (arXiv 2409.02908).
 *
 * The uniform is a function of four numbers and of nothing else: 64-bit counters stirred by SplitMix64's finaliser (Steele, Lea, Flood 2014).
 */
#ifndef MG_TASK_DRAW_H
#define MG_TASK_DRAW_H

#include "task/sampling.h"
#include "text/wrap.h"

/* What the tokens before the one to be drawn are. */
typedef struct MgHistory
{
	const int32_t *ids; /* [n] prompt, then answer; each below the number of logits */
	size_t n, n_prompt;
} MgHistory;

/* In [0, 1): of a draw at a step of a sample; slot tells draws of one step apart. */
double mg_uniform(uint64_t seed, uint64_t sample, uint64_t step, uint64_t slot);

/*
 * Draws from logits [n], which steps 1 and 2 change. ends: tokens that end an answer. sample tells answers to one prompt apart; the step is
 * the length of the answer. Uses the arena and gives it back. Polls. False on an error: no token is left, or a logit is no number.
 */
bool mg_draw(MgCtx *cx, const MgSampling *sampling, MgHistory history, MgIds ends, uint64_t sample, float *logits, size_t n, int32_t *id);

/* The same with a uniform of the caller's. */
bool mg_draw_at(MgCtx *cx, const MgSampling *sampling, MgHistory history, MgIds ends, double u, float *logits, size_t n, int32_t *id);

/* log p of a token under logits [n] as the model has them, in nats; each logit a number or -INFINITY. */
double mg_log_probability(const float *logits, size_t n, int32_t id);

#endif
