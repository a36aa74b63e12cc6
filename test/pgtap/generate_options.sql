-- Options of a draw, each by what it does to texts; the law that texts are drawn by; a model's own defaults.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET maskgen.enable_result_cache = off;
SELECT plan(45);
SELECT create_model('tiny', :'dir' || '/golden/decoder/llama') IS NOT NULL AS made \gset
CREATE FUNCTION ids(text text) RETURNS int[] LANGUAGE sql AS $$ SELECT tokenize('tiny', text) $$;
-- Draws of many seeds, as text; with so many tokens each
CREATE FUNCTION draws(max_tokens int, options jsonb, temperature real DEFAULT 1, top_k int DEFAULT -1, top_p real DEFAULT -1, min_p real DEFAULT -1) RETURNS SETOF text
LANGUAGE sql AS $$ SELECT generate('tiny', 'hello', max_tokens, temperature, top_k, top_p, min_p, '{}', s, options) FROM generate_series(1, 300) s $$;

-- The law: of 4 x 1000 samples, each token as often as the model says, by chi-square (upper 0.1 % point, Wilson and Hilferty)
CREATE TABLE sample AS SELECT s.*, seed FROM generate_series(1, 4) seed, LATERAL generate_samples('tiny', 'hello', 1, 1, seed => seed, n => 1000) s;
CREATE FUNCTION chi_square_limit(freedom float8) RETURNS float8 LANGUAGE sql AS $$ SELECT freedom * (1 - 2 / (9 * freedom) + 3.09 * sqrt(2 / (9 * freedom))) ^ 3 $$;
CREATE VIEW bins AS SELECT round(score::numeric, 4) AS bin, count(*) AS seen, 4000 * exp(min(score)::float8) AS expected FROM sample GROUP BY 1;
SELECT cmp_ok(count(*), '>', 20::bigint, 'many tokens are drawn often enough to be counted') FROM bins WHERE expected >= 8;
SELECT cmp_ok(sum((seen - expected) ^ 2 / expected), '<', chi_square_limit(count(*)), 'and as often as the model says') FROM bins WHERE expected >= 8;
SELECT cmp_ok(abs(avg(seen / expected) - 1), '<', 0.1::float8, 'on the whole') FROM bins WHERE expected >= 8;
CREATE TABLE hot AS SELECT s.* FROM generate_samples('tiny', 'hello', 1, 0.5, n => 1000) s;
SELECT cmp_ok(avg(score), '>', (SELECT avg(score) FROM sample) + 0.2, 'half the temperature draws likelier tokens') FROM hot;
-- At temperature 1/2 the law is p squared, normalised
WITH law AS (SELECT bin, expected / 4000 AS p FROM bins), norm AS (SELECT sum(p * p) AS z FROM law), seen AS (SELECT round(score::numeric, 4) AS bin, count(*) AS n FROM hot GROUP BY 1)
SELECT cmp_ok(sum((n - 1000 * p * p / z) ^ 2 / (1000 * p * p / z)), '<', chi_square_limit(count(*)) * 1.1, 'the power of the law') FROM seen JOIN law USING (bin), norm WHERE 1000 * p * p / z >= 8;

-- Filters
SELECT is((SELECT count(DISTINCT d) FROM draws(1, '{}', 1, 1) d), 1::bigint, 'top_k 1');
SELECT is((SELECT count(DISTINCT d) FROM draws(1, '{}', 1, 3) d), 3::bigint, 'top_k 3');
SELECT is((SELECT count(DISTINCT d) FROM draws(1, '{}', 1, -1, 1e-6) d), 1::bigint, 'a small top_p leaves the likeliest');
SELECT cmp_ok((SELECT count(DISTINCT d) FROM draws(1, '{}', 1, -1, 0.3) d), '<', (SELECT count(DISTINCT d) FROM draws(1, '{}', 1) d), 'top_p 0.3 leaves fewer than all');
SELECT is((SELECT count(DISTINCT d) FROM draws(1, '{}', 1, -1, -1, 1) d), 1::bigint, 'min_p 1 leaves the likeliest');
SELECT cmp_ok((SELECT count(DISTINCT d) FROM draws(1, '{}', 1, -1, -1, 0.5) d), '<', (SELECT count(DISTINCT d) FROM draws(1, '{}', 1) d), 'min_p 0.5 leaves fewer than all');
SELECT is((SELECT max(exp(score)) / min(exp(score)) <= 2.001 FROM generate_samples('tiny', 'hello', 1, 1, min_p => 0.5, n => 1000)), true, 'none of less than half the likeliest');
SELECT is((SELECT count(DISTINCT d) FROM draws(3, '{}', 0) d), 1::bigint, 'temperature 0: seeds do not matter');
SELECT is((SELECT count(DISTINCT d) FROM draws(3, '{}', 0, 5, 0.9, 0.1) d), 1::bigint, 'nor do filters');

