#!/usr/bin/env python3
"""Makes the tiny checkpoints with heads for classes, of sequences and of tokens, of each architecture that has them,
and what transformers says about each.

    make_heads.py

As make_tiny.py, whose vocabulary and tokenisers it uses; README.md says what is particular to each, and the form of the records.
"""

import os

import numpy
import tokenizers
import torch
import transformers
from transformers import AutoModelForPreTraining, AutoModelForTokenClassification, AutoTokenizer

import make_tiny
from make_tiny import (TEXTS, config_of, modern_config, modern_shapes, modern_tokenizer, modern_weights, save_weights, start, vocabulary,
                       write_json, write_tokenizer)
from oracle import Golden, Reference, write_classes, write_head, write_labels, write_masks, write_states

LONG = "market stock shares oil bank war peace vote new old big small good bad first last year day time water fire house " * 2
QUESTION = "The capital of France is old"
PAIRS = [("red wine",), ("red wine", "white shoes"), ("white shoes", "red wine"), ("", "paris"), (QUESTION, "paris"),
         ("The bank sleeps", "market stock shares oil bank war peace vote new"), ("red wine", ""), (LONG,),
         (QUESTION, LONG, "only_second"), (QUESTION, LONG, "longest_first"), (LONG, QUESTION, "longest_first"),
         (LONG, LONG + "water", "longest_first")]
NLI = {"0": "contradiction", "1": "neutral", "2": "entailment"}
TAGS = {str(i): name for i, name in enumerate(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])}
TAGGED = ["", "paris", "The capital of France is unbelievable technology.", "Paris and London and Rome, unbelievable! Hello World",
          "Café résumé naïve Àß ÉÎÕ 中文 dog", "The bank sleeps 2026-11-23: oil at $99.50/barrel...", "  UPPER lower\tMiXeD\n\u200bzero\r\nlines  "]


JUDGED = [("{label} news: {text}", ["world", "technology", "red wine", "water fire house"]), ("{text} It was {label}.", ["good", "bad"])]


def heads_of(kind, config):
    """The shapes of a head's tensors, under the names that checkpoints have."""
    h, n, names = config["hidden_size"], len(config.get("id2label", "..")), {}

    def dense(name, rows, cols=h):
        names[name + ".weight"], names[name + ".bias"] = (rows, cols), (rows,)

    if kind == "pooler":
        dense("bert.pooler.dense", h)
    if kind in ("pooler", "tags"):
        dense("classifier", n)
    if kind == "classes":
        dense("classifier.dense", h)
        dense("classifier.out_proj", n)
    if kind == "replaced":
        dense("discriminator_predictions.dense", h)
        dense("discriminator_predictions.dense_prediction", 1)
    if kind == "words":
        dense("lm_head.dense", h)
        names["lm_head.layer_norm.weight"] = names["lm_head.layer_norm.bias"] = (h,)
        names["lm_head.bias"] = (config["vocab_size"],)
    if kind == "modern":
        names |= {"head.dense.weight": (h, h), "head.norm.weight": (h,)}
        dense("classifier", n)
    return names


def encoder_of(config):
    """BERT's names, as RoBERTa and ELECTRA have them behind prefixes of their own."""
    shapes = {name: shape for name, shape in make_tiny.shapes_of(config | {"architectures": ["BertModel"]}).items() if "pooler" not in name}
    e, h = config.get("embedding_size", config["hidden_size"]), config["hidden_size"]
    narrow = {}
    for name, shape in shapes.items():
        name = name.replace("bert.", config["model_type"] + ".", 1)
        narrow[name] = tuple(e if side == h and ".embeddings." in name else side for side in shape)
    if e != h:
        narrow |= {"electra.embeddings_project.weight": (h, e), "electra.embeddings_project.bias": (h,)}
    return narrow


def draw(shapes, seed):
    weights = {}
    for i, (name, shape) in enumerate(shapes.items()):
        normal = numpy.random.Generator(numpy.random.PCG64([seed, i])).standard_normal(shape)
        gain = ("LayerNorm" in name or "layer_norm" in name) and name.endswith("weight")
        weights[name] = torch.from_numpy(((1 if gain else 0) + (0.3 if "embeddings" in name else 0.2) * normal).astype(numpy.float32))
    return weights


