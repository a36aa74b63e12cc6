/*
 * Regular expressions of pre-tokenisers and normalisers, in the syntax of the reference's engine (Oniguruma's of Ruby): what matches is the
 * first way in the order of alternatives and repetitions, not the longest.
 *
 *   a \n \t \x41 \u0041 .   characters         [a-z\s[^b]&&\w]   sets; \p{L} \P{L} \p{^L} \s \S \w \W \d \D \h \H
 *   ab a|b (a) (?:a)        groups             (?i:a) (?i)a (?-i:a)
 *   a? a* a+ a{1,3}         repetitions; a*? as few as possible, a*+ gives nothing back; (?>a)
 *   (?=a) (?!a) (?<=a) (?<!a)                  looks; those behind see one character
 *   ^ $ \A \z \Z \b \B
 *
 * All else is refused by its name, such as references back; so is an expression that matches nothing at all, or repeats that.
 *
 * A program is steps that a loop runs with a stack of places to go back to. It polls, and gives up where one match takes too many steps: a
 * public pattern takes a few for each character.
 */
#ifndef MG_TEXT_REGEX_H
#define MG_TEXT_REGEX_H

#include "text/code_set.h"
#include "text/pace.h"

#define MG_REGEX_LONGEST 4096	/* bytes of an expression */
#define MG_REGEX_STEPS 8192		/* of a program */
#define MG_REGEX_DEPTH 32		/* groups in groups */
#define MG_REGEX_WORK 200000000 /* steps of one match: a second or two */
#define MG_REGEX_REACH ((size_t) 256 * 1024)

typedef enum MgRegexOp
{
	MG_RE_MATCH,
	MG_RE_SET,	  /* a character of sets[set] */
	MG_RE_REPEAT, /* x to y of them, by mode */
	MG_RE_FORK,	  /* to x, or else to y; mode 1: only to y unless the next character is one of sets[set] */
	MG_RE_JUMP,	  /* to x */
	MG_RE_AHEAD,  /* steps behind this one up to a MATCH before x match here; mode 1: do not */
	MG_RE_BEHIND, /* the character before is one of sets[set]; mode 1: is not, or there is none */
	MG_RE_ATOMIC, /* steps behind this one up to a MATCH before x, whose first way counts */
	MG_RE_ASSERT  /* mode: one of ^ $ A z Z b B */
} MgRegexOp;

typedef enum MgRegexMode
{
	MG_RE_GREEDY,
	MG_RE_LAZY,
	MG_RE_POSSESSIVE
} MgRegexMode;

typedef struct MgRegexStep
{
	uint8_t op, mode;
	uint16_t set;
	uint32_t x, y;
} MgRegexStep;

typedef struct MgRegex
{
	size_t n_steps, n_sets;
	const MgRegexStep *steps; /* [n_steps] */
	const MgCodeSet *sets;	  /* [n_sets] */
	MgCodeSet first;		  /* what a match begins with */
	MgCodeSet words;		  /* for \b */
} MgRegex;

/* In arena memory; NULL after an error, MG_UNSUPPORTED for what is not known. */
const MgRegex *mg_regex_compile(MgCtx *cx, MgSpan text);

/* Places to go back to; cleared before its first use, kept between matches. */
typedef struct MgRegexStack
{
	struct MgRegexPlace *places; /* [room], in arena memory */
	size_t room;
} MgRegexStack;

/* A text in which matches are found. A match looks no further than MG_REGEX_REACH bytes behind its beginning. */
typedef struct MgRegexText
{
	MgCtx *cx;
	MgPace *pace;
	MgRegexStack *stack;
	MgSpan bytes; /* checked UTF-8 */
} MgRegexText;

/* Whether there is a match at bytes[at], and where it ends. False when the host stops it, or it takes too long. */
bool mg_regex_match(const MgRegexText *text, const MgRegex *regex, size_t at, size_t *end, bool *found);

/* The first match from bytes[from] on. */
bool mg_regex_search(const MgRegexText *text, const MgRegex *regex, size_t from, size_t *start, size_t *end, bool *found);

#endif
