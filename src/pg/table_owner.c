/* Switching to the owner of maskgen.model and back. */
#include "pg/table_owner.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "pg/catalog.h"
#include "utils/syscache.h"

void
table_owner_become(TableOwner *owner)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(catalog_relation("model")));
	Oid role;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation maskgen.model");
	role = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	GetUserIdAndSecContext(&owner->saved_user, &owner->saved_context);
	SetUserIdAndSecContext(role, owner->saved_context | SECURITY_LOCAL_USERID_CHANGE);
}

void
table_owner_leave(const TableOwner *owner)
{
	SetUserIdAndSecContext(owner->saved_user, owner->saved_context);
}
