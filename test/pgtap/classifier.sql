-- Classifiers as values: in and out, what they say, what they are fitted to; the same bits whatever the order and the plan.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT plan(79);

CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text; detail text;
BEGIN
	EXECUTE statement;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || said || coalesce(': ' || nullif(detail, ''), '');
END $$;

-- In and out
CREATE TABLE c (name text, value classifier);
INSERT INTO c VALUES ('plain', '{"method": "ridge", "dims": 3, "labelled": 7, "accuracy": 0.5, "labels": ["a", "\"b\" \u00e4"], "biases": [0.1, -1e-30], "weights": [[1, 2.5, 3], [3.4e38, 0, -7e-45]]}');
SELECT is((SELECT value::text FROM c), '{"method": "ridge", "dims": 3, "labelled": 7, "unlabelled": 0, "accuracy": 0.5, "labels": ["a", "\"b\" ä"], "biases": [0.1, -1e-30], "weights": [[1, 2.5, 3], [3.4e+38, 0, -7e-45]]}', 'out');
SELECT is(value::text::classifier::text, value::text, 'and in again') FROM c;
SELECT results_eq('SELECT i.* FROM c, classifier_info(value) i', $$VALUES ('ridge'::text, '{a,"\"b\" ä"}'::text[], 3, 7::bigint, 0::bigint, 0.5::float8)$$, 'what it is');
SELECT is(refused(format('SELECT %L::classifier', t)), '22P02 invalid input syntax for type classifier: ' || e, e) FROM (VALUES
	('', 'It is not valid JSON.'),
	('[]', 'It is not a JSON object.'),
	('{"method": "magic", "labels": ["a"], "biases": [0], "weights": [[1]]}', '"method" is not one that there is.'),
	('{"method": "ridge", "labels": "a", "biases": [0], "weights": [[1]]}', '"labels" is not an array.'),
	('{"method": "ridge", "labels": [1], "biases": [0], "weights": [[1]]}', 'A label is not a string.'),
	('{"method": "ridge", "labels": ["a"], "biases": [0, 1], "weights": [[1]]}', 'biases are not 1 numbers.'),
	('{"method": "ridge", "labels": ["a", "b"], "biases": [0, 1], "weights": [[1], [1, 2]]}', 'weights are not 1 numbers.'),
	('{"method": "ridge", "labels": ["a"], "biases": [1e39], "weights": [[1]]}', 'biases is not a number between -3.40282e+38 and 3.40282e+38.'),
	('{"method": "ridge", "labels": ["a"], "biases": [0], "weights": [["x"]]}', 'weights is not a number between -3.40282e+38 and 3.40282e+38.'),
	('{"method": "ridge", "labels": ["a"], "biases": [0], "weights": [[1]], "dims": 2}', '"dims" is not the number of weights of a label.'),
	('{"method": "ridge", "labels": ["a"], "biases": [0], "weights": [[1]], "accuracy": 2}', 'accuracy is not a number between 0 and 1.'),
	('{"method": "ridge", "labels": [], "biases": [], "weights": []}', '"weights" are not an array of numbers for each label, or there are too many labels.')) bad (t, e);
SELECT is(refused($$SELECT '{"method": "ridge", "labels": ["a", "a"], "biases": [0, 1], "weights": [[1], [1]]}'::classifier$$), '22023 label "a" stands there twice', 'a label twice');
SELECT is(refused($$SELECT '{"method": "ridge", "labels": ["a"], "biases": [0], "weights": [[]]}'::classifier$$),
	'22P02 invalid input syntax for type classifier: A label has no weights.', 'no dimensions');
SELECT is(refused(format($$SELECT '{"method": "ridge", "labels": ["a"], "biases": [0], "weights": [[1]], "labelled": %s}'::classifier$$, n)),
	'22P02 invalid input syntax for type classifier: labelled is not a whole number of rows.', n || ' rows') FROM unnest('{1.5,-1,9223372036854775808}'::text[]) n;
