/* Merging an adapter: each tensor that it changes is read through a source of its own. */
#include "model/adapter.h"

#include <math.h>

#include "format/json.h"
#include "format/safetensors.h"
#include "tensor/compute.h"

#define WEIGHTS "adapter_model.safetensors"
#define CONFIG_LIMIT ((size_t) 1024 * 1024)
#define PREFIX "base_model.model."

typedef struct Adapter
{
	double alpha;
	bool rank_stabilised, fan_in_fan_out;
	MgTensors tensors;
} Adapter;

/* A tensor of the base model with an update of rank r. */
typedef struct Merged
{
	const MgTensor *base;
	const float *a, *b; /* [r, in], [out, r] */
	size_t r, in, out;
	bool transposed; /* the tensor is [in, out] */
	float scale;
} Merged;

/* ----------------------------------------------------------------- config */

static bool
read_config(MgCtx *cx, const MgFiles *files, const MgJson **config)
{
	MgSource source;
	MgSpan text;
	bool found;

	*config = NULL;
	if (!mg_files_open(cx, files, MG_ADAPTER_CONFIG, &source, &found) ||
		(found && !mg_source_read_all(cx, &source, MG_ADAPTER_CONFIG, CONFIG_LIMIT, &text)))
		return false;
	if (!found)
		return true;
	*config = mg_json_parse(cx, MG_ADAPTER_CONFIG, text);
	return *config != NULL;
}

bool
mg_adapter_base(MgCtx *cx, const MgFiles *files, MgSpan option, const char **path)
{
	MgSpan named = {NULL, 0};
	const MgJson *config;

	*path = NULL;
	if (!read_config(cx, files, &config))
		return false;
	if (config == NULL && option.size > 0)
	{
		mg_fail(cx, MG_BAD_ARGUMENT, "option \"base\" is for adapters");
		return mg_detail(cx, "There is no file \"%s\".", MG_ADAPTER_CONFIG);
	}
	if (config == NULL)
		return true;
	if (!mg_json_get_string(cx, MG_ADAPTER_CONFIG, config, "base_model_name_or_path", &named))
		return false;
	if (option.size == 0 && named.size > 0 && named.data[0] == '/')
		option = named;
	if (option.size == 0 || option.data[0] != '/')
	{
		mg_fail(cx, MG_BAD_ARGUMENT, "base model of the adapter is not known by an absolute path");
		mg_detail(cx, "The adapter names \"%.*s\".", MG_SPAN_ARGS(named));
		return mg_hint(cx, "Give the directory of the base model as the option \"base\".");
	}
	*path = mg_copy_text(cx, option);
	return *path != NULL;
}

/* Options of an adapter that change what merging would give, unless they have a value that does nothing. */
static bool
check_options(MgCtx *cx, const MgJson *config)
{
	static const char *const off[] = {"use_dora", "use_qalora", "lora_bias", "alora_invocation_tokens", "alpha_pattern", "layer_replication", "trainable_token_indices",
									  "target_parameters", "megatron_config", "use_bdlora", "kasa_config", "monteclora_config", "velora_config", "arrow_config", "lora_ga_config"};
	const MgJson *init = mg_json_get(config, "init_lora_weights");
	MgSpan type = {NULL, 0}, bias = {NULL, 0};

	if (!mg_json_get_string(cx, MG_ADAPTER_CONFIG, config, "peft_type", &type) || !mg_json_get_string(cx, MG_ADAPTER_CONFIG, config, "bias", &bias))
		return false;
	if (!mg_span_is(type, "LORA"))
		return mg_fail(cx, MG_UNSUPPORTED, "adapter of type \"%.*s\" is not supported", MG_SPAN_ARGS(type));
	if (bias.size > 0 && !mg_span_is(bias, "none"))
		return mg_fail(cx, MG_UNSUPPORTED, "adapter with option \"bias\" is not supported");
	for (size_t i = 0; i < sizeof off / sizeof *off; i++)
	{
		const MgJson *value = mg_json_get(config, off[i]);
		bool is_off = value == NULL || value->kind == MG_JSON_NULL || value->kind == MG_JSON_FALSE ||
			((value->kind == MG_JSON_OBJECT || value->kind == MG_JSON_ARRAY) && value->n == 0);

		if (!is_off)
			return mg_fail(cx, MG_UNSUPPORTED, "adapter with option \"%s\" is not supported", off[i]);
	}
	/* Some change the base model when training begins, and say so by the name of their initialisation. */
	if (init != NULL && init->kind == MG_JSON_STRING && !mg_span_is(init->string, "gaussian") && !mg_span_is(init->string, "orthogonal") &&
		!mg_span_is(init->string, "eva"))
		return mg_fail(cx, MG_UNSUPPORTED, "adapter with option \"init_lora_weights\" is not supported");
	return true;
}

