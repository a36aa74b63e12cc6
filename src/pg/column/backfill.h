/* Rows that were there before a column was made: they are queued a few blocks at a time, so neither the queue nor a statement gets long. */
#ifndef MASKGEN_PG_COLUMN_BACKFILL_H
#define MASKGEN_PG_COLUMN_BACKFILL_H

#include "pg/column/column.h"

/* Queues the rows without a vector among the next blocks; false when all have been looked at. With SPI connected. */
bool embed_backfill_step(const EmbedColumn *column, Relation table);

#endif
