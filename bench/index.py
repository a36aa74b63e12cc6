#!/usr/bin/env python3
"""maskgen_hnsw beside pgvector's hnsw and hnswlib: the same vectors, the same server, the same settings.

    index.py --vectors FILE --queries FILE [--dims 384] [--part NAME ...] [--results PREFIX]
             [--rounds 3] [--seconds 5] [--clients 1 2]

FILE holds float32 rows without a head. PG_CONFIG names a server that has both extensions (README.md). A
cluster is made and thrown away. Engines take turns within each round, so that a slow minute of the machine meets all of
them; what is printed is the median, with the smallest and largest. --results writes PREFIX.md and PREFIX.svg.

Parts: build (time with one and two processes, memory, size), curve (recall against queries per second), insert (rows
per second into the finished index), update (rows per second of a statement that leaves the vectors as they are), filter (a
WHERE that keeps 50, 5, 0.5 and 0.05 % of the rows), radius (rows within a distance that the index misses, and how many the
planner expects; maskgen only).
"""

import argparse
import datetime
import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

import numpy

from compare import cpu_name
from server import Session

LIMIT = 10
PARTS = ["build", "curve", "filter", "radius", "update", "insert"]
ENGINES = {"pgvector": {"path": "public, pgvector", "method": "hnsw", "ef": "hnsw.ef_search", "efs": (10, 20, 40, 80, 160, 320)},
           "maskgen": {"path": "public, maskgen", "method": "maskgen_hnsw", "ef": "maskgen.ef_search",
                       "efs": (10, 20, 40, 80, 160, 320)}}
FILTERS = {"50 %": 5000, "5 %": 500, "0.5 %": 50, "0.05 %": 5}  # rows with bucket < n of 10000
# What makes pgvector go on until LIMIT is reached; maskgen does by itself
GO_ON = {"pgvector": {"as it is": "", "iterative": "SET hnsw.iterative_scan = strict_order"}, "maskgen": {"as it is": ""}}


# ---- the server


