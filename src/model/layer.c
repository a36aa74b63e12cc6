/* Layers of transformers. */
#include "model/layer.h"

void
mg_batch_words(const MgMatrix *words, const MgBatch *batch, float *x)
{
	for (size_t i = 0; i < batch->n_tokens; i++)
	{
		float *row = x + i * words->cols;
		const float *word = mg_table_row(words, (size_t) batch->ids[i], row);

		if (word != row)
			memcpy(row, word, words->cols * sizeof *row);
	}
}

bool
mg_transform(const MgRun *run, const float *states, size_t n, MgLinear linear, MgNorm norm)
{
	if (!mg_linear(run->cx, run->compute, (MgRows){states, linear.w->cols, n}, linear))
		return false;
	if (linear.out_stride == norm.d)
	{
		mg_add_norm(run->compute, &norm, linear.out, NULL, n, linear.out);
		return true;
	}
	for (size_t i = 0; i < n; i++)
	{
		float *row = linear.out + i * linear.out_stride;

		mg_add_norm(run->compute, &norm, row, NULL, 1, row);
		memset(row + norm.d, 0, (linear.out_stride - norm.d) * sizeof *row);
	}
	return true;
}

bool
mg_batch_rope(MgCtx *cx, const MgBatch *batch, float theta, size_t width, MgRope *rope)
{
	float *frequencies = mg_alloc_array(cx, width / 2, sizeof *frequencies);

	if (frequencies == NULL)
		return false;
	mg_rope_frequencies(theta, width, frequencies);
	return mg_batch_turns(cx, batch, frequencies, width, rope);
}

bool
mg_batch_turns(MgCtx *cx, const MgBatch *batch, const float *frequencies, size_t width, MgRope *rope)
{
	uint32_t *positions = mg_alloc_array(cx, batch->n_tokens, sizeof *positions);

	*rope = (MgRope){.width = width};
	if (positions == NULL)
		return false;
	for (size_t s = 0; s < batch->n_sequences; s++)
		for (size_t i = batch->offsets[s]; i < batch->offsets[s + 1]; i++)
			positions[i] = mg_batch_position(batch, s, i);
	return mg_rope_init(cx, rope, frequencies, positions, batch->n_tokens);
}

bool
mg_states_init(const MgRun *run, const MgLayerForm *form, const MgBatch *batch, size_t n_layers, float *out,
			   MgStates *states)
{
	MgCtx *cx = run->cx;
	size_t n = batch->n_tokens, h = form->width, kv_heads = form->kv_heads > 0 ? form->kv_heads : form->heads;
	size_t q = form->heads * form->head_size, kv = kv_heads * form->head_size;

	*states = (MgStates){.batch = batch, .n = n, .out = out, .layers_left = n_layers, .keys = run->keys};
	states->x = batch->rows == NULL ? out : mg_alloc_array(cx, n, h * sizeof(float));
	states->qkv = mg_alloc_array(cx, n, (q + 2 * kv) * sizeof(float));
	states->attended = mg_alloc_array(cx, n, q * sizeof(float));
	states->normed = mg_alloc_array(cx, form->pre_norm ? n : 0, h * sizeof(float));
	states->block = mg_alloc_array(cx, n, h * sizeof(float));
	states->query = mg_alloc_array(cx, batch->n_rows, q * sizeof(float));
	return states->x != NULL && states->qkv != NULL && states->attended != NULL && states->normed != NULL &&
		states->block != NULL && states->query != NULL;
}

/* Sides of a layer's attention. */
typedef struct Sides
{
	size_t h, q, kv, all;
	size_t kv_heads;
} Sides;

static Sides
sides_of(const MgLayerForm *form)
{
	Sides s = {.h = form->width, .q = form->heads * form->head_size,
			   .kv_heads = form->kv_heads > 0 ? form->kv_heads : form->heads};

	s.kv = s.kv_heads * form->head_size;
	s.all = s.q + 2 * s.kv;
	return s;
}

