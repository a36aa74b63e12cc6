-- Models and tasks on the checkpoints of test/golden/tiny. Numbers are rounded; pgTAP compares them with the reference.
\getenv dir PG_ABS_SRCDIR
\set mlm :dir/golden/tiny/bert-mlm
\set mean :dir/golden/tiny/bert-embed-mean
\set cls :dir/golden/tiny/bert-embed-cls
\set odd :dir/golden/tiny/bert-relu-odd
\set sharded :dir/golden/tiny/bert-sharded
\set VERBOSITY terse
SET search_path = public, maskgen, "+maskgen";

-- Paths differ from machine to machine.
CREATE FUNCTION without_path(statement text, path text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ': ' || replace(concat_ws(E'\n', message, nullif(detail, ''), nullif(hint, '')), path, 'DIR');
END $$;
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE sql AS 'SELECT public.without_path($1, chr(1))';
\pset format unaligned
\pset tuples_only on

-- What create_model refuses
SELECT without_path(format('SELECT create_model(%L, %L)', 'x', :'dir' || '/golden/tiny/nothing'), :'dir');
SELECT without_path(format('SELECT create_model(%L, %L)', 'x', :'mlm' || '/config.json'), :'dir');
SELECT without_path(format('SELECT create_model(%L, %L)', 'x', :'dir' || '/golden/tiny'), :'dir');
SELECT without_path(format('SELECT create_model(%L, %L)', 'x', :'mean' || '/1_Pooling'), :'dir');
SELECT error_of($$SELECT create_model('', '/tmp')$$);
SELECT error_of($$SELECT create_model('two words', '/tmp')$$);
SELECT error_of($$SELECT create_model('semi;colon', '/tmp')$$);
SELECT error_of($$SELECT create_model('$$ || repeat('x', 64) || $$', '/tmp')$$);
SELECT without_path(format('SELECT create_model(%L, %L, %L)', 'x', :'mlm', o), :'dir')
FROM unnest(ARRAY['{"poling": "mean"}', '{"pooling": "sum"}', '{"pooling": 1}', '{"dtype": "int4"}', '{"max_tokens": 2}',
	'{"max_tokens": 41}', '{"max_tokens": "many"}', '{"normalized": "yes"}', '{"normalize": "yes"}', '{"normalize": true, "normalized": true}', '{"calibrate": 0}', '{"prompts": "query: "}',
	'{"prompts": {"query": 1}}', '[]', '"mean"']) o;
SELECT create_model(NULL, '/tmp') IS NULL;

-- Files that do not fit together: made here, for the server reads them where psql runs
\! rm -rf results/wrong && mkdir -p results/wrong
\! for name in shape heads vocab cut nothing missing; do cp -r "$PG_ABS_SRCDIR/golden/tiny/bert-mlm" results/wrong/$name; done
\! sed -i 's/"intermediate_size": 64/"intermediate_size": 60/' results/wrong/shape/config.json
\! sed -i 's/"num_attention_heads": [0-9]*/"num_attention_heads": 7/' results/wrong/heads/config.json
\! rm results/wrong/vocab/vocab.txt
\! head -c 60000 "$PG_ABS_SRCDIR/golden/tiny/bert-mlm/model.safetensors" > results/wrong/cut/model.safetensors
\! : > results/wrong/nothing/model.safetensors
\! rm results/wrong/missing/model.safetensors
\getenv builddir PG_ABS_BUILDDIR
\set wrong :builddir/results/wrong
SELECT without_path(format('SELECT create_model(%L, %L)', 'x', :'wrong' || '/' || name), :'wrong')
FROM unnest(ARRAY['shape', 'heads', 'vocab', 'cut', 'nothing', 'missing']) name;
\! printf 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 90868376\n' > results/wrong/pointer.gguf
SELECT without_path(format('SELECT create_model(%L, %L)', 'x', :'wrong' || '/pointer.gguf'), :'wrong');
\! rm -rf results/wrong
SELECT count(*) FROM model WHERE part = -1;
SELECT count(*) FROM model WHERE part >= 0;

-- What it takes
SELECT create_model('mlm', :'mlm') ~ '^[0-9a-f]{64}$';
-- What is in memory is the server's, so what this test wants to see there has a prompt that no other test's has.
SELECT create_model('mean', :'mean', '{"prompts": {"query": "query: ", "document": "document about", "test": "sql"}}') AS version \gset
SELECT version = :'version' FROM maskgen_models WHERE name = 'mean';
SELECT length(create_model('cls', :'cls'));
SELECT length(create_model('odd', :'odd'));
SELECT length(create_model('sharded', :'sharded' || '//', '{}'));
SELECT length(create_model('mlm/f16-1:2.x', :'mlm', '{"dtype": "f16"}'));
SELECT length(create_model('Übung', :'mlm'));
SELECT length(create_model('pooled', :'mlm', '{"pooling": "mean", "max_tokens": 8, "normalized": false, "prompts": {"query": "the "}}'));
SELECT length(create_model('plain', :'mlm', '{"calibrate": false, "template": "{text} is {mask}"}'));
SELECT without_path(format('SELECT create_model(%L, %L)', 'mlm', :'mlm'), :'dir');
\pset format aligned
\pset tuples_only off
SELECT name, architecture, tasks, dims, max_tokens, parameters, dtype, stored_bytes > 2 * parameters AS stored,
	owner = current_user::regrole AS mine, kernel <> '' AS kernel, created <= now() AS created
FROM maskgen_models ORDER BY name COLLATE "C";
SELECT resident_bytes, loaded, pinned, users FROM maskgen_models WHERE name = 'mean';
-- The same content is the same version.
SELECT count(DISTINCT version) FROM maskgen_models WHERE name IN ('mlm', 'Übung');
SELECT model, options FROM maskgen_model_sources WHERE options <> '{}' ORDER BY model COLLATE "C";

-- Embedding
CREATE FUNCTION rounded(v vector, n int DEFAULT 4) RETURNS numeric[] LANGUAGE sql AS
	'SELECT array_agg(round(x::numeric, 3) ORDER BY i) FROM unnest($1::real[]) WITH ORDINALITY u (x, i) WHERE i <= $2';
SELECT vector_dims(embed('mean', 'paris')), rounded(embed('mean', 'paris')), round(vector_norm(embed('mean', 'paris'))::numeric, 5);
SELECT rounded(embed('mean', '')), rounded(embed('mean', 'paris', 'query: ')), rounded(embed_query('mean', 'paris')),
	rounded(embed_document('mean', 'paris')), rounded(embed('mean', 'paris', prompt => 'document about'));
SELECT embed_query('cls', 'paris') = embed('cls', 'paris'), embed_document('cls', 'paris', 8) = embed('cls', 'paris', dims => 8);
SELECT embed_query('pooled', 'paris') = embed('pooled', 'the paris'), embed_document('pooled', 'x') = embed('pooled', 'x');
SELECT vector_dims(embed('mean', 'paris', dims => 5)), round(vector_norm(embed('mean', 'paris', dims => 5))::numeric, 5),
	vector_dims(embed('mean', 'paris', dims => 32)), vector_dims(embed_query('mean', 'paris', 7));
SELECT embed('mean', 'paris', dims => 5, normalized => false) = subvector(embed('mean', 'paris', normalized => false), 1, 5),
	round(vector_norm(embed('mean', 'paris', normalized => false))::numeric, 3),
	l2_normalize(embed('mean', 'paris', normalized => false)) <-> embed('mean', 'paris') < 1e-6;
-- A model that does not normalise does so when it is cut only.
SELECT round(vector_norm(embed('cls', 'paris'))::numeric, 3), round(vector_norm(embed('cls', 'paris', dims => 8))::numeric, 3),
	round(vector_norm(embed('pooled', 'paris'))::numeric, 3);
SELECT i, rounded(v, 2) FROM unnest(embed_batch('mean', ARRAY['paris', NULL, '', 'red wine'])) WITH ORDINALITY u (v, i);
SELECT max(embed('mean', t) <-> b) < 1e-6 FROM (VALUES (ARRAY['paris', 'red wine', '', 'The bank sleeps', 'news'])) a (ts),
	LATERAL unnest(ts, embed_batch('mean', ts)) u (t, b);
SELECT array_dims(embed_batch('mean', '{{a,b},{c,NULL}}')), array_dims(embed_batch('mean', '[5:6]={a,b}')),
	embed_batch('mean', '{}'), embed_batch('mean', '{NULL,NULL}'), pg_typeof(embed_batch('mean', '{}'));
SELECT embed_batch('mean', '{a,b}', 'query: ', 6, false) = ARRAY[embed('mean', 'a', 'query: ', 6, false),
	embed('mean', 'b', 'query: ', 6, false)];
SELECT embed(NULL, 'x') IS NULL, embed('mean', NULL) IS NULL, embed('mean', 'x', NULL) IS NULL, embed('mean', 'x', dims => NULL) IS NULL,
	embed_batch('mean', NULL) IS NULL, embed_query('mean', NULL) IS NULL, embed_document(NULL, 'x') IS NULL, embed(NULL::text) IS NULL;
SET maskgen.embed_model = 'mean';
SELECT embed('paris') = embed('mean', 'paris');
SET maskgen.embed_model = '';
-- The same place asked twice, thrice, and with something else in between
SELECT array_agg(embed('mean', t) = embed('mean', t || '') ORDER BY i), count(DISTINCT embed('mean', t))
FROM unnest(ARRAY['a', 'a', 'a', 'b', 'a', 'a', 'bb', 'b', 'b']) WITH ORDINALITY u (t, i);
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT embed('paris')$$);
SELECT error_of($$SELECT embed('mean', 'x', dims => 33)$$);
SELECT error_of($$SELECT embed('mean', 'x', dims => -1)$$);
SELECT error_of($$SELECT embed_batch('mean', '{x}', dims => 33)$$);
SELECT error_of($$SELECT embed_batch('mean', '{}', dims => 33)$$);
SELECT error_of($$SELECT embed_query('mean', 'x', 33)$$);
SELECT error_of($$SELECT embed('maen', 'x')$$);
SELECT error_of($$SELECT embed('', 'x')$$);
SELECT error_of($$SELECT embed('$$ || repeat('x', 100) || $$', 'x')$$);
SELECT error_of($$SELECT embed('mlm', 'x')$$);
SELECT error_of($$SELECT embed_batch('mlm', '{x}')$$);
SELECT error_of($$SELECT embed_batch('nothing', '{}')$$);

