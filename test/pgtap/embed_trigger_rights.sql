-- As whom code runs when an embedding trigger writes: what others have made of a table runs as who fired the trigger, never
-- as the table's owner. "owner" has the table and the model, "eve" all privileges on the table, "bob" may insert.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
BEGIN;
SELECT no_plan();

SELECT length(create_model('e', :'dir' || '/golden/tiny/bert-embed-mean')) AS n \gset
SELECT length(create_model('secret', :'dir' || '/golden/tiny/bert-embed-mean')) AS n \gset
CREATE ROLE trust_owner;
CREATE ROLE trust_eve;
CREATE ROLE trust_bob;
SELECT grant_model('e', 'trust_owner');
GRANT CREATE ON SCHEMA public TO trust_owner, trust_eve, trust_bob;

-- Runs a statement as a role, from the outside: 'ok' or the error's code and message
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

-- What ran as whom; whatever eve is asked to do, she looks who she is, and tries to become more.
CREATE TABLE witness (role name, place text);
GRANT ALL ON witness TO PUBLIC;
CREATE FUNCTION saw(place text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.witness VALUES (current_user, place);
	BEGIN
		-- The session is a superuser's, who may become anybody; RESET ROLE is not what is tested here.
		ALTER ROLE trust_eve SUPERUSER;
	EXCEPTION WHEN insufficient_privilege OR feature_not_supported THEN NULL;
	END;
	RETURN true;
END $$;
ALTER FUNCTION saw(text) OWNER TO trust_eve;
-- An expression's function has to say that it is immutable.
CREATE FUNCTION saw_quietly(value anyelement, place text) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM public.saw(place); RETURN value; END $$;
ALTER FUNCTION saw_quietly(anyelement, text) OWNER TO trust_eve;
CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM public.saw(concat_ws(' ', TG_WHEN, TG_OP, TG_LEVEL)); RETURN NEW; END $$;
ALTER FUNCTION spy() OWNER TO trust_eve;
-- Who was seen since the last time
CREATE FUNCTION seen() RETURNS text LANGUAGE plpgsql AS $$
DECLARE who text;
BEGIN
	SELECT string_agg(DISTINCT role, ', ' ORDER BY role) INTO who FROM public.witness;
	DELETE FROM public.witness;
	RETURN who;
END $$;
CREATE FUNCTION eve_is_superuser() RETURNS boolean LANGUAGE sql AS $$ SELECT rolsuper FROM pg_roles WHERE rolname = 'trust_eve' $$;

-- A table with everything on it that is somebody's code
CREATE FUNCTION make_doc(name text, owner text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE event text;
BEGIN
	EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, body text, embedding maskgen.vector, note text,
		shadow text GENERATED ALWAYS AS (public.saw_quietly(body, ''generated column'')) STORED,
		CONSTRAINT looks CHECK (public.saw(''check'')))', name);
	EXECUTE format('CREATE INDEX ON %I (public.saw_quietly(note, ''index'')) WHERE public.saw_quietly(id, ''predicate'') IS NOT NULL', name);
	EXECUTE format('ALTER TABLE %I OWNER TO %I', name, owner);
	EXECUTE format('GRANT ALL ON %I TO trust_eve', name);
	EXECUTE format('GRANT INSERT ON %I TO trust_bob', name);
	PERFORM set_config('role', 'trust_eve', true);
	FOREACH event IN ARRAY ARRAY['INSERT', 'UPDATE'] LOOP
		EXECUTE format('CREATE TRIGGER a_before_%s BEFORE %1$s ON %I FOR EACH ROW EXECUTE FUNCTION public.spy()', event, name);
		EXECUTE format('CREATE TRIGGER a_after_%s AFTER %1$s ON %I FOR EACH ROW EXECUTE FUNCTION public.spy()', event, name);
		EXECUTE format('CREATE TRIGGER a_begin_%s BEFORE %1$s ON %I FOR EACH STATEMENT EXECUTE FUNCTION public.spy()', event, name);
		EXECUTE format('CREATE TRIGGER a_end_%s AFTER %1$s ON %I FOR EACH STATEMENT EXECUTE FUNCTION public.spy()', event, name);
	END LOOP;
	EXECUTE format('CREATE CONSTRAINT TRIGGER a_later AFTER UPDATE ON %I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.spy()', name);
	RESET ROLE;
	DELETE FROM public.witness;
END $$;
SELECT make_doc('doc', 'postgres');

-- Who makes such triggers
SELECT is(tried('trust_eve', $$SELECT maskgen.create_embed_trigger('doc', 'e', 'body', 'embedding')$$), '42501 must be owner of table doc', 'only the owner creates them');
SELECT lives_ok($$SELECT create_embed_trigger('doc', 'e', 'body', 'embedding')$$, 'as a superuser does here');
SELECT is(tried('trust_eve', $$SELECT maskgen.drop_embed_trigger('doc', 'embedding')$$), '42501 must be owner of table doc', 'nobody else drops them');
SELECT is(tried('trust_eve', $$SELECT maskgen.drop_embed_trigger('doc', 'note')$$), '42501 must be owner of table doc', 'or finds out which there are');

-- The triggers of others
INSERT INTO doc (id, body) VALUES (1, 'by the owner');
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
SELECT is(seen(), 'postgres', 'the owner''s own writing runs the others'' triggers as the owner, as any UPDATE of his does');
ALTER ROLE trust_eve NOSUPERUSER;
SELECT is(tried('trust_bob', $$INSERT INTO public.doc (id, body) VALUES (2, 'by bob'); SET CONSTRAINTS ALL IMMEDIATE$$), 'ok', 'who may insert needs no more');
SELECT is(count(DISTINCT place), 12::bigint, 'of all these kinds') FROM witness;
SELECT set_eq('SELECT DISTINCT place FROM witness WHERE place ~ ''UPDATE|check|column|index|predicate''', ARRAY['BEFORE UPDATE ROW', 'AFTER UPDATE ROW',
	'BEFORE UPDATE STATEMENT', 'AFTER UPDATE STATEMENT', 'check', 'generated column', 'index', 'predicate'], 'code of all kinds ran for the vector''s UPDATE');
SELECT is(seen(), 'trust_bob', 'all as bob');
SELECT is(tried('trust_eve', $$INSERT INTO public.doc (id, body) VALUES (3, 'by eve'); SET CONSTRAINTS ALL IMMEDIATE$$), 'ok', 'eve writes');
SELECT is(seen(), 'trust_eve', 'her triggers are hers');
SELECT is(tried('trust_eve', $$UPDATE public.doc SET body = 'changed by eve'; SET CONSTRAINTS ALL IMMEDIATE$$), 'ok', 'and updates');
SELECT is(seen(), 'trust_eve', 'the same');
SELECT ok(NOT eve_is_superuser(), 'eve is what she was');
SELECT is(count(*), 3::bigint, 'the vectors are there') FROM doc WHERE embedding = embed_document('e', body);

-- A table of somebody who is no superuser
SELECT make_doc('owned', 'trust_owner');
SELECT is(tried('trust_owner', $$SELECT maskgen.create_embed_trigger('owned', 'e', 'body', 'embedding')$$), 'ok', 'another owner');
SELECT is(tried('trust_bob', $$INSERT INTO public.owned (id, body) SELECT i, 'text ' || i FROM generate_series(1, 1100) i; SET CONSTRAINTS ALL IMMEDIATE$$), 'ok', 'a large statement');
SELECT is(seen(), 'trust_bob', 'runs all of it as bob');
SELECT is(tried('trust_eve', $$UPDATE public.owned SET body = 'x' || body WHERE id < 9$$), 'ok', 'eve');
SELECT is(seen(), 'trust_eve', 'as eve, by a plan that bob''s statement has left');
SELECT is(count(*), 1100::bigint, 'all are embedded') FROM owned WHERE embedding = embed_document('e', body);

-- What the UPDATE may, its triggers may not
CREATE OR REPLACE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'UPDATE' THEN UPDATE public.owned SET note = 'changed' WHERE id = NEW.id; END IF;
	RETURN NEW;
END $$;
SELECT is(tried('trust_bob', $$INSERT INTO public.owned (id, body) VALUES (2001, 'nested')$$), '42501 permission denied for table owned', 'a statement of a trigger has no privilege of the owner''s');
CREATE OR REPLACE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'UPDATE' THEN PERFORM maskgen.embed('e', 'mine'); END IF;
	RETURN NEW;
END $$;
SELECT is(tried('trust_bob', $$INSERT INTO public.owned (id, body) VALUES (2001, 'model')$$), '42501 permission denied for model "e"', 'nor the owner''s model');
-- Row security: passed by for this UPDATE alone, also where it is forced upon the owner
ALTER TABLE owned ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append ON owned FOR INSERT WITH CHECK (true);
CREATE POLICY look ON owned FOR SELECT USING (saw('policy'));
CREATE TABLE bobs (id int);
INSERT INTO bobs SELECT generate_series(1, 5);
ALTER TABLE bobs OWNER TO trust_bob;
ALTER TABLE bobs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY first ON bobs USING (id <= 2);
CREATE TABLE counted (n bigint);
GRANT ALL ON counted TO PUBLIC;
CREATE OR REPLACE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND TG_LEVEL = 'ROW' THEN INSERT INTO public.counted SELECT count(*) FROM public.bobs; END IF;
	RETURN NEW;
END $$;
SELECT is(tried('trust_bob', $$INSERT INTO public.owned (id, body) VALUES (2001, 'forced')$$), 'ok', 'rows that nobody may update are embedded');
SELECT is(count(*), 1::bigint, 'as before') FROM owned WHERE id = 2001 AND embedding = embed_document('e', body);
SELECT set_eq('SELECT DISTINCT n FROM counted', ARRAY[2::bigint], 'a trigger''s own query is under row security that is forced upon bob');
SELECT is((SELECT count(*) FROM witness WHERE place = 'policy'), 0::bigint, 'no policy is asked');
ALTER TABLE owned DISABLE ROW LEVEL SECURITY;
CREATE OR REPLACE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
-- The same plan through changes of owner and privileges
REVOKE UPDATE ON owned FROM trust_owner;
SELECT is(tried('trust_bob', $$INSERT INTO public.owned (id, body) VALUES (2003, 'x')$$), '42501 permission denied for table owned', 'the owner''s privileges are asked for');
GRANT UPDATE ON owned TO trust_owner;
ALTER TABLE owned OWNER TO trust_bob;
SELECT is(tried('trust_eve', $$INSERT INTO public.owned (id, body) VALUES (2003, 'x')$$), '42501 permission denied for model "e"', 'another owner has another model''s rights');
SELECT grant_model('e', 'trust_bob');
SELECT is(tried('trust_eve', $$INSERT INTO public.owned (id, body) VALUES (2003, 'x')$$), 'ok', 'or the same');
SELECT revoke_model('e', 'trust_bob');
ALTER TABLE owned OWNER TO trust_owner;

-- Triggers that the owner has not made
CREATE TABLE plain (id int PRIMARY KEY, body text, embedding vector);
ALTER TABLE plain OWNER TO trust_owner;
GRANT SELECT, INSERT, TRIGGER ON plain TO trust_eve;
GRANT INSERT ON plain TO trust_bob;
SELECT is(tried('trust_eve', $$CREATE TRIGGER raw AFTER INSERT ON public.plain REFERENCING NEW TABLE AS n FOR EACH STATEMENT
	EXECUTE FUNCTION maskgen.embed_statement_trigger('e', 'body', 'embedding')$$), 'ok', 'eve makes one by hand');
SELECT is(tried('trust_eve', $$INSERT INTO public.plain VALUES (1, 'x')$$), '42501 permission denied for model "e"', 'it has no model of the owner''s');
SELECT grant_model('e', 'trust_eve');
SELECT is(tried('trust_eve', $$INSERT INTO public.plain VALUES (1, 'x')$$), '42501 permission denied for table plain', 'and does not write as the owner');
SELECT is(tried('trust_eve', $$ALTER TRIGGER raw ON public.plain DEPENDS ON EXTENSION maskgen$$), '42501 must be owner of relation plain', 'she cannot consent');
SELECT is(tried('trust_owner', $$ALTER TRIGGER raw ON public.plain DEPENDS ON EXTENSION maskgen$$), 'ok', 'the owner can');
SELECT revoke_model('e', 'trust_eve');
SELECT is(tried('trust_bob', $$INSERT INTO public.plain VALUES (1, 'x')$$), 'ok', 'then it works for all');
SELECT is(tried('trust_eve', $$CREATE OR REPLACE TRIGGER raw AFTER INSERT ON public.plain REFERENCING NEW TABLE AS n FOR EACH STATEMENT
	EXECUTE FUNCTION maskgen.embed_statement_trigger('secret', 'body', 'embedding')$$), 'ok', 'eve replaces it');
SELECT is(tried('trust_bob', $$INSERT INTO public.plain VALUES (2, 'x')$$), '42501 permission denied for model "secret"', 'which ends the consent');
ALTER TABLE plain OWNER TO postgres;
SELECT is(tried('trust_bob', $$INSERT INTO public.plain VALUES (2, 'x')$$), '42501 permission denied for model "secret"', 'whosever the table is');
SELECT lives_ok($$INSERT INTO plain VALUES (2, 'x')$$, 'who has all the rights writes');
DROP TRIGGER raw ON plain;
-- A vector is cast to the column's type by a function of eve's.
ALTER TABLE plain OWNER TO trust_owner;
CREATE TYPE box_of AS (value text);
CREATE FUNCTION boxed(vector) RETURNS box_of LANGUAGE plpgsql AS $$ BEGIN PERFORM public.saw('cast'); RETURN ROW('v')::public.box_of; END $$;
CREATE CAST (vector AS box_of) WITH FUNCTION boxed(vector) AS ASSIGNMENT;
CREATE DOMAIN looked_at AS box_of CHECK (saw('domain'));
SELECT is(tried('trust_owner', $$ALTER TABLE public.plain ALTER embedding TYPE public.looked_at USING NULL$$), 'ok', 'a column of eve''s type');
SELECT create_embed_trigger('plain', 'e', 'body', 'embedding');
DELETE FROM witness;
SELECT is(tried('trust_bob', $$INSERT INTO public.plain VALUES (9, 'cast')$$), 'ok', 'a vector for it');
SELECT set_eq('SELECT DISTINCT place FROM witness', ARRAY['cast', 'domain'], 'is reached by its cast and its domain');
SELECT is(seen(), 'trust_bob', 'as bob');
-- A rule is the owner's, by the server's own rules; what it calls is not.
CREATE TABLE noted (who name);
CREATE TABLE ruled (id int PRIMARY KEY, body text, embedding vector);
CREATE RULE also AS ON UPDATE TO ruled DO ALSO INSERT INTO noted SELECT current_user WHERE saw('rule');
ALTER TABLE noted OWNER TO trust_owner;
ALTER TABLE ruled OWNER TO trust_owner;
GRANT INSERT ON ruled TO trust_bob;
SELECT create_embed_trigger('ruled', 'e', 'body', 'embedding');
SELECT is(tried('trust_bob', $$INSERT INTO public.ruled VALUES (1, 'ruled')$$), 'ok', 'a rule that does something else as well');
SELECT is(seen(), 'trust_bob', 'as bob');
SELECT is(who, 'trust_bob'::name, 'it was done') FROM noted;
CREATE RULE instead AS ON UPDATE TO ruled DO INSTEAD NOTHING;
SELECT is(tried('trust_bob', $$INSERT INTO public.ruled VALUES (2, 'ruled out')$$), '0A000 could not store vectors in table "ruled"', 'one that does something else instead is said');
SELECT ok(NOT eve_is_superuser(), 'eve is still what she was');

-- A statement of a trigger is not taken for the vector's own UPDATE.
CREATE TABLE first (id int PRIMARY KEY, body text, embedding vector);
CREATE TABLE second (id int PRIMARY KEY, body text, embedding vector);
SELECT create_embed_trigger('first', 'e', 'body', 'embedding');
SELECT create_embed_trigger('second', 'e', 'body', 'embedding');
CREATE FUNCTION copied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.second (id, body) VALUES (NEW.id, NEW.body); RETURN NEW; END $$;
CREATE TRIGGER copied AFTER UPDATE ON first FOR EACH ROW EXECUTE FUNCTION copied();
INSERT INTO first (id, body) VALUES (1, 'one'), (2, 'two');
SELECT is(count(*), 2::bigint, 'rows that a trigger writes elsewhere are embedded') FROM second WHERE embedding = embed_document('e', body);

SELECT * FROM finish();
ROLLBACK;
