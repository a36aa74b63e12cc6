-- Loads what filters.py wrote: psql -v folder=FOLDER -v kind=maskgen_hnsw -d maskgen, or kind=hnsw -d pgvector. The extension is there.
SET search_path = public, maskgen;
SELECT :'kind' = 'maskgen_hnsw' AS ours, :'folder' || '/rows.copy' AS rows, :'folder' || '/queries.copy' AS queries \gset
CREATE TABLE item (id int PRIMARY KEY, g int, p float8, tenant int, v vector(384));
ALTER TABLE item ALTER v SET STORAGE plain;
CREATE TABLE query (id int, v vector(384));
COPY item FROM :'rows' (FORMAT binary);
COPY query FROM :'queries' (FORMAT binary);
VACUUM ANALYZE item;
CREATE INDEX item_g ON item (g);
CREATE INDEX item_p ON item (p);
CREATE INDEX item_tenant ON item (tenant);
\timing on
CREATE INDEX item_v ON item USING :kind (v vector_cosine_ops);
\if :ours
CREATE INDEX item_cover ON item USING :kind (v vector_cosine_ops) INCLUDE (tenant, g, p);
CREATE INDEX item_own ON item USING :kind (v vector_cosine_ops) WHERE tenant = -1;
CREATE TABLE own AS SELECT * FROM item WHERE tenant = 77;
ALTER TABLE own ALTER v SET STORAGE plain;
CREATE INDEX own_v ON own USING :kind (v vector_cosine_ops);
VACUUM ANALYZE own;
\endif
VACUUM ANALYZE item;
SELECT relname, pg_size_pretty(pg_relation_size(oid)) FROM pg_class WHERE relname LIKE 'item%' ORDER BY 1;
