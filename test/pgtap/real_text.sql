-- Texts of SmolLM2 at temperature 0 beside those of transformers, with the same weights widened to float32: 20 prompts of 64 tokens. Where one parts from
-- the other, the step before was a near tie: the two largest logits were closer than what activations of 8 bits change.
\getenv dir PG_ABS_SRCDIR
\getenv smollm2 MASKGEN_TEST_SMOLLM2
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET maskgen.enable_result_cache = off;
SELECT plan(5);
SELECT create_model('smollm2', :'smollm2' || '/model.gguf') IS NOT NULL AS made \gset
CREATE TABLE line AS SELECT n, split_part(line, ' ', 1) AS what, substr(line, strpos(line, ' ') + 1)::jsonb AS value
FROM regexp_split_to_table(pg_read_file(:'dir' || '/golden/real/smollm2.txt'), '\n') WITH ORDINALITY l (line, n) WHERE line ~ '^(prompt|ids|margins) ';
CREATE TABLE golden AS SELECT p.n, p.value #>> '{}' AS prompt, ARRAY(SELECT jsonb_array_elements_text(i.value)::int) AS ids, ARRAY(SELECT jsonb_array_elements_text(m.value)::real) AS margins
FROM line p JOIN line i ON i.n = p.n + 1 JOIN line m ON m.n = p.n + 2 WHERE p.what = 'prompt';
SELECT is(count(*), 20::bigint, '20 prompts') FROM golden;
SELECT is((SELECT count(*) FROM golden WHERE tokenize('smollm2', prompt) <> ids[1 : cardinality(ids) - cardinality(margins)]), 0::bigint, 'of the same tokens');
CREATE TABLE written AS SELECT n, generate('smollm2', prompt, 64) AS text FROM golden;
-- The first step behind which the texts differ; half a character at the end of a golden one is left out
CREATE VIEW parted AS SELECT n, margins[min(step)] AS margin, min(step) AS step FROM golden JOIN written USING (n), LATERAL generate_series(1, cardinality(margins)) step
WHERE NOT starts_with(text, rtrim(detokenize('smollm2', ids[cardinality(ids) - cardinality(margins) + 1 : cardinality(ids) - cardinality(margins) + step]), U&'\FFFD')) GROUP BY n, margins;
SELECT cmp_ok(count(*), '<', 18::bigint, 'some texts are equal to the end') FROM parted;
SELECT is((SELECT string_agg(format('%s: step %s, margin %s', prompt, step, margin), '; ') FROM parted JOIN golden USING (n) WHERE margin > 0.5), NULL, 'others part at a near tie');
SELECT cmp_ok(avg(step), '>', 20.0, 'and not soon') FROM (SELECT coalesce(step, 64) AS step FROM golden LEFT JOIN parted USING (n)) x;
SELECT * FROM finish();
