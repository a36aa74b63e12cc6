/* What may be set of a draw, and its forms in JSON. */
#include "task/sampling.h"

#include "unit/host.h"

static bool
read_options(MgCtx *cx, const char *name, const char *text, MgSampling *sampling)
{
	const MgJson *json = mg_json_parse(cx, "test", mg_span_of(text));

	*sampling = MG_SAMPLING_PLAIN;
	return json != NULL && mg_sampling_read(cx, name, json, sampling) && mg_sampling_check(cx, sampling, 100);
}

static void
refused(MgCtx *cx, const char *text, const char *message)
{
	MgSampling sampling;

	ok(!read_options(cx, NULL, text, &sampling), "refused: %s", text);
	is_text(cx->error.message, message, "with these words");
	mg_ctx_reset(cx);
}

int
main(void)
{
	TestHost test;
	MgCtx cx;
	MgSampling s;

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	ok(read_options(&cx, NULL,
					"{\"temperature\": 0.5, \"top_k\": 3, \"top_p\": 0.25, \"min_p\": 0.125, \"repetition_penalty\": 1.5, \"frequency_penalty\": -1, "
					"\"presence_penalty\": 2, \"no_repeat_ngram\": 4, \"min_tokens\": 5, \"logit_bias\": {\"7\": -100, \"99\": 0.5}}", &s),
	   "all options");
	ok(s.temperature == 0.5f && s.top_k == 3 && s.top_p == 0.25f && s.min_p == 0.125f && s.repetition_penalty == 1.5f &&
		   s.frequency_penalty == -1 && s.presence_penalty == 2 && s.no_repeat_ngram == 4 && s.min_tokens == 5 && s.n_biases == 2 &&
		   s.biases[0].id == 7 && s.biases[0].bias == -100 && s.biases[1].id == 99 && s.biases[1].bias == 0.5f, "each in its place");
	ok(read_options(&cx, NULL, "{}", &s) && s.temperature == 1, "none: the defaults stay");

	refused(&cx, "{\"temperature\": -1}", "temperature -1 is out of range");
	refused(&cx, "{\"top_p\": 0}", "top_p 0 is out of range");
	refused(&cx, "{\"min_p\": 1.5}", "min_p 1.5 is out of range");
	refused(&cx, "{\"repetition_penalty\": 0}", "repetition_penalty 0 is out of range");
	refused(&cx, "{\"top_k\": -1}", "option \"top_k\" is -1, expected an integer from 0 to 2147483647");
	refused(&cx, "{\"no_repeat_ngram\": 65}", "option \"no_repeat_ngram\" is 65, expected an integer from 0 to 64");
	refused(&cx, "{\"logit_bias\": [1]}", "option \"logit_bias\" is not an object of token ids and numbers");
	refused(&cx, "{\"logit_bias\": {\"the\": 1}}", "logit_bias has the key \"the\", which is no token id");
	refused(&cx, "{\"logit_bias\": {\"1\": \"x\"}}", "logit_bias of token 1 is not a number");
	refused(&cx, "{\"logit_bias\": {\"100\": 1}}", "logit_bias has token 100, which is out of range 0 to 99");

	ok(read_options(&cx, "generation_config.json", "{\"do_sample\": true, \"temperature\": 0.5, \"top_p\": 0, \"min_new_tokens\": 3, "
					"\"no_repeat_ngram_size\": 2}", &s),
	   "a file");
	ok(s.temperature == 0.5f && s.top_p == 1 && s.min_tokens == 3 && s.no_repeat_ngram == 2, "has other names, and numbers that mean nothing");
	ok(read_options(&cx, "generation_config.json", "{\"temperature\": 0.5}", &s) && s.temperature == 0, "and without do_sample is greedy");
	ok(mg_sampling_knows(mg_span_of("min_p")) && mg_sampling_knows(mg_span_of("logit_bias")) && !mg_sampling_knows(mg_span_of("do_sample")),
	   "names of options are known");
	mg_ctx_free(&cx);
	ok(test.live == 0, "nothing is left");
	return done();
}
