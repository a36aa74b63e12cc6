-- The type vector: forms, errors, casts, arithmetic, comparison, aggregates.
SET search_path = public, maskgen, "+maskgen";

-- Text
SELECT '[1,2,3]'::vector;
SELECT ' [ 1,  2 ,	3  ] '::vector;
SELECT '[-1,-2.5,+3]'::vector;
SELECT '[1e2,1.5e-3,.5,5.]'::vector;
SELECT '[1.23456,0.1,16777217]'::vector;
SELECT '[3.4028235e38,-3.4028235e38,1.17549435e-38]'::vector;
SELECT '[1e-45,1e-46,-0]'::vector;
SELECT '[0x10]'::vector;

-- Errors of text
\set VERBOSITY terse
SELECT 'hello'::vector;
\echo :LAST_ERROR_SQLSTATE
SELECT '[hello]'::vector;
SELECT '[1,,3]'::vector;
SELECT '[1,2,]'::vector;
SELECT '[,1]'::vector;
SELECT '[1 2]'::vector;
SELECT '[1,2'::vector;
SELECT '[1,2,'::vector;
SELECT '[1,a]'::vector;
SELECT '['::vector;
SELECT ''::vector;
SELECT '[1,2,3]9'::vector;
SELECT '[[1]]'::vector;
SELECT '{1,2,3}'::vector;
SELECT '1,2,3'::vector;
SELECT '[]'::vector;
\echo :LAST_ERROR_SQLSTATE
SELECT '[ ]'::vector;
SELECT '[NaN,1]'::vector;
\echo :LAST_ERROR_SQLSTATE
SELECT '[Infinity,1]'::vector;
\echo :LAST_ERROR_SQLSTATE
SELECT '[-inf,1]'::vector;
SELECT '[4e38,1]'::vector;
\echo :LAST_ERROR_SQLSTATE
SELECT '[-4e38,1]'::vector;
SELECT vector_dims(('[' || repeat('0,', 15999) || '7]')::vector);
SELECT length(('[' || repeat('0,', 16000) || '7]')::vector::text);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT 'hello'::vector;
SELECT '[1,2,3]9'::vector;

-- What is longest in text, 16000 times
SELECT length(array_agg(-1.17549435e-38::real)::vector::text) FROM generate_series(1, 16000);

-- Type modifier
SELECT '[1,2,3]'::vector(3);
SELECT format_type('vector'::regtype, 3);
CREATE TABLE typed (v vector(3));
INSERT INTO typed VALUES ('[1,2,3]'), (ARRAY[4,5,6]), (NULL);
SELECT * FROM typed;
\set VERBOSITY terse
INSERT INTO typed VALUES ('[1,2]');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO typed VALUES (ARRAY[1,2,3,4]);
SELECT '[1,2,3]'::vector(2);
SELECT '[1,2,3]'::vector(3)::vector(2);
SELECT '[1]'::vector(0);
\echo :LAST_ERROR_SQLSTATE
SELECT '[1]'::vector(16001);
SELECT '[1]'::vector(1, 2);
SELECT '[1]'::vector('a');
SELECT vector_dims(array_agg(0::real)::vector(16000)) FROM generate_series(1, 16000);
\set VERBOSITY default
DROP TABLE typed;

-- Casts
SELECT ARRAY[1,2,3]::vector, ARRAY[1.5,2.5]::vector, ARRAY[1.5,2.5]::real[]::vector, ARRAY[1.5,2.5]::float8[]::vector;
SELECT '{1,2,3}'::int[]::vector(3);
SELECT '[1.5,2.5]'::vector::real[];
SELECT unnest('[1.5,2.5]'::vector::real[]);
SELECT cardinality('[1,2]'::vector::real[]);
\set VERBOSITY terse
SELECT '{}'::real[]::vector;
\echo :LAST_ERROR_SQLSTATE
SELECT '{NULL}'::real[]::vector;
\echo :LAST_ERROR_SQLSTATE
SELECT '{NaN}'::real[]::vector;
SELECT '{Infinity}'::real[]::vector;
SELECT '{1e300}'::float8[]::vector;
\echo :LAST_ERROR_SQLSTATE
SELECT '{1e39}'::numeric[]::vector;
SELECT '{NaN}'::numeric[]::vector;
SELECT '{{1},{2}}'::real[]::vector;
\echo :LAST_ERROR_SQLSTATE
SELECT '{1,2,3}'::real[]::vector(2);
SELECT array_agg(0)::vector FROM generate_series(1, 16001);
SELECT '{a}'::text[]::vector;
\set VERBOSITY default

