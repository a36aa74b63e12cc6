#!/usr/bin/env python3
"""maskgen beside its peers: alternates `mg bench`, SQL through a server and reference.py, a process each.

    compare.py --data CSV --cache DIR --minilm DIR --bert DIR [--host DIRECTORY [--psql PSQL]]
               [--rounds 3] [--threads 1] [--task embed] [--results FILE]

Run it with the Python that has the peers installed (README.md); make mg first. Each round measures every engine
once; a ratio is taken within a round, so that a slow minute of the machine slows both sides. What is printed is the
median over rounds, with the smallest and largest. One thread is measured by the CPU time of the engine's own
process, several by the wall clock. --results also writes the tables in Markdown. compare.sh makes the server for it.
"""

import argparse
import datetime
import os
import statistics
import subprocess
import sys

from server import run, run_library

HERE = os.path.dirname(os.path.abspath(__file__))
OWN = ["maskgen/f32", "maskgen/int8"]
SQL = ["maskgen-sql/f32", "maskgen-sql/int8"]
PEERS = {"embed": ["onnxruntime/f32", "onnxruntime/int8", "sentence-transformers/f32"],
         "classify": ["onnxruntime/f32", "onnxruntime/int8"]}
TEXTS = {"embed": 1000, "classify": 200}


def rate(lines, task, clock):
    """Texts per second of the best run."""
    return max(line["texts"] / line[clock] for line in lines if line["task"] == task)


def latency(lines, task, clock):
    """A server's is by the wall in any case: its statement runs in another process."""
    key = "cpu_p50_ms" if clock == "cpu_seconds" else "p50_ms"
    return min((line.get(key, line["p50_ms"]) for line in lines if line["task"] == task + "_short"), default=None)


def measure(arguments, task, engine, lines_file):
    name, precision = engine.split("/")
    model = arguments.minilm if task == "embed" else arguments.bert
    if name == "maskgen":
        return run_library(arguments.mg, model, task, lines_file, precision, arguments.threads)
    if name == "maskgen-sql":
        return run([sys.executable, os.path.join(HERE, "server.py"), "--psql", arguments.psql, "--host", arguments.host,
                    "--model", model, "--task", task, "--lines", lines_file, "--dtype", precision, "--threads",
                    str(arguments.threads), "--mg", arguments.mg])
    return run([sys.executable, os.path.join(HERE, "reference.py"), "measure", "--data", arguments.data, "--cache",
                arguments.cache, "--minilm", arguments.minilm, "--bert", arguments.bert, "--case", f"{task}/{engine}",
                "--rounds", "1", "--threads", str(arguments.threads)])


def cpu_name():
    with open("/proc/cpuinfo", encoding="ascii") as file:
        lines = [line.partition(":") for line in file]
    names = [value.strip() for key, _, value in lines if key.startswith("model name")]
    flags = next((value.split() for key, _, value in lines if key.startswith("flags")), [])
    widest = next((flag for flag in ("amx_int8", "avx512_vnni", "avx512f", "avx2") if flag in flags), "no vectors")
    return f"{len(names)} x {names[0]} ({widest})"


def spread(values, digits=2):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def table(rounds, task, clock):
    """Texts per second, and beside each engine how many times the peers' that is."""
    engines = list(rounds[0][task])
    peers = [engine for engine in engines if engine in PEERS[task]]
    yield f"| {task} | texts/s | " + "".join(f"x {peer} | " for peer in peers) + "short text, ms |"
    yield "|---|---|" + "---|" * (len(peers) + 1)
    rates = {engine: [rate(one[task][engine], task, clock) for one in rounds] for engine in engines}
    for engine in engines:
        ratios = ["" if peer == engine else spread([a / b for a, b in zip(rates[engine], rates[peer])])
                  for peer in peers]
        short = [latency(one[task][engine], task, clock) for one in rounds]
        yield " | ".join([f"| {engine}", spread(rates[engine], 1), *ratios,
                          "" if None in short else spread(short), ""]).rstrip()


def shares(rounds, task, clock):
    """Where the time goes: phases of the library as it counts them, and what a server adds to it."""
    for precision in ("f32", "int8"):
        own, sql = f"maskgen/{precision}", f"maskgen-sql/{precision}"
        if own not in rounds[0][task]:
            continue
        lines = [line for one in rounds for line in one[task][own] if line["task"] == task and "shares" in line]
        text = ", ".join(f"{phase} {100 * statistics.median(line['shares'][phase] for line in lines):.1f} %"
                         for phase in (lines[0]["shares"] if lines else ()))
        if sql in rounds[0][task]:
            beside = [line for one in rounds for line in one[task][sql]]
            kept = [100 * line["library"][clock] / line[clock] for line in beside if line["task"] == task]
            text += f"; through SQL {spread(kept, 1)} % of the library's throughput"
            more = [line["p50_ms"] - line["library"]["p50_ms"] for line in beside if line["task"] == task + "_short"]
            text += f", and a short text takes {spread(more)} ms more" if more else ""
        yield f"- {task}, {precision}: {text}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "cache", "minilm", "bert"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--mg", default=os.path.join(HERE, "..", "build", "mg"))
    parser.add_argument("--host", help="socket directory of a server with maskgen, for the engines in SQL")
    parser.add_argument("--psql", default="psql")
    parser.add_argument("--task", action="append", choices=sorted(PEERS))
    parser.add_argument("--skip", action="append", default=[], help="an engine to leave out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results")
    arguments = parser.parse_args()
    tasks = arguments.task or sorted(PEERS, reverse=True)
    clock = "cpu_seconds" if arguments.threads == 1 else "seconds"

    lines = {}
    for task in tasks:
        lines[task] = os.path.join(arguments.cache, f"{task}-{TEXTS[task]}.txt")
        with open(lines[task], "w", encoding="utf-8") as file:
            subprocess.run([sys.executable, os.path.join(HERE, "reference.py"), "lines", "--data", arguments.data,
                            "--texts", str(TEXTS[task])], check=True, stdout=file)
    rounds = []
    for number in range(arguments.rounds):
        rounds.append({task: {engine: measure(arguments, task, engine, lines[task])
                              for engine in OWN + (SQL if arguments.host else []) + PEERS[task]
                              if engine not in arguments.skip} for task in tasks})
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
    commit = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True,
                            check=False).stdout.strip()
    by = "CPU time of each engine's process" if clock == "cpu_seconds" else "the wall clock"
    text = [f"{datetime.date.today()}, commit {commit}, {cpu_name()}, {arguments.threads} thread(s), "
            f"{arguments.rounds} rounds: median (least-most), by {by}."]
    for task in tasks:
        text += ["", *table(rounds, task, clock)]
    text += ["", "Where the time goes:"]
    for task in tasks:
        text += shares(rounds, task, clock)
    print("\n".join(text))
    if arguments.results:
        with open(arguments.results, "w", encoding="utf-8") as file:
            file.write("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
