/* A guess at the number of rows of a table, from a few of its pages. */
#ifndef MASKGEN_PG_HNSW_SAMPLE_H
#define MASKGEN_PG_HNSW_SAMPLE_H

#include "postgres.h"
#include "utils/rel.h"

double hnsw_sample_rows(Relation heap);

#endif
