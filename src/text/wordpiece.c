/* WordPiece by hashes: one pass over what is left of a word gives the hashes of all pieces that may begin it. */
#include "text/wordpiece.h"

#include "text/utf8.h"

static bool
push(MgCtx *cx, const MgPieces *pieces, const MgWord *word, int32_t id, size_t from, size_t to)
{
	if (word->starts == NULL)
		return mg_token_list_push(cx, pieces->list, id, word->first + (uint32_t) from, word->first + (uint32_t) to);
	return mg_token_list_push(cx, pieces->list, id, word->starts[from], word->stops[to - 1]);
}

uint8_t
mg_excluded_flags(const MgPieces *pieces, const MgWord *word)
{
	size_t start = word->starts == NULL ? word->first : word->starts[0];
	size_t stop = word->starts == NULL ? word->first + word->size : word->stops[word->size - 1];

	return mg_touches_data(pieces->data, start, stop) ? MG_TOKEN_OUTSIDE | MG_TOKEN_SPECIAL : MG_TOKEN_OUTSIDE;
}

/* The token of head followed by tail, if WordPiece may use it; else -1. */
static int32_t
find(const MgVocab *vocab, uint64_t hash, MgSpan head, MgSpan tail, uint8_t excluded_flags)
{
	int32_t id = mg_vocab_find(vocab, hash, head, tail);

	return id >= 0 && (vocab->flags[id] & excluded_flags) ? -1 : id;
}

/* The longest piece at from: its id, and its end in *to; -1 when there is none. */
static int32_t
longest_piece(const MgPieces *pieces, const MgWord *word, size_t from, size_t *to, size_t *work)
{
	uint8_t flags = mg_excluded_flags(pieces, word);
	const MgTokenizer *tokenizer = pieces->tokenizer;
	MgSpan head = from == 0 ? mg_span("", 0) : mg_continuation(tokenizer);
	uint64_t hash = from == 0 ? MG_HASH_START : tokenizer->continuation_hash;
	size_t left = word->size - from;
	size_t most = tokenizer->vocab.longest > head.size ? tokenizer->vocab.longest - head.size : 0;

	if (left > most)
		left = most;
	for (size_t i = 0; i < left; i++)
		pieces->ends[i] = hash = mg_hash_step(hash, word->bytes[from + i]);
	*work += left;
	for (size_t size = left; size > 0; size--)
	{
		int32_t id;

		if (!mg_utf8_boundary(mg_span(word->bytes, word->size), from + size))
			continue;
		id = find(&tokenizer->vocab, pieces->ends[size - 1], head, mg_span(word->bytes + from, size), flags);
		*work += 1;
		if (id >= 0)
		{
			*to = from + size;
			return id;
		}
	}
	return -1;
}

bool
mg_wordpiece(MgCtx *cx, const MgPieces *pieces, const MgWord *word)
{
	const MgVocab *vocab = &pieces->tokenizer->vocab;
	size_t n_before = pieces->list->tokens.n;
	size_t from = 0;
	size_t to = 0;
	size_t work = word->size;
	int32_t id = find(vocab, word->hash, mg_span("", 0), mg_span(word->bytes, word->size),
					  mg_excluded_flags(pieces, word));

	if (id >= 0)
		return mg_pace(cx, pieces->pace, work) && push(cx, pieces, word, id, 0, word->size);
	while (from < word->size)
	{
		id = longest_piece(pieces, word, from, &to, &work);
		if (id < 0)
		{
			pieces->list->tokens.n = n_before;
			from = 0;
			to = word->size;
			id = pieces->tokenizer->special.unknown;
		}
		if (!push(cx, pieces, word, id, from, to))
			return false;
		from = to;
	}
	return mg_pace(cx, pieces->pace, work);
}
