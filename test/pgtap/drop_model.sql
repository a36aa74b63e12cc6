-- drop_model names what calls the model, and drops it with cascade only.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT no_plan();
CREATE ROLE drop_owner;
GRANT pg_read_server_files TO drop_owner;
GRANT CREATE ON SCHEMA public TO drop_owner;
SELECT count(create_model(n, :'dir' || '/golden/tiny/bert-embed-mean')) FROM unnest('{m,n}'::text[]) n;

CREATE FUNCTION detail_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN dependent_objects_still_exist THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END $$;

CREATE TABLE t (id int PRIMARY KEY, body text, v vector(32));
CREATE TABLE maker (name text, make text, unmake text, said text);
INSERT INTO maker VALUES
	('a generated column', $$ALTER TABLE t ADD g vector(32) GENERATED ALWAYS AS (embed('m', body)) STORED$$, 'ALTER TABLE t DROP g', 'column g of table public.t'),
	('a default', $$ALTER TABLE t ALTER v SET DEFAULT embed_query('m', 'x')$$, 'ALTER TABLE t ALTER v DROP DEFAULT', 'default value for column v of table public.t'),
	('an index', $$CREATE INDEX i ON t ((embed('m', body)::vector(32)))$$, 'DROP INDEX i', 'index public.i'),
	('a partial index', $$CREATE INDEX i ON t (id) WHERE classify('m', body, '{a,b}') = 'a'$$, 'DROP INDEX i', 'index public.i'),
	('a CHECK', $$ALTER TABLE t ADD CONSTRAINT c CHECK (count_tokens('m', body) < 10)$$, 'ALTER TABLE t DROP CONSTRAINT c', 'constraint c on table public.t'),
	('a domain', $$CREATE DOMAIN d AS text CHECK (count_tokens('m', VALUE) < 10)$$, 'DROP DOMAIN d', 'constraint d_check'),
	('the default of a domain', $$CREATE DOMAIN d AS text DEFAULT classify('m', 'x', '{a,b}')$$, 'DROP DOMAIN d', 'type public.d'),
	('an embedding trigger', $$SELECT create_embed_trigger('t', 'm', 'body', 'v')$$, $$SELECT drop_embed_trigger('t', 'v')$$, 'trigger [^\n]*\ntrigger [^\n]* on table public.t'),
	('WHEN of a trigger', $$CREATE TRIGGER w BEFORE INSERT ON t FOR EACH ROW WHEN (count_tokens('m', NEW.body) > 9) EXECUTE FUNCTION suppress_redundant_updates_trigger()$$,
		'DROP TRIGGER w ON t', 'trigger w on table public.t'),
	('a view', $$CREATE VIEW s AS SELECT id FROM t WHERE v <=> embed('m', 'x') < 1$$, 'DROP VIEW s', 'view public.s'),
	('a materialized view', $$CREATE MATERIALIZED VIEW s AS SELECT id, embed('m', body) FROM t WHERE id IN (SELECT id FROM t WHERE body > '')$$, 'DROP MATERIALIZED VIEW s', 'materialized view public.s'),
	('a rule', $$CREATE RULE r AS ON DELETE TO t DO ALSO SELECT embed('m', OLD.body)$$, 'DROP RULE r ON t', 'rule r on table public.t'),
	('a policy', $$CREATE POLICY p ON t USING (classify('m', body, '{a,b}') = 'a')$$, 'DROP POLICY p ON t', 'policy p on table public.t'),
	('statistics', $$CREATE STATISTICS s ON (count_tokens('m', body)), id FROM t$$, 'DROP STATISTICS s', 'statistics object public.s'),
	('a function with a body of its own', $$CREATE FUNCTION f() RETURNS vector LANGUAGE sql BEGIN ATOMIC SELECT embed('m', 'x'); END$$, 'DROP FUNCTION f', 'function public.f\(\)'),
	('arguments by name', $$ALTER TABLE t ADD g vector(32) GENERATED ALWAYS AS (embed(input => body, model => 'm')) STORED$$, 'ALTER TABLE t DROP g', 'column g of table public.t'),
	('a name of another type', $$CREATE VIEW s AS SELECT embed('m'::varchar, body) FROM t$$, 'DROP VIEW s', 'view public.s'),
	('a text that is the name', $$CREATE VIEW s AS SELECT embed('n', 'm') AS a, embed('m') AS b FROM t$$, 'DROP VIEW s', NULL),
	('another model', $$ALTER TABLE t ADD g vector(32) GENERATED ALWAYS AS (embed('n', body)) STORED$$, 'ALTER TABLE t DROP g', NULL),
	('partitions', $$CREATE TABLE q (id int, body text) PARTITION BY RANGE (count_tokens('m', body))$$, 'DROP TABLE q', '');

