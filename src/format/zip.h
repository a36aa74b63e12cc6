/*
 * The directory of a ZIP archive whose entries are stored as they are, as
 * PyTorch writes them (APPNOTE.TXT of PKWARE, with its 64-bit fields):
 *
 *   entries            local header, 30 bytes, name, extra field; then the bytes
 *   central directory  46 bytes, name, extra field, comment for each entry
 *   end                22 bytes and a comment; where a field is too small, a
 *                      locator of 20 bytes and a record of 56 stand before it
 *
 * Nothing is unpacked: an entry that is compressed or encrypted is refused when
 * it is asked for. Each place and size is checked against the file's.
 */
#ifndef MG_FORMAT_ZIP_H
#define MG_FORMAT_ZIP_H

#include "core/source.h"

typedef struct MgZipEntry
{
	MgSpan name;
	uint64_t header; /* of its local header */
	uint64_t size;
	bool plain; /* neither compressed nor encrypted */
} MgZipEntry;

typedef struct MgZip
{
	const char *file; /* for errors */
	const MgSource *source;
	size_t n;
	const MgZipEntry *entries; /* [n], sorted by name */
} MgZip;

/* Reads the directory. Polls. */
bool mg_zip_open(MgCtx *cx, const char *file, const MgSource *source, MgZip *zip);

/* The entry of that name, or NULL. */
const MgZipEntry *mg_zip_find(const MgZip *zip, MgSpan name);

/* Where the bytes of an entry begin in the file; they lie within it. */
bool mg_zip_locate(MgCtx *cx, const MgZip *zip, const MgZipEntry *entry, uint64_t *offset);

#endif
