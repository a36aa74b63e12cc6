/* Reads a regular expression to a tree. */
#include "text/regex_tree.h"
#include "text/utf8.h"

#define MOST_REPEATED 1000

static MgRegexNode *read_choice(MgRegexReader *reader, int depth);

bool
mg_regex_refuse(const MgRegexReader *reader, const char *what)
{
	mg_fail(reader->cx, MG_UNSUPPORTED, "regular expression with %s is not supported", what);
	return mg_detail(reader->cx, "The expression is \"%.*s\"; it was read up to byte %zu.", MG_SPAN_ARGS(reader->text), reader->at);
}

static void *
refuse_node(const MgRegexReader *reader, const char *what)
{
	mg_regex_refuse(reader, what);
	return NULL;
}

static MgRegexNode *
node(MgRegexReader *reader, MgRegexKind kind, const MgRegexNode *left, const MgRegexNode *right)
{
	MgRegexNode *made = mg_alloc_zeroed(reader->cx, 1, sizeof *made);

	if (made == NULL)
		return NULL;
	made->kind = kind;
	made->left = left;
	made->right = right;
	if (kind == MG_TREE_SET)
		made->size = 1;
	else if (kind == MG_TREE_SEQUENCE)
		made->size = left->size + right->size;
	else if (kind == MG_TREE_CHOICE)
		made->size = left->size < right->size ? left->size : right->size;
	else if (kind == MG_TREE_ATOM)
		made->size = left->size;
	return made;
}

static MgRegexNode *
set_node(MgRegexReader *reader, const MgCodeSet *set)
{
	MgRegexNode *made = node(reader, MG_TREE_SET, NULL, NULL);

	if (made == NULL)
		return NULL;
	if (reader->n_sets == MG_REGEX_SETS)
		return refuse_node(reader, "more than 1024 characters");
	made->set = (uint16_t) reader->n_sets;
	reader->sets[reader->n_sets++] = *set;
	return made;
}

/* ----------------------------------------------------------------- groups */

/* Under (?i), some pairs of letters are one character of another case. */
static bool
check_pair(MgRegexReader *reader, uint32_t code)
{
	static const char pairs[][3] = {"ss", "ff", "fi", "fl", "st"};
	uint32_t lower = code < 128 ? code | 32 : code, before = reader->last_folded;

	reader->last_folded = reader->any_case ? lower : 0;
	for (size_t i = 0; reader->any_case && i < sizeof pairs / sizeof *pairs; i++)
		if (before == (uint32_t) pairs[i][0] && lower == (uint32_t) pairs[i][1])
			return mg_regex_refuse(reader, "letters under (?i) that are one character in another case");
	return true;
}

static MgRegexNode *
character(MgRegexReader *reader, uint32_t code)
{
	MgCodeSet set;

	if (!check_pair(reader, code) || !mg_code_set_range(reader->cx, code, code, &set) || !mg_regex_fold(reader, &set))
		return NULL;
	return set_node(reader, &set);
}

/* Behind "(?": flags, up to ":" or ")"; of the latter the rest of the group is left. */
static MgRegexNode *
read_flags(MgRegexReader *reader, int depth)
{
	bool any_case = reader->any_case, dot_all = reader->dot_all, on = true;
	MgRegexNode *inner;

	for (; !mg_regex_is_next(reader, ":") && !mg_regex_is_next(reader, ")"); reader->at++)
	{
		if (mg_regex_is_next(reader, "-"))
			on = false;
		else if (mg_regex_is_next(reader, "i"))
			reader->any_case = on;
		else if (mg_regex_is_next(reader, "m"))
			reader->dot_all = on;
		else
			return refuse_node(reader, "this group");
	}
	/* Flags alone are for what follows in the group around them. */
	if (mg_regex_skip(reader, ")"))
		return read_choice(reader, depth - 1);
	reader->at++;
	inner = read_choice(reader, depth - 1);
	reader->any_case = any_case;
	reader->dot_all = dot_all;
	if (inner == NULL)
		return NULL;
	return mg_regex_skip(reader, ")") ? inner : refuse_node(reader, "a group without its end");
}