-- Each alone: what is said, and that cascade drops it; in a transaction that is undone
CREATE FUNCTION tried(make text, unmake text, said text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	EXECUTE make;
	result := detail_of($s$SELECT drop_model('m')$s$);
	IF said IS NULL THEN
		RAISE 'done' USING ERRCODE = 'DONE0', DETAIL = CASE WHEN result = 'no error' THEN 'fine' ELSE result END;
	ELSIF result !~ ('^' || said) THEN
		RAISE 'done' USING ERRCODE = 'DONE0', DETAIL = result;
	END IF;
	IF said <> '' THEN
		PERFORM drop_model('m', cascade => true);
		BEGIN
			EXECUTE unmake;
			result := 'it is still there';
		EXCEPTION WHEN undefined_object OR undefined_column OR undefined_table OR undefined_function OR sqlstate '42704' THEN
			result := 'fine';
		END;
		IF result <> 'fine' AND unmake LIKE ANY ('{%DEFAULT,DROP DOMAIN%,%drop_embed_trigger%}'::text[]) THEN
			result := 'fine';
		END IF;
		IF detail_of($s$SELECT embed('m', 'x')$s$) = 'no error' THEN
			result := 'the model is still there';
		END IF;
	ELSE
		result := 'fine';
	END IF;
	RAISE 'done' USING ERRCODE = 'DONE0', DETAIL = result;
EXCEPTION
	WHEN SQLSTATE 'DONE0' THEN
		GET STACKED DIAGNOSTICS result = PG_EXCEPTION_DETAIL;
		RETURN result;
	WHEN undefined_object THEN
		RETURN 'fine';
END $$;
SELECT is(tried(make, unmake, said), 'fine', name) FROM maker;

-- Many at once, all named
ALTER TABLE t ADD g vector(32) GENERATED ALWAYS AS (embed('m', body)) STORED;
CREATE INDEX i ON t USING maskgen_hnsw (g vector_cosine_ops);
CREATE VIEW s AS SELECT id, embed('m', body) <=> g AS d FROM t;
CREATE VIEW of_s AS TABLE s;
CREATE FUNCTION hidden() RETURNS vector LANGUAGE sql IMMUTABLE AS $$ SELECT maskgen.embed('m', 'x') $$;
CREATE INDEX by_hidden ON t ((v <=> hidden()));
SELECT is((SELECT string_agg(x, E'\n' ORDER BY x) FROM regexp_split_to_table(detail_of($$SELECT drop_model('m')$$), E'\n') x), E'column g of table public.t\nview public.s', 'what depends on a model');
SELECT throws_ok($$SELECT drop_model('m', false)$$, '2BP01', 'cannot drop model "m" because other objects depend on it', 'not without cascade');
INSERT INTO t (id, body) VALUES (1, 'wine');
SELECT ok(d < 0.001, 'nothing has happened') FROM of_s;

-- Whose it is
ALTER TABLE t OWNER TO drop_owner;
SET ROLE drop_owner;
SELECT throws_ok($$SELECT drop_model('m')$$, '42501', 'must be owner of model "m"', 'who does not own the model is not told');
RESET ROLE;
SELECT length(create_model('theirs', :'dir' || '/golden/tiny/bert-embed-mean')) FROM (SELECT set_config('role', 'drop_owner', false)) x;
RESET ROLE;
CREATE VIEW of_theirs AS SELECT embed('theirs', 'x');
SET ROLE drop_owner;
SELECT throws_ok($$SELECT drop_model('theirs')$$, '2BP01', NULL, 'others depend on a model');
SELECT throws_ok($$SELECT drop_model('theirs', true)$$, '42501', NULL, 'and what they own its owner cannot drop');
RESET ROLE;
SELECT lives_ok($$SELECT drop_model('theirs', true)$$, 'but a superuser can');
SELECT hasnt_view('of_theirs');
SELECT lives_ok($$SELECT drop_model('m', cascade => true)$$, 'cascade');
SELECT hasnt_column('t', 'g', 'the column is gone');
SELECT hasnt_view('of_s', 'with what depends on a view');
SELECT has_index('t', 'by_hidden', 'what a function hides is not known');

-- An operator of the caller's own does not count
CREATE FUNCTION always(oid, oid) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR = (LEFTARG = oid, RIGHTARG = oid, FUNCTION = always);
CREATE VIEW s AS SELECT embed('n', 'x');
SET search_path = public, pg_catalog, maskgen;
SELECT is(detail_of($$SELECT drop_model('n')$$), 'view public.s', 'with other operators in the search path');
DROP TABLE t;
SET search_path = pg_catalog, public, maskgen;
DROP VIEW s;
DROP OWNED BY drop_owner;
DROP ROLE drop_owner;
SELECT * FROM finish();
