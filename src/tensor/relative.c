/* Scores by distance. */
#include "tensor/relative.h"

#include <math.h>

#include "tensor/kernels.h"

void
mg_relative_buckets(uint32_t n, uint32_t most, uint32_t reach, uint32_t *places)
{
	uint32_t half = n / 2, exact = half / 2;
	float range = (float) log((double) most / exact), steps = (float) (half - exact);

	for (uint32_t i = 0; i <= 2 * reach; i++)
	{
		uint32_t distance = i > reach ? i - reach : reach - i, place = distance;

		if (distance >= exact)
		{
			float step = logf((float) distance / (float) exact) / range * steps;

			place = exact + (step < (float) half ? (uint32_t) step : half);
			place = place < half ? place : half - 1;
		}
		places[i] = place + (i > reach ? half : 0);
	}
}

void
mg_relative_log_buckets(uint32_t n, uint32_t most, uint32_t reach, uint32_t *places)
{
	uint32_t middle = n / 2;
	float range = most > 0 ? logf((float) ((double) (most - 1) / middle)) : 1;

	for (uint32_t i = 0; i <= 2 * reach; i++)
	{
		uint32_t distance = i > reach ? i - reach : reach - i;
		int64_t bucket = distance;

		if (most > 0 && distance > middle)
			bucket = (int64_t) ceilf(logf((float) distance / (float) middle) / range * (float) (middle - 1)) + middle;
		bucket = i > reach ? -bucket : bucket;
		bucket = bucket < -(int64_t) n ? -(int64_t) n : bucket >= n ? (int64_t) n - 1 : bucket;
		places[i] = (uint32_t) (bucket + n);
	}
}

static uint32_t
place_of(const MgRelative *r, int64_t distance)
{
	int64_t reach = r->reach;

	return r->places[(distance < -reach ? -reach : distance > reach ? reach : distance) + reach];
}

static size_t
up_to_panel(size_t n)
{
	return (n + MG_PANEL - 1) / MG_PANEL * MG_PANEL;
}

/* Distances and places that occur, and t along the distances. */
static bool
look_along(MgCtx *cx, MgRelativeWork *work, const uint32_t query_positions[2])
{
	const MgAttention *a = work->a;
	const MgRelative *r = a->relative;
	bool in_order = a->key_positions == NULL;
	int64_t first = in_order ? 0 : a->key_positions[0], last = in_order ? (int64_t) a->n_keys - 1 : a->key_positions[a->n_keys - 1];
	int64_t most = last - query_positions[0], reach = r->reach;
	int64_t from, to;
	uint32_t least_place = UINT32_MAX, most_place = 0;

	work->least = first - query_positions[1];
	work->n_distances = (size_t) (most - work->least + 1);
	from = work->least < -reach ? -reach : work->least > reach ? reach : work->least;
	to = most < -reach ? -reach : most > reach ? reach : most;
	for (int64_t d = from; d <= to; d++)
	{
		uint32_t place = place_of(r, d);

		least_place = place < least_place ? place : least_place;
		most_place = place > most_place ? place : most_place;
	}
	work->first = least_place;
	work->n = most_place - least_place + 1;
	if (!in_order)
		return true;
	work->where = mg_alloc_array(cx, work->n_distances, sizeof *work->where);
	if (r->bias != NULL)
	{
		work->lines = work->n_distances < SIZE_MAX / sizeof(float) ? mg_alloc_array(cx, a->heads, work->n_distances * sizeof(float)) : NULL;
		if (work->lines == NULL)
			return false;
	}
	for (size_t d = 0; d < work->n_distances && work->where != NULL; d++)
	{
		uint32_t place = place_of(r, work->least + (int64_t) d);

		work->where[d] = place - least_place;
		for (size_t h = 0; h < a->heads && r->bias != NULL; h++)
			work->lines[h * work->n_distances + d] = r->bias[place * a->heads + h];
	}
	return work->where != NULL;
}

bool
mg_relative_prepare(MgCtx *cx, MgRelativeWork *work, size_t n_heads, size_t threads, const uint32_t query_positions[2])
{
	const MgAttention *a = work->a;
	const MgRelative *r = a->relative;
	size_t heads = n_heads * work->group, panels, answers, asked;

	if (!look_along(cx, work, query_positions))
		return false;
	if (!mg_multiply(2 * up_to_panel(work->n), a->head_size, &panels) || !mg_multiply(panels, heads, &panels) ||
		!mg_multiply(work->n, a->n_keys, &answers) || !mg_multiply(answers, heads, &answers) ||
		!mg_multiply(work->n, work->block, &asked) || !mg_multiply(asked, threads, &asked))
		return mg_fail(cx, MG_TOO_LARGE, "attention over %zu keys at %zu distances is too large", a->n_keys, work->n);
	work->panels = mg_alloc_array(cx, r->keys != NULL || r->queries != NULL ? panels : 0, sizeof(float));
	work->answers = mg_alloc_array(cx, r->queries != NULL ? answers : 0, sizeof(float));
	work->asked = mg_alloc_array(cx, r->keys != NULL ? asked : 0, sizeof(float));
	return work->panels != NULL && work->answers != NULL && work->asked != NULL;
}