/* Behind "(". */
static MgRegexNode *
read_group(MgRegexReader *reader, int depth)
{
	static const struct
	{
		const char *begin;
		MgRegexKind kind;
		uint8_t mode;
		bool behind;
	} groups[] = {{"?:", MG_TREE_EMPTY, 0, false}, {"?=", MG_TREE_LOOK, 0, false}, {"?!", MG_TREE_LOOK, 1, false}, {"?<=", MG_TREE_LOOK, 0, true}, {"?<!", MG_TREE_LOOK, 1, true}, {"?>", MG_TREE_ATOM, 0, false}};
	bool any_case = reader->any_case, dot_all = reader->dot_all;
	MgRegexKind kind = MG_TREE_EMPTY;
	MgRegexNode *inner, *made;
	uint8_t mode = 0;
	bool behind = false, known = false;

	if (depth <= 0)
		return refuse_node(reader, "groups in so many groups");
	for (size_t i = 0; i < sizeof groups / sizeof *groups && !known; i++)
	{
		known = mg_regex_skip(reader, groups[i].begin);
		kind = known ? groups[i].kind : MG_TREE_EMPTY;
		mode = known ? groups[i].mode : 0;
		behind = known && groups[i].behind;
	}
	if (!known && mg_regex_is_next(reader, "?<"))
		return refuse_node(reader, "a group with a name");
	if (!known && mg_regex_skip(reader, "?"))
		return read_flags(reader, depth);
	inner = read_choice(reader, depth - 1);
	reader->any_case = any_case;
	reader->dot_all = dot_all;
	if (inner == NULL)
		return NULL;
	if (!mg_regex_skip(reader, ")"))
		return refuse_node(reader, "a group without its end");
	if (kind == MG_TREE_EMPTY)
		return inner;
	if (behind && inner->kind != MG_TREE_SET)
		return refuse_node(reader, "a look behind at more than one character");
	made = node(reader, kind, inner, NULL);
	if (made == NULL)
		return NULL;
	made->mode = mode;
	made->behind = behind;
	made->set = inner->set;
	return made;
}

static MgRegexNode *
assertion(MgRegexReader *reader, uint8_t which)
{
	MgRegexNode *made = node(reader, MG_TREE_ASSERTION, NULL, NULL);

	if (made != NULL)
		made->mode = which;
	return made;
}

static MgRegexNode *
read_atom(MgRegexReader *reader, int depth)
{
	uint32_t code;
	MgCodeSet set;
	bool is_set;

	if (mg_regex_skip(reader, "("))
		return read_group(reader, depth);
	if (mg_regex_skip(reader, "["))
		return mg_regex_set(reader, depth, &set) ? set_node(reader, &set) : NULL;
	if (mg_regex_skip(reader, "."))
	{
		if (!mg_code_set_range(reader->cx, '\n', '\n', &set) || !mg_code_set_other(reader->cx, &set, &set) ||
			(reader->dot_all && !mg_code_set_range(reader->cx, 0, MG_CODE_LAST, &set)))
			return NULL;
		return set_node(reader, &set);
	}
	if (mg_regex_skip(reader, "^"))
		return assertion(reader, '^');
	if (mg_regex_skip(reader, "$"))
		return assertion(reader, '$');
	if (!mg_regex_skip(reader, "\\"))
	{
		if (mg_regex_is_next(reader, "*") || mg_regex_is_next(reader, "+") || mg_regex_is_next(reader, "?"))
			return refuse_node(reader, "a repetition of nothing");
		return character(reader, mg_utf8_next(reader->text, &reader->at));
	}
	if (!mg_regex_is_end(reader) && strchr("AzZbB", reader->text.data[reader->at]) != NULL)
		return assertion(reader, reader->text.data[reader->at++]);
	if (!mg_regex_escape(reader, false, &is_set, &code, &set))
		return NULL;
	return is_set ? set_node(reader, &set) : character(reader, code);
}

/* ------------------------------------------------------------ repetitions */