-- Texts that are too long
SELECT embed('mean', repeat('red ', 14)) = embed('mean', repeat('red ', 1000)), count_tokens('mean', repeat('red ', 1000));
SET maskgen.long_input = 'error';
SELECT vector_dims(embed('mean', repeat('red ', 14)));
SELECT error_of($$SELECT embed('mean', repeat('red ', 15))$$);
SELECT error_of($$SELECT embed_query('mean', repeat('red ', 13))$$);
SELECT error_of($$SELECT embed_batch('mean', ARRAY['x', repeat('red ', 15)])$$);
SELECT error_of($$SELECT * FROM fill_mask('mlm', repeat('red ', 40) || '[MASK]')$$);
SELECT error_of($$SELECT classify('mlm', repeat('red ', 40), '{world,sports}', '{mask} news: {text}')$$);
SET maskgen.long_input = 'truncate';
SELECT error_of($$SELECT * FROM fill_mask('mlm', repeat('red ', 40) || '[MASK]')$$);
SELECT classify('mlm', repeat('red ', 34), '{world,sports}', '{mask} news: {text}') = classify('mlm', repeat('red ', 400), '{world,sports}', '{mask} news: {text}');
SELECT error_of($$SELECT classify('pooled', 'x', '{world}', '{mask} a long template that does not fit: {text}')$$);
-- A prompt counts.
SELECT embed('mean', repeat('red ', 20), 'query: ') = embed('mean', repeat('red ', 12), 'query: ');
SELECT error_of($$SELECT embed('mean', 'x', repeat('query ', 20))$$);
\pset format aligned
\pset tuples_only off

