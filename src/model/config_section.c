/* Configurations as the bytes of a section (form: config.h). They come from rows that somebody may have changed. */
#include "core/reader.h"
#include "model/config.h"

static uint8_t *
put(uint8_t *to, const void *from, size_t size)
{
	if (size > 0)
		memcpy(to, from, size);
	return to + size;
}

static uint8_t *
put_u32(uint8_t *to, uint32_t number)
{
	return put(to, &number, sizeof number);
}

bool
mg_config_write(MgCtx *cx, const MgConfig *config, MgSpan *bytes)
{
	size_t size = 4;
	uint8_t *to;

	for (size_t i = 0; i < config->n; i++)
		size += 16 + config->values[i].key.size + config->values[i].text.size;
	to = mg_alloc(cx, size);
	if (to == NULL)
		return false;
	bytes->data = to;
	to = put_u32(to, (uint32_t) config->n);
	for (size_t i = 0; i < config->n; i++)
	{
		const MgConfigValue *value = &config->values[i];

		to = put_u32(put_u32(to, value->kind), (uint32_t) value->key.size);
		to = put(to, value->key.data, value->key.size);
		if (value->kind == MG_VALUE_INTEGER)
			to = put(to, &value->integer, sizeof value->integer);
		else if (value->kind == MG_VALUE_REAL)
			to = put(to, &value->real, sizeof value->real);
		else if (value->kind == MG_VALUE_FLAG)
			to = put_u32(to, (uint32_t) value->integer);
		else
			to = put(put_u32(to, (uint32_t) value->text.size), value->text.data, value->text.size);
	}
	bytes->size = (size_t) (to - bytes->data);
	return true;
}

bool
mg_config_read(MgCtx *cx, MgSpan bytes, MgConfig *config)
{
	MgReader reader = mg_reader(bytes);
	uint32_t n = mg_read_u32(&reader);
	MgConfigValue *values;
	bool fine = !reader.failed && n <= MG_MAX_VALUES && n <= bytes.size / 12;

	*config = (MgConfig){NULL, 0, NULL};
	values = fine ? mg_alloc_zeroed(cx, n, sizeof *values) : NULL;
	if (fine && values == NULL)
		return false;
	for (uint32_t i = 0; fine && i < n; i++)
	{
		MgConfigValue *value = &values[i];
		uint32_t kind = mg_read_u32(&reader);
		uint64_t bits;

		value->kind = (MgValueKind) kind;
		value->key = mg_read_span(&reader, mg_read_u32(&reader));
		if (kind == MG_VALUE_INTEGER)
			value->integer = (int64_t) mg_read_u64(&reader);
		else if (kind == MG_VALUE_REAL)
		{
			bits = mg_read_u64(&reader);
			memcpy(&value->real, &bits, sizeof bits);
		}
		else if (kind == MG_VALUE_FLAG)
			value->integer = mg_read_u32(&reader);
		else if (kind == MG_VALUE_TEXT)
			value->text = mg_read_span(&reader, mg_read_u32(&reader));
		fine = !reader.failed && kind <= MG_VALUE_TEXT && (kind != MG_VALUE_FLAG || value->integer <= 1);
	}
	if (!fine)
	{
		mg_fail(cx, MG_BAD_FILE, "model image is damaged");
		return mg_detail(cx, "Its keys and values cannot be read.");
	}
	config->n = n;
	config->values = values;
	return true;
}
