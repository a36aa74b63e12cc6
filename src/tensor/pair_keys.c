/* Keys and values of bfloat16 in pairs: appended to, forgotten from the end, and lent. */
#include "tensor/pair_keys.h"

#include "tensor/kernels.h"
#include "tensor/keys.h"

static size_t
up_to_panel(size_t n)
{
	return (n + MG_PANEL - 1) / MG_PANEL * MG_PANEL;
}

static size_t
up_to_pair(size_t n)
{
	return n + n % 2;
}

bool
mg_pair_keys_size(size_t heads, size_t head_size, size_t room, size_t *n_keys, size_t *n_values)
{
	size_t width;

	return head_size <= SIZE_MAX - MG_PANEL && room <= SIZE_MAX - MG_PANEL &&
		mg_multiply(up_to_panel(room), up_to_pair(head_size), n_keys) && mg_multiply(*n_keys, heads, n_keys) &&
		mg_multiply(heads, up_to_panel(head_size), &width) && mg_multiply(width, up_to_pair(room), n_values);
}

size_t
mg_pair_keys_stride(const MgKeys *keys)
{
	return up_to_pair(keys->head_size) * MG_PANEL;
}

const uint16_t *
mg_pair_keys_panels(const MgKeys *keys, size_t head)
{
	return keys->narrow_keys + head * up_to_panel(keys->room) * up_to_pair(keys->head_size);
}

size_t
mg_pair_values_stride(const MgKeys *keys)
{
	return up_to_pair(keys->room) * MG_PANEL;
}

const uint16_t *
mg_pair_keys_values(const MgKeys *keys, size_t head)
{
	return keys->narrow_values + head * up_to_panel(keys->head_size) * up_to_pair(keys->room);
}

/* Rounds to the nearest, ties to even. A finite number stays finite, and a NaN one. */
static inline uint32_t
narrow(float x)
{
	uint32_t bits, magnitude, rounded;

	memcpy(&bits, &x, sizeof bits);
	magnitude = bits & 0x7FFFFFFF;
	rounded = magnitude + 0x7FFF + (magnitude >> 16 & 1);
	rounded = magnitude > 0x7F800000 ? 0x7FC00000 : magnitude < 0x7F800000 && rounded >= 0x7F800000 ? 0x7F7F0000 : rounded;
	return (rounded | (bits & 0x80000000)) >> 16;
}

/* One key [head_size], the j-th of those that are the slot's own. */
static void
put_key(const MgKeys *keys, size_t head, size_t j, const float *k)
{
	size_t stride = mg_pair_keys_stride(keys), d = keys->head_size;
	uint16_t *to = (uint16_t *) mg_pair_keys_panels(keys, head) + j / MG_PANEL * stride + j % MG_PANEL * 2;

	for (size_t c = 0; c < d; c += 2, to += 2 * MG_PANEL)
	{
		to[0] = (uint16_t) narrow(k[c]);
		to[1] = (uint16_t) (c + 1 < d ? narrow(k[c + 1]) : 0);
	}
}

/* One value of a panel of channels, those behind the last one zeros, to be a pair's first number, beside a zero, or its second. */
static void
put_panel(bool second, const float *v, uint16_t *to)
{
	uint32_t pairs[MG_PANEL];

	memcpy(pairs, to, sizeof pairs);
	if (second)
		for (size_t c = 0; c < MG_PANEL; c++)
			pairs[c] = (pairs[c] & 0xFFFF) | narrow(v[c]) << 16;
	else
		for (size_t c = 0; c < MG_PANEL; c++)
			pairs[c] = narrow(v[c]);
	memcpy(to, pairs, sizeof pairs);
}

/* One value; the first of a pair leaves zeros for the second, so that an odd number of them can be multiplied. */
static void
put_value(const MgKeys *keys, size_t head, size_t j, const float *v)
{
	size_t stride = mg_pair_values_stride(keys), d = keys->head_size, at = 0;
	uint16_t *to = (uint16_t *) mg_pair_keys_values(keys, head) + j / 2 * 2 * MG_PANEL;

	for (; at + MG_PANEL <= d; at += MG_PANEL, to += stride)
		put_panel(j % 2 == 1, v + at, to);
	if (at < d)
	{
		float rest[MG_PANEL] = {0};

		memcpy(rest, v + at, (d - at) * sizeof *v);
		put_panel(j % 2 == 1, rest, to);
	}
}

