-- The default models on the values of their reference implementation (test/golden/README.md).
\set QUIET 1
\getenv minilm MASKGEN_TEST_MINILM
\getenv bert MASKGEN_TEST_BERT
SET search_path = public, maskgen;
BEGIN;
SELECT plan(13);

SELECT lives_ok(format('SELECT maskgen.create_model(%L, %L)', 'minilm', :'minilm'), 'MiniLM is created');
SELECT lives_ok(format('SELECT maskgen.create_model(%L, %L)', 'bert', :'bert'), 'BERT is created');

SELECT is((SELECT array_agg(token ORDER BY rank) FROM maskgen.fill_mask('bert', 'The capital of France is [MASK].')),
	'{paris,lille,lyon,marseille,tours}', 'words for France');
SELECT ok((SELECT max(abs(score - want)) < 1e-4
	FROM maskgen.fill_mask('bert', 'The capital of France is [MASK].')
	JOIN unnest('{0.4168,0.0714,0.0634,0.0444,0.0303}'::real[]) WITH ORDINALITY AS reference(want, rank) USING (rank)),
	'with their probabilities');
SELECT is((SELECT array_agg(token ORDER BY rank) FROM maskgen.fill_mask('bert', 'Paris is the [MASK] of France.', 3)),
	'{capital,heart,center}', 'words for Paris');
SELECT ok((SELECT max(abs(score - want)) < 1e-4
	FROM maskgen.fill_mask('bert', 'Paris is the [MASK] of France.', 3)
	JOIN unnest('{0.9969,0.0006,0.0004}'::real[]) WITH ORDINALITY AS reference(want, rank) USING (rank)),
	'with their probabilities');

SELECT is(vector_dims(maskgen.embed('minilm', 'red shoes')), 384, 'MiniLM has 384 dimensions');
SELECT ok(abs(vector_norm(maskgen.embed('minilm', 'red shoes')) - 1) < 1e-5, 'vectors have length 1');
SELECT ok(maskgen.embed('minilm', 'A man is eating food.') <=> maskgen.embed('minilm', 'A man is eating a piece of bread.') <
	maskgen.embed('minilm', 'A man is eating food.') <=> maskgen.embed('minilm', 'Two cheetahs are running across a field.'),
	'like means near');
SELECT is(maskgen.embed_batch('minilm', '{one,two words,three words here}'),
	ARRAY[maskgen.embed('minilm', 'one'), maskgen.embed('minilm', 'two words'), maskgen.embed('minilm', 'three words here')],
	'a batch gives the same bits as one by one');
SELECT is(maskgen.classify('bert', 'The striker scored twice and the team won the cup.', '{world,sports,business,technology}'),
	'sports', 'a football report is sports');
SELECT is(maskgen.classify('bert', 'Shares fell after the bank reported lower profits.', '{world,sports,business,technology}'),
	'business', 'a stock report is business');
SELECT is(maskgen.count_tokens('minilm', 'red shoes'), 4, 'tokens are counted with the special ones');

SELECT * FROM finish();
ROLLBACK;
