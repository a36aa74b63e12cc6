-- The type halfvec: forms, errors, casts, arithmetic, comparison, aggregates.
SET search_path = public, maskgen, "+maskgen";

-- Text
SELECT '[1,2,3]'::halfvec;
SELECT ' [ 1,  2 ,	3  ] '::halfvec;
SELECT '[-1,-2.5,+3]'::halfvec;
SELECT '[1e2,1.5e-3,.5,5.]'::halfvec;
SELECT '[1.23456,0.1,2049,2051]'::halfvec;
SELECT '[65504,-65504,65519.99,6.1035156e-5]'::halfvec;
SELECT '[6e-8,2.9e-8,1e-46,-0]'::halfvec;
SELECT '[0x10]'::halfvec;

-- Errors of text
\set VERBOSITY terse
SELECT 'hello'::halfvec;
\echo :LAST_ERROR_SQLSTATE
SELECT '[hello]'::halfvec;
SELECT '[1,,3]'::halfvec;
SELECT '[1,2,]'::halfvec;
SELECT '[,1]'::halfvec;
SELECT '[1 2]'::halfvec;
SELECT '[1,2'::halfvec;
SELECT '[1,2,'::halfvec;
SELECT '[1,a]'::halfvec;
SELECT '['::halfvec;
SELECT ''::halfvec;
SELECT '[1,2,3]9'::halfvec;
SELECT '[[1]]'::halfvec;
SELECT '{1,2,3}'::halfvec;
SELECT '1,2,3'::halfvec;
SELECT '[]'::halfvec;
\echo :LAST_ERROR_SQLSTATE
SELECT '[ ]'::halfvec;
SELECT '[NaN,1]'::halfvec;
\echo :LAST_ERROR_SQLSTATE
SELECT '[Infinity,1]'::halfvec;
\echo :LAST_ERROR_SQLSTATE
SELECT '[-inf,1]'::halfvec;
SELECT '[65520,1]'::halfvec;
\echo :LAST_ERROR_SQLSTATE
SELECT '[-4e38,1]'::halfvec;
SELECT vector_dims(('[' || repeat('0,', 15999) || '7]')::halfvec);
SELECT length(('[' || repeat('0,', 16000) || '7]')::halfvec::text);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT 'hello'::halfvec;
SELECT '[1,2,3]9'::halfvec;

-- What is longest in text, 16000 times
SELECT length(array_agg(-6.1035156e-05::real)::halfvec::text) FROM generate_series(1, 16000);

-- Type modifier
SELECT '[1,2,3]'::halfvec(3);
SELECT format_type('halfvec'::regtype, 3);
CREATE TABLE typed (v halfvec(3));
INSERT INTO typed VALUES ('[1,2,3]'), (ARRAY[4,5,6]), (NULL);
SELECT * FROM typed;
\set VERBOSITY terse
INSERT INTO typed VALUES ('[1,2]');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO typed VALUES (ARRAY[1,2,3,4]);
SELECT '[1,2,3]'::halfvec(2);
SELECT '[1,2,3]'::halfvec(3)::halfvec(2);
SELECT '[1]'::halfvec(0);
\echo :LAST_ERROR_SQLSTATE
SELECT '[1]'::halfvec(16001);
SELECT '[1]'::halfvec(1, 2);
SELECT '[1]'::halfvec('a');
SELECT vector_dims(array_agg(0::real)::halfvec(16000)) FROM generate_series(1, 16000);
\set VERBOSITY default
DROP TABLE typed;

