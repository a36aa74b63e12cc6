/*
 * The catalogs say which objects call our functions (pg_depend), their
 * expressions with which names. Expressions are looked at as they are stored;
 * none is evaluated.
 */
#include "pg/model/dependents.h"

#include "catalog/dependency.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "pg/compat.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"

/* Objects that an error names; their number is said in any case. */
#define NAMED_AT_MOST 100

typedef struct Search
{
	const char *model;
	List *functions; /* OIDs of those whose first argument is a model */
} Search;

typedef struct Dependents
{
	ObjectAddresses *objects;
	StringInfoData names; /* a line each */
	char *foreign;		  /* one that the current user does not own, or NULL */
	char *table;		  /* one that is partitioned by the model, or NULL */
	int n;
} Dependents;

static const char functions_query[] =
	"SELECT p.oid FROM pg_proc p JOIN pg_depend e ON e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e' "
	"AND e.refclassid = 'pg_extension'::regclass JOIN pg_extension x ON x.oid = e.refobjid AND x.extname = 'maskgen' "
	"WHERE p.proargnames[1] = 'model'";

/*
 * Object, owner, expression, whether it is the key of partitions. For the expression of a generated column stands the column,
 * for the rule of a view the view.
 */
static const char expressions_query[] =
	"WITH used AS (SELECT DISTINCT classid, objid, objsubid FROM pg_depend "
	"WHERE refclassid = 'pg_proc'::regclass AND refobjid = ANY ($1)) "
	"SELECT CASE b.attgenerated WHEN '' THEN u.classid ELSE 'pg_class'::regclass END, CASE b.attgenerated WHEN '' THEN u.objid "
	"ELSE a.adrelid END, CASE b.attgenerated WHEN '' THEN 0 ELSE a.adnum END::int, c.relowner, a.adbin::text, false FROM used u "
	"JOIN pg_attrdef a ON u.classid = 'pg_attrdef'::regclass AND a.oid = u.objid JOIN pg_class c ON c.oid = a.adrelid "
	"JOIN pg_attribute b ON b.attrelid = a.adrelid AND b.attnum = a.adnum "
	"UNION ALL SELECT u.classid, u.objid, 0, c.relowner, e, false FROM used u JOIN pg_index i ON u.classid = 'pg_class'::regclass "
	"AND i.indexrelid = u.objid JOIN pg_class c ON c.oid = u.objid, unnest(ARRAY[i.indexprs::text, i.indpred::text]) e "
	"UNION ALL SELECT u.classid, u.objid, 0, c.relowner, p.partexprs::text, true FROM used u JOIN pg_partitioned_table p "
	"ON u.classid = 'pg_class'::regclass AND p.partrelid = u.objid JOIN pg_class c ON c.oid = u.objid "
	"UNION ALL SELECT u.classid, u.objid, u.objsubid, coalesce(c.relowner, t.typowner), k.conbin::text, false FROM used u "
	"JOIN pg_constraint k ON u.classid = 'pg_constraint'::regclass AND k.oid = u.objid LEFT JOIN pg_class c ON c.oid = k.conrelid "
	"LEFT JOIN pg_type t ON t.oid = k.contypid "
	"UNION ALL SELECT u.classid, u.objid, u.objsubid, c.relowner, g.tgqual::text, false FROM used u JOIN pg_trigger g "
	"ON u.classid = 'pg_trigger'::regclass AND g.oid = u.objid JOIN pg_class c ON c.oid = g.tgrelid "
	"UNION ALL SELECT CASE r.rulename WHEN '_RETURN' THEN 'pg_class'::regclass ELSE u.classid END, "
	"CASE r.rulename WHEN '_RETURN' THEN r.ev_class ELSE u.objid END, 0, c.relowner, e, false FROM used u JOIN pg_rewrite r "
	"ON u.classid = 'pg_rewrite'::regclass AND r.oid = u.objid JOIN pg_class c ON c.oid = r.ev_class, "
	"unnest(ARRAY[r.ev_action::text, r.ev_qual::text]) e "
	"UNION ALL SELECT u.classid, u.objid, u.objsubid, c.relowner, e, false FROM used u JOIN pg_policy p "
	"ON u.classid = 'pg_policy'::regclass AND p.oid = u.objid JOIN pg_class c ON c.oid = p.polrelid, "
	"unnest(ARRAY[p.polqual::text, p.polwithcheck::text]) e "
	"UNION ALL SELECT u.classid, u.objid, u.objsubid, s.stxowner, s.stxexprs::text, false FROM used u JOIN pg_statistic_ext s "
	"ON u.classid = 'pg_statistic_ext'::regclass AND s.oid = u.objid "
	"UNION ALL SELECT u.classid, u.objid, u.objsubid, p.proowner, p.prosqlbody::text, false FROM used u JOIN pg_proc p "
	"ON u.classid = 'pg_proc'::regclass AND p.oid = u.objid "
	"UNION ALL SELECT u.classid, u.objid, u.objsubid, t.typowner, t.typdefaultbin::text, false FROM used u JOIN pg_type t "
	"ON u.classid = 'pg_type'::regclass AND t.oid = u.objid ";

/* Triggers that embed have the model as their first argument. Those of partitions go with the one that they are copies of. */
static const char triggers_query[] =
	"SELECT 'pg_trigger'::regclass::oid, g.oid, 0, c.relowner FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid "
	"JOIN pg_depend e ON e.classid = 'pg_proc'::regclass AND e.objid = g.tgfoid AND e.deptype = 'e' "
	"AND e.refclassid = 'pg_extension'::regclass JOIN pg_extension x ON x.oid = e.refobjid AND x.extname = 'maskgen' "
	"WHERE g.tgparentid = 0 AND substring(g.tgargs FROM 1 FOR octet_length($1) + 1) = "
	"convert_to($1, getdatabaseencoding()) || '\\000'::bytea";