static bool
read_adapter(MgCtx *cx, const MgFiles *files, Adapter *adapter)
{
	MgTensorFile *file = mg_alloc(cx, sizeof *file);
	size_t header_left = MG_TENSOR_HEADER_LIMIT, n;
	const MgJson *config, *alpha;
	MgTensor *items;
	bool found;

	if (file == NULL || !read_config(cx, files, &config) || config == NULL || !check_options(cx, config))
		return false;
	alpha = mg_json_get(config, "lora_alpha");
	if (alpha == NULL || (alpha->kind != MG_JSON_INTEGER && alpha->kind != MG_JSON_REAL))
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" has no \"lora_alpha\"", MG_ADAPTER_CONFIG);
	adapter->alpha = alpha->real;
	file->name = WEIGHTS;
	if (!mg_json_get_bool(cx, MG_ADAPTER_CONFIG, config, "use_rslora", &adapter->rank_stabilised) ||
		!mg_json_get_bool(cx, MG_ADAPTER_CONFIG, config, "fan_in_fan_out", &adapter->fan_in_fan_out) ||
		!mg_files_open(cx, files, WEIGHTS, &file->source, &found))
		return false;
	if (!found)
		return mg_fail(cx, MG_BAD_FILE, "file \"%s\" is missing", WEIGHTS);
	return mg_safetensors_read(cx, file, &header_left, &items, &n) && mg_tensors_sort(cx, items, n, &adapter->tensors);
}

/* ------------------------------------------------------------------ merge */

static bool
ends_with(MgSpan name, MgSpan tail)
{
	return name.size >= tail.size && memcmp(name.data + name.size - tail.size, tail.data, tail.size) == 0;
}

static MgSpan
before(MgSpan name, size_t size)
{
	return mg_span(name.data, name.size - size);
}

/* Numbers of a tensor as float32. */
static const float *
read_numbers(MgCtx *cx, const MgTensor *tensor)
{
	size_t n = 1;
	void *raw = mg_alloc(cx, tensor->size);
	float *numbers;

	for (size_t i = 0; i < tensor->rank; i++)
		n *= tensor->shape[i];
	numbers = mg_alloc_array(cx, n, sizeof *numbers);
	if (raw == NULL || numbers == NULL || !tensor->file->source.read(cx, tensor->file->source.user, tensor->offset, raw, tensor->size))
		return NULL;
	mg_to_f32(mg_kernels(MG_CPU_SCALAR), tensor->dtype, raw, n, numbers);
	return numbers;
}

/* Adds to n numbers of the tensor, from the one at on, their share of s B A. */
static void
add_update(const Merged *merged, uint64_t at, size_t n, float *numbers)
{
	size_t cols = merged->transposed ? merged->out : merged->in;

	for (size_t i = 0; i < n; i++)
	{
		size_t row = (size_t) ((at + i) / cols), col = (size_t) ((at + i) % cols), o = merged->transposed ? col : row, from = merged->transposed ? row : col;
		float sum = 0;

		for (size_t k = 0; k < merged->r; k++)
			sum += merged->b[o * merged->r + k] * merged->a[k * merged->in + from];
		numbers[i] += merged->scale * sum;
	}
}

/* Numbers that are merged at once. */
#define PIECE ((size_t) 16384)

static bool
read_merged(MgCtx *cx, void *user, uint64_t offset, void *into, size_t size)
{
	const Merged *merged = user;
	const MgTensor *base = merged->base;
	size_t width = mg_dtype_size(base->dtype);
	float numbers[1024];

	if (!base->file->source.read(cx, base->file->source.user, offset, into, size))
		return false;
	for (size_t done = 0, since = 0; done < size / width;)
	{
		size_t left = size / width - done, n = left < 1024 ? left : 1024;
		uint8_t *raw = (uint8_t *) into + done * width;

		mg_to_f32(mg_kernels(MG_CPU_SCALAR), base->dtype, raw, n, numbers);
		add_update(merged, (offset - base->offset) / width + done, n, numbers);
		if (base->dtype == MG_F32)
			memcpy(raw, numbers, n * sizeof *numbers);
		else
			mg_from_f32(base->dtype, numbers, n, raw);
		done += n;
		since += n * merged->r;
		if (since > 64 * PIECE)
		{
			since = 0;
			if (!mg_poll(cx))
				return false;
		}
	}
	return true;
}

/* The tensor of the base model that a name of the adapter means: either may have a prefix that the other has not. */
static MgTensor *
find_base(MgTensor *items, size_t n, MgSpan name)
{
	for (size_t i = 0; i < n; i++)
		if (mg_span_equal(items[i].name, name))
			return &items[i];
	for (size_t i = 0; i < n; i++)
	{
		MgSpan longer = items[i].name.size > name.size ? items[i].name : name, shorter = items[i].name.size > name.size ? name : items[i].name;

		if (longer.size > shorter.size && ends_with(longer, shorter) && longer.data[longer.size - shorter.size - 1] == '.' &&
			memchr(longer.data, '.', longer.size - shorter.size - 1) == NULL)
			return &items[i];
	}
	return NULL;
}

