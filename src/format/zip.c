/* ZIP archives: the directory, from the end of the file. */
#include "format/zip.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/reader.h"

#define END_SIGNATURE UINT32_C(0x06054b50)
#define END64_SIGNATURE UINT32_C(0x06064b50)
#define LOCATOR_SIGNATURE UINT32_C(0x07064b50)
#define ENTRY_SIGNATURE UINT32_C(0x02014b50)
#define LOCAL_SIGNATURE UINT32_C(0x04034b50)

#define END_SIZE 22
#define LOCATOR_SIZE 20
#define END64_SIZE 56
#define ENTRY_SIZE 46
#define LOCAL_SIZE 30
#define COMMENT_LIMIT 65535

#define DIRECTORY_LIMIT ((uint64_t) 64 * 1024 * 1024)
#define MAX_ENTRIES 262144

/* Bytes of the directory, and how many entries it has. */
typedef struct Place
{
	uint64_t offset, size, n;
} Place;

static bool
broken(MgCtx *cx, const char *file, const char *what)
{
	mg_fail(cx, MG_BAD_FILE, "file \"%s\" is not a whole ZIP archive", file);
	return mg_detail(cx, "%s", what);
}

static uint8_t *
read_range(MgCtx *cx, const MgSource *source, uint64_t offset, size_t size)
{
	uint8_t *bytes = mg_alloc(cx, size);

	return bytes != NULL && source->read(cx, source->user, offset, bytes, size) ? bytes : NULL;
}

/* The record of 64-bit fields that a locator before the end leads to, if there is one. */
static bool
read_end64(MgCtx *cx, const MgZip *zip, uint64_t end, Place *place)
{
	const MgSource *source = zip->source;
	uint8_t locator[LOCATOR_SIZE], record[END64_SIZE];
	MgReader reader = mg_reader(mg_span(locator, sizeof locator));
	uint64_t at;

	if (end < LOCATOR_SIZE)
		return true;
	if (!source->read(cx, source->user, end - LOCATOR_SIZE, locator, sizeof locator))
		return false;
	if (mg_read_u32(&reader) != LOCATOR_SIGNATURE)
		return true;
	mg_read_u32(&reader); /* disk */
	at = mg_read_u64(&reader);
	if (at > end || end - at < END64_SIZE + LOCATOR_SIZE)
		return broken(cx, zip->file, "The place of its end is outside of it.");
	if (!source->read(cx, source->user, at, record, sizeof record))
		return false;
	reader = mg_reader(mg_span(record, sizeof record));
	if (mg_read_u32(&reader) != END64_SIGNATURE)
		return broken(cx, zip->file, "Its end is not where it says.");
	mg_read_span(&reader, 28); /* size, versions, disks, entries on this disk */
	place->n = mg_read_u64(&reader);
	place->size = mg_read_u64(&reader);
	place->offset = mg_read_u64(&reader);
	return true;
}

/* Looks for the end from the back: a comment may follow it. */
static bool
find_directory(MgCtx *cx, const MgZip *zip, Place *place)
{
	uint64_t size = zip->source->size;
	size_t tail = size < END_SIZE + COMMENT_LIMIT ? (size_t) size : END_SIZE + COMMENT_LIMIT;
	uint8_t *bytes = read_range(cx, zip->source, size - tail, tail);

	if (bytes == NULL)
		return false;
	for (size_t at = tail < END_SIZE ? 0 : tail - END_SIZE + 1; at-- > 0;)
	{
		MgReader reader = mg_reader(mg_span(bytes + at, tail - at));

		if (mg_read_u32(&reader) != END_SIGNATURE)
			continue;
		mg_read_span(&reader, 6); /* disks, entries on this disk */
		place->n = mg_read_unsigned(&reader, 2);
		place->size = mg_read_u32(&reader);
		place->offset = mg_read_u32(&reader);
		if (mg_read_unsigned(&reader, 2) != mg_reader_left(&reader))
			continue;
		return read_end64(cx, zip, size - tail + at, place);
	}
	return broken(cx, zip->file, "It has no end of a directory.");
}

/* Fields that do not fit 32 bits stand in an extra field, in this order, those alone that do not. */
static bool
read_extra(MgSpan extra, uint64_t *size, uint64_t *packed, uint64_t *header)
{
	MgReader reader = mg_reader(extra);

	while (mg_reader_left(&reader) >= 4)
	{
		uint64_t id = mg_read_unsigned(&reader, 2);
		MgReader field = mg_reader(mg_read_span(&reader, (size_t) mg_read_unsigned(&reader, 2)));

		if (reader.failed)
			return false;
		if (id != 1)
			continue;
		if (*size == UINT32_MAX)
			*size = mg_read_u64(&field);
		if (*packed == UINT32_MAX)
			*packed = mg_read_u64(&field);
		if (*header == UINT32_MAX)
			*header = mg_read_u64(&field);
		return !field.failed;
	}
	return true;
}

