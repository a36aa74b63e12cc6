/*
 * Models and logical replication. A publication FOR ALL TABLES has the table of models, like any table that is no catalog's. What it
 * brings would be refused for a model of the subscriber's of the same name or number, and replication of all tables would stop at that; or it
 * would change what a name means there, past all who ask for a model, since statements' triggers do not fire. So a subscriber has the
 * models that were created, or restored, there: rows of a publisher are left out. Physical replication and dumps bring models as ever.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"
#include "pg/extension.h"
#include "replication/logicalworker.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(maskgen_model_of_publisher);

Datum
maskgen_model_of_publisher(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		RelationGetRelid(trigger->tg_relation) != extension_relation("model", false))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("function \"model_of_publisher\" is for the table of models")));
	/* session_replication_role alone is a restore's business as well. */
	if (IsLogicalWorker())
		return PointerGetDatum(NULL);
	return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple);
}
