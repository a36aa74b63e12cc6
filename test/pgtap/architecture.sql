-- Checkpoints of each kind through the server: architectures, file formats, an image that 0.1.0 wrote.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen, "+maskgen";
SET client_min_messages = warning;
SET maskgen.enable_result_cache = off;
SELECT plan(14);

-- ModernBERT, with its byte-level tokeniser
SELECT create_model('modern', :'dir' || '/golden/tiny/modernbert', '{"pooling": "mean"}') IS NOT NULL AS made \gset
SELECT is((architecture, tasks, dims, max_tokens)::text, '(modernbert,"embed, fill_mask, classify",32,64)', 'ModernBERT loads')
	FROM maskgen_models WHERE name = 'modern';
SELECT results_eq($$SELECT token_id FROM fill_mask('modern', 'The capital of France is [MASK].', 5) ORDER BY rank$$,
	$$VALUES (224), (281), (231), (235), (168)$$, 'its words for a mask are those of transformers');
SELECT ok(bool_and(abs(a.score - b.score) < 1e-4), 'with their probabilities')
	FROM fill_mask('modern', 'The capital of France is [MASK].', 5) a
	JOIN (VALUES (1, 0.135840312), (2, 0.0638625473), (3, 0.0362116806), (4, 0.0342434458), (5, 0.0262748767)) b (rank, score) USING (rank);
SELECT is(vector_dims(embed('modern', repeat('a long text ', 50))), 32, 'a text that is longer than the model reads is cut');

-- A head for classes
SELECT create_model('classes', :'dir' || '/golden/tiny/bert-classes') IS NOT NULL AS made \gset
SELECT is(tasks, 'classify, classify_own, classify_own_scores', 'BERT with a head for classes loads') FROM maskgen_models WHERE name = 'classes';
SELECT throws_like($$SELECT fill_mask('classes', 'a [MASK]')$$, '%has no masked-language-model head', 'and has no other head');

-- Encoders with tables of distances, passes that share layers, and products by distance: all of a model's way through the server
SELECT count(create_model(f, :'dir' || '/golden/encoder/' || f, '{"pooling": "mean"}')) AS made FROM unnest('{albert,deberta-v2,mpnet,t5}'::text[]) f \gset
SELECT results_eq($$SELECT name || ' ' || architecture || ' ' || tasks || ' ' || dims FROM maskgen_models WHERE name IN ('albert', 'deberta-v2', 'mpnet', 't5') ORDER BY name$$,
	$$VALUES ('albert albert embed, fill_mask, classify, classify_own, classify_own_scores 36'), ('deberta-v2 deberta-v2 embed, classify, classify_own, classify_own_scores 24'),
		('mpnet mpnet embed, fill_mask, classify, classify_own, classify_own_scores, entities 36'), ('t5 t5 embed, classify 36')$$, 'other encoders load');
SELECT ok(bool_and(vector_norm(embed(name, 'red wine, unbelievable technology')) BETWEEN 0.9999 AND 1.0001), 'and embed') FROM maskgen_models
	WHERE name IN ('albert', 'deberta-v2', 'mpnet', 't5');
SELECT is(count(DISTINCT v), 1::bigint, 'the same alone and among others') FROM (SELECT embed('deberta-v2', 'paris')::text AS v UNION ALL
	SELECT (array_agg(embed('deberta-v2', t)::text ORDER BY i))[2] FROM unnest('{"the bank sleeps and the team runs",paris,news}'::text[]) WITH ORDINALITY u (t, i)) both_ways;

-- torch.save
SELECT create_model('torch', :'dir' || '/golden/tiny/bert-torch') IS NOT NULL AS made \gset
SELECT create_model('safe', :'dir' || '/golden/tiny/bert-mlm-f16') IS NOT NULL AS made \gset
SELECT is((SELECT version FROM maskgen_models WHERE name = 'torch'), (SELECT version FROM maskgen_models WHERE name = 'safe'),
	'pytorch_model.bin with old names has the content of model.safetensors');

-- An image of version 0.1.0, as an update finds it in the tables
SELECT create_model('old', :'dir' || '/golden/tiny/bert-mlm', '{"dtype": "int8", "prompts": {"query": "query: "}, "pooling": "mean",
	"template": "{mask} news: {text}"}') IS NOT NULL AS made \gset
CREATE TABLE answers AS SELECT embed('old', 'paris')::text AS vector,
	(SELECT string_agg(token || score, ' ' ORDER BY rank) FROM fill_mask('old', 'a [MASK]')) AS words;
CREATE TABLE image AS SELECT pg_read_binary_file(:'dir' || '/golden/image/0.1.0-bert-mlm-int8.mgimage') AS bytes;
SELECT is(substr(bytes, 9, 4), '\x02000000', 'an image of 0.1.0 has format version 2') FROM image;
BEGIN;
UPDATE "+maskgen".model SET data = bytes FROM image WHERE part = 0 AND id = (SELECT id FROM "+maskgen".model WHERE name = 'old');
UPDATE "+maskgen".model SET version = encode(sha256(bytes), 'hex'), stored_bytes = length(bytes) FROM image WHERE name = 'old';
COMMIT;
SELECT is(version, encode(sha256(bytes), 'hex'), 'it stands in the place of one that was made now') FROM maskgen_models, image WHERE name = 'old';
SELECT is(embed('old', 'paris')::text, vector, 'it gives the same vector, bit for bit') FROM answers;
SELECT is((SELECT string_agg(token || score, ' ' ORDER BY rank) FROM fill_mask('old', 'a [MASK]')), words, 'and the same words') FROM answers;
SELECT * FROM finish();
