/*
 * Reading a model's directory: privileges, virtual file descriptors, no
 * surprises from FIFOs or devices.
 *
 * PostgreSQL closes temporary files by itself at the end of a transaction, and
 * no others: these close with the memory context, which also an error resets.
 */
#include "pg/model/server_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "catalog/pg_authid.h"
#include "format/gguf_split.h"
#include "miscadmin.h"
#include "model/adapter.h"
#include "pg/host.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/wait_event.h"

typedef struct ServerFile
{
	File file;
	char path[MAXPGPATH];
	MemoryContextCallback close;
} ServerFile;

typedef struct Directory
{
	MemoryContext context; /* of the files */
	const char *path;	   /* or that of a GGUF file, which is all there is then */
} Directory;

static void
close_file(void *arg)
{
	FileClose(((ServerFile *) arg)->file);
}

static bool
read_file(MgCtx *cx, void *user, uint64_t offset, void *into, size_t size)
{
	const ServerFile *file = user;

	for (size_t done = 0; done < size;)
	{
		int n = FileRead(file->file, (char *) into + done, Min(size - done, (size_t) 1024 * 1024),
						 (off_t) (offset + done), WAIT_EVENT_COPY_FILE_READ);

		if (n < 0)
			ereport(ERROR, (errcode_for_file_access(), errmsg("could not read file \"%s\": %m", file->path)));
		if (n == 0)
			return mg_fail(cx, MG_BAD_FILE, "file \"%s\" became shorter while it was read", file->path);
		done += (size_t) n;
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

/*
 * The path of a file by its name within the directory. A GGUF file by itself has the name that one within a directory has; if it is a part of
 * several, the others stand beside it, under its name with other numbers.
 */
static bool
find_path(const Directory *directory, const char *name, char path[MAXPGPATH])
{
	const size_t tail = strlen(MG_GGUF_PART_TAIL), stem = strlen(MG_GGUF_PART_STEM);
	struct stat status;

	if ((strcmp(name, MG_GGUF_FILE) != 0 && !mg_gguf_is_part(name)) || stat(directory->path, &status) != 0 || !S_ISREG(status.st_mode))
		return snprintf(path, MAXPGPATH, "%s/%s", directory->path, name) < MAXPGPATH;
	if (strlcpy(path, directory->path, MAXPGPATH) >= MAXPGPATH)
		return false;
	if (mg_gguf_is_part(name) && mg_gguf_is_part(path))
		memcpy(path + strlen(path) - tail, name + stem, tail);
	else if (mg_gguf_is_part(name))
		path[0] = '\0';
	return true;
}

static bool
open_file(MgCtx *cx, void *user, const char *name, MgSource *source, bool *found)
{
	const Directory *directory = user;
	ServerFile *file = MemoryContextAllocZero(directory->context, sizeof *file);
	struct stat status;

	*found = false;
	if (!find_path(directory, name, file->path))
		return mg_fail(cx, MG_BAD_ARGUMENT, "path of file \"%s\" is too long", name);
	if (stat(file->path, &status) != 0)
	{
		if (errno == ENOENT || errno == ENOTDIR)
			return true;
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not stat file \"%s\": %m", file->path)));
	}
	/* Opening a FIFO would wait for a writer. */
	if (!S_ISREG(status.st_mode))
		return mg_fail(cx, MG_BAD_FILE, "\"%s\" is not a regular file", file->path);
	file->file = PathNameOpenFile(file->path, O_RDONLY | PG_BINARY | O_NONBLOCK);
	if (file->file < 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not open file \"%s\": %m", file->path),
						errhint("The server reads it as its own operating system user.")));
	file->close.func = close_file;
	file->close.arg = file;
	MemoryContextRegisterResetCallback(directory->context, &file->close);
	*source = (MgSource){file, (uint64_t) FileSize(file->file), read_file};
	*found = true;
	return true;
}

MgFiles
server_files(MemoryContext context, const char *path)
{
	Directory *directory = MemoryContextAlloc(context, sizeof *directory);

	*directory = (Directory){context, path};
	return (MgFiles){directory, open_file, NULL};
}

MgFiles
server_model_files(MgCtx *cx, MemoryContext context, const char *path, const MgModelOptions *options)
{
	MgFiles *given = MemoryContextAlloc(context, sizeof *given), files;
	const char *base;

	*given = server_files(context, path);
	if (!mg_adapter_base(cx, given, options->base, &base))
		host_throw(cx);
	if (base == NULL)
		return *given;
	server_files_check(base);
	files = server_files(context, base);
	files.adapter = given;
	return files;
}

/* Whether a file begins as GGUF does, or as what Git LFS leaves in its place, which is told later. */
static bool
is_model_file(const char *path)
{
	char start[4];
	FILE *file = AllocateFile(path, PG_BINARY_R);
	bool read;

	if (file == NULL)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not open file \"%s\": %m", path),
						errhint("The server reads it as its own operating system user.")));
	read = fread(start, sizeof start, 1, file) == 1;
	FreeFile(file);
	return read && (memcmp(start, "GGUF", sizeof start) == 0 || memcmp(start, "vers", sizeof start) == 0);
}

void
server_files_check(const char *path)
{
	struct stat status;

	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to read a model from files"),
						errdetail("Only superusers and roles with privileges of pg_read_server_files may read files "
								  "of the server.")));
	if (stat(path, &status) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not open directory \"%s\": %m", path),
						errhint("The path is one on the server, and the server's operating system user must be able "
								"to read it.")));
	if (!S_ISDIR(status.st_mode) && !(S_ISREG(status.st_mode) && is_model_file(path)))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is neither a directory nor a GGUF file", path),
						errhint("A model is a GGUF file, or a directory with config.json, model.safetensors or pytorch_model.bin, and "
								"tokenizer.json or vocab.txt.")));
}
