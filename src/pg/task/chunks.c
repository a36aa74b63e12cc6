/*
 * sentences() and chunks(): a long text in pieces that a model takes whole.
 *
 * A chunk is whole sentences, as many as fit; a sentence that does not fit alone is cut between words, a word that does not between tokens. Tokens are those of the
 * whole text, so a chunk never has more of them when it is tokenised alone, but for a word that is cut. With an overlap a chunk begins with the last sentences of the one
 * before, as far as they have that few tokens.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pg/arrays.h"
#include "pg/host.h"
#include "pg/model/session.h"
#include "task/input.h"
#include "text/sentence.h"
#include "text/tokenizer.h"
#include "text/utf8.h"
#include "text/wrap.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(maskgen_sentences);
PG_FUNCTION_INFO_V1(maskgen_chunks);

/* Pieces of a text as rows: number, text, first character, the one behind the last. */
typedef struct Pieces
{
	ReturnSetInfo *results;
	MgSpan input;
	int n;
	size_t byte; /* up to which characters are counted */
	int characters;
} Pieces;

static int
characters_before(Pieces *pieces, size_t byte)
{
	if (byte < pieces->byte)
	{
		pieces->byte = 0;
		pieces->characters = 0;
	}
	pieces->characters += pg_mbstrlen_with_len((const char *) pieces->input.data + pieces->byte, (int) (byte - pieces->byte));
	pieces->byte = byte;
	return pieces->characters;
}

static void
put(Pieces *pieces, size_t start, size_t stop)
{
	Datum values[4] = {Int32GetDatum(++pieces->n),
					   PointerGetDatum(cstring_to_text_with_len((const char *) pieces->input.data + start, (int) (stop - start))),
					   Int32GetDatum(1 + characters_before(pieces, start))};
	bool nulls[4] = {false};

	CHECK_FOR_INTERRUPTS();
	values[3] = Int32GetDatum(1 + characters_before(pieces, stop));
	tuplestore_putvalues(pieces->results->setResult, pieces->results->setDesc, values, nulls);
	pfree(DatumGetPointer(values[1]));
}

static Pieces
begin_pieces(FunctionCallInfo fcinfo, MgSpan input)
{
	InitMaterializedSRF(fcinfo, 0);
	return (Pieces){(ReturnSetInfo *) fcinfo->resultinfo, input};
}

static bool
next_sentence(MgCtx *cx, MgSpan input, size_t *at, MgSentence *sentence)
{
	bool found;

	if (!mg_sentence_next(cx, input, at, sentence, &found))
		host_throw(cx);
	return found;
}

static void
check_text(MgSpan input)
{
	if (mg_utf8_check(input) != input.size)
		ereport(ERROR, (errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE), errmsg("text is not UTF-8"), errhint("The database's encoding must be UTF8.")));
}

Datum
maskgen_sentences(PG_FUNCTION_ARGS)
{
	MgSpan input = span_of_text(PG_GETARG_TEXT_PP(0));
	Pieces pieces = begin_pieces(fcinfo, input);
	MgHost host = host_in(CurrentMemoryContext);
	MgCtx cx;
	MgSentence sentence;
	size_t at = 0;

	check_text(input);
	mg_ctx_init(&cx, &host);
	while (next_sentence(&cx, input, &at, &sentence))
		put(&pieces, sentence.start, sentence.stop);
	mg_ctx_free(&cx);
	return (Datum) 0;
}

/* A text under way: its tokens, and the chunk at hand. */
typedef struct Chunking
{
	Pieces pieces;
	MgTokens tokens;
	size_t most, overlap; /* tokens */
	size_t first;		  /* token of the chunk's beginning */
	size_t start, stop;	  /* bytes of the chunk; start == stop: there is none */
	size_t n_kept;		  /* the chunk's last sentences: */
	MgSentence kept[64];
} Chunking;