static bool
read_entry(MgCtx *cx, const MgZip *zip, MgReader *reader, MgZipEntry *entry)
{
	uint64_t flags, method, packed, name_size, extra_size, comment_size;
	MgSpan extra;

	if (mg_read_u32(reader) != ENTRY_SIGNATURE)
		return broken(cx, zip->file, "An entry of its directory has another signature.");
	mg_read_u32(reader); /* versions */
	flags = mg_read_unsigned(reader, 2);
	method = mg_read_unsigned(reader, 2);
	mg_read_span(reader, 8); /* time, date, CRC */
	packed = mg_read_u32(reader);
	entry->size = mg_read_u32(reader);
	name_size = mg_read_unsigned(reader, 2);
	extra_size = mg_read_unsigned(reader, 2);
	comment_size = mg_read_unsigned(reader, 2);
	mg_read_span(reader, 8); /* disk, attributes */
	entry->header = mg_read_u32(reader);
	entry->name = mg_read_span(reader, (size_t) name_size);
	extra = mg_read_span(reader, (size_t) extra_size);
	mg_read_span(reader, (size_t) comment_size);
	if (reader->failed)
		return broken(cx, zip->file, "Its directory ends within an entry.");
	if (!read_extra(extra, &entry->size, &packed, &entry->header))
		return broken(cx, zip->file, "An extra field of its directory is cut off.");
	entry->plain = method == 0 && (flags & 1) == 0 && packed == entry->size;
	return true;
}

static int
compare_entries(const void *a, const void *b)
{
	return mg_span_compare(((const MgZipEntry *) a)->name, ((const MgZipEntry *) b)->name);
}

bool
mg_zip_open(MgCtx *cx, const char *file, const MgSource *source, MgZip *zip)
{
	Place place = {0, 0, 0};
	MgZipEntry *entries;
	MgReader reader;
	uint8_t *bytes;

	*zip = (MgZip){file, source, 0, NULL};
	if (!find_directory(cx, zip, &place))
		return false;
	if (place.offset > source->size || place.size > source->size - place.offset)
		return broken(cx, file, "Its directory is outside of it.");
	if (place.size > DIRECTORY_LIMIT || place.n > MAX_ENTRIES)
		return mg_fail(cx, MG_TOO_LARGE, "file \"%s\" has too many entries", file);
	if (place.n > place.size / ENTRY_SIZE)
		return broken(cx, file, "Its directory is too short for its entries.");
	bytes = read_range(cx, source, place.offset, (size_t) place.size);
	entries = mg_alloc_array(cx, (size_t) place.n, sizeof *entries);
	if (bytes == NULL || entries == NULL)
		return false;
	reader = mg_reader(mg_span(bytes, (size_t) place.size));
	for (size_t i = 0; i < place.n; i++)
		if ((i % 512 == 0 && !mg_poll(cx)) || !read_entry(cx, zip, &reader, &entries[i]))
			return false;
	qsort(entries, (size_t) place.n, sizeof *entries, compare_entries);
	for (size_t i = 1; i < place.n; i++)
		if (mg_span_equal(entries[i].name, entries[i - 1].name))
			return broken(cx, file, "Two of its entries have one name.");
	zip->n = (size_t) place.n;
	zip->entries = entries;
	return true;
}

const MgZipEntry *
mg_zip_find(const MgZip *zip, MgSpan name)
{
	MgZipEntry key = {.name = name};

	return zip->n == 0 ? NULL : bsearch(&key, zip->entries, zip->n, sizeof key, compare_entries);
}

bool
mg_zip_locate(MgCtx *cx, const MgZip *zip, const MgZipEntry *entry, uint64_t *offset)
{
	uint64_t size = zip->source->size;
	uint8_t header[LOCAL_SIZE];
	MgReader reader = mg_reader(mg_span(header, sizeof header));

	if (!entry->plain)
	{
		mg_fail(cx, MG_UNSUPPORTED, "entry \"%.*s\" of file \"%s\" is compressed or encrypted", MG_SPAN_ARGS(entry->name),
				zip->file);
		return mg_hint(cx, "PyTorch stores entries as they are.");
	}
	if (entry->header > size || size - entry->header < LOCAL_SIZE)
		return broken(cx, zip->file, "An entry is outside of it.");
	if (!zip->source->read(cx, zip->source->user, entry->header, header, sizeof header))
		return false;
	if (mg_read_u32(&reader) != LOCAL_SIGNATURE)
		return broken(cx, zip->file, "An entry is not where its directory says.");
	mg_read_span(&reader, 22);
	*offset = entry->header + LOCAL_SIZE + mg_read_unsigned(&reader, 2);
	*offset += mg_read_unsigned(&reader, 2);
	if (*offset > size || entry->size > size - *offset)
		return broken(cx, zip->file, "An entry ends outside of it.");
	return true;
}
