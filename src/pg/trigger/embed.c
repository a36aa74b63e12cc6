/*
 * The trigger function: rows of the transition tables, to batches of texts, to
 * one UPDATE a batch.
 *
 * The two transition tables of an UPDATE hold its rows in the same order, so
 * they are read in step. Only where a row moved to another partition and a
 * trigger there refused it, the old table has more; then all rows count as
 * changed.
 *
 *   UPDATE t SET target = n.v FROM ROWS FROM (unnest($1), ...) n (k1, ..., s1, ..., v)
 *   WHERE t.key = n.k1 AND ... AND t.source = n.s1 AND ...
 *
 * A row whose text something else has changed since is left alone by that:
 * it is the business of the trigger for that change. The UPDATE fires these
 * triggers again; for it a row is embedded if its text has changed, by a row
 * trigger, and not otherwise.
 *
 * Who may write to the table needs neither UPDATE nor the model: the owner has consented (consent.h). The model
 * is looked up and run as the owner, which is our own code alone; the UPDATE runs as who
 * fired the trigger (plan.h). Without consent all of it is up to that role.
 */
#include "pg/trigger/embed.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pg/arrays.h"
#include "pg/compat.h"
#include "pg/model/table_owner.h"
#include "pg/task/call.h"
#include "pg/trigger/consent.h"
#include "pg/trigger/update.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(maskgen_embed_statement_trigger);

/* Rows and bytes of text that are held at a time: enough for the library to sort by length and pack. */
#define BATCH_ROWS 512
#define BATCH_BYTES (1024 * 1024)

/* A row trigger that changes the text each time its vector is set would go on for ever. */
#define MOST_DEPTH 8

/* The innermost trigger at work. */
typedef struct Running
{
	int n;		 /* embedding triggers at work, one within the other */
	int n_own;	 /* of those the ones that the UPDATE of another has fired */
	int depth;	 /* of the innermost, among all triggers */
	Oid relation; /* its table */
} Running;

static Running running;

typedef struct Embedding
{
	EmbedColumns columns;
	bool is_own, as_owner;
	TriggerData *trigger;
	TupleDesc descriptor;
	TaskCall call;
	EmbedUpdate update;
	MemoryContext context; /* of a batch */
	int n_rows;
	Size n_bytes;
	EmbedRow rows[BATCH_ROWS];
} Embedding;

static bool
is_same(TupleDesc descriptor, AttrNumber column, TupleTableSlot *a, TupleTableSlot *b)
{
	Form_pg_attribute attribute = TupleDescAttr(descriptor, column - 1);
	bool a_null, b_null;
	Datum x = slot_getattr(a, column, &a_null), y = slot_getattr(b, column, &b_null);

	if (a_null || b_null)
		return a_null && b_null;
	return datum_image_eq(x, y, attribute->attbyval, attribute->attlen);
}

/* Whether a row is to be written: with the vector of its text, or NULL where it has none. old is NULL if not known. */
static bool
is_wanted(Embedding *embedding, TupleTableSlot *old, TupleTableSlot *new)
{
	const EmbedColumns *columns = &embedding->columns;
	bool is_insert = embedding->trigger->tg_oldtable == NULL, is_changed = !is_insert && old == NULL, has_text = false;
	bool has_vector = !slot_attisnull(new, columns->target), is_given = is_insert && has_vector;

	for (int i = 0; i < columns->n_sources; i++)
	{
		has_text = has_text || !slot_attisnull(new, columns->sources[i]);
		is_changed = is_changed ||
			(old != NULL && !is_same(embedding->descriptor, columns->sources[i], old, new));
	}
	if (embedding->is_own)
		return is_changed && (has_text || has_vector);
	/* A vector that the statement itself has set is kept. */
	if (has_vector && old != NULL)
		is_given = !is_same(embedding->descriptor, columns->target, old, new);
	if (is_given)
		return false;
	return has_text ? is_changed || !has_vector : is_changed && has_vector;
}

/* The text of a row in the batch; NULL for none. */
static text *
join_sources(const EmbedRow *row, int n_sources)
{
	StringInfoData joined;
	int n = 0;

	initStringInfo(&joined);
	for (int i = 0; i < n_sources; i++)
	{
		text *source = (text *) DatumGetPointer(row->sources[i]);

		if (row->source_nulls[i])
			continue;
		if (n_sources == 1)
			return source;
		if (n++ > 0)
			appendStringInfoChar(&joined, '\n');
		appendBinaryStringInfo(&joined, VARDATA_ANY(source), (int) VARSIZE_ANY_EXHDR(source));
	}
	return n == 0 ? NULL : cstring_to_text_with_len(joined.data, joined.len);
}

