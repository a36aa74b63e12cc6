#include "core/cpu.h"

#include "unit/tap.h"

int
main(void)
{
	is_text(mg_cpu_level_name(MG_CPU_SCALAR), "scalar", "the lowest level's name");
#if defined(__aarch64__)
	is_text(mg_cpu_level_name(MG_CPU_NEONDOT), "neondot", "the highest level's name");
#else
	is_text(mg_cpu_level_name(MG_CPU_AMX), "amx", "the highest level's name");
#endif
	is_text(mg_cpu_level_name((MgCpuLevel) 7), "unknown", "a level that does not exist");
	ok((unsigned) mg_cpu_level() < MG_N_CPU_LEVELS, "this CPU has %s", mg_cpu_level_name(mg_cpu_level()));
	is_int(mg_cpu_level(), mg_cpu_level(), "the second answer is the first");
#if defined(__x86_64__)
	ok(!mg_cpu_counts_bits() || mg_cpu_level() >= MG_CPU_AVX512, "bits are counted in registers that are there");
#endif
	return done();
}
