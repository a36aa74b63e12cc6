/* Bounded min-heap: the worst kept item is at the root, so that one comparison rejects most offers. */
#include "core/top_k.h"

#include <math.h>
#include <stdbool.h>

static bool
worse(MgScored a, MgScored b)
{
	return a.score < b.score || (a.score == b.score && a.id > b.id);
}

static void
sink_down(MgScored *items, size_t n, size_t parent)
{
	for (;;)
	{
		size_t child = 2 * parent + 1;
		MgScored moved = items[parent];

		if (child >= n)
			return;
		if (child + 1 < n && worse(items[child + 1], items[child]))
			child++;
		if (!worse(items[child], moved))
			return;
		items[parent] = items[child];
		items[child] = moved;
		parent = child;
	}
}

void
mg_top_k_offer(MgTopK *top, float score, int32_t id)
{
	MgScored offer = {score, id};

	if (top->k == 0 || isnan(score))
		return;
	if (top->n == top->k)
	{
		if (!worse(top->items[0], offer))
			return;
		top->items[0] = offer;
		sink_down(top->items, top->n, 0);
		return;
	}

	size_t child = top->n++;

	while (child > 0 && worse(offer, top->items[(child - 1) / 2]))
	{
		top->items[child] = top->items[(child - 1) / 2];
		child = (child - 1) / 2;
	}
	top->items[child] = offer;
}

void
mg_top_k_sort(MgTopK *top)
{
	for (size_t n = top->n; n > 1; n--)
	{
		MgScored worst = top->items[0];

		top->items[0] = top->items[n - 1];
		top->items[n - 1] = worst;
		sink_down(top->items, n - 1, 0);
	}
}
