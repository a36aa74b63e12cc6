/*
 * The tokeniser's files: tokenizer.json as several versions write it, vocab.txt
 * with its configuration, each part that is refused, and flips of each byte.
 */
#include "format/tokenizer_files.h"

#include "unit/host.h"
#include "unit/memory_files.h"
#include "unit/tap.h"

#define ADDED \
	"{\"id\":0,\"special\":true,\"content\":\"[PAD]\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false," \
	"\"normalized\":false}," \
	"{\"id\":4,\"special\":true,\"content\":\"[MASK]\",\"single_word\":false,\"lstrip\":true,\"rstrip\":false," \
	"\"normalized\":false}," \
	"{\"id\":9,\"content\":\"extra\",\"single_word\":true,\"rstrip\":true}"
#define NORMALIZER \
	"{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":false,\"strip_accents\":null," \
	"\"lowercase\":true}"
#define PRE_TOKENIZER "{\"type\":\"BertPreTokenizer\"}"
#define SINGLE \
	"[{\"SpecialToken\":{\"id\":\"[CLS]\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}," \
	"{\"SpecialToken\":{\"id\":\"[SEP]\",\"type_id\":0}}]"
#define SPECIAL \
	"{\"[CLS]\":{\"id\":\"[CLS]\",\"ids\":[2],\"tokens\":[\"[CLS]\"]}," \
	"\"[SEP]\":{\"id\":\"[SEP]\",\"ids\":[3],\"tokens\":[\"[SEP]\"]}}"
#define POST_PROCESSOR \
	"{\"type\":\"TemplateProcessing\",\"single\":" SINGLE ",\"pair\":[],\"special_tokens\":" SPECIAL "}"
#define DECODER "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}"
#define VOCAB "{\"[PAD]\":0,\"[UNK]\":1,\"[CLS]\":2,\"[SEP]\":3,\"[MASK]\":4,\"a\":6,\"##b\":5}"
#define MODEL \
	"{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\"," \
	"\"max_input_chars_per_word\":80,\"vocab\":" VOCAB "}"
#define DOCUMENT(normalizer, pre_tokenizer, post_processor, decoder, model) \
	"{\"version\":\"1.0\",\"truncation\":{\"max_length\":128,\"strategy\":\"LongestFirst\",\"stride\":0}," \
	"\"padding\":null,\"added_tokens\":[" ADDED "],\"normalizer\":" normalizer ",\"pre_tokenizer\":" pre_tokenizer \
	",\"post_processor\":" post_processor ",\"decoder\":" decoder ",\"model\":" model "}"
#define GOLDEN DOCUMENT(NORMALIZER, PRE_TOKENIZER, POST_PROCESSOR, DECODER, MODEL)

#define LINES "[PAD]\n[UNK]\r\n[CLS]\n[SEP]\n[MASK]\n\na\n##\xc3\xa9\n"

static TestHost host;
static MgCtx cx;
static MemoryFile array[6];
static MgTokenizerSpec spec;

/* Reads name1 = text1, and name2 = text2 if there is one. */
static bool
read_two(const char *name1, const char *text1, const char *name2, const char *text2)
{
	memset(array, 0, sizeof array);
	array[0] = (MemoryFile){name1, mg_span_of(text1)};
	if (name2 != NULL)
		array[1] = (MemoryFile){name2, mg_span_of(text2)};
	mg_ctx_reset(&cx);
	return mg_tokenizer_files_read(&cx, &MEMORY_FILES(array), &spec);
}

/* Whether the spec wraps one text in these two. */
static bool
around(const MgTokenizerSpec *read, int32_t before, int32_t behind)
{
	const MgWrapForm *form = &read->wrapping.single;

	return form->n == 3 && form->pieces[0].id == before && form->pieces[1].id == MG_WRAP_A && form->pieces[2].id == behind;
}

