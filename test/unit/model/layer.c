/*
 * Layers: against what transformers gives (test/golden/blocks), wanted rows against all rows, one matrix of queries, keys
 * and values against three, and token by token against the whole.
 */
#include "model/layer.h"

#include <stdio.h>

#include "unit/tensor/numbers.h"

#define N 24
#define WIDTH 32
#define WIDE 48

/* n numbers in [offset - size, offset + size), as make_blocks.py draws them. */
static float *
drawn(size_t n, float size, float offset)
{
	float *x = numbers(n);

	for (size_t i = 0; i < n; i++)
		x[i] = x[i] * size + offset;
	return x;
}

static MgMatrix
dense(size_t rows, size_t cols, float **memory)
{
	float *w = drawn(rows * cols, 0.4f, 0);
	MgMatrix m = matrix(MG_PANELS, w, rows, cols, memory);

	free(w);
	return m;
}

/* A layer and what it points to. */
typedef struct Owned
{
	MgLayer layer;
	float *memory[8];
	float *norms[2];
} Owned;

static void
drop(Owned *owned)
{
	for (size_t i = 0; i < 8; i++)
		free(owned->memory[i]);
	free(owned->norms[0]);
	free(owned->norms[1]);
}

/* In the order of make_modernbert. */
static Owned
modernbert_layer(bool with_norm)
{
	Owned o = {0};

	o.layer.qkv = dense(3 * WIDTH, WIDTH, &o.memory[0]);
	o.layer.output = dense(WIDTH, WIDTH, &o.memory[1]);
	o.layer.up = dense(2 * WIDE, WIDTH, &o.memory[2]);
	o.layer.down = dense(WIDTH, WIDE, &o.memory[3]);
	o.norms[0] = drawn(WIDTH, 0.3f, 1);
	o.norms[1] = drawn(WIDTH, 0.3f, 1);
	o.layer.attention_norm = with_norm ? o.norms[0] : NULL;
	o.layer.block_norm = o.norms[1];
	return o;
}

static Owned
llama_layer(void)
{
	Owned o = {0};

	o.layer.query = dense(WIDTH, WIDTH, &o.memory[0]);
	o.layer.key = dense(16, WIDTH, &o.memory[1]);
	o.layer.value = dense(16, WIDTH, &o.memory[2]);
	o.layer.output = dense(WIDTH, WIDTH, &o.memory[3]);
	o.layer.gate = dense(WIDE, WIDTH, &o.memory[4]);
	o.layer.up = dense(WIDE, WIDTH, &o.memory[5]);
	o.layer.down = dense(WIDTH, WIDE, &o.memory[6]);
	o.layer.attention_norm = o.norms[0] = drawn(WIDTH, 0.3f, 1);
	o.layer.block_norm = o.norms[1] = drawn(WIDTH, 0.3f, 1);
	return o;
}

/* The states of a file of make_blocks.py. */
static double *
read_states(const char *path, size_t n)
{
	double *states = malloc(n * WIDTH * sizeof *states);
	FILE *file = fopen(path, "r");
	char line[4096];
	size_t got = 0;

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		for (char *at = line, *end; line[0] != '#' && got < n * WIDTH; at = end)
		{
			double x = strtod(at, &end);

			if (end == at)
				break;
			states[got++] = x;
		}
	if (file != NULL)
		fclose(file);
	if (got != n * WIDTH)
		printf("Bail out! %s does not have %zu states\n", path, n);
	return states;
}

static MgBatch
batch_of(uint32_t offsets[2], size_t n)
{
	offsets[0] = 0;
	offsets[1] = (uint32_t) n;
	return (MgBatch){.n_sequences = 1, .n_tokens = n, .n_rows = n, .offsets = offsets};
}

/* Layers, and the form of each. */
typedef struct Stack
{
	size_t n;
	MgLayerForm forms[2];
	MgLayer layers[2];
} Stack;

