-- Models of 8 bits: what the views say, how near to float32 they are, that nothing but the CPU level changes a bit.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT plan(28);

SELECT :'dir' || '/golden/tiny/bert-embed-mean' AS mean, :'dir' || '/golden/tiny/bert-mlm' AS mlm \gset
-- What is in memory is by content: prompts that no other test's models have.
CREATE FUNCTION make(name text, path text, dtype text) RETURNS text LANGUAGE sql AS $$
	SELECT maskgen.create_model(name, path, pg_catalog.jsonb_build_object('dtype', dtype, 'prompts',
		pg_catalog.jsonb_build_object('query', 'int8 test')))
$$;
SELECT make('e32', :'mean', 'f32') <> make('e8', :'mean', 'int8') AS differ \gset
SELECT ok(:'differ'::boolean, 'the content is another');
SELECT lives_ok(format('SELECT public.make(%L, %L, %L)', 'm' || n, :'mlm', t), t) FROM (VALUES (32, 'f32'), (8, 'int8'), (16, 'bf16')) v (n, t);
SELECT throws_ok(format('SELECT public.make(%L, %L, %L)', 'x', :'mlm', 'int4'), '22023', 'option "dtype" has value "int4"', 'int4 is none');
SELECT throws_ok(format('SELECT public.make(%L, %L, %L)', 'x', :'mlm', 'INT8'), '22023', 'option "dtype" has value "INT8"', 'nor is INT8');

-- The views
SELECT results_eq($$SELECT name, dtype FROM maskgen.maskgen_models ORDER BY name COLLATE "C"$$,
	$$VALUES ('e32', 'f32'), ('e8', 'int8'), ('m16', 'bf16'), ('m32', 'f32'), ('m8', 'int8')$$, 'the view shows what each is stored in');
SELECT load_model(name) FROM maskgen_models;
SELECT cmp_ok(a.stored_bytes, '<', b.stored_bytes / 2, 'stored in less than half, with a tokeniser and a scale a row')
FROM maskgen_models a, maskgen_models b WHERE a.name = 'e8' AND b.name = 'e32';
SELECT cmp_ok(a.resident_bytes, '<', b.resident_bytes / 2, 'resident as well') FROM maskgen_models a, maskgen_models b WHERE a.name = 'e8' AND b.name = 'e32';
SELECT ok(parameters > 20000, 'parameters are counted as before') FROM maskgen_models WHERE name = 'e8';
SELECT is(a.parameters, b.parameters, 'and are as many') FROM maskgen_models a, maskgen_models b WHERE a.name = 'e8' AND b.name = 'e32';
SET maskgen.cpu = scalar;
SELECT is(kernel, CASE name WHEN 'e8' THEN 'scalar int8' ELSE 'scalar' END, 'the kernel of ' || name) FROM maskgen_models WHERE name IN ('e8', 'm16') ORDER BY name;
RESET maskgen.cpu;
SELECT matches(kernel, '^(scalar|avx2|avx512|avx512vnni|amx) int8$', 'and by itself') FROM maskgen_models WHERE name = 'm8';
SELECT ok('{avx512vnni,amx}' <@ enumvals, 'avx512vnni and amx can be asked for') FROM pg_settings WHERE name = 'maskgen.cpu';

-- Answers
CREATE TABLE input AS SELECT i, format('%s the capital of %s is %s', i, (ARRAY['paris', 'france', 'news', 'red wine'])[1 + i % 4], repeat('so ', i % 7)) AS body
FROM generate_series(1, 60) i;
-- Random weights of 32 dimensions quantise worse than trained ones: 0.9995 was seen.
SELECT cmp_ok(min(1 - (embed('e8', body) <=> embed('e32', body))), '>', 0.998::float8, 'vectors are near to those of float32') FROM input;
SELECT isnt(embed('e8', 'paris')::text, embed('e32', 'paris')::text, 'but others');
SELECT results_eq($$SELECT maskgen.embed('e8', body)::text FROM public.input ORDER BY i$$,
	$$SELECT v::text FROM pg_catalog.unnest(maskgen.embed_batch('e8', (SELECT pg_catalog.array_agg(body ORDER BY i) FROM public.input))) WITH ORDINALITY u (v, i) ORDER BY i$$,
	'a batch changes no bit');
CREATE TABLE alone AS SELECT i, embed('e8', body) AS v FROM input;
SET maskgen.threads = 3;
SELECT results_eq('SELECT embed(''e8'', body)::text FROM input ORDER BY i', 'SELECT v::text FROM alone ORDER BY i', 'nor do threads');
RESET maskgen.threads;
-- The float32 parts round in an order of the level's own, and move a code by one here and there.
CREATE FUNCTION at_level(level text) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_catalog.set_config('maskgen.cpu', level, true);
	RETURN (SELECT max(maskgen.embed('e8', body) OPERATOR(maskgen.<=>) v) FROM public.input JOIN public.alone USING (i));
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN 0; -- not this CPU
END $$;
SELECT cmp_ok(at_level(level), '<', 0.002::float8, level || ' gives nearly the same') FROM unnest(ARRAY['scalar', 'avx2', 'avx512', 'avx512vnni', 'amx']) level;

-- Libraries have no part in it: there is one copy for all settings, and the answer is the same.
SET maskgen.matmul = onednn;
SELECT is((SELECT count(*) FROM pg_ls_dir('pgsql_tmp_maskgen', true, false) f, maskgen_models m WHERE m.name = 'e8' AND f LIKE '%' || m.version || '%'), 1::bigint, 'one copy');
SELECT is(kernel LIKE '%onednn%', false, 'computed by the kernels of maskgen') FROM maskgen_models WHERE name = 'e8';
RESET maskgen.matmul;

-- Words
SELECT cmp_ok(max(abs(a.score - b.score)), '<', 0.01::real, 'fill_mask is near')
FROM fill_mask('m8', 'the capital of france is [MASK]', top_k => 300) a JOIN fill_mask('m32', 'the capital of france is [MASK]', top_k => 300) b USING (token);
SELECT is(classify('m8', 'paris', '{world,sports}'), classify('m32', 'paris', '{world,sports}'), 'classify answers the same');
SELECT * FROM finish();
