-- Actions of MERGE compute in batches, and do what they do row by row.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET jit = off;
SET maskgen.enable_result_cache = off;
SELECT current_setting('server_version_num')::int >= 170000 AS since_17 \gset
SELECT no_plan();
SELECT length(create_model('e', :'dir' || '/golden/tiny/bert-embed-mean')) + length(create_model('m', :'dir' || '/golden/tiny/bert-mlm')) > 0 AS made \gset
CREATE TABLE source (id int, x text, labels text[], n int);
INSERT INTO source SELECT i, CASE WHEN i % 9 > 0 THEN 'wine ' || repeat('shoes ', i % 4) || i END, CASE WHEN i % 2 = 0 THEN '{world,sports}' ELSE '{wine,shoes}' END::text[], i % 5 FROM generate_series(1, 300) i;
CREATE TABLE target (id int, x text, v vector(32), c text, k int DEFAULT 0);
INSERT INTO target SELECT i, 'old ' || i % 7, NULL, NULL, i % 4 FROM generate_series(1, 450, 3) i;
CREATE TABLE parts (LIKE target INCLUDING DEFAULTS) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE part_2 (dropped int, k int DEFAULT 0, c text, v vector(32), x text, id int);
ALTER TABLE part_2 DROP COLUMN dropped;
ALTER TABLE parts ATTACH PARTITION part_2 FOR VALUES FROM (100) TO (1000);
INSERT INTO parts SELECT * FROM target;
CREATE TABLE parent (LIKE target INCLUDING DEFAULTS);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent SELECT * FROM target WHERE id < 50;
INSERT INTO child SELECT * FROM target WHERE id >= 50;
ANALYZE source, target, parts, parent, child;

-- What a MERGE leaves in its target, and the calls in its batches as 'calls of rows'; NULL: none. All is undone.
CREATE FUNCTION after(merge text, target text, OUT rows text, OUT batches text, OUT few boolean) LANGUAGE plpgsql AS $$
DECLARE line text; counts text[];
BEGIN
	-- Not as JSON, which the server breaks where a MERGE has several target tables
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF) ' || merge LOOP
		counts := regexp_match(line, 'Rows: (\d+)  Batches: (\d+)');
		CONTINUE WHEN counts IS NULL;
		batches := concat_ws(' ', batches, counts[1]);
		few := few IS NOT FALSE AND counts[2]::int < 10;
	END LOOP;
	EXECUTE format('SELECT count(*) || md5(string_agg(t::text, '' '' ORDER BY t::text)) FROM %I t', target) INTO rows;
	RAISE EXCEPTION USING errcode = 'P0099';
EXCEPTION WHEN SQLSTATE 'P0099' THEN NULL;
END $$;
CREATE FUNCTION same(merge text, batches text, what text, target text DEFAULT 'target') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE together record; apart record;
BEGIN
	together := after(merge, target);
	RETURN NEXT is(together.batches, batches, what);
	RETURN NEXT ok(together.few IS NOT FALSE, what || ': few batches');
	SET maskgen.enable_batching = off;
	apart := after(merge, target);
	RESET maskgen.enable_batching;
	RETURN NEXT is(together.rows, apart.rows, what || ': rows');
END $$;

-- 100 rows of the source are in the target, 11 of them without a text
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', s.x) WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, embed('e', s.x))$$,
	'267', 'two actions, one call');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', s.x), x = 'got ' || s.x WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, embed('e', 'new ' || s.x))$$,
	'100 167', 'two actions, two calls');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED AND s.n > 2 THEN INSERT (id, c) VALUES (s.id, classify('m', s.x, '{world,sports}'))$$, '66', 'a condition on the source');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND t.k > 1 THEN UPDATE SET v = embed('e', s.x)$$, '50', 'a condition on the target');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND t.k = 1 AND s.n = 0 THEN DELETE WHEN MATCHED AND t.k = 2 THEN DO NOTHING WHEN MATCHED THEN UPDATE SET v = embed('e', s.x)
	WHEN NOT MATCHED AND s.n = 3 THEN DO NOTHING WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, embed('e', s.x))$$, '204', 'rows of which nothing is made');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND s.n > 0 AND classify('m', s.x, '{world,sports}') = 'world' THEN DELETE WHEN MATCHED THEN UPDATE SET v = embed('e', s.x)
	WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, embed('e', s.x))$$, '80 244', 'a call in a condition');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', t.x || coalesce(s.x, 'none')), c = classify('m', t.x, '{world,sports}')$$, '100 100', 'on columns of the target');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND classify('m', t.x, '{world,sports}') = 'world' THEN DELETE WHEN MATCHED AND classify('m', t.x || s.x, '{world,sports}') = 'world' THEN UPDATE SET c = 'both'$$,
	'100 72', 'one condition after the other');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, embed('e', classify('m', s.x, '{world,sports}') || ' of ' || s.x))$$, '167 167', 'a call in the argument of another');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, c) VALUES (s.id, classify('m', s.x, s.labels))$$, '167', 'labels from a column');
