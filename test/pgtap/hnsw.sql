-- Recall, filters, radius, updates and vacuum of maskgen_hnsw, on clustered vectors.
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT plan(39);

SELECT setseed(0.5);
CREATE FUNCTION noise(n int, width float8) RETURNS vector LANGUAGE sql VOLATILE AS
	$$ SELECT array_agg((random() + random() + random() - 1.5) * width)::vector FROM generate_series(1, n) $$;
CREATE TABLE centre AS SELECT i AS id, noise(48, 1) AS v FROM generate_series(1, 40) i;
CREATE FUNCTION clustered() RETURNS vector(48) LANGUAGE plpgsql VOLATILE AS
	$$ DECLARE chosen int := 1 + floor(random() * 40); BEGIN RETURN (SELECT v + noise(48, 0.6) FROM centre WHERE id = chosen); END $$;
CREATE TABLE item (id int PRIMARY KEY, bucket int, v vector(48));
INSERT INTO item SELECT i, floor(random() * 10000), clustered() FROM generate_series(1, 4000) i;
CREATE TABLE query AS SELECT i AS id, clustered() AS q FROM generate_series(1, 40) i;
ANALYZE item;

-- The part of the 10 nearest rows under a condition that the index finds, and whether each query got all rows that it could.
CREATE FUNCTION recall(op text, condition text DEFAULT 'true', col text DEFAULT 'v', typ text DEFAULT 'vector', OUT recall float8, OUT complete boolean)
LANGUAGE plpgsql SET enable_seqscan = on SET enable_indexscan = on SET enable_sort = on AS $$
DECLARE
	one record; near float8[]; exact float8[]; found int := 0; wanted int := 0;
	search text := format('SELECT coalesce(array_agg(d ORDER BY d), ''{}'') FROM (SELECT %1$s %2$s $1::%4$s AS d FROM item WHERE %3$s ORDER BY %1$s %2$s $1::%4$s LIMIT 10) x', col, op, condition, typ);
BEGIN
	complete := true;
	FOR one IN SELECT q FROM query LOOP
		SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_indexscan = on;
		EXECUTE search INTO near USING one.q;
		SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on; SET LOCAL enable_indexscan = off;
		EXECUTE search INTO exact USING one.q;
		complete := complete AND cardinality(near) = cardinality(exact);
		wanted := wanted + cardinality(exact);
		found := found + (SELECT count(*) FROM unnest(near) d WHERE d <= exact[cardinality(exact)]);
	END LOOP;
	recall := found::float8 / wanted;
END $$;

CREATE INDEX item_v ON item USING maskgen_hnsw (v vector_cosine_ops);
SELECT is_empty($$SELECT * FROM index_check('item_v', true)$$, 'a built index is sound');
SELECT results_eq($$SELECT nodes, deleted, dead_links, unreachable FROM index_info('item_v')$$, $$VALUES (4000::bigint, 0::bigint, 0::bigint, 0::bigint)$$,
	'every row has a node that can be reached');
SELECT cmp_ok((recall('<=>')).recall, '>=', 0.95::float8, 'recall at the default ef_search');
SELECT cmp_ok(index_recall('item_v', 50), '>=', 0.95::float8, 'index_recall says so, too');
SET maskgen.ef_search = 200;
SELECT cmp_ok((recall('<=>')).recall, '>=', 0.99::float8, 'more at a higher one');
RESET maskgen.ef_search;

-- Filters
SELECT ok(complete AND recall >= 0.95, format('half of the rows: %s', recall)) FROM recall('<=>', 'bucket < 5000');
SELECT ok(complete AND recall >= 0.95, format('5 %%: %s', recall)) FROM recall('<=>', 'bucket < 500');
SELECT ok(complete AND recall >= 0.95, format('0.5 %%: %s', recall)) FROM recall('<=>', 'bucket < 50');
SELECT ok(complete AND recall >= 0.95, format('0.05 %%: %s', recall)) FROM recall('<=>', 'bucket < 5');
SELECT ok(complete, 'no row passes') FROM recall('<=>', 'bucket < 0 OR id = 1');

