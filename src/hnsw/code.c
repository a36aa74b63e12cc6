#include "hnsw/code.h"

#include <math.h>

#include "core/half.h"

/* A normal variable is rounded to 16 levels with the least error at this step (Max, 1960), in standard deviations. */
#define BEST_STEP 0.335f

static const float steps[] = {0.8f, 0.92f, 1.0f, 1.1f, 1.25f};
#define N_STEPS (sizeof steps / sizeof *steps)

static float
read_bf16(const uint8_t *at)
{
	return mg_bf16_to_float(mg_entry_u16(at));
}

static float
read_float(const uint8_t *at)
{
	float value;

	memcpy(&value, at, sizeof value);
	return value;
}

/* The nearest integer within [low, high]; low for what is no number. */
static int
rounded(float x, int low, int high)
{
	float above = x - (float) low + 0.5f;

	/* Cutting off is rounding down where nothing is negative; floorf would be a call. */
	if (!(above > 0))
		above = 0;
	if (above > (float) (high - low))
		above = (float) (high - low);
	return low + (int) above;
}

static float
square_of(const float *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) x[i] * x[i];
	return (float) sum;
}

/* Below this a scale is none: its reciprocal overflows. Such a vector is taken for zero. */
#define SMALLEST_SCALE 1e-37f

float
mg_bytes_encode(const float *x, size_t n, int8_t *bytes)
{
	float most = 0, scale, inverse;

	for (size_t i = 0; i < n; i++)
		most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
	scale = most / 127;
	if (!(scale >= SMALLEST_SCALE && scale < INFINITY))
		scale = 0;
	inverse = scale > 0 ? 1 / scale : 0;
	for (size_t i = 0; i < n; i++)
		bytes[i] = scale > 0 ? (int8_t) rounded(x[i] * inverse, -127, 127) : 0;
	return scale;
}

static void
fill_planes(const MgEntryLayout *layout, const float *rotated, MgQuery *query)
{
	size_t bits = layout->shape.code_bits, words = (bits + 63) / 64;
	float scale = BEST_STEP * sqrtf(square_of(rotated, bits) / (float) bits);
	float inverse;
	int64_t total = 0;

	if (!(scale >= SMALLEST_SCALE && scale < INFINITY))
		scale = 0;
	inverse = scale > 0 ? 1 / scale : 0;
	for (size_t i = 0; i < bits && scale > 0; i++)
	{
		int k = rounded(rotated[i] * inverse, -8, 7);

		total += k;
		for (size_t plane = 0; plane < MG_QUERY_PLANES; plane++)
			query->planes[plane * words + i / 64] |= (uint64_t) (((unsigned) k >> plane) & 1) << (i % 64);
	}
	query->plane_scale = scale;
	query->sign_total = scale * (float) total;
}

bool
mg_query_planes(MgCtx *cx, const MgEntryLayout *layout, const float *rotated, MgQuery *query)
{
	size_t words = (layout->shape.code_bits + 63) / 64;

	*query = (MgQuery){.rotated = rotated};
	query->planes = mg_alloc_zeroed(cx, MG_QUERY_PLANES * words, sizeof *query->planes);
	if (query->planes == NULL)
		return false;
	fill_planes(layout, rotated, query);
	return true;
}

bool
mg_query_init(MgCtx *cx, const MgEntryLayout *layout, const float *rotated, MgQuery *query)
{
	size_t n = layout->padded;
	int64_t total = 0;

	if (!mg_query_planes(cx, layout, rotated, query))
		return false;
	query->bytes = mg_alloc(cx, n);
	if (query->bytes == NULL)
		return false;
	query->byte_scale = mg_bytes_encode(rotated, n, query->bytes);
	for (size_t i = 0; i < n; i++)
		total += query->bytes[i];
	query->byte_total = query->byte_scale * (float) total;
	query->square = square_of(rotated, n);
	return true;
}

/* c_i - 7.5 of the best scale for x, given one to start from. Returns <x, y>^2 / <y, y>, which grows as the error falls. */
static float
try_step(const float *x, size_t n, float step, float *scale)
{
	float dots[4] = {0}, squares[4] = {0}, dot, square, inverse = 1 / step;

	for (size_t i = 0; i < n; i += 4)
		for (size_t k = 0; k < 4; k++)
		{
			float y = (float) rounded(x[i + k] * inverse + 7.5f, 0, 15) - 7.5f;

			dots[k] += x[i + k] * y;
			squares[k] += y * y;
		}
	dot = (dots[0] + dots[1]) + (dots[2] + dots[3]);
	square = (squares[0] + squares[1]) + (squares[2] + squares[3]);
	*scale = dot / square;
	return dot / square * dot;
}

