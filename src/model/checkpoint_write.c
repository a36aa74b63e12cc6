/* Streaming a planned image: weights in the type that they are stored in, rows as the architecture has them. */
#include <math.h>

#include "format/gguf_blocks.h"
#include "model/checkpoint.h"
#include "tensor/compute.h"

#define PIECE ((size_t) 1024 * 1024)

/* A weight on its way, some rows at a time. */
typedef struct Stream
{
	const MgOrigin *origin;
	size_t rows, cols;
	size_t width;	/* bytes of a number in the file; of no use for blocks */
	size_t row_size; /* bytes of a row in the file */
	size_t n_piece; /* rows read at once */
	uint8_t *raw;	/* [n_piece, cols] as in the file */
	uint8_t *run;	/* [n_piece] of one column of a transposed weight */
} Stream;

static bool
open_stream(MgCtx *cx, const MgOrigin *origin, const MgSection *section, Stream *stream)
{
	const MgBlockType *block = origin->tensor->block;
	size_t width = mg_dtype_size(origin->tensor->dtype), cols = (size_t) section->cols;
	size_t row_size = block != NULL ? cols / block->elements * block->size : cols * width;

	*stream = (Stream){origin, (size_t) section->rows, cols, width, row_size, PIECE / row_size, NULL, NULL};
	if (stream->n_piece == 0)
		stream->n_piece = 1;
	stream->raw = mg_alloc_array(cx, stream->n_piece, row_size);
	stream->run = mg_alloc_array(cx, stream->n_piece, width);
	return stream->raw != NULL && stream->run != NULL;
}

/* n rows from one on that is transposed in the file: a run of each of its rows is a column of ours. */
static bool
read_transposed(MgCtx *cx, const Stream *stream, size_t row, size_t n)
{
	const MgTensor *tensor = stream->origin->tensor;
	const MgSource *source = &tensor->file->source;
	size_t width = stream->width;

	for (size_t col = 0; col < stream->cols; col++)
	{
		uint64_t at = col * (uint64_t) tensor->shape[1] + stream->origin->first + row;

		if (!source->read(cx, source->user, tensor->offset + at * width, stream->run, n * width))
			return false;
		for (size_t i = 0; i < n; i++)
			memcpy(stream->raw + (i * stream->cols + col) * width, stream->run + i * width, width);
	}
	return true;
}

/* n rows from one on that come in runs. */
static bool
read_runs(MgCtx *cx, const Stream *stream, size_t row, size_t n)
{
	const MgOrigin *origin = stream->origin;
	const MgSource *source = &origin->tensor->file->source;
	size_t row_size = stream->row_size, done = 0;

	while (done < n)
	{
		size_t at = (row + done) % origin->run, left = origin->run - at, some = left < n - done ? left : n - done;
		uint64_t from = origin->first + (uint64_t) ((row + done) / origin->run) * origin->step + at;

		if (!source->read(cx, source->user, origin->tensor->offset + from * row_size, stream->raw + done * row_size, some * row_size))
			return false;
		done += some;
	}
	return true;
}

/* Rows [row, row + n) of the weight to raw. Polls. */
static bool
read_rows(MgCtx *cx, const Stream *stream, size_t row, size_t n)
{
	const MgTensor *tensor = stream->origin->tensor;
	const MgSource *source = &tensor->file->source;
	size_t row_size = stream->row_size;

	if (!mg_poll(cx))
		return false;
	if (stream->origin->transposed)
		return read_transposed(cx, stream, row, n);
	if (stream->origin->run > 0)
		return read_runs(cx, stream, row, n);
	return source->read(cx, source->user, tensor->offset + (uint64_t) (stream->origin->first + row) * row_size,
						stream->raw, n * row_size);
}

/* n rows of raw, from the one at, to float32. */
static void
widen_rows(const MgKernels *kernels, const Stream *stream, size_t at, size_t n, float *wide)
{
	const MgTensor *tensor = stream->origin->tensor;
	const uint8_t *raw = stream->raw + at * stream->row_size;

	if (tensor->block != NULL)
		mg_blocks_widen(tensor->block, raw, n * stream->cols, wide);
	else
		mg_to_f32(kernels, tensor->dtype, raw, n * stream->cols, wide);
	for (size_t i = 0; stream->origin->less_one && i < n * stream->cols; i++)
		wide[i] += 1.0f;
}

