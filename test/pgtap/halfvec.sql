-- Half vectors and sparse vectors against vectors of the same numbers, and against plain SQL, on random values.
SET search_path = public, maskgen, "+maskgen";
SET client_min_messages = warning;
SELECT plan(16);

SELECT setseed(0.5);
-- Numbers that float16 has, so that all three types hold the same ones; three of four are zero.
CREATE TABLE pair AS
SELECT n, a::real[]::halfvec AS v, b::real[]::halfvec AS w
FROM (SELECT n, array_agg(CASE WHEN random() < 0.25 THEN (floor(random() * 4096) - 2048) / 1024 ELSE 0 END) AS a,
	array_agg(CASE WHEN random() < 0.25 THEN (floor(random() * 4096) - 2048) / 1024 ELSE 0 END) AS b
	FROM unnest(ARRAY[1, 2, 3, 5, 15, 16, 17, 31, 64, 65, 100, 384, 768, 1535, 4096, 16000]) n, generate_series(1, n) GROUP BY n) r;
CREATE TABLE plain AS
SELECT n, sum(a * b) AS product, sum(abs(a * b)) AS products, sum((a - b) ^ 2) AS square, sum(abs(a - b)) AS absolute,
	sum(a * a) AS xx, sum(b * b) AS yy
FROM pair, unnest(v::real[]::float8[], w::real[]::float8[]) u (a, b) GROUP BY n;

SELECT is((SELECT count(*) FROM pair JOIN plain USING (n)), 16::bigint, 'there are pairs of 16 sizes');
-- Sums are good to 1e-6 of what was added up, and a root halves that.
SELECT cmp_ok((SELECT max(abs((v <-> w) - sqrt(square)) / sqrt(square)) FROM pair JOIN plain USING (n) WHERE square > 0), '<=', 1e-6::float8, '<->');
SELECT cmp_ok((SELECT max(abs((v <#> w) + product) / products) FROM pair JOIN plain USING (n) WHERE products > 0), '<=', 1e-6::float8, '<#>');
SELECT cmp_ok((SELECT max(abs((v <=> w) - (1 - product / sqrt(xx * yy)))) FROM pair JOIN plain USING (n) WHERE xx * yy > 0), '<=', 4e-6::float8, '<=>');
SELECT cmp_ok((SELECT max(abs((v <+> w) - absolute) / absolute) FROM pair JOIN plain USING (n) WHERE absolute > 0), '<=', 1e-6::float8, '<+>');
SELECT cmp_ok((SELECT max(abs(l2_norm(v) - sqrt(xx))) FROM pair JOIN plain USING (n)), '<', 1e-9::float8, 'l2_norm');
SELECT cmp_ok((SELECT max(abs(l2_norm(l2_normalize(v)) - 1)) FROM pair WHERE l2_norm(v) > 0), '<', 1e-3::float8, 'l2_normalize gives length 1');
SELECT ok((SELECT bool_and(v::text::halfvec = v AND v::vector::halfvec = v AND v::real[]::halfvec = v AND subvector(v, 1, n) = v
	AND v::sparsevec::halfvec = v AND v::sparsevec::vector = v::vector AND v::sparsevec::text::sparsevec = v::sparsevec) FROM pair), 'there and back');
SELECT ok((SELECT bool_and((v <-> w) = (v::vector <-> w::vector) AND (v <#> w) = (v::vector <#> w::vector) AND (v <+> w) = (v::vector <+> w::vector)
	AND (v <=> w) IS NOT DISTINCT FROM (v::vector <=> w::vector)) FROM pair), 'distances are those of vectors of the same numbers, bit for bit');
SELECT ok((SELECT bool_and(abs((v::sparsevec <-> w::sparsevec) - (v <-> w)) <= 1e-6 * (v <-> w)
	AND abs((v::sparsevec <+> w::sparsevec) - (v <+> w)) <= 1e-6 * (v <+> w)
	AND abs((v::sparsevec <#> w::sparsevec) - (v <#> w)) <= 1e-6 * products) FROM pair JOIN plain USING (n)), 'distances of sparse vectors');
SELECT ok((SELECT bool_and(abs((v::sparsevec <=> w::sparsevec) - (v <=> w)) <= 4e-6) FROM pair WHERE n > 16), 'cosine of sparse vectors');
SELECT ok((SELECT bool_and(l2_norm(v::sparsevec) = l2_norm(v) AND l2_norm(v::sparsevec) = l2_norm(v::vector)) FROM pair), 'lengths agree');
SELECT ok((SELECT bool_and(binary_quantize(v) = binary_quantize(v::vector)
	AND (binary_quantize(v) <~> binary_quantize(w)) = (SELECT count(*) FROM unnest(v::real[], w::real[]) u (a, b) WHERE (a > 0) <> (b > 0))
	) FROM pair), 'bits of signs, and how many differ');
SELECT ok((SELECT bool_and(abs((binary_quantize(v) <%> binary_quantize(w)) - (SELECT 1 - count(*) FILTER (WHERE a > 0 AND b > 0)::float8
	/ nullif(count(*) FILTER (WHERE a > 0 OR b > 0), 0) FROM unnest(v::real[], w::real[]) u (a, b))) < 1e-12) FROM pair), 'Jaccard distance of them');
SELECT ok((SELECT bool_and((v + w)::vector = (v::vector + w::vector)::halfvec::vector AND (v - w)::vector = (v::vector - w::vector)::halfvec::vector
	AND v || w = (v::vector || w::vector)::halfvec) FROM pair WHERE n <= 8000), 'arithmetic is that of vectors, rounded once');
SELECT ok((SELECT avg(subvector(v, 1, 3)) = avg(subvector(v, 1, 3)::vector)::halfvec AND sum(subvector(v, 1, 3)) = sum(subvector(v, 1, 3)::vector)::halfvec
	FROM pair WHERE n >= 3), 'avg and sum are those of vectors, rounded once');
SELECT * FROM finish();