-- Arithmetic
SELECT '[1,2,3]'::vector + '[4,5,6]', '[1,2,3]'::vector - '[4,5,6]', '[1,2,3]'::vector * '[4,5,6]';
\set VERBOSITY terse
SELECT '[3e38]'::vector + '[3e38]';
\echo :LAST_ERROR_SQLSTATE
SELECT '[-3e38]'::vector - '[3e38]';
SELECT '[1e37]'::vector * '[1e37]';
SELECT '[1e-37]'::vector * '[1e-37]';
\echo :LAST_ERROR_SQLSTATE
SELECT '[0,1e-37]'::vector * '[1e-37,0]';
SELECT '[1,2]'::vector + '[3]';
\echo :LAST_ERROR_SQLSTATE
SELECT '[1,2]'::vector - '[3]';
SELECT '[1,2]'::vector * '[3]';
\set VERBOSITY default
SELECT '[1]'::vector + NULL;

-- Distances
SELECT '[0,0]'::vector <-> '[3,4]', '[1,2]'::vector <#> '[3,4]', '[1,2]'::vector <=> '[2,4]', '[0,0]'::vector <+> '[3,4]';
SELECT l2_distance('[0,0]'::vector, '[3,4]'), l2_distance('[0,0]'::vector, '[0,1]'), l2_distance('[3e38]'::vector, '[-3e38]');
SELECT inner_product('[1,2]'::vector, '[3,4]'), inner_product('[3e38]'::vector, '[3e38]'), vector_negative_inner_product('[1,2]'::vector, '[3,4]');
SELECT cosine_distance('[1,2]'::vector, '[2,4]'), cosine_distance('[1,2]'::vector, '[0,0]'), cosine_distance('[1,1]'::vector, '[1,1]'),
	cosine_distance('[1,0]'::vector, '[0,2]'), cosine_distance('[1,1]'::vector, '[-1,-1]'), cosine_distance('[1,1]'::vector, '[1.1,1.1]'),
	cosine_distance('[3e38]'::vector, '[3e38]');
SELECT l1_distance('[0,0]'::vector, '[3,4]'), l1_distance('[0,0]'::vector, '[0,-1]'), l1_distance('[3e38]'::vector, '[-3e38]');
SELECT vector_l2_squared_distance('[0,0]'::vector, '[3,4]');
SELECT vector_dims('[1,2,3]'::vector);
SELECT vector_norm('[3,4]'::vector), l2_norm('[0,1]'::vector), vector_norm('[0,0]'::vector), vector_norm('[3e37,4e37]'::vector)::real, vector_norm('[3e-30,4e-30]'::vector)::real;
SELECT l2_normalize('[3,4]'::vector), l2_normalize('[3,0]'::vector), l2_normalize('[0,0.1]'::vector), l2_normalize('[0,0]'::vector), l2_normalize('[3e38]'::vector),
	l2_normalize('[1e-30]'::vector);
\set VERBOSITY terse
SELECT '[1,2]'::vector <-> '[3]';
\echo :LAST_ERROR_SQLSTATE
SELECT '[1,2]'::vector <#> '[3]';
SELECT '[1,2]'::vector <=> '[3]';
SELECT '[1,2]'::vector <+> '[3]';
\set VERBOSITY default