/* Whether this is the last layer of a batch that wants some rows only. */
static bool
is_narrowing(const MgStates *states)
{
	return states->batch->rows != NULL && states->layers_left == 1;
}

static void
gather(const MgBatch *batch, const float *from, size_t stride, size_t width, float *to)
{
	for (size_t i = 0; i < batch->n_rows; i++)
		memcpy(to + i * width, from + (size_t) batch->rows[i] * stride, width * sizeof *to);
}

/* Queries, keys and values of all tokens, beside each other in qkv. */
static bool
project(const MgRun *run, const MgLayerForm *form, const MgLayer *layer, const MgStates *states, const float *x)
{
	Sides s = sides_of(form);
	MgRows rows = {x, s.h, states->n};
	float *qkv = states->qkv;
	MgLinear linears[] = {{&layer->query, layer->query_bias, MG_ACT_NONE, qkv, s.all},
						  {&layer->key, layer->key_bias, MG_ACT_NONE, qkv + s.q, s.all},
						  {&layer->value, layer->value_bias, MG_ACT_NONE, qkv + s.q + s.kv, s.all}};

	if (layer->qkv.rows > 0)
		return mg_linear(run->cx, run->compute, rows, (MgLinear){&layer->qkv, layer->qkv_bias, MG_ACT_NONE, qkv, s.all});
	return mg_linears(run->cx, run->compute, rows, linears, 3);
}

/*
 * The same where queries are of wanted rows alone, in query; some [n_rows, h] are these rows of x. A fused matrix that
 * cannot be cut between queries and keys multiplies all.
 */
static bool
project_some(const MgRun *run, const MgLayerForm *form, const MgLayer *layer, const MgStates *states,
			 const float *x, const float *some)
{
	Sides s = sides_of(form);
	const MgBatch *batch = states->batch;
	const MgCompute *compute = run->compute;
	float *qkv = states->qkv;
	bool fused = layer->qkv.rows > 0;
	MgMatrix query = layer->query, both;
	const float *bias = layer->query_bias;
	MgLinear linears[] = {{&layer->key, layer->key_bias, MG_ACT_NONE, qkv + s.q, s.all},
						  {&layer->value, layer->value_bias, MG_ACT_NONE, qkv + s.q + s.kv, s.all}};

	if (fused && (!mg_matrix_rows(&layer->qkv, 0, s.q, &query) || !mg_matrix_rows(&layer->qkv, s.q, 2 * s.kv, &both)))
	{
		if (!project(run, form, layer, states, x))
			return false;
		gather(batch, qkv, s.all, s.q, states->query);
		return true;
	}
	if (fused)
	{
		bias = layer->qkv_bias;
		linears[0] = (MgLinear){&both, bias != NULL ? bias + s.q : NULL, MG_ACT_NONE, qkv + s.q, s.all};
	}
	return mg_linear(run->cx, compute, (MgRows){some, s.h, batch->n_rows}, (MgLinear){&query, bias, MG_ACT_NONE, states->query, s.q}) &&
		mg_linears(run->cx, compute, (MgRows){x, s.h, states->n}, linears, fused ? 1 : 2);
}

/* Normalises each of n rows' heads by itself. */
static void
norm_heads(const MgRun *run, const MgLayerForm *form, const float *weight, float *x, size_t stride, size_t n, size_t heads)
{
	MgNorm norm = {form->norm, form->head_size, weight, NULL, form->eps};

	for (size_t i = 0; i < n && weight != NULL; i++)
		mg_add_norm(run->compute, &norm, x + i * stride, NULL, heads, x + i * stride);
}