/* "{1,3}" and its kin; nothing is read where it is none. */
static bool
read_bounds(MgRegexReader *reader, uint32_t *least, uint32_t *most)
{
	size_t at = reader->at + 1;
	uint32_t numbers[2] = {0, 0};
	bool has[2] = {false, false}, comma = false;

	if (!mg_regex_is_next(reader, "{"))
		return false;
	for (; at < reader->text.size && reader->text.data[at] != '}'; at++)
	{
		uint8_t c = reader->text.data[at];

		if (c == ',' && !comma)
			comma = true;
		else if (c >= '0' && c <= '9' && numbers[comma] < 1000000)
		{
			numbers[comma] = 10 * numbers[comma] + c - '0';
			has[comma] = true;
		}
		else
			return false;
	}
	if (at >= reader->text.size || (!has[0] && !has[1]))
		return false;
	reader->at = at + 1;
	*least = numbers[0];
	*most = !comma ? numbers[0] : has[1] ? numbers[1] : MG_REGEX_NO_LIMIT;
	return true;
}

static MgRegexNode *
read_repeated(MgRegexReader *reader, int depth)
{
	MgRegexNode *inner = read_atom(reader, depth);

	while (inner != NULL && !mg_regex_is_end(reader))
	{
		uint32_t least = 0, most = MG_REGEX_NO_LIMIT;
		bool bounds = false;
		MgRegexNode *made;

		if (mg_regex_skip(reader, "?"))
			most = 1;
		else if (mg_regex_skip(reader, "+"))
			least = 1;
		else if (!mg_regex_skip(reader, "*") && !(bounds = read_bounds(reader, &least, &most)))
			break;
		reader->last_folded = 0;
		if (least > most || least > MOST_REPEATED || (most != MG_REGEX_NO_LIMIT && most > MOST_REPEATED))
			return refuse_node(reader, "these bounds of a repetition");
		if (inner->kind == MG_TREE_ASSERTION || inner->kind == MG_TREE_LOOK || inner->size == 0)
			return refuse_node(reader, "a repetition of what may be nothing");
		made = node(reader, MG_TREE_REPEAT, inner, NULL);
		if (made == NULL)
			return NULL;
		made->least = least;
		made->most = most;
		made->size = least > 0 ? inner->size : 0;
		if (mg_regex_skip(reader, "?"))
			made->mode = MG_RE_LAZY;
		else if (!bounds && mg_regex_skip(reader, "+"))
			made->mode = MG_RE_POSSESSIVE;
		/* "a{2}?" is "(?:a{2})?" in this syntax, which few who write it mean. */
		if (bounds && made->mode == MG_RE_LAZY && least == most)
			return refuse_node(reader, "bounds before \"?\"");
		inner = made;
	}
	return inner;
}

static MgRegexNode *
read_sequence(MgRegexReader *reader, int depth)
{
	MgRegexNode *first = NULL;

	reader->last_folded = 0;
	while (!mg_regex_is_end(reader) && !mg_regex_is_next(reader, "|") && !mg_regex_is_next(reader, ")"))
	{
		MgRegexNode *next = read_repeated(reader, depth);

		if (next != NULL)
			first = first == NULL ? next : node(reader, MG_TREE_SEQUENCE, first, next);
		if (next == NULL || first == NULL)
			return NULL;
		if (next->kind != MG_TREE_SET)
			reader->last_folded = 0;
	}
	return first == NULL ? node(reader, MG_TREE_EMPTY, NULL, NULL) : first;
}

static MgRegexNode *
read_choice(MgRegexReader *reader, int depth)
{
	MgRegexNode *first;

	if (depth <= 0)
		return refuse_node(reader, "groups in so many groups");
	first = read_sequence(reader, depth);
	while (first != NULL && mg_regex_skip(reader, "|"))
	{
		MgRegexNode *next = read_sequence(reader, depth);

		first = next == NULL ? NULL : node(reader, MG_TREE_CHOICE, first, next);
	}
	return first;
}

const MgRegexNode *
mg_regex_tree(MgRegexReader *reader)
{
	MgRegexNode *tree = read_choice(reader, MG_REGEX_DEPTH);

	if (tree != NULL && !mg_regex_is_end(reader))
		return refuse_node(reader, "\")\" without a group");
	return tree != NULL && tree->size == 0 ? refuse_node(reader, "a match of nothing") : tree;
}
