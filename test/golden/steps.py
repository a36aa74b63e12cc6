"""Makes test/golden/steps/: tokenizer.json files of pipelines that are lists of steps, texts, and what the reference makes of them.

The reference is the Python package "tokenizers"; "sentencepiece" makes a small map of characters. Run with both installed:

    python3 test/golden/steps.py                          the files of test/golden/steps
    python3 test/golden/steps.py OUT N [NAME.json ...]    into OUT, over N random texts; tokenizers that are named are taken as well

NAME.txt has lines

    reference VERSION       of the package
    text HEX                a text ("-": none), and what becomes of it:
    ids ID:START:STOP ...   without special tokens around it; places in bytes
    back HEX                as text again, special tokens left out; left out where bytes of tokens are no UTF-8
"""
import base64
import json
import os
import random
import sys
import tempfile

import sentencepiece
import tokenizers
from byte_level import MORE
from tokenizer import WRITTEN, hexed, random_texts
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = "\u2581"
SPECIALS = ["<unk>", "<s>", "</s>"]
BYTES = ["<0x%02X>" % i for i in range(256)]
RULES = {"\ufb01": "fi", "\uff21": "A", "\uff22": "B", "\u2460": "1", "\u3000": " ", "\t": " ", "\n": " ", "\u00a0": " ", "e\u0301": "\u00e9", "\u00bd": "1\u20442",
         "\u2122": "TM", "\u304b\u3099": "\u304c", "\u200b": "", "\ufeff": "", "\u1e9b\u0323": "\u1e69", "\u00ad": "", "a\u0301": "\u00e1", "\u212b": "\u00c5",
         "\u0344": "\u0308\u0301", "\u3392": "MHz", "\ufdfa": "\u0635\u0644\u0649 \u0627", "\r": " ", "\u0958": "\u0915\u093c"}


def charsmap():
    with tempfile.TemporaryDirectory() as directory:
        rules, corpus = os.path.join(directory, "rules.tsv"), os.path.join(directory, "corpus")
        with open(rules, "w") as file:
            for source, target in RULES.items():
                file.write("%s\t%s\n" % (" ".join("%X" % ord(c) for c in source), " ".join("%X" % ord(c) for c in target)))
        with open(corpus, "w") as file:
            file.write("the map of characters is all that counts here\nand not these words\n" * 20)
        sentencepiece.SentencePieceTrainer.train(input=corpus, model_prefix=os.path.join(directory, "m"), vocab_size=60, hard_vocab_limit=False,
                                                 normalization_rule_tsv=rules, minloglevel=2)
        model = sentencepiece.SentencePieceProcessor(model_file=os.path.join(directory, "m.model"))
        proto = model.serialized_model_proto()
    # normalizer_spec is field 3 of the model, precompiled_charsmap field 2 of it.
    return field(field(proto, 3), 2)


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def field(data, wanted):
    at, found = 0, b""
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 2:
            size, at = varint(data, at)
            if key >> 3 == wanted:
                found = data[at:at + size]
            at += size
        elif key & 7 == 0:
            _, at = varint(data, at)
        else:
            at += 4 if key & 7 == 5 else 8
    return found


def trained_bpe(texts, size):
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIALS, show_progress=False, limit_alphabet=120))
    model = json.loads(made.to_str())["model"]
    pieces = sorted(model["vocab"], key=model["vocab"].get)
    pieces = SPECIALS + BYTES + [p for p in pieces if p not in SPECIALS]
    return {p: i for i, p in enumerate(pieces)}, [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in model["merges"]]


def with_specials(made):
    made.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in SPECIALS])
    return made


def llama(texts):
    vocab, merges = trained_bpe(texts, 900)
    made = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)])
    made.decoder = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    made.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return with_specials(made)


def gemma(texts):
    vocab, merges = trained_bpe(texts, 700)
    made = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Replace(" ", MARK)
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    made.decoder = decoders.Sequence([decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse()])
    made.add_tokens([AddedToken("New York", normalized=True), AddedToken("\n\n", normalized=False)])
    return with_specials(made)


