-- Included columns of maskgen_hnsw: conditions on them are tested on the index's items; what is found is what the table has.
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SELECT plan(58);

SELECT setseed(0.7);
CREATE TYPE mood AS ENUM ('sad', 'well');
CREATE TABLE item (id int PRIMARY KEY, tenant int, code text, price float8, day date, key uuid, mood mood, big bigint, v vector(16));
INSERT INTO item SELECT i, CASE WHEN i % 4 = 0 THEN 1 WHEN i % 40 > 1 THEN (random() * random() * 300)::int END, repeat('tenant ', 1 + i % 30) || i % 97, random(),
	date '2026-01-01' + i % 365, md5((i % 50)::text)::uuid, (ARRAY['sad', 'well'])[1 + i % 2]::mood, i % 10,
	(SELECT array_agg(random() - 0.5) FROM generate_series(1, 16) WHERE i > 0)::real[]::vector FROM generate_series(1, 4000) i;
-- Equal vectors of several tenants share a node
UPDATE item SET v = (SELECT v FROM item WHERE id = 1) WHERE id % 20 = 0;
CREATE FUNCTION q() RETURNS vector LANGUAGE sql IMMUTABLE AS $$ SELECT array_agg(sin(i))::real[]::vector FROM generate_series(1, 16) i $$;
CREATE FUNCTION by_index(query text) RETURNS text LANGUAGE plpgsql SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off AS
	$$ DECLARE result text; BEGIN EXECUTE query INTO result; RETURN result; END $$;
CREATE FUNCTION by_rows(query text) RETURNS text LANGUAGE plpgsql SET enable_indexscan = off AS
	$$ DECLARE result text; BEGIN EXECUTE query INTO result; RETURN result; END $$;
CREATE FUNCTION same(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE near text := by_index(query); exact text := by_rows(query);
BEGIN
	RETURN CASE WHEN near IS DISTINCT FROM exact THEN format('%s, not %s', near, exact) ELSE 'same' END;
END $$;
-- Distances and not numbers of rows, for rows may be as far as each other; and that no row comes twice
\set nearest 'SELECT count(DISTINCT id) || '' of '' || count(*) || '': '' || string_agg(round(d::numeric, 6)::text, '' '' ORDER BY d) FROM (SELECT id, v <-> q() AS d FROM item WHERE %s ORDER BY v <-> q() LIMIT %s) x'

-- Without rows that are updated in place: for a snapshot of another test's that still needs the old ones, the index would wait to be used.
VACUUM FULL item;
CREATE INDEX item_v ON item USING maskgen_hnsw (v vector_l2_ops) INCLUDE (tenant, code, price, day, key, mood);
VACUUM ANALYZE item;
SELECT is((SELECT count(*) FROM index_check('item_v', true)), 0::bigint, 'a built index is sound');

CREATE FUNCTION conditions() RETURNS TABLE (condition text) LANGUAGE sql AS $$ VALUES ('tenant = 3'), ('3 = tenant'), ('tenant = 3::bigint'),
	('tenant = ANY (ARRAY[1, 5, NULL, 5])'), ('tenant IS NULL'), ('tenant IS NOT NULL AND price < 0.05'), ('tenant = 100000'), ('tenant > 250'),
	('code = repeat(''tenant '', 12) || 11'), ('code = ''none'''), ('code LIKE ''tenant tenant 1%'''), ('code > ''tenant tenant 5'' AND code < ''tenant tenant 6'''),
	('price < 0.02 AND day > ''2026-06-01'''), ('key = md5(''7'')::uuid'), ('mood = ''sad'' AND tenant = 2'), ('big = 3 AND tenant = 2'), ('tenant + 1 = 4'),
	('tenant = (SELECT 4)'), ('(tenant, code) = (5, ''x'')'), ('tenant = 2 AND v <<->> sphere(q(), 2.9)'), ('tenant = NULL'), ('tenant IN (1, 2) OR tenant IS NULL'),
	('0.98 < price'), ('price < (SELECT 0.02::float8)'), ('price < NULL::float8'), ('250 < tenant AND tenant < 270::bigint') $$;
SELECT is(same(format(:'nearest', condition, 20000)), 'same', condition) FROM conditions();
SELECT is(same(format(:'nearest', 'tenant = 3', 5)), 'same', 'the nearest of a tenant');
SELECT is(same(format(:'nearest', 'tenant IS NULL', 5)), 'same', 'the nearest without one');
SELECT is(same('SELECT count(*) FROM item WHERE tenant = 2 AND v <<->> sphere(q(), 2.9)'), 'same', 'a radius without an order');
SELECT is(same('SELECT string_agg(id::text, '' '') FROM (SELECT id FROM item WHERE tenant = 200 AND id % 20 > 0 ORDER BY v <-> q()) x'), 'same', 'no LIMIT');
SELECT is(same('SELECT string_agg(x.d::text, '' '' ORDER BY o.id, x.d) FROM item o, LATERAL (SELECT v <-> o.v AS d FROM item WHERE tenant = o.tenant ORDER BY v <-> o.v LIMIT 3) x WHERE o.id BETWEEN 38 AND 46'),
	'same', 'a tenant that changes with each scan, NULL among them');

-- A list has rows of its tenant alone: nothing is dropped
CREATE FUNCTION dropped(query text) RETURNS int LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE line text; result int := 0;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) ' || query LOOP
		result := coalesce(substring(line FROM 'Rows Removed by Filter: ([0-9]+)')::int, result);
	END LOOP;
	RETURN result;
