#!/usr/bin/env python3
"""Accuracy of zero-shot classification by the reference, for comparison with the SQL benchmark.

    agnews.py --data CSV --bert DIR [--rows 400] [--max-tokens 128] [--text description|title|both]

Rows in the order of random.Random(0).shuffle over all of them, the first ones. Prints a JSON line for each
template: the share of rows whose best label is right, by raw scores and less the labels' prior. The
definition is that of test/golden/README.md. Takes about a minute on one core for each template.
"""

import argparse
import csv
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "test", "golden"))

import numpy  # noqa: E402
import torch  # noqa: E402

from oracle import Labels, Reference  # noqa: E402

NAMES = ["world", "sports", "business", "technology"]  # in the order of the file's classes 1 to 4
TEMPLATES = ["{mask} news: {text}", "{text} This article is about {mask}."]
TEXT = {"description": lambda row: row[2], "title": lambda row: row[1], "both": lambda row: row[1] + " " + row[2]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--bert", required=True)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--text", choices=sorted(TEXT), default="description")
    parser.add_argument("--template", action="append", help="only these; may be repeated")
    arguments = parser.parse_args()
    with open(arguments.data, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    random.Random(0).shuffle(rows)
    rows = rows[:arguments.rows]
    right = numpy.array([int(row[0]) - 1 for row in rows])
    reference = Reference(arguments.bert, masked=True, max_tokens=arguments.max_tokens)
    for template in arguments.template or TEMPLATES:
        labels = Labels(reference, template, NAMES)
        raw = numpy.array([labels.raw(TEXT[arguments.text](row), torch.float32) for row in rows])
        score = raw - labels.prior(torch.float32)
        print(json.dumps({"template": template, "text": arguments.text, "rows": len(rows),
                          "max_tokens": arguments.max_tokens, "raw": float((raw.argmax(axis=1) == right).mean()),
                          "calibrated": float((score.argmax(axis=1) == right).mean())}), flush=True)


if __name__ == "__main__":
    main()
