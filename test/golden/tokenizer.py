"""Makes test/golden/tokenizer/{uncased,cased}.txt: texts and what the reference makes of them.

The reference is the Python package "tokenizers". Run with it installed:

    python3 test/golden/tokenizer.py

The vocabulary is made here, small enough to read. A file is lines of words:

    reference VERSION           of the package
    rules N                     1 clean + 2 chinese + 4 strip accents + 8 lower case
    token ID FLAGS HEX          FLAGS as in src/text/spec.h; HEX: the bytes; in the order of ids
    text HEX                    a text ("-": none), and what becomes of it:
    tokens ID:START-STOP ...    with offsets in bytes
    back HEX                    the tokens as text, special ones left out
    end
"""
import os
import random
import unicodedata

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ADDED = [
    dict(content="<left>", lstrip=True),
    dict(content="<right>", rstrip=True),
    dict(content="<both>", lstrip=True, rstrip=True, special=True),
    dict(content="word", single_word=True),
    dict(content="<left", normalized=False),
    dict(content="\u00c9t\u00e9", normalized=True),
    dict(content="New York", normalized=True, lstrip=True, rstrip=True),
    dict(content="one", normalized=True, single_word=True),
]
FLAGS = dict(special=2, lstrip=4, rstrip=8, single_word=16, normalized=32)

PIECES = """the of and to in is it that was for on as with he be at by his not this but from they you are have which
had do does don doesn can will ing ed er est ly tion ness un re pre ##ing ##ed ##er ##est ##ly ##tion ##ness ##s ##es
##able ##ment ##ful play work run jump walk talk quick brown fox lazy dog strasse stra\u00dfe ##\u00dfe istanbul
caf\u00e9 cafe \u03c3\u03bf\u03c6\u03bf\u03c2 \u03c3\u03bf\u03c6\u03bf\u03c3 ##\u03c3 ##\u03c2 fi ##fi \ufb01 ##\ufb01
\u05e9\u05dc\u05d5\u05dd \u0633\u0644\u0627\u0645 \u0e20\u0e32\u0e29\u0e32 \u0939\u093f\u0928\u094d\u0926\u0940
\u0939\u093f\u0928\u0926\u0940 The Of And Play Work The ##ING ##ED ... ' " don't""".split()
LETTERS = "".join([
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "\u00e0\u00e1\u00e2\u00e4\u00e7\u00e8\u00e9\u00ea\u00eb\u00ed\u00f1\u00f6\u00f8\u00fc\u00df\u00e6\u00c0\u00c9",
    "\u0130\u0131\u017f\u01c5\u03b1\u03b2\u03b3\u03c3\u03c2\u03a3\u0431\u0432\u0439\u0438\u05d0\u05d1\u05d5\u0627\u0628",
    "\u0e01\u0e32\u0e4d\u0e33\u0915\u0916\u093c\u093e\u093f\u0958\u1100\u1161\u11a8\u1112\u1175\uac00\ud55c\u304b\u304c",
    "\u3099\u30ab\u0301\u0308\u0327\u0307\u0345\u034f\U0001d157\U0001d158\U0001d165\U0001d16e\u302e\u0344\u05bc",
    "\U0001f600\u200d\ufe0f\U0001f1e9\U0001f1ea\u20ac\u00a9\u2460\u212b\u2126\U00010400\U00010428\u13a0\uab70",
])
IDEOGRAPHS = "\u4e00\u4e2d\u6587\u5b57\u9fff\u3400\u4dbf\uf900\ufa0e\U00020000\U0002a6df\U0002a700\U0002b740\U0002b820\U0002f800"
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\u00a1\u00ab\u00bb\u00bf\u2014\u2019\u201c\u2026\u3001\u3002\uff0c\u05be\u060c\u0964"

