/*
 * How many rows a table has, before a build asks for memory. Statistics may be
 * missing, and then core guesses the width of a vector to be 32 bytes, which
 * makes far too many rows. So a few pages are looked at: line pointers in
 * use, dead rows included.
 */
#include "pg/hnsw/sample.h"

#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"

#define N_PAGES 32

static double
rows_of_page(Relation heap, BlockNumber block)
{
	Buffer buffer = ReadBuffer(heap, block);
	Page page = BufferGetPage(buffer);
	double n = 0;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	if (!PageIsNew(page))
		for (OffsetNumber i = FirstOffsetNumber; i <= PageGetMaxOffsetNumber(page); i++)
			n += ItemIdIsNormal(PageGetItemId(page, i));
	UnlockReleaseBuffer(buffer);
	return n;
}

double
hnsw_sample_rows(Relation heap)
{
	BlockNumber n_blocks, n_looked_at;
	double n = 0;

	if (heap->rd_rel->relam != HEAP_TABLE_AM_OID)
	{
		double rows, all_visible;

		table_relation_estimate_size(heap, NULL, &n_blocks, &rows, &all_visible);
		return rows;
	}
	n_blocks = RelationGetNumberOfBlocks(heap);
	n_looked_at = Min(n_blocks, N_PAGES);
	for (BlockNumber i = 0; i < n_looked_at; i++)
	{
		CHECK_FOR_INTERRUPTS();
		n += rows_of_page(heap, (BlockNumber) ((uint64) i * n_blocks / n_looked_at));
	}
	return n_looked_at > 0 ? n / n_looked_at * n_blocks : 0;
}
