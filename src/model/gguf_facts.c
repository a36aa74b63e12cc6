/*
 * A GGUF file as a checkpoint: its keys and the names of its tensors as those of a Hugging Face directory.
 *
 *   general.architecture "llama"          which architecture, and the beginning of the keys of its configuration
 *   llama.block_count ...                 num_hidden_layers ...
 *   token_embd.weight, blk.3.attn_q.weight ...   as the architecture says, MgGgufNames
 *   tokenizer.ggml.*                      format/gguf_tokenizer.h
 *   tokenizer.chat_template, general.sampling.*
 *
 * What the file leaves out follows from it: the size of the vocabulary from the table of words, and that they make the
 * logits where no other matrix does.
 */
#include <stdio.h>

#include "format/gguf.h"
#include "format/gguf_blocks.h"
#include "format/gguf_tokenizer.h"
#include "model/facts.h"
#include "template/template.h"

#define KEY_SIZE 128

/* Keys behind the architecture's name and a dot. */
static const struct
{
	const char *theirs, *ours;
	MgValueKind kind;
} keys[] = {
	{"block_count", "num_hidden_layers", MG_VALUE_INTEGER},
	{"context_length", "max_position_embeddings", MG_VALUE_INTEGER},
	{"embedding_length", "hidden_size", MG_VALUE_INTEGER},
	{"feed_forward_length", "intermediate_size", MG_VALUE_INTEGER},
	{"attention.head_count", "num_attention_heads", MG_VALUE_INTEGER},
	{"attention.head_count_kv", "num_key_value_heads", MG_VALUE_INTEGER},
	{"attention.key_length", "head_dim", MG_VALUE_INTEGER},
	{"attention.layer_norm_rms_epsilon", "rms_norm_eps", MG_VALUE_REAL},
	{"attention.layer_norm_epsilon", "layer_norm_eps", MG_VALUE_REAL},
	{"attention.sliding_window", "sliding_window", MG_VALUE_INTEGER},
	{"attention.sliding_window_pattern", "sliding_window_pattern", MG_VALUE_INTEGER},
	{"attn_logit_softcapping", "attn_logit_softcapping", MG_VALUE_REAL},
	{"final_logit_softcapping", "final_logit_softcapping", MG_VALUE_REAL},
	{"use_parallel_residual", "use_parallel_residual", MG_VALUE_FLAG},
	{"rope.freq_base", "rope_theta", MG_VALUE_REAL},
	{"rope.freq_base_swa", "rope_local_base_freq", MG_VALUE_REAL},
	{"rope.dimension_count", "rotary_dim", MG_VALUE_INTEGER},
	{"rope.scaling.type", "rope_scaling.rope_type", MG_VALUE_TEXT},
	{"rope.scaling.factor", "rope_scaling.factor", MG_VALUE_REAL},
	{"rope.scaling.original_context_length", "rope_scaling.original_max_position_embeddings", MG_VALUE_INTEGER},
	{"rope.scaling.attn_factor", "rope_scaling.attention_factor", MG_VALUE_REAL},
};

#define N_KEYS (sizeof keys / sizeof *keys)

static bool
find_arch(MgCtx *cx, const MgGguf *gguf, MgSpan *name, MgFacts *facts)
{
	char known[MG_MESSAGE_SIZE] = "";
	size_t length = 0;

	*name = mg_span(NULL, 0);
	if (!mg_gguf_text(cx, gguf, "general.architecture", name))
		return false;
	if (name->size == 0 || name->size > KEY_SIZE / 2)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" does not name an architecture", gguf->name);
	for (const MgArch *const *arch = mg_arches; *arch != NULL; arch++)
	{
		const char *theirs = (*arch)->gguf.name;

		if (theirs == NULL)
			continue;
		if (mg_span_is(*name, theirs))
			facts->arch = *arch;
		if (length < sizeof known)
			length += (size_t) snprintf(known + length, sizeof known - length, "%s%s", length > 0 ? ", " : "", theirs);
	}
	if (facts->arch != NULL)
		return true;
	mg_fail(cx, MG_UNSUPPORTED, "architecture \"%.*s\" of a GGUF file is not supported", MG_SPAN_ARGS(*name));
	return mg_hint(cx, "Supported are %s.", known);
}

