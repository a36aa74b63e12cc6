#!/usr/bin/env python3
"""Writes what the reference says about the two real models of the default set-up.

    make_real.py --minilm DIRECTORY --bert DIRECTORY

The directories are those that scripts/models.sh puts into the cache. The texts are written for this file.
"""

import argparse
import hashlib
import os

import numpy

from oracle import Golden, Reference, write_embeddings, write_head, write_labels, write_masks

HERE = os.path.dirname(os.path.abspath(__file__))

RAMBLE = ("On the third morning the ferry was late again, so we walked along the harbour wall and counted the boats "
          "that had come in overnight. One carried crates of lemons, another nothing but a dog asleep on a coil of rope. ")
SENTENCES = [
    "",
    "shoes",
    "red shoes",
    "A pair of crimson trainers for running on wet roads.",
    "The quarterly report was late because the accounting system had lost two invoices.",
    "Die Bremsen des Zuges quietschten, als er in den Bahnhof einfuhr.",
    "Le café crème coûte 3,50 € près de la gare – c'est trop cher !",
    "東京の天気は晴れです。",
    "Привет, как дела? Всё хорошо 🙂",
    "?!... -- (;) \"'\" [] {} <> \\ / @ # $ % ^ & * _ + = ~ `",
    "SELECT id, body FROM posts WHERE created_at > now() - interval '1 day';",
    "  white\tspace \n everywhere \r\n ",
    "Pneumonoultramicroscopicsilicovolcanoconiosis is hard to spell, and " + "x" * 120 + " is not a word.",
    "My dog refuses to eat anything but salmon. What should I feed him instead?",
    "Which food is good for a dog that only wants fish?",
    RAMBLE * 8 + "Nobody will ever read this last sentence.",
]
PAIRS = [(1, 2), (2, 3), (2, 4), (3, 13), (13, 14), (4, 10), (5, 6), (7, 8), (0, 9), (12, 15)]

MASKED = [
    "The capital of France is [MASK].",
    "Paris is the [MASK] of France.",
    "She poured herself a cup of hot [MASK].",
    "The [MASK] barked at the postman all morning.",
    "He forgot his umbrella, and of course it began to [MASK].",
    "Water freezes at [MASK] degrees celsius.",
    "The surgeon washed [MASK] hands before the operation.",
    "After the match the [MASK] thanked the fans.",
    "A [MASK] has four legs and a [MASK].",
    "[MASK] wrote a letter to the [MASK] of the newspaper.",
    "[MASK]",
    "The train from Berlin to [MASK] was delayed by snow; passengers waited for three [MASK] on the platform.",
]

ITEMS = [
    "Ministers from nine countries met in Geneva to renew the ceasefire.",
    "Rebels near the border released two aid workers after a month.",
    "The goalkeeper saved a penalty in the last minute of the final.",
    "She won the marathon in a personal best despite the heat.",
    "The airline will cut four hundred jobs to bring down its debt.",
    "Oil prices fell for a fifth day as supplies grew faster than demand.",
    "A new phone chip doubles battery life, its makers say.",
    "Astronomers found water vapour on a planet of another star.",
    "The store sold out of running shoes within an hour.",
    "",
    "Voters go to the polls on Sunday. " * 80,
    "The coach [MASK] his team.",
]
SETS = [
    ("{mask} news: {text}", ["world", "sports", "business", "technology"]),
    ("{text} This is about {mask}.", ["foreign policy", "football", "stock market", "space exploration", "smartphones"]),
]


def model_sum(directory):
    with open(os.path.join(directory, "model.safetensors"), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def expect_minilm(directory):
    golden = Golden("all-MiniLM-L6-v2", "make_real.py")
    reference = Reference(directory, masked=False, max_tokens=256)
    golden.line("sha256", model_sum(directory))
    write_head(golden, reference, SENTENCES)
    vectors = write_embeddings(golden, directory, reference, SENTENCES, "mean", True, {})
    for a, b in PAIRS:
        golden.line("cosine", a, b, "%.9g" % numpy.dot(vectors[a].astype(float), vectors[b].astype(float)))
    golden.save(os.path.join(HERE, "real", "minilm.txt"))


def expect_bert(directory):
    golden = Golden("BERT base, uncased", "make_real.py")
    reference = Reference(directory, masked=True)
    golden.line("sha256", model_sum(directory))
    write_head(golden, reference, MASKED + ITEMS)
    write_masks(golden, reference, MASKED)
    write_labels(golden, reference, SETS, MASKED + ITEMS, range(len(MASKED), len(MASKED) + len(ITEMS)))
    golden.save(os.path.join(HERE, "real", "bert.txt"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minilm", metavar="DIRECTORY")
    parser.add_argument("--bert", metavar="DIRECTORY")
    arguments = parser.parse_args()
    os.makedirs(os.path.join(HERE, "real"), exist_ok=True)
    if arguments.minilm:
        expect_minilm(arguments.minilm)
    if arguments.bert:
        expect_bert(arguments.bert)