static void
call_model(Embedding *embedding, const MgSpan *inputs, int n, Datum *results)
{
	TableOwner owner;

	if (embedding->as_owner)
		table_owner_become_of(&owner, RelationGetRelid(embedding->trigger->tg_relation));
	task_call(&embedding->call, inputs, n, results, NULL);
	if (embedding->as_owner)
		table_owner_leave(&owner);
}

static void
flush(Embedding *embedding)
{
	MemoryContext caller = MemoryContextSwitchTo(embedding->context);
	MgSpan *inputs = palloc(BATCH_ROWS * sizeof *inputs);
	Datum *results = palloc(BATCH_ROWS * sizeof *results);
	int n = 0;

	for (int i = 0; i < embedding->n_rows; i++)
	{
		text *input = join_sources(&embedding->rows[i], embedding->columns.n_sources);

		embedding->rows[i].vector_null = input == NULL;
		if (input != NULL)
			inputs[n++] = span_of_text(input);
	}
	call_model(embedding, inputs, n, results);
	n = 0;
	for (int i = 0; i < embedding->n_rows; i++)
		if (!embedding->rows[i].vector_null)
			embedding->rows[i].vector = results[n++];
	MemoryContextSwitchTo(caller);
	if (embedding->n_rows > 0)
		embed_update_run(&embedding->update, embedding->rows, embedding->n_rows, embedding->context);
	MemoryContextReset(embedding->context);
	embedding->n_rows = 0;
	embedding->n_bytes = 0;
}

/* Copies what is needed of a row, texts without TOAST. */
static void
add_row(Embedding *embedding, TupleTableSlot *slot)
{
	const EmbedColumns *columns = &embedding->columns;
	EmbedRow *row = &embedding->rows[embedding->n_rows++];
	MemoryContext caller = MemoryContextSwitchTo(embedding->context);

	row->keys = palloc(columns->n_keys * sizeof *row->keys);
	row->sources = palloc(columns->n_sources * sizeof *row->sources);
	row->source_nulls = palloc(columns->n_sources * sizeof *row->source_nulls);
	for (int i = 0; i < columns->n_keys; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(embedding->descriptor, columns->keys[i] - 1);
		bool is_null;
		Datum key = slot_getattr(slot, columns->keys[i], &is_null);

		row->keys[i] = datumCopy(key, attribute->attbyval, attribute->attlen);
	}
	for (int i = 0; i < columns->n_sources; i++)
	{
		Datum source = slot_getattr(slot, columns->sources[i], &row->source_nulls[i]);

		if (row->source_nulls[i])
			continue;
		row->sources[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(source));
		embedding->n_bytes += VARSIZE_ANY(DatumGetPointer(row->sources[i]));
	}
	MemoryContextSwitchTo(caller);
}

/* A reader of a transition table; the triggers of a statement share the table. */
typedef struct Reader
{
	Tuplestorestate *table; /* NULL: there is none */
	int pointer;
	TupleTableSlot *slot;
} Reader;

static Reader
open_reader(Tuplestorestate *table, TupleDesc descriptor)
{
	Reader reader = {table, 0, NULL};

	if (table == NULL)
		return reader;
	reader.pointer = tuplestore_alloc_read_pointer(table, EXEC_FLAG_REWIND);
	reader.slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsMinimalTuple);
	tuplestore_select_read_pointer(table, reader.pointer);
	tuplestore_rescan(table);
	return reader;
}

static bool
read_next(Reader *reader)
{
	if (reader->table == NULL)
		return false;
	tuplestore_select_read_pointer(reader->table, reader->pointer);
	return tuplestore_gettupleslot(reader->table, true, false, reader->slot);
}

static void
close_reader(Reader *reader)
{
	if (reader->slot != NULL)
		ExecDropSingleTupleTableSlot(reader->slot);
}

