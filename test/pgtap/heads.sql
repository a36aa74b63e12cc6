-- Heads for classes of texts, pairs and tokens; rerankers; late interaction; sparse vectors: values, batches, cache, rights, NULL.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT plan(96);
SELECT count(create_model(name, :'dir' || '/golden/tiny/' || name)) = 11 AS made FROM unnest(ARRAY['bert-classes', 'bert-rerank', 'bert-tags',
	'bert-mlm', 'bert-relu-odd', 'roberta-mlm', 'roberta-classes', 'xlmr-tags', 'electra', 'electra-classes', 'modernbert-rerank']) name \gset
SELECT create_model('embedder', :'dir' || '/golden/tiny/bert-embed-mean') IS NOT NULL AS made \gset

-- The reference's values, read from its files: inputs, and what follows them
CREATE TABLE line AS SELECT name, n, split_part(l, ' ', 1) AS word, split_part(l, ' ', 2)::int AS t, substr(l, length(split_part(l, ' ', 1)) + length(split_part(l, ' ', 2)) + 3) AS rest
	FROM unnest(ARRAY['bert-classes', 'bert-rerank', 'roberta-classes', 'electra-classes', 'modernbert-rerank', 'bert-tags']) name,
	regexp_split_to_table(pg_read_file(:'dir' || '/golden/tiny/' || name || '.txt'), E'\n') WITH ORDINALITY x (l, n)
	WHERE l ~ '^(input|cut|classes|entity) ';
CREATE TABLE pair AS SELECT name, t, min(rest) FILTER (WHERE word = 'input' AND nth = 1) AS first, min(rest) FILTER (WHERE word = 'input' AND nth = 2) AS second,
	min(rest) FILTER (WHERE word = 'cut') AS cut, string_to_array(substr(min(rest) FILTER (WHERE word = 'classes'), 3), ' ')::real[] AS logits
	FROM (SELECT *, row_number() OVER (PARTITION BY name, t, word ORDER BY n) AS nth FROM line WHERE name <> 'bert-tags') x GROUP BY name, t;

-- Architectures and tasks
SELECT is((architecture, tasks, max_tokens)::text, want, 'loads: ' || name) FROM maskgen_models JOIN (VALUES ('roberta-mlm', '(roberta,"fill_mask, classify",38)'),
	('roberta-classes', '(roberta,"classify, classify_own, classify_own_scores",38)'), ('xlmr-tags', '(roberta,entities,100)'), ('electra', '(electra,"classify, token_anomalies",40)'),
	('electra-classes', '(electra,"rerank, classify_own, classify_own_scores",40)'), ('modernbert-rerank', '(modernbert,"rerank, classify_own_scores",64)'), ('bert-tags', '(bert,entities,40)')) x (name, want) USING (name);
SELECT ok(token_id = split_part(l, ' ', 6)::int AND abs(score - split_part(l, ' ', 7)::real) < 1e-4, 'the best word of RoBERTa')
	FROM fill_mask('roberta-mlm', 'The capital of France is <mask>.', 1), regexp_split_to_table(pg_read_file(:'dir' || '/golden/tiny/roberta-mlm.txt'), E'\n') l
	WHERE l LIKE 'top 2 1 % 1 %';

-- Rerankers
SELECT ok(bool_and(abs(rerank_score(name, first, second) - CASE name WHEN 'modernbert-rerank' THEN 1 / (1 + exp(-logits[1])) ELSE logits[1] END) < 1e-4),
	name || ' scores pairs as transformers does') FROM pair WHERE second IS NOT NULL AND name LIKE '%-rerank' AND cut IS DISTINCT FROM 'longest_first' GROUP BY name;
SELECT ok(abs(rerank_score('electra-classes', 'red wine', 'white shoes') - (logits[2] - logits[1])) < 1e-4, 'two classes are a difference')
	FROM pair WHERE name = 'electra-classes' AND t = 1;
