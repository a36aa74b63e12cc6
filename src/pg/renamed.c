/*
 * An event trigger: the schemas of the extension keep their names.
 *
 * Nothing here goes by their names. But a dump does: it has CREATE EXTENSION in a schema of the name that it found, which the control file does
 * not allow, and the rows of models in a table that the next CREATE EXTENSION makes elsewhere. So a rename, harmless today, would end
 * the way back from a dump.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/event_trigger.h"
#include "fmgr.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"

#define SCHEMA "maskgen"
#define INNER_SCHEMA "+maskgen"

PG_FUNCTION_INFO_V1(maskgen_schema_renamed);

Datum
maskgen_schema_renamed(PG_FUNCTION_ARGS)
{
	const EventTriggerData *event = (const EventTriggerData *) fcinfo->context;
	const RenameStmt *rename;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED), errmsg("function is not called by an event trigger")));
	rename = (const RenameStmt *) event->parsetree;
	if (!IsA(rename, RenameStmt) || rename->renameType != OBJECT_SCHEMA)
		PG_RETURN_NULL();
	/* As long as the extension is there, both are. */
	if (strcmp(rename->subname, SCHEMA) == 0 || strcmp(rename->subname, INNER_SCHEMA) == 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("schema \"%s\" of extension maskgen cannot be renamed", rename->subname),
						errdetail("A dump of the database could not be restored.")));
	PG_RETURN_NULL();
}
