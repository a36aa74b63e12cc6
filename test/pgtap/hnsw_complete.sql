-- What is within a radius is all that a sequential scan finds, an order is in order, and a LIMIT is full: on data of many kinds at once, for
-- each operator class, whatever bounds the search by links.
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SELECT plan(53);

-- Clusters, near copies, equal vectors, unlike lengths, one element alone, 0 and NULL
SELECT setseed(0.3);
CREATE FUNCTION noise(n int, width float8) RETURNS vector LANGUAGE sql VOLATILE AS
	$$ SELECT array_agg((random() + random() + random() - 1.5) * width)::vector FROM generate_series(1, n) $$;
CREATE TABLE centre AS SELECT i AS id, noise(48, 1) AS v FROM generate_series(1, 20) i;
CREATE FUNCTION mixed(i int) RETURNS vector LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	k int := 1 + floor(random() * 20); near vector := (SELECT v FROM centre WHERE id = k);
BEGIN
	RETURN CASE i % 5 WHEN 0 THEN near + noise(48, 0.5) WHEN 1 THEN near + noise(48, 0.01) WHEN 2 THEN near WHEN 3 THEN noise(48, exp(4 * random() - 2))
		ELSE (array_fill(0::real, ARRAY[i % 48]) || ARRAY[(1 + i % 7)::real] || array_fill(0::real, ARRAY[47 - i % 48]))::vector END;
