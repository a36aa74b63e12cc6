-- Plans that are kept give what a new one would give: after a change of the role, of grants, of the model, of settings.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT no_plan();
CREATE ROLE plan_stranger;
CREATE ROLE plan_friend;
GRANT CREATE ON SCHEMA public TO plan_friend;

-- e embeds, m fills masks; both are made anew in the course of this.
SELECT count(create_model(n, :'dir' || '/golden/tiny/' || d)) FROM (VALUES ('e', 'bert-embed-mean'), ('m', 'bert-mlm')) x(n, d);
CREATE TABLE doc (id int PRIMARY KEY, body text, v vector(32));
INSERT INTO doc SELECT i, 'text ' || i, embed('e', 'text ' || i) FROM generate_series(1, 20) i;
CREATE TABLE kept (id int PRIMARY KEY, v text);
INSERT INTO kept VALUES (1, 'old');
-- drop_model does not see into the text of a function
CREATE FUNCTION inlined() RETURNS vector LANGUAGE sql IMMUTABLE AS $$ SELECT embed('e', 'wine') $$;
CREATE VIEW with_distance AS SELECT id, v <=> inlined() AS d FROM doc;
CREATE TYPE topic AS ENUM ('world', 'sports');
CREATE FUNCTION whole() RETURNS vector LANGUAGE sql IMMUTABLE SET work_mem = '1MB' AS $$ SELECT embed('e', 'wine') $$;
CREATE FUNCTION procedural() RETURNS vector LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN embed('e', 'wine'); END $$;
CREATE FUNCTION expression() RETURNS float8 LANGUAGE plpgsql VOLATILE AS $$ DECLARE q vector(32) := array_fill(1, '{32}'); BEGIN RETURN q <=> embed('e', 'wine'); END $$;
CREATE FUNCTION query() RETURNS float8 LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN sum(v <=> embed('e', 'wine')) FROM doc; END $$;
CREATE TABLE defaulted (id int, v text DEFAULT inlined()::text);
CREATE TABLE checked (v vector(32) CHECK (v <=> inlined() < 3), d float8 GENERATED ALWAYS AS (v <=> inlined()) STORED);
GRANT ALL ON doc, kept, with_distance, defaulted, checked TO plan_stranger;
SET maskgen.embed_model = 'e';
SET maskgen.classify_model = 'm';

CREATE TABLE statement (name text PRIMARY KEY, text text);
INSERT INTO statement VALUES
	('embed', $$SELECT embed('e', 'wine')$$),
	('embed with a setting', $$SELECT embed('wine')$$),
	('embed_query', $$SELECT embed_query('e', 'wine')$$),
	('embed_document', $$SELECT embed_document('e', 'wine', 8)$$),
	('embed_batch', $$SELECT embed_batch('e', '{wine,x}')$$),
	('classify', $$SELECT classify('m', 'wine', '{world,sports}')$$),
	('classify with a setting', $$SELECT classify('wine', '{world,sports}')$$),
	('classify_as', $$SELECT classify_as('m', 'wine', NULL::topic)$$),
	('classify_scores', $$SELECT array_agg(score) FROM classify_scores('m', 'wine', '{world,sports}')$$),
	('fill_mask', $$SELECT array_agg(token) FROM fill_mask('m', '[MASK]')$$),
	('classify_multi', $$SELECT classify_multi('m', 'wine', '{world,sports}', 0.1)$$),
	('label_scores', $$SELECT label_scores('m', 'wine', '{world,sports}')$$),
	('mask_state', $$SELECT mask_state('m', 'wine')$$),
	('zero_shot_classifier', $$SELECT zero_shot_classifier('e', '{world,sports}')::text$$),
	('tokenize', $$SELECT tokenize('m', 'wine')$$),
	('detokenize', $$SELECT detokenize('m', '{5}')$$),
	('count_tokens', $$SELECT count_tokens('m', 'wine')$$),
	('tokens', $$SELECT array_agg(id) FROM tokens('m', 'wine')$$),
	('a call that is not folded', $$SELECT embed('e', body) FROM doc WHERE id = 1$$),
	('WHERE', $$SELECT count(*) FROM doc WHERE v <=> embed('e', 'wine') < 0.05$$),
	('ORDER BY', $$SELECT array_agg(d) FROM (SELECT v <=> embed('e', 'wine') AS d FROM doc ORDER BY v <=> embed('e', 'wine') LIMIT 3) x$$),
	('an arm of CASE', $$SELECT CASE WHEN id = 1 THEN embed('e', 'wine') END FROM doc WHERE id = 1$$),
	('a view', $$SELECT d FROM with_distance WHERE id = 1$$),
	('a CTE', $$WITH q AS MATERIALIZED (SELECT embed('e', 'wine') AS e) SELECT e FROM q$$),
	('a subquery', $$SELECT e FROM (SELECT embed('e', 'wine') AS e OFFSET 0) q$$),
	('a sublink', $$SELECT (SELECT v <=> embed('e', 'wine') FROM doc WHERE id = 1)$$),
	('EXISTS', $$SELECT EXISTS (SELECT FROM doc WHERE v <=> embed('e', 'wine') < 0.05)$$),
	('VALUES', $$INSERT INTO kept VALUES (2, embed('e', 'wine')::text), (3, '') RETURNING v$$),
	('RETURNING', $$INSERT INTO kept VALUES (2, 'new') RETURNING embed('e', 'wine')$$),
	('ON CONFLICT', $$INSERT INTO kept VALUES (1, 'new') ON CONFLICT (id) DO UPDATE SET v = embed('e', 'wine')::text RETURNING v$$),
	('UPDATE', $$UPDATE kept SET v = embed('e', 'wine')::text RETURNING v$$),
	('a default', $$INSERT INTO defaulted (id) VALUES (1) RETURNING v$$),
	('CHECK', $$INSERT INTO checked SELECT v FROM doc WHERE id = 1 RETURNING d$$),
	('a function that is inlined', $$SELECT inlined()$$),
	('one in SQL that is not', $$SELECT whole()$$),
	('one in PL/pgSQL that is folded', $$SELECT procedural()$$),
	('an expression of PL/pgSQL', $$SELECT expression()$$),
	('a query of PL/pgSQL', $$SELECT query()$$);
