#!/usr/bin/env python3
"""scripts/convert-onnx.py on a file made here, with each form of a weight, and on files that are wrong."""

import json
import os
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "scripts", "convert-onnx.py")
n_tests = n_failed = 0


def ok(passed, what, seen=None):
    global n_tests, n_failed
    n_tests += 1
    n_failed += not passed
    print(f"{'' if passed else 'not '}ok {n_tests} - {what}")
    if not passed:
        print(f"# got {seen!r}")


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, shape, kind, data):
    return field(5, b"".join(field(1, side) for side in shape) + field(2, kind) + field(8, name) + field(9, data))


def floats(*numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


def node(operator, name, inputs, **integers):
    attributes = b"".join(field(5, field(1, key) + field(3, value)) for key, value in integers.items())
    return field(1, b"".join(field(1, one) for one in inputs) + field(3, name) + field(4, operator) + attributes)


def graph(block_size=32):
    codes = bytes((i % 16) | ((15 - i % 16) << 4) for i in range(32))  # 2 rows of a block of 32
    return field(7, tensor("bert.norm.weight", [3], 1, floats(1, 2, 3)) + tensor("m1", [2, 3], 1, floats(1, 2, 3, 4, 5, 6))
                 + tensor("q", [2, 1, 16], 2, codes) + tensor("s", [2, 1], 1, floats(0.5, 2))
                 + tensor("bert.words.weight_quantized", [2, 2], 2, bytes([0, 128, 130, 255]))
                 + tensor("bert.words.weight_scale", [], 1, floats(0.25)) + tensor("bert.words.weight_zero_point", [], 2, bytes([128]))
                 + node("MatMul", "/bert/dense/MatMul", ["x", "m1"]) + node("MatMul", "/bert/attention/MatMul_1", ["x", "y"])
                 + node("MatMulNBits", "/bert/narrow/MatMul_Q4", ["x", "q", "s"], K=32, N=2, bits=4, block_size=block_size))


def convert(data):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        with open(path, "wb") as file:
            file.write(data)
        run = subprocess.run([sys.executable, SCRIPT, path, folder], capture_output=True, text=True)
        made = os.path.join(folder, "model.safetensors")
        if not os.path.exists(made):
            return run, None
        with open(made, "rb") as file:
            size = struct.unpack("<Q", file.read(8))[0]
            header, numbers = json.loads(file.read(size)), file.read()
    header.pop("__metadata__")
    return run, {name: (entry["shape"], list(struct.unpack(f"<{(entry['data_offsets'][1] - entry['data_offsets'][0]) // 4}f",
                                                            numbers[slice(*entry["data_offsets"])]))) for name, entry in header.items()}


run, made = convert(graph())
ok(run.returncode == 0, "converts", run.stderr)
ok(made is not None and sorted(made) == ["bert.dense.weight", "bert.narrow.weight", "bert.norm.weight", "bert.words.weight"], "names are PyTorch's", made)
ok(made["bert.norm.weight"] == ([3], [1, 2, 3]), "a vector", made["bert.norm.weight"])
ok(made["bert.dense.weight"] == ([3, 2], [1, 4, 2, 5, 3, 6]), "a matrix, transposed", made["bert.dense.weight"])
ok(made["bert.words.weight"] == ([2, 2], [-32, 0, 0.5, 31.75]), "a table of 8 bits", made["bert.words.weight"])
want = [(nibble - 8) * scale for scale in (0.5, 2) for i in range(16) for nibble in (i, 15 - i)]
ok(made["bert.narrow.weight"] == ([2, 32], want), "a matrix of 4 bits, the low half first", made["bert.narrow.weight"])
for what, data in (("nothing", b""), ("no protocol buffer", b"\xff" * 100), ("a torn file", graph()[:-40]), ("blocks of 16", graph(16)),
                   ("a tensor that is shorter than its shape", field(7, tensor("bert.a.weight", [4], 1, floats(1))))):
    run, made = convert(data)
    ok(run.returncode == 1 and run.stderr.startswith("convert-onnx.py: ") and made is None, f"refused: {what}", (run.returncode, run.stderr))
print(f"1..{n_tests}")
sys.exit(n_failed > 0)