static void
embed_rows(Embedding *embedding)
{
	TriggerData *trigger = embedding->trigger;
	bool in_step = trigger->tg_oldtable != NULL &&
		tuplestore_tuple_count(trigger->tg_oldtable) == tuplestore_tuple_count(trigger->tg_newtable);
	Reader old = open_reader(in_step ? trigger->tg_oldtable : NULL, embedding->descriptor);
	Reader new = open_reader(trigger->tg_newtable, embedding->descriptor);

	while (read_next(&new))
	{
		CHECK_FOR_INTERRUPTS();
		read_next(&old);
		if (is_wanted(embedding, old.slot, new.slot))
			add_row(embedding, new.slot);
		if (embedding->n_rows == BATCH_ROWS || embedding->n_bytes >= BATCH_BYTES)
			flush(embedding);
	}
	flush(embedding);
	close_reader(&old);
	close_reader(&new);
}

static void
check_event(FunctionCallInfo fcinfo, const TriggerData *trigger)
{
	bool is_update;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("function \"embed_statement_trigger\" was not called as a trigger")));
	is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!(is_update || TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) || trigger->tg_newtable == NULL ||
		(is_update && trigger->tg_oldtable == NULL))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("trigger \"%s\" does not suit function \"embed_statement_trigger\"",
							   trigger->tg_trigger->tgname),
						errdetail("It has to be AFTER INSERT or AFTER UPDATE, FOR EACH STATEMENT, REFERENCING NEW TABLE, "
								  "for UPDATE OLD TABLE as well."),
						errhint("maskgen.create_embed_trigger makes both.")));
	if (running.n_own >= MOST_DEPTH)
		ereport(ERROR, (errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
						errmsg("embedding of table \"%s\" does not come to an end",
							   RelationGetRelationName(trigger->tg_relation)),
						errdetail("Another trigger changes the text whenever its vector is set.")));
}

static void
run(FunctionCallInfo fcinfo, TriggerData *trigger, bool is_own, bool as_owner)
{
	Embedding *embedding = palloc0(sizeof *embedding);
	Trigger *definition = trigger->tg_trigger;

	embedding->trigger = trigger;
	embedding->is_own = is_own;
	embedding->as_owner = as_owner;
	embedding->descriptor = RelationGetDescr(trigger->tg_relation);
	embedding->context = AllocSetContextCreate(CurrentMemoryContext, "maskgen embedding trigger", ALLOCSET_DEFAULT_SIZES);
	embed_columns_resolve(&embedding->columns, trigger->tg_relation, definition->tgargs, definition->tgnargs, true);
	embedding->call.function = task_function_named("maskgen_embed_document");
	embedding->call.flinfo = fcinfo->flinfo;
	embedding->call.args[0] = CStringGetTextDatum(embedding->columns.model);
	embedding->call.args[2] = Int32GetDatum(0);
	/* While a statement runs, none of its kind may be made anew: deeper calls have their own. */
	embedding->update = (EmbedUpdate){.columns = &embedding->columns,
									  .relation = trigger->tg_relation,
									  .trigger = running.n == 1 ? definition->tgoid : InvalidOid,
									  .as_owner = embedding->as_owner};
	embed_rows(embedding);
	MemoryContextDelete(embedding->context);
	pfree(embedding);
}

/* An error about rights should say whose they were. */
static void
tell_of_consent(void *arg)
{
	const TriggerData *trigger = arg;

	errcontext("embedding trigger \"%s\" with the rights of who writes, for the owner of table \"%s\" has not consented to it",
			   trigger->tg_trigger->tgname, RelationGetRelationName(trigger->tg_relation));
}

static void
run_without_consent(FunctionCallInfo fcinfo, TriggerData *trigger, bool is_own)
{
	ErrorContextCallback callback = {error_context_stack, tell_of_consent, trigger};

	error_context_stack = &callback;
	run(fcinfo, trigger, is_own, false);
	error_context_stack = callback.previous;
}

Datum
maskgen_embed_statement_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	int depth = DatumGetInt32(DirectFunctionCall1(pg_trigger_depth, (Datum) 0));
	Running outer = running;
	bool is_own;

	check_event(fcinfo, trigger);
	is_own = outer.n > 0 && depth == outer.depth + 1 && RelationGetRelid(trigger->tg_relation) == outer.relation;
	running = (Running){outer.n + 1, is_own ? outer.n_own + 1 : 1, depth, RelationGetRelid(trigger->tg_relation)};
	PG_TRY();
	{
		if (embed_has_consent(trigger->tg_trigger->tgoid))
			run(fcinfo, trigger, is_own, true);
		else
			run_without_consent(fcinfo, trigger, is_own);
	}
	PG_FINALLY();
	{
		running = outer;
	}
	PG_END_TRY();
	PG_RETURN_POINTER(NULL);
}
