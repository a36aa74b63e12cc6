-- Chats, streams, samples and likelihoods: values, batches, NULL, rights, cancel, and what happens to a stream that is left.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET maskgen.enable_result_cache = off;
SELECT plan(75);
SELECT create_model('tiny', :'dir' || '/golden/decoder/llama', jsonb_build_object('chat_template',
	'{% for m in messages %}<s>{{ m.role }}:{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<s>a:{% endif %}{{ more }}')) IS NOT NULL AS made \gset
SELECT create_model('plain', :'dir' || '/golden/decoder/llama') IS NOT NULL AS made \gset
SELECT create_model('encoder', :'dir' || '/golden/tiny/bert-mlm') IS NOT NULL AS made \gset
CREATE TABLE talk AS SELECT i, jsonb_build_array(jsonb_build_object('role', 'u', 'content', 'hi ' || i)) AS messages FROM generate_series(1, 20) i;

-- Prompts
SELECT is(chat_prompt('tiny', '[{"role": "u", "content": "hi"}, {"role": "a", "content": "ho"}]'), '<s>u:hi</s><s>a:ho</s><s>a:', 'a prompt by the template');
SELECT is(chat_prompt('tiny', '[{"role": "u", "content": "hi"}]', '{"add_generation_prompt": false, "variables": {"more": "!"}}'), '<s>u:hi</s>!', 'options');
SELECT is(chat_prompt('tiny', NULL), NULL, 'NULL: no messages');
SELECT throws_ok($$SELECT chat_prompt('plain', '[{"role": "u"}]')$$, '0A000', 'model "plain" has no chat template', 'no template');
SELECT throws_ok($$SELECT chat_prompt('tiny', '{}')$$, '22023', 'messages are not a JSON array', 'messages are an array');
SELECT throws_ok($$SELECT chat_prompt('tiny', '[]')$$, '22023', 'there are no messages', 'not an empty one');
SELECT throws_ok($$SELECT chat_prompt('tiny', '[{"content": "x"}]')$$, '22023', 'message 1 has no "role"', 'of messages with roles');
SELECT throws_ok($$SELECT chat_prompt('tiny', '[{"role": "u"}]', '{"top_k": 3}')$$, '22023', 'option "top_k" is not known', 'options that are known');
SELECT throws_ok($$SELECT chat_prompt('tiny', '[{"role": "u"}]', '{"tools": 3}')$$, '22023', 'option "tools" is not a JSON array', 'of their types');
SELECT throws_ok($$SELECT chat_prompt('tiny', '[{"role": "u"}]', '{"variables": {"messages": 1}}')$$, '22023', 'variable "messages" is no option of the template''s own',
	'variables do not replace messages');

-- Templates
SELECT throws_ok(format('SELECT create_model(''x'', %L, %L)', :'dir' || '/golden/decoder/llama', jsonb_build_object('chat_template', template)), code, message, template)
FROM (VALUES ('{{ x | frobnicate }}', '0A000', 'chat template uses filter "frobnicate", which is not supported'),
	('{% if x %}', '22P03', 'chat template is malformed: it lacks "endif"'),
	('{% include "x" %}', '0A000', 'chat template has statement "include", which is not supported here')) x (template, code, message);
SELECT lives_ok(format('SELECT create_model(''mute'', %L, ''{"chat_template": ""}'')', :'dir' || '/golden/decoder/llama'), 'a model can have no template');
SELECT lives_ok(format('SELECT create_model(''endless'', %L, %L)', :'dir' || '/golden/decoder/llama',
	'{"chat_template": "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}"}'), 'a template that does not end can be stored');
SELECT throws_ok($$SELECT chat_prompt('endless', '[{"role": "u"}]')$$, '54000', NULL, 'and is stopped');
SELECT throws_ok($$SELECT chat('endless', '[{"role": "u"}]')$$, '54000', NULL, 'by chat as well');

-- Chats
SELECT is(chat('tiny', '[{"role": "u", "content": "hi"}]', 8), generate('tiny', '<s>u:hi</s><s>a:', 8, options => '{"special_tokens": true}'), 'a chat is generation behind the prompt');
SELECT is(chat('tiny', '[{"role": "u", "content": "hi"}]', 8, 0.9, seed => 3),
	generate('tiny', '<s>u:hi</s><s>a:', 8, 0.9, seed => 3, options => '{"special_tokens": true}'), 'drawn too');
