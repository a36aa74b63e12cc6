"""The reference for the golden files: transformers and sentence-transformers in float32 on one CPU thread,
with float64 beside it to see how much of a number is rounding.

The tasks are defined here a second time, in the plainest form, so that a mistake in src/task is not copied.
The files' form is described in README.md.
"""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import logging
import sys
import warnings

import numpy
import sentence_transformers
import tokenizers
import torch
import transformers
from transformers import AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoTokenizer

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")

EMPTY_INPUTS = ["", "N/A", "text"]  # what a label's prior is averaged over
TOP_K = 5


def versions():
    modules = (torch, transformers, sentence_transformers, tokenizers, numpy)
    named = [f"{module.__name__} {module.__version__}" for module in modules]
    return ", ".join([f"Python {sys.version.split()[0]}"] + named)


def escape(text):
    """One line, printable: backslash, line ends and control characters become \\\\ \\n \\r \\t \\xNN."""
    names = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(names.get(c) or (f"\\x{ord(c):02x}" if ord(c) < 32 or ord(c) == 127 else c) for c in text)


class Golden:
    """The lines of one file."""

    def __init__(self, title, script):
        self.head = [f"# {title}", f"# made by {script} with {versions()}",
                     "# the form is described in test/golden/README.md", "format 1"]
        self.lines = []
        self.gaps = {}

    def line(self, word, *fields):
        self.lines.append(" ".join([word] + [str(field) for field in fields]))

    def text(self, word, *fields):
        """A line whose last field is free text; an empty one leaves the line with a space at its end."""
        self.line(word, *fields[:-1], escape(fields[-1]))

    def numbers(self, word, *fields):
        """A line that ends with a count and so many numbers."""
        values = numpy.asarray(fields[-1], dtype=numpy.float32).ravel()
        self.line(word, *fields[:-1], len(values), *["%.9g" % value for value in values])

    def gap(self, word, narrow, wide):
        """Remembers the largest distance between a float32 and a float64 result."""
        distance = float(numpy.abs(numpy.asarray(narrow, dtype=numpy.float64) - numpy.asarray(wide)).max(initial=0))
        self.gaps[word] = max(self.gaps.get(word, 0.0), distance)

    def save(self, path):
        gaps = ["gap %s %.3g" % (word, self.gaps[word]) for word in sorted(self.gaps)]
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(self.head + gaps + self.lines + ["end"]) + "\n")
        gaps = ", ".join(f"{word} {gap:.2g}" for word, gap in sorted(self.gaps.items()))
        print(f"{os.path.basename(path)}: {os.path.getsize(path)} bytes; float32 against float64: {gaps}")


class Reference:
    """A checkpoint with its tokeniser, in float32 and in float64."""

    def __init__(self, directory, masked, max_tokens=None):
        self.tokenizer = AutoTokenizer.from_pretrained(directory)
        kind = AutoModelForMaskedLM if masked else AutoModel
        self.models = {
            dtype: kind.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").to(dtype).eval()
            for dtype in (torch.float32, torch.float64)}
        self.masked = masked
        self.max_tokens = max_tokens or self.models[torch.float32].config.max_position_embeddings
        self.cls, self.sep = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        self.mask = self.tokenizer.mask_token_id

    def pieces(self, text):
        """Token ids without special ones around them."""
        backend = self.tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        return backend.encode(text, add_special_tokens=False).ids

    def sequence(self, text):
        return [self.cls] + self.pieces(text)[:self.max_tokens - 2] + [self.sep]

    def run(self, ids, dtype=torch.float32):
        """Last hidden states [n, h] and, of a masked model, logits [n, vocab]."""
        model = self.models[dtype]
        tokens = torch.tensor([ids])
        with torch.inference_mode():
            if not self.masked:
                return model(input_ids=tokens).last_hidden_state[0].numpy(), None
            states = model.base_model(input_ids=tokens).last_hidden_state
            heads = [getattr(model, name) for name in ("cls", "lm_head") if hasattr(model, name)]
            logits = heads[0](states) if heads else model.decoder(model.head(states))
            return states[0].numpy(), logits[0].numpy()

    def log_probabilities(self, ids, positions, candidates, dtype):
        """[positions, candidates]: log softmax among the candidates only."""
        _, logits = self.run(ids, dtype)
        return torch.from_numpy(logits[positions][:, candidates]).log_softmax(-1).numpy()


class Labels:
    """A template and labels, split into the pieces that sequences are made of."""

    def __init__(self, reference, template, labels):
        self.reference, self.template, self.labels = reference, template, labels
        self.ids = [reference.pieces(label) for label in labels]
        self.candidates = sorted({id for ids in self.ids for id in ids})
        self.most = max(len(ids) for ids in self.ids)

    def fill(self, text, n_masks):
        """The sequence, and where its first label mask is. All labels see the same piece of a long text."""
        reference = self.reference
        mask_first = self.template.index("{mask}") < self.template.index("{text}")
        before, rest = self.template.split("{mask}" if mask_first else "{text}")
        between, after = rest.split("{text}" if mask_first else "{mask}")
        before, between, after = (reference.pieces(piece) for piece in (before, between, after))
        room = reference.max_tokens - 2 - self.most - len(before) - len(between) - len(after)
        tokens, masks = reference.pieces(text)[:room], [reference.mask] * n_masks
        first, second = (masks, tokens) if mask_first else (tokens, masks)
        ids = [reference.cls] + before + first + between + second + after + [reference.sep]
        at = 1 + len(before) if mask_first else 1 + len(before) + len(tokens) + len(between)
        return ids, at

    def raw(self, text, dtype):
        scores, known = [], {}
        for ids in self.ids:
            n = len(ids)
            if n not in known:
                filled, at = self.fill(text, n)
                assert len(filled) <= self.reference.max_tokens
                known[n] = self.reference.log_probabilities(filled, range(at, at + n), self.candidates, dtype)
            scores.append(numpy.mean([known[n][i, self.candidates.index(id)] for i, id in enumerate(ids)]))
        return numpy.array(scores)

    def prior(self, dtype):
        return numpy.mean([self.raw(text, dtype) for text in EMPTY_INPUTS], axis=0)


