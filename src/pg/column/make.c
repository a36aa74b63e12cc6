/* What embed_column and reembed have in common. */
#include "pg/column/make.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pg/column/state.h"
#include "pg/column/triggers.h"
#include "pg/compat.h"
#include "pg/extension.h"
#include "pg/model/table_owner.h"
#include "pg/trigger/check.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Before it is locked: who has no right to a table may not hold up others either. */
void
embed_check_owner(Oid relation)
{
	if (get_rel_name(relation) == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relation)));
	if (!relation_ownercheck(relation, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(relation)), get_rel_name(relation));
}

/* The table, locked as CREATE TRIGGER does. */
Relation
embed_open_own(Oid oid)
{
	Relation table;

	embed_check_owner(oid);
	embed_check_kind(oid);
	table = try_table_open(oid, ShareRowExclusiveLock);
	if (table == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", oid)));
	if (table->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("table \"%s\" is temporary", RelationGetRelationName(table)),
						errdetail("Workers do not see temporary tables."), errhint("Embed it by maskgen.create_embed_trigger.")));
	return table;
}

/* The column of vectors: added if it is not there, for which the table may not be open. Returns it open again. */
Relation
embed_make_destination(Relation table, const char *destination, const ModelEntry *model)
{
	Oid oid = RelationGetRelid(table);
	AttrNumber number = get_attnum(oid, destination);
	char *statement;

	if (number != InvalidAttrNumber)
	{
		embed_check_target(table, &(EmbedColumns){.target = number}, model);
		return table;
	}
	statement = psprintf("ALTER TABLE %s ADD %s %s(%d)", embed_name_of_table(table), quote_identifier(destination), format_type_be_qualified(extension_type("vector")),
						 model->dims);
	table_close(table, NoLock);
	embed_execute(statement);
	return table_open(oid, NoLock);
}

ModelEntry *
embed_find_model(Oid target, const char *name)
{
	TableOwner owner;
	ModelEntry *model;

	table_owner_become_of(&owner, target);
	model = catalog_find(name);
	table_owner_leave(&owner);
	if (!model->embeds)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("model \"%s\" does not make embeddings", name),
						errhint("See column \"tasks\" of the view maskgen.maskgen_models.")));
	return model;
}

char *
embed_version_of(const ModelEntry *model)
{
	char *version = palloc(2 * DIGEST_SIZE + 1);

	version[hex_encode((const char *) model->digest, DIGEST_SIZE, version)] = '\0';
	return version;
}

int32
embed_new_state(Oid target, const char *destination)
{
	EmbedParameters parameters = {2, {OIDOID, TEXTOID}, {ObjectIdGetDatum(target), CStringGetTextDatum(destination)}};
	uint64 n = embed_state_run("SELECT id FROM @embed_column WHERE target::oid = $1 AND destination = $2::name", &parameters, 0);
	int32 *old = palloc(Max(n, 1) * sizeof *old);

	/* What is left of triggers that somebody dropped. */
	for (uint64 i = 0; i < n; i++)
		old[i] = DatumGetInt32(embed_result(i, 1, NULL));
	for (uint64 i = 0; i < n; i++)
		embed_state_forget(old[i]);
	embed_state_run("INSERT INTO @embed_column (target, destination) VALUES ($1::oid::regclass, $2::name) RETURNING id", &parameters, 0);
	return DatumGetInt32(embed_result(0, 1, NULL));
}
