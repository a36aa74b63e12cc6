-- The prompt cache: texts are the same with it and without, less is computed, and who may look into what.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET maskgen.enable_result_cache = off;
SELECT plan(19);

SELECT create_model('wide', :'dir' || '/golden/decoder/llama', '{"max_tokens": 96}') IS NOT NULL AS made \gset
SELECT create_model('narrow', :'dir' || '/golden/decoder/llama', '{"max_tokens": 96, "dtype": "int8"}') IS NOT NULL AS made \gset
CREATE FUNCTION read_tokens(model text) RETURNS bigint LANGUAGE sql AS 'SELECT prompt_tokens FROM maskgen_stat_models WHERE name = model';
CREATE FUNCTION beginning() RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT repeat('a beginning of many letters', 3)$$;
CREATE TABLE note AS SELECT i, left(beginning(), 70) || chr(64 + i) || i AS text FROM generate_series(1, 9) i;

SET maskgen.enable_prompt_cache = off;
CREATE TABLE said AS SELECT m AS model, i, generate(m, text, 12, 0.8, seed => 4) AS said FROM note, unnest(ARRAY['wide', 'narrow']) m;
RESET maskgen.enable_prompt_cache;
SELECT prompt_cache_reset();

CREATE FUNCTION said_otherwise(m text) RETURNS bigint LANGUAGE sql AS $$SELECT count(*) FROM note JOIN said USING (i) WHERE model = m AND generate(m, text, 12, 0.8, seed => 4) IS DISTINCT FROM said$$;
CREATE FUNCTION tokens_of(statement text, m text, OUT result text, OUT tokens bigint) LANGUAGE plpgsql AS $$
BEGIN
	tokens := read_tokens(m);
	EXECUTE statement INTO result;
	tokens := read_tokens(m) - tokens;
END $$;
CREATE TABLE run (m text, n int, result text, tokens bigint);
INSERT INTO run SELECT m, 1, t.* FROM unnest(ARRAY['wide', 'narrow']) m, tokens_of(format('SELECT said_otherwise(%L)', m), m) t;
INSERT INTO run SELECT m, 2, t.* FROM unnest(ARRAY['wide', 'narrow']) m, tokens_of(format('SELECT said_otherwise(%L)', m), m) t;
SELECT is(result, '0', format('%s keys: the same %s', m, CASE n WHEN 1 THEN 'when kept' ELSE 'when found' END)) FROM run ORDER BY m, n;
SELECT is(a.tokens - b.tokens, 64::bigint, a.m || ' keys: two blocks are not read again') FROM run a JOIN run b USING (m) WHERE a.n = 1 AND b.n = 2;
SELECT is(entries || ' ' || hits, '4 4', 'as the view says') FROM maskgen_prompt_cache;
SET maskgen.enable_batching = off;
SELECT is((tokens_of($$SELECT said_otherwise('narrow')$$, 'narrow')).result, '0', 'row by row');
SELECT is((tokens_of($$SELECT generate('narrow', text, 1) FROM note WHERE i = 3$$, 'narrow')).tokens, (SELECT count_tokens('narrow', text) - 64 FROM note WHERE i = 3)::bigint,
	'a row alone begins with what others shared');
RESET maskgen.enable_batching;
SELECT is((SELECT string_agg(p, '') FROM generate_stream('narrow', (SELECT text FROM note WHERE i = 5), 12, 0.8, seed => 4) p), said, 'a stream') FROM said WHERE i = 5 AND model = 'narrow';
SELECT is((tokens_of($$SELECT min(text) FROM generate_samples('narrow', (SELECT text FROM note WHERE i = 6), 2, n => 3)$$, 'narrow')).tokens < 30, true, 'samples');

-- A prompt by itself is kept when it comes again.
SELECT prompt_cache_reset();
SELECT generate('wide', repeat('xyz', 20) || i, 2) IS NOT NULL FROM generate_series(1, 1) i;
SELECT is(entries, 0::bigint, 'what came once is not kept') FROM maskgen_prompt_cache;
SELECT generate('wide', repeat('xyz', 20) || i, 2) IS NOT NULL FROM generate_series(2, 2) i;
SELECT is(entries, 1::bigint, 'what came twice is') FROM maskgen_prompt_cache;
SELECT is((tokens_of($$SELECT generate('wide', repeat('xyz', 20) || 3, 1)$$, 'wide')).tokens, count_tokens('wide', repeat('xyz', 20) || 3) - 32::bigint, 'and is found the third time');

-- Others
SET maskgen.cpu = scalar;
SELECT is((tokens_of($$SELECT generate('wide', repeat('xyz', 20) || 3, 1)$$, 'wide')).tokens, count_tokens('wide', repeat('xyz', 20) || 3)::bigint, 'another instruction set computes its own');
RESET maskgen.cpu;
SELECT create_model('other', :'dir' || '/golden/decoder/qwen2', '{"max_tokens": 96}') IS NOT NULL AS made \gset
SELECT generate('other', repeat('xyz', 20) || 3, 1) IS NOT NULL AS made \gset
SELECT is((tokens_of($$SELECT generate('other', repeat('xyz', 20) || 4, 1)$$, 'other')).tokens, count_tokens('other', repeat('xyz', 20) || 4)::bigint, 'so does another model');
CREATE ROLE visitor;
GRANT USAGE ON SCHEMA maskgen TO visitor;
SET ROLE visitor;
SELECT lives_ok('SELECT * FROM maskgen.maskgen_prompt_cache', 'anybody sees how full it is');
SELECT throws_ok('SELECT maskgen.prompt_cache_reset()', '42501', NULL, 'and nobody empties it');
SELECT throws_ok($$SELECT maskgen.generate('wide', 'abc', 1)$$, '42501', NULL, 'who has no grant finds nothing in it');
RESET ROLE;
SELECT * FROM finish();
