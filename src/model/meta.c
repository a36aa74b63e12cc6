/* The section "meta", to bytes and back. */
#include "model/meta.h"

typedef struct Fields
{
	MgSpan architecture, pooling, dtype;
	bool normalize, calibrate;
	uint32_t max_tokens;
	uint64_t parameters;
} Fields;

static const MgKey keys[] = {
	{"architecture", MG_KEY_TEXT, offsetof(Fields, architecture), 0, 0},
	{"pooling", MG_KEY_TEXT, offsetof(Fields, pooling), 0, 0},
	{"normalize", MG_KEY_FLAG, offsetof(Fields, normalize), 0, 0},
	{"calibrate", MG_KEY_FLAG, offsetof(Fields, calibrate), 0, 0},
	{"max_tokens", MG_KEY_SIZE, offsetof(Fields, max_tokens), 3, MG_MAX_POSITIONS},
	{"dtype", MG_KEY_TEXT, offsetof(Fields, dtype), 0, 0},
	{"parameters", MG_KEY_COUNT, offsetof(Fields, parameters), 0, 1e18},
};

#define N_KEYS (sizeof keys / sizeof *keys)

bool
mg_meta_write(MgCtx *cx, const MgArch *arch, const MgMeta *meta, MgSpan *bytes)
{
	Fields fields = {.architecture = mg_span_of(arch->name),
					 .dtype = mg_span_of(mg_dtype_name(meta->dtype)),
					 .normalize = meta->normalize,
					 .calibrate = meta->calibrate,
					 .max_tokens = meta->max_tokens,
					 .parameters = meta->parameters};
	MgConfig config;

	if (meta->pooling != MG_POOL_NONE)
		fields.pooling = mg_span_of(mg_pooling_name(meta->pooling));
	return mg_config_of_fields(cx, keys, N_KEYS, &fields, NULL, &config) && mg_config_write(cx, &config, bytes);
}

bool
mg_meta_find_arch(MgCtx *cx, MgSpan name, MgImage *image)
{
	image->arch = mg_arch_find(name);
	return image->arch != NULL ||
		mg_fail(cx, MG_UNSUPPORTED, "architecture \"%.*s\" is not supported", MG_SPAN_ARGS(name));
}

bool
mg_meta_read(MgCtx *cx, MgSpan bytes, MgImage *image)
{
	Fields fields = {.normalize = true, .calibrate = true};
	MgConfig config;
	int dtype = 0;

	if (!mg_config_read(cx, bytes, &config) || !mg_config_fill(cx, &config, keys, N_KEYS, &fields) ||
		!mg_meta_find_arch(cx, fields.architecture, image))
		return false;
	while (dtype < MG_N_DTYPES && !mg_span_is(fields.dtype, mg_dtype_name((MgDtype) dtype)))
		dtype++;
	image->meta = (MgMeta){mg_pooling_of_name(fields.pooling), fields.normalize,	fields.max_tokens,
						   fields.calibrate,				   (MgDtype) dtype, fields.parameters};
	if (dtype == MG_N_DTYPES || fields.max_tokens == 0 ||
		(fields.pooling.size > 0 && image->meta.pooling == MG_POOL_NONE))
		return mg_image_damaged(cx, "A field of its description is out of range.");
	return true;
}
