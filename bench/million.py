#!/usr/bin/env python3
"""maskgen_hnsw at a million rows and more, beside pgvector and hnswlib: rows are made on the fly, CPU time is counted beside time.

    million.py PART ... --set A|A2|B --rows N --keep FOLDER [--glosses FILE] [--engine maskgen pgvector]

    A   384 dimensions, cosine: normalise(a + 0.35 (b - c)) of three vectors drawn from --glosses (float32 rows of 384)
    A2  768 dimensions, cosine: two such beside each other
    B   128 dimensions, l2: 10 000 centres (uniform), noise of 0.06

What one row is follows from its number and the seed alone, so each engine gets the same, by COPY BINARY through a pipe. The queries are
made in the same way and are not among the rows; their true neighbours are found while rows are made. The cluster and the truth are kept
in FOLDER, so that parts can be run one by one; `drop` removes both.

Parts, in the order in which they are given; each prints a line for each engine, ready for a table:

    load     tables of both engines, and the truth              cold     queries from disk, shared_buffers a quarter of the index
    build1   CREATE INDEX by one process, all engines at once   filter   rows that pass a filter: recall and CPU by way
    build2   by two processes                                   insert   in a fresh session after a checkpoint, and once more
    curve    recall against queries and CPU a query             vacuum   after 10 % were deleted
    hnswlib  its build and curve, in process                    little   a build in a quarter of what it needs

CPU seconds are those of the backend and of processes that ended meanwhile. A statement that takes longer than --bound is stopped, and said to be.
PG_CONFIG names a server that has the extensions (README.md).
"""

import argparse
import datetime
import os
import shutil
import struct
import subprocess
import threading
import time

import numpy

from compare import cpu_name
from index import ENGINES, Cluster, Memory

LIMIT, INSERTS, CHUNK = 10, 500, 10000
QUERIES, FEW = 1000, 200  # a query that a graph loses whole is a thousandth; the first FEW are asked under filters, and from disk
KEPT, EQUAL = 20, 1e-5  # of rows as near as the tenth, up to rounding in float32, any is right
EFS = (10, 20, 40, 80, 160)
SETS = {"A": (384, "cosine", "<=>"), "A2": (768, "cosine", "<=>"), "B": (128, "l2", "<->")}
# g is random below 10 000, s the similarity to one row
FILTERS = {"none": "true", "10 %": "g < 1000", "1 %": "g < 100", "0.1 %": "g < 10", "0.01 %": "g < 1", "1 %, near": "s > {near1}", "0.1 %, near": "s > {near01}",
           "1 %, far": "s < {far1}", "0.1 %, far": "s < {far01}"}
ITERATIVE = "SET hnsw.iterative_scan = relaxed_order; SET hnsw.ef_search = 80; SET hnsw.max_scan_tuples = 20000"
FORCED = "SET enable_seqscan = off; SET enable_bitmapscan = off"


