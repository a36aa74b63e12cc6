/* Runs a fuzz target over files named on the command line; what `make fuzz` links without a fuzzing engine. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	long size;

	if (file == NULL)
		return perror(path), 1;
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	data = malloc(size > 0 ? (size_t) size : 1);
	if (data == NULL || fread(data, 1, (size_t) size, file) != (size_t) size)
		return perror(path), 1;
	fclose(file);
	LLVMFuzzerTestOneInput(data, (size_t) size);
	free(data);
	return 0;
}

int
main(int argc, char **argv)
{
	int n = 0;

	for (int i = 1; i < argc; i++)
	{
		DIR *folder = opendir(argv[i]);

		if (folder == NULL)
		{
			if (replay(argv[i]) != 0)
				return 1;
			n++;
			continue;
		}
		for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		{
			char path[4096];

			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
			if (replay(path) != 0)
				return 1;
			n++;
		}
		closedir(folder);
	}
	printf("replayed %d inputs\n", n);
	return 0;
}
