/*
 * The type of roles in the table of models. regrole would do, but for restoring a dump into a cluster that lacks one of
 * the roles: its input is an error, and all models and grants of the COPY are lost with it. Here a name that nobody has
 * becomes ROLE_MISSING with a warning, and a trigger puts something in its place before the row is stored.
 *
 * A dropped role is written as its number, as regrole does. That number may be somebody else's where it is read, so
 * numbers are missing roles, too.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pg/compat.h"
#include "pg/extension.h"
#include "pg/model/catalog.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#define ROLE_MISSING ((Oid) PG_UINT32_MAX)

PG_FUNCTION_INFO_V1(maskgen_role_in);
PG_FUNCTION_INFO_V1(maskgen_role_out);
PG_FUNCTION_INFO_V1(maskgen_model_restored);

Datum
maskgen_role_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0), *copy = pstrdup(text);
	List *names;
	Oid role;

	if (strcmp(text, "-") == 0)
		PG_RETURN_OID(InvalidOid);
	if (!SplitIdentifierString(copy, '.', &names) || list_length(names) != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME), errmsg("invalid name of a role: \"%s\"", text)));
	role = isdigit((unsigned char) text[0]) ? InvalidOid : get_role_oid(linitial(names), true);
	if (!OidIsValid(role))
	{
		ereport(WARNING, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("role \"%s\" of a model does not exist", (char *) linitial(names)),
						  errdetail("A model that it owned belongs to whoever restores it; a grant to it is left out.")));
		role = ROLE_MISSING;
	}
	PG_RETURN_OID(role);
}

Datum
maskgen_role_out(PG_FUNCTION_ARGS)
{
	return DirectFunctionCall1(regroleout, PG_GETARG_DATUM(0));
}

/* The roles of an array that are not missing; NULL when all are there. */
static ArrayType *
without_missing(ArrayType *roles)
{
	Datum *values;
	int n, kept = 0;

	deconstruct_array(roles, ARR_ELEMTYPE(roles), sizeof(Oid), true, TYPALIGN_INT, &values, NULL, &n);
	for (int i = 0; i < n; i++)
		if (DatumGetObjectId(values[i]) != ROLE_MISSING)
			values[kept++] = values[i];
	return kept == n ? NULL : construct_array(values, kept, ARR_ELEMTYPE(roles), sizeof(Oid), true, TYPALIGN_INT);
}

static HeapTuple
replace(HeapTuple tuple, TupleDesc descriptor, int column, Datum value)
{
	bool is_null = false;

	return heap_modify_tuple_by_cols(tuple, descriptor, 1, &column, &value, &is_null);
}

Datum
maskgen_model_restored(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	HeapTuple tuple;
	TupleDesc descriptor;
	ArrayType *grants;
	Datum value;
	bool is_null;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("function \"model_restored\" was not called as a trigger before a row is written")));
	if (RelationGetRelid(trigger->tg_relation) != extension_relation("model", false))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("function \"model_restored\" is for the table of models")));
	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	descriptor = RelationGetDescr(trigger->tg_relation);
	value = heap_getattr(tuple, MODEL_OWNER, descriptor, &is_null);
	if (!is_null && DatumGetObjectId(value) == ROLE_MISSING)
		tuple = replace(tuple, descriptor, MODEL_OWNER, ObjectIdGetDatum(GetUserId()));
	value = heap_getattr(tuple, MODEL_GRANTS, descriptor, &is_null);
	if (!is_null && (grants = without_missing(DatumGetArrayTypeP(value))) != NULL)
		tuple = replace(tuple, descriptor, MODEL_GRANTS, PointerGetDatum(grants));
	return PointerGetDatum(tuple);
}
