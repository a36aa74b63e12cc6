/* Who may use a model, and who owns it: the privileges that catalog.h speaks of. */
#include "pg/model/catalog.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "pg/model/planned.h"
#include "utils/acl.h"

static bool
may_use(const ModelEntry *entry, Oid role)
{
	/* Who owns the database may read and write the table of models, for dumps: a grant would keep nobody from anything. */
	if (has_privs_of_role(role, entry->owner) || has_privs_of_role(role, ROLE_PG_DATABASE_OWNER))
		return true;
	for (int i = 0; i < entry->n_grants; i++)
		if (entry->grants[i] == InvalidOid || has_privs_of_role(role, entry->grants[i]))
			return true;
	return false;
}

ModelEntry *
catalog_find_as(const char *name, Oid role)
{
	ModelEntry *entry = catalog_find_any(name);

	if (!may_use(entry, role))
	{
		/* Of a plan that is older, the role may be gone. */
		const char *role_name = GetUserNameFromId(role, true);

		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for model \"%s\"", name),
						role_name != NULL ? errhint("Its owner can run maskgen.grant_model('%s', '%s').", name, role_name) : 0));
	}
	return entry;
}

ModelEntry *
catalog_find(const char *name)
{
	ModelEntry *entry = catalog_find_as(name, GetUserId());

	planned_use(name, entry->digest);
	return entry;
}

void
catalog_check_owner(const ModelEntry *entry)
{
	if (!has_privs_of_role(GetUserId(), entry->owner))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be owner of model \"%s\"", NameStr(entry->name))));
}
