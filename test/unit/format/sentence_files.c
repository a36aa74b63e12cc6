/* sentence-transformers' files as versions 2 to 6 write them, and what is refused. */
#include "format/sentence_files.h"

#include "unit/host.h"
#include "unit/memory_files.h"
#include "unit/tap.h"

#define MODULE(idx, path, type) "{\"idx\":" idx ",\"name\":\"" idx "\",\"path\":\"" path "\",\"type\":\"" type "\"}"
#define OLD "sentence_transformers.models."
#define MODULES \
	"[" MODULE("0", "", OLD "Transformer") "," MODULE("1", "1_Pooling", OLD "Pooling") "," \
	MODULE("2", "2_Normalize", OLD "Normalize") "]"
#define NEW_MODULES \
	"[" MODULE("0", "", "sentence_transformers.base.modules.transformer.Transformer") "," \
	MODULE("1", "1_Pooling", "sentence_transformers.sentence_transformer.modules.pooling.Pooling") "]"
#define POOLING \
	"{\"word_embedding_dimension\":384,\"pooling_mode_cls_token\":false,\"pooling_mode_mean_tokens\":true," \
	"\"pooling_mode_max_tokens\":false,\"pooling_mode_mean_sqrt_len_tokens\":false}"

static TestHost host;
static MgCtx cx;
static MgSentenceFacts facts;

/* Reads a directory of these files; NULL for one that is absent. */
static bool
read_three(const char *modules, const char *pooling, const char *name, const char *text)
{
	MemoryFile array[4];
	size_t n = 0;

	if (modules != NULL)
		array[n++] = (MemoryFile){"modules.json", mg_span_of(modules)};
	if (pooling != NULL)
		array[n++] = (MemoryFile){"1_Pooling/config.json", mg_span_of(pooling)};
	if (name != NULL)
		array[n++] = (MemoryFile){name, mg_span_of(text)};
	array[n].name = NULL;
	mg_ctx_reset(&cx);
	host.note[0] = '\0';
	return mg_sentence_files_read(&cx, &MEMORY_FILES(array), &facts);
}

static void
check_facts(void)
{
	ok(read_three(NULL, NULL, NULL, NULL) && !facts.present, "without modules.json there is no such model");
	ok(facts.pooling == MG_POOL_NONE && !facts.normalize && facts.max_tokens == 0 && facts.n_prompts == 0,
	   "and there are no facts");
	if (!ok(read_three(MODULES, POOLING, "sentence_bert_config.json",
					   "{\"max_seq_length\":256,\"do_lower_case\":false}"),
			"files of version 2 (%s)", cx.error.message))
		return;
	ok(facts.present && facts.pooling == MG_POOL_MEAN && facts.normalize, "pooling and normalisation");
	is_int(facts.max_tokens, 256, "the longest sequence");
	is_text(host.note, "", "without a remark");

	ok(read_three(NEW_MODULES, "{\"embedding_dimension\":384,\"pooling_mode\":\"cls\",\"include_prompt\":true}",
				  "sentence_bert_config.json", "{\"transformer_task\":\"feature-extraction\"}"),
	   "files of version 6 (%s)", cx.error.message);
	ok(facts.pooling == MG_POOL_CLS && !facts.normalize && facts.max_tokens == 0, "with their facts");
	ok(read_three(MODULES, POOLING, "sentence_bert_config.json", "{\"max_seq_length\":null}") && facts.max_tokens == 0,
	   "a length may be null");
	ok(read_three("[" MODULE("0", "", OLD "Transformer") "]", NULL, NULL, NULL) && facts.present &&
		   facts.pooling == MG_POOL_NONE,
	   "there may be no pooling");
	ok(read_three(MODULES, POOLING, "sentence_bert_config.json", "{\"do_lower_case\":true}") &&
		   strstr(host.note, "lower case") != NULL,
	   "lowercasing is noted");
}