/* One weight, its numbers converted where the plan says so. */
static bool
write_weight(MgCtx *cx, const MgKernels *kernels, const Stream *stream, MgDtype dtype, const MgSink *sink)
{
	MgDtype in_file = stream->origin->tensor->dtype;
	float *wide = mg_alloc_array(cx, stream->n_piece * stream->cols, sizeof *wide);
	uint16_t *narrow = mg_alloc_array(cx, stream->n_piece * stream->cols, sizeof *narrow);
	bool blocks = stream->origin->tensor->block != NULL;

	if (wide == NULL || narrow == NULL)
		return false;
	for (size_t row = 0; row < stream->rows; row += stream->n_piece)
	{
		size_t left = stream->rows - row, n = left < stream->n_piece ? left : stream->n_piece;
		size_t count = n * stream->cols;
		const void *out = stream->raw;

		if (!read_rows(cx, stream, row, n))
			return false;
		if (blocks || stream->origin->less_one || dtype != in_file)
		{
			widen_rows(kernels, stream, 0, n, wide);
			if (dtype != MG_F32)
				mg_from_f32(dtype, wide, count, narrow);
			out = dtype == MG_F32 ? (const void *) wide : narrow;
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

static bool
fail_finite(MgCtx *cx, const MgTensor *tensor, const char *dtype)
{
	mg_fail(cx, MG_BAD_FILE, "tensor \"%.*s\" holds a number that is not finite", MG_SPAN_ARGS(tensor->name));
	return mg_hint(cx, "Such a model cannot be stored with dtype %s.", dtype);
}

/* One weight in 8 bits, row by row. */
static bool
quantize_weight(MgCtx *cx, const MgKernels *kernels, const Stream *stream, const MgSink *sink)
{
	const MgTensor *tensor = stream->origin->tensor;
	size_t cols = stream->cols;
	uint8_t *codes = mg_alloc(cx, cols);
	float *wide = mg_alloc_array(cx, cols, sizeof *wide), scale;

	if (codes == NULL || wide == NULL)
		return false;
	for (size_t row = 0; row < stream->rows; row++)
	{
		size_t left = stream->rows - row, at = row % stream->n_piece;

		if (at == 0 && !read_rows(cx, stream, row, left < stream->n_piece ? left : stream->n_piece))
			return false;
		widen_rows(kernels, stream, at, 1, wide);
		if (!all_finite(wide, cols))
			return fail_finite(cx, tensor, mg_dtype_name(MG_Q8));
		scale = mg_int8_quantize_row(wide, cols, (int8_t *) codes);
		if (!sink->write(cx, sink->user, &scale, sizeof scale) || !sink->write(cx, sink->user, codes, cols))
			return false;
	}
	return true;
}

/* One weight in groups, row by row: as they are in the file, where that can be. */
static bool
group_weight(MgCtx *cx, const MgKernels *kernels, const Stream *stream, MgDtype dtype, const MgSink *sink)
{
	const MgTensor *tensor = stream->origin->tensor;
	size_t cols = stream->cols, size = cols / MG_GROUP * mg_group_size(dtype);
	uint8_t *groups = mg_alloc(cx, size);
	float *wide = mg_alloc_array(cx, cols, sizeof *wide);

	if (groups == NULL || wide == NULL)
		return false;
	for (size_t row = 0; row < stream->rows; row++)
	{
		size_t left = stream->rows - row, at = row % stream->n_piece;

		if (at == 0 && !read_rows(cx, stream, row, left < stream->n_piece ? left : stream->n_piece))
			return false;
		if (tensor->block == NULL || !mg_blocks_group(tensor->block, stream->raw + at * stream->row_size, cols, dtype, groups))
		{
			widen_rows(kernels, stream, at, 1, wide);
			if (!all_finite(wide, cols))
				return fail_finite(cx, tensor, mg_dtype_name(dtype));
			mg_group_quantize_row(dtype, wide, cols, groups);
		}
		if (!sink->write(cx, sink->user, groups, size))
			return false;
	}
	return true;
}

static bool
write_section(MgCtx *cx, const MgKernels *kernels, const MgPlan *plan, size_t i, const MgSink *sink)
{
	const MgSection *section = &plan->image.sections[i];
	Stream stream;

	if (plan->origins[i].tensor == NULL)
		return sink->write(cx, sink->user, plan->bytes[i].data, plan->bytes[i].size);
	if (!open_stream(cx, &plan->origins[i], section, &stream))
		return false;
	if (mg_dtype_is_grouped((MgDtype) section->dtype))
		return group_weight(cx, kernels, &stream, (MgDtype) section->dtype, sink);
	return section->dtype == MG_Q8 ? quantize_weight(cx, kernels, &stream, sink)
								   : write_weight(cx, kernels, &stream, (MgDtype) section->dtype, sink);
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

		if (!write_section(cx, kernels, plan, i, sink) || !mg_image_write_gap(cx, section, next, sink))
			return false;
		mg_rewind(cx, mark);
	}
	return true;
}
