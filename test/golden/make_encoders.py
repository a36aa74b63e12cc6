#!/usr/bin/env python3
"""Makes the tiny checkpoints of test/golden/encoder, one of each architecture that reads both sides, and what transformers says about each.

    make_encoders.py [NAME...]

encoder/NAME/recipe.py says what is particular to one:

    CONFIG      of transformers' class of configuration; CONFIG_KEYS as the checkpoint's config.json has it, where that differs
    VARIANTS    (class of the model, what changes in CONFIG, what changes in CONFIG_KEYS); the first one goes to config.json. A fourth member
                names a file of weights of its own, for heads and blocks that cannot stand beside the others
    REFUSED     (what changes in the first variant's config.json, a piece of the error)
    LAYERS      the key that says how many layers there are
    PREFIX      of the encoder's tensors; published(state, file) gives them other names
    TOKENIZER   of those below
    reference(name, config) makes the model, where transformers has it not under that name

The checkpoint has the tensors of all its heads. A variant whose class is a bare model is run with each number of layers.

What comes out, expected.txt, is a record a line:

    config JSON             config.json of a variant; what follows is about it
    weights FILE            before a config: of that variant, instead of model.safetensors
    layers N                of the states that follow, all others belong to the whole model
    ids ID...               a sequence; segments S... of its tokens, where they are not 0
    state ROW X...          the final state of a token
    words ROW X...          logits of the masked head at a token
    classes X...            logits of the head for classes of the sequence
    tags ROW X...           of that for classes of a token
    replaced ROW X          the logit that a token was replaced
    refused JSON            a config.json that is refused; because TEXT has a piece of the error
    end

Weights are drawn wide, by the names of their tensors, so that a term left out moves the results by far more than rounding does.
"""

import importlib.util
import json
import os
import sys
import zlib

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import safetensors.torch
import torch
import transformers

import make_heads
import make_tiny

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "encoder")
WIDTH, LONG = 36, 38
SEQUENCES = [[2, 61, 3], [2] + [(7 * i * i + 3 * i) % 250 + 10 for i in range(11)] + [3], [2] + [(5 * i * i + i) % 250 + 10 for i in range(LONG - 2)] + [3]]
MASKED = [2, 40, 4, 77, 4, 4, 90, 3]
HEADS = {"MaskedLM": "words", "SequenceClassification": "classes", "TokenClassification": "tags", "PreTraining": "replaced"}


def recipe_of(name):
    spec = importlib.util.spec_from_file_location(name, os.path.join(HERE, name, "recipe.py"))
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    return recipe


def tokenizer_of(kind, directory, vocab):
    if kind == "bert":
        make_tiny.write_tokenizer(directory, make_tiny.vocabulary(vocab))
    elif kind == "roberta":
        make_heads.roberta_tokenizer(directory, LONG)
    elif kind == "modernbert":
        make_tiny.modern_tokenizer(directory)


def draw(name, shape):
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    drawn = torch.randn(shape, generator=generator)
    gain = len(shape) == 1 and name.endswith("weight")
    return 1 + 0.3 * drawn if gain else 0.3 * drawn if len(shape) == 1 or "embed" in name else 0.25 * drawn


class Checkpoint:
    """Tensors under the names that transformers gives them behind the encoder's prefix, drawn when they are asked for first."""

    def __init__(self):
        self.state = {}

    def fill(self, model):
        prefix = model.base_model_prefix + "."
        own, inner, tied = model.state_dict(), model.base_model is not model, {}
        for name, tensor in own.items():
            bare = name.removeprefix(prefix)
            key = "encoder " + bare if not inner or bare != name else name
            if not tensor.is_floating_point() or name.endswith("inv_freq"):
                continue
            if tensor.data_ptr() not in tied:
                tied[tensor.data_ptr()] = key
                if key not in self.state:
                    self.state[key] = draw(bare, tuple(tensor.shape))
                if tensor.shape == self.state[key].shape:  # a head for contacts sees all layers
                    tensor.copy_(self.state[key])
        return model.eval()


def class_of(recipe, name, config):
    if hasattr(recipe, "reference"):
        return recipe.reference(name, dict(config))
    kind = getattr(transformers, name)
    return kind(kind.config_class(**config, attn_implementation="eager"))