-- Parts
SELECT subvector('[1,2,3,4,5]'::vector, 1, 3), subvector('[1,2,3,4,5]'::vector, 3, 2), subvector('[1,2,3,4,5]'::vector, -1, 3),
	subvector('[1,2,3,4,5]'::vector, 3, 9), subvector('[1,2,3,4,5]'::vector, 5, 2147483647);
SELECT subvector('[1,2,3,4,5]'::vector, -2147483640, 2147483647);
\set VERBOSITY terse
SELECT subvector('[1,2,3,4,5]'::vector, 1, 0);
\echo :LAST_ERROR_SQLSTATE
SELECT subvector('[1,2,3,4,5]'::vector, 3, -1);
SELECT subvector('[1,2,3,4,5]'::vector, -1, 2);
SELECT subvector('[1,2,3,4,5]'::vector, 6, 1);
SELECT subvector('[1,2,3,4,5]'::vector, 2147483647, 2147483647);
SELECT subvector('[1,2,3,4,5]'::vector, (-2147483648)::int, (-2147483648)::int);
\set VERBOSITY default

SELECT '[1,2]'::vector || '[3]', '[1]'::vector || '[2]' || '[3]';
SELECT binary_quantize('[1,0,-1,1e-45,-0,0,7,8,9]'::vector), pg_typeof(binary_quantize('[1]'::vector)),
	length(binary_quantize(array_fill(1, ARRAY[16000])::vector));
SELECT vector_spherical_distance('[1,0]', '[0,1]'), vector_spherical_distance('[1,0]', '[-1,0]'), vector_spherical_distance('[1,0]', '[2,0]');
\set VERBOSITY terse
SELECT array_fill(0, ARRAY[16000])::vector || '[1]';
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- Comparison: element by element, then by length
SELECT '[1,2,3]'::vector < '[1,2,3]', '[1,2,3]'::vector < '[1,2]', '[1,2]'::vector < '[1,2,3]', '[1,9]'::vector < '[2]';
SELECT '[1,2,3]'::vector <= '[1,2,3]', '[1,2,3]'::vector <= '[1,2]', '[1,2,3]'::vector = '[1,2,3]', '[1,2]'::vector = '[1,2,3]';
SELECT '[1,2,3]'::vector <> '[1,2,3]', '[1,2]'::vector != '[1,2,3]', '[0]'::vector = '[-0]';
SELECT '[1,2,3]'::vector >= '[1,2,3]', '[1,2]'::vector >= '[1,2,3]', '[1,2,3]'::vector > '[1,2,3]', '[1,2,4]'::vector > '[1,2,3]';
SELECT vector_cmp('[1,2,3]', '[1,2,3]'), vector_cmp('[1,2,3]', '[0,0]'), vector_cmp('[1,2]', '[1,2,3]'), vector_cmp('[1]', '[2,3]');

CREATE TABLE sorted (v vector);
INSERT INTO sorted VALUES ('[2]'), ('[1,2]'), (NULL), ('[1]'), ('[1,2]'), ('[-0,5]'), ('[0,5]'), ('[1,1,9]');
SELECT * FROM sorted ORDER BY v, v::text;
SELECT DISTINCT v FROM sorted WHERE v > '[0,5]' ORDER BY v DESC;
SELECT v, count(*) FROM sorted WHERE v >= '[1]' GROUP BY v ORDER BY v;
CREATE INDEX sorted_v ON sorted (v);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM sorted WHERE v = '[1,2]';
SELECT * FROM sorted WHERE v = '[1,2]';
SELECT * FROM sorted WHERE v > '[1,1]' AND v <= '[1,2]' ORDER BY v;
RESET enable_seqscan;
RESET enable_bitmapscan;
CREATE UNIQUE INDEX ON sorted (v);
DROP TABLE sorted;

