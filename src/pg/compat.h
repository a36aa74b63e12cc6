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

#endif