def unigram(texts, size, normalizer, pre):
    made = Tokenizer(models.Unigram())
    made.normalizer, made.pre_tokenizer = normalizer, pre
    made.train_from_iterator(texts, trainers.UnigramTrainer(vocab_size=size, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False,
                                                            initial_alphabet=list("abcdefghij")))
    return made


def precompiled(data):
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(data).decode()}


def patched(made, **parts):
    data = json.loads(made.to_str())
    data.update(parts)
    return data


def t5(texts, data):
    made = unigram(texts, 600, normalizers.Replace(Regex(" {2,}"), " "), pre_tokenizers.Metaspace())
    made.decoder = decoders.Metaspace()
    made.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return patched(made, normalizer={"type": "Sequence", "normalizers": [precompiled(data), {"type": "Strip", "strip_left": False, "strip_right": True},
                                                                         {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": MARK}]})


def albert(texts, data):
    made = unigram(texts, 500, normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]),
                   pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]))
    made.decoder = decoders.Metaspace()
    said = patched(made)
    for byte in BYTES:
        said["model"]["vocab"].append([byte, -30.0])
    said["model"]["byte_fallback"] = True
    said["normalizer"]["normalizers"] = [{"type": "Replace", "pattern": {"String": "``"}, "content": "\""}, {"type": "NFKD"}, {"type": "StripAccents"},
                                         {"type": "Lowercase"}, precompiled(data)]
    return said


def words(texts):
    made = Tokenizer(models.WordLevel(unk_token="<unk>"))
    made.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase(), normalizers.Strip()])
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)])
    made.train_from_iterator(texts, trainers.WordLevelTrainer(vocab_size=400, special_tokens=SPECIALS, show_progress=False))
    made.add_tokens([AddedToken("new york", normalized=True)])
    return made


def pieces(texts):
    made = Tokenizer(models.WordPiece(unk_token="<unk>"))
    made.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.NFKC(), normalizers.Nmt()])
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Digits()])
    made.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=500, special_tokens=SPECIALS, show_progress=False, limit_alphabet=100))
    made.decoder = decoders.WordPiece(cleanup=False)
    made.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A </s> $B", special_tokens=[("<s>", 1), ("</s>", 2)])
    return made


O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = [r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
            r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"]
BLOOM = r" ?[^(\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+"


def bytes_by(texts, *parts):
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence([*parts])
    made.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=500, special_tokens=SPECIALS, show_progress=False,
                                                        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    made.decoder = decoders.ByteLevel()
    return made


def crossing(texts):
    """Merges over the beginnings of words."""
    made = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    made.normalizer = normalizers.Replace(" ", MARK)
    made.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=420, special_tokens=SPECIALS, show_progress=False, limit_alphabet=150))
    made.decoder = decoders.Sequence([decoders.Replace(MARK, " "), decoders.Fuse()])
    return made


def patterns(texts):
    """What public patterns have not: looks, sets in sets, repetitions of groups, possessive and lazy ones."""
    made = Tokenizer(models.WordLevel(unk_token="<unk>"))
    made.normalizer = normalizers.Sequence([normalizers.Replace(Regex(r"\s{2,}|\p{Me}+"), " "), normalizers.Replace(Regex(r"[\p{Cf}&&[^\u200d]]"), "")])
    made.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"(?<=\p{L})[.,]|(?<!\s)\s|(?>a+|b)b"), "isolated"), pre_tokenizers.Split(Regex(r"(?:ab|the|an)+|\p{Lu}\p{Ll}*+"), "merged_with_next"),
        pre_tokenizers.Split(Regex(r"((a|b){1,2}c?){2,3}|[a-z&&[^aeiou]]{2,}?e?"), "contiguous"), pre_tokenizers.Split(Regex(r"\w+|\W"), "removed", invert=True),
        pre_tokenizers.Split(Regex(r"^.|\bt|\Be|(?i:K|s)|(?!x)\p{^L}"), "merged_with_previous")])
    made.train_from_iterator(texts, trainers.WordLevelTrainer(vocab_size=300, special_tokens=SPECIALS, show_progress=False))
    return made


