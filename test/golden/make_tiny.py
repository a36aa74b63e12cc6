#!/usr/bin/env python3
"""Makes the tiny checkpoints of test/golden/tiny and what the reference says about each of them.

    make_tiny.py

Random weights prove an architecture right as well as trained ones. They are drawn so wide, gains and biases
too, that a term left out or a pair of matrices exchanged moves the results by far more than rounding does.
The names of tensors are those of the checkpoints that people publish, not of one version of transformers.
"""

import json
import os
import shutil
import string
from collections import OrderedDict

import numpy
import safetensors.torch
import tokenizers
import torch

from oracle import Golden, Reference, write_classes, write_embeddings, write_head, write_labels, write_masks, write_states

HERE = os.path.dirname(os.path.abspath(__file__))
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = """the of a and in is on for to that with was as at by it its this article about news text na query document
world sports business politics science tech paris lille lyon rome berlin london capital france italy heart center
red blue green white wine shoes beer cat dog sat mat runs ran eats sleeps goal team match win lost price market
stock shares oil bank war peace vote new old big small good bad first last year day time water fire house un re pre
hello off upper lower mixed tabs lines cafe resume naive inside ok""".split()
PIECES = """##ing ##ed ##s ##er ##ly ##nology ##believ ##able ##ness ##ment ##tion ##al ##ist ##est ##ive ##ful ##less
##ship ##hood ##ward ##ary ##ous""".split()
OTHERS = ["中", "文", "ß", "я", "##я", "é", "–"]
CASED = ["The", "Paris", "World", "Hello", "News"]
TEXTS = [
    "",
    "paris",
    "The capital of France is [MASK].",
    "Hello, world! (It's 20% off; a/b_c + d=e?) #1 @home ~x^y|z {k} <t> \"q\" `w` \\ & * -",
    "Unknown: ☃ 日本 中文 Привет – ok",
    "[MASK] and [MASK] in the [MASK] news",
    "The [MASK] " + "team lost the last match on a big day for shoes, wine and unbelievable sports. " * 5 + "[MASK]",
    "Café résumé naïve Àß ÉÎÕ",
    "  UPPER lower\tMiXeD\n\u200bzero\u0007 width\ufffd\r\nlines  ",
    "a" * 100 + " " + "b" * 101 + " dog",
    "[MASK]",
    "[CLS]中文 news[SEP] inside[MASK]out [mask] [PAD]",
    "red wine, unbelievable technology",
    "The bank sleeps 2026-11-23: oil at $99.50/barrel...",
]
LOGITS_OF = 2
ALL = range(len(TEXTS))
FEW = (0, 2, 6)  # enough where another file has the same sizes and all texts
SETS = [
    ("{mask} news: {text}", ["world", "sports", "business", "tech"]),
    ("{mask} : {text}", ["red wine", "technology", "white shoes", "peaceful"]),
    ("about {text} this article is {mask}!", ["paris", "red wine", "unbelievable", "Technology", "war"]),
]


def vocabulary(size):
    tokens = SPECIALS + ["[unused%d]" % i for i in range(3)]
    tokens += list(string.punctuation) + list(string.digits) + list(string.ascii_lowercase)
    tokens += ["##" + c for c in string.digits + string.ascii_lowercase]
    tokens += WORDS + PIECES + OTHERS + CASED
    tokens = list(dict.fromkeys(tokens))
    assert len(tokens) <= size, len(tokens)
    return tokens + ["filler%d" % i for i in range(size - len(tokens))]


def config_of(**changes):
    config = {"architectures": ["BertForMaskedLM"], "model_type": "bert", "vocab_size": 300, "hidden_size": 32,
              "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 40,
              "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0,
              "attention_probs_dropout_prob": 0.1, "hidden_dropout_prob": 0.1, "initializer_range": 0.02}
    return config | changes


