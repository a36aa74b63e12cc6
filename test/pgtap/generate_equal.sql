-- The same text, however it is computed: cached or not, in batches of any size, row by row, behind a shared beginning, in parallel workers, piece by
-- piece, with something else in between, and after whatever ended before.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET maskgen.enable_result_cache = off;
SELECT plan(31);
SELECT create_model('tiny', :'dir' || '/golden/decoder/llama', '{"chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"}') IS NOT NULL AS made \gset
CREATE TABLE body AS SELECT i, CASE WHEN i % 3 = 0 THEN 'a beginning that some share, ' ELSE '' END || md5(i::text) AS text, i % 5 AS seed FROM generate_series(1, 150) i;
ANALYZE body;
CREATE TABLE right_one AS SELECT 0 AS i, ''::text AS answer, ''::text AS drawn LIMIT 0;
SET maskgen.enable_batching = off;
INSERT INTO right_one SELECT i, generate('tiny', text, 12), generate('tiny', text, 12, 0.9, 20, 0.95, seed => seed, options => '{"repetition_penalty": 1.1}') FROM body;
RESET maskgen.enable_batching;
SELECT cmp_ok(count(DISTINCT drawn), '>', 140::bigint, 'texts differ') FROM right_one;
CREATE FUNCTION wrong() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM right_one JOIN (SELECT i, generate('tiny', text, 12) AS answer,
	generate('tiny', text, 12, 0.9, 20, 0.95, seed => seed, options => '{"repetition_penalty": 1.1}') AS drawn FROM body OFFSET 0) x USING (i)
	WHERE x.answer <> right_one.answer OR x.drawn <> right_one.drawn $$;
SELECT is(wrong(), 0::bigint, 'in batches');
SET maskgen.batch_tokens = 16;
SELECT is(wrong(), 0::bigint, 'of few tokens');
RESET maskgen.batch_tokens;
SET maskgen.kv_memory = '200kB';
SELECT is(wrong(), 0::bigint, 'with memory for few at once');
RESET maskgen.kv_memory;
SET work_mem = '64kB';
SELECT is(wrong(), 0::bigint, 'in small windows');
RESET work_mem;
SET maskgen.threads = 2;
SELECT is(wrong(), 0::bigint, 'with two threads');
RESET maskgen.threads;
SELECT is((SELECT count(*) FROM right_one JOIN (SELECT i, generate('tiny', text, 12) AS answer FROM body ORDER BY md5(text)) x USING (i) WHERE x.answer <> right_one.answer), 0::bigint, 'in another order');
SELECT is((SELECT count(*) FROM right_one JOIN (SELECT i, generate('tiny', text, 12) AS answer FROM body WHERE i % 3 = 0) x USING (i) WHERE x.answer <> right_one.answer), 0::bigint, 'behind a beginning that all share');
SELECT is((SELECT count(*) FROM right_one JOIN (SELECT i, generate('tiny', text, 12) AS answer FROM body, generate_series(1, 2)) x USING (i) WHERE x.answer <> right_one.answer), 0::bigint, 'asked twice in a statement');
SELECT is((SELECT count(*) FROM right_one JOIN (SELECT i, chat('tiny', jsonb_build_array(jsonb_build_object('role', 'u', 'content', text)), 12) AS answer FROM body) x USING (i)
	WHERE x.answer <> right_one.answer), 0::bigint, 'as a chat whose template adds nothing');
SELECT is((SELECT count(*) FROM body JOIN right_one USING (i), LATERAL (SELECT string_agg(p, '') AS answer FROM generate_stream('tiny', text, 12, 0.9, 20, 0.95, seed => seed,
	options => '{"repetition_penalty": 1.1}') p) x WHERE x.answer <> drawn), 0::bigint, 'piece by piece');
SELECT is((SELECT count(*) FROM body JOIN right_one USING (i), LATERAL generate_samples('tiny', text, 12, 0.9, 20, 0.95, seed => seed, options => '{"repetition_penalty": 1.1}', n => 3) x
	WHERE sample = 1 AND x.text <> drawn), 0::bigint, 'as the first of samples');
