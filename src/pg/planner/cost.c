/*
 * Support functions: cost and number of rows of calls of tasks. Whatever is
 * not known - the model because it is no constant, or does not exist - leaves
 * the COST and ROWS of pg_proc in place; nothing is loaded, and no privilege
 * is asked for.
 *
 * Arguments are told apart by their number, as sql/40-task.sql declares them:
 * (input ...) where a setting names the model, (model, input ...) elsewhere.
 */
#include "pg/planner/cost.h"

#include <math.h>

#include "access/transam.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/planner/model_work.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(maskgen_embed_support);
PG_FUNCTION_INFO_V1(maskgen_fill_mask_support);
PG_FUNCTION_INFO_V1(maskgen_classify_support);
PG_FUNCTION_INFO_V1(maskgen_tokenize_support);

/* That cpu_operator_cost stands for; see sql/40-task.sql. */
#define OPERATOR_SECONDS 10e-9

/* English in the vocabulary of BERT. */
#define BYTES_A_TOKEN 4.0

/* "{mask} news: {text}" */
#define TEMPLATE_TOKENS 4

/* Tokenising alone. */
#define TOKENIZE_CALL_SECONDS 8e-6
#define TOKENIZE_BYTE_SECONDS 20e-9

/* Tokens of a text of so many bytes, with those around it. */
static double
tokens_of(double width, double more, const ModelWork *work)
{
	return Min(ceil(width / BYTES_A_TOKEN) + work->extra + more, work->max_tokens);
}

static const ModelWork *
work_of(Node *model)
{
	Const *constant = (Const *) model;

	if (!IsA(model, Const) || constant->consttype != TEXTOID || constant->constisnull)
		return NULL;
	return model_work_find(TextDatumGetCString(constant->constvalue));
}

static Node *
argument(const List *args, int number)
{
	return list_nth(args, number);
}

/* The arguments of a call, NIL when they are not the positional ones that the planner makes of all. */
static List *
args_of(Node *node)
{
	List *args;
	ListCell *cell;

	if (node == NULL || !IsA(node, FuncExpr))
		return NIL;
	args = ((FuncExpr *) node)->args;
	foreach(cell, args)
		if (IsA(lfirst(cell), NamedArgExpr))
			return NIL;
	return args;
}

/* embed(input); embed(model, input, prompt, dims, normalized), embed_query(model, input, dims) ...; embed_batch. */
static double
embed_seconds(PlannerInfo *root, List *args)
{
	bool by_setting = list_length(args) == 1;
	const ModelWork *work = by_setting ? model_work_find(maskgen_embed_model) : work_of(linitial(args));
	Node *input = argument(args, by_setting ? 0 : 1);
	double n = 1, width, prompt = 0;

	if (work == NULL)
		return -1;
	if (list_length(args) > 2 && exprType(argument(args, 2)) == TEXTOID)
		prompt = plan_width(root, argument(args, 2)) / BYTES_A_TOKEN;
	width = plan_width(root, input);
	if (exprType(input) == TEXTARRAYOID)
		n = compat_array_length(root, input);
	return model_work_seconds(work, n, n > 0 ? n * tokens_of(width / n, prompt, work) : 0);
}

/* Masks that a text is known to have; else it is expected to have one. */
static double
count_masks(Node *input)
{
	const Const *constant = (const Const *) input;
	double n = 0;
	char *string;

	if (!IsA(input, Const) || constant->constisnull)
		return 1;
	string = TextDatumGetCString(constant->constvalue);
	for (const char *at = string; (at = strstr(at, "[MASK]")) != NULL; at++)
		n++;
	return n;
}

/* Elements of an array of texts; -1: not known. */
static int
const_array_length(Node *node)
{
	const Const *constant = (const Const *) node;
	ArrayType *array;

	if (!IsA(node, Const) || constant->consttype != TEXTARRAYOID || constant->constisnull)
		return -1;
	array = DatumGetArrayTypeP(constant->constvalue);
	return ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
}