static void
check_json(void)
{
	if (!ok(read_two("tokenizer.json", GOLDEN, NULL, NULL), "tokenizer.json is read (%s)", cx.error.message))
		return;
	is_int(spec.kind, MG_WORDPIECE, "as WordPiece");
	is_int(spec.n_tokens, 10, "with ids up to that of the last added token");
	ok(mg_span_is(spec.tokens[5], "##b") && mg_span_is(spec.tokens[6], "a"), "with tokens by id");
	ok(spec.tokens[7].size == 0 && spec.tokens[8].size == 0, "with holes");
	ok(mg_span_is(spec.tokens[9], "extra"), "with an added token behind them");
	is_int(spec.flags[0], MG_TOKEN_ADDED | MG_TOKEN_SPECIAL, "flags of [PAD]");
	is_int(spec.flags[4], MG_TOKEN_ADDED | MG_TOKEN_SPECIAL | MG_TOKEN_LSTRIP, "flags of [MASK]");
	is_int(spec.flags[9], MG_TOKEN_ADDED | MG_TOKEN_RSTRIP | MG_TOKEN_SINGLE_WORD | MG_TOKEN_NORMALIZED,
		   "flags of a token that is not special");
	is_int(spec.flags[6], 0, "no flags of a plain token");
	ok(spec.unknown == 1 && around(&spec, 2, 3) && spec.pad == 0 && spec.mask == 4,
	   "special tokens have their ids");
	ok(spec.clean_text && !spec.chinese_chars && spec.lowercase && spec.strip_accents,
	   "the normaliser's options, where strip_accents follows lowercase");
	ok(mg_span_is(spec.continuation, "##") && spec.max_word_chars == 80, "the model's options");
	is_int(spec.max_tokens, 128, "truncation's length, for want of a better one");
}

static void
check_versions(void)
{
	ok(read_two("tokenizer.json",
				DOCUMENT(NORMALIZER, PRE_TOKENIZER,
						 "{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",2]}", DECODER, MODEL),
				NULL, NULL) &&
		   around(&spec, 2, 3),
	   "BertProcessing (%s)", cx.error.message);
	ok(read_two("tokenizer.json",
				DOCUMENT(NORMALIZER, PRE_TOKENIZER, POST_PROCESSOR, DECODER,
						 "{\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\","
						 "\"max_input_chars_per_word\":100,\"vocab\":" VOCAB "}"),
				NULL, NULL),
	   "a model without type, as in 2020 (%s)", cx.error.message);
	ok(read_two("tokenizer.json",
				DOCUMENT("{\"type\":\"BertNormalizer\",\"lowercase\":false}", PRE_TOKENIZER, POST_PROCESSOR, DECODER,
						 MODEL),
				NULL, NULL) &&
		   !spec.lowercase && !spec.strip_accents && spec.chinese_chars,
	   "strip_accents follows a lowercase that is off");
	ok(read_two("tokenizer.json",
				DOCUMENT("{\"type\":\"BertNormalizer\",\"lowercase\":false,\"strip_accents\":true}", PRE_TOKENIZER,
						 POST_PROCESSOR, DECODER, MODEL),
				NULL, NULL) &&
		   spec.strip_accents,
	   "unless it is set");
}

