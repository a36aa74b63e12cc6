-- maskgen.on_row_error: rows fail alone, told once a statement; and what is no row's fault ends the statement as ever.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = error;
SET maskgen.enable_result_cache = off;
SET maskgen.on_row_error = 'null';
SELECT plan(34);
SELECT create_model('tiny', :'dir' || '/golden/decoder/llama', jsonb_build_object('chat_template',
	'{% for m in messages %}<s>{{ m.role }}:{{ m.content }}</s>{% endfor %}{% if messages[0].role == "no" %}{{ raise_exception("not you") }}{% endif %}<s>a:')) IS NOT NULL AS made \gset
SELECT create_model('plain', :'dir' || '/golden/decoder/llama') IS NOT NULL AS made \gset
SELECT create_model('encoder', :'dir' || '/golden/tiny/bert-embed-mean') IS NOT NULL AS made \gset
SELECT create_model('mlm', :'dir' || '/golden/tiny/bert-mlm') IS NOT NULL AS made \gset

CREATE TABLE body AS SELECT i, CASE i WHEN 3 THEN NULL WHEN 5 THEN '' WHEN 8 THEN repeat('x ', 100) ELSE 'hi ' || i END AS text FROM generate_series(1, 20) i;
CREATE VIEW talk AS SELECT i, jsonb_build_array(jsonb_build_object('role', CASE i WHEN 7 THEN 'no' ELSE 'u' END, 'content', text)) AS messages FROM body;

SELECT is((SELECT string_agg(i::text, ',' ORDER BY i) FROM (SELECT i, generate('tiny', text, 6) AS a FROM body) x WHERE a IS NULL), '3,5,8', 'an empty prompt and one that is too long are NULL');
CREATE TABLE made AS SELECT i, generate('tiny', text, 6, 0.9) AS a FROM body;
SELECT is((SELECT count(*) FROM made JOIN body USING (i) WHERE i NOT IN (3, 5, 8) AND a = generate('tiny', text, 6, 0.9)), 17::bigint, 'others are what they are');
SELECT is((SELECT count(generate('tiny', text, 6, seed => i)) FROM body), 17::bigint, 'options from a column');
SET maskgen.enable_batching = off;
SELECT is((SELECT string_agg(i::text, ',' ORDER BY i) FROM (SELECT i, generate('tiny', text, 6) AS a FROM body) x WHERE a IS NULL), '3,5,8', 'row by row as well');
RESET maskgen.enable_batching;
SELECT is((SELECT string_agg(i::text, ',' ORDER BY i) FROM (SELECT i, chat('tiny', messages, 6) AS a FROM talk) x WHERE a IS NULL), '3,7,8', 'chats: no content, messages that the template refuses, too long');
SELECT is(chat('tiny', '[{"role": "u", "content": null}]', 4), NULL, 'one alone');
SELECT isnt(chat('tiny', '[{"role": "u", "content": null, "tool_calls": []}]', 4), NULL, 'who calls tools may say nothing');

SELECT is((SELECT string_agg(i::text, ',' ORDER BY i) FROM (SELECT i, perplexity('tiny', text) AS a FROM body) x WHERE a IS NULL), '3,5', 'perplexity, which cuts');
SET maskgen.long_input = 'error';
SELECT is((SELECT string_agg(i::text, ',' ORDER BY i) FROM (SELECT i, logprob('tiny', text, 'b') AS a FROM body) x WHERE a IS NULL), '3,5,8', 'logprob');
SELECT is((SELECT string_agg(i::text, ',' ORDER BY i) FROM (SELECT i, embed('encoder', text) AS a FROM body) x WHERE a IS NULL), '3,8', 'embed');
SELECT is((SELECT string_agg(i::text, ',' ORDER BY i) FROM (SELECT i, classify('mlm', text, '{world,sports}') AS a FROM body) x WHERE a IS NULL), '3,8', 'classify');
SELECT is((SELECT count(*) FROM body WHERE embed('encoder', text) IS NULL), 2::bigint, 'in a condition');
SELECT throws_ok($$SELECT embed_batch('encoder', array_agg(coalesce(text, ''))) FROM body$$, '54000', NULL, 'arrays have no row to leave out');
SELECT throws_ok($$SELECT fill_mask('mlm', repeat('[MASK] ', 300))$$, '54000', NULL, 'nor have sets');
CREATE TABLE kept (i int PRIMARY KEY, text text, v vector(32));
SELECT create_embed_trigger('kept', 'encoder', 'text', 'v') IS NULL AS made \gset
SELECT throws_ok($$INSERT INTO kept SELECT i, text FROM body$$, '54000', NULL, 'triggers store no such NULL');
RESET maskgen.long_input;

