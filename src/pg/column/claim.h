/* Which entries of the queue a batch has: nobody else takes them, until it ends or its process does. */
#ifndef MASKGEN_PG_COLUMN_CLAIM_H
#define MASKGEN_PG_COLUMN_CLAIM_H

#include "postgres.h"
#include "utils/array.h"

/* Tries after which a row has failed: each one in a batch a sixteenth as large. */
#define EMBED_MOST_ATTEMPTS 5

typedef struct EmbedClaim
{
	int64 id; /* of the row in embed_batch; 0: nothing is claimed */
	int32 column;
	MemoryContext context; /* of what follows, longer than a transaction */
	int n;
	int64 *entries;	   /* [n] ids in the queue */
	ArrayType **keys;  /* [n] text[] */
	bool is_full;	   /* whether there may be more */
} EmbedClaim;

/* Claims entries of a column, of at most so many rows, into context. claim->n is 0 if there is nothing. */
void embed_claim(EmbedClaim *claim, int32 column, int most, MemoryContext context);

/* The claim's row goes with the transaction at hand; entries [n] as well. */
void embed_claim_end(const EmbedClaim *claim, const int64 *done, int n);

/* Others may have what is left of it; also outside of a transaction. */
void embed_claim_release(EmbedClaim *claim);

/* Whether another process has entries of the column at work. */
bool embed_claim_others(int32 column);

/* Entries are tried again, each in a smaller batch, or have failed for good after so many attempts. */
void embed_claim_charge(const EmbedClaim *claim, const char *message);

/* Entries that have failed for good, with their messages. */
void embed_claim_fail(int32 column, const int64 *entries, const char *const *messages, int n);

/* Entries that are to be tried a little later. */
void embed_claim_delay(const int64 *entries, int n, int32 column);

#endif
