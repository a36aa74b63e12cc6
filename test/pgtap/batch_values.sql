-- Rows of VALUES are computed together; tables and materialised views that a query makes have the dimensions of the model.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET jit = off;
SET maskgen.enable_result_cache = off;
SELECT no_plan();
SELECT length(create_model('e', :'dir' || '/golden/tiny/bert-embed-mean')) + length(create_model('m', :'dir' || '/golden/tiny/bert-mlm')) > 0 AS made \gset
CREATE TABLE t (id int, x text DEFAULT 'none', v vector(32), c text);

-- Calls in batches of a plan, as 'calls of rows'; NULL: none
CREATE FUNCTION batches(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan jsonb; found text;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || query INTO plan;
	SELECT string_agg(c ->> 'Rows', ' ') INTO found FROM jsonb_path_query(plan, 'strict $.**.Calls[*]') c;
	RETURN found;
END $$;
CREATE FUNCTION same(query text, batches text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE together text; apart text;
BEGIN
	RETURN NEXT is(batches(query), batches, what);
	EXECUTE format('SELECT string_agg(x::text, '' '') FROM (%s) x', query) INTO together;
	SET maskgen.enable_batching = off;
	EXECUTE format('SELECT string_agg(x::text, '' '') FROM (%s) x', query) INTO apart;
	RESET maskgen.enable_batching;
	RETURN NEXT is(together, apart, what || ': rows');
END $$;
SELECT same($$VALUES (embed('e', 'red')), (embed('e', 'shoes')), (embed('e', NULL))$$, '2', 'VALUES alone, NULL among them');
SELECT same($$SELECT id, classify('m', x, '{world,sports}'), v::text FROM (VALUES (1, 'a', embed('e', 'red')), (2, 'b', embed('e', 'shoes'))) s (id, x, v) ORDER BY id$$, '2 2', 'in FROM');
SELECT same($$SELECT id FROM (VALUES (1, embed('e', 'red')), (2, embed('e', 'shoes')), (3, embed('e', 'wine'))) s (id, v) WHERE v <=> embed('e', 'wine') < 0.01$$, '3', 'in WHERE');
SELECT same($$SELECT l2_norm(v) FROM (VALUES (1, embed('e', 'red', dims => 8)), (2, embed('e', 'shoes', dims => 8))) s (id, v)$$, '2', 'with options');
SELECT same($$SELECT v::text FROM (VALUES (embed('e', 'red')::halfvec(32)), (embed('e', 'shoes')::halfvec(32))) s (v)$$, '2', 'below casts');
SELECT same($$SELECT x, (SELECT string_agg(c, ' ' ORDER BY c) FROM (VALUES (classify('m', x || ' one', '{world,sports}')), (classify('m', x || ' two', '{world,sports}'))) s (c)) FROM (VALUES ('wine'), ('shoes')) o (x)$$, '4', 'with columns of the query around');
SELECT same($$SELECT s::text FROM (VALUES (1, embed('e', 'red')), (2, embed('e', 'shoes'))) s (id, v)$$, '2', 'where a row is read as a whole');
SELECT same($$VALUES (embed('e', 'a'), 1), (embed('e', 'b'), 2), (embed('e', 'c'), 3), (embed('e', 'd'), 4), (embed('e', 'f'), 5) ORDER BY "*VALUES*"$$, NULL, 'but not where the list itself is');
SELECT same($$SELECT id, v::text FROM (VALUES (1, embed('e', 'red')), (2, NULL)) s (id, v)$$, NULL, 'nor where a row has something else');
SELECT same($$SELECT v::text FROM (VALUES (embed('e', 'red')), (embed('e', 'red', 'query'))) s (v)$$, NULL, 'nor with different options');
SELECT same($$SELECT v IS NULL FROM (VALUES (CASE WHEN random() < 2 THEN embed('e', 'red') END), (CASE WHEN random() < 2 THEN embed('e', 'shoes') END)) s (v)$$, NULL, 'nor in an arm of CASE');

SELECT is(batches($$INSERT INTO t VALUES (1, 'red', embed('e', 'red')), (2, DEFAULT, embed('e', 'shoes')), (3, 'wine', embed('e', 'wine'))$$), '3', 'INSERT');
SELECT is(batches($$INSERT INTO t (id, x, c) VALUES (4, 'red', classify('m', 'red', '{world,sports}')), (5, 'wine', classify('m', 'wine', '{world,sports}')) ON CONFLICT DO NOTHING$$), '2', 'INSERT of labels');
SELECT results_eq('SELECT id, x, v = embed(''e'', CASE WHEN id = 2 THEN ''shoes'' ELSE x END) IS TRUE, c = classify(''m'', x, ''{world,sports}'') IS TRUE FROM t ORDER BY id',
	$$VALUES (1, 'red', true, false), (2, 'none', true, false), (3, 'wine', true, false), (4, 'red', false, true), (5, 'wine', false, true)$$, 'what was inserted');
SET plan_cache_mode = force_generic_plan;
PREPARE two(text, text) AS INSERT INTO t VALUES (6, $1, embed('e', $1)), (7, $2, embed('e', $2)) RETURNING id;
SELECT is(batches($$EXECUTE two('red', 'wine')$$), '2', 'parameters');
RESET plan_cache_mode;
SELECT ok((SELECT bool_and(v = embed('e', x)) AND count(*) = 2 FROM t WHERE id IN (6, 7)), 'what was inserted');
SELECT throws_ok($$INSERT INTO t (id, v) VALUES (8, embed('e', 'red')), (9, embed('no', 'wine'))$$, '42704', NULL, 'another model');
SELECT throws_ok($$INSERT INTO t (id, v) VALUES (8, embed('no', 'red')), (9, embed('no', 'wine'))$$, '42704', NULL, 'no model');
SELECT is((SELECT count(*)::int FROM t WHERE id > 7), 0, 'nothing is inserted');

-- Dimensions
CREATE FUNCTION types_of(relation regclass) RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg(replace(format_type(atttypid, atttypmod), 'maskgen.', ''), ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = relation AND attnum > 0 $$;
CREATE TABLE made AS SELECT id, embed('e', x) AS v, embed('e', x, dims => 8) AS short, embed_query('e', x) AS q, embed_document('e', input => x) AS d, embed('e', x)::halfvec AS h FROM t;
SELECT is(types_of('made'), 'integer vector(32) vector(8) vector(32) vector(32) halfvec', 'CREATE TABLE AS');
CREATE INDEX ON made USING maskgen_hnsw (v);
CREATE MATERIALIZED VIEW seen AS SELECT id, v FROM (SELECT id, embed('e', x) AS v FROM t) s ORDER BY id;
SELECT is(types_of('seen'), 'integer vector(32)', 'a materialised view, of a subquery');
CREATE INDEX ON seen USING maskgen_hnsw (v);
REFRESH MATERIALIZED VIEW seen;
SELECT matches(pg_get_viewdef('seen'), '\)::vector\(32\)', 'whose definition has them');
CREATE MATERIALIZED VIEW empty AS SELECT embed('e', x) AS v FROM t WITH NO DATA;
SELECT is(types_of('empty'), 'vector(32)', 'WITH NO DATA');
SELECT embed('e', x) AS v INTO into_table FROM t;
SELECT is(types_of('into_table'), 'vector(32)', 'SELECT INTO');
SET maskgen.embed_model = 'e';
CREATE TABLE unknown AS SELECT embed(x) AS by_setting, embed(n, x) AS by_column, v || v AS other FROM (SELECT 'e'::text AS n, x, v FROM t OFFSET 0) s WHERE x <> '';
SELECT is(types_of('unknown'), 'vector vector vector', 'not of what is not known');
CREATE TABLE grouped AS SELECT embed('e', x) AS v, count(*) AS n FROM t GROUP BY embed('e', x) HAVING embed('e', x) IS NOT NULL;
SELECT is(types_of('grouped'), 'vector bigint', 'nor of what rows are grouped by');
SELECT throws_ok($$CREATE TABLE none AS SELECT embed('no', x) AS v FROM t$$, '42704', NULL, 'a model that is not there');
SELECT * FROM finish();