SELECT is((classifier_info('{"method": "ridge", "labels": ["a"], "biases": [0], "weights": [[1]], "labelled": 9007199254740991}')).labelled, 9007199254740991, 'as many rows as JSON has');
SELECT is(refused($$SELECT fit_labels(ARRAY[repeat('é', 40) || 'é', repeat('é', 41)], '[1,2]'::vector, '{1,2}')$$), '22023 label "' || repeat('é', 32) || '" stands there twice', 'a long label is cut between characters')
UNION ALL SELECT is(refused($$SELECT fit_labels(ARRAY['x' || repeat('é', 40), 'x' || repeat('é', 40)], '[1,2]'::vector, '{1,2}')$$), '22023 label "x' || repeat('é', 31) || '" stands there twice', 'wherever that is');

-- What it says
SELECT is(predict(value, '[1,0,0]'::vector), '"b" ä', 'the best label') FROM c;
SELECT results_eq($$SELECT label, round(score::numeric, 4) FROM predict_scores('{"method": "centres", "labels": ["x", "y", "z"], "biases": [0, 1, 0], "weights": [[1, 0], [0, 1], [0, 2]]}', '[3,4]'::vector)$$,
	$$SELECT l, round((s - ln(sum(exp(s)) OVER ()))::numeric, 4) FROM (VALUES ('y', 1.8), ('z', 1.6), ('x', 0.6)) v (l, s)$$, 'scores, of a vector of any length');
SELECT is(label_scores(k, '[3,4]'::vector), (SELECT array_agg(score ORDER BY label) FROM predict_scores(k, '[3,4]'::vector)), 'the same in the order of labels')
FROM (VALUES ('{"method": "centres", "labels": ["x", "y", "z"], "biases": [0, 1, 0], "weights": [[1, 0], [0, 1], [0, 2]]}'::classifier)) v (k);
SELECT is(predict('{"method": "centres", "labels": ["x", "y"], "biases": [0, 1], "weights": [[1, 0], [0, 1]]}', '[0,0]'::vector), 'y', 'zeros have the biases');
SELECT is(refused($$SELECT predict(value, '[1,2]'::vector) FROM c$$), '22000 expected 3 dimensions, not 2', 'other dimensions');
SELECT is(predict(NULL, '[1]'::vector) IS NULL AND predict(value, NULL::vector) IS NULL, true, 'NULL') FROM c;

