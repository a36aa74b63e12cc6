-- maskgen.statement_tokens: the plan's estimate before the first row, and what is computed; what EXPLAIN and the statistics say of tokens.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET maskgen.enable_result_cache = off;
SELECT plan(33);
SELECT create_model('tiny', :'dir' || '/golden/decoder/llama') IS NOT NULL AS made \gset
SELECT create_model('encoder', :'dir' || '/golden/tiny/bert-embed-mean') IS NOT NULL AS made \gset
CREATE TABLE body AS SELECT i, repeat('abcd', 5) AS text FROM generate_series(1, 100) i;
ANALYZE body;

-- Statistics
SELECT stat_models_reset() AS reset \gset
SELECT isnt(generate('tiny', 'abc', 10, options => '{"min_tokens": 10}'), NULL, 'a text');
SELECT is((SELECT (prompt_tokens, new_tokens, tokens)::text FROM maskgen_stat_models WHERE name = 'tiny'), '(3,10,12)', 'tokens of the prompt, of the answer, and all that were computed');
SELECT isnt((SELECT string_agg(p, '') FROM generate_stream('tiny', 'abc', 10, options => '{"min_tokens": 10}') p), NULL, 'a stream');
SELECT is((SELECT (prompt_tokens, new_tokens, tokens)::text FROM maskgen_stat_models WHERE name = 'tiny'), '(6,20,24)', 'counts the same');
SELECT is((SELECT count(*) FROM generate_samples('tiny', 'abc', 10, 1, options => '{"min_tokens": 10}', n => 4)), 4::bigint, 'samples');
SELECT is((SELECT (prompt_tokens, new_tokens)::text FROM maskgen_stat_models WHERE name = 'tiny'), '(18,60)', 'as well');
SELECT isnt(embed('encoder', 'red shoes'), NULL, 'a vector');
SELECT is((SELECT (prompt_tokens = tokens, new_tokens)::text FROM maskgen_stat_models WHERE name = 'encoder'), '(t,0)', 'reads all of its tokens');

