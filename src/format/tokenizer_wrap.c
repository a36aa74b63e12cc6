/*
 * The post-processor of tokenizer.json:
 *
 *   TemplateProcessing  any special tokens, of one id each, around A, and around A and B
 *   BertProcessing      [CLS]:0 A:0 [SEP]:0, and B:1 [SEP]:1
 *   RobertaProcessing   <s> A </s>, and </s> B </s>, all of segment 0
 *   ByteLevel           nothing; it is about places in the text
 *   Sequence            ByteLevel and one of the others
 */
#include "format/tokenizer_parts.h"

#define SUPPORTED "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel"

/* An id that must be one of the table's. */
static bool
read_id(MgCtx *cx, const MgTokenTable *table, const MgJson *value, int32_t *id)
{
	if (value == NULL || value->kind != MG_JSON_INTEGER || value->integer < 0 ||
		(uint64_t) value->integer >= table->n || table->tokens[value->integer].size == 0)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer post_processor in file \"%s\" names a token that does not exist",
					   MG_TOKENIZER_JSON);
	*id = (int32_t) value->integer;
	return true;
}

/* ["[SEP]", 102] */
static bool
read_pair(MgCtx *cx, const MgTokenTable *table, const MgJson *part, const char *key, int32_t *id)
{
	const MgJson *pair = mg_json_get(part, key);

	if (pair == NULL || pair->kind != MG_JSON_ARRAY || pair->n != 2)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer post_processor in file \"%s\" has no \"%s\"", MG_TOKENIZER_JSON, key);
	return read_id(cx, table, &pair->items[1], id);
}

static bool
read_bert(MgCtx *cx, const MgTokenTable *table, const MgJson *part, bool is_roberta, MgWrapping *wrapping)
{
	int32_t classify, separate;

	if (!read_pair(cx, table, part, "cls", &classify) || !read_pair(cx, table, part, "sep", &separate))
		return false;
	*wrapping = mg_wrapping_of_bert(classify, separate);
	if (is_roberta)
		wrapping->pair = (MgWrapForm){
			6, {{classify, 0}, {MG_WRAP_A, 0}, {separate, 0}, {separate, 0}, {MG_WRAP_B, 0}, {separate, 0}}};
	return true;
}

/* A special token of the template, through the table of ids that goes with it. */
static bool
read_special(MgCtx *cx, const MgTokenTable *table, const MgJson *part, const MgJson *name, int32_t *id)
{
	const MgJson *special = mg_json_get(part, "special_tokens");
	const MgJson *ids = mg_json_get(mg_json_get(special, (const char *) name->string.data), "ids");

	if (ids == NULL || ids->kind != MG_JSON_ARRAY || ids->n != 1)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer template without one id for \"%.*s\" is not supported",
					   MG_SPAN_ARGS(name->string));
	return read_id(cx, table, &ids->items[0], id);
}

/* {"SpecialToken": {"id": "[CLS]", "type_id": 0}} or {"Sequence": {"id": "A", "type_id": 0}} */
static bool
read_piece(MgCtx *cx, const MgTokenTable *table, const MgJson *part, const MgJson *piece, MgWrapPiece *into)
{
	const MgJson *special = mg_json_get(piece, "SpecialToken"), *sequence = mg_json_get(piece, "Sequence");
	const MgJson *value = special != NULL ? special : sequence, *id = mg_json_get(value, "id");
	size_t segment = 0;

	if (id == NULL || id->kind != MG_JSON_STRING ||
		(special == NULL && !mg_span_is(id->string, "A") && !mg_span_is(id->string, "B")))
		return mg_fail(cx, MG_BAD_FILE, "tokenizer template in file \"%s\" has a piece that is not known",
					   MG_TOKENIZER_JSON);
	if (!mg_json_get_size(cx, MG_TOKENIZER_JSON, value, "type_id", 0, 255, &segment))
		return false;
	into->segment = (uint32_t) segment;
	into->id = mg_span_is(id->string, "A") ? MG_WRAP_A : MG_WRAP_B;
	return special == NULL || read_special(cx, table, part, id, &into->id);
}

static bool
read_form(MgCtx *cx, const MgTokenTable *table, const MgJson *part, const char *key, MgWrapForm *form)
{
	const MgJson *pieces = mg_json_get(part, key);

	if (pieces == NULL || pieces->kind != MG_JSON_ARRAY)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer template in file \"%s\" is missing", MG_TOKENIZER_JSON);
	if (pieces->n > MG_WRAP_PIECES)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer template of %u pieces is not supported", pieces->n);
	form->n = pieces->n;
	for (uint32_t i = 0; i < form->n; i++)
		if (!read_piece(cx, table, part, &pieces->items[i], &form->pieces[i]))
			return false;
	return true;
}

/* One processor that wraps. */
static bool
read_processor(MgCtx *cx, const MgTokenTable *table, const MgJson *part, MgSpan type, MgWrapping *wrapping)
{
	uint32_t segments = 0;

	if (mg_span_is(type, "BertProcessing") || mg_span_is(type, "RobertaProcessing"))
		return read_bert(cx, table, part, mg_span_is(type, "RobertaProcessing"), wrapping);
	if (!mg_span_is(type, "TemplateProcessing"))
		return mg_tokenizer_part_fail(cx, "post_processor", type, SUPPORTED);
	wrapping->pair.n = 0;
	if (!read_form(cx, table, part, "single", &wrapping->single) ||
		(mg_json_get(part, "pair") != NULL && !read_form(cx, table, part, "pair", &wrapping->pair)))
		return false;
	for (uint32_t i = 0; i < wrapping->single.n; i++)
		segments |= wrapping->single.pieces[i].segment;
	if (segments == 0 && mg_wrapping_is_valid(wrapping, table->n))
		return true;
	mg_fail(cx, MG_UNSUPPORTED, "tokenizer template is not supported");
	return mg_hint(cx, "Supported: special tokens around one sequence, all of type 0, and around two; each sequence is there once.");
}

bool
mg_tokenizer_wrap_read(MgCtx *cx, const MgJson *root, const MgTokenTable *table, MgTokenizerSpec *spec)
{
	const MgJson *part = mg_json_get(root, "post_processor"), *list = mg_json_get(part, "processors");
	size_t n = 1, n_wrapping = 0;
	MgSpan type;

	/* Texts as they are, until a processor says otherwise. */
	spec->wrapping = (MgWrapping){.single = {1, {{MG_WRAP_A, 0}}}, .pair = {2, {{MG_WRAP_A, 0}, {MG_WRAP_B, 1}}}};
	if (part == NULL && spec->kind == MG_WORDPIECE)
		return mg_tokenizer_part_fail(cx, "post_processor", mg_span(NULL, 0), SUPPORTED);
	if (list != NULL && list->kind == MG_JSON_ARRAY)
	{
		part = list->items;
		n = list->n;
	}
	for (size_t i = 0; part != NULL && i < n; i++)
	{
		if (!mg_tokenizer_part_type(cx, &part[i], "post_processor", &type))
			return false;
		if (mg_span_is(type, "ByteLevel"))
			continue;
		if (n_wrapping++ > 0)
			return mg_fail(cx, MG_UNSUPPORTED, "tokenizer with several post_processors is not supported");
		if (!read_processor(cx, table, &part[i], type, &spec->wrapping))
			return false;
	}
	return true;
}
