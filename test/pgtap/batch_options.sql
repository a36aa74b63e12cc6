-- Options that differ from row to row: rows with the same ones are computed together, and errors come for their rows.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET maskgen.enable_result_cache = off;
SELECT no_plan();
SELECT length(create_model('e', :'dir' || '/golden/tiny/bert-embed-mean')) + length(create_model('m', :'dir' || '/golden/tiny/bert-mlm')) > 0 AS made \gset
CREATE TABLE t (id int PRIMARY KEY, x text, labels text[], n int, prompt text, model text);
INSERT INTO t SELECT i, 'wine ' || i, CASE i % 3 WHEN 0 THEN '{world,sports}' WHEN 1 THEN '{red,blue,wine}'::text[] END, 4 + i % 2 * 4, CASE WHEN i % 5 > 0 THEN '' END, 'm'
FROM generate_series(1, 120) i;
ANALYZE t;
-- Rows, and rounds of the model, of all calls
CREATE FUNCTION counts(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan jsonb; found text;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || query INTO plan;
	SELECT string_agg((c ->> 'Rows') || ' in ' || CASE WHEN (c ->> 'Batches')::int < 40 THEN 'few' ELSE 'many' END, ', ') INTO found FROM jsonb_path_query(plan, 'strict $.**.Calls[*]') c;
	RETURN found;
END $$;
CREATE FUNCTION rows_of(query text) RETURNS text LANGUAGE plpgsql AS
	$$ DECLARE result text; BEGIN EXECUTE format('SELECT string_agg(x::text, '' '') FROM (%s) x', query) INTO result; RETURN result; END $$;
CREATE FUNCTION same(query text, counts text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE together text;
BEGIN
	RETURN NEXT is(counts(query), counts, what);
	together := rows_of(query);
	SET maskgen.enable_batching = off;
	RETURN NEXT is(together, rows_of(query), what || ': rows');
	RESET maskgen.enable_batching;
END $$;
SELECT same($$SELECT id, classify('m', x, labels) FROM t ORDER BY id$$, '80 in few', 'labels from a column, NULL among them');
SELECT same($$SELECT id FROM t WHERE classify('m', x, labels) = 'world' ORDER BY id$$, '80 in few', 'in WHERE');
SELECT same($$SELECT id, classify('m', x, labels, '{text} is {mask}' || repeat('.', n / 4)) FROM t ORDER BY id$$, '80 in few', 'labels and template');
SELECT same($$SELECT id, embed('e', x, prompt, n)::text FROM t ORDER BY id$$, '96 in few', 'a number and a prompt');
SELECT same($$SELECT id, classify('m', x, ARRAY['red', 'blue' || id]) FROM t WHERE id < 60 ORDER BY id$$, '59 in many', 'different ones each');
SELECT same($$SELECT id, classify(model, x, labels) FROM t WHERE id < 10 ORDER BY id$$, NULL, 'not the model');
-- Errors come for the row that has them, and not for one that nobody asks for
UPDATE t SET labels = '{red,red}' WHERE id IN (50, 60);
UPDATE t SET labels = '{}' WHERE id = 55;
SELECT is(rows_of($$SELECT id, classify('m', x, labels) FROM t ORDER BY id LIMIT 49$$) IS NULL, false, 'before the row');
PREPARE all_rows AS SELECT id, classify('m', x, labels) FROM t ORDER BY id;
CREATE FUNCTION state_of(query text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM rows_of(query); RETURN 'fine'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
SELECT isnt(state_of($$SELECT id, classify('m', x, labels) FROM t ORDER BY id$$), 'fine', 'with the row');
CREATE TABLE messages AS SELECT state_of($$SELECT id, classify('m', x, labels) FROM t ORDER BY id$$) AS together, ''::text AS apart;
SET maskgen.enable_batching = off;
UPDATE messages SET apart = state_of($$SELECT id, classify('m', x, labels) FROM t ORDER BY id$$);
RESET maskgen.enable_batching;
SELECT is(together, apart, 'the same error') FROM messages;
CREATE FUNCTION until_error() RETURNS int LANGUAGE plpgsql AS $$
DECLARE r record; n int := 0;
BEGIN
	FOR r IN SELECT id, classify('m', x, labels) AS c FROM t ORDER BY id LOOP n := r.id; END LOOP;
	RETURN -n;
EXCEPTION WHEN OTHERS THEN RETURN n; END $$;
CREATE TABLE reached AS SELECT until_error() AS together, 0 AS apart;
SET maskgen.enable_batching = off;
UPDATE reached SET apart = until_error();
RESET maskgen.enable_batching;
SELECT ok(together BETWEEN 0 AND 49 AND apart BETWEEN 0 AND 49, 'a cursor ends before it') FROM reached;
SELECT * FROM finish();