/* x [n, WIDTH] through layers; out [n_rows, WIDTH]. */
static bool
pass(const MgRun *run, const Stack *stack, const MgBatch *batch, const float *x, float *out)
{
	MgMark mark = mg_mark(run->cx);
	MgStates states;
	bool fine = mg_states_init(run, &stack->forms[0], batch, stack->n, out, &states);

	if (!fine)
		return false;
	memcpy(states.x, x, batch->n_tokens * WIDTH * sizeof *x);
	for (size_t l = 0; l < stack->n && fine; l++)
		fine = mg_layer(run, &stack->forms[l], &stack->layers[l], &states);
	mg_rewind(run->cx, mark);
	return fine;
}

static MgRope
rope_of(MgCtx *cx, float theta, size_t width, const uint32_t *positions, size_t n)
{
	MgRope rope = {.width = width};
	float frequencies[16];

	mg_rope_frequencies(theta, width, frequencies);
	if (!mg_rope_init(cx, &rope, frequencies, positions, n))
		exit(1);
	return rope;
}

static void
test_modernbert(const MgRun *run, const char *who)
{
	static const MgWindow local = {4, 4}, wider = {5, 4};
	MgRope global_rope = rope_of(run->cx, 160000, 16, NULL, N), local_rope = rope_of(run->cx, 10000, 16, NULL, N);
	MgLayerForm form = {.width = WIDTH, .heads = 2, .head_size = 16, .pre_norm = true, .eps = 1e-5f,
						.activation = MG_ACT_GELU, .fused_gate = true, .rope = &global_rope};
	double *want = read_states("test/golden/blocks/modernbert.txt", 2 * N);
	float *x, *first = numbers(N * WIDTH), *both = numbers(N * WIDTH);
	uint32_t offsets[2];
	MgBatch batch = batch_of(offsets, N);
	Stack stack = {.n = 1, .forms = {form, form}};
	Owned global, near;

	stack.forms[1].window = &local;
	stack.forms[1].rope = &local_rope;
	number_state = 88172645463325252u;
	x = drawn(N * WIDTH, 1, 0);
	global = modernbert_layer(false);
	near = modernbert_layer(true);
	stack.layers[0] = global.layer;
	stack.layers[1] = near.layer;
	ok(pass(run, &stack, &batch, x, first), "%s: a global layer of ModernBERT", who);
	is_near(distance(first, want, N * WIDTH), 0, 1e-4, "%s: as transformers has it", who);
	stack.n = 2;
	ok(pass(run, &stack, &batch, x, both), "%s: a local layer after it", who);
	is_near(distance(both, want + N * WIDTH, N * WIDTH), 0, 1e-4, "%s: as transformers has it", who);
	stack.forms[1].rope = &global_rope;
	ok(pass(run, &stack, &batch, x, both) && distance(both, want + N * WIDTH, N * WIDTH) > 1e-3, "%s: another theta shows", who);
	stack.forms[1].rope = &local_rope;
	stack.forms[1].window = &wider;
	ok(pass(run, &stack, &batch, x, both) && distance(both, want + N * WIDTH, N * WIDTH) > 1e-3, "%s: another window shows", who);
	drop(&global);
	drop(&near);
	free(x);
	free(first);
	free(both);
	free(want);
}

static MgLayerForm
llama_form(const MgRope *rope)
{
	static const MgWindow causal = {MG_UNBOUNDED, 0};

	return (MgLayerForm){.width = WIDTH, .heads = 4, .kv_heads = 2, .head_size = 8, .pre_norm = true, .norm = MG_NORM_RMS,
						 .eps = 1e-5f, .activation = MG_ACT_SILU, .window = &causal, .rope = rope};
}