SET maskgen.enable_result_cache = on;
SELECT is(wrong(), 0::bigint, 'into the cache');
SELECT is(wrong(), 0::bigint, 'out of the cache');
SELECT cmp_ok(cache_hits, '>=', 300::bigint, 'which was asked') FROM maskgen_stat_models WHERE name = 'tiny';
SET maskgen.enable_result_cache = off;

-- Parallel workers
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
CREATE FUNCTION explained(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || statement; END $$;
SELECT cmp_ok(count(*), '>', 0::bigint, 'a plan with workers') FROM explained($$SELECT i, generate('tiny', text, 12) FROM body$$) line WHERE line LIKE '%Gather%';
CREATE TABLE by_workers AS SELECT i, generate('tiny', text, 12) AS answer, generate('tiny', text, 12, 0.9, 20, 0.95, seed => seed, options => '{"repetition_penalty": 1.1}') AS drawn FROM body;
SELECT is((SELECT count(*) FROM right_one JOIN by_workers b USING (i) WHERE b.answer = right_one.answer AND b.drawn = right_one.drawn), 150::bigint, 'computes the same');
SET maskgen.statement_tokens = 3000;
SELECT throws_ok($$SELECT count(generate('tiny', text || i, 40, options => '{"min_tokens": 40}')) FROM body WHERE i % 2 + 1 > i % 2 AND i % 3 + 1 > i % 3 AND i % 5 + 1 > i % 5$$, '53400', NULL,
	'and is bound by what all of them compute');
RESET maskgen.statement_tokens;
RESET max_parallel_workers_per_gather;

-- Streams in the middle of which something happens
SELECT generate('tiny', 'hello', 40, 0.9, seed => 3, options => '{"min_tokens": 40}') AS whole \gset
CREATE FUNCTION interrupted(what text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE piece text; all_of_it text := ''; n int := 0; BEGIN
	FOR piece IN SELECT generate_stream('tiny', 'hello', 40, 0.9, seed => 3, options => '{"min_tokens": 40}') LOOP
		all_of_it := all_of_it || piece;
		n := n + 1;
		BEGIN
			EXECUTE what;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
		EXIT WHEN what = 'leave' AND n = 3;
	END LOOP;
	RETURN all_of_it; END $$;
SELECT is(interrupted('SELECT 1'), :'whole', 'a block with an exception handler');
SELECT is(interrupted('SELECT 1 / 0'), :'whole', 'whose error is caught');
SELECT is(interrupted($$SELECT generate('tiny', 'something else', 20)$$), :'whole', 'another text in between');
SELECT is(interrupted($$SELECT generate('tiny', '', 20)$$), :'whole', 'one that fails');
SELECT is(interrupted($$SELECT string_agg(p, '') FROM generate_stream('tiny', 'hello', 9) p$$), :'whole', 'another stream');
SELECT is(interrupted($$SELECT unload_model('tiny')$$), :'whole', 'its model is unloaded');
SELECT is(left(:'whole', length(interrupted('leave'))), interrupted('leave'), 'a loop that is left early');
SET maskgen.statement_tokens = 20;
SELECT throws_ok($$SELECT interrupted('SELECT 1')$$, '53400', NULL, 'a limit in the middle');
RESET maskgen.statement_tokens;
SELECT is(interrupted('SELECT 1'), :'whole', 'the same after that');
BEGIN;
SAVEPOINT before;
DECLARE c CURSOR FOR SELECT generate_stream('tiny', 'hello', 40, 0.9, seed => 3, options => '{"min_tokens": 40}');
FETCH 2 FROM c \g /dev/null
ROLLBACK TO before;
SELECT throws_ok('FETCH 1 FROM c', '34000', NULL, 'a cursor of a savepoint is gone with it');
SELECT is(interrupted('SELECT 1'), :'whole', 'and what it had');
COMMIT;
SET maskgen.kv_memory = '64kB';
SELECT throws_ok($$SELECT generate_stream('tiny', repeat('x', 100), 20) FROM generate_series(1, 1)$$, '54000', NULL, 'no memory for keys');
RESET maskgen.kv_memory;
SELECT is(interrupted('SELECT 1'), :'whole', 'the same after that too');
SELECT * FROM finish();
