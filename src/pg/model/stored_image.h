/*
 * The portable image of a model, as the rows of model_chunk hold it:
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
	int64 model;
	int64 part;	   /* that buffer holds; -1: none */
	Size part_size;
	uint8 *buffer; /* [CHUNK_SIZE] */
} StoredImage;

/* What the resident copy of a model in that form is found by. */
ModelKey stored_image_key(const ModelEntry *entry, MgForm form);

/* A source over the chunks of a model; throws on missing chunks. Memory is of the current context. */
MgSource stored_image_source(StoredImage *image, const ModelEntry *entry);

/* The resident copy of a model in that form, loaded if need be; the caller releases it. */
const Resident *stored_image_acquire(const ModelEntry *entry, MgForm form);

#endif
