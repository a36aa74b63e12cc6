/*
 * Support functions: cost and number of rows of calls of tasks. Whatever is
 * not known - the model because it is no constant, or does not exist - leaves
 * the COST and ROWS of pg_proc in place; nothing is loaded, and no privilege
 * is asked for.
 *
 * What an argument is, and by what the cost of a function goes, its description says (pg/task/function.h).
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
#include "pg/task/function.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(maskgen_embed_support);
PG_FUNCTION_INFO_V1(maskgen_fill_mask_support);
PG_FUNCTION_INFO_V1(maskgen_classify_support);
PG_FUNCTION_INFO_V1(maskgen_tokenize_support);
PG_FUNCTION_INFO_V1(maskgen_generate_support);
PG_FUNCTION_INFO_V1(maskgen_task_support);

/* That cpu_operator_cost stands for; see sql/40-task.sql. */
#define OPERATOR_SECONDS 10e-9

/* English in the vocabulary of BERT. */
#define BYTES_A_TOKEN 4.0

/* "{mask} news: {text}" */
#define TEMPLATE_TOKENS 4

/* "This example is about {label}." */
#define SENTENCE_TOKENS 7

/* Tokenising alone. */
#define TOKENIZE_CALL_SECONDS 8e-6
#define TOKENIZE_BYTE_SECONDS 20e-9

/* A call whose description is known. */
typedef struct Call
{
	PlannerInfo *root;
	const TaskFunction *task;
	List *args;
	const ModelWork *work; /* NULL: the model is not known */
} Call;

/* Tokens of a text of so many bytes, with those around it. */
static double
tokens_of(double width, double more, const ModelWork *work)
{
	return Min(ceil(width / BYTES_A_TOKEN) + work->extra + more, work->max_tokens);
}

/* The argument of that name; NULL: there is none. */
static Node *
argument(const Call *call, const char *name)
{
	int position = task_arg(call->task, name);

	return position < 0 ? NULL : list_nth(call->args, position);
}

static const ModelWork *
work_of(const Call *call)
{
	Const *model = (Const *) argument(call, "model");

	if (call->task->setting != NULL)
		return model_work_find(*call->task->setting);
	if (!IsA(model, Const) || model->consttype != TEXTOID || model->constisnull)
		return NULL;
	return model_work_find(TextDatumGetCString(model->constvalue));
}

/* False for other nodes, and where arguments are not the positional ones that the planner makes of all. */
static bool
read_call(PlannerInfo *root, Node *node, Call *call)
{
	ListCell *cell;

	if (node == NULL || !IsA(node, FuncExpr))
		return false;
	*call = (Call){root, task_description_of(((FuncExpr *) node)->funcid), ((FuncExpr *) node)->args, NULL};
	if (call->task == NULL || list_length(call->args) != call->task->n_args)
		return false;
	foreach(cell, call->args)
		if (IsA(lfirst(cell), NamedArgExpr))
			return false;
	return true;
}

/* What a call gives the model to do. */
typedef struct Load
{
	double n;		   /* sequences */
	double tokens;	   /* of all of them, that are read */
	double new_tokens; /* that are drawn */
	double masks;	   /* rows that pass the vocabulary beside these */
} Load;

/* One text, or many in an array; with a prompt in front. */
static Load
embed_load(const Call *call)
{
	Node *input = argument(call, "input"), *inputs = argument(call, "inputs"), *prompt = argument(call, "prompt");
	double n = inputs != NULL ? compat_array_length(call->root, inputs) : 1;
	double width = plan_width(call->root, inputs != NULL ? inputs : input);
	double more = prompt != NULL ? plan_width(call->root, prompt) / BYTES_A_TOKEN : 0;

	return (Load){n, n > 0 ? n * tokens_of(width / n, more, call->work) : 0, 0, 0};
}

