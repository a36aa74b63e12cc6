-- Classifying by embedding models: which sentence about a label is nearest to the text.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT plan(26);

SELECT create_model('e', :'dir' || '/golden/tiny/bert-embed-mean', '{"prompts": {"query": "query: ", "document": "passage: "}}') IS NOT NULL AS made \gset
SELECT create_model('own', :'dir' || '/golden/tiny/bert-embed-mean', '{"template": "news of {label}", "prompts": {"classification": "sort: "}}') IS NOT NULL AS made \gset
SELECT create_model('both', :'dir' || '/golden/tiny/bert-mlm', '{"pooling": "mean"}') IS NOT NULL AS made \gset
CREATE TABLE t AS SELECT id, 'paris ' || md5(id::text) AS x FROM generate_series(1, 300) id;
ANALYZE t;
CREATE TYPE topic AS ENUM ('world', 'sports', 'the capital of france');

SELECT is(tasks, 'embed, classify', 'an embedder classifies') FROM maskgen_models WHERE name = 'e';
CREATE VIEW nearest AS
SELECT id, (SELECT label FROM unnest('{world,sports,the capital of france}'::text[]) label
	ORDER BY embed_document('e', 'news: ' || label) <=> embed_document('e', x) LIMIT 1) AS label FROM t;
SELECT is(count(*), 300::bigint, 'the label whose sentence is nearest') FROM t JOIN nearest n USING (id)
WHERE classify('e', x, '{world,sports,the capital of france}', 'news: {label}') = n.label;
SELECT cmp_ok(count(DISTINCT label), '>', 1::bigint, 'which is not always the same') FROM nearest;
SELECT is(classify_as('e', x, NULL::topic, 'news: {label}')::text, n.label, 'the same as an enum') FROM t JOIN nearest n USING (id) WHERE id = 7;
SELECT results_eq($$SELECT round(score::numeric, 3) FROM classify_scores('e', 'paris', '{world,sports}')$$,
	$$SELECT round((s / 0.05 - ln(sum(exp(s / 0.05)) OVER ()))::numeric, 3) FROM unnest('{world,sports}'::text[]) l,
		inner_product(embed_document('e', 'This is about ' || l || '.'), embed_document('e', 'paris')) s ORDER BY s DESC$$,
	'scores are log probabilities');
SELECT create_model('raw', :'dir' || '/golden/tiny/bert-embed-mean', '{"normalized": false, "prompts": {"document": "passage: "}}') IS NOT NULL AS made \gset
SELECT ok(l2_norm(embed('raw', 'paris')) > 1.1 AND max(abs(a - b)) < 1e-3, 'also of a model whose vectors have a length of their own')
FROM unnest(label_scores('e', 'paris', '{world,sports}'), label_scores('raw', 'paris', '{world,sports}')) x (a, b);
SELECT results_eq($$SELECT * FROM classify_scores('own', 'paris', '{world,sports}')$$,
	$$SELECT c.* FROM classify_scores('own', 'paris', '{world,sports}', 'news of {label}') c$$, 'a model has a template of its own');
SELECT is(classify('own', x, '{world,sports}'), (SELECT l FROM unnest('{world,sports}'::text[]) l
	ORDER BY embed('own', 'news of ' || l, 'sort: ') <=> embed('own', x, 'sort: ') LIMIT 1), 'and its prompt for it') FROM t WHERE id = 1;

-- A model that can do both goes by the template, and by its masked head where there is none.
SELECT is((SELECT round(score::numeric, 4) FROM classify_scores('both', 'paris', '{world,sports}') LIMIT 1),
	(SELECT round(score::numeric, 4) FROM classify_scores('both', 'paris', '{world,sports}', '{mask} news: {text}') LIMIT 1), 'masks first');
SELECT is((SELECT round(sum(exp(score))::numeric, 4) FROM classify_scores('both', 'paris', '{world,sports}', 'about {label}')), 1.0000, 'or sentences');

-- All labels that apply, and the scores as an array, in both ways
SELECT create_model('m', :'dir' || '/golden/tiny/bert-mlm') IS NOT NULL AS made \gset
SELECT is(label_scores(m, x, '{world,sports,red}'), (SELECT array_agg(c.score ORDER BY array_position('{world,sports,red}', c.label)) FROM classify_scores(m, x, '{world,sports,red}') c),
	'scores in the order of the labels: ' || m) FROM t, unnest('{e,m}'::text[]) m WHERE id = 3 ORDER BY m;
