"""asyncpg with pgvector-python, which asks for the schema and speaks binary alone."""
import asyncio
import os

import asyncpg
from pgvector import HalfVector, SparseVector, Vector
from pgvector.asyncpg import register_vector

from tap import done, is_


async def main():
    connection = await asyncpg.connect(host=os.environ['PGHOST'], user=os.environ['PGUSER'], database=os.environ['PGDATABASE'])
    await register_vector(connection, schema='maskgen')
    await connection.execute('CREATE TABLE item (v vector(3), h halfvec(3), s sparsevec(3), list vector[])')
    values = (Vector([1, 2, 3.5]), HalfVector([1, 2, 3.5]), SparseVector([1, 0, 3.5]))
    await connection.execute('INSERT INTO item VALUES ($1, $2, $3, $4)', *values, [values[0]])
    row = await connection.fetchrow('SELECT * FROM item')
    for i, name in enumerate(('vector', 'halfvec', 'sparsevec')):
        is_(row[i], values[i], name)
    is_(row[3], [values[0]], 'array')
    await connection.copy_records_to_table('item', records=[(Vector([i, 0, 0]), HalfVector([i, 0, 0]), SparseVector([i, 0, 0]), None) for i in range(10)])
    is_(await connection.fetchval('SELECT count(*) FROM item WHERE v <-> $1 < 2', Vector([5, 0, 0])), 3, 'COPY and a distance')
    await connection.close()


asyncio.run(main())
done()