/* fill_mask(model, input, top_k, targets) */
static double
fill_mask_seconds(PlannerInfo *root, List *args)
{
	const ModelWork *work = work_of(linitial(args));
	Node *input;

	if (work == NULL || list_length(args) < 4)
		return -1;
	input = argument(args, 1);
	/* With targets, only their rows of the vocabulary count: next to nothing. */
	return model_work_seconds(work, 1, tokens_of(plan_width(root, input), 0, work)) +
		(const_array_length(argument(args, 3)) > 0 ? 0 : model_work_mask_seconds(work, count_masks(input)));
}

static double
fill_mask_rows(PlannerInfo *root, List *args)
{
	Const *top_k;
	int n_targets;

	if (list_length(args) < 4)
		return -1;
	top_k = (Const *) argument(args, 2);
	n_targets = const_array_length(argument(args, 3));
	if (!IsA(top_k, Const) || top_k->constisnull)
		return -1;
	return count_masks(argument(args, 1)) *
		(n_targets > 0 ? Min(n_targets, DatumGetInt32(top_k->constvalue)) : DatumGetInt32(top_k->constvalue));
}

/* Whether the support function of a call is one of these. */
static bool
is_supported_by(Node *node, PGFunction one, PGFunction other)
{
	Oid support;
	FmgrInfo info;

	if (!IsA(node, FuncExpr) || ((FuncExpr *) node)->funcid < FirstNormalObjectId)
		return false;
	support = get_func_support(((FuncExpr *) node)->funcid);
	if (support < FirstNormalObjectId)
		return false;
	fmgr_info(support, &info);
	return info.fn_addr == one || info.fn_addr == other || info.fn_addr == maskgen_classify_support;
}

bool
plan_is_task(Node *node)
{
	return is_supported_by(node, maskgen_embed_support, maskgen_fill_mask_support);
}

/* classify(input, labels), classify(model, input, labels, template), classify_as(model, input, NULL::some_enum, template) */
static Node *
labels_of(List *args)
{
	return argument(args, list_length(args) == 2 ? 1 : 2);
}

bool
plan_find_labels(Node *node, ArrayType **labels, int *n)
{
	Node *argument;
	List *args;

	if (!is_supported_by(node, maskgen_classify_support, NULL) || ((FuncExpr *) node)->funcretset)
		return false;
	args = args_of(node);
	if (list_length(args) < 2)
		return false;
	argument = labels_of(args);
	*labels = NULL;
	if (type_is_enum(exprType(argument)))
	{
		CatCList *values = SearchSysCacheList1(ENUMTYPOIDNAME, ObjectIdGetDatum(exprType(argument)));

		*n = values->n_members;
		ReleaseSysCacheList(values);
	}
	else
	{
		*n = const_array_length(argument);
		if (*n > 0)
			*labels = DatumGetArrayTypeP(((Const *) argument)->constvalue);
	}
	return *n > 0;
}

/* Labels of one token count share a sequence. How many counts there are among these, by their words. */
static int
count_lengths(Node *labels)
{
	Datum *elements;
	bool *nulls;
	int n, n_lengths = 0;
	uint32 seen = 0;

	if (const_array_length(labels) <= 0)
		return 1;
	deconstruct_array(DatumGetArrayTypeP(((Const *) labels)->constvalue), TEXTOID, -1, false, TYPALIGN_INT, &elements,
					  &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		uint32 words = 1;

		if (nulls[i])
			continue;
		for (const char *c = TextDatumGetCString(elements[i]); *c != '\0'; c++)
			words += *c == ' ';
		words = Min(words, 31);
		n_lengths += (seen & (1u << words)) == 0;
		seen |= 1u << words;
	}
	return Max(n_lengths, 1);
}

