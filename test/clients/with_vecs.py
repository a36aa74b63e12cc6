"""vecs creates "vector" itself, and indexes by hnsw and by ivfflat."""
import os

import vecs

from tap import done, is_

client = vecs.create_client(f'postgresql://postgres@/{os.environ["PGDATABASE"]}?host={os.environ["PGHOST"]}')
docs = client.get_or_create_collection('docs', dimension=3)
docs.upsert([('a', [1, 2, 3], {'k': 1}), ('b', [1, 2, 4], {'k': 2}), ('c', [9, 2, 4], {'k': 2})])
docs.create_index(method=vecs.IndexMethod.hnsw, measure=vecs.IndexMeasure.cosine_distance)
is_(docs.query([1, 2, 3], limit=2), ['a', 'b'], 'the nearest, by hnsw')
is_(docs.query([1, 2, 3], limit=2, filters={'k': {'$eq': 2}}), ['b', 'c'], 'of those that a filter keeps')
docs.create_index(method=vecs.IndexMethod.ivfflat, measure=vecs.IndexMeasure.l2_distance, replace=True)
is_('ivfflat' in docs.index, True, 'an index of ivfflat in its place')
is_(docs.query([1, 2, 3], limit=2, measure='l2_distance'), ['a', 'b'], 'the nearest, by that')
done()