def fixed(texts):
    """Bytes as characters for models that are no BPE, and words of one length."""
    made = unigram(texts, 400, normalizers.Sequence([normalizers.NFC(), normalizers.ByteLevel()]), pre_tokenizers.FixedLength(7))
    made.decoder = decoders.ByteLevel()
    return made


def split(texts):
    made = Tokenizer(models.WordLevel(unk_token="<unk>"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.CharDelimiterSplit(" "), pre_tokenizers.Punctuation("merged_with_previous"), pre_tokenizers.Split("an", "merged_with_next"),
        pre_tokenizers.Split("e", "isolated", invert=True), pre_tokenizers.Metaspace("_", prepend_scheme="first", split=False)])
    made.train_from_iterator(texts, trainers.WordLevelTrainer(vocab_size=300, special_tokens=SPECIALS, show_progress=False))
    return made


def lines_of(made, text):
    encoding = made.encode(text, add_special_tokens=False)
    places = [0]
    for character in text:
        places.append(places[-1] + len(character.encode()))
    ids = "".join(" %d:%d:%d" % (i, places[start], places[stop]) for i, (start, stop) in zip(encoding.ids, encoding.offsets))
    yield "text " + (hexed(text) or "-")
    yield "ids" + ids
    back = made.decode(encoding.ids)
    if "\ufffd" not in back:
        yield "back " + (hexed(back) or "-")


def write(path, data, texts):
    said = data if isinstance(data, dict) else json.loads(data.to_str())
    with open(path + ".json", "w") as file:
        json.dump(said, file, ensure_ascii=False, separators=(",", ":"))
    made = Tokenizer.from_str(json.dumps(said))
    with open(path + ".txt", "w") as file:
        file.write("reference %s\n" % tokenizers.__version__)
        for text in texts:
            for line in lines_of(made, text):
                file.write(line + "\n")
        file.write("end\n")


def main(out, n, more):
    corpus = WRITTEN + MORE + list(random_texts(400))
    corpus = [t for t in corpus if len(t) < 400 and "\0" not in t]
    data = charsmap()
    texts = WRITTEN + MORE + list(random_texts(n))
    plain = [t for t in corpus if all(ord(c) < 0x180 for c in t)]
    made = {"llama": llama(corpus), "gemma": gemma(corpus), "t5": t5(plain, data), "albert": albert(plain, data), "words": words(corpus),
            "pieces": pieces(corpus), "split": split(corpus), "patterns": patterns(corpus), "fixed": fixed(plain), "crossing": crossing(corpus),
            "o200k": bytes_by(corpus, pre_tokenizers.Split(Regex(O200K), "removed", invert=True), pre_tokenizers.ByteLevel(False, use_regex=False)),
            "deepseek": bytes_by(corpus, *(pre_tokenizers.Split(Regex(p), "isolated") for p in DEEPSEEK), pre_tokenizers.ByteLevel(False, use_regex=False)),
            "bloom": bytes_by(corpus, pre_tokenizers.Split(Regex(BLOOM), "isolated"), pre_tokenizers.ByteLevel(True, use_regex=False))}
    os.makedirs(out, exist_ok=True)
    for name, tokenizer in made.items():
        path = os.path.join(HERE, "steps", name + ".json")
        if out != os.path.join(HERE, "steps") and os.path.exists(path):
            with open(path) as file:
                tokenizer = json.load(file)
        write(os.path.join(out, name), tokenizer, texts)
    for path in more:
        with open(path) as file:
            write(os.path.join(out, os.path.basename(path)[:-5]), json.load(file), texts)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
    else:
        main(os.path.join(HERE, "steps"), 120, [])
