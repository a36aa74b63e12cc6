/* Images with weights of 8 bits: what becomes of each weight, what a damaged row gives, how large they are. */
#include <math.h>

#include "tensor/compute.h"
#include "unit/images.h"

#define INT8 "{\"dtype\": \"int8\"}"

static MgImage
open_image(MgCtx *cx, const Bytes *bytes)
{
	MgSpan span = mg_span(bytes->data, bytes->used);
	MgSource source = mg_source_of_span(&span);
	MgImage image = {0};

	ok(mg_image_open(cx, &source, &image), "opened (%s)", cx->error.message);
	return image;
}

static bool
ends_with(const char *name, const char *end)
{
	size_t length = strlen(name), tail = strlen(end);

	return length >= tail && strcmp(name + length - tail, end) == 0;
}

/*
 * Matrices of the encoder's products are of 8 bits, and so are the words, unless
 * a head takes its logits from them; what is small or sensitive is as in the files.
 */
static void
test_types(const MgImage *plain, const MgImage *portable, const MgImage *resident)
{
	bool head = (portable->can & MG_CAN_FILL_MASK) != 0;
	size_t n_linear = 0, n_words = 0, n_same = 0, wrong = 0;

	for (size_t i = 0; i < portable->n_sections; i++)
	{
		const MgSection *from = &portable->sections[i], *to = &resident->sections[i];
		bool linear = strstr(from->name, "encoder.layer.") != NULL && from->cols > 1;
		bool of_head = ends_with(from->name, "transform.dense.weight");

		if (from->rows == 0)
			continue;
		if (linear)
		{
			n_linear++;
			wrong += from->dtype != MG_Q8 || to->dtype != MG_Q8 || to->layout != MG_INT8;
		}
		else if (ends_with(from->name, "word_embeddings.weight"))
		{
			n_words++;
			wrong += from->dtype != (head ? MG_BF16 : MG_Q8) || to->dtype != from->dtype ||
				to->layout != (head ? MG_ROWS16 : MG_ROWS8);
		}
		else
		{
			n_same++;
			wrong += from->dtype != plain->sections[i].dtype || to->dtype != MG_F32 || to->layout != (of_head ? MG_PANELS : MG_ROWS);
		}
	}
	ok(wrong == 0 && n_linear == 12 && n_words == 1 && n_same > 0,
	   "%zu matrices in panels, %zu table of words, %zu weights as in the files", n_linear, n_words, n_same);
}

/* Code k of row i of a packed weight, by the formula of compute.h. */
static int
packed_code(const uint8_t *panels, size_t cols, size_t i, size_t k)
{
	return panels[i / MG_PANEL * mg_int8_panel_size(cols) + (k / 4 * MG_PANEL + i % MG_PANEL) * 4 + k % 4] - 128;
}

/* The codes of the portable image, of the resident one, and of the weights widened and quantised again. */
static void
test_codes(const MgImage *plain, const Bytes *plain_bytes, const MgImage *portable, const Bytes *from,
		   const MgImage *resident, const Bytes *to)
{
	const char *name = "encoder.layer.1.output.dense.weight";
	const MgSection *file = mg_image_find(plain, name), *stored = mg_image_find(portable, name),
					*packed = mg_image_find(resident, name);
	size_t rows = stored->rows, cols = stored->cols, wrong = 0, changed = 0;
	float *wide = malloc(cols * sizeof *wide), scale, worst = 0;
	int8_t *again = malloc(cols);

	for (size_t i = 0; i < rows; i++)
	{
		const uint8_t *row = from->data + stored->offset + i * (sizeof scale + cols);
		const float *exact = (const float *) (const void *) (plain_bytes->data + file->offset) + i * cols;

		memcpy(&scale, row, sizeof scale);
		for (size_t k = 0; k < cols; k++)
		{
			int code = (int8_t) row[sizeof scale + k];

			wrong += packed_code(to->data + packed->offset, cols, i, k) != code;
			wide[k] = scale * (float) code;
			worst = fmaxf(worst, fabsf(wide[k] - exact[k]) / scale);
		}
		mg_int8_quantize_row(wide, cols, again);
		changed += memcmp(again, row + sizeof scale, cols) != 0;
	}
	is_int(wrong, 0, "panels have the codes of the rows, %zu by %zu", rows, cols);
	/* Half a step, and what rounding the quotient adds. */
	ok(worst <= 0.5001f, "which are within half a step of the file's numbers: %.4f", worst);
	is_int(changed, 0, "and quantised again the same");
	free(wide);
	free(again);
}