SELECT isnt(rerank_score('bert-rerank', 'red wine', 'white shoes'), rerank_score('bert-rerank', 'white shoes', 'red wine'), 'query and document are not the same');
SELECT throws_ok($$SELECT rerank_score('bert-classes', 'a', 'b')$$, '0A000', 'model "bert-classes" is no reranker', 'three classes do not rerank');
SELECT throws_ok($$SELECT rerank_score('bert-mlm', 'a', 'b')$$, '0A000', 'model "bert-mlm" has no head for classes of a text', 'nor does a masked head');
SELECT throws_ok($$SELECT rerank_score('bert-rerank', repeat('wine ', 50), 'b')$$, '54000', 'query is too long for model "bert-rerank"', 'a query is never cut');
SELECT is(rerank_score(NULL, 'a', 'b'), NULL, 'NULL: no model') UNION ALL SELECT is(rerank_score('bert-rerank', NULL, 'b'), NULL, 'NULL: no query')
	UNION ALL SELECT is(rerank_score('bert-rerank', 'a', NULL), NULL, 'NULL: no document');
SELECT results_eq($$SELECT ordinal FROM rerank('bert-rerank', 'red wine', ARRAY['white shoes', NULL, 'paris', '', 'white shoes'])$$,
	$$SELECT n::int FROM unnest(ARRAY['white shoes', NULL, 'paris', '', 'white shoes']) WITH ORDINALITY d (text, n) WHERE text IS NOT NULL
	ORDER BY rerank_score('bert-rerank', 'red wine', text) DESC, n$$, 'rerank() is ORDER BY rerank_score()');
SELECT is((SELECT count(*) FROM rerank('bert-rerank', 'red wine', ARRAY['white shoes', 'paris', 'old'], 2)), 2::bigint, 'the best two');
SELECT is((SELECT count(*) FROM rerank('bert-rerank', 'red wine', '{}')), 0::bigint, 'of no documents none');
SELECT throws_ok($$SELECT rerank('bert-rerank', 'a', '{b}', -1)$$, '22023', 'top_k is -1', 'top_k is at least 0');
SELECT throws_ok($$SELECT rerank('nobody', 'a', '{}')$$, '42704', NULL, 'a model that does not exist');

-- Batches
CREATE TABLE doc AS SELECT g AS id, CASE WHEN g % 17 = 0 THEN NULL ELSE concat_ws(' ', (ARRAY['paris', 'red wine', 'the bank', 'market stock', 'old shoes'])[g % 5 + 1],
	(ARRAY['sleeps', 'vote new', 'oil', ''])[g % 4 + 1], repeat('fire ', g % 9)) END AS body FROM generate_series(1, 200) g;
