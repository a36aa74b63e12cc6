#!/usr/bin/env python3
"""maskgen_hnsw at a million rows and more, beside pgvector and hnswlib: rows are made on the fly, CPU time is counted beside time.

    million.py --set A|B --rows N [--glosses FILE] [--engine maskgen pgvector hnswlib] [--part NAME ...] [--results FILE]

    A   384 dimensions, cosine: normalise(a + 0.35 (b - c)) of three vectors drawn from --glosses (float32 rows of 384)
    A2  768 dimensions, cosine: two such beside each other
    B   128 dimensions, l2: 10 000 centres (uniform), noise of a tenth of their spread

What one row is follows from its number and the seed alone, so each engine gets the same, by COPY BINARY through a pipe. The 200 queries are
made in the same way and are not among the rows; their true neighbours are found while rows are made.

Parts: build (one process and two), curve (recall against queries and CPU a query), insert (a fresh session after a checkpoint, and
the same again), vacuum (after 10 % were deleted), little (a build in a quarter of what it needs). CPU seconds are those of the backend and
of processes that ended meanwhile. PG_CONFIG names a server that has the extensions (README.md).
"""

import argparse
import datetime
import os
import struct
import subprocess
import time

import numpy

from compare import cpu_name
from index import ENGINES, Cluster, Memory, recall

LIMIT, QUERIES, INSERTS, CHUNK = 10, 200, 500, 10000
EFS = (10, 20, 40, 80, 160)
SETS = {"A": (384, "cosine", "<=>"), "A2": (768, "cosine", "<=>"), "B": (128, "l2", "<->")}