-- Radius: what is within, and nothing else
CREATE FUNCTION within(condition text) RETURNS float8 LANGUAGE plpgsql SET enable_seqscan = on SET enable_indexscan = on AS $$
DECLARE one record; near int; exact int; found int := 0; wanted int := 0; search text := 'SELECT count(*) FROM item WHERE ' || condition;
BEGIN
	FOR one IN SELECT q FROM query LOOP
		SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on;
		EXECUTE search INTO near USING one.q;
		SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off;
		EXECUTE search INTO exact USING one.q;
		IF near > exact THEN
			RAISE 'too many rows';
		END IF;
		wanted := wanted + exact;
		found := found + near;
	END LOOP;
	RETURN found::float8 / wanted;
END $$;
SELECT cmp_ok(within('v <<=>> sphere($1, 0.25)'), '>=', 0.95::float8, 'rows within a radius');
SELECT cmp_ok(within('v <<=>> sphere($1, 0.6)'), '>=', 0.95::float8, 'rows within a large one');

-- An update that leaves the vector alone joins the node that has it
UPDATE item SET bucket = bucket WHERE id <= 200;
CREATE INDEX item_bucket ON item (bucket);
UPDATE item SET bucket = bucket + 1 WHERE id <= 200;
-- The narrow search for the equal node may miss one: each index has a rotation of its own.
SELECT ok(nodes BETWEEN 4000 AND 4008, format('updates of other columns make hardly any nodes: %s', nodes - 4000)) FROM index_info('item_v');
SELECT is_empty($$SELECT * FROM index_check('item_v', true)$$, 'and the index is sound');
SELECT cmp_ok((recall('<=>')).recall, '>=', 0.95::float8, 'and finds the rows');

-- Half of the rows go
DELETE FROM item WHERE id % 2 = 0;
SELECT ok(complete AND recall >= 0.95, format('recall among dead rows: %s', recall)) FROM recall('<=>');
VACUUM item;
SELECT is_empty($$SELECT * FROM index_check('item_v', true)$$, 'the index is sound after vacuum');
SELECT results_eq($$SELECT nodes, deleted, dead_links, unreachable FROM index_info('item_v')$$, $$VALUES (2000::bigint, 0::bigint, 0::bigint, 0::bigint)$$,
	'nothing of the deleted rows is left');
SELECT cmp_ok((recall('<=>')).recall, '>=', 0.95::float8, 'recall after vacuum');
SELECT pages AS pages_before FROM index_info('item_v') \gset
INSERT INTO item SELECT i, floor(random() * 10000), clustered() FROM generate_series(5001, 7000) i;
SELECT is((SELECT pages FROM index_info('item_v')), :pages_before::bigint, 'inserts use what vacuum freed');
SELECT is_empty($$SELECT * FROM index_check('item_v', true)$$, 'the index is sound after inserts');
SELECT cmp_ok((recall('<=>')).recall, '>=', 0.95::float8, 'recall after inserts');

-- All go, and come back
DELETE FROM item;
VACUUM item;
SELECT results_eq($$SELECT nodes, deleted, levels FROM index_info('item_v')$$, $$VALUES (0::bigint, 0::bigint, 0)$$, 'an empty graph');
INSERT INTO item SELECT i, floor(random() * 10000), clustered() FROM generate_series(1, 1000) i;
SELECT results_eq($$SELECT nodes, unreachable FROM index_info('item_v')$$, $$VALUES (1000::bigint, 0::bigint)$$, 'a new one');

