/* Merges by scores. */
#include "text/scored_merges.h"

#include "text/utf8.h"

/* Entries between two polls. */
#define POLL_STEP 4096

/* Longer tokens are found by no merge: real ones have a few dozen bytes. */
#define LONGEST 512

static bool
takes_part(const MgTokenizerSpec *spec, size_t id)
{
	MgSpan token = spec->tokens[id];

	if ((spec->flags[id] & (MG_TOKEN_ADDED | MG_TOKEN_SPECIAL | MG_TOKEN_OUTSIDE)) != 0 || token.size == 0 || token.size > LONGEST)
		return false;
	return !(spec->byte_fallback && token.size == 6 && memcmp(token.data, "<0x", 3) == 0 && token.data[5] == '>');
}

static bool
comes_before(const MgTokenizerSpec *spec, uint32_t a, uint32_t b)
{
	return spec->scores[a] != spec->scores[b] ? spec->scores[a] > spec->scores[b] : a < b;
}

/* Ids [n] by descending score: runs are merged, from pairs on. */
static bool
sort(MgCtx *cx, const MgTokenizerSpec *spec, uint32_t *ids, size_t n)
{
	uint32_t *other = mg_alloc_array(cx, n, sizeof *other), *from = ids, *to = other;

	if (other == NULL)
		return false;
	for (size_t width = 1; width < n; width *= 2)
	{
		uint32_t *swapped = from;

		if (!mg_poll(cx))
			return false;
		for (size_t begin = 0; begin < n; begin += 2 * width)
		{
			size_t middle = begin + width < n ? begin + width : n, end = middle + width < n ? middle + width : n;
			size_t a = begin, b = middle;

			for (size_t i = begin; i < end; i++)
				to[i] = b == end || (a < middle && !comes_before(spec, from[b], from[a])) ? from[a++] : from[b++];
		}
		from = to;
		to = swapped;
	}
	if (from != ids)
		memcpy(ids, from, n * sizeof *ids);
	return true;
}

/* The merges that make one token, to into unless that is NULL; how many. */
static size_t
cut(const MgTokenizerSpec *spec, const MgVocab *vocab, uint32_t id, uint32_t rank, MgMerge *into)
{
	MgSpan token = spec->tokens[id], none = mg_span("", 0);
	uint64_t hash = MG_HASH_START;
	size_t n = 0;

	for (size_t at = 1; at < token.size; at++)
	{
		MgSpan head = mg_span(token.data, at), tail = mg_span(token.data + at, token.size - at);
		int32_t left, right;

		hash = mg_hash_step(hash, token.data[at - 1]);
		if (mg_utf8_continues(token.data[at]) || (left = mg_vocab_find(vocab, hash, none, head)) < 0 || !takes_part(spec, (size_t) left))
			continue;
		right = mg_vocab_find(vocab, mg_hash_span(MG_HASH_START, tail), none, tail);
		if (right < 0 || !takes_part(spec, (size_t) right))
			continue;
		if (into != NULL)
			into[n] = (MgMerge){(uint32_t) left, (uint32_t) right, id, rank};
		n++;
	}
	return n;
}

bool
mg_scored_merges(MgCtx *cx, const MgTokenizerSpec *spec, const MgVocab *vocab, MgMerge **merges, size_t *n)
{
	uint32_t *ids = mg_alloc_array(cx, spec->n_tokens, sizeof *ids), rank = 0;
	size_t n_ids = 0;

	*n = 0;
	*merges = NULL;
	if (ids == NULL)
		return false;
	for (uint32_t id = 0; id < spec->n_tokens; id++)
		if (takes_part(spec, id))
			ids[n_ids++] = id;
	if (!sort(cx, spec, ids, n_ids))
		return false;
	for (int pass = 0; pass < 2; pass++)
	{
		*n = 0;
		for (size_t i = 0; i < n_ids; i++)
		{
			if (i % POLL_STEP == 0 && !mg_poll(cx))
				return false;
			if (i > 0 && spec->scores[ids[i]] != spec->scores[ids[i - 1]])
				rank = (uint32_t) i;
			*n += cut(spec, vocab, ids[i], i == 0 ? 0 : rank, pass == 0 ? NULL : *merges + *n);
		}
		rank = 0;
		if (pass == 0 && (*merges = mg_alloc_array(cx, *n, sizeof **merges)) == NULL)
			return false;
	}
	return true;
}
