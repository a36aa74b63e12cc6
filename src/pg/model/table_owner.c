/* Switching to the owner of a table and back. */
#include "pg/model/table_owner.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "pg/extension.h"
#include "utils/syscache.h"

static void
become(TableOwner *owner, Oid relation)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid role;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	role = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	GetUserIdAndSecContext(&owner->saved_user, &owner->saved_context);
	SetUserIdAndSecContext(role, owner->saved_context | SECURITY_LOCAL_USERID_CHANGE);
}

void
table_owner_become(TableOwner *owner)
{
	become(owner, extension_relation("model", false));
}

void
table_owner_become_of(TableOwner *owner, Oid relation)
{
	become(owner, relation);
}

void
table_owner_leave(const TableOwner *owner)
{
	SetUserIdAndSecContext(owner->saved_user, owner->saved_context);
}
