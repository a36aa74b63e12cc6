/* The tree of a regular expression, while it is read and made into steps (text/regex.h). */
#ifndef MG_TEXT_REGEX_TREE_H
#define MG_TEXT_REGEX_TREE_H

#include "text/regex.h"

#define MG_REGEX_NO_LIMIT UINT32_MAX
#define MG_REGEX_SETS 1024

typedef enum MgRegexKind
{
	MG_TREE_EMPTY,
	MG_TREE_SET,	   /* set */
	MG_TREE_SEQUENCE,  /* left, then right */
	MG_TREE_CHOICE,	   /* left, or right */
	MG_TREE_REPEAT,	   /* left, least to most times, by mode */
	MG_TREE_LOOK,	   /* ahead: left; behind: set; mode 1: not */
	MG_TREE_ATOM,	   /* left */
	MG_TREE_ASSERTION  /* mode */
} MgRegexKind;

typedef struct MgRegexNode
{
	MgRegexKind kind;
	uint8_t mode;
	bool behind;
	uint16_t set;
	uint32_t least, most;
	size_t size; /* characters of its shortest match */
	const struct MgRegexNode *left, *right;
} MgRegexNode;

/* An expression that is being read; sets are those of its nodes. */
typedef struct MgRegexReader
{
	MgCtx *cx;
	MgSpan text;
	size_t at;
	bool any_case, dot_all; /* (?i), (?m) */
	uint32_t last_folded;	/* a character just read under (?i), else 0 */
	MgCodeSet *sets;		/* [n_sets] of MG_REGEX_SETS */
	size_t n_sets;
} MgRegexReader;

/* The tree of all of it; NULL after an error. */
const MgRegexNode *mg_regex_tree(MgRegexReader *reader);

/* Behind a backslash: a character, or a set. */
bool mg_regex_escape(MgRegexReader *reader, bool in_set, bool *is_set, uint32_t *code, MgCodeSet *set);

/* Adds to a set what it has under (?i). */
bool mg_regex_fold(MgRegexReader *reader, MgCodeSet *set);

/* Behind "[". */
bool mg_regex_set(MgRegexReader *reader, int depth, MgCodeSet *set);

/* The error for what is not known; returns false. */
bool mg_regex_refuse(const MgRegexReader *reader, const char *what);

static inline bool
mg_regex_is_next(const MgRegexReader *reader, const char *what)
{
	size_t size = strlen(what);

	return reader->text.size - reader->at >= size && memcmp(reader->text.data + reader->at, what, size) == 0;
}

/* Passes over it, where it is next. */
static inline bool
mg_regex_skip(MgRegexReader *reader, const char *what)
{
	bool is = mg_regex_is_next(reader, what);

	reader->at += is ? strlen(what) : 0;
	return is;
}

static inline bool
mg_regex_is_end(const MgRegexReader *reader)
{
	return reader->at >= reader->text.size;
}

#endif
