-- Views for who operates the server: each column is explained, grants go by names of roles, settings say who may set them.
\set QUIET 1
\getenv dir PG_ABS_SRCDIR
SET client_min_messages = warning;
SET search_path = public, maskgen;
SELECT plan(13);

SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE c.relnamespace = 'maskgen'::regnamespace AND c.relkind = 'v' AND col_description(c.oid, a.attnum) IS NULL$$, 'each column of each view has a comment');

SELECT create_model('m', :'dir' || '/golden/tiny/bert-mlm', '{"prompts": {"query": "pgtap views"}}') AS unused \gset
CREATE ROLE reader;
CREATE ROLE leaver;
SELECT is((SELECT granted_to FROM maskgen_models WHERE name = 'm'), '{}'::text[], 'at first nobody but its owner may use a model');
SELECT grant_model('m', 'reader'), grant_model('m', 'leaver'), grant_model('m', 'public') \gset unused_
SELECT is((SELECT granted_to FROM maskgen_models WHERE name = 'm'), '{leaver,public,reader}'::text[], 'roles by name, everybody as public');
SELECT set_eq($$SELECT model, owner::text, granted_to FROM maskgen_model_grants$$,
	$$SELECT 'm', current_user::text, unnest('{leaver,public,reader}'::text[])$$, 'and a row for each');
DROP ROLE leaver;
SELECT is((SELECT granted_to FROM maskgen_models WHERE name = 'm'), '{public,reader}'::text[], 'a dropped role is left out, not a number');
SELECT is((SELECT count(*) FROM maskgen_model_grants), 2::bigint, 'here too');
SELECT lives_ok($$SELECT revoke_model('m', 'reader')$$, 'grants can be taken back beside one of a dropped role');
SELECT is((SELECT granted_to FROM maskgen_models WHERE name = 'm'), '{public}'::text[], 'and are gone');

SELECT set_eq('SELECT name FROM maskgen_settings', $$SELECT name FROM pg_settings WHERE name LIKE 'maskgen.%'$$, 'all settings are in the view');
SELECT is((SELECT (set_by, type, min_val, "default")::text FROM maskgen_settings WHERE name = 'maskgen.max_threads'),
	'(superusers,integer,1,64)', 'with who may set them, range and default');

SET maskgen.max_threads = 1;
SET ROLE reader;
SELECT throws_ok('SET maskgen.max_threads = 8', '42501', NULL, 'who is no superuser cannot raise the cap of threads');
SELECT lives_ok('SET maskgen.threads = 64', 'and may ask for any number below its range');
RESET ROLE;
SELECT set_eq($$SELECT relname::text FROM pg_class c WHERE relnamespace = 'maskgen'::regnamespace AND relkind = 'v' AND NOT has_table_privilege('reader', c.oid, 'SELECT')$$,
	ARRAY[]::text[], 'anybody may read the views');
SELECT * FROM finish();
