/* Chunks as a source, with a buffer of one chunk, since packing reads a panel at a time and front to back. */
#include "pg/model/stored_image.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "pg/host.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

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
			image->part_size = catalog_read_chunk(&image->entry, (int32) part, image->snapshot, image->buffer);
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
	image->entry = *entry;
	image->snapshot = catalog_snapshot();
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
	bool checked; /* against the digest */
} Load;

static bool
write_resident(MgCtx *cx, void *user, const void *bytes, size_t size)
{
	resident_write(user, bytes, size);
	return true;
}

/* Reads all of the image and throws unless it is what its digest says. */
static void
check_digest(StoredImage *image)
{
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	int64 left = image->entry.stored_bytes;
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	bool fine = hash != NULL && pg_cryptohash_init(hash) >= 0;

	StaticAssertStmt(sizeof digest == DIGEST_SIZE, "a model's version is a SHA-256");
	image->part = -1;
	for (int32 part = 0; fine && left > 0; part++)
	{
		Size size = catalog_read_chunk(&image->entry, part, image->snapshot, image->buffer);

		/* Bytes are found by the size that all pieces but the last have. */
		if (size != Min((int64) CHUNK_SIZE, left))
			break;
		fine = pg_cryptohash_update(hash, image->buffer, size) >= 0;
		left -= (int64) size;
	}
	if (!fine || pg_cryptohash_final(hash, digest, sizeof digest) < 0)
		elog(ERROR, "could not compute SHA-256 of a model");
	pg_cryptohash_free(hash);
	if (left != 0 || memcmp(digest, image->entry.digest, DIGEST_SIZE) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("stored model \"%s\" is not what its version says", NameStr(image->entry.name)),
						errdetail("The SHA-256 of its image differs."),
						errhint("Drop the model and create it again.")));
}

static void
build_resident(ResidentWriter *writer, void *arg)
{
	Load *load = arg;
	MgSink sink = {writer, write_resident};

	check_digest(&load->stored);
	load->checked = true;
	if (!mg_image_pack(&load->cx, mg_kernels(mg_cpu_level()), &load->source, &load->portable, &load->resident, &sink))
		host_throw(&load->cx);
}

/* Models of 8 bits have no other form for libraries: they are resident once, for both. */
static MgForm
form_of(const ModelEntry *entry, MgForm form)
{
	return entry->codes != NULL ? MG_FORM_PANELS : form;
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

static const Resident *
load_image(Load *load, const ModelEntry *entry, MgForm form)
{
	ModelKey key = stored_image_key(entry, form);
	const Resident *resident;

	load->host = host_in(CurrentMemoryContext);
	mg_ctx_init(&load->cx, &load->host);
	load->source = stored_image_source(&load->stored, entry);
	resident = resident_find(&key);
	if (resident == NULL)
	{
		if (!mg_image_open(&load->cx, &load->source, &load->portable) ||
			!mg_image_plan_pack(&load->cx, &load->portable, form_of(entry, form), &load->resident))
			host_throw(&load->cx);
		resident = resident_acquire(&key, load->resident.size, build_resident, load);
	}
	PG_TRY();
	{
		if (!load->checked && !resident_is_shown(resident))
			check_digest(&load->stored);
	}
	PG_CATCH();
	{
		resident_release(resident);
		PG_RE_THROW();
	}
	PG_END_TRY();
	resident_show(resident);
	UnregisterSnapshot(load->stored.snapshot);
	return resident;
}

const Resident *
stored_image_acquire(const ModelEntry *entry, MgForm form)
{
	ModelKey key = stored_image_key(entry, form);
	MemoryContext context, caller;
	const Resident *resident = resident_find(&key);

	if (resident != NULL && resident_is_shown(resident))
		return resident;
	if (resident != NULL)
		resident_release(resident);
	/* An error leaves the context to the transaction's abort. */
	context = AllocSetContextCreate(CurrentMemoryContext, "maskgen load", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	resident = load_image(palloc0(sizeof(Load)), entry, form);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return resident;
}
