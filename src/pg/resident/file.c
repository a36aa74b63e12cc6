/*
 * Writing, checking and removing resident files.
 *
 * Bytes are written in pieces of 2 MB at multiples of 2 MB. File systems that
 * keep large folios (ext4 since Linux 6.16, XFS) then hold the file in 2 MB
 * pages, and a backend maps 440 MB with 220 page-table entries in a third of
 * a millisecond instead of 25 (README.md has the numbers).
 *
 * Nothing is synced. What a sync would add is a file that survives a crash of
 * the machine; but a file that an earlier run left is read through against
 * its checksum anyway, and rebuilding one costs what syncing it would.
 *
 * Reading goes through read(), not through a mapping: an I/O error is then an
 * error and not a SIGBUS.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file_perm.h"
#include "miscadmin.h"
#include "model/image.h"
#include "pg/resident/file.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "utils/timestamp.h"

#define PIECE ((Size) 2 * 1024 * 1024)

#define FOOTER_MAGIC "mgresid\n"
/*
 * The image's version is part of it: a newer library does not adopt what an older one wrote. The number before it
 * counts what panels mean: 2 had sums by group in those of 8 bits, 3 panels of bf16, 4 has one sum of a channel again.
 */
#define FOOTER_VERSION (((uint32) 4 << 16) | MG_IMAGE_VERSION)

typedef struct Footer
{
	char magic[8];
	uint32 version;
	uint32 layout;
	uint64 size;
	uint8 digest[DIGEST_SIZE];
	pg_crc32c bytes_crc;
	pg_crc32c footer_crc; /* of all before it */
} Footer;

StaticAssertDecl(sizeof(Footer) == RESIDENT_FOOTER_SIZE, "the footer has no padding");

struct ResidentWriter
{
	int fd;
	const char *path;
	uint64 promised;
	uint64 taken; /* through resident_write so far */
	pg_crc32c crc;
	uint8 *piece; /* [PIECE], filled up to `filled` */
	Size filled;
};

#define PREFIX "pgsql_tmp."
#define SUFFIX ".mg"

/* pgsql_tmp.<64 hexadecimal digits>.<3-digit layout>.mg */
void
resident_file_path(char path[MAXPGPATH], const ModelKey *key)
{
	char digits[2 * DIGEST_SIZE + 1];

	for (int i = 0; i < DIGEST_SIZE; i++)
		snprintf(digits + 2 * i, 3, "%02x", key->digest[i]);
	snprintf(path, MAXPGPATH, RESIDENT_DIRECTORY "/" PREFIX "%s.%03d" SUFFIX, digits, key->layout);
}

/* While it is being written, the process id follows. */
static void
partial_path(char path[MAXPGPATH], const ModelKey *key)
{
	resident_file_path(path, key);
	snprintf(path + strlen(path), MAXPGPATH - strlen(path), ".%d", MyProcPid);
}

/* The inverse for a complete file's name, without the directory. */
static bool
parse_name(const char *name, ModelKey *key)
{
	char path[MAXPGPATH];
	unsigned int byte;
	int layout;

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
		return false;
	name += strlen(PREFIX);
	if (strlen(name) < 2 * DIGEST_SIZE)
		return false;
	for (int i = 0; i < DIGEST_SIZE; i++)
	{
		if (sscanf(name + 2 * i, "%2x", &byte) != 1)
			return false;
		key->digest[i] = (uint8) byte;
	}
	if (sscanf(name + 2 * DIGEST_SIZE, ".%3d", &layout) != 1 || layout < 0 || layout > PG_UINT8_MAX)
		return false;
	key->layout = (uint8) layout;
	/* Whatever else the scans let pass does not come back out. */
	resident_file_path(path, key);
	return strcmp(path + strlen(RESIDENT_DIRECTORY "/" PREFIX), name) == 0;
}

static Footer
make_footer(const ModelKey *key, uint64 size, pg_crc32c bytes_crc)
{
	Footer footer;

	memset(&footer, 0, sizeof footer);
	memcpy(footer.magic, FOOTER_MAGIC, sizeof footer.magic);
	footer.version = FOOTER_VERSION;
	footer.layout = key->layout;
	footer.size = size;
	memcpy(footer.digest, key->digest, DIGEST_SIZE);
	footer.bytes_crc = bytes_crc;
	INIT_CRC32C(footer.footer_crc);
	COMP_CRC32C(footer.footer_crc, &footer, offsetof(Footer, footer_crc));
	FIN_CRC32C(footer.footer_crc);
	return footer;
}

static void
throw_write(const ResidentWriter *writer)
{
	bool full = errno == ENOSPC;

	ereport(ERROR,
			(errcode_for_file_access(), errmsg("could not write file \"%s\": %m", writer->path),
			 errdetail("The resident copy of the model takes " UINT64_FORMAT " bytes.", writer->promised),
			 full ? errhint("Make room on the file system of the data directory, or unload other models.") : 0));
}

static void
write_out(ResidentWriter *writer, const uint8 *bytes, Size size)
{
	while (size > 0)
	{
		ssize_t n;

		CHECK_FOR_INTERRUPTS();
		errno = 0;
		n = write(writer->fd, bytes, Min(size, PIECE));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
		{
			/* As everywhere in PostgreSQL: a write that does nothing means a full disk. */
			if (errno == 0)
				errno = ENOSPC;
			throw_write(writer);
		}
		bytes += n;
		size -= (Size) n;
	}
}