/* Two layers token by token, after what a cache of three slots holds in the last one: the same bits. */
static size_t
steps_that_differ(const MgRun *run, Stack stack, const float *x, const float *want)
{
	static const uint32_t slot = 2;
	MgKeys keys[2 * 3];
	MgRun with_keys = *run;
	size_t n_keys, n_values, bad = 0;

	if (!mg_keys_size(2, 8, N, &n_keys, &n_values))
		exit(1);
	for (size_t i = 0; i < 6; i++)
		keys[i] = (MgKeys){.heads = 2, .head_size = 8, .room = N, .keys = numbers(n_keys), .values = numbers(n_values)};
	with_keys.keys = keys;
	with_keys.n_slots = 3;
	for (uint32_t i = 0; i < N; i++)
	{
		MgRope rope = rope_of(run->cx, 10000, 8, &i, 1);
		uint32_t offsets[2];
		MgBatch batch = batch_of(offsets, 1);
		float out[WIDTH];

		batch.past = &i;
		batch.slots = &slot;
		stack.forms[0].rope = stack.forms[1].rope = &rope;
		bad += !pass(&with_keys, &stack, &batch, x + i * WIDTH, out) || memcmp(out, want + i * WIDTH, sizeof out) != 0;
	}
	for (size_t i = 0; i < 6; i++)
	{
		bad += keys[i].n != (i % 3 == slot ? N : 0);
		free(keys[i].keys);
		free(keys[i].values);
	}
	return bad;
}

static void
test_llama(const MgRun *run, const char *who)
{
	MgRope rope = rope_of(run->cx, 10000, 8, NULL, N);
	Stack stack = {.n = 1, .forms = {llama_form(&rope), llama_form(&rope)}};
	double *want = read_states("test/golden/blocks/llama.txt", N);
	float *x, *out = numbers(N * WIDTH);
	uint32_t offsets[2];
	MgBatch batch = batch_of(offsets, N);
	Owned owned;

	number_state = 88172645463325252u;
	x = drawn(N * WIDTH, 1, 0);
	owned = llama_layer();
	stack.layers[0] = stack.layers[1] = owned.layer;
	ok(pass(run, &stack, &batch, x, out), "%s: a layer of Llama", who);
	is_near(distance(out, want, N * WIDTH), 0, 1e-4, "%s: as transformers has it", who);
	stack.n = 2;
	ok(pass(run, &stack, &batch, x, out), "%s: twice that layer", who);
	is_int((long) steps_that_differ(run, stack, x, out), 0, "%s: token by token, the bits of the whole", who);
	drop(&owned);
	free(x);
	free(out);
	free(want);
}