def shown(rows):
    return range(rows) if rows < 9 else (0, 1, rows // 2, rows - 2, rows - 1)


def numbers(word, *fields):
    return " ".join([word] + ["%.6g" % float(x) if isinstance(x, float) else str(x) for x in fields])


def expect(model, head, ids, segments):
    lines = ["ids " + " ".join(map(str, ids))]
    inputs = {"input_ids": torch.tensor([ids])}
    if segments:
        lines.append("segments " + " ".join(map(str, segments)))
        inputs["token_type_ids"] = torch.tensor([segments])
    with torch.inference_mode():
        if head is None:
            out = model(**inputs).last_hidden_state[0]
            return lines + [numbers("state", row, *out[row].tolist()) for row in shown(len(ids))]
        out = model(**inputs).logits[0]
    if head == "classes":
        return lines + [numbers("classes", *out.tolist())]
    if head == "replaced":
        return lines + [numbers("replaced", row, float(out[row])) for row in range(len(ids))]
    return lines + [numbers(head, row, *out[row].tolist()) for row in (shown(len(ids)) if head == "tags" else (2,))]


def make(name):
    recipe, checkpoints = recipe_of(name), {}
    directory = os.path.join(HERE, name)
    lines = ["# made by make_encoders.py with transformers %s, torch %s" % (transformers.__version__, torch.__version__)]
    for i, (kind, changes, said, *file) in enumerate(recipe.VARIANTS):
        checkpoint = checkpoints.setdefault(file[0] if file else "model.safetensors", Checkpoint())
        config = recipe.CONFIG | changes
        written = {"architectures": [kind], "id2label": {"0": "a", "1": "b", "2": "c"}} | getattr(recipe, "CONFIG_KEYS", recipe.CONFIG) | said
        head = next((word for ending, word in HEADS.items() if kind.endswith("For" + ending)), None)
        if head in ("classes", "tags"):
            config["num_labels"] = 3
        if i == 0:
            first = written
            make_tiny.write_json(directory, "config.json", written)
        if file:
            lines.append("weights " + file[0])
        lines.append("config " + json.dumps(written, sort_keys=True))
        model = checkpoint.fill(class_of(recipe, kind, config))
        segments = recipe.CONFIG.get("type_vocab_size", 0) > 1
        for t, ids in enumerate(getattr(recipe, "SEQUENCES", SEQUENCES) if head != "words" else [MASKED, SEQUENCES[1][:-3] + [4, 3]]):
            lines += expect(model, head, ids, [int(j > len(ids) // 2) for j in range(len(ids))] if segments and t != 1 else None)
        if head is None and (i == 0 or file):
            for layers in range(config.get("num_hidden_groups", 1), config[recipe.LAYERS]):
                lines.append("layers %d" % layers)
                part = Checkpoint.fill(checkpoint, class_of(recipe, kind, config | {recipe.LAYERS: layers} | getattr(recipe, "PART", {})))
                lines += expect(part, None, SEQUENCES[1], None)
    for changes, piece in getattr(recipe, "REFUSED", []):
        lines += ["refused " + json.dumps(first | changes, sort_keys=True), "because " + piece]
    for file, checkpoint in checkpoints.items():
        state = {(recipe.PREFIX + key.removeprefix("encoder ") if key.startswith("encoder ") else key): tensor for key, tensor in checkpoint.state.items()}
        if hasattr(recipe, "published"):
            state = recipe.published(state, file)
        safetensors.torch.save_file({key: tensor.contiguous() for key, tensor in state.items()}, os.path.join(directory, file), {"format": "pt"})
    tokenizer_of(recipe.TOKENIZER, directory, recipe.CONFIG["vocab_size"])
    with open(os.path.join(directory, "expected.txt"), "w") as file:
        file.write("\n".join(lines + ["end"]) + "\n")
    size = sum(os.path.getsize(os.path.join(directory, file)) for file in os.listdir(directory) if os.path.isfile(os.path.join(directory, file)))
    print(name, size, "bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or sorted(os.listdir(HERE)):
        make(name)