class Cluster:
    """A throw-away cluster; as root, everything of it belongs to the user postgres."""

    def __init__(self, pg_config, settings, directory=None):
        """With a directory, the cluster that is kept there, or a new one."""
        self.bin = subprocess.run([pg_config, "--bindir"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.kept, self.as_user = directory is not None, ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.kept and os.path.exists(os.path.join(directory, "data")):
            self.directory = directory
            self.start()
            return
        if self.kept:
            os.makedirs(directory)
        self.directory = directory or tempfile.mkdtemp(prefix="maskgen-index.", dir="/tmp")
        if self.as_user:
            subprocess.run(["chown", "postgres", self.directory], check=True)
        self.call("initdb", "-D", "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
                  "--no-instructions")
        settings = [f"{name} = {value}" for name, value in settings.items()]
        with open(os.path.join(self.directory, "data", "postgresql.conf"), "a", encoding="utf-8") as file:
            file.write("\n".join(["listen_addresses = ''", f"unix_socket_directories = '{self.directory}'", *settings]) + "\n")
        self.start()

    def start(self, *options):
        self.call("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", " ".join(options), "start")

    def call(self, program, *arguments):
        done = subprocess.run(self.as_user + [os.path.join(self.bin, program), *arguments], cwd=self.directory,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{program}: {done.stdout}")
        return done.stdout

    def session(self, engine=None):
        session = Session(os.environ.get("PSQL", os.path.join(self.bin, "psql")), self.directory)
        session.run("SET client_min_messages = warning")
        if engine is not None:
            session.run(f"SET search_path = {ENGINES[engine]['path']}")
        return session

    def bench(self, engine, script, seconds, clients, settings, transactions=None):
        """Transactions per second of a pgbench script, for so many seconds or transactions."""
        path = os.path.join(self.directory, "script.sql")
        with open(path, "w", encoding="utf-8") as file:
            file.write(script + "\n")
        os.chmod(path, 0o644)
        options = " ".join(f"-c {name}={value}" for name, value in
                           ({"search_path": ENGINES[engine]["path"].replace(" ", "")} | settings).items())
        text = subprocess.run([os.path.join(self.bin, "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", str(clients),
                               *(["-T", str(seconds)] if transactions is None else ["-t", str(transactions)]), "-f", path, "-h", self.directory, "-U", "postgres", "postgres"],
                              check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {"PGOPTIONS": options}).stdout
        return float(re.search(r"tps = ([0-9.]+) ", text).group(1))

    def stop(self):
        self.call("pg_ctl", "-D", "data", "-m", "fast", "-w", "stop")
        if not self.kept:
            subprocess.run(["rm", "-rf", self.directory], check=True)


# ---- data


def write_copy(path, vectors, first_id):
    """PostgreSQL's binary form of (id int, bucket int, embedding vector)."""
    dims = vectors.shape[1]
    buckets = numpy.random.default_rng(1).integers(0, 10000, len(vectors))
    with open(path, "wb") as file:
        file.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
        for i, (vector, bucket) in enumerate(zip(vectors.astype(">f4"), buckets)):
            file.write(struct.pack(">hiiiiihh", 3, 4, first_id + i, 4, bucket, 4 + 4 * dims, dims, 0) + vector.tobytes())
        file.write(struct.pack(">h", -1))
    os.chmod(path, 0o644)
    return buckets


def nearest(vectors, queries, keep=None):
    """Ids of the LIMIT nearest rows by cosine, of those that are kept."""
    ids = numpy.arange(len(vectors)) if keep is None else numpy.flatnonzero(keep)
    unit = vectors[ids] / numpy.linalg.norm(vectors[ids], axis=1, keepdims=True)
    wanted = min(LIMIT, len(ids))
    return [set(ids[numpy.argpartition(-(unit @ query), wanted - 1)[:wanted]]) for query in queries]


def load(cluster, engine, vectors, queries):
    session = cluster.session(engine)
    folder = cluster.directory
    buckets = write_copy(os.path.join(folder, "items"), vectors, 0)
    write_copy(os.path.join(folder, "queries"), queries, 0)
    for table, file in (("items", "items"), ("queries", "queries")):
        session.run(f"CREATE TABLE {engine}_{table} (id int PRIMARY KEY, bucket int, embedding vector({vectors.shape[1]}))")
        session.run(f"ALTER TABLE {engine}_{table} ALTER embedding SET STORAGE plain")
        session.run(f"COPY {engine}_{table} FROM '{os.path.join(folder, file)}' (FORMAT binary)")
    session.run(f"VACUUM (FREEZE, ANALYZE) {engine}_items, {engine}_queries")
    session.run("CHECKPOINT")
    return buckets


# ---- parts


class Memory:
    """The most private and shared memory, beyond shared_buffers, of a backend and its workers while a statement runs."""

    def __init__(self, postmaster, pause=0.05):
        self.postmaster, self.pause, self.most, self.ended = postmaster, pause, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.ended.wait(self.pause):
            total = 0
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                        if int(file.read().rpartition(")")[2].split()[1]) != self.postmaster:
                            continue
                    with open(f"/proc/{pid}/smaps", encoding="utf-8") as file:
                        total += pss_without_buffers(file)
                except OSError:
                    continue
            self.most = max(self.most, total)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def pss_without_buffers(smaps):
    """kB of a process; the server's own shared memory is one anonymous or /dev/zero mapping of many MB."""
    kilobytes, buffers = 0, False
    for line in smaps:
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            buffers = "/dev/zero" in line or "SYSV" in line or "anon_hugepage" in line
        elif line.startswith("Pss:") and not buffers:
            kilobytes += int(line.split()[1])
    return kilobytes


def build(cluster, engine, processes):
    """Seconds, and the most memory in MB, of a CREATE INDEX."""
    session = cluster.session(engine)
    session.run(f"DROP INDEX IF EXISTS {engine}_index")
    session.run(f"SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = {processes - 1}")
    session.run("SET min_parallel_table_scan_size = 0; CHECKPOINT")
    with Memory(session.postmaster) as memory:
        start = time.perf_counter()
        session.run(f"CREATE INDEX {engine}_index ON {engine}_items USING {ENGINES[engine]['method']} "
                    "(embedding vector_cosine_ops) WITH (m = 16, ef_construction = 64)")
        seconds = time.perf_counter() - start
    return seconds, memory.most / 1024


def statement(engine, number, where=""):
    return (f"SELECT id FROM {engine}_items {where} ORDER BY embedding <=> "
            f"(SELECT embedding FROM {engine}_queries WHERE id = {number}) LIMIT {LIMIT}")


def answers(session, engine, n_queries, where=""):
    return [[int(line) for line in session.run(statement(engine, number, where))] for number in range(n_queries)]


def recall(found, truth):
    return statistics.mean(len(truth_ids & set(ids)) / len(truth_ids) for ids, truth_ids in zip(found, truth) if truth_ids)


def curve_part(cluster, engines, truth, arguments):
    points = {}
    for engine in engines:
        session = cluster.session(engine)
        session.run(f"SELECT count(*) FROM {engine}_items; SET enable_seqscan = off")
        for ef in ENGINES[engine]["efs"]:
            session.run(f"SET {ENGINES[engine]['ef']} = {ef}")
            points[engine, ef] = {"recall": recall(answers(session, engine, len(truth)), truth)}
    for _ in range(arguments.rounds):
        for clients in arguments.clients:
            for ef in ENGINES["pgvector"]["efs"]:
                for engine in engines:
                    rate = cluster.bench(engine, f"\\set number random(0, {len(truth) - 1})\n{statement(engine, ':number')};",
                                         arguments.seconds, clients, {ENGINES[engine]["ef"]: ef, "enable_seqscan": "off"})
                    points[engine, ef].setdefault(clients, []).append(rate)
    return points


def filter_part(cluster, engines, vectors, queries, buckets, arguments):
    lines = []
    for name, below in FILTERS.items():
        where = f"WHERE bucket < {below}"
        truth = nearest(vectors, queries, buckets < below)
        for engine in engines:
            for way, setting in GO_ON[engine].items():
                session = cluster.session(engine)
                session.run(f"SET enable_seqscan = off; SET enable_sort = off; {setting}")
                start = time.perf_counter()
                found = answers(session, engine, len(queries), where)
                rate = len(queries) / (time.perf_counter() - start)
                full = statistics.mean(len(ids) >= len(ids_truth) for ids, ids_truth in zip(found, truth))
                lines.append((name, engine, way, recall(found, truth), full, rate))
    return lines


def insert_part(cluster, engine, n, arguments):
    """Rows per second, a statement each, into the finished index."""
    return cluster.bench(engine, f"INSERT INTO {engine}_items SELECT nextval('{engine}_id'), 0, embedding FROM "
                         f"{engine}_queries WHERE id = (SELECT floor(random() * {n}))::int;", arguments.seconds, 1, {})


UPDATED = 2000


def update_part(cluster, engine, number):
    """Rows per second of one statement that changes another column, with the index and in a table that has none."""
    session = cluster.session(engine)
    rates = []
    if number == 0:
        session.run(f"CREATE TABLE {engine}_bare (LIKE {engine}_items INCLUDING ALL EXCLUDING INDEXES)")
        session.run(f"INSERT INTO {engine}_bare SELECT * FROM {engine}_items; CREATE UNIQUE INDEX ON {engine}_bare (id)")
    for table in (f"{engine}_items", f"{engine}_bare"):
        # Full pages leave no room for HOT updates
        start = time.perf_counter()
        session.run(f"UPDATE {table} SET bucket = bucket WHERE id BETWEEN {number * UPDATED} AND {(number + 1) * UPDATED - 1}")
        rates.append(UPDATED / (time.perf_counter() - start))
    return rates


def radius_part(cluster, vectors, queries):
    """By share of all rows within the radius: rows that the index finds of those that there are, and those expected."""
    session = cluster.session("maskgen")
    session.run("SET max_parallel_workers_per_gather = 0")
    unit = vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)
    lines = []
    for share in (0.00005, 0.0005, 0.005, 0.05, 0.5):
        found, truth, expected, missing, chosen = 0, 0, [], 0, 0
        for query in queries:
            distances = numpy.sort(1 - unit @ (query / numpy.linalg.norm(query)))
            radius = float(distances[int(share * len(vectors))])
            where = f"embedding <<=>> maskgen.sphere('{list(map(float, query))}'::maskgen.vector, {radius!r})"
            counts = []
            for way in ("on", "off"):
                session.run(f"SET enable_indexscan = {way}; SET enable_seqscan = {'off' if way == 'on' else 'on'}")
                counts.append(int(session.run(f"SELECT count(*) FROM maskgen_items WHERE {where}")[0]))
            session.run("RESET enable_indexscan; RESET enable_seqscan")
            plan = "\n".join(session.run(f"EXPLAIN SELECT id FROM maskgen_items WHERE {where}"))
            expected.append(int(re.search(r"rows=(\d+)", plan).group(1)) / counts[1])
            chosen += "Index Scan" in plan
            found, truth, missing = found + counts[0], truth + counts[1], missing + (counts[0] < counts[1])
        lines.append((share, truth / len(queries), 1 - found / truth, missing, spread(expected, 2), chosen))
    return lines


def hnswlib_points(vectors, queries, truth, efs):
    import hnswlib

    index = hnswlib.Index(space="cosine", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), M=16, ef_construction=64, random_seed=1)
    start = time.perf_counter()
    index.add_items(vectors, num_threads=2)
    seconds = time.perf_counter() - start
    index.set_num_threads(1)
    points = {}
    for ef in efs:
        index.set_ef(ef)
        start = time.perf_counter()
        found = [index.knn_query(query, k=LIMIT)[0][0] for query in queries]
        points[ef] = (recall([list(ids) for ids in found], truth), len(queries) / (time.perf_counter() - start))
    return seconds, points


# ---- results


def spread(values, digits=0):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def at_recall(points, wanted):
    """Queries per second at a recall, on a straight line between the measured points around it; None outside of them."""
    points = sorted(points)
    for (low, slow), (high, fast) in zip(points, points[1:]):
        if low <= wanted <= high:
            return slow + (fast - slow) * (wanted - low) / ((high - low) or 1)
    return None


def picture(curves, title):
    """Recall to the right from 0.8 to 1, queries per second upwards by powers of ten, as SVG."""
    width, height, left, top = 720, 440, 70, 40
    low, high = 0.85, 1.0
    most = max(rate for points in curves.values() for _, rate in points)
    least = min(rate for points in curves.values() for _, rate in points)
    bottom, ceiling = numpy.floor(numpy.log10(least)), numpy.ceil(numpy.log10(most))
    across = lambda value: left + (max(value, low) - low) / (high - low) * (width - left - 20)
    up = lambda rate: height - 50 - (numpy.log10(rate) - bottom) / (ceiling - bottom) * (height - 50 - top)
    colors = ["#c0392b", "#2471a3", "#7d8a8c", "#27ae60", "#8e44ad"]
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
    yield f'<rect width="{width}" height="{height}" fill="white"/><text x="{left}" y="20" font-size="14">{title}</text>'
    for tenth in range(85, 101, 3):
        x = across(tenth / 100)
        yield f'<path d="M{x:.1f} {top}V{height - 50}" stroke="#ddd"/><text x="{x:.1f}" y="{height - 34}" text-anchor="middle">{tenth / 100}</text>'
    for power in range(int(bottom), int(ceiling) + 1):
        for digit in (1, 2, 5) if power < ceiling else (1,):
            y = up(digit * 10 ** power)
            yield f'<path d="M{left} {y:.1f}H{width - 20}" stroke="#ddd"/><text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{digit * 10 ** power}</text>'
    yield f'<text x="{(left + width) / 2}" y="{height - 12}" text-anchor="middle">recall@{LIMIT}</text>'
    for color, (name, points) in zip(colors, curves.items()):
        shown = [(across(value), up(rate)) for value, rate in sorted(points) if value >= low]
        yield f'<path d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in shown)}" fill="none" stroke="{color}" stroke-width="2"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in shown)
        yield f'<text x="{shown[0][0] + 8:.1f}" y="{shown[0][1] - 8:.1f}" fill="{color}">{name}</text>'
    yield "</svg>"


def report_curve(points, engines, lib, arguments):
    clients = arguments.clients
    yield "| engine | ef | recall@10 | " + " | ".join(f"queries/s, {n} client{'s' if n > 1 else ''}" for n in clients) + " |"
    yield "|---" * (3 + len(clients)) + "|"
    for (engine, ef), point in points.items():
        yield f"| {engine} | {ef} | {point['recall']:.4f} | " + " | ".join(spread(point[n]) for n in clients) + " |"
    for ef, (value, rate) in lib.items():
        yield f"| hnswlib, in process | {ef} | {value:.4f} | {rate:.0f} |" + " |" * (len(clients) - 1)
    for wanted in (0.95, 0.98, 0.99):
        for n in clients:
            rates = {engine: [at_recall([(point["recall"], point[n][number]) for (name, _), point in points.items()
                                         if name == engine], wanted) for number in range(arguments.rounds)]
                     for engine in engines}
            if len(engines) == 2 and None not in rates["maskgen"] + rates["pgvector"]:
                ratios = [a / b for a, b in zip(rates["maskgen"], rates["pgvector"])]
                yield ""
                yield (f"At recall {wanted}, {n} client(s): maskgen {spread(rates['maskgen'])}, pgvector "
                       f"{spread(rates['pgvector'])} queries/s, {spread(ratios, 2)} times as many.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", required=True)
    parser.add_argument("--queries", required=True)
    parser.add_argument("--dims", type=int, default=384)
    parser.add_argument("--rows", type=int, help="only so many vectors")
    parser.add_argument("--engine", action="append", choices=sorted(ENGINES), help="only this one")
    parser.add_argument("--part", action="append", choices=PARTS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--results", help="PREFIX.md and PREFIX.svg are written")
    arguments = parser.parse_args()
    engines = arguments.engine or ["pgvector", "maskgen"]
    parts = arguments.part or PARTS
    vectors = numpy.fromfile(arguments.vectors, dtype=numpy.float32).reshape(-1, arguments.dims)[:arguments.rows]
    queries = numpy.fromfile(arguments.queries, dtype=numpy.float32).reshape(-1, arguments.dims)
    truth = nearest(vectors, queries)

    cluster = Cluster(os.environ.get("PG_CONFIG", "pg_config"),
                      {"shared_buffers": "'2GB'", "fsync": "off", "synchronous_commit": "off", "max_wal_size": "'8GB'",
                       "autovacuum": "off", "max_parallel_maintenance_workers": 2, "jit": "off",
                       "shared_preload_libraries": "'maskgen'" if "maskgen" in engines else "''"})
    try:
        session = cluster.session()
        version = session.run("SHOW server_version")[0]
        if "pgvector" in engines:
            session.run("CREATE SCHEMA pgvector; CREATE EXTENSION vector SCHEMA pgvector")
        if "maskgen" in engines:
            session.run("CREATE EXTENSION maskgen")
        buckets = [load(cluster, engine, vectors, queries) for engine in engines][0]
        commit = subprocess.run(["git", "-C", os.path.dirname(os.path.abspath(__file__)), "describe", "--always", "--dirty"],
                                stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
        text = [f"{datetime.date.today()}, commit {commit}, {cpu_name()}, PostgreSQL {version}, {len(vectors)} x {arguments.dims} "
                f"float32, {len(queries)} held-out queries, m = 16, ef_construction = 64, cosine; median (least-most)."]
        curves = {}

        # Two processes last: that index stays for the other parts
        text += ["", "| index build | 1 process, s | 2 processes, s | memory of 2 processes, MB | size, MB | table, MB |", "|---" * 6 + "|"]
        times = {(engine, processes): [] for engine in engines for processes in (1, 2)}
        for number in range(arguments.rounds if "build" in parts else 1):
            for processes in (1, 2) if "build" in parts else (2,):
                for engine in engines:
                    times[engine, processes].append(build(cluster, engine, processes))
        for engine in engines:
            size, table = (int(session.run(f"SELECT pg_relation_size('public.{engine}_{what}')")[0]) / 2 ** 20
                           for what in ("index", "items"))
            one, two = ([seconds for seconds, _ in times[engine, processes]] for processes in (1, 2))
            text.append(f"| {engine} | {spread(one, 1) if one else ''} | {spread(two, 1)} | "
                        f"{spread([memory for _, memory in times[engine, 2]])} | {size:.0f} | {table:.0f} |")
        if "curve" in parts:
            points = curve_part(cluster, engines, truth, arguments)
            try:
                seconds, lib = hnswlib_points(vectors, queries, truth, ENGINES["pgvector"]["efs"])
                text.append(f"| hnswlib, in process | | {seconds:.1f} | | | |")
            except ImportError:
                lib = {}
            text += ["", *report_curve(points, engines, lib, arguments)]
            first = arguments.clients[0]
            curves = {engine: [(point["recall"], statistics.median(point[first])) for (name, _), point in points.items()
                               if name == engine] for engine in engines} | ({"hnswlib, in process": list(lib.values())} if lib else {})
        if "filter" in parts:
            text += ["", "| rows kept | engine | | recall@10 | queries with all rows there are, up to 10 | queries/s, one psql |", "|---" * 6 + "|"]
            text += [f"| {name} | {engine} | {way} | {value:.4f} | {100 * full:.1f} % | {rate:.0f} |" for
                     name, engine, way, value, full, rate in filter_part(cluster, engines, vectors, queries[:200], buckets, arguments)]
        if "radius" in parts and "maskgen" in engines:
            text += ["", "| share of rows within the radius | rows | missed by the index | queries of 50 that miss any | rows expected / rows | planned by the index |",
                     "|---" * 6 + "|"]
            text += [f"| {100 * share:g} % | {rows:.0f} | {100 * missed:.3f} % | {some} | {expected} | {chosen} |" for
                     share, rows, missed, some, expected, chosen in radius_part(cluster, vectors, queries[:50])]
        if "update" in parts:
            rates = {engine: [update_part(cluster, engine, number) for number in range(arguments.rounds)] for engine in engines}
            text += ["", "Updates a second that leave the vector as it is, one statement of 2000 rows, and the same without the index: " + ", ".join(
                f"{engine} {spread([a for a, _ in rates[engine]])}, {spread([b for _, b in rates[engine]])}" for engine in engines) + "."]
        if "insert" in parts:
            for engine in engines:
                session.run(f"CREATE SEQUENCE {engine}_id START {len(vectors)}")
            rates = {engine: [] for engine in engines}
            for _ in range(arguments.rounds):
                for engine in engines:
                    rates[engine].append(insert_part(cluster, engine, len(queries), arguments))
            text += ["", "Inserts a second, one client: " + ", ".join(f"{engine} {spread(rates[engine])}" for engine in engines) + "."]
        print("\n".join(text))
        if arguments.results:
            with open(arguments.results + ".md", "w", encoding="utf-8") as file:
                file.write("\n".join(text) + "\n")
            if curves:
                with open(arguments.results + ".svg", "w", encoding="utf-8") as file:
                    file.write("\n".join(picture(curves, f"queries/s against recall: {len(vectors)} x {arguments.dims}, one client, PostgreSQL {version}")) + "\n")
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
