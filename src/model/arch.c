/* Looking architectures up, and configuring one. */
#include "model/arch.h"

#include <stdio.h>

const MgArch *
mg_arch_find(MgSpan name)
{
	for (const MgArch *const *arch = mg_arches; *arch != NULL; arch++)
		if (mg_span_is(name, (*arch)->name))
			return *arch;
	return NULL;
}

/* The bounds that everything else relies on, whatever an architecture checks. */
static bool
check_sizes(MgCtx *cx, const MgConfig *config, const MgSizes *sizes)
{
	if (sizes->layers < 1 || sizes->layers > MG_MAX_LAYERS || sizes->width < 1 || sizes->width > MG_MAX_WIDTH ||
		sizes->vocab < 1 || sizes->vocab > MG_MAX_VOCAB || sizes->longest < 3 || sizes->longest > MG_MAX_POSITIONS)
		return mg_config_fail(cx, config, "a size that is out of range");
	return true;
}

void *
mg_arch_configure(MgCtx *cx, const MgArch *arch, const MgConfig *config)
{
	uint8_t *fields = mg_alloc(cx, arch->config_size);

	if (fields == NULL)
		return NULL;
	memcpy(fields, arch->defaults, arch->config_size);
	return mg_config_fill(cx, config, arch->keys, arch->n_keys, fields) && arch->settle(cx, config, fields) &&
			check_sizes(cx, config, (const MgSizes *) (const void *) fields)
		? fields
		: NULL;
}

const char *
mg_can_text(uint32_t can, char text[MG_CAN_TEXT])
{
	static const char *const names[] = {"embed", "fill_mask", "classify", "rerank", "classify_own", "classify_own_scores",
										"entities", "token_anomalies", "generate"};
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if ((can & 1u << i) != 0)
			length += (size_t) snprintf(text + length, MG_CAN_TEXT - length, "%s%s", length > 0 ? ", " : "", names[i]);
	return text;
}
