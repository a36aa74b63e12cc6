/* What differs between the majors that are supported, 15 to 18; the only place that asks for PG_VERSION_NUM. */
#ifndef MASKGEN_PG_COMPAT_H
#define MASKGEN_PG_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "maskgen needs PostgreSQL 15 or later"
#endif

/* VARDATA_ANY and its kin moved out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* The planner's idea of how many elements an array will have; it takes the statistics of columns into account since 17. */
#if PG_VERSION_NUM >= 170000
#define compat_array_length(root, node) estimate_array_length(root, node)
#else
#define compat_array_length(root, node) estimate_array_length(node)
#endif

/* When an action of MERGE is for a row; and ON, where it decides between two kinds. Since 17 rows of the target without a source are a kind. */
#if PG_VERSION_NUM >= 170000
#define COMPAT_MATCHED MERGE_WHEN_MATCHED
#define COMPAT_NOT_MATCHED MERGE_WHEN_NOT_MATCHED_BY_TARGET
#define COMPAT_NOT_MATCHED_BY_SOURCE MERGE_WHEN_NOT_MATCHED_BY_SOURCE
#define compat_match_kind(action) ((int) (action)->matchKind)
#define compat_join_condition(modify, n) ((List *) list_nth((modify)->mergeJoinConditions, n))
#else
#define COMPAT_MATCHED 0
#define COMPAT_NOT_MATCHED 1
#define COMPAT_NOT_MATCHED_BY_SOURCE 2
#define compat_match_kind(action) ((action)->matched ? COMPAT_MATCHED : COMPAT_NOT_MATCHED)
#define compat_join_condition(modify, n) NIL
#endif

/* Writing of EXPLAIN's lines, and its state. */
#if PG_VERSION_NUM >= 180000
#define EXPLAIN_FORMAT_HEADER "commands/explain_format.h"
#define EXPLAIN_STATE_HEADER "commands/explain_state.h"
#else
#define EXPLAIN_FORMAT_HEADER "commands/explain.h"
#define EXPLAIN_STATE_HEADER "commands/explain.h"
#endif

/* Plans and explains a query, as the server does where no hook is. */
#include EXPLAIN_STATE_HEADER
#include "commands/explain.h"
#if PG_VERSION_NUM >= 170000
#define compat_explain_query(query, options, into, state, text, params, environment) \
	standard_ExplainOneQuery(query, options, into, state, text, params, environment)
#else
#include "executor/instrument.h"
#include "tcop/tcopprot.h"
static inline void
compat_explain_query(Query *query, int options, IntoClause *into, ExplainState *state, const char *text, ParamListInfo params,
					 QueryEnvironment *environment)
{
	BufferUsage before = pgBufferUsage, used = {0};
	instr_time start, duration;
	PlannedStmt *plan;

	INSTR_TIME_SET_CURRENT(start);
	plan = pg_plan_query(query, text, options, params);
	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, start);
	BufferUsageAccumDiff(&used, &pgBufferUsage, &before);
	ExplainOnePlan(plan, into, state, text, params, environment, &duration, state->buffers ? &used : NULL);
}
#endif

/* The members of an equivalence class, those of child relations among them; since 18 a table has these apart. */
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_attribute.h"
#include "nodes/pathnodes.h"
#include "optimizer/paths.h"
#include "utils/syscache.h"
static inline List *
compat_members(EquivalenceClass *class, Relids relids)
{
#if PG_VERSION_NUM >= 180000
	EquivalenceMemberIterator iterator;
	EquivalenceMember *member;
	List *members = NIL;

	setup_eclass_member_iterator(&iterator, class, relids);
	while ((member = eclass_member_iterator_next(&iterator)) != NULL)
		members = lappend(members, member);
	return members;
#else
	return class->ec_members;
#endif
}

/* Whether a key of an order is ascending. */
#if PG_VERSION_NUM >= 180000
#define compat_is_ascending(key) ((key)->pk_cmptype == COMPARE_LT)
#else
#define compat_is_ascending(key) ((key)->pk_strategy == BTLessStrategyNumber)
#endif