/* The first token that begins at or behind a byte. */
static size_t
token_at(const MgTokens *tokens, size_t byte)
{
	size_t low = 0, high = tokens->n;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (tokens->starts[middle] >= byte)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static size_t
tokens_between(const Chunking *chunking, size_t start, size_t stop)
{
	return token_at(&chunking->tokens, stop) - token_at(&chunking->tokens, start);
}

/* Ends the chunk at hand; the next one begins with its last sentences, if they are to be in both. */
static void
end_chunk(Chunking *chunking, bool is_last)
{
	size_t n = chunking->n_kept;

	if (chunking->start == chunking->stop)
		return;
	put(&chunking->pieces, chunking->start, chunking->stop);
	while (n > 0 && !is_last && tokens_between(chunking, chunking->kept[n - 1].start, chunking->stop) <= chunking->overlap && chunking->kept[n - 1].start > chunking->start)
		n--;
	if (is_last || n == chunking->n_kept)
	{
		chunking->start = chunking->stop = 0;
		chunking->n_kept = 0;
		return;
	}
	chunking->start = chunking->kept[n].start;
	chunking->n_kept -= n;
	memmove(chunking->kept, chunking->kept + n, chunking->n_kept * sizeof *chunking->kept);
}

/* A sentence that fits no chunk: pieces of it, between words where there are some. */
static void
cut_sentence(Chunking *chunking, MgSentence sentence)
{
	const MgTokens *tokens = &chunking->tokens;
	size_t first = token_at(tokens, sentence.start), end = token_at(tokens, sentence.stop);

	while (first < end)
	{
		size_t last = Min(first + chunking->most, end), stop;

		/* A token that begins where the one before ends goes on with its word. */
		if (last < end)
			for (size_t i = last; i > first + chunking->most / 2; i--)
				if (tokens->starts[i] > tokens->stops[i - 1])
				{
					last = i;
					break;
				}
		stop = last < end ? tokens->stops[last - 1] : sentence.stop;
		if (stop > tokens->starts[first])
			put(&chunking->pieces, tokens->starts[first], stop);
		first = last;
	}
}

static void
add_sentence(Chunking *chunking, MgSentence sentence)
{
	size_t n = tokens_between(chunking, sentence.start, sentence.stop);

	if (n > chunking->most)
	{
		end_chunk(chunking, true);
		cut_sentence(chunking, sentence);
		return;
	}
	if (chunking->start < chunking->stop && tokens_between(chunking, chunking->start, sentence.stop) > chunking->most)
		end_chunk(chunking, false);
	/* What both would share does not fit beside a long sentence. */
	if (chunking->start < chunking->stop && tokens_between(chunking, chunking->start, sentence.stop) > chunking->most)
		chunking->start = chunking->stop = chunking->n_kept = 0;
	if (chunking->start == chunking->stop)
		chunking->start = sentence.start;
	chunking->stop = sentence.stop;
	if (chunking->n_kept == lengthof(chunking->kept))
		memmove(chunking->kept, chunking->kept + 1, --chunking->n_kept * sizeof *chunking->kept);
	chunking->kept[chunking->n_kept++] = sentence;
}

/* Tokens of a text that the model takes, without those around it. */
static size_t
room_of(ModelUse *use, size_t around, int asked)
{
	size_t most = use->run.model->meta.max_tokens;

	if (asked < 0 || (asked > 0 && (size_t) asked <= around))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_tokens %d leaves no room for a text", asked),
						errdetail("The model puts %d tokens around each.", (int) around)));
	if (asked > 0)
		most = Min(most, (size_t) asked);
	return most > around ? most - around : 1;
}

static bool
tokenize(ModelUse *use, MgSpan input, MgTokens *tokens, size_t *around)
{
	const MgTokenizer *tokenizer = use->run.model->tokenizer;
	MgWrapped wrapped;

	if (!mg_tokenize(use->run.cx, tokenizer, input, MG_ALL_DATA, tokens) ||
		!mg_wrap(use->run.cx, mg_tokenizer_wrapping(tokenizer), &(MgIds){tokens->n, tokens->ids}, 1, &wrapped))
		return false;
	*around = wrapped.n - tokens->n;
	return true;
}

Datum
maskgen_chunks(PG_FUNCTION_ARGS)
{
	char *model = text_to_cstring(PG_GETARG_TEXT_PP(0));
	MgSpan input = span_of_text(PG_GETARG_TEXT_PP(1));
	int asked = PG_GETARG_INT32(2), overlap = PG_GETARG_INT32(3);
	Chunking *chunking = palloc0(sizeof *chunking);
	ModelUse use;
	MgSentence sentence;
	size_t at = 0, around = 0;

	chunking->pieces = begin_pieces(fcinfo, input);
	model_use_begin(&use, model);
	model_use_end(&use, tokenize(&use, input, &chunking->tokens, &around));
	chunking->most = room_of(&use, around, asked);
	if (overlap < 0 || (size_t) overlap >= chunking->most)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("overlap %d is not between 0 and %d", overlap, (int) chunking->most - 1)));
	chunking->overlap = (size_t) overlap;
	while (next_sentence(use.run.cx, input, &at, &sentence))
		add_sentence(chunking, sentence);
	end_chunk(chunking, true);
	return (Datum) 0;
}
