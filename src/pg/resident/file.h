/*
 * The files that hold resident models, and their mappings. One file holds:
 *
 *   1. the resident bytes, from offset 0, so that a mapping is page-aligned
 *   2. a footer of 64 bytes, see resident/file.c: magic, version, the key,
 *      the size, and a CRC-32C of the bytes
 *
 * A file appears under its name complete (written under another name, then
 * renamed) and is never changed afterwards, only unlinked.
 */
#ifndef MASKGEN_PG_RESIDENT_FILE_H
#define MASKGEN_PG_RESIDENT_FILE_H

#include "postgres.h"
#include "pg/resident/registry.h"

/* In the data directory. Base backups and pg_rewind skip names that begin with pgsql_tmp. */
#define RESIDENT_DIRECTORY "pgsql_tmp_maskgen"

#define RESIDENT_FOOTER_SIZE 64

/* The path of a complete file, relative to the data directory. */
void resident_file_path(char path[MAXPGPATH], const ModelKey *key);

typedef struct ResidentWriter ResidentWriter;

/* Writes exactly the promised number of bytes through resident_write, front to back; may throw. */
typedef void (*ResidentBuild)(ResidentWriter *writer, void *arg);

/* Appends to the file that is being built. Checks for interrupts; throws when the disk is full. */
void resident_write(ResidentWriter *writer, const void *bytes, Size size);

/* A read-only view of a file's resident bytes. */
typedef struct ResidentMap
{
	const uint8 *bytes; /* 2 MB-aligned */
	Size size;
} ResidentMap;

/* Writes and publishes the file of that key. On a throw the caller calls resident_file_abandon. */
void resident_file_build(const ModelKey *key, uint64 size, ResidentBuild build, void *arg);

/* Removes what an interrupted resident_file_build of this process left. Never throws. */
void resident_file_abandon(const ModelKey *key);

/* Reads a file of unknown history through. False, with the reason in the log, when it is not to be trusted. */
bool resident_file_verify(const ModelKey *key, uint64 size);

/* Maps without reading. Never throws: returns 0, or an errno, ENOENT also for a file of another size. */
int resident_file_map(const ModelKey *key, uint64 size, ResidentMap *map);

/* Brings a mapping's page tables up to date, so that first use costs no faults. Checks for interrupts. */
void resident_file_populate(const ResidentMap *map);

void resident_file_unmap(ResidentMap *map);

/* Never throws; mappings keep their pages. */
void resident_file_unlink(const ModelKey *key);

/* Offered each complete file that is found; returns false to have it removed. */
typedef bool (*ResidentFound)(void *arg, const ModelKey *key, uint64 size, TimestampTz written);

/* Looks through the directory while nobody is loading: removes what is incomplete, offers the rest. */
void resident_file_sweep(ResidentFound found, void *arg);

#endif
