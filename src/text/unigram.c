/*
 * The best path through a word, from left to right. Where no token that began earlier goes on, all paths meet, and the tokens up to there are
 * final: so memory is that of the longest stretch over which tokens overlap.
 */
#include "text/unigram.h"

#include "text/byte_level.h"
#include "text/utf8.h"
#include "text/wordpiece.h"

#define NONE UINT32_MAX

typedef struct Node
{
	double score;
	uint32_t from; /* where its token begins; NONE: nothing ends here */
	uint32_t to;   /* of a final path: where the token that begins here ends */
	int32_t id;
} Node;

typedef struct Run
{
	MgCtx *cx;
	MgPieces *pieces;
	const MgWord *word;
	uint8_t excluded;
	Node *nodes; /* [room] of the bytes from base on */
	size_t room, base;
	size_t unknown_from, unknown_to; /* a run of unknown characters that is not yet appended */
} Run;

bool
mg_unigram_prefixes(MgCtx *cx, const MgSpan *tokens, size_t n, MgSpan *prefixes, uint32_t *prefix_bits)
{
	size_t size = 0;
	uint32_t bits = 10;
	uint8_t *bytes;

	for (size_t i = 0; i < n; i++)
		size += tokens[i].size;
	while (bits < MG_MAX_PREFIX_BITS && (size_t) 1 << bits < 4 * size)
		bits++;
	bytes = mg_alloc_zeroed(cx, (size_t) 1 << (bits - 3), 1);
	if (bytes == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		uint64_t hash = MG_HASH_START;

		if (i % 4096 == 0 && !mg_poll(cx))
			return false;
		for (size_t j = 0; j < tokens[i].size; j++)
		{
			uint64_t at;

			hash = mg_hash_step(hash, tokens[i].data[j]);
			at = hash >> (64 - bits);
			bytes[at >> 3] |= (uint8_t) (1u << (at & 7));
		}
	}
	*prefixes = mg_span(bytes, (size_t) 1 << (bits - 3));
	*prefix_bits = bits;
	return true;
}

bool
mg_unigram_check(MgCtx *cx, size_t n_tokens, uint32_t prefix_bits, MgSpan scores, MgSpan prefixes)
{
	if (prefix_bits < 3 || prefix_bits > MG_MAX_PREFIX_BITS || prefixes.size != (size_t) 1 << (prefix_bits - 3) ||
		scores.size != n_tokens * sizeof(double))
		return mg_fail(cx, MG_BAD_FILE, "scores of tokenizer section do not fit its vocabulary");
	return true;
}

static bool
push(const Run *run, int32_t id, size_t from, size_t to)
{
	const MgWord *word = run->word;

	if (word->starts == NULL)
		return mg_token_list_push(run->cx, run->pieces->list, id, word->first + (uint32_t) from, word->first + (uint32_t) to);
	return mg_token_list_push(run->cx, run->pieces->list, id, word->starts[from], word->stops[to - 1]);
}

static int32_t
find(const Run *run, uint64_t hash, MgSpan bytes)
{
	const MgVocab *vocab = &run->pieces->tokenizer->vocab;
	int32_t id = mg_vocab_find(vocab, hash, mg_span("", 0), bytes);

	return id >= 0 && (vocab->flags[id] & run->excluded) != 0 ? -1 : id;
}

/* Appends the run of unknown characters. */
static bool
push_unknown(Run *run)
{
	const MgTokenizer *tokenizer = run->pieces->tokenizer;
	size_t from = run->unknown_from, to = run->unknown_to;
	MgSpan bytes = mg_span(run->word->bytes + from, to - from);
	bool fallback = tokenizer->byte_fallback;
	int32_t id;

	run->unknown_from = run->unknown_to;
	if (bytes.size == 0)
		return true;
	id = bytes.size <= tokenizer->vocab.longest ? find(run, mg_hash_span(MG_HASH_START, bytes), bytes) : -1;
	for (size_t i = 0; i < bytes.size && fallback; i++)
		fallback = tokenizer->bpe.bytes[bytes.data[i]] >= 0;
	if (id >= 0 || !fallback)
		return push(run, id >= 0 ? id : tokenizer->special.unknown, from, to);
	for (size_t i = 0; i < bytes.size; i++)
		if (!mg_pace(run->cx, run->pieces->pace, 1) || !push(run, tokenizer->bpe.bytes[bytes.data[i]], from, to))
			return false;
	return true;
}

/* Appends the path that ends at a place, and begins there anew. */
static bool
finish(Run *run, size_t at)
{
	Node *nodes = run->nodes;
	double score = nodes[at].score;

	for (size_t to = at; to > 0; to = nodes[to].from)
		nodes[nodes[to].from].to = (uint32_t) to;
	for (size_t from = 0; from < at; from = nodes[from].to)
	{
		size_t to = nodes[from].to;

		if (!mg_pace(run->cx, run->pieces->pace, 1))
			return false;
		if (nodes[to].id == run->pieces->tokenizer->special.unknown)
		{
			if (run->unknown_from == run->unknown_to)
				run->unknown_from = run->base + from;
			run->unknown_to = run->base + to;
		}
		else if (!push_unknown(run) || !push(run, nodes[to].id, run->base + from, run->base + to))
			return false;
		if (run->unknown_from == run->unknown_to)
			run->unknown_from = run->unknown_to = run->base + to;
	}
	run->base += at;
	nodes[0] = (Node){score, NONE, 0, -1};
	return true;
}

