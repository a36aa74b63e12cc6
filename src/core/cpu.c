/*
 * Reads what the CPU can do. On x86-64 the compilers' run-time test reads CPUID and asks the operating system's XCR0 as
 * well, so an operating system that does not save the wide registers is believed. F16C and AMX are read by hand: clang's
 * test has no words for them.
 */
#include "core/cpu.h"

#include <stdatomic.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From asm/prctl.h of Linux 5.16, for older headers. */
#define REQUEST_STATE 0x1023
#define TILE_DATA 18

static bool
has_f16c(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

static bool
has_vectors_bf16(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & 1u << 5) != 0;
}

/*
 * Linux keeps 8 kB more for each thread that uses tiles, and wants to be asked. A kernel that does not know of them, or a
 * process that may not, gets an error.
 */
static bool
has_tiles(void)
{
#if defined(SYS_arch_prctl)
	const unsigned bf16 = 1u << 22, tile = 1u << 24, int8 = 1u << 25;
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & tile) != 0 && (d & int8) != 0 && (d & bf16) != 0 &&
		has_vectors_bf16() &&
		syscall(SYS_arch_prctl, REQUEST_STATE, TILE_DATA) == 0;
#else
	return false;
#endif
}

static MgCpuLevel
find_level(void)
{
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("popcnt") ||
		!has_f16c())
		return MG_CPU_SCALAR;
	if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
		!__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
		return MG_CPU_AVX2;
	if (!__builtin_cpu_supports("avx512vnni"))
		return MG_CPU_AVX512;
	return has_tiles() ? MG_CPU_AMX : MG_CPU_VNNI;
}

bool
mg_cpu_counts_bits(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512vpopcntdq");
}

bool
mg_cpu_has_bf16(void)
{
	static atomic_int known = -1;
	int has = atomic_load_explicit(&known, memory_order_relaxed);

	if (has < 0)
	{
		has = mg_cpu_level() >= MG_CPU_VNNI && has_vectors_bf16();
		atomic_store_explicit(&known, has, memory_order_relaxed);
	}
	return has != 0;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

#define HAS_DOT_PRODUCTS (1ul << 20) /* HWCAP_ASIMDDP of asm/hwcap.h, for older headers */

static MgCpuLevel
find_level(void)
{
#if defined(MG_HAS_NEONDOT)
	if ((getauxval(AT_HWCAP) & HAS_DOT_PRODUCTS) != 0)
		return MG_CPU_NEONDOT;
#endif
	return MG_CPU_NEON;
}

bool
mg_cpu_counts_bits(void)
{
	return false;
}

bool
mg_cpu_has_bf16(void)
{
	return false;
}

#else

static MgCpuLevel
find_level(void)
{
	return MG_CPU_SCALAR;
}

bool
mg_cpu_counts_bits(void)
{
	return false;
}

bool
mg_cpu_has_bf16(void)
{
	return false;
}

#endif

MgCpuLevel
mg_cpu_level(void)
{
	static atomic_int known = -1; /* two threads that look at once find the same */
	int level = atomic_load_explicit(&known, memory_order_relaxed);

	if (level < 0)
	{
		level = (int) find_level();
		atomic_store_explicit(&known, level, memory_order_relaxed);
	}
	return (MgCpuLevel) level;
}

const char *
mg_cpu_level_name(MgCpuLevel level)
{
#if defined(__aarch64__)
	static const char *const names[] = {"scalar", "neon", "neondot"};
#else
	static const char *const names[] = {"scalar", "avx2", "avx512", "avx512vnni", "amx"};
#endif

	return (unsigned) level < sizeof names / sizeof names[0] ? names[level] : "unknown";
}