void
mg_pair_keys_append(MgKeys *keys, const float *k, size_t k_stride, const float *v, size_t v_stride, size_t n)
{
	size_t d = keys->head_size, own = keys->n - keys->n_base;

	for (size_t head = 0; head < keys->heads; head++)
		for (size_t i = 0; i < n; i++)
		{
			put_key(keys, head, own + i, k + i * k_stride + head * d);
			put_value(keys, head, own + i, v + i * v_stride + head * d);
		}
	keys->finite = (keys->n == 0 || keys->finite) && mg_is_finite(v, v_stride, n, keys->heads * d);
	keys->n += n;
}

/* The keys [first, end) of from's own become those of to's own from at on; first and at are even, and of a whole panel. */
static void
copy_keys(const MgKeys *from, size_t first, size_t end, MgKeys *to, size_t at)
{
	size_t panel = mg_pair_keys_stride(from), panels = up_to_panel(from->head_size) / MG_PANEL;

	for (size_t head = 0; head < from->heads && end > first; head++)
	{
		memcpy((uint16_t *) mg_pair_keys_panels(to, head) + at / MG_PANEL * panel, mg_pair_keys_panels(from, head) + first / MG_PANEL * panel,
			   up_to_panel(end - first) / MG_PANEL * panel * sizeof(uint16_t));
		for (size_t p = 0; p < panels; p++)
			memcpy((uint16_t *) mg_pair_keys_values(to, head) + p * mg_pair_values_stride(to) + at * MG_PANEL,
				   mg_pair_keys_values(from, head) + p * mg_pair_values_stride(from) + first * MG_PANEL,
				   up_to_pair(end - first) * MG_PANEL * sizeof(uint16_t));
	}
}

/* The second half of the last pair of an odd number of values becomes zeros. */
static void
clear_half(MgKeys *keys)
{
	size_t own = keys->n - keys->n_base;

	for (size_t head = 0; head < keys->heads && own % 2 == 1; head++)
		for (size_t p = 0; p < up_to_panel(keys->head_size) / MG_PANEL; p++)
		{
			uint16_t *pairs = (uint16_t *) mg_pair_keys_values(keys, head) + p * mg_pair_values_stride(keys) + own / 2 * 2 * MG_PANEL;

			for (size_t c = 0; c < MG_PANEL; c++)
				pairs[2 * c + 1] = 0;
		}
}

void
mg_pair_keys_copy(const MgKeys *from, size_t n, MgKeys *to)
{
	to->base = from->base;
	to->n_base = n < from->n_base ? n / MG_PANEL * MG_PANEL : from->n_base;
	if (n < from->n_base)
		copy_keys(from->base, to->n_base, n, to, 0);
	else
		copy_keys(from, 0, n - from->n_base, to, 0);
	to->finite = from->finite;
	to->n = n;
	clear_half(to);
}

void
mg_pair_keys_share(const MgKeys *from, size_t n, MgKeys *to)
{
	to->base = from;
	to->n_base = n / MG_PANEL * MG_PANEL;
	copy_keys(from, to->n_base, n, to, 0);
	to->finite = from->finite;
	to->n = n;
	clear_half(to);
}

void
mg_pair_keys_truncate(MgKeys *keys, size_t n)
{
	if (n >= keys->n)
		return;
	if (n < keys->n_base)
	{
		keys->n_base = n / MG_PANEL * MG_PANEL;
		copy_keys(keys->base, keys->n_base, n, keys, 0);
	}
	if (keys->n_base == 0)
		keys->base = NULL;
	keys->n = n;
	clear_half(keys);
}

/* A panel of keys in memory of its own. */
static MgKeys
panel_of(const MgKeys *keys, const void *k, const void *v)
{
	return (MgKeys){.heads = keys->heads, .head_size = keys->head_size, .room = MG_PANEL, .narrow_keys = (uint16_t *) (uintptr_t) k, .narrow_values = (uint16_t *) (uintptr_t) v};
}

void
mg_pair_keys_save(const MgKeys *keys, size_t first, void *k, void *v)
{
	bool lent = first < keys->n_base;
	MgKeys panel = panel_of(keys, k, v);

	first -= lent ? 0 : keys->n_base;
	copy_keys(lent ? keys->base : keys, first, first + MG_PANEL, &panel, 0);
}

void
mg_pair_keys_load(MgKeys *keys, const void *k, const void *v)
{
	MgKeys panel = panel_of(keys, k, v);

	copy_keys(&panel, 0, MG_PANEL, keys, keys->n - keys->n_base);
}