static void
run(const char *query, int n, Oid *types, Datum *values)
{
	if (SPI_execute_with_args(query, n, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for what depends on a model");
}

static Datum
column(uint64 row, int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, isnull);
}

static bool
is_name(Node *node, const char *name)
{
	if (IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return IsA(node, Const) && !((Const *) node)->constisnull &&
		(((Const *) node)->consttype == TEXTOID || ((Const *) node)->consttype == VARCHAROID) &&
		strcmp(TextDatumGetCString(((Const *) node)->constvalue), name) == 0;
}

static bool
calls_model(Node *node, void *context)
{
	const Search *search = context;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, calls_model, context, 0);
	if (IsA(node, FuncExpr) && list_member_oid(search->functions, ((FuncExpr *) node)->funcid))
	{
		ListCell *cell;

		foreach(cell, ((FuncExpr *) node)->args)
		{
			Node *arg = lfirst(cell);
			int number = foreach_current_index(cell);

			if (IsA(arg, NamedArgExpr))
			{
				number = ((NamedArgExpr *) arg)->argnumber;
				arg = (Node *) ((NamedArgExpr *) arg)->arg;
			}
			if (number == 0 && is_name(arg, search->model))
				return true;
		}
	}
	return expression_tree_walker(node, calls_model, context);
}

static void
add(Dependents *found, ObjectAddress object, Oid owner, bool is_table)
{
	char *description;

	/* An object may have two expressions. */
	if (object_address_present(&object, found->objects))
		return;
	add_exact_object_address(&object, found->objects);
	description = getObjectDescription(&object, false);
	if (found->n < NAMED_AT_MOST)
		appendStringInfo(&found->names, "%s%s", found->n > 0 ? "\n" : "", description);
	found->n++;
	if (!has_privs_of_role(GetUserId(), owner))
		found->foreign = description;
	if (is_table)
		found->table = description;
}

/* The first four columns of a row of the result. */
static void
add_row(Dependents *found, uint64 row, bool is_table)
{
	bool isnull;
	ObjectAddress object = {DatumGetObjectId(column(row, 1, &isnull)), DatumGetObjectId(column(row, 2, &isnull)),
							DatumGetInt32(column(row, 3, &isnull))};

	add(found, object, DatumGetObjectId(column(row, 4, &isnull)), is_table);
}

static void
find_expressions(Dependents *found, const char *model)
{
	Search search = {model, NIL};
	Oid type = OIDARRAYOID;
	Datum functions, *oids;
	bool isnull;

	run(functions_query, 0, NULL, NULL);
	oids = palloc((SPI_processed + 1) * sizeof *oids);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		oids[i] = column(i, 1, &isnull);
		search.functions = lappend_oid(search.functions, DatumGetObjectId(oids[i]));
	}
	functions = PointerGetDatum(construct_array(oids, (int) SPI_processed, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
	run(expressions_query, 1, &type, &functions);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum expression = column(i, 5, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (!isnull && calls_model(stringToNode(TextDatumGetCString(expression)), &search))
			add_row(found, i, DatumGetBool(column(i, 6, &isnull)));
	}
}

static void
find_triggers(Dependents *found, const char *model)
{
	Oid type = TEXTOID;
	Datum name = CStringGetTextDatum(model);

	run(triggers_query, 1, &type, &name);
	for (uint64 i = 0; i < SPI_processed; i++)
		add_row(found, i, false);
}

static void
refuse(const Dependents *found, const char *model)
{
	const char *more = found->n > NAMED_AT_MOST ? psprintf("\nand %d more objects", found->n - NAMED_AT_MOST) : "";

	ereport(ERROR, (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					errmsg("cannot drop model \"%s\" because other objects depend on it", model),
					errdetail("%s%s", found->names.data, more), errdetail_log("%d objects depend on it.", found->n),
					errhint("Use maskgen.drop_model('%s', cascade => true) to drop them too.", model)));
}

static void
check_droppable(const Dependents *found, const char *model)
{
	if (found->table != NULL)
		ereport(ERROR, (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
						errmsg("cannot drop model \"%s\" because %s is partitioned by it", model, found->table),
						errhint("Drop or rebuild the table first.")));
	if (found->foreign != NULL)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be owner of %s to drop it with model \"%s\"", found->foreign, model)));
}

/* Sessions keep them with results computed, also where a call is hidden in a function. */
static void
forget_index_expressions(void)
{
	bool isnull;

	run("SELECT indexrelid FROM pg_index WHERE indexprs IS NOT NULL OR indpred IS NOT NULL", 0, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
		CacheInvalidateRelcacheByRelid(DatumGetObjectId(column(i, 1, &isnull)));
}

void
dependents_drop(const char *model, bool cascade)
{
	Dependents found = {.objects = new_object_addresses()};
	int nest = NewGUCNestLevel();

	initStringInfo(&found.names);
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	SPI_connect();
	find_expressions(&found, model);
	find_triggers(&found, model);
	if (found.n > 0 && !cascade)
		refuse(&found, model);
	check_droppable(&found, model);
	forget_index_expressions();
	if (found.n > 0)
	{
		ereport(NOTICE, (errmsg_plural("drop of model \"%s\" cascades to %d object", "drop of model \"%s\" cascades to %d objects",
									   (unsigned long) found.n, model, found.n),
						 errdetail("%s", found.names.data)));
		performMultipleDeletions(found.objects, DROP_CASCADE, 0);
	}
	SPI_finish();
	AtEOXact_GUC(true, nest);
	free_object_addresses(found.objects);
}
