-- Distances and arithmetic of vectors against plain SQL, to what src/vector/distance.h promises.
\set QUIET 1
SET search_path = public, maskgen, "+maskgen";
BEGIN;
SELECT plan(23);

-- Random but the same each time. 16000 dimensions are what a sum's error would grow with.
SELECT setseed(0.25) \g /dev/null
CREATE TEMP TABLE pair AS
SELECT dims, a, b, a::vector AS va, b::vector AS vb
FROM (SELECT generate_series(1, 40) UNION ALL SELECT unnest('{384,768,4096,16000}'::int[])) sizes (dims),
	LATERAL (SELECT array_agg((random() * 2 - 1)::real ORDER BY i) AS a, array_agg((random() * 2 - 1)::real ORDER BY i) AS b
		FROM generate_series(1, dims) i) drawn;
-- Equal terms, whose errors have one sign and add up.
INSERT INTO pair SELECT 15999, a, b, a::vector, b::vector
FROM (SELECT array_fill(0.296::real, ARRAY[15999]) AS a, array_fill(-0.40552::real, ARRAY[15999]) AS b) equal_terms;

-- In double precision; products is what the error of a sum with terms of both signs goes by.
CREATE TEMP TABLE plain AS
SELECT dims, sum(x * y) AS product, sum(abs(x * y)) AS products, sqrt(sum((x - y) ^ 2)) AS l2, sum(abs(x - y)) AS l1,
	sqrt(sum(x * x)) AS length_a, sqrt(sum(y * y)) AS length_b
FROM pair, LATERAL (SELECT x::float8, y::float8 FROM unnest(a, b) elements (x, y)) elements
GROUP BY dims;
CREATE TEMP VIEW both_ways AS SELECT * FROM pair JOIN plain USING (dims);

SELECT is(count(*), 45::bigint, 'sizes 1 to 40, 384, 768, 4096, 15999 and 16000') FROM both_ways;
SELECT is(max(abs((va <-> vb) - l2) / l2) < 1e-6, true, '<-> is the Euclidean distance') FROM both_ways;
SELECT is(max(abs(vector_l2_squared_distance(va, vb) - l2 ^ 2) / l2 ^ 2) < 1e-6, true, 'and its square') FROM both_ways;
SELECT is(max(abs((va <#> vb) + product) / products) < 1e-6, true, '<#> is the negative inner product') FROM both_ways;
SELECT is(max(abs(inner_product(va, vb) - product) / products) < 1e-6, true, 'and inner_product the positive one')
FROM both_ways;
SELECT is(max(abs((va <+> vb) - l1) / l1) < 1e-6, true, '<+> is the taxicab distance') FROM both_ways;
-- Three sums: the error of a . b, and half of that of each square.
SELECT is(max(abs((va <=> vb) - (1 - product / (length_a * length_b)))) < 2e-6, true, '<=> is the cosine distance')
FROM both_ways;
SELECT is(max(abs(vector_norm(va) - length_a) / length_a) < 1e-12, true, 'vector_norm is the length, in double precision')
FROM both_ways;
SELECT is(bool_and(l2_norm(va) = vector_norm(va)), true, 'l2_norm is another name for it') FROM both_ways;
SELECT is(max(abs(vector_norm(l2_normalize(va)) - 1)) < 1e-6, true, 'l2_normalize gives length 1') FROM both_ways;
SELECT is(max(va <=> l2_normalize(va)) < 2e-6, true, 'and keeps the direction') FROM both_ways;
SELECT is(bool_and((va <-> vb) = (vb <-> va) AND (va <=> vb) = (vb <=> va) AND (va <#> vb) = (vb <#> va)
	AND (va <+> vb) = (vb <+> va)), true, 'distances are the same bits in both directions') FROM both_ways;

SELECT is(bool_and(va::real[] = a), true, 'real[] to vector and back loses nothing') FROM pair;
SELECT is(bool_and(va::text::vector = va), true, 'text and back loses nothing') FROM pair;
SELECT is(bool_and(vector_dims(va) = dims AND octet_length(vector_send(va)) = 4 + 4 * dims), true,
	'the binary form has 4 bytes and 4 for each dimension') FROM pair;
SELECT is(bool_and((va + vb)::real[] = (SELECT array_agg(x + y ORDER BY i) FROM unnest(a, b) WITH ORDINALITY e (x, y, i))),
	true, '+ adds as real does') FROM pair;
SELECT is(bool_and((va - vb)::real[] = (SELECT array_agg(x - y ORDER BY i) FROM unnest(a, b) WITH ORDINALITY e (x, y, i))),
	true, '- subtracts as real does') FROM pair;
SELECT is(bool_and((va * vb)::real[] = (SELECT array_agg(x * y ORDER BY i) FROM unnest(a, b) WITH ORDINALITY e (x, y, i))),
	true, '* multiplies as real does') FROM pair;

-- Kernels of every level that this CPU has give the same bits.
CREATE FUNCTION at_level(level text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_catalog.set_config('maskgen.cpu', level, true);
	RETURN (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(',', va OPERATOR(maskgen.<->) vb, va OPERATOR(maskgen.<=>) vb, va OPERATOR(maskgen.<#>) vb,
			va OPERATOR(maskgen.<+>) vb, va::maskgen.halfvec OPERATOR(maskgen.<->) vb::maskgen.halfvec,
			maskgen.binary_quantize(va) OPERATOR(maskgen.<~>) maskgen.binary_quantize(vb),
			maskgen.binary_quantize(va) OPERATOR(maskgen.<%>) maskgen.binary_quantize(vb)), ' ' ORDER BY dims) FROM pg_temp.both_ways);
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN public.at_level('scalar'); -- not this CPU
END $$;
SELECT is(at_level(level), at_level('auto'), level || ' gives the same bits')
FROM unnest(ARRAY['scalar', 'avx2', 'avx512', 'avx512vnni', 'amx']) level;

SELECT * FROM finish();
ROLLBACK;
