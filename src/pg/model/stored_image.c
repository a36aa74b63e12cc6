/* Chunks as a source, with a buffer of one chunk, since packing reads a panel at a time and front to back. */
#include "pg/model/stored_image.h"

#include "pg/host.h"
#include "utils/memutils.h"

static bool
read_image(MgCtx *cx, void *user, uint64_t offset, void *into, size_t size)
{
	StoredImage *image = user;
	uint8 *to = into;

	while (size > 0)
	{
		int64 part = (int64) (offset / CHUNK_SIZE);
		Size at = (Size) (offset % CHUNK_SIZE), n;

		if (part != image->part)
		{
			image->part = -1;
			image->part_size = catalog_read_chunk(image->model, (int32) part, image->buffer);
			image->part = part;
		}
		if (at >= image->part_size)
			return mg_fail(cx, MG_BAD_FILE, "stored model ends at byte %llu", (unsigned long long) offset);
		n = Min(size, image->part_size - at);
		memcpy(to, image->buffer + at, n);
		to += n;
		offset += n;
		size -= n;
	}
	return true;
}

MgSource
stored_image_source(StoredImage *image, const ModelEntry *entry)
{
	image->model = entry->id;
	image->part = -1;
	image->buffer = palloc(CHUNK_SIZE);
	return (MgSource){image, (uint64) entry->stored_bytes, read_image};
}

/* What a load goes by. */
typedef struct Load
{
	MgCtx cx;
	MgHost host;
	StoredImage stored;
	MgSource source;
	MgImage portable;
	MgImage resident;
} Load;

static bool
write_resident(MgCtx *cx, void *user, const void *bytes, size_t size)
{
	resident_write(user, bytes, size);
	return true;
}

static void
build_resident(ResidentWriter *writer, void *arg)
{
	Load *load = arg;
	MgSink sink = {writer, write_resident};

	if (!mg_image_pack(&load->cx, mg_kernels(mg_cpu_level()), &load->source, &load->portable, &load->resident, &sink))
		host_throw(&load->cx);
}

/* Models of 8 bits have no other form for libraries: they are resident once, for both. */
static MgForm
form_of(const ModelEntry *entry, MgForm form)
{
	return entry->int8 ? MG_FORM_PANELS : form;
}

ModelKey
stored_image_key(const ModelEntry *entry, MgForm form)
{
	ModelKey key;

	/* Keys are hashed as bytes. */
	memset(&key, 0, sizeof key);
	memcpy(key.digest, entry->digest, DIGEST_SIZE);
	key.layout = (uint8) form_of(entry, form);
	return key;
}

const Resident *
stored_image_acquire(const ModelEntry *entry, MgForm form)
{
	ModelKey key = stored_image_key(entry, form);
	MemoryContext context, caller;
	const Resident *resident;
	Load *load;

	resident = resident_find(&key);
	if (resident != NULL)
		return resident;

	/* An error leaves the context to the transaction's abort. */
	context = AllocSetContextCreate(CurrentMemoryContext, "maskgen load", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	load = palloc0(sizeof *load);
	load->host = host_in(context);
	mg_ctx_init(&load->cx, &load->host);
	load->source = stored_image_source(&load->stored, entry);
	if (!mg_image_open(&load->cx, &load->source, &load->portable) ||
		!mg_image_plan_pack(&load->cx, &load->portable, form_of(entry, form), &load->resident))
		host_throw(&load->cx);
	resident = resident_acquire(&key, load->resident.size, build_resident, load);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return resident;
}
