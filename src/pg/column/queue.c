/* Entries of the queue, by the row trigger; and waking a worker when they are committed. */
#include "pg/column/queue.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "pg/column/column.h"
#include "pg/column/key.h"
#include "pg/column/pool.h"
#include "pg/column/state.h"
#include "pg/extension.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(maskgen_embed_row_trigger);
PG_FUNCTION_INFO_V1(maskgen_embed_restored);

/* Columns of the table embed_queue. */
enum
{
	QUEUE_COLUMN_ID,
	QUEUE_ID,
	QUEUE_KEY,
	QUEUE_QUEUED_AT,
	QUEUE_NOT_BEFORE,
	QUEUE_ATTEMPTS,
	QUEUE_COLUMNS
};

/* Whether this transaction has added entries of which a worker is to hear. */
static bool is_waiting;

/* Triggers whose state was found. It goes with them, so it is not looked for again. */
#define MOST_KNOWN 16
static Oid known_triggers[MOST_KNOWN];
static unsigned int n_known;

void
embed_queue_add(int32 column, const Datum *keys, int n)
{
	Relation queue = table_open(extension_relation("embed_queue", false), RowExclusiveLock);
	Oid sequence = extension_relation("embed_queue_id_seq", false);
	CatalogIndexState indexes = CatalogOpenIndexes(queue);
	Datum values[QUEUE_COLUMNS];
	bool nulls[QUEUE_COLUMNS] = {0};

	values[QUEUE_COLUMN_ID] = Int32GetDatum(column);
	values[QUEUE_QUEUED_AT] = values[QUEUE_NOT_BEFORE] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	values[QUEUE_ATTEMPTS] = Int32GetDatum(0);
	for (int i = 0; i < n; i++)
	{
		HeapTuple tuple;

		values[QUEUE_ID] = Int64GetDatum(nextval_internal(sequence, false));
		values[QUEUE_KEY] = keys[i];
		tuple = heap_form_tuple(RelationGetDescr(queue), values, nulls);
		CatalogTupleInsertWithInfo(queue, tuple, indexes);
		heap_freetuple(tuple);
	}
	CatalogCloseIndexes(indexes);
	table_close(queue, NoLock);
}

void
embed_queue_expect(void)
{
	is_waiting = true;
}

static void
check_event(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("function \"embed_row_trigger\" was not called as a trigger")));
	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!(TRIGGER_FIRED_BY_INSERT(trigger->tg_event) || TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)) ||
		trigger->tg_trigger->tgnargs != EMBED_N_ARGS)
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("trigger \"%s\" does not suit function \"embed_row_trigger\"", trigger->tg_trigger->tgname),
						errhint("maskgen.embed_column makes the triggers.")));
}

/* A table that was restored without the extension's own tables has a trigger of which these know nothing. */
static void
check_known(const TriggerData *trigger, int32 id)
{
	Oid relation = RelationGetRelid(trigger->tg_relation), target;

	for (int i = 0; i < MOST_KNOWN; i++)
		if (trigger->tg_trigger->tgoid == known_triggers[i])
			return;
	target = embed_state_target(id);
	if (target != relation && !(trigger->tg_relation->rd_rel->relispartition && list_member_oid(get_partition_ancestors(relation), target)))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("embedded column \"%s\" of table \"%s\" is not known to this database",
							   trigger->tg_trigger->tgargs[EMBED_ARG_DESTINATION], RelationGetRelationName(trigger->tg_relation)),
						errdetail("The table seems to have been restored or copied without the rows of extension maskgen."),
						errhint("Call maskgen.embed_column for it again, or maskgen.drop_embed_column.")));
	known_triggers[n_known++ % MOST_KNOWN] = trigger->tg_trigger->tgoid;
}

Datum
maskgen_embed_row_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	EmbedKey key;
	int32 id;
	Datum value;

	check_event(fcinfo);
	id = pg_strtoint32(trigger->tg_trigger->tgargs[EMBED_ARG_ID]);
	check_known(trigger, id);
	embed_key_find(&key, trigger->tg_relation);
	value = embed_key_of_slot(&key, trigger->tg_relation, TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newslot : trigger->tg_trigslot);
	embed_queue_add(id, &value, 1);
	embed_queue_expect();
	return PointerGetDatum(NULL);
}

/* Of the extension's own tables, which nobody writes by SQL but a restore: then there may be work. */
Datum
maskgen_embed_restored(PG_FUNCTION_ARGS)
{
	embed_queue_expect();
	return PointerGetDatum(NULL);
}

/* Nothing may fail any more. A prepared transaction is committed by somebody who does not know of it: a worker looks again later. */
static void
end_transaction(XactEvent event, void *arg)
{
	if (!is_waiting || event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
		return;
	is_waiting = false;
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
		embed_pool_wake();
}

void
embed_queue_install(void)
{
	RegisterXactCallback(end_transaction, NULL);
}
