#!/usr/bin/env python3
"""Makes test/golden/quantized/gguf.txt: blocks of random bytes of each type of GGUF, and the numbers that the package "gguf" reads there.

    make_gguf_blocks.py

    NUMBER HEX FLOAT...     type, the bytes of one block, its numbers
"""

import os

import gguf
import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
# Where the 16-bit scales are: random ones would be infinite at times.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "IQ4_NL": [0], "Q2_K": [80, 82], "Q3_K": [108],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def main():
    random = numpy.random.default_rng(5)
    with open(os.path.join(HERE, "quantized", "gguf.txt"), "w") as file:
        for name, places in SCALES.items():
            kind = gguf.GGMLQuantizationType[name]
            size = gguf.GGML_QUANT_SIZES[kind][1]
            for _ in range(2):
                block = random.integers(0, 256, size, dtype=numpy.uint8)
                for place in places:
                    block[place:place + 2] = numpy.frombuffer(numpy.float16(random.normal() / 16).tobytes(), dtype=numpy.uint8)
                numbers = gguf.quants.dequantize(block.reshape(1, -1), kind).reshape(-1)
                file.write("%d %s %s\n" % (kind.value, block.tobytes().hex(), " ".join("%.9g" % x for x in numbers)))


main()
