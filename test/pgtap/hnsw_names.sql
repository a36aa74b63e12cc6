-- What pgvector's users write, where pgvector is not installed: USING hnsw and ivfflat, and settings of these names.
SET client_min_messages = warning;
SET search_path = public, maskgen;
SELECT no_plan();

SELECT throws_ok('CREATE TABLE early (v vector(3)); CREATE INDEX ON early USING hnsw (v vector_l2_ops)', '42704', NULL, 'the name hnsw is nobody''s at first');
SELECT lives_ok('SELECT maskgen.enable_pgvector_names()', 'it is given');
SELECT throws_ok('SELECT maskgen.enable_pgvector_names()', '42710', 'access methods "hnsw" and "ivfflat" exist already', 'once');
SELECT results_eq(format('SELECT opcname, opcintype FROM pg_opclass WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = %L) ORDER BY 1', name),
	$$SELECT opcname, opcintype FROM pg_opclass WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'maskgen_hnsw') ORDER BY 1$$,
	name || ' has the same classes') FROM unnest('{hnsw,ivfflat}'::text[]) name;
SELECT results_eq($$SELECT amname, opcname FROM pg_opclass c JOIN pg_am m ON m.oid = opcmethod AND amname IN ('hnsw', 'ivfflat') WHERE opcdefault$$,
	$$VALUES ('ivfflat'::name, 'vector_l2_ops'::name)$$, 'and the default that pgvector has, so that a dump names all others');
DROP ACCESS METHOD ivfflat CASCADE;
SELECT lives_ok('SELECT maskgen.enable_pgvector_names()', 'what is missing is added');

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

CREATE FUNCTION n_found(n int DEFAULT 500) RETURNS bigint LANGUAGE sql AS
	'SELECT count(*) FROM (SELECT FROM items ORDER BY embedding <=> (SELECT embedding FROM items WHERE id = 1) LIMIT n) x';
SELECT is(n_found(), 500::bigint, 'without a setting, a scan goes on until it has all rows');
SET hnsw.iterative_scan = off;
SELECT is(n_found(), 40::bigint, 'hnsw.iterative_scan is obeyed');
SET hnsw.ef_search = 77;
SELECT is(n_found(), 77::bigint, 'hnsw.ef_search is obeyed');
SET hnsw.ef_search = 20;
SELECT is(n_found(100), 20::bigint, 'below LIMIT, too');
SET enable_indexscan = off;
SET enable_seqscan = on;
SELECT is(n_found(100), 100::bigint, 'by scans of the index alone');
RESET enable_indexscan;
SET enable_seqscan = off;
SET hnsw.ef_search = 'many';
SELECT throws_ok('SELECT n_found()', '22023', 'invalid value for parameter "hnsw.ef_search": "many"', 'if it is a number');
RESET hnsw.ef_search;
SELECT is(n_found(), 40::bigint, 'reset, it is nobody''s');
BEGIN;
SET LOCAL hnsw.ef_search = 60;
SELECT is(n_found(), 60::bigint, 'set in a transaction');
COMMIT;
SELECT is(n_found(), 40::bigint, 'it ends with it');
SET hnsw.iterative_scan = sometimes;
SELECT throws_ok('SELECT n_found()', '22023', 'invalid value for parameter "hnsw.iterative_scan": "sometimes"', 'a way to go on is one of four');
SET hnsw.iterative_scan = RELAXED_order;
SET maskgen.iterative_scan = off;
SELECT is(n_found(), 500::bigint, 'it comes before maskgen''s own');
CREATE TEMP TABLE nearest AS SELECT embedding FROM items WHERE id = 1;
CREATE INDEX own ON items USING maskgen_hnsw (embedding vector_l2_ops);
SELECT is((SELECT count(*) FROM (SELECT FROM items ORDER BY embedding <-> (SELECT embedding FROM nearest) LIMIT 500) x), 40::bigint,
	'but not for an index of maskgen''s name');
RESET maskgen.iterative_scan;
SET hnsw.iterative_scan = strict_order;
SET hnsw.max_scan_tuples = 100;
SELECT cmp_ok(n_found(1500), '<', 1500::bigint, 'hnsw.max_scan_tuples is obeyed');
SET hnsw.max_scan_tuples = 1;
SELECT is(n_found(40), 40::bigint, 'but not by the first search');
SET hnsw.iterative_scan = off;
SELECT is(n_found(), 40::bigint, 'after which none comes');
SET hnsw.iterative_scan = strict_order;
SET hnsw.max_scan_tuples = 0;
SELECT throws_ok('SELECT n_found()', '22023', 'invalid value for parameter "hnsw.max_scan_tuples": "0"', 'it is at least 1');
RESET hnsw.max_scan_tuples;
SET work_mem = '64kB';
SELECT is(n_found(1500), 1500::bigint, 'there is memory for all');
SET hnsw.scan_mem_multiplier = 1;
SELECT cmp_ok(n_found(1500), '<', 1500::bigint, 'hnsw.scan_mem_multiplier is obeyed');
SET hnsw.scan_mem_multiplier = 0.5;
SELECT throws_ok('SELECT n_found()', '22023', 'invalid value for parameter "hnsw.scan_mem_multiplier": "0.5"', 'it is at least 1');
RESET hnsw.scan_mem_multiplier;
RESET hnsw.iterative_scan;
RESET work_mem;

-- ivfflat
DROP INDEX items_embedding_idx, own;
SELECT lives_ok('CREATE INDEX lists ON items USING ivfflat (embedding vector_cosine_ops) WITH (lists = 50)', 'an index of lists');
SELECT throws_ok('CREATE INDEX ON items USING ivfflat (embedding vector_cosine_ops) WITH (lists = 0)', '22023', NULL, 'lists is a number from 1 on');
SELECT throws_ok('CREATE INDEX ON items USING hnsw (embedding vector_cosine_ops) WITH (lists = 50)', '22023', 'unrecognized parameter "lists"', 'of ivfflat alone');
SELECT lives_ok('CREATE INDEX by_default ON items USING ivfflat (embedding); DROP INDEX by_default', 'a class is optional, as in pgvector');
SELECT matches(pg_get_indexdef('lists'::regclass), 'USING ivfflat \(embedding vector_cosine_ops\) WITH \(lists=', 'it is defined as it was made');
SELECT is_empty($$SELECT * FROM maskgen.index_check('lists', true)$$, 'it is a graph, and sound');
SELECT cmp_ok(maskgen.index_recall('lists', 20), '>', 0.9::float8, 'with the recall of one');
SET ivfflat.iterative_scan = off;
SELECT is(n_found(), 40::bigint, 'ivfflat.iterative_scan is obeyed');
SET ivfflat.probes = 1;
SELECT is(n_found(), 40::bigint, 'few probes ask for no less than ef_search');
SET ivfflat.probes = 9;
SELECT is(n_found(), 90::bigint, 'more of them for more');
CREATE FUNCTION is_used() RETURNS boolean LANGUAGE sql AS
	$$SELECT EXISTS (SELECT FROM plan_of('SELECT id FROM items ORDER BY embedding <=> (SELECT embedding FROM items WHERE id = 1) LIMIT 5') p WHERE p ~ 'using lists')$$;
RESET enable_seqscan;
SET seq_page_cost = 100;
SELECT ok(is_used(), 'the index is used');
SET ivfflat.probes = 50;
SELECT ok(NOT is_used(), 'but not when all lists are asked for, which is exact');
SET ivfflat.probes = 'all';
SELECT throws_ok('SELECT n_found()', '22023', 'invalid value for parameter "ivfflat.probes": "all"', 'probes is a number');
SELECT * FROM finish();
