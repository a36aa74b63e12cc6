/*
 * What a tokeniser is, as plain facts: read from other people's files by
 * src/format, turned into a flat section of the image by text/build.c.
 *
 * It is a pipeline, and each of its parts is of some kind:
 *
 *   added tokens    strings that are found before, or after, normalisation
 *   normaliser      characters to characters
 *   pre-tokeniser   characters to words
 *   model           words to tokens
 *   post-processor  tokens of one text or two to a sequence (text/wrap.h)
 *   decoder         tokens to text
 *
 * Two pipelines, BERT's and that of byte-level BPE, have readers of their own; all others are lists of steps.
 *
 * The numbers of kinds and flags are part of the section's format.
 */
#ifndef MG_TEXT_SPEC_H
#define MG_TEXT_SPEC_H

#include "core/span.h"
#include "text/wrap.h"

typedef enum MgTokenizerKind
{
	MG_WORDPIECE = 1,
	MG_BPE = 2,
	MG_UNIGRAM = 3,
	MG_WORDLEVEL = 4
} MgTokenizerKind;

typedef enum MgPreTokenizerKind
{
	MG_PRE_BERT = 1, /* white space and punctuation */
	MG_PRE_BYTES = 2, /* a pattern, then bytes as characters: text/byte_level.h */
	MG_PRE_STEPS = 3  /* whatever the steps say: text/steps.h */
} MgPreTokenizerKind;

/* What parts words of MG_PRE_BYTES; text/byte_level.h has them as regular expressions. */
typedef enum MgPattern
{
	MG_PATTERN_GPT2 = 1,
	MG_PATTERN_CL100K = 2, /* numbers of up to three digits */
	MG_PATTERN_QWEN2 = 3,  /* digits by themselves */
	MG_PATTERN_DIGITS = 4  /* GPT2 between digits, which stand by themselves */
} MgPattern;

typedef enum MgDecoderKind
{
	MG_DECODE_WORDPIECE = 1,
	MG_DECODE_BYTES = 2,
	MG_DECODE_STEPS = 3
} MgDecoderKind;

/* Rules of a BERT normaliser, and composition to NFC. */
enum
{
	MG_RULE_CLEAN = 1,
	MG_RULE_CHINESE = 2,
	MG_RULE_STRIP = 4,
	MG_RULE_LOWER = 8,
	MG_RULES_BERT = 15,
	MG_RULE_COMPOSE = 16
};

/* Flags of one token, for those recognised in text before anything else ("added tokens"). */
enum
{
	MG_TOKEN_ADDED = 1,		   /* found in text as it stands */
	MG_TOKEN_SPECIAL = 2,	   /* left out by detokenize */
	MG_TOKEN_LSTRIP = 4,	   /* swallows white space on its left */
	MG_TOKEN_RSTRIP = 8,	   /* and on its right */
	MG_TOKEN_SINGLE_WORD = 16, /* only at word boundaries */
	MG_TOKEN_NORMALIZED = 32,  /* matched against normalised text */
	MG_TOKEN_OUTSIDE = 64,	   /* not in the model's own vocabulary: WordPiece never makes it */
	MG_TOKEN_WHOLE = 128	   /* BPE and Unigram: a word of its letters is this token, whatever else there is; set by mg_tokenizer_build */
};

/* Two tokens that become one, which is their strings end to end; the first of all merges comes first. */
typedef struct MgMergeNames
{
	MgSpan left, right;
	uint32_t rank; /* of equal ranks the leftmost pair of a word comes first */
} MgMergeNames;

/*
 * A step of a pipeline that is made of steps: MG_PRE_STEPS. Normalising steps take text to text, cutting steps a word to words, decoding
 * steps a token to text. What number, a and b mean depends on the kind.
 */
