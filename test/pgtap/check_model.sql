-- check_model(): what create_model makes of the same files, and nothing is made.
\getenv minilm MASKGEN_TEST_MINILM
\getenv smollm2 MASKGEN_TEST_SMOLLM2
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT plan(9);

CREATE FUNCTION said(path text, options jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS 'SELECT jsonb_object_agg(item, value) FROM check_model(path, options)';
CREATE TABLE file (name text, path text, options jsonb);
INSERT INTO file VALUES ('minilm', :'minilm', '{}'), ('minilm-int8', :'minilm', '{"dtype": "int8"}'), ('smollm2', :'smollm2' || '/model.gguf', '{"max_tokens": 512}'),
	('masked', :'dir' || '/golden/tiny/bert-mlm', '{}');
CREATE TABLE checked AS SELECT name, said(path, options) AS said FROM file;
SELECT is(count(*), 0::bigint, 'nothing is made') FROM maskgen_models;
SELECT is(count(create_model(name, path, options)), 4::bigint, 'the same files become models') FROM file;
SELECT lives_ok('SELECT load_model(name) FROM file', 'and are loaded');
SELECT results_eq('SELECT name, said ->> ''architecture'', said ->> ''tasks'', (said ->> ''dims'')::int, (said ->> ''parameters'')::bigint, said ->> ''dtype'' FROM checked ORDER BY name',
	'SELECT name::text, architecture, tasks, dims, parameters, dtype FROM maskgen_models ORDER BY name', 'as was said');
SELECT results_eq('SELECT name, (said ->> ''stored bytes'')::bigint, (said ->> ''resident bytes'')::bigint FROM checked ORDER BY name',
	'SELECT name::text, stored_bytes, resident_bytes FROM maskgen_models ORDER BY name', 'bytes as well');
SELECT is(said ->> 'max_tokens', '512 of 8192', 'options count') FROM checked WHERE name = 'smollm2';
SELECT throws_ok($$SELECT * FROM check_model('/nowhere')$$, '58P01', NULL, 'what create_model refuses is refused');
SELECT throws_ok(format('SELECT * FROM check_model(%L, ''{"colour": "red"}'')', :'minilm'), '22023', NULL, 'an option that is none as well');
CREATE ROLE nosy;
GRANT USAGE ON SCHEMA maskgen TO nosy;
SET ROLE nosy;
SELECT throws_ok($$SELECT * FROM maskgen.check_model('/etc')$$, '42501', NULL, 'who may not read files of the server learns nothing of them');
RESET ROLE;
SELECT * FROM finish();
