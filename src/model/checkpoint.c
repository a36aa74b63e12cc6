/* Planning an image from the facts of a checkpoint. Writing it: checkpoint_write.c; options: options.c. */
#include "model/checkpoint.h"

#include <stdio.h>

#include "model/facts.h"
#include "model/meta.h"
#include "template/template.h"
#include "text/tokenizer.h"

enum
{
	FACT_META,
	FACT_CONFIG,
	FACT_TEMPLATE,
	FACT_PROMPTS,
	FACT_TOKENIZER,
	FACT_GENERATION,
	FACT_CHAT_TEMPLATE,
	N_FACTS
};

static const char *const fact_names[N_FACTS] = {"meta", "config", "template", "prompts", "tokenizer", "generation", "chat_template"};

static bool
check_tensor(MgCtx *cx, const MgFacts *facts, const MgTensor *tensor, size_t rows, size_t cols, bool vector)
{
	char want[64], got[128] = "";
	size_t length = 0;

	if (!tensor->readable)
	{
		mg_fail(cx, MG_UNSUPPORTED, "tensor \"%.*s\" has type %s", MG_SPAN_ARGS(tensor->name), tensor->dtype_name);
		return mg_hint(cx, "Weights of types F32, F16 and BF16 are read, and in GGUF files Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K and IQ4_NL.");
	}
	if (tensor->rank == (vector ? 1 : 2) && tensor->shape[0] == rows && (vector || tensor->shape[1] == cols))
		return true;
	for (size_t i = 0; i < tensor->rank; i++)
		length += (size_t) snprintf(got + length, sizeof got - length, "%s%zu", i > 0 ? ", " : "", tensor->shape[i]);
	snprintf(want, sizeof want, vector ? "%zu" : "%zu, %zu", rows, cols);
	mg_fail(cx, MG_BAD_FILE, "tensor \"%.*s\" has shape [%s], expected [%s]", MG_SPAN_ARGS(tensor->name), got, want);
	return mg_detail(cx, "What is expected follows from file \"%s\".", facts->file);
}

static bool
is_ignored(const MgArch *arch, MgSpan name)
{
	for (const char *const *ignored = arch->ignored; *ignored != NULL; ignored++)
	{
		size_t length = strlen(*ignored);

		if ((*ignored)[0] == '*' && name.size >= length - 1 &&
			memcmp(name.data + name.size - (length - 1), *ignored + 1, length - 1) == 0)
			return true;
		if ((*ignored)[length - 1] == '*' ? name.size >= length - 1 && memcmp(name.data, *ignored, length - 1) == 0
										  : mg_span_is(name, *ignored))
			return true;
	}
	return false;
}

/* Each tensor of the checkpoint is used or known to be of no use: otherwise this is not the model that we think it is. */
static bool
check_all_used(MgCtx *cx, const MgFacts *facts, MgPlan *plan)
{
	size_t prefix = strlen(facts->prefix);
	bool *used = mg_alloc_zeroed(cx, facts->tensors.n, sizeof *used);
	MgSpan *ignored = mg_alloc_array(cx, facts->tensors.n, sizeof *ignored);

	if (used == NULL || ignored == NULL)
		return false;
	plan->ignored = ignored;
	plan->n_ignored = 0;
	for (size_t i = N_FACTS; i < plan->image.n_sections; i++)
		used[plan->origins[i].tensor - facts->tensors.items] = true;
	for (size_t i = 0; i < facts->tensors.n; i++)
	{
		MgSpan name = facts->tensors.items[i].name, bare = name;

		if (name.size >= prefix && memcmp(name.data, facts->prefix, prefix) == 0)
			bare = mg_span(name.data + prefix, name.size - prefix);
		if (used[i])
			continue;
		if (is_ignored(facts->arch, name) || is_ignored(facts->arch, bare))
		{
			ignored[plan->n_ignored++] = name;
			continue;
		}
		mg_fail(cx, MG_UNSUPPORTED, "tensor \"%.*s\" is not known to architecture \"%s\"", MG_SPAN_ARGS(name),
				facts->arch->name);
		return mg_hint(cx, "The checkpoint holds a part that would have no effect.");
	}
	return true;
}

/* Whether the words make logits, too: a head that may be tied to them is there. */
static bool
makes_logits(const MgArch *arch, uint32_t parts)
{
	for (size_t i = 0; i < arch->n_weights; i++)
		if ((arch->weights[i].flags & MG_TIED) != 0 && (parts & 1u << arch->weights[i].part) != 0)
			return true;
	return false;
}

