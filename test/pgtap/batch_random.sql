-- Thousands of random queries, the same in each run: with batches and row by row they give the same rows.
--
-- A query is made by a grammar from pseudo-random numbers; one that differs is told with its text.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET jit = off;
SET maskgen.enable_result_cache = off;
SELECT plan(6);

SELECT length(create_model('e', :'dir' || '/golden/tiny/bert-embed-cls')) + length(create_model('m', :'dir' || '/golden/tiny/bert-mlm')) > 0 AS made \gset
CREATE TYPE topic AS ENUM ('world', 'sports');
CREATE TABLE a (id int PRIMARY KEY, x text, y int, z text);
INSERT INTO a SELECT i, CASE WHEN i % 5 > 0 THEN (ARRAY['wine', 'red shoes', 'paris', ''])[i % 4 + 1] || ' ' || i / 2 END, i % 6, 'row ' || i % 3 FROM generate_series(1, 24) i;
CREATE TABLE b (id int PRIMARY KEY, x text, y int, z text);
INSERT INTO b SELECT i * 2, CASE WHEN i % 4 > 0 THEN 'sports ' || i END, i % 4, repeat('wine ', i % 8) FROM generate_series(1, 15) i;
CREATE INDEX ON b (y);
CREATE TABLE p (id int, x text, y int, z text) PARTITION BY HASH (id);
CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO p SELECT * FROM a WHERE id % 3 > 0;
ALTER TABLE a SET (parallel_workers = 2);
ANALYZE a, b, p;