def write_head(golden, reference, texts):
    config = reference.models[torch.float32].config
    golden.line("hidden", config.hidden_size)
    golden.line("vocabulary", len(reference.tokenizer))
    golden.line("max_tokens", reference.max_tokens)
    for t, text in enumerate(texts):
        golden.text("text", t, text)
        ids = reference.sequence(text)
        golden.line("ids", t, len(ids), *ids)


def write_states(golden, reference, texts, which):
    for t in which:
        ids = reference.sequence(texts[t])
        states, wide = reference.run(ids)[0], reference.run(ids, torch.float64)[0]
        golden.gap("state", states, wide)
        for row, state in enumerate(states):
            golden.numbers("state", t, row, state)


def write_masks(golden, reference, texts, logits_of=None):
    """The best words for each mask, and all logits for the first mask of one text."""
    for t, text in enumerate(texts):
        ids = reference.sequence(text)
        masks = [position for position, id in enumerate(ids) if id == reference.mask]
        if not masks:
            continue
        logits, wide = reference.run(ids)[1], reference.run(ids, torch.float64)[1]
        golden.gap("logits", logits[masks], wide[masks])
        for m, position in enumerate(masks):
            shares = torch.from_numpy(logits[position]).softmax(-1).numpy()
            golden.gap("top", shares, torch.from_numpy(wide[position]).softmax(-1).numpy())
            for rank, id in enumerate(numpy.argsort(-shares, kind="stable")[:TOP_K]):
                token = reference.tokenizer.convert_ids_to_tokens(int(id))
                golden.text("top", t, m + 1, position, rank + 1, id, "%.9g" % shares[id], token)
        if t == logits_of:
            golden.numbers("logits", t, 1, masks[0], logits[masks[0]])


def write_classes(golden, directory, pairs):
    """Logits of a head for classes, of one text or a pair: ids and segments as the tokeniser makes them. A third member of a
    pair says how it is cut; a text alone loses its end."""
    tokenizer = AutoTokenizer.from_pretrained(directory)
    models = {dtype: AutoModelForSequenceClassification.from_pretrained(
        directory, dtype=torch.float32, attn_implementation="eager").to(dtype).eval() for dtype in (torch.float32, torch.float64)}
    tokenizer.model_max_length = min(tokenizer.model_max_length, models[torch.float32].config.max_position_embeddings)
    for t, (texts, cut) in enumerate((pair[:2], pair[2:]) for pair in pairs):
        inputs = tokenizer(*[[text] for text in texts], return_tensors="pt", return_token_type_ids=True, truncation=cut[0] if cut else True)
        ids, segments = inputs["input_ids"][0].tolist(), inputs["token_type_ids"][0].tolist()
        if "token_type_ids" not in tokenizer.model_input_names:
            del inputs["token_type_ids"]
        with torch.inference_mode():
            logits, wide = (models[dtype](**inputs).logits[0].numpy() for dtype in (torch.float32, torch.float64))
        golden.gap("classes", logits, wide)
        for text in texts:
            golden.text("input", t, text)
        if cut:
            golden.line("cut", t, cut[0])
        golden.line("pair_ids", t, len(ids), *ids)
        golden.line("segments", t, len(segments), *segments)
        golden.numbers("classes", t, logits)


def write_labels(golden, reference, sets, texts, which):
    for s, (template, names) in enumerate(sets):
        labels = Labels(reference, template, names)
        golden.text("template", s, template)
        for i, name in enumerate(names):
            golden.text("label", s, i, name)
            golden.line("label_ids", s, i, len(labels.ids[i]), *labels.ids[i])
        prior, wide_prior = labels.prior(torch.float32), labels.prior(torch.float64)
        golden.gap("raw", prior, wide_prior)
        golden.numbers("prior", s, prior)
        for t in which:
            raw, wide = labels.raw(texts[t], torch.float32), labels.raw(texts[t], torch.float64)
            golden.gap("raw", raw, wide)
            golden.gap("score", raw - prior, wide - wide_prior)
            golden.numbers("raw", s, t, raw)
            golden.numbers("score", s, t, raw - prior)


def pooled(states, kind, unit):
    vector = states.mean(axis=0) if kind == "mean" else states[0]
    return vector / max(numpy.linalg.norm(vector), 1e-12) if unit else vector


def write_embeddings(golden, directory, reference, texts, pooling, unit, prompts):
    """Embeddings by sentence-transformers, checked against the definition in float64."""
    model = sentence_transformers.SentenceTransformer(directory, device="cpu")
    golden.line("pooling", pooling)
    golden.line("normalize", int(unit))
    for name, prompt in prompts.items():
        golden.text("prompt", name, prompt)
    rows = []
    for name, prompt in [("-", "")] + list(prompts.items()):
        for t, text in enumerate(texts):
            vector = model.encode([text], prompt=prompt or None)[0]
            wide = pooled(reference.run(reference.sequence(prompt + text), torch.float64)[0], pooling, unit)
            golden.gap("embedding", vector, wide)
            golden.numbers("embedding", t, name, vector)
            if name == "-":
                rows.append(vector)
    return rows
