/* Steps of a decoder: inputs cut into batches, states to logits. */
#include "task/decoder.h"

#include "task/input.h"

/* Rows of logits at once for mg_decoder_read: the vocabulary's matrix is read once for them. */
#define ROWS_AT_ONCE 32

/* What mg_prompt_slots allows: 256 MB are 5800 tokens of SmolLM2-135M in float32. */
#define PROMPT_MEMORY ((size_t) 256 * 1024 * 1024)

bool
mg_decoder_can(const MgRun *run)
{
	const MgModel *model = run->model;

	if (mg_model_can(model, MG_CAN_GENERATE) && model->arch->vocabulary(model).matrix->rows > 0)
		return true;
	mg_fail(run->cx, MG_UNSUPPORTED, "model \"%s\" does not generate text", run->name);
	return mg_hint(run->cx, "Use a model whose config.json says ...ForCausalLM, or a GGUF file.");
}

/* Whether weights are so coarse that keys may be bfloat16. */
static bool
is_narrow(const MgModel *model)
{
	return model->meta.dtype == MG_Q8 || mg_dtype_is_grouped(model->meta.dtype);
}

/* Bytes of the keys and of the values of a layer. */
static bool
layer_size(const MgModel *model, size_t room, size_t *keys, size_t *values)
{
	MgKeysForm form = model->arch->keys_form(model);
	bool narrow = is_narrow(model);

	return (narrow ? mg_pair_keys_size : mg_keys_size)(form.heads, form.head_size, room, keys, values) &&
		mg_multiply(*keys, narrow ? sizeof(uint16_t) : sizeof(float), keys) && mg_multiply(*values, narrow ? sizeof(uint16_t) : sizeof(float), values);
}

bool
mg_decoder_slot_size(const MgModel *model, size_t room, size_t *size)
{
	size_t keys, values;

	return layer_size(model, room, &keys, &values) && !__builtin_add_overflow(keys, values, &keys) && mg_multiply(keys, model->sizes->layers, size);
}

bool
mg_prompt_slots(const MgRun *run, size_t room, const char *what, size_t *slots)
{
	size_t size;

	if (!mg_decoder_slot_size(run->model, room, &size) || size > PROMPT_MEMORY)
	{
		mg_fail(run->cx, MG_TOO_LARGE, "keys of %zu tokens do not fit into the memory for them", room);
		return mg_hint(run->cx, "Shorten the %s, or create the model with a smaller max_tokens.", what);
	}
	*slots = size > 0 && PROMPT_MEMORY / size < MG_PROMPT_SLOTS ? PROMPT_MEMORY / size : MG_PROMPT_SLOTS;
	return true;
}

bool
mg_decoder_init(const MgRun *run, size_t n_slots, size_t room, MgDecoder *decoder)
{
	MgKeysForm form = run->model->arch->keys_form(run->model);
	size_t n = run->model->sizes->layers, n_keys, n_values;

	*decoder = (MgDecoder){.run = *run, .n_slots = n_slots, .room = room};
	if (!mg_multiply(n, n_slots, &n) || !layer_size(run->model, room, &n_keys, &n_values))
		return mg_fail(run->cx, MG_TOO_LARGE, "keys of %zu sequences of %zu tokens are too large", n_slots, room);
	decoder->lengths = mg_alloc_zeroed(run->cx, n_slots, sizeof *decoder->lengths);
	decoder->run.keys = mg_alloc_array(run->cx, n, sizeof *decoder->run.keys);
	decoder->run.n_slots = n_slots;
	if (decoder->lengths == NULL || decoder->run.keys == NULL)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		void *keys = mg_alloc(run->cx, n_keys), *values = mg_alloc(run->cx, n_values);
		MgKeys *made = &decoder->run.keys[i];

		if (keys == NULL || values == NULL || (i % 64 == 0 && !mg_poll(run->cx)))
			return false;
		*made = (MgKeys){.heads = form.heads, .head_size = form.head_size, .room = room, .finite = true};
		if (is_narrow(run->model))
		{
			made->narrow_keys = keys;
			made->narrow_values = values;
		}
		else
		{
			made->keys = keys;
			made->values = values;
		}
	}
	return true;
}

/* A batch that is being made. */
typedef struct Part
{
	MgBatch batch;
	int32_t *ids;
	uint32_t *offsets, *past, *slots, *rows;
	size_t *inputs; /* [n_rows] whose last token each row is */
} Part;

