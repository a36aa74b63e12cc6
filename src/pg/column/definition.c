/* Definitions of embedded columns, out of the arguments of triggers. */
#include "pg/column/column.h"

#include "access/relation.h"
#include "pg/column/queue.h"
#include "pg/extension.h"
#include "pg/trigger/consent.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static const char *const modes[] = {[EMBED_SYNC] = "sync", [EMBED_QUEUE] = "queue", [EMBED_MANUAL] = "manual"};

EmbedMode
embed_mode_named(const char *name)
{
	for (int i = 0; i < (int) lengthof(modes); i++)
		if (strcmp(name, modes[i]) == 0)
			return (EmbedMode) i;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("mode \"%s\" does not exist", name),
					errhint("Modes are \"queue\" (embedded soon after the commit), \"sync\" (before it) and \"manual\" (by embed_pending).")));
}

const char *
embed_mode_name(EmbedMode mode)
{
	return modes[mode];
}

/* Strings are those of the trigger. */
static bool
read_arguments(EmbedColumn *column, Oid target, const Trigger *trigger)
{
	char **args = trigger->tgargs, *end;
	long id;

	if (trigger->tgnargs != EMBED_N_ARGS)
		return false;
	id = strtol(args[EMBED_ARG_ID], &end, 10);
	if (*end != '\0' || id <= 0 || id > PG_INT32_MAX)
		return false;
	for (int i = 0; i < (int) lengthof(modes); i++)
		if (strcmp(args[EMBED_ARG_MODE], modes[i]) == 0)
		{
			*column = (EmbedColumn){(int32) id, target, args[EMBED_ARG_DESTINATION], args[EMBED_ARG_SOURCE], args[EMBED_ARG_MODEL],
									args[EMBED_ARG_VERSION], (EmbedMode) i};
			return true;
		}
	return false;
}

bool
embed_column_of_trigger(EmbedColumn *column, Oid target, const Trigger *trigger)
{
	return trigger->tgfoid == extension_function("embed_row_trigger") && read_arguments(column, target, trigger) &&
		embed_has_consent(trigger->tgoid);
}

static void
copy_strings(EmbedColumn *column)
{
	column->destination = pstrdup(column->destination);
	column->source = pstrdup(column->source);
	column->model = pstrdup(column->model);
	column->version = pstrdup(column->version);
}

/* id 0: any; destination NULL: any */
static bool
find(EmbedColumn *column, Relation target, int32 id, const char *destination)
{
	for (int i = 0; target->trigdesc != NULL && i < target->trigdesc->numtriggers; i++)
		if (embed_column_of_trigger(column, RelationGetRelid(target), &target->trigdesc->triggers[i]) && (id == 0 || column->id == id) &&
			(destination == NULL || strcmp(column->destination, destination) == 0))
		{
			copy_strings(column);
			return true;
		}
	return false;
}

bool
embed_column_of_table(EmbedColumn *column, Relation target, int32 id)
{
	return find(column, target, id, NULL);
}

bool
embed_column_named(EmbedColumn *column, Relation target, const char *destination)
{
	return find(column, target, 0, destination);
}

void
embed_column_look_up(Oid target, const char *destination, EmbedColumn *column)
{
	Relation relation = try_relation_open(target, AccessShareLock);

	if (relation == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", target)));
	if (!embed_column_named(column, relation, destination))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("column \"%s\" of table \"%s\" is not one that stays embedded", destination, RelationGetRelationName(relation)),
						errhint("maskgen.embed_column makes it one; the view maskgen.maskgen_embedding_status lists those that are.")));
	relation_close(relation, NoLock);
}
