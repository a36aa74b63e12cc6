-- Batched plans in statements that write, in cursors and parallel workers; errors, privileges and policies as without batches.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET maskgen.enable_result_cache = off;
SELECT plan(79);

SELECT length(create_model('e', :'dir' || '/golden/tiny/bert-embed-mean')) + length(create_model('m', :'dir' || '/golden/tiny/bert-mlm')) > 0 AS made \gset
CREATE TABLE t (id int PRIMARY KEY, x text, y int);
INSERT INTO t SELECT i, CASE WHEN i % 7 > 0 THEN 'wine ' || repeat('shoes ', i % 3) || i END, i % 5 FROM generate_series(1, 200) i;
ANALYZE t;
CREATE FUNCTION plan_of(query text, options text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF' || options || ') ' || query;
END $$;
CREATE FUNCTION is_batched(query text) RETURNS boolean LANGUAGE sql AS $$ SELECT bool_or(line ~ 'Custom Scan \(MaskgenBatch\)') FROM plan_of(query) line $$;
-- What t gives row by row
SET maskgen.enable_batching = off;
CREATE TABLE right_answer AS SELECT id, embed('e', x) AS v, classify('m', x, '{world,sports}') AS k FROM t;
RESET maskgen.enable_batching;

-- EXPLAIN
SELECT results_eq($$SELECT * FROM plan_of('SELECT id, embed(''e'', x) FROM t WHERE y < 3 AND classify(''m'', x, ''{world,sports}'') = ''world''')$$, ARRAY[
	'Custom Scan (MaskgenBatch)',
	'  Call: embed(''e''::text, x, ''''::text, 0, true)',
	'  ->  Custom Scan (MaskgenBatch)',
	'        Filter: ((classify(''m''::text, x, ''{world,sports}''::text[], ''''::text)) = ''world''::text)',
	'        Call: classify(''m''::text, x, ''{world,sports}''::text[], ''''::text)',
	'        ->  Seq Scan on t',
	'              Filter: (y < 3)'], 'EXPLAIN');
SELECT matches((SELECT string_agg(line, E'\n') FROM plan_of('SELECT embed(''e'', x) FROM t', ', ANALYZE, TIMING OFF, SUMMARY OFF') line),
	'Call: .*\n *Model: e  Rows: 172  Batches: \d+  Tokens: \d+\n', 'EXPLAIN ANALYZE');
SELECT matches((SELECT string_agg(line, E'\n') FROM plan_of('SELECT embed(''e'', x) FROM t', ', ANALYZE') line), 'Tokens: \d+  Time: [\d.]+ ms', 'with times');
CREATE FUNCTION json_of(query text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan';
END $$;
SELECT is(call - '{Time,Tokens,Batches}'::text[], '{"Call": "embed(''e''::text, x, ''''::text, 0, true)", "Model": "e", "Rows": 172, "Cache Hits": 0}', 'as JSON')
FROM (SELECT json_of('SELECT embed(''e'', x) FROM t') #> '{Calls,0}' AS call) c;
SET maskgen.embed_model = 'e';
SELECT is(json_of('SELECT embed(x) FROM t') #>> '{Calls,0,Model}', 'e', 'a model by a setting');
PREPARE by_name (text) AS SELECT embed($1, x) FROM t;
SET plan_cache_mode = force_generic_plan;
SELECT is(json_of('EXECUTE by_name (''e'')') #>> '{Calls,0,Model}', 'e', 'a model by a parameter');
RESET plan_cache_mode;

-- Statements that write
CREATE TABLE w (id int PRIMARY KEY, v vector(32), k text DEFAULT '-');
SELECT ok(is_batched('INSERT INTO w SELECT id, embed(''e'', x) FROM t'), 'INSERT ... SELECT has batches');
INSERT INTO w SELECT id, embed('e', x) FROM t;
SELECT ok(count(*) = 200 AND bool_and(w.v IS NOT DISTINCT FROM r.v), 'INSERT ... SELECT') FROM w JOIN right_answer r USING (id);
SELECT ok(is_batched('UPDATE w SET k = classify(''m'', x, ''{world,sports}'') FROM t WHERE t.id = w.id'), 'UPDATE has batches');
UPDATE w SET k = classify('m', x, '{world,sports}') FROM t WHERE t.id = w.id;
SELECT ok(bool_and(w.k IS NOT DISTINCT FROM r.k), 'UPDATE') FROM w JOIN right_answer r USING (id);
UPDATE t SET x = classify('m', x, '{world,sports}') || ' ' || x WHERE id > 190;
SELECT ok(bool_and(x IS NULL OR x ~ '^(world|sports) '), 'UPDATE of what the call reads') FROM t WHERE id > 190;
UPDATE t SET x = substr(x, strpos(x, ' ') + 1) WHERE id > 190;
DELETE FROM w USING t WHERE w.id = t.id AND classify('m', t.x, '{world,sports}') = 'world';
SELECT is(count(*), (SELECT count(*) FROM right_answer WHERE k IS DISTINCT FROM 'world'), 'DELETE ... USING') FROM w;
CREATE TABLE made AS SELECT id, embed('e', x) AS v FROM t;
SELECT ok(count(*) = 200 AND bool_and(m.v IS NOT DISTINCT FROM r.v), 'CREATE TABLE AS') FROM made m JOIN right_answer r USING (id);
CREATE MATERIALIZED VIEW seen AS SELECT id, embed('e', x) AS v FROM t;
REFRESH MATERIALIZED VIEW seen;
SELECT ok(count(*) = 200 AND bool_and(s.v IS NOT DISTINCT FROM r.v), 'a materialised view, refreshed') FROM seen s JOIN right_answer r USING (id);
SELECT stat_models_reset() AS reset \gset
COPY (SELECT id, embed('e', x) FROM t) TO '/dev/null';
SELECT cmp_ok(calls, '<', rows / 4, 'COPY TO has batches') FROM maskgen_stat_models WHERE name = 'e';
CREATE TABLE keyed (id int PRIMARY KEY, k text, seq serial);
INSERT INTO keyed SELECT id, classify('m', x, '{world,sports}'), nextval('keyed_seq_seq') FROM t LIMIT 3;
SELECT is(currval('keyed_seq_seq'), 3::bigint, 'nextval() is not called ahead');
-- Rows that a trigger of the same statement changes are not seen.
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET x = 'spoiled' WHERE id = new.id + 1; RETURN new; END $$;
CREATE TRIGGER spoil AFTER INSERT ON w FOR EACH ROW EXECUTE FUNCTION spoil();
BEGIN;
DELETE FROM w;
INSERT INTO w SELECT id, embed('e', x) FROM t;
SELECT ok(bool_and(w.v IS NOT DISTINCT FROM r.v), 'one snapshot') FROM w JOIN right_answer r USING (id);
ROLLBACK;
CREATE FUNCTION embed_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO made SELECT id, embed('e', x) FROM added;
	RETURN NULL;
END $$;
CREATE TRIGGER embed_new AFTER INSERT ON t REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION embed_new();
SELECT stat_models_reset() AS reset \gset
INSERT INTO t SELECT 1000 + i, 'wine ' || i FROM generate_series(1, 40) i;
SELECT is(rows, 40::bigint, 'a transition table: rows') FROM maskgen_stat_models WHERE name = 'e';
SELECT cmp_ok(calls, '<', 10::bigint, 'a transition table has batches') FROM maskgen_stat_models WHERE name = 'e';
DELETE FROM t WHERE id > 1000;

-- What a statement leaves behind, in both ways; it is undone.
CREATE TABLE parts (id int, x text, k text) PARTITION BY LIST (k);
CREATE TABLE parts_world PARTITION OF parts FOR VALUES IN ('world');
CREATE TABLE parts_other PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT id, x, '-' FROM t;
CREATE TABLE target (id int PRIMARY KEY, k text, generated text GENERATED ALWAYS AS (classify('m', k, '{world,sports}')) STORED);
INSERT INTO target SELECT id, k FROM right_answer WHERE id < 60;
CREATE FUNCTION effect(statement text, rows_of name, batches text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE left_behind text;
BEGIN
	PERFORM set_config('maskgen.enable_batching', batches, true);
	EXECUTE statement;
	EXECUTE format('SELECT string_agg(r::text, '','' ORDER BY r::text) FROM %I r', rows_of) INTO left_behind;
	RAISE EXCEPTION 'undo' USING ERRCODE = 'UNDO0', DETAIL = left_behind;
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	GET STACKED DIAGNOSTICS left_behind = PG_EXCEPTION_DETAIL;
	RETURN left_behind;
END $$;
CREATE TABLE effects (about text, rows_of name, statement text);
INSERT INTO effects VALUES
	('rows that change partitions', 'parts', $$UPDATE parts SET k = classify('m', x, '{world,sports}') WHERE id < 150$$),
	('ON CONFLICT', 'target', $$INSERT INTO target AS o SELECT id, classify('m', x || 'y', '{world,sports}') FROM t WHERE id > 30
		ON CONFLICT (id) DO UPDATE SET k = excluded.k || classify('m', o.k, '{world,sports}')$$),
	('MERGE', 'target', $$MERGE INTO target o USING (SELECT id, x, classify('m', x, '{world,sports}') AS k FROM t) s ON o.id = s.id
		WHEN MATCHED AND s.k = 'world' THEN UPDATE SET k = classify('m', s.x || 'm', '{world,sports}') || s.k
		WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id, k) VALUES (s.id, s.k)$$),
	('a statement in WITH', 'target', $$WITH d AS (DELETE FROM target o USING t WHERE t.id = o.id AND classify('m', t.x, '{world,sports}') = o.k AND t.id % 2 = 0
			RETURNING o.id, classify('m', t.x, '{world,sports}') AS k)
		INSERT INTO target SELECT 1000 + id, k || classify('m', k, '{world,sports}') FROM d$$);
SELECT is(md5(effect(statement, rows_of, 'on')), md5(effect(statement, rows_of, 'off')), 'effect of ' || about) FROM effects;
SELECT isnt(effect(statement, rows_of, 'on'), effect('SELECT 1', rows_of, 'on'), 'there is one of ' || about) FROM effects;

-- Cursors
CREATE FUNCTION moved(query text, moves text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c refcursor := 'c';
	move text;
	found_row record;
	all_rows text := '';
BEGIN
	EXECUTE 'DECLARE c ' || query;
	FOREACH move IN ARRAY moves LOOP
		EXECUTE 'FETCH ' || move || ' FROM c' INTO found_row;
		all_rows := all_rows || found_row::text || ' ';
	END LOOP;
	CLOSE c;
	RETURN all_rows;
END $$;
SELECT is(moved($$SCROLL CURSOR FOR SELECT id, classify('m', x, '{world,sports}') FROM t ORDER BY id$$, moves), right_moves, 'a scrolling cursor')
FROM (SELECT ARRAY['1', 'BACKWARD 1', 'NEXT', 'LAST', 'PRIOR', 'ABSOLUTE 50', 'RELATIVE -20', 'FIRST', 'ABSOLUTE -1'] AS moves) m,
	LATERAL (SELECT string_agg(ROW(id, k)::text || ' ', '' ORDER BY n) AS right_moves
		FROM unnest(ARRAY[1, 0, 1, 200, 199, 50, 30, 1, 200]) WITH ORDINALITY n (at, n) LEFT JOIN right_answer ON id = at) r;
SELECT is(moved($$CURSOR WITH HOLD FOR SELECT id, classify('m', x, '{world,sports}') FROM t ORDER BY id$$, ARRAY['1', 'FORWARD 10', '1']),
	(SELECT string_agg(ROW(id, k)::text || ' ', '' ORDER BY id) FROM right_answer WHERE id IN (1, 2, 12)), 'a cursor with hold');
BEGIN;
DECLARE once CURSOR FOR SELECT id, embed('e', x) FROM t;
SELECT throws_ok('FETCH BACKWARD 1 FROM once', '55000', NULL, 'a cursor without SCROLL goes forward only');
ROLLBACK;
BEGIN;
DECLARE locking CURSOR FOR SELECT id, embed('e', x) FROM t ORDER BY id FOR UPDATE;
MOVE 3 FROM locking;
UPDATE t SET y = 99 WHERE CURRENT OF locking;
SELECT is(array_agg(id), ARRAY[3], 'WHERE CURRENT OF a cursor FOR UPDATE') FROM t WHERE y = 99;
ROLLBACK;
CREATE FUNCTION looped() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
	FOR r IN SELECT id, classify('m', x, '{world,sports}') AS k FROM t ORDER BY id LOOP
		RETURN NEXT r.id || coalesce(r.k, '');
	END LOOP;
END $$;
SELECT results_eq('SELECT looped()', 'SELECT id || coalesce(k, '''') FROM right_answer ORDER BY id', 'a loop in PL/pgSQL');

-- Errors: the one of the row, when it is its turn
CREATE TABLE long (id int PRIMARY KEY, x text);
INSERT INTO long SELECT i, CASE WHEN i IN (8, 20) THEN repeat('wine ', i) ELSE 'red' END FROM generate_series(1, 40) i;
ANALYZE long;
SET maskgen.long_input = error;
CREATE FUNCTION error_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	EXECUTE query;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || SQLERRM || ' ' || detail;
END $$;
CREATE FUNCTION same_error(query text, about text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE got text := error_of(query);
BEGIN
	PERFORM set_config('maskgen.enable_batching', 'off', true);
	RETURN NEXT is(got, error_of(query), about);
	PERFORM set_config('maskgen.enable_batching', 'on', true);
END $$;
SELECT same_error($$SELECT embed('e', x) FROM long$$, 'the first bad row''s error');
SELECT same_error($$SELECT embed('e', x) FROM long ORDER BY id DESC$$, 'from the other end');
SELECT same_error($$SELECT embed('e', CASE WHEN id < 10 THEN 'red' ELSE x END), classify('m', x, '{world,sports}') FROM long$$, 'of two calls');
SELECT is(error_of($$SELECT embed('e', x) FROM long LIMIT 7$$), 'none', 'none if it is not asked for');
SELECT is(error_of($$SELECT id FROM long WHERE classify('m', x, '{world,sports}') IS NOT NULL AND id <> 3 LIMIT 6$$), 'none', 'also if it was looked at ahead');
SELECT is(error_of($$SELECT embed('e', x) FROM long WHERE id NOT IN (8, 20)$$), 'none', 'nor if it is not there');
SELECT same_error($$SELECT embed('e', x), embed_query('e', 'wine ' || id), embed_document('e', x) FROM long$$, 'of three calls');
SELECT is(error_of($$SELECT embed('e', x), embed('e', 'wine ' || id) FROM long ORDER BY id LIMIT 7$$), 'none', 'none of two calls if it is not asked for');
SELECT same_error($$SELECT embed('no such model', x) FROM long$$, 'a model that does not exist');
SELECT same_error($$SELECT classify('m', x, ARRAY[id::text]) FROM long$$, 'a label that differs from row to row');
SELECT same_error($$SELECT embed('e', x, '', -1) FROM long$$, 'an option out of range');
SELECT stat_models_reset() AS reset \gset
SELECT matches(error_of($$SELECT count(embed('e', x)) FROM long$$), '^54000 input is too long', 'a row is refused');
SELECT is(ARRAY[calls, rows, batches, errors], '{1,39,1,1}', 'which neither stops nor repeats its batch') FROM maskgen_stat_models WHERE name = 'e';
RESET maskgen.long_input;

-- Privileges and policies
DROP ROLE IF EXISTS maskgen_batch_reader;
CREATE ROLE maskgen_batch_reader;
GRANT USAGE ON SCHEMA public TO maskgen_batch_reader;
GRANT SELECT ON t TO maskgen_batch_reader;
GRANT UPDATE (y) ON t TO maskgen_batch_reader;
CREATE FUNCTION tried(query text) RETURNS text LANGUAGE plpgsql SET ROLE maskgen_batch_reader AS $$
BEGIN
	EXECUTE query;
	RETURN 'ok';
EXCEPTION WHEN insufficient_privilege THEN
	RETURN SQLERRM;
END $$;
SELECT is(tried('SELECT maskgen.embed(''e'', x) FROM t'), 'permission denied for model "e"', 'a model that was not granted');
SELECT grant_model('e', 'maskgen_batch_reader') AS e, grant_model('m', 'maskgen_batch_reader') AS m \gset
SELECT is(tried('SELECT maskgen.embed(''e'', x) FROM t'), 'ok', 'and granted');
REVOKE EXECUTE ON FUNCTION embed(text, text, text, int, boolean) FROM PUBLIC;
SELECT is(tried('SELECT maskgen.embed(''e'', x) FROM t'), 'permission denied for function embed', 'a function that may not be executed');
GRANT EXECUTE ON FUNCTION embed(text, text, text, int, boolean) TO PUBLIC;

-- A function that tells what it sees may see no more than row by row.
CREATE FUNCTION tell(x text) RETURNS text LANGUAGE plpgsql IMMUTABLE COST 1 AS $$
BEGIN
	PERFORM set_config('test.told', concat(current_setting('test.told', true), x, ';'), false);
	RETURN x;
END $$;
CREATE FUNCTION told(query text) RETURNS text LANGUAGE plpgsql SET ROLE maskgen_batch_reader AS $$
BEGIN
	PERFORM set_config('test.told', '', false);
	EXECUTE query;
	RETURN current_setting('test.told');
END $$;
CREATE TABLE secret (id int, x text);
INSERT INTO secret SELECT i, CASE WHEN i % 3 = 0 THEN 'hidden' ELSE 'seen' END || ' ' || i FROM generate_series(1, 30) i;
CREATE VIEW barrier WITH (security_barrier) AS SELECT * FROM secret WHERE x !~ 'hidden';
CREATE VIEW model_barrier WITH (security_barrier) AS SELECT * FROM secret
WHERE classify('m', nullif(left(x, 6), 'hidden'), '{world,sports}') IS NOT NULL;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON secret USING (x !~ 'hidden');
CREATE TABLE model_secret AS SELECT * FROM secret;
ALTER TABLE model_secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY visible ON model_secret USING (classify('m', nullif(left(x, 6), 'hidden'), '{world,sports}') IS NOT NULL);
GRANT SELECT ON secret, model_secret, barrier, model_barrier TO maskgen_batch_reader;
CREATE TABLE leak (about text, query text);
INSERT INTO leak VALUES
	('the target list', $$SELECT maskgen.embed('e', tell(x)) FROM secret$$),
	('a condition', $$SELECT FROM secret WHERE maskgen.classify('m', tell(x), '{world,sports}') = 'world'$$),
	('a condition after another', $$SELECT FROM secret WHERE maskgen.classify('m', x, '{world,sports}') = 'world' AND tell(x) <> ''$$),
	('a join', $$SELECT FROM secret JOIN t ON maskgen.classify('m', tell(secret.x) || t.x, '{world,sports}') = 'world' WHERE t.id < 4$$),
	('a barrier', $$SELECT FROM barrier WHERE maskgen.classify('m', tell(x), '{world,sports}') = 'world'$$),
	('a barrier with a model in it', $$SELECT FROM model_barrier WHERE maskgen.classify('m', tell(x), '{world,sports}') = 'world'$$),
	('a policy with a model in it', $$SELECT FROM model_secret WHERE tell(x) <> ''$$),
	('a call behind it', $$SELECT FROM model_secret WHERE maskgen.classify('m', tell(x), '{world,sports}') = 'world'$$),
	('an aggregate', $$SELECT count(maskgen.embed('e', tell(x))) FROM secret$$);
SELECT ok(told(query) ~ 'seen' AND told(query) !~ 'hidden', 'what is hidden stays so: ' || about) FROM leak;
SELECT ok(is_batched($$SELECT FROM model_barrier WHERE maskgen.classify('m', tell(x), '{world,sports}') = 'world'$$), 'and that is a plan with batches');

-- Parallel workers: results, and counts of all of them
ALTER TABLE t SET (parallel_workers = 2);
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE FUNCTION find_calls(plan jsonb) RETURNS SETOF jsonb LANGUAGE sql AS $$
	SELECT jsonb_path_query(plan, '$.**.Calls[*]')
$$;
SELECT ok(bool_or(line ~ 'Parallel Custom Scan'), 'batches in workers') FROM plan_of('SELECT id, embed(''e'', x) FROM t') line;
SELECT ok(bool_and(s.v IS NOT DISTINCT FROM r.v), 'workers: results') FROM (SELECT id, embed('e', x) AS v FROM t OFFSET 0) s JOIN right_answer r USING (id);
SELECT is((call ->> 'Rows')::int, 172, 'workers: rows') FROM (SELECT find_calls(json_of('SELECT id, embed(''e'', x) FROM t')) AS call) c;
SELECT is((call ->> 'Rows')::int, 172, 'workers: rows below an aggregate')
FROM (SELECT find_calls(json_of('SELECT count(embed(''e'', x)) FROM t')) AS call) c;
SELECT cmp_ok((call ->> 'Rows')::int, '<=', 3 * 20, 'workers: a LIMIT')
FROM (SELECT find_calls(json_of('SELECT embed(''e'', id::text) FROM t LIMIT 20')) AS call) c;
SELECT cmp_ok((call ->> 'Rows')::int, '>=', 20, 'workers: a LIMIT, all counted')
FROM (SELECT find_calls(json_of('SELECT embed(''e'', id::text) FROM t LIMIT 20')) AS call) c;
SELECT is((SELECT count(*) FROM (SELECT embed('e', id::text) FROM t LIMIT n) s), least(n, (SELECT count(*) FROM t))::bigint, 'workers: LIMIT ' || n) FROM unnest(ARRAY[1, 2, 40, 171, 172, 500]) n;
SELECT is(array_agg(s.id), (SELECT array_agg(id) FROM (SELECT id FROM t ORDER BY x || y DESC, id LIMIT 60) o), 'workers: a LIMIT of sorted rows')
FROM (SELECT id, embed('e', id::text) AS v FROM t ORDER BY x || y DESC, id LIMIT 60) s;
SET parallel_leader_participation = off;
SELECT is((call ->> 'Rows')::int, 172, 'workers alone') FROM (SELECT find_calls(json_of('SELECT id, embed(''e'', x) FROM t')) AS call) c;
RESET parallel_leader_participation;
SET max_parallel_workers_per_gather = 0;

-- Windows are cut by memory.
SET work_mem = '64kB';
CREATE TABLE large AS SELECT i AS id, repeat('wine ', 20000) || i AS x FROM generate_series(1, 30) i;
ALTER TABLE large ALTER x SET STORAGE EXTERNAL;
INSERT INTO large SELECT 100 + id, x FROM large;
SELECT is(count(DISTINCT classify('m', x, '{world,sports}')), 1::bigint, 'texts larger than a window''s memory') FROM large;
SELECT ok(bool_and(s.v IS NOT DISTINCT FROM r.v), 'small windows') FROM (SELECT id, embed('e', x) AS v FROM t ORDER BY id OFFSET 0) s JOIN right_answer r USING (id);
RESET work_mem;

SELECT * FROM finish();
DROP OWNED BY maskgen_batch_reader;
DROP ROLE maskgen_batch_reader;
