/* Makes the tree of a regular expression into steps. */
#include "text/regex_tree.h"

typedef struct Compiler
{
	MgRegexReader reader;
	MgRegexStep *steps; /* [n_steps] of room */
	size_t n_steps, room, most_sets;
} Compiler;

static bool
put(Compiler *compiler, MgRegexStep step)
{
	if (compiler->n_steps == MG_REGEX_STEPS)
		return mg_regex_refuse(&compiler->reader, "so many repetitions");
	if (compiler->n_steps == compiler->room)
	{
		size_t room = compiler->room > 0 ? 2 * compiler->room : 64;
		MgRegexStep *steps = mg_alloc_array(compiler->reader.cx, room, sizeof *steps);

		if (steps == NULL)
			return false;
		if (compiler->n_steps > 0)
			memcpy(steps, compiler->steps, compiler->n_steps * sizeof *steps);
		compiler->steps = steps;
		compiler->room = room;
	}
	compiler->steps[compiler->n_steps++] = step;
	return true;
}

/* What a match of the node may begin with. */
static bool
first_of(Compiler *compiler, const MgRegexNode *of, MgCodeSet *set)
{
	MgCodeSet right = {0};

	switch (of->kind)
	{
		case MG_TREE_SET:
			return mg_code_set_union(compiler->reader.cx, set, &compiler->reader.sets[of->set], set);
		case MG_TREE_SEQUENCE:
			return first_of(compiler, of->left, set) && (of->left->size > 0 || first_of(compiler, of->right, set));
		case MG_TREE_CHOICE:
			return first_of(compiler, of->left, set) && first_of(compiler, of->right, set);
		case MG_TREE_REPEAT:
		case MG_TREE_ATOM:
			return of->most == 0 && of->kind == MG_TREE_REPEAT ? mg_code_set_union(compiler->reader.cx, set, &right, set) : first_of(compiler, of->left, set);
		default:
			return true;
	}
}

/* Lets a fork look at what its first way begins with, if that is something; where there is no room for the set, it does not look. */
static bool
guard(Compiler *compiler, size_t fork, const MgRegexNode *way)
{
	MgCodeSet first = {0};

	if (way->size == 0 || compiler->reader.n_sets >= compiler->most_sets)
		return true;
	if (!first_of(compiler, way, &first))
		return false;
	compiler->steps[fork].mode = 1;
	compiler->steps[fork].set = (uint16_t) compiler->reader.n_sets;
	compiler->reader.sets[compiler->reader.n_sets++] = first;
	return true;
}

static bool emit(Compiler *compiler, const MgRegexNode *of);

/* Steps that end with a MATCH, which the step at their head passes over. */
static bool
emit_inner(Compiler *compiler, const MgRegexNode *of, MgRegexOp op, uint8_t mode)
{
	size_t head = compiler->n_steps;

	if (!put(compiler, (MgRegexStep){.op = (uint8_t) op, .mode = mode}) || !emit(compiler, of) || !put(compiler, (MgRegexStep){.op = MG_RE_MATCH}))
		return false;
	compiler->steps[head].x = (uint32_t) compiler->n_steps;
	return true;
}

/* A fork to what follows it and to an end that is not known yet; a lazy one the other way round. */
static void
aim(Compiler *compiler, size_t fork, bool lazy, size_t end)
{
	MgRegexStep *step = &compiler->steps[fork];

	step->x = (uint32_t) (lazy ? end : fork + 1);
	step->y = (uint32_t) (lazy ? fork + 1 : end);
}

