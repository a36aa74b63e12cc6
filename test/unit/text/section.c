/* A section with any byte changed: an error, or a tokeniser that can be used. */
#include "text/section.h"

#include "text/utf8.h"
#include "unit/text/sample.h"

static MgSpan tokens[N_SAMPLE];
static uint8_t flags[N_SAMPLE];

static const char text[] = "The unplayable caf\xC3\xA9\xCC\x81, \xE4\xB8\xAD [MASK] abcb  <l> New York's \xED\x95\x9C";

static MgSpan
sample_section(MgCtx *cx)
{
	MgTokenizerSpec spec = sample_spec(tokens, flags);
	MgSpan section = {NULL, 0};

	sample_add(&spec, "<l>", MG_TOKEN_ADDED | MG_TOKEN_LSTRIP | MG_TOKEN_RSTRIP);
	sample_add(&spec, "New York", MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED | MG_TOKEN_SINGLE_WORD);
	ok(mg_tokenizer_build(cx, &spec, &section), "built (%s)", cx->error.message);
	return section;
}

/* Uses everything that a bound tokeniser offers; false when something is out of its range. */
static bool
use(MgCtx *cx, const MgTokenizer *tokenizer)
{
	MgSpecialTokens special = mg_special_tokens(tokenizer);
	size_t n = mg_tokenizer_size(tokenizer);
	MgTokens found;
	MgSpan back;

	if (special.unknown < 0 || (size_t) special.unknown >= n || special.mask >= (int64_t) n)
		return false;
	if (!mg_tokenize(cx, tokenizer, mg_span(text, sizeof text - 1), MG_NO_DATA, &found))
		return false;
	for (size_t i = 0; i < found.n; i++)
		if (found.ids[i] < 0 || (size_t) found.ids[i] >= n || found.starts[i] > found.stops[i] ||
			found.stops[i] > sizeof text - 1)
			return false;
	for (size_t id = 0; id < n; id++)
	{
		int32_t one = (int32_t) id;

		if (!mg_detokenize(cx, tokenizer, &one, 1, true, &back) || mg_utf8_check(back) != back.size)
			return false;
	}
	for (size_t id = 0; id < n; id++)
		(void) mg_token_find(tokenizer, mg_token_text(tokenizer, (int32_t) id));
	return true;
}

/* A copy at its exact size and at an odd address, where a sanitizer sees a read too many. */
static void
try_section(MgSpan section, size_t at, uint8_t byte, long *n_refused, long *n_bad)
{
	TestHost host;
	MgCtx cx;
	uint8_t *copy = malloc(section.size + 1);
	const MgTokenizer *tokenizer;

	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	memcpy(copy + 1, section.data, section.size);
	if (at < section.size)
		copy[1 + at] = byte;
	tokenizer = mg_tokenizer_bind(&cx, mg_span(copy + 1, section.size));
	if (tokenizer == NULL)
	{
		*n_refused += 1;
		if (cx.error.code != MG_BAD_FILE && cx.error.code != MG_UNSUPPORTED)
			*n_bad += 1;
	}
	else if (!use(&cx, tokenizer))
		*n_bad += 1;
	mg_ctx_free(&cx);
	free(copy);
}

static void
test_flips(MgSpan section)
{
	static const uint8_t changes[] = {0x01, 0x40, 0x80, 0xFF};
	long n_refused = 0, n_bad = 0, n_header = 0;

	try_section(section, section.size, 0, &n_refused, &n_bad);
	ok(n_refused == 0 && n_bad == 0, "unchanged, at an odd address");
	for (size_t at = 0; at < section.size; at++)
	{
		for (size_t i = 0; i < sizeof changes; i++)
			try_section(section, at, section.data[at] ^ changes[i], &n_refused, &n_bad);
		if (at == sizeof(MgSectionHeader) - 1)
			n_header = n_refused;
	}
	is_int(n_bad, 0, "each byte changed: an error, or a tokeniser that works");
	ok(n_header > 400, "%ld of 512 changes of the header are refused", n_header);
	ok(n_refused > n_header, "and %ld behind it", n_refused - n_header);
}

static void
test_sizes(MgCtx *cx, MgSpan section)
{
	long bad = 0;
	uint8_t *longer = malloc(section.size + 1);

	for (size_t size = 0; size < section.size; size++)
	{
		mg_ctx_reset(cx);
		if (mg_tokenizer_bind(cx, mg_span(section.data, size)) != NULL || cx->error.code != MG_BAD_FILE)
			bad++;
	}
	is_int(bad, 0, "a section that ends early is refused");
	memcpy(longer, section.data, section.size);
	longer[section.size] = 0;
	mg_ctx_reset(cx);
	ok(mg_tokenizer_bind(cx, mg_span(longer, section.size + 1)) == NULL, "and one that ends late");
	is_text(cx->error.message, "tokenizer section has the wrong size", "with these words");
	free(longer);
}

/* Slots that are all taken, each by the wrong token: searches end, and find nothing. */
static void
test_full_slots(MgCtx *cx, MgSpan section)
{
	MgSectionHeader header;
	MgSectionLayout layout;
	uint8_t *copy = malloc(section.size);
	const MgTokenizer *tokenizer;

	memcpy(copy, section.data, section.size);
	memcpy(&header, copy, sizeof header);
	layout = mg_section_layout(&header);
	header.max_probe = MG_PROBE_LIMIT;
	memcpy(copy, &header, sizeof header);
	for (uint64_t at = layout.slots; at < layout.raw; at += 8)
		memcpy(copy + at, (const uint32_t[]){0, 7}, 8);
	mg_ctx_reset(cx);
	tokenizer = mg_tokenizer_bind(cx, mg_span(copy, section.size));
	ok(tokenizer != NULL && mg_token_find(tokenizer, mg_span_of("play")) == -1, "slots without an empty one");
	ok(tokenizer != NULL && use(cx, tokenizer), "can be used");
	header.max_probe = MG_PROBE_LIMIT + 1;
	memcpy(copy, &header, sizeof header);
	ok(mg_tokenizer_bind(cx, mg_span(copy, section.size)) == NULL, "too long a search is refused");
	free(copy);
}

int
main(void)
{
	TestHost host;
	MgCtx cx;
	MgCtx kept;
	MgSpan section;

	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	mg_ctx_init(&kept, &host.host);
	section = sample_section(&kept);
	test_flips(section);
	test_sizes(&cx, section);
	test_full_slots(&cx, section);
	mg_ctx_free(&cx);
	mg_ctx_free(&kept);
	return done();
}
