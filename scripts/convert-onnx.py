#!/usr/bin/env python3
"""Turns an ONNX file of an encoder of BERT's family into model.safetensors (float32), for the directory that it came with.

    convert-onnx.py FILE.onnx OUTDIR

Writes model.safetensors into OUTDIR, and its SHA-256 sum to standard output in the form of sha256sum. Python's standard library is all
that is needed. Other files of the directory (config.json, tokenizer.json) are copied by whoever calls.

What is read of the file, which is a protocol buffer:
  7 graph     1 nodes, 5 initialisers
  node        1 inputs, 3 name, 4 operator, 5 attributes (1 name, 3 integer)
  initialiser 1 dimensions, 2 type, 4 floats, 5 integers, 8 name, 9 bytes

Exporters keep the names of vectors and tables ("bert.embeddings.LayerNorm.weight") and lose those of matrices ("onnx::MatMul_743"),
which are found again by the path of the node that multiplies by them ("/bert/encoder/layer.0/attention/self/query/MatMul"). In files
that are quantised
  X_quantized, X_scale, X_zero_point   a table of 8 bits: (q - zero point) * scale
  MatMulNBits                          a matrix [N, K] in blocks of 32 of 4 bits, the low half of a byte first: (q - 8) * scale of the block
MatMul has [K, N], and PyTorch [N, K]: those are transposed.
"""

import array
import json
import math
import os
import re
import struct
import sys

sys.dont_write_bytecode = True
from conversion import Failure, Output, message_fields, progress, read_varint, require

LARGEST_FILE = 1 << 30
FLOAT, UINT8, INT8 = 1, 2, 3
BITS, BLOCK, BLOCK_BYTES = 4, 32, 16
MULTIPLIERS = ("MatMul", "MatMulNBits")


def texts(fields, number):
    return [value.decode("utf-8", "replace") for field, value in fields if field == number and isinstance(value, bytes)]


def numbers(fields, number):
    """Of a repeated integer, packed or not."""
    found = []
    for field, value in fields:
        if field != number:
            continue
        if isinstance(value, int):
            found.append(value)
            continue
        position = 0
        while position < len(value):
            one, position = read_varint(value, position, "a list of numbers")
            found.append(one)
    return found


class Tensor:
    def __init__(self, message):
        fields = list(message_fields(message, "an initialiser"))
        self.name = (texts(fields, 8) or ["?"])[0]
        self.shape = numbers(fields, 1)
        self.type = (numbers(fields, 2) or [0])[0]
        raw = [value for field, value in fields if field == 9]
        require(all(0 < side <= 1 << 24 for side in self.shape), f'initialiser "{self.name}" has shape {self.shape}')
        size = math.prod(self.shape) * (4 if self.type == FLOAT else 1)
        if raw:
            self.bytes = raw[0]
        elif self.type == FLOAT:
            self.bytes = b"".join(value for field, value in fields if field == 4)
        else:
            self.bytes = bytes(value & 255 for value in numbers(fields, 5))
        if self.type in (FLOAT, UINT8, INT8):
            require(len(self.bytes) == size, f'initialiser "{self.name}" has {len(self.bytes)} bytes, expected {size}')

    def floats(self):
        require(self.type == FLOAT, f'initialiser "{self.name}" has type {self.type}, expected {FLOAT} (float)')
        return array.array("f", self.bytes)


class Node:
    def __init__(self, message):
        fields = list(message_fields(message, "a node"))
        self.inputs = texts(fields, 1)
        self.name, self.operator = ((texts(fields, number) or [""])[0] for number in (3, 4))
        self.integers = {}
        for field, value in fields:
            if field == 5 and isinstance(value, bytes):
                attribute = list(message_fields(value, "an attribute"))
                if numbers(attribute, 3):
                    self.integers[texts(attribute, 1)[0]] = numbers(attribute, 3)[0]


