-- Real models with heads for tokens, and a learnt sparse one: what their reference says (ONNX Runtime; shared values of SPLADE).
\set QUIET 1
\getenv rampart MASKGEN_TEST_RAMPART
\getenv splade MASKGEN_TEST_SPLADE
SET search_path = public, maskgen;
SELECT plan(7);

SELECT lives_ok(format('SELECT create_model(%L, %L)', 'rampart', :'rampart'), 'rampart is created');
SELECT results_eq($$SELECT entity, label, start, stop FROM entities('rampart', 'My name is Maria Lopez and I live at 42 Elm Street, Boston')$$,
	$$VALUES ('Maria', 'GIVEN_NAME', 12, 17), ('Lopez', 'SURNAME', 18, 23), ('42', 'BUILDING_NUMBER', 38, 40), ('Elm Street', 'STREET_NAME', 41, 51), ('Boston', 'CITY', 53, 59)$$,
	'what is personal, and where it stands');
SELECT ok(max(abs(score - want)) < 1e-5, 'with the probabilities of ONNX Runtime')
	FROM entities('rampart', 'My name is Maria Lopez and I live at 42 Elm Street, Boston') WITH ORDINALITY e (entity, label, score, start, stop, n)
	JOIN (VALUES (1, 0.9991937), (2, 0.9984272), (3, 0.9998461), (4, (0.9996098 + 0.9997750) / 2), (5, 0.9994399)) r (n, want) USING (n);
SELECT is(mask_entities('rampart', 'Write to john.smith@example.com, Maria.', '{EMAIL}'), 'Write to [EMAIL], Maria.', 'an address is replaced once, a name that is not asked for stays');
SELECT is(mask_entities('rampart', 'The lamp does not work.'), 'The lamp does not work.', 'nothing personal');

\if `test -f "$MASKGEN_TEST_SPLADE/config.json" && echo true || echo false`
SELECT lives_ok(format('SELECT create_model(%L, %L)', 'splade', :'splade'), 'SPLADE is created');
SELECT is((SELECT string_agg(word || ' ' || round(weight::numeric, 2), ', ' ORDER BY weight DESC) FROM
	(SELECT detokenize('splade', ARRAY[m[1]::int - 1]) AS word, m[2]::real AS weight
	FROM regexp_matches(embed_sparse('splade', 'what causes heart disease in older people')::text, '(\d+):([0-9.e-]+)', 'g') m ORDER BY 2 DESC LIMIT 6) w),
	'heart 2.30, causes 2.07, cause 1.86, older 1.80, disease 1.71, elderly 1.36', 'words that are written, and words that are meant');
\else
SELECT pass('SPLADE is created # SKIP it is not in the cache') UNION ALL SELECT pass('words # SKIP it is not in the cache');
\endif
SELECT * FROM finish();
