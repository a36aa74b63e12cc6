-- Models as rows and as shared memory: transactions, other sessions, what is left behind. What the server remembers
-- is by content, so each model here has prompts that no other test's has.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen, "+maskgen";
SET client_min_messages = warning;
CREATE EXTENSION dblink SCHEMA public;
SELECT plan(48);

SELECT :'dir' || '/golden/tiny/bert-embed-mean' AS path \gset
CREATE FUNCTION make(name text, path text, variant text DEFAULT '') RETURNS text LANGUAGE sql AS $$
	SELECT maskgen.create_model(name, path, pg_catalog.jsonb_build_object('prompts', pg_catalog.jsonb_build_object('query', 'pgtap ' || name || variant)))
$$;
-- Resident files of a version
CREATE FUNCTION files(version text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM pg_ls_dir('pgsql_tmp_maskgen', true, false) f WHERE f LIKE '%' || $1 || '%'
$$;
-- One value from a second session, or its SQLSTATE
CREATE FUNCTION elsewhere(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT value FROM public.dblink('other', statement) t (value text));
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(dblink_connect('other', format('host=%s port=%s user=%s dbname=%s', split_part(current_setting('unix_socket_directories'), ',', 1),
	current_setting('port'), current_user, current_database())), 'OK', 'there is a second session');

-- Committed
SELECT make('kept', :'path') AS kept \gset
SELECT matches(:'kept'::text, '^[0-9a-f]{64}$', 'create_model returns a SHA-256');
SELECT is((SELECT encode(sha256(string_agg(data, '' ORDER BY part)), 'hex') FROM model WHERE part >= 0 AND id = (SELECT id FROM model WHERE name = 'kept')), :'kept',
	'which is that of the chunks');
SELECT is((SELECT sum(length(data)::bigint) FROM model), (SELECT sum(stored_bytes) FROM maskgen_models), 'which hold the bytes that the view says');
SELECT is(files(:'kept'), 0::bigint, 'creating a model loads nothing');
SELECT is(elsewhere($$SELECT maskgen.vector_dims(maskgen.embed('kept', 'x'))$$), '32', 'another session uses it');
SELECT is(files(:'kept'), 1::bigint, 'then it is in memory');
SELECT ok(loaded AND users = 1 AND NOT pinned AND resident_bytes > parameters * 4, 'and the view says so') FROM maskgen_models WHERE name = 'kept';
SELECT is(vector_dims(embed('kept', 'y')), 32, 'and here');
SELECT is(users, 2, 'that makes two users') FROM maskgen_models WHERE name = 'kept';
SELECT isnt(make('kept_2', :'path'), :'kept', 'an option changes the content');
SELECT is(make('kept_3', :'path') = version, false, 'of each model') FROM maskgen_models WHERE name = 'kept_2';

-- Rolled back
BEGIN;
SELECT make('gone', :'path') AS gone \gset
SELECT is(vector_dims(embed('gone', 'x')), 32, 'a model can be used in the transaction that creates it');
SELECT is(files(:'gone'), 1::bigint, 'from shared memory');
SELECT is(elsewhere($$SELECT maskgen.embed('gone', 'x')$$), '42704', 'but not elsewhere');
ROLLBACK;
SELECT is(files(:'gone'), 0::bigint, 'a rollback leaves no file');
SELECT is((SELECT count(*) FROM model c WHERE NOT EXISTS (SELECT FROM model m WHERE m.id = c.id AND m.part = -1)), 0::bigint, 'no chunks');
SELECT is((SELECT count(*) FROM model WHERE name = 'gone'), 0::bigint, 'no model');
SELECT throws_ok($$SELECT embed('gone', 'x')$$, '42704', NULL, 'nothing that this session remembers');
SELECT is(make('gone', :'path'), :'gone', 'the same can be created again');
SELECT is(vector_dims(embed('gone', 'x')), 32, 'and used');

-- Savepoints
BEGIN;
SAVEPOINT a;
SELECT make('inner', :'path') AS inner \gset
SELECT is(vector_dims(embed('inner', 'x')), 32, 'created in a subtransaction');
ROLLBACK TO a;
SELECT is(files(:'inner'), 0::bigint, 'its rollback leaves no file');
SELECT is((SELECT count(*) FROM maskgen_models WHERE name = 'inner'), 0::bigint, 'and no model');
SAVEPOINT b;
SELECT drop_model('kept_2');
SELECT is((SELECT count(*) FROM maskgen_models WHERE name = 'kept_2'), 0::bigint, 'dropped in a subtransaction');
ROLLBACK TO b;
SELECT is(vector_dims(embed('kept_2', 'x')), 32, 'and there again');
SAVEPOINT c;
SELECT make('released', :'path') AS released \gset
SELECT vector_dims(embed('released', 'x')) AS unused \gset
RELEASE c;
ROLLBACK;
SELECT is(files(:'released'), 0::bigint, 'a released savepoint belongs to the transaction');

-- Dropped
BEGIN;
SELECT drop_model('kept');
SELECT is((SELECT count(*) FROM maskgen_models WHERE name = 'kept'), 0::bigint, 'dropped');
SAVEPOINT d;
SELECT throws_ok($$SELECT embed('kept', 'x')$$, '42704', NULL, 'and unknown in the same transaction');
SELECT is(elsewhere($$SELECT maskgen.vector_dims(maskgen.embed('kept', 'x'))$$), '32', 'until it commits, others have it');
ROLLBACK;
SELECT is(vector_dims(embed('kept', 'x')), 32, 'a drop that is rolled back changes nothing');
SELECT is(files(:'kept'), 1::bigint, 'not even in memory');
SELECT drop_model('kept');
SELECT throws_ok($$SELECT embed('kept', 'x')$$, '42704', NULL, 'dropped: unknown here');
SELECT is(elsewhere($$SELECT maskgen.vector_dims(maskgen.embed('kept', 'x'))$$), '42704', 'and at once in another session that has used it');
SELECT is(files(:'kept'), 0::bigint, 'and out of memory');
SELECT is((SELECT count(*) FROM model c WHERE NOT EXISTS (SELECT FROM model m WHERE m.id = c.id AND m.part = -1)), 0::bigint, 'and its chunks are gone');

-- A name with another content
SELECT elsewhere($$SELECT maskgen.embed('gone', 'x')$$) AS before \gset
SELECT drop_model('gone');
SELECT create_model('gone', :'dir' || '/golden/tiny/bert-embed-cls', '{"prompts": {"query": "pgtap gone cls"}}') AS unused \gset
SELECT isnt(elsewhere($$SELECT maskgen.embed('gone', 'x')$$), :'before', 'a name that means another model now means it everywhere');
SELECT is(elsewhere($$SELECT maskgen.embed('gone', 'x')$$), embed('gone', 'x')::text, 'and the same');

-- Grants of other sessions
CREATE ROLE maskgen_pgtap_guest;
SELECT elsewhere('SET ROLE maskgen_pgtap_guest') AS unused \gset
SELECT dblink_exec('other', 'SET ROLE maskgen_pgtap_guest') AS unused \gset
SELECT is(elsewhere($$SELECT maskgen.count_tokens('gone', 'x')$$), '42501', 'a guest of another session');
SELECT grant_model('gone', 'maskgen_pgtap_guest');
SELECT is(elsewhere($$SELECT maskgen.count_tokens('gone', 'x')$$), '3', 'granted there, at once');
SELECT revoke_model('gone', 'maskgen_pgtap_guest');
SELECT is(elsewhere($$SELECT maskgen.count_tokens('gone', 'x')$$), '42501', 'revoked there, at once');
SELECT dblink_disconnect('other') AS unused \gset
DROP ROLE maskgen_pgtap_guest;

-- What the planner is told
SELECT results_eq($$SELECT (proname || '(' || pg_get_function_arguments(oid) || ')') COLLATE "default", pg_get_function_result(oid),
	provolatile::text || CASE WHEN proisstrict THEN 's' ELSE '-' END || proparallel::text
	FROM pg_proc WHERE pronamespace = 'maskgen'::regnamespace AND proname ~ '_models?(_|$)' ORDER BY proname$$,
	$$VALUES
	('check_model(path text, options jsonb DEFAULT ''{}''::jsonb, OUT item text, OUT value text)', 'SETOF record', 'vsu'),
	('column_model(target regclass, destination name)', 'text', 'sss'),
	('create_model(name text, path text, options jsonb DEFAULT ''{}''::jsonb)', 'text', 'vsu'),
	('drop_model(name text, cascade boolean DEFAULT false)', 'void', 'vsu'),
	('grant_model(name text, role text)', 'void', 'vsu'),
	('load_model(name text, pin boolean DEFAULT false)', 'void', 'vsu'),
	('revoke_model(name text, role text)', 'void', 'vsu'),
	('stat_models_reset(name text DEFAULT ''''::text)', 'void', 'vsr'),
	('unload_model(name text)', 'void', 'vsu')$$, 'signatures, volatility, strictness, parallel safety');
SELECT is((SELECT array_agg(c ORDER BY c) FROM (SELECT unnest(extconfig)::regclass::text AS c FROM pg_extension WHERE extname = 'maskgen') e),
	ARRAY['embed_column', 'embed_column_id_seq', 'embed_failure', 'embed_queue', 'embed_queue_id_seq', 'model', 'model_id_seq'],
	'pg_dump carries the models along, and what is known of embedded columns');
-- Files are closed, also after errors that come when all of them are open
CREATE FUNCTION descriptors() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM pg_ls_dir('/proc/self/fd') $$;
CREATE PROCEDURE make_many(path text) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 8 LOOP
		PERFORM maskgen.create_model('closed', path);
		PERFORM maskgen.drop_model('closed');
		BEGIN
			PERFORM maskgen.create_model('closed', path, '{"max_tokens": 100000}');
		EXCEPTION WHEN invalid_parameter_value THEN NULL;
		END;
	END LOOP;
END $$;
CALL make_many(:'path');
SELECT descriptors() AS before \gset
CALL make_many(:'path');
SELECT is(descriptors(), :before::bigint, 'create_model leaves no file open');

-- A slip of the finger
CREATE FUNCTION hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
	EXECUTE statement;
	RETURN NULL;
EXCEPTION WHEN undefined_object THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
SELECT make('nearby', :'path', ' hint') IS NOT NULL AS made \gset
SELECT matches(hint_of($$SELECT embed('naerby', 'x')$$), '^Perhaps you mean "nearby"\. See ', 'two letters off');
SELECT matches(hint_of($$SELECT embed('NearBy', 'x')$$), '^Perhaps you mean "nearby"\. ', 'letters of the other case');
SELECT matches(hint_of($$SELECT embed('far', 'x')$$), '^See the view', 'nothing is near');
SELECT matches(hint_of(format('SELECT embed(%L, %L)', repeat('nearby', 50), 'x')), '^See the view', 'what can be no name is near to none');
SELECT drop_model('nearby');
SELECT * FROM finish();
