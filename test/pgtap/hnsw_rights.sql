-- As whom expressions of an index run when somebody looks at the index: as the table's owner, "eve", and out of nothing else's reach.
SET search_path = public, maskgen;
SET client_min_messages = warning;
BEGIN;
SELECT no_plan();
CREATE ROLE trust_eve;
CREATE ROLE trust_reader;
CREATE ROLE trust_partner ROLE trust_eve;
GRANT CREATE ON SCHEMA public TO trust_eve;

CREATE FUNCTION tried(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RESET ROLE;
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

CREATE TABLE witness (role name, place text, path text);
GRANT ALL ON witness TO PUBLIC;
-- What eve tries to do with the rights of others, one statement a call
CREATE TABLE attempt (statement text, result text);
GRANT ALL ON attempt TO PUBLIC;
CREATE FUNCTION saw(place text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE try text;
BEGIN
	INSERT INTO public.witness VALUES (current_user, place, current_setting('search_path'));
	FOR try IN SELECT statement FROM public.attempt WHERE result IS NULL LOOP
		BEGIN
			EXECUTE try;
			UPDATE public.attempt SET result = 'done' WHERE statement = try;
		EXCEPTION WHEN OTHERS THEN
			UPDATE public.attempt SET result = SQLSTATE WHERE statement = try;
		END;
	END LOOP;
END $$;
CREATE FUNCTION through(value anyelement, place text) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM public.saw(place); RETURN value; END $$;
ALTER FUNCTION saw(text) OWNER TO trust_eve;
ALTER FUNCTION through(anyelement, text) OWNER TO trust_eve;

SET LOCAL ROLE trust_eve;
CREATE TABLE item (id int, v vector(3));
INSERT INTO item SELECT i, ARRAY[i % 7 + 1, i % 11, i % 13]::vector FROM generate_series(1, 200) i;
CREATE INDEX item_v ON item USING maskgen_hnsw ((through(v, 'expression')::vector(3)) vector_l2_ops) WHERE through(id, 'predicate') > 0;
GRANT SELECT ON item TO trust_reader;
RESET ROLE;
CREATE FUNCTION seen() RETURNS text LANGUAGE plpgsql AS $$
DECLARE who text;
BEGIN
	SELECT string_agg(DISTINCT role || ' ' || place || ' ' || path, '; ' ORDER BY role || ' ' || place || ' ' || path) INTO who FROM public.witness;
	DELETE FROM public.witness;
	RETURN who;
END $$;
DELETE FROM witness;

INSERT INTO attempt VALUES ('ALTER ROLE trust_eve SUPERUSER'), ('SET ROLE postgres'), ('SET SESSION AUTHORIZATION postgres'), ('RESET ROLE'),
	($$SELECT set_config('role', 'postgres', false)$$), ('CREATE TEMP TABLE left_behind ()'), ('DECLARE later CURSOR WITH HOLD FOR SELECT public.saw(''later'')'),
	($$SELECT set_config('work_mem', '77MB', false)$$), ('LISTEN left_behind'), ('CREATE TABLE public.hers (id int)');
SELECT is(count(*), 0::bigint, 'a superuser checks eve''s index') FROM index_check('item_v', true);
SELECT is(seen(), 'trust_eve expression pg_catalog, pg_temp; trust_eve predicate pg_catalog, pg_temp', 'her code ran as eve, with an empty search_path');
SELECT results_eq('SELECT statement, result FROM attempt WHERE result <> ''42501'' ORDER BY statement COLLATE "C"', $$VALUES ('CREATE TABLE public.hers (id int)', 'done'),
	('SELECT set_config(''work_mem'', ''77MB'', false)', 'done')$$, 'and got nothing else done than what is hers');
SELECT ok(NOT rolsuper, 'she is what she was') FROM pg_roles WHERE rolname = 'trust_eve';
SELECT is(current_user || ' ' || current_setting('search_path') || ' ' || (current_setting('work_mem') <> '77MB'), 'postgres public, maskgen true', 'so are the superuser and the settings');
UPDATE attempt SET result = NULL;
SELECT cmp_ok(index_recall('item_v', 5), '>', 0.5::float8, 'a superuser asks for its recall');
SELECT ok(seen() !~ 'postgres|public', 'as eve again');
SELECT isnt_empty($$SELECT * FROM index_advice('item_v', 2)$$, 'and for advice');
SELECT ok(seen() !~ 'postgres|public', 'as eve, too');
SELECT set_eq('SELECT result FROM attempt WHERE statement !~ ''work_mem|hers''', ARRAY['42501'], 'to no end again');
SELECT ok(NOT rolsuper, 'she is still what she was') FROM pg_roles WHERE rolname = 'trust_eve';
SELECT is(current_user || ' ' || current_setting('search_path') || ' ' || (current_setting('work_mem') <> '77MB'), 'postgres public, maskgen true', 'and the settings');
SELECT is((index_info('item_v')).nodes > 0, true, 'what an index consists of');
SELECT is(coalesce(seen(), ''), '', 'is found out without her code');
DELETE FROM attempt;
-- An error in between
INSERT INTO attempt VALUES ('DO $x$ BEGIN PERFORM set_config(''work_mem'', ''77MB'', false), set_config(''search_path'', ''eves'', false); END $x$');
CREATE OR REPLACE FUNCTION through(value anyelement, place text) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM public.saw(place); PERFORM 1 / 0; RETURN value; END $$;
SELECT throws_ok($$SELECT * FROM index_check('item_v', true)$$, '22012', NULL, 'an error of hers');
SELECT throws_ok($$SELECT index_recall('item_v')$$, '22012', NULL, 'and another one');
SELECT is(current_user || ' ' || current_setting('search_path') || ' ' || (current_setting('work_mem') <> '77MB'), 'postgres public, maskgen true', 'leave nothing');
CREATE OR REPLACE FUNCTION through(value anyelement, place text) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN value; END $$;

-- Who may ask
SELECT is(tried('trust_reader', $$SELECT maskgen.index_recall('public.item_v')$$), '42501 must be owner of index item_v', 'who only reads asks for no recall');
SELECT is(tried('trust_reader', $$SELECT maskgen.index_check('public.item_v')$$), '42501 permission denied for function index_check', 'and checks nothing');
SELECT is(tried('trust_reader', $$SELECT maskgen.index_info('public.item_v')$$), '42501 permission denied for function index_info', 'and sees nothing');
SELECT is(tried('trust_reader', $$SELECT "+maskgen".index_measured('public.item_v', 1, 1, '{10}', 1)$$), '42501 permission denied for schema +maskgen', 'not by its other name either');
SELECT is(tried('trust_reader', $$SELECT maskgen.index_advice('public.item_v')$$), '42501 must be owner of index item_v', 'nor for advice');
SELECT is(tried('trust_eve', $$SELECT maskgen.index_recall('public.item_v', 2, 2)$$), 'ok', 'its owner does');
SELECT is(tried('trust_eve', $$SELECT maskgen.index_advice('public.item_v', 2)$$), 'ok', 'both');
ALTER TABLE item OWNER TO trust_partner;
SELECT is(tried('trust_eve', $$SELECT maskgen.index_recall('public.item_v', 2, 2)$$), 'ok', 'and a member of its owner');
ALTER TABLE item ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT is(index_recall('item_v', 2, 2), NULL::float8, 'rows that are hidden from the owner are not looked at for a superuser either');
SELECT * FROM finish();
ROLLBACK;