static bool
read_value(MgCtx *cx, const MgGguf *gguf, MgSpan arch, size_t i, MgConfig *config)
{
	MgConfigValue *value = (MgConfigValue *) &config->values[config->n];
	char key[KEY_SIZE];

	snprintf(key, sizeof key, "%.*s.%s", (int) arch.size, (const char *) arch.data, keys[i].theirs);
	if (mg_gguf_find(gguf, key) == NULL)
		return true;
	*value = (MgConfigValue){.key = mg_span_of(keys[i].ours), .kind = keys[i].kind};
	if (keys[i].kind == MG_VALUE_FLAG)
	{
		bool flag = false;

		config->n++;
		if (!mg_gguf_flag(cx, gguf, key, &flag))
			return false;
		value->integer = flag;
		return true;
	}
	if (!(keys[i].kind == MG_VALUE_INTEGER ? mg_gguf_integer(cx, gguf, key, &value->integer)
		  : keys[i].kind == MG_VALUE_REAL  ? mg_gguf_real(cx, gguf, key, &value->real)
										   : mg_gguf_text(cx, gguf, key, &value->text)))
		return false;
	/* What is not scaled has a name as well. */
	if (keys[i].kind != MG_VALUE_TEXT || !mg_span_is(value->text, "none"))
		config->n++;
	return true;
}

/* Configuration as the architecture's keys have it. */
static bool
read_config(MgCtx *cx, const MgGguf *gguf, MgSpan arch, MgFacts *facts)
{
	const MgTensor *words = mg_tensors_find(&gguf->tensors, mg_span_of("token_embd.weight"));
	const MgTensor *types = mg_tensors_find(&gguf->tensors, mg_span_of("token_types.weight"));
	MgConfigValue *values = mg_alloc_array(cx, N_KEYS + 4, sizeof *values);

	if (values == NULL)
		return false;
	if (words == NULL || words->rank != 2)
		return mg_fail(cx, MG_BAD_FILE, "tensor \"token_embd.weight\" is missing or has another shape");
	facts->config = (MgConfig){gguf->name, 0, values};
	for (size_t i = 0; i < N_KEYS; i++)
		if (!read_value(cx, gguf, arch, i, &facts->config))
			return false;
	values[facts->config.n++] = (MgConfigValue){
		.key = mg_span_of("vocab_size"), .kind = MG_VALUE_INTEGER,
		.integer = (int64_t) (words->shape[0] > MG_MAX_VOCAB ? MG_MAX_VOCAB + 1 : words->shape[0])};
	values[facts->config.n++] = (MgConfigValue){
		.key = mg_span_of("tie_word_embeddings"), .kind = MG_VALUE_FLAG,
		.integer = mg_tensors_find(&gguf->tensors, mg_span_of("output.weight")) == NULL};
	if (types != NULL)
		values[facts->config.n++] = (MgConfigValue){
			.key = mg_span_of("type_vocab_size"), .kind = MG_VALUE_INTEGER,
			.integer = (int64_t) (types->rank != 2 || types->shape[0] > MG_MAX_WIDTH ? MG_MAX_WIDTH + 1 : types->shape[0])};
	if (facts->arch->gguf.interleaved)
		values[facts->config.n++] = (MgConfigValue){.key = mg_span_of("rope_interleaved"), .kind = MG_VALUE_FLAG, .integer = 1};
	return true;
}

/* Of "blk.3.attn_q.weight", 3. */
static unsigned
layer_of(MgSpan name)
{
	unsigned layer = 0;

	if (name.size > 4 && memcmp(name.data, "blk.", 4) == 0)
		for (size_t at = 4; at < name.size && at < 8 && name.data[at] >= '0' && name.data[at] <= '9'; at++)
			layer = 10 * layer + (unsigned) (name.data[at] - '0');
	return layer;
}

/* Whether a name, of that layer, is what a pattern "blk.%u.attn_q" makes. */
static bool
is_name(MgSpan base, unsigned layer, const char *pattern)
{
	char text[MG_NAME_SIZE];

	snprintf(text, sizeof text, pattern, layer);
	return mg_span_is(base, text);
}

/* The name that an architecture's table has, or the name as it is. */
static bool
rename_tensor(MgCtx *cx, const MgArch *arch, MgTensor *tensor)
{
	MgSpan name = tensor->name, base;
	unsigned layer = layer_of(name);
	size_t dot = name.size;
	char text[MG_NAME_SIZE], *copy;

	while (dot > 0 && name.data[dot - 1] != '.')
		dot--;
	if (dot == 0 || name.size - dot > 16)
		return true;
	base = mg_span(name.data, dot - 1);
	for (const MgRename *rename = arch->gguf.tensors; rename->now != NULL; rename++)
		if (is_name(base, layer, rename->before))
		{
			size_t length = (size_t) snprintf(text, sizeof text, rename->now, layer);

			snprintf(text + length, sizeof text - length, "%.*s", (int) (name.size - base.size), (const char *) name.data + base.size);
			copy = mg_copy_text(cx, mg_span_of(text));
			tensor->name = copy != NULL ? mg_span_of(copy) : tensor->name;
			return copy != NULL;
		}
	return true;
}

static bool
rename_tensors(MgCtx *cx, const MgArch *arch, MgTensors *tensors)
{
	MgTensor *items = (MgTensor *) tensors->items;

	for (size_t i = 0; i < tensors->n; i++)
		if (!rename_tensor(cx, arch, &items[i]))
			return false;
	return mg_tensors_sort(cx, items, tensors->n, tensors);
}