/* Turns queries and keys by their tokens' positions. */
static void
turn(const MgRun *run, const MgLayerForm *form, const MgStates *states, bool narrowing)
{
	Sides s = sides_of(form);
	const MgRope *rope = form->rope;
	const MgCompute *compute = run->compute;

	mg_rope(compute, rope, states->qkv + s.q, s.all, states->n, s.kv_heads, form->head_size);
	if (!narrowing)
		mg_rope(compute, rope, states->qkv, s.all, states->n, form->heads, form->head_size);
	for (size_t i = 0; narrowing && i < states->batch->n_rows; i++)
	{
		size_t at = states->batch->rows[i] * (rope->width / 2);
		MgRope one = {rope->width, rope->interleaved, rope->cosines + at, rope->sines + at};

		mg_rope(compute, &one, states->query + i * s.q, s.q, 1, form->heads, form->head_size);
	}
}

/* What the states of distances are to this layer's queries and keys: the same linears, without turns and norms. */
static bool
meet_distances(const MgRun *run, const MgLayerForm *form, const MgLayer *layer, MgRelative *relative)
{
	size_t q = form->heads * form->head_size;
	MgRows rows = {form->distances->states, form->width, form->relative->n};
	float *keys = mg_alloc_array(run->cx, rows.n, q * sizeof *keys), *queries = mg_alloc_array(run->cx, rows.n, q * sizeof *queries);

	*relative = *form->relative;
	relative->stride = q;
	relative->keys = form->distances->to_keys ? keys : NULL;
	relative->queries = form->distances->to_queries ? queries : NULL;
	return keys != NULL && queries != NULL &&
		(relative->keys == NULL ||
		 mg_linear(run->cx, run->compute, rows, (MgLinear){&layer->key, layer->key_bias, MG_ACT_NONE, keys, q})) &&
		(relative->queries == NULL ||
		 mg_linear(run->cx, run->compute, rows, (MgLinear){&layer->query, layer->query_bias, MG_ACT_NONE, queries, q}));
}

/* block = attention(x) Wo^T + bo; some: those rows of x that are wanted, when narrowing. */
static bool
attend(const MgRun *run, const MgLayerForm *form, const MgLayer *layer, MgStates *states, const float *x,
	   const float *some)
{
	Sides s = sides_of(form);
	bool narrowing = is_narrowing(states);
	const MgBatch *batch = states->batch;
	MgMark mark = mg_mark(run->cx);
	MgRelative relative;
	bool fine;
	MgAttendBatch a = {.q = narrowing ? states->query : states->qkv, .q_stride = narrowing ? s.q : s.all,
					   .k = states->qkv + s.q, .v = states->qkv + s.q + s.kv, .kv_stride = s.all,
					   .heads = form->heads, .kv_heads = s.kv_heads, .head_size = form->head_size,
					   .scale = form->scale, .soft_cap = form->soft_cap, .window = form->window,
					   .bias = form->bias, .bias_user = form->bias_user, .relative = form->relative, .keys = states->keys, .out = states->attended};

	if (!(narrowing ? project_some(run, form, layer, states, x, some) : project(run, form, layer, states, x)))
		return false;
	norm_heads(run, form, layer->key_norm, states->qkv + s.q, s.all, states->n, s.kv_heads);
	if (narrowing)
		norm_heads(run, form, layer->query_norm, states->query, s.q, batch->n_rows, form->heads);
	else
		norm_heads(run, form, layer->query_norm, states->qkv, s.all, states->n, form->heads);
	if (form->rope != NULL)
		turn(run, form, states, narrowing);
	if (form->distances != NULL)
	{
		a.relative = &relative;
		if (!meet_distances(run, form, layer, &relative))
			return false;
	}
	fine = mg_attend_batch(run, batch, narrowing ? batch->rows : NULL, &a);
	mg_rewind(run->cx, mark);
	return fine &&
		mg_linear(run->cx, run->compute, (MgRows){states->attended, s.q, narrowing ? batch->n_rows : states->n},
				  (MgLinear){&layer->output, layer->output_bias, MG_ACT_NONE, states->block, s.h});
}