static void
offer(Node *node, double score, size_t from, int32_t id)
{
	if (node->from == NONE || score > node->score)
		*node = (Node){score, (uint32_t) from, 0, id};
}

/* Offers all tokens that begin at a place; raises *reach to where the longest ends, within the room. */
static bool
look(Run *run, size_t at, size_t *reach, size_t *next)
{
	const MgTokenizer *tokenizer = run->pieces->tokenizer;
	const MgUnigram *unigram = &tokenizer->unigram;
	const uint8_t *bytes = run->word->bytes + run->base + at;
	size_t left = run->word->size - run->base - at, single = 0, i;
	uint64_t hash = MG_HASH_START;
	double score = run->nodes[at].score;
	bool has_single = false;

	mg_utf8_next(mg_span(bytes, left), &single);
	*next = at + single;
	if (left > run->room - 1 - at)
		left = run->room - 1 - at;
	if (left > tokenizer->vocab.longest)
		left = tokenizer->vocab.longest;
	for (i = 0; i < left; i++)
	{
		uint64_t bit;
		int32_t id;
		double its;

		hash = mg_hash_step(hash, bytes[i]);
		bit = hash >> (64 - unigram->prefix_bits);
		if ((unigram->prefixes[bit >> 3] & 1u << (bit & 7)) == 0)
			break;
		if (i + 1 < left && mg_utf8_continues(bytes[i + 1]))
			continue;
		id = find(run, hash, mg_span(bytes, i + 1));
		if (id < 0)
			continue;
		memcpy(&its, unigram->scores + (size_t) id * sizeof its, sizeof its);
		offer(&run->nodes[at + i + 1], its + score, at, id);
		has_single = has_single || i + 1 == single;
		*reach = at + i + 1 > *reach ? at + i + 1 : *reach;
	}
	if (!has_single)
		offer(&run->nodes[*next], unigram->unknown_score + score, at, tokenizer->special.unknown);
	*reach = *next > *reach ? *next : *reach;
	return mg_pace(run->cx, run->pieces->pace, i + 2);
}

/* Nodes, kept for the next word. */
static bool
make_nodes(Run *run)
{
	size_t longest = run->pieces->tokenizer->vocab.longest, most = MG_LONGEST_WORD + longest + MG_UTF8_MAX + 1;
	size_t room = run->word->size + MG_UTF8_MAX + 1 < most ? run->word->size + MG_UTF8_MAX + 1 : most;

	if (run->pieces->n_nodes < room)
	{
		size_t grown = 2 * room < most ? 2 * room : most;

		run->pieces->nodes = mg_alloc_array(run->cx, grown, sizeof(Node));
		run->pieces->n_nodes = grown;
		if (run->pieces->nodes == NULL)
			return false;
		for (size_t i = 0; i < grown; i++)
			((Node *) run->pieces->nodes)[i].from = NONE;
	}
	run->nodes = run->pieces->nodes;
	run->room = run->pieces->n_nodes;
	return true;
}

/* The token that all of the word is, as the best path would find it; -1 when it is not known. */
static int32_t
find_whole(const Run *run)
{
	const MgVocab *vocab = &run->pieces->tokenizer->vocab;
	MgSpan bytes = mg_span(run->word->bytes, run->word->size);
	int32_t id = bytes.size <= vocab->longest ? find(run, mg_hash_span(MG_HASH_START, bytes), bytes) : -1;

	return id >= 0 && (vocab->flags[id] & MG_TOKEN_WHOLE) != 0 ? id : -1;
}

bool
mg_unigram(MgCtx *cx, MgPieces *pieces, const MgWord *word)
{
	Run run = {.cx = cx, .pieces = pieces, .word = word, .excluded = mg_excluded_flags(pieces, word)};
	size_t at = 0, reach = 0, next;
	int32_t whole = find_whole(&run);

	if (whole >= 0)
		return mg_pace(cx, pieces->pace, word->size) && push(&run, whole, 0, word->size);
	if (!make_nodes(&run))
		return false;
	run.nodes[0] = (Node){0, NONE, 0, -1};
	while (run.base + at < word->size)
	{
		if (!look(&run, at, &reach, &next))
			return false;
		/* Places between two characters are ends of no token. */
		at = next;
		if (at != reach && at < MG_LONGEST_WORD)
			continue;
		if (!finish(&run, at))
			return false;
		for (size_t i = 1; i <= reach; i++)
			run.nodes[i].from = NONE;
		at = reach = 0;
	}
	if (at > 0 && !finish(&run, at))
		return false;
	for (size_t i = 0; i <= reach; i++)
		run.nodes[i].from = NONE;
	return push_unknown(&run);
}