/*
 * Vectors are small and sensitive: they are not narrowed. To 8 bits, neither
 * are small tables and the matrices of a head, which runs on a few rows only.
 * The words of a masked-LM head make its logits: in 8 bits they alone
 * turn the best of BERT's 30522 tokens into another for 2 of 100 masks, in bf16
 * for none (bench/quality.py), so they are bf16.
 */
static MgDtype
stored_dtype(const MgImage *image, const MgWeightSpec *spec, MgDtype in_file, int wanted)
{
	/* Vectors and small tables are used as they are. */
	if (mg_dtype_is_grouped(in_file) && (spec->role == MG_VECTOR || spec->role == MG_TABLE))
		in_file = MG_F32;
	if (wanted < 0 || spec->role == MG_VECTOR)
		return in_file;
	if (mg_dtype_is_grouped((MgDtype) wanted))
		return spec->role == MG_TABLE ? in_file : spec->role == MG_WORDS ? MG_Q8G : (MgDtype) wanted;
	if (wanted != MG_Q8)
		return (MgDtype) wanted;
	if (spec->role == MG_WORDS)
		return makes_logits(image->arch, image->parts) ? MG_BF16 : MG_Q8;
	return spec->role == MG_LINEAR && spec->part == 0 ? MG_Q8 : in_file;
}

/* The tensor of a weight, checked; its place in it. Without an error and a tensor: the weight is optional, and absent. */
static bool
find_origin(MgCtx *cx, const MgFacts *facts, const MgImage *image, const MgWeight *weight, MgOrigin *origin)
{
	const MgWeightSpec *spec = weight->spec;
	size_t rows = weight->rows, cols = weight->cols, run = spec->run != 0 && !facts->plain ? mg_side(image->config, spec->run) : 0;
	uint32_t flags = facts->plain ? spec->flags & ~(uint32_t) (MG_TRANSPOSED | MG_LESS_ONE) : spec->flags;
	char name[MG_NAME_SIZE];

	mg_weight_tensor(weight, name);
	*origin = (MgOrigin){.tensor = mg_facts_tensor(facts, name), .transposed = (flags & MG_TRANSPOSED) != 0,
						 .less_one = (flags & MG_LESS_ONE) != 0};
	if (origin->tensor == NULL)
		return (spec->flags & MG_OPTIONAL) != 0 || mg_fail(cx, MG_BAD_FILE, "tensor \"%s\" is missing", name);
	if ((spec->flags & MG_SLICE) != 0)
		rows = mg_weight_slice(image->arch, image->config, spec, &origin->first);
	if (run > 0)
	{
		size_t n_runs = weight->rows / run;

		*origin = (MgOrigin){.tensor = origin->tensor, .first = origin->first / n_runs, .run = run, .step = rows / n_runs};
	}
	if (origin->transposed && origin->tensor->block != NULL)
		return mg_fail(cx, MG_UNSUPPORTED, "tensor \"%s\" is stored transposed and in blocks", name);
	return origin->transposed ? check_tensor(cx, facts, origin->tensor, cols, rows, false)
							  : check_tensor(cx, facts, origin->tensor, rows, cols, spec->role == MG_VECTOR);
}

/* Fills in the sections of all weights behind the facts; with sections NULL it only counts them. */
static bool
plan_weights(MgCtx *cx, const MgFacts *facts, MgImage *image, int dtype, MgSection *sections, MgOrigin *origins)
{
	MgWeight weight = {0};
	MgOrigin origin;

	image->n_sections = N_FACTS;
	while (mg_weights_next(image->arch, image->config, image->parts, &weight))
	{
		if (!find_origin(cx, facts, image, &weight, &origin))
			return false;
		if (origin.tensor == NULL)
			continue;
		if (sections != NULL)
		{
			MgSection *section = &sections[image->n_sections];

			snprintf(section->name, sizeof section->name, "%s", weight.name);
			section->dtype = (uint32_t) (origin.less_one ? MG_F32 : stored_dtype(image, weight.spec, origin.tensor->dtype, dtype));
			section->layout = MG_ROWS;
			section->rows = weight.rows;
			section->cols = weight.cols;
			if (mg_dtype_is_grouped((MgDtype) section->dtype) && weight.cols % MG_GROUP != 0)
				return mg_fail(cx, MG_UNSUPPORTED, "rows of weight \"%s\" have %zu numbers, which are no whole groups of %d",
							   weight.name, weight.cols, MG_GROUP);
			origins[image->n_sections] = origin;
		}
		image->n_sections++;
	}
	return true;
}

