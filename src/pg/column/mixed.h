/* A warning where a query compares vectors of two models. */
#ifndef MASKGEN_PG_COLUMN_MIXED_H
#define MASKGEN_PG_COLUMN_MIXED_H

#include "postgres.h"

/* For _PG_init. */
void embed_mixed_install(void);

#endif