-- Masks
SELECT mask, rank, token_id, token, round(score::numeric, 4) AS score, sequence FROM fill_mask('mlm', 'The capital of France is [MASK].');
SELECT mask, rank, token, round(score::numeric, 4) AS score, sequence FROM fill_mask('mlm', '[MASK] and [MASK] in the [MASK] news', 2);
SELECT mask, rank, token, round(score::numeric, 4) AS score FROM fill_mask('mlm', 'The capital of France is [MASK].', targets => '{paris,news,Paris,wine}');
SELECT mask, rank, token FROM fill_mask('mlm', '[MASK] and [MASK]', 1, '{paris,news}');
SELECT count(*), round(sum(score)::numeric, 3) AS sum FROM fill_mask('mlm', '[MASK]', 300);
SELECT count(*) FROM fill_mask('odd', '[MASK]', 301);
SELECT count(*) FROM fill_mask('mlm', NULL);
SELECT count(*) FROM fill_mask('mlm', '[MASK]', NULL);
SELECT t, f.token FROM unnest(ARRAY['red [MASK]', '[MASK] wine']) t, fill_mask('mlm', t, 1) f;
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT * FROM fill_mask('mlm', 'no mask')$$);
SELECT error_of($$SELECT * FROM fill_mask('mlm', '')$$);
SELECT error_of($$SELECT * FROM fill_mask('mlm', '[MASK]', 0)$$);
SELECT error_of($$SELECT * FROM fill_mask('mlm', '[MASK]', -3)$$);
SELECT error_of($$SELECT * FROM fill_mask('mlm', '[MASK]', 301)$$);
SELECT error_of($$SELECT * FROM fill_mask('mlm', '[MASK]', 5, '{unbelievable}')$$);
SELECT error_of($$SELECT * FROM fill_mask('mlm', '[MASK]', 5, '{""}')$$);
SELECT error_of($$SELECT * FROM fill_mask('mlm', '[MASK]', 5, '{paris,NULL}')$$);
SELECT error_of($$SELECT * FROM fill_mask('mlm', '[MASK]', 5, '{{paris},{news}}')$$);
SELECT error_of($$SELECT * FROM fill_mask('mean', '[MASK]')$$);
SELECT error_of($$SELECT * FROM fill_mask('mml', '[MASK]')$$);
\pset format aligned
\pset tuples_only off