static void
check_config(void)
{
	static const char *const absurd[] = {"1000000000000000019884624838656", "1e30", "1048577", "null"};

	ok(read_two("tokenizer.json", GOLDEN, "tokenizer_config.json", "{\"model_max_length\":512}"),
	   "a length in the config");
	is_int(spec.max_tokens, 512, "wins over truncation");
	for (size_t i = 0; i < sizeof absurd / sizeof absurd[0]; i++)
	{
		char config[100];

		snprintf(config, sizeof config, "{\"model_max_length\": %s}", absurd[i]);
		ok(read_two("tokenizer.json", GOLDEN, "tokenizer_config.json", config), "a length of %s", absurd[i]);
		is_int(spec.max_tokens, 128, "is none");
	}
	ok(!read_two("tokenizer.json", GOLDEN, "tokenizer_config.json", "{\"model_max_length\":0}"),
	   "a length of 0 is refused");
	ok(read_two("tokenizer.json", GOLDEN, "tokenizer_config.json", "{\"mask_token\":\"a\",\"pad_token\":null}"),
	   "special tokens in the config");
	ok(spec.mask == 6 && spec.pad == 0, "as a string, or null for the default");
	ok(read_two("tokenizer.json", GOLDEN, "tokenizer_config.json", "{\"mask_token\":{\"content\":\"a\"}}") &&
		   spec.mask == 6,
	   "as an object");
	ok(read_two("tokenizer.json", GOLDEN, "special_tokens_map.json", "{\"mask_token\":\"a\"}") && spec.mask == 6,
	   "or in special_tokens_map.json");
	ok(read_two("tokenizer.json", GOLDEN, "tokenizer_config.json", "{\"mask_token\":\"none\"}") && spec.mask == -1,
	   "one that is not in the vocabulary is none");
	ok(!read_two("tokenizer.json", GOLDEN, "tokenizer_config.json", "{\"mask_token\":7}"), "a number is refused");
	is_text(cx.error.message, "\"mask_token\" in file \"tokenizer_config.json\" is neither a string nor a token",
			"in words");
	ok(!read_two("tokenizer.json", GOLDEN, "tokenizer_config.json", "[]"), "a config that is no object is refused");
}

static void
refused(const char *document, const char *message)
{
	ok(!read_two("tokenizer.json", document, NULL, NULL), "refused: %s", message);
	is_text(cx.error.message, message, "with these words");
}

static void
check_unsupported(void)
{
	refused(DOCUMENT(NORMALIZER, PRE_TOKENIZER, POST_PROCESSOR, DECODER, "{\"type\":\"Lookup\",\"vocab\":[]}"),
			"tokenizer model \"Lookup\" is not supported");
	is_int(cx.error.code, MG_UNSUPPORTED, "as unsupported");
	is_text(cx.error.hint, "Supported: WordPiece, BPE, Unigram, WordLevel.", "with what is");
	refused(DOCUMENT(NORMALIZER, PRE_TOKENIZER, POST_PROCESSOR, DECODER, "{\"vocab\":[[\"a\"]]}"),
			"file \"tokenizer.json\" has a token without a score");
	refused(DOCUMENT("{\"type\":\"What\"}", PRE_TOKENIZER, POST_PROCESSOR, DECODER, "{\"vocab\":{},\"merges\":[]}"),
			"tokenizer normalizer \"What\" is not supported");
	refused(DOCUMENT(NORMALIZER, "{\"type\":\"UnicodeScripts\"}", POST_PROCESSOR, DECODER, "{\"vocab\":{},\"unk_token\":\"\"}"),
			"tokenizer pre_tokenizer \"UnicodeScripts\" is not supported");
	refused(DOCUMENT("{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"!\"}", PRE_TOKENIZER, POST_PROCESSOR, DECODER, MODEL),
			"file \"tokenizer.json\" has a \"precompiled_charsmap\" that is not base 64");
	refused(DOCUMENT("null", "{\"type\":\"Metaspace\",\"replacement\":\"ab\"}", POST_PROCESSOR, DECODER, MODEL),
			"tokenizer pre_tokenizer \"Metaspace\" with this replacement is not supported");
	refused(DOCUMENT("null", PRE_TOKENIZER, POST_PROCESSOR, "{\"type\":\"CTC\"}", MODEL), "tokenizer decoder \"CTC\" is not supported");
	refused(DOCUMENT("null", PRE_TOKENIZER, POST_PROCESSOR, "{\"type\":\"Strip\",\"content\":\" \",\"start\":2}", MODEL),
			"tokenizer decoder \"Strip\" with this content is not supported");
	refused(DOCUMENT("{\"type\":\"Lower\"}", PRE_TOKENIZER, POST_PROCESSOR, DECODER, MODEL),
			"tokenizer normalizer \"Lower\" is not supported");
	refused(DOCUMENT("null", PRE_TOKENIZER, POST_PROCESSOR, DECODER, "{\"vocab\":{},\"merges\":[\"ab\"]}"),
			"file \"tokenizer.json\" has a merge that is not of two tokens");
	refused(DOCUMENT("null", "{\"type\":\"ByteLevel\"}", POST_PROCESSOR, DECODER, "{\"vocab\":{},\"merges\":[],\"byte_fallback\":true}"),
			"tokenizer model BPE with \"byte_fallback\" is not supported beside ByteLevel");
	refused(DOCUMENT("null", PRE_TOKENIZER, POST_PROCESSOR, DECODER, "{\"vocab\":{},\"merges\":[],\"dropout\":0.1}"),
			"tokenizer model BPE with \"dropout\" is not supported");
	refused(DOCUMENT("{}", PRE_TOKENIZER, POST_PROCESSOR, DECODER, MODEL),
			"\"normalizer\" in file \"tokenizer.json\" has no type");
	refused(DOCUMENT(NORMALIZER, PRE_TOKENIZER, "{\"type\":\"What\"}", DECODER, MODEL),
			"tokenizer post_processor \"What\" is not supported");
	is_text(cx.error.hint, "Supported: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel.", "with those that are");
	refused(DOCUMENT(NORMALIZER, PRE_TOKENIZER, POST_PROCESSOR, "{\"type\":\"CTC\"}", MODEL),
			"tokenizer decoder \"CTC\" is not supported");
}

