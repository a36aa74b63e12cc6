/* SentencePiece's models. */
#include "format/sentencepiece.h"

#include "format/tokenizer_steps.h"
#include "text/utf8.h"

#define MARK "\xE2\x96\x81"
#define POLL_STEP 4096

const char *const mg_sentencepiece_files[] = {"tokenizer.model", "spiece.model", "sentencepiece.model", "sentencepiece.bpe.model", NULL};

/* A field of a protocol buffer: its bytes, or its number. */
typedef struct Field
{
	uint64_t tag;
	uint64_t number; /* of a varint; bits of a fixed one */
	MgSpan bytes;
} Field;

static bool
read_varint(MgSpan bytes, size_t *at, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 64 && *at < bytes.size; shift += 7)
	{
		uint8_t byte = bytes.data[(*at)++];

		*value |= (uint64_t) (byte & 0x7F) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* The field at a place before the end; false when it does not fit, or is of a kind that nobody writes. */
static bool
read_field(MgSpan bytes, size_t *at, Field *field)
{
	uint64_t key, size = 0;

	*field = (Field){.bytes = mg_span("", 0)};
	if (!read_varint(bytes, at, &key))
		return false;
	field->tag = key >> 3;
	switch (key & 7)
	{
		case 0:
			return read_varint(bytes, at, &field->number);
		case 1:
		case 5:
			size = (key & 7) == 1 ? 8 : 4;
			break;
		case 2:
			if (!read_varint(bytes, at, &size))
				return false;
			break;
		default:
			return false;
	}
	if (size > bytes.size - *at)
		return false;
	field->bytes = mg_span(bytes.data + *at, (size_t) size);
	*at += (size_t) size;
	if ((key & 7) != 2)
		memcpy(&field->number, field->bytes.data, (size_t) size);
	return true;
}

typedef struct Model
{
	size_t n;
	uint64_t type; /* 1 Unigram, 2 BPE */
	bool byte_fallback, prefix, squeeze, escape;
	MgSpan charsmap;
} Model;

static bool
fail_form(MgCtx *cx, const char *name)
{
	return mg_fail(cx, MG_BAD_FILE, "file \"%s\" is not a SentencePiece model", name);
}

/* What trainer and normaliser say; counts the pieces. */
static bool
read_model(MgCtx *cx, const char *name, MgSpan bytes, Model *model)
{
	Field field, inner;

	*model = (Model){.type = 1, .prefix = true, .squeeze = true, .escape = true, .charsmap = mg_span("", 0)};
	for (size_t at = 0; at < bytes.size;)
	{
		if (!read_field(bytes, &at, &field))
			return fail_form(cx, name);
		if (field.tag == 1 && model->n++ % POLL_STEP == 0 && !mg_poll(cx))
			return false;
		for (size_t in = 0; (field.tag == 2 || field.tag == 3) && in < field.bytes.size;)
		{
			if (!read_field(field.bytes, &in, &inner))
				return fail_form(cx, name);
			if (field.tag == 2 && inner.tag == 3)
				model->type = inner.number;
			if (field.tag == 2 && inner.tag == 35)
				model->byte_fallback = inner.number != 0;
			if (field.tag == 3 && inner.tag == 2)
				model->charsmap = inner.bytes;
			if (field.tag == 3 && inner.tag == 3)
				model->prefix = inner.number != 0;
			if (field.tag == 3 && inner.tag == 4)
				model->squeeze = inner.number != 0;
			if (field.tag == 3 && inner.tag == 5)
				model->escape = inner.number != 0;
		}
	}
	if (model->type != 1 && model->type != 2)
		return mg_fail(cx, MG_UNSUPPORTED, "SentencePiece model of type %llu is not supported", (unsigned long long) model->type);
	return model->escape || mg_fail(cx, MG_UNSUPPORTED, "SentencePiece model without marks for spaces is not supported");
}

uint8_t
mg_piece_flags(int64_t kind)
{
	switch (kind)
	{
		case MG_PIECE_UNKNOWN:
		case MG_PIECE_CONTROL:
			return MG_TOKEN_ADDED | MG_TOKEN_SPECIAL;
		case MG_PIECE_USER:
			return MG_TOKEN_ADDED;
		case MG_PIECE_UNUSED:
			return MG_TOKEN_OUTSIDE;
		default:
			return 0;
	}
}

static bool
read_pieces(MgCtx *cx, const char *name, MgSpan bytes, const Model *model, MgTokenTable *table, MgTokenizerSpec *spec)
{
	double *scores = mg_alloc_zeroed(cx, model->n, sizeof *scores);
	Field field, inner;
	size_t id = 0;

	if (scores == NULL || !mg_token_table_init(cx, name, model->n, table))
		return false;
	for (size_t at = 0; at < bytes.size && read_field(bytes, &at, &field);)
	{
		MgSpan text = mg_span("", 0);
		uint64_t kind = MG_PIECE_NORMAL;
		float score = 0;

		if (field.tag != 1)
			continue;
		for (size_t in = 0; in < field.bytes.size;)
		{
			if (!read_field(field.bytes, &in, &inner))
				return fail_form(cx, name);
			if (inner.tag == 1)
				text = inner.bytes;
			if (inner.tag == 2)
				memcpy(&score, &inner.number, sizeof score);
			if (inner.tag == 3)
				kind = inner.number;
		}
		if ((id % POLL_STEP == 0 && !mg_poll(cx)) || (text.size > 0 && !mg_token_table_put(cx, table, id, text)))
			return false;
		table->flags[id] = text.size > 0 ? mg_piece_flags((int64_t) kind) : 0;
		if (kind == MG_PIECE_UNKNOWN && spec->unknown < 0 && text.size > 0)
			spec->unknown = (int32_t) id;
		scores[id++] = (double) score;
	}
	spec->scores = scores;
	return true;
}

static bool
add(MgCtx *cx, MgStepList *list, MgStepKind kind, uint32_t number, const char *a, const char *b)
{
	return mg_step_add(cx, list, kind, number, mg_span_of(a), mg_span_of(b));
}

bool
mg_sentencepiece_steps(MgCtx *cx, bool prefix, MgSpan charsmap, bool squeeze, MgTokenizerSpec *spec)
{
	MgStepList normalizing = {.n = 0}, cutting = {.n = 0}, decoding = {.n = 0};
	bool bpe = spec->kind == MG_BPE;

	spec->pre = MG_PRE_STEPS;
	spec->decoder = MG_DECODE_STEPS;
	spec->characters = bpe;
	if (charsmap.size > 0 && !mg_step_add(cx, &normalizing, MG_STEP_CHARSMAP, 0, charsmap, mg_span("", 0)))
		return false;
	if (squeeze && (!add(cx, &normalizing, MG_STEP_STRIP, bpe ? 3 : 2, "", "") ||
					!add(cx, &normalizing, MG_STEP_REPLACE_RUN, 2, " ", bpe ? " " : MARK)))
		return false;
	if (bpe ? (prefix && !add(cx, &normalizing, MG_STEP_PREPEND, 0, MARK, "")) || !add(cx, &normalizing, MG_STEP_REPLACE, 0, " ", MARK)
			: !add(cx, &cutting, MG_STEP_METASPACE, MG_META_CUT | (prefix ? MG_META_ALWAYS : 0), MARK, ""))
		return false;
	if (!add(cx, &decoding, MG_STEP_REPLACE, 0, MARK, " ") || (spec->byte_fallback && !add(cx, &decoding, MG_STEP_BYTE_FALLBACK, 0, "", "")) ||
		(prefix && !add(cx, &decoding, MG_STEP_STRIP_FIRST, 1, " ", "")))
		return false;
	return mg_steps_keep(cx, &normalizing, &spec->normalizing) && mg_steps_keep(cx, &cutting, &spec->cutting) &&
		mg_steps_keep(cx, &decoding, &spec->decoding);
}

/* bos before a text, and eos behind it: as tokenizer_config.json says, or as Llama (BPE) and T5 (Unigram) have it. */
static bool
read_wrapping(MgCtx *cx, const MgTokenizerConfig *files, const MgTokenTable *table, MgTokenizerSpec *spec)
{
	static const char *const known[] = {"LlamaTokenizer", "LlamaTokenizerFast", "GemmaTokenizer", "GemmaTokenizerFast", "T5Tokenizer", "T5TokenizerFast"};
	MgSpan kind = mg_span("", 0), bos = mg_span_of("<s>"), eos = mg_span_of("</s>");
	bool begins = spec->kind == MG_BPE, ends = !begins, is_known = false;
	MgWrapForm *form = &spec->wrapping.single;
	const MgJson *object;
	int32_t id;

	if (!mg_json_get_string(cx, "tokenizer_config.json", files->config, "tokenizer_class", &kind) ||
		!mg_json_get_bool(cx, "tokenizer_config.json", files->config, "add_bos_token", &begins) ||
		!mg_json_get_bool(cx, "tokenizer_config.json", files->config, "add_eos_token", &ends) ||
		!mg_special_token(cx, files, "bos_token", &bos, &object) || !mg_special_token(cx, files, "eos_token", &eos, &object))
		return false;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		is_known = is_known || mg_span_is(kind, known[i]);
	if (kind.size > 0 && !is_known)
	{
		mg_fail(cx, MG_UNSUPPORTED, "tokenizer class \"%.*s\" is not supported with a SentencePiece model", MG_SPAN_ARGS(kind));
		return mg_hint(cx, "Save the tokenizer as tokenizer.json, with a fast tokenizer of transformers for example.");
	}
	if (begins && (id = mg_token_table_find(table, bos)) >= 0)
		form->pieces[form->n++] = (MgWrapPiece){id, 0};
	form->pieces[form->n++] = (MgWrapPiece){MG_WRAP_A, 0};
	if (ends && (id = mg_token_table_find(table, eos)) >= 0)
		form->pieces[form->n++] = (MgWrapPiece){id, 0};
	return true;
}

bool
mg_sentencepiece_read(MgCtx *cx, const char *name, MgSpan bytes, const MgTokenizerConfig *files, MgTokenTable *table, MgTokenizerSpec *spec)
{
	Model model;

	if (!read_model(cx, name, bytes, &model))
		return false;
	spec->kind = model.type == 2 ? MG_BPE : MG_UNIGRAM;
	spec->byte_fallback = model.byte_fallback;
	spec->fuse_unknown = true;
	return read_pieces(cx, name, bytes, &model, table, spec) && read_wrapping(cx, files, table, spec) &&
		mg_sentencepiece_steps(cx, model.prefix, model.charsmap, model.squeeze, spec);
}
