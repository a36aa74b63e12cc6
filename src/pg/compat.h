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

#endif
