-- Distances against the same in plain SQL, on random vectors; what the planner is told about the functions.
SET search_path = public, maskgen, "+maskgen";
SET client_min_messages = warning;
SELECT plan(17);

SELECT setseed(0.25);
CREATE TABLE pair AS
SELECT n, a::float8[] AS x, b::float8[] AS y, a::real[]::vector AS v, b::real[]::vector AS w
FROM (SELECT n, array_agg((random() * 2 - 1)::real) AS a, array_agg((random() * 2 - 1)::real) AS b
	FROM unnest(ARRAY[1, 2, 3, 5, 15, 16, 17, 31, 64, 65, 100, 384, 768, 1535, 4096, 16000]) n, generate_series(1, n) GROUP BY n) r;
CREATE TABLE plain AS
SELECT n, sum(a * b) AS product, sum(abs(a * b)) AS products, sum((a - b) ^ 2) AS square, sum(abs(a - b)) AS absolute,
	sum(a * a) AS xx, sum(b * b) AS yy
FROM pair, unnest(x, y) u (a, b) GROUP BY n;

SELECT is((SELECT count(*) FROM pair JOIN plain USING (n)), 16::bigint, 'there are pairs of 16 sizes');
-- float32 sums of up to 1000 terms a lane are good to about 1e-5 of what was added up.
SELECT cmp_ok((SELECT max(abs((v <-> w) - sqrt(square)) / sqrt(square)) FROM pair JOIN plain USING (n)), '<', 1e-5::float8, '<->');
SELECT cmp_ok((SELECT max(abs((v <#> w) + product) / products) FROM pair JOIN plain USING (n)), '<', 1e-5::float8, '<#>');
SELECT cmp_ok((SELECT max(abs((v <=> w) - (1 - product / sqrt(xx * yy)))) FROM pair JOIN plain USING (n)), '<', 1e-5::float8, '<=>');
SELECT cmp_ok((SELECT max(abs((v <+> w) - absolute) / absolute) FROM pair JOIN plain USING (n)), '<', 1e-5::float8, '<+>');
SELECT cmp_ok((SELECT max(abs(vector_l2_squared_distance(v, w) - square) / square) FROM pair JOIN plain USING (n)), '<', 1e-5::float8,
	'vector_l2_squared_distance');
SELECT cmp_ok((SELECT max(abs(vector_norm(v) - sqrt(xx)) / sqrt(xx)) FROM pair JOIN plain USING (n)), '<', 1e-12::float8, 'vector_norm');
SELECT ok((SELECT bool_and((v <-> w) = (w <-> v) AND (v <#> w) = (w <#> v) AND (v <=> w) = (w <=> v) AND (v <+> w) = (w <+> v)) FROM pair),
	'distances do not depend on the order');
SELECT ok((SELECT bool_and((v <-> v) = 0 AND (v <+> v) = 0 AND (v <=> v) BETWEEN 0 AND 1e-6 AND (v <=> v * (SELECT array_agg(-1.0::real) FROM
	generate_series(1, n))::vector) BETWEEN 2 - 1e-6 AND 2) FROM pair), 'a vector is at its own place');
SELECT cmp_ok((SELECT max(abs(vector_norm(l2_normalize(v)) - 1)) FROM pair), '<', 1e-6::float8, 'l2_normalize gives length 1');
SELECT ok((SELECT bool_and(v = x::vector AND v::real[]::float8[] = x AND v::text::vector = v AND subvector(v, 1, n) = v) FROM pair),
	'there and back');
SELECT ok((SELECT bool_and((v + w) - w <-> v < 1e-4 AND (v * w) <#> (SELECT array_agg(1) FROM generate_series(1, n))::vector = v <#> w) FROM pair
	WHERE n < 16), 'arithmetic fits to itself');
SELECT cmp_ok((SELECT max(abs(a - b)) FROM (SELECT avg(subvector(v, 1, 3)) AS v FROM pair WHERE n >= 3) r,
	unnest(r.v::real[]) WITH ORDINALITY s (a, i) JOIN (SELECT i, avg(e) AS b FROM pair, unnest(x) WITH ORDINALITY e (e, i) WHERE n >= 3
	GROUP BY i) t USING (i)), '<', 1e-6::float8, 'avg is the average');

SELECT is((SELECT string_agg(p.oid::regprocedure::text, ' ') FROM pg_proc p
	WHERE pronamespace IN ('maskgen'::regnamespace, '"+maskgen"'::regnamespace) AND p.proname ~ 'vec|^l2_|^l1_|inner|cosine|quantize' AND p.proname !~ '^hnsw_|^link_|^enable_' AND prokind = 'f'
	AND NOT (provolatile = 'i' AND proisstrict AND proparallel = 's')), NULL, 'all are IMMUTABLE, STRICT and PARALLEL SAFE');
SELECT results_eq($$SELECT proname::text COLLATE "default", procost FROM pg_proc WHERE pronamespace IN ('maskgen'::regnamespace, '"+maskgen"'::regnamespace) AND 'vector'::regtype = ANY (proargtypes)
	AND procost <> 1 AND prokind = 'f' AND provolatile = 'i' AND proname !~ '^sphere$|_within$|^predict|^fit_|^label_' ORDER BY proname COLLATE "C"$$,
	$$VALUES ('binary_quantize', 10::real), ('cosine_distance', 10), ('inner_product', 10), ('l1_distance', 10), ('l2_distance', 10), ('l2_norm', 10),
	('l2_normalize', 10), ('vector_add', 10), ('vector_l2_squared_distance', 10), ('vector_mul', 10), ('vector_negative_inner_product', 10),
	('vector_norm', 10), ('vector_spherical_distance', 10), ('vector_sub', 10)$$, 'what looks at each number costs ten operators');
SELECT is((SELECT array_agg(aggtransfn::text || ' ' || aggcombinefn::text || ' ' || p.proparallel::text ORDER BY aggtransfn::text COLLATE "C") FROM pg_aggregate a
	JOIN pg_proc p ON p.oid = a.aggfnoid WHERE p.pronamespace = 'maskgen'::regnamespace AND p.proname IN ('sum', 'avg')), ARRAY['halfvec_accum halfvec_combine s',
	'halfvec_accum halfvec_combine s', 'vector_accum vector_combine s', 'vector_accum vector_combine s'], 'aggregates can be parallel');
SELECT results_eq($$SELECT (oprname || ' ' || oprcom::regoperator || ' ' || oprrest::regproc || ' ' || oprcanhash) COLLATE "default" FROM pg_operator
	WHERE oprnamespace = 'maskgen'::regnamespace AND oprname IN ('=', '<', '<=') AND oprleft = 'vector'::regtype ORDER BY oprname$$,
	$$VALUES ('< >(vector,vector) scalarltsel false'), ('<= >=(vector,vector) scalarlesel false'), ('= =(vector,vector) eqsel false')$$,
	'comparisons have commutators and estimators');
SELECT * FROM finish();