/* Prompts of the files, replaced and extended by those of the options, as bytes of the image (see model.c). */
static bool
plan_prompts(MgCtx *cx, const MgSentenceFacts *sentence, const MgModelOptions *options, MgSpan *bytes)
{
	const MgPrompt **all = mg_alloc_array(cx, sentence->n_prompts + options->n_prompts, sizeof *all);
	size_t n = 0, size = 4;
	uint8_t *out;

	if (all == NULL)
		return false;
	for (size_t i = 0; i < sentence->n_prompts + options->n_prompts; i++)
	{
		const MgPrompt *prompt =
			i < sentence->n_prompts ? &sentence->prompts[i] : &options->prompts[i - sentence->n_prompts];
		size_t at = 0;

		while (at < n && !mg_span_equal(all[at]->name, prompt->name))
			at++;
		all[at] = prompt;
		if (at == n)
			n++;
	}
	for (size_t i = 0; i < n; i++)
		size += 8 + all[i]->name.size + all[i]->text.size;
	out = mg_alloc(cx, size);
	if (out == NULL)
		return false;
	*bytes = mg_span(out, size);
	memcpy(out, &(uint32_t){(uint32_t) n}, 4);
	out += 4;
	for (size_t i = 0; i < n; i++)
	{
		const MgSpan parts[] = {all[i]->name, all[i]->text};

		for (size_t j = 0; j < 2; j++)
		{
			memcpy(out, &(uint32_t){(uint32_t) parts[j].size}, 4);
			if (parts[j].size > 0)
				memcpy(out + 4, parts[j].data, parts[j].size);
			out += 4 + parts[j].size;
		}
	}
	return true;
}

static bool
contains(MgSpan text, MgSpan part)
{
	for (size_t at = 0; part.size > 0 && at + part.size <= text.size; at++)
		if (memcmp(text.data + at, part.data, part.size) == 0)
			return true;
	return false;
}

/* The weight that stands for all: the first one, or where its numbers are in groups the first that are in smaller ones. */
static size_t
typical_weight(const MgSection *sections, size_t n)
{
	for (size_t i = N_FACTS; i < n && mg_dtype_is_grouped((MgDtype) sections[N_FACTS].dtype); i++)
		if (sections[i].dtype == MG_Q4G)
			return i;
	return N_FACTS;
}

/* A template that no call could use is refused now, not at the first call. */
static bool
check_template(MgCtx *cx, const MgTokenizerSpec *tokenizer, MgSpan template)
{
	MgSpan mask = tokenizer->mask >= 0 ? tokenizer->tokens[tokenizer->mask] : mg_span(NULL, 0);

	if (template.size == 0 || contains(template, mg_span_of("{label}")) ||
		(contains(template, mg_span_of("{question}")) && contains(template, mg_span_of("{choices}")) && contains(template, mg_span_of("{mask}"))) ||
		(contains(template, mg_span_of("{text}")) && (contains(template, mg_span_of("{mask}")) || contains(template, mask))))
		return true;
	mg_fail(cx, MG_BAD_ARGUMENT, "option \"template\" lacks {text} or {mask}");
	return mg_hint(cx, "A template looks like \"{mask} news: {text}\", or \"This is about {label}.\" for an embedding model.");
}

/* The configuration's struct and its keys as they are stored: settled, with what the files leave out. */
static bool
plan_config(MgCtx *cx, const MgFacts *facts, MgImage *image)
{
	const MgArch *arch = facts->arch;

	image->arch = arch;
	image->config = mg_arch_configure(cx, arch, &facts->config);
	if (image->config == NULL)
		return mg_detail(cx, "The numbers are those of file \"%s\".", facts->file);
	return mg_config_of_fields(cx, arch->keys, arch->n_keys, image->config, &facts->config, &image->keys) &&
		mg_facts_parts(cx, facts, &image->parts);
}

