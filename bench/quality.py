#!/usr/bin/env python3
"""What 8 and 16 bits cost in quality: each dtype beside float32, on the real models, through build/mg.

    quality.py --data CSV --minilm DIR --bert DIR [--rows 400] [--texts 300] [--masks 1200] [--cpu LEVEL] [--results FILE]

Needs nothing but Python and mg (make mg). Rows are those of agnews.py: the file's, in the order of
random.Random(0).shuffle. Three questions, each of a dtype's answers beside float32's:

  embed      the cosine of each text's vector to the float32 one: mean and worst
  fill-mask  one word of each text masked: the share of texts whose most likely token is the same
  classify   zero-shot accuracy over AG News' four classes, as the SQL benchmark has it, and its difference in points

The last column says whether int8 keeps what the project promises: mean cosine 0.9985, worst 0.997, agreement
97 %, accuracy within 1 point. Exits with 1 when it does not. Of 300 masks the agreement is uncertain by a point, of
1200 by 0.4: hence more of them. Takes some minutes on a core; --cpu forces the kernels of a lower level, which then
are compared with float32 of the same level.
"""

import argparse
import csv
import datetime
import json
import math
import os
import random
import subprocess
import sys

import compare

HERE = os.path.dirname(os.path.abspath(__file__))
DTYPES = ["f32", "bf16", "int8"]
NAMES = ["world", "sports", "business", "technology"]  # in the order of the file's classes 1 to 4
TEMPLATE = "{mask} news: {text}"
AT_ONCE = 100  # texts of one command line
LEAST_MEAN, LEAST_WORST, LEAST_AGREEMENT, MOST_POINTS = 0.9985, 0.997, 0.97, 0.01


def run(arguments, model, command, dtype, texts, *before, max_tokens=0, **settings):
    """The lines that mg prints."""
    options = json.dumps({"dtype": dtype} | ({"max_tokens": max_tokens} if max_tokens else {}))
    lines = []
    for at in range(0, len(texts), AT_ONCE):
        output = subprocess.run([arguments.mg, command, model, *before, *texts[at:at + AT_ONCE]], check=False,
                                stdout=subprocess.PIPE, encoding="utf-8",
                                env={**os.environ, "MG_OPTIONS": options, "MG_CPU": arguments.cpu, **settings})
        if output.returncode != 0:
            sys.exit(f"mg {command} failed")
        lines += output.stdout.splitlines()
    return lines


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def embed(arguments, texts):
    vectors = {dtype: [json.loads(line) for line in run(arguments, arguments.minilm, "embed", dtype, texts)]
               for dtype in DTYPES}
    for dtype in DTYPES[1:]:
        cosines = [cosine(a, b) for a, b in zip(vectors[dtype], vectors["f32"])]
        mean, worst = sum(cosines) / len(cosines), min(cosines)
        yield (dtype, f"cosine of {len(texts)} vectors to float32", f"mean {mean:.5f}, worst {worst:.5f}",
               mean >= LEAST_MEAN and worst >= LEAST_WORST)


def mask_a_word(text, chance):
    """One of the first 40 words, of letters only, becomes the mask; None when there is no such word."""
    words = text.split()
    places = [i for i, word in enumerate(words[:40]) if word.isalpha()]
    if not places:
        return None
    words[chance.choice(places)] = "[MASK]"
    return " ".join(words)


def fill_mask(arguments, texts):
    best = {dtype: [line.split()[2] for line in run(arguments, arguments.bert, "fill-mask", dtype, texts, MG_TOP_K="1")]
            for dtype in DTYPES}
    for dtype in DTYPES[1:]:
        same = sum(a == b for a, b in zip(best[dtype], best["f32"]))
        yield (dtype, f"top-1 agreement of {len(texts)} masks", f"{100 * same / len(texts):.1f} %",
               same >= LEAST_AGREEMENT * len(texts) and len(best[dtype]) == len(texts))


def best_name(line):
    scores = line.split()
    return max(range(len(NAMES)), key=lambda i: float(scores[2 * i + 1]))


def classify(arguments, rows):
    texts = [row[2] for row in rows]
    right = [int(row[0]) - 1 for row in rows]
    accuracy = {}
    for dtype in DTYPES:
        names = [best_name(line) for line in run(arguments, arguments.bert, "classify", dtype, texts, ",".join(NAMES),
                                                 max_tokens=128, MG_TEMPLATE=TEMPLATE)]
        accuracy[dtype] = sum(a == b for a, b in zip(names, right)) / len(right)
    for dtype in DTYPES[1:]:
        off = accuracy[dtype] - accuracy["f32"]
        yield (dtype, f"accuracy over {len(rows)} rows", f"{100 * accuracy[dtype]:.1f} %, float32 "
               f"{100 * accuracy['f32']:.1f} %: {100 * off:+.1f} points", abs(off) <= MOST_POINTS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "minilm", "bert"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--mg", default=os.path.join(HERE, "..", "build", "mg"))
    parser.add_argument("--texts", type=int, default=300, help="of embed")
    parser.add_argument("--masks", type=int, default=1200, help="of fill-mask")
    parser.add_argument("--rows", type=int, default=400, help="of classify")
    parser.add_argument("--cpu", default="", help="a level of mg's kernels; the CPU's best")
    parser.add_argument("--results")
    arguments = parser.parse_args()
    with open(arguments.data, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    random.Random(0).shuffle(rows)
    texts = [row[2] for row in rows[:arguments.texts]]
    chance = random.Random(0)
    masked = [text for text in (mask_a_word(row[2], chance) for row in rows) if text is not None][:arguments.masks]

    commit = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True,
                            check=False).stdout.strip()
    level = arguments.cpu or "of the best level"
    lines = [f"{datetime.date.today()}, commit {commit}, {compare.cpu_name()}, kernels {level}; AG News descriptions; "
             "MiniLM embeds, BERT does the rest.", "",
             "| dtype | question | answer | as promised |", "|---|---|---|---|"]
    kept = True
    print("\n".join(lines), flush=True)
    for answers in (embed(arguments, texts), fill_mask(arguments, masked), classify(arguments, rows[:arguments.rows])):
        for dtype, question, answer, fine in answers:
            kept = kept and (fine or dtype != "int8")
            lines.append(f"| {dtype} | {question} | {answer} | {'yes' if fine else '**no**'} |")
            print(lines[-1], flush=True)
    if arguments.results:
        with open(arguments.results, "w", encoding="utf-8") as file:
            file.write("# Quality of 8 and 16 bits\n\n" + "\n".join(lines) + "\n")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