-- Classes
SELECT classify('mlm', 'paris', '{world,sports,business,tech}', '{mask} news: {text}');
SELECT label, round(score::numeric, 3) AS score FROM classify_scores('mlm', 'paris', '{world,sports,business,tech}', '{mask} news: {text}');
SELECT label, round(score::numeric, 3) AS score FROM classify_scores('mlm', 'paris', '{"red wine",technology,"white shoes",peaceful}', '[MASK] : {text}');
SELECT label, round(score::numeric, 2) AS score FROM classify_scores('mlm', 'paris', '{paris,"red wine",unbelievable,Technology,war}', 'about {text} this article is {mask}!');
SELECT label, round(score::numeric, 3) AS score FROM classify_scores('plain', 'paris', '{world,sports}');
SELECT classify('mlm', 'paris', '{world}', '{mask} news: {text}'), classify('plain', 'paris', '{world,sports}');
SELECT classify(NULL, 'x', '{a}'), classify('mlm', NULL, '{a}'), classify('mlm', 'x', NULL), classify('mlm', 'x', '{a}', NULL);
SET maskgen.classify_model = 'plain';
SELECT classify('paris', '{world,sports}');
SET maskgen.classify_model = '';
CREATE TYPE topic AS ENUM ('world', 'sports', 'business', 'tech');
SELECT classify_as('mlm', 'paris', NULL::topic, '{mask} news: {text}'),
	pg_typeof(classify_as('mlm', 'paris', NULL::topic, '{mask} news: {text}')),
	classify_as('mlm', 'paris', 'tech'::topic, '{mask} news: {text}');
