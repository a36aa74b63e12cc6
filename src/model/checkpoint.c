/* Planning an image from a directory's facts, and streaming it. Options: options.c. */
#include "model/checkpoint.h"

#include <math.h>
#include <stdio.h>

#include "model/facts.h"
#include "text/tokenizer.h"

#define PIECE ((size_t) 1024 * 1024)
#define N_FACTS 4 /* meta, tokenizer, template, prompts */

/* The name of a weight in the image; the prefix is put before it in the checkpoint. */
static bool
weight_name(MgCtx *cx, const MgWeightSpec *spec, uint32_t layer, char name[80])
{
	int length = spec->layered ? snprintf(name, 80, spec->name, layer) : snprintf(name, 80, "%s", spec->name);

	return length < 80 || mg_fail(cx, MG_TOO_LARGE, "name of weight \"%s\" is too long", spec->name);
}

static bool
check_tensor(MgCtx *cx, const MgTensor *tensor, const char *name, size_t rows, size_t cols, bool vector)
{
	char want[64], got[128] = "";
	size_t length = 0;

	if (tensor == NULL)
		return mg_fail(cx, MG_BAD_FILE, "tensor \"%s\" is missing", name);
	if (!tensor->readable)
	{
		mg_fail(cx, MG_UNSUPPORTED, "tensor \"%.*s\" has type %s", MG_SPAN_ARGS(tensor->name), tensor->dtype_name);
		return mg_hint(cx, "Weights of types F32, F16 and BF16 are read.");
	}
	if (tensor->rank == (vector ? 1 : 2) && tensor->shape[0] == rows && (vector || tensor->shape[1] == cols))
		return true;
	for (size_t i = 0; i < tensor->rank; i++)
		length += (size_t) snprintf(got + length, sizeof got - length, "%s%zu", i > 0 ? ", " : "", tensor->shape[i]);
	snprintf(want, sizeof want, vector ? "%zu" : "%zu, %zu", rows, cols);
	return mg_fail(cx, MG_BAD_FILE, "tensor \"%.*s\" has shape [%s], expected [%s]", MG_SPAN_ARGS(tensor->name), got,
				   want);
}

static bool
is_ignored(const MgArch *arch, MgSpan name)
{
	for (const char *const *ignored = arch->ignored; *ignored != NULL; ignored++)
	{
		size_t length = strlen(*ignored);

		if ((*ignored)[length - 1] == '*' ? name.size >= length - 1 && memcmp(name.data, *ignored, length - 1) == 0
										  : mg_span_is(name, *ignored))
			return true;
	}
	return false;
}

/* Each tensor of the checkpoint is used or known to be of no use: otherwise this is not the model that we think it is. */
static bool
check_all_used(MgCtx *cx, const MgFacts *facts, const MgPlan *plan)
{
	size_t prefix = strlen(facts->prefix);
	bool *used = mg_alloc_zeroed(cx, facts->tensors.n, sizeof *used);

	if (used == NULL)
		return false;
	for (size_t i = N_FACTS; i < plan->image.n_sections; i++)
		used[plan->tensors[i] - facts->tensors.items] = true;
	for (size_t i = 0; i < facts->tensors.n; i++)
	{
		MgSpan name = facts->tensors.items[i].name, bare = name;

		if (name.size >= prefix && memcmp(name.data, facts->prefix, prefix) == 0)
			bare = mg_span(name.data + prefix, name.size - prefix);
		if (used[i] || is_ignored(facts->arch, name) || is_ignored(facts->arch, bare))
			continue;
		mg_fail(cx, MG_UNSUPPORTED, "tensor \"%.*s\" is not known to architecture \"%s\"", MG_SPAN_ARGS(name),
				facts->arch->name);
		return mg_hint(cx, "The checkpoint holds a part that would have no effect.");
	}
	return true;
}

/*
 * Vectors are small and sensitive: they are not narrowed. To 8 bits, neither
 * are small tables and the matrices of a masked-LM head, which runs on a few
 * rows only. The words of such a head make its logits: in 8 bits they alone
 * turn the best of BERT's 30522 tokens into another for 2 of 100 masks, in bf16
 * for none (bench/quality.py), so they are bf16.
 */
static MgDtype
stored_dtype(const MgMeta *meta, const MgWeightSpec *spec, MgDtype in_file, int wanted)
{
	if (wanted < 0 || spec->role == MG_VECTOR)
		return in_file;
	if (wanted != MG_Q8)
		return (MgDtype) wanted;
	if (spec->role == MG_WORDS)
		return (meta->parts & (1u << MG_PART_HEAD)) != 0 ? MG_BF16 : MG_Q8;
	return spec->role == MG_LINEAR && spec->part == MG_PART_ENCODER ? MG_Q8 : in_file;
}