def shapes_of(config):
    h, wide, vocab = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    shapes = {"bert.embeddings.word_embeddings.weight": (vocab, h),
              "bert.embeddings.position_embeddings.weight": (config["max_position_embeddings"], h),
              "bert.embeddings.token_type_embeddings.weight": (config["type_vocab_size"], h)}

    def norm(name):
        shapes[name + ".LayerNorm.weight"] = shapes[name + ".LayerNorm.bias"] = (h,)

    def dense(name, rows, cols):
        shapes[name + ".weight"], shapes[name + ".bias"] = (rows, cols), (rows,)

    norm("bert.embeddings")
    for i in range(config["num_hidden_layers"]):
        layer = f"bert.encoder.layer.{i}."
        for part in ("query", "key", "value"):
            dense(layer + "attention.self." + part, h, h)
        dense(layer + "attention.output.dense", h, h)
        norm(layer + "attention.output")
        dense(layer + "intermediate.dense", wide, h)
        dense(layer + "output.dense", h, wide)
        norm(layer + "output")
    if config["architectures"] == ["BertForSequenceClassification"]:
        dense("bert.pooler.dense", h, h)
        dense("classifier", len(config["id2label"]), h)
        return shapes
    if config["architectures"] == ["BertModel"]:
        dense("bert.pooler.dense", h, h)
        return shapes
    shapes["cls.predictions.bias"] = (vocab,)
    dense("cls.predictions.transform.dense", h, h)
    norm("cls.predictions.transform")
    if not config.get("tie_word_embeddings", True):
        shapes["cls.predictions.decoder.weight"] = (vocab, h)
    return shapes


def draw(config, seed):
    """Weights by name; each has a generator of its own, so that adding one changes no other."""
    weights = {}
    for i, (name, shape) in enumerate(shapes_of(config).items()):
        normal = numpy.random.Generator(numpy.random.PCG64([seed, i])).standard_normal(shape)
        gain = name.endswith("LayerNorm.weight")
        weights[name] = torch.from_numpy(((1 if gain else 0) + (0.3 if "embeddings" in name else 0.2) * normal)
                                         .astype(numpy.float32))
    if "cls.predictions.decoder.weight" in weights:
        weights["cls.predictions.decoder.bias"] = weights["cls.predictions.bias"].clone()
    return weights


def write_json(directory, name, value):
    os.makedirs(os.path.dirname(os.path.join(directory, name)), exist_ok=True)
    with open(os.path.join(directory, name), "w", encoding="utf-8", newline="\n") as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")


def write_vocabulary(directory, tokens):
    with open(os.path.join(directory, "vocab.txt"), "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(tokens) + "\n")


def write_tokenizer(directory, tokens):
    """tokenizer.json as the tokenizers library writes it for BERT."""
    tokenizer = tokenizers.BertWordPieceTokenizer({token: id for id, token in enumerate(tokens)}, lowercase=True)
    tokenizer.add_special_tokens(SPECIALS)
    tokenizer.enable_truncation(128)  # published files say so, and sentence_bert_config.json overrules it
    tokenizer.save(os.path.join(directory, "tokenizer.json"), pretty=False)


def start(name, config):
    directory = os.path.join(HERE, "tiny", name)
    shutil.rmtree(directory, ignore_errors=True)
    write_json(directory, "config.json", config)
    return directory


def save_weights(directory, weights, dtype=torch.float32):
    weights = {name: tensor.to(dtype) for name, tensor in weights.items()}
    safetensors.torch.save_file(weights, os.path.join(directory, "model.safetensors"), {"format": "pt"})


def save_shards(directory, weights, n_shards):
    names, where = sorted(weights), {}
    for shard in range(n_shards):
        file = f"model-{shard + 1:05d}-of-{n_shards:05d}.safetensors"
        part = {name: weights[name] for name in names[shard::n_shards]}
        safetensors.torch.save_file(part, os.path.join(directory, file), {"format": "pt"})
        where |= dict.fromkeys(part, file)
    size = sum(tensor.numel() * tensor.element_size() for tensor in weights.values())
    write_json(directory, "model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": where})


def save_sentence_files(directory, pooling, unit, max_tokens, prompts):
    modules = ["Transformer", "Pooling"] + (["Normalize"] if unit else [])
    write_json(directory, "modules.json", [
        {"idx": i, "name": str(i), "path": f"{i}_{module}" if i > 0 else "", "type": "sentence_transformers.models." + module}
        for i, module in enumerate(modules)])
    with open(os.path.join(directory, "config.json"), encoding="utf-8") as file:
        hidden = json.load(file)["hidden_size"]
    write_json(directory, "1_Pooling/config.json", {
        "word_embedding_dimension": hidden, "pooling_mode_cls_token": pooling == "cls",
        "pooling_mode_mean_tokens": pooling == "mean", "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False})
    write_json(directory, "sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": False})
    write_json(directory, "config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": None})


def expect_masks(directory, states_of):
    name = os.path.basename(directory)
    golden = Golden(f"tiny/{name}", "make_tiny.py")
    reference = Reference(directory, masked=True)
    write_head(golden, reference, TEXTS)
    write_states(golden, reference, TEXTS, states_of)
    write_masks(golden, reference, TEXTS, LOGITS_OF)
    write_labels(golden, reference, SETS, TEXTS, ALL)
    golden.save(directory + ".txt")