#define TEMPLATE(single, special) \
	DOCUMENT(NORMALIZER, PRE_TOKENIZER, \
			 "{\"type\":\"TemplateProcessing\",\"single\":" single ",\"special_tokens\":" special "}", DECODER, MODEL)
#define WITH_MODEL(model) DOCUMENT(NORMALIZER, PRE_TOKENIZER, POST_PROCESSOR, DECODER, model)

static void
check_contradictions(void)
{
	ok(read_two("tokenizer.json", TEMPLATE("[{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}]", SPECIAL), NULL, NULL) &&
		   spec.wrapping.single.n == 1 && spec.wrapping.pair.n == 0,
	   "a template without special tokens, and without pairs");
	ok(read_two("tokenizer.json",
				TEMPLATE(SINGLE ",\"pair\":[{\"Sequence\":{\"id\":\"B\",\"type_id\":1}},{\"SpecialToken\":{\"id\":\"[SEP]\",\"type_id\":0}},"
								"{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}]", SPECIAL), NULL, NULL) &&
		   spec.wrapping.pair.n == 3 && spec.wrapping.pair.pieces[0].id == MG_WRAP_B && spec.wrapping.pair.pieces[0].segment == 1 &&
		   spec.wrapping.pair.pieces[1].id == 3,
	   "a template of pairs (%s)", cx.error.message);
	refused(TEMPLATE(SINGLE ",\"pair\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":1}}]", SPECIAL),
			"tokenizer template is not supported");
	refused(TEMPLATE("[{\"Sequence\":{\"id\":\"C\"}}]", SPECIAL),
			"tokenizer template in file \"tokenizer.json\" has a piece that is not known");
	ok(read_two("tokenizer.json", DOCUMENT(NORMALIZER, PRE_TOKENIZER, "{\"type\":\"RobertaProcessing\",\"cls\":[\"[CLS]\",2],\"sep\":[\"[SEP]\",3]}", DECODER, MODEL), NULL, NULL) &&
		   around(&spec, 2, 3) && spec.wrapping.pair.n == 6 && spec.wrapping.pair.pieces[4].segment == 0,
	   "RoBERTa's processor");
	refused(TEMPLATE("[{\"SpecialToken\":{\"id\":\"[CLS]\",\"type_id\":0}},{\"Sequence\":{\"id\":\"B\",\"type_id\":0}},"
					 "{\"SpecialToken\":{\"id\":\"[SEP]\",\"type_id\":0}}]",
					 SPECIAL),
			"tokenizer template is not supported");
	refused(TEMPLATE("[{\"SpecialToken\":{\"id\":\"[CLS]\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":1}},"
					 "{\"SpecialToken\":{\"id\":\"[SEP]\",\"type_id\":0}}]",
					 SPECIAL),
			"tokenizer template is not supported");
	refused(TEMPLATE("7", SPECIAL), "tokenizer template in file \"tokenizer.json\" is missing");
	refused(TEMPLATE(SINGLE, "{}"), "tokenizer template without one id for \"[CLS]\" is not supported");
	refused(TEMPLATE(SINGLE, "{\"[CLS]\":{\"ids\":[2,2]}}"),
			"tokenizer template without one id for \"[CLS]\" is not supported");
	refused(TEMPLATE(SINGLE, "{\"[CLS]\":{\"ids\":[7]}}"),
			"tokenizer post_processor in file \"tokenizer.json\" names a token that does not exist");
	refused(TEMPLATE(SINGLE, "{\"[CLS]\":{\"ids\":[10]}}"),
			"tokenizer post_processor in file \"tokenizer.json\" names a token that does not exist");
	refused(WITH_MODEL("{\"type\":\"WordPiece\",\"unk_token\":\"?\",\"vocab\":" VOCAB "}"),
			"token \"?\" is not in the vocabulary of file \"tokenizer.json\"");
	refused(WITH_MODEL("{\"type\":\"WordPiece\",\"unk_token\":\"a\",\"vocab\":{\"a\":1,\"b\":1}}"),
			"tokens \"a\" and \"b\" in file \"tokenizer.json\" both have id 1");
	refused(WITH_MODEL("{\"type\":\"WordPiece\",\"unk_token\":\"a\",\"vocab\":{\"a\":4}}"),
			"tokens \"a\" and \"[MASK]\" in file \"tokenizer.json\" both have id 4");
	refused(WITH_MODEL("{\"type\":\"WordPiece\",\"unk_token\":\"a\",\"vocab\":{\"a\":-1}}"),
			"file \"tokenizer.json\" has a token without a valid id");
	refused(WITH_MODEL("{\"type\":\"WordPiece\",\"unk_token\":\"a\",\"vocab\":{\"a\":4000000}}"),
			"vocabulary of file \"tokenizer.json\" is too large");
	is_text(cx.error.detail, "It has token ids up to 4000000; at most 3999999 are supported.", "with both numbers");
	refused(WITH_MODEL("{\"type\":\"WordPiece\",\"unk_token\":\"a\"}"), "file \"tokenizer.json\" has no vocabulary");
	refused("{}", "file \"tokenizer.json\" has no model");
	refused("[]", "file \"tokenizer.json\" has no model");
	refused("{\"added_tokens\":7,\"model\":" MODEL "}", "\"added_tokens\" in file \"tokenizer.json\" is not an array");
	refused("{\"added_tokens\":[7],\"model\":" MODEL "}", "file \"tokenizer.json\" has a token without a valid id");
	refused("{\"added_tokens\":[{\"id\":1}],\"model\":" MODEL "}",
			"added token 1 in file \"tokenizer.json\" has no content");
}