def read_graph(path):
    require(os.path.getsize(path) <= LARGEST_FILE, f"the file has more than {LARGEST_FILE} bytes")
    with open(path, "rb") as file:
        data = file.read()
    graphs = [value for field, value in message_fields(data, "the file") if field == 7]
    require(len(graphs) == 1 and isinstance(graphs[0], bytes), "the file has no graph")
    nodes, tensors = [], {}
    for field, value in message_fields(graphs[0], "the graph"):
        if field == 1:
            nodes.append(Node(value))
        elif field == 5:
            tensor = Tensor(value)
            tensors[tensor.name] = tensor
    return nodes, tensors


def widen_table(tensors, name):
    """A table of 8 bits; each of 256 numbers is computed once."""
    table, scale, zero = tensors[name], tensors[name[:-len("_quantized")] + "_scale"], tensors[name[:-len("_quantized")] + "_zero_point"]
    factor, offset = scale.floats()[0], zero.bytes[0]
    require(table.type == zero.type == UINT8, f'initialiser "{name}" is not of unsigned bytes')
    widened = array.array("f", [(q - offset) * factor for q in range(256)])
    return table.shape, array.array("f", map(widened.__getitem__, table.bytes))


def widen_matrix(tensors, node):
    codes, scales = tensors[node.inputs[1]], tensors[node.inputs[2]].floats()
    rows, cols = node.integers.get("N", 0), node.integers.get("K", 0)
    require(len(node.inputs) == 3 and node.integers.get("bits") == BITS and node.integers.get("block_size") == BLOCK and cols % BLOCK == 0,
            f'node "{node.name}" has another form than blocks of {BLOCK} with {BITS} bits')
    require(len(codes.bytes) == rows * cols // 2 and len(scales) == rows * cols // BLOCK, f'node "{node.name}" does not fit its matrix')
    numbers = array.array("f")
    for block, scale in enumerate(scales):
        steps = [(q - 8) * scale for q in range(16)]
        numbers.extend([number for byte in codes.bytes[block * BLOCK_BYTES:(block + 1) * BLOCK_BYTES]
                        for number in (steps[byte & 15], steps[byte >> 4])])
    return [rows, cols], numbers


def transpose(tensor):
    rows, cols = tensor.shape
    numbers, turned = tensor.floats(), array.array("f")
    for column in range(cols):
        turned.extend(numbers[column::cols])
    return [cols, rows], turned


def read_weights(nodes, tensors):
    """Shape and numbers by PyTorch's name, in the order of the names."""
    weights = {}
    for name, tensor in tensors.items():
        if name.endswith("_quantized"):
            weights[name[:-len("_quantized")]] = widen_table(tensors, name)
        elif re.fullmatch(r"[A-Za-z_][\w.]*\.(weight|bias)", name) and tensor.type == FLOAT:
            weights[name] = tensor.shape, tensor.floats()
    for node in nodes:
        if node.operator not in MULTIPLIERS or len(node.inputs) < 2 or node.inputs[1] not in tensors:
            continue
        path = re.fullmatch(r"/(.+)/MatMul(_Q4)?", node.name)
        require(path is not None, f'node "{node.name}" does not say what its matrix is called')
        name = path[1].replace("/", ".") + ".weight"
        require(name not in weights, f'there are two matrices "{name}"')
        weights[name] = widen_matrix(tensors, node) if node.operator == "MatMulNBits" else transpose(tensors[node.inputs[1]])
    require(weights, "the file has no weights")
    return dict(sorted(weights.items()))


def write(weights, folder):
    header, position = {"__metadata__": {"format": "pt"}}, 0
    for name, (shape, values) in weights.items():
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [position, position + 4 * len(values)]}
        position += 4 * len(values)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    os.makedirs(folder, exist_ok=True)
    with Output(folder, "model.safetensors") as output:
        output.write(struct.pack("<Q", len(text)) + text)
        for _, values in weights.values():
            output.write(values.tobytes())


def main():
    if len(sys.argv) != 3:
        print("usage: convert-onnx.py FILE.onnx OUTDIR", file=sys.stderr)
        return 2
    try:
        require(sys.byteorder == "little", "this machine is big-endian, which is not supported")
        weights = read_weights(*read_graph(sys.argv[1]))
        progress(f"writing {len(weights)} tensors")
        write(weights, sys.argv[2])
    except (Failure, OSError, KeyError, ValueError, IndexError, struct.error) as error:
        print(f"convert-onnx.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
