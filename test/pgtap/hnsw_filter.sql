-- Filters of scans of maskgen_hnsw: tested within the scan, whichever way it goes on; what it returned before is not returned again.
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SELECT plan(27);

SELECT setseed(0.4);
CREATE TABLE item (id int PRIMARY KEY, g int, note text, v vector(24));
INSERT INTO item SELECT i, i % 1000, 'n' || i, (SELECT array_agg(random() - 0.5) FROM generate_series(1, 24) WHERE i > 0)::real[]::vector FROM generate_series(1, 6000) i;
INSERT INTO item (id, g) SELECT i, 7 FROM generate_series(6001, 6005) i;
CREATE INDEX item_v ON item USING maskgen_hnsw (v vector_l2_ops);
VACUUM ANALYZE item;
CREATE FUNCTION q() RETURNS vector LANGUAGE sql IMMUTABLE AS $$ SELECT array_agg(sin(i))::real[]::vector FROM generate_series(1, 24) i $$;
CREATE FUNCTION by_index(query text) RETURNS text LANGUAGE plpgsql SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off AS
	$$ DECLARE result text; BEGIN EXECUTE query INTO result; RETURN result; END $$;
CREATE FUNCTION by_rows(query text) RETURNS text LANGUAGE plpgsql SET enable_indexscan = off AS
	$$ DECLARE result text; BEGIN EXECUTE query INTO result; RETURN result; END $$;
CREATE FUNCTION same(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE near text := by_index(query); exact text := by_rows(query);
BEGIN
	RETURN CASE WHEN near IS DISTINCT FROM exact THEN format('%s, not %s', near, exact) ELSE 'same' END;
END $$;
-- What a plan did
CREATE FUNCTION analyzed(query text, what text) RETURNS int LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE line text; result int;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) ' || query LOOP
		result := coalesce(result, substring(line FROM what || ':? *=?([0-9]+)')::int);
	END LOOP;
	RETURN result;
END $$;

\set ids 'SELECT string_agg(id::text, '' '' ORDER BY d, id) FROM (SELECT id, v <-> q() AS d FROM item WHERE %s ORDER BY v <-> q() LIMIT %s) x'
SELECT is(same(format(:'ids', 'g = 3', 4)), 'same', 'few rows of a filter that few pass');
SELECT is(same(format(:'ids', 'g = 3', 6)), 'same', 'all of them');
SELECT is(same(format(:'ids', 'g = 3', 60)), 'same', 'more than there are');
SELECT is(by_index(format(:'ids', 'g = 7', 60)), by_rows(format(:'ids', 'g = 7 AND v IS NOT NULL', 60)), 'rows without a vector are left out');
DELETE FROM item WHERE v IS NULL;
SELECT is(same(format(:'ids', 'g < 0', 5)), 'same', 'none');
SELECT is(same(format(:'ids', 'g < 20', 120)), 'same', 'a search, and then all others: none twice');
SELECT is(same(format(:'ids', 'g < 20 AND note LIKE ''n%1''', 10)), 'same', 'two conditions');
SELECT is(same(format(:'ids', 'g < 20 AND EXISTS (SELECT FROM item o WHERE o.id = item.id + 1 AND o.id % 3 = 0)', 10)), 'same', 'a subquery');
SELECT is(same(format(:'ids', 'g < 20 AND v <<->> sphere(q(), 2.6)', 60)), 'same', 'a radius as well');
SELECT is(same('SELECT count(*) FROM item WHERE g < 20 AND v <<->> sphere(q(), 2.6)'), 'same', 'a radius without an order');
SELECT is(same('SELECT string_agg(id::text, '' '') FROM (SELECT id FROM item WHERE g < 5 AND v IS NOT NULL ORDER BY v <-> q()) x'), 'same', 'no LIMIT');
SELECT is(same('SELECT string_agg(x.id::text, '' '' ORDER BY o.id, x.id) FROM item o, LATERAL (SELECT id FROM item WHERE g = o.g ORDER BY v <-> o.v LIMIT 3) x WHERE o.id BETWEEN 10 AND 15'),
	'same', 'a condition that changes with each scan');
SELECT matches(by_index(format(:'ids', 'g = 3 AND random() >= 0', 6)), '^[0-9]+( [0-9]+){5}$', 'a volatile condition');
SELECT cmp_ok(analyzed('SELECT id FROM item WHERE g = 3 ORDER BY v <-> q() LIMIT 6', 'Rows Removed by Filter'), '>', 5000, 'EXPLAIN counts what the filter drops');
SELECT cmp_ok(analyzed('SELECT id FROM item WHERE g < 500 ORDER BY v <-> q() LIMIT 6', 'Rows Removed by Filter'), '<', 500, 'which is little for a wide one');