WRITTEN = [
    "", " ", "   \t\n\r  ", "\u00a0\u2003\u3000", "Hello, World!", "The quick brown fox jumps over the lazy dog.",
    "unplayable playfulness workers' don't can't it's", "U.S. $3.50 a-b_c 100% (or so)...",
    # composed and decomposed, reordered
    "caf\u00e9 cafe\u0301 CAF\u00c9 CAFE\u0301", "e\u0301\u0327 e\u0327\u0301 \u00e9\u0327 \u1e69 s\u0323\u0307 s\u0307\u0323",
    "\u0301abc", "a\u0301\u0302\u0303\u0304\u0305b", "\u0344\u0327x", "\u0f73\u0f75\u0f81", "q\u0307\u0323\u0345",
    "a\U0001d165\u0327\u0301b", "\U0001d15e \U0001d160\U0001d164", "\u302e\u0301\u302f", "e\u034f\u0301",
    # Hangul, kana
    "\ud55c\uad6d\uc5b4 \ud55c\uae00 \uac00\uac01", "\u1112\u1161\u11ab", "\u304c \u304b\u3099 \u30ab\u3099 \uff76\uff9e",
    # ideographs
    "\u4e2d\u6587abc\u5b57 x\u4e00y", "\u3400\u4dbf\u4dc0\u9fff\ua000", "\uf900\ufa0e\ufaff\ufb00",
    "\U00020000\U0002a6df\U0002a6e0\U0002a700\U0002b73f\U0002b740\U0002b81f\U0002b820\U0002b91f\U0002b920\U0002ceaf",
    "\U0002ceb0\U0002f800\U0002fa1f\U00030000", "\u4e2d\u0301\u6587",
    # scripts
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd \u05e9\u05dc\u05d5\u05dd", "\u0633\u064e\u0644\u064e\u0627\u0645 \u0623\u0628",
    "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22 \u0e01\u0e33", "\u0939\u093f\u0928\u094d\u0926\u0940 \u0915\u093c \u0958",
    "\u0130stanbul I\u0131i\u0130 \u0130\u0307", "stra\u00dfe STRASSE STRA\u1e9eE", "\u03a3\u039f\u03a6\u039f\u03a3 \u03c3\u03bf\u03c6\u03cc\u03c2",
    "\ufb01ne o\ufb00ice \ufb03 \u0133 \u01c5", "\u212b \u2126 \u017f \u1e9b\u0323", "\U00010400\U00010428 \u13a0\uab70",
    # emoji, flags, selectors
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 ok", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "\u2764\ufe0f \u2764\ufe0e \U000e0100",
    "1\ufe0f\u20e3", "\U0001f44d\U0001f3fd",
    # edges and what cleaning drops
    "\ud7ff\ue000\uffff\ufffe\U0010ffff", "a\ue000b a\U000f0000b a\U00100000b", "\ufeffbom \ufeff", "co\u00adop", "a\u00a0b",
    "a\u0085b", "a\u2028b\u2029c", "a\tb\nc\rd\x0be\x0cf", "a\x00b\x01c\x1fd\x7fe\x80f\x9fg", "a\ufffdb", "a\u200bb\u200cc\u200dd",
    "\u202aabc\u202c \u2066x\u2069", "\u1680 \u180e \u205f \u3164",
    # length
    "a" * 100, "a" * 101, "\u00e9" * 100, "\u00e9" * 101, "e\u0301" * 100, "\ud55c" * 33, "\ud55c" * 34, "x" * 1000, "ab" * 50 + ".",
    "a" * 100 + "\u00ad" + ".", "\u0301" * 300, "a" + "\u0301\u0327" * 40 + "b",
    # punctuation and symbols
    "".join(chr(c) for c in range(0x21, 0x7f)), "$+<=>^`|~", "a\u2014b\u2019c\u201cd\u201d", "\u00a7\u00b6\u00b7\u00a9\u20ac",
    "\u061d\u09fd\u2e52\u166d\u1400\U000111c9\U00010ead", "\u037e\u0387\u1fef",
    # unknown
    "\u0378 \u2c5f \ua7cb\ua7dc \U0001e922", "\u1c89 \U00010d50 \U00016ea0",
    # special tokens
    "[MASK].", "[mask]", "x[MASK]y", "[MASK][MASK]", " [MASK] ", "[ MASK ]", "[[MASK]]", "[MASK", "[CLS] a [SEP] b [SEP]", "[UNK][PAD]",
    "e[MASK]\u0301", "\u4e2d[MASK]\u6587", "[MA\u00adSK]", "the [MASK] of\t[MASK]\n",
    "a  <left>  b", "a  <right>  b", "a \u3000<both>\u00a0\tb", "<both><both> <both>", "<left> <right>", "<left <left>x", "word words aword word.",
    "word\u0301 \u0301word \u200dword word_ \u2460word \u24b6word", "\u00c9t\u00e9 \u00e9t\u00e9 e\u0301te\u0301 ete ETE", "in  New  York new york NEW\tYORK.",
    "\u4e2dNew York\u6587", "one One ones\u4e2done\u6587 stone one", "<LEFT> <Both>", "  <left><right>  ",
]