-- Casts
SELECT ARRAY[1,2,3]::halfvec, ARRAY[1.5,2.5]::halfvec, ARRAY[1.5,2.5]::real[]::halfvec, ARRAY[1.5,2.5]::float8[]::halfvec;
SELECT '{1,2,3}'::int[]::halfvec(3);
SELECT '[1.5,2.5]'::halfvec::real[];
SELECT unnest('[1.5,2.5]'::halfvec::real[]);
SELECT cardinality('[1,2]'::halfvec::real[]);
SELECT '[1.5,-2,0.1]'::vector::halfvec, '[1.5,-2,0.1]'::halfvec::vector, '[1,2]'::vector::halfvec(2), '[1,2]'::halfvec::vector(2);
-- A vector goes to halfvec without being asked, back only on assignment.
SELECT '[1,2]'::vector || '[3]'::halfvec AS joined, pg_typeof('[1,2]'::vector || '[3]'::halfvec);
SELECT castsource::regtype, casttarget::regtype, castcontext, castfunc::regprocedure FROM pg_cast
WHERE castsource = 'halfvec'::regtype OR casttarget = 'halfvec'::regtype ORDER BY castsource::regtype::text COLLATE "C", casttarget::regtype::text COLLATE "C";
\set VERBOSITY terse
SELECT '[65519,1]'::vector::halfvec;
SELECT '[65520,1]'::vector::halfvec;
\echo :LAST_ERROR_SQLSTATE
SELECT '[1,2,3]'::vector::halfvec(2);
SELECT '[1,2,3]'::halfvec::vector(2);
SELECT '{65520}'::real[]::halfvec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{}'::real[]::halfvec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{NULL}'::real[]::halfvec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{NaN}'::real[]::halfvec;
SELECT '{Infinity}'::real[]::halfvec;
SELECT '{1e300}'::float8[]::halfvec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{1e39}'::numeric[]::halfvec;
SELECT '{NaN}'::numeric[]::halfvec;
SELECT '{{1},{2}}'::real[]::halfvec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{1,2,3}'::real[]::halfvec(2);
SELECT array_agg(0)::halfvec FROM generate_series(1, 16001);
SELECT '{a}'::text[]::halfvec;
\set VERBOSITY default

-- Arithmetic
SELECT '[1,2,3]'::halfvec + '[4,5,6]', '[1,2,3]'::halfvec - '[4,5,6]', '[1,2,3]'::halfvec * '[4,5,6]';
\set VERBOSITY terse
SELECT '[4e4]'::halfvec + '[4e4]';
\echo :LAST_ERROR_SQLSTATE
SELECT '[-4e4]'::halfvec - '[4e4]';
SELECT '[300]'::halfvec * '[300]';
SELECT '[1e-4]'::halfvec * '[1e-4]';
\echo :LAST_ERROR_SQLSTATE
SELECT '[0,1e-4]'::halfvec * '[1e-4,0]';
SELECT '[1,2]'::halfvec + '[3]';
\echo :LAST_ERROR_SQLSTATE
SELECT '[1,2]'::halfvec - '[3]';
SELECT '[1,2]'::halfvec * '[3]';
\set VERBOSITY default
SELECT '[1]'::halfvec + NULL;

-- Distances
SELECT '[0,0]'::halfvec <-> '[3,4]', '[1,2]'::halfvec <#> '[3,4]', '[1,2]'::halfvec <=> '[2,4]', '[0,0]'::halfvec <+> '[3,4]';
SELECT l2_distance('[0,0]'::halfvec, '[3,4]'), l2_distance('[0,0]'::halfvec, '[0,1]'), l2_distance('[6e4]'::halfvec, '[-6e4]');
SELECT inner_product('[1,2]'::halfvec, '[3,4]'), inner_product('[6e4]'::halfvec, '[6e4]'), halfvec_negative_inner_product('[1,2]'::halfvec, '[3,4]');
SELECT cosine_distance('[1,2]'::halfvec, '[2,4]'), cosine_distance('[1,2]'::halfvec, '[0,0]'), cosine_distance('[1,1]'::halfvec, '[1,1]'),
	cosine_distance('[1,0]'::halfvec, '[0,2]'), cosine_distance('[1,1]'::halfvec, '[-1,-1]'), cosine_distance('[1,1]'::halfvec, '[1.1,1.1]'),
	cosine_distance('[6e4]'::halfvec, '[6e4]');
