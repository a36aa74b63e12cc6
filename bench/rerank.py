#!/usr/bin/env python3
"""Reranks 30 documents of 150 tokens by a cross-encoder of 12 layers, 384 wide (random weights of that shape), in maskgen through SQL and in ONNX Runtime.

    rerank.py --host DIRECTORY --cache DIR --data CSV [--rounds 12]

makes the checkpoint and the ONNX files in DIR (outside the repository, readable for the server), the second in 8 bits by ONNX Runtime's own
quantize_dynamic, weights per channel, and then measures both in turn: CPU time of the backend and of this process, one thread each. Tokenising is counted on
maskgen's side alone. Needs torch, transformers, onnx, onnxruntime, a server with maskgen and maskgen.result_cache_size = 0 (or the cache off, as here).
"""

import argparse
import csv
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
DOCUMENTS, TOKENS, QUERY = 30, 150, "who won the match and by how much"


def make_checkpoint(folder, tokenizer_from):
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    config = BertConfig(hidden_size=384, num_hidden_layers=12, num_attention_heads=12, intermediate_size=1536, id2label={0: "LABEL_0"})
    model = BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        if os.path.exists(os.path.join(tokenizer_from, name)):
            shutil.copy(os.path.join(tokenizer_from, name), folder)
    return model


def make_onnx(model, folder):
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model.config.return_dict = False
    samples = [torch.ones(2, 7, dtype=torch.long) for _ in range(3)]
    names = ["input_ids", "attention_mask", "token_type_ids"]
    exact, narrow = os.path.join(folder, "f32.onnx"), os.path.join(folder, "int8.onnx")
    torch.onnx.export(model, tuple(samples), exact, input_names=names, output_names=["logits"], opset_version=17, dynamo=False,
                      dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names} | {"logits": {0: "batch"}})
    quantize_dynamic(exact, narrow, weight_type=QuantType.QInt8, per_channel=True)


def read_documents(path, tokenizer):
    """News, joined until each has the wanted number of tokens."""
    with open(path, encoding="utf-8", newline="") as file:
        texts = iter([" ".join(row[2].split()) for row in csv.reader(file)])
    documents = []
    while len(documents) < DOCUMENTS:
        words = []
        while len(tokenizer.encode(" ".join(words), add_special_tokens=False).ids) < TOKENS:
            words += next(texts).split()
        while len(tokenizer.encode(" ".join(words), add_special_tokens=False).ids) > TOKENS:
            words.pop()
        documents.append(" ".join(words))
    return documents


class Maskgen:
    def __init__(self, arguments, dtype, documents):
        self.psql = subprocess.Popen(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", arguments.host, "-U", "postgres", "-d", "postgres"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.name = f"rerank_{dtype}"
        rows = ", ".join("($t$" + document + "$t$)" for document in documents)
        self.run(f"SET search_path = public, maskgen; SET maskgen.enable_result_cache = off; SET maskgen.threads = 1; "
                 f"SET max_parallel_workers_per_gather = 0; SELECT drop_model(name) FROM maskgen_models WHERE name = '{self.name}'; "
                 f"SELECT create_model('{self.name}', '{arguments.cache}/checkpoint', '{{\"dtype\": \"{dtype}\"}}') IS NULL; "
                 f"CREATE TEMP TABLE doc AS SELECT row_number() OVER () AS id, column1 AS body FROM (VALUES {rows}) v; "
                 "CREATE FUNCTION pg_temp.cpu() RETURNS float8 LANGUAGE sql AS $f$ SELECT sum(t::int) / 100.0 FROM "
                 "unnest((string_to_array(pg_read_file('/proc/self/stat'), ' '))[14:15]) t $f$;")

    def run(self, statement):
        self.psql.stdin.write(statement + "\n\\echo @\n")
        self.psql.stdin.flush()
        lines = []
        while (line := self.psql.stdout.readline()) not in ("@\n", ""):
            lines.append(line.rstrip("\n"))
        return lines

    def scores(self):
        return [float(line) for line in self.run(f"SELECT rerank_score('{self.name}', '{QUERY}', body) FROM doc ORDER BY id;")]

    def measure(self, repeats):
        ask = f"SELECT count(*) FROM (SELECT id FROM doc ORDER BY rerank_score('{self.name}', '{QUERY}', body) DESC LIMIT 10) x;"
        before = float(self.run("SELECT pg_temp.cpu();")[0])
        for _ in range(repeats):
            self.run(ask)
        return (float(self.run("SELECT pg_temp.cpu();")[0]) - before) / repeats


class OnnxRuntime:
    def __init__(self, arguments, dtype, documents, tokenizer):
        import numpy
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.path.join(arguments.cache, f"{dtype}.onnx"), options, providers=["CPUExecutionProvider"])
        self.version = onnxruntime.__version__
        rows = [tokenizer.encode(QUERY, document) for document in documents]
        longest = max(len(row.ids) for row in rows)

        def padded(field):
            return numpy.array([list(getattr(row, field)) + [0] * (longest - len(row.ids)) for row in rows], dtype=numpy.int64)

        self.inputs = {"input_ids": padded("ids"), "attention_mask": padded("attention_mask"), "token_type_ids": padded("type_ids")}
        self.tokens = sum(len(row.ids) for row in rows)

    def scores(self):
        return [float(row[0]) for row in self.session.run(None, self.inputs)[0]]

    def measure(self, repeats):
        before = resource.getrusage(resource.RUSAGE_SELF)
        for _ in range(repeats):
            self.session.run(None, self.inputs)
        after = resource.getrusage(resource.RUSAGE_SELF)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / repeats


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for option in ("--host", "--cache", "--data", "--tokenizer"):
        parser.add_argument(option, required=True)
    parser.add_argument("--rounds", type=int, default=12)
    arguments = parser.parse_args()
    import tokenizers

    folder = os.path.join(arguments.cache, "checkpoint")
    if not os.path.exists(os.path.join(arguments.cache, "int8.onnx")):
        make_onnx(make_checkpoint(folder, arguments.tokenizer), arguments.cache)
        subprocess.run(["chmod", "-R", "a+rX", arguments.cache], check=True)
    tokenizer = tokenizers.Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    documents = read_documents(arguments.data, tokenizer)
    for dtype in ("int8", "f32"):
        ours, theirs = Maskgen(arguments, dtype, documents), OnnxRuntime(arguments, dtype, documents, tokenizer)
        gap = max(abs(a - b) for a, b in zip(ours.scores(), theirs.scores()))
        pairs = [(ours.measure(2), theirs.measure(2)) for _ in range(arguments.rounds)]
        a, b = (statistics.median(column) for column in zip(*pairs))
        print(json.dumps({"dtype": dtype, "documents": DOCUMENTS, "tokens": theirs.tokens, "maskgen": round(a, 3), "onnxruntime": round(b, 3),
                          "ratio": round(statistics.median(x / y for x, y in pairs), 3), "least": round(min(x / y for x, y in pairs), 3),
                          "most": round(max(x / y for x, y in pairs), 3), "gap": float("%.2g" % gap), "version": theirs.version}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