def expect_embeddings(directory, states_of, pooling, unit, max_tokens, prompts):
    name = os.path.basename(directory)
    golden = Golden(f"tiny/{name}", "make_tiny.py")
    reference = Reference(directory, masked=False, max_tokens=max_tokens)
    write_head(golden, reference, TEXTS)
    write_states(golden, reference, TEXTS, states_of)
    write_embeddings(golden, directory, reference, TEXTS, pooling, unit, prompts)
    golden.save(directory + ".txt")


def make_masked():
    """The same weights four times: as they are, in two narrow types, and in pieces among tensors of no use."""
    config, tokens = config_of(), vocabulary(300)
    weights = draw(config, 1)
    for name, dtype in (("bert-mlm", torch.float32), ("bert-mlm-f16", torch.float16), ("bert-mlm-bf16", torch.bfloat16)):
        directory = start(name, config)
        write_vocabulary(directory, tokens)
        save_weights(directory, weights, dtype)
        expect_masks(directory, ALL if dtype is torch.float32 else FEW)
    config = config_of(architectures=["BertForPreTraining"])
    extra = draw(config_of(architectures=["BertModel"]), 2)
    directory = start("bert-sharded", config)
    write_vocabulary(directory, tokens)
    save_shards(directory, draw(config, 3) | {name: extra[name] for name in extra if "pooler" in name} | {
        "bert.embeddings.position_ids": torch.arange(40).unsqueeze(0),
        "cls.seq_relationship.weight": torch.ones(2, 32), "cls.seq_relationship.bias": torch.zeros(2)}, 3)
    expect_masks(directory, FEW)


def make_torch():
    """bert-mlm-f16 once more as torch.save writes it, with the names of norms that old checkpoints have; and a file of few tensors."""
    directory = start("bert-torch", config_of())
    write_vocabulary(directory, vocabulary(300))
    weights = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"):
               tensor.to(torch.float16) for name, tensor in draw(config_of(), 1).items()}
    torch.save(weights, os.path.join(directory, "pytorch_model.bin"))

    matrix = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    some = OrderedDict({"a.weight": matrix, "b": torch.nn.Parameter(torch.ones(3, dtype=torch.float16)),
                        "c": torch.zeros(2, 2, dtype=torch.int64), "view": matrix[1], "scalar": torch.tensor(2.5)})
    some._metadata = OrderedDict([("", {"version": 1})])
    os.makedirs(os.path.join(HERE, "torch"), exist_ok=True)
    torch.save(some, os.path.join(HERE, "torch", "small.bin"))


PAIRS = [("red wine",), ("red wine", "white shoes"), ("white shoes", "red wine"), ("", "paris"),
         ("The capital of France is old", "paris"), ("The bank sleeps", "market stock shares oil bank war peace vote new")]


def make_classes():
    """A head for three classes on pairs: segments, pooler, names of classes."""
    config = config_of(architectures=["BertForSequenceClassification"],
                       id2label={"0": "contradiction", "1": "neutral", "2": "entailment"})
    directory = start("bert-classes", config)
    write_tokenizer(directory, vocabulary(300))
    save_weights(directory, draw(config, 7))
    golden = Golden("tiny/bert-classes", "make_tiny.py")
    write_classes(golden, directory, PAIRS)
    golden.save(directory + ".txt")


def modern_shapes(config):
    h, wide = config["hidden_size"], config["intermediate_size"]
    shapes = {"model.embeddings.tok_embeddings.weight": (config["vocab_size"], h), "model.embeddings.norm.weight": (h,)}
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        if i > 0:
            shapes[layer + "attn_norm.weight"] = (h,)
        shapes |= {layer + "attn.Wqkv.weight": (3 * h, h), layer + "attn.Wo.weight": (h, h), layer + "mlp_norm.weight": (h,),
                   layer + "mlp.Wi.weight": (2 * wide, h), layer + "mlp.Wo.weight": (h, wide)}
    return shapes | {"model.final_norm.weight": (h,), "head.dense.weight": (h, h), "head.norm.weight": (h,),
                     "decoder.bias": (config["vocab_size"],)}


