/*
 * A keyed hash of 128 bits: SipHash-2-4 with double output (Aumasson and
 * Bernstein, "SipHash: a fast short-input PRF", 2012). Who does not know the
 * key cannot find two texts of equal hash faster than by chance, and chance
 * needs some 2^64 of them. With a key that everybody knows it is a good
 * function for tables whose finds are compared anyway.
 */
#ifndef MG_CORE_HASH_H
#define MG_CORE_HASH_H

#include "core/span.h"

typedef struct MgHash
{
	uint64_t words[2];
} MgHash;

/* The hash of bytes under key; a hash is a key as good as any. The same on all machines. */
MgHash mg_hash(MgHash key, MgSpan bytes);

#endif
