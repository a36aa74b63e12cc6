/* The nearest of many: selection while they are added, a heap when they are taken. */
#include "pg/hnsw/nearest.h"

#include "miscadmin.h"

#define FIRST_ROOM 256
#define POLL_EVERY 65536 /* steps through the heap: some 0.5 ms */

/* A total order, so that what one round keeps and what the next one brings make all. */
static inline bool
comes_before(const HnswNear *a, const HnswNear *b)
{
	return a->key < b->key || (a->key == b->key && a->id < b->id);
}

static inline void
swap(HnswNear *a, HnswNear *b)
{
	HnswNear other = *a;

	*a = *b;
	*b = other;
}

void
hnsw_nearest_init(HnswNearest *nearest, Size memory)
{
	memset(nearest, 0, sizeof *nearest);
	nearest->most = Max(memory, HNSW_NEAREST_LEAST_MEMORY) / (2 * sizeof(HnswNear));
	nearest->room = FIRST_ROOM;
	nearest->items = palloc(nearest->room * sizeof *nearest->items);
}

void
hnsw_nearest_start(HnswNearest *nearest)
{
	nearest->n = 0;
	nearest->further = false;
}

/* Moves the nearest ones to the front (Hoare's selection). */
static void
select_nearest(HnswNearest *nearest)
{
	HnswNear *items = nearest->items;
	int64 low = 0, high = (int64) nearest->n - 1, wanted = (int64) nearest->most;

	while (low < high)
	{
		HnswNear middle = items[low + (high - low) / 2];
		int64 i = low, k = high;

		CHECK_FOR_INTERRUPTS();
		do
		{
			while (comes_before(&items[i], &middle))
				i++;
			while (comes_before(&middle, &items[k]))
				k--;
			if (i <= k)
				swap(&items[i++], &items[k--]);
		} while (i <= k);
		if (wanted <= k)
			high = k;
		else if (wanted >= i)
			low = i;
		else
			return;
	}
}

static void
drop_farther(HnswNearest *nearest)
{
	select_nearest(nearest);
	nearest->n = nearest->most;
	nearest->further = true;
}

void
hnsw_nearest_reserve(HnswNearest *nearest, Size n)
{
	if (nearest->n >= 2 * nearest->most)
		drop_farther(nearest);
	if (nearest->n + n <= nearest->room)
		return;
	nearest->room = Max(2 * nearest->room, nearest->n + n);
	nearest->items = repalloc_huge(nearest->items, nearest->room * sizeof *nearest->items);
}

void
hnsw_nearest_add(HnswNearest *nearest, double key, uint64 id)
{
	HnswNear item = {key, id};

	if (!nearest->given || comes_before(&nearest->after, &item))
		nearest->items[nearest->n++] = item;
}

static void
sink(HnswNear *items, Size n, Size i)
{
	HnswNear one = items[i];

	for (Size child = 2 * i + 1; child < n; child = 2 * i + 1)
	{
		if (child + 1 < n && comes_before(&items[child + 1], &items[child]))
			child++;
		if (!comes_before(&items[child], &one))
			break;
		items[i] = items[child];
		i = child;
	}
	items[i] = one;
}

void
hnsw_nearest_finish(HnswNearest *nearest)
{
	if (nearest->n > nearest->most)
		drop_farther(nearest);
	for (Size i = 0; i < nearest->n && nearest->further; i++)
	{
		if (!nearest->given || comes_before(&nearest->after, &nearest->items[i]))
			nearest->after = nearest->items[i];
		nearest->given = true;
	}
	for (Size i = nearest->n / 2; i-- > 0;)
	{
		sink(nearest->items, nearest->n, i);
		if (i % POLL_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

HnswNear
hnsw_nearest_take(HnswNearest *nearest)
{
	HnswNear first = nearest->items[0];

	nearest->items[0] = nearest->items[--nearest->n];
	if (nearest->n > 1)
		sink(nearest->items, nearest->n, 0);
	return first;
}
