-- Conditions with calls on the inner side of a nested loop are computed for many rounds together.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET maskgen.enable_result_cache = off;
SELECT no_plan();
SELECT length(create_model('m', :'dir' || '/golden/tiny/bert-mlm')) > 0 AS made \gset
CREATE TABLE inside (id int PRIMARY KEY, x text, y int);
INSERT INTO inside SELECT i, CASE WHEN i % 7 > 0 THEN 'wine ' || repeat('shoes ', i % 3) || i END, i % 5 FROM generate_series(1, 300) i;
CREATE TABLE outside (id int PRIMARY KEY, n int, z text);
INSERT INTO outside SELECT i, 1 + i * 37 % 300, CASE WHEN i % 2 = 0 THEN 'world' ELSE 'sports' END FROM generate_series(1, 100) i;
ANALYZE inside, outside;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_memoize = off;
SET enable_seqscan = off;

CREATE FUNCTION nodes(plan jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(plan ->> 'Custom Plan Provider', plan ->> 'Node Type') || coalesce(' > ' || (SELECT string_agg(nodes(child), ', ' ORDER BY n)
		FROM jsonb_array_elements(plan -> 'Plans') WITH ORDINALITY c (child, n)), '') $$;
CREATE FUNCTION plan_of(query text) RETURNS jsonb LANGUAGE plpgsql AS $$ DECLARE plan jsonb; BEGIN EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || query INTO plan; RETURN plan; END $$;
CREATE FUNCTION rows_of(query text) RETURNS text LANGUAGE plpgsql AS
	$$ DECLARE result text; BEGIN EXECUTE format('SELECT string_agg(x::text, '' '') FROM (%s) x', query) INTO result; RETURN result; END $$;
CREATE FUNCTION same(query text, shape text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE together text;
BEGIN
	RETURN NEXT is(nodes(plan_of(query) -> 0 -> 'Plan'), shape, what);
	together := rows_of(query);
	SET maskgen.enable_batching = off;
	RETURN NEXT is(together, rows_of(query), what || ': rows');
	RESET maskgen.enable_batching;
END $$;
SELECT same($$SELECT o.id FROM outside o JOIN inside i ON i.id = o.n WHERE classify('m', i.x, '{world,sports}') = 'world'$$,
	'MaskgenBatch > Nested Loop > Seq Scan, Index Scan', 'a condition');
SELECT same($$SELECT o.id, i.y FROM outside o JOIN inside i ON i.id = o.n WHERE i.y > 1 AND classify('m', i.x, '{world,sports}') = 'world' AND classify('m', i.x || 'b', '{world,sports}') = 'sports'$$,
	'MaskgenBatch > MaskgenBatch > Nested Loop > Seq Scan, Index Scan', 'two of them, and one without a call');
SELECT same($$SELECT o.id FROM outside o JOIN inside i ON i.id = o.n AND classify('m', i.x, '{world,sports}') = o.z$$,
	'MaskgenBatch > Nested Loop > Seq Scan, Index Scan', 'with a column of the other side');
SELECT same($$SELECT o.id FROM outside o JOIN inside i ON i.id = o.n AND classify('m', i.x || o.z, '{world,sports}') = 'world'$$,
	'MaskgenBatch > Nested Loop > Seq Scan, Index Scan', 'in the input');
SELECT same($$SELECT o.id, i.y FROM outside o LEFT JOIN inside i ON i.id = o.n AND classify('m', i.x, '{world,sports}') = 'world'$$,
	'Nested Loop > Seq Scan, MaskgenBatch > Index Scan', 'not off an outer join');
SELECT same($$SELECT o.id FROM outside o WHERE EXISTS (SELECT FROM inside i WHERE i.id = o.n AND i.y >= o.id - 90 AND classify('m', i.x, '{world,sports}') = 'world' OFFSET 0) ORDER BY id$$,
	nodes(plan_of($$SELECT o.id FROM outside o WHERE EXISTS (SELECT FROM inside i WHERE i.id = o.n AND i.y >= o.id - 90 AND classify('m', i.x, '{world,sports}') = 'world' OFFSET 0) ORDER BY id$$) -> 0 -> 'Plan'), 'nor out of EXISTS');
SELECT ok((SELECT sum((c ->> 'Batches')::int) < 12 AND sum((c ->> 'Rows')::int) BETWEEN 80 AND 100 FROM jsonb_path_query(plan_of(
	$$SELECT count(*) FROM outside o JOIN inside i ON i.id = o.n WHERE classify('m', i.x, '{world,sports}') = 'world'$$), 'strict $.**.Calls[*]') c), 'in few batches');
-- With EvalPlanQual, locks, LIMIT
SELECT same($$SELECT o.id FROM outside o JOIN inside i ON i.id = o.n WHERE classify('m', i.x, '{world,sports}') = 'world' ORDER BY o.id LIMIT 5$$,
	nodes(plan_of($$SELECT o.id FROM outside o JOIN inside i ON i.id = o.n WHERE classify('m', i.x, '{world,sports}') = 'world' ORDER BY o.id LIMIT 5$$) -> 0 -> 'Plan'), 'LIMIT');
UPDATE outside o SET z = 'found' FROM inside i WHERE i.id = o.n AND classify('m', i.x, '{world,sports}') = 'world';
SET maskgen.enable_batching = off;
SELECT is((SELECT array_agg(id ORDER BY id) FROM outside WHERE z = 'found'), (SELECT array_agg(o.id ORDER BY o.id) FROM outside o JOIN inside i ON i.id = o.n
	WHERE classify('m', i.x, '{world,sports}') = 'world'), 'UPDATE');
RESET maskgen.enable_batching;

-- A condition that guards goes on guarding
CREATE ROLE inner_reader;
GRANT SELECT ON inside, outside TO inner_reader;
SELECT grant_model('m', 'inner_reader');
CREATE TABLE seen (id int);
GRANT INSERT ON seen TO inner_reader;
ALTER TABLE inside ENABLE ROW LEVEL SECURITY;
CREATE POLICY only_world ON inside USING (classify('m', x, '{world,sports}') = 'world');
CREATE FUNCTION spy(a int, b int) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN INSERT INTO seen VALUES (a); RETURN true; END $$;
SET ROLE inner_reader;
SELECT count(*) > 0 AS some FROM outside o JOIN inside i ON i.id = o.n AND spy(i.id, o.id) \gset
RESET ROLE;
SELECT ok(:'some' AND NOT EXISTS (SELECT FROM seen s JOIN inside i USING (id) WHERE (classify('m', x, '{world,sports}') = 'world') IS NOT TRUE), 'row security');
-- Nor is it checked behind one that the scan could not check, for it has a column of a third table
TRUNCATE seen;
SET join_collapse_limit = 1;
SET ROLE inner_reader;
SELECT count(*) > 0 AS some FROM outside o JOIN outside p ON p.id = o.id JOIN inside i ON i.id = o.n AND spy(i.id, p.n) \gset
RESET ROLE;
RESET join_collapse_limit;
SELECT ok(:'some' AND NOT EXISTS (SELECT FROM seen s JOIN inside i USING (id) WHERE (classify('m', x, '{world,sports}') = 'world') IS NOT TRUE), 'row security, of three tables');
SELECT * FROM finish();
