-- Distances between bit strings.
SET search_path = public, maskgen;

SELECT hamming_distance('111', '111'), hamming_distance('111', '110'), hamming_distance('111', '000'), '1010'::bit(4) <~> '0101';
SELECT jaccard_distance('1111', '1111'), jaccard_distance('1111', '1110'), jaccard_distance('1100', '0011'), '1010'::bit(4) <%> '0110';
-- Nothing in common, and nothing at all
SELECT jaccard_distance('0000', '0000'), jaccard_distance('1000', '0000'), hamming_distance('', ''), jaccard_distance('', '');
SELECT B'101'::varbit <~> B'100'::varbit, hamming_distance(B'101', B'100'::varbit);
-- Each length around a byte, a word and a register; then the longest
SELECT bool_and(hamming_distance(repeat('1', n)::varbit::bit(70), repeat('0', 70)::bit(70)) = n) FROM generate_series(0, 70) n;
SELECT n, repeat('10', n)::varbit::bit(100000) <~> repeat('01', n)::varbit::bit(100000) AS hamming,
	repeat('10', n)::varbit::bit(100000) <%> repeat('11', n)::varbit::bit(100000) AS jaccard FROM unnest(ARRAY[1, 255, 256, 257, 50000]) n;
SELECT binary_quantize('[1,-1,2,-2]'::vector) <~> binary_quantize('[1,1,-2,-2]'::halfvec);
\set VERBOSITY terse
SELECT hamming_distance('111', '00');
\echo :LAST_ERROR_SQLSTATE
SELECT jaccard_distance('111', '00');
SELECT '111'::bit(3) <~> '00'::bit(2);
\set VERBOSITY default

-- Nearest first, and what the planner knows
CREATE TABLE item (id int, b bit(3));
INSERT INTO item VALUES (1, '000'), (2, '100'), (3, '111'), (4, NULL);
SELECT id, b <~> '101' FROM item ORDER BY b <~> '101', id;
SELECT id, b <%> '101' FROM item ORDER BY b <%> '101', id;
DROP TABLE item;
SELECT oid::regprocedure, provolatile, proisstrict, proparallel FROM pg_proc WHERE proname IN ('hamming_distance', 'jaccard_distance') ORDER BY proname;
SELECT oprname, oprcom::regoperator, oprresult::regtype FROM pg_operator WHERE oprname IN ('<~>', '<%>') AND oprleft = 'bit'::regtype ORDER BY 1;