def roberta_tokenizer(directory, longest=38):
    """Byte-level BPE with RoBERTa's special tokens: padding has id 1."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(TEXTS, tokenizers.trainers.BpeTrainer(
        vocab_size=310, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], show_progress=False,
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())))
    tokenizer.add_special_tokens([tokenizers.AddedToken("<mask>", lstrip=True)])
    tokenizer.post_processor = tokenizers.processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.save(os.path.join(directory, "tokenizer.json"), pretty=False)
    write_json(directory, "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": longest, "model_input_names": ["input_ids", "attention_mask"],
        "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>",
        "mask_token": "<mask>"})


def roberta_config(name, **changes):
    return config_of(architectures=[name], model_type="roberta", vocab_size=320, type_vocab_size=1, layer_norm_eps=1e-05, pad_token_id=1,
                     bos_token_id=0, eos_token_id=2, max_position_embeddings=40, **changes)


def electra_config(name, **changes):
    return config_of(architectures=[name], model_type="electra", embedding_size=20, **changes)


def bert_tokenizer(directory):
    write_tokenizer(directory, vocabulary(300))
    write_json(directory, "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "model_max_length": 40})


def write_tokens(golden, directory, kind, word):
    """Logits of each token of the texts' sequences."""
    tokenizer = AutoTokenizer.from_pretrained(directory)
    models = {dtype: kind.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").to(dtype).eval()
              for dtype in (torch.float32, torch.float64)}
    for t, text in enumerate(TAGGED):
        inputs = tokenizer(text, return_tensors="pt")
        with torch.inference_mode():
            logits, wide = (models[dtype](**inputs).logits[0].numpy() for dtype in (torch.float32, torch.float64))
        golden.gap(word, logits, wide)
        golden.text("input", t, text)
        ids = inputs["input_ids"][0].tolist()
        golden.line("pair_ids", t, len(ids), *ids)
        golden.numbers(word, t, logits)