static bool
plan_meta(MgCtx *cx, const MgFacts *facts, const MgModelOptions *options, MgImage *image)
{
	size_t max_tokens = options->max_tokens, longest = mg_image_sizes(image)->longest;
	MgMeta *meta = &image->meta;

	if (facts->tokenizer.n_tokens > mg_image_sizes(image)->vocab)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer has %zu tokens, the model %u", facts->tokenizer.n_tokens,
					   mg_image_sizes(image)->vocab);
	if (facts->tokenizer.n_tokens < mg_image_sizes(image)->vocab / 4 * 3)
		mg_note(cx, "tokenizer has %zu tokens, the model %u: is its file whole?", facts->tokenizer.n_tokens, mg_image_sizes(image)->vocab);
	meta->pooling = options->pooling != MG_POOL_NONE ? options->pooling : facts->sentence.pooling;
	meta->normalize = options->normalize >= 0 ? options->normalize != 0
											  : !facts->sentence.present || facts->sentence.normalize;
	meta->calibrate = options->calibrate;
	if (max_tokens > longest)
	{
		mg_fail(cx, MG_BAD_ARGUMENT, "option \"max_tokens\" is %zu", max_tokens);
		return mg_detail(cx, "The model has positions for %zu tokens.", longest);
	}
	if (max_tokens == 0)
		max_tokens = facts->sentence.max_tokens;
	if (max_tokens == 0)
		max_tokens = facts->tokenizer.max_tokens;
	if (max_tokens == 0 || max_tokens > longest)
		max_tokens = longest;
	if (max_tokens < 3)
		return mg_fail(cx, MG_BAD_FILE, "sequences of %zu tokens are too short", max_tokens);
	meta->max_tokens = (uint32_t) max_tokens;
	image->can = mg_image_can(image);
	return true;
}

/* What the template does that cannot be done here is said when the model is made. */
static bool
check_chat_template(MgCtx *cx, MgSpan source)
{
	if (source.size == 0 || mg_template_parse(cx, source) != NULL)
		return true;
	return mg_hint(cx, "Option {\"chat_template\": \"...\"} gives the model another one, and \"\" none.");
}

/* The bytes of all facts, when the weights are planned. */
static bool
plan_facts(MgCtx *cx, const MgFacts *facts, const MgModelOptions *options, const MgImage *image, MgSpan *bytes)
{
	bytes[FACT_TEMPLATE] = options->template;
	bytes[FACT_GENERATION] = facts->generation;
	bytes[FACT_CHAT_TEMPLATE] = options->chat_template != NULL ? *options->chat_template : facts->chat_template;
	return check_chat_template(cx, bytes[FACT_CHAT_TEMPLATE]) && mg_meta_write(cx, image->arch, &image->meta, &bytes[FACT_META]) &&
		mg_config_write(cx, &image->keys, &bytes[FACT_CONFIG]) &&
		plan_prompts(cx, &facts->sentence, options, &bytes[FACT_PROMPTS]) &&
		mg_tokenizer_build(cx, &facts->tokenizer, &bytes[FACT_TOKENIZER]);
}

bool
mg_checkpoint_plan(MgCtx *cx, const MgFiles *files, const MgModelOptions *options, MgPlan *plan)
{
	MgImage *image = &plan->image;
	MgSection *sections;
	MgOrigin *origins;
	MgSpan *bytes = mg_alloc_array(cx, N_FACTS, sizeof *bytes);
	MgFacts facts;

	*image = (MgImage){.form = MG_FORM_PORTABLE, .version = MG_IMAGE_VERSION};
	if (bytes == NULL || !mg_facts_read(cx, files, &facts) ||
		!check_template(cx, &facts.tokenizer, options->template) || !plan_config(cx, &facts, image) ||
		!plan_meta(cx, &facts, options, image) || !plan_weights(cx, &facts, image, options->dtype, NULL, NULL))
		return false;
	if (image->n_sections > MG_MAX_SECTIONS)
		return mg_fail(cx, MG_TOO_LARGE, "model has %zu weights, at most %d are read", image->n_sections,
					   MG_MAX_SECTIONS);
	sections = mg_alloc_zeroed(cx, image->n_sections, sizeof *sections);
	origins = mg_alloc_zeroed(cx, image->n_sections, sizeof *origins);
	if (sections == NULL || origins == NULL ||
		!plan_weights(cx, &facts, image, options->dtype, sections, origins))
		return false;
	for (size_t i = N_FACTS; i < image->n_sections; i++)
		image->meta.parameters += sections[i].rows * sections[i].cols;
	image->meta.dtype = options->dtype >= 0 ? (MgDtype) options->dtype : (MgDtype) sections[typical_weight(sections, image->n_sections)].dtype;
	if (!plan_facts(cx, &facts, options, image, bytes))
		return false;
	for (size_t i = 0; i < N_FACTS; i++)
	{
		snprintf(sections[i].name, sizeof sections[i].name, "%s", fact_names[i]);
		sections[i].size = bytes[i].size;
		sections[i].version = MG_FACT_VERSION;
	}
	image->sections = sections;
	plan->origins = origins;
	plan->bytes = bytes;
	return check_all_used(cx, &facts, plan) && mg_image_lay_out(cx, sections, image->n_sections, &image->size);
}