/* Whether a column of a table is declared NOT NULL, and no row of it can be NULL. */
#include "utils/lsyscache.h"
#if PG_VERSION_NUM >= 170000
#define compat_is_not_null(relation, table, column) bms_is_member(column, (relation)->notnullattnums)
#else
static inline bool
compat_is_not_null(RelOptInfo *relation, Oid table, AttrNumber column)
{
	HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(table), Int16GetDatum(column));
	bool not_null;

	if (!HeapTupleIsValid(tuple))
		return false;
	not_null = ((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull;
	ReleaseSysCache(tuple);
	return not_null;
}
#endif

/* A hook for lines of a node in EXPLAIN. */
#if PG_VERSION_NUM >= 180000
#define COMPAT_EXPLAIN_NODES
#endif

/* What the planner thinks of a node, from another one. */
#define plan_copy_estimates(to, from) \
	((to)->startup_cost = (from)->startup_cost, (to)->total_cost = (from)->total_cost, \
	 (to)->plan_rows = (from)->plan_rows, (to)->plan_width = (from)->plan_width, plan_copy_disabled(to, from))
#if PG_VERSION_NUM >= 180000
#define plan_copy_disabled(to, from) ((void) ((to)->disabled_nodes = (from)->disabled_nodes))
#else
#define plan_copy_disabled(to, from) ((void) 0)
#endif

/* Runs a plan to its end, once. */
#if PG_VERSION_NUM >= 180000
#define compat_executor_run(description) ExecutorRun(description, ForwardScanDirection, 0)
#else
#define compat_executor_run(description) ExecutorRun(description, ForwardScanDirection, 0, true)
#endif

/* Has the privileges on the target of a statement that is being analysed checked as those of a role. */
#if PG_VERSION_NUM >= 160000
#define compat_check_target_as(state, role) ((void) ((state)->p_target_nsitem->p_perminfo->checkAsUser = (role)))
#else
#define compat_check_target_as(state, role) ((void) ((state)->p_target_nsitem->p_rte->checkAsUser = (role)))
#endif

/* Whether a role owns a relation, or may act for its owner. */
#if PG_VERSION_NUM >= 160000
#define relation_ownercheck(relation, role) object_ownercheck(RelationRelationId, relation, role)
#else
#define relation_ownercheck(relation, role) pg_class_ownercheck(relation, role)
#endif

/* Whether a role may look after a relation: its owner, and since 17 who has MAINTAIN. */
#if PG_VERSION_NUM >= 170000
#define relation_maintaincheck(relation, role) (pg_class_aclcheck(relation, role, ACL_MAINTAIN) == ACLCHECK_OK)
#else
#define relation_maintaincheck(relation, role) relation_ownercheck(relation, role)
#endif

/* Parameters of ExecutorRun's hook, and the same as arguments. */
#if PG_VERSION_NUM >= 180000
#define COMPAT_EXECUTOR_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count
#define COMPAT_EXECUTOR_RUN_ARGUMENTS query, direction, count
#else
#define COMPAT_EXECUTOR_RUN_PARAMETERS QueryDesc *query, ScanDirection direction, uint64 count, bool once
#define COMPAT_EXECUTOR_RUN_ARGUMENTS query, direction, count, once
#endif

/* Whether a role may call a function. */
#if PG_VERSION_NUM >= 160000
#define function_aclcheck(function, role) object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE)
#else
#define function_aclcheck(function, role) pg_proc_aclcheck(function, role, ACL_EXECUTE)
#endif

#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/rel.h"

/* What names a relation's files. */
#if PG_VERSION_NUM >= 160000
typedef RelFileLocator CompatLocator;
#define compat_locator(relation) ((relation)->rd_locator)
#define compat_locator_equals(a, b) RelFileLocatorEquals(a, b)
#else
typedef RelFileNode CompatLocator;
#define compat_locator(relation) ((relation)->rd_node)
#define compat_locator_equals(a, b) RelFileNodeEquals(a, b)
#endif

/* A new block of zeros at the end of a fork, its buffer locked exclusively. */
static inline Buffer
extend_relation(Relation relation, ForkNumber fork)
{
#if PG_VERSION_NUM >= 160000
	return ExtendBufferedRel(BMR_REL(relation), fork, NULL, EB_LOCK_FIRST);
#else
	Buffer buffer;

	LockRelationForExtension(relation, ExclusiveLock);
	buffer = ReadBufferExtended(relation, fork, P_NEW, RBM_ZERO_AND_LOCK, NULL);
	UnlockRelationForExtension(relation, ExclusiveLock);
	return buffer;
#endif
}

/* A fork gets so many blocks, of zeros where they are new, unless it has them. */
static inline void
extend_relation_to(Relation relation, ForkNumber fork, BlockNumber n_blocks)
{
#if PG_VERSION_NUM >= 160000
	ReleaseBuffer(ExtendBufferedRelTo(BMR_REL(relation), fork, NULL, 0, n_blocks, RBM_NORMAL));
#else
	LockRelationForExtension(relation, ExclusiveLock);
	for (BlockNumber n = RelationGetNumberOfBlocksInFork(relation, fork); n < n_blocks; n++)
		ReleaseBuffer(ReadBufferExtended(relation, fork, P_NEW, RBM_NORMAL, NULL));
	UnlockRelationForExtension(relation, ExclusiveLock);
#endif
}

/* Whether somebody has set a setting that there is. */
#include "utils/guc_tables.h"
static inline bool
compat_setting_is_set(const char *name)
{
#if PG_VERSION_NUM >= 160000
	struct config_generic *found = find_option(name, false, true, ERROR);

	return found != NULL && found->source != PGC_S_DEFAULT;
#else
	struct config_generic **all = get_guc_variables();

	for (int i = GetNumConfigOptions() - 1; i >= 0; i--)
		if (pg_strcasecmp(all[i]->name, name) == 0)
			return all[i]->source != PGC_S_DEFAULT;
	return false;
#endif
}

/* Whether core asks for workers; we ask ourselves on all majors (hnsw/parallel.c). */
#if PG_VERSION_NUM >= 170000
#define set_parallel_build(routine) ((routine)->amcanbuildparallel = true)
#else
#define set_parallel_build(routine) ((void) 0)
#endif

/* The next datum of a sort, which the caller frees. */
#if PG_VERSION_NUM >= 160000
#define compat_tuplesort_getdatum(sort, value, is_null) tuplesort_getdatum(sort, true, true, value, is_null, NULL)
#else
#define compat_tuplesort_getdatum(sort, value, is_null) tuplesort_getdatum(sort, true, value, is_null, NULL)
#endif

/* Where vacuum may sleep and be interrupted. */
#if PG_VERSION_NUM >= 180000
#define vacuum_pause() vacuum_delay_point(false)
#else
#define vacuum_pause() vacuum_delay_point()
#endif

/* A search of an index, for the views of statistics and, where it is counted, for EXPLAIN. */
#define count_index_search(scan) \
	do \
	{ \
		pgstat_count_index_scan((scan)->indexRelation); \
		compat_count_search(scan); \
	} while (0)
#if PG_VERSION_NUM >= 180000
#define compat_count_search(scan) ((scan)->instrument != NULL ? (void) (scan)->instrument->nsearches++ : (void) 0)
#else
#define compat_count_search(scan) ((void) 0)
#endif

/* Waiting for a model, in pg_stat_activity: of the type Extension, under a name of its own where there are such. */
#include "storage/proc.h"
#include "utils/wait_event.h"
#if PG_VERSION_NUM >= 170000
static inline uint32
compat_wait_for_model(void)
{
	static uint32 event;

	if (event == 0)
		event = WaitEventExtensionNew("MaskgenRestore");
	return event;
}
#else
#define compat_wait_for_model() (PG_WAIT_EXTENSION | 0x6d67)
#endif

/* Whether a process serves a client. */
#if PG_VERSION_NUM >= 180000
#define compat_is_client(process) ((process)->isRegularBackend)
#else
#define compat_is_client(process) (!(process)->isBackgroundWorker && ((process)->statusFlags & PROC_IS_AUTOVACUUM) == 0)
#endif

#endif