-- Functions may have plans of their own by now
SELECT procedural() IS NOT NULL AND whole() IS NOT NULL AND inlined() IS NOT NULL AS ready;
SELECT format('PREPARE %I AS %s', name, text) FROM statement \gexec

-- What a prepared statement, or the same one anew, does for a role: what it puts out, or its SQLSTATE. It has no effect.
CREATE FUNCTION done(role name, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement INTO result;
	RAISE 'done' USING ERRCODE = 'DONE0', DETAIL = coalesce(result, 'null');
EXCEPTION
	WHEN SQLSTATE 'DONE0' THEN
		GET STACKED DIAGNOSTICS result = PG_EXCEPTION_DETAIL;
		RETURN result;
	WHEN OTHERS THEN
		RETURN SQLSTATE;
END $$;
CREATE FUNCTION kept(name text, role name DEFAULT current_user) RETURNS text LANGUAGE sql AS $$ SELECT done(role, format('EXECUTE %I', name)) $$;

CREATE TABLE first AS SELECT name, kept(name) AS result FROM statement;
SELECT is_empty('SELECT * FROM first WHERE result ~ ''^[0-9][0-9A-Z]{4}$''', 'all run');
CREATE FUNCTION wrong(role name, state text) RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg(s.name || ': ' || kept(s.name, role), ', ') FROM statement s WHERE kept(s.name, role) <> state $$;
CREATE FUNCTION changed(role name) RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg(name || ': ' || kept(name, role), ', ') FROM first WHERE kept(name, role) <> result $$;

SELECT is(changed(current_user), NULL, 'plans are used again');
SELECT is(wrong('plan_stranger', '42501'), NULL, 'a role without a grant');
SELECT is(changed(current_user), NULL, 'back again');
SELECT count(grant_model(n, 'plan_stranger')) FROM unnest('{e,m}'::text[]) n;
SELECT is(changed('plan_stranger'), NULL, 'with a grant');
SELECT count(revoke_model(n, 'plan_stranger')) FROM unnest('{e,m}'::text[]) n;
SELECT is(wrong('plan_stranger', '42501'), NULL, 'the grant is gone');
SELECT is(changed(current_user), NULL, 'the owner does not mind');
SELECT count(drop_model(n)) FROM unnest('{e,m}'::text[]) n;
SELECT is(wrong(current_user, '42704'), NULL, 'no model');
SELECT count(create_model(n, :'dir' || '/golden/tiny/' || d)) FROM (VALUES ('e', 'bert-embed-cls'), ('m', 'bert-mlm-f16')) x(n, d);
SELECT is((SELECT string_agg(name, ', ') FROM statement WHERE kept(name) <> done(current_user, text)), NULL, 'another model: as planned now');
SELECT is((SELECT string_agg(name, ', ') FROM first WHERE kept(name) = result AND name ~ 'embed|CASE|view|CTE|subquery|ORDER|RETURN|CONFL|UPDATE|default|CHECK|SQL|inlined'),
	NULL, 'and other vectors');

-- The form that reads a setting
PREPARE by_setting AS SELECT embed('wine');
SELECT is(kept('by_setting'), done(current_user, $$SELECT embed('e', 'wine')$$), 'the model of a setting');
SELECT count(create_model('other', :'dir' || '/golden/tiny/bert-embed-mean'));
SET maskgen.embed_model = 'other';
SELECT is(kept('by_setting'), done(current_user, $$SELECT embed('other', 'wine')$$), 'another setting');

-- Settings that change what a call gives
PREPARE long AS SELECT embed('e', repeat('wine ', 1000));
SELECT isnt(kept('long'), '22023', 'a long text');
SET maskgen.long_input = error;
SELECT is(kept('long'), done(current_user, $$SELECT embed('e', repeat('wine ', 1000))$$), 'that has become an error');
RESET maskgen.long_input;
SELECT isnt(kept('long'), done(current_user, $$SELECT 'nothing'$$), 'and none again');

-- A function with its owner's rights: whose model it is counts, not who calls
SELECT grant_model('e', 'plan_friend');
CREATE FUNCTION lent() RETURNS vector LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER SET search_path = public, maskgen AS $$ BEGIN RETURN embed('e', 'wine'); END $$;
ALTER FUNCTION lent() OWNER TO plan_friend;
PREPARE lent AS SELECT lent();
SELECT is(kept('lent', 'plan_stranger'), kept('embed'), 'a function that lends a model');
SELECT is(kept('lent'), kept('embed'), 'to others as well');
SELECT revoke_model('e', 'plan_friend');
SELECT is(kept('lent', 'plan_stranger'), '42501', 'when it may no more');
SELECT is(kept('lent'), '42501', 'not for its lender''s betters either');

-- A function in SQL keeps its plan while a query runs
CREATE FUNCTION during(who text) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT md5(embed('e', 'wine')::text) || who $$;
CREATE FUNCTION twice() RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	FOR i IN 1 .. 2 LOOP
		result := during(i::text);
		IF i = 1 THEN
			SET LOCAL ROLE plan_stranger;
		END IF;
	END LOOP;
	RETURN result;
END $$;
SELECT throws_ok('SELECT twice()', '42501', NULL, 'a function in SQL that is called by two roles');
-- By 18 it is planned again; before, its plan is refused
CREATE FUNCTION after_both(who text) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 1; SELECT md5(embed('e', 'wine')::text) || who $$;
CREATE FUNCTION exchange(n int, dir text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF n = 1 THEN
		PERFORM drop_model('e');
		PERFORM create_model('e', dir || '/golden/tiny/bert-embed-mean');
	END IF;
END $$;
SELECT ok(done(current_user, format($$SELECT a FROM (SELECT i, after_both('') AS a, exchange(i, %L) FROM generate_series(1, 2) i OFFSET 0) x WHERE i = 2$$, :'dir'))
	IN ('40001', done(current_user, $$SELECT md5(embed('other', 'wine')::text)$$)), 'one whose model is exchanged between two calls');

-- A domain's constraint is kept by the session
CREATE DOMAIN near AS vector(32) CHECK (VALUE <=> inlined() < 0.0001);
SELECT lives_ok($$SELECT embed('e', 'wine')::near$$, 'a domain that knows a vector');
SELECT drop_model('e');
SELECT throws_ok($$SELECT array_fill(1, '{32}')::vector::near$$, '42704', NULL, 'of a model that is gone');
SELECT count(create_model('e', :'dir' || '/golden/tiny/bert-embed-mean'));
SELECT lives_ok($$SELECT embed('e', 'wine')::near$$, 'and of one that is new');

-- A model that is made and undone with its transaction
BEGIN;
SAVEPOINT before;
SELECT count(create_model('fleeting', :'dir' || '/golden/tiny/bert-embed-mean'));
PREPARE fleeting AS SELECT embed('fleeting', 'wine');
SELECT is(kept('fleeting'), kept('embed'), 'a model of this transaction');
ROLLBACK TO before;
SELECT is(kept('fleeting'), '42704', 'that is undone');
COMMIT;

DROP TABLE doc, kept, defaulted, checked CASCADE;
DROP OWNED BY plan_stranger, plan_friend;
DROP ROLE plan_stranger, plan_friend;
SELECT * FROM finish();