static bool
emit_repeat(Compiler *compiler, const MgRegexNode *of)
{
	const MgRegexNode *inner = of->left;
	bool lazy = of->mode == MG_RE_LAZY;
	size_t first, forks = compiler->n_steps;

	if (inner->kind == MG_TREE_SET)
		return put(compiler, (MgRegexStep){MG_RE_REPEAT, of->mode, inner->set, of->least, of->most});
	for (uint32_t i = 0; i < of->least; i++)
		if (!emit(compiler, inner))
			return false;
	first = forks = compiler->n_steps;
	if (of->most == MG_REGEX_NO_LIMIT)
	{
		if (!put(compiler, (MgRegexStep){.op = MG_RE_FORK}) || !emit(compiler, inner) ||
			!put(compiler, (MgRegexStep){.op = MG_RE_JUMP, .x = (uint32_t) first}))
			return false;
		aim(compiler, first, lazy, compiler->n_steps);
		return lazy || guard(compiler, first, inner);
	}
	/* Each one more is a fork to the end of all; they are a chain until that is known. */
	for (uint32_t i = of->least; i < of->most; i++)
	{
		size_t fork = compiler->n_steps;

		if (!put(compiler, (MgRegexStep){.op = MG_RE_FORK, .x = (uint32_t) forks}) || !emit(compiler, inner))
			return false;
		forks = fork;
	}
	for (uint32_t i = of->least; i < of->most; i++)
	{
		size_t before = compiler->steps[forks].x;

		aim(compiler, forks, lazy, compiler->n_steps);
		if (!lazy && !guard(compiler, forks, inner))
			return false;
		forks = before;
	}
	return true;
}

static bool
emit(Compiler *compiler, const MgRegexNode *of)
{
	size_t fork, jump;

	switch (of->kind)
	{
		case MG_TREE_EMPTY:
			return true;
		case MG_TREE_SET:
			return put(compiler, (MgRegexStep){.op = MG_RE_SET, .set = of->set});
		case MG_TREE_SEQUENCE:
			return emit(compiler, of->left) && emit(compiler, of->right);
		case MG_TREE_CHOICE:
			fork = compiler->n_steps;
			if (!put(compiler, (MgRegexStep){.op = MG_RE_FORK}) || !emit(compiler, of->left))
				return false;
			jump = compiler->n_steps;
			if (!put(compiler, (MgRegexStep){.op = MG_RE_JUMP}))
				return false;
			aim(compiler, fork, false, compiler->n_steps);
			if (!guard(compiler, fork, of->left))
				return false;
			if (!emit(compiler, of->right))
				return false;
			compiler->steps[jump].x = (uint32_t) compiler->n_steps;
			return true;
		case MG_TREE_REPEAT:
			if (of->mode == MG_RE_POSSESSIVE && of->left->kind != MG_TREE_SET)
			{
				MgRegexNode greedy = *of;

				greedy.mode = MG_RE_GREEDY;
				return emit_inner(compiler, &greedy, MG_RE_ATOMIC, 0);
			}
			return emit_repeat(compiler, of);
		case MG_TREE_LOOK:
			if (of->behind)
				return put(compiler, (MgRegexStep){.op = MG_RE_BEHIND, .mode = of->mode, .set = of->set});
			return emit_inner(compiler, of->left, MG_RE_AHEAD, of->mode);
		case MG_TREE_ATOM:
			return emit_inner(compiler, of->left, MG_RE_ATOMIC, 0);
		default:
			return put(compiler, (MgRegexStep){.op = MG_RE_ASSERT, .mode = of->mode});
	}
}

const MgRegex *
mg_regex_compile(MgCtx *cx, MgSpan text)
{
	size_t n_sets = text.size < MG_REGEX_SETS ? text.size + 1 : MG_REGEX_SETS;
	Compiler compiler = {.reader = {.cx = cx, .text = text, .sets = mg_alloc_array(cx, 2 * n_sets, sizeof *compiler.reader.sets)}, .most_sets = 2 * n_sets};
	MgRegex *regex = mg_alloc_zeroed(cx, 1, sizeof *regex);
	const MgRegexNode *tree;

	if (compiler.reader.sets == NULL || regex == NULL)
		return NULL;
	if (text.size > MG_REGEX_LONGEST)
	{
		mg_regex_refuse(&compiler.reader, "more than 4096 bytes");
		return NULL;
	}
	tree = mg_regex_tree(&compiler.reader);
	if (tree == NULL || !emit(&compiler, tree) || !put(&compiler, (MgRegexStep){.op = MG_RE_MATCH}) ||
		!first_of(&compiler, tree, &regex->first) || !mg_code_set_words(cx, &regex->words))
		return NULL;
	regex->steps = compiler.steps;
	regex->n_steps = compiler.n_steps;
	regex->sets = compiler.reader.sets;
	regex->n_sets = compiler.reader.n_sets;
	return regex;
}
