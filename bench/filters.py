"""Filtered searches by maskgen_hnsw and by pgvector: recall, rows and CPU a query. README.md says how to run it.

rows      writes rows.copy and queries.copy out of vectors (float32 rows of 384): normalise(a + 0.35 (b - c)), with columns to filter by
measure   asks a throw-away server with two databases, `maskgen` and `pgvector`, that filters.sql has loaded

CPU is the backend's own, from /proc (schedstat), planning included. Truth is a sequential scan with the same filter.
"""
import argparse
import os
import struct
import subprocess

FILTERS = ['true', 'g < 1000', 'g < 100', 'g < 10', 'g < 1', 'p < 0.1', 'p < 0.01', 'p < 0.001', 'p > 0.9', 'p > 0.99', 'p > 0.999', 'tenant = 77', 'tenant = -1']
BTREES = ['item_g', 'item_p', 'item_tenant']
FORCED = 'SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off;'
NAMES = 'SET search_path = public, maskgen;'
ITERATIVE = 'SET hnsw.iterative_scan = relaxed_order; SET hnsw.ef_search = 80;'
# What is measured: database, indexes that are hidden, settings
CASES = {
    'maskgen, INCLUDE (tenant, g, p)': ('maskgen', ['item_v', 'item_own'] + BTREES, NAMES + FORCED),
    'maskgen, no other index': ('maskgen', ['item_cover', 'item_own'] + BTREES, NAMES),
    'maskgen, a btree on each column': ('maskgen', ['item_cover', 'item_own'], NAMES),
    'pgvector, iterative': ('pgvector', BTREES, FORCED + ITERATIVE),
    'pgvector, a btree on each column': ('pgvector', [], ITERATIVE),
}


def rows(arguments):
    import numpy as np

    vectors = np.fromfile(arguments.vectors, '<f4').reshape(-1, 384)
    random, n, n_queries = np.random.default_rng(5), arguments.n, 50
    a, b, c = (random.integers(0, len(vectors), n + n_queries) for _ in range(3))
    mixed = vectors[a] + 0.35 * (vectors[b] - vectors[c])
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    rank = np.empty(n)
    rank[np.argsort(-(mixed[:n] @ mixed[1234]))] = np.arange(n) / n
    tenant = random.integers(0, 10000, n)
    tenant[random.random(n) < 0.1] = -1
    columns = [('id', '>i4', np.arange(n)), ('g', '>i4', random.integers(0, 10000, n)), ('p', '>f8', rank), ('tenant', '>i4', tenant)]
    copy(os.path.join(arguments.folder, 'rows.copy'), columns, mixed[:n])
    copy(os.path.join(arguments.folder, 'queries.copy'), [('id', '>i4', np.arange(n_queries))], mixed[n:])


def copy(path, columns, vectors):
    """A file for COPY (FORMAT binary): columns of numbers, then a vector."""
    import numpy as np

    fields = [('n', '>i2')]
    for name, kind, _ in columns:
        fields += [(name + '_size', '>i4'), (name, kind)]
    table = np.zeros(len(vectors), dtype=fields + [('size', '>i4'), ('dims', '>i2'), ('unused', '>i2'), ('v', '>f4', vectors.shape[1])])
    table['n'], table['size'], table['dims'], table['v'] = len(columns) + 1, 4 + 4 * vectors.shape[1], vectors.shape[1], vectors
    for name, kind, values in columns:
        table[name + '_size'], table[name] = np.dtype(kind).itemsize, values
    with open(path, 'wb') as file:
        file.write(b'PGCOPY\n\xff\r\n\0' + struct.pack('>ii', 0, 0))
        table.tofile(file)
        file.write(struct.pack('>h', -1))


class Session:
    def __init__(self, psql, database, settings):
        self.program = subprocess.Popen([psql, '-XqAt', '-d', database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.run(settings)
        self.pid = int(self.run('SELECT pg_backend_pid();')[-1])

    def run(self, sql):
        self.program.stdin.write(sql + '\n\\echo end of it\n')
        self.program.stdin.flush()
        return [line for line in iter(lambda: self.program.stdout.readline().rstrip('\n'), 'end of it') if line]

    def cpu(self):
        with open(f'/proc/{self.pid}/schedstat') as file:
            return int(file.read().split()[0]) / 1e6

    def close(self):
        self.program.stdin.close()
        self.program.wait()


def series(session, where, table, n):
    """Milliseconds of CPU a query, and the rows of each."""
    def ask(i):
        answer = session.run(f'SELECT string_agg(id::text, \' \') FROM (SELECT id FROM {table} WHERE {where} '
                             f'ORDER BY v <=> (SELECT v FROM query WHERE id = {i}) LIMIT 10) x;')
        return answer[0].split() if answer else []
    for i in range(n):  # what a session touches for the first time costs a page fault each
        ask(i)
    before = session.cpu()
    found = [ask(i) for i in range(n)]
    return (session.cpu() - before) / n, found


def hide(psql, database, indexes):
    session = Session(psql, database, "UPDATE pg_index SET indisvalid = true WHERE indrelid = 'item'::regclass;")
    for index in indexes:
        session.run(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{index}'::regclass;")
    session.close()


def measure(arguments):
    def measured(database, hidden, settings, where, table='item'):
        hide(arguments.psql, database, hidden)
        session = Session(arguments.psql, database, settings)
        result = series(session, where, table, arguments.queries)
        session.close()
        return result

    truth = {}
    for where in FILTERS:
        cpu, truth[where] = measured('maskgen', [], NAMES + 'SET enable_indexscan = off; SET enable_bitmapscan = off;', where)
        print(f'sequential scan | {where} | {cpu:.2f}', flush=True)
    for name, (database, hidden, settings) in CASES.items():
        for where in FILTERS:
            cpu, found = measured(database, hidden, settings, where)
            same = sum(len(set(a) & set(b)) for a, b in zip(found, truth[where])) / max(sum(map(len, truth[where])), 1)
            fewer = sum(len(a) < len(b) for a, b in zip(found, truth[where]))
            print(f'{name} | {where} | {cpu:.2f} | {same:.3f} | {fewer} with too few rows', flush=True)
    own = NAMES + FORCED
    print('the tenth of one tenant, a partial index | %.2f' % measured('maskgen', ['item_v', 'item_cover'] + BTREES, own, 'tenant = -1')[0])
    print('a small tenant, a table and an index of its own | %.2f' % measured('maskgen', [], own, 'true', 'own')[0])
    hide(arguments.psql, 'maskgen', [])
    hide(arguments.psql, 'pgvector', [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser('rows')
    command.add_argument('vectors')
    command.add_argument('folder')
    command.add_argument('-n', type=int, default=117000)
    command.set_defaults(run=rows)
    command = commands.add_parser('measure')
    command.add_argument('--psql', default='psql')
    command.add_argument('--queries', type=int, default=50)
    command.set_defaults(run=measure)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == '__main__':
    main()
