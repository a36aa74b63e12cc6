/*
 * A batch of the queue: some rows of one column, from their keys to their vectors.
 *
 *   claim     entries that nobody else has, written down so that others see it and a crash is noticed     commit
 *   read      their texts, as the table's owner                                                          commit
 *   compute   without a snapshot, so that vacuum is not held up
 *   write     rows whose text is still the same; entries go with the same commit
 *
 * A worker and the procedure embed_pending run the same steps and differ in how a transaction ends.
 */
#ifndef MASKGEN_PG_COLUMN_BATCH_H
#define MASKGEN_PG_COLUMN_BATCH_H

#include "postgres.h"
#include "pg/column/column.h"

/* Rows of a batch. */
#define EMBED_BATCH_ROWS 512

/* How a transaction ends, and the next one begins with SPI connected. */
typedef void (*EmbedCommit)(void);

typedef enum EmbedOutcome
{
	EMBED_NOTHING, /* there was nothing to do */
	EMBED_SOME,	   /* and nothing is left for now */
	EMBED_MORE	   /* there may be more */
} EmbedOutcome;

/*
 * Runs one batch of a column; *n_rows is how many rows it brought up to date. Begins and ends in a transaction with SPI
 * connected. A worker leaves columns of mode "manual" alone. After an error the caller
 * calls embed_batch_charge in a transaction, if it can, and embed_batch_release.
 */
EmbedOutcome embed_batch_run(int32 id, Oid target, bool by_worker, EmbedCommit commit, int64 *n_rows);

/* Gives back what the batch at hand has claimed; without a transaction. */
void embed_batch_release(void);

/*
 * If an error may be of one row, charges the entries of the batch at hand with it, so that they come back in smaller batches, and returns
 * true; else they stay as they were. In a transaction.
 */
bool embed_batch_charge(const ErrorData *error);

#endif