SELECT t, classify_as('mlm', t, NULL::topic, '{mask} news: {text}'), classify('mlm', t, '{world,sports,business,tech}', '{mask} news: {text}')
FROM unnest(ARRAY['', 'paris', 'The bank sleeps', '[MASK]']) t;
SELECT classify_as(NULL, 'x', NULL::topic), classify_as('mlm', NULL, NULL::topic), classify_as('mlm', 'x', NULL::topic, NULL);
-- Labels follow the order of the enum, and new ones count from the next statement on.
ALTER TYPE topic ADD VALUE 'red' BEFORE 'world';
SELECT classify_as('mlm', t, NULL::topic, '{mask} news: {text}') FROM unnest(ARRAY['paris', 'red wine']) t;
-- A label that may yet be rolled back cannot be used, as everywhere.
CREATE TYPE pair AS ENUM ('world');
BEGIN;
ALTER TYPE pair ADD VALUE 'sports';
SELECT classify('mlm', t, '{world,sports}', '{mask} news: {text}') FROM unnest(ARRAY['', 'The bank sleeps']) t;
SELECT classify_as('mlm', t, NULL::pair, '{mask} news: {text}') FROM unnest(ARRAY['', 'The bank sleeps']) t;
ROLLBACK;
CREATE TYPE nothing AS ENUM ();
SELECT format('CREATE TYPE crowd AS ENUM (%s)', string_agg(quote_literal('l' || i), ',')) AS make FROM generate_series(1, 1001) i \gset
:make;
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT classify_as('mlm', 'x', NULL::nothing)$$);
SELECT error_of($$SELECT classify_as('mlm', 'x', NULL::crowd)$$);
SELECT error_of($$SELECT classify_as('mlm', 'x', NULL)$$);
SELECT error_of($$SELECT classify_as('mlm', 'x', 1)$$);
SELECT error_of($$SELECT classify_as('cls', 'x', NULL::topic, '{mask} {text}')$$);
SELECT error_of($$SELECT classify('mlm', 'x', '{}')$$);
SELECT error_of($$SELECT classify('mlm', 'x', '{world,""}')$$);
SELECT error_of($$SELECT classify('mlm', 'x', '{world,NULL}')$$);
SELECT error_of($$SELECT classify('mlm', 'x', '{{world},{news}}')$$);
SELECT error_of($$SELECT classify('mlm', 'x', '{world,World}')$$);
SELECT error_of($$SELECT classify('mlm', 'x', '{☃}')$$);
SELECT error_of($$SELECT classify('mlm', 'x', array_fill('world'::text, ARRAY[1001]))$$);
SELECT error_of($$SELECT classify('mlm', 'x', ARRAY[repeat('red ', 17)])$$);
SELECT error_of($$SELECT classify('mlm', 'x', '{world}', 'no text {mask}')$$);
SELECT error_of($$SELECT classify('mlm', 'x', '{world}', 'no mask {text}')$$);
SELECT error_of($$SELECT classify('mlm', 'x', '{world}', '{mask} {mask} {text}')$$);
SELECT error_of($$SELECT classify('mlm', 'x', '{world}', '{mask} {text} {text}')$$);
SELECT error_of($$SELECT classify('mean', 'x', '{world}', 'about {text}')$$);
SELECT error_of($$SELECT classify('x', '{world}')$$);
SELECT error_of($$SELECT classify('mml', 'x', '{world}')$$);
SELECT error_of($$SELECT * FROM classify_scores('mml', 'x', '{world}')$$);
\pset format aligned
\pset tuples_only off

-- Tokens
SELECT tokenize('mlm', 'Café résumé, naïve!'), count_tokens('mlm', 'Café résumé, naïve!'), tokenize('mlm', ''), count_tokens('mlm', '');
SELECT detokenize('mlm', tokenize('mlm', 'Café résumé, naïve!')), detokenize('mlm', '{}'), detokenize('mlm', '{141,215}');
SELECT t.*, quote_literal(substr(input, start, stop - start)) AS part
FROM (VALUES ('Café  Résumé, unbelievable 日本 e' || U&'\0301' || ' news')) i (input), tokens('mlm', input) t;
SELECT * FROM tokens('mlm', '');
SELECT array_agg(t.id) = tokenize('mlm', 'red wine [MASK]') FROM tokens('mlm', 'red wine [MASK]') t;
SELECT count(*) FROM tokens('mlm', repeat('é ', 5000)) t WHERE t.start IS NOT NULL AND (t.start <> 2 * t.pos - 1 OR t.stop <> 2 * t.pos);
SELECT tokenize(NULL, 'x'), tokenize('mlm', NULL), detokenize('mlm', NULL), count_tokens('mlm', NULL);
\pset format unaligned
\pset tuples_only on
SELECT error_of($$SELECT detokenize('mlm', '{300}')$$);
SELECT error_of($$SELECT detokenize('mlm', '{-1}')$$);
SELECT error_of($$SELECT detokenize('mlm', '{1,NULL}')$$);
SELECT error_of($$SELECT tokenize('mml', 'x')$$);
SELECT error_of($$SELECT count_tokens('mml', 'x')$$);
SELECT error_of($$SELECT * FROM tokens('mml', 'x')$$);
SELECT error_of($$SELECT detokenize('mml', '{}')$$);

