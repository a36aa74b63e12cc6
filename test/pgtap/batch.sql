-- Plans that compute tasks in batches: where the nodes are, that results are those of the plan row by row, and what is computed.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET maskgen.enable_result_cache = off;
SELECT plan(131);

SELECT length(create_model('e', :'dir' || '/golden/tiny/bert-embed-mean')) + length(create_model('m', :'dir' || '/golden/tiny/bert-mlm')) > 0 AS made \gset
CREATE TABLE t (id int PRIMARY KEY, x text, y int, z text);
INSERT INTO t SELECT i, CASE WHEN i % 7 > 0 THEN 'wine ' || repeat('shoes ', i % 3) || i END, i % 5, CASE WHEN i % 2 = 0 THEN 'world' ELSE 'sports' END FROM generate_series(1, 200) i;
CREATE TABLE u (id int PRIMARY KEY, x text, y int);
INSERT INTO u SELECT id, x, y FROM t WHERE id <= 40;
CREATE TABLE parts (id int, x text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (30);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (30) TO (100);
INSERT INTO parts SELECT id, x FROM t WHERE id < 60;
ANALYZE t, u, parts;
CREATE FUNCTION sort_of(x text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT maskgen.classify('m', x, '{world,sports}') $$;

-- The nodes of a plan from its top on, as 'Limit > MaskgenBatch(1) > Seq Scan'; the number is that of calls, + says that there is a filter.
CREATE FUNCTION nodes(plan jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	name text := coalesce(plan ->> 'Custom Plan Provider' || '(' || jsonb_array_length(plan -> 'Calls') || ')', plan ->> 'Node Type')
		|| CASE WHEN plan ? 'Custom Plan Provider' AND plan ? 'Filter' THEN '+' ELSE '' END;
	below text;
BEGIN
	SELECT string_agg(nodes(child), ', ' ORDER BY n) INTO below FROM jsonb_array_elements(plan -> 'Plans') WITH ORDINALITY c (child, n);
	RETURN CASE WHEN below IS NULL THEN name WHEN jsonb_array_length(plan -> 'Plans') > 1 THEN name || ' > (' || below || ')' ELSE name || ' > ' || below END;
END $$;
CREATE FUNCTION shape(query text, options text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON' || options || ') ' || query INTO plan;
	RETURN nodes((plan -> 0 -> 'Plan')::jsonb);
END $$;
CREATE FUNCTION rows_of(query text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE found text[];
BEGIN
	EXECUTE 'SELECT coalesce(array_agg(q::text ORDER BY q::text COLLATE "C"), ''{}'') FROM (' || query || ') q' INTO found;
	RETURN found;
END $$;
CREATE FUNCTION rows_one_by_one(query text) RETURNS text[] LANGUAGE plpgsql SET maskgen.enable_batching = off AS $$
BEGIN
	RETURN rows_of(query);
END $$;
-- Three tests: the plan, that it is none of ours when switched off, and the rows
CREATE FUNCTION batched(query text, wanted text, about text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE plain text;
BEGIN
	RETURN NEXT is(shape(query), wanted, about || ': plan');
	PERFORM set_config('maskgen.enable_batching', 'off', true);
	plain := shape(query);
	PERFORM set_config('maskgen.enable_batching', 'on', true);
	RETURN NEXT ok(plain !~ 'Batch', about || ': switched off');
	RETURN NEXT ok(rows_of(query) = rows_one_by_one(query), about || ': rows');
END $$;
-- Texts that models computed since they were last asked about
CREATE FUNCTION computed(query text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM maskgen.stat_models_reset();
	EXECUTE query;
	RETURN (SELECT sum(rows - cache_hits) FROM maskgen.maskgen_stat_models);
END $$;

-- Where calls are
SELECT batched($$SELECT id, embed('e', x) FROM t$$, 'MaskgenBatch(1) > Seq Scan', 'target list');
SELECT batched($$SELECT embed('e', x), sort_of(x), sort_of(x) || id, y FROM t$$, 'MaskgenBatch(2) > Seq Scan', 'two functions, one twice');
SELECT batched($$SELECT embed('e', sort_of(x)) FROM t$$, 'MaskgenBatch(1) > MaskgenBatch(1) > Seq Scan', 'a call in a call');
SELECT batched($$SELECT embed_query('e', x), embed_document('e', x, 8), embed('e', x, 'p: ', 16, false) FROM t$$, 'MaskgenBatch(3) > Seq Scan', 'other functions');
SELECT batched($$SELECT t FROM t WHERE sort_of(x) = 'world'$$, 'MaskgenBatch(1)+ > Seq Scan', 'WHERE, and a whole row');
SELECT batched($$SELECT x FROM t WHERE sort_of(x) = 'world'$$, 'MaskgenBatch(1)+ > Seq Scan', 'WHERE, and a column like its result');
SELECT batched($$SELECT id, ctid, tableoid, sort_of(x) FROM t WHERE sort_of(x) = 'world' AND y > 1$$, 'MaskgenBatch(1)+ > Seq Scan', 'WHERE and target list share a call');
SELECT batched($$SELECT id, embed('e', x) FROM t WHERE sort_of(x) = 'world' AND sort_of(x || 'x') = 'world'$$,
	'MaskgenBatch(1) > MaskgenBatch(1)+ > MaskgenBatch(1)+ > Seq Scan', 'two conditions and a target');
SELECT batched($$SELECT id FROM t WHERE sort_of(x) = 'world' OR sort_of(x) = 'x' OR y = 3$$, 'MaskgenBatch(1)+ > Seq Scan', 'the first arm of OR');
SELECT batched($$SELECT count(*) FROM t JOIN u ON sort_of(t.x || u.x) = 'world' AND t.y = u.id$$,
	'Aggregate > MaskgenBatch(1)+ > Hash Join > (Seq Scan, Hash > Seq Scan)', 'ON of an inner join');
SELECT batched($$SELECT t.id, v FROM t JOIN (VALUES ('world'), ('sports')) v (v) ON sort_of(x) = v$$,
	'Hash Join > (MaskgenBatch(1) > Seq Scan, Hash > Values Scan)', 'the outer key of a hash join');
SELECT batched($$SELECT t.id, v, sort_of(v) FROM t JOIN (VALUES ('wine'), ('shoes')) v (v) ON sort_of(v) = t.z$$,
	'Hash Join > (Seq Scan, Hash > MaskgenBatch(1) > Values Scan)', 'the inner one');
SELECT batched($$SELECT t.id, v, sort_of(coalesce(v, '')) FROM t LEFT JOIN (VALUES ('wine'), ('shoes')) v (v) ON sort_of(coalesce(v, '')) = t.z$$,
	'MaskgenBatch(1) > Hash Join > (Seq Scan, Hash > MaskgenBatch(1) > Values Scan)', 'the inner one of an outer join');
SELECT batched($$SELECT t.id, u.id FROM t LEFT JOIN u ON t.y = u.y WHERE sort_of(coalesce(u.x, t.x)) = 'world'$$,
	'MaskgenBatch(1)+ > Hash Join > (Seq Scan, Hash > Seq Scan)', 'WHERE above an outer join');
SELECT batched($$SELECT id, sort_of(x) FROM t ORDER BY sort_of(x), id$$, 'Sort > MaskgenBatch(1) > Seq Scan', 'ORDER BY');
SELECT batched($$SELECT sort_of(x), count(*) FROM t GROUP BY 1 HAVING count(*) > 3$$, 'Aggregate > Sort > MaskgenBatch(1) > Seq Scan', 'GROUP BY');
SELECT batched($$SELECT y, sort_of(max(x)) FROM t GROUP BY y HAVING sort_of(max(x)) = 'sports'$$, 'MaskgenBatch(1)+ > Aggregate > Seq Scan', 'of an aggregate');
SELECT batched($$SELECT DISTINCT sort_of(x) FROM t$$, 'Unique > Sort > MaskgenBatch(1) > Seq Scan', 'DISTINCT');
SELECT batched($$SELECT y, max(sort_of(x)), count(embed('e', x)) FROM t GROUP BY y$$, 'Aggregate > MaskgenBatch(2) > Sort > Seq Scan', 'arguments of aggregates');
SELECT batched($$SELECT count(*) FILTER (WHERE sort_of(x) = 'world') FROM t$$, 'Aggregate > MaskgenBatch(1) > Seq Scan', 'FILTER');
SELECT batched($$SELECT id, max(sort_of(x)) OVER (PARTITION BY y ORDER BY id), sort_of(max(x) OVER (PARTITION BY y ORDER BY id)) FROM t$$,
	'MaskgenBatch(1) > WindowAgg > MaskgenBatch(1) > Sort > Seq Scan', 'a windowed aggregate');
SELECT batched($$SELECT x, y, count(sort_of(x)), sort_of(x) FROM u GROUP BY GROUPING SETS ((x), (y))$$, 'MaskgenBatch(1) > Aggregate > MaskgenBatch(1) > Sort > Seq Scan',
	'grouping sets, which make columns NULL');
SELECT batched($$WITH c AS MATERIALIZED (SELECT id, sort_of(x) AS k FROM t) SELECT k, count(*) FROM c GROUP BY k$$,
	'Aggregate > (MaskgenBatch(1) > Seq Scan, CTE Scan)', 'a CTE');
SELECT batched($$SELECT id, sort_of(x) FROM t UNION ALL SELECT id, sort_of(x) FROM u WHERE id < 5$$,
	'Append > (MaskgenBatch(1) > Seq Scan, MaskgenBatch(1) > Seq Scan)', 'UNION ALL');
SELECT batched($$SELECT id, sort_of(x) FROM parts$$, 'Append > (MaskgenBatch(1) > Seq Scan, MaskgenBatch(1) > Seq Scan)', 'partitions');
SELECT batched($$SELECT u.id, l.* FROM u, LATERAL (SELECT t.id, sort_of(t.x || u.id) FROM t WHERE t.y = u.y ORDER BY t.id LIMIT 2) l$$,
	'Nested Loop > (Seq Scan, Limit > MaskgenBatch(1) > Index Scan)', 'LATERAL');
SELECT batched($$SELECT id, embed('e', (SELECT u.x FROM u WHERE u.id = t.id)) FROM t$$, 'MaskgenBatch(1) > (Seq Scan, Seq Scan)', 'a subquery as the input');
SELECT batched($$SELECT sort_of(column1) FROM (VALUES ('wine'), (NULL), ('shoes')) v$$, 'MaskgenBatch(1) > Values Scan', 'VALUES');
SELECT batched($$SELECT sort_of(g::text) FROM generate_series(1, 5) g$$, 'MaskgenBatch(1) > Function Scan', 'a function''s rows');
SELECT batched($$SELECT (SELECT sort_of(x) FROM u WHERE id = 3), id FROM u$$, 'Seq Scan > MaskgenBatch(1) > Seq Scan', 'an initplan');
SELECT batched($$SELECT id FROM u WHERE EXISTS (SELECT FROM t WHERE t.y = u.y AND sort_of(t.x || u.x) = 'world' OFFSET 0)$$,
	'Seq Scan > MaskgenBatch(1)+ > Seq Scan', 'a correlated EXISTS');
SELECT batched($$WITH RECURSIVE r (n, k) AS (SELECT 1, 'wine' UNION ALL SELECT n + 1, sort_of(k || n) FROM r WHERE n < 6) SELECT * FROM r$$,
	'CTE Scan > Recursive Union > (Result, MaskgenBatch(1) > WorkTable Scan)', 'a recursive query');

SELECT batched($$SELECT id, n FROM (SELECT id, x, row_number() OVER () AS n FROM t ORDER BY y, id) s WHERE sort_of(x) = 'world' LIMIT 20$$,
	'Limit > MaskgenBatch(1)+ > Subquery Scan > Sort > WindowAgg > Seq Scan', 'a sort below a filter below a LIMIT');

-- The unique label of a row is known by the very condition that is moved out of the join.
CREATE TABLE label (name text PRIMARY KEY);
INSERT INTO label VALUES ('neither'), ('world'), ('sports');
ANALYZE label;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SET enable_bitmapscan = off;
SELECT batched($$SELECT t.id, name FROM t JOIN label ON name = sort_of(t.x)$$, 'MaskgenBatch(1)+ > Nested Loop > (Seq Scan, Materialize > Seq Scan)', 'a join with a unique row');
RESET enable_mergejoin;
RESET enable_indexscan;
SET enable_nestloop = off;
SET enable_sort = off;
SET enable_material = off;
CREATE INDEX t_y ON t (y);
CREATE INDEX u_y ON u (y);
SELECT batched($$SELECT t.id, u.id FROM t JOIN u USING (y) WHERE sort_of(u.x) = 'world' AND sort_of(t.x) = 'world'$$, 'Merge Join > (MaskgenBatch(1)+ > Index Scan, Index Scan)', 'not: the inner side of a merge join');
RESET enable_hashjoin;
RESET enable_nestloop;
RESET enable_sort;
RESET enable_material;
DROP INDEX t_y, u_y;
RESET enable_indexonlyscan;
RESET enable_bitmapscan;

-- Where they are not
SELECT is(shape(query), plan, about) FROM (VALUES
	($$SELECT CASE WHEN y = 1 THEN sort_of(x) END, coalesce(x, sort_of(y::text)) FROM t$$, 'Seq Scan', 'not: arms'),
	($$SELECT id FROM t WHERE y = 1 OR sort_of(x) = 'world'$$, 'Seq Scan', 'not: the second arm of OR'),
	($$SELECT max(sort_of(x)) FILTER (WHERE y = 1) FROM t$$, 'Aggregate > Seq Scan', 'not: an argument under FILTER'),
	($$SELECT embed('e', 'wine'), id FROM t$$, 'Seq Scan', 'not: a constant'),
	($$SELECT embed('e', random()::text) FROM t$$, 'Seq Scan', 'not: a volatile argument'),
	($$SELECT embed(left(x, 1), x) FROM t$$, 'Seq Scan', 'not: a model that differs'),
	($$SELECT unnest(ARRAY[sort_of(x), x]), id FROM t$$, 'ProjectSet > Seq Scan', 'not: beside a set'),
	($$SELECT t.id, u.y FROM t LEFT JOIN u ON t.y = u.y AND sort_of(t.x || u.x) = 'world'$$, 'Hash Join > (Seq Scan, Hash > Seq Scan)', 'not: ON of an outer join'),
	($$SELECT first_value(sort_of(x)) OVER (ORDER BY y) FROM u$$, 'WindowAgg > Sort > Seq Scan', 'not: an argument asked for by position'),
	($$UPDATE u SET y = 1 RETURNING sort_of(x)$$, 'ModifyTable > Seq Scan', 'not: RETURNING'),
	($$INSERT INTO u VALUES (1, 'x', 1) ON CONFLICT (id) DO UPDATE SET x = sort_of(u.x)$$, 'ModifyTable > Result', 'not: ON CONFLICT')) v (query, plan, about);
-- What is computed: as many texts as rows are asked for
SELECT is(computed($$SELECT embed('e', 'wine ' || id) FROM t LIMIT 10$$), 10::bigint, 'LIMIT 10 computes 10');
SELECT is(computed($$SELECT embed('e', 'wine ' || id) FROM t LIMIT 10 OFFSET 7$$), 17::bigint, 'and those that OFFSET skips, as ever');
SELECT is(computed($$SELECT embed('e', 'wine ' || id) FROM t ORDER BY x || y LIMIT 10$$), 10::bigint, 'LIMIT above a sort');
SELECT is(computed($$SELECT * FROM (SELECT id, embed('e', sort_of('wine ' || id)) FROM t) s LIMIT 4$$), 8::bigint, 'LIMIT above a call in a call');
SELECT is(computed($$SELECT embed('e', 'wine ' || id) FROM t LIMIT 0$$), 0::bigint, 'LIMIT 0 computes nothing');
SELECT is(computed($$SELECT FROM t WHERE sort_of('wine ' || id) IS NOT NULL LIMIT 10$$), 10::bigint, 'a filter computes first what a LIMIT needs at least');
SELECT cmp_ok(computed($$SELECT FROM t WHERE sort_of('wine ' || id) IS NOT NULL AND id % 2 = 0 AND sort_of(id || ' red shoes') IS NOT NULL LIMIT 20$$), '<=', 80::bigint,
	'and never twice as many as needed');
SELECT is(computed($$SELECT EXISTS (SELECT FROM t WHERE sort_of('wine ' || id) IS NOT NULL)$$), 1::bigint, 'EXISTS');
SELECT is(computed($$SELECT count(*) FROM u WHERE EXISTS (SELECT FROM t WHERE sort_of('wine ' || t.id || '-' || u.id) IS NOT NULL AND t.y > u.id - 100 OFFSET 0)$$), 40::bigint, 'EXISTS, many times');
SELECT is(computed($$SELECT embed('e', x) FROM t WHERE x IS NULL$$), 0::bigint, 'nothing for NULLs');
SELECT is(computed($$SELECT embed(NULL, x) FROM t$$), 0::bigint, 'nor if another argument is NULL');
PREPARE first_n (int) AS SELECT embed('e', 'wine ' || id) FROM t LIMIT $1;
SET plan_cache_mode = force_generic_plan;
SELECT is(computed('EXECUTE first_n (' || n || ')'), n::bigint, 'a parameter as LIMIT: ' || n) FROM unnest(ARRAY[3, 12]) n;
RESET plan_cache_mode;
CREATE FUNCTION fetched(n int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	c CURSOR FOR SELECT embed('e', 'wine ' || id) FROM t;
	v vector;
BEGIN
	OPEN c;
	FOR i IN 1..n LOOP
		FETCH c INTO v;
	END LOOP;
	RETURN n;
END $$;
SELECT is(computed('SELECT fetched(5)'), 8::bigint, 'a cursor computes less than twice what is fetched');
CREATE FUNCTION sort_method(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || query INTO plan;
	RETURN substring(plan::text FROM '"Sort Method": "([^"]*)"');
END $$;
SELECT is(sort_method($$SELECT embed('e', x) FROM t ORDER BY y LIMIT 3$$), 'top-N heapsort', 'a sort below knows of the LIMIT');

SELECT * FROM finish();