class Rows:
    """Vectors by chunk number; chunks from -1 downwards are for queries and inserts."""

    def __init__(self, name, glosses):
        self.name, self.dims = name, SETS[name][0]
        if name == "B":
            self.centres = numpy.random.default_rng(7).uniform(-1, 1, (10000, self.dims)).astype(numpy.float32)
        else:
            self.glosses = numpy.fromfile(glosses, dtype=numpy.float32).reshape(-1, 384)

    def recombined(self, random, n):
        a, b, c = (self.glosses[random.integers(0, len(self.glosses), n)] for _ in range(3))
        vectors = a + 0.35 * (b - c)
        return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)

    def chunk(self, number, n=CHUNK):
        random = numpy.random.default_rng((1, number) if number >= 0 else (2, -number))
        if self.name == "B":
            noise = random.normal(0, 0.06, (n, self.dims))
            return (self.centres[random.integers(0, len(self.centres), n)] + noise).astype(numpy.float32)
        parts = [self.recombined(random, n) for _ in range(self.dims // 384)]
        return (numpy.concatenate(parts, axis=1) / len(parts) ** 0.5).astype(numpy.float32)

    def chunks(self, n_rows):
        for first in range(0, n_rows, CHUNK):
            yield first, self.chunk(first // CHUNK, min(CHUNK, n_rows - first))


class Truth:
    """The nearest rows of the queries, found chunk by chunk."""

    def __init__(self, queries, metric):
        self.queries, self.metric = queries, metric
        self.far = numpy.full((len(queries), LIMIT), numpy.inf, dtype=numpy.float32)
        self.ids = numpy.zeros((len(queries), LIMIT), dtype=numpy.int64)

    def add(self, first, vectors):
        far = -(self.queries @ vectors.T)
        if self.metric == "l2":
            far = 2 * far + (vectors ** 2).sum(1)
        far = numpy.concatenate([self.far, far], axis=1)
        ids = numpy.concatenate([self.ids, numpy.broadcast_to(numpy.arange(first, first + len(vectors)), (len(self.queries), len(vectors)))], axis=1)
        best = numpy.argpartition(far, LIMIT - 1, axis=1)[:, :LIMIT]
        self.far, self.ids = numpy.take_along_axis(far, best, 1), numpy.take_along_axis(ids, best, 1)

    def sets(self):
        return [set(map(int, ids)) for ids in self.ids]


def write_rows(file, chunks):
    """PostgreSQL's binary form of (id int, embedding vector)."""
    file.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
    for first, vectors in chunks:
        n, dims = vectors.shape
        rows = numpy.empty(n, dtype=[("fields", ">i2"), ("id_size", ">i4"), ("id", ">i4"), ("size", ">i4"), ("dims", ">i2"), ("unused", ">i2"), ("vector", ">f4", dims)])
        rows["fields"], rows["id_size"], rows["id"] = 2, 4, numpy.arange(first, first + n)
        rows["size"], rows["dims"], rows["unused"], rows["vector"] = 4 + 4 * dims, dims, 0, vectors
        file.write(rows.tobytes())
    file.write(struct.pack(">h", -1))


def cpu_of(session):
    """CPU seconds; the postmaster needs a moment to learn of processes that have ended."""
    time.sleep(1)
    return session.cpu_seconds()


def copy(cluster, engine, table, chunks):
    """COPY BINARY of (id int, embedding vector) out of a generator."""
    psql = subprocess.Popen([os.environ.get("PSQL", os.path.join(cluster.bin, "psql")), "-X", "-q", "-h", cluster.directory, "-U", "postgres",
                             "-d", "postgres", "-c", f"COPY {engine}_{table} FROM STDIN (FORMAT binary)"], stdin=subprocess.PIPE)
    write_rows(psql.stdin, chunks)
    psql.stdin.close()
    if psql.wait() != 0:
        raise SystemExit("COPY failed")


def load(cluster, engine, rows, n_rows, queries, fresh, truth):
    session = cluster.session(engine)

    def told():
        for first, vectors in rows.chunks(n_rows):
            if truth is not None:
                truth.add(first, vectors)
            yield first, vectors

    for table in ("items", "queries", "fresh"):
        session.run(f"CREATE TABLE {engine}_{table} (id int, embedding vector({rows.dims}))")
        session.run(f"ALTER TABLE {engine}_{table} ALTER embedding SET STORAGE plain")
    copy(cluster, engine, "items", told())
    copy(cluster, engine, "queries", [(0, queries)])
    copy(cluster, engine, "fresh", [(n_rows, fresh)])
    session.run(f"CREATE INDEX ON {engine}_queries (id); CREATE INDEX ON {engine}_fresh (id)")
    session.run(f"VACUUM (FREEZE, ANALYZE) {engine}_items; ANALYZE {engine}_queries; ANALYZE {engine}_fresh; CHECKPOINT")


def build(cluster, engine, rows, processes, memory):
    session = cluster.session(engine)
    session.run(f"DROP INDEX IF EXISTS {engine}_index")
    session.run(f"SET maintenance_work_mem = '{memory}'; SET max_parallel_maintenance_workers = {processes - 1}")
    session.run("SET min_parallel_table_scan_size = 0; CHECKPOINT")
    with Memory(session.postmaster) as most:
        cpu, start = cpu_of(session), time.perf_counter()
        session.run(f"CREATE INDEX {engine}_index ON {engine}_items USING {ENGINES[engine]['method']} "
                    f"(embedding vector_{SETS[rows.name][1]}_ops) WITH (m = 16, ef_construction = 64)")
        seconds, cpu = time.perf_counter() - start, cpu_of(session) - cpu
    return seconds, cpu, most.most / 1024, int(session.run(f"SELECT pg_relation_size('{engine}_index')")[0]) / 2 ** 20


def curve(cluster, engine, rows, truth, seconds):
    session = cluster.session(engine)
    session.run("SET enable_seqscan = off")
    statement = (f"SELECT id FROM {engine}_items ORDER BY embedding {SETS[rows.name][2]} "
                 f"(SELECT embedding FROM {engine}_queries WHERE id = {{}}) LIMIT {LIMIT}")
    for ef in EFS:
        session.run(f"SET {ENGINES[engine]['ef']} = {ef}")
        found = [[int(line) for line in session.run(statement.format(number))] for number in range(len(truth))]
        cpu = cpu_of(session)
        rate = cluster.bench(engine, f"\\set number random(0, {len(truth) - 1})\n{statement.format(':number')};", seconds, 1,
                             {ENGINES[engine]["ef"]: ef, "enable_seqscan": "off"})
        yield ef, recall(found, truth), rate, 1000 * (cpu_of(session) - cpu) / (rate * seconds)


def insert(cluster, engine, n_rows, number):
    """Rows a second, ms of CPU and kB of WAL a row: one statement each, in a fresh session after a checkpoint."""
    session = cluster.session(engine)
    session.run(f"CREATE SEQUENCE IF NOT EXISTS {engine}_next; SELECT setval('{engine}_next', {n_rows + number * INSERTS}, false); CHECKPOINT")
    before, cpu, start = session.run("SELECT pg_current_wal_insert_lsn()")[0], cpu_of(session), time.perf_counter()
    cluster.bench(engine, f"INSERT INTO {engine}_items SELECT id, embedding FROM {engine}_fresh WHERE id = (SELECT nextval('{engine}_next'))::int;",
                  None, 1, {}, INSERTS)
    seconds, cpu = time.perf_counter() - start, cpu_of(session) - cpu
    wal = int(session.run(f"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '{before}')")[0])
    return seconds, 1000 * cpu / INSERTS, wal / INSERTS / 1000


def vacuum(cluster, engine):
    session = cluster.session(engine)
    session.run(f"DELETE FROM {engine}_items WHERE id % 10 = 3")
    start, cpu = time.perf_counter(), session.cpu_seconds()
    session.run(f"VACUUM {engine}_items")
    return time.perf_counter() - start, session.cpu_seconds() - cpu


def hnswlib_part(rows, n_rows, queries, truth):
    import hnswlib

    index = hnswlib.Index(space="cosine" if SETS[rows.name][1] == "cosine" else "l2", dim=rows.dims)
    index.init_index(max_elements=n_rows, M=16, ef_construction=64, random_seed=1)
    vectors = numpy.concatenate([chunk for _, chunk in rows.chunks(n_rows)])
    start, cpu = time.perf_counter(), time.process_time()
    index.add_items(vectors, num_threads=2)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    index.set_num_threads(1)
    points = []
    for ef in EFS:
        index.set_ef(ef)
        start, used = time.perf_counter(), time.process_time()
        found = [index.knn_query(query, k=LIMIT)[0][0] for query in queries]
        used, taken = time.process_time() - used, time.perf_counter() - start
        points.append((ef, recall([list(map(int, ids)) for ids in found], truth), len(queries) / taken, 1000 * used / len(queries)))
    return seconds, cpu, points


def measure(cluster, rows, queries, fresh, arguments):
    truth, tables, curves, lines = Truth(queries, SETS[rows.name][1]), [], [], []
    loaded = False
    for engine in [engine for engine in arguments.engine if engine != "hnswlib"]:
        load(cluster, engine, rows, arguments.rows, queries, fresh, None if loaded else truth)
        loaded = True
        for processes in (1, 2) if "build" in arguments.part else (2,):
            seconds, cpu, memory, size = build(cluster, engine, rows, processes, arguments.memory)
            yield f"| {engine} | {processes} | {seconds:.0f} | {cpu:.0f} | {memory:.0f} | {size:.0f} |"
        if "curve" in arguments.part:
            curves += [(engine, *point) for point in curve(cluster, engine, rows, truth.sets(), arguments.seconds)]
        if "insert" in arguments.part:
            for number in range(2):
                seconds, cpu, wal = insert(cluster, engine, arguments.rows, number)
                lines.append(f"{engine}, {INSERTS} inserts in a fresh session after a checkpoint: {INSERTS / seconds:.0f} a second, {cpu:.2f} ms of CPU and {wal:.0f} kB of WAL each.")
        if "vacuum" in arguments.part:
            lines.append("{}, vacuum of 10 % dead rows: {:.0f} s, {:.0f} s of CPU.".format(engine, *vacuum(cluster, engine)))
        if "little" in arguments.part:
            little = f"{max(1, arguments.rows * rows.dims * 2 // 5 // 2 ** 20)}MB"
            seconds, cpu, memory, _ = build(cluster, engine, rows, 2, little)
            lines.append(f"{engine}, build in {little}, 2 processes: {seconds:.0f} s, {cpu:.0f} s of CPU, {memory:.0f} MB.")
        cluster.session(engine).run(f"DROP TABLE {engine}_items")
    if "hnswlib" in arguments.engine:
        seconds, cpu, points = hnswlib_part(rows, arguments.rows, queries, truth.sets())
        yield f"| hnswlib, in process | 2 threads | {seconds:.0f} | {cpu:.0f} | | |"
        curves += [("hnswlib", *point) for point in points]
    yield ""
    yield "| engine | ef | recall@10 | queries/s | ms of CPU a query |"
    yield "|---|---|---|---|---|"
    for engine, ef, found, rate, cpu in curves:
        yield f"| {engine} | {ef} | {found:.4f} | {rate:.0f} | {cpu:.2f} |"
    yield ""
    yield from lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=sorted(SETS), required=True)
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--glosses")
    parser.add_argument("--engine", nargs="+", default=["maskgen"], choices=[*ENGINES, "hnswlib"])
    parser.add_argument("--part", nargs="+", default=["build", "curve", "insert", "vacuum", "little"])
    parser.add_argument("--memory", default="3GB", help="maintenance_work_mem")
    parser.add_argument("--buffers", default="3GB", help="shared_buffers")
    parser.add_argument("--seconds", type=int, default=5, help="of queries at each ef_search")
    parser.add_argument("--results")
    arguments = parser.parse_args()
    rows = Rows(arguments.set, arguments.glosses)
    cluster = Cluster(os.environ.get("PG_CONFIG", "pg_config"),
                      {"shared_buffers": f"'{arguments.buffers}'", "fsync": "off", "synchronous_commit": "off", "max_wal_size": "'16GB'",
                       "checkpoint_timeout": "'1h'", "autovacuum": "off", "max_parallel_maintenance_workers": 2, "jit": "off",
                       "shared_preload_libraries": "'maskgen'"})
    try:
        session = cluster.session()
        if "pgvector" in arguments.engine:
            session.run("CREATE SCHEMA pgvector; CREATE EXTENSION vector SCHEMA pgvector")
        session.run("CREATE EXTENSION maskgen")
        commit = subprocess.run(["git", "-C", os.path.dirname(os.path.abspath(__file__)), "describe", "--always", "--dirty"],
                                stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
        text = [f"{datetime.date.today()}, commit {commit}, {cpu_name()}, PostgreSQL {session.run('SHOW server_version')[0]}, set {arguments.set}: {arguments.rows} x "
                f"{rows.dims} float32, {SETS[arguments.set][1]}, {QUERIES} queries that are not among them, m = 16, ef_construction = 64. Load of the machine at the "
                f"beginning: {os.getloadavg()[0]:.0f}.", "", "| index build | processes | s | CPU s | memory, MB | size, MB |", "|---|---|---|---|---|---|"]
        print("\n".join(text), flush=True)
        for line in measure(cluster, rows, rows.chunk(-1, QUERIES), rows.chunk(-2, 2 * INSERTS), arguments):
            print(line, flush=True)
            text.append(line)
        if arguments.results:
            with open(arguments.results, "w", encoding="utf-8") as file:
                file.write("\n".join(text) + "\n")
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