static void
check_vocab(void)
{
	if (!ok(read_two("vocab.txt", LINES, NULL, NULL), "vocab.txt alone is read (%s)", cx.error.message))
		return;
	is_int(spec.n_tokens, 8, "a token a line");
	ok(mg_span_is(spec.tokens[1], "[UNK]"), "without CR");
	ok(spec.tokens[5].size == 0 && mg_span_is(spec.tokens[6], "a") && mg_span_is(spec.tokens[7], "##\xc3\xa9"),
	   "an empty line is a hole");
	ok(spec.unknown == 1 && around(&spec, 2, 3) && spec.pad == 0 && spec.mask == 4,
	   "special tokens are found by name");
	ok(spec.flags[2] == (MG_TOKEN_ADDED | MG_TOKEN_SPECIAL) && spec.flags[6] == 0, "and are flagged");
	ok(spec.lowercase && spec.strip_accents && spec.chinese_chars && spec.clean_text, "with BertTokenizer's defaults");
	ok(spec.max_word_chars == 100 && spec.max_tokens == 0 && mg_span_is(spec.continuation, "##"), "and its numbers");

	ok(read_two("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]", NULL, NULL) && spec.n_tokens == 4 && spec.mask == -1,
	   "a last line without an end counts; there may be no mask");
	ok(read_two("vocab.txt", LINES, "tokenizer_config.json",
				"{\"do_lower_case\":false,\"tokenize_chinese_chars\":false,\"model_max_length\":512,"
				"\"tokenizer_class\":\"BertTokenizerFast\",\"never_split\":null,\"mask_token\":\"a\"}") &&
		   !spec.lowercase && !spec.strip_accents && !spec.chinese_chars && spec.max_tokens == 512 && spec.mask == 6 &&
		   spec.flags[6] != 0 && spec.flags[4] == 0,
	   "the config is heeded (%s)", cx.error.message);
	ok(read_two("vocab.txt", LINES, "special_tokens_map.json",
				"{\"mask_token\":{\"content\":\"[MASK]\",\"lstrip\":true}}") &&
		   spec.flags[4] == (MG_TOKEN_ADDED | MG_TOKEN_SPECIAL | MG_TOKEN_LSTRIP),
	   "so are a special token's flags (%s)", cx.error.message);
	ok(read_two("vocab.txt", LINES, "tokenizer_config.json",
				"{\"added_tokens_decoder\":{\"4\":{\"content\":\"[MASK]\",\"special\":true,\"rstrip\":true},"
				"\"9\":{\"content\":\"new\"}}}") &&
		   spec.n_tokens == 10 && mg_span_is(spec.tokens[9], "new") &&
		   spec.flags[9] == (MG_TOKEN_ADDED | MG_TOKEN_NORMALIZED) &&
		   spec.flags[4] == (MG_TOKEN_ADDED | MG_TOKEN_SPECIAL | MG_TOKEN_RSTRIP),
	   "and added tokens (%s)", cx.error.message);
	ok(read_two("vocab.txt", LINES, "tokenizer.json", GOLDEN) && spec.n_tokens == 10, "tokenizer.json goes first");
}