/* Fills in the sections of all weights; with sections NULL it only counts them. */
static bool
plan_weights(MgCtx *cx, const MgFacts *facts, const MgMeta *meta, int dtype, MgSection *sections,
			 const MgTensor **tensors, size_t *n)
{
	*n = N_FACTS;
	for (uint32_t layer = 0; layer < meta->hyper.layers; layer++)
		for (size_t i = 0; i < facts->arch->n_weights; i++)
		{
			const MgWeightSpec *spec = &facts->arch->weights[i];
			size_t rows = mg_dim_size(&meta->hyper, spec->rows), cols = mg_dim_size(&meta->hyper, spec->cols);
			MgSection *section;

			if ((meta->parts & (1u << spec->part)) == 0 || (!spec->layered && layer > 0))
				continue;
			if (sections == NULL)
			{
				++*n;
				continue;
			}
			section = &sections[*n];
			if (!weight_name(cx, spec, layer, section->name))
				return false;
			tensors[*n] = mg_facts_tensor(facts, section->name);
			if (!check_tensor(cx, tensors[*n], section->name, rows, cols, spec->role == MG_VECTOR))
				return false;
			section->dtype = (uint32_t) stored_dtype(meta, spec, tensors[*n]->dtype, dtype);
			section->layout = MG_ROWS;
			section->rows = rows;
			section->cols = cols;
			++*n;
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

/* A template that no call could use is refused now, not at the first call. */
static bool
check_template(MgCtx *cx, const MgTokenizerSpec *tokenizer, MgSpan template)
{
	MgSpan mask = tokenizer->mask >= 0 ? tokenizer->tokens[tokenizer->mask] : mg_span(NULL, 0);

	if (template.size == 0 || (contains(template, mg_span_of("{text}")) &&
							   (contains(template, mg_span_of("{mask}")) || contains(template, mask))))
		return true;
	mg_fail(cx, MG_BAD_ARGUMENT, "option \"template\" lacks {text} or {mask}");
	return mg_hint(cx, "A template looks like \"{mask} news: {text}\".");
}

static bool
plan_meta(MgCtx *cx, const MgFacts *facts, const MgModelOptions *options, MgMeta *meta)
{
	size_t max_tokens = options->max_tokens;

	memset(meta, 0, sizeof *meta);
	if (!check_template(cx, &facts->tokenizer, options->template))
		return false;
	snprintf(meta->arch, sizeof meta->arch, "%s", facts->arch->name);
	if (!facts->arch->configure(cx, "config.json", facts->config, &meta->hyper))
		return false;
	if (facts->tokenizer.n_tokens > meta->hyper.vocab_size)
		return mg_fail(cx, MG_BAD_FILE, "tokenizer has %zu tokens, the model %u", facts->tokenizer.n_tokens,
					   meta->hyper.vocab_size);
	meta->parts = mg_facts_parts(facts, &meta->hyper);
	meta->pooling = options->pooling != MG_POOL_NONE ? options->pooling : facts->sentence.pooling;
	meta->normalize = options->normalize >= 0 ? (uint32_t) options->normalize
											  : (facts->sentence.present ? facts->sentence.normalize : 1);
	meta->calibrate = options->calibrate;
	if (max_tokens > meta->hyper.positions)
	{
		mg_fail(cx, MG_BAD_ARGUMENT, "option \"max_tokens\" is %zu", max_tokens);
		return mg_detail(cx, "The model has positions for %u tokens.", meta->hyper.positions);
	}
	if (max_tokens == 0)
		max_tokens = facts->sentence.max_tokens;
	if (max_tokens == 0)
		max_tokens = facts->tokenizer.max_tokens;
	if (max_tokens == 0 || max_tokens > meta->hyper.positions)
		max_tokens = meta->hyper.positions;
	if (max_tokens < 3)
		return mg_fail(cx, MG_BAD_FILE, "sequences of %zu tokens are too short", max_tokens);
	meta->max_tokens = (uint32_t) max_tokens;
	return true;
}

bool
mg_checkpoint_plan(MgCtx *cx, const MgFiles *files, const MgModelOptions *options, MgPlan *plan)
{
	MgFacts facts;
	MgMeta *meta = mg_alloc(cx, sizeof *meta);
	MgSpan *bytes = mg_alloc_array(cx, N_FACTS, sizeof *bytes);
	static const char *const names[N_FACTS] = {"meta", "tokenizer", "template", "prompts"};
	MgSection *sections;
	const MgTensor **tensors;
	size_t n;

	if (meta == NULL || bytes == NULL || !mg_facts_read(cx, files, &facts) || !plan_meta(cx, &facts, options, meta))
		return false;
	bytes[0] = mg_span(meta, sizeof *meta);
	bytes[2] = options->template;
	if (!mg_tokenizer_build(cx, &facts.tokenizer, &bytes[1]) ||
		!plan_prompts(cx, &facts.sentence, options, &bytes[3]) ||
		!plan_weights(cx, &facts, meta, options->dtype, NULL, NULL, &n))
		return false;
	if (n > MG_MAX_SECTIONS)
		return mg_fail(cx, MG_TOO_LARGE, "model has %zu weights, at most %d are read", n, MG_MAX_SECTIONS);
	sections = mg_alloc_zeroed(cx, n, sizeof *sections);
	tensors = mg_alloc_zeroed(cx, n, sizeof *tensors);
	if (sections == NULL || tensors == NULL ||
		!plan_weights(cx, &facts, meta, options->dtype, sections, tensors, &n))
		return false;
	for (size_t i = 0; i < N_FACTS; i++)
	{
		snprintf(sections[i].name, sizeof sections[i].name, "%s", names[i]);
		sections[i].size = bytes[i].size;
	}
	for (size_t i = N_FACTS; i < n; i++)
		meta->parameters += sections[i].rows * sections[i].cols;
	meta->dtype = options->dtype >= 0 ? (uint32_t) options->dtype : sections[N_FACTS].dtype;
	plan->image = (MgImage){MG_FORM_PORTABLE, 0, *meta, facts.arch, n, sections};
	plan->tensors = tensors;
	plan->bytes = bytes;
	return check_all_used(cx, &facts, plan) && mg_image_lay_out(cx, sections, n, &plan->image.size);
}

/* Streams one tensor, changing its dtype where the plan says so. */
static bool
write_tensor(MgCtx *cx, const MgKernels *kernels, const MgTensor *tensor, MgDtype dtype, const MgSink *sink)
{
	size_t width = mg_dtype_size(tensor->dtype), n_piece = PIECE / width;
	uint8_t *raw = mg_alloc(cx, PIECE);
	float *wide = mg_alloc_array(cx, n_piece, sizeof *wide);
	uint64_t n = tensor->size / width;

	if (raw == NULL || wide == NULL)
		return false;
	for (uint64_t done = 0; done < n; done += n_piece)
	{
		size_t count = n - done < n_piece ? (size_t) (n - done) : n_piece;
		const MgSource *source = &tensor->file->source;
		const void *out = raw;

		if (!mg_poll(cx) || !source->read(cx, source->user, tensor->offset + done * width, raw, count * width))
			return false;
		if (dtype != tensor->dtype)
		{
			mg_to_f32(kernels, tensor->dtype, raw, count, wide);
			if (dtype == MG_F32)
				out = wide;
			else
				mg_from_f32(dtype, wide, count, raw);
		}
		if (!sink->write(cx, sink->user, out, count * mg_dtype_size(dtype)))
			return false;
	}
	return true;
}

static bool
all_finite(const float *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(row[i]))
			return false;
	return true;
}

/* Streams one tensor in 8 bits, row by row. */
static bool
quantize_tensor(MgCtx *cx, const MgKernels *kernels, const MgTensor *tensor, const MgSection *section,
				const MgSink *sink)
{
	size_t cols = (size_t) section->cols, size = cols * mg_dtype_size(tensor->dtype);
	size_t n_piece = PIECE / size > 0 ? PIECE / size : 1;
	uint8_t *raw = mg_alloc_array(cx, n_piece, size), *codes = mg_alloc(cx, cols);
	float *wide = mg_alloc_array(cx, cols, sizeof *wide), scale;
	const MgSource *source = &tensor->file->source;

	if (raw == NULL || codes == NULL || wide == NULL)
		return false;
	for (uint64_t row = 0; row < section->rows; row++)
	{
		uint64_t left = section->rows - row, at = row % n_piece;

		if (at == 0 && (!mg_poll(cx) || !source->read(cx, source->user, tensor->offset + row * size, raw,
													  (size_t) (left < n_piece ? left : n_piece) * size)))
			return false;
		mg_to_f32(kernels, tensor->dtype, raw + at * size, cols, wide);
		if (!all_finite(wide, cols))
		{
			mg_fail(cx, MG_BAD_FILE, "tensor \"%.*s\" holds a number that is not finite", MG_SPAN_ARGS(tensor->name));
			return mg_hint(cx, "Such a model cannot be stored with dtype int8.");
		}
		scale = mg_int8_quantize_row(wide, cols, (int8_t *) codes);
		if (!sink->write(cx, sink->user, &scale, sizeof scale) || !sink->write(cx, sink->user, codes, cols))
			return false;
	}
	return true;
}

bool
mg_checkpoint_write(MgCtx *cx, const MgKernels *kernels, const MgPlan *plan, const MgSink *sink)
{
	if (!mg_image_write_head(cx, &plan->image, sink))
		return false;
	for (size_t i = 0; i < plan->image.n_sections; i++)
	{
		const MgSection *section = &plan->image.sections[i];
		uint64_t next = i + 1 < plan->image.n_sections ? section[1].offset : plan->image.size;
		MgMark mark = mg_mark(cx);
		bool fine = plan->tensors[i] == NULL ? sink->write(cx, sink->user, plan->bytes[i].data, plan->bytes[i].size)
			: section->dtype == MG_Q8 ? quantize_tensor(cx, kernels, plan->tensors[i], section, sink)
									  : write_tensor(cx, kernels, plan->tensors[i], (MgDtype) section->dtype, sink);

		if (!fine || !mg_image_write_gap(cx, section, next, sink))
			return false;
		mg_rewind(cx, mark);
	}
	return true;
}
