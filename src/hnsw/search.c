#include "hnsw/search.h"

#include <math.h>

#include "hnsw/beam.h"

struct MgSearch
{
	MgBeam beam;
	MgFound *found;
	size_t room;
	uint32_t widest_ef, next_ef; /* next_ef: of the next batch; 0: twice that of the one before */
	bool begun, empty;
};

MgSearch *
mg_search_begin(MgCtx *cx, const MgGraph *graph, const MgQuery *query, const MgSearchOptions *options)
{
	MgSearch *search = mg_alloc_zeroed(cx, 1, sizeof *search);

	if (search == NULL || !mg_beam_init(cx, &search->beam, graph, query, options->ef > 0 ? options->ef : 1))
		return NULL;
	search->beam.max_expanded = options->max_expanded;
	search->beam.max_memory = options->max_memory;
	search->widest_ef = options->widest_ef;
	search->beam.radius = isnan(options->radius) ? -INFINITY : options->radius;
	return search;
}

/* Results that did not fit ef but are within the radius go with this batch. */
static bool
take_within(MgBeam *beam)
{
	size_t kept = 0;

	for (size_t i = 0; i < beam->leftover.n; i++)
	{
		MgKnown known = beam->leftover.items[i];

		if (known.distance > beam->radius)
			beam->leftover.items[kept++] = known;
		else if (!mg_beam_add_beyond(beam, known))
			return false;
	}
	beam->leftover.n = kept;
	return true;
}

static bool
fill_found(MgCtx *cx, MgSearch *search)
{
	const MgBeam *beam = &search->beam;

	if (beam->top.n > search->room)
	{
		search->room = beam->top.n;
		search->found = mg_alloc_array(cx, search->room, sizeof *search->found);
		if (search->found == NULL)
			return false;
	}
	for (size_t i = 0; i < beam->top.n; i++)
	{
		const MgKnown *known = &beam->top.items[i];
		const uint8_t *record = mg_beam_record(beam, known);

		search->found[i] = (MgFound){.distance = known->distance,
									 .id = known->id,
									 .n_items = mg_entry_n_items(record),
									 .items = record + MG_ENTRY_HEADER + beam->graph->layout->value_size,
									 .more = mg_entry_more(record)};
	}
	return true;
}

bool
mg_search_next(MgCtx *cx, MgSearch *search, const MgFound **found, size_t *n)
{
	MgBeam *beam = &search->beam;

	*n = 0;
	*found = NULL;
	beam->cx = cx;
	if (!search->begun)
	{
		int reached;

		if (!mg_beam_descend(beam, 0, &reached))
			return false;
		search->begun = true;
		search->empty = reached < 0;
	}
	else if (!search->empty)
	{
		if (search->next_ef > 0)
			beam->ef = search->next_ef;
		else if (beam->ef < search->widest_ef)
			beam->ef = beam->ef < search->widest_ef / 2 ? 2 * beam->ef : search->widest_ef;
		search->next_ef = 0;
		beam->far = beam->graph->layout->coded;
		if (!mg_beam_resume(beam))
			return false;
	}
	if (search->empty)
		return true;
	if (!mg_beam_run(beam) || !take_within(beam))
		return false;
	mg_beam_sort(beam);
	if (!fill_found(cx, search))
		return false;
	*found = search->found;
	*n = beam->top.n;
	return true;
}

void
mg_search_narrow(MgSearch *search, uint32_t ef)
{
	uint32_t most = search->widest_ef > search->beam.ef ? search->widest_ef : search->beam.ef;

	search->next_ef = ef < 1 ? 1 : ef > most ? most : ef;
}

void
mg_search_limit(MgSearch *search, uint64_t max_expanded)
{
	search->beam.max_expanded = max_expanded;
}

bool
mg_search_bounded(const MgSearch *search)
{
	return search->beam.bounded;
}

const MgCounts *
mg_search_counts(const MgSearch *search)
{
	return &search->beam.counts;
}
