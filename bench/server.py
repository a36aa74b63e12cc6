#!/usr/bin/env python3
r"""maskgen through a server: the rows of `mg bench`, measured by one session of psql. JSON lines, as it prints.

    server.py --psql PSQL --host DIRECTORY --model DIRECTORY --task embed|classify --lines FILE
              [--dtype f32] [--threads 1] [--rounds 3] [--mg MG]

CPU time is that of the session's process and its threads, and of parallel workers that ended meanwhile, as the
kernel counts it: run this on the server's machine. The server must have maskgen.result_cache_size = 0, or a second
round would measure the cache. The time of a short text is a statement's whole way, as psql's \timing says it.

With --mg, each round has `mg bench` run before it, and its line says the median of that ("library"): the machine is busier
with others for minutes at a time, so what a server costs can only be told from runs that follow each other.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

SHORT_CALLS = 200
STATEMENTS = {
    "embed": "SELECT count(maskgen.embed('bench', body)) FROM bench_lines",
    "classify": "SELECT count(maskgen.classify('bench', body, '{world,sports,business,technology}')) FROM bench_lines"}
SHORT = {"embed": "SELECT maskgen.embed('bench', body) IS NULL FROM bench_short"}
TICK = os.sysconf("SC_CLK_TCK")


class Session:
    """psql at the other end of two pipes."""

    def __init__(self, psql, host):
        self.process = subprocess.Popen(
            [psql, "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--host", host,
             "--username=postgres", "--dbname=postgres"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = int(self.run("SELECT pg_backend_pid()")[0])
        self.postmaster = parent(self.pid)

    def run(self, statement):
        self.process.stdin.write(statement + ";\n\\echo END\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == "END\n":
                return lines
            lines.append(line.rstrip("\n"))
        raise SystemExit(f"psql ended at: {statement}")

    def cpu_seconds(self):
        return sum(stat(self.pid)[11:13]) / TICK + sum(stat(self.postmaster)[13:15]) / TICK


def stat(pid):
    """Numbers of /proc/PID/stat from its third field on; [1] the parent, [11:15] utime, stime, cutime, cstime."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return [0] + [int(field) for field in fields[1:]]


def parent(pid):
    return stat(pid)[1]


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def model_options(task, dtype):
    return json.dumps({"dtype": dtype} | ({"max_tokens": 62} if task == "classify" else {}))


def run(command, **settings):
    """The JSON lines that a program prints."""
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **settings})
    return [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]


def run_library(mg, model, task, lines, dtype, threads):
    return run([mg, "bench", model, task, lines], MG_THREADS=str(threads), MG_OPTIONS=model_options(task, dtype))


def library(arguments):
    """The same texts without a server: times of the median run, and those of a short text."""
    lines = run_library(arguments.mg, arguments.model, arguments.task, arguments.lines, arguments.dtype, arguments.threads)
    times = {clock: statistics.median(line[clock] for line in lines if line["task"] == arguments.task)
             for clock in ("seconds", "cpu_seconds")}
    return times | {"p50_ms": line["p50_ms"] for line in lines if line["task"] == arguments.task + "_short"}


def fill(session, arguments):
    with open(arguments.lines, encoding="utf-8") as file:
        lines = file.read().splitlines()
    session.run("SET standard_conforming_strings = on")
    session.run("SET client_min_messages = warning; DROP TABLE IF EXISTS bench_lines, bench_short")
    session.run("CREATE TABLE bench_lines (body text)")
    session.run("INSERT INTO bench_lines VALUES " + ", ".join(f"({literal(line)})" for line in lines))
    session.run("CREATE TABLE bench_short AS SELECT 'red shoes' AS body")
    session.run("ANALYZE bench_lines, bench_short")
    session.run("SELECT maskgen.drop_model(name) FROM maskgen.maskgen_models WHERE name = 'bench'")
    options = literal(model_options(arguments.task, arguments.dtype))
    session.run(f"SELECT maskgen.create_model('bench', {literal(arguments.model)}, {options})")
    session.run(f"SET maskgen.threads = {arguments.threads}")
    session.run("SET max_parallel_workers_per_gather = 0")
    return len(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("psql", "host", "model", "lines"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--task", required=True, choices=sorted(STATEMENTS))
    parser.add_argument("--dtype", default="f32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mg")
    arguments = parser.parse_args()

    session = Session(arguments.psql, arguments.host)
    if session.run("SELECT pg_size_bytes(current_setting('maskgen.result_cache_size'))") != ["0"]:
        raise SystemExit("maskgen.result_cache_size is not 0")
    n = fill(session, arguments)
    known = {"engine": "maskgen-sql", "precision": arguments.dtype, "threads": arguments.threads}
    statement = STATEMENTS[arguments.task]
    session.run(statement + " TABLESAMPLE SYSTEM (5)")
    for _ in range(arguments.rounds):
        beside = {"library": library(arguments)} if arguments.mg else {}
        start, cpu_start = time.perf_counter(), session.cpu_seconds()
        answer = session.run(statement)
        seconds, cpu_seconds = time.perf_counter() - start, session.cpu_seconds() - cpu_start
        if answer != [str(n)]:
            raise SystemExit(f"{n} lines, but the answer is {answer}")
        print(json.dumps(known | {"task": arguments.task, "texts": n, "seconds": round(seconds, 6),
                                  "cpu_seconds": round(cpu_seconds, 6)} | beside), flush=True)
    if arguments.task in SHORT:
        beside = {"library": library(arguments)} if arguments.mg else {}
        session.run("\\timing on\nSELECT 1")
        times = sorted(float(line.split()[1]) for _ in range(SHORT_CALLS)
                       for line in session.run(SHORT[arguments.task]) if line.startswith("Time: "))
        print(json.dumps(known | {"task": arguments.task + "_short", "p50_ms": round(times[SHORT_CALLS // 2], 4),
                                  "p95_ms": round(times[SHORT_CALLS * 95 // 100], 4)} | beside), flush=True)
    session.run("DROP TABLE bench_lines, bench_short")
    session.run("SELECT maskgen.drop_model('bench')")


if __name__ == "__main__":
    main()
