/* Keys and values in panels: appended to, and forgotten from the end. */
#include "tensor/keys.h"

#include "tensor/kernels.h"
#include "tensor/pair_keys.h"

typedef uint32_t Eight __attribute__((vector_size(32)));

#define EXPONENT 0x7F800000u /* all of these bits are set in infinity and NaN alone */

static size_t
up_to_panel(size_t n)
{
	return (n + MG_PANEL - 1) / MG_PANEL * MG_PANEL;
}

bool
mg_keys_size(size_t heads, size_t head_size, size_t room, size_t *n_keys, size_t *n_values)
{
	size_t width;

	return head_size <= SIZE_MAX - MG_PANEL && room <= SIZE_MAX - MG_PANEL &&
		mg_multiply(up_to_panel(room), head_size, n_keys) && mg_multiply(*n_keys, heads, n_keys) &&
		mg_multiply(heads, up_to_panel(head_size), &width) && mg_multiply(width, room, n_values);
}

const float *
mg_keys_panels(const MgKeys *keys, size_t head)
{
	return keys->keys + head * up_to_panel(keys->room) * keys->head_size;
}

const float *
mg_keys_values(const MgKeys *keys, size_t head)
{
	return keys->values + head * up_to_panel(keys->head_size) * keys->room;
}

bool
mg_is_finite(const float *x, size_t stride, size_t n, size_t width)
{
	Eight bad = {0};
	bool finite = true;

	for (size_t row = 0; row < n; row++)
	{
		const float *at = x + row * stride;
		size_t i = 0;

		for (; i + 8 <= width; i += 8)
		{
			Eight bits;

			memcpy(&bits, at + i, sizeof bits);
			bad |= (Eight) ((bits & EXPONENT) == EXPONENT);
		}
		for (; i < width; i++)
		{
			uint32_t bits;

			memcpy(&bits, &at[i], sizeof bits);
			finite &= (bits & EXPONENT) != EXPONENT;
		}
	}
	for (size_t i = 0; i < 8; i++)
		finite &= bad[i] == 0;
	return finite;
}

/* A panel that is begun is filled up with zeros; what else may stand past the last key is never used. */
static void
put_keys(const MgKeys *keys, size_t head, const float *k, size_t stride, size_t n)
{
	float *panels = (float *) mg_keys_panels(keys, head);
	size_t d = keys->head_size, n_now;

	for (size_t at = keys->n; at < keys->n + n; at += n_now, k += n_now * stride)
	{
		float *panel = panels + at / MG_PANEL * MG_PANEL * d;
		size_t lane = at % MG_PANEL, left = keys->n + n - at;

		n_now = left < MG_PANEL - lane ? left : MG_PANEL - lane;
		if (lane == 0)
			mg_pack_panel_strided(k, stride, n_now, d, panel);
		else
			for (size_t i = 0; i < n_now; i++)
				for (size_t c = 0; c < d; c++)
					panel[c * MG_PANEL + lane + i] = k[i * stride + c];
	}
}

static void
put_values(const MgKeys *keys, size_t head, const float *v, size_t stride, size_t n)
{
	float *values = (float *) mg_keys_values(keys, head) + keys->n * MG_PANEL;
	size_t d = keys->head_size;

	for (size_t at = 0; at < d; at += MG_PANEL, values += keys->room * MG_PANEL)
	{
		size_t width = d - at < MG_PANEL ? d - at : MG_PANEL;

		for (size_t j = 0; j < n; j++)
		{
			memcpy(values + j * MG_PANEL, v + j * stride + at, width * sizeof(float));
			memset(values + j * MG_PANEL + width, 0, (MG_PANEL - width) * sizeof(float));
		}
	}
}

void
mg_keys_put(const MgKeys *keys, size_t head, const float *k, size_t k_stride, const float *v, size_t v_stride, size_t n)
{
	put_keys(keys, head, k, k_stride, n);
	put_values(keys, head, v, v_stride, n);
}

void
mg_keys_append(MgKeys *keys, const float *k, size_t k_stride, const float *v, size_t v_stride, size_t n)
{
	size_t d = keys->head_size;

	if (keys->narrow_keys != NULL)
	{
		mg_pair_keys_append(keys, k, k_stride, v, v_stride, n);
		return;
	}
	for (size_t head = 0; head < keys->heads; head++)
		mg_keys_put(keys, head, k + head * d, k_stride, v + head * d, v_stride, n);
	keys->finite = (keys->n == 0 || keys->finite) && mg_is_finite(v, v_stride, n, keys->heads * d);
	keys->n += n;
}

/* n keys of from, from the one first on, become those of to from at on; first and at are of a whole panel. */
static void
copy_keys(const MgKeys *from, size_t first, size_t n, MgKeys *to, size_t at)
{
	size_t d = from->head_size, panels = up_to_panel(d) / MG_PANEL;

	for (size_t head = 0; head < from->heads; head++)
	{
		memcpy((float *) mg_keys_panels(to, head) + at * d, mg_keys_panels(from, head) + first * d, up_to_panel(n) * d * sizeof(float));
		for (size_t p = 0; p < panels; p++)
			memcpy((float *) mg_keys_values(to, head) + (p * to->room + at) * MG_PANEL,
				   mg_keys_values(from, head) + (p * from->room + first) * MG_PANEL, n * MG_PANEL * sizeof(float));
	}
}

void
mg_keys_copy(const MgKeys *from, size_t n, MgKeys *to)
{
	if (from->narrow_keys != NULL)
	{
		mg_pair_keys_copy(from, n, to);
		return;
	}
	copy_keys(from, 0, n, to, 0);
	to->finite = from->finite;
	to->n = n;
}

void
mg_keys_share(const MgKeys *from, size_t n, MgKeys *to)
{
	if (from->narrow_keys != NULL)
		mg_pair_keys_share(from, n, to);
	else
		mg_keys_copy(from, n, to);
}

void
mg_keys_truncate(MgKeys *keys, size_t n)
{
	if (keys->narrow_keys != NULL)
		mg_pair_keys_truncate(keys, n);
	else if (n < keys->n)
		keys->n = n;
}

/* A panel of keys in memory of its own. */
static MgKeys
panel_of(const MgKeys *keys, const void *k, const void *v)
{
	return (MgKeys){.heads = keys->heads, .head_size = keys->head_size, .room = MG_PANEL, .keys = (float *) (uintptr_t) k, .values = (float *) (uintptr_t) v};
}

void
mg_keys_save(const MgKeys *keys, size_t first, void *k, void *v)
{
	MgKeys panel = panel_of(keys, k, v);

	if (keys->narrow_keys != NULL)
		mg_pair_keys_save(keys, first, k, v);
	else
		copy_keys(keys, first, MG_PANEL, &panel, 0);
}

void
mg_keys_load(MgKeys *keys, const void *k, const void *v, bool finite)
{
	MgKeys panel = panel_of(keys, k, v);

	if (keys->narrow_keys != NULL)
		mg_pair_keys_load(keys, k, v);
	else
		copy_keys(&panel, 0, MG_PANEL, keys, keys->n);
	keys->finite = (keys->n == 0 || keys->finite) && finite;
	keys->n += MG_PANEL;
}