-- Penalties, biases, runs
SELECT generate('tiny', 'hello', 40) AS greedy \gset
SELECT isnt(generate('tiny', 'hello', 40, options => '{"repetition_penalty": 1.8}'), :'greedy', 'repetition_penalty');
SELECT isnt(generate('tiny', 'hello', 40, options => '{"frequency_penalty": 1.5}'), :'greedy', 'frequency_penalty');
SELECT isnt(generate('tiny', 'hello', 40, options => '{"presence_penalty": 1.9}'), :'greedy', 'presence_penalty');
SELECT is(generate('tiny', 'hello', 40, options => '{"repetition_penalty": 1, "frequency_penalty": 0, "presence_penalty": 0}'), :'greedy', 'none of them');
SELECT cmp_ok(avg(cardinality(ARRAY(SELECT DISTINCT unnest(ids(d))))), '>', (SELECT avg(cardinality(ARRAY(SELECT DISTINCT unnest(ids(d))))) FROM draws(20, '{}', 0.5) d),
	'penalties make texts of more different tokens') FROM draws(20, '{"frequency_penalty": 2, "presence_penalty": 2}', 0.5) d;
SELECT (ids('z'))[1] AS favourite \gset
SELECT is((SELECT count(*) FROM draws(5, format('{"logit_bias": {"%s": 1000}}', :favourite)::jsonb) d WHERE d = 'zzzzz'), 300::bigint, 'logit_bias wants a token');
SELECT is((SELECT count(*) FROM draws(20, format('{"logit_bias": {"%s": -1000}}', :favourite)::jsonb) d WHERE d LIKE '%z%'), 0::bigint, 'or bans it');
SELECT cmp_ok((SELECT count(*) FROM draws(20, '{}') d WHERE d LIKE '%z%'), '>', 0::bigint, 'which is drawn else');
-- Special tokens have no text, and would stand between two of a run unseen
SELECT (SELECT jsonb_object_agg(id::text, -1000) FROM generate_series(256, 271) id) || jsonb_build_object(:favourite::text, 8) AS wanted \gset
SELECT is((SELECT count(*) FROM draws(40, jsonb_build_object('no_repeat_ngram', 2, 'logit_bias', :'wanted'::jsonb)) d WHERE d LIKE '%zzz%'), 0::bigint, 'no_repeat_ngram 2');
SELECT cmp_ok((SELECT count(*) FROM draws(40, jsonb_build_object('logit_bias', :'wanted'::jsonb)) d WHERE d LIKE '%zzz%'), '>', 100::bigint, 'which else would be');

-- Ends
SELECT stat_models_reset() AS reset \gset
SELECT count(d) AS drawn FROM draws(12, '{"min_tokens": 12}') d \gset
SELECT is((SELECT new_tokens FROM maskgen_stat_models WHERE name = 'tiny'), 3600::bigint, 'min_tokens: no end before');
SELECT is((SELECT count(*) FROM generate_series(1, 300) s WHERE generate('tiny', 'hello', 30, 1, stop => '{a,e}', seed => s) ~ '[ae]'), 0::bigint, 'stop strings are not part of a text');
SELECT is(generate('tiny', 'hello', 40, stop => ARRAY[substr(:'greedy', 4, 3)]), left(:'greedy', strpos(:'greedy', substr(:'greedy', 4, 3)) - 1), 'the text ends before the first of them');
SELECT is(generate('tiny', 'hello', 40, stop => '{}'), :'greedy', 'none');
SELECT throws_ok($$SELECT generate('tiny', 'hello', 4, stop => '{""}')$$, NULL, NULL, 'an empty one is refused');

-- Bounds
SELECT throws_ok(format('SELECT generate(''tiny'', ''x'', 4, %s)', argument), '22023', NULL, argument) FROM unnest(ARRAY['-0.5', '1001', '1, top_k => -3', '1, top_p => 0', '1, top_p => 1.5', '1, min_p => 1.1',
	'1, options => ''{"no_repeat_ngram": -1}''', '1, options => ''{"logit_bias": {"100000": 1}}''', '1, options => ''{"logit_bias": [1]}''', '1, options => ''[]''']) argument;

-- A model's own defaults
\! rm -rf "$PG_ABS_SRCDIR/../tmp_generation" && cp -r "$PG_ABS_SRCDIR/golden/decoder/llama" "$PG_ABS_SRCDIR/../tmp_generation" && echo '{"do_sample": true, "temperature": 1.0, "top_k": 3, "repetition_penalty": 1.0, "eos_token_id": 257}' > "$PG_ABS_SRCDIR/../tmp_generation/generation_config.json"
SELECT create_model('own', :'dir' || '/../tmp_generation') IS NOT NULL AS made \gset
SELECT is((SELECT count(DISTINCT generate('own', 'hello', 1, seed => s)) FROM generate_series(1, 300) s), 3::bigint, 'generation_config.json: drawn, of three');
SELECT is((SELECT count(*) FROM generate_series(1, 50) s WHERE generate('own', 'hello', 9, seed => s) = generate('tiny', 'hello', 9, 1, 3, seed => s)), 50::bigint, 'as by arguments');
SELECT is((SELECT count(DISTINCT generate('own', 'hello', 4, 0, seed => s)) FROM generate_series(1, 50) s), 1::bigint, 'which go before it');
SELECT cmp_ok((SELECT count(DISTINCT generate('own', 'hello', 1, top_k => 0, seed => s)) FROM generate_series(1, 300) s), '>', 10::bigint, 'each for itself');
SELECT is((SELECT string_agg(p, '') FROM generate_stream('own', 'hello', 9, seed => 4) p), generate('own', 'hello', 9, seed => 4), 'streams know it');
SELECT is((SELECT text FROM generate_samples('own', 'hello', 9, seed => 4, n => 2) WHERE sample = 1), generate('own', 'hello', 9, seed => 4), 'and samples');

SELECT * FROM finish();