-- Numbers 0 to n - 1; a query begins at a place of its own.
CREATE SEQUENCE random_step;
CREATE FUNCTION pick(n int) RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT (abs(hashint8extended(nextval('random_step'), 0)) % n)::int $$;
CREATE FUNCTION one_of(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT choices[pick(cardinality(choices)) + 1] $$;

-- A text of a row of table t, with depth levels of calls at most
CREATE FUNCTION a_text(t text, depth int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE pick(CASE WHEN depth > 0 THEN 12 ELSE 6 END)
		WHEN 0 THEN t || '.x' WHEN 1 THEN t || '.x' WHEN 2 THEN t || '.z'
		WHEN 3 THEN format('%s.x || %1$s.z', t)
		WHEN 4 THEN format('coalesce(%s.x, %1$s.z)', t)
		WHEN 5 THEN format('(''wine '' || %s.y)', t)
		WHEN 6 THEN format('CASE WHEN %s.y > 1 THEN %s ELSE %s END', t, a_text(t, depth - 1), a_text(t, depth - 1))
		WHEN 7 THEN format('(SELECT max(s.x) FROM b s WHERE s.y = %s.y)', t)
		ELSE a_label(t, depth - 1) END;
END $$;
CREATE FUNCTION a_label(t text, depth int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE pick(8)
		WHEN 0 THEN format('classify(''m'', %s, ''{world,sports,news}'', ''{mask} : {text}'')', a_text(t, depth))
		WHEN 1 THEN format('classify_as(''m'', %s, NULL::topic)::text', a_text(t, depth))
		WHEN 2 THEN format('classify(%s, ''{world,sports}'')', a_text(t, depth))
		WHEN 3 THEN format('classify(CASE WHEN %s.y > 2 THEN ''m'' END, %s, ''{world,sports}'')', t, a_text(t, depth))
		ELSE format('classify(''m'', %s, ''{world,sports}'')', a_text(t, depth)) END;
END $$;
CREATE FUNCTION a_vector(t text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE pick(5)
		WHEN 0 THEN format('embed_query(''e'', %s)', a_text(t, 1))
		WHEN 1 THEN format('embed(%s)', a_text(t, 1))
		WHEN 2 THEN format('embed(''e'', %s, ''query: '', %s)', a_text(t, 1), pick(8) + 1)
		ELSE format('embed(''e'', %s)', a_text(t, 1)) END;
END $$;
CREATE FUNCTION a_condition(t text, depth int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE pick(CASE WHEN depth > 0 THEN 9 ELSE 6 END)
		WHEN 0 THEN format('%s.y < %s', t, pick(6))
		WHEN 1 THEN format('%s.x IS NOT NULL', t)
		WHEN 2 THEN format('%s <> %s', a_label(t, 1), a_label(t, 0))
		WHEN 3 THEN format('%s IN (''world'', %s.z)', a_label(t, 0), t)
		WHEN 4 THEN format('%s = ''sports''', a_label(t, 1))
		WHEN 5 THEN format('embed(''e'', %s) <=> embed(''e'', ''red wine'') < 0.%s', a_text(t, 1), pick(10))
		WHEN 6 THEN format('(%s OR %s)', a_condition(t, depth - 1), a_condition(t, depth - 1))
		WHEN 7 THEN format('NOT (%s AND %s)', a_condition(t, depth - 1), a_condition(t, depth - 1))
		ELSE format('EXISTS (SELECT FROM b s WHERE s.y = %s.y AND %s)', t, a_condition('s', 0)) END;
END $$;
CREATE FUNCTION a_where(t text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE pick(4) WHEN 0 THEN '' WHEN 1 THEN ' WHERE ' || a_condition(t, 1) || ' AND ' || a_condition(t, 1) ELSE ' WHERE ' || a_condition(t, 1) END;
END $$;
CREATE FUNCTION a_value(t text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE pick(6) WHEN 0 THEN t || '.y' WHEN 1 THEN format('%s IS NULL', a_text(t, 2)) WHEN 2 THEN a_vector(t) WHEN 3 THEN a_text(t, 2) ELSE a_label(t, 1) END;
END $$;
CREATE FUNCTION a_table() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT one_of('a', 'b', 'p') $$;
-- LIMIT only with an order that is total
CREATE FUNCTION a_limit() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE pick(3) WHEN 0 THEN '' WHEN 1 THEN ' LIMIT ' || pick(12) ELSE format(' LIMIT %s OFFSET %s', pick(12), pick(5)) END
$$;
CREATE FUNCTION a_query() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	f text := a_table();
	g text := a_table();
BEGIN
	RETURN CASE pick(17)
		WHEN 0 THEN format('SELECT t.id, %s, %s FROM %s t%s', a_value('t'), a_value('t'), f, a_where('t'))
		WHEN 1 THEN format('SELECT t.id, %s FROM %s t%s ORDER BY t.id%s', a_value('t'), f, a_where('t'), a_limit())
		WHEN 2 THEN format('SELECT t.id, %s FROM %s t ORDER BY %s NULLS FIRST, t.id%s', a_value('t'), f, a_label('t', 1), a_limit())
		WHEN 3 THEN format('SELECT %s, count(*), max(%s) FROM %s t%s GROUP BY 1', a_label('t', 1), a_text('t', 1), f, a_where('t'))
		WHEN 4 THEN format('SELECT t.y, max(%s), count(%s) FILTER (WHERE %s), %s FROM %s t GROUP BY t.y HAVING %s <> ''news''',
			a_label('t', 1), a_label('t', 0), a_condition('t', 0), 'classify(''m'', max(t.x), ''{world,sports}'')', f, 'classify(''m'', min(t.z), ''{world,sports}'')')
		WHEN 5 THEN format('SELECT DISTINCT %s FROM %s t%s', a_label('t', 1), f, a_where('t'))
		WHEN 6 THEN format('SELECT t.id, u.id, %s, %s FROM %s t JOIN %s u ON t.y = u.y AND t.id < u.id%s', a_value('t'), a_value('u'), f, g, a_where('t'))
		WHEN 7 THEN format('SELECT t.id, u.id, %s FROM %s t %s JOIN %s u ON t.id = u.id AND %s%s', a_value('u'), f, one_of('LEFT', 'RIGHT', 'INNER'), g, a_condition('t', 0), a_where('u'))
		WHEN 8 THEN format('SELECT t.id, %s FROM %s t, LATERAL (SELECT u.id, %s AS x, u.y, t.z FROM %s u WHERE u.y = t.y ORDER BY u.id%s) u', a_value('u'), f, a_text('u', 1), g, a_limit())
		WHEN 9 THEN format('WITH c AS MATERIALIZED (SELECT t.id, %s AS x, t.y, t.z FROM %s t) SELECT c.id, %s FROM c%s', a_text('t', 1), f, a_value('c'), a_where('c'))
		WHEN 10 THEN format('SELECT t.id, %s FROM %s t%s UNION ALL SELECT u.id, %s FROM %s u', a_label('t', 1), f, a_where('t'), a_label('u', 1), g)
		WHEN 11 THEN format('SELECT t.id, max(%s) OVER (PARTITION BY t.y ORDER BY t.id), lag(%s) OVER (ORDER BY t.id) FROM %s t%s', a_label('t', 0), a_label('t', 0), f, a_where('t'))
		WHEN 12 THEN format('SELECT t.id FROM %s t WHERE %s IN (SELECT %s FROM %s u%s)', f, a_label('t', 0), a_label('u', 0), g, a_where('u'))
		WHEN 13 THEN format('SELECT x, y, count(%s), %s FROM %s t GROUP BY GROUPING SETS ((x, y), (y), ())', a_label('t', 0), 'classify(''m'', x, ''{world,sports}'')', f)
		WHEN 14 THEN format('SELECT s.id, %s FROM (SELECT t.id, %s AS x, t.y, t.z FROM %s t%s ORDER BY t.id%s) s%s', a_value('s'), a_text('t', 1), f, a_where('t'), a_limit(), a_where('s'))
		WHEN 15 THEN format('SELECT t.id, u.id, %s, %s FROM %s t %s JOIN %s u ON %s = %s', a_label('t', 0), a_label('u', 0), f, one_of('LEFT', 'RIGHT', 'INNER'), g, a_label('t', 0), a_label('u', 0))
		ELSE format('SELECT t, t.*, %s FROM %s t WHERE t.id IN (SELECT u.id FROM %s u%s)', a_value('t'), f, g, a_where('u')) END;
END $$;

CREATE FUNCTION rows_of(query text, batches text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
	PERFORM set_config('maskgen.enable_batching', batches, true);
	EXECUTE 'SELECT string_agg(q::text, ''|'' ORDER BY q::text COLLATE "C") FROM (' || query || ') q' INTO found;
	RETURN coalesce(found, '');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION has_batches(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN plan::text ~ 'MaskgenBatch';
EXCEPTION WHEN OTHERS THEN
	RETURN false;
END $$;
-- Tries queries [first, last]; texts of those with different results, and in the end how many had batches and how many failed
CREATE FUNCTION differing(first int, last int, OUT queries text[], OUT n_batched int, OUT n_failed int) LANGUAGE plpgsql AS $$
DECLARE
	query text;
	got text;
BEGIN
	queries := '{}';
	n_batched := 0;
	n_failed := 0;
	FOR i IN first..last LOOP
		PERFORM setval('random_step', 1000 * i);
		query := a_query();
		got := rows_of(query, 'on');
		IF got <> rows_of(query, 'off') THEN
			queries := queries || format('%s: %s', i, query);
		END IF;
		PERFORM set_config('maskgen.enable_batching', 'on', true);
		IF i % 10 = 0 THEN
			n_batched := n_batched + has_batches(query)::int;
		END IF;
		n_failed := n_failed + (got ~ '^[0-9A-Z]{5} [a-z]')::int;
	END LOOP;
END $$;

SET maskgen.embed_model = 'e';
SET maskgen.classify_model = 'm';
SET max_parallel_workers_per_gather = 0;
SELECT * FROM differing(1, 1500) \gset serial_
SELECT is(:'serial_queries'::text, '{}', 'any plan');
SELECT cmp_ok(:serial_n_batched, '>', 90, 'most of them have batches');
SELECT cmp_ok(:serial_n_failed, '<', 20, 'few of them fail');
-- Other plans
SET enable_hashjoin = off;
SET enable_hashagg = off;
SET enable_seqscan = off;
SET work_mem = '64kB';
SELECT * FROM differing(1501, 2100) \gset sorted_
SELECT is(:'sorted_queries'::text, '{}', 'merge joins, sorts, index scans, small windows');
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_sort = off;
SELECT * FROM differing(2101, 2700) \gset looped_
SELECT is(:'looped_queries'::text, '{}', 'nested loops');
RESET ALL;
SET search_path = public, maskgen;
SET jit = off;
SET maskgen.embed_model = 'e';
SET maskgen.classify_model = 'm';
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT * FROM differing(2701, 2800) \gset parallel_
SELECT is(:'parallel_queries'::text, '{}', 'parallel workers');
SELECT * FROM finish();