-- Nearest first
CREATE TABLE item (id int, v vector(2));
INSERT INTO item VALUES (1, '[0,0]'), (2, '[1,0]'), (3, '[3,4]'), (4, NULL), (5, '[-1,-1]');
SELECT id, v <-> '[0.9,0.1]' < 1 FROM item ORDER BY v <-> '[0.9,0.1]', id LIMIT 3;
SELECT id FROM item ORDER BY v <#> '[1,1]', id;
SELECT id, v <=> '[1,0]' FROM item WHERE id <> 1 ORDER BY v <=> '[1,0]', id;
SELECT id, v <+> '[1,0]' FROM item ORDER BY v <+> '[1,0]', id LIMIT 2;
DROP TABLE item;

-- Definitions, and how a dump writes them: with an empty search_path
CREATE TABLE defined (id int, v vector(3) NOT NULL DEFAULT '[0,0,1]', free vector, list vector[],
	length float8 GENERATED ALWAYS AS (vector_norm(v)) STORED, CHECK (v <> '[9,9,9]'));
CREATE INDEX defined_unit ON defined (l2_normalize(v));
CREATE VIEW nearest AS SELECT id FROM defined ORDER BY v <=> '[1,2,3]'::vector(3) LIMIT 1;
\d defined
SET search_path = '';
-- Only the part that all versions of PostgreSQL write alike
SELECT pg_catalog.substring(pg_catalog.pg_get_viewdef('public.nearest'::pg_catalog.regclass), 'OPERATOR.*3\)');
SELECT pg_catalog.pg_get_indexdef('public.defined_unit'::pg_catalog.regclass);
INSERT INTO public.defined (id, free, list) VALUES (1, '[1]', '{"[1,2]",NULL,"[3]"}'), (2, '[2]', '{}');
ANALYZE public.defined;
SELECT * FROM public.defined ORDER BY id;
SELECT * FROM public.nearest WHERE id > 0;
SET search_path = public, maskgen, "+maskgen";
DROP VIEW nearest;
DROP TABLE defined;

