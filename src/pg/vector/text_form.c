/* What the input functions of vector, halfvec and sparsevec share: their errors, and the type modifier. */
#include "pg/vector/text_form.h"

#include "utils/array.h"
#include "utils/builtins.h"

void
throw_syntax(const char *type, const char *text, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid input syntax for type %s: \"%s\"", type, text), detail ? errdetail("%s", detail) : 0));
}

int32
dimensions_of_typmod(const char *type, ArrayType *typmods, int32 most)
{
	int n;
	int32 *values = ArrayGetIntegerTypmods(typmods, &n);

	if (n != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid type modifier")));
	if (*values < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("dimensions for type %s must be at least 1", type)));
	if (*values > most)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("dimensions for type %s cannot exceed %d", type, most)));
	return *values;
}

void
check_unused(int32 unused)
{
	if (unused != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected unused to be 0, not %d", unused)));
}
