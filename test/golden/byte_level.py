"""Makes test/golden/byte_level/: tokenizer.json files with byte-level BPE, texts, and what the reference makes of them.

The reference is the Python package "tokenizers". Run with it installed:

    python3 test/golden/byte_level.py

Each NAME.json is a small vocabulary with merges, trained on these texts, in the pipeline of a family of models; NAME.txt has lines

    reference VERSION                  of the package
    text HEX                           a text ("-": none), and what becomes of it:
    ids ID ...                         without special tokens around it
    back HEX                           as text again, special tokens left out
    pair HEX HEX                       two texts, with special tokens:
    whole ID:SEGMENT ...
    longer N ID:SEGMENT ...            cut to N tokens, the longer text first
    second N ID:SEGMENT ...            cut to N tokens, the second text only; "-" where the first alone is too long
    end
"""
import json
import os
import random

import tokenizers
from tokenizer import WRITTEN, hexed, random_texts
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HEAD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CL100K = HEAD + r"\p{N}{1,3}" + TAIL
QWEN2 = HEAD + r"\p{N}" + TAIL

MORE = [
    "I'll we're they've I'm he'd it's DON'T I'LL 'S 'ſ 'x '", "1 12 123 1234 12345 1a2 ①② ½ ٣٤٥ Ⅷ", "a  b   c    d     e", " lead", "trail ", "  ",
    "\n", "\n\n", " \n", "\n ", "a\nb", "a \n b", "a\r\nb", "\r\n\r\n x", "x \t\n\n  y", "\t\tif (a):\n\t\t\treturn b;\n", "a\u00a0\u00a0b \u3000c", "a\u2028b\u2029\u0085c",
    "!!! ?!...\n\n--- \n*** end", "foo.bar(baz)[0] != -1; // ok", "e\u0301 cafe\u0301 \u1100\u1161\u11a8 \uac00\u11a8 \u212b \u0958 \u0f73",
    "a\u0301\u0327b \u09c7\u09be \u0b47\u0b3e \u1025\u102e a\u0328\u0301", "[MASK]", "the [MASK] of   [MASK]", "<mask>", "a <mask> b", "x<mask>y", "<s> a </s>", "[CLS]a[SEP]",
    "<|endoftext|>", "a<|endoftext|> b", "\U0001f468\u200d\U0001f469\u200d\U0001f467\U0001f3fd", "\u4e2d\u6587\u5b57\u7b26\u4e32 \u65e5\u672c\u8a9e\u30c6\u30b9\u30c8 \ud55c\uad6d\uc5b4",
    "x" * 47, "x" * 48, "x" * 49, "ab" * 40, "the" * 700, "\u00e9" * 60, "\u4e2d" * 400, " " * 300, "\n" * 100, "0123456789" * 30, "'" * 60, "the  the   the    the" * 20,
    "\x00\x01\x02 \x7f\x80\x9f", "\ufffd \uffff \U0010ffff", "aA bB" + "\u00ad" + "c",
]


def train(tokenizer, texts, specials, size=700):
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=specials, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def template(single, pair, tokenizer, names):
    return processors.TemplateProcessing(single=single, pair=pair, special_tokens=[(n, tokenizer.token_to_id(n)) for n in names])


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def neox(texts):
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    train(t, texts, ["<|padding|>", "<|endoftext|>"])
    t.add_tokens([AddedToken(" " * n, normalized=True) for n in range(2, 8)] + [AddedToken("e\u0301te\u0301", normalized=True)])
    t.add_special_tokens(["[UNK]", "[CLS]", "[SEP]", "[PAD]", AddedToken("[MASK]", lstrip=True)])
    t.post_processor = template("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", t, ["[CLS]", "[SEP]"])
    return t


def roberta(texts, prefix=False):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    train(t, texts, ["<s>", "<pad>", "</s>", "<unk>"])
    t.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    t.post_processor = processors.RobertaProcessing(("</s>", t.token_to_id("</s>")), ("<s>", t.token_to_id("<s>")))
    return t


def qwen(texts):
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = split(QWEN2)
    train(t, texts, [])
    t.add_special_tokens(["<|endoftext|>"])
    t.add_tokens([AddedToken("<tool>", normalized=False, rstrip=True)])
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return t


def llama(texts):
    t = Tokenizer(models.BPE(ignore_merges=True))
    t.pre_tokenizer = split(CL100K)
    train(t, texts, [])
    t.add_special_tokens(["<|begin|>", "<|endoftext|>"])
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template(
        "<|begin|> $A", "<|begin|>:0 $A:0 <|begin|>:1 $B:1", t, ["<|begin|>"])])
    return t


def pieces(encoding):
    return " ".join("%d:%d" % pair for pair in zip(encoding.ids, encoding.type_ids))


def write_pair(out, t, a, b):
    out.write("pair %s %s\nwhole %s\n" % (hexed(a), hexed(b), pieces(t.encode(a, b))))
    for n in (5, 8, 13, 20):
        for name, strategy in (("longer", "longest_first"), ("second", "only_second")):
            t.enable_truncation(n, strategy=strategy)
            try:
                out.write("%s %d %s\n" % (name, n, pieces(t.encode(a, b))))
            except Exception:
                out.write("%s %d -\n" % (name, n))
            t.no_truncation()


def write(name, t, texts):
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "byte_level")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path + ".json", "w") as out:
        json.dump(json.loads(t.to_str()), out, ensure_ascii=False, separators=(",", ":"))
    with open(path + ".txt", "w") as out:
        out.write("reference %s\n" % tokenizers.__version__)
        for text in texts:
            ids = t.encode(text, add_special_tokens=False).ids
            out.write("text %s\nids%s\n" % (hexed(text), "".join(" %d" % i for i in ids)))
            # the reference decodes this one as its normalised form; we give back the token
            if t.token_to_id("e\u0301te\u0301") not in ids:
                out.write("back %s\n" % hexed(t.decode(ids)))
        rng = random.Random(7)
        words = [w for w in texts if 0 < len(w) < 60]
        for _ in range(25):
            write_pair(out, t, rng.choice(words), rng.choice(words))
        out.write("end\n")
    print(path, os.path.getsize(path + ".json"), os.path.getsize(path + ".txt"), len(texts))


def main():
    texts = [text for text in MORE + WRITTEN if len(text) < 100]
    all_texts = MORE + WRITTEN + list(random_texts(250))
    write("neox", neox(texts), all_texts)
    write("roberta", roberta(texts), all_texts)
    write("prefix", roberta(texts, prefix=True), all_texts)
    write("qwen", qwen(texts), all_texts)
    write("llama", llama(texts), all_texts)


if __name__ == "__main__":
    main()