/* Appends to text [size]; what does not fit is cut. */
static void add(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void
add(char *text, size_t size, const char *format, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, size - length, format, args);
	va_end(args);
}

/* The defaults of generation, as a generation_config.json would have them. */
static bool
read_generation(MgCtx *cx, const MgGguf *gguf, MgFacts *facts)
{
	static const struct
	{
		const char *theirs, *ours;
	} reals[] = {{"general.sampling.temp", "temperature"}, {"general.sampling.top_k", "top_k"},
				 {"general.sampling.top_p", "top_p"}, {"general.sampling.min_p", "min_p"},
				 {"general.sampling.penalty_repeat", "repetition_penalty"}};
	char text[1024] = "{\"eos_token_id\": [";
	char *copy;
	int32_t *ends;
	size_t n;
	bool sampled = false;

	if (!mg_gguf_ends_read(cx, gguf, &facts->tokenizer, &ends, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		add(text, sizeof text, "%s%d", i > 0 ? ", " : "", ends[i]);
	add(text, sizeof text, "]");
	for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
	{
		double value = 0;

		if (mg_gguf_find(gguf, reals[i].theirs) == NULL)
			continue;
		if (!mg_gguf_real(cx, gguf, reals[i].theirs, &value))
			return false;
		if (!(value >= -1e9 && value <= 1e9))
			return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has a \"%s\" that is out of range", gguf->name, reals[i].theirs);
		add(text, sizeof text, ", \"%s\": %.9g", reals[i].ours, value);
		sampled = true;
	}
	add(text, sizeof text, ", \"do_sample\": %s}", sampled ? "true" : "false");
	copy = mg_copy_text(cx, mg_span_of(text));
	facts->generation = copy != NULL ? mg_span_of(copy) : facts->generation;
	return copy != NULL;
}

/* The token under a key that says its id; empty without one. */
static bool
token_of(MgCtx *cx, const MgGguf *gguf, const char *key, const MgTokenizerSpec *spec, MgSpan *token)
{
	int64_t id = -1;

	*token = mg_span(NULL, 0);
	if (mg_gguf_find(gguf, key) == NULL)
		return true;
	if (!mg_gguf_integer(cx, gguf, key, &id))
		return false;
	if (id >= 0 && (uint64_t) id < spec->n_tokens)
		*token = spec->tokens[id];
	return true;
}

/* With what it may call bos_token and eos_token. */
static bool
read_chat_template(MgCtx *cx, const MgGguf *gguf, MgFacts *facts)
{
	MgSpan bos, eos;

	return mg_gguf_text(cx, gguf, "tokenizer.chat_template", &facts->chat_template) &&
		token_of(cx, gguf, "tokenizer.ggml.bos_token_id", &facts->tokenizer, &bos) &&
		token_of(cx, gguf, "tokenizer.ggml.eos_token_id", &facts->tokenizer, &eos) &&
		mg_template_with_tokens(cx, facts->chat_template, bos, eos, &facts->chat_template);
}

/* How token vectors become one. Files of embedders say no more; the tools that read them scale what comes out to length 1. */
static bool
read_pooling(MgCtx *cx, const MgGguf *gguf, MgSpan arch, MgFacts *facts)
{
	static const MgPooling poolings[] = {MG_POOL_NONE, MG_POOL_MEAN, MG_POOL_CLS, MG_POOL_LAST};
	char key[KEY_SIZE];
	int64_t number = 0;

	snprintf(key, sizeof key, "%.*s.pooling_type", (int) arch.size, (const char *) arch.data);
	if (!mg_gguf_integer(cx, gguf, key, &number))
		return false;
	if (number < 0 || number >= (int64_t) (sizeof poolings / sizeof *poolings))
		return mg_fail(cx, MG_UNSUPPORTED, "pooling_type %lld of a GGUF file is not supported", (long long) number);
	if (number > 0)
		facts->sentence = (MgSentenceFacts){.present = true, .pooling = poolings[number], .normalize = true};
	return true;
}

bool
mg_facts_of_gguf(MgCtx *cx, const MgGguf *gguf, MgFacts *facts)
{
	MgSpan arch;

	memset(facts, 0, sizeof *facts);
	if (!find_arch(cx, gguf, &arch, facts) || !read_config(cx, gguf, arch, facts) || !mg_gguf_tokenizer_read(cx, gguf, &facts->tokenizer) ||
		!read_pooling(cx, gguf, arch, facts) || (facts->arch->keys_form != NULL && !read_generation(cx, gguf, facts)) || !read_chat_template(cx, gguf, facts))
		return false;
	facts->tensors = gguf->tensors;
	facts->plain = true;
	return rename_tensors(cx, facts->arch, &facts->tensors) && mg_facts_find_prefix(cx, facts);
}