END $$;
CREATE TABLE made (id int PRIMARY KEY, g int, v vector(48), h halfvec(48), s sparsevec(48), b bit(48));
CREATE FUNCTION add(first int, last int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO made SELECT i, i % 97, v, v::halfvec(48), v::sparsevec(48), binary_quantize(v)::bit(48)
	FROM (SELECT i, mixed(i) AS v FROM generate_series(first, last) i OFFSET 0) x $$;
SELECT add(1, 1200);
INSERT INTO made SELECT 0, 0, v, v::halfvec(48), v::sparsevec(48), binary_quantize(v)::bit(48) FROM (SELECT array_fill(0::real, ARRAY[48])::vector AS v) x;
INSERT INTO made (id, g) VALUES (-1, 0);

-- By index or by rows: what a query gives
CREATE FUNCTION by_index(query text) RETURNS text LANGUAGE plpgsql SET enable_seqscan = off SET enable_sort = off SET enable_indexscan = on AS
	$$ DECLARE result text; BEGIN EXECUTE query INTO result; RETURN result; END $$;
CREATE FUNCTION by_rows(query text) RETURNS text LANGUAGE plpgsql SET enable_indexscan = off AS
	$$ DECLARE result text; BEGIN EXECUTE query INTO result; RETURN result; END $$;

-- Radii around some rows, with 1 to 600 rows within; how many rows of the whole come in an order without a LIMIT, and how many of them out of order
CREATE FUNCTION lost(col text, typ text, op text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	centre text; radius text; query text; nth int; found text; wanted text; lost text := '';
BEGIN
	FOR centre IN EXECUTE format('SELECT %I::text FROM made WHERE id %% 401 = 5', col) LOOP
		FOREACH nth IN ARRAY ARRAY[1, 20, 200, 600] LOOP
			radius := by_rows(format('SELECT d::text FROM (SELECT %I %s %L::%s AS d FROM made ORDER BY 1 OFFSET %s LIMIT 1) x', col, op, centre, typ, nth));
			query := format('SELECT count(*) || '' rows, ids '' || sum(id) FROM made WHERE %I <%s> sphere(%L::%s, %L)', col, op, centre, typ, radius);
			found := by_index(query);
			wanted := by_rows(query);
			IF found <> wanted THEN
				lost := lost || format('%s within %s of %s: %s, not %s; ', col, radius, centre, found, wanted);
			END IF;
		END LOOP;
		query := format('SELECT count(*) || '' rows, out of order '' || count(*) FILTER (WHERE d < before) FROM
			(SELECT d, lag(d) OVER () AS before FROM (SELECT %1$I %2$s %3$L::%4$s AS d FROM made WHERE %1$I %2$s %3$L::%4$s <> ''NaN'' ORDER BY %1$I %2$s %3$L::%4$s) x) y', col, op, centre, typ);
		found := by_index(query);
		wanted := by_rows(query);
		IF found <> wanted THEN
			lost := lost || format('%s around %s: %s, not %s; ', col, centre, found, wanted);
		END IF;
	END LOOP;
	RETURN lost;
END $$;
CREATE FUNCTION lost_by(class text, col text, typ text, op text, options text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	EXECUTE format('CREATE INDEX made_index ON made USING maskgen_hnsw (%I %s) %s', col, class, options);
	PERFORM add(1201, 1300);
	result := lost(col, typ, op);
	DROP INDEX made_index;
	DELETE FROM made WHERE id > 1200;
	RETURN result;
END $$;
SELECT is(lost_by(typ || '_' || metric || '_ops', left(typ, 1), typ, op, options), '', format('%s %s %s: nothing is lost', typ, metric, options))
FROM (VALUES ('vector'), ('halfvec'), ('sparsevec')) t (typ),
	(VALUES ('<->', 'l2'), ('<=>', 'cosine'), ('<#>', 'ip'), ('<+>', 'l1')) o (op, metric),
	(VALUES (''), ('WITH (quantizer = none)'), ('WITH (m = 4, ef_construction = 8)')) p (options)
WHERE options = '' OR typ = 'vector' AND metric IN ('l2', 'ip');
SELECT is(lost_by('bit_' || metric || '_ops', 'b', 'bit(48)', op, ''), '', format('bit %s: nothing is lost', metric))
FROM (VALUES ('<~>', 'hamming'), ('<%>', 'jaccard')) o (op, metric);

-- Bounds of the search
CREATE INDEX made_v ON made USING maskgen_hnsw (v vector_l2_ops);
SET maskgen.max_scan_tuples = 5;
SELECT is(lost('v', 'vector', '<->'), '', 'nothing is lost by maskgen.max_scan_tuples');
RESET maskgen.max_scan_tuples;
SET maskgen.scan_mem_multiplier = 1;
SET work_mem = '64kB';
SELECT is(lost('v', 'vector', '<->'), '', 'nor by the least memory');
RESET work_mem;
RESET maskgen.scan_mem_multiplier;
SET maskgen.iterative_scan = off;
SELECT is(by_index($$SELECT count(*) FROM made WHERE v <<->> sphere((SELECT v FROM made WHERE id = 12), 2)$$),
	by_rows($$SELECT count(*) FROM made WHERE v <<->> sphere((SELECT v FROM made WHERE id = 12), 2)$$), 'all within a radius, whatever maskgen.iterative_scan is');
RESET maskgen.iterative_scan;
SET maskgen.exact_radius = off;
SELECT cmp_ok(by_index($$SELECT count(*) FROM made WHERE v <<->> sphere((SELECT v FROM made WHERE id = 15), 4)$$)::int, '<=',
	by_rows($$SELECT count(*) FROM made WHERE v <<->> sphere((SELECT v FROM made WHERE id = 15), 4)$$)::int, 'or what a search finds');
RESET maskgen.exact_radius;

-- No centre, no number
SELECT is(by_index($$SELECT count(*) FROM made WHERE v <<->> sphere(array_fill(0::real, '{48}')::vector, 'Infinity')$$), '1201', 'an infinite radius');
CREATE INDEX made_cosine ON made USING maskgen_hnsw (v vector_cosine_ops);
CREATE INDEX made_s ON made USING maskgen_hnsw (s sparsevec_cosine_ops);
CREATE INDEX made_b ON made USING maskgen_hnsw (b bit_jaccard_ops);
SELECT is(by_index($$SELECT count(*) FROM made WHERE v <<=>> sphere(array_fill(0::real, '{48}')::vector, 'Infinity')$$), '0', 'no distance is a number around 0 under cosine');
SELECT is(by_index($$SELECT count(*) FROM (SELECT FROM made ORDER BY v <=> array_fill(0::real, '{48}')::vector) x$$), '1200', 'an order by 0 gives all that is indexed');
SELECT is(by_index($$SELECT count(*) FROM (SELECT FROM made ORDER BY v <=> (SELECT NULL::vector)) x$$), '1200', 'and by NULL');
SELECT is(by_index($$SELECT count(*) FROM (SELECT FROM made ORDER BY s <=> '{}/48') x$$), '1200', 'also of sparse vectors');
SELECT is(by_index($$SELECT count(*) FROM (SELECT FROM made ORDER BY s <=> (SELECT NULL::sparsevec) LIMIT 300) x$$), '300', 'up to a LIMIT');
SELECT is(by_index($$SELECT count(*) FROM (SELECT FROM made ORDER BY b <%> (SELECT NULL::"bit")) x$$), '1201', 'and of bits');
SELECT throws_ok($$SELECT by_index('SELECT id FROM made ORDER BY s <=> ''{}/47'' LIMIT 1')$$, '22000', NULL, 'other dimensions are an error, of 0 too');
SELECT throws_ok($$SELECT by_index('SELECT id FROM made WHERE v <<=>> sphere(''[1,2]''::vector, 1)')$$, '22000', NULL, 'and of a radius');
DROP INDEX made_cosine, made_s, made_b;

-- Order below and above a LIMIT
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE line text; result text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		result := result || ' ' || coalesce(substring(line FROM '^ *(?:-> *)?(Sort|Limit|Index Scan|WindowAgg|Unique|LockRows|Subquery Scan|Incremental Sort)(?: using| on|$)'), '');
	END LOOP;
	RETURN trim(regexp_replace(result, ' +', ' ', 'g'));
END $$;
CREATE FUNCTION q() RETURNS vector LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN (SELECT v FROM made WHERE id = 5); END $$;
SELECT is(plan_of('SELECT id FROM made ORDER BY v <-> q() LIMIT 5'), 'Sort Limit Index Scan', 'what a LIMIT keeps is sorted');
SELECT is(plan_of('SELECT id FROM made ORDER BY v <-> q() LIMIT 5 OFFSET 3'), 'Sort Limit Index Scan', 'with an OFFSET, too');
SELECT is(plan_of('SELECT id FROM made ORDER BY v <-> q()'), 'Index Scan', 'without a LIMIT the scan is exact');
SELECT is(plan_of('SELECT id FROM made ORDER BY v <-> q() OFFSET 5'), 'Limit Index Scan', 'and with an OFFSET alone');
SELECT is(plan_of('SELECT id FROM made ORDER BY v <-> q() FETCH FIRST 5 ROWS WITH TIES'), 'Limit Index Scan', 'and where ties count');
SELECT matches(plan_of('SELECT id, rank() OVER (ORDER BY v <-> q()) FROM made LIMIT 5'), '^Limit WindowAgg', 'and below a window');
SELECT is(plan_of('SELECT * FROM (SELECT id FROM made ORDER BY v <-> q() LIMIT 5) x WHERE id > 3'), 'Subquery Scan Sort Limit Index Scan', 'a LIMIT of a subquery is sorted there');
SELECT is(plan_of('SELECT id FROM made ORDER BY v <-> q() LIMIT 5 FOR UPDATE'), 'Sort Limit LockRows Index Scan', 'rows are locked below');
SET maskgen.iterative_scan = relaxed_order;
SELECT is(plan_of('SELECT id FROM made ORDER BY v <-> q() LIMIT 5'), 'Limit Index Scan', 'nothing is sorted in relaxed_order');
RESET maskgen.iterative_scan;

-- Filters: LIMIT is full, nothing out of order
CREATE FUNCTION astray(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	one record; found text; result int := 0; short int := 0;
BEGIN
	FOR one IN SELECT id, v::text AS v FROM made WHERE id % 60 = 1 LOOP
		found := by_index(format('SELECT count(*) FILTER (WHERE d < before) || '' '' || count(*) FROM (SELECT d, lag(d) OVER () AS before FROM (%s) x) y', format(query, one.v)));
		result := result + split_part(found, ' ', 1)::int;
		short := short + (split_part(found, ' ', 2) <> split_part(by_rows(format('SELECT ''0 '' || count(*) FROM (%s) x', format(query, one.v))), ' ', 2))::int;
	END LOOP;
	RETURN format('%s rows out of order, %s queries short', result, short);
END $$;
SELECT is(astray($$SELECT v <-> %1$L AS d FROM made WHERE g = 3 ORDER BY v <-> %1$L LIMIT 20$$), '0 rows out of order, 0 queries short', 'a filter');
SELECT is(astray($$SELECT v <-> %1$L AS d FROM made WHERE g < 30 ORDER BY v <-> %1$L LIMIT 300$$), '0 rows out of order, 0 queries short', 'a wide one');
SELECT is(astray($$SELECT v <-> %1$L AS d FROM made WHERE g < 30 ORDER BY v <-> %1$L LIMIT 50 OFFSET 60$$), '0 rows out of order, 0 queries short', 'a page');
SELECT is(astray($$SELECT v <-> %1$L AS d FROM made JOIN (SELECT id, id %% 3 AS k FROM made OFFSET 0) o USING (id) WHERE k = 1 AND g < 50 ORDER BY v <-> %1$L LIMIT 40$$), '0 rows out of order, 0 queries short', 'a join');
SELECT is(astray($$SELECT v <-> %1$L AS d FROM (SELECT DISTINCT ON (v <-> %1$L) v FROM made WHERE v IS NOT NULL ORDER BY v <-> %1$L) x LIMIT 100$$), '0 rows out of order, 0 queries short', 'DISTINCT ON');
SELECT is(astray($$SELECT r::float8 AS d FROM (SELECT rank() OVER (ORDER BY v <-> %1$L) AS r FROM made WHERE v IS NOT NULL AND g < 40) x$$), '0 rows out of order, 0 queries short', 'rank()');
SELECT is(astray($$SELECT v <-> %1$L AS d FROM made WHERE v <<->> sphere(%1$L::vector, 3) ORDER BY v <-> %1$L LIMIT 70$$), '0 rows out of order, 0 queries short', 'a radius in order');

-- Pages are of one sequence
SELECT is(by_index($$SELECT count(DISTINCT id) FROM ((SELECT id FROM made ORDER BY v <-> q() LIMIT 30) UNION ALL (SELECT id FROM made ORDER BY v <-> q() LIMIT 30 OFFSET 30)
	UNION ALL (SELECT id FROM made ORDER BY v <-> q() LIMIT 300 OFFSET 60)) x$$), '360', 'no row is on two pages');
SELECT is(by_index('SELECT count(*) FROM (SELECT FROM made ORDER BY v <-> q() LIMIT 0) x'), '0', 'LIMIT 0');
SELECT is(by_index('SELECT count(*) FROM (SELECT FROM made ORDER BY v <-> q() LIMIT 10 OFFSET 5000) x'), '0', 'an OFFSET beyond the end');
SELECT is(by_index('SELECT count(*) FROM (SELECT FROM made ORDER BY v <-> q() LIMIT 9223372036854775807) x'), '1201', 'the highest LIMIT');
PREPARE by_parameter(int) AS SELECT count(*) FROM (SELECT FROM made ORDER BY v <-> q() LIMIT $1) x;
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SELECT results_eq('EXECUTE by_parameter(17)', 'VALUES (17::bigint)', 'a LIMIT that is a parameter');
SELECT results_eq('EXECUTE by_parameter(NULL)', 'VALUES (1201::bigint)', 'and NULL');
RESET enable_seqscan;
SELECT * FROM finish();
