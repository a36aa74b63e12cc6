#!/usr/bin/env python3
r"""What the result cache costs and gives, in microseconds of a session's CPU time for each row.

    result_cache.py --psql PSQL --host DIRECTORY --model DIRECTORY [--rows 20000] [--rounds 5]

Run it on the server's machine as its user. The cases alternate; printed are the median, the least and the largest. A model
that computes fast, as those of test/golden/tiny, shows what surrounds a computation best.

    miss, off     distinct texts, computed without a cache       batches, and row by row
    miss          the same with an empty cache: each result is looked for, computed, and kept
    hit           the same again
    again         one text, row after row: what the call site itself remembers
    other         two texts in turn, which it does not, from the cache
"""

import argparse
import statistics

from server import Session, literal

HITS = 200000
TEXT = "'the wine of row ' || i || ' is red, as most wines of such rows are'"


def set_size(session, size):
    session.run(f"ALTER SYSTEM SET maskgen.result_cache_size = '{size}'")
    session.run("SELECT pg_reload_conf()")
    while session.run("SHOW maskgen.result_cache_size") != [size]:
        pass


def cases(rows):
    """Name, rows, size of the cache, what happens before, the statement."""
    repeats = HITS // rows
    for batching in ("on", "off"):
        switch = f"SET maskgen.enable_batching = {batching}"
        distinct = "SELECT count(maskgen.embed('bench', t)) FROM bench_rows"
        yield f"miss, off; batching {batching}", rows, "0", [switch], distinct
        yield f"miss; batching {batching}", rows, "256MB", [switch, "SELECT maskgen.result_cache_reset()"], distinct
        yield f"hit; batching {batching}", rows * repeats, "256MB", [switch, distinct], (
            f"SELECT count(maskgen.embed('bench', t)) FROM bench_rows, generate_series(1, {repeats})")
    switch = "SET maskgen.enable_batching = off"
    one = f"SELECT count(maskgen.embed('bench', t)) FROM (SELECT t FROM bench_rows WHERE i <= %d) x, generate_series(1, {HITS} / %d)"
    for size in ("0", "256MB"):
        yield f"again, {size}", HITS, size, [switch, one % (1, 1)], one % (1, 1)
    yield "other, 256MB", HITS, "256MB", [switch, one % (2, 2)], one % (2, 2)
    yield "no model at all", rows * repeats, "0", [switch], (
        f"SELECT count(length(t)) FROM bench_rows, generate_series(1, {repeats})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("psql", "host", "model"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--rows", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    session = Session(arguments.psql, arguments.host)
    session.run("SET client_min_messages = warning; DROP TABLE IF EXISTS bench_rows")
    session.run(f"CREATE TABLE bench_rows AS SELECT i, {TEXT} AS t FROM generate_series(1, {arguments.rows}) i")
    session.run("ANALYZE bench_rows; SET max_parallel_workers_per_gather = 0; SET jit = off")
    session.run("SELECT maskgen.drop_model(name) FROM maskgen.maskgen_models WHERE name = 'bench'")
    session.run(f"SELECT maskgen.create_model('bench', {literal(arguments.model)})")
    spent = {}
    for _ in range(arguments.rounds):
        for name, rows, size, before, statement in cases(arguments.rows):
            set_size(session, size)
            for line in before:
                session.run(line)
            start = session.cpu_seconds()
            session.run(statement)
            spent.setdefault(name, []).append(1e6 * (session.cpu_seconds() - start) / rows)
    for name, times in spent.items():
        print(f"{name:26} {statistics.median(times):8.2f}   ({min(times):.2f}-{max(times):.2f})")
    session.run("DROP TABLE bench_rows")
    session.run("SELECT maskgen.drop_model('bench')")
    session.run("ALTER SYSTEM RESET maskgen.result_cache_size")
    session.run("SELECT pg_reload_conf()")


if __name__ == "__main__":
    main()