-- Aggregates
SELECT avg(v), sum(v) FROM unnest(ARRAY['[1,2,3]', '[3,5,7]']::vector[]) v;
SELECT avg(v), sum(v) FROM unnest(ARRAY['[1,2,3]', '[3,5,7]', NULL]::vector[]) v;
SELECT avg(v), sum(v) FROM unnest(ARRAY[]::vector[]) v;
SELECT avg(v), sum(v) FROM unnest(ARRAY[NULL]::vector[]) v;
SELECT avg(v) FROM unnest(ARRAY['[3e38]', '[3e38]']::vector[]) v;
SELECT g, avg(v) OVER w, sum(v) OVER w FROM (VALUES (1, '[1,2]'::vector), (2, '[3,6]'), (3, '[8,1]')) r (g, v)
WINDOW w AS (ORDER BY g ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
\set VERBOSITY terse
SELECT avg(v) FROM unnest(ARRAY['[1,2]', '[3]']::vector[]) v;
\echo :LAST_ERROR_SQLSTATE
SELECT sum(v) FROM unnest(ARRAY['[3e38]', '[3e38]']::vector[]) v;
\echo :LAST_ERROR_SQLSTATE
-- States that no aggregate made
SELECT vector_accum('{}', '[1]');
SELECT vector_accum('{{1},{2}}', '[1]');
SELECT vector_accum('{1,NULL}', '[1]');
SELECT vector_accum('{1,2,3}', '[1]');
SELECT vector_accum('{1,2}', '[1]'), vector_accum('{0}', '[1]'), vector_accum('[0:1]={1,2}', '[1]');
SELECT vector_combine('{1,2}', '{1,2,3}');
SELECT vector_combine('{1,2}', '{2,3}'), vector_combine('{0}', '{2,3}'), vector_combine('{2,3}', '{0}');
SELECT vector_combine('{}', '{1,2}');
SELECT vector_avg('{}');
SELECT vector_avg('{0}'), vector_avg('{0,1}'), vector_avg('{5}'), vector_avg('{2,1}'), vector_sum('{2,1}');
SELECT vector_avg('{1,NaN}');
SELECT vector_sum('{1,Infinity}');
SELECT vector_avg(array_fill(1::float8, ARRAY[16002]));
-- A state in a table stays what it was.
CREATE TABLE state (s float8[]);
INSERT INTO state VALUES ('{1,2}');
SELECT vector_accum(s, '[1]') FROM state;
SELECT s FROM state;
DROP TABLE state;
\set VERBOSITY default

-- Aggregates of parallel workers
CREATE TABLE many (v vector(3)) WITH (parallel_workers = 2);
INSERT INTO many SELECT ARRAY[i, i % 7, 1]::vector FROM generate_series(1, 5000) i;
INSERT INTO many VALUES (NULL);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT avg(v), sum(v) FROM many;
SELECT avg(v), sum(v) FROM many;
-- A filter that leaves nothing to some workers, or to all
SELECT avg(v), sum(v) FROM many WHERE v = '[1,1,1]';
SELECT avg(v), sum(v) FROM many WHERE v = '[0,0,0]';
DROP TABLE many;

-- Long values are kept out of line, and come back.
CREATE TABLE long (id int, v vector);
INSERT INTO long SELECT g, (SELECT array_agg(i * g) FROM generate_series(1, 16000) i)::vector FROM generate_series(1, 2) g;
SELECT id, vector_dims(v), v <+> (SELECT v FROM long WHERE id = 1), subvector(v, 15999, 2), pg_column_size(v) FROM long ORDER BY id;
SELECT attstorage FROM pg_attribute WHERE attrelid = 'long'::regclass AND attname = 'v';
DROP TABLE long;

-- Binary
CREATE TABLE binary_from (v vector);
CREATE TABLE binary_to (v vector);
CREATE TABLE binary_to_2 (v vector(2));
INSERT INTO binary_from VALUES ('[1]'), ('[1.5,-2,3.4028235e38]'), (NULL), ('[0.1,1e-45]');
SELECT vector_send(v) FROM binary_from;
\copy binary_from TO 'results/vector.bin' (FORMAT binary)
\copy binary_to FROM 'results/vector.bin' (FORMAT binary)
SELECT * FROM binary_to;
SELECT count(*) FROM binary_from f, binary_to t WHERE f.v = t.v;
\copy binary_to_2 FROM 'results/vector.bin' (FORMAT binary)

-- Damaged binary: a field of the given bytes
\set VERBOSITY terse
-- no dimensions
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4\0\0\0\0\377\377"' (FORMAT binary)
-- -1 dimensions
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4\377\377\0\0\377\377"' (FORMAT binary)
-- 16001 dimensions
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4\76\201\0\0\377\377"' (FORMAT binary)
-- flags
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\10\0\1\0\1\77\200\0\0\377\377"' (FORMAT binary)
-- fewer numbers than dimensions
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\10\0\2\0\0\77\200\0\0\377\377"' (FORMAT binary)
-- more numbers than dimensions
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\14\0\1\0\0\77\200\0\0\77\200\0\0\377\377"' (FORMAT binary)
-- nothing at all
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\377\377"' (FORMAT binary)
-- not a number
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\10\0\1\0\0\177\300\0\0\377\377"' (FORMAT binary)
-- infinity
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\10\0\1\0\0\377\200\0\0\377\377"' (FORMAT binary)
-- what is right passes
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\10\0\1\0\0\77\200\0\0\377\377"' (FORMAT binary)
\set VERBOSITY default
SELECT count(*) FROM binary_to WHERE v = '[1]';

-- Another type's value in a vector's clothes: only a superuser can make such a cast.
CREATE CAST (bytea AS vector) WITHOUT FUNCTION;
SELECT vector_dims('\x00000000'::bytea::vector);
SELECT vector_dims('\x'::bytea::vector);
SELECT ('\x0100000000000000aa'::bytea::vector)::text;
SELECT '[1]'::vector <-> '\x02000000000000000000'::bytea::vector;
DROP CAST (bytea AS vector);
DROP TABLE binary_from, binary_to, binary_to_2;

-- Nothing to link with
\set SHOW_CONTEXT never
SELECT link_pgvector();
\echo :LAST_ERROR_SQLSTATE
