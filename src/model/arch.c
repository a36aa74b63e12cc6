/* Looking architectures up, and the lengths of their sides. */
#include "model/arch.h"

const MgArch *
mg_arch_find(MgSpan name)
{
	for (const MgArch *const *arch = mg_arches; *arch != NULL; arch++)
		if (mg_span_is(name, (*arch)->name))
			return *arch;
	return NULL;
}

size_t
mg_dim_size(const MgHyper *hyper, MgDim dim)
{
	switch (dim)
	{
		case MG_DIM_NONE:
			return 1;
		case MG_DIM_HIDDEN:
			return hyper->hidden;
		case MG_DIM_INTERMEDIATE:
			return hyper->intermediate;
		case MG_DIM_VOCAB:
			return hyper->vocab_size;
		case MG_DIM_POSITIONS:
			return hyper->positions;
		case MG_DIM_TYPES:
			return hyper->types;
	}
	return 0;
}