/* Masks that a text is known to have, as BERT and as RoBERTa writes them; else it is expected to have one. */
static double
count_masks(Node *input)
{
	const Const *constant = (const Const *) input;
	static const char *const masks[] = {"[MASK]", "<mask>"};
	double n = 0;
	char *string;

	if (!IsA(input, Const) || constant->constisnull)
		return 1;
	string = TextDatumGetCString(constant->constvalue);
	for (int i = 0; i < lengthof(masks); i++)
		for (const char *at = string; (at = strstr(at, masks[i])) != NULL; at++)
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

static Load
fill_mask_load(const Call *call)
{
	Node *input = argument(call, "input");

	/* With targets, only their rows of the vocabulary count: next to nothing. */
	return (Load){1, tokens_of(plan_width(call->root, input), 0, call->work), 0,
				  const_array_length(argument(call, "targets")) > 0 ? 0 : count_masks(input)};
}

static double
fill_mask_rows(const Call *call)
{
	Const *top_k = (Const *) argument(call, "top_k");
	int n_targets = const_array_length(argument(call, "targets"));

	if (!IsA(top_k, Const) || top_k->constisnull)
		return -1;
	return count_masks(argument(call, "input")) *
		(n_targets > 0 ? Min(n_targets, DatumGetInt32(top_k->constvalue)) : DatumGetInt32(top_k->constvalue));
}

bool
plan_is_task(Node *node)
{
	Call call;

	return read_call(NULL, node, &call) && call.task->cost != TASK_COST_TOKENIZE;
}

bool
plan_find_labels(Node *node, ArrayType **labels, int *n)
{
	Node *chosen;
	Call call;

	if (!read_call(NULL, node, &call) || call.task->cost != TASK_COST_CLASSIFY || call.task->result == TASK_SET ||
		get_element_type(exprType(node)) != InvalidOid)
		return false;
	chosen = argument(&call, "labels");
	*labels = NULL;
	if (type_is_enum(exprType(chosen)))
	{
		CatCList *values = SearchSysCacheList1(ENUMTYPOIDNAME, ObjectIdGetDatum(exprType(chosen)));

		*n = values->n_members;
		ReleaseSysCacheList(values);
	}
	else
	{
		*n = const_array_length(chosen);
		if (*n > 0)
			*labels = DatumGetArrayTypeP(((Const *) chosen)->constvalue);
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

static Load
classify_load(const Call *call)
{
	double n = call->work->masked ? count_lengths(argument(call, "labels"))
		: call->work->pass_a_label ? Max(const_array_length(argument(call, "labels")), 1)
								  : 1;
	double more = call->work->masked ? TEMPLATE_TOKENS : call->work->pass_a_label ? SENTENCE_TOKENS : 0;

	return (Load){n, n * tokens_of(plan_width(call->root, argument(call, "input")), more, call->work), 0, 0};
}

/* The functions about tokens, which run no model. */
static double
tokenize_seconds(const Call *call)
{
	return TOKENIZE_CALL_SECONDS + TOKENIZE_BYTE_SECONDS * plan_width(call->root, argument(call, "input"));
}

static double
tokenize_rows(const Call *call)
{
	return ceil(plan_width(call->root, argument(call, "input")) / BYTES_A_TOKEN) +
		(call->work != NULL ? call->work->extra : 0);
}

/* Tokens of a text that is generated, where its argument is not known. */
#define NEW_TOKENS 128

/* Rows that decode in step, for the costs of one that nobody has counted the others of. */
#define STEP_ROWS 16

static Load
generate_load(const Call *call)
{
	Const *most = (Const *) argument(call, "max_tokens");
	double wanted = IsA(most, Const) && !most->constisnull ? Max(DatumGetInt32(most->constvalue), 0) : NEW_TOKENS;
	double prompt = tokens_of(plan_width(call->root, argument(call, "prompt")), 0, call->work);

	return (Load){1, prompt, Min(wanted, call->work->max_tokens - prompt), 0};
}

/* Bytes of the input, and of the text that stands beside it. */
static double
score_width(const Call *call)
{
	static const char *const beside[] = {"query", "second", "inputs"};
	int input = task_input(call->task);
	double width = input < 0 ? 0 : plan_width(call->root, list_nth(call->args, input));

	for (int i = 0; i < lengthof(beside); i++)
		if (argument(call, beside[i]) != NULL)
			width += plan_width(call->root, argument(call, beside[i]));
	return width;
}

/* Documents in an array each stand beside the query; a question is asked once for each rotation. */
static Load
score_load(const Call *call)
{
	Node *documents = argument(call, "documents");
	Const *rotations = (Const *) argument(call, "rotations");
	double n = documents != NULL ? compat_array_length(call->root, documents) : 1;

	if (rotations != NULL && IsA(rotations, Const) && !rotations->constisnull)
		n = Max(DatumGetInt32(rotations->constvalue), 1);

	double width = score_width(call) + (documents != NULL && n > 0 ? plan_width(call->root, documents) / n : 0);

	return (Load){n, n * tokens_of(width, 0, call->work), 0, 0};
}

static Load
words_load(const Call *call)
{
	double tokens = tokens_of(score_width(call), 0, call->work);

	return (Load){1, tokens, 0, tokens};
}

static Load
load_of(const Call *call)
{
	switch (call->task->cost)
	{
		case TASK_COST_EMBED:
			return embed_load(call);
		case TASK_COST_FILL_MASK:
			return fill_mask_load(call);
		case TASK_COST_CLASSIFY:
			return classify_load(call);
		case TASK_COST_GENERATE:
			return generate_load(call);
		case TASK_COST_SCORE:
			return score_load(call);
		case TASK_COST_WORDS:
			return words_load(call);
		case TASK_COST_TOKENIZE:
			break;
	}
	return (Load){0};
}

/* Below 0: not known. */
static double
seconds_of(const Call *call, const Load *load)
{
	if (call->task->cost == TASK_COST_TOKENIZE)
		return tokenize_seconds(call);
	if (call->work == NULL)
		return -1;
	return model_work_seconds(call->work, load->n, load->tokens) + model_work_mask_seconds(call->work, load->masks) +
		model_work_new_seconds(call->work, load->new_tokens, load->tokens, STEP_ROWS);
}

static double
rows_of(const Call *call)
{
	switch (call->task->cost)
	{
		case TASK_COST_FILL_MASK:
			return fill_mask_rows(call);
		case TASK_COST_CLASSIFY:
			return const_array_length(argument(call, "labels"));
		case TASK_COST_TOKENIZE:
			return tokenize_rows(call);
		default:
			return -1;
	}
}

static Datum
answer(Node *request)
{
	Call call;
	Load load = {0};
	double estimate = -1;

	if (IsA(request, SupportRequestCost))
	{
		SupportRequestCost *cost = (SupportRequestCost *) request;

		if (read_call(cost->root, cost->node, &call))
		{
			call.work = work_of(&call);
			if (call.work != NULL)
				load = load_of(&call);
			estimate = seconds_of(&call, &load);
			plan_n_costed += call.task->cost != TASK_COST_TOKENIZE;
		}
		if (estimate < 0)
			return PointerGetDatum(NULL);
		cost->startup = 0;
		cost->per_tuple = estimate / OPERATOR_SECONDS * cpu_operator_cost;
		plan_tell(cost->node, cost->per_tuple, (PlanTokens){load.tokens, load.new_tokens});
		return PointerGetDatum(request);
	}
	if (IsA(request, SupportRequestRows))
	{
		SupportRequestRows *wanted = (SupportRequestRows *) request;

		if (read_call(wanted->root, wanted->node, &call))
		{
			call.work = work_of(&call);
			estimate = rows_of(&call);
		}
		if (estimate < 0)
			return PointerGetDatum(NULL);
		wanted->rows = estimate;
		return PointerGetDatum(request);
	}
	return PointerGetDatum(NULL);
}

Datum
maskgen_embed_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer((Node *) PG_GETARG_POINTER(0)));
}

Datum
maskgen_fill_mask_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer((Node *) PG_GETARG_POINTER(0)));
}

Datum
maskgen_classify_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer((Node *) PG_GETARG_POINTER(0)));
}

Datum
maskgen_tokenize_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer((Node *) PG_GETARG_POINTER(0)));
}

Datum
maskgen_generate_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer((Node *) PG_GETARG_POINTER(0)));
}

Datum
maskgen_task_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(answer((Node *) PG_GETARG_POINTER(0)));
}
