/*
 * The portable image of a model, as the rows of its table hold it:
 * read through an MgSource, and turned into its resident form.
 */
#ifndef MASKGEN_PG_MODEL_STORED_IMAGE_H
#define MASKGEN_PG_MODEL_STORED_IMAGE_H

#include "postgres.h"
#include "model/image.h"
#include "pg/model/catalog.h"
#include "pg/resident/resident.h"

typedef struct StoredImage
{
	ModelEntry entry;  /* a copy: the catalogue may change its own while it is read */
	Snapshot snapshot;
	int64 part;	   /* that buffer holds; -1: none */
	Size part_size;
	uint8 *buffer; /* [CHUNK_SIZE] */
} StoredImage;

/* What the resident copy of a model in that form is found by. */
ModelKey stored_image_key(const ModelEntry *entry, MgForm form);

/*
 * A source over the chunks of a model, all in one snapshot, which lasts till the transaction ends or it is given back;
 * throws on missing chunks. Memory is of the current context.
 */
MgSource stored_image_source(StoredImage *image, const ModelEntry *entry);

/*
 * The resident copy of a model in that form, loaded if need be; the caller releases it. Before the first use by a database
 * the image that this database stores is compared with its digest: the copy is found by the digest alone, and who can write
 * rows of the table could else use what another database stores, or hand it something else under that digest.
 */
const Resident *stored_image_acquire(const ModelEntry *entry, MgForm form);

#endif
