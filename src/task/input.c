/* Texts to sequences, sequences to packed batches. */
#include "task/input.h"

bool
mg_fail_too_long(const MgRun *run, size_t n, size_t limit)
{
	mg_fail(run->cx, MG_TOO_LARGE, "input is too long for model \"%s\"", run->name);
	mg_detail(run->cx, "It has %zu tokens, at most %zu fit.", n, limit);
	return mg_hint(run->cx, "Shorten the input, or cut it by setting maskgen.long_input to \"truncate\".");
}

size_t
mg_text_limit(const MgModel *model)
{
	size_t extra = mg_wrap_extra(mg_tokenizer_wrapping(model->tokenizer), 1);

	return model->meta.max_tokens > extra ? model->meta.max_tokens - extra : 0;
}

bool
mg_sequence_wrap(const MgRun *run, MgIds text, MgSequence *sequence)
{
	const MgModel *model = run->model;
	MgWrapped wrapped;

	if (text.n > mg_text_limit(model))
		return mg_fail_too_long(run, text.n, mg_text_limit(model));
	if (!mg_wrap(run->cx, mg_tokenizer_wrapping(model->tokenizer), &text, 1, &wrapped))
		return false;
	if (wrapped.n > model->meta.max_tokens)
		return mg_fail(run->cx, MG_TOO_LARGE, "model \"%s\" has no room for a text between its special tokens", run->name);
	sequence->n = wrapped.n;
	sequence->ids = wrapped.ids;
	sequence->segments = NULL; /* of one text they are all 0: format/tokenizer_wrap.c refuses others */
	sequence->first = wrapped.starts[0];
	sequence->n_text = text.n;
	sequence->cut = false;
	return true;
}

size_t
mg_pair_room(const MgModel *model)
{
	size_t extra = mg_wrap_extra(mg_tokenizer_wrapping(model->tokenizer), 2);

	return model->meta.max_tokens > extra ? model->meta.max_tokens - extra : 0;
}

bool
mg_sequence_of_pair(const MgRun *run, const MgIds texts[2], MgSequence *sequence)
{
	const MgModel *model = run->model;
	MgWrapped wrapped;

	if (!mg_wrap(run->cx, mg_tokenizer_wrapping(model->tokenizer), texts, 2, &wrapped))
		return false;
	for (size_t i = 0; model->sizes->segments > 0 && i < wrapped.n; i++)
		if (wrapped.segments[i] >= model->sizes->segments)
			return mg_fail(run->cx, MG_UNSUPPORTED, "model \"%s\" has no segment %u, which its tokenizer gives to texts of a pair",
						   run->name, wrapped.segments[i]);
	sequence->n = wrapped.n;
	sequence->ids = wrapped.ids;
	sequence->segments = model->sizes->segments > 0 ? wrapped.segments : NULL;
	return true;
}

/* A text behind a prompt that fills the sequence by itself would be cut off without a word. */
static bool
check_prompt(const MgRun *run, MgSpan prompt, size_t limit)
{
	MgTokens tokens;

	if (prompt.size == 0)
		return true;
	if (!mg_tokenize(run->cx, run->model->tokenizer, prompt, MG_NO_DATA, &tokens))
		return false;
	if (tokens.n < limit)
		return true;
	mg_fail(run->cx, MG_TOO_LARGE, "prompt is too long for model \"%s\"", run->name);
	return mg_detail(run->cx, "It has %zu tokens, and at most %zu fit with the text.", tokens.n, limit);
}

bool
mg_sequence_of_text(const MgRun *run, MgSpan prompt, MgSpan text, bool read_specials,
					MgLongInput long_input, MgSequence *sequence)
{
	MgDataRange behind = {prompt.size, SIZE_MAX};
	MgData data = {read_specials ? 0 : 1, &behind};
	size_t limit = mg_text_limit(run->model);
	MgTokens tokens;
	bool cut = false;

	if (prompt.size > 0)
	{
		/* Joined as text, since a token may span the seam. */
		uint8_t *joined = text.size > MG_TEXT_LIMIT || prompt.size > MG_TEXT_LIMIT
			? NULL
			: mg_alloc(run->cx, prompt.size + text.size);

		if (joined == NULL)
			return mg_fail(run->cx, MG_TOO_LARGE, "input is too long");
		memcpy(joined, prompt.data, prompt.size);
		if (text.size > 0)
			memcpy(joined + prompt.size, text.data, text.size);
		text = mg_span(joined, prompt.size + text.size);
	}
	if (!mg_tokenize(run->cx, run->model->tokenizer, text, data, &tokens))
		return false;
	if (tokens.n > limit)
	{
		if (!check_prompt(run, prompt, limit))
			return false;
		if (long_input == MG_LONG_ERROR)
			return mg_fail_too_long(run, tokens.n, limit);
		tokens.n = limit;
		cut = true;
	}
	if (!mg_sequence_wrap(run, (MgIds){tokens.n, tokens.ids}, sequence))
		return false;
	sequence->cut = cut;
	return true;
}

size_t
mg_tokens_cut(MgTokens *tokens, MgDataRange part, size_t n)
{
	size_t first = 0, stop, behind;

	while (first < tokens->n && tokens->starts[first] < part.start)
		first++;
	for (stop = first; stop < tokens->n && tokens->stops[stop] <= part.stop;)
		stop++;
	if (stop - first < n)
		return n - (stop - first);
	behind = tokens->n - stop;
	memmove(tokens->ids + stop - n, tokens->ids + stop, behind * sizeof *tokens->ids);
	memmove(tokens->starts + stop - n, tokens->starts + stop, behind * sizeof *tokens->starts);
	memmove(tokens->stops + stop - n, tokens->stops + stop, behind * sizeof *tokens->stops);
	tokens->n -= n;
	return 0;
}

size_t
mg_batch_take(const MgSequence *sequences, size_t n, size_t budget)
{
	size_t taken = 1, tokens = sequences[0].n;

	while (taken < n && tokens + sequences[taken].n <= budget)
		tokens += sequences[taken++].n;
	return taken;
}

/* Segments of all tokens, where one sequence has some. */
static bool
pack_segments(MgCtx *cx, const MgSequence *sequences, MgBatch *batch)
{
	uint8_t *segments;
	bool any = false;

	for (size_t i = 0; i < batch->n_sequences; i++)
		any = any || sequences[i].segments != NULL;
	if (!any)
		return true;
	segments = mg_alloc_zeroed(cx, batch->n_tokens, 1);
	if (segments == NULL)
		return false;
	for (size_t i = 0; i < batch->n_sequences; i++)
		if (sequences[i].segments != NULL)
			memcpy(segments + batch->offsets[i], sequences[i].segments, sequences[i].n);
	batch->segments = segments;
	return true;
}

bool
mg_batch_pack(MgCtx *cx, const MgSequence *sequences, size_t n, MgBatch *batch)
{
	size_t n_tokens = 0;
	uint32_t *offsets = mg_alloc_array(cx, n + 1, sizeof *offsets);
	int32_t *ids;

	if (offsets == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		offsets[i] = (uint32_t) n_tokens;
		n_tokens += sequences[i].n;
	}
	offsets[n] = (uint32_t) n_tokens;
	ids = mg_alloc_array(cx, n_tokens, sizeof *ids);
	if (ids == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
		if (sequences[i].n > 0)
			memcpy(ids + offsets[i], sequences[i].ids, sequences[i].n * sizeof *ids);
	*batch = (MgBatch){.n_sequences = n, .n_tokens = n_tokens, .ids = ids, .offsets = offsets, .n_rows = n_tokens};
	return pack_segments(cx, sequences, batch);
}
