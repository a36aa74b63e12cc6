-- What pgvector's users write, where pgvector is not installed: USING hnsw and hnsw.ef_search.
SET client_min_messages = warning;
SET search_path = public, maskgen;
SELECT plan(11);

SELECT throws_ok('CREATE TABLE early (v vector(3)); CREATE INDEX ON early USING hnsw (v vector_l2_ops)', '42704', NULL, 'the name hnsw is nobody''s at first');
SELECT lives_ok('SELECT maskgen.enable_pgvector_names()', 'it is given');
SELECT throws_ok('SELECT maskgen.enable_pgvector_names()', '42710', 'access method "hnsw" exists already', 'once');
SELECT results_eq($$SELECT opcname, opcdefault, opcintype FROM pg_opclass WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'hnsw') ORDER BY 1$$,
	$$SELECT opcname, opcdefault, opcintype FROM pg_opclass WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'maskgen_hnsw') ORDER BY 1$$,
	'with the same classes');

SELECT setseed(0.5);
CREATE TABLE items (id int PRIMARY KEY, embedding vector(16), half halfvec(16), sparse sparsevec(16), bits bit(16));
INSERT INTO items SELECT i, v, v, v::sparsevec, binary_quantize(v) FROM (SELECT i, ARRAY(SELECT random() - 0.5 + 0 * i FROM generate_series(1, 16))::vector AS v
	FROM generate_series(1, 2000) i) x;
SELECT lives_ok($$CREATE INDEX ON items USING hnsw (embedding vector_cosine_ops) WITH (m = 8, ef_construction = 32);
	CREATE INDEX ON items USING hnsw (half halfvec_l2_ops); CREATE INDEX ON items USING hnsw (sparse sparsevec_ip_ops);
	CREATE INDEX ON items USING hnsw (bits bit_hamming_ops)$$, 'indexes as for pgvector');
ANALYZE items;
SET enable_seqscan = off;
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS 'BEGIN RETURN QUERY EXECUTE ''EXPLAIN (COSTS off) '' || query; END';
SELECT ok(EXISTS (SELECT FROM plan_of('SELECT id FROM items ORDER BY embedding <=> (SELECT embedding FROM items WHERE id = 1) LIMIT 5') p
	WHERE p ~ 'Index Scan using items_embedding_idx'), 'are used');
SELECT is((SELECT id FROM items ORDER BY embedding <=> (SELECT embedding FROM items WHERE id = 7) LIMIT 1), 7, 'and find what is there');
SELECT is_empty($$SELECT * FROM maskgen.index_check('items_embedding_idx', true)$$, 'they are sound');

SET maskgen.iterative_scan = off;
CREATE FUNCTION n_found() RETURNS bigint LANGUAGE sql AS
	'SELECT count(*) FROM (SELECT FROM items ORDER BY embedding <=> (SELECT embedding FROM items WHERE id = 1) LIMIT 500) x';
SELECT is(n_found(), 40::bigint, 'without a setting, a scan has the default ef_search');
SET hnsw.ef_search = 77;
SELECT is(n_found(), 77::bigint, 'hnsw.ef_search is obeyed');
SET hnsw.ef_search = 'many';
SELECT throws_ok('SELECT n_found()', '22023', 'invalid value for parameter "hnsw.ef_search": "many"', 'if it is a number');
