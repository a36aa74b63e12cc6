#!/usr/bin/env python3
"""Measures the peers of maskgen on the texts that maskgen is measured on.

    reference.py lines --data CSV [--texts N]            the texts, a line each (for mg bench)
    reference.py export --cache DIR --minilm DIR --bert DIR
    reference.py agree --data CSV --cache DIR --minilm DIR --bert DIR        are the exported models the same models?
    reference.py measure --data CSV --cache DIR --minilm DIR --bert DIR [--case CASE ...] [--batch N ...]

export writes the ONNX models into the cache, which lies outside the repository. measure runs each case in
a process of its own and prints JSON lines in the form of `mg bench`. What is measured: README.md.
"""

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import time

CASES = ["embed/onnxruntime/f32", "embed/onnxruntime/int8", "embed/sentence-transformers/f32",
         "classify/onnxruntime/f32", "classify/onnxruntime/int8"]
QUERY = "red shoes"
SHORT_CALLS = 200
MAX_TOKENS = {"embed": 256, "classify": 62}
BERT_TEXTS = 200
LABELS = [2088, 2998, 2449, 2974]  # world sports business technology


def read_texts(path, n):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    random.Random(0).shuffle(rows)
    return [" ".join(row[2].split()) for row in rows[:n]]


# ---- ONNX models


def trace(model, inputs, outputs, path):
    import torch

    ids = torch.tensor([[101, 103, 2739, 1024, 2417, 6007, 102], [101, 103, 2739, 1024, 102, 0, 0]])
    mask = (ids != 0).long()
    samples = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids),
               "position": torch.tensor([1, 1])}
    axes = {name: {0: "batch"} if name == "position" else {0: "batch", 1: "tokens"} for name in inputs}
    torch.onnx.export(model, tuple(samples[name] for name in inputs), path, input_names=inputs, output_names=outputs,
                      dynamic_axes=axes, opset_version=17, dynamo=False)


