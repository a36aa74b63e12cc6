-- generate() on SmolLM2: what a text depends on and what not, and what is refused.
\getenv smollm2 MASKGEN_TEST_SMOLLM2
\getenv minilm MASKGEN_TEST_MINILM
\getenv dir PG_ABS_SRCDIR
SET client_min_messages = warning;
SET maskgen.enable_result_cache = off;
SELECT plan(28);

SELECT lives_ok(format('SELECT maskgen.create_model(''smollm2'', %L)', :'smollm2' || '/model.gguf'), 'a GGUF file is a model');
SELECT is((SELECT architecture || ', ' || tasks FROM maskgen.maskgen_models WHERE name = 'smollm2'), 'llama, classify, generate', 'and says what it can do');
SELECT throws_like(format('SELECT maskgen.create_model(''other'', %L)', :'dir' || '/README.md'), '%is neither a directory nor a GGUF file', 'another file is not');
SELECT is((SELECT concat(provolatile, proisstrict, proparallel) FROM pg_proc WHERE proname = 'generate' AND pronamespace = 'maskgen'::regnamespace),
	'its', 'IMMUTABLE, STRICT, PARALLEL SAFE');

CREATE TABLE prompt AS SELECT i AS id, 'You answer questions about cities in a single short sentence and never ask back. Question: what is '
	|| (ARRAY['the capital of France', 'the largest city of Italy', 'Berlin known for', 'the river of London', 'Lisbon', 'a port of Spain'])[1 + i % 6] || '? Answer:' AS text
FROM generate_series(0, 9) i;
CREATE TABLE written AS SELECT id, maskgen.generate('smollm2', text, 10) AS answer FROM prompt;
SELECT ok((SELECT count(*) FROM written WHERE length(answer) > 2) > 7, 'rows have texts');
SELECT is((SELECT count(*) FROM prompt p JOIN written w USING (id) WHERE maskgen.generate('smollm2', p.text, 10) IS DISTINCT FROM w.answer), 0::bigint,
	'the same again, computed in batches of another plan');
SET maskgen.enable_batching = off;
SELECT is((SELECT count(*) FROM (SELECT * FROM prompt ORDER BY id LIMIT 3) p JOIN written w USING (id) WHERE maskgen.generate('smollm2', p.text, 10) <> w.answer),
	0::bigint, 'row by row: without a shared beginning');
RESET maskgen.enable_batching;
SET maskgen.kv_memory = '24MB';
SELECT is((SELECT count(*) FROM prompt p JOIN written w USING (id) WHERE maskgen.generate('smollm2', p.text, 10) <> w.answer), 0::bigint,
	'in memory for few sequences at once');
RESET maskgen.kv_memory;
SET maskgen.batch_tokens = 16;
SELECT is((SELECT count(*) FROM prompt p JOIN written w USING (id) WHERE maskgen.generate('smollm2', p.text, 10) <> w.answer), 0::bigint, 'in small blocks');
RESET maskgen.batch_tokens;
SELECT is(maskgen.generate('smollm2', 'Once upon a time', 4), (maskgen.generate('smollm2', 'Once upon a time', 4, 0)), 'without a say of the file it is greedy');
SELECT ok(starts_with(maskgen.generate('smollm2', 'Once upon a time', 12), maskgen.generate('smollm2', 'Once upon a time', 4)), 'more tokens go on');
SELECT is(maskgen.generate('smollm2', 'Once upon a time', 8, 0.9, seed => 5), maskgen.generate('smollm2', 'Once upon a time', 8, 0.9, seed => 5), 'a seed');
SELECT ok((SELECT count(DISTINCT maskgen.generate('smollm2', 'Once upon a time', 8, 1.0, seed => s)) FROM generate_series(1, 4) s) > 1, 'other seeds');
SELECT is(maskgen.generate('smollm2', 'Once upon a time', 8, 1.5, top_k => 1, seed => 3), maskgen.generate('smollm2', 'Once upon a time', 8), 'the likeliest one alone');
SELECT ok(position('e' IN maskgen.generate('smollm2', 'Once upon a time', 12, stop => '{e}')) = 0, 'ends before a stop string');
SELECT isnt(maskgen.generate('smollm2', 'Yes yes yes yes', 8, options => '{"repetition_penalty": 3}'), maskgen.generate('smollm2', 'Yes yes yes yes', 8), 'an option');
SELECT is(maskgen.generate('smollm2', NULL), NULL, 'NULL');
SELECT is(maskgen.generate('smollm2', '<|im_end|>', 3) = maskgen.generate('smollm2', '<|im_end|>', 3, options => '{"special_tokens": true}'), false,
	'special tokens in a prompt are text unless asked for');

SELECT throws_ok($$SELECT maskgen.generate('smollm2', 'a', 0)$$, '22023', 'max_tokens is 0', 'no tokens');
SELECT throws_ok($$SELECT maskgen.generate('smollm2', 'a', 3, options => '{"temprature": 1}')$$, '22023', 'option "temprature" is not known', 'an unknown option');
SELECT throws_like($$SELECT maskgen.generate('smollm2', 'a', 3, -2)$$, '%temperature%', 'a temperature below zero');
SELECT throws_like($$SELECT maskgen.generate('smollm2', '', 3)$$, '%no tokens', 'an empty prompt');
SELECT throws_like($$SELECT maskgen.generate('smollm2', repeat('word ', 9000), 3)$$, '%too long%', 'a prompt that is too long');
SET maskgen.kv_memory = '64kB';
SELECT throws_like($$SELECT maskgen.generate('smollm2', 'Once upon a time', 8)$$, 'keys of 12 tokens do not fit%', 'no memory for one');
RESET maskgen.kv_memory;
SELECT maskgen.create_model('minilm', :'minilm');
SELECT throws_ok($$SELECT maskgen.generate('minilm', 'a')$$, '0A000', 'model "minilm" does not generate text', 'a model that only reads');
SELECT is((SELECT tokens > 100 AND rows > 20 FROM maskgen.maskgen_stat_models WHERE name = 'smollm2'), true, 'statistics count');
CREATE FUNCTION hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
SELECT matches(hint_of($$SELECT maskgen.generate('smollm2', 'a', 3, options => '{"min_token": 1}')$$), '^Known are .*min_tokens', 'whose hint has those that are known');
SELECT is(hint_of($$SELECT maskgen.generate('smollm2', repeat('word ', 9000), 3)$$), 'Shorten the prompt.', 'a prompt is not cut, and no hint says that it can be');
SELECT * FROM finish();