/* block = feed_forward(x) */
static bool
feed_forward(const MgRun *run, const MgLayerForm *form, const MgLayer *layer, const MgStates *states, const float *x)
{
	MgFeedForward block = {.up = &layer->up, .down = &layer->down, .gate = layer->gate.rows > 0 ? &layer->gate : NULL,
						   .up_bias = layer->up_bias, .gate_bias = layer->gate_bias, .down_bias = layer->down_bias,
						   .activation = form->activation, .fused = form->fused_gate};

	return mg_feed_forward(run->cx, run->compute, &block, x, states->n, states->block);
}

/* From here on the states are those of the wanted rows, which are in out. */
static void
narrow(MgStates *states)
{
	states->x = states->out;
	states->n = states->batch->n_rows;
}

static MgNorm
norm_of(const MgLayerForm *form, const float *weight, const float *bias)
{
	return (MgNorm){form->norm, form->width, weight, bias, form->eps};
}

static bool
post_norm_layer(const MgRun *run, const MgLayerForm *form, const MgLayer *layer, MgStates *states)
{
	const MgCompute *compute = run->compute;
	MgNorm first = norm_of(form, layer->attention_norm, layer->attention_norm_bias);
	MgNorm second = norm_of(form, layer->block_norm, layer->block_norm_bias);
	bool narrowing = is_narrowing(states);

	if (narrowing)
		gather(states->batch, states->x, form->width, form->width, states->out);
	if (!attend(run, form, layer, states, states->x, states->out))
		return false;
	if (narrowing)
		narrow(states);
	mg_add_norm(compute, &first, states->x, states->block, states->n, states->x);
	if (!feed_forward(run, form, layer, states, states->x))
		return false;
	mg_add_norm(compute, &second, states->x, states->block, states->n, states->x);
	return true;
}

/* x, or its norm in normed where the layer has one. */
static const float *
normed_states(const MgRun *run, const MgLayerForm *form, const MgLayer *layer, const MgStates *states)
{
	MgNorm norm = norm_of(form, layer->attention_norm, layer->attention_norm_bias);

	if (norm.weight == NULL)
		return states->x;
	mg_add_norm(run->compute, &norm, states->x, NULL, states->n, states->normed);
	return states->normed;
}

/* What a block adds, normalised where the layer wants that. */
static void
norm_block(const MgRun *run, const MgLayerForm *form, const float *weight, const MgStates *states)
{
	MgNorm norm = norm_of(form, weight, NULL);

	if (weight != NULL)
		mg_add_norm(run->compute, &norm, states->block, NULL, states->n, states->block);
}

static bool
pre_norm_layer(const MgRun *run, const MgLayerForm *form, const MgLayer *layer, MgStates *states)
{
	const MgCompute *compute = run->compute;
	const float *x = normed_states(run, form, layer, states);
	MgNorm second = norm_of(form, layer->block_norm, layer->block_norm_bias);
	bool narrowing = is_narrowing(states);

	if (narrowing) /* block is free until attention is done */
		gather(states->batch, x, form->width, form->width, states->block);
	if (!attend(run, form, layer, states, x, states->block))
		return false;
	if (narrowing)
	{
		gather(states->batch, states->x, form->width, form->width, states->out);
		narrow(states);
	}
	norm_block(run, form, layer->attention_out_norm, states);
	/* Attention is done with normed; what it has made waits in block. */
	if (form->parallel)
	{
		mg_add_norm(compute, &second, states->x, NULL, states->n, states->normed);
		mg_add(compute, states->x, states->block, states->n * form->width);
	}
	else
		mg_add_norm(compute, &second, states->x, states->block, states->n, states->normed);
	if (!feed_forward(run, form, layer, states, states->normed))
		return false;
	norm_block(run, form, layer->block_out_norm, states);
	mg_add(compute, states->x, states->block, states->n * form->width);
	return true;
}

bool
mg_layer(const MgRun *run, const MgLayerForm *form, const MgLayer *layer, MgStates *states)
{
	bool fine = mg_poll(run->cx) && (form->pre_norm ? pre_norm_layer(run, form, layer, states)
											   : post_norm_layer(run, form, layer, states));

	states->layers_left--;
	if (states->keys != NULL)
		states->keys += run->n_slots;
	return fine;
}
