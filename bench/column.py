#!/usr/bin/env python3
"""Columns that stay embedded: what they cost those who write and those who do something else, and how fast they are filled.

usage: bench/column.py --psql "psql -h /tmp -p 5432 -U postgres" --pgbench "pgbench -h /tmp -p 5432 -U postgres" --database bench --model NAME --texts FILE

The database has the extension and the model; tables named column_bench_* are made in it. FILE has a text a line. The server wants
maskgen.embed_workers = 2 for the last part, which sets it. Rounds alternate; medians of them are printed.
"""
import argparse
import glob
import os
import re
import shlex
import statistics
import subprocess
import tempfile
import time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--psql", default="psql")
    parser.add_argument("--pgbench", default="pgbench")
    parser.add_argument("--database", default="postgres")
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--texts", required=True)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=8)
    args = parser.parse_args()

    def sql(text):
        done = subprocess.run(shlex.split(args.psql) + ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", args.database], input=text, text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout.strip()

    def pgbench(script, clients=1, log=None):
        with tempfile.NamedTemporaryFile("w", suffix=".sql", dir=os.getcwd()) as file:
            file.write(script)
            file.flush()
            os.chmod(file.name, 0o644)
            out = subprocess.run(shlex.split(args.pgbench) + ["-n", "-c", str(clients), "-T", str(args.seconds), "-f", file.name]
                                 + (["-l", "--log-prefix", log] if log else []) + [args.database], capture_output=True, text=True, check=True).stdout
        return float(re.search(r"latency average = ([0-9.]+) ms", out).group(1))

    texts = [line.rstrip("\n") for line in open(args.texts, encoding="utf-8")][:args.rows]
    sql("SET client_min_messages = warning; DROP TABLE IF EXISTS column_bench_plain, column_bench_queue, column_bench_fill, column_bench_other;"
        "CREATE TABLE column_bench_plain (id bigserial PRIMARY KEY, body text); CREATE TABLE column_bench_queue (LIKE column_bench_plain INCLUDING ALL);"
        "CREATE TABLE column_bench_fill (id int PRIMARY KEY, body text); CREATE TABLE column_bench_other (id int PRIMARY KEY, n int);"
        "INSERT INTO column_bench_other SELECT i, 0 FROM generate_series(1, 100000) i;")
    sql("COPY column_bench_fill FROM STDIN;\n" + "".join("%d\t%s\n" % (i, t.replace("\\", " ").replace("\t", " ")) for i, t in enumerate(texts)) + "\\.\n")
    sql("SELECT maskgen.embed_column('column_bench_queue', 'body', model => '%s', index => false); SELECT maskgen.pause_embed_column('column_bench_queue');" % args.model)

    insert = "\\set n random(1, 1000000)\nINSERT INTO column_bench_%s (body) VALUES ('a text of some words, number ' || :n);\n"
    for commit in ("on", "off"):
        sql("ALTER DATABASE %s SET synchronous_commit = %s" % (args.database, commit))
        rounds = [(pgbench(insert % "plain"), pgbench(insert % "queue")) for _ in range(args.rounds)]
        plain, queue = (statistics.median(r[i] for r in rounds) for i in (0, 1))
        print("insert, synchronous_commit %s: plain %.3f ms, queued %.3f ms, ratio %.2f (%s)" % (commit, plain, queue, queue / plain,
              " ".join("%.2f" % (q / p) for p, q in rounds)))
    sql("ALTER DATABASE %s RESET synchronous_commit" % args.database)

    sql("SELECT maskgen.drop_embed_column('column_bench_queue')")
    off = "SET maskgen.enable_result_cache = off; SET maskgen.long_input = truncate; SET client_min_messages = error;"
    ratios = []
    for _ in range(args.rounds):
        start = time.time()
        sql(off + "SELECT count(vector_dims) FROM (SELECT maskgen.vector_dims(unnest(maskgen.embed_batch('%s', array_agg(body)))) FROM column_bench_fill) x" % args.model)
        batch = time.time() - start
        sql("SET client_min_messages = warning; SELECT maskgen.embed_column('column_bench_fill', 'body', model => '%s', mode => 'manual', index => false)" % args.model)
        start = time.time()
        sql(off + "CALL maskgen.embed_pending('column_bench_fill')")
        pending = time.time() - start
        sql("SELECT maskgen.drop_embed_column('column_bench_fill', drop_column => true)")
        ratios.append(batch / pending)
        print("fill %d rows: embed_batch %.0f rows/s, embed_pending %.0f rows/s, ratio %.2f" % (len(texts), len(texts) / batch, len(texts) / pending, batch / pending))
    print("fill: median of the ratios %.2f" % statistics.median(ratios))

    def p99(name):
        prefix = os.path.join(tempfile.gettempdir(), "column_bench_%s" % name)
        for old in glob.glob(prefix + ".*"):
            os.unlink(old)
        pgbench("\\set id random(1, 100000)\nUPDATE column_bench_other SET n = n + 1 WHERE id = :id;\n", clients=8, log=prefix)
        times = sorted(int(line.split()[2]) for file in glob.glob(prefix + ".*") for line in open(file))
        return times[len(times) * 99 // 100] / 1000, len(times) / args.seconds

    for _ in range(args.rounds):
        alone, rate = p99("alone")
        sql("SET client_min_messages = warning; SELECT maskgen.embed_column('column_bench_fill', 'body', model => '%s', index => false)" % args.model)
        time.sleep(1)
        beside, rate_beside = p99("beside")
        left = sql("SELECT NOT scanned = 1 OR pending > 0 FROM maskgen.maskgen_embedding_status WHERE target ~ 'column_bench_fill'")
        sql("SELECT maskgen.drop_embed_column('column_bench_fill', drop_column => true)")
        print("8 clients: p99 alone %.1f ms (%.0f/s), beside workers %.1f ms (%.0f/s), ratio %.2f; workers were busy to the end: %s"
              % (alone, rate, beside, rate_beside, beside / alone, left))


main()
