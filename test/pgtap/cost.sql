-- What the planner believes of tasks: costs, rows, selectivity, order of conditions, and parallel plans of small tables.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT plan(97);

SELECT :'dir' || '/golden/tiny/bert-embed-mean' AS mean, :'dir' || '/golden/tiny/bert-mlm' AS mlm \gset
-- What is in memory is by content: prompts that no other test's models have.
CREATE FUNCTION make(name text, path text, dtype text) RETURNS text LANGUAGE sql AS $$
	SELECT maskgen.create_model(name, path, pg_catalog.jsonb_build_object('dtype', dtype, 'prompts',
		pg_catalog.jsonb_build_object('query', 'cost test')))
$$;
SELECT make('e', :'mean', 'f32') AS e, make('e8', :'mean', 'int8') AS e8, make('m', :'mlm', 'f32') AS m \gset

CREATE FUNCTION plan_of(query text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN plan -> 0;
END $$;
CREATE FUNCTION text_of(query text) RETURNS text LANGUAGE sql AS $$ SELECT plan_of(query)::text $$;
CREATE FUNCTION rows_of(query text) RETURNS int LANGUAGE sql AS $$ SELECT (plan_of(query) -> 'Plan' ->> 'Plan Rows')::float8::int $$;
-- What an expression costs for each row of t.
CREATE FUNCTION cost_of(expression text) RETURNS numeric LANGUAGE sql AS $$
	SELECT ((plan_of(format('SELECT %s FROM t', expression)) -> 'Plan' ->> 'Total Cost')::numeric
		- (plan_of('SELECT 1 FROM t') -> 'Plan' ->> 'Total Cost')::numeric) / 200
$$;
CREATE TABLE t AS SELECT i AS id, 'w' || i AS word, 'two words' AS label, 'a line ' || 1000 + i AS line,
	repeat('much longer ', 4) || i AS page, repeat('much longer ', 80) || i AS book, ARRAY['a', 'bb'] AS texts FROM generate_series(1, 200) i;
ANALYZE t;
SET max_parallel_workers_per_gather = 0;

-- Costs
SELECT cmp_ok(cost_of($$embed('e', line)$$), '>', cost_of($$embed('e', word)$$), 'wider texts cost more');
SELECT cmp_ok(cost_of($$embed('e', page)$$), '>', cost_of($$embed('e', line)$$), 'and still wider ones still more');
SELECT is(cost_of($$embed('e', book || book)$$) - cost_of($$embed('e', book)$$), cost_of('book || book'), 'up to what the model reads');
SELECT cmp_ok(cost_of($$embed('e', line || line)$$), '>', cost_of($$embed('e', line)$$) + cost_of('line || line'), 'an expression is as wide as its parts');
SELECT is(cost_of($$embed('e', coalesce(line, word))$$), cost_of($$embed('e', line)$$), 'alternatives are as wide as the widest');
SELECT is(cost_of($$embed('e', CASE WHEN id = 1 THEN word ELSE line END)$$) - cost_of('CASE WHEN id = 1 THEN word ELSE line END'),
	cost_of($$embed('e', line)$$) - cost_of('line'), 'those of CASE as well');
CREATE TABLE t_far AS SELECT * FROM t;
ALTER TABLE t_far ALTER book SET STORAGE external;
UPDATE t_far SET book = repeat(book, 3);
VACUUM ANALYZE t_far;
SELECT cmp_ok((plan_of($$SELECT embed('e', book) FROM t_far$$) -> 'Plan' ->> 'Total Cost')::numeric, '>', 200 * cost_of($$embed('e', page)$$) + 20,
	'texts out of line are wide');
SELECT cmp_ok(cost_of($$embed('e8', page)$$), '<', cost_of($$embed('e', page)$$), '8 bits cost less');
SELECT cmp_ok(cost_of($$embed('e', word, repeat('prompt ', 30))$$), '>', cost_of($$embed('e', word)$$), 'a prompt costs');
SELECT is(cost_of($$embed_document('e', line)$$), cost_of($$embed('e', line)$$), 'embed_document costs what embed costs');
SELECT cmp_ok(cost_of($$embed_batch('e', ARRAY[line, line, line])$$), '>', cost_of($$embed('e', line)$$) * 2.5, 'three texts cost three times');
SELECT is(cost_of(format('%s(%L, word)', f, 'nowhere')), 500.0, f || ' of no model: the COST of pg_proc') FROM unnest('{embed,embed_query,embed_document}'::text[]) f;
SELECT is(cost_of($$embed(word, line)$$), 500.0, 'nor of a model that is not known yet');
SET maskgen.embed_model = 'e';
SELECT is(cost_of('embed(line)'), cost_of($$embed('e', line)$$), 'the model of the setting');
SET maskgen.embed_model = '';
SELECT is(cost_of('embed(line)'), 500.0, 'or none');
SELECT cmp_ok(cost_of($$classify('m', line, '{world,sports news}')$$), '>', cost_of($$classify('m', line, '{world,sports}')$$) * 1.5,
	'labels of different lengths take a sequence each');
SELECT cmp_ok(cost_of($$classify('m', line, '{world,sports}')$$), '>', cost_of($$embed('m', line)$$), 'a template costs');
SELECT is(cost_of($$classify('e', line, '{world,sports news}')$$), cost_of($$embed('e', line)$$), 'an embedder classifies at the cost of embedding');
SET maskgen.classify_model = 'm';
SELECT is(cost_of($$classify(line, '{world,sports}')$$), cost_of($$classify('m', line, '{world,sports}')$$), 'classify by the setting');
SELECT is(cost_of($$classify('nowhere', line, '{a,b}')$$), 5000.0, 'classify of no model');
SELECT cmp_ok(cost_of($$count_tokens('m', page)$$), '<', cost_of($$embed('m', page)$$) / 2, 'tokens alone are cheap');
SELECT cmp_ok(cost_of($$count_tokens('m', page)$$), '>', cost_of($$count_tokens('m', word)$$), 'by their number');

SELECT cmp_ok((plan_of($$SELECT FROM t, fill_mask('m', line)$$) -> 'Plan' ->> 'Total Cost')::numeric, '>', 200 * cost_of($$classify('m', line, '{a}')$$) / 2,
	'a function in FROM is run for each row');
SELECT cmp_ok((plan_of($$SELECT FROM generate_series(1, 200), fill_mask('m', 'a [MASK]')$$) -> 'Plan' ->> 'Total Cost')::numeric, '<',
	20 * cost_of($$classify('m', line, '{a}')$$), 'but once if its arguments are the same');

-- Planning reads neither model nor grants.
SELECT ok(NOT bool_or(loaded), 'no model was loaded for that') FROM maskgen_models;
CREATE ROLE maskgen_cost_stranger;
GRANT SELECT ON t TO maskgen_cost_stranger;
SELECT cost_of($$embed('e', line)$$) AS of_owner \gset
BEGIN;
SET LOCAL ROLE maskgen_cost_stranger;
SELECT is(cost_of($$embed('e', line)$$), :of_owner, 'costs are no secret');
ROLLBACK;
REVOKE ALL ON t FROM maskgen_cost_stranger;
DROP ROLE maskgen_cost_stranger;

CREATE TYPE topic AS ENUM ('world', 'sports');
-- Planning fails for nothing that only running should find.
SELECT lives_ok(format('EXPLAIN SELECT %s FROM t', expression), 'planned: ' || left(expression, 60)) FROM unnest(ARRAY[
	$$classify('m', line, '{}')$$, $$classify('m', line, '{a,NULL,b}') = 'a'$$, $$classify('m', line, '{{a,b},{c,d}}') = 'a'$$, $$classify('m', line, NULL)$$,
	$$classify('m', line, texts) = 'a'$$, $$classify_as('m', line, 'x'::char::text::topic)$$, $$embed('', line)$$, $$embed(repeat('m', 100), line)$$,
	$$embed(NULL, line)$$, $$embed('e', NULL)$$, $$embed_batch('e', NULL)$$, $$embed_batch('e', texts)$$, $$embed_batch('e', '{}')$$, $$fill_mask('m', line, -3)$$,
	$$fill_mask('m', line, NULL)$$, $$fill_mask('m', line, 1000000000)$$, $$embed('e', input => line, dims => 4)$$,
	$$(SELECT embed('e', t.line || x) FROM unnest(texts) x WHERE classify('m', x, '{a,b}') = classify('m', t.line, '{b,c}') LIMIT 1)$$]) expression;

-- Rows
SELECT is(rows_of($$SELECT fill_mask('m', line || ' [MASK]', 7) FROM t$$), 1400, 'fill_mask: top_k');
SELECT is(rows_of($$SELECT fill_mask('m', line, 7, '{paris,france}') FROM t$$), 400, 'or as many as there are targets');
SELECT is(rows_of($$SELECT * FROM fill_mask('m', 'a [MASK] and a [MASK]', 3)$$), 6, 'for each mask');
SELECT is(rows_of($$SELECT classify_scores('m', line, '{world,sports,news}') FROM t$$), 600, 'classify_scores: labels');
SELECT cmp_ok(rows_of($$SELECT tokens('m', book) FROM t$$), '>', rows_of($$SELECT tokens('m', word) FROM t$$) * 5, 'tokens: by width');

-- Selectivity
CREATE FUNCTION where_(condition text) RETURNS int LANGUAGE sql AS $$ SELECT rows_of('SELECT FROM t WHERE ' || condition) $$;
SELECT is(where_($$classify('m', line, '{a,b,c,d}') = 'b'$$), 50, 'one of four labels');
SELECT is(where_($$'b' = classify('m', line, '{a,b,c,d}')$$), 50, 'the other way round');
SELECT is(where_($$classify('m', line, '{a,b,c,d}') <> 'b'$$), 150, 'three of four');
SELECT is(where_($$classify('m', line, '{a,b,c,d}') IN ('a', 'b', 'x')$$), 100, 'two of four');
SELECT is(where_($$classify('m', line, '{a,b,c,d}') = 'x'$$), 1, 'none of them');
SELECT is(where_($$classify(line, '{a,b}') = 'b'$$), 100, 'by the setting');
SELECT is(where_($$classify_as('m', line, NULL::topic) = 'world'$$), 100, 'an enum');
SELECT is(where_($$classify_as('m', line, 'world'::topic) = 'world'$$), 100, 'by a value of it');
SELECT is(rows_of($$SELECT classify('m', line, '{a,b,c}'), count(*) FROM t GROUP BY 1$$), 3, 'groups');
CREATE TABLE part (body text, n int) PARTITION BY LIST (n);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_2 (n int, dropped int, body text);
ALTER TABLE part_2 DROP dropped;
ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES IN (2);
INSERT INTO part SELECT line, 1 + id % 2 FROM t;
ANALYZE part;
SELECT is(rows_of($$SELECT FROM part WHERE classify('m', body, '{a,b,c,d}') = 'b'$$), 50, 'of partitions');
SELECT is(rows_of($$SELECT FROM t JOIN part p ON p.body = t.line WHERE classify('m', p.body, '{a,b,c,d}') = 'b' AND t.id > 0$$), 50, 'in a join');
CREATE TABLE skew AS SELECT 'the capital' AS body FROM generate_series(1, 200);
CREATE INDEX skew_topic ON skew (classify('m', body, '{world,sports}'));
ANALYZE skew;
SELECT is(rows_of(format($$SELECT FROM skew WHERE classify('m', body, '{world,sports}') = %L$$, classify('m', 'the capital', '{world,sports}'))), 200,
	'what ANALYZE found wins');

-- Cheap conditions first, whatever the order in which they are written, and with an index
SELECT load_model('m');
CREATE FUNCTION asked(query text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM maskgen.stat_models_reset('m');
	EXECUTE query;
	RETURN rows FROM maskgen.maskgen_stat_models WHERE name = 'm';
END $$;
SELECT is(asked($$SELECT FROM t WHERE classify('m', word, '{world,sports}') = 'world' AND id % 50 = 7$$), 4::bigint, 'a cheap condition comes first');
CREATE INDEX t_id ON t (id);
SET enable_seqscan = off;
SELECT is(asked($$SELECT FROM t WHERE classify('m', word, '{world,sports}') = 'world' AND id BETWEEN 3 AND 5 AND word <> 'w4'$$), 2::bigint, 'behind an index, too');
RESET enable_seqscan;

-- No compiling
SET jit = on;
SET jit_above_cost = 0;
SELECT ok(plan_of($$SELECT id + 1 FROM t$$) ? 'JIT' OR NOT pg_jit_available(), 'a statement of other work may be compiled');
SELECT ok(NOT plan_of($$SELECT embed('e', line) FROM t$$) ? 'JIT', 'one that runs a model is not');
RESET jit;

-- Parallel plans
RESET max_parallel_workers_per_gather;
SET parallel_setup_cost = 100;
CREATE FUNCTION workers(query text) RETURNS int LANGUAGE sql AS $$ SELECT coalesce((regexp_match(text_of(query), '"Workers Planned": (\d+)'))[1]::int, 0) $$;
SELECT is(workers($$SELECT embed('e', page) FROM t$$), 2, 'a small table in parallel');
SELECT is(workers($$SELECT page FROM t$$), 0, 'not for reading it');
SELECT is(workers($$SELECT embed('e', page) FROM t WHERE id = 7$$), 0, 'nor for one row');
SELECT is(workers($$SELECT embed('e', page) FROM t LIMIT 3$$), 0, 'nor for a few by LIMIT');
SELECT is(workers($$SELECT count(*) FROM t WHERE classify('m', page, '{a,b}') = 'a'$$), 2, 'a condition');
SELECT is(workers($$SELECT embed('e', t.page || p.n) FROM t JOIN part p ON t.line = p.body$$), 2, 'a join');
SELECT is(workers($$SELECT embed('e', body) FROM part$$), 2, 'partitions');
SELECT is(workers($$SELECT embed('e', page) <=> '[0]' FROM t ORDER BY 1 LIMIT 3$$), 2, 'a sort that needs all rows');
SELECT is(workers($$SELECT token FROM t, fill_mask('m', page)$$), 2, 'a function in FROM');
ALTER TABLE t SET (parallel_workers = 1);
SELECT is(workers($$SELECT embed('e', page) FROM t$$), 1, 'parallel_workers is obeyed');
ALTER TABLE t SET (parallel_workers = 0);
SELECT is(workers($$SELECT embed('e', page) FROM t$$), 0, 'and turns it off');
ALTER TABLE t RESET (parallel_workers);
SET max_parallel_workers_per_gather = 1;
SELECT is(workers($$SELECT embed('e', page) FROM t$$), 1, 'max_parallel_workers_per_gather is obeyed');
RESET max_parallel_workers_per_gather;
CREATE TABLE one AS SELECT page FROM t LIMIT 1;
ANALYZE one;
SELECT is(workers($$SELECT embed('e', page) FROM one$$), 0, 'one row is not split');
CREATE FUNCTION unsafe() RETURNS int LANGUAGE sql AS 'SELECT 1' PARALLEL UNSAFE VOLATILE;
SELECT is(workers($$SELECT embed('e', page), unsafe() FROM t$$), 0, 'what is unsafe stays serial');
CREATE TEMP TABLE temporary AS SELECT page FROM t;
ANALYZE temporary;
SELECT is(workers($$SELECT embed('e', page) FROM temporary$$), 0, 'temporary tables, too');
SET parallel_setup_cost = 1e10;
SELECT is(workers($$SELECT embed('e', page) FROM t$$), 0, 'workers have to be worth starting');
SET parallel_setup_cost = 100;
SELECT results_eq($$SELECT embed('e', page) FROM t ORDER BY id$$, $$SELECT unnest(embed_batch('e', array_agg(page ORDER BY id))) FROM t$$, 'workers give the same');

SET max_parallel_workers_per_gather = 0;
-- What a node of ours costs is its own: the node below has what it would have without calls, the top what it has without batches
CREATE FUNCTION node_of(query text, VARIADIC path int[] DEFAULT '{}') RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE node jsonb := plan_of(query) -> 'Plan'; child int;
BEGIN
	FOREACH child IN ARRAY path LOOP
		node := node -> 'Plans' -> child;
	END LOOP;
	RETURN node;
END $$;
CREATE FUNCTION total(node jsonb) RETURNS numeric LANGUAGE sql AS $$ SELECT (node ->> 'Total Cost')::numeric $$;
CREATE FUNCTION unbatched(query text) RETURNS numeric LANGUAGE sql SET maskgen.enable_batching = off AS $$ SELECT total(node_of(query)) $$;
SELECT is(total(node_of($$SELECT embed('e', line) FROM t$$, 0)), total(node_of('SELECT line FROM t')), 'the scan below a call');
SELECT is(total(node_of(q)), unbatched(q), 'the top: ' || q) FROM unnest(ARRAY[$$SELECT embed('e', line) FROM t$$,
	$$SELECT id FROM t WHERE classify('m', line, '{world,sports}') = 'world'$$, $$SELECT avg(embed('e', line)) FROM t$$]) q;
SELECT is((node_of(q, 0) ->> 'Plan Rows')::int, 200, 'the scan gives what a condition is checked for') FROM (VALUES ($$SELECT id FROM t WHERE classify('m', line, '{world,sports}') = 'world'$$)) x(q);
SELECT cmp_ok(total(node_of($$SELECT id FROM t WHERE classify('m', line, '{world,sports}') = 'world'$$, 0)), '<', 40.0, 'for what it costs');
SELECT is(round(total(node_of($$SELECT avg(embed('e', line)) FROM t$$, 0)) - total(node_of('SELECT line FROM t'))), round(200 * cost_of($$embed('e', line)$$)),
	'calls below an aggregate');
SELECT cmp_ok(total(node_of($$SELECT embed('e', line) FROM t WHERE id % 2 = 0 AND classify('m', line, '{world,sports}') = 'world'$$, 0)), '>',
	total(node_of($$SELECT embed('e', line) FROM t WHERE id % 2 = 0 AND classify('m', line, '{world,sports}') = 'world'$$, 0, 0)) * 5, 'a level for conditions');
-- Each node of a plan costs at least what those below it cost.
CREATE FUNCTION cheap(node jsonb) RETURNS jsonb LANGUAGE sql AS $$
	WITH RECURSIVE walk(node, above) AS (
		SELECT node, NULL::numeric UNION ALL SELECT child, CASE WHEN walk.node ->> 'Node Type' <> 'Limit' THEN total(walk.node) END
		FROM walk, jsonb_array_elements(walk.node -> 'Plans') child
	) SELECT walk.node FROM walk WHERE total(walk.node) > above LIMIT 1
$$;
SELECT is((SELECT jsonb_agg(cheap(plan_of(q) -> 'Plan')) FILTER (WHERE cheap(plan_of(q) -> 'Plan') IS NOT NULL) FROM unnest(ARRAY[
	$$SELECT embed('e', line), classify('m', classify('m', line, '{world,sports}'), '{a,b}') FROM t WHERE id < 50 AND classify('m', page, '{a,b}') = 'a'$$,
	$$SELECT a.id FROM t a JOIN t b ON classify('m', a.line, '{a,b}') = classify('m', b.word, '{a,b}') AND a.id = b.id$$,
	$$SELECT classify('m', line, '{a,b}'), count(*) FROM t GROUP BY 1 HAVING classify('m', max(word), '{a,b}') = 'a'$$,
	$$SELECT embed('e', line) FROM t ORDER BY word LIMIT 3$$, $$SELECT classify('m', x.line, '{a,b}') FROM (SELECT line FROM t UNION ALL SELECT word FROM t) x$$]) q),
	NULL, 'no node costs less than one below');
SELECT ok((node_of($$SELECT id FROM t WHERE id < 20 AND classify('m', line, '{a,b}') = 'a'$$, 0) ->> 'Plan Rows')::int BETWEEN 10 AND 30, 'a condition that stays below');

-- What pg_proc says of each function with a support function is what its description in the library says, by names and types: a function that
-- is not described so keeps its COST.
CREATE TYPE cost_kind AS ENUM ('a', 'b');
SET maskgen.embed_model = 'e';
SET maskgen.classify_model = 'm';
CREATE VIEW described AS
SELECT p.oid, p.oid::regprocedure::text AS name, p.proname || '(' || string_agg(CASE
		WHEN a.name = 'model' THEN quote_literal(CASE WHEN p.proname ~ '^embed' THEN 'e' ELSE 'm' END)
		WHEN a.name IN ('input', 'document') OR a.name = 'prompt' AND p.proname ~ '^(generate|logprob)' THEN 'line' WHEN a.name IN ('inputs', 'documents') THEN 'ARRAY[line]' WHEN a.type = 'anyenum'::regtype THEN 'NULL::cost_kind'
		WHEN a.type = 'text[]'::regtype THEN quote_literal('{a,b}') || '::text[]' WHEN a.type = 'int'::regtype THEN '3'
		WHEN a.type = 'bool'::regtype THEN 'true' WHEN a.type IN ('real'::regtype, 'bigint'::regtype) THEN '1' WHEN a.type = 'jsonb'::regtype THEN quote_literal('{}') ELSE quote_literal('') END, ', ' ORDER BY a.n) || ')' AS expression
FROM pg_proc p JOIN pg_proc s ON s.oid = p.prosupport AND s.prosrc ~ '^maskgen_.*_support$',
	unnest(p.proargtypes::oid[], p.proargnames[1:p.pronargs]) WITH ORDINALITY a (type, name, n)
WHERE p.pronamespace <> '"+maskgen"'::regnamespace -- what is inlined, and not in the search_path by that name
GROUP BY p.oid;
SELECT set_has('SELECT split_part(name, ''('', 1) FROM described', $$VALUES ('embed'), ('classify'), ('rerank_score'), ('rerank'), ('classify_own'), ('classify_own_scores'),
	('classify_pair'), ('entities'), ('mask_entities'), ('token_anomalies'), ('embed_tokens'), ('embed_sparse'), ('generate'), ('logprob'), ('perplexity'), ('classify_multi'), ('label_scores'), ('mask_state')$$, 'functions have a support function');
BEGIN;
UPDATE pg_proc SET procost = 1e12 WHERE oid IN (SELECT oid FROM described);
SELECT is(string_agg(name, ' '), NULL, 'each is described as pg_proc has it') FROM described WHERE cost_of(expression) > 1e9;
CREATE TEMP TABLE expressions AS SELECT * FROM described;
UPDATE pg_proc SET proargnames[1] = 'other' WHERE oid IN (SELECT oid FROM expressions);
SELECT is(string_agg(name, ' '), NULL, 'and none under another name of an argument') FROM expressions WHERE cost_of(expression) < 1e9;
ROLLBACK;
SELECT * FROM finish();
