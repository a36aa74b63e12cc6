/*
 * Priors of label sets (task/classify.h), in shared memory: the first session
 * that asks for a set computes its prior, all others find it. A small ring;
 * the oldest entry makes room. Lost at a restart.
 */
#ifndef MASKGEN_PG_TASK_PRIORS_H
#define MASKGEN_PG_TASK_PRIORS_H

#include "postgres.h"
#include "common/sha2.h"

/* Larger label sets are kept by each backend alone. */
#define PRIORS_MOST_LABELS 32

/* What a prior is a function of, hashed: model, label set, template, and what computes; and the database. */
typedef struct PriorKey
{
	uint8 bytes[PG_SHA256_DIGEST_LENGTH];
} PriorKey;

PriorKey priors_key(const uint8 *model, const void *request, Size request_size);

/* Copies the prior [n] and returns true if it is known. */
bool priors_find(const PriorKey *key, int n, float *prior);

void priors_add(const PriorKey *key, int n, const float *prior);

Size priors_size(void);

#endif