-- In binary, and bytes that are none of a value
\copy c TO 'classifier.bin' (FORMAT binary)
CREATE TABLE copied (LIKE c);
\copy copied FROM 'classifier.bin' (FORMAT binary)
CREATE TABLE more AS SELECT set_byte("+maskgen".classifier_send(value), 18, 127) AS bytes FROM c;
\copy more TO 'classifier.bin' (FORMAT binary)
CREATE TABLE none (value classifier);
\set ON_ERROR_STOP off
\copy none FROM 'classifier.bin' (FORMAT binary)
SELECT is(count(*), 0::bigint, 'more rows than the text form has are refused') FROM none;
\set ON_ERROR_STOP on
SELECT is(copied.value::text, c.value::text, 'in and out in binary') FROM copied, c;
CREATE FUNCTION tried(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN CASE WHEN SQLSTATE LIKE 'XX000' THEN SQLERRM ELSE 'refused' END;
END $$;
SELECT pg_backend_pid() AS pid \gset
CREATE FUNCTION copy_mutant(seed int, path text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	bytes bytea := pg_read_binary_file(path);
	id oid;
BEGIN
	PERFORM setseed(seed / 1000.0);
	FOR i IN 0 .. seed % 4 LOOP
		bytes := set_byte(bytes, 34 + (random() * (length(bytes) - 37))::int, (ARRAY[0, 1, 127, 128, 255])[1 + (random() * 4)::int]);
	END LOOP;
	IF seed % 5 = 0 THEN
		bytes := substr(bytes, 1, length(bytes) - 2 - seed % 40) || '\xffff';
	END IF;
	id := lo_from_bytea(0, bytes);
	PERFORM lo_export(id, path || '.bad');
	RETURN tried(format('COPY copied FROM %L (FORMAT binary)', path || '.bad'));
END $$;
SELECT format('/tmp/maskgen-classifier-%s', :pid) AS path \gset
COPY c TO :'path' (FORMAT binary);
SELECT set_eq(format('SELECT DISTINCT copy_mutant(seed, %L) FROM generate_series(1, 300) seed', :'path'), '{ok,refused}'::text[], 'bytes of a copy are refused or well-formed');
COPY (SELECT 1) TO PROGRAM 'rm -f /tmp/maskgen-classifier-*';

-- Rows of three clouds, some of them often, and one of zeros
CREATE TABLE t AS
SELECT id, k, ('[' || string_agg((cos(d * (k + 1)) + 1.2 * sin(id % 900 * 7.31 + d * d * 1.7))::real::text, ',' ORDER BY d) || ']')::vector(24) AS v, (ARRAY['red', 'green', 'blue'])[k + 1] AS label
FROM (SELECT id, id % 3 AS k FROM generate_series(1, 3000) id) r, generate_series(1, 24) d GROUP BY id, k;
INSERT INTO t VALUES (0, 0, array_fill(0, ARRAY[24])::vector, 'red');
ANALYZE t;
INSERT INTO c SELECT 'labelled', fit_classifier(v, label) FROM t;
INSERT INTO c SELECT 'some', fit_classifier(v, CASE WHEN id % 100 < 3 THEN label END) FROM t;
INSERT INTO c SELECT 'few', fit_classifier(v, label) FROM t WHERE id < 40;
INSERT INTO c SELECT 'guessed', fit_labels('{red,green,blue}', v, CASE WHEN id % 4 = 0 THEN '{1,2,3}'::real[] ELSE ARRAY[(k = 0)::int, (k = 1)::int, (k = 2)::int]::real[] END) FROM t;
INSERT INTO c SELECT 'again', fit_labels((SELECT value FROM c WHERE name = 'few'), v) FROM t;
SELECT is(i.labelled, 3001::bigint, 'all rows count: ' || i.method) FROM c, classifier_info(value) i WHERE name = 'labelled';
SELECT is(i.method || ' ' || i.labelled || ' ' || i.unlabelled, 'mixture 91 2910', 'those without a label as well') FROM c, classifier_info(value) i WHERE name = 'some' AND i.method = 'mixture'
UNION ALL SELECT pass('or others are chosen: ' || i.method) FROM c, classifier_info(value) i WHERE name = 'some' AND i.method <> 'mixture';
SELECT cmp_ok((SELECT avg((predict(value, v) = label)::int) FROM t WHERE id > 0), '>', 0.9, name) FROM c WHERE name <> 'plain' ORDER BY name COLLATE "C";
SELECT cmp_ok(abs(i.accuracy - (SELECT avg((predict(value, v) = label)::int) FROM t)), '<', 0.03::float8, 'what it expects of itself is so') FROM c, classifier_info(value) i WHERE name = 'labelled';
SELECT is(i.accuracy, NULL, 'without labels nothing is expected') FROM c, classifier_info(value) i WHERE name = 'guessed';
SELECT is((classifier_info(fit_labels('{red,green,blue}', v, '{0,0,1}'))).labels, '{red,green,blue}'::text[], 'labels stay in the order they are given in') FROM t WHERE id < 9;
SELECT is((classifier_info(fit_classifier(v, label))).labels, '{blue,green,red}'::text[], 'or are in the order of their bytes') FROM t WHERE id < 9;

-- The same bits whatever the order, the plan and the number of workers
CREATE TABLE bits AS SELECT name, md5(value::text) AS bits FROM c;
SELECT is(md5(fit_classifier(v, label ORDER BY md5(id::text))::text), bits, 'labelled rows in another order') FROM t, bits WHERE name = 'labelled' GROUP BY bits;
SELECT is(md5(fit_classifier(v, CASE WHEN id % 100 < 3 THEN label END ORDER BY -id)::text), bits, 'some labelled, in another order') FROM t, bits WHERE name = 'some' GROUP BY bits;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 4;
ALTER TABLE t SET (parallel_workers = 4);
CREATE FUNCTION plan_of(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS off) ' || statement; END $$;
SELECT ok(bool_or(line LIKE '%Partial Aggregate%') AND bool_or(line LIKE '%Workers Planned: 4%'), 'in parts') FROM plan_of('SELECT fit_classifier(v, label) FROM t') line;
SELECT is((SELECT md5(fit_classifier(v, label)::text) FROM t), bits, 'by workers') FROM bits WHERE name = 'labelled';
SELECT is((SELECT md5(fit_classifier(v, CASE WHEN id % 100 < 3 THEN label END)::text) FROM t), bits, 'some labelled, by workers') FROM bits WHERE name = 'some';
SELECT is((SELECT md5(fit_labels('{red,green,blue}', v, CASE WHEN id % 4 = 0 THEN '{1,2,3}'::real[] ELSE ARRAY[(k = 0)::int, (k = 1)::int, (k = 2)::int]::real[] END)::text) FROM t), bits, 'guesses, by workers')
FROM bits WHERE name = 'guessed';
SELECT is((SELECT md5(fit_labels((SELECT value FROM c WHERE name = 'few'), v)::text) FROM t), bits, 'from a classifier, by workers') FROM bits WHERE name = 'again';
SET max_parallel_workers_per_gather = 0;

-- No rows, NULL, groups
SELECT is(fit_classifier(v, label)::text, NULL, 'of no rows there is none') FROM t WHERE false;
SELECT is(fit_classifier(v, NULL)::text, NULL, 'nor of rows without labels') FROM t;
SELECT is((classifier_info(fit_classifier(CASE WHEN id % 2 = 0 THEN v END, label))).labelled, 5::bigint, 'a row without a vector does not count') FROM t WHERE id BETWEEN 1 AND 10;
SELECT is(count(DISTINCT g), 100::bigint, 'by groups') FROM (SELECT id % 100, fit_classifier(v, label)::text AS g FROM t GROUP BY 1) s;
SELECT is(refused('SELECT fit_classifier(CASE WHEN id > 5 THEN v ELSE ''[1]'' END, label) FROM t'), '22000 expected 24 dimensions, not 1', 'other dimensions') WHERE false
UNION ALL SELECT matches(refused('SELECT fit_classifier(CASE WHEN id > 5 THEN v ELSE ''[1]'' END, label) FROM t'), 'expected (24 dimensions, not 1|1 dimensions, not 24)', 'other dimensions');
SELECT is(refused('SELECT fit_labels(ARRAY[label, ''x''], v, ''{1,2}'') FROM t'), '22023 labels are not the same in all rows', 'other labels');
SELECT is(refused('SELECT fit_labels(''{a,b}'', v, ''{1}'') FROM t'), '22023 scores are not one number for each of 2 labels', 'other scores');
SELECT is(refused('SELECT fit_classifier(v, id::text) FROM t'), '54000 there are more than 1000 labels', 'too many labels');

-- Parts that saw nothing but NULL, and parts of other dimensions
CREATE TABLE part (g int, e vector, l text) PARTITION BY LIST (g);
CREATE TABLE part1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part2 PARTITION OF part FOR VALUES IN (2);
INSERT INTO part SELECT 1, v, label FROM t WHERE id < 50;
INSERT INTO part SELECT 2, NULL, label FROM t WHERE id < 50;
ANALYZE part;
SET enable_partitionwise_aggregate = on;
SELECT ok(bool_or(line LIKE '%Partial Aggregate%'), 'in parts') FROM plan_of('SELECT fit_labels((SELECT value FROM c WHERE name = ''few''), e) FROM part') line;
SELECT is((SELECT fit_labels((SELECT value FROM c WHERE name = 'few'), e)::text FROM part), (SELECT fit_labels((SELECT value FROM c WHERE name = 'few'), e)::text FROM part1), 'a part of NULLs changes no guess');
SELECT is((SELECT fit_labels('{a,b}', e, '{0.1,0.2}')::text FROM part), (SELECT fit_labels('{a,b}', e, '{0.1,0.2}')::text FROM part1), 'nor scores');
SELECT is((SELECT fit_classifier(e, l)::text FROM part), (SELECT fit_classifier(e, l)::text FROM part1), 'nor labels');
UPDATE part SET e = array_fill(0.5::real, ARRAY[3000])::vector, l = NULL WHERE g = 2;
SELECT matches(refused('SELECT fit_classifier(e, l) FROM part'), '22000 expected (24 dimensions, not 3000|3000 dimensions, not 24)', 'parts of other dimensions, one without labels');
TRUNCATE part;
INSERT INTO part SELECT 1, v, label FROM t WHERE id < 50 ORDER BY label DESC;
INSERT INTO part SELECT 2, v, label FROM t WHERE id BETWEEN 50 AND 150 ORDER BY label;
CREATE TABLE in_parts AS SELECT fit_classifier(e, l)::text AS value FROM part;
RESET enable_partitionwise_aggregate;
SELECT is(value, (SELECT fit_classifier(e, l)::text FROM part), 'parts that see the labels in another order') FROM in_parts;

-- Of halfvec: as of the same numbers in float32
SELECT is(fit_classifier(v::halfvec, label)::text, fit_classifier(v::halfvec::vector, label)::text, 'halfvec: labelled') FROM t;
SELECT is(fit_labels('{red,green,blue}', v::halfvec, '{0,0,1}')::text, fit_labels('{red,green,blue}', v::halfvec::vector, '{0,0,1}')::text, 'halfvec: scores') FROM t;
SELECT is(fit_labels((SELECT value FROM c WHERE name = 'few'), v::halfvec)::text, fit_labels((SELECT value FROM c WHERE name = 'few'), v::halfvec::vector)::text, 'halfvec: guessed') FROM t;
SELECT is(count(*), 0::bigint, 'halfvec: predicted') FROM t, c WHERE name = 'few' AND (predict(value, v::halfvec), label_scores(value, v::halfvec)) IS DISTINCT FROM
	(predict(value, v::halfvec::vector), label_scores(value, v::halfvec::vector));
SELECT results_eq($$SELECT t.id, s.label, s.score FROM t, c, predict_scores(value, v::halfvec) s WHERE name = 'few' AND id < 50 ORDER BY 1, 3$$,
	$$SELECT t.id, s.label, s.score FROM t, c, predict_scores(value, v::halfvec::vector) s WHERE name = 'few' AND id < 50 ORDER BY 1, 3$$, 'halfvec: all scores');
SELECT is(count(DISTINCT predict(value, '[1,0,0]'::halfvec)), 1::bigint, 'halfvec: a constant beside a column') FROM (SELECT value FROM c, generate_series(1, 3) WHERE name = 'plain') x;
SELECT is(fit_classifier(CASE WHEN id % 2 = 0 THEN v::halfvec END, label)::text, fit_classifier(v::halfvec, label) FILTER (WHERE id % 2 = 0)::text, 'halfvec: rows without a vector') FROM t;
SELECT is(predict(value, NULL::halfvec), NULL, 'halfvec: NULL') FROM c WHERE name = 'plain';
SELECT is(refused($$SELECT predict(value, '[1,2]'::halfvec) FROM c WHERE name = 'plain'$$), '22000 expected 3 dimensions, not 2', 'halfvec: other dimensions');

-- Equality, by bytes
SELECT is(count(*), (SELECT count(*) FROM c), 'classifiers can be told apart') FROM (SELECT value FROM c UNION SELECT value::text::classifier FROM c) x;
SELECT is(count(*), 2 * count(DISTINCT a.name), 'and found again') FROM c a JOIN (SELECT value FROM c UNION ALL SELECT value::text::classifier FROM c) b USING (value);
SELECT ok(bool_and(a.value <> b.value), 'others differ') FROM c a, c b WHERE a.name <> b.name;

-- A classifier of each row: what is remembered of one is not taken for another
ALTER TABLE c ALTER value SET STORAGE external;
SELECT is(count(*), 0::bigint, 'two classifiers in turn') FROM t, c a, c b, LATERAL (SELECT CASE WHEN t.id % 2 = 0 THEN a.value ELSE b.value END AS value) m
WHERE a.name = 'few' AND b.name = 'guessed' AND t.id < 300
AND predict(m.value, v) <> CASE WHEN t.id % 2 = 0 THEN predict(a.value::text::classifier, v) ELSE predict(b.value::text::classifier, v) END;

-- Zero-shot, as a value: what classify() says
SELECT create_model('e', :'dir' || '/golden/tiny/bert-embed-mean', '{"prompts": {"document": "passage: "}}') IS NOT NULL AS made \gset
SELECT create_model('m', :'dir' || '/golden/tiny/bert-mlm') IS NOT NULL AS made \gset
SELECT is(count(*), 50::bigint, 'a stored vector gets the label of its text') FROM generate_series(1, 50) id, LATERAL (SELECT 'paris ' || md5(id::text) AS x) s
WHERE predict(zero_shot_classifier('e', '{world,sports,red}'), embed_document('e', x)) = classify('e', x, '{world,sports,red}');
SELECT is(refused($$SELECT zero_shot_classifier('m', '{a}')$$), '0A000 model "m" does not make embeddings: Its files do not say how to pool the tokens of a text.', 'a masked model has no vectors');
SELECT * FROM finish();
