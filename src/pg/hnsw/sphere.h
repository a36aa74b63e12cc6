/* Spheres: a value and a radius, as the right side of the operators <<op>>. A composite of (center, radius float8). */
#ifndef MASKGEN_PG_HNSW_SPHERE_H
#define MASKGEN_PG_HNSW_SPHERE_H

#include "postgres.h"
#include "fmgr.h"
#include "utils/rel.h"

typedef struct HnswSphere
{
	Datum center; /* as stored: perhaps toasted */
	double radius;
} HnswSphere;

/* False when one of the two is NULL, or the radius is not a number. */
bool hnsw_sphere_of(Datum composite, HnswSphere *sphere);

/* The distance that an index's operator class orders by. */
void hnsw_sphere_distance(Relation index, FmgrInfo *distance, MemoryContext memory);

#endif