/* Sums up and writes piece by piece, so that both pass the cache together. */
static void
append(ResidentWriter *writer, const uint8 *bytes, Size size)
{
	while (size > 0)
	{
		Size n = Min(size, PIECE - writer->filled);

		COMP_CRC32C(writer->crc, bytes, n);
		if (n == PIECE) /* a whole piece at its place needs no copy */
			write_out(writer, bytes, PIECE);
		else
		{
			memcpy(writer->piece + writer->filled, bytes, n);
			writer->filled += n;
			if (writer->filled == PIECE)
			{
				writer->filled = 0;
				write_out(writer, writer->piece, PIECE);
			}
		}
		bytes += n;
		size -= n;
	}
}

void
resident_write(ResidentWriter *writer, const void *bytes, Size size)
{
	if (size > writer->promised - writer->taken)
		elog(ERROR, "resident model is larger than the " UINT64_FORMAT " bytes that were promised", writer->promised);
	writer->taken += size;
	append(writer, bytes, size);
}

void
resident_file_build(const ModelKey *key, uint64 size, ResidentBuild build, void *arg)
{
	char path[MAXPGPATH];
	char final_path[MAXPGPATH];
	ResidentWriter writer = {.path = path, .promised = size};
	Footer footer;

	partial_path(path, key);
	resident_file_path(final_path, key);
	if (MakePGDirectory(RESIDENT_DIRECTORY) != 0 && errno != EEXIST)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not create directory \"%s\": %m", RESIDENT_DIRECTORY)));
	writer.fd = OpenTransientFile(path, O_WRONLY | O_CREAT | O_TRUNC | PG_BINARY);
	if (writer.fd < 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not create file \"%s\": %m", path)));
	ereport(DEBUG1, (errmsg_internal("building file \"%s\"", final_path)));
	writer.piece = palloc(PIECE);
	INIT_CRC32C(writer.crc);

	build(&writer, arg);

	if (writer.taken != size)
		elog(ERROR, "resident model has " UINT64_FORMAT " bytes, promised were " UINT64_FORMAT, writer.taken, size);
	FIN_CRC32C(writer.crc);
	footer = make_footer(key, size, writer.crc);
	append(&writer, (const uint8 *) &footer, sizeof footer);
	write_out(&writer, writer.piece, writer.filled);
	pfree(writer.piece);
	/* Network file systems report a full disk here. */
	if (CloseTransientFile(writer.fd) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not close file \"%s\": %m", path)));
	if (rename(path, final_path) != 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not rename file \"%s\" to \"%s\": %m", path, final_path)));
}

static void
remove_file(const char *path)
{
	if (unlink(path) != 0 && errno != ENOENT)
		ereport(LOG, (errcode_for_file_access(), errmsg("could not remove file \"%s\": %m", path)));
}

void
resident_file_abandon(const ModelKey *key)
{
	char path[MAXPGPATH];

	partial_path(path, key);
	remove_file(path);
}

void
resident_file_unlink(const ModelKey *key)
{
	char path[MAXPGPATH];

	resident_file_path(path, key);
	remove_file(path);
}

/* Reads size bytes in pieces, each summed up. False with errno set, 0 for an early end. */
static bool
read_through(int fd, uint64 size, pg_crc32c *crc)
{
	uint8 *piece = palloc(PIECE);
	bool whole = true;

	INIT_CRC32C(*crc);
	while (size > 0 && whole)
	{
		ssize_t n;

		CHECK_FOR_INTERRUPTS();
		errno = 0;
		n = read(fd, piece, Min(size, (uint64) PIECE));
		if (n > 0)
		{
			COMP_CRC32C(*crc, piece, n);
			size -= (uint64) n;
		}
		else
			whole = n < 0 && errno == EINTR;
	}
	FIN_CRC32C(*crc);
	pfree(piece);
	return whole;
}

bool
resident_file_verify(const ModelKey *key, uint64 size)
{
	char path[MAXPGPATH];
	pg_crc32c crc;
	Footer stored;
	Footer expected;
	bool whole;
	int fd;

	resident_file_path(path, key);
	fd = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	if (fd < 0)
	{
		ereport(LOG, (errcode_for_file_access(), errmsg("could not open file \"%s\": %m", path)));
		return false;
	}
	whole = read_through(fd, size, &crc) && read(fd, &stored, sizeof stored) == sizeof stored;
	if (!whole && errno != 0)
		ereport(LOG, (errcode_for_file_access(), errmsg("could not read file \"%s\": %m", path)));
	CloseTransientFile(fd);
	if (!whole)
		return false;
	expected = make_footer(key, size, crc);
	if (memcmp(&stored, &expected, sizeof stored) == 0)
		return true;
	ereport(LOG, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("file \"%s\" is damaged or from another version", path),
				  errdetail("It is built anew.")));
	return false;
}

/* Offers one complete file, or removes it. */
static void
sweep_file(const char *name, ResidentFound found, void *arg)
{
	char path[MAXPGPATH];
	struct stat status;
	ModelKey key;

	snprintf(path, sizeof path, "%s/%s", RESIDENT_DIRECTORY, name);
	if (lstat(path, &status) != 0 || S_ISDIR(status.st_mode))
		return;
	if (!S_ISREG(status.st_mode) || !parse_name(name, &key) || status.st_size <= (off_t) sizeof(Footer) ||
		!found(arg, &key, (uint64) status.st_size - sizeof(Footer), time_t_to_timestamptz(status.st_mtime)))
		remove_file(path);
}

void
resident_file_sweep(ResidentFound found, void *arg)
{
	DIR *directory = AllocateDir(RESIDENT_DIRECTORY);
	struct dirent *entry;

	if (directory == NULL && errno == ENOENT)
		return;
	while ((entry = ReadDirExtended(directory, RESIDENT_DIRECTORY, LOG)) != NULL)
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0)
			sweep_file(entry->d_name, found, arg);
	if (directory != NULL)
		FreeDir(directory);
}
