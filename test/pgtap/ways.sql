-- Ways in which people write a search for what is near: which use the index, what EXPLAIN (VERBOSE) says of the others, and that the index's answer is that of
-- a sequential scan. docs/queries.md has the same list.
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SELECT no_plan();

SELECT setseed(0.6);
CREATE TABLE t (id int PRIMARY KEY, g int, v vector(8));
INSERT INTO t SELECT i, i % 3, (SELECT array_agg(random() - 0.5 + i % 8 * (n % 3))::vector FROM generate_series(1, 8) n) FROM generate_series(1, 1000) i;
INSERT INTO t SELECT 1000 + i, i % 3, v FROM t, generate_series(1, 40) i WHERE id = 7;
CREATE INDEX ways_v ON t USING maskgen_hnsw (v);
ANALYZE t;
SELECT v AS q, format('%L::vector', v) AS lit FROM t WHERE id = 7 \gset
CREATE TABLE question (id int, v vector(8));
INSERT INTO question SELECT id, v FROM t WHERE id IN (10, 20);
CREATE FUNCTION match(query vector(8), threshold float8, n int) RETURNS TABLE (id int, similarity float8) LANGUAGE sql STABLE AS
	$$ SELECT id, 1 - (v <=> query) FROM t WHERE 1 - (v <=> query) > threshold ORDER BY v <=> query LIMIT n $$;

