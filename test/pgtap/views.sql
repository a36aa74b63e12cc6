-- Views for who operates the server: each column is explained, grants go by names of roles, settings say who may set them.
\set QUIET 1
\getenv dir PG_ABS_SRCDIR
SET client_min_messages = warning;
SET search_path = public, maskgen;
SELECT plan(26);

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

-- How it was made: enough to make it again
SELECT results_eq($$SELECT model, path, options FROM maskgen_model_sources$$,
	format($$VALUES ('m', %L, '{"prompts": {"query": "pgtap views"}}'::jsonb)$$, :'dir' || '/golden/tiny/bert-mlm'), 'path and options of create_model');
SELECT create_model('again', path, options) = (SELECT version FROM maskgen_models WHERE name = 'm') AS same FROM maskgen_model_sources \gset
SELECT ok(:'same', 'make the same model');
SELECT drop_model('again') AS unused \gset
SET ROLE reader;
SELECT is((SELECT (model, path, options)::text FROM maskgen_model_sources), '(m,,"{""prompts"": {""query"": ""pgtap views""}}")', 'paths are for who may read files of the server');
RESET ROLE;

-- Usage by role
SET maskgen.enable_result_cache = off;
CREATE ROLE leaver;
CREATE ROLE watcher;
GRANT reader TO watcher;
SELECT stat_models_reset() AS unused \gset
SET ROLE reader;
SELECT count(*) AS unused FROM generate_series(1, 3) i, fill_mask('m', 'views ' || i || ' [MASK]') \gset
SET ROLE leaver;
SELECT count(*) AS unused FROM fill_mask('m', 'views [MASK]') \gset
SELECT throws_ok($$SELECT embed('m', 'x')$$, '0A000', NULL, 'a call that fails');
SELECT set_eq('SELECT role::text, model, rows, errors FROM maskgen_stat_roles', $$VALUES ('leaver', 'm', 1::bigint, 1::bigint)$$, 'who may not read others'' statistics sees what it used itself');
SET ROLE watcher;
SELECT set_eq('SELECT role::text, rows FROM maskgen_stat_roles', $$VALUES ('reader', 3::bigint)$$, 'or a role that it is a member of');
RESET ROLE;
REVOKE reader FROM watcher;
GRANT pg_read_all_stats TO watcher;
SET ROLE watcher;
SELECT set_eq('SELECT role::text, rows FROM maskgen_stat_roles', $$VALUES ('reader', 3::bigint), ('leaver', 1)$$, 'pg_read_all_stats sees all');
RESET ROLE;
SELECT is((SELECT sum(rows) FROM maskgen_stat_roles), (SELECT rows::numeric FROM maskgen_stat_models WHERE name = 'm'), 'a model''s texts are those of its roles');
DROP ROLE leaver;
SELECT is((SELECT count(*) FROM maskgen_stat_roles WHERE role ~ '^unknown' AND rows = 1), 1::bigint, 'what a dropped role used stays');
SELECT create_model('n', :'dir' || '/golden/tiny/bert-mlm', '{"prompts": {"query": "pgtap many roles"}}') AS unused \gset
SELECT grant_model('n', 'public') AS unused \gset
DO $$
BEGIN
	FOR i IN 1 .. 130 LOOP
		EXECUTE format('CREATE ROLE maskgen_many_%s', i);
		EXECUTE format('SET LOCAL ROLE maskgen_many_%s', i);
		PERFORM fill_mask('n', 'views [MASK]');
		RESET ROLE;
	END LOOP;
END $$;
SELECT cmp_ok((SELECT count(*) FROM maskgen_stat_roles), '<=', 128::bigint, 'more roles than there is room for');
SELECT is((SELECT rows FROM maskgen_stat_models WHERE name = 'n'), 130::bigint, 'take nothing from what is counted of a model');
SELECT is((SELECT count(*) FROM maskgen_stat_roles WHERE role = 'maskgen_many_130'), 1::bigint, 'the last stay');
SELECT stat_models_reset() AS unused \gset
SELECT is((SELECT sum(rows) FROM maskgen_stat_roles), 0::numeric, 'and are set to zero with the models');
DO $$ BEGIN FOR i IN 1 .. 130 LOOP EXECUTE format('DROP ROLE maskgen_many_%s', i); END LOOP; END $$;
DROP ROLE watcher;
SELECT * FROM finish();