def modern_tokenizer(directory):
    """Byte-level BPE with few merges, and a mask that swallows blanks."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.normalizer = tokenizers.normalizers.NFC()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(TEXTS, tokenizers.trainers.BpeTrainer(
        vocab_size=310, special_tokens=["<|padding|>", "<|endoftext|>"], show_progress=False,
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())))
    tokenizer.add_special_tokens(["[UNK]", "[CLS]", "[SEP]", "[PAD]", tokenizers.AddedToken("[MASK]", lstrip=True)])
    around = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=around)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.save(os.path.join(directory, "tokenizer.json"), pretty=False)
    write_json(directory, "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64, "model_input_names": ["input_ids", "attention_mask"],
        "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]"})
    return tokenizer


def modern_config(vocab, **changes):
    return {"architectures": ["ModernBertForMaskedLM"], "model_type": "modernbert", "vocab_size": vocab, "hidden_size": 32,
            "num_hidden_layers": 5, "num_attention_heads": 2, "intermediate_size": 48, "max_position_embeddings": 64,
            "hidden_activation": "gelu", "norm_eps": 1e-05, "norm_bias": False, "attention_bias": False, "mlp_bias": False,
            "classifier_bias": False, "decoder_bias": True, "global_attn_every_n_layers": 3, "local_attention": 8,
            "global_rope_theta": 160000.0, "local_rope_theta": 10000.0, "layer_norm_eps": 1e-12, "pad_token_id": 315,
            "cls_token_id": 313, "sep_token_id": 314, "bos_token_id": 313, "eos_token_id": 314,
            "attention_dropout": 0.0, "embedding_dropout": 0.0, "mlp_dropout": 0.0, "position_embedding_type": "absolute",
            "sparse_prediction": False} | changes


def modern_weights(config, shapes, seed):
    weights = {}
    for i, (name, shape) in enumerate(shapes.items()):
        normal = numpy.random.Generator(numpy.random.PCG64([seed, i])).standard_normal(shape)
        weights[name] = torch.from_numpy(((1 if "norm" in name else 0) + 0.25 * normal).astype(numpy.float32))
    return weights


def make_modern():
    """Five layers, two of them global; a window of eight tokens, which texts of forty leave."""
    directory = start("modernbert", {})
    tokenizer = modern_tokenizer(directory)
    config = modern_config(320)
    assert tokenizer.get_vocab_size() <= 320
    write_json(directory, "config.json", config)
    save_weights(directory, modern_weights(config, modern_shapes(config), 8))
    golden = Golden("tiny/modernbert", "make_tiny.py")
    reference = Reference(directory, masked=True)
    texts = [text for text in TEXTS if text not in ("[CLS]中文 news[SEP] inside[MASK]out [mask] [PAD]",)]
    write_head(golden, reference, texts)
    write_states(golden, reference, texts, (2, 6))
    write_masks(golden, reference, texts, LOGITS_OF)
    write_labels(golden, reference, [("{text} is about{mask}", [" wine", " the"])], texts, (1, 2, 12))
    golden.save(directory + ".txt")


def make_odd():
    """Sizes that no vector width divides, a vocabulary matrix of its own, and an eps large enough to be seen."""
    config = config_of(hidden_size=36, num_attention_heads=3, intermediate_size=50, vocab_size=301, hidden_act="relu",
                       layer_norm_eps=0.01, max_position_embeddings=37, type_vocab_size=1, tie_word_embeddings=False)
    directory = start("bert-relu-odd", config)
    write_vocabulary(directory, vocabulary(301))
    save_weights(directory, draw(config, 4))
    expect_masks(directory, ALL)


def make_embedders():
    bare = {"architectures": ["BertModel"]}
    prompts = {"query": "query: ", "document": "document about"}
    config = config_of(**bare)
    directory = start("bert-embed-mean", config)
    write_tokenizer(directory, vocabulary(300))
    save_weights(directory, {name.removeprefix("bert."): tensor for name, tensor in draw(config, 5).items()})
    save_sentence_files(directory, "mean", True, 16, prompts)
    expect_embeddings(directory, ALL, "mean", True, 16, prompts)

    config = config_of(hidden_act="gelu_new", num_attention_heads=2, intermediate_size=72, **bare)
    directory = start("bert-embed-cls", config)
    write_vocabulary(directory, vocabulary(300))
    write_json(directory, "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": False,
                                                    "model_max_length": 40})
    save_weights(directory, {name.removeprefix("bert."): tensor for name, tensor in draw(config, 6).items()})
    save_sentence_files(directory, "cls", False, 24, {})
    expect_embeddings(directory, FEW, "cls", False, 24, {})


if __name__ == "__main__":
    make_masked()
    make_torch()
    make_classes()
    make_modern()
    make_odd()
    make_embedders()
