-- GGUF files as models: decoders in one file and in parts, and encoders.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT plan(17);

CREATE FUNCTION part(directory text, n int) RETURNS text LANGUAGE sql AS $$SELECT format('%s/tiny-%s-of-00004.gguf', directory, lpad(n::text, 5, '0'))$$;
SELECT :'dir' || '/golden/decoder/gguf/parts' AS parts \gset
SELECT create_model('whole', :'dir' || '/golden/decoder/gguf/gpt2/model.gguf') IS NOT NULL AS made \gset
SELECT create_model('first', part(:'parts', 1)) IS NOT NULL AS made \gset
SELECT create_model('last', part(:'parts', 4)) IS NOT NULL AS made \gset
SELECT results_eq('SELECT name::text, parameters, stored_bytes FROM maskgen_models ORDER BY 1',
	'SELECT n, w.parameters, w.stored_bytes FROM maskgen_models w, unnest(ARRAY[''first'', ''last'', ''whole'']) n WHERE w.name = ''whole'' ORDER BY 1', 'of any part all are read');
SELECT is(generate('first', 'abc', 8), generate('whole', 'abc', 8), 'a model in parts is the model');
SELECT is(generate('last', 'abc', 8), generate('whole', 'abc', 8), 'by its last part, too');
SELECT is(version, (SELECT version FROM maskgen_models WHERE name = 'whole'), 'to the last bit') FROM maskgen_models WHERE name = 'first';

CREATE FUNCTION shell(command text) RETURNS void LANGUAGE plpgsql AS $$BEGIN EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'cat > /dev/null && ' || command); END$$;
SELECT current_setting('data_directory') || '/parts_of_a_model' AS made \gset
SELECT shell(format('mkdir %s && cp %s/* %1$s/ && rm %1$s/tiny-00003*', :'made', :'parts'));
SELECT throws_ok(format('SELECT create_model(''m'', %L)', part(:'made', 2)), '22P03', 'part 3 of 4 of the model does not exist', 'a part that is missing');
SELECT shell(format('cp %s/tiny-00002-of-00004.gguf %1$s/tiny-00003-of-00004.gguf', :'made'));
SELECT throws_like(format('SELECT create_model(''m'', %L)', part(:'made', 1)), 'file "model-00003-of-00004.gguf" is a part of something else', 'another one in its place');
SELECT shell(format('rm %s/tiny-00003* && mkfifo %1$s/tiny-00003-of-00004.gguf', :'made'));
SELECT throws_like(format('SELECT create_model(''m'', %L)', part(:'made', 1)), '%is not a regular file', 'a pipe in its place');
SELECT shell(format('cp %s/tiny-00002-of-00004.gguf %1$s/mine.gguf', :'made'));
SELECT throws_like(format('SELECT create_model(''m'', %L)', :'made' || '/mine.gguf'), 'part 1 of 4 of the model does not exist', 'a part under another name');
SELECT shell(format('rm -r %s', :'made'));
-- Encoders: the tokeniser's WordPiece, and the pooling that the file names
CREATE TABLE body AS SELECT * FROM unnest(ARRAY['the cat sat', 'Wörter MIT Großbuchstaben, über-all!', '日本 x', '', 'abc' || repeat('d', 120), 'a [MASK] b [CLS]', E'tab\tand\nline']) t;
SELECT create_model('bert', :'dir' || '/golden/tiny/bert-embed-mean') IS NOT NULL AS made \gset
SELECT create_model('bert-gguf', :'dir' || '/golden/gguf/bert/model.gguf', '{"max_tokens": 16}') IS NOT NULL AS made \gset
SELECT create_model('nomic', :'dir' || '/golden/encoder/nomic_bert', '{"pooling": "mean", "normalize": true}') IS NOT NULL AS made \gset
SELECT create_model('nomic-gguf', :'dir' || '/golden/gguf/nomic-bert/model.gguf') IS NOT NULL AS made \gset
SELECT is((SELECT count(*) FROM body WHERE tokenize(m, t) IS DISTINCT FROM tokenize(m || '-gguf', t)), 0::bigint, m || ': the same tokens') FROM unnest(ARRAY['bert', 'nomic']) m;
SELECT is((SELECT count(*) FROM body WHERE (SELECT array_agg(x::text) FROM tokens(m, t) x) IS DISTINCT FROM (SELECT array_agg(x::text) FROM tokens(m || '-gguf', t) x)), 0::bigint, 'by name, too') FROM unnest(ARRAY['bert', 'nomic']) m;
SELECT is((SELECT count(*) FROM body WHERE embed(m, t)::text IS DISTINCT FROM embed(m || '-gguf', t)::text), 0::bigint, 'the same vectors') FROM unnest(ARRAY['bert', 'nomic']) m;
SELECT is((SELECT tasks FROM maskgen_models WHERE name = 'bert-gguf'), (SELECT tasks FROM maskgen_models WHERE name = 'bert'), 'it can do the same');
SELECT lives_ok(format('SELECT create_model(''int8'', %L, ''{"dtype": "int8"}'')', :'dir' || '/golden/gguf/bert/model.gguf'), 'in 8 bits as well');
SELECT is(vector_dims(embed('int8', 'the cat')), 32, 'which has vectors');
SELECT * FROM finish();