SELECT isnt(chat('tiny', '[{"role": "u", "content": "</s>"}]', 8), generate('tiny', '<s>u:</s></s><s>a:', 8, options => '{"special_tokens": true}'),
	'a message does not end its turn');
SELECT is(chat('tiny', NULL, 8), NULL, 'NULL: no messages');
SELECT is(chat(NULL, '[{"role": "u"}]', 8), NULL, 'NULL: no model');
SELECT throws_ok($$SELECT chat('tiny', '[{"role": "u", "content": "x"}]', 8, options => '{"special_tokens": true}')$$, '22023',
	'option "special_tokens" is not known', 'what is read as special is the template''s to say');
SELECT throws_ok($$SELECT chat('encoder', '[{"role": "u"}]')$$, '0A000', 'model "encoder" does not generate text', 'encoders do not chat');
SELECT throws_ok(format('SELECT chat(''tiny'', %L)', jsonb_build_array(jsonb_build_object('role', 'u', 'content', repeat('x', 200)))), '54000',
	'prompt is too long for model "tiny"', 'a chat is never cut');
CREATE TABLE batched AS SELECT i, chat('tiny', messages, 12, 0.8, seed => i % 3) AS answer FROM talk WHERE i > 0;
CREATE TABLE constant AS SELECT i, chat('tiny', messages, 12) AS answer FROM talk;
SET maskgen.enable_batching = off;
SELECT is((SELECT count(*) FROM constant JOIN (SELECT i, chat('tiny', messages, 12) AS answer FROM talk) x USING (i, answer)), 20::bigint, 'rows together are rows alone');
SELECT is((SELECT count(*) FROM batched JOIN (SELECT i, chat('tiny', messages, 12, 0.8, seed => i % 3) AS answer FROM talk) x USING (i, answer)), 20::bigint, 'drawn as well');
RESET maskgen.enable_batching;
CREATE FUNCTION explained(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || statement; END $$;
SELECT ok(count(*) = 1, 'chats of many rows are batched') FROM explained($$SELECT chat('tiny', messages, 12) FROM talk$$) line WHERE line LIKE '%MaskgenBatch%';

-- Streams
SELECT is((SELECT coalesce(string_agg(piece, '' ORDER BY n), '') FROM (SELECT piece, n FROM ROWS FROM (generate_stream('tiny', 'hi', 40, t, seed => s)) WITH ORDINALITY x (piece, n)) y),
	generate('tiny', 'hi', 40, t, seed => s), format('pieces are the text at once: temperature %s, seed %s', t, s)) FROM (VALUES (0::real, 0), (0.9, 1), (0.9, 2), (0.9, 3)) v (t, s);
SELECT is((SELECT string_agg(piece, '') FROM generate_stream('tiny', 'hi', 40, 0.9, stop => ARRAY[substr(generate('tiny', 'hi', 40, 0.9), 3, 2)]) piece),
	generate('tiny', 'hi', 40, 0.9, stop => ARRAY[substr(generate('tiny', 'hi', 40, 0.9), 3, 2)]), 'up to a stop string');
SELECT is((SELECT count(*) FROM generate_stream('tiny', NULL) x), 0::bigint, 'NULL: no prompt, no pieces');
SELECT throws_ok($$SELECT generate_stream('tiny', '')$$, '22023', 'prompt has no tokens', 'nor has an empty one');

SELECT stat_models_reset();
BEGIN;
DECLARE c CURSOR FOR SELECT generate_stream('tiny', 'hi', 80, 0.9, seed => 5, options => '{"min_tokens": 80}');
FETCH 2 FROM c \g /dev/null
SELECT cmp_ok((SELECT tokens FROM maskgen_stat_models WHERE name = 'tiny'), '<', 40::bigint, 'a cursor computes what is fetched');
SAVEPOINT s;
SELECT generate('tiny', 'something else', 20) IS NOT NULL AS done \gset
FETCH 1 FROM c \g /dev/null
ROLLBACK TO s;
SELECT is((SELECT count(*) > 0 FROM pg_cursors WHERE name = 'c'), true, 'a subtransaction is undone, and the cursor is there');
SELECT lives_ok('FETCH 3 FROM c', 'and goes on');
SELECT lives_ok('CLOSE c', 'and is closed early');
ROLLBACK;
BEGIN;
DECLARE c CURSOR FOR SELECT generate_stream('tiny', 'hi', 80, 0.9, seed => 5, options => '{"min_tokens": 80}');
FETCH 1 FROM c \g /dev/null
SELECT drop_model('tiny');
SELECT throws_ok('FETCH 1 FROM c', '42704', NULL, 'a model that is dropped stops a stream');
ROLLBACK;
SELECT is(count(*), 3::bigint, 'a LIMIT ends a stream') FROM (SELECT generate_stream('tiny', 'hi', 80, 0.9, seed => 5, options => '{"min_tokens": 80}') LIMIT 3) x;
SELECT is((SELECT string_agg(a || b, '' ORDER BY n) FROM (SELECT row_number() OVER () AS n, * FROM (SELECT generate_stream('tiny', 'hi', 10) AS a, generate_stream('tiny', 'hi', 10) AS b) x) y),
	(SELECT string_agg(piece || piece, '' ORDER BY n) FROM generate_stream('tiny', 'hi', 10) WITH ORDINALITY x (piece, n)), 'two streams at once');

-- Samples
SELECT is((SELECT count(DISTINCT text) FROM generate_samples('tiny', 'hi', 20, 1, n => 5)), 5::bigint, 'samples differ');
SELECT is((SELECT text FROM generate_samples('tiny', 'hi', 20, 1, seed => 7, n => 5) WHERE sample = 1), generate('tiny', 'hi', 20, 1, seed => 7), 'the first is what generate() draws');
SELECT results_eq('SELECT * FROM generate_samples(''tiny'', ''hi'', 20, 1, n => 5) LIMIT 3', 'SELECT * FROM generate_samples(''tiny'', ''hi'', 20, 1, n => 3)',
	'a sample does not depend on the others');
SELECT throws_ok($$SELECT * FROM generate_samples('tiny', 'hi', n => 0)$$, '22023', 'n is 0', 'at least one');
SELECT ok(bool_and(score < 0 AND score > -200), 'scores are log probabilities') FROM generate_samples('tiny', 'hi', 20, 1, n => 5);

-- Likelihoods
SELECT ok(abs(perplexity('tiny', 'hello there') - (SELECT exp(-avg(logprob)) FROM token_logprobs('tiny', 'hello there'))) < 1e-3, 'perplexity is of the tokens');
SELECT is((SELECT count(*) FILTER (WHERE logprob IS NULL) FROM token_logprobs('tiny', 'hello')), 1::bigint, 'the first token has none');
SELECT ok(abs(logprob('tiny', 'hello', ' there') - (SELECT sum(logprob) FROM token_logprobs('tiny', 'hello there') WHERE pos > 5)) < 1e-3, 'log probability of a continuation');
SELECT is(logprob('tiny', 'hello', ''), 0::real, 'nothing is certain');
SELECT throws_ok($$SELECT logprob('tiny', '', 'hello')$$, '22023', 'nothing comes before the continuation', 'a continuation needs something before it');
SELECT throws_ok($$SELECT perplexity('tiny', 'h')$$, '22023', NULL, 'one token has no perplexity');
CREATE TABLE pair AS SELECT i, repeat('ab ', i % 7 + 1) AS t FROM generate_series(1, 30) i;
CREATE TABLE scored AS SELECT i, logprob('tiny', t, 'xyz') AS l FROM pair;
SET maskgen.enable_batching = off;
SELECT is((SELECT count(*) FROM scored JOIN (SELECT i, logprob('tiny', t, 'xyz') AS l FROM pair) x USING (i, l)), 30::bigint, 'rows together are rows alone: logprob');
RESET maskgen.enable_batching;
CREATE TABLE surprise AS SELECT i, perplexity('tiny', t) AS p FROM pair;
SET maskgen.enable_batching = off;
SELECT is((SELECT count(*) FROM surprise JOIN (SELECT i, perplexity('tiny', t) AS p FROM pair) x USING (i, p)), 30::bigint, 'and perplexity');
RESET maskgen.enable_batching;
SELECT is(count(*), 2::bigint, 'NULL') FROM (VALUES (logprob('tiny', NULL, 'x')), (perplexity('tiny', NULL))) v (x) WHERE x IS NULL;

-- Labels behind a text, by the definition: log probabilities among them, less what an empty text gives
CREATE FUNCTION among(texts text[], template text) RETURNS TABLE (label text, s real) LANGUAGE sql AS $$
	SELECT label, avg(raw - log_sum)::real FROM (SELECT t, label, raw, ln(sum(exp(raw::float8)) OVER (PARTITION BY t)) AS log_sum FROM (SELECT t, label,
		logprob('tiny', replace(template, '{text}', t), ' ' || label) AS raw FROM unnest(texts) t, unnest('{ab,c,xyz}'::text[]) label) x) y GROUP BY label $$;
SELECT ok(bool_and(abs(score - (text.s - nothing.s)) < 1e-3), 'classify_scores of a decoder: ' || input) FROM unnest('{hello,abcabc,""}'::text[]) input,
	LATERAL classify_scores('tiny', input, '{ab,c,xyz}', '{text} is {label}') scores JOIN LATERAL among(ARRAY[input], '{text} is') text USING (label)
	JOIN among(ARRAY['', 'N/A', 'text'], '{text} is') nothing USING (label) GROUP BY input;
CREATE TABLE labelled AS SELECT i, classify('tiny', t || i % 11, '{ab,c,xyz}') AS label FROM pair;
SET maskgen.enable_batching = off;
SELECT is((SELECT count(*) FROM labelled JOIN (SELECT i, classify('tiny', t || i % 11, '{ab,c,xyz}') AS label FROM pair) x USING (i, label)), 30::bigint, 'together and alone');
RESET maskgen.enable_batching;
SELECT throws_ok($$SELECT classify('tiny', 'x', '{a,b}', '{label} is {text}')$$, '22023', 'template lacks {text} before {label}', 'the label comes last');
SELECT throws_ok($$SELECT classify('tiny', 'x', '{a,b}', 'about {label}')$$, '22023', 'template lacks {text} before {label}', 'and the text is there');
SELECT isnt(classify('tiny', repeat('long ', 100), '{a,b}'), NULL, 'a long text is cut');

-- Embeddings: causal, so the first state knows nothing of what follows, and the last one does
SELECT count(create_model(pooling, :'dir' || '/golden/decoder/llama', jsonb_build_object('pooling', pooling))) AS made FROM unnest('{cls,last,mean}'::text[]) pooling \gset
SELECT is(embed('cls', 'hello'), embed('cls', 'hxyz'), 'the first token sees itself');
SELECT isnt(embed('last', 'hello'), embed('last', 'Hello'), 'the last one sees all');
SELECT is(embed('last', 'h'), embed('mean', 'h'), 'of one token they are the same');
SELECT ok(abs(l2_norm(embed('mean', 'hello')) - 1) < 1e-5, 'of length 1');

-- Rights, and cancel
CREATE ROLE maskgen_nobody;
GRANT USAGE ON SCHEMA maskgen TO maskgen_nobody;
SET ROLE maskgen_nobody;
SELECT throws_ok(statement, '42501', NULL, statement) FROM unnest(ARRAY[$$SELECT maskgen.chat('tiny', '[{"role": "u"}]')$$, $$SELECT maskgen.chat_prompt('tiny', '[{"role": "u"}]')$$,
	$$SELECT maskgen.generate_stream('tiny', 'x')$$, $$SELECT maskgen.generate_samples('tiny', 'x')$$, $$SELECT maskgen.perplexity('tiny', 'xy')$$]) statement;
RESET ROLE;
SELECT grant_model('tiny', 'maskgen_nobody');
SET ROLE maskgen_nobody;
SELECT isnt(maskgen.chat('tiny', '[{"role": "u", "content": "x"}]', 4), NULL, 'with a grant all works, also what is inlined');
RESET ROLE;
DROP OWNED BY maskgen_nobody;
CREATE FUNCTION stopped(statement text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN false; EXCEPTION WHEN query_canceled THEN RETURN true; END $$;
SET statement_timeout = '200ms';
SELECT ok(stopped($$SELECT count(chat('tiny', messages || jsonb_build_object('role', 'u', 'content', g), 30, 1, options => '{"min_tokens": 30}'))
	FROM talk, generate_series(1, 20000) g$$), 'a timeout stops chats');
SELECT ok(stopped($$SELECT count(*) FROM generate_series(1, 20000) g, LATERAL generate_stream('tiny', 'hi' || g, 80, 1, options => '{"min_tokens": 80}')$$), 'and streams');
RESET statement_timeout;
SELECT revoke_model('tiny', 'maskgen_nobody');
DROP ROLE maskgen_nobody;
SELECT * FROM finish();
