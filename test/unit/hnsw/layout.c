/* Entries and single changes of them; shapes and bytes that are none. */
#include "hnsw/layout.h"

#include "cli/host.h"
#include "unit/tap.h"

static MgCtx cx;

static MgEntryLayout
layout_of(uint32_t m)
{
	MgShape shape = {.metric = MG_GRAPH_L2, .dims = 100, .code_bits = 96, .m = m, .item_size = 6, .max_items = 3};
	MgEntryLayout layout = {.coded = false};

	ok(mg_layout_init(&cx, &layout, &shape), "a layout");
	return layout;
}

static void
test_shapes(void)
{
	static const MgShape bad[] = {
		{MG_GRAPH_L2, 0, 64, 0, 16, 6, 2},		   {MG_GRAPH_L2, MG_MAX_DIMS + 1, 64, 0, 16, 6, 2},
		{MG_GRAPH_L2, 100, 48, 0, 16, 6, 2},	   {MG_GRAPH_L2, 100, 144, 0, 16, 6, 2},
		{MG_GRAPH_L2, 100, 100, 0, 16, 6, 2},	   {MG_GRAPH_L2, 100, 64, 0, 1, 6, 2},
		{MG_GRAPH_L2, 100, 64, 0, 101, 6, 2},	   {MG_GRAPH_L2, 100, 64, 0, 16, 6, 0},
		{MG_GRAPH_L2, 100, 64, 0, 16, 6, 256},	   {MG_GRAPH_L2, 100, 64, 0, 16, 0, 2},
		{MG_GRAPH_PLAIN, 0, 0, 0, 16, 6, 2},	   {MG_GRAPH_PLAIN, 0, 0, 65536, 16, 6, 2},
		{(MgGraphMetric) 7, 100, 64, 0, 16, 6, 2}, {(MgGraphMetric) -1, 100, 64, 0, 16, 6, 2}};
	MgEntryLayout layout;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
	{
		mg_ctx_reset(&cx);
		ok(!mg_layout_init(&cx, &layout, &bad[i]) && cx.error.code == MG_BAD_ARGUMENT, "shape %zu is refused", i);
	}
	mg_ctx_reset(&cx);
}

static void
test_code_bits(void)
{
	static const uint32_t dims[] = {1, 3, 64, 100, 384, 768, 1024, 1536, 2000, 3072, 4096, 8192, 16000};

	for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
	{
		MgShape shape = {.metric = MG_GRAPH_L2, .dims = dims[i], .m = 16, .item_size = 6, .max_items = 2};
		MgEntryLayout layout;

		shape.code_bits = mg_layout_code_bits(&shape, 8160, 4);
		if (dims[i] > 8192)
		{
			printf("# %u dimensions: %u bits\n", dims[i], shape.code_bits);
			continue;
		}
		ok(mg_layout_init(&cx, &layout, &shape) && layout.entry_size[0] + 4 <= 8160, "%u dimensions fit a page", dims[i]);
		printf("# %u bits, %u bytes, above level 0 %u: %u on a page\n", shape.code_bits, layout.entry_size[0],
			   layout.entry_size[1], 8160 / (layout.entry_size[0] + 4));
	}
}

/* With m = 16, five entries of 384 dimensions share a page, three of 768, and two of 1536. */
static void
test_page(void)
{
	MgShape shape = {.metric = MG_GRAPH_L2, .dims = 384, .m = 16, .item_size = 6, .max_items = 2};
	MgEntryLayout layout;

	shape.code_bits = mg_layout_code_bits(&shape, 8160, 4);
	mg_layout_init(&cx, &layout, &shape);
	is_int(shape.code_bits, 272, "384 dimensions: 272 bits");
	ok(5 * (layout.entry_size[0] + 4) <= 8160, "five entries fit a page");
	shape.dims = 768;
	shape.code_bits = mg_layout_code_bits(&shape, 8160, 4);
	mg_layout_init(&cx, &layout, &shape);
	is_int(shape.code_bits, 496, "768 dimensions: 496 bits");
	ok(3 * (layout.entry_size[0] + 4) <= 8160, "three entries fit a page");
	shape.dims = 1536;
	shape.code_bits = mg_layout_code_bits(&shape, 8160, 4);
	mg_layout_init(&cx, &layout, &shape);
	ok(shape.code_bits >= 700 && 2 * (layout.entry_size[0] + 4) <= 8160, "1536 dimensions: two entries, %u bits", shape.code_bits);
	shape.dims = 448;
	shape.code_bits = mg_layout_code_bits(&shape, 8160, 4);
	mg_layout_init(&cx, &layout, &shape);
	ok(4 * (layout.entry_size[0] + 4) + layout.entry_size[1] + 4 <= 8160, "448 dimensions: four and one from above");
	shape.dims = 64;
	is_int(mg_layout_code_bits(&shape, 8160, 4), 64, "64 bits are the fewest");
	is_int(mg_layout_code_bits(&shape, 400, 4), 0, "where no entry fits there is no answer");
}

static void
link_to(const MgEntryLayout *layout, uint8_t *link, uint32_t id)
{
	memset(link, (int) id, layout->link_size);
	memcpy(link, &id, sizeof id);
}