-- Memory for some of the rows only: the others are inserted into pages
SET maintenance_work_mem = '1MB';
INSERT INTO item SELECT i, floor(random() * 10000), clustered() FROM generate_series(1001, 6000) i;
REINDEX INDEX item_v;
SELECT is_empty($$SELECT * FROM index_check('item_v', true)$$, 'an index of more than its memory is sound');
SELECT cmp_ok((recall('<=>')).recall, '>=', 0.95::float8, 'and finds the rows');
RESET maintenance_work_mem;
SET max_parallel_maintenance_workers = 2;
SET min_parallel_table_scan_size = 0;
ALTER TABLE item SET (parallel_workers = 2);
REINDEX INDEX item_v;
SELECT ok((SELECT nodes = 6000 AND unreachable = 0 FROM index_info('item_v')) AND (recall('<=>')).recall >= 0.95, 'an index of three threads');
SELECT is_empty($$SELECT * FROM index_check('item_v', true)$$, 'is sound');
SET maskgen.max_threads = 1;
REINDEX INDEX item_v;
SELECT ok((SELECT nodes = 6000 AND unreachable = 0 FROM index_info('item_v')) AND (recall('<=>')).recall >= 0.95, 'an index of three processes');
RESET maskgen.max_threads;
-- What one piece of a thread's work makes of a node with many rows does not fit its room
CREATE TABLE same (id int, v vector(4)) WITH (parallel_workers = 2);
INSERT INTO same SELECT i, CASE WHEN i % 2 = 0 THEN '[1,2,3,4]' ELSE format('[%s,0,0,1]', i) END::vector FROM generate_series(1, 8000) i;
CREATE INDEX same_v ON same USING maskgen_hnsw (v vector_l2_ops) WITH (quantizer = rabitq);
SELECT is_empty($$SELECT * FROM index_check('same_v', true)$$, 'threads write a node of 4000 rows');
SET enable_seqscan = off;
SELECT is((SELECT count(*) FROM same WHERE v <<->> sphere('[1,2,3,4]'::vector, 0)), 4000::bigint, 'which has them all');
RESET enable_seqscan;

-- How many rows the planner expects within a radius: it looks at some of the table
VACUUM ANALYZE item;
SET max_parallel_workers_per_gather = 0;
CREATE FUNCTION planned(share float8, OUT ratio float8, OUT by_index bool) LANGUAGE plpgsql AS $$
DECLARE one record; plan json; ratios float8[] := '{}';
BEGIN
	by_index := true;
	FOR one IN SELECT q, (SELECT percentile_disc(share) WITHIN GROUP (ORDER BY v <=> q) FROM item) AS radius FROM query LOOP
		EXECUTE format('EXPLAIN (FORMAT json) SELECT id FROM item WHERE v <<=>> sphere(%L::vector, %L)', one.q, one.radius) INTO plan;
		by_index := by_index AND plan::text LIKE '%Index Scan%';
		ratios := ratios || (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8 / (share * (SELECT count(*) FROM item));
	END LOOP;
	ratio := (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY r) FROM unnest(ratios) r);
END $$;
SELECT ok(ratio BETWEEN 0.75 AND 1.33 AND NOT by_index, format('half of the rows, and no index: %s', ratio)) FROM planned(0.5);
SELECT ok(ratio BETWEEN 0.2 AND 5, format('one in a hundred: %s', ratio)) FROM planned(0.01);
SELECT ok(ratio BETWEEN 0.05 AND 20, format('one in a thousand: %s', ratio)) FROM planned(0.001);
-- Here the table has fewer pages than the index: all of them are read for a radius that is exact.
SET maskgen.exact_radius = off;
SELECT ok(by_index, 'by the index, where a search by links is enough') FROM planned(0.001);
RESET maskgen.exact_radius;
CREATE FUNCTION rows_of(condition text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) SELECT FROM item WHERE ' || condition INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
SELECT is(rows_of($$v <<=>> sphere(NULL::vector, 1)$$), 1::float8, 'none without a centre');
SELECT is(rows_of($$v <<=>> sphere((SELECT q FROM query LIMIT 1), 1)$$), 6::float8, 'one in a thousand when it is not known yet');
SELECT throws_ok($$SELECT FROM item WHERE v <<=>> sphere('[1,2]'::vector, 1)$$, '22000', NULL, 'another number of dimensions is an error of the query');
CREATE ROLE hnsw_stranger;
GRANT SELECT ON item TO hnsw_stranger;
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON item USING (id <= 100);
SET ROLE hnsw_stranger;
SELECT is(rows_of($$v <<=>> sphere(array_fill(1, '{48}')::vector, 2)$$), 1::float8, 'rows that a role may not see are not looked at');
RESET ROLE;
DROP OWNED BY hnsw_stranger;
DROP ROLE hnsw_stranger;
SELECT * FROM finish();