def write_entities(golden, directory):
    """The pipeline's entities, words by their first piece."""
    tokenizer = AutoTokenizer.from_pretrained(directory)
    model = AutoModelForTokenClassification.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()
    pipeline = transformers.pipeline("token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="first", device="cpu")
    for t, text in enumerate(TAGGED):
        for entity in pipeline(text) if text else []:
            golden.text("entity", t, entity["start"], entity["end"], "%.9g" % entity["score"], entity["entity_group"])


def write_judged(golden, directory):
    """Labels put into templates, by how much the discriminator takes their tokens for original."""
    tokenizer = AutoTokenizer.from_pretrained(directory)
    models = {dtype: AutoModelForPreTraining.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").to(dtype).eval()
              for dtype in (torch.float32, torch.float64)}

    def pieces(text):
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    def raw(template, labels, text, dtype):
        scores, most = [], max(len(pieces(label)) for label in labels)
        for label in labels:
            before, after = template.split("{label}")
            ids = [pieces(part) for part in (before.replace("{text}", ""), after.replace("{text}", ""))]
            text_ids = pieces(text)[:38 - most - len(ids[0]) - len(ids[1])]
            if "{text}" in before:
                front, back = text_ids + ids[0], ids[1]
            else:
                front, back = ids[0], ids[1] + text_ids
            tokens = [2] + front + pieces(label) + back + [3]
            with torch.inference_mode():
                logits = models[dtype](input_ids=torch.tensor([tokens])).logits[0]
            scores.append(-logits[1 + len(front):1 + len(front) + len(pieces(label))].mean())
        return torch.stack(scores).log_softmax(-1).numpy()

    for s, (template, labels) in enumerate(JUDGED):
        golden.text("template", s, template)
        for i, label in enumerate(labels):
            golden.text("label", s, i, label)
        prior, wide_prior = (sum(raw(template, labels, text, dtype) for text in ("", "N/A", "text")) / 3 for dtype in models)
        golden.numbers("prior", s, prior)
        for t, text in enumerate(TAGGED + [LONG]):
            score, wide = (raw(template, labels, text, dtype) - p for dtype, p in ((torch.float32, prior), (torch.float64, wide_prior)))
            golden.gap("score", score, wide)
            if t == len(TAGGED):
                golden.text("input", t, text)
            golden.numbers("score", s, t, score)


def make(name, config, tokenizer, shapes, seed, write, weights=None):
    directory = start(name, config)
    tokenizer(directory)
    save_weights(directory, (weights or draw)(shapes, seed))
    golden = Golden("tiny/" + name, "make_heads.py")
    write(golden, directory)
    golden.save(directory + ".txt")


def expect_classes(golden, directory):
    write_classes(golden, directory, PAIRS)


def expect_tags(golden, directory):
    """Entities of WordPiece alone: between byte-level tokens the pipeline takes all but a space for the inside of a word."""
    write_tokens(golden, directory, AutoModelForTokenClassification, "tags")
    if "bert-tags" == os.path.basename(directory):
        write_entities(golden, directory)


def make_berts():
    config = config_of(architectures=["BertForSequenceClassification"], id2label={"0": "LABEL_0"})
    make("bert-rerank", config, bert_tokenizer, encoder_of(config) | heads_of("pooler", config), 11, expect_classes)
    config = config_of(architectures=["BertForTokenClassification"], id2label=TAGS)
    make("bert-tags", config, bert_tokenizer, encoder_of(config) | heads_of("tags", config), 103, expect_tags)


def make_robertas():
    config = roberta_config("RobertaForMaskedLM")

    def expect_words(golden, directory):
        reference = Reference(directory, masked=True, max_tokens=38)
        texts = [text.replace("[MASK]", "<mask>") for text in TEXTS if "[PAD]" not in text] + ["red <pad><pad> wine <mask>"]
        write_head(golden, reference, texts)
        write_states(golden, reference, texts, (2, 6))
        write_masks(golden, reference, texts, 2)
        write_labels(golden, reference, [("{text} is about{mask}", [" wine", " the"])], texts, (1, 2))

    make("roberta-mlm", config, roberta_tokenizer, encoder_of(config) | heads_of("words", config), 13, expect_words)
    config = roberta_config("RobertaForSequenceClassification", id2label=NLI, problem_type="single_label_classification")
    make("roberta-classes", config, roberta_tokenizer, encoder_of(config) | heads_of("classes", config), 14, expect_classes)
    config = roberta_config("XLMRobertaForTokenClassification", id2label=TAGS) | {"model_type": "xlm-roberta", "max_position_embeddings": 102}
    shapes = {name.replace("xlm-roberta.", "roberta."): shape for name, shape in encoder_of(config).items()}
    make("xlmr-tags", config, lambda directory: roberta_tokenizer(directory, 100), shapes | heads_of("tags", config), 15, expect_tags)


def make_electras():
    config = electra_config("ElectraForPreTraining")

    def expect_replaced(golden, directory):
        write_tokens(golden, directory, AutoModelForPreTraining, "replaced")
        write_judged(golden, directory)

    make("electra", config, bert_tokenizer, encoder_of(config) | heads_of("replaced", config), 16, expect_replaced)
    config = electra_config("ElectraForSequenceClassification", id2label={"0": "toxic", "1": "insult"},
                            problem_type="multi_label_classification")
    make("electra-classes", config, bert_tokenizer, encoder_of(config) | heads_of("classes", config), 17, expect_classes)


def make_moderns():
    def shapes(config):
        return {name: shape for name, shape in modern_shapes(config).items() if "head" not in name and "decoder" not in name}

    config = modern_config(320, architectures=["ModernBertForSequenceClassification"], id2label={"0": "LABEL_0"}, classifier_pooling="mean",
                           max_position_embeddings=64, sentence_transformers={"activation_fn": "torch.nn.modules.activation.Sigmoid"})
    make("modernbert-rerank", config, modern_tokenizer, shapes(config) | heads_of("modern", config), 18, expect_classes,
         lambda names, seed: modern_weights(config, names, seed))
    config = modern_config(320, architectures=["ModernBertForTokenClassification"], id2label=TAGS, max_position_embeddings=100)
    make("modernbert-tags", config, modern_tokenizer, shapes(config) | heads_of("modern", config), 19, expect_tags,
         lambda names, seed: modern_weights(config, names, seed))


if __name__ == "__main__":
    make_berts()
    make_robertas()
    make_electras()
    make_moderns()
