#!/usr/bin/env python3
"""maskgen's library beside its peers: alternates `mg bench` and reference.py, a process each, and prints ratios.

    compare.py --data CSV --cache DIR --minilm DIR --bert DIR [--rounds 3] [--threads 1] [--results FILE]

Run it with the Python that has the peers installed (README.md); make mg first. Each round measures every engine
once; a ratio is taken within a round, so that a slow minute of the machine slows both sides. What is printed is the
median over rounds, with the smallest and largest. --results also writes a table in Markdown.
"""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = {"embed": ["embed/onnxruntime/f32", "embed/onnxruntime/int8", "embed/sentence-transformers/f32"],
         "classify": ["classify/onnxruntime/f32", "classify/onnxruntime/int8"]}


def run(command, **settings):
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **settings})
    return [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]


def rate(lines, task):
    """Texts per second of the best run, by the process's own time: other processes' time is not the engine's."""
    runs = [line for line in lines if line["task"] == task]
    return max(line["texts"] / line["cpu_seconds"] for line in runs)


def latency(lines, task):
    return min(line["p50_ms"] for line in lines if line["task"] == task + "_short")


def measure(arguments, task, lines_file):
    model = arguments.minilm if task == "embed" else arguments.bert
    options = "{}" if task == "embed" else '{"max_tokens": 62}'
    mine = run([arguments.mg, "bench", model, task, lines_file], MG_THREADS=str(arguments.threads), MG_OPTIONS=options)
    results = {"maskgen": mine}
    for case in PEERS[task]:
        results[case.split("/", 1)[1]] = run(
            [sys.executable, os.path.join(HERE, "reference.py"), "measure", "--data", arguments.data, "--cache",
             arguments.cache, "--minilm", arguments.minilm, "--bert", arguments.bert, "--case", case, "--rounds", "1",
             "--threads", str(arguments.threads)])
    return results


def cpu_name():
    with open("/proc/cpuinfo", encoding="ascii") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    with open("/proc/cpuinfo", encoding="ascii") as file:
        flags = next((line.split() for line in file if line.startswith("flags")), [])
    widest = next((flag for flag in ("amx_int8", "avx512_vnni", "avx512f", "avx2") if flag in flags), "no vectors")
    return f"{len(names)} x {names[0]} ({widest})"


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def table(rounds, tasks):
    yield "| task | engine | texts/s | maskgen is faster by | short text, ms |"
    yield "|---|---|---|---|---|"
    for task in tasks:
        for engine in rounds[0][task]:
            rates = [rate(one[task][engine], task) for one in rounds]
            ratios = [rate(one[task]["maskgen"], task) / rate(one[task][engine], task) for one in rounds]
            try:
                short = spread([latency(one[task][engine], task) for one in rounds])
            except ValueError:
                short = ""
            yield f"| {task} | {engine} | {spread(rates)} | {'' if engine == 'maskgen' else spread(ratios)} | {short} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "cache", "minilm", "bert"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--mg", default=os.path.join(HERE, "..", "build", "mg"))
    parser.add_argument("--task", action="append", choices=sorted(PEERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results")
    arguments = parser.parse_args()
    tasks = arguments.task or sorted(PEERS, reverse=True)

    lines = {}
    for task, n in (("embed", 1000), ("classify", 200)):
        lines[task] = os.path.join(arguments.cache, f"{task}-{n}.txt")
        with open(lines[task], "w", encoding="utf-8") as file:
            subprocess.run([sys.executable, os.path.join(HERE, "reference.py"), "lines", "--data", arguments.data,
                            "--texts", str(n)], check=True, stdout=file)
    rounds = []
    for number in range(arguments.rounds):
        rounds.append({task: measure(arguments, task, lines[task]) for task in tasks})
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
    commit = subprocess.run(["git", "-C", HERE, "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True,
                            check=False).stdout.strip()
    text = "\n".join([f"{datetime.date.today()}, commit {commit}, {cpu_name()}, {arguments.threads} thread(s), "
                      f"{arguments.rounds} rounds: median (least-most), by CPU time of each process.", "",
                      *table(rounds, tasks)])
    print(text)
    if arguments.results:
        with open(arguments.results, "w", encoding="utf-8") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()