static double
classify_seconds(PlannerInfo *root, List *args)
{
	bool by_setting = list_length(args) == 2;
	const ModelWork *work = by_setting ? model_work_find(maskgen_classify_model) : work_of(linitial(args));
	double n = count_lengths(labels_of(args));

	if (work == NULL)
		return -1;
	return model_work_seconds(work, n, n * tokens_of(plan_width(root, argument(args, by_setting ? 0 : 1)),
													 TEMPLATE_TOKENS, work));
}

/* The functions about tokens, which run no model. */
static double
tokenize_seconds(PlannerInfo *root, List *args)
{
	return TOKENIZE_CALL_SECONDS + TOKENIZE_BYTE_SECONDS * plan_width(root, argument(args, 1));
}

/* tokens(model, input) */
static double
tokenize_rows(PlannerInfo *root, List *args)
{
	const ModelWork *work = work_of(linitial(args));

	return ceil(plan_width(root, argument(args, 1)) / BYTES_A_TOKEN) + (work != NULL ? work->extra : 0);
}

/* Costs that the planner was told of late. It asks with what it knows of columns, which a finished plan no longer says. */
#define TOLD 64

typedef struct ToldCost
{
	Oid function;
	int location;
	double cost;
} ToldCost;

static ToldCost told[TOLD];
static int n_told;

static ToldCost *
find_told(const FuncExpr *call)
{
	for (int i = 0; i < Min(n_told, TOLD); i++)
		if (told[i].function == call->funcid && told[i].location == call->location)
			return &told[i];
	return NULL;
}

static void
remember_told(Node *node, double cost)
{
	ToldCost *entry;

	if (node == NULL || !IsA(node, FuncExpr))
		return;
	entry = find_told((FuncExpr *) node);
	if (entry == NULL)
		entry = &told[n_told++ % TOLD];
	if (n_told >= 2 * TOLD)
		n_told -= TOLD;
	*entry = (ToldCost){((FuncExpr *) node)->funcid, ((FuncExpr *) node)->location, cost};
}

double
plan_call_cost(FuncExpr *call)
{
	const ToldCost *entry = find_told(call);
	QualCost cost = {0, 0};

	if (entry != NULL)
		return entry->cost;
	add_function_cost(NULL, call->funcid, (Node *) call, &cost);
	return cost.per_tuple;
}

/* Answers a request with what these estimate; below 0 is "not known". */
static Datum
answer(FunctionCallInfo fcinfo, int fewest, double (*seconds)(PlannerInfo *root, List *args),
	   double (*rows)(PlannerInfo *root, List *args))
{
	Node *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestCost))
	{
		SupportRequestCost *cost = (SupportRequestCost *) request;
		List *args = args_of(cost->node);
		double estimate = list_length(args) >= fewest ? seconds(cost->root, args) : -1;

		plan_n_costed += seconds != tokenize_seconds;
		if (estimate < 0)
			PG_RETURN_POINTER(NULL);
		cost->startup = 0;
		cost->per_tuple = estimate / OPERATOR_SECONDS * cpu_operator_cost;
		remember_told(cost->node, cost->per_tuple);
		PG_RETURN_POINTER(request);
	}
	if (IsA(request, SupportRequestRows) && rows != NULL)
	{
		SupportRequestRows *wanted = (SupportRequestRows *) request;
		List *args = args_of(wanted->node);
		double estimate = list_length(args) >= fewest ? rows(wanted->root, args) : -1;

		if (estimate < 0)
			PG_RETURN_POINTER(NULL);
		wanted->rows = estimate;
		PG_RETURN_POINTER(request);
	}
	PG_RETURN_POINTER(NULL);
}

static double
classify_rows(PlannerInfo *root, List *args)
{
	return const_array_length(labels_of(args));
}

Datum
maskgen_embed_support(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, 1, embed_seconds, NULL);
}

Datum
maskgen_fill_mask_support(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, 4, fill_mask_seconds, fill_mask_rows);
}

Datum
maskgen_classify_support(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, 2, classify_seconds, classify_rows);
}

Datum
maskgen_tokenize_support(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, 2, tokenize_seconds, tokenize_rows);
}