typedef enum MgStepKind
{
	/* Normalising. */
	MG_STEP_NFD = 1,
	MG_STEP_NFC = 2,
	MG_STEP_NFKD = 3,
	MG_STEP_NFKC = 4,
	MG_STEP_LOWERCASE = 5,
	MG_STEP_STRIP_ACCENTS = 6, /* drops marks */
	MG_STEP_STRIP = 7,		   /* white space: number 1 on the left, 2 on the right, 3 both */
	MG_STEP_REPLACE = 8,	   /* a by b; decoding, too */
	MG_STEP_REPLACE_RUN = 9,   /* number or more of the character a, by b */
	MG_STEP_PREPEND = 10,	   /* a, before text that is not empty */
	MG_STEP_BERT = 11,		   /* number: MG_RULE_... */
	MG_STEP_CHARSMAP = 12,	   /* a: text/charsmap.h */
	MG_STEP_NMT = 13,		   /* drops controls, other spaces to ' ' */
	MG_STEP_REPLACE_PATTERN = 14, /* matches of the regular expression a, by b */
	MG_STEP_BYTE_CHARS = 15,	  /* bytes to the characters that stand for them */

	/* Cutting. */
	MG_STEP_METASPACE = 32,	  /* a for ' ', and before text: number; decoding, too */
	MG_STEP_WHITESPACE = 33,  /* \w+|[^\w\s]+ */
	MG_STEP_SPACES = 34,	  /* at white space, which goes */
	MG_STEP_PUNCTUATION = 35, /* number: MgSplit */
	MG_STEP_DIGITS = 36,	  /* number 1: each by itself */
	MG_STEP_SPLIT = 37,		  /* at the text a; number: MgSplit, and MG_SPLIT_INVERT */
	MG_STEP_REGEX = 38,		  /* at matches of the regular expression a; number: as MG_STEP_SPLIT */
	MG_STEP_PATTERN = 39,	  /* number: MgPattern, each match a word */
	MG_STEP_LEAD = 40,		  /* a before a word that does not begin with it */
	MG_STEP_BYTES = 41,		  /* number 1: words are bytes for BPE, the last step; 0: the characters that stand for them */
	MG_STEP_FIXED = 42,		  /* number characters to a word */

	/* Decoding. */
	MG_STEP_BYTE_FALLBACK = 64, /* "<0x0A>" is a byte */
	MG_STEP_STRIP_FIRST = 65,	/* of all text: up to number characters a at its beginning */
	MG_STEP_WORDPIECE = 66,		/* a: the prefix of continuations; number 1: with clean-up */
	MG_STEP_JOIN = 67,			/* a space before each token but the first */
	MG_STEP_BYTE_TEXT = 68		/* characters that stand for bytes to these */
} MgStepKind;

/* Of MG_STEP_METASPACE. */
enum
{
	MG_META_ALWAYS = 1, /* before text that does not begin with a */
	MG_META_FIRST = 2,	/* the same, where it begins at the text's beginning */
	MG_META_CUT = 4,	/* words begin with a */
	MG_META_DROP = 8	/* decoding: those of the first token are nothing */
};

/* What becomes of the delimiter between words. */
typedef enum MgSplit
{
	MG_SPLIT_REMOVED = 1,
	MG_SPLIT_ISOLATED,
	MG_SPLIT_PREVIOUS, /* it ends the word before it */
	MG_SPLIT_NEXT,	   /* it begins the word behind it */
	MG_SPLIT_CONTIGUOUS, /* a run of them is a word */
	MG_SPLIT_INVERT = 16 /* a flag: what lies between is the delimiter */
} MgSplit;

typedef struct MgStep
{
	uint32_t kind; /* MgStepKind */
	uint32_t number;
	MgSpan a, b;
	/* By mg_steps_prepare, not in the section. */
	const struct MgRegex *regex; /* of MG_STEP_REGEX and MG_STEP_REPLACE_PATTERN */
	uint64_t plain[2];			 /* of MG_STEP_CHARSMAP: bits of ASCII characters that it leaves as they are */
} MgStep;

#define MG_STEPS_MAX 32

typedef struct MgSteps
{
	size_t n;
	const MgStep *items; /* [n] */
} MgSteps;

typedef struct MgTokenizerSpec
{
	MgTokenizerKind kind;

	size_t n_tokens;
	const MgSpan *tokens; /* [n_tokens], by id; UTF-8; a hole has size 0 */
	const uint8_t *flags; /* [n_tokens], MG_TOKEN_... */

	int32_t unknown, pad, mask; /* ids; -1: there is none */

	/* The normaliser: BERT's, or NFC, or none. */
	bool clean_text;	/* drop control characters, white space to ' ' */
	bool chinese_chars; /* spaces around CJK ideographs */
	bool strip_accents; /* NFD, then drop Mn */
	bool lowercase;
	bool compose; /* NFC; none of the others beside it */

	MgPreTokenizerKind pre;
	MgPattern pattern;	/* of MG_PRE_BYTES */
	bool leading_space; /* the same: a text without one gets a space in front */

	/* WordPiece */
	MgSpan continuation;	/* "##" */
	size_t max_word_chars;	/* a longer word is [UNK]; 100 */

	/* BPE */
	size_t n_merges;
	const MgMergeNames *merges; /* [n_merges] */
	bool whole_words;	   /* a word that is a token is that token ("ignore_merges") */
	bool fuse_unknown;
	bool characters;	/* of MG_PRE_STEPS: symbols are characters, not bytes */
	bool byte_fallback; /* a character that is no token is the tokens of its bytes, "<0x0A>"; Unigram, too */

	/* Unigram; or BPE without a list of merges: they follow from these (text/scored_merges.h) */
	const double *scores; /* [n_tokens] log probabilities */

	/* Steps of MG_PRE_STEPS; else none. */
	MgSteps normalizing, cutting, decoding;

	MgWrapping wrapping;
	MgDecoderKind decoder;

	size_t max_tokens; /* of a sequence, special tokens included; 0: the files do not say */
} MgTokenizerSpec;

#endif
