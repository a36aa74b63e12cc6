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

/* Writing of EXPLAIN's lines, and its state. */
#if PG_VERSION_NUM >= 180000
#define EXPLAIN_FORMAT_HEADER "commands/explain_format.h"
#define EXPLAIN_STATE_HEADER "commands/explain_state.h"
#else
#define EXPLAIN_FORMAT_HEADER "commands/explain.h"
#define EXPLAIN_STATE_HEADER "commands/explain.h"
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

/* Whether a role may call a function. */
#if PG_VERSION_NUM >= 160000
#define function_aclcheck(function, role) object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE)
#else
#define function_aclcheck(function, role) pg_proc_aclcheck(function, role, ACL_EXECUTE)
#endif

#endif