/* The places that occur of one head, as columns of a product. */
static void
pack(const MgRelativeWork *work, const float *from, size_t head, float *panels)
{
	const MgAttention *a = work->a;
	size_t d = a->head_size, stride = a->relative->stride;

	for (size_t p = 0; p < up_to_panel(work->n); p++)
	{
		float *column = panels + p / MG_PANEL * MG_PANEL * d + p % MG_PANEL;
		const float *row = from + (work->first + p) * stride + head * d;

		for (size_t k = 0; k < d; k++)
			column[k * MG_PANEL] = p < work->n ? row[k] : 0.0f;
	}
}

static float *
panels_of(const MgRelativeWork *work, size_t packed, size_t which)
{
	return work->panels + (2 * packed + which) * up_to_panel(work->n) * work->a->head_size;
}

void
mg_relative_pack(const MgRelativeWork *work, size_t packed, size_t head)
{
	const MgAttention *a = work->a;
	const MgRelative *r = a->relative;
	size_t d = a->head_size;

	for (size_t i = 0; i < work->group; i++)
	{
		size_t at = packed * work->group + i, query_head = head * work->group + i;

		if (r->keys != NULL)
			pack(work, r->keys, query_head, panels_of(work, at, 0));
		if (r->queries == NULL)
			continue;
		pack(work, r->queries, query_head, panels_of(work, at, 1));
		work->kernels->panel_product(&(MgProduct){
			.x = a->k + head * d, .x_stride = a->k_stride, .rows = a->n_keys, .depth = d, .w = panels_of(work, at, 1),
			.w_stride = d * MG_PANEL, .columns = work->n, .out = work->answers + at * a->n_keys * work->n, .out_stride = work->n,
		});
	}
}

void
mg_relative_ask(const MgRelativeWork *work, size_t packed, size_t head, size_t query, size_t n, size_t thread)
{
	const MgAttention *a = work->a;
	size_t d = a->head_size;

	if (a->relative->keys == NULL)
		return;
	work->kernels->panel_product(&(MgProduct){
		.x = a->q + query * a->q_stride + head * d, .x_stride = a->q_stride, .rows = n, .depth = d, .w = panels_of(work, packed, 0),
		.w_stride = d * MG_PANEL, .columns = work->n, .out = work->asked + thread * work->block * work->n, .out_stride = work->n,
	});
}

/* The place of key j of scores, counted from the first that occurs. */
static size_t
where_is(const MgRelativeWork *work, const MgScores *scores, size_t j)
{
	size_t key = scores->first + j;

	if (work->where != NULL)
		return work->where[(size_t) ((int64_t) key - scores->position - work->least)];
	return place_of(work->a->relative, (int64_t) scores->key_positions[key] - scores->position) - work->first;
}

void
mg_relative_add(const MgRelativeWork *work, size_t packed, size_t i, size_t thread, const MgScores *scores)
{
	const MgRelative *r = work->a->relative;
	const float *asked = work->asked + (thread * work->block + i) * work->n;
	const float *answers = work->answers + (packed * work->a->n_keys + scores->first) * work->n;

	for (size_t j = 0; j < scores->n && r->keys != NULL; j++)
		scores->scores[j] += asked[where_is(work, scores, j)];
	for (size_t j = 0; j < scores->n && r->queries != NULL; j++)
		scores->scores[j] += answers[j * work->n + where_is(work, scores, j)];
}

void
mg_relative_bias(const MgRelativeWork *work, const MgScores *scores)
{
	const MgRelative *r = work->a->relative;

	if (work->lines != NULL)
		work->kernels->add(scores->scores,
						   work->lines + scores->head * work->n_distances +
							   (size_t) ((int64_t) scores->first - scores->position - work->least), scores->n);
	for (size_t j = 0; j < scores->n && work->lines == NULL && r->bias != NULL; j++)
		scores->scores[j] += r->bias[(work->first + where_is(work, scores, j)) * work->a->heads + scores->head];
}