SELECT is(count(*), 300::bigint, 'labels of at least that probability, best first: ' || m) FROM t, unnest('{e,m}'::text[]) m
WHERE classify_multi(m, x, '{world,sports,red}', 0.33) = ARRAY(SELECT label FROM (SELECT label, score, exp(score) / sum(exp(score)) OVER () AS p FROM classify_scores(m, x, '{world,sports,red}')) s
	WHERE p >= 0.33 ORDER BY score DESC) GROUP BY m ORDER BY m;
SELECT is(classify_multi('e', 'paris', '{world,sports}', 0), ARRAY(SELECT label FROM classify_scores('e', 'paris', '{world,sports}')), 'all of them');
SELECT is(classify_multi('e', 'paris', '{world,sports}', 1), '{}', 'or none');
SELECT is(classify_multi('e', 'paris', '{world}', 1), '{world}', 'at the threshold it applies');
SELECT throws_ok($$SELECT classify_multi('e', 'paris', '{world}', 'NaN')$$, '22023', 'threshold is NaN', 'a threshold is a probability');

-- The state at the mask is what the vocabulary is compared with: a linear form of it is the difference of two words' scores.
CREATE TABLE state AS SELECT id, mask_state('m', x, '{mask} : {text}') AS v, label_scores('m', x, '{world,sports}', '{mask} : {text}') AS s FROM t;
SELECT is(vector_dims(v), 32, 'a vector of the model''s width') FROM state WHERE id = 1;
SELECT cmp_ok((SELECT avg((predict(c, v) = l)::int) FROM (SELECT v, CASE WHEN s[1] - s[2] > median THEN 'a' ELSE 'b' END AS l
		FROM state, (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY s[1] - s[2]) AS median FROM state) m) r,
	(SELECT fit_classifier(v, CASE WHEN s[1] - s[2] > median THEN 'a' ELSE 'b' END) AS c
		FROM state, (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY s[1] - s[2]) AS median FROM state) m) f), '>', 0.8, 'from which the difference of two labels is learnt');
SELECT throws_ok($$SELECT mask_state('e', 'paris')$$, '0A000', 'model "e" has no masked-language-model head', 'an embedder has no mask');

-- As any task: batches, the shared cache, grants.
CREATE FUNCTION plan_of(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS off) ' || statement; END $$;
SELECT ok(bool_or(line LIKE '%MaskgenBatch%'), 'in batches') FROM plan_of($$SELECT classify('e', x, '{world,sports}') FROM t$$) line;
SELECT ok(bool_and(line LIKE '%MaskgenBatch%' OR line NOT LIKE 'Custom%') AND bool_or(line LIKE '%Call: mask_state%') AND bool_or(line LIKE '%Call: classify_multi%'), 'the others as well')
FROM plan_of($$SELECT mask_state('m', x), classify_multi('m', x, '{world,sports}'), label_scores('m', x, '{world}') FROM t$$) line;
SELECT ok(bool_or(line LIKE '%MaskgenBatch%'), 'labels of a subquery are computed in batches')
FROM plan_of($$SELECT classify('e', x, (SELECT array_agg(l::text) FROM unnest(enum_range(NULL::topic)) l)) FROM t$$) line;
SELECT is(count(*), 300::bigint, 'with the same answers') FROM t
WHERE classify('e', x, (SELECT array_agg(l::text) FROM unnest(enum_range(NULL::topic)) l), '{label}') = classify('e', x, '{world,sports,the capital of france}', '{label}');

-- Vectors of labels are shared as results are: this session has forgotten the set, and computes the text alone.
SELECT count(classify('e', 'paris', ARRAY['world', n::text])) AS asked FROM generate_series(1, 20) n \gset
SELECT tokens AS before FROM maskgen_stat_models WHERE name = 'e' \gset
SELECT classify('e', 'paris again', '{world,sports,the capital of france}', '{label}') IS NOT NULL AS asked \gset
SELECT is(tokens - :before, count_tokens('e', 'passage: paris again')::bigint, 'labels'' vectors are computed once a server') FROM maskgen_stat_models WHERE name = 'e';
SELECT * FROM finish();
