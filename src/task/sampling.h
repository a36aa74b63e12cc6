/*
 * How tokens are drawn: what a caller may set, its bounds, and how it is read
 * from a model's generation_config.json or from a user's options.
 */
#ifndef MG_TASK_SAMPLING_H
#define MG_TASK_SAMPLING_H

#include "format/json.h"

#define MG_SAMPLING_MAX_BIASES 1024
#define MG_SAMPLING_MAX_NGRAM 64

/* Added to the logit of a token before anything else; -INFINITY bans it. */
typedef struct MgLogitBias
{
	int32_t id;
	float bias;
} MgLogitBias;

typedef struct MgSampling
{
	float temperature;		  /* logits are divided by it; 0: the likeliest token, the smallest id of equal ones */
	size_t top_k;			  /* only the k likeliest; 0: all */
	float top_p;			  /* the fewest likeliest whose probabilities reach p, with the one that crosses it; 1: all */
	float min_p;			  /* only those at least min_p times as likely as the likeliest; 0: all */
	float repetition_penalty; /* CTRL, arXiv 1909.05858: what prompt or answer has; 1: none */
	float frequency_penalty;  /* subtracted from the logit for each time that the answer has the token; 0: none */
	float presence_penalty;	  /* subtracted once if the answer has it */
	size_t no_repeat_ngram;	  /* no run of so many tokens comes twice in prompt and answer; 0: they may */
	size_t min_tokens;		  /* of the answer: until then no token that ends it is drawn */
	size_t n_biases;
	const MgLogitBias *biases; /* [n_biases] */
	uint64_t seed;
} MgSampling;

/* Nothing changes the model's distribution. */
#define MG_SAMPLING_PLAIN ((MgSampling){.temperature = 1, .top_p = 1, .repetition_penalty = 1})

/* Refuses what is out of its bounds; ids of biases are below n_tokens. */
bool mg_sampling_check(MgCtx *cx, const MgSampling *sampling, size_t n_tokens);

/*
 * Takes over what an object says, and leaves the rest as it is. With a name it is a file, "generation_config.json", in
 * which "do_sample" false, or none, means temperature 0; with NULL a user's options. "logit_bias" is {"id": number}.
 */
bool mg_sampling_read(MgCtx *cx, const char *name, const MgJson *object, MgSampling *sampling);

/* Whether mg_sampling_read knows a key of a user's options: callers refuse others by name. */
bool mg_sampling_knows(MgSpan key);

/* All that it knows, one after the other, as far as they fit. */
void mg_sampling_names(char *names, size_t size);

#endif