/* Wanted rows alone have the bits that they have among all; before and after the norm, one matrix or three. */
static void
test_rows(const MgRun *run, size_t heads, size_t head_size, bool pre_norm)
{
	static const uint32_t offsets[] = {0, 5, 6, N}, rows[] = {0, 4, 5, 9, 23};
	static const MgWindow local = {4, 4};
	enum { N_ROWS = 5 };
	size_t side = heads * head_size;
	MgRope rope = rope_of(run->cx, 10000, head_size / 2, NULL, N);
	MgLayerForm form = {.width = WIDTH, .heads = heads, .head_size = head_size, .pre_norm = pre_norm, .eps = 1e-5f,
						.activation = MG_ACT_GELU, .window = &local, .rope = &rope};
	Stack stack = {.n = 2, .forms = {form, form}};
	MgBatch batch = {.n_sequences = 3, .n_tokens = N, .n_rows = N, .offsets = offsets};
	float *w = drawn(3 * side * WIDTH, 0.4f, 0), *bias = drawn(3 * side, 1, 0), *more[4];
	float *x = numbers(N * WIDTH), *all = numbers(N * WIDTH), *again = numbers(N * WIDTH), *some = numbers(N_ROWS * WIDTH);
	Owned o = {0};
	size_t bad = 0;

	o.layer.query = matrix(MG_PANELS, w, side, WIDTH, &o.memory[0]);
	o.layer.key = matrix(MG_PANELS, w + side * WIDTH, side, WIDTH, &o.memory[1]);
	o.layer.value = matrix(MG_PANELS, w + 2 * side * WIDTH, side, WIDTH, &o.memory[2]);
	o.layer.output = dense(WIDTH, side, &o.memory[3]);
	o.layer.up = dense(WIDE, WIDTH, &o.memory[4]);
	o.layer.down = dense(WIDTH, WIDE, &o.memory[5]);
	o.layer.query_bias = bias;
	o.layer.key_bias = bias + side;
	o.layer.value_bias = bias + 2 * side;
	o.layer.attention_norm = o.norms[0] = drawn(WIDTH, 0.3f, 1);
	o.layer.block_norm = o.norms[1] = drawn(WIDTH, 0.3f, 1);
	for (size_t i = 0; i < 4; i++)
		more[i] = drawn(WIDE, 0.1f, 0);
	o.layer.attention_norm_bias = more[0];
	o.layer.block_norm_bias = more[1];
	o.layer.up_bias = more[2];
	o.layer.down_bias = more[3];
	stack.layers[0] = stack.layers[1] = o.layer;
	bad += !pass(run, &stack, &batch, x, all);
	for (int fused = 0; fused < 2; fused++)
	{
		batch.rows = rows;
		batch.n_rows = N_ROWS;
		bad += !pass(run, &stack, &batch, x, some);
		for (size_t i = 0; i < N_ROWS; i++)
			bad += memcmp(some + i * WIDTH, all + rows[i] * WIDTH, WIDTH * sizeof *some) != 0;
		batch.rows = NULL;
		batch.n_rows = N;
		bad += !pass(run, &stack, &batch, x, again) || memcmp(all, again, N * WIDTH * sizeof *all) != 0;
		if (fused == 0)
			o.layer.qkv = matrix(MG_PANELS, w, 3 * side, WIDTH, &o.memory[6]);
		o.layer.qkv_bias = bias;
		o.layer.query = o.layer.key = o.layer.value = (MgMatrix){.rows = 0};
		stack.layers[0] = stack.layers[1] = o.layer;
	}
	is_int((long) bad, 0, "%zu heads of %zu, %s: wanted rows, and one matrix for three", heads, head_size,
		   pre_norm ? "norm before" : "norm after");
	drop(&o);
	for (size_t i = 0; i < 4; i++)
		free(more[i]);
	free(w);
	free(bias);
	free(x);
	free(all);
	free(again);
	free(some);
}

typedef struct Sweep
{
	MgCompute compute;
	Owned owned;
	float *x, *out;
} Sweep;

static bool
sweep_body(MgCtx *cx, void *user)
{
	static const uint32_t rows[] = {3, 7};
	Sweep *s = user;
	float angles[4 * N] = {0};
	MgRope rope = {.width = 8, .cosines = angles, .sines = angles};
	Stack stack = {.n = 1, .forms = {llama_form(&rope)}, .layers = {s->owned.layer}};
	uint32_t offsets[2];
	MgBatch batch = batch_of(offsets, N);

	batch.rows = rows;
	batch.n_rows = 2;
	return pass(&(MgRun){.cx = cx, .compute = &s->compute}, &stack, &batch, s->x, s->out);
}

int
main(void)
{
	TestHost test;
	MgCtx cx;
	MgPool *pool;
	Sweep s = {.compute = {.kernels = mg_kernels(mg_cpu_level())}, .owned = llama_layer()};

	test_host_init(&test);
	mg_ctx_init(&cx, &test.host);
	pool = mg_pool_create(&cx, 3);
	FOR_EACH_LEVEL(level)
	{
		MgCompute compute = {.kernels = mg_kernels(level), .pool = level % 2 == 1 ? pool : NULL};
		MgRun run = {.cx = &cx, .compute = &compute};

		test_modernbert(&run, mg_cpu_level_name(level));
		test_llama(&run, mg_cpu_level_name(level));
		for (int pre_norm = 0; pre_norm < 2; pre_norm++)
		{
			test_rows(&run, 2, 16, pre_norm);
			test_rows(&run, 3, 12, pre_norm);
		}
	}
	s.x = numbers(N * WIDTH);
	s.out = numbers(N * WIDTH);
	sweep("a layer", sweep_body, &s, 1);
	drop(&s.owned);
	free(s.x);
	free(s.out);
	mg_pool_destroy(pool);
	mg_ctx_free(&cx);
	is_int(test.live, 0, "nothing is left");
	return done();
}