static bool
merge_pair(MgCtx *cx, const Adapter *adapter, const MgTensor *a, const MgTensor *b, bool embedding, MgTensor *base)
{
	Merged *merged = mg_alloc(cx, sizeof *merged);
	MgTensorFile *file = mg_alloc(cx, sizeof *file);
	bool fits;

	if (merged == NULL || file == NULL)
		return false;
	fits = a->readable && b->readable && base->readable && a->rank == 2 && b->rank == 2 && base->rank == 2 && base->block == NULL && a->shape[0] > 0 &&
		a->shape[0] == b->shape[1];
	*merged = (Merged){.r = fits ? a->shape[0] : 1, .in = fits ? a->shape[1] : 0, .out = fits ? b->shape[0] : 0, .transposed = embedding || adapter->fan_in_fan_out};
	if (!fits || base->shape[0] != (merged->transposed ? merged->in : merged->out) || base->shape[1] != (merged->transposed ? merged->out : merged->in))
		return mg_fail(cx, MG_BAD_FILE, "tensor \"%.*s\" does not fit tensor \"%.*s\" of the base model", MG_SPAN_ARGS(a->name), MG_SPAN_ARGS(base->name));
	merged->scale = (float) (adapter->alpha / (adapter->rank_stabilised ? sqrt((double) merged->r) : (double) merged->r));
	merged->a = read_numbers(cx, a);
	merged->b = merged->a != NULL ? read_numbers(cx, b) : NULL;
	if (merged->b == NULL)
		return false;
	merged->base = mg_alloc(cx, sizeof *base);
	if (merged->base == NULL)
		return false;
	memcpy((void *) merged->base, base, sizeof *base);
	*file = (MgTensorFile){base->file->name, {merged, base->file->source.size, read_merged}};
	base->file = file;
	return true;
}

/* One tensor of the adapter; the B of a pair goes with its A. */
static bool
take_tensor(MgCtx *cx, const Adapter *adapter, const MgTensor *tensor, MgTensor *items, size_t *n)
{
	static const struct
	{
		const char *a, *b, *weight;
		bool embedding;
	} forms[] = {{".lora_A.weight", ".lora_B.weight", ".weight", false}, {".lora_embedding_A", ".lora_embedding_B", ".weight", true}};
	const size_t prefix = strlen(PREFIX);
	MgSpan name = tensor->name;
	MgTensor *base;

	if (name.size <= prefix || memcmp(name.data, PREFIX, prefix) != 0)
		return mg_fail(cx, MG_UNSUPPORTED, "tensor \"%.*s\" of an adapter is not supported", MG_SPAN_ARGS(name));
	name = mg_span(name.data + prefix, name.size - prefix);
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
	{
		MgSpan a = mg_span_of(forms[i].a), b = mg_span_of(forms[i].b), weight = mg_span_of(forms[i].weight), module;
		bool is_a = ends_with(name, a);
		const MgTensor *other;
		char *text;

		if (!is_a && !ends_with(name, b))
			continue;
		module = before(name, is_a ? a.size : b.size);
		text = mg_alloc(cx, tensor->name.size + 32);
		if (text == NULL)
			return false;
		/* The names of the two have one length. */
		memcpy(text, PREFIX, prefix);
		memcpy(text + prefix, module.data, module.size);
		memcpy(text + prefix + module.size, is_a ? b.data : a.data, a.size);
		other = mg_tensors_find(&adapter->tensors, mg_span(text, prefix + module.size + a.size));
		if (other == NULL)
			return mg_fail(cx, MG_BAD_FILE, "tensor \"%.*s\" of an adapter is without its other half", MG_SPAN_ARGS(tensor->name));
		if (!is_a)
			return true;
		memcpy(text + prefix + module.size, weight.data, weight.size);
		base = find_base(items, *n, mg_span(text + prefix, module.size + weight.size));
		if (base == NULL)
			return mg_fail(cx, MG_BAD_FILE, "base model has no tensor \"%.*s\", which the adapter changes", (int) (module.size + weight.size), text + prefix);
		return merge_pair(cx, adapter, tensor, other, forms[i].embedding, base);
	}
	if (memmem(name.data, name.size, "lora_", 5) != NULL)
		return mg_fail(cx, MG_UNSUPPORTED, "tensor \"%.*s\" of an adapter is not supported", MG_SPAN_ARGS(tensor->name));
	/* A whole layer that was trained beside, such as a head. */
	base = find_base(items, *n, name);
	if (base == NULL)
	{
		items[*n] = *tensor;
		items[(*n)++].name = name;
		return true;
	}
	name = base->name;
	*base = *tensor;
	base->name = name;
	return true;
}

bool
mg_adapter_merge(MgCtx *cx, const MgFiles *files, MgTensors *tensors)
{
	Adapter adapter = {.alpha = 0};
	MgTensor *items;
	size_t n = tensors->n;

	if (!read_adapter(cx, files, &adapter))
		return false;
	items = mg_alloc_array(cx, n + adapter.tensors.n, sizeof *items);
	if (items == NULL)
		return false;
	memcpy(items, tensors->items, n * sizeof *items);
	for (size_t i = 0; i < adapter.tensors.n; i++)
		if (!mg_poll(cx) || !take_tensor(cx, &adapter, &adapter.tensors.items[i], items, &n))
			return false;
	return mg_tensors_sort(cx, items, n, tensors);
}
