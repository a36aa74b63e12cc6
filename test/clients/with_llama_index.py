"""The vector store of llama-index, which creates "vector" itself."""
import os

from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import VectorStoreQuery
from llama_index.vector_stores.postgres import PGVectorStore

from tap import done, is_

database = os.environ['PGDATABASE']
for half in (False, True):
    store = PGVectorStore(connection_string=f'postgresql+psycopg2:///{database}', async_connection_string=f'postgresql+asyncpg:///{database}',
                          table_name=f'half_{half}'.lower(), schema_name='public', embed_dim=3, use_halfvec=half,
                          hnsw_kwargs={'hnsw_m': 16, 'hnsw_ef_construction': 64, 'hnsw_ef_search': 40,
                                       'hnsw_dist_method': 'halfvec_cosine_ops' if half else 'vector_cosine_ops'})
    store.add([TextNode(text='one', id_='1', embedding=[1, 2, 3]), TextNode(text='two', id_='2', embedding=[3, 2, 1])])
    result = store.query(VectorStoreQuery(query_embedding=[1, 2, 3], similarity_top_k=1))
    is_((result.ids, [round(s, 3) for s in result.similarities]), (['1'], [1.0]), f'the nearest text; halfvec: {half}')
done()
