/* malloc as a host; pread as a source; memory as a sink. */
#include "cli/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/adapter.h"
#include "model/checkpoint.h"

static void *
host_alloc(void *user, size_t size)
{
	(void) user;
	return malloc(size);
}

static void
host_release(void *user, void *memory, size_t size)
{
	(void) user;
	(void) size;
	free(memory);
}

static bool
host_poll(void *user)
{
	(void) user;
	return true;
}

static void
host_note(void *user, const char *text)
{
	(void) user;
	fprintf(stderr, "mg: %s\n", text);
}

const MgHost cli_host = {NULL, host_alloc, host_release, host_poll, host_note};

static bool
read_file(MgCtx *cx, void *user, uint64_t offset, void *into, size_t size)
{
	int fd = *(int *) user;

	for (size_t done = 0; done < size;)
	{
		ssize_t n = pread(fd, (char *) into + done, size - done, (off_t) (offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return mg_fail(cx, MG_IO, "could not read file: %s", n < 0 ? strerror(errno) : "it became shorter");
		done += (size_t) n;
	}
	return true;
}

static bool
open_file(MgCtx *cx, void *user, const char *name, MgSource *source, bool *found)
{
	char path[4096];
	int *fd = mg_alloc(cx, sizeof *fd);
	struct stat status;

	if (fd == NULL)
		return false;
	if (snprintf(path, sizeof path, "%s/%s", (const char *) user, name) >= (int) sizeof path)
		return mg_fail(cx, MG_BAD_ARGUMENT, "path \"%s/%s\" is too long", (const char *) user, name);
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	*found = *fd >= 0;
	if (*fd < 0)
		return errno == ENOENT || mg_fail(cx, MG_IO, "could not open file \"%s\": %s", path, strerror(errno));
	if (fstat(*fd, &status) != 0 || !S_ISREG(status.st_mode))
		return mg_fail(cx, MG_IO, "\"%s\" is not a regular file", path);
	*source = (MgSource){fd, (uint64_t) status.st_size, read_file};
	return true;
}

MgFiles
cli_directory(const char *path)
{
	return (MgFiles){(void *) path, open_file, NULL};
}

typedef struct Memory
{
	uint8_t *data;
	uint64_t used;
} Memory;

static bool
write_memory(MgCtx *cx, void *user, const void *bytes, size_t size)
{
	Memory *memory = user;

	(void) cx;
	if (size > 0)
		memcpy(memory->data + memory->used, bytes, size);
	memory->used += size;
	return true;
}

const MgModel *
cli_load_files(MgCtx *cx, const MgFiles *files, const char *options_text, const MgKernels *kernels, MgForm form,
			   MgImage *image)
{
	MgModelOptions options;
	MgPlan plan;
	MgImage portable, resident;
	Memory from = {NULL, 0}, to = {NULL, 0};
	MgSink from_sink = {&from, write_memory}, to_sink = {&to, write_memory};
	MgSpan bytes;
	MgSource source;

	if (!mg_model_options_parse(cx, mg_span_of(options_text), &options) ||
		!mg_checkpoint_plan(cx, files, &options, &plan))
		return NULL;
	from.data = malloc(plan.image.size);
	if (from.data == NULL || !mg_checkpoint_write(cx, kernels, &plan, &from_sink))
		goto failed;
	bytes = mg_span(from.data, from.used);
	source = mg_source_of_span(&bytes);
	if (!mg_image_open(cx, &source, &portable) || !mg_image_plan_pack(cx, &portable, form, &resident))
		goto failed;
	to.data = mg_alloc(cx, resident.size);
	if (to.data == NULL || !mg_image_pack(cx, kernels, &source, &portable, &resident, &to_sink))
		goto failed;
	free(from.data);
	if (image != NULL)
		*image = plan.image;
	return mg_model_bind(cx, mg_span(to.data, to.used));

failed:
	if (from.data == NULL)
		mg_fail(cx, MG_NO_MEMORY, "out of memory");
	free(from.data);
	return NULL;
}

const MgModel *
cli_load(MgCtx *cx, const char *path, const char *options, const MgKernels *kernels, MgForm form, MgImage *image)
{
	MgFiles files = cli_directory(path), base;
	MgModelOptions parsed;
	const char *base_path;

	if (!mg_model_options_parse(cx, mg_span_of(options), &parsed) || !mg_adapter_base(cx, &files, parsed.base, &base_path))
		return NULL;
	if (base_path == NULL)
		return cli_load_files(cx, &files, options, kernels, form, image);
	base = cli_directory(base_path);
	base.adapter = &files;
	return cli_load_files(cx, &base, options, kernels, form, image);
}