-- NULL: by the index; else what EXPLAIN says. Q is the vector that is looked for.
CREATE TABLE way (n int GENERATED ALWAYS AS IDENTITY, query text, says text);
INSERT INTO way (query, says) VALUES
	('SELECT id FROM t ORDER BY v <=> Q LIMIT 5', NULL),
	('SELECT id FROM t ORDER BY Q <=> v LIMIT 5', NULL),
	('SELECT id, v <=> Q AS distance FROM t ORDER BY distance LIMIT 5', NULL),
	('SELECT id FROM t ORDER BY cosine_distance(v, Q) LIMIT 5', NULL),
	('SELECT id, 1 - (v <=> Q) AS similarity FROM t ORDER BY similarity DESC LIMIT 5', NULL),
	('SELECT id FROM t ORDER BY 1 - (v <=> Q) DESC NULLS LAST LIMIT 5', NULL),
	('SELECT id FROM t ORDER BY (v <=> Q) * -1 DESC LIMIT 5', NULL),
	('SELECT id FROM t ORDER BY v <=> Q, id LIMIT 50', NULL),
	('SELECT id FROM t ORDER BY v <=> Q, id LIMIT 5 OFFSET 30', NULL),
	('SELECT id FROM t WHERE g = 1 ORDER BY v <=> Q, id LIMIT 5', NULL),
	('SELECT id FROM t ORDER BY v <=> (SELECT v FROM question WHERE id = 10) LIMIT 5', NULL),
	('SELECT * FROM (SELECT id, v <=> Q AS d FROM t) x WHERE d < 0.1 ORDER BY d, id LIMIT 20', NULL),
	('WITH near AS (SELECT id, v <=> Q AS d FROM t ORDER BY d, id LIMIT 20) SELECT id FROM near WHERE d < 0.2', NULL),
	('SELECT q.id, x.id FROM question q, LATERAL (SELECT id FROM t ORDER BY t.v <=> q.v LIMIT 3) x', NULL),
	('SELECT id FROM match(Q, 0.9, 60)', NULL),
	('SELECT id FROM t WHERE v <<=>> sphere(Q, 0.1)', NULL),
	('SELECT id FROM t WHERE v <=> Q < 0.1', NULL),
	('SELECT id FROM t WHERE 0.1 >= v <=> Q', NULL),
	('SELECT id FROM t WHERE cosine_distance(v, Q) BETWEEN 0 AND 0.1', NULL),
	('SELECT id FROM t WHERE 1 - (v <=> Q) > 0.9', NULL),
	('SELECT id FROM t WHERE NOT v <=> Q > 0.1 AND g = 2', NULL),
	('SELECT id FROM t WHERE v <=> Q < 0.1 ORDER BY v <=> Q, id LIMIT 45', NULL),
	('SELECT count(*) FROM t WHERE v <=> Q < 0.1', NULL),
	('SELECT q.id, t.id FROM question q JOIN t ON t.v <=> q.v < 0.05', NULL),
	('SELECT id FROM t ORDER BY v <=> Q DESC LIMIT 5', 'ORDER BY asks for the farthest first, and the index has the nearest'),
	('SELECT id FROM t ORDER BY 1 - (v <=> Q) LIMIT 5', 'ORDER BY asks for the farthest first, and the index has the nearest'),
	('SELECT id FROM t ORDER BY v <-> Q LIMIT 5', 'ORDER BY has the distance of <->, and the index is made for <=>'),
	('SELECT id FROM t ORDER BY l2_distance(v, Q) LIMIT 5', 'ORDER BY has the distance of l2_distance, and the index is made for <=>'),
	('SELECT id FROM t ORDER BY v::halfvec(8) <=> Q LIMIT 5', 'ORDER BY has a distance of (v)::halfvec(8), and the index is on v'),
	('SELECT id FROM t ORDER BY subvector(v, 1, 4) <=> subvector(Q, 1, 4) LIMIT 5', 'ORDER BY has a distance of subvector(v, 1, 4), and the index is on v'),
	('SELECT id FROM t ORDER BY round((v <=> Q)::numeric, 2) LIMIT 5', 'ORDER BY does not begin with the distance that the index orders by, or with a number times it plus a number'),
	('SELECT id FROM t ORDER BY g, v <=> Q LIMIT 5', 'ORDER BY does not begin with the distance'),
	('SELECT g, min(v <=> Q) FROM t GROUP BY g ORDER BY 2', 'rows are grouped, made distinct or numbered before they are ordered'),
	('SELECT id FROM t ORDER BY v <=> v LIMIT 5', 'ORDER BY has a distance between two columns of one row'),
	('SELECT id FROM t ORDER BY v <=> Q NULLS FIRST LIMIT 5', 'ORDER BY puts rows without a vector first, which the index has not: leave out NULLS FIRST'),
	('SELECT id FROM t WHERE v <=> Q > 0.1', 'the condition asks for what is farther than a distance'),
	('SELECT id FROM t WHERE v <-> Q < 0.1', 'the condition has the distance of <->, and the index is made for <=>'),
	('SELECT id FROM t WHERE v <<->> sphere(Q, 0.1)', 'the condition has <<->>, and the index is made for <=> and <<=>>'),
	('SELECT id FROM t WHERE v <=> Q < 0.1 OR g = 7', 'the condition compares no distance that the index orders by, nor a number times it plus a number, with a number'),
	('SELECT id FROM t WHERE v <<=>> sphere(Q, 0.1) OR g = 7', 'the condition on the distance is part of another one'),
	('SELECT id FROM t WHERE v <=> Q < (SELECT 0.1)', 'the number that the distance is compared with is not known before the statement runs, or NaN');
UPDATE way SET query = replace(query, 'Q', :'lit');