static void
check_pooling(void)
{
	static const struct
	{
		const char *config;
		MgPooling pooling;
	} modes[] = {
		{"{\"pooling_mode_cls_token\":true}", MG_POOL_CLS},
		{"{\"pooling_mode_max_tokens\":true,\"pooling_mode_mean_tokens\":false}", MG_POOL_MAX},
		{"{\"pooling_mode_lasttoken\":true}", MG_POOL_LAST},
		{"{}", MG_POOL_MEAN},
		{"{\"pooling_mode\":\"lasttoken\"}", MG_POOL_LAST},
		{"{\"pooling_mode\":[\"max\"]}", MG_POOL_MAX},
		{"{\"pooling_mode\":\"mean\"}", MG_POOL_MEAN},
		{"{\"pooling_mode_weightedmean_tokens\":true}", MG_POOL_WEIGHTED_MEAN},
		{"{\"pooling_mode_mean_sqrt_len_tokens\":true}", MG_POOL_MEAN_SQRT},
		{"{\"pooling_mode\":\"weightedmean\"}", MG_POOL_WEIGHTED_MEAN},
		{"{\"pooling_mode\":\"mean_sqrt_len_tokens\"}", MG_POOL_MEAN_SQRT},
	};

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
		ok(read_three(MODULES, modes[i].config, NULL, NULL) && facts.pooling == modes[i].pooling, "pooling %s",
		   modes[i].config);
	for (int i = MG_POOL_MEAN; i <= MG_POOL_MEAN_SQRT; i++)
		is_int(mg_pooling_of_name(mg_span_of(mg_pooling_name((MgPooling) i))), i, "name \"%s\" stands for its mode",
			   mg_pooling_name((MgPooling) i));
	is_int(mg_pooling_of_name(mg_span_of("none")), MG_POOL_NONE, "\"none\" is no mode");
	is_text(mg_pooling_name((MgPooling) 9), "unknown", "a number beyond has a name as well");
}

static void
check_prompts(void)
{
	ok(read_three(MODULES, POOLING, "config_sentence_transformers.json",
				  "{\"prompts\":{\"query\":\"Query: \",\"document\":\"\"},\"default_prompt_name\":null}"),
	   "prompts (%s)", cx.error.message);
	is_int(facts.n_prompts, 2, "are two");
	ok(mg_span_is(facts.prompts[0].name, "query") && mg_span_is(facts.prompts[0].text, "Query: ") &&
		   mg_span_is(facts.prompts[1].name, "document") && facts.prompts[1].text.size == 0,
	   "in order, with name and text");
	is_text(host.note, "", "without a remark");
	ok(read_three(MODULES, POOLING, "config_sentence_transformers.json",
				  "{\"prompts\":{\"query\":\"q\"},\"default_prompt_name\":\"query\"}") &&
		   strstr(host.note, "\"query\"") != NULL,
	   "a default prompt is noted");
}

static void
refused(const char *modules, const char *pooling, const char *name, const char *text, const char *message)
{
	ok(!read_three(modules, pooling, name, text), "refused: %s", message);
	is_text(cx.error.message, message, "with these words");
}