def vocabulary():
    words = list(SPECIAL)
    for piece in PIECES + list(PUNCTUATION) + list(IDEOGRAPHS):
        words.append(piece)
    for letter in LETTERS:
        words += [letter, "##" + letter]
    for added in ADDED[:4]:
        words.append(added["content"])
    return {word: i for i, word in enumerate(dict.fromkeys(words))}


def make(vocab, **rules):
    tokenizer = Tokenizer(models.WordPiece(dict(vocab), unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(**rules)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(SPECIAL)
    for added in ADDED:
        options = dict(special=False, lstrip=False, rstrip=False, single_word=False, normalized=False)
        tokenizer.add_tokens([AddedToken(**{**options, **added})])
    return tokenizer


def random_texts(n):
    """Over all assigned planes: runs from one neighbourhood, marks, and pieces of the vocabulary."""
    rng = random.Random(20240229)
    codes = [c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]
    public = [c for c in codes if unicodedata.category(chr(c)) != "Co"]
    marks = [c for c in public if unicodedata.category(chr(c)).startswith("M")]
    pieces = [w for w in PIECES] + SPECIAL + [a["content"] for a in ADDED] + [" ", " ", "  ", "\t", ".", ",", "-", "'s"]
    for _ in range(n):
        out, near = [], rng.choice(public)
        for _ in range(rng.randint(1, 14)):
            kind = rng.random()
            if kind < 0.25:
                c = min(0x10FFFF, max(0, near + rng.randint(-48, 48)))
                out.append(chr(c) if not 0xD800 <= c < 0xE000 else " ")
            elif kind < 0.45:
                out.append(chr(rng.choice(marks)))
            elif kind < 0.55:
                out.append(chr(rng.choice(codes)))
            elif kind < 0.7:
                out.append(rng.choice(LETTERS + PUNCTUATION + IDEOGRAPHS))
            else:
                out.append(rng.choice(pieces).upper() if rng.random() < 0.2 else rng.choice(pieces))
        yield "".join(out)


def hexed(text):
    return text.encode().hex() or "-"


def write(name, bits, tokenizer, vocab, texts):
    added = {a["content"]: a for a in ADDED}
    n_tokens = tokenizer.get_vocab_size()
    odd = set()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tokenizer", name + ".txt")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write("reference %s\nrules %d\n" % (tokenizers.__version__, bits))
        names = {i: w for w, i in tokenizer.get_vocab().items()}
        for content in added:
            names[tokenizer.token_to_id(content)] = content
        for i in range(n_tokens):
            flags = 3 if names[i] in SPECIAL else 0
            if names[i] in added:
                flags = 1 + sum(bit for key, bit in FLAGS.items() if added[names[i]].get(key))
                flags += 64 if names[i] not in vocab else 0
                # the reference decodes these as their normalised form; we give back the token
                if added[names[i]].get("normalized"):
                    odd.add(i)
            out.write("token %d %d %s\n" % (i, flags, hexed(names[i])))
        for text in texts:
            encoding = tokenizer.encode(text, add_special_tokens=False)
            at = [0]
            for character in text:
                at.append(at[-1] + len(character.encode()))
            tokens = ["%d:%d-%d" % (i, at[a], at[b]) for i, (a, b) in zip(encoding.ids, encoding.offsets)]
            out.write("text %s\ntokens%s\n" % (hexed(text), "".join(" " + t for t in tokens)))
            if not odd & set(encoding.ids):
                out.write("back %s\n" % hexed(tokenizer.decode(encoding.ids)))
        out.write("end\n")
    print(path, os.path.getsize(path), "bytes,", n_tokens, "tokens,", len(texts), "texts")


def main():
    vocab = vocabulary()
    texts = WRITTEN + list(random_texts(500))
    uncased = dict(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
    cased = dict(clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=False)
    write("uncased", 15, make(vocab, **uncased), vocab, texts)
    write("cased", 3, make(vocab, **cased), vocab, texts)


if __name__ == "__main__":
    main()