-- What EXPLAIN says of the index that is not used; NULL if it is.
CREATE FUNCTION says(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (VERBOSE, FORMAT JSON) ' || query INTO plan;
	RETURN coalesce(plan -> 0 #>> '{Indexes Not Used,0,Reason}', CASE WHEN plan::text !~ '"Index Name": "ways_v"' THEN 'nothing' END);
END $$;
CREATE FUNCTION rows_of(query text) RETURNS text LANGUAGE plpgsql AS
	$$ DECLARE result text; BEGIN EXECUTE format('SELECT string_agg(x::text, '' '') FROM (%s) x', query) INTO result; RETURN result; END $$;
CREATE FUNCTION sorted(list text) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(x, ' ' ORDER BY x) FROM regexp_split_to_table(list, ' ') x $$;

SET enable_seqscan = off;
SET enable_bitmapscan = off;
CREATE TABLE answer AS SELECT n, says(query), rows_of(query) AS rows FROM way;
RESET enable_seqscan;
SET enable_indexscan = off;
ALTER TABLE answer ADD by_rows text;
UPDATE answer SET by_rows = rows_of(query) FROM way WHERE way.n = answer.n;
RESET enable_indexscan;
SELECT is(a.says, way.says, replace(query, :'lit', 'q')) FROM way JOIN answer a USING (n) ORDER BY n;
-- The order of rows that are equally near is nobody's promise, unless the query says it.
SELECT CASE WHEN query ~ 'ORDER BY.*(, id|DESC|<=> v)' THEN is(a.rows, a.by_rows, 'rows of ' || n) ELSE is(sorted(a.rows), sorted(a.by_rows), 'rows of ' || n) END
FROM way JOIN answer a USING (n) WHERE query !~ 'LIMIT (5|3)\)?( |$)' OR query ~ ', id' ORDER BY n;

-- Costs, settings, in all forms
SELECT is(says(format('SELECT id FROM t WHERE v <=> %L < 3', :'q')), 'a scan of it is expected to cost more than this plan', 'costs');
SET enable_indexscan = off;
SELECT is(says(format('SELECT id FROM t ORDER BY v <=> %L LIMIT 5', :'q')), 'enable_indexscan is off', 'a setting of PostgreSQL');
RESET enable_indexscan;
SET maskgen.distance_filter = off;
SELECT is(says(format('SELECT id FROM t WHERE v <=> %L < 0.3', :'q')), 'maskgen.distance_filter is off', 'a setting');
RESET maskgen.distance_filter;
CREATE FUNCTION lines(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE query; END $$;
SELECT set_eq(format('SELECT x FROM lines(%L) x WHERE x ~ ''^Index''', format('EXPLAIN (VERBOSE, ANALYZE) SELECT id FROM t ORDER BY v <-> %L LIMIT 5', :'q')),
	ARRAY['Index Not Used: ways_v: ORDER BY has the distance of <->, and the index is made for <=>'], 'as a line');
SELECT is_empty(format('SELECT x FROM lines(%L) x WHERE x ~ ''Not Used''', format('EXPLAIN SELECT id FROM t ORDER BY v <-> %L LIMIT 5', :'q')), 'in VERBOSE alone');
SELECT is_empty(format('SELECT x FROM lines(%L) x WHERE x ~ ''Not Used''', 'EXPLAIN (VERBOSE) SELECT id FROM t WHERE id = 7'), 'nothing where there is no distance');
DROP INDEX ways_v;
CREATE INDEX ways_v ON t USING maskgen_hnsw (v) WHERE g = 1;
SELECT is(says(format('SELECT id FROM t ORDER BY v <=> %L LIMIT 5', :'q')), 'its predicate does not follow from the conditions of the statement', 'an index on a part of the table');
INSERT INTO t (id, g) VALUES (0, 1);
SELECT is(says(format('SELECT id FROM t WHERE g = 1 ORDER BY 1 - (v <=> %L) DESC LIMIT 5', :'q')),
	'DESC puts rows without a vector first, which the index has not: add NULLS LAST, or WHERE with IS NOT NULL', 'rows without a vector');
INSERT INTO t VALUES (-1, 1, '[0,0,0,0,0,0,0,0]');
SELECT is(says(format('SELECT id FROM t WHERE g = 1 ORDER BY 1 - (v <=> %L) DESC NULLS LAST LIMIT 5', :'q')),
	'DESC puts vectors of zeros first, which the index has not: order by the distance itself', 'vectors of zeros');
SELECT is(says(format('SELECT id FROM t WHERE g = 1 AND 1 - (v <=> %L) > 0.9', :'q')),
	'vectors of zeros have the distance NaN, which is above any number, and the index has left out some: compare the distance itself, from above', 'and in a condition');
SELECT * FROM finish();