class Rows:
    """Vectors by chunk number; chunks from -1 downwards are for queries and inserts."""

    def __init__(self, name, glosses):
        self.name, self.dims = name, SETS[name][0]
        if name == "B":
            self.centres = numpy.random.default_rng(7).uniform(-1, 1, (10000, self.dims)).astype(numpy.float32)
        else:
            self.glosses = numpy.fromfile(glosses, dtype=numpy.float32).reshape(-1, 384)
        self.one = self.chunk(0, 2000)[1234]

    def recombined(self, random, n):
        a, b, c = (self.glosses[random.integers(0, len(self.glosses), n)] for _ in range(3))
        vectors = a + numpy.float32(0.35) * (b - c)
        return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)

    def chunk(self, number, n=CHUNK):
        random = numpy.random.default_rng((1, number) if number >= 0 else (2, -number))
        if self.name == "B":
            noise = random.standard_normal((n, self.dims), dtype=numpy.float32) * numpy.float32(0.06)
            return self.centres[random.integers(0, len(self.centres), n)] + noise
        parts = [self.recombined(random, n) for _ in range(self.dims // 384)]
        return (numpy.concatenate(parts, axis=1) / len(parts) ** 0.5).astype(numpy.float32)

    def columns(self, number, vectors):
        """What is filtered by: g, s."""
        return numpy.random.default_rng((3, abs(number))).integers(0, 10000, len(vectors)), (vectors @ self.one).astype(numpy.float32)

    def chunks(self, n_rows):
        for first in range(0, n_rows, CHUNK):
            vectors = self.chunk(first // CHUNK, min(CHUNK, n_rows - first))
            yield first, *self.columns(first // CHUNK, vectors), vectors

    def filters(self):
        """Bounds of s by a tenth of a million rows."""
        s = numpy.concatenate([self.columns(number, self.chunk(number))[1] for number in range(10)])
        near1, near01, far1, far01 = (float(numpy.float32(value)) for value in numpy.quantile(s, [0.99, 0.999, 0.01, 0.001]))
        return {name: where.format(near1=near1, near01=near01, far1=far1, far01=far01) for name, where in FILTERS.items()}


class Truth:
    """The nearest rows of the queries under each filter, found chunk by chunk; more than are asked for, to see which are equal."""

    def __init__(self, queries, metric, filters):
        self.queries, self.metric, self.filters = queries, metric, filters
        self.n = {name: len(queries) if name == "none" else FEW for name in filters}
        self.far = {name: numpy.full((n, KEPT), numpy.inf, dtype=numpy.float32) for name, n in self.n.items()}
        self.ids = {name: numpy.full((n, KEPT), -1, dtype=numpy.int64) for name, n in self.n.items()}

    def add(self, first, g, s, vectors):
        far = -(self.queries @ vectors.T)
        if self.metric == "l2":
            far = 2 * far + (vectors ** 2).sum(1)
        for name, where in self.filters.items():
            kept, n = slice(None) if where == "true" else eval(where, {}, {"g": g, "s": s}), self.n[name]
            ids = numpy.arange(first, first + len(vectors))[kept]
            both = numpy.concatenate([self.far[name], far[:n, kept]], axis=1)
            ids = numpy.concatenate([self.ids[name], numpy.broadcast_to(ids, (n, len(ids)))], axis=1)
            best = numpy.argpartition(both, KEPT - 1, axis=1)[:, :KEPT]
            self.far[name], self.ids[name] = numpy.take_along_axis(both, best, 1), numpy.take_along_axis(ids, best, 1)

    def save(self, path):
        """[name] the ids, nearest first, [name, distance] how far they are."""
        own = (self.queries ** 2).sum(1) if self.metric == "l2" else numpy.ones(len(self.queries))
        arrays = {}
        for name, far in self.far.items():
            order = numpy.argsort(far, axis=1)
            arrays[name] = numpy.take_along_axis(self.ids[name], order, 1)
            arrays[name + ", distance"] = numpy.take_along_axis(far, order, 1) + own[:self.n[name], None]
        numpy.savez(path, **arrays)


def right_rows(path, name="none"):
    """Of each query how many rows there are to find, and the ids that are right: no farther than the last of these."""
    with numpy.load(path) as file:
        for ids, far in zip(file[name], file[name + ", distance"]):
            n = min(LIMIT, int((ids >= 0).sum()))
            last = far[n - 1] * (1 + EQUAL) if n > 0 else -1
            yield n, set(map(int, ids[(ids >= 0) & (far <= last)]))


def recall(found, right):
    """As ann-benchmarks has it: a row is right by its distance, whichever of equal ones it is."""
    return sum(min(n, len(rows.intersection(ids))) for ids, (n, rows) in zip(found, right)) / max(sum(n for n, _ in right), 1)


def write_rows(file, chunks):
    """PostgreSQL's binary form of (id int, g int, s real, embedding vector)."""
    file.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
    for first, g, s, vectors in chunks:
        n, dims = vectors.shape
        rows = numpy.empty(n, dtype=[("fields", ">i2"), ("id_size", ">i4"), ("id", ">i4"), ("g_size", ">i4"), ("g", ">i4"), ("s_size", ">i4"), ("s", ">f4"),
                                     ("size", ">i4"), ("dims", ">i2"), ("unused", ">i2"), ("vector", ">f4", dims)])
        rows["fields"], rows["id_size"], rows["g_size"], rows["s_size"] = 4, 4, 4, 4
        rows["id"], rows["g"], rows["s"] = numpy.arange(first, first + n), g, s
        rows["size"], rows["dims"], rows["unused"], rows["vector"] = 4 + 4 * dims, dims, 0, vectors
        file.write(rows.tobytes())
    file.write(struct.pack(">h", -1))


def cpu_of(session):
    """CPU seconds; the postmaster needs a moment to learn of processes that have ended."""
    time.sleep(1)
    return session.cpu_seconds()


def scheduled(session):
    """CPU seconds of the backend alone, to the microsecond."""
    with open(f"/proc/{session.pid}/schedstat", encoding="utf-8") as file:
        return int(file.read().split()[0]) / 1e9


def copy(cluster, engine, table, chunks):
    """COPY BINARY out of a generator."""
    psql = subprocess.Popen([os.environ.get("PSQL", os.path.join(cluster.bin, "psql")), "-X", "-q", "-h", cluster.directory, "-U", "postgres",
                             "-d", "postgres", "-c", f"COPY {engine}_{table} FROM STDIN (FORMAT binary)"], stdin=subprocess.PIPE)
    write_rows(psql.stdin, chunks)
    psql.stdin.close()
    if psql.wait() != 0:
        raise SystemExit("COPY failed")


class Run:
    def __init__(self, cluster, rows, arguments):
        self.cluster, self.rows, self.arguments = cluster, rows, arguments
        self.truth = os.path.join(arguments.keep, "truth.npz")
        self.metric, self.operator = SETS[rows.name][1:]
        self.queries, self.filters = rows.chunk(-1, QUERIES), rows.filters()

    def each(self, part):
        for engine in self.arguments.engine:
            yield from part(engine)

    def bounded(self, session, statement):
        """Whether it ended within the bound."""
        session.run(f"\\set ON_ERROR_STOP off\nSET statement_timeout = '{self.arguments.bound}s'; {statement};\n\\set ended :SQLSTATE\nRESET statement_timeout")
        return session.run("\\echo :ended\nSELECT")[0] == "00000"

    # ---- tables

    def load(self):
        truth = Truth(self.queries, self.metric, self.filters)
        for number, engine in enumerate(self.arguments.engine):
            session = self.cluster.session(engine)

            def told(first_engine=number == 0):
                for chunk in self.rows.chunks(self.arguments.rows):
                    if first_engine:
                        truth.add(*chunk)
                    yield chunk

            start = time.perf_counter()
            for table in ("items", "queries", "fresh"):
                session.run(f"DROP TABLE IF EXISTS {engine}_{table}; CREATE TABLE {engine}_{table} (id int, g int, s real, embedding vector({self.rows.dims}))")
                session.run(f"ALTER TABLE {engine}_{table} ALTER embedding SET STORAGE plain")
            copy(self.cluster, engine, "items", told())
            copy(self.cluster, engine, "queries", [(0, *self.rows.columns(-1, self.queries), self.queries)])
            session.run(f"CREATE INDEX ON {engine}_queries (id); CREATE INDEX ON {engine}_fresh (id)")
            session.run(f"VACUUM (FREEZE, ANALYZE) {engine}_items; ANALYZE {engine}_queries; ANALYZE {engine}_fresh; CHECKPOINT")
            yield f"| {engine}, load | {time.perf_counter() - start:.0f} s |"
        truth.save(self.truth)

    # ---- builds

    def build(self, engine, processes, memory, including=""):
        session = self.cluster.session(engine)
        session.run(f"DROP INDEX IF EXISTS {engine}_index")
        session.run(f"SET maintenance_work_mem = '{memory}'; SET max_parallel_maintenance_workers = {processes - 1}")
        session.run("SET min_parallel_table_scan_size = 0; CHECKPOINT")
        most = Memory(session.postmaster, 0.5) if self.alone else None
        if most:
            most.thread.start()
        cpu, start = cpu_of(session), time.perf_counter()
        ended = self.bounded(session, f"CREATE INDEX {engine}_index ON {engine}_items USING {ENGINES[engine]['method']} "
                             f"(embedding vector_{self.metric}_ops) {including} WITH (m = 16, ef_construction = 64)")
        seconds, cpu = time.perf_counter() - start, (cpu_of(session) if self.alone else session.cpu_seconds()) - cpu
        if most:
            most.ended.set()
            most.thread.join()
        size = int(session.run(f"SELECT pg_relation_size('{engine}_index')")[0]) / 2 ** 20 if ended else 0
        return (f"| {engine}, {memory} | {processes} | {seconds:.0f} | {cpu:.0f} | {f'{most.most / 1024:.0f}' if most else ''} | {size:.0f} | "
                + ("" if ended else f"stopped after {seconds:.0f} s"))

    alone = True

    def build1(self):
        """Each has a processor of its own."""
        lines, self.alone = [], len(self.arguments.engine) == 1
        threads = [threading.Thread(target=lambda engine=engine: lines.append(self.build(engine, 1, self.arguments.memory))) for engine in self.arguments.engine]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.alone = True
        yield from lines

    def build2(self):
        yield from self.each(lambda engine: [self.build(engine, 2, self.arguments.memory)])

    def little(self):
        memory = self.cluster.session("maskgen").run(f"SELECT index_memory({self.arguments.rows}, {self.rows.dims}) / 4 / 1024 / 1024 || 'MB'")[0]
        yield from self.each(lambda engine: [self.build(engine, 2, self.arguments.little or memory)])

    # ---- queries

    def statement(self, engine, number, where="true"):
        return (f"SELECT id FROM {engine}_items WHERE {where} ORDER BY embedding {self.operator} "
                f"(SELECT embedding FROM {engine}_queries WHERE id = {number}) LIMIT {LIMIT}")

    def answers(self, session, engine, n, where="true"):
        return [[int(line) for line in session.run(self.statement(engine, number, where))] for number in range(n)]

    def curve(self):
        truth, rates = list(right_rows(self.truth)), {}
        found, cpus = {}, {}
        for engine in self.arguments.engine:
            session = self.cluster.session(engine)
            session.run("SET enable_seqscan = off; SELECT count(*) FROM pg_prewarm('{0}_index'), pg_prewarm('{0}_items')".format(engine) if self.prewarm(session) else "SET enable_seqscan = off")
            for ef in EFS:
                session.run(f"SET {ENGINES[engine]['ef']} = {ef}")
                found[engine, ef] = recall(self.answers(session, engine, QUERIES), truth)
        for _ in range(self.arguments.rounds):
            for ef in EFS:
                for engine in self.arguments.engine:
                    session = self.cluster.session(engine)
                    cpu = cpu_of(session)
                    rate = self.cluster.bench(engine, f"\\set number random(0, {QUERIES - 1})\n{self.statement(engine, ':number')};", self.arguments.seconds, 1,
                                              {ENGINES[engine]["ef"]: ef, "enable_seqscan": "off"})
                    rates.setdefault((engine, ef), []).append(rate)
                    cpus.setdefault((engine, ef), []).append(1000 * (cpu_of(session) - cpu) / (rate * self.arguments.seconds))
        for (engine, ef), many in rates.items():
            yield f"| {engine} | {ef} | {found[engine, ef]:.4f} | {numpy.median(many):.0f} ({min(many):.0f}-{max(many):.0f}) | {numpy.median(cpus[engine, ef]):.2f} |"

    @staticmethod
    def prewarm(session):
        if not session.run("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_prewarm'"):
            return False
        session.run("CREATE EXTENSION IF NOT EXISTS pg_prewarm SCHEMA public")
        return True

    def cold(self):
        """A quarter of the index in shared_buffers, and nothing in the system's cache at first; each query is asked once."""
        yield from self.each(self.cold_of)

    def cold_of(self, engine):
        session = self.cluster.session(engine)
        size = int(session.run(f"SELECT pg_relation_size('{engine}_index')")[0])
        session.run("CHECKPOINT")
        truth = list(right_rows(self.truth))[:FEW]
        for ef in self.arguments.cold_ef:
            self.cluster.call("pg_ctl", "-D", "data", "-m", "fast", "-w", "stop")
            for folder, _, files in os.walk(os.path.join(self.cluster.directory, "data", "base")):
                for name in files:
                    with open(os.path.join(folder, name), "rb") as file:
                        os.fsync(file.fileno())
                        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            self.cluster.start(f"-c shared_buffers={size // 4 // 8192}")
            session = self.cluster.session(engine)
            session.run(f"SET enable_seqscan = off; SET {ENGINES[engine]['ef']} = {ef}")
            blocks = (f"SELECT pg_stat_force_next_flush(); SELECT sum(idx_blks_read), sum(heap_blks_read) FROM pg_statio_user_tables WHERE relname = '{engine}_items'")
            before = [int(value) for value in session.run(blocks)[-1].split("|")]
            start, cpu = time.perf_counter(), session.cpu_seconds()
            found = self.answers(session, engine, FEW)
            seconds, cpu = time.perf_counter() - start, session.cpu_seconds() - cpu
            read = [int(value) - old for value, old in zip(session.run(blocks)[-1].split("|"), before)]
            yield (f"| {engine}, cold | {ef} | {recall(found, truth):.4f} | {FEW / seconds:.0f} | {1000 * cpu / FEW:.2f} | "
                   f"{read[0] / FEW:.0f} of the index, {read[1] / FEW:.0f} of the table |")
        self.cluster.call("pg_ctl", "-D", "data", "-m", "fast", "-w", "stop")
        self.cluster.start()

    def filter(self):
        """The vector's index alone, then a btree on g and s as well; maskgen by INCLUDE is a build of its own."""
        n = self.arguments.queries
        for way in self.arguments.way:
            for engine in self.arguments.engine:
                session = self.cluster.session(engine)
                session.run(f"DROP INDEX IF EXISTS {engine}_g, {engine}_s")
                if way == "btrees":
                    session.run(f"CREATE INDEX {engine}_g ON {engine}_items (g); CREATE INDEX {engine}_s ON {engine}_items (s); ANALYZE {engine}_items")
                session.run("SET max_parallel_workers_per_gather = 0; " + (FORCED if way != "btrees" else "SELECT"))
                if engine == "pgvector":
                    session.run(ITERATIVE)
                for name, where in self.filters.items():
                    truth = list(right_rows(self.truth, name))[:n]
                    self.answers(session, engine, n, where)
                    cpu = scheduled(session)
                    found = self.answers(session, engine, n, where)
                    cpu = scheduled(session) - cpu
                    fewer = sum(len(ids) < n_right for ids, (n_right, _) in zip(found, truth))
                    yield f"| {engine}, {way} | {name} | {recall(found, truth):.3f} | {1000 * cpu / n:.2f} | {fewer} of {n} too few |"
                session.run(f"DROP INDEX IF EXISTS {engine}_g, {engine}_s")

    def including(self):
        yield from self.each(lambda engine: [self.build(engine, 2, self.arguments.memory, "INCLUDE (g, s)")])

    # ---- writing

    def insert(self):
        for number in range(2):
            yield from self.each(lambda engine: [self.insert_of(engine, number)])

    def insert_of(self, engine, number):
        """Rows a second, ms of CPU and kB of WAL a row: one statement each, in a fresh session after a checkpoint."""
        session = self.cluster.session(engine)
        first = max(self.arguments.rows, 1 + int(session.run(f"SELECT max(id) FROM {engine}_items")[0]))
        fresh = self.rows.chunk(-first, INSERTS)
        session.run(f"TRUNCATE {engine}_fresh")
        copy(self.cluster, engine, "fresh", [(first, *self.rows.columns(-first, fresh), fresh)])
        session.run(f"ANALYZE {engine}_fresh; CREATE SEQUENCE IF NOT EXISTS {engine}_next; SELECT setval('{engine}_next', {first}, false); CHECKPOINT")
        before, cpu, start = session.run("SELECT pg_current_wal_insert_lsn()")[0], cpu_of(session), time.perf_counter()
        self.cluster.bench(engine, f"INSERT INTO {engine}_items SELECT * FROM {engine}_fresh WHERE id = (SELECT nextval('{engine}_next'))::int;", None, 1, {}, INSERTS)
        seconds, cpu = time.perf_counter() - start, cpu_of(session) - cpu
        wal = int(session.run(f"SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '{before}')")[0])
        return f"| {engine}, {INSERTS} inserts, {'first' if number == 0 else 'second'} | {INSERTS / seconds:.0f} a second | {1000 * cpu / INSERTS:.2f} ms of CPU | {wal / INSERTS / 1000:.0f} kB of WAL |"

    def vacuum(self):
        yield from self.each(self.vacuum_of)

    def vacuum_of(self, engine):
        session = self.cluster.session(engine)
        session.run(f"DELETE FROM {engine}_items WHERE id % 10 = 3")
        start, cpu = time.perf_counter(), session.cpu_seconds()
        ended = self.bounded(session, f"VACUUM {engine}_items")
        yield f"| {engine}, vacuum of 10 % dead rows | {time.perf_counter() - start:.0f} s | {session.cpu_seconds() - cpu:.0f} s of CPU | {'' if ended else 'stopped, unfinished'} |"

    # ---- beside them

    def hnswlib(self):
        import hnswlib

        index = hnswlib.Index(space="cosine" if self.metric == "cosine" else "l2", dim=self.rows.dims)
        index.init_index(max_elements=self.arguments.rows, M=16, ef_construction=64, random_seed=1)
        vectors = numpy.concatenate([chunk[-1] for chunk in self.rows.chunks(self.arguments.rows)])
        for threads in self.arguments.threads:
            index = hnswlib.Index(space="cosine" if self.metric == "cosine" else "l2", dim=self.rows.dims)
            index.init_index(max_elements=self.arguments.rows, M=16, ef_construction=64, random_seed=1)
            start, cpu = time.perf_counter(), time.process_time()
            index.add_items(vectors, num_threads=threads)
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
            yield f"| hnswlib, in process | {threads} | {seconds:.0f} | {cpu:.0f} | | |"
        index.set_num_threads(1)
        truth = list(right_rows(self.truth))
        for ef in EFS:
            index.set_ef(ef)
            rates = []
            for _ in range(self.arguments.rounds):
                start, used = time.perf_counter(), time.process_time()
                found = [index.knn_query(query, k=LIMIT)[0][0] for query in self.queries]
                used, taken = time.process_time() - used, time.perf_counter() - start
                rates.append(QUERIES / taken)
            yield (f"| hnswlib, in process | {ef} | {recall([list(map(int, ids)) for ids in found], truth):.4f} | {numpy.median(rates):.0f} "
                   f"({min(rates):.0f}-{max(rates):.0f}) | {1000 * used / QUERIES:.2f} |")


PARTS = ["load", "build1", "build2", "curve", "cold", "filter", "including", "insert", "vacuum", "little", "hnswlib", "drop"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="+", choices=PARTS)
    parser.add_argument("--set", choices=sorted(SETS), required=True)
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--keep", required=True, help="a folder for the cluster")
    parser.add_argument("--glosses")
    parser.add_argument("--engine", nargs="+", default=["maskgen"], choices=sorted(ENGINES))
    parser.add_argument("--memory", default="3GB", help="maintenance_work_mem")
    parser.add_argument("--little", help="the same of little; a quarter of index_memory()")
    parser.add_argument("--buffers", default="3GB", help="shared_buffers")
    parser.add_argument("--seconds", type=int, default=5, help="of queries at each ef_search")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--queries", type=int, default=30, help="of each filter")
    parser.add_argument("--threads", type=int, nargs="+", default=[2], help="of hnswlib")
    parser.add_argument("--cold-ef", type=int, nargs="+", default=[40])
    parser.add_argument("--way", nargs="+", default=["alone", "btrees"], choices=["alone", "btrees", "included"])
    parser.add_argument("--bound", type=int, default=1200, help="seconds of a build or a vacuum")
    arguments = parser.parse_args()
    rows = Rows(arguments.set, arguments.glosses)
    cluster = Cluster(os.environ.get("PG_CONFIG", "pg_config"),
                      {"shared_buffers": f"'{arguments.buffers}'", "fsync": "off", "synchronous_commit": "off", "max_wal_size": "'16GB'",
                       "checkpoint_timeout": "'1h'", "autovacuum": "off", "max_parallel_maintenance_workers": 2, "jit": "off",
                       "shared_preload_libraries": "'maskgen'"}, arguments.keep)
    try:
        session = cluster.session()
        session.run("CREATE SCHEMA IF NOT EXISTS pgvector; CREATE EXTENSION IF NOT EXISTS vector SCHEMA pgvector; CREATE EXTENSION IF NOT EXISTS maskgen")
        commit = subprocess.run(["git", "-C", os.path.dirname(os.path.abspath(__file__)), "describe", "--always", "--dirty"],
                                stdout=subprocess.PIPE, text=True, check=False).stdout.strip()
        print(f"{datetime.datetime.now():%Y-%m-%d %H:%M}, commit {commit}, {cpu_name()}, PostgreSQL {session.run('SHOW server_version')[0]}, set {arguments.set}: {arguments.rows} x "
              f"{rows.dims} float32, {SETS[arguments.set][1]}, {QUERIES} queries that are not among them, m = 16, ef_construction = 64.", flush=True)
        run = Run(cluster, rows, arguments)
        for part in (part for part in arguments.part if part != "drop"):
            print(f"\n{part}, load of the machine {os.getloadavg()[0]:.0f}", flush=True)
            for line in getattr(run, part)():
                print(line, flush=True)
    finally:
        cluster.stop()
    if "drop" in arguments.part:
        shutil.rmtree(arguments.keep)


if __name__ == "__main__":
    main()
