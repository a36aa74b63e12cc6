-- The type sparsevec: forms, errors, casts, distances, comparison.
SET search_path = public, maskgen, "+maskgen";

-- Text: indices from 1 in any order, zeros left out
SELECT '{1:1.5,3:2}/5'::sparsevec;
SELECT ' { 3 : 2 ,	1:1.5 } / 5 '::sparsevec;
SELECT '{}/5'::sparsevec, '{ }/1000000000'::sparsevec, '{1000000000:-1}/1000000000'::sparsevec;
SELECT '{1:0,2:-0,3:1}/5'::sparsevec, '{1:0,1:2}/5'::sparsevec;
SELECT '{1:.5,2:+1e2,3:-1.5e-3,4:5.,5:0.1}/9'::sparsevec;
SELECT '{1:3.4028235e38,2:1e-45}/2'::sparsevec;

-- Errors of text
\set VERBOSITY terse
SELECT ''::sparsevec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{'::sparsevec;
SELECT '{}'::sparsevec;
SELECT '{}/'::sparsevec;
SELECT '{1:2'::sparsevec;
SELECT '{1:2}5'::sparsevec;
SELECT '{1:2,}/5'::sparsevec;
SELECT '{,}/5'::sparsevec;
SELECT '{1}/5'::sparsevec;
SELECT '{1:}/5'::sparsevec;
SELECT '{:1}/5'::sparsevec;
SELECT '{1:2 3:4}/5'::sparsevec;
SELECT '{1:2}/5x'::sparsevec;
SELECT '{1:2}/a'::sparsevec;
SELECT '[1:2]/5'::sparsevec;
SELECT '1:2/5'::sparsevec;
SELECT '{0:1}/5'::sparsevec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{-1:1}/5'::sparsevec;
SELECT '{6:1}/5'::sparsevec;
SELECT '{2147483648:1}/5'::sparsevec;
SELECT '{99999999999999999999:1}/5'::sparsevec;
SELECT '{-99999999999999999999:1}/5'::sparsevec;
SELECT '{1:1,2:2,1:3}/5'::sparsevec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{}/0'::sparsevec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{}/-1'::sparsevec;
SELECT '{}/1000000001'::sparsevec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{}/99999999999999999999'::sparsevec;
SELECT '{1:NaN}/5'::sparsevec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{1:-inf}/5'::sparsevec;
SELECT '{1:4e38}/5'::sparsevec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{1:1e-50}/5'::sparsevec;
SELECT l2_norm(('{' || string_agg(i || ':1', ',') || '}/16001')::sparsevec)^2 FROM generate_series(1, 16000) i;
SELECT l2_norm(('{' || string_agg(i || ':1', ',') || '}/16001')::sparsevec)^2 FROM generate_series(1, 16001) i;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT '1:2/5'::sparsevec;
SELECT '{1:2}'::sparsevec;
SELECT '{1:2}/5x'::sparsevec;

-- Type modifier
CREATE TABLE typed (v sparsevec(3));
INSERT INTO typed VALUES ('{1:1}/3'), (ARRAY[0,5,0]), ('[0,0,7]'::vector), (NULL);
SELECT * FROM typed;
SELECT format_type('sparsevec'::regtype, 3), '{}/1000000000'::sparsevec(1000000000);
\set VERBOSITY terse
INSERT INTO typed VALUES ('{1:1}/4');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO typed VALUES (ARRAY[1,2]);
SELECT '{1:1}/3'::sparsevec(3)::sparsevec(2);
SELECT '{}/1'::sparsevec(0);
\echo :LAST_ERROR_SQLSTATE
SELECT '{}/1'::sparsevec(1000000001);
SELECT '{}/1'::sparsevec(1, 2);
\set VERBOSITY default
DROP TABLE typed;

-- Casts
SELECT ARRAY[0,2,0]::sparsevec, ARRAY[0,1.5]::sparsevec, ARRAY[0,1.5]::real[]::sparsevec, ARRAY[0,1.5]::float8[]::sparsevec;
SELECT '[0,1.5,0,-2]'::vector::sparsevec, '[0,1.5,0,-2]'::halfvec::sparsevec, '[0,-0]'::vector::sparsevec;
SELECT '{2:1.5,4:-2}/4'::sparsevec::vector, '{2:1.5,4:-2}/4'::sparsevec::halfvec, '{}/2'::sparsevec::vector(2);
SELECT array_agg(CASE WHEN i % 1000 = 0 THEN i ELSE 0 END)::sparsevec FROM generate_series(1, 20000) i;
SELECT castsource::regtype, casttarget::regtype, castcontext, castfunc::regprocedure FROM pg_cast
WHERE castsource = 'sparsevec'::regtype OR casttarget = 'sparsevec'::regtype ORDER BY castsource::regtype::text COLLATE "C", casttarget::regtype::text COLLATE "C";
\set VERBOSITY terse
SELECT '{}/16001'::sparsevec::vector;
\echo :LAST_ERROR_SQLSTATE
SELECT '{}/16001'::sparsevec::halfvec;
SELECT '{1:65520}/2'::sparsevec::halfvec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{}/3'::sparsevec::vector(2);
SELECT '[1,2]'::vector::sparsevec(3);
SELECT '{1,2}'::int[]::sparsevec(3);
SELECT '{}'::real[]::sparsevec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{1,NULL}'::real[]::sparsevec;
\echo :LAST_ERROR_SQLSTATE
SELECT '{NaN}'::real[]::sparsevec;
SELECT '{1e300}'::float8[]::sparsevec;
SELECT '{{1},{2}}'::real[]::sparsevec;
SELECT array_agg(1)::sparsevec IS NULL FROM generate_series(1, 16001);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- Distances
SELECT '{}/2'::sparsevec <-> '{1:3,2:4}/2', '{1:1,2:2}/2'::sparsevec <#> '{1:3,2:4}/2', '{1:1,2:2}/2'::sparsevec <=> '{1:2,2:4}/2',
	'{}/2'::sparsevec <+> '{1:3,2:-4}/2';
SELECT l2_distance('{1:3}/3'::sparsevec, '{2:4}/3'), inner_product('{1:3,3:1}/3'::sparsevec, '{2:4,3:5}/3'),
	cosine_distance('{1:1}/2'::sparsevec, '{2:1}/2'), cosine_distance('{1:1}/2'::sparsevec, '{}/2'), cosine_distance('{1:1}/2'::sparsevec, '{1:-9}/2'),
	l1_distance('{1:1,5:2}/9'::sparsevec, '{5:-2,9:3}/9'), sparsevec_l2_squared_distance('{1:3}/3'::sparsevec, '{2:4}/3'),
	sparsevec_negative_inner_product('{1:3,3:1}/3'::sparsevec, '{2:4,3:5}/3');
SELECT l2_distance('{1:3e38}/1'::sparsevec, '{1:-3e38}/1'), inner_product('{1:3e38}/1'::sparsevec, '{1:3e38}/1');
SELECT l2_norm('{1:3,1000000000:4}/1000000000'::sparsevec), l2_norm('{}/3'::sparsevec), l2_normalize('{1:3,7:4}/9'::sparsevec), l2_normalize('{}/3'::sparsevec),
	l2_normalize('{1:1e38,2:1e-38}/2'::sparsevec);
\set VERBOSITY terse
SELECT '{}/2'::sparsevec <-> '{}/3';
\echo :LAST_ERROR_SQLSTATE
SELECT '{}/2'::sparsevec <#> '{}/3';
SELECT '{}/2'::sparsevec <=> '{}/3';
SELECT '{}/2'::sparsevec <+> '{}/3';
\set VERBOSITY default

-- Comparison: as if written out, then by dimensions
CREATE TABLE sorted (v sparsevec);
INSERT INTO sorted VALUES ('{1:2}/3'), ('{}/3'), ('{2:-1}/3'), ('{1:2,3:1}/3'), ('{1:2,3:-1}/3'), ('{3:5}/3'), ('{}/2'), ('{4:-9}/4'), ('{1:2}/4'), (NULL), ('{}/3');
SELECT v, CASE WHEN v IS NOT NULL THEN v::vector END FROM sorted ORDER BY v;
SELECT bool_and((a.v < b.v) = (a.v::vector < b.v::vector) AND (a.v <= b.v) = (a.v::vector <= b.v::vector) AND (a.v = b.v) = (a.v::vector = b.v::vector)
	AND (a.v <> b.v) = (a.v::vector <> b.v::vector) AND (a.v >= b.v) = (a.v::vector >= b.v::vector) AND (a.v > b.v) = (a.v::vector > b.v::vector)
	AND sparsevec_cmp(a.v, b.v) = vector_cmp(a.v::vector, b.v::vector)) FROM sorted a, sorted b;
SELECT v, count(*) FROM sorted GROUP BY v HAVING count(*) > 1;
CREATE INDEX sorted_v ON sorted (v);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM sorted WHERE v = '{1:2}/3';
SELECT * FROM sorted WHERE v = '{1:2}/3';
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP TABLE sorted;

-- Binary
CREATE TABLE binary_from (v sparsevec);
CREATE TABLE binary_to (v sparsevec);
CREATE TABLE binary_to_2 (v sparsevec(2));
INSERT INTO binary_from VALUES ('{}/1'), ('{1:1.5,5:-2}/5'), (NULL), ('{1000000000:1e-45}/1000000000');
SELECT sparsevec_send(v) FROM binary_from;
\copy binary_from TO 'results/sparsevec.bin' (FORMAT binary)
\copy binary_to FROM 'results/sparsevec.bin' (FORMAT binary)
SELECT * FROM binary_to;
\copy binary_to_2 FROM 'results/sparsevec.bin' (FORMAT binary)
\set VERBOSITY terse
-- 0, -1 and too many dimensions
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\14\0\0\0\0\0\0\0\0\0\0\0\0\377\377"' (FORMAT binary)
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\14\377\377\377\377\0\0\0\0\0\0\0\0\377\377"' (FORMAT binary)
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\14\177\377\377\377\0\0\0\0\0\0\0\0\377\377"' (FORMAT binary)
-- -1 elements, more than dimensions, more than allowed
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\14\0\0\0\2\377\377\377\377\0\0\0\0\377\377"' (FORMAT binary)
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\14\0\0\0\2\0\0\0\3\0\0\0\0\377\377"' (FORMAT binary)
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\14\0\1\0\0\0\0\76\201\0\0\0\0\377\377"' (FORMAT binary)
-- flags
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\14\0\0\0\2\0\0\0\0\0\0\0\1\377\377"' (FORMAT binary)
-- an index beyond the end, before the begin, twice, in descending order
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\24\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\2\77\200\0\0\377\377"' (FORMAT binary)
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\24\0\0\0\2\0\0\0\1\0\0\0\0\377\377\377\377\77\200\0\0\377\377"' (FORMAT binary)
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\34\0\0\0\2\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\1\77\200\0\0\77\200\0\0\377\377"' (FORMAT binary)
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\34\0\0\0\2\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\77\200\0\0\77\200\0\0\377\377"' (FORMAT binary)
-- zero, not a number, fewer values than indices, more than that
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\24\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\377\377"' (FORMAT binary)
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\24\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\1\177\300\0\0\377\377"' (FORMAT binary)
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\20\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\1\377\377"' (FORMAT binary)
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\30\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\1\77\200\0\0\77\200\0\0\377\377"' (FORMAT binary)
-- what is right passes
\copy binary_to FROM PROGRAM 'printf "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1\0\0\0\24\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\1\77\200\0\0\377\377"' (FORMAT binary)
\set VERBOSITY default
SELECT count(*) FROM binary_to WHERE v = '{2:1}/2';

-- Another type's value in a sparse vector's clothes: only a superuser can make such a cast.
CREATE CAST (bytea AS sparsevec) WITHOUT FUNCTION;
SELECT ('\x'::bytea::sparsevec)::text;
SELECT ('\x050000000100000000000000'::bytea::sparsevec)::text;
SELECT ('\x05000000ffffffff00000000'::bytea::sparsevec)::text;
SELECT ('\x0500000001000000000000000700000000000040'::bytea::sparsevec)::vector;
SELECT ('\x0500000001000000000000000300000000000040'::bytea::sparsevec)::vector;
DROP CAST (bytea AS sparsevec);
DROP TABLE binary_from, binary_to, binary_to_2;
