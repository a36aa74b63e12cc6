/*
 * What this CPU can do, found out once and in one place. Every layer that has
 * kernels chooses among them by a level, which the caller hands down:
 * tensor/compute.h, vector/distance.h and hnsw/code.h.
 *
 * A level names a set of instructions; each level of an architecture includes
 * the ones below it. What a few kernels want beyond their level is a feature
 * and is asked for by itself.
 */
#ifndef MG_CORE_CPU_H
#define MG_CORE_CPU_H

#include <stdbool.h>

typedef enum MgCpuLevel
{
	MG_CPU_SCALAR = 0, /* of any architecture */

	MG_CPU_AVX2 = 1,   /* x86-64: AVX2, FMA, F16C, POPCNT */
	MG_CPU_AVX512 = 2, /* AVX-512 F, BW, DQ, VL */
	MG_CPU_VNNI = 3,   /* the same with AVX-512 VNNI, for int8 */
	MG_CPU_AMX = 4,	   /* the same with the tiles of AMX, for int8 and bf16x2, and AVX-512 BF16 */

	MG_CPU_NEON = 1,   /* AArch64: all of them */
	MG_CPU_NEONDOT = 2 /* the same with dot products, for int8 */
} MgCpuLevel;

#define MG_N_CPU_LEVELS 5

/*
 * The highest level that this CPU has. Where that is MG_CPU_AMX, the process asks Linux for the use of the tile registers,
 * which its threads and children have then, too. Only the first call looks: under a hypervisor CPUID costs 12 microseconds.
 */
MgCpuLevel mg_cpu_level(void);

/* "scalar"; "avx2", "avx512", "avx512vnni", "amx"; on AArch64 "neon", "neondot". */
const char *mg_cpu_level_name(MgCpuLevel level);

/* AVX-512 VPOPCNTDQ: some CPUs of MG_CPU_VNNI lack it. */
bool mg_cpu_counts_bits(void);

/* AVX-512 BF16: the same. */
bool mg_cpu_has_bf16(void);

/* The headers of older clangs have the dot products of AArch64 only when all code is compiled for them. */
#if defined(__aarch64__) && (!defined(__clang__) || __clang_major__ >= 16)
#define MG_HAS_NEONDOT
#endif

#endif