-- In and out of memory
SELECT loaded, resident_bytes > 0 FROM maskgen_models WHERE name = 'mean';
SELECT unload_model('mean');
SELECT loaded, resident_bytes FROM maskgen_models WHERE name = 'mean';
SELECT load_model('mean'), load_model('mean');
SELECT loaded, pinned FROM maskgen_models WHERE name = 'mean';
SELECT load_model('mean', true);
SELECT loaded, pinned FROM maskgen_models WHERE name = 'mean';
SELECT unload_model('mean');
SELECT rounded(embed('mean', 'paris'));
SELECT error_of($$SELECT load_model('maen')$$);
SELECT error_of($$SELECT unload_model('maen')$$);
SELECT error_of($$SELECT grant_model('maen', 'public')$$);
SELECT error_of($$SELECT grant_model('mean', 'nobody_at_all')$$);
SELECT error_of($$SELECT revoke_model('mean', 'nobody_at_all')$$);
SELECT load_model(NULL), load_model('mean', NULL), unload_model(NULL), grant_model('mean', NULL), drop_model(NULL);

-- Statistics
SELECT stat_models_reset('mean');
SELECT embed('mean', ' paris') IS NULL, error_of($$SELECT embed('mean', 'x', dims => 33)$$) IS NULL;
SELECT calls, rows, tokens, batches, compute_time > 0, errors, stats_reset IS NULL FROM maskgen_stat_models WHERE name = 'mean';
SELECT error_of($$SELECT stat_models_reset('maen')$$);

-- A row that no function made does not take the views away.
INSERT INTO model (id, part, name, version, owner, grants, architecture, tasks, dims, max_tokens, parameters, dtype, stored_bytes, options, created)
VALUES (-1, -1, '', repeat('0', 64), current_user::regrole::oid, '{}', '', '', 1, 3, 0, 'f32', 0, '{}', now()),
	(-2, -1, 'torn', repeat('1', 64), current_user::regrole::oid, '{}', '', '', 1, 3, 0, 'f32', 1000, '{}', now());
SELECT count(*) FROM maskgen_models WHERE dims = 1;
SELECT count(*) FROM maskgen_stat_models WHERE name IN ('', 'torn');
SELECT error_of($$SELECT embed('torn', 'x')$$);
UPDATE model SET version = 'x' WHERE name = 'torn';
SELECT error_of($$SELECT embed('torn', 'x')$$);
-- Nor is an image used that is not the one of its version.
UPDATE model t SET (version, stored_bytes) = (m.version, m.stored_bytes) FROM model m WHERE t.name = 'torn' AND m.name = 'cls';
INSERT INTO model (id, part, data) SELECT -2, part, set_byte(data, length(data) - 1, get_byte(data, length(data) - 1) # 1) FROM model WHERE part >= 0 AND id = (SELECT id FROM model WHERE name = 'cls');
SELECT unload_model('cls');
SELECT error_of($$SELECT embed('torn', 'x')$$);
UPDATE model SET grants = '{nobody_of_that_name,-}' WHERE name = 'torn';
SELECT owner, grants FROM model WHERE name = 'torn';
DELETE FROM model WHERE id < 0;

-- Gone
SELECT drop_model('mean');
SELECT error_of($$SELECT embed('mean', 'paris')$$);
SELECT error_of($$SELECT drop_model('mean')$$);
SELECT count(*) FROM maskgen_models WHERE name = 'mean';
SELECT drop_model(name) FROM maskgen_models;
SELECT count(*) FROM model WHERE part = -1;
SELECT count(*) FROM model WHERE part >= 0;
DROP TYPE topic, pair, nothing, crowd;
