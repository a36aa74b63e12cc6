-- 500 searches under a filter, each by the index and with default settings: in order, and as many rows as are asked for.
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT plan(8);
-- Not by a sequential scan, which would be in order anyway.
SET enable_seqscan = off;

SELECT setseed(0.7);
CREATE TABLE made (id int PRIMARY KEY, g int, v vector(64));
INSERT INTO made SELECT i, i % 20, (SELECT array_agg(random()) FROM generate_series(1, 64) WHERE i IS NOT NULL)::vector
	FROM generate_series(1, 8000) i;
CREATE INDEX made_v ON made USING maskgen_hnsw (v vector_l2_ops);
VACUUM ANALYZE made;

CREATE FUNCTION found(query text) RETURNS float8[] LANGUAGE plpgsql AS
	$$ DECLARE result float8[]; BEGIN EXECUTE format('SELECT array_agg(d) FROM (%s) x', query) INTO result; RETURN result; END $$;
CREATE FUNCTION line_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS
	$$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;

CREATE TABLE result AS
SELECT id, found(format('SELECT v <-> %L AS d FROM made WHERE g <> %s ORDER BY v <-> %1$L LIMIT 60', v, id % 20)) AS distances
FROM made WHERE id % 16 = 0;

SELECT ok(EXISTS (SELECT FROM made, line_of(format('SELECT FROM made WHERE g <> 3 ORDER BY v <-> %L LIMIT 60', v)) AS line
	WHERE id = 16 AND line ~ 'Index Scan using made_v'), 'the index answers');
SELECT is(count(*), 500::bigint, 'queries') FROM result;
SELECT is(count(*), 0::bigint, 'of them give less than 60 rows') FROM result WHERE cardinality(distances) IS DISTINCT FROM 60;
SELECT is(count(*), 0::bigint, 'are out of order') FROM result
	WHERE distances IS DISTINCT FROM (SELECT array_agg(d ORDER BY d) FROM unnest(distances) d);

-- The first batch holds twice the rows of a LIMIT, and so there is no second one; unless all pages cost less than such a batch, or the scan is to end with it.
SELECT v::text AS sought FROM made WHERE id = 100 \gset
SET maskgen.ef_search = 60;
SELECT count(*) FROM (SELECT FROM made ORDER BY v <-> :'sought' LIMIT 30) x \gset
SELECT entries_by_links AS entries FROM last_index_scan() \gset
SET maskgen.ef_search = 10;
SELECT count(*) FROM (SELECT FROM made ORDER BY v <-> :'sought' LIMIT 30) x \gset
SELECT is(entries_by_links, :entries::bigint, 'LIMIT 30 at ef_search 10 reads what it does at 60') FROM last_index_scan();
SELECT count(*) FROM (SELECT FROM made ORDER BY v <-> :'sought' OFFSET 20 LIMIT 10) x \gset
SELECT is(entries_by_links, :entries::bigint, 'so does OFFSET 20 LIMIT 10') FROM last_index_scan();
SELECT count(*) FROM (SELECT FROM made ORDER BY v <-> :'sought' LIMIT 3000) x \gset
SELECT ok(entries_by_links < :entries, 'LIMIT 3000 tries the graph with ten rows, and passes over all pages') FROM last_index_scan();
SET maskgen.iterative_scan = off;
SELECT is(count(*), 10::bigint, 'a scan of one batch gives ef_search rows') FROM (SELECT FROM made ORDER BY v <-> :'sought' LIMIT 30) x;
SELECT * FROM finish();
