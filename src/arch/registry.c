/* The architectures: every file beside this one, listed by make. */
#include "model/arch.h"

#define MG_ARCH(name) extern const MgArch mg_arch_##name;
#include "arch/list.gen.h"
#undef MG_ARCH

const MgArch *const mg_arches[] = {
#define MG_ARCH(name) &mg_arch_##name,
#include "arch/list.gen.h"
#undef MG_ARCH
	NULL};
