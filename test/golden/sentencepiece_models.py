"""Makes test/golden/sentencepiece/: small models of SentencePiece, one of them as a GGUF file as well, and what the reference makes of texts.

The reference is the Python package "sentencepiece", and for Unigram "tokenizers", with the pipeline that transformers makes of such a model: sums of
scores are in double there, which decides ties. "gguf" writes the GGUF file. Run with all installed:

    python3 test/golden/sentencepiece_models.py [OUT N]     over N random texts, into OUT

NAME.txt has lines "text HEX", "ids ID ..." and "back HEX", as those of steps.py, without places.
"""
import os
import sys
import tempfile

import gguf
import sentencepiece
import tokenizers
from byte_level import MORE
from tokenizer import WRITTEN, hexed, random_texts

HERE = os.path.dirname(os.path.abspath(__file__))
OPTIONS = {
    "bpe": dict(model_type="bpe", vocab_size=900, byte_fallback=True, remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, split_digits=True),
    "unigram": dict(model_type="unigram", vocab_size=500, byte_fallback=False, remove_extra_whitespaces=True),
}


def write_gguf(model, path):
    writer = gguf.GGUFWriter(path, "llama")
    n = model.get_piece_size()
    kinds = [2 if model.is_unknown(i) else 3 if model.is_control(i) else 5 if model.is_unused(i) else 6 if model.is_byte(i) else 1 for i in range(n)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([model.id_to_piece(i) for i in range(n)])
    writer.add_token_scores([model.get_score(i) for i in range(n)])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(model.bos_id())
    writer.add_eos_token_id(model.eos_id())
    writer.add_unk_token_id(model.unk_id())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


class Unigram:
    """The tokenizers package's tokeniser of a model's pieces."""

    def __init__(self, model):
        vocab = [(model.id_to_piece(i), model.get_score(i)) for i in range(model.get_piece_size())]
        self.made = tokenizers.Tokenizer(tokenizers.models.Unigram(vocab, model.unk_id()))
        self.made.normalizer = tokenizers.normalizers.Sequence([tokenizers.normalizers.Strip(False, True),
                                                                tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), "\u2581")])
        self.made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
        self.made.decoder = tokenizers.decoders.Metaspace()

    def encode(self, text):
        return self.made.encode(text).ids

    def decode(self, ids):
        return "\ufffd"


def main(out, n):
    os.makedirs(out, exist_ok=True)
    corpus = [t.replace("\n", " ") for t in WRITTEN + MORE + list(random_texts(400)) if len(t) < 400 and "\0" not in t and all(ord(c) < 0x180 for c in t)]
    texts = [t for t in WRITTEN + MORE + list(random_texts(n)) if "\0" not in t and not any(s in t for s in ("<s>", "</s>", "<unk>"))]
    for name, options in OPTIONS.items():
        path = os.path.join(HERE, "sentencepiece", name + ".model")
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with tempfile.TemporaryDirectory() as directory:
                with open(os.path.join(directory, "corpus"), "w") as file:
                    file.write("\n".join(corpus))
                sentencepiece.SentencePieceTrainer.train(input=os.path.join(directory, "corpus"), model_prefix=path[:-6], hard_vocab_limit=False,
                                                         normalization_rule_name="identity", minloglevel=2, **options)
            os.remove(path[:-6] + ".vocab")
        model = sentencepiece.SentencePieceProcessor(model_file=path)
        if name == "bpe" and out == os.path.join(HERE, "sentencepiece"):
            write_gguf(model, os.path.join(out, name + ".gguf"))
        if name == "unigram":
            model = Unigram(model)
        with open(os.path.join(out, name + ".txt"), "w") as file:
            for text in texts:
                ids = model.encode(text)
                file.write("text %s\nids%s\n" % (hexed(text) or "-", "".join(" %d" % i for i in ids)))
                back = model.decode(ids)
                if "\ufffd" not in back and " \u2047 " not in back:
                    file.write("back %s\n" % (hexed(back) or "-"))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "sentencepiece"), int(sys.argv[2]) if len(sys.argv) > 2 else 120)