-- EXPLAIN
CREATE FUNCTION explained(statement text, options text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || options || statement; END $$;
SELECT ok(count(*) = 1, 'rows, tokens of prompts, new tokens, seconds, memory')
FROM explained($$SELECT generate('tiny', text, 30) FROM body$$) line WHERE line ~ '^\s+Expected: 100 rows, 600 prompt tokens, 3000 new tokens, [0-9.e-]+ s, [0-9]+ kB$';
SELECT ok(count(*) = 1, 'of those that a LIMIT asks for') FROM explained($$SELECT generate('tiny', text, 30) FROM body LIMIT 5 OFFSET 2$$) line WHERE line LIKE '%Expected: 7 rows, 42 prompt tokens, 210 new tokens%';
SELECT ok(count(*) = 0, 'not of other calls') FROM explained($$SELECT embed('encoder', text) FROM body$$) line WHERE line LIKE '%Expected%';
SELECT ok(count(*) = 1, 'but in VERBOSE') FROM explained($$SELECT embed('encoder', text) FROM body$$, 'VERBOSE ') line WHERE line LIKE '%Expected: 100 rows, 800 tokens';
SELECT ok(count(*) = 0, 'nor without costs') FROM explained($$SELECT generate('tiny', text, 30) FROM body$$, '(COSTS OFF) ') line WHERE line LIKE '%Expected%';
CREATE FUNCTION cost(statement text) RETURNS float8 LANGUAGE plpgsql AS $$ DECLARE plan jsonb; BEGIN EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Total Cost'; END $$;
CREATE FUNCTION expected(statement text) RETURNS jsonb LANGUAGE plpgsql AS $$ DECLARE plan jsonb; BEGIN EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO plan;
	RETURN plan -> 0 -> 'Plan' -> 'Calls' -> 0; END $$;
SELECT is(expected($$SELECT generate('tiny', text, 30) FROM body$$) - 'Call' - 'Expected Time' - 'Expected Memory',
	'{"Model": "tiny", "Expected Rows": 100, "Expected Prompt Tokens": 600, "Expected New Tokens": 3000}', 'as numbers');
SELECT cmp_ok(cost($$SELECT generate('tiny', text, 60) FROM body$$) - cost($$SELECT generate('tiny', text, 20) FROM body$$), '>',
	2.2 * (cost($$SELECT generate('tiny', text || repeat('a', 80), 20) FROM body$$) - cost($$SELECT generate('tiny', text || repeat('a', 0), 20) FROM body$$)),
	'new tokens cost more than those of a prompt, of which four bytes are thought to be one');

-- The estimate
SET maskgen.statement_tokens = 1000;
SELECT stat_models_reset() AS reset \gset
SELECT throws_ok($$SELECT generate('tiny', text, 30) FROM body$$, '53400', 'statement would compute more tokens than it may', 'too many rows');
SELECT throws_ok($$SELECT generate('tiny', text, 3), embed('encoder', text) FROM body$$, '53400', NULL, 'two calls count together');
SELECT throws_ok($$CREATE TABLE x AS SELECT generate('tiny', text, 30) FROM body$$, '53400', NULL, 'in a utility');
SELECT is((SELECT sum(tokens) FROM maskgen_stat_models), 0::numeric, 'nothing was computed');
SELECT lives_ok($$SELECT generate('tiny', text, 30) FROM body LIMIT 5$$, 'fewer rows');
SELECT lives_ok($$EXPLAIN SELECT generate('tiny', text, 30) FROM body$$, 'EXPLAIN runs nothing');
SELECT lives_ok($$SELECT generate('tiny', text, 2) FROM body WHERE i < 30$$, 'shorter answers');
PREPARE many AS SELECT generate('tiny', text, 30) FROM body;
SELECT throws_ok('EXECUTE many', '53400', NULL, 'a kept plan');
RESET maskgen.statement_tokens;
SELECT lives_ok('EXECUTE many', 'without a limit');

-- The fact: what the planner expects too little of
SET maskgen.statement_tokens = 1000;
SELECT throws_ok($$SELECT count(generate('tiny', text || i, 50, options => '{"min_tokens": 50}')) FROM body WHERE i % 7 + 1 > i % 7 AND i % 3 + 1 > i % 3 AND i % 5 + 1 > i % 5$$, '53400', 'statement has computed more tokens than it may', 'what is computed');
SELECT throws_ok($q$DO $d$ BEGIN FOR i IN 1 .. 100 LOOP PERFORM maskgen.generate('tiny', 'abc' || i, 20, options => '{"min_tokens": 20}'); END LOOP; END $d$$q$, '53400',
	'statement has computed more tokens than it may', 'a statement is the outermost one');
SELECT throws_ok($q$DO $d$ BEGIN FOR i IN 1 .. 100 LOOP BEGIN PERFORM maskgen.generate('tiny', 'abc' || i, 20, options => '{"min_tokens": 20}'); RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $d$$q$, '53400', NULL, 'what is undone was computed');
SELECT throws_ok($$SELECT count(*) FROM body, LATERAL generate_stream('tiny', text || i, 20, options => '{"min_tokens": 20}')$$, '53400', NULL, 'streams');
SELECT throws_ok($$SELECT count(embed('encoder', text || i)) FROM body, generate_series(1, 2) WHERE i % 7 + 1 > i % 7 AND i % 3 + 1 > i % 3$$, '53400', NULL, 'vectors');
SET maskgen.on_row_error = 'null';
SELECT throws_ok($$SELECT count(generate('tiny', text || i, 50, options => '{"min_tokens": 50}')) FROM body WHERE i % 7 + 1 > i % 7 AND i % 3 + 1 > i % 3 AND i % 5 + 1 > i % 5$$, '53400', NULL, 'no row''s own error');
RESET maskgen.on_row_error;
SET maskgen.enable_result_cache = on;
SET maskgen.statement_tokens = 0;
SELECT count(generate('tiny', text || i, 10)) AS asked FROM body \gset
SET maskgen.statement_tokens = 200;
SELECT throws_ok($$SELECT count(generate('tiny', text || i, 11)) FROM body$$, '53400', NULL, 'a limit');
SELECT lives_ok($$SELECT generate('tiny', text || i, 10) FROM body WHERE i = 7$$, 'one row');
SELECT lives_ok($q$DO $d$ BEGIN FOR n IN 1 .. 100 LOOP PERFORM maskgen.generate('tiny', text || i, 10) FROM body WHERE i = n; END LOOP; END $d$$q$, 'results from the cache compute nothing');
SELECT * FROM finish();