static void
vocab_refused(const char *lines, const char *name, const char *text, const char *message)
{
	ok(!read_two("vocab.txt", lines, name, text), "refused: %s", message);
	is_text(cx.error.message, message, "with these words");
}

static void
check_vocab_refused(void)
{
	vocab_refused("", NULL, NULL, "file \"vocab.txt\" has no unknown token");
	vocab_refused("[UNK]\n", NULL, NULL, "file \"vocab.txt\" has no classification token");
	vocab_refused("[UNK]\n[CLS]\n", NULL, NULL, "file \"vocab.txt\" has no separator token");
	vocab_refused("[UNK]\n\xff\n", NULL, NULL, "file \"vocab.txt\" is not valid UTF-8");
	is_text(cx.error.detail, "Byte 6 does not continue a character.", "with the place");
	vocab_refused(LINES, "added_tokens.json", "{\"new\":8}",
				  "file \"added_tokens.json\" is not supported beside file \"vocab.txt\"");
	vocab_refused(LINES, "tokenizer_config.json", "{\"tokenizer_class\":\"BertJapaneseTokenizer\"}",
				  "tokenizer class \"BertJapaneseTokenizer\" is not supported with file \"vocab.txt\"");
	vocab_refused(LINES, "tokenizer_config.json", "{\"do_basic_tokenize\":false}",
				  "tokenizer option \"do_basic_tokenize\" is not supported with file \"vocab.txt\"");
	vocab_refused(LINES, "tokenizer_config.json", "{\"never_split\":[\"a\"]}",
				  "tokenizer option \"never_split\" is not supported with file \"vocab.txt\"");
	vocab_refused(LINES, "tokenizer_config.json", "{\"added_tokens_decoder\":{\"x\":{}}}",
				  "added_tokens_decoder in file \"tokenizer_config.json\" has key \"x\", expected an id");
	vocab_refused(LINES, "tokenizer_config.json", "{\"added_tokens_decoder\":{\"999999999999\":{}}}",
				  "added_tokens_decoder in file \"tokenizer_config.json\" has key \"999999999999\", expected an id");
	vocab_refused(LINES, "tokenizer_config.json", "{\"added_tokens_decoder\":[]}",
				  "\"added_tokens_decoder\" in file \"tokenizer_config.json\" is not an object");
	vocab_refused(LINES, "tokenizer_config.json", "{\"added_tokens_decoder\":{\"6\":{\"content\":\"b\"}}}",
				  "tokens \"a\" and \"b\" in file \"vocab.txt\" both have id 6");
	ok(read_two("vocab.txt", LINES, "added_tokens.json", "{}"), "an empty added_tokens.json does no harm");
	ok(!read_two("other", "", NULL, NULL), "a directory without a tokeniser is refused");
	is_text(cx.error.message, "file \"tokenizer.json\" is missing", "in words");

	memset(array, 0, sizeof array);
	array[0] = (MemoryFile){"vocab.txt", mg_span("[UNK]\n\0", 7)};
	mg_ctx_reset(&cx);
	ok(!mg_tokenizer_files_read(&cx, &MEMORY_FILES(array), &spec), "a zero byte is refused");
	is_text(cx.error.message, "file \"vocab.txt\" has a zero byte", "in words");
}