static void
check_refused(void)
{
	refused("[" MODULE("0", "", OLD "Transformer") "," MODULE("1", "1_Dense", OLD "Dense") "]", NULL, NULL, NULL,
			"sentence-transformers module \"Dense\" is not supported");
	is_int(cx.error.code, MG_UNSUPPORTED, "as unsupported");
	is_text(cx.error.hint, "Supported: Transformer, then Pooling, then Normalize or nothing.", "with what is");
	refused("[" MODULE("0", "", OLD "Transformer") "," MODULE("1", "", OLD "Normalize") "]", NULL, NULL, NULL,
			"sentence-transformers module \"Normalize\" is not supported in this place");
	refused("[" MODULE("0", "0_Transformer", OLD "Transformer") "]", NULL, NULL, NULL,
			"a Transformer module in a folder of its own is not supported");
	refused("[" MODULE("0", "", OLD "Transformer") "," MODULE("1", "../x", OLD "Pooling") "]", NULL, NULL, NULL,
			"file \"modules.json\" names a folder outside of its directory");
	refused("[" MODULE("0", "", OLD "Transformer") "," MODULE("1", "/x", OLD "Pooling") "]", NULL, NULL, NULL,
			"file \"modules.json\" names a folder outside of its directory");
	refused("[{}]", NULL, NULL, NULL, "module 0 in file \"modules.json\" has no type");
	refused("[7]", NULL, NULL, NULL, "module 0 in file \"modules.json\" has no type");
	refused("[]", NULL, NULL, NULL, "file \"modules.json\" has 0 modules, expected 1 to 16");
	refused("{}", NULL, NULL, NULL, "file \"modules.json\" is not an array");
	refused(MODULES, NULL, NULL, NULL, "file \"1_Pooling/config.json\" is missing");
	refused(MODULES, "[]", NULL, NULL, "file \"1_Pooling/config.json\" is not an object");
	refused(MODULES, "{\"pooling_mode\":\"new\"}", NULL, NULL, "pooling mode \"new\" is not supported");
	refused(MODULES, "{\"pooling_mode\":[\"mean\",\"max\"]}", NULL, NULL,
			"\"pooling_mode\" in file \"1_Pooling/config.json\" is not one name");
	refused(MODULES, "{\"pooling_mode_mean_tokens\":true,\"pooling_mode_max_tokens\":true}", NULL, NULL,
			"file \"1_Pooling/config.json\" has 2 pooling modes, expected 1");
	refused(MODULES, "{\"pooling_mode_mean_tokens\":false}", NULL, NULL,
			"file \"1_Pooling/config.json\" has 0 pooling modes, expected 1");
	refused(MODULES, "{\"include_prompt\":false}", NULL, NULL, "pooling that leaves the prompt out is not supported");
	refused(MODULES, POOLING, "sentence_bert_config.json", "{\"max_seq_length\":0}",
			"file \"sentence_bert_config.json\" has \"max_seq_length\" 0, expected an integer from 1 to 1048576");
	refused(MODULES, POOLING, "sentence_bert_config.json", "{\"transformer_task\":\"fill-mask\"}",
			"sentence-transformers task \"fill-mask\" is not supported");
	refused(MODULES, POOLING, "config_sentence_transformers.json", "{\"prompts\":{\"a\":1}}",
			"prompt \"a\" in file \"config_sentence_transformers.json\" is not a string");
	refused(MODULES, POOLING, "config_sentence_transformers.json", "{\"prompts\":[]}",
			"\"prompts\" in file \"config_sentence_transformers.json\" is not an object of at most 1000 members");
}

/* With each bit of each byte flipped in turn: an error with words, or facts of one of the modes. */
static void
check_flips(void)
{
	char modules[] = MODULES, pooling[] = POOLING;
	long bad = 0;

	for (size_t at = 0; at < sizeof modules - 1 + sizeof pooling - 1; at++)
	{
		char *byte = at < sizeof modules - 1 ? &modules[at] : &pooling[at - (sizeof modules - 1)];

		for (int bit = 0; bit < 8; bit++)
		{
			*byte ^= (char) (1 << bit);
			if (read_three(modules, pooling, NULL, NULL))
				bad += (unsigned) facts.pooling > MG_POOL_MEAN_SQRT;
			else
				bad += cx.error.code == MG_OK || cx.error.message[0] == '\0';
			*byte ^= (char) (1 << bit);
		}
	}
	ok(bad == 0, "each bit of the files flipped: an error, or facts");
}

static bool
swept(MgCtx *use, void *user)
{
	MgSentenceFacts read;

	return mg_sentence_files_read(use, &MEMORY_FILES((MemoryFile *) user), &read) && read.n_prompts == 1;
}

int
main(void)
{
	static MemoryFile array[] = {{"modules.json", {NULL, 0}},
								 {"1_Pooling/config.json", {NULL, 0}},
								 {"config_sentence_transformers.json", {NULL, 0}},
								 {NULL, {NULL, 0}}};

	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	check_facts();
	check_pooling();
	check_prompts();
	check_refused();
	check_flips();
	array[0].bytes = mg_span_of(MODULES);
	array[1].bytes = mg_span_of(POOLING);
	array[2].bytes = mg_span_of("{\"prompts\":{\"a\":\"b\"}}");
	sweep("sentence files", swept, array, 1);
	mg_ctx_free(&cx);
	is_int(host.live, 0, "nothing is left");
	return done();
}