END $$;
SELECT is(dropped(format('SELECT id FROM item WHERE %s ORDER BY v <-> q() LIMIT 5', condition)), 0, condition || ' is answered by a list')
	FROM (VALUES ('tenant = 3'), ('tenant IS NULL'), ('tenant IN (4, 5)'), ('tenant = (SELECT 7)')) c (condition);
SELECT cmp_ok(dropped('SELECT id FROM item WHERE tenant = 3 AND price < 0.5 ORDER BY v <-> q() LIMIT 5'), '<', 100, 'other conditions are tested on its rows');

-- All lists together, where the table cannot be read in order: a volatile condition is the executor's
SELECT is(same(format(:'nearest', 'price < 0.02 AND random() >= 0', 20000)), 'same', 'few rows of all tenants');
SELECT by_index(format(:'nearest', 'price < 0.02 AND random() >= 0', 20000));
SELECT ok('list' = ANY (ways) AND NOT ways && '{pass,table}', 'are found by all lists: ' || ways::text) FROM last_index_scan();

-- What a scan says of itself
SELECT is(by_index('SELECT count(*) FROM (SELECT FROM item WHERE tenant = 3 AND price < 0.5 ORDER BY v <-> q() LIMIT 5) x'), '5', 'a scan by a list');
SELECT is((index, ways, searches, entries_by_links, dropped_by_filter)::text, '(item_v,{list},1,0,0)', 'which says so') FROM last_index_scan();
SELECT is(rows_in_lists, (SELECT count(*) FROM item WHERE tenant = 3), 'and what it read') FROM last_index_scan();
SELECT is(dropped_in_index, (SELECT count(*) FROM item WHERE tenant = 3 AND price >= 0.5), 'and dropped') FROM last_index_scan();
SELECT by_index('SELECT count(*) FROM (SELECT FROM item WHERE big < 9 ORDER BY v <-> q() LIMIT 5) x');
SELECT ok(ways = '{graph}' AND entries_by_links > 0 AND rows_ranked >= 5 AND rows_fetched = rows_ranked + dropped_by_filter, 'a scan by the graph') FROM last_index_scan();
CREATE ROLE scan_reader;
SET ROLE scan_reader;
SELECT is((SELECT index FROM maskgen.last_index_scan()), NULL, 'which others are not told of');
RESET ROLE;

-- What is written later
INSERT INTO item SELECT 10000 + i, i % 7, 'late', i / 1000.0, '2027-01-01', md5('late')::uuid, 'well', 1,
	(SELECT array_agg(random() - 0.5) FROM generate_series(1, 16) WHERE i > 0)::real[]::vector FROM generate_series(1, 400) i;
UPDATE item SET tenant = 777 WHERE id % 50 = 1;
UPDATE item SET tenant = NULL WHERE id % 50 = 2;
DELETE FROM item WHERE id % 5 = 3;
SELECT is(same(format(:'nearest', condition, 20000)), 'same', condition || ', after changes')
	FROM (VALUES ('tenant = 777'), ('tenant IS NULL'), ('tenant = 3'), ('code = ''late'' AND tenant = 1')) c (condition);
VACUUM item;
INSERT INTO item SELECT 20000 + i, i % 11, 'later', i / 1000.0, '2027-01-01', md5('late')::uuid, 'well', 1,
	(SELECT array_agg(random() - 0.5) FROM generate_series(1, 16) WHERE i > 0)::real[]::vector FROM generate_series(1, 400) i;
SELECT is(same(format(:'nearest', condition, 20000)), 'same', condition || ', after vacuum')
	FROM (VALUES ('tenant = 777'), ('tenant IS NULL'), ('tenant = 3'), ('tenant < 5')) c (condition);
SELECT is((SELECT count(*) FROM index_check('item_v', true)), 0::bigint, 'the index is sound');

-- What a policy hides is no argument of what may tell of it
CREATE FUNCTION note(int) RETURNS boolean LANGUAGE plpgsql STABLE COST 0.0001 AS $$ BEGIN PERFORM 1 / (CASE WHEN $1 IS DISTINCT FROM 3 THEN 0 ELSE 1 END); RETURN true; END $$;
CREATE ROLE covered_reader;
GRANT SELECT ON item TO covered_reader;
GRANT USAGE ON SCHEMA public, maskgen TO covered_reader;
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON item TO covered_reader USING (tenant = 3);
SET ROLE covered_reader;
SELECT lives_ok($$ SELECT by_index('SELECT count(*) FROM (SELECT FROM item WHERE note(tenant) ORDER BY v <-> q() LIMIT 100000) x') $$, 'a function of the user sees what the policy lets through');
SELECT is(by_index('SELECT count(*) FROM (SELECT FROM item ORDER BY v <-> q() LIMIT 100000) x'), by_rows('SELECT count(*) FROM item'), 'and the scan finds all of that');
RESET ROLE;
ALTER TABLE item DISABLE ROW LEVEL SECURITY;

-- What cannot be included
SELECT throws_ok('CREATE TABLE j (x xml, v vector(3)); CREATE INDEX ON j USING maskgen_hnsw (v vector_l2_ops) INCLUDE (x)', '0A000', NULL, 'a type without width or hash');
SELECT throws_ok('CREATE INDEX ON item USING maskgen_hnsw (v vector_l2_ops) INCLUDE (code, price, big, key, day, id, code, code, code)', '54000', NULL, 'more than there is room for');
SELECT * FROM finish();
