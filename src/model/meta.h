/*
 * The section "meta" of an image: an MgMeta and the architecture's name, as
 * keys and values (config.h).
 *
 *   architecture  text      pooling    text, absent: none
 *   normalize     flag      calibrate  flag
 *   max_tokens    integer   parameters integer
 *   dtype         text
 */
#ifndef MG_MODEL_META_H
#define MG_MODEL_META_H

#include "model/image.h"

#define MG_FACT_VERSION 1 /* of the sections meta, config, template and prompts */

bool mg_meta_write(MgCtx *cx, const MgArch *arch, const MgMeta *meta, MgSpan *bytes);

/* Sets arch and meta of an image. */
bool mg_meta_read(MgCtx *cx, MgSpan bytes, MgImage *image);

/* The same of images of versions 1 and 2, and their keys. */
bool mg_meta_read_old(MgCtx *cx, MgSpan bytes, MgImage *image);

/* Looks the architecture up; false when it is not known. */
bool mg_meta_find_arch(MgCtx *cx, MgSpan name, MgImage *image);

#endif