static bool
make_part(MgCtx *cx, size_t budget, size_t n, Part *part)
{
	*part = (Part){.ids = mg_alloc_array(cx, budget, sizeof(int32_t)), .offsets = mg_alloc_array(cx, n + 1, sizeof(uint32_t)),
				   .past = mg_alloc_array(cx, n, sizeof(uint32_t)), .slots = mg_alloc_array(cx, n, sizeof(uint32_t)),
				   .rows = mg_alloc_array(cx, n, sizeof(uint32_t)), .inputs = mg_alloc_array(cx, n, sizeof(size_t))};
	return part->ids != NULL && part->offsets != NULL && part->past != NULL && part->slots != NULL && part->rows != NULL &&
		part->inputs != NULL;
}

/* Fills a batch from inputs [n], beginning with the token at of the one *input; both go on. */
static void
fill_part(const MgDecoder *decoder, const MgDecoderInput *inputs, size_t n, size_t budget, size_t *input, size_t *at, Part *part)
{
	MgBatch *batch = &part->batch;

	*batch = (MgBatch){.ids = part->ids, .offsets = part->offsets, .rows = part->rows, .past = part->past, .slots = part->slots};
	while (*input < n && batch->n_tokens < budget)
	{
		const MgDecoderInput *in = &inputs[*input];
		size_t left = in->n - *at, taken = left < budget - batch->n_tokens ? left : budget - batch->n_tokens;

		part->offsets[batch->n_sequences] = (uint32_t) batch->n_tokens;
		part->past[batch->n_sequences] = decoder->lengths[in->slot];
		part->slots[batch->n_sequences++] = in->slot;
		memcpy(part->ids + batch->n_tokens, in->ids + *at, taken * sizeof *part->ids);
		batch->n_tokens += taken;
		decoder->lengths[in->slot] += (uint32_t) taken;
		*at += taken;
		if (*at < in->n)
			break;
		part->inputs[batch->n_rows] = *input;
		part->rows[batch->n_rows++] = (uint32_t) batch->n_tokens - 1;
		*at = 0;
		(*input)++;
	}
	part->offsets[batch->n_sequences] = (uint32_t) batch->n_tokens;
}

/* Logits of states [n], to rows of logits. */
static bool
score(const MgRun *run, const float *states, size_t n, const size_t *inputs, float *logits)
{
	MgVocabulary vocabulary = run->model->arch->vocabulary(run->model);
	size_t h = run->model->sizes->width, vocab = run->model->sizes->vocab;

	if (n == 0 || logits == NULL)
		return true;
	/* Inputs of a batch are neighbours. */
	logits += inputs[0] * vocab;
	if (!mg_table_linear(run->cx, run->compute, (MgRows){states, h, n}, (MgLinear){vocabulary.matrix, vocabulary.bias, MG_ACT_NONE, logits, vocab}))
		return false;
	if (vocabulary.cap > 0)
		mg_cap(run->compute, vocabulary.cap, logits, n * vocab);
	return true;
}

static bool
run_part(MgDecoder *decoder, const Part *part, float *states)
{
	const MgRun *run = &decoder->run;

	if (!mg_poll(run->cx) || !run->model->arch->forward(run, &part->batch, states))
		return false;
	run->usage->tokens += part->batch.n_tokens;
	run->usage->batches++;
	return true;
}

bool
mg_decoder_step(MgDecoder *decoder, const MgDecoderInput *inputs, size_t n, float *logits)
{
	const MgRun *run = &decoder->run;
	size_t budget = run->batch_tokens > 0 ? run->batch_tokens : MG_BATCH_TOKENS, input = 0, at = 0;
	MgMark mark = mg_mark(run->cx);
	float *states = mg_alloc_array(run->cx, n < budget ? n : budget, run->model->sizes->width * sizeof *states);
	Part part;

	if (states == NULL || !make_part(run->cx, budget, n < budget ? n : budget, &part))
		return false;
	while (input < n)
	{
		fill_part(decoder, inputs, n, budget, &input, &at, &part);
		if (!run_part(decoder, &part, states) || !score(run, states, part.batch.n_rows, part.inputs, logits))
			return false;
	}
	mg_rewind(run->cx, mark);
	return true;
}

