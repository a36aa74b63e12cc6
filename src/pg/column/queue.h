/*
 * The queue of rows to be embedded: a table that only our own code writes.
 *
 * A row trigger adds the key of each row whose text is new, in the transaction of who writes, so a commit without its entry
 * cannot be. Keys are texts, as the output functions of their types give them under settings of our own (key.h).
 */
#ifndef MASKGEN_PG_COLUMN_QUEUE_H
#define MASKGEN_PG_COLUMN_QUEUE_H

#include "postgres.h"

/* Adds entries for keys [n], each a text[]; whoever the current user is. */
void embed_queue_add(int32 column, const Datum *keys, int n);

/* A worker hears of the transaction at hand when it commits. */
void embed_queue_expect(void);

/* For _PG_init. */
void embed_queue_install(void);

#endif
