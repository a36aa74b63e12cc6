/*
 * All that the library may ask of the world: memory, whether to stop, and a
 * place for remarks. It opens no file and reads no clock, environment or
 * randomness. Two hosts exist: src/pg/host.c (a PostgreSQL backend) and
 * src/cli/host.c (a process).
 */
#ifndef MG_CORE_HOST_H
#define MG_CORE_HOST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct MgHost
{
	void *user; /* handed back to each verb */

	/* size > 0, aligned to at least 16 bytes; NULL when refused. Always returns. */
	void *(*alloc)(void *user, size_t size);

	/* Takes back what alloc gave, with the same size. Never fails. */
	void (*release)(void *user, void *memory, size_t size);

	/*
	 * Asked at least every 20 ms of work. False: stop, the caller returns an
	 * MG_STOPPED error. It may also never return (a server's longjmp), so at a
	 * poll the library owns nothing but arena memory: no lock, no descriptor,
	 * no foreign allocation, no half-changed global.
	 */
	bool (*poll)(void *user);

	/* A remark for whoever runs this; text is a sentence without a period. */
	void (*note)(void *user, const char *text);
} MgHost;

#endif