/* A row that somebody changed: refused when the model is packed, with a reason. */
static void
test_damage(MgCtx *cx, const MgImage *portable, const Bytes *from)
{
	static const char *const names[] = {"encoder.layer.0.attention.self.key.weight", "embeddings.word_embeddings.weight"};
	static const float scales[] = {-1.0f, -1e-30f, INFINITY, -INFINITY, NAN};

	for (size_t n = 0; n < 2; n++)
	{
		const MgSection *section = mg_image_find(portable, names[n]);

		if (section->dtype != MG_Q8)
			continue;

		uint8_t *row = from->data + section->offset + (section->rows - 1) * (sizeof(float) + section->cols);
		size_t refused = 0;
		uint8_t kept[sizeof(float) + 1];
		Bytes out;

		memcpy(kept, row, sizeof kept);
		for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
		{
			memcpy(row, &scales[i], sizeof *scales);
			memset(&cx->error, 0, sizeof cx->error);
			refused += !make_resident(cx, mg_span(from->data, from->used), MG_FORM_PANELS, &out) &&
				strstr(cx->error.detail, "scale") != NULL;
		}
		memcpy(row, kept, sizeof kept);
		is_int(refused, 5, "a scale that is none is refused in %s", names[n]);
		row[sizeof(float)] = 0x80;
		memset(&cx->error, 0, sizeof cx->error);
		ok(!make_resident(cx, mg_span(from->data, from->used), MG_FORM_PANELS, &out), "and so is the code -128");
		is_text(cx->error.detail, "A code of a row is out of range.", "which says so");
		memcpy(row, kept, sizeof kept);
		memset(&cx->error, 0, sizeof cx->error);
		ok(make_resident(cx, mg_span(from->data, from->used), MG_FORM_PANELS, &out), "whole again");
	}
}

/* The image of a model with one more weight of 8 bits, whole otherwise. */
static bool
make_with(MgCtx *cx, const char *name, Bytes *out)
{
	MgFiles files = cli_directory(TINY "bert-mlm");
	MgModelOptions options;
	MgSink sink = {out, append};
	MgPlan plan;
	MgSection *sections;

	if (!mg_model_options_parse(cx, mg_span_of(INT8), &options) || !mg_checkpoint_plan(cx, &files, &options, &plan))
		return false;
	sections = (MgSection *) plan.image.sections;
	sections[mg_image_find(&plan.image, name) - sections].dtype = MG_Q8;
	if (!mg_image_lay_out(cx, sections, plan.image.n_sections, &plan.image.size))
		return false;
	*out = (Bytes){mg_alloc(cx, plan.image.size), 0, plan.image.size};
	return out->data != NULL && mg_checkpoint_write(cx, mg_kernels(MG_CPU_SCALAR), &plan, &sink);
}

/* Weights that code follows as floats: binding refuses them in 8 bits. */
static void
test_wrong_weight(MgCtx *cx)
{
	static const char *const names[] = {"embeddings.position_embeddings.weight", "embeddings.LayerNorm.weight"};

	for (size_t n = 0; n < 2; n++)
	{
		Bytes from, to;

		memset(&cx->error, 0, sizeof cx->error);
		ok(make_with(cx, names[n], &from) && make_resident(cx, mg_span(from.data, from.used), MG_FORM_PANELS, &to),
		   "%s of 8 bits can be packed (%s)", names[n], cx->error.message);
		ok(!use_resident(cx, mg_span(to.data, to.used)) && strstr(cx->error.detail, names[n]) != NULL,
		   "but not bound: %s", cx->error.detail);
	}
}

static void
test_sizes(const Bytes *plain, const Bytes *from, const Bytes *plain_resident, const Bytes *to)
{
	/* Tiny models are a third header and tokeniser; what is left of a weight is a quarter and a scale a row. */
	ok(from->used < plain->used * 6 / 10, "stored in %zu bytes of %zu", from->used, plain->used);
	ok(to->used < plain_resident->used * 6 / 10, "resident in %zu bytes of %zu", to->used, plain_resident->used);
}

static void
test_model(const char *directory)
{
	Bytes plain, plain_resident, from, to, rows;
	MgImage plain_image, portable, resident;
	MgCtx cx;

	mg_ctx_init(&cx, &cli_host);
	if (!ok(make_portable(&cx, directory, "{}", &plain) && make_portable(&cx, directory, INT8, &from) &&
				make_resident(&cx, mg_span(plain.data, plain.used), MG_FORM_PANELS, &plain_resident) &&
				make_resident(&cx, mg_span(from.data, from.used), MG_FORM_PANELS, &to) &&
				make_resident(&cx, mg_span(from.data, from.used), MG_FORM_ROWS, &rows),
			"%s: made (%s)", directory, cx.error.message))
		return;
	plain_image = open_image(&cx, &plain);
	portable = open_image(&cx, &from);
	resident = open_image(&cx, &to);
	is_int(portable.meta.dtype, MG_Q8, "the image says that it is of 8 bits");
	test_types(&plain_image, &portable, &resident);
	test_codes(&plain_image, &plain, &portable, &from, &resident, &to);
	test_sizes(&plain, &from, &plain_resident, &to);
	ok(rows.used == to.used, "for libraries it takes as much");
	ok(use_resident(&cx, mg_span(to.data, to.used)), "bound and used");
	test_damage(&cx, &portable, &from);
	mg_ctx_free(&cx);
}

int
main(void)
{
	MgCtx cx;

	test_model(TINY "bert-mlm");
	test_model(TINY "bert-embed-mean");
	mg_ctx_init(&cx, &cli_host);
	test_wrong_weight(&cx);
	mg_ctx_free(&cx);
	return done();
}
