-- What a statement says of rows that have no result: once, with their number and the first reason.
\getenv dir PG_ABS_SRCDIR
\set VERBOSITY default
SET client_min_messages = warning;
SET search_path = public, maskgen;
SET maskgen.enable_result_cache = off;
SELECT create_model('tiny', :'dir' || '/golden/decoder/llama') IS NOT NULL AS made;
SET maskgen.on_row_error = 'null';
CREATE TABLE body (i int, text text);
INSERT INTO body SELECT i, CASE WHEN i % 4 = 2 THEN '' WHEN i = 9 THEN repeat('x', 200) ELSE 'abc' END FROM generate_series(1, 12) i;
SELECT i, generate('tiny', text, 3) IS NULL AS failed FROM body ORDER BY i LIMIT 3;
SELECT count(generate('tiny', text, 3)) FROM body;
SELECT count(generate('tiny', text, 3, seed => i)) FROM body;
SELECT generate('tiny', '', 3);
-- None failed
SELECT count(generate('tiny', text, 3)) FROM body WHERE text = 'abc';
-- Functions and blocks are their statement's
DO $$ BEGIN FOR n IN 1 .. 5 LOOP PERFORM maskgen.generate('tiny', text, 3) FROM public.body WHERE i = n; END LOOP; END $$;
CREATE TABLE made AS SELECT i, generate('tiny', text, 3) AS answer FROM body;
SELECT count(answer) FROM made;
-- What was undone is not told
SELECT count(generate('tiny', text, 3)) / 0 FROM body;
SELECT 1 AS one;
-- Workers' rows are their leader's
ALTER TABLE body SET (parallel_workers = 2);
ANALYZE body;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
SELECT count(generate('tiny', text, 3)) FROM body;
SET maskgen.on_row_error = 'error';
RESET max_parallel_workers_per_gather;
SELECT generate('tiny', text, 3) FROM body WHERE i = 2;
DROP TABLE body, made;
SELECT drop_model('tiny');
