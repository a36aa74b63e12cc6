/* Any text as a chat template, up to a zero byte, and behind it messages: an error, or text whose data lies within it. */
#include "fuzz/host.h"
#include "template/template.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char some[] = "[{\"role\": \"user\", \"content\": \"Hi \\u00e9\\n\", \"n\": [1, 2.5, null, true, {\"k\": {}}]}]";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
	size_t n = zero != NULL ? (size_t) (zero - data) : size;
	MgSpan messages = zero != NULL ? mg_span(zero + 1, size - n - 1) : mg_span_of(some);
	MgTemplateVariable variables[] = {{"messages", NULL, {NULL, 0}}, {"bos_token", NULL, mg_span_of("<s>")}};
	const MgTemplate *parsed;
	MgRendered rendered;
	MgCtx cx;
	bool fine;

	mg_ctx_init(&cx, &fuzz_host);
	variables[0].json = mg_json_parse(&cx, "messages", messages);
	parsed = variables[0].json != NULL ? mg_template_parse(&cx, mg_span(data, n)) : NULL;
	fine = parsed != NULL && mg_template_render(&cx, parsed, variables, 2, &rendered);
	fuzz_judge(&cx, fine);
	if (fine)
	{
		size_t behind = 0;

		fuzz_require(mg_utf8_check(rendered.text) == rendered.text.size);
		for (size_t i = 0; i < rendered.n_data; i++)
		{
			fuzz_require(rendered.data[i].start >= behind && rendered.data[i].start < rendered.data[i].stop);
			behind = rendered.data[i].stop + 1;
		}
		fuzz_require(behind <= rendered.text.size + 1);
	}
	mg_ctx_free(&cx);
	return 0;
}