static void
test_edges(void)
{
	MgEntryLayout layout = layout_of(2);
	uint8_t entry[1024], value[80] = {0}, link[64], before[1024];
	MgEdge edge = {.target = 1, .link = link};

	mg_entry_start(&layout, entry, 0, value, sizeof value);
	for (uint32_t i = 0; i < 4; i++)
	{
		link_to(&layout, link, 10 + i);
		edge.slot = i;
		edge.expected = MG_NO_NODE;
		is_int(mg_edge_apply(&layout, entry, &edge), MG_APPLIED, "link %u is appended", i);
	}
	memcpy(before, entry, sizeof entry);
	is_int(mg_edge_apply(&layout, entry, &edge), MG_NOT_NEEDED, "a link that is there is not needed again");
	link_to(&layout, link, 20);
	edge.slot = 4;
	is_int(mg_edge_apply(&layout, entry, &edge), MG_CHANGED, "a full entry takes no more");
	edge.slot = 3;
	is_int(mg_edge_apply(&layout, entry, &edge), MG_CHANGED, "an entry that has grown is not what the plan saw");
	edge.slot = 1;
	edge.expected = 99;
	is_int(mg_edge_apply(&layout, entry, &edge), MG_CHANGED, "nor is a slot with another link");
	edge.slot = 7;
	is_int(mg_edge_apply(&layout, entry, &edge), MG_CHANGED, "nor one that is not in use");
	ok(memcmp(before, entry, sizeof entry) == 0, "none of that changed the entry");
	edge.slot = 1;
	edge.expected = 11;
	is_int(mg_edge_apply(&layout, entry, &edge), MG_APPLIED, "a link is replaced");
	ok(memcmp(mg_entry_link(&layout, entry, 1), link, layout.link_size) == 0, "by all bytes of the new one");
	edge = (MgEdge){.target = 1, .slot = 0, .expected = 10, .link = NULL};
	is_int(mg_edge_apply(&layout, entry, &edge), MG_APPLIED, "a link is removed");
	ok(mg_entry_n_links(entry) == 3 && mg_entry_link_id(&layout, entry, 0) == 13, "the last one takes its place");
	edge = (MgEdge){.target = 1, .slot = 2, .expected = 12, .link = NULL};
	is_int(mg_edge_apply(&layout, entry, &edge), MG_APPLIED, "the last one is removed");
	is_int(mg_entry_n_links(entry), 2, "then there are two");
	mg_entry_delete(entry);
	edge = (MgEdge){.target = 1, .slot = 0, .expected = 13, .link = NULL};
	is_int(mg_edge_apply(&layout, entry, &edge), MG_NOT_NEEDED, "a deleted entry is left alone");
}

static bool
is_second(void *user, const void *item)
{
	return memcmp(item, user, 6) == 0;
}

static bool
is_any(void *user, const void *item)
{
	(void) user;
	(void) item;
	return true;
}

static void
test_items(void)
{
	MgEntryLayout layout = layout_of(2);
	uint8_t entry[1024], value[80] = {0};

	mg_entry_start(&layout, entry, 0, value, sizeof value);
	ok(mg_entry_add_item(&layout, entry, "first") && mg_entry_add_item(&layout, entry, "secnd") &&
	   mg_entry_add_item(&layout, entry, "third"), "an entry takes three items");
	ok(!mg_entry_add_item(&layout, entry, "forth"), "and no more");
	is_int(mg_entry_remove_items(&layout, entry, is_second, "secnd"), 1, "one is removed");
	ok(memcmp(mg_entry_item(&layout, entry, 1), "third", 6) == 0 && !mg_entry_deleted(entry), "the others stay");
	is_int(mg_entry_remove_items(&layout, entry, is_any, NULL), 2, "the others are removed");
	ok(mg_entry_deleted(entry) && !mg_entry_add_item(&layout, entry, "fifth"), "without items it is deleted, for good");
	ok(mg_entry_valid(&layout, entry, layout.entry_size[0]), "and valid");
}

/* Each byte of the header takes each value: what is accepted stays inside the entry. */
static void
test_hostile(void)
{
	MgEntryLayout layout = layout_of(4);
	uint8_t entry[1024], value[80] = {0};
	bool inside = true;
	int n_valid = 0;

	for (int at = 0; at < MG_ENTRY_HEADER; at++)
		for (int byte = 0; byte < 256; byte++)
			for (int level = 0; level < 2; level++)
			{
				uint32_t size = mg_entry_size(&layout, level);

				mg_entry_start(&layout, entry, level, value, sizeof value);
				entry[at] = (uint8_t) byte;
				if (!mg_entry_valid(&layout, entry, size))
					continue;
				n_valid++;
				inside = inside &&
					mg_entry_link(&layout, entry, mg_entry_n_links(entry)) <= entry + size &&
					mg_entry_item(&layout, entry, mg_entry_n_items(entry)) <= entry + layout.links_at[0] &&
					mg_entry_value_size(entry) <= layout.value_size;
			}
	ok(inside, "a header that is accepted keeps within the entry (%d are)", n_valid);
	mg_entry_start(&layout, entry, 0, value, sizeof value);
	ok(!mg_entry_valid(&layout, entry, layout.entry_size[0] - 1), "an entry that is cut short is not valid");
	ok(!mg_entry_valid(&layout, entry, 3), "nor is half a header");
}

int
main(void)
{
	mg_ctx_init(&cx, &cli_host);
	test_shapes();
	test_code_bits();
	test_page();
	test_edges();
	test_items();
	test_hostile();
	mg_ctx_free(&cx);
	return done();
}