void
mg_code_encode(const MgEntryLayout *layout, const float *rotated, uint8_t *value)
{
	size_t n = layout->padded;
	float start = BEST_STEP * sqrtf(square_of(rotated, n) / (float) n), best = -1, scale = 0, step = 0, square = 0;

	if (start >= SMALLEST_SCALE && start < INFINITY)
		for (size_t i = 0; i < N_STEPS; i++)
		{
			float tried, gain = try_step(rotated, n, start * steps[i], &tried);

			if (gain > best)
			{
				best = gain;
				scale = tried;
				step = start * steps[i];
			}
		}
	memset(value + 8, 0, n / 2);
	for (size_t i = 0; i < n; i++)
	{
		int c = step > 0 ? rounded(rotated[i] * (1 / step) + 7.5f, 0, 15) : 0;

		value[8 + i / 64 * 32 + i % 32] |= (uint8_t) (c << (i % 64 < 32 ? 0 : 4));
		square += ((float) c - 7.5f) * ((float) c - 7.5f);
	}
	square *= scale * scale;
	memcpy(value, &scale, sizeof scale);
	memcpy(value + 4, &square, sizeof square);
}

void
mg_code_decode(const MgEntryLayout *layout, const uint8_t *value, float *decoded)
{
	float scale = read_float(value);

	for (size_t block = 0; block < layout->padded; block += 64)
		for (size_t i = 0; i < 32; i++)
		{
			uint8_t pair = value[8 + block / 2 + i];

			decoded[block + i] = scale * ((float) (pair & 15) - 7.5f);
			decoded[block + 32 + i] = scale * ((float) (pair >> 4) - 7.5f);
		}
}

float
mg_code_distance(const MgEntryLayout *layout, const MgCodeKernels *kernels, const MgQuery *query, const uint8_t *value)
{
	int32_t sum = kernels->nibble_sum(value + 8, query->bytes, layout->padded);
	float product = read_float(value) * (query->byte_scale * (float) sum - 7.5f * query->byte_total), distance;

	if (layout->shape.metric == MG_GRAPH_IP)
		return -product;
	distance = query->square + read_float(value + 4) - 2 * product;
	return distance < 0 ? 0 : distance;
}

void
mg_code_estimate(const MgEntryLayout *layout, const MgCodeKernels *kernels, const MgQuery *query, const uint8_t *entry,
				 float own, uint32_t first, uint32_t n, float *distances)
{
	const uint8_t *link = mg_entry_link(layout, entry, first);
	bool l2 = layout->shape.metric == MG_GRAPH_L2;
	int32_t sums[2 * MG_MAX_M];

	kernels->sign_sums(query->planes, layout->shape.code_bits, link + MG_LINK_HEADER, layout->link_size, n, sums);
	for (uint32_t i = 0; i < n; i++, link += layout->link_size)
	{
		float product = 2 * query->plane_scale * (float) sums[i] - query->sign_total;

		distances[i] = own + (l2 ? read_bf16(link + 4) : 0) - read_bf16(link + 6) * product;
	}
}

void
mg_code_link(const MgEntryLayout *layout, const MgCodeKernels *kernels, const float *centre, const float *neighbour,
			 uint32_t id, uint8_t *link)
{
	bool l2 = layout->shape.metric == MG_GRAPH_L2;
	float sums[3], factor, offset;
	uint16_t narrow;

	memset(link, 0, layout->link_size);
	kernels->residual(centre, neighbour, layout->padded, layout->shape.code_bits, link + MG_LINK_HEADER, sums);
	factor = sums[1] > 0 ? (l2 ? 2 : 1) * sums[0] / sums[1] : 0;
	offset = sums[0] + (l2 ? factor * sums[2] : 0);
	memcpy(link, &id, sizeof id);
	narrow = mg_bf16_of_float(offset);
	memcpy(link + 4, &narrow, sizeof narrow);
	narrow = mg_bf16_of_float(factor);
	memcpy(link + 6, &narrow, sizeof narrow);
}

/* factor <s, u^>: for l2 twice the estimate of <u^, r>. */
static float
along(const MgEntryLayout *layout, const MgCodeKernels *kernels, const MgQuery *centre, const uint8_t *link)
{
	int32_t sum;

	kernels->sign_sums(centre->planes, layout->shape.code_bits, link + MG_LINK_HEADER, layout->link_size, 1, &sum);
	return read_bf16(link + 6) * (2 * centre->plane_scale * (float) sum - centre->sign_total);
}

float
mg_code_link_square(const MgEntryLayout *layout, const MgCodeKernels *kernels, const MgQuery *centre,
					const uint8_t *link)
{
	if (layout->shape.metric == MG_GRAPH_IP)
		return read_bf16(link + 4);
	return fmaxf(read_bf16(link + 4) - along(layout, kernels, centre, link), 0);
}

float
mg_code_link_product(const MgEntryLayout *layout, const MgCodeKernels *kernels, const MgQuery *centre,
					 const uint8_t *link)
{
	float product = along(layout, kernels, centre, link);

	return layout->shape.metric == MG_GRAPH_IP ? product : product / 2;
}

bool
mg_code_link_finite(const uint8_t *link)
{
	return isfinite(read_bf16(link + 4)) && isfinite(read_bf16(link + 6));
}
