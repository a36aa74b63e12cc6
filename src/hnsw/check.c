#include "hnsw/check.h"

#include <math.h>
#include <stdio.h>

#include "hnsw/ways.h"

#define POLL_EVERY 64 /* entries */

/* What is remembered of an entry. */
typedef struct Seat
{
	uint32_t id;
	uint8_t level;
	bool deleted, reached, led_to; /* from the entry point by links, by ways */
} Seat;

typedef struct Checker
{
	MgCtx *cx;
	const MgGraph *graph;
	const MgComplaints *complaints;
	MgChecked *checked;
	Seat *seats; /* [n], by id */
	uint32_t n, room;
	uint8_t *entry, *other;
	float *decoded;
} Checker;

static void __attribute__((format(printf, 3, 4)))
complain(Checker *checker, uint32_t id, const char *format, ...)
{
	char text[200];
	va_list arguments;

	checker->checked->violations++;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (checker->complaints != NULL)
		checker->complaints->hear(checker->complaints->user, id, text);
}

static Seat *
seat_of(const Checker *checker, uint32_t id)
{
	uint32_t low = 0, high = checker->n;

	while (low < high)
	{
		uint32_t middle = low + (high - low) / 2;

		if (checker->seats[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < checker->n && checker->seats[low].id == id ? &checker->seats[low] : NULL;
}

static bool
read_entry(Checker *checker, uint32_t id, uint8_t *entry, bool *found)
{
	return checker->graph->store.read(checker->graph->store.user, checker->cx, id, entry, found);
}

static bool
take_seat(Checker *checker, uint32_t id)
{
	bool found;

	if (!read_entry(checker, id, checker->entry, &found))
		return false;
	if (!found || !mg_entry_valid(checker->graph->layout, checker->entry, checker->graph->layout->entry_size[0]))
	{
		complain(checker, id, "the entry cannot be read");
		return true;
	}
	if (checker->n == checker->room)
	{
		uint32_t room = checker->room == 0 ? 1024 : 2 * checker->room;
		Seat *seats = mg_alloc_array(checker->cx, room, sizeof *seats);

		if (seats == NULL)
			return false;
		if (checker->n > 0)
			memcpy(seats, checker->seats, checker->n * sizeof *seats);
		checker->seats = seats;
		checker->room = room;
	}
	checker->seats[checker->n++] = (Seat){id, (uint8_t) mg_entry_level(checker->entry),
										  mg_entry_deleted(checker->entry), false, false};
	return true;
}

static void
check_items(Checker *checker, const Seat *seat)
{
	uint32_t n = mg_entry_n_items(checker->entry);

	if (seat->deleted && n > 0)
		complain(checker, seat->id, "the entry is deleted and has %u items", n);
	if (!seat->deleted && seat->level == 0 && n == 0 && mg_entry_more(checker->entry) == MG_NO_NODE)
		complain(checker, seat->id, "the entry has no items and is not deleted");
}

static void
check_value(Checker *checker, const Seat *seat)
{
	const MgEntryLayout *layout = checker->graph->layout;
	float square;

	if (!layout->coded)
		return;
	mg_code_decode(layout, mg_entry_value(checker->entry), checker->decoded);
	memcpy(&square, mg_entry_value(checker->entry) + 4, sizeof square);
	for (uint32_t i = 0; i < layout->padded; i++)
		if (!isfinite(checker->decoded[i]) || !isfinite(square))
		{
			complain(checker, seat->id, "the entry's own code is not finite");
			return;
		}
}

static void
check_links(Checker *checker, const Seat *seat)
{
	const MgEntryLayout *layout = checker->graph->layout;
	uint32_t n = mg_entry_n_links(checker->entry);

	for (uint32_t slot = 0; slot < n; slot++)
	{
		uint32_t id = mg_entry_link_id(layout, checker->entry, slot);
		const Seat *target = seat_of(checker, id);

		if (id == seat->id)
			complain(checker, seat->id, "the entry has a link to itself");
		for (uint32_t i = 0; i < slot; i++)
			if (mg_entry_link_id(layout, checker->entry, i) == id)
				complain(checker, seat->id, "the entry has two links to %u", id);
		if (target == NULL)
			complain(checker, seat->id, "a link leads to %u, where no entry is", id);
		else if (target->level != seat->level)
			complain(checker, seat->id, "a link leads from level %u to %u on level %u", seat->level, id, target->level);
		else if (target->deleted && !seat->deleted)
			checker->checked->dead_links++;
		if (layout->coded && !mg_code_link_finite(mg_entry_link(layout, checker->entry, slot)))
			complain(checker, seat->id, "the factors of the link to %u are not finite", id);
	}
	if (seat->level == 0)
		checker->checked->links += n;
}

static bool
check_below(Checker *checker, const Seat *seat)
{
	uint32_t below = mg_entry_below(checker->entry), size = mg_entry_value_size(checker->entry);
	const Seat *target = seat_of(checker, below);
	bool found;

	if (seat->level == 0)
		return true;
	/* A node's entries are freed one by one: of one that is deleted, the lower ones may be gone. */
	if (seat->deleted)
		return true;
	if (target == NULL || target->level != seat->level - 1)
	{
		complain(checker, seat->id, "the way down leads to %u, where no entry of level %d is", below, seat->level - 1);
		return true;
	}
	if (!read_entry(checker, below, checker->other, &found))
		return false;
	if (!found || mg_entry_value_size(checker->other) != size ||
		memcmp(mg_entry_value(checker->other), mg_entry_value(checker->entry), size) != 0)
		complain(checker, seat->id, "the way down leads to %u, which has another value", below);
	checker->checked->dead_links += target->deleted;
	return true;
}

/* Ways of entries that are not deleted. One to a deleted entry that vacuum has not come to the end of has its way back as well. */
static bool
check_ways(Checker *checker, const Seat *seat)
{
	const MgEntryLayout *layout = checker->graph->layout;

	for (uint32_t way = 0; !seat->deleted && way < mg_entry_n_ways(checker->entry); way++)
	{
		uint32_t id = mg_entry_link_id(layout, checker->entry, way);
		bool found;

		if (!read_entry(checker, id, checker->other, &found))
			return false;
		if (!found || !mg_way_is(layout, checker->other, seat->id))
			complain(checker, seat->id, "the way to %u has no way back", id);
	}
	return true;
}

static bool
check_seat(Checker *checker, const Seat *seat)
{
	bool found;

	if (!read_entry(checker, seat->id, checker->entry, &found))
		return false;
	if (!found)
		return true;
	checker->checked->entries[seat->level]++;
	if (seat->deleted)
		checker->checked->deleted++;
	else if (seat->level == 0)
		checker->checked->nodes++;
	check_items(checker, seat);
	check_value(checker, seat);
	check_links(checker, seat);
	return check_ways(checker, seat) && check_below(checker, seat);
}

static bool
check_entry_point(Checker *checker, uint32_t *id)
{
	const MgStore *store = &checker->graph->store;
	const Seat *seat;
	bool any_live = false;
	int level;

	if (!store->entry_point(store->user, checker->cx, id, &level))
		return false;
	for (uint32_t i = 0; i < checker->n; i++)
		any_live = any_live || !checker->seats[i].deleted;
	seat = *id == MG_NO_NODE ? NULL : seat_of(checker, *id);
	if (*id != MG_NO_NODE && (seat == NULL || seat->level != level))
		complain(checker, *id, "the entry point is not an entry of level %d", level);
	else if (*id == MG_NO_NODE && any_live)
		complain(checker, *id, "the graph has entries and no entry point");
	if (seat == NULL)
		*id = MG_NO_NODE;
	return true;
}

/* Adds the seat of an id on a level to the queue, unless it was reached. ways: by ways, else by links. */
static void
reach(Checker *checker, uint32_t *queue, uint32_t *n, uint32_t id, int level, bool ways)
{
	Seat *seat = seat_of(checker, id);
	bool *reached = seat == NULL ? NULL : ways ? &seat->led_to : &seat->reached;

	if (seat == NULL || *reached || seat->level != level)
		return;
	*reached = true;
	queue[(*n)++] = id;
}

/* Everything on its level that links, or ways, lead to from an entry; those of deleted entries count. */
static bool
spread(Checker *checker, uint32_t *queue, uint32_t start, int level, bool ways)
{
	uint32_t n = 0;
	bool found;

	reach(checker, queue, &n, start, level, ways);
	for (uint32_t i = 0; i < n; i++)
	{
		if (!read_entry(checker, queue[i], checker->entry, &found) || (i % POLL_EVERY == 0 && !mg_poll(checker->cx)))
			return false;
		for (uint32_t slot = 0;
			 found && slot < (ways ? mg_entry_n_ways(checker->entry) : mg_entry_n_links(checker->entry)); slot++)
			reach(checker, queue, &n, mg_entry_link_id(checker->graph->layout, checker->entry, slot), level, ways);
	}
	return true;
}

/* Level by level down from the entry point. */
static bool
check_reach(Checker *checker, uint32_t id)
{
	uint32_t *queue = mg_alloc_array(checker->cx, checker->n, sizeof *queue);
	bool found = true;

	if (queue == NULL)
		return false;
	/* Ways down may lead in a circle. */
	for (int steps = 0; id != MG_NO_NODE && found && steps <= MG_MAX_LEVEL; steps++)
	{
		const Seat *seat = seat_of(checker, id);

		if (seat == NULL)
			break;
		if (!spread(checker, queue, id, seat->level, true) ||
			(seat->level == 0 && !spread(checker, queue, id, 0, false)) ||
			!read_entry(checker, id, checker->entry, &found))
			return false;
		id = found && mg_entry_level(checker->entry) > 0 ? mg_entry_below(checker->entry) : MG_NO_NODE;
	}
	for (uint32_t i = 0; i < checker->n; i++)
	{
		const Seat *seat = &checker->seats[i];

		if (!seat->deleted && !seat->led_to)
			complain(checker, seat->id, "no ways lead to the entry from the entry point");
		checker->checked->unreachable += seat->level == 0 && !seat->deleted && !seat->reached;
	}
	return true;
}

bool
mg_check(MgCtx *cx, const MgGraph *graph, bool (*next)(void *user, MgCtx *cx, uint32_t *id), void *user,
		 const MgComplaints *complaints, MgChecked *checked)
{
	Checker checker = {.cx = cx, .graph = graph, .complaints = complaints, .checked = checked};
	uint32_t id;

	*checked = (MgChecked){0};
	checker.entry = mg_alloc(cx, graph->layout->entry_size[0]);
	checker.other = mg_alloc(cx, graph->layout->entry_size[0]);
	checker.decoded = mg_alloc_array(cx, graph->layout->padded, sizeof *checker.decoded);
	if (checker.entry == NULL || checker.other == NULL || checker.decoded == NULL)
		return false;
	for (;;)
	{
		if (!next(user, cx, &id))
			return false;
		if (id == MG_NO_NODE)
			break;
		if (!take_seat(&checker, id) || (checker.n % POLL_EVERY == 0 && !mg_poll(cx)))
			return false;
	}
	for (uint32_t i = 0; i < checker.n; i++)
		if (!check_seat(&checker, &checker.seats[i]) || (i % POLL_EVERY == 0 && !mg_poll(cx)))
			return false;
	return check_entry_point(&checker, &id) && check_reach(&checker, id);
}
