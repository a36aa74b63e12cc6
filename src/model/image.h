/*
 * A model as one flat, position-independent run of bytes. Integers and floats
 * are little-endian; hosts of another byte order are refused at compile time.
 *
 *   1. header, 64 bytes: magic "mgimage\n", u32 format version, u32 form,
 *      u64 size of the whole, u32 sections, zeros
 *   2. sections, 128 bytes each: MgSection
 *   3. the sections' bytes, each MG_ALIGNMENT-aligned, in the order of the
 *      directory; gaps are zero
 *
 * Sections are found by their names; one that is not known is passed over. Facts
 * come first, each with a version of its own: "meta" and "config", keys and
 * values (meta.h, config.h), "template" and "prompts" (text; model.c) and
 * "tokenizer" (text/section.h). Then comes one section a weight, under the name
 * that the architecture's table has. There are two forms:
 *
 *   portable  weights row-major in the dtype that they are stored in
 *   resident  weights float32; matrices for products in panels (or row-major,
 *             for a BLAS), made from a portable image by mg_image_pack. What
 *             is stored in 8 bits stays so: panels MG_INT8, tables MG_ROWS8;
 *             and of what is bf16 the words' table, MG_ROWS16, and panels,
 *             MG_PANELS16. In a third resident form matrices are MG_BF16X2,
 *             or MG_BF16X1, for CPUs that multiply these faster
 *
 * Images of versions 1 and 2 have a fixed struct in "meta" and no "config";
 * they are read, and keep their version when they are packed (old_meta.c).
 *
 * Images come back from table rows, which somebody may have changed: every
 * offset, size and enumeration is checked when an image is opened.
 */
#ifndef MG_MODEL_IMAGE_H
#define MG_MODEL_IMAGE_H

#include "core/dtype.h"
#include "core/source.h"
#include "format/sentence_files.h"
#include "model/arch.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "images are little-endian"
#endif

#define MG_IMAGE_MAGIC "mgimage\n"
#define MG_IMAGE_VERSION 3 /* 2 has weights of 8 bits, 3 keys and values */
#define MG_IMAGE_OLDEST 1  /* that is read */
#define MG_IMAGE_KEYED 3   /* the first one with keys and values */
#define MG_IMAGE_HEADER 64
#define MG_MAX_SECTIONS 65536

typedef enum MgForm
{
	MG_FORM_PORTABLE = 0,
	MG_FORM_ROWS = 1,  /* resident, matrices row-major, unless of 8 bits */
	MG_FORM_PANELS = 2, /* resident, matrices in panels */
	MG_FORM_BF16X2 = 3	/* resident, matrices in panels of MG_BF16X2 */
} MgForm;

typedef struct MgSection
{
	char name[MG_NAME_SIZE]; /* NUL-terminated */
	uint32_t dtype;	 /* MgDtype of a weight */
	uint32_t layout; /* MgLayout of a weight; all but MG_ROWS in resident images only */
	uint64_t rows;	 /* of a weight; else 0 */
	uint64_t cols;	 /* of a weight; 1 for a vector */
	uint64_t offset; /* from the image's first byte */
	uint64_t size;	 /* bytes */
	uint32_t version; /* of a fact's form, from 1; of a weight, 0 */
	uint32_t zero;
} MgSection;

/* What is known of a model beside its architecture's configuration. */
typedef struct MgMeta
{
	MgPooling pooling;	 /* none: no embeddings */
	bool normalize;		 /* embeddings have length 1 unless asked otherwise */
	uint32_t max_tokens; /* of a sequence, special tokens included; at most the longest that it reads */
	bool calibrate;		 /* classification subtracts the prior */
	MgDtype dtype;		 /* that matrices are stored in */
	uint64_t parameters; /* elements of all weights */
} MgMeta;

typedef struct MgImage
{
	MgForm form;
	uint32_t version;
	uint64_t size;
	MgMeta meta;
	const MgArch *arch;
	MgConfig keys;		/* the configuration as it is stored */
	const void *config; /* the architecture's struct of it */
	uint32_t parts;		/* bits 1 << part of those that are there */
	uint32_t can;		/* MG_CAN_... */
	size_t n_sections;
	const MgSection *sections; /* [n_sections] */
} MgImage;

/* Reads and checks header, directory and facts of an image. */
bool mg_image_open(MgCtx *cx, const MgSource *source, MgImage *image);

/* The resident form that products want which are computed so. */
MgForm mg_image_form(const MgKernels *kernels, MgProvider provider);

/* The section of that name, or NULL. */
const MgSection *mg_image_find(const MgImage *image, const char *name);

/* The same, beginning behind the section that was found last: weights keep the order of the table. *at begins with 0. */
const MgSection *mg_image_find_next(const MgImage *image, const char *name, size_t *at);

/* The errors of an image whose bytes contradict themselves; they return false. */
bool mg_image_damaged(MgCtx *cx, const char *what);
bool mg_image_lacks(MgCtx *cx, const MgWeight *weight);

static inline const MgSizes *
mg_image_sizes(const MgImage *image)
{
	return image->config;
}

/* What a model of these parts can be asked for. */
uint32_t mg_image_can(const MgImage *image);

/* The directory of the resident image that a portable one becomes; form is not MG_FORM_PORTABLE. */
bool mg_image_plan_pack(MgCtx *cx, const MgImage *portable, MgForm form, MgImage *resident);

/* Streams the resident image that was planned: reads source and writes sink front to back. Polls. */
bool mg_image_pack(MgCtx *cx, const MgKernels *kernels, const MgSource *source, const MgImage *portable,
				   const MgImage *resident, const MgSink *sink);

/* Gives sections their offsets, in order, and the image its size; false on overflow. */
bool mg_image_lay_out(MgCtx *cx, MgSection *sections, size_t n_sections, uint64_t *size);

/* Writes header and directory, up to the first section's offset. */
bool mg_image_write_head(MgCtx *cx, const MgImage *image, const MgSink *sink);

/* Writes the gap of zeros between a section and what follows it at next. */
bool mg_image_write_gap(MgCtx *cx, const MgSection *section, uint64_t next, const MgSink *sink);

#endif
