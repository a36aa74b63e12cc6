-- Who may do what with a model. All in one transaction, for roles are the cluster's.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen, "+maskgen";
SET client_min_messages = warning;
BEGIN;
SELECT plan(98);
CREATE ROLE maskgen_owner;
CREATE ROLE maskgen_partner IN ROLE maskgen_owner;
CREATE ROLE maskgen_team;
CREATE ROLE maskgen_reader;
CREATE ROLE maskgen_admin SUPERUSER;

-- What a statement does for a role: 'ok' or its SQLSTATE.
CREATE FUNCTION tried(role name, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;

-- Making
SELECT format('SELECT create_model(%L, %L)', 'm', :'dir' || '/golden/tiny/bert-mlm') AS make \gset
SELECT format('SELECT create_model(%L, %L)', 'm2', :'dir' || '/golden/tiny/bert-mlm') AS make_2 \gset
SELECT is(tried('maskgen_owner', :'make'), '42501', 'create_model without pg_read_server_files');
SELECT is(tried('maskgen_owner', $$SELECT create_model('m', '/nowhere')$$), '42501', 'and without saying what exists');
GRANT pg_read_server_files TO maskgen_owner;
SELECT is(tried('maskgen_owner', :'make'), 'ok', 'create_model with it');
SELECT is(tried('maskgen_owner', $$SELECT create_model('m3', '/nowhere')$$), '58P01', 'and what exists is said');
SELECT is((SELECT owner::text FROM maskgen_models WHERE name = 'm'), 'maskgen_owner', 'who creates a model owns it');
SELECT is(current_user::text, session_user::text, 'create_model leaves the user as it was');
-- For embedding, a model of its own; the superuser's
SELECT is(length(create_model('e', :'dir' || '/golden/tiny/bert-embed-mean')), 64, 'a superuser creates a model');

-- Using
CREATE TABLE used (name text, statement text);
INSERT INTO used VALUES
	('embed', $$SELECT embed('e', 'x')$$),
	('embed with a setting', $$SELECT embed('x')$$),
	('embed_batch', $$SELECT embed_batch('e', '{x}')$$),
	('embed_batch of nothing', $$SELECT embed_batch('e', '{}')$$),
	('embed_query', $$SELECT embed_query('e', 'x')$$),
	('embed_document', $$SELECT embed_document('e', 'x')$$),
	('fill_mask', $$SELECT * FROM fill_mask('m', '[MASK]')$$),
	('classify', $$SELECT classify('m', 'x', '{world,sports}')$$),
	('classify with a setting', $$SELECT classify('x', '{world,sports}')$$),
	('classify_scores', $$SELECT * FROM classify_scores('m', 'x', '{world,sports}')$$),
	('classify_as', $$SELECT classify_as('m', 'x', NULL::topic)$$),
	('classify_multi', $$SELECT classify_multi('m', 'x', '{world,sports}')$$),
	('label_scores', $$SELECT label_scores('m', 'x', '{world,sports}')$$),
	('mask_state', $$SELECT mask_state('m', 'x')$$),
	('zero_shot_classifier', $$SELECT zero_shot_classifier('e', '{world,sports}')$$),
	('tokenize', $$SELECT tokenize('m', 'x')$$),
	('detokenize', $$SELECT detokenize('m', '{5}')$$),
	('count_tokens', $$SELECT count_tokens('m', 'x')$$),
	('tokens', $$SELECT * FROM tokens('m', 'x')$$),
	('load_model', $$SELECT load_model('m')$$);
CREATE TYPE topic AS ENUM ('world', 'sports');
SET LOCAL maskgen.embed_model = 'e';
SET LOCAL maskgen.classify_model = 'm';
SELECT is(tried('maskgen_reader', statement), '42501', 'not granted: ' || name) FROM used;
SELECT is(tried('maskgen_reader', $$SELECT embed('x', 'x')$$), '42704', 'a model that does not exist');
SELECT grant_model('e', 'maskgen_reader');
SELECT is(tried('maskgen_owner', $$SELECT grant_model('m', 'maskgen_reader')$$), 'ok', 'an owner grants');
SELECT is(tried('maskgen_owner', $$SELECT grant_model('m', 'maskgen_reader')$$), 'ok', 'and again');
SELECT is(tried('maskgen_reader', statement), 'ok', 'granted: ' || name) FROM used;
SELECT is(tried('maskgen_reader', $$SELECT load_model('m', true)$$), '42501', 'but load_model pins for owners only');
SELECT is(tried('maskgen_team', statement), '42501', 'granted to another: ' || name) FROM used WHERE name IN ('embed', 'fill_mask');
SELECT is(tried('maskgen_owner', $$SELECT revoke_model('m', 'maskgen_reader')$$), 'ok', 'an owner revokes');
SELECT is(tried('maskgen_owner', $$SELECT revoke_model('m', 'maskgen_reader')$$), 'ok', 'and again');
SELECT is(tried('maskgen_reader', $$SELECT tokenize('m', 'x')$$), '42501', 'revoked, at once');
SELECT is(tried('maskgen_reader', $$SELECT embed('e', 'x')$$), 'ok', 'which leaves other models');

-- Through others
SELECT grant_model('m', 'maskgen_team');
SELECT is(tried('maskgen_reader', $$SELECT tokenize('m', 'x')$$), '42501', 'granted to a role that one is not in');
GRANT maskgen_team TO maskgen_reader;
SELECT is(tried('maskgen_reader', $$SELECT tokenize('m', 'x')$$), 'ok', 'and that one is in');
REVOKE maskgen_team FROM maskgen_reader;
SELECT is(tried('maskgen_reader', $$SELECT tokenize('m', 'x')$$), '42501', 'and that one was in');
CREATE ROLE maskgen_aloof NOINHERIT;
GRANT maskgen_team TO maskgen_aloof;
SELECT is(tried('maskgen_aloof', $$SELECT tokenize('m', 'x')$$), '42501', 'who does not inherit has to SET ROLE');
SELECT revoke_model('m', 'maskgen_team');
SELECT grant_model('m', 'public');
SELECT is(tried(role, $$SELECT tokenize('m', 'x')$$), 'ok', 'granted to public: ' || role) FROM unnest(ARRAY['maskgen_reader', 'maskgen_aloof']) role;
SELECT is((SELECT grants::text FROM model WHERE name = 'm'), '{-}', 'public is shown as "-"');
SELECT revoke_model('m', 'public');
SELECT is(tried('maskgen_reader', $$SELECT tokenize('m', 'x')$$), '42501', 'revoked from public');
SELECT is(tried('maskgen_partner', $$SELECT tokenize('m', 'x')$$), 'ok', 'a member of the owner');
SELECT is(tried('maskgen_admin', $$SELECT tokenize('m', 'x')$$), 'ok', 'a superuser');
SET LOCAL ROLE maskgen_owner;
CREATE FUNCTION pg_temp.lent(input text) RETURNS int[] LANGUAGE sql SECURITY DEFINER AS $$ SELECT maskgen.tokenize('m', input) $$;
RESET ROLE;
SELECT is(tried('maskgen_reader', $$SELECT pg_temp.lent('x')$$), 'ok', 'a function that runs as the owner');

-- A generic plan made while it was granted
SELECT grant_model('m', 'maskgen_reader');
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE counted (text) AS SELECT count_tokens('m', $1);
SELECT is(tried('maskgen_reader', $$EXECUTE counted('x')$$), 'ok', 'a prepared statement, granted');
SELECT revoke_model('m', 'maskgen_reader');
SELECT is(tried('maskgen_reader', $$EXECUTE counted('x')$$), '42501', 'a prepared statement, revoked');

-- Owning
SELECT is(tried('maskgen_reader', statement), '42501', 'not the owner: ' || statement) FROM unnest(ARRAY[$$SELECT drop_model('m')$$,
	$$SELECT unload_model('m')$$, $$SELECT grant_model('m', 'maskgen_reader')$$, $$SELECT grant_model('m', 'public')$$,
	$$SELECT revoke_model('m', 'public')$$, $$SELECT stat_models_reset('m')$$, $$SELECT stat_models_reset()$$]) statement;
SELECT is(tried('maskgen_owner', $$SELECT grant_model('e', 'maskgen_owner')$$), '42501', 'an owner of one model does not own another');
SELECT is(tried('maskgen_partner', statement), 'ok', 'a member of the owner: ' || statement)
FROM unnest(ARRAY[$$SELECT unload_model('m')$$, $$SELECT load_model('m', true)$$, $$SELECT unload_model('m')$$]) statement;

-- Behind the functions
SELECT is(tried('maskgen_owner', statement), '42501', statement) FROM unnest(ARRAY['SELECT name FROM "+maskgen".model', 'SELECT part FROM "+maskgen".model',
	'SELECT grants FROM "+maskgen".model', $$UPDATE "+maskgen".model SET owner = 'maskgen_owner'$$, 'DELETE FROM "+maskgen".model',
	$$UPDATE "+maskgen".model SET grants = '{-}'$$, $$SELECT nextval('"+maskgen".model_id_seq')$$,
	'CREATE TABLE maskgen.mine ()']) statement;
SELECT is(tried('maskgen_reader', 'SELECT * FROM maskgen.maskgen_models'), 'ok', 'all see the models');
SELECT is(tried('maskgen_reader', 'SELECT * FROM maskgen.maskgen_stat_models'), 'ok', 'and what they were used for');
SELECT is(tried('maskgen_reader', 'SET maskgen.threads = 2'), 'ok', 'threads are up to each');
SELECT is(tried('maskgen_reader', $$SET maskgen.matmul = 'openblas'$$), '42501', 'libraries are not');
SELECT is(tried('maskgen_reader', 'SET maskgen.max_model_memory = 1'), '55P02', 'nor is the memory of all');

SELECT is(tried('maskgen_partner', $$SELECT drop_model('m')$$), 'ok', 'a member of the owner drops a model');
SELECT is(tried('maskgen_owner', $$SELECT tokenize('m', 'x')$$), '42704', 'then it is gone');
SELECT is(tried('maskgen_owner', :'make_2'), 'ok', 'a model of its own again');
SELECT is(tried('maskgen_admin', $$SELECT drop_model('m2')$$), 'ok', 'a superuser drops what others own');
SELECT * FROM finish();
ROLLBACK;
