/* Members of the extension, from pg_depend. */
#include "pg/extension.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* Members that were asked for: the extension has some, each asked for by a literal. */
#define MOST_KNOWN 32

typedef struct Member
{
	Oid catalog;
	char name[NAMEDATALEN];
	Oid oid;
} Member;

static Member known[MOST_KNOWN];
static int n_known;

static int
cache_of(Oid catalog)
{
	return catalog == RelationRelationId ? RELOID : catalog == TypeRelationId ? TYPEOID : PROCOID;
}

static bool
has_name(Oid catalog, Oid oid, const char *name)
{
	HeapTuple tuple = SearchSysCache1(cache_of(catalog), ObjectIdGetDatum(oid));
	bool same;

	if (!HeapTupleIsValid(tuple))
		return false;
	if (catalog == RelationRelationId)
		same = strcmp(NameStr(((Form_pg_class) GETSTRUCT(tuple))->relname), name) == 0;
	else if (catalog == TypeRelationId)
		same = strcmp(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname), name) == 0;
	else
		same = strcmp(NameStr(((Form_pg_proc) GETSTRUCT(tuple))->proname), name) == 0;
	ReleaseSysCache(tuple);
	return same;
}

static Oid
search(Oid catalog, const char *name)
{
	Oid extension = get_extension_oid("maskgen", true), found = InvalidOid;
	Relation depend;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple tuple;

	if (!OidIsValid(extension))
		return InvalidOid;
	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(ExtensionRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(extension));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, keys);
	while (!OidIsValid(found) && (tuple = systable_getnext(scan)) != NULL)
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		if (form->deptype == DEPENDENCY_EXTENSION && form->classid == catalog && has_name(catalog, form->objid, name))
			found = form->objid;
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return found;
}

/* What was found before is good as long as it exists: a member leaves its extension by being dropped. */
static Oid
find(Oid catalog, const char *name)
{
	Member *member = NULL;
	Oid oid;

	/* Another session may have dropped the extension, and made it anew. */
	AcceptInvalidationMessages();
	for (int i = 0; i < n_known && member == NULL; i++)
		if (known[i].catalog == catalog && strcmp(known[i].name, name) == 0)
			member = &known[i];
	if (member != NULL && SearchSysCacheExists1(cache_of(catalog), ObjectIdGetDatum(member->oid)))
		return member->oid;
	oid = search(catalog, name);
	if (!OidIsValid(oid))
		return InvalidOid;
	if (member == NULL && n_known < MOST_KNOWN)
	{
		member = &known[n_known++];
		member->catalog = catalog;
		strlcpy(member->name, name, sizeof member->name);
	}
	if (member != NULL)
		member->oid = oid;
	return oid;
}

static void
throw_absent(const char *kind, const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("%s \"%s\" of extension \"maskgen\" does not exist", kind, name),
					errhint("Run CREATE EXTENSION maskgen in this database.")));
}

Oid
extension_relation(const char *name, bool missing_ok)
{
	Oid relation = find(RelationRelationId, name);

	if (!OidIsValid(relation) && !missing_ok)
		throw_absent("relation", name);
	return relation;
}

Relation
extension_table_open(const char *name)
{
	Relation relation;

	/* Dropped between looking and locking, it is looked for once more: then it is there, or is not. */
	while ((relation = try_table_open(extension_relation(name, false), AccessShareLock)) == NULL)
		;
	return relation;
}

Oid
extension_type(const char *name)
{
	Oid type = find(TypeRelationId, name);

	if (!OidIsValid(type))
		throw_absent("type", name);
	return type;
}

Oid
extension_function(const char *name)
{
	Oid function = find(ProcedureRelationId, name);

	if (!OidIsValid(function))
		throw_absent("function", name);
	return function;
}

static char *
qualified(Oid schema, const char *name)
{
	char *schema_name = get_namespace_name(schema);

	if (schema_name == NULL)
		elog(ERROR, "cache lookup failed for schema %u", schema);
	return quote_qualified_identifier(schema_name, name);
}

char *
extension_relation_name(const char *name)
{
	return qualified(get_rel_namespace(extension_relation(name, false)), name);
}

char *
extension_function_name(const char *name)
{
	return qualified(get_func_namespace(extension_function(name)), name);
}
