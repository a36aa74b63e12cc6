/* Looking drafts up, and telling whether they pay. */
#include "task/draft.h"

/* What follows so many tokens is looked for behind the same ones. */
#define LOOKUP 3

/* Each draft costs a fifth of a step (Zen 4, weights of 4 bits). */
#define DRAFT_COST 0.2

/* What the share is taken for at first, how slowly it changes, and after how many draws without a try there is another. */
#define FIRST_SHARE 0.5
#define SHARE_MEMORY 0.9
#define TRY_AGAIN 24

void
mg_draft_init(MgDraft *draft)
{
	*draft = (MgDraft){.right = FIRST_SHARE};
}

size_t
mg_draft_find(MgDraft *draft, const int32_t *ids, size_t n, size_t most, const int32_t **found)
{
	const int32_t *tail = ids + n - LOOKUP;

	/* The share is of all drafts of a try: so many more tokens does each of them bring. */
	if (most > MG_MOST_DRAFTED)
		most = MG_MOST_DRAFTED;
	if (most == 0 || (draft->right < DRAFT_COST && ++draft->untried < TRY_AGAIN))
		return 0;
	for (size_t at = n; at-- > LOOKUP && n > LOOKUP;)
		if (memcmp(ids + at - LOOKUP, tail, LOOKUP * sizeof *ids) == 0)
		{
			draft->untried = 0;
			*found = ids + at;
			return n - at < most ? n - at : most;
		}
	return 0;
}

typedef struct Taken
{
	float *logits;
	size_t vocab;
} Taken;

static bool
take_logits(void *user, float *logits, size_t at, size_t n)
{
	const Taken *taken = user;

	memcpy(taken->logits + at * taken->vocab, logits, n * taken->vocab * sizeof *logits);
	return true;
}

bool
mg_draft_read(MgDecoder *decoder, uint32_t slot, int32_t last, const int32_t *drafts, size_t n, float *logits)
{
	int32_t ids[1 + MG_MOST_DRAFTED] = {last};
	Taken taken = {logits, decoder->run.model->sizes->vocab};

	memcpy(ids + 1, drafts, n * sizeof *ids);
	return mg_decoder_read(decoder, (MgDecoderInput){slot, ids, n + 1}, &(MgLogitsTaker){&taken, take_logits});
}

void
mg_draft_tell(MgDraft *draft, size_t right, size_t n)
{
	draft->right = SHARE_MEMORY * draft->right + (1 - SHARE_MEMORY) * (double) right / (double) n;
}