/* Whether a spec's ids are those of tokens that exist. */
static bool
sound(const MgTokenizerSpec *read)
{
	const int32_t ids[] = {read->unknown, read->pad, read->mask};

	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
	{
		if (ids[i] < (i == 0 ? 0 : -1) || ids[i] >= (int32_t) read->n_tokens ||
			(ids[i] >= 0 && read->tokens[ids[i]].size == 0))
			return false;
	}
	return true;
}

static void
check_flips(const char *name, const char *golden)
{
	char text[4096];
	size_t size = strlen(golden);
	long bad = 0;

	memcpy(text, golden, size + 1);
	for (size_t at = 0; at < size; at++)
	{
		for (int bit = 0; bit < 8; bit++)
		{
			text[at] ^= (char) (1 << bit);
			memset(array, 0, sizeof array);
			array[0] = (MemoryFile){name, mg_span(text, size)};
			mg_ctx_reset(&cx);
			if (mg_tokenizer_files_read(&cx, &MEMORY_FILES(array), &spec))
				bad += !sound(&spec);
			else
				bad += cx.error.code == MG_OK || cx.error.message[0] == '\0';
			text[at] ^= (char) (1 << bit);
		}
	}
	ok(bad == 0, "each bit of %s flipped: an error, or a sound spec", name);
}

static bool
swept(MgCtx *use, void *user)
{
	MgTokenizerSpec read;

	return mg_tokenizer_files_read(use, &MEMORY_FILES((MemoryFile *) user), &read) && sound(&read);
}

int
main(void)
{
	static MemoryFile json[] = {{"tokenizer.json", {NULL, 0}}, {"tokenizer_config.json", {NULL, 0}}, {NULL, {NULL, 0}}};
	static MemoryFile vocab[] = {{"vocab.txt", {NULL, 0}}, {"tokenizer_config.json", {NULL, 0}}, {NULL, {NULL, 0}}};

	test_host_init(&host);
	mg_ctx_init(&cx, &host.host);
	check_json();
	check_versions();
	check_config();
	check_unsupported();
	check_contradictions();
	check_vocab();
	check_vocab_refused();
	check_flips("tokenizer.json", GOLDEN);
	check_flips("vocab.txt", LINES);
	json[0].bytes = mg_span_of(GOLDEN);
	vocab[0].bytes = mg_span_of(LINES);
	json[1].bytes = vocab[1].bytes = mg_span_of("{\"model_max_length\":512}");
	sweep("tokenizer.json", swept, json, 1);
	sweep("vocab.txt", swept, vocab, 1);
	mg_ctx_free(&cx);
	is_int(host.live, 0, "nothing is left");
	return done();
}