SELECT same($$MERGE INTO target t USING (SELECT id, embed('e', x) AS v FROM source) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)$$, '267', 'a call in the source');
SELECT same($$MERGE INTO target t USING (VALUES (1, 'red'), (2, 'shoes'), (4, NULL)) s (id, x) ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', s.x) WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, embed('e', s.x))$$, '2', 'VALUES');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET c = CASE WHEN t.k > 1 THEN classify('m', s.x, '{world,sports}') ELSE 'none' END$$, NULL, 'not in an arm of CASE');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND random() < 2 THEN UPDATE SET v = embed('e', s.x) WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, embed('e', s.x))$$, '167', 'nor behind a volatile condition');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND EXISTS (SELECT FROM source o WHERE o.id = t.id + 1 AND o.n > 2) THEN DELETE WHEN MATCHED AND t.k > 1 THEN UPDATE SET v = embed('e', s.x)$$, '0', 'nor behind a subquery');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND t.k >= (SELECT max(n) - 2 FROM source) THEN UPDATE SET v = embed('e', s.x)$$, '50', 'behind one that is computed once');
SELECT same($$MERGE INTO target t USING (SELECT 4 AS id, 'red'::text AS x) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', s.x)$$, NULL, 'a text that the planner knows');

-- Targets of several tables
SELECT same(replace(merge, 'target', relation), batches, what || ': ' || relation, relation) FROM (VALUES ('parts'), ('parent')) r (relation),
	(VALUES (1, $$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND t.k > 1 THEN UPDATE SET v = embed('e', s.x) WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, embed('e', s.x))$$, '217', 'tables of their own'),
		(2, $$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND classify('m', s.x, '{world,sports}') = 'world' AND t.k > 1 THEN DELETE WHEN MATCHED THEN UPDATE SET v = embed('e', s.x)$$, '100 90', 'a call in a condition'),
		(3, $$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', t.x)$$, NULL, 'not on their columns')) m (n, merge, batches, what) ORDER BY relation, n;

-- Plans that are kept
SET plan_cache_mode = force_generic_plan;
PREPARE merging(int, text) AS MERGE INTO target t USING source s ON t.id = s.id AND s.n < $1 WHEN MATCHED AND t.k < $1 THEN UPDATE SET v = embed('e', s.x || $2);
SELECT same($$EXECUTE merging(3, 'red')$$, '45', 'parameters');
SELECT same($$EXECUTE merging(2, 'blue')$$, '20', 'others');
RESET plan_cache_mode;

-- What is refused is refused where it is acted on
CREATE FUNCTION checked(x text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN IF x LIKE '% 7' THEN RAISE EXCEPTION 'not this'; END IF; RETURN x; END $$;
CREATE FUNCTION told(merge text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text;
BEGIN
	EXECUTE merge;
	RAISE EXCEPTION USING errcode = 'P0099';
EXCEPTION WHEN SQLSTATE 'P0099' THEN RETURN 'done';
	WHEN OTHERS THEN RETURN SQLERRM;
END $$;
CREATE FUNCTION told_the_same(merge text, expected text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE together text;
BEGIN
	together := told(merge);
	RETURN NEXT alike(together, expected, what);
	SET maskgen.enable_batching = off;
	RETURN NEXT is(together, told(merge), what || ': the same row by row');
	RESET maskgen.enable_batching;
END $$;
INSERT INTO source VALUES (1000, repeat('wine ', 5000), '{world,sports}', 9);
SET maskgen.long_input = error;
SELECT told_the_same($$MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, embed('e', s.x))$$, 'input is too long%', 'a long text');
SELECT told_the_same($$MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED AND s.n < 9 THEN INSERT (id, v) VALUES (s.id, embed('e', s.x))$$, 'done', 'not if nothing is done with it');
SELECT told_the_same($$MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED AND s.n = 9 THEN DO NOTHING WHEN NOT MATCHED AND embed('e', s.x) IS NULL THEN INSERT (id) VALUES (s.id)$$, 'done', 'in a condition that is not reached');
SELECT told_the_same($$MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED AND embed('e', s.x) IS NULL THEN INSERT (id) VALUES (s.id)$$, 'input is too long%', 'in one that is');
SELECT told_the_same($$MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id / (s.n - 9), embed('e', s.x))$$, 'division by zero', 'of two errors in a row the first');
RESET maskgen.long_input;
DELETE FROM source WHERE id = 1000;
SELECT told_the_same($$MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, embed('no', s.x))$$, 'model "no" does not exist%', 'no model');
SELECT told_the_same($$MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED AND s.n > 9 THEN INSERT (id, v) VALUES (s.id, embed('no', s.x))$$, 'done', 'no model, and no row');
SELECT told_the_same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', checked(s.x))$$, 'not this', 'an argument');
SELECT told_the_same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND s.id <> 7 THEN UPDATE SET v = embed('e', checked(s.x))$$, 'done', 'that is not evaluated');
SELECT told_the_same($$MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, embed('e', checked(s.x)))$$, 'done', 'nor in an action that is not for the row');
SELECT told_the_same($$MERGE INTO target t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, c) VALUES (s.id, classify('m', s.x, CASE WHEN s.id = 8 THEN '{}' ELSE '{world,sports}' END::text[]))$$, '%label%', 'labels of a row');
SELECT told_the_same($$MERGE INTO target t USING (SELECT 1 AS id, x FROM source WHERE x IS NOT NULL) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', s.x)$$, 'MERGE command cannot affect row a second time', 'a row of two');

-- Triggers
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id % 2 = 0 THEN RETURN NULL; END IF;
	NEW.x := coalesce(NEW.x, '') || ' by trigger';
	NEW.c := classify('m', NEW.x, '{world,sports}');
	RETURN NEW;
END $$;
CREATE TRIGGER meddling BEFORE INSERT OR UPDATE ON target FOR EACH ROW EXECUTE FUNCTION meddle();
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', t.x || s.n) WHEN NOT MATCHED THEN INSERT (id, x, v) VALUES (s.id, s.x, embed('e', s.x))$$, '100 167', 'a BEFORE trigger');
DROP TRIGGER meddling ON target;
-- A trigger that changes rows to come: the server finds them changed in this command
CREATE FUNCTION reach() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE target SET x = 'reached' WHERE id = NEW.id + 3 AND x <> 'reached'; RETURN NEW; END $$;
CREATE TRIGGER reaching AFTER UPDATE ON target FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION reach();
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', t.x || s.n), x = t.x || s.n$$, '100', 'an AFTER trigger');
DROP TRIGGER reaching ON target;

-- Who may not use a model may not here
CREATE ROLE merger;
GRANT SELECT ON source TO merger;
GRANT SELECT, INSERT, UPDATE ON target TO merger;
SET ROLE merger;
SELECT throws_ok($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', s.x)$$, '42501', NULL, 'privileges of the model');
RESET ROLE;

\if :since_17
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', s.x) WHEN NOT MATCHED BY TARGET AND s.n = 1 THEN INSERT (id, v) VALUES (s.id, embed('e', s.x))
	WHEN NOT MATCHED BY SOURCE AND t.k > 1 THEN UPDATE SET v = embed('e', t.x) WHEN NOT MATCHED BY SOURCE THEN DELETE$$, '134 24', 'NOT MATCHED BY SOURCE');
SELECT same($$MERGE INTO target t USING source s ON t.id = s.id AND t.k > 1 WHEN MATCHED THEN UPDATE SET v = embed('e', s.x) WHEN NOT MATCHED BY SOURCE THEN UPDATE SET c = classify('m', t.x, '{world,sports}')$$, '50 100', 'ON with a column of the target');
SELECT same(replace($$MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED AND t.k > 2 THEN UPDATE SET v = embed('e', s.x) WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, embed('e', s.x))
	WHEN NOT MATCHED BY SOURCE AND t.k = 1 THEN DELETE$$, 'target', relation), '192', 'NOT MATCHED BY SOURCE: ' || relation, relation) FROM (VALUES ('parts'), ('parent')) r (relation);
CREATE VIEW seen AS SELECT * FROM target WHERE id < 1000;
SELECT same($$MERGE INTO seen t USING source s ON t.id = s.id WHEN MATCHED AND t.k > 1 THEN UPDATE SET v = embed('e', s.x)$$, '50', 'a view');
CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE target SET v = NEW.v WHERE id = NEW.id; RETURN NEW; END $$;
CREATE TRIGGER instead INSTEAD OF UPDATE ON seen FOR EACH ROW EXECUTE FUNCTION instead();
SELECT same($$MERGE INTO seen t USING source s ON t.id = s.id WHEN MATCHED AND t.k > 1 THEN UPDATE SET v = embed('e', s.x)$$, NULL, 'not a view with a trigger');
BEGIN;
WITH merged AS (MERGE INTO target t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = embed('e', s.x) RETURNING merge_action() AS action, s.id, s.x, t.v)
	SELECT count(*) = 100 AND bool_and(action = 'UPDATE' AND v IS NOT DISTINCT FROM embed('e', x)) AS returned FROM merged \gset
ROLLBACK;
SELECT ok(:'returned', 'RETURNING');
\endif
SELECT * FROM finish();
