/* Wrapping texts by their form. */
#include "text/wrap.h"

static void
add(MgWrapForm *form, int32_t id, uint32_t segment)
{
	form->pieces[form->n++] = (MgWrapPiece){id, segment};
}

MgWrapping
mg_wrapping_of_bert(int32_t classify, int32_t separate)
{
	MgWrapping wrapping = {.single = {.n = 0}};
	MgWrapForm *forms[] = {&wrapping.single, &wrapping.pair};

	for (size_t i = 0; i < 2; i++)
	{
		if (classify >= 0)
			add(forms[i], classify, 0);
		add(forms[i], MG_WRAP_A, 0);
		if (separate >= 0)
			add(forms[i], separate, 0);
		if (i == 0)
			continue;
		add(forms[i], MG_WRAP_B, 1);
		if (separate >= 0)
			add(forms[i], separate, 1);
	}
	return wrapping;
}

static bool
is_valid(const MgWrapForm *form, size_t n_tokens, size_t n_b)
{
	size_t found_a = 0, found_b = 0;

	if (form->n > MG_WRAP_PIECES)
		return false;
	for (uint32_t i = 0; i < form->n; i++)
	{
		int32_t id = form->pieces[i].id;

		found_a += id == MG_WRAP_A;
		found_b += id == MG_WRAP_B;
		if (id < MG_WRAP_B || id >= (int64_t) n_tokens || form->pieces[i].segment > UINT8_MAX)
			return false;
	}
	return found_a == 1 && found_b == n_b;
}

bool
mg_wrapping_is_valid(const MgWrapping *wrapping, size_t n_tokens)
{
	return is_valid(&wrapping->single, n_tokens, 0) && (wrapping->pair.n == 0 || is_valid(&wrapping->pair, n_tokens, 1));
}

size_t
mg_wrap_extra(const MgWrapping *wrapping, size_t n_texts)
{
	const MgWrapForm *form = n_texts == 1 ? &wrapping->single : &wrapping->pair;

	return form->n > n_texts ? form->n - n_texts : 0;
}

bool
mg_wrap_cut(MgCut cut, size_t room, size_t *first, size_t *second)
{
	size_t *shorter = *first <= *second ? first : second, *longer = shorter == first ? second : first;

	if (*first <= room && *second <= room - *first)
		return true;
	if (cut == MG_CUT_SECOND)
	{
		if (*first >= room)
			return false;
		*second = room - *first;
		return true;
	}
	*longer = *shorter > room || room - *shorter < *shorter ? *shorter : room - *shorter;
	if (*shorter + *longer > room)
	{
		*shorter = room / 2;
		*longer = room / 2 + room % 2;
	}
	return true;
}

bool
mg_wrap(MgCtx *cx, const MgWrapping *wrapping, const MgIds *texts, size_t n_texts, MgWrapped *wrapped)
{
	const MgWrapForm *form = n_texts == 1 ? &wrapping->single : &wrapping->pair;
	size_t n = mg_wrap_extra(wrapping, n_texts), at = 0;

	if (form->n == 0)
		return mg_fail(cx, MG_UNSUPPORTED, "tokenizer has no form for a pair of texts");
	for (size_t i = 0; i < n_texts; i++)
		n += texts[i].n;
	wrapped->n = n;
	wrapped->ids = mg_alloc_array(cx, n, sizeof *wrapped->ids);
	wrapped->segments = mg_alloc(cx, n);
	if (wrapped->ids == NULL || wrapped->segments == NULL)
		return false;
	for (uint32_t i = 0; i < form->n; i++)
	{
		const MgWrapPiece *piece = &form->pieces[i];
		MgIds ids = {1, &piece->id};

		if (piece->id < 0)
		{
			wrapped->starts[MG_WRAP_A - piece->id] = at;
			ids = texts[MG_WRAP_A - piece->id];
		}
		if (ids.n == 0)
			continue;
		memcpy(wrapped->ids + at, ids.ids, ids.n * sizeof *ids.ids);
		memset(wrapped->segments + at, (int) piece->segment, ids.n);
		at += ids.n;
	}
	return true;
}