-- What is not a row's
SELECT throws_ok($$SELECT generate('tiny', text, 6, -2) FROM body$$, '22023', NULL, 'a temperature below zero');
SELECT throws_ok($$SELECT generate('tiny', text, 6, options => '{"temprature": 1}') FROM body$$, '22023', NULL, 'an option that is not known');
SELECT throws_ok($$SELECT generate('nothing', text, 6) FROM body$$, '42704', NULL, 'a model that is not there');
SELECT throws_ok($$SELECT generate('encoder', text, 6) FROM body$$, '0A000', NULL, 'one that does not generate');
SELECT throws_ok($$SELECT chat('plain', messages, 6) FROM talk$$, '0A000', NULL, 'one without a template');
CREATE FUNCTION stopped(statement text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN false; EXCEPTION WHEN query_canceled THEN RETURN true; END $$;
SET statement_timeout = '300ms';
SELECT ok(stopped($$SELECT count(generate('tiny', 'hi ' || g, 60, 1, options => '{"min_tokens": 60}')) FROM generate_series(1, 100000) g$$), 'a timeout');
RESET statement_timeout;

-- Memory for keys: a row that does not fit alone
SET maskgen.kv_memory = '64kB';
SELECT is((SELECT count(generate('tiny', repeat('x', 40), 20)) + count(generate('tiny', 'x', 2)) FROM body), 40::bigint, 'small models fit');
RESET maskgen.kv_memory;

-- Kept plans and results
PREPARE one AS SELECT generate('tiny', '', 4);
SELECT lives_ok('EXECUTE one', 'a plan holds NULL');
SET maskgen.on_row_error = 'error';
SELECT throws_ok('EXECUTE one', '22023', 'prompt has no tokens', 'and is made anew with the setting');
SELECT throws_ok($$SELECT generate('tiny', text, 6) FROM body ORDER BY i$$, '22023', 'prompt has no tokens', 'the default is an error');
SELECT throws_ok($$SELECT chat('tiny', messages, 6) FROM talk ORDER BY i$$, '22023', 'message 1 has no content', 'a NULL in a message is a clear one');
SELECT throws_ok($$SELECT chat('tiny', '[{"role": "u", "content": "x"}, {"role": "u", "content": null}]', 6)$$, '22023', 'message 2 has no content', 'and says which message');
SELECT throws_ok($$SET maskgen.on_row_error = 'ignore'$$, '22023', NULL, 'there are two values');
SET maskgen.on_row_error = 'null';
SET maskgen.enable_result_cache = on;
SELECT is((SELECT count(generate('tiny', text, 5)) FROM body), 17::bigint, 'through the cache');
SELECT is((SELECT count(generate('tiny', text, 5)) FROM body), 17::bigint, 'again');
SET maskgen.on_row_error = 'error';
SELECT throws_ok($$SELECT count(generate('tiny', text, 5)) FROM body$$, '22023', NULL, 'which keeps no NULL');
SET maskgen.on_row_error = 'null';
SELECT stat_models_reset() AS reset \gset
SELECT is((SELECT count(generate('tiny', text, 5)) FROM body), 17::bigint, 'some fail');
SELECT is((SELECT errors FROM maskgen_stat_models WHERE name = 'tiny'), 2::bigint, 'statistics count these as errors');
SELECT is((SELECT (rows, cache_hits)::text FROM maskgen_stat_models WHERE name = 'tiny'), '(17,17)', 'beside rows');
SELECT * FROM finish();
