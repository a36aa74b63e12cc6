-- Texts that are cut: one NOTICE a statement, however they were computed.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET max_parallel_workers_per_gather = 0;
\set mean :dir/golden/tiny/bert-embed-mean
\set mlm :dir/golden/tiny/bert-mlm
SELECT length(create_model('cut', :'mean')), length(create_model('cut-mlm', :'mlm'));
CREATE TABLE cut AS SELECT i AS id, CASE WHEN i % 10 = 0 THEN repeat('wine ', 600 + i) ELSE 'wine' END AS x FROM generate_series(1, 100) i;
ANALYZE cut;
\set VERBOSITY default

-- 10 in a batch, 10 that were asked before, 20 with equal ones, 10 row by row
SELECT count(embed('cut', x)) FROM cut;
\set VERBOSITY terse
SELECT count(embed('cut', x)) FROM cut;
SELECT count(embed('cut', x)) FROM (SELECT x FROM cut UNION ALL SELECT x FROM cut) y;
SET maskgen.enable_batching = off;
SELECT count(embed('cut', x)) FROM cut;
RESET maskgen.enable_batching;
SET maskgen.enable_result_cache = off;
SELECT count(embed('cut', x)) FROM (SELECT x FROM cut UNION ALL SELECT x FROM cut) y;
RESET maskgen.enable_result_cache;

-- 1 by the planner: the first time only, for the plan is kept
PREPARE folded AS SELECT vector_dims(embed('cut', repeat('wine ', 999)));
EXECUTE folded;
EXECUTE folded;

-- 11 by a block, in queries of its own
DO $$
DECLARE one record;
BEGIN
	FOR one IN SELECT embed('cut', x) FROM cut LOOP
	END LOOP;
	PERFORM embed('cut', repeat('wine ', 998));
END $$;
-- 3 by a call site that remembers
DO $$ DECLARE t text := repeat('wine ', 998); v vector; BEGIN FOR i IN 1 .. 3 LOOP v := embed('cut', t); END LOOP; END $$;

-- The other tasks
SELECT count(classify('cut-mlm', x, '{a,b}')) FROM cut;
SELECT count(*) FROM classify_scores('cut-mlm', repeat('wine ', 997), '{a,b}');
SELECT count(*) FROM fill_mask('cut-mlm', '[MASK] ' || repeat('wine ', 997));
SELECT cardinality(embed_batch('cut', ARRAY[repeat('wine ', 997), 'x', repeat('wine ', 997)]));

-- Statements that write, with what is computed for them
CREATE TABLE written (id int PRIMARY KEY, x text, v vector(32) GENERATED ALWAYS AS (embed_document('cut', x)) STORED);
INSERT INTO written SELECT * FROM cut;
COPY written (id, x) FROM stdin;
101	wine wine wine wine wine wine wine wine wine wine wine wine wine wine wine wine wine wine wine wine
102	wine
\.
CREATE TABLE triggered (id int PRIMARY KEY, x text, v vector(32));
SELECT create_embed_trigger('triggered', 'cut', 'x', 'v');
INSERT INTO triggered SELECT * FROM cut;
CREATE INDEX ON cut ((embed('cut', x)));

-- A cursor: with each FETCH
BEGIN;
DECLARE c CURSOR FOR SELECT id, vector_dims(embed('cut', x)) FROM cut WHERE id % 10 = 0;
FETCH 1 FROM c;
FETCH 2 FROM c;
COMMIT;

-- What failed is not told later
SELECT embed('cut', x), 1 / (id - 100) FROM cut WHERE id = 100;
SELECT embed('cut', 'wine') IS NOT NULL;

-- Workers count for their leader
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
ALTER TABLE cut SET (parallel_workers = 2);
SELECT count(embed('cut', x)) FROM cut;
SET maskgen.enable_batching = off;
SELECT count(embed('cut', x)) FROM cut;
RESET maskgen.enable_batching;
SET max_parallel_workers_per_gather = 0;
CREATE INDEX ON cut ((embed('cut', x || '')));
SELECT embed('cut', 'wine') IS NOT NULL;

-- Silent, and refused
SET maskgen.long_input = truncate;
SELECT count(embed('cut', x)) FROM cut;
SET maskgen.long_input = error;
SELECT count(embed('cut', x)) FROM cut;
RESET maskgen.long_input;
SHOW maskgen.long_input;
DROP TABLE cut, written, triggered;
SELECT drop_model(name) FROM maskgen_models ORDER BY name;