-- A filter that few pass, as the planner knows: the table is read at once. One of which it expects more: by the nearest rows, until that has cost as much
CREATE TABLE wide (id int, g int, filler text, v vector(24));
ALTER TABLE wide ALTER filler SET STORAGE plain;
INSERT INTO wide SELECT id, g, repeat(md5(id::text), 110), v FROM item;
CREATE INDEX wide_v ON wide USING maskgen_hnsw (v vector_l2_ops);
VACUUM ANALYZE wide;
SELECT is(by_index(replace(format(:'ids', 'g = 3', 6), 'FROM item', 'FROM wide')), by_rows(format(:'ids', 'g = 3', 6)), 'few rows, known');
SELECT is(ways::text, '{graph,table}', 'by the table, at once') FROM last_index_scan();
SELECT is(by_index(replace(format(:'ids', '(g + 0) % 1000 = 3', 6), 'FROM item', 'FROM wide')), by_rows(format(:'ids', 'g = 3', 6)), 'few rows, not known: none is lost or comes twice');
SELECT is(ways::text, '{graph,pass,table}', 'by the nearest first, then by the table') FROM last_index_scan();

-- HOT chains: the table is read by rows, and rows are named by the tuples that indexes know
UPDATE item SET note = 'new' WHERE g < 20;
SELECT is(same(format(:'ids', 'g < 20 AND note = ''new''', 120)), 'same', 'rows that were updated');
UPDATE item SET note = 'newer' WHERE g < 10;
SELECT is(same(format(:'ids', 'g < 20 AND note LIKE ''new%''', 120)), 'same', 'and again');
DELETE FROM item WHERE g < 20 AND id % 3 = 0;
SELECT is(same(format(:'ids', 'g < 20', 120)), 'same', 'and deleted');

-- A part of a table, an expression
DROP INDEX item_v;
-- Without rows that are updated in place: for a snapshot of another test's that still needs the old ones, the index would wait to be used.
VACUUM FULL item;
CREATE INDEX item_part ON item USING maskgen_hnsw ((subvector(v, 1, 8)::vector(8)) vector_l2_ops) WHERE id > 1000;
SELECT is(same('SELECT string_agg(id::text, '' '') FROM (SELECT id FROM item WHERE id > 1000 AND g < 20 ORDER BY subvector(v, 1, 8)::vector(8) <-> subvector(q(), 1, 8)::vector(8) LIMIT 70) x'),
	'same', 'an expression over a part of the table');

-- Row security is a filter as well
DROP INDEX item_part;
CREATE INDEX item_v ON item USING maskgen_hnsw (v vector_cosine_ops);
UPDATE item SET v = array_fill(0::real, '{24}')::vector WHERE id IN (25, 1025);
CREATE ROLE hnsw_reader;
GRANT SELECT ON item TO hnsw_reader;
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON item USING (g = 25);
SET ROLE hnsw_reader;
SELECT is(by_index('SELECT count(*) FROM (SELECT FROM item ORDER BY v <=> q() LIMIT 10) x'), '4', 'row security; 0 under cosine is left out');
RESET ROLE;
DROP OWNED BY hnsw_reader;
DROP ROLE hnsw_reader;
ALTER TABLE item DISABLE ROW LEVEL SECURITY;

-- Least memory, cursors
SET work_mem = '64kB';
SET maskgen.scan_mem_multiplier = 1;
SELECT is(same('SELECT count(*) FROM (SELECT FROM item WHERE g < 900 AND v <> array_fill(0::real, ''{24}'')::vector ORDER BY v <=> q() LIMIT 5000) x'), 'same', 'many rows in little memory');
RESET maskgen.scan_mem_multiplier;
RESET work_mem;
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
DECLARE nearest CURSOR FOR SELECT id FROM item WHERE g < 20 ORDER BY v <=> q();
FETCH 3 FROM nearest;
DELETE FROM item WHERE g < 20;
INSERT INTO item SELECT i, 1, '', q() FROM generate_series(7001, 7100) i;
MOVE ALL FROM nearest;
COMMIT;
SELECT pass('a cursor outlives what happens to its table');
SELECT is((SELECT count(*) FROM index_check('item_v', true)), 0::bigint, 'the index is sound');
SELECT * FROM finish();
