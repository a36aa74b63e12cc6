/* Penalties, filters and the draw; draw.h has the steps. */
#include "task/draw.h"

#include <math.h>

#include "core/top_k.h"

#define BLOCK 64		  /* weights that are summed at once */
#define POLL_TOKENS 16384 /* between polls, where a token is a step of a heap */

static uint64_t
stir(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return x ^ x >> 31;
}

double
mg_uniform(uint64_t seed, uint64_t sample, uint64_t step, uint64_t slot)
{
	const uint64_t gamma = UINT64_C(0x9E3779B97F4A7C15);
	uint64_t x = stir(seed + gamma);

	x = stir(x + gamma + sample);
	x = stir(x + gamma + step);
	x = stir(x + gamma + slot);
	return (double) (x >> 11) * 0x1p-53;
}

/*
 * exp(x) for x <= 0, to 1e-15: x = k ln 2 + r, and a Taylor polynomial of r in [-0.35, 0.35], whose next term is below 1e-17. Own, since
 * a C library's differs with its version and CPU. Below 2^-1000 it is 0, which no u can tell from it.
 */
static inline double
exp_of_negative(double x)
{
	const double shift = 0x1.8p52; /* rounds to an integer, and leaves it in the lowest bits */
	double y = x < -693 ? -693 : x;
	double shifted = y * 0x1.71547652b82fep0 + shift;
	double k = shifted - shift;
	double r = (y - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
	double p = 1.0 / 6227020800;
	uint64_t bits;
	double scale;

	p = p * r + 1.0 / 479001600;
	p = p * r + 1.0 / 39916800;
	p = p * r + 1.0 / 3628800;
	p = p * r + 1.0 / 362880;
	p = p * r + 1.0 / 40320;
	p = p * r + 1.0 / 5040;
	p = p * r + 1.0 / 720;
	p = p * r + 1.0 / 120;
	p = p * r + 1.0 / 24;
	p = p * r + 1.0 / 6;
	p = p * r + 0.5;
	p = p * r + 1;
	p = p * r + 1;
	memcpy(&bits, &shifted, sizeof bits);
	bits = (bits + 1023) << 52;
	memcpy(&scale, &bits, sizeof scale);
	return x < -693 ? 0 : p * scale;
}

/* weights [BLOCK] of logits; of constant length, for the compiler's vectors. */
static void
weigh_block(const float *logits, double largest, double inverse, double *weights)
{
	for (size_t i = 0; i < BLOCK; i++)
		weights[i] = exp_of_negative(((double) logits[i] - largest) * inverse);
}

/* Sum of up to BLOCK weights, in order. */
static double
sum_block(const double *weights, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += weights[i];
	return sum;
}

/* weights [n] of logits [n]; their sum. weights NULL: only the sum. */
static double
weigh(const float *logits, size_t n, double largest, double inverse, double *weights)
{
	double sum = 0;
	float last[BLOCK];
	double block[BLOCK];

	for (size_t at = 0; at < n; at += BLOCK)
	{
		size_t size = n - at < BLOCK ? n - at : BLOCK;
		const float *from = logits + at;

		if (size < BLOCK)
		{
			for (size_t i = 0; i < BLOCK; i++)
				last[i] = i < size ? from[i] : -INFINITY;
			from = last;
		}
		weigh_block(from, largest, inverse, block);
		sum += sum_block(block, size);
		if (weights != NULL)
			memcpy(weights + at, block, size * sizeof *block);
	}
	return sum;
}

typedef float v4 __attribute__((vector_size(16)));
typedef int32_t m4 __attribute__((vector_size(16)));

/* The largest of logits [BLOCK], -INFINITY at least; NaN when one is NaN or infinite. In lanes, for the compiler's vectors. */
static float
largest_of_block(const float *logits)
{
	v4 most = (v4){0} - INFINITY;
	m4 fine = ~(m4){0};
	float largest = -INFINITY;

	for (size_t i = 0; i < BLOCK; i += 4)
	{
		v4 some;
		m4 more;

		memcpy(&some, logits + i, sizeof some);
		fine &= some < INFINITY; /* not of a NaN either */
		more = some > most;
		most = (v4) (((m4) some & more) | ((m4) most & ~more));
	}
	for (size_t i = 0; i < 4; i++)
		largest = most[i] > largest ? most[i] : largest;
	return (fine[0] & fine[1] & fine[2] & fine[3]) != 0 ? largest : NAN;
}

/* The place of the largest of logits [n], the first of equal ones; n when one is NaN or infinite, or all are banned. */
static size_t
largest_of(const float *logits, size_t n)
{
	size_t place = n;
	float largest = -INFINITY;

	for (size_t at = 0; at < n; at += BLOCK)
	{
		size_t size = n - at < BLOCK ? n - at : BLOCK;
		float most = size == BLOCK ? largest_of_block(logits + at) : INFINITY;

		if (isnan(most))
			return n;
		for (size_t i = at; most > largest && i < at + size; i++)
		{
			if (isnan(logits[i]) || logits[i] == INFINITY)
				return n;
			if (logits[i] > largest)
			{
				largest = logits[i];
				place = i;
			}
		}
	}
	return place;
}

/* Bans each token that would complete a run of n tokens which the history has already. */
static void
ban_runs(MgHistory history, size_t n, float *logits)
{
	const int32_t *tail;

	if (n == 0 || history.n < n)
		return;
	tail = history.ids + history.n - (n - 1);
	for (size_t i = 0; i + n <= history.n; i++)
		if (n == 1 || memcmp(history.ids + i, tail, (n - 1) * sizeof *tail) == 0)
			logits[history.ids[i + n - 1]] = -INFINITY;
}

/* Of each token of the history once: how often the answer has it. */
static bool
penalize(MgCtx *cx, const MgSampling *sampling, MgHistory history, float *logits, size_t n)
{
	bool repeats = sampling->repetition_penalty != 1;
	uint32_t *counts; /* [n] 1 + the times in the answer, until the token is done; 0 then, and of tokens that are nowhere */

	if (!repeats && sampling->frequency_penalty == 0 && sampling->presence_penalty == 0)
		return true;
	counts = mg_alloc_zeroed(cx, n, sizeof *counts);
	if (counts == NULL)
		return false;
	for (size_t i = 0; i < history.n; i++)
	{
		uint32_t *count = &counts[history.ids[i]];

		*count = (*count == 0) + *count + (i >= history.n_prompt);
	}
	for (size_t i = 0; i < history.n; i++)
	{
		float *logit = &logits[history.ids[i]];
		uint32_t times = counts[history.ids[i]];

		if (times == 0)
			continue;
		counts[history.ids[i]] = 0;
		if (repeats)
			*logit = *logit > 0 ? *logit / sampling->repetition_penalty : *logit * sampling->repetition_penalty;
		if (times > 1)
			*logit -= sampling->frequency_penalty * (float) (times - 1) + sampling->presence_penalty;
	}
	return true;
}

static bool
adjust(MgCtx *cx, const MgSampling *sampling, MgHistory history, MgIds ends, float *logits, size_t n)
{
	for (size_t i = 0; i < sampling->n_biases; i++)
		logits[sampling->biases[i].id] += sampling->biases[i].bias;
	if (history.n - history.n_prompt < sampling->min_tokens)
		for (size_t i = 0; i < ends.n; i++)
			logits[ends.ids[i]] = -INFINITY;
	ban_runs(history, sampling->no_repeat_ngram, logits);
	return penalize(cx, sampling, history, logits, n);
}

/* What is left to draw from. */
typedef struct Candidates
{
	size_t n;
	double *weights; /* [n] */
	int32_t *ids;	 /* [n]; NULL: each is its place */
	double sum;
} Candidates;

/* The k best of logits of at least `least`, in order, and their weights. */
static bool
take_best(MgCtx *cx, const float *logits, size_t n, size_t k, float least, double inverse, Candidates *out)
{
	MgTopK top = {mg_alloc_array(cx, k, sizeof *top.items), k, 0};
	float *best = mg_alloc_array(cx, k, sizeof *best);

	out->ids = mg_alloc_array(cx, k, sizeof *out->ids);
	out->weights = mg_alloc_array(cx, k, sizeof *out->weights);
	if (top.items == NULL || best == NULL || out->ids == NULL || out->weights == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (logits[i] >= least && logits[i] > -INFINITY)
			mg_top_k_offer(&top, logits[i], (int32_t) i);
		if (i % POLL_TOKENS == POLL_TOKENS - 1 && !mg_poll(cx))
			return false;
	}
	mg_top_k_sort(&top);
	for (size_t i = 0; i < top.n; i++)
	{
		best[i] = top.items[i].score;
		out->ids[i] = top.items[i].id;
	}
	out->n = top.n;
	out->sum = weigh(best, top.n, best[0], inverse, out->weights);
	return true;
}

/* Keeps the fewest of the sorted candidates whose weights reach p of total, and weighs at least min_p. */
static void
cut_tail(Candidates *candidates, double p, double total, double min_p)
{
	double sum = 0;
	size_t n = 0;

	while (n < candidates->n && candidates->weights[n] >= min_p && (n == 0 || p >= 1 || sum < p * total))
		sum += candidates->weights[n++];
	candidates->n = n;
}

/* Keeps all that weigh at least min_p, in place. */
static void
keep_likely(double min_p, Candidates *candidates)
{
	for (size_t i = 0; i < candidates->n; i++)
		if (candidates->weights[i] < min_p)
			candidates->weights[i] = 0;
}

static bool
filter(MgCtx *cx, const MgSampling *sampling, const float *logits, size_t n, float largest, Candidates *out)
{
	double inverse = 1 / (double) sampling->temperature;

	if (sampling->top_k > 0 && sampling->top_k < n)
	{
		if (!take_best(cx, logits, n, sampling->top_k, -INFINITY, inverse, out))
			return false;
		cut_tail(out, sampling->top_p, out->sum, sampling->min_p);
		return true;
	}
	out->n = n;
	out->ids = NULL;
	out->weights = mg_alloc_array(cx, n, sizeof *out->weights);
	if (out->weights == NULL)
		return false;
	out->sum = weigh(logits, n, largest, inverse, out->weights);
	if (sampling->top_p < 1)
	{
		double total = out->sum;
		double least = (1 - (double) sampling->top_p) * total / (double) n;
		float least_logit = INFINITY;
		size_t k = 0;

		/* What weighs less than that is, all together, less than what is cut off: only the rest is sorted. */
		for (size_t i = 0; i < n; i++)
			if (out->weights[i] >= least)
			{
				k++;
				least_logit = logits[i] < least_logit ? logits[i] : least_logit;
			}
		if (!take_best(cx, logits, n, k, least_logit, inverse, out))
			return false;
		cut_tail(out, sampling->top_p, total, sampling->min_p);
	}
	else if (sampling->min_p > 0)
		keep_likely(sampling->min_p, out);
	return true;
}

/* The first candidate whose running sum exceeds u times the sum. */
static size_t
pick(const Candidates *candidates, double u)
{
	double total = 0, before = 0, target;
	size_t last = 0;

	for (size_t at = 0; at < candidates->n; at += BLOCK)
		total += sum_block(candidates->weights + at, candidates->n - at < BLOCK ? candidates->n - at : BLOCK);
	target = u * total;
	for (size_t at = 0; at < candidates->n; at += BLOCK)
	{
		size_t size = candidates->n - at < BLOCK ? candidates->n - at : BLOCK;
		double behind = before + sum_block(candidates->weights + at, size);

		for (size_t i = 0; behind > target && i < size; i++)
		{
			before += candidates->weights[at + i];
			if (before > target)
				return at + i;
		}
		/* The sum of a block and its running sum may differ in the last bit: then it is the last one that can be drawn. */
		for (size_t i = 0; i < size; i++)
			if (candidates->weights[at + i] > 0)
				last = at + i;
		if (behind > target)
			return last;
		before = behind;
	}
	return last;
}

/* Uses the arena. */
static bool
draw(MgCtx *cx, const MgSampling *sampling, MgHistory history, MgIds ends, double u, float *logits, size_t n, int32_t *id)
{
	Candidates candidates;
	size_t place;

	if (!adjust(cx, sampling, history, ends, logits, n))
		return false;
	place = largest_of(logits, n);
	if (place == n)
	{
		for (size_t i = 0; i < n; i++)
			if (isnan(logits[i]) || logits[i] == INFINITY)
				return mg_fail(cx, MG_BAD_FILE, "model computes a logit that is not a finite number");
		mg_fail(cx, MG_BAD_ARGUMENT, "no token is left to draw");
		return mg_hint(cx, "Allow more by logit_bias, min_tokens or no_repeat_ngram.");
	}
	*id = (int32_t) place;
	if (sampling->temperature == 0)
		return true;
	if (!filter(cx, sampling, logits, n, logits[place], &candidates))
		return false;
	place = pick(&candidates, u);
	*id = candidates.ids != NULL ? candidates.ids[place] : (int32_t) place;
	return true;
}

bool
mg_draw_at(MgCtx *cx, const MgSampling *sampling, MgHistory history, MgIds ends, double u, float *logits, size_t n, int32_t *id)
{
	MgMark mark = mg_mark(cx);
	bool fine = draw(cx, sampling, history, ends, u, logits, n, id);

	mg_rewind(cx, mark);
	return fine;
}

bool
mg_draw(MgCtx *cx, const MgSampling *sampling, MgHistory history, MgIds ends, uint64_t sample, float *logits, size_t n, int32_t *id)
{
	double u = mg_uniform(sampling->seed, sample, history.n - history.n_prompt, 0);

	return mg_draw_at(cx, sampling, history, ends, u, logits, n, id);
}

double
mg_log_probability(const float *logits, size_t n, int32_t id)
{
	size_t place = largest_of(logits, n);

	if (place == n)
		return -INFINITY;
	return ((double) logits[id] - logits[place]) - log(weigh(logits, n, logits[place], 1, NULL));
}
