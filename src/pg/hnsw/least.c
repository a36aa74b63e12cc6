/* What a row's distance may be at least. */
#include "pg/hnsw/least.h"

#include <math.h>

#define DEVIATIONS 7.0

/* |e|^2 / |u^|^2: the mean for normal coordinates with a little more, and what the chance of few coordinates adds. */
#define CODE_ERROR 0.0125
#define CODE_ERROR_FEW 1.8

/* Under cosine, where |e| follows from the code: what float32 may lose of it. */
#define LOST 1e-4

/* Sums of float32 products are good to this part of the sum of their absolute values. */
#define ROUNDING 1e-5

/* Half a step of the query's bytes in each dimension, DEVIATIONS of which are not more than this many steps' length of u^. */
#define QUERY_STEPS (DEVIATIONS / 2)

void
hnsw_least_init(HnswLeast *least, const HnswStore *store, const MgQuery *query)
{
	double padded = Max(store->layout.padded, 1);

	*least = (HnswLeast){.store = store, .query = query, .length = sqrt(query->square)};
	least->share = Min(DEVIATIONS / sqrt(padded), 1);
	least->error = CODE_ERROR + CODE_ERROR_FEW / padded;
}

static float
float_at(const uint8 *at)
{
	float value;

	memcpy(&value, at, sizeof value);
	return value;
}

/* In the graph's measure. */
static double
least_of_code(const HnswLeast *least, const uint8 *value)
{
	const HnswStore *store = least->store;
	double square = float_at(value + 4), length = sqrt(square), rounding, error, root;
	double distance = mg_code_distance(&store->layout, store->graph.kernels, least->query, value);

	rounding = QUERY_STEPS * least->query->byte_scale * length;
	if (store->layout.shape.metric == MG_GRAPH_IP)
	{
		/* A vector that is too short, or too long, for a code of float32. */
		if (square == 0)
			return -INFINITY;
		return distance - rounding - least->length * length * (least->share * sqrt(least->error) + least->error + ROUNDING);
	}
	error = store->kind->metric == MG_METRIC_COSINE ? Max(1.02 * (1 - square), 0) + LOST : least->error * square;
	distance -= 2 * rounding + ROUNDING * (least->query->square + square) + error * (1 - least->share * least->share);
	root = (distance > 0 ? sqrt(distance) : 0) - least->share * sqrt(error);
	return root > 0 ? root * root : 0;
}

/* int8 times a scale each: half a step of either in each dimension. */
static double
least_of_rounded(const HnswLeast *least, double distance, const uint8 *value)
{
	double steps = fabsf(float_at(least->query->value)) + fabsf(float_at(value));

	return distance - 0.5 * (1 + ROUNDING) * steps * least->store->layout.shape.dims - ROUNDING * distance;
}

static double
least_of_plain(const HnswLeast *least, const uint8 *value, uint32 size)
{
	const HnswStore *store = least->store;
	double distance = hnsw_kind_distance((void *) store, least->query->value, least->query->value_size, value, size);

	if (hnsw_kind_trimmed(store->kind, least->query->value_size) || hnsw_kind_trimmed(store->kind, size))
		return -INFINITY;
	if (store->rounded)
		return least_of_rounded(least, distance, value);
	return distance - ROUNDING * fabs(distance);
}

double
hnsw_least_of_value(const HnswLeast *least, const uint8 *value, uint32 size)
{
	const MgEntryLayout *layout = &least->store->layout;
	double distance = layout->coded ? least_of_code(least, value) : least_of_plain(least, value, size);

	if (!isfinite(distance))
		return -INFINITY;
	return hnsw_kind_measure(least->store->kind, layout->coded, distance);
}

double
hnsw_least_of(const HnswLeast *least, const uint8 *entry)
{
	return hnsw_least_of_value(least, mg_entry_value(entry), mg_entry_value_size(entry));
}
