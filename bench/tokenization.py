"""Measures tokenising beside the "tokenizers" package, on one thread, and compares tokens and places over random texts.

    make bench && python3 bench/tokenization.py TEXTS DIR...              CPU seconds of both over the lines of TEXTS
    make bench && python3 bench/tokenization.py --compare N DIR...        N random texts each: tokens, and places in characters
    make bench && python3 bench/tokenization.py --long MB DIR...          one text of one letter: CPU seconds at MB, a half and a quarter of it

DIR has a tokenizer.json. Needs the packages "tokenizers" and nothing else; prints a row of a table for each DIR.
"""
import json
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.environ.get("MG_TOKENIZE", os.path.join(HERE, "../build/bench/tokenize"))
sys.path.insert(0, os.path.join(HERE, "../test/golden"))
ROUNDS = 3


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def reference(path):
    made = Tokenizer.from_file(os.path.join(path, "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


def own(path, texts, rounds):
    said = subprocess.run([PROGRAM, path, texts, str(rounds)], check=True, capture_output=True).stdout
    return json.loads(said)


def speed(texts, paths):
    with open(texts, encoding="utf-8", newline="\n") as file:
        lines = [line.rstrip("\n") for line in file.read().split("\n")]
    if lines[-1] == "":
        lines.pop()
    for path in paths:
        made, best = reference(path), 1e30
        made.encode(lines[0], add_special_tokens=False)
        for _ in range(ROUNDS):
            start, n = cpu(), 0
            for line in lines:
                n += len(made.encode(line, add_special_tokens=False).ids)
            best = min(best, cpu() - start)
        ours = own(path, texts, ROUNDS)
        note = "" if n == ours["tokens"] else " (tokens differ: %d and %d)" % (n, ours["tokens"])
        print("| %s | %d | %.2f | %.2f | %.1f |%s" % (os.path.basename(path.rstrip("/")), n, ours["bytes"] / best / 1e6,
                                                      ours["bytes"] / ours["cpu_seconds"] / 1e6, best / ours["cpu_seconds"], note), flush=True)


def compare(n, paths):
    from byte_level import MORE
    from tokenizer import WRITTEN, random_texts
    texts = (WRITTEN + MORE + list(random_texts(n)))[:n]
    for path in paths:
        made = reference(path)
        with subprocess.Popen([PROGRAM, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            differing, tokens = [], 0
            for text in texts:
                encoded = text.encode()
                process.stdin.write(struct.pack("<I", len(encoded)) + encoded)
                process.stdin.flush()
                count = struct.unpack("<I", process.stdout.read(4))[0]
                got = struct.unpack("<%dI" % (3 * count), process.stdout.read(12 * count))
                said = made.encode(text, add_special_tokens=False)
                # Characters by bytes.
                at, place = {0: 0}, 0
                for i, character in enumerate(text):
                    place += len(character.encode())
                    at[place] = i + 1
                ids = list(got[0::3])
                places = [(at.get(a, -1), at.get(b, -1)) for a, b in zip(got[1::3], got[2::3])]
                tokens += count
                if ids != said.ids or places != said.offsets:
                    differing.append((text, ids == said.ids))
            process.stdin.close()
        print("| %s | %d | %d | %d |" % (os.path.basename(path.rstrip("/")), len(texts), tokens, len(differing)), flush=True)
        for text, same in sorted(differing, key=lambda d: len(d[0]))[:5]:
            print("  %s %r" % ("places" if same else "tokens", text[:200]))


def long(megabytes, paths):
    for path in paths:
        row = []
        for part in (4, 2, 1):
            with tempfile.NamedTemporaryFile("w") as file:
                file.write("a" * (megabytes * 1000000 // part))
                file.flush()
                row.append(own(path, file.name, 1)["cpu_seconds"])
        print("| %s | %s |" % (os.path.basename(path.rstrip("/")), " | ".join("%.2f" % r for r in row)), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--compare":
        compare(int(sys.argv[2]), sys.argv[3:])
    elif sys.argv[1] == "--long":
        long(int(sys.argv[2]), sys.argv[3:])
    else:
        speed(sys.argv[1], sys.argv[2:])