def export(arguments):
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModel, BertForMaskedLM

    class Encoder(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.model(input_ids=input_ids, attention_mask=attention_mask,
                              token_type_ids=token_type_ids).last_hidden_state

    class MaskHead(torch.nn.Module):
        """Logits of one row a text: a caller who knows where the mask is does not ask for the others."""

        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask, token_type_ids, position):
            states = self.model.bert(input_ids=input_ids, attention_mask=attention_mask,
                                     token_type_ids=token_type_ids).last_hidden_state
            return self.model.cls(states[torch.arange(states.shape[0]), position])

    os.makedirs(arguments.cache, exist_ok=True)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    # The plain attention, whose pattern ONNX Runtime knows
    embed = AutoModel.from_pretrained(arguments.minilm, dtype=torch.float32, attn_implementation="eager").eval()
    masked = BertForMaskedLM.from_pretrained(arguments.bert, dtype=torch.float32, attn_implementation="eager").eval()
    for task, model, inputs, output in (("embed", Encoder(embed), names, "states"),
                                        ("classify", MaskHead(masked), names + ["position"], "logits")):
        exact, narrow = (os.path.join(arguments.cache, f"{task}-{precision}.onnx") for precision in ("f32", "int8"))
        with torch.inference_mode():
            trace(model, inputs, [output], exact)
        # By channel and the products alone: nearer to float32 than the defaults, and as fast or faster
        quantize_dynamic(exact, narrow, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul"])


# ---- engines: each turns a list of token sequences into results


class OnnxEngine:
    name = "onnxruntime"

    def __init__(self, arguments, task, precision):
        import numpy
        import onnxruntime
        import tokenizers

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = arguments.threads
        options.inter_op_num_threads = 1
        path = os.path.join(arguments.cache, f"{task}-{precision}.onnx")
        self.numpy, self.task = numpy, task
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.version = onnxruntime.__version__
        vocabulary = os.path.join(arguments.bert, "vocab.txt")
        self.tokenizer = tokenizers.BertWordPieceTokenizer(vocabulary, lowercase=True)
        self.tokenizer.enable_truncation(MAX_TOKENS[task])

    def sequences(self, texts):
        if self.task == "classify":
            texts = ["[MASK] news: " + text for text in texts]
        return [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]

    def run(self, sequences):
        numpy = self.numpy
        longest = max(len(ids) for ids in sequences)
        ids = numpy.zeros((len(sequences), longest), dtype=numpy.int64)
        mask = numpy.zeros_like(ids)
        for row, sequence in enumerate(sequences):
            ids[row, :len(sequence)] = sequence
            mask[row, :len(sequence)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
        if self.task == "classify":
            feed["position"] = numpy.ones(len(sequences), dtype=numpy.int64)
            return self.session.run(None, feed)[0]
        weights = mask[:, :, None].astype(numpy.float32)
        sums = (self.session.run(None, feed)[0] * weights).sum(axis=1) / weights.sum(axis=1)
        return sums / numpy.linalg.norm(sums, axis=1, keepdims=True)

    def all(self, texts, batch):
        sequences = self.sequences(texts)
        order = sorted(range(len(texts)), key=lambda i: len(sequences[i])) if batch > 1 else range(len(texts))
        order, results = list(order), [None] * len(texts)
        for first in range(0, len(order), batch):
            taken = order[first:first + batch]
            for i, result in zip(taken, self.run([sequences[i] for i in taken])):
                results[i] = result
        return results

    def n_tokens(self, texts):
        return sum(len(ids) for ids in self.sequences(texts))


class SentenceEngine:
    name = "sentence-transformers"

    def __init__(self, arguments, task, precision):
        import sentence_transformers
        import torch
        import transformers

        transformers.utils.logging.disable_progress_bar()
        torch.set_num_threads(arguments.threads)
        self.model = sentence_transformers.SentenceTransformer(arguments.minilm, device="cpu")
        self.version = f"{sentence_transformers.__version__}, torch {torch.__version__}"

    def all(self, texts, batch):
        return self.model.encode(texts, batch_size=batch, show_progress_bar=False)

    def n_tokens(self, texts):
        return sum(min(len(ids), MAX_TOKENS["embed"]) for ids in self.model.tokenizer(texts)["input_ids"])


def measure_case(arguments, case):
    """Runs in a process of its own."""
    task, engine, precision = case.split("/")
    engine = (OnnxEngine if engine == "onnxruntime" else SentenceEngine)(arguments, task, precision)
    texts = read_texts(arguments.data, arguments.texts)[:None if task == "embed" else arguments.bert_texts]
    tokens = engine.n_tokens(texts)
    known = {"engine": engine.name, "version": engine.version, "precision": precision, "threads": arguments.threads}

    for batch in arguments.batch:
        engine.all(texts[:2 * batch], batch)
        for _ in range(arguments.rounds):
            start, cpu_start = time.perf_counter(), time.process_time()
            engine.all(texts, batch)
            seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
            print(json.dumps(known | {"task": task, "batch": batch, "texts": len(texts), "tokens": tokens,
                                      "seconds": round(seconds, 6), "cpu_seconds": round(cpu_seconds, 6)}), flush=True)
    times, cpu_times = [], []
    for _ in range(SHORT_CALLS):
        start, cpu_start = time.perf_counter(), time.process_time()
        engine.all([QUERY], 1)
        times.append(1e3 * (time.perf_counter() - start))
        cpu_times.append(1e3 * (time.process_time() - cpu_start))
    times.sort()
    cpu_times.sort()
    print(json.dumps(known | {"task": task + "_short", "p50_ms": round(times[SHORT_CALLS // 2], 4),
                              "p95_ms": round(times[SHORT_CALLS * 95 // 100], 4),
                              "cpu_p50_ms": round(cpu_times[SHORT_CALLS // 2], 4)}), flush=True)


def agree(arguments):
    """Cosines of embeddings, and the best of four labels, against float32."""
    import numpy

    texts = read_texts(arguments.data, 100)
    exact = SentenceEngine(arguments, "embed", "f32").all(texts, 8)
    for precision in ("f32", "int8"):
        vectors = numpy.array(OnnxEngine(arguments, "embed", precision).all(texts, 8))
        cosines = (vectors * exact).sum(axis=1)
        print(json.dumps({"task": "embed", "precision": precision, "against": "sentence-transformers",
                          "mean": round(float(cosines.mean()), 6), "worst": round(float(cosines.min()), 6)}))
    exact, narrow = (numpy.array(OnnxEngine(arguments, "classify", precision).all(texts, 8))[:, LABELS]
                     for precision in ("f32", "int8"))
    print(json.dumps({"task": "classify", "precision": "int8", "against": "onnxruntime f32",
                      "same_label": float((exact.argmax(axis=1) == narrow.argmax(axis=1)).mean())}))


def measure(arguments):
    if arguments.within:
        measure_case(arguments, arguments.case[0])
        return
    environment = os.environ | {"OMP_NUM_THREADS": str(arguments.threads), "TOKENIZERS_PARALLELISM": "false",
                                "RAYON_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    for case in arguments.case or CASES:
        own = [sys.executable, __file__, "measure", "--within", "--case", case, "--data", arguments.data,
               "--cache", arguments.cache, "--minilm", arguments.minilm, "--bert", arguments.bert,
               "--threads", str(arguments.threads), "--rounds", str(arguments.rounds), "--texts", str(arguments.texts),
               "--bert-texts", str(arguments.bert_texts), "--batch", *map(str, arguments.batch)]
        subprocess.run(own, env=environment, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["lines", "export", "agree", "measure"])
    parser.add_argument("--data", help="ag_news_test.csv")
    parser.add_argument("--cache", help="a directory for the ONNX models")
    parser.add_argument("--minilm", help="the directory of all-MiniLM-L6-v2")
    parser.add_argument("--bert", help="the directory of BERT base, uncased")
    parser.add_argument("--case", action="append", choices=CASES, help="only this; may be repeated")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--bert-texts", type=int, default=BERT_TEXTS)
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.what == "lines":
        print("\n".join(read_texts(arguments.data, arguments.texts)))
    elif arguments.what == "export":
        export(arguments)
    elif arguments.what == "agree":
        agree(arguments)
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
