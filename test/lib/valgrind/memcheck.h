/*
 * Valgrind's requests, as far as PostgreSQL makes them, answered by AddressSanitizer. Not Valgrind's header.
 *
 * AddressSanitizer sees malloc, and a memory context asks malloc for whole blocks: what is pfree'd, or written past the
 * end of a palloc'd chunk, stays inside a block and would go unseen. The server marks such memory itself, for Valgrind.
 * Built with -DUSE_VALGRIND and the folder above this one in front of the system's, it marks it for the sanitizer.
 *
 * What is not known to be defined may be touched as well: that a value was never set is for RANDOMIZE_ALLOCATED_MEMORY.
 * Eight bytes are marked together, the first few of them usable; the requests fit that, for chunks are aligned.
 */
#ifndef MG_TEST_MEMCHECK_H
#define MG_TEST_MEMCHECK_H

#include <sanitizer/asan_interface.h>

#define VALGRIND_MAKE_MEM_NOACCESS(address, size) __asan_poison_memory_region((address), (size))
#define VALGRIND_MAKE_MEM_DEFINED(address, size) __asan_unpoison_memory_region((address), (size))
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) __asan_unpoison_memory_region((address), (size))
#define VALGRIND_CHECK_MEM_IS_DEFINED(address, size) ((void) 0)

#define VALGRIND_CREATE_MEMPOOL(pool, redzone, zeroed) ((void) 0)
#define VALGRIND_DESTROY_MEMPOOL(pool) ((void) 0)
#define VALGRIND_MEMPOOL_ALLOC(pool, address, size) __asan_unpoison_memory_region((address), (size))
#define VALGRIND_MEMPOOL_FREE(pool, address) ((void) 0)
#define VALGRIND_MEMPOOL_CHANGE(pool, from, to, size) __asan_unpoison_memory_region((to), (size))

#endif
