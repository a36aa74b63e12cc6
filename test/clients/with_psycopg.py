"""psycopg 3 with pgvector-python: text and binary, arrays, COPY."""
import psycopg
from pgvector import Bit, HalfVector, SparseVector, Vector
from pgvector.psycopg import register_vector

from tap import done, is_

connection = psycopg.connect(autocommit=True)
register_vector(connection)
connection.execute('CREATE TABLE item (id bigserial, v vector(3), h halfvec(3), s sparsevec(3), b bit(3), list vector[], halves halfvec[])')

vector, half, sparse, bits = Vector([1.5, 2, 3]), HalfVector([1.5, 2, 3]), SparseVector([1.5, 0, 3]), Bit('101')
for binary in (False, True):
    mode = 'binary' if binary else 'text'
    format = '%b' if binary else '%t'
    connection.execute(f'INSERT INTO item (v, h, s, b, list, halves) VALUES ({format}, {format}, {format}, %s, {format}, {format})',
                       (vector, half, sparse, bits, [vector, vector], [half]))
    row = connection.cursor(binary=binary).execute('SELECT v, h, s, b::text, list, halves FROM item ORDER BY id DESC LIMIT 1').fetchone()
    is_(row[0], vector, f'{mode}: vector')
    is_(row[1], half, f'{mode}: halfvec')
    is_(row[2], sparse, f'{mode}: sparsevec')
    is_(row[3], '101', f'{mode}: bit')
    is_(row[4], [vector, vector], f'{mode}: array of vectors')
    is_(row[5], [half], f'{mode}: array of half vectors')
    for column, value, operator in (('v', vector, '<->'), ('v', vector, '<=>'), ('v', vector, '<#>'), ('v', vector, '<+>'), ('h', half, '<->'),
                                    ('s', sparse, '<->'), ('b', bits, '<~>'), ('b', bits, '<%%>')):
        found = connection.execute(f'SELECT id FROM item ORDER BY {column} {operator} %s LIMIT 1', (value,)).fetchone()
        is_(found is not None, True, f'{mode}: ORDER BY {column} {operator.replace("%%", "%")}')

connection.execute('CREATE TABLE copied (v vector(3), h halfvec(3), s sparsevec(3))')
for binary in (False, True):
    with connection.cursor().copy(f'COPY copied FROM STDIN WITH (FORMAT {"BINARY" if binary else "TEXT"})') as copy:
        if binary:
            copy.set_types(['vector', 'halfvec', 'sparsevec'])
        for i in range(100):
            copy.write_row([Vector([i, i + 1, i / 2]), HalfVector([i, 1, 2]), SparseVector([0, i, 0])])
is_(connection.execute('SELECT count(*), count(DISTINCT v), sum(v[1]) FROM (SELECT v::real[] AS v FROM copied) r').fetchone(), (200, 100, 9900.0), 'COPY, text and binary')
with connection.cursor().copy('COPY (SELECT v, h, s FROM copied WHERE v = %s LIMIT 1) TO STDOUT WITH (FORMAT BINARY)', (Vector([7, 8, 3.5]),)) as copy:
    copy.set_types(['vector', 'halfvec', 'sparsevec'])
    is_(list(copy.rows()), [(Vector([7, 8, 3.5]), HalfVector([7, 1, 2]), SparseVector([0, 7, 0]))], 'COPY TO, binary')
is_(connection.execute('SELECT avg(v), sum(h) FROM (VALUES (%s, %s), (%s, %s)) r (v, h)', (vector, half, Vector([0.5, 0, 1]), HalfVector([1, 0, 1]))).fetchone(),
    (Vector([1, 1, 2]), HalfVector([2.5, 2, 4])), 'avg and sum')
done()