CREATE FUNCTION explained(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE l text; lines text := '';
BEGIN
	FOR l IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP lines := lines || l || E'\n'; END LOOP;
	RETURN lines;
END $$;
SET maskgen.enable_result_cache = off;
SET max_parallel_workers_per_gather = 0;
SELECT matches(explained($$SELECT id FROM (SELECT id, body FROM doc LIMIT 150) x ORDER BY rerank_score('bert-rerank', 'red wine', body) DESC LIMIT 10$$),
	'MaskgenBatch.*Rows=1[34]\d|MaskgenBatch', 'ORDER BY rerank_score() computes in batches');
CREATE TABLE one AS SELECT id, body, NULL::real AS score, NULL::text AS own, NULL::text AS masked, NULL::vector[] AS tokens, NULL::sparsevec AS sparse FROM doc WHERE false;
SET maskgen.enable_batching = off;
INSERT INTO one SELECT id, body, rerank_score('bert-rerank', 'red wine', body), classify_own('bert-classes', body), mask_entities('bert-tags', body),
	embed_tokens('embedder', body), embed_sparse('bert-mlm', body) FROM doc;
RESET maskgen.enable_batching;
SELECT results_eq($$SELECT id, rerank_score('bert-rerank', 'red wine', body), classify_own('bert-classes', body), mask_entities('bert-tags', body),
	embed_tokens('embedder', body)::text, embed_sparse('bert-mlm', body) FROM doc ORDER BY id$$,
	'SELECT id, score, own, masked, tokens::text, sparse FROM one ORDER BY id', 'batches give what rows give, bit for bit, and NULL for NULL');
SELECT is((SELECT count(*) FROM one WHERE body IS NULL AND (score, own, masked, tokens::text, sparse) IS NULL), 11::bigint, 'as rows do');
SELECT matches(explained(format('SELECT %s FROM doc', call)), 'MaskgenBatch', call || ' is batched') FROM unnest(ARRAY[$$classify_own('bert-classes', body)$$,
	$$mask_entities('bert-tags', body)$$, $$embed_tokens('embedder', body)$$, $$embed_sparse('bert-mlm', body)$$]) call;
SELECT matches(explained($$SELECT rerank_score('bert-rerank', q, body) FROM doc, (VALUES ('red wine'), ('paris')) v (q)$$), 'MaskgenBatch', 'queries from a column, too');
SELECT is_empty($$SELECT FROM (SELECT id, q, rerank_score('bert-rerank', q, doc.body) AS score FROM doc, (VALUES ('red wine'), ('paris')) v (q) OFFSET 0) x JOIN one USING (id)
	WHERE q = 'red wine' AND x.score IS DISTINCT FROM one.score$$, 'with the same bits');

-- The result cache
SET maskgen.enable_result_cache = on;
SELECT count(*) AS warm FROM doc WHERE rerank_score('bert-rerank', 'red wine', body) + length(classify_own('bert-classes', body)) + length(mask_entities('bert-tags', body))
	+ cardinality(embed_tokens('embedder', body)) + l2_norm(embed_sparse('bert-mlm', body)) IS NOT NULL \gset
SELECT results_eq($$SELECT id, rerank_score('bert-rerank', 'red wine', body), classify_own('bert-classes', body), mask_entities('bert-tags', body),
	embed_tokens('embedder', body)::text, embed_sparse('bert-mlm', body) FROM doc ORDER BY id$$,
	'SELECT id, score, own, masked, tokens::text, sparse FROM one ORDER BY id', 'cached results are the same bits');
SELECT cmp_ok(sum(cache_hits), '>', 500::numeric, 'and come from the cache') FROM maskgen_stat_models WHERE name IN ('bert-rerank', 'bert-classes', 'bert-tags', 'embedder', 'bert-mlm');
SELECT results_eq($$SELECT score FROM rerank('bert-rerank', 'red wine', ARRAY['the bank'])$$, $$SELECT rerank_score('bert-rerank', 'red wine', 'the bank')$$, 'rerank() shares it');
SELECT isnt(rerank_score('bert-rerank', 'white wine', 'the bank'), rerank_score('bert-rerank', 'red wine', 'the bank'), 'another query is another result');
SET maskgen.enable_result_cache = off;

-- A model's own labels
SELECT ok(bool_and(abs(s.score - exp(logits[c]) / (exp(logits[1]) + exp(logits[2]) + exp(logits[3]))) < 1e-4), name || ': softmax of a pair as transformers has it')
	FROM pair, classify_pair(name, first, second) s, unnest(ARRAY['contradiction', 'neutral', 'entailment']) WITH ORDINALITY l (label, c)
	WHERE second IS NOT NULL AND s.label = l.label AND cut IS DISTINCT FROM 'only_second' AND name IN ('bert-classes', 'roberta-classes') GROUP BY name;
SELECT ok(bool_and(abs(s.score - 1 / (1 + exp(-logits[CASE s.label WHEN 'toxic' THEN 1 ELSE 2 END]))) < 1e-4), 'sigmoid where labels are no alternatives')
	FROM pair, classify_own_scores(name, first) s WHERE second IS NULL AND name = 'electra-classes';
SELECT is(classify_own(name, first), (SELECT label FROM classify_own_scores(name, first) LIMIT 1), 'the first label is the best: ' || name)
	FROM pair WHERE t = 0 AND name IN ('bert-classes', 'electra-classes');
SELECT throws_ok($$SELECT classify_own('bert-rerank', 'a')$$, '0A000', 'model "bert-rerank" does not choose among labels', 'one class is no choice');
SELECT is((SELECT label FROM classify_own_scores('bert-rerank', 'a')), 'LABEL_0', 'but has a score');

-- Zero-shot by entailment
SELECT ok(abs(sum(exp(score)) - 1) < 1e-5, 'scores of labels are log probabilities among them') FROM classify_scores('roberta-classes', 'red wine', '{wine,bank,shoes}');
SELECT is(classify('roberta-classes', 'red wine', '{wine,bank,shoes}'), (SELECT label FROM classify_scores('roberta-classes', 'red wine', '{wine,bank,shoes}') LIMIT 1), 'the best is the answer');
SELECT isnt((SELECT score FROM classify_scores('roberta-classes', 'red wine', '{wine,bank,shoes}') LIMIT 1),
	(SELECT score FROM classify_scores('roberta-classes', 'red wine', '{wine,bank,shoes}', 'It is {label}.') LIMIT 1), 'the template counts');
SELECT is_empty($$SELECT FROM (SELECT body, classify('bert-classes', body, '{wine,bank,shoes}') AS together FROM doc OFFSET 0) x
	WHERE together IS DISTINCT FROM (SELECT label FROM classify_scores('bert-classes', body, '{wine,bank,shoes}') LIMIT 1)$$, 'batches give what rows give');
SELECT throws_ok($$SELECT classify('electra-classes', 'a', '{b}')$$, '0A000', 'model "electra-classes" cannot classify', 'without an "entailment" among its labels a model cannot');

-- Byte-level tokens, which may end inside of a character: no character has two entities, and of the wanted ones none is left
CREATE TABLE odd AS SELECT text, e.*, row_number() OVER (PARTITION BY text ORDER BY start, stop) AS n FROM (VALUES (E'-\ufeffJohn Smith '), (E'名前'), (E'\u3000.éParis Paris 🙂🙂 東京 x')) v (text), entities('xlmr-tags', text) e;
SELECT is_empty($$SELECT FROM odd a JOIN odd b USING (text) WHERE a.n < b.n AND b.start < a.stop$$, 'entities do not overlap');
SELECT cmp_ok(count(*), '>', 2::bigint, 'and there are some') FROM odd;
SELECT is_empty($$SELECT FROM (SELECT text, mask_entities('xlmr-tags', text, '{}', '') AS left_over, (SELECT string_agg(c, '' ORDER BY i) FROM regexp_split_to_table(text, '') WITH ORDINALITY x (c, i)
	WHERE NOT EXISTS (SELECT FROM odd e WHERE e.text = v.text AND i >= e.start AND i < e.stop)) AS outside FROM (SELECT DISTINCT text FROM odd) v) x WHERE left_over <> coalesce(outside, '')$$, 'what is masked is all of them');

-- Zero-shot by replaced tokens
CREATE TABLE judged AS SELECT n, split_part(l, ' ', 1) AS word, split_part(l, ' ', 2)::int AS s, split_part(l, ' ', 3) AS t, regexp_replace(l, '^(\S+ ){3}', '') AS rest,
	substr(l, length(split_part(l, ' ', 1)) + length(split_part(l, ' ', 2)) + 3) AS whole
	FROM regexp_split_to_table(pg_read_file(:'dir' || '/golden/tiny/electra.txt'), E'\n') WITH ORDINALITY x (l, n) WHERE l ~ '^(input|template|label|score) ';
SELECT ok(bool_and(abs(got - want) < 1e-4) AND count(*) = 6 * 4 + 6 * 2, 'label_scores() of a discriminator are those of transformers') FROM
	(SELECT unnest(label_scores('electra', i.whole, (SELECT array_agg(rest ORDER BY n) FROM judged l WHERE word = 'label' AND l.s = j.s),
			(SELECT whole FROM judged p WHERE word = 'template' AND p.s = j.s))) AS got, unnest(string_to_array(substr(j.rest, 3), ' ')::real[]) AS want
	FROM judged j JOIN judged i ON i.word = 'input' AND i.s = j.t::int WHERE j.word = 'score' AND j.t::int < 6) x;
SELECT is_empty($$SELECT FROM (SELECT body, classify('electra', body, '{wine,bank,red wine}') AS together FROM doc OFFSET 0) x
	WHERE together IS DISTINCT FROM (SELECT label FROM classify_scores('electra', body, '{wine,bank,red wine}') LIMIT 1)$$, 'batches give what rows give');
SELECT matches(explained($$SELECT classify('electra', body, '{wine,bank}') FROM doc$$), 'MaskgenBatch', 'and are batches');
SELECT is(label_scores('electra', 'red wine', '{wine,bank}', '{mask} news: {text}'), label_scores('electra', 'red wine', '{wine,bank}'), 'a template for masks is one for labels');
SELECT isnt(label_scores('electra', 'red wine', '{wine,bank}'), label_scores('electra', 'red wine', '{wine,bank}', '{text} about {label}'), 'the template counts');
SELECT throws_ok($$SELECT classify('electra', 'a', '{b}', 'This is {label}.')$$, '22023', 'template lacks {text}', 'without a place for the text there is nothing to judge');

-- Entities
CREATE TABLE told AS SELECT t, i.rest AS text, (regexp_match(e.rest, '^(\d+) (\d+) (\S+) (.*)$')) AS e FROM line i JOIN line e USING (name, t)
	WHERE name = 'bert-tags' AND i.word = 'input' AND e.word = 'entity';
SELECT is((SELECT count(*) FROM told WHERE t BETWEEN 1 AND 5), 47::bigint, 'entities of the reference');
SELECT is_empty($$(SELECT t, e[1]::int + 1, e[2]::int + 1, e[4] FROM told WHERE t < 6) EXCEPT
	SELECT t, x.start, x.stop, x.label FROM (SELECT DISTINCT t, i.rest AS text FROM line i WHERE word = 'input' AND name = 'bert-tags' AND t < 6) d, entities('bert-tags', text) x$$,
	'are found at their places, in characters');
SELECT is((SELECT count(*) FROM line i, entities('bert-tags', i.rest) x WHERE word = 'input' AND name = 'bert-tags' AND t < 6), 47::bigint, 'and no others');
SELECT is_empty($$SELECT FROM line i, entities('bert-tags', i.rest) x WHERE word = 'input' AND name = 'bert-tags' AND substr(i.rest, start, stop - start) <> entity$$,
	'an entity is the text at its place');
SELECT is(mask_entities('bert-tags', text), string_agg(CASE WHEN part IS NULL THEN '' ELSE part END, '' ORDER BY o), 'masked: the text around entities stays') FROM
	(SELECT text, 2 * n AS o, '[' || label || ']' AS part FROM (VALUES ('Paris and London and Rome')) t (text), entities('bert-tags', text) WITH ORDINALITY e (entity, label, score, start, stop, n)
	UNION ALL SELECT text, 2 * n - 1, substr(text, coalesce(lag(stop) OVER w, 1), start - coalesce(lag(stop) OVER w, 1))
		FROM (VALUES ('Paris and London and Rome')) t (text), entities('bert-tags', text) WITH ORDINALITY e (entity, label, score, start, stop, n) WINDOW w AS (ORDER BY n)
	UNION ALL SELECT text, 1000, substr(text, max(stop)) FROM (VALUES ('Paris and London and Rome')) t (text), entities('bert-tags', text) GROUP BY text) x GROUP BY text;
SELECT isnt(mask_entities('bert-tags', body), body, 'something is masked') FROM (VALUES ('Paris and London and Rome')) t (body);
SELECT is(mask_entities('bert-tags', 'Paris and London and Rome', '{LOC,PER}', '{label}{label}'), replace(replace(mask_entities('bert-tags', 'Paris and London and Rome'), '[PER]', 'PERPER'), '[LOC]', 'LOCLOC'),
	'labels and replacement');
SELECT throws_ok($$SELECT mask_entities('bert-tags', 'a', '{CITY}')$$, '22023', 'model "bert-tags" has no label "CITY"', 'a label that would never be masked');
SELECT throws_ok($$SELECT mask_entities('bert-tags', 'a', '{NULL}')$$, '22004', NULL, 'a label that is NULL');
SELECT is(model_labels('bert-tags'), '{PER,LOC}', 'labels of entities, each once and without its mark');
SELECT is(model_labels('bert-classes'), '{contradiction,neutral,entailment}', 'labels of a text');
SELECT is(model_labels('bert-rerank'), '{LABEL_0}', 'one without a name');
SELECT is(model_labels('embedder'), '{}', 'a model that was trained for none');
SELECT throws_ok($$SELECT entities('bert-mlm', 'a')$$, '0A000', 'model "bert-mlm" has no head for classes of tokens', 'a model without such a head');
SELECT is(mask_entities('bert-tags', ''), '', 'an empty text');
SELECT cmp_ok((SELECT max(start) FROM entities('bert-tags', repeat('red wine in Paris and the dog sleeps. ', 100))), '>', 3500, 'a text that is longer than the model reads is read to its end');

-- Replaced tokens
SELECT results_eq($$SELECT pos, token, start, stop FROM token_anomalies('electra', 'The capital of unbelievable France')$$,
	$$SELECT pos, token, start, stop FROM tokens('electra', 'The capital of unbelievable France') WHERE start IS NOT NULL$$, 'places are those of tokens()');
SELECT ok(bool_and(score BETWEEN 0 AND 1) AND count(*) = count_tokens('electra', 'The capital of unbelievable France') - 2, 'scores are probabilities') FROM token_anomalies('electra', 'The capital of unbelievable France');
SELECT throws_like($$SELECT token_anomalies('bert-tags', 'a')$$, '%has no head that finds replaced tokens', 'for ELECTRA''s discriminators alone');

-- Words that compete for a mask: each once, however often it is given, and in time that grows with their number
SELECT results_eq($$SELECT token FROM fill_mask('bert-mlm', '[MASK] paris', 5, '{the,old,the,new,old}')$$, $$SELECT token FROM fill_mask('bert-mlm', '[MASK] paris', 5, '{the,old,new}')$$, 'a target twice');
SET statement_timeout = '2min';
SELECT is((SELECT count(*) FROM fill_mask('bert-mlm', '[MASK]', 5, array(SELECT 'the' FROM generate_series(1, 400000)))), 1::bigint, 'very many targets');
RESET statement_timeout;

-- Late interaction
SELECT is(cardinality(embed_tokens('embedder', 'red wine')), count_tokens('embedder', 'red wine'), 'a vector for each token');
SELECT ok(bool_and(abs(vector_norm(v) - 1) < 1e-5), 'of length 1') FROM unnest(embed_tokens('embedder', 'red wine')) v;
SELECT ok(abs(max_sim(embed_tokens('embedder', 'red wine'), embed_tokens('embedder', 'red wine')) - 4) < 1e-5, 'a text finds itself');
SELECT ok(abs(max_sim(q, d) - (SELECT sum(best) FROM (SELECT max(-(a <#> b)) AS best FROM unnest(q) WITH ORDINALITY x (a, n), unnest(d) b GROUP BY n) s)) < 1e-5, 'max_sim() is the sum of the largest')
	FROM (SELECT embed_tokens('embedder', 'red wine') AS q, embed_tokens('embedder', 'white shoes of the bank', 'query: ') AS d) x;
SELECT is(max_sim('{}', ARRAY['[1]'::vector]), NULL, 'of nothing there is none');
SELECT throws_ok($$SELECT max_sim(ARRAY['[1]'::vector], ARRAY['[1,2]'::vector])$$, '22000', 'different vector dimensions 1 and 2', 'dimensions differ');
SELECT throws_ok($$SELECT max_sim(ARRAY[NULL::vector], ARRAY['[1,2]'::vector])$$, '22004', 'vectors hold a null', 'a NULL among vectors');

-- Sparse vectors
SELECT is((SELECT regexp_replace(embed_sparse('bert-mlm', 'red wine')::text, '^.*/', '')), '300', 'as many dimensions as words');
-- log(1 + relu), maximum over the tokens: what transformers' BertForMaskedLM gives; another rule than the maximum is off by a unit in some word
CREATE TABLE words AS SELECT text, m[1]::int AS n, m[2]::real AS weight FROM unnest('{red wine,The capital of France is old}'::text[]) text,
	regexp_matches(embed_sparse('bert-mlm', text)::text, '(\d+):([0-9.e-]+)', 'g') m;
SELECT results_eq($$SELECT text, count(*), round(sum(weight::numeric), 2) FROM words GROUP BY text ORDER BY count(*) DESC$$,
	$$VALUES ('red wine', 197::bigint, 182.90), ('The capital of France is old', 194, 176.18)$$, 'embed_sparse() has the words of transformers');
SELECT is(max(abs(weight - want)) < 1e-4 AND count(*) = 12, true, 'and their weights') FROM words JOIN (VALUES ('red wine', 33, 1.93011), ('red wine', 202, 1.87942),
	('red wine', 223, 1.78502), ('red wine', 275, 1.73060), ('red wine', 125, 1.68683), ('red wine', 106, 1.68035), ('The capital of France is old', 223, 1.73551),
	('The capital of France is old', 213, 1.69103), ('The capital of France is old', 103, 1.69023), ('The capital of France is old', 33, 1.67733),
	('The capital of France is old', 270, 1.64911), ('The capital of France is old', 43, 1.63032)) w (text, n, want) USING (text, n);
SELECT throws_like($$SELECT embed_sparse('embedder', 'a')$$, '%has no masked-language-model head', 'by the masked head alone');

-- Long texts, rights, errors of single rows
SET maskgen.long_input = error;
SELECT throws_ok(format('SELECT %s', call), '54000', NULL, call || ' refuses what is too long') FROM unnest(ARRAY[$$rerank_score('bert-rerank', 'a', repeat('wine ', 50))$$,
	$$embed_sparse('bert-mlm', repeat('wine ', 50))$$]) call;
RESET maskgen.long_input;
CREATE ROLE maskgen_nobody;
SELECT is((SELECT count(*) FROM pg_proc WHERE pronamespace = 'maskgen'::regnamespace AND prosrc ~ '^maskgen_(rerank|classify_own|classify_pair|entities|mask_entities|token_anomalies|embed_tokens|embed_sparse|max_sim)'
	AND provolatile = 'i' AND proisstrict AND proparallel = 's'), 11::bigint, 'all are IMMUTABLE, STRICT and PARALLEL SAFE');
SET ROLE maskgen_nobody;
SELECT throws_ok(format('SELECT %s', call), '42501', NULL, call || ' needs the grant') FROM unnest(ARRAY[$$maskgen.rerank_score('bert-rerank', 'red wine', 'the bank')$$,
	$$maskgen.rerank('bert-rerank', 'a', '{}')$$, $$maskgen.classify_own('bert-classes', 'paris sleeps')$$, $$maskgen.model_labels('bert-tags')$$]) call;
RESET ROLE;
DROP ROLE maskgen_nobody;
SELECT * FROM finish();
