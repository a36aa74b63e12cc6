/*
 * What a LIMIT keeps of a scan is sorted.
 *
 *   Limit                       Sort
 *     Index Scan       ->         Limit
 *                                   Index Scan
 *
 * A search by the graph may find a nearer row after a farther one has been returned: when a filter, a join or a large LIMIT asks for more
 * rows than it looked for at first. A scan alone could only return it out of order or leave it out. With the Sort on top it
 * returns it, the LIMIT is full of what was found first, and the result is in order. With an OFFSET this holds for each page:
 * pages are cut from one sequence of rows, so that none is on two of them, and each is in order by itself.
 *
 * That goes for whatever only hands rows on between the two: joins with the scan outside, partitions that are merged, subqueries,
 * row locks, a sort by more columns. What goes by the order itself (DISTINCT ON, GROUP BY, window functions, WITH TIES), and
 * whatever has no LIMIT, gets a scan in exact order from its first row: scan.c does that unless it is told (order.h).
 *
 * This is done on paths, where keys of sorts and their columns are the planner's business, after all others had their say.
 * Paths may be shared by others without a LIMIT, so those on the way are copied.
 */
#include "pg/hnsw/order.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/pathnode.h"
#include "optimizer/planner.h"
#include "miscadmin.h"
#include "pg/hnsw/cost.h"
#include "pg/hnsw/form.h"

static create_upper_paths_hook_type next_upper_paths;

static Path *told(Path *path);

/* A copy of a path. */
#define COPY(type, path) ((type *) memcpy(makeNode(type), (path), sizeof(type)))

/* A path whose input is told, NULL if there is nobody to tell. */
#define TELL_INPUT(type, path, input) \
	do \
	{ \
		Path *below = told(((type *) (path))->input); \
		type *copy; \
\
		if (below == NULL) \
			return NULL; \
		copy = COPY(type, path); \
		copy->input = below; \
		return (Path *) copy; \
	} while (0)

static bool
is_ours(const IndexPath *path)
{
	return path->indexorderbys != NIL && hnsw_form_is_index(path->indexinfo) && hnsw_cost_is_complete(path);
}

static Path *
told_index(const IndexPath *path)
{
	IndexPath *copy;

	if (!is_ours(path) || !IsA(linitial(path->indexorderbys), OpExpr))
		return NULL;
	copy = COPY(IndexPath, path);
	copy->indexorderbys = copyObject(path->indexorderbys);
	linitial_node(OpExpr, copy->indexorderbys)->inputcollid |= HNSW_SORTED_ABOVE;
	return (Path *) copy;
}

/* Those of several inputs that are ours; NIL if there are none. */
static List *
told_inputs(List *paths)
{
	List *inputs = NIL;
	bool any = false;
	ListCell *cell;

	foreach(cell, paths)
	{
		Path *input = told(lfirst(cell));

		any = any || input != NULL;
		inputs = lappend(inputs, input != NULL ? input : lfirst(cell));
	}
	return any ? inputs : NIL;
}

/* The same path with all scans of ours told whose rows it hands on; NULL if there is none. */
static Path *
told(Path *path)
{
	List *inputs;

	check_stack_depth();
	switch (nodeTag(path))
	{
		case T_IndexPath:
			return told_index((IndexPath *) path);
		case T_ProjectionPath:
			TELL_INPUT(ProjectionPath, path, subpath);
		case T_ProjectSetPath:
			TELL_INPUT(ProjectSetPath, path, subpath);
		case T_LockRowsPath:
			TELL_INPUT(LockRowsPath, path, subpath);
		case T_SubqueryScanPath:
			TELL_INPUT(SubqueryScanPath, path, subpath);
		case T_IncrementalSortPath:
			TELL_INPUT(IncrementalSortPath, path, spath.subpath);
		case T_NestPath:
			TELL_INPUT(NestPath, path, jpath.outerjoinpath);
		case T_MergeAppendPath:
			if ((inputs = told_inputs(((MergeAppendPath *) path)->subpaths)) == NIL)
				return NULL;
			path = (Path *) COPY(MergeAppendPath, path);
			((MergeAppendPath *) path)->subpaths = inputs;
			return path;
		case T_AppendPath:
			if ((inputs = told_inputs(((AppendPath *) path)->subpaths)) == NIL)
				return NULL;
			path = (Path *) COPY(AppendPath, path);
			((AppendPath *) path)->subpaths = inputs;
			return path;
		default:
			return NULL;
	}
}

/* The same rows, sorted; NULL if there is nothing to do. */
static Path *
sorted(PlannerInfo *root, RelOptInfo *rel, LimitPath *path)
{
	List *pathkeys = root->sort_pathkeys != NIL ? root->sort_pathkeys : path->subpath->pathkeys;
	LimitPath *limit;
	Path *below;

	if (path->limitOption != LIMIT_OPTION_COUNT || path->limitCount == NULL || pathkeys == NIL)
		return NULL;
	below = told(path->subpath);
	if (below == NULL)
		return NULL;
	limit = COPY(LimitPath, path);
	limit->subpath = below;
	return (Path *) create_sort_path(root, rel, &limit->path, pathkeys, -1);
}

static void
upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input, RelOptInfo *output, void *extra)
{
	ListCell *cell;

	if (next_upper_paths != NULL)
		next_upper_paths(root, stage, input, output, extra);
	if (stage != UPPERREL_FINAL)
		return;
	foreach(cell, output->pathlist)
	{
		Path *path = IsA(lfirst(cell), LimitPath) ? sorted(root, output, lfirst(cell)) : NULL;

		if (path != NULL)
			lfirst(cell) = path;
	}
}

void
hnsw_order_install(void)
{
	next_upper_paths = create_upper_paths_hook;
	create_upper_paths_hook = upper_paths;
}