SELECT l1_distance('[0,0]'::halfvec, '[3,4]'), l1_distance('[0,0]'::halfvec, '[0,-1]'), l1_distance('[6e4]'::halfvec, '[-6e4]');
SELECT halfvec_l2_squared_distance('[0,0]'::halfvec, '[3,4]');
SELECT vector_dims('[1,2,3]'::halfvec);
SELECT l2_norm('[3,4]'::halfvec), l2_norm('[0,1]'::halfvec), l2_norm('[0,0]'::halfvec), l2_norm('[3e4,4e4]'::halfvec)::real, l2_norm('[3e-6,4e-6]'::halfvec)::real;
SELECT l2_normalize('[3,4]'::halfvec), l2_normalize('[3,0]'::halfvec), l2_normalize('[0,0.1]'::halfvec), l2_normalize('[0,0]'::halfvec), l2_normalize('[6e4]'::halfvec),
	l2_normalize('[6e-8]'::halfvec);
\set VERBOSITY terse
SELECT '[1,2]'::halfvec <-> '[3]';
\echo :LAST_ERROR_SQLSTATE
SELECT '[1,2]'::halfvec <#> '[3]';
SELECT '[1,2]'::halfvec <=> '[3]';
SELECT '[1,2]'::halfvec <+> '[3]';
\set VERBOSITY default

-- Parts
SELECT subvector('[1,2,3,4,5]'::halfvec, 1, 3), subvector('[1,2,3,4,5]'::halfvec, 3, 2), subvector('[1,2,3,4,5]'::halfvec, -1, 3),
	subvector('[1,2,3,4,5]'::halfvec, 3, 9), subvector('[1,2,3,4,5]'::halfvec, 5, 2147483647);
SELECT subvector('[1,2,3,4,5]'::halfvec, -2147483640, 2147483647);
\set VERBOSITY terse
SELECT subvector('[1,2,3,4,5]'::halfvec, 1, 0);
\echo :LAST_ERROR_SQLSTATE
SELECT subvector('[1,2,3,4,5]'::halfvec, 3, -1);
SELECT subvector('[1,2,3,4,5]'::halfvec, -1, 2);
SELECT subvector('[1,2,3,4,5]'::halfvec, 6, 1);
SELECT subvector('[1,2,3,4,5]'::halfvec, 2147483647, 2147483647);
SELECT subvector('[1,2,3,4,5]'::halfvec, (-2147483648)::int, (-2147483648)::int);
\set VERBOSITY default

SELECT '[1,2]'::halfvec || '[3]', '[1]'::halfvec || '[2]' || '[3]';
SELECT binary_quantize('[1,0,-1,6e-8,-0,0,7,8,9]'::halfvec), pg_typeof(binary_quantize('[1]'::halfvec)),
	length(binary_quantize(array_fill(1, ARRAY[16000])::halfvec));
SELECT halfvec_spherical_distance('[1,0]', '[0,1]'), halfvec_spherical_distance('[1,0]', '[-1,0]'), halfvec_spherical_distance('[1,0]', '[2,0]');
\set VERBOSITY terse
SELECT array_fill(0, ARRAY[16000])::halfvec || '[1]';
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- Comparison: element by element, then by length
SELECT '[1,2,3]'::halfvec < '[1,2,3]', '[1,2,3]'::halfvec < '[1,2]', '[1,2]'::halfvec < '[1,2,3]', '[1,9]'::halfvec < '[2]';
SELECT '[1,2,3]'::halfvec <= '[1,2,3]', '[1,2,3]'::halfvec <= '[1,2]', '[1,2,3]'::halfvec = '[1,2,3]', '[1,2]'::halfvec = '[1,2,3]';
SELECT '[1,2,3]'::halfvec <> '[1,2,3]', '[1,2]'::halfvec != '[1,2,3]', '[0]'::halfvec = '[-0]';
SELECT '[1,2,3]'::halfvec >= '[1,2,3]', '[1,2]'::halfvec >= '[1,2,3]', '[1,2,3]'::halfvec > '[1,2,3]', '[1,2,4]'::halfvec > '[1,2,3]';
SELECT halfvec_cmp('[1,2,3]', '[1,2,3]'), halfvec_cmp('[1,2,3]', '[0,0]'), halfvec_cmp('[1,2]', '[1,2,3]'), halfvec_cmp('[1]', '[2,3]');

