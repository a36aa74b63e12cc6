/*
 * Mapping resident files.
 *
 * Each backend maps the same page cache read-only. The address is a multiple
 * of 2 MB, so that a file held in 2 MB pages is mapped by as many entries of
 * the page table's upper level. MADV_HUGEPAGE asks for such pages when the
 * file has to be read from disk again.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"
#include "pg/resident/file.h"
#include "storage/fd.h"

#define HUGE_PAGE ((Size) 2 * 1024 * 1024)

/* Small enough that reading one from a slow disk does not hold up a cancel. */
#define POPULATE_STEP ((Size) 8 * 1024 * 1024)

/* Linux 5.14 and later; older C libraries do not name it. */
#if defined(__linux__) && !defined(MADV_POPULATE_READ)
#define MADV_POPULATE_READ 22
#endif

/* Address space of that size at a multiple of HUGE_PAGE, not accessible yet; NULL with errno set. */
static uint8 *
reserve_address(Size size)
{
	Size room = size + HUGE_PAGE;
	uint8 *start = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8 *aligned;
	uint8 *end;

	if (start == MAP_FAILED)
		return NULL;
	aligned = (uint8 *) TYPEALIGN(HUGE_PAGE, start);
	end = (uint8 *) TYPEALIGN(sysconf(_SC_PAGESIZE), aligned + size);
	if (aligned > start)
		munmap(start, aligned - start);
	if (end < start + room)
		munmap(end, start + room - end);
	return aligned;
}

int
resident_file_map(const ModelKey *key, uint64 size, ResidentMap *map)
{
	char path[MAXPGPATH];
	struct stat status;
	uint8 *address;
	int result = 0;
	int fd;

	resident_file_path(path, key);
	fd = BasicOpenFile(path, O_RDONLY | PG_BINARY);
	if (fd < 0)
		return errno;
	if (fstat(fd, &status) != 0)
		result = errno;
	else if ((uint64) status.st_size != size + RESIDENT_FOOTER_SIZE)
		result = ENOENT;
	else if (size > SIZE_MAX - HUGE_PAGE || (address = reserve_address((Size) size)) == NULL)
		result = ENOMEM;
	else if (mmap(address, (Size) size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
	{
		result = errno;
		munmap(address, (Size) size);
	}
	else
	{
#ifdef MADV_HUGEPAGE
		/* A hint: where it is not understood, small pages do. */
		(void) madvise(address, (Size) size, MADV_HUGEPAGE);
#endif
		map->bytes = address;
		map->size = (Size) size;
	}
	close(fd);
	return result;
}

void
resident_file_populate(const ResidentMap *map)
{
#ifdef MADV_POPULATE_READ
	for (Size done = 0; done < map->size; done += POPULATE_STEP)
	{
		CHECK_FOR_INTERRUPTS();
		if (madvise((void *) (map->bytes + done), Min(POPULATE_STEP, map->size - done), MADV_POPULATE_READ) == 0)
			continue;
		/* An old kernel leaves it to page faults; that pages cannot be read is worth an error before a SIGBUS. */
		if (errno == EFAULT || errno == EIO)
			ereport(ERROR, (errcode(ERRCODE_IO_ERROR), errmsg("could not read the resident copy of a model: %m")));
		return;
	}
#endif
}

void
resident_file_unmap(ResidentMap *map)
{
	if (map->bytes != NULL)
		munmap((void *) map->bytes, map->size);
	map->bytes = NULL;
}
