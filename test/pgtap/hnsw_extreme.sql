-- Rows so far off that squares of distances overflow stand in nobody's way, and are found where they are the nearest.
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT no_plan();
SELECT setseed(0.5) \gset
CREATE TABLE ordinary AS SELECT i AS id, ARRAY[random(), random(), random(), random(), random()]::real[]::vector(5) AS v FROM generate_series(1, 1500) i;
SET enable_seqscan = off;

-- How many of 100 rows are found by their own vector, and how many rows no way leads to.
CREATE FUNCTION found(class text, quantizer text, extreme text, operator text, OUT of_100 int, OUT unreachable bigint, OUT recall float8) LANGUAGE plpgsql AS $$
BEGIN
	CREATE TABLE t (id int, v vector(5));
	EXECUTE format('CREATE INDEX t_v ON t USING maskgen_hnsw (v %s) WITH (quantizer = %s)', class, quantizer);
	INSERT INTO t SELECT * FROM ordinary WHERE id <= 750;
	EXECUTE format('INSERT INTO t SELECT -i, ARRAY[i * %s, 1, 1, 1, -1]::real[]::vector FROM generate_series(1, 10) i', extreme);
	INSERT INTO t SELECT * FROM ordinary WHERE id > 750;
	EXECUTE format('SELECT count(*) FROM ordinary o WHERE id %% 15 = 0 AND EXISTS (SELECT FROM (SELECT id FROM t ORDER BY v %s o.v LIMIT 10) n WHERE n.id = o.id)', operator) INTO of_100;
	SELECT i.unreachable, index_recall('t_v', 50, 10) INTO unreachable, recall FROM index_info('t_v') i;
	DROP TABLE t;
END $$;
SELECT unnest(ARRAY[is(of_100, 100, what || ': rows are found by their own vector'), is(unreachable, 0::bigint, what || ': ways lead to all'),
	cmp_ok(recall, '>', 0.9::float8, what || ': recall')])
FROM (VALUES ('rabitq'), ('none')) q (quantizer), (VALUES ('1e20'), ('1e30'), ('3e37'), ('-1e25')) e (extreme),
	LATERAL format('l2, %s, %s', quantizer, extreme) what, LATERAL found('vector_l2_ops', quantizer, extreme, '<->');
SELECT cmp_ok(recall, '>', 0.7::float8, what || ': recall')
FROM (VALUES ('rabitq'), ('none')) q (quantizer), (VALUES ('1e18'), ('1e20'), ('1e30')) e (extreme),
	LATERAL format('ip, %s, %s', quantizer, extreme) what, LATERAL found('vector_ip_ops', quantizer, extreme, '<#>');
SELECT * FROM finish();