CREATE TABLE sorted (v halfvec);
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
CREATE TABLE item (id int, v halfvec(2));
INSERT INTO item VALUES (1, '[0,0]'), (2, '[1,0]'), (3, '[3,4]'), (4, NULL), (5, '[-1,-1]');
SELECT id, v <-> '[0.9,0.1]' < 1 FROM item ORDER BY v <-> '[0.9,0.1]', id LIMIT 3;
SELECT id FROM item ORDER BY v <#> '[1,1]', id;
SELECT id, v <=> '[1,0]' FROM item WHERE id <> 1 ORDER BY v <=> '[1,0]', id;
SELECT id, v <+> '[1,0]' FROM item ORDER BY v <+> '[1,0]', id LIMIT 2;
DROP TABLE item;

-- Definitions, and how a dump writes them: with an empty search_path
CREATE TABLE defined (id int, v halfvec(3) NOT NULL DEFAULT '[0,0,1]', free halfvec, list halfvec[],
	length float8 GENERATED ALWAYS AS (l2_norm(v)) STORED, CHECK (v <> '[9,9,9]'));
CREATE INDEX defined_unit ON defined (l2_normalize(v));
CREATE VIEW nearest AS SELECT id FROM defined ORDER BY v <=> '[1,2,3]'::halfvec(3) LIMIT 1;
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
SELECT avg(v), sum(v) FROM unnest(ARRAY['[1,2,3]', '[3,5,7]']::halfvec[]) v;
SELECT avg(v), sum(v) FROM unnest(ARRAY['[1,2,3]', '[3,5,7]', NULL]::halfvec[]) v;
SELECT avg(v), sum(v) FROM unnest(ARRAY[]::halfvec[]) v;
SELECT avg(v), sum(v) FROM unnest(ARRAY[NULL]::halfvec[]) v;
SELECT avg(v) FROM unnest(ARRAY['[6e4]', '[6e4]']::halfvec[]) v;
SELECT g, avg(v) OVER w, sum(v) OVER w FROM (VALUES (1, '[1,2]'::halfvec), (2, '[3,6]'), (3, '[8,1]')) r (g, v)
WINDOW w AS (ORDER BY g ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
\set VERBOSITY terse
SELECT avg(v) FROM unnest(ARRAY['[1,2]', '[3]']::halfvec[]) v;
\echo :LAST_ERROR_SQLSTATE
SELECT sum(v) FROM unnest(ARRAY['[6e4]', '[6e4]']::halfvec[]) v;
\echo :LAST_ERROR_SQLSTATE
-- States that no aggregate made
SELECT halfvec_accum('{}', '[1]');
SELECT halfvec_accum('{{1},{2}}', '[1]');
SELECT halfvec_accum('{1,NULL}', '[1]');
SELECT halfvec_accum('{1,2,3}', '[1]');
SELECT halfvec_accum('{1,2}', '[1]'), halfvec_accum('{0}', '[1]'), halfvec_accum('[0:1]={1,2}', '[1]');
SELECT halfvec_combine('{1,2}', '{1,2,3}');
SELECT halfvec_combine('{1,2}', '{2,3}'), halfvec_combine('{0}', '{2,3}'), halfvec_combine('{2,3}', '{0}');
SELECT halfvec_combine('{}', '{1,2}');
SELECT halfvec_avg('{}');
SELECT halfvec_avg('{0}'), halfvec_avg('{0,1}'), halfvec_avg('{5}'), halfvec_avg('{2,1}'), halfvec_sum('{2,1}');
SELECT halfvec_avg('{1,NaN}');
SELECT halfvec_sum('{1,Infinity}');
SELECT halfvec_avg(array_fill(1::float8, ARRAY[16002]));
-- A state in a table stays what it was.
CREATE TABLE state (s float8[]);
INSERT INTO state VALUES ('{1,2}');
SELECT halfvec_accum(s, '[1]') FROM state;
SELECT s FROM state;
DROP TABLE state;
\set VERBOSITY default

-- Aggregates of parallel workers
CREATE TABLE many (v halfvec(3)) WITH (parallel_workers = 2);
INSERT INTO many SELECT ARRAY[i % 10, i % 7, 1]::halfvec FROM generate_series(1, 5000) i;
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
CREATE TABLE long (id int, v halfvec);
INSERT INTO long SELECT g, (SELECT array_agg(i * g) FROM generate_series(1, 16000) i)::halfvec FROM generate_series(1, 2) g;
SELECT id, vector_dims(v), v <+> (SELECT v FROM long WHERE id = 1), subvector(v, 15999, 2), pg_column_size(v) FROM long ORDER BY id;
SELECT attstorage FROM pg_attribute WHERE attrelid = 'long'::regclass AND attname = 'v';
DROP TABLE long;

-- Binary
CREATE TABLE binary_from (v halfvec);
CREATE TABLE binary_to (v halfvec);
CREATE TABLE binary_to_2 (v halfvec(2));
INSERT INTO binary_from VALUES ('[1]'), ('[1.5,-2,65504]'), (NULL), ('[0.1,6e-8]');
SELECT halfvec_send(v) FROM binary_from;
\copy binary_from TO 'results/halfvec.bin' (FORMAT binary)
\copy binary_to FROM 'results/halfvec.bin' (FORMAT binary)
SELECT * FROM binary_to;
SELECT count(*) FROM binary_from f, binary_to t WHERE f.v = t.v;
\copy binary_to_2 FROM 'results/halfvec.bin' (FORMAT binary)

-- Damaged binary: a field of the given bytes
\set VERBOSITY terse
-- no dimensions
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4\0\0\0\0\377\377"' (FORMAT binary)
-- -1 dimensions
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4\377\377\0\0\377\377"' (FORMAT binary)
-- 16001 dimensions
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4\76\201\0\0\377\377"' (FORMAT binary)
-- flags
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\6\0\1\0\1\74\0\377\377"' (FORMAT binary)
-- fewer numbers than dimensions
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\6\0\2\0\0\74\0\377\377"' (FORMAT binary)
-- more numbers than dimensions
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\10\0\1\0\0\74\0\74\0\377\377"' (FORMAT binary)
-- nothing at all
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\377\377"' (FORMAT binary)
-- not a number
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\6\0\1\0\0\176\0\377\377"' (FORMAT binary)
-- infinity
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\6\0\1\0\0\374\0\377\377"' (FORMAT binary)
-- what is right passes
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\6\0\1\0\0\74\0\377\377"' (FORMAT binary)
\set VERBOSITY default
SELECT count(*) FROM binary_to WHERE v = '[1]';

-- Another type's value in a halfvec's clothes: only a superuser can make such a cast.
CREATE CAST (bytea AS halfvec) WITHOUT FUNCTION;
SELECT vector_dims('\x00000000'::bytea::halfvec);
SELECT vector_dims('\x'::bytea::halfvec);
SELECT ('\x0100000000000000aa'::bytea::halfvec)::text;
SELECT '[1]'::halfvec <-> '\x02000000000000000000'::bytea::halfvec;
DROP CAST (bytea AS halfvec);
DROP TABLE binary_from, binary_to, binary_to_2;