bool
mg_decoder_read(MgDecoder *decoder, MgDecoderInput input, const MgLogitsTaker *taker)
{
	const MgRun *run = &decoder->run;
	size_t budget = run->batch_tokens > 0 ? run->batch_tokens : MG_BATCH_TOKENS, width = run->model->sizes->width;
	size_t done = 0, at = 0, first = 0;
	MgMark mark = mg_mark(run->cx);
	float *states = mg_alloc_array(run->cx, budget, width * sizeof *states);
	float *logits = mg_alloc_array(run->cx, ROWS_AT_ONCE, run->model->sizes->vocab * sizeof *logits);
	Part part;

	if (states == NULL || logits == NULL || !make_part(run->cx, budget, 1, &part))
		return false;
	for (size_t begin = 0; done < 1; begin += part.batch.n_tokens)
	{
		fill_part(decoder, &input, 1, budget, &done, &at, &part);
		part.batch.rows = NULL;
		part.batch.n_rows = part.batch.n_tokens;
		if (!run_part(decoder, &part, states))
			return false;
		for (size_t row = 0; row < part.batch.n_tokens; row += ROWS_AT_ONCE)
		{
			size_t left = part.batch.n_tokens - row, n = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;

			if (!score(run, states + row * width, n, &first, logits) || !taker->take(taker->user, logits, begin + row, n))
				return false;
		}
	}
	mg_rewind(run->cx, mark);
	return true;
}

void
mg_decoder_keep(MgDecoder *decoder, uint32_t slot, size_t n)
{
	for (size_t l = 0; l < decoder->run.model->sizes->layers; l++)
		mg_keys_truncate(&decoder->run.keys[l * decoder->n_slots + slot], n);
	if (n < decoder->lengths[slot])
		decoder->lengths[slot] = (uint32_t) n;
}

void
mg_decoder_copy(MgDecoder *decoder, uint32_t from, size_t n, uint32_t to)
{
	for (size_t l = 0; l < decoder->run.model->sizes->layers; l++)
		mg_keys_copy(&decoder->run.keys[l * decoder->n_slots + from], n, &decoder->run.keys[l * decoder->n_slots + to]);
	decoder->lengths[to] = (uint32_t) n;
}

void
mg_decoder_share(MgDecoder *decoder, uint32_t from, size_t n, uint32_t to)
{
	for (size_t l = 0; l < decoder->run.model->sizes->layers; l++)
		mg_keys_share(&decoder->run.keys[l * decoder->n_slots + from], n, &decoder->run.keys[l * decoder->n_slots + to]);
	decoder->lengths[to] = (uint32_t) n;
}

/* Before each layer's keys and values stands whether they are finite. */
#define BLOCK_HEAD 64

bool
mg_decoder_block_size(const MgModel *model, size_t *size)
{
	size_t keys, values;

	return layer_size(model, MG_DECODER_BLOCK, &keys, &values) && !__builtin_add_overflow(keys, values, &keys) &&
		!__builtin_add_overflow(keys, BLOCK_HEAD, &keys) && mg_multiply(keys, model->sizes->layers, size);
}

void
mg_decoder_save(const MgDecoder *decoder, uint32_t slot, size_t block, uint8_t *bytes)
{
	size_t n_keys = 0, n_values = 0;

	layer_size(decoder->run.model, MG_DECODER_BLOCK, &n_keys, &n_values);
	for (size_t l = 0; l < decoder->run.model->sizes->layers; l++, bytes += BLOCK_HEAD + n_keys + n_values)
	{
		const MgKeys *keys = &decoder->run.keys[l * decoder->n_slots + slot];

		memset(bytes, keys->finite, BLOCK_HEAD);
		mg_keys_save(keys, block * MG_DECODER_BLOCK, bytes + BLOCK_HEAD, bytes + BLOCK_HEAD + n_keys);
	}
}

void
mg_decoder_load(MgDecoder *decoder, uint32_t slot, const uint8_t *bytes)
{
	size_t n_keys = 0, n_values = 0;

	layer_size(decoder->run.model, MG_DECODER_BLOCK, &n_keys, &n_values);
	for (size_t l = 0; l < decoder->run.model->sizes->layers; l++, bytes += BLOCK_HEAD + n_keys + n_values)
		mg_keys_load(&decoder->run.keys[l * decoder->n_slots + slot], bytes + BLOCK_HEAD, bytes + BLOCK_HEAD + n_keys, bytes[0] != 0);
	decoder->lengths[slot] += MG_DECODER_BLOCK;
}
