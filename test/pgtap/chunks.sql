-- Sentences, and pieces of a text that a model takes whole.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SELECT no_plan();
SELECT length(create_model('e', :'dir' || '/golden/tiny/bert-embed-mean')) AS n \gset
SELECT results_eq($$SELECT * FROM sentences('Dr. Who came.  Äpfel? Ja.')$$, $$VALUES (1, 'Dr. Who came.', 1, 14), (2, 'Äpfel?', 16, 22), (3, 'Ja.', 23, 26)$$, 'sentences');
SELECT is_empty($$SELECT * FROM sentences(E' \n')$$, 'none in white space');
CREATE TABLE text AS SELECT string_agg('The ' || i || '. capital of france is paris. ' || repeat('red shoes ', i % 7) || E'.\n', '' ORDER BY i) AS body FROM generate_series(1, 60) i;
SELECT is((SELECT count(*) FROM text, sentences(body) s WHERE sentence <> substr(body, start, stop - start)), 0::bigint, 'offsets are those of the text');
SELECT is((SELECT regexp_replace(string_agg(sentence, ' ' ORDER BY seq), '\s', '', 'g') FROM text, sentences(body)), (SELECT regexp_replace(body, '\s', '', 'g') FROM text), 'nothing is lost');
SELECT is((SELECT regexp_replace(string_agg(chunk, ' ' ORDER BY seq), '\s', '', 'g') FROM text, chunks('e', body, 20)), (SELECT regexp_replace(body, '\s', '', 'g') FROM text), 'nor in chunks');
SELECT is((SELECT count(*) FROM text, chunks('e', body, 20) WHERE chunk <> substr(body, start, stop - start) OR count_tokens('e', chunk) > 20), 0::bigint, 'which are short enough');
SELECT cmp_ok((SELECT avg(count_tokens('e', chunk)) FROM text, chunks('e', body, 20)), '>', 11::numeric, 'and not shorter than they need be');
SELECT is((SELECT count(*) FROM text, chunks('e', body)), (SELECT count(*) FROM text, chunks('e', body, (SELECT max_tokens FROM maskgen_models WHERE name = 'e'))), 'as many as the model takes');
SELECT ok((SELECT bool_and(c.start < before.stop AND count_tokens('e', substr(body, c.start, before.stop - c.start)) <= 12) FROM text, chunks('e', body, 30, 10) c, chunks('e', body, 30, 10) before
	WHERE before.seq = c.seq - 1 AND c.start < before.stop), 'with an overlap of few tokens');
SELECT cmp_ok((SELECT count(*) FROM text, chunks('e', body, 30, 10) c, chunks('e', body, 30, 10) before WHERE before.seq = c.seq - 1 AND c.start < before.stop), '>', 5::bigint, 'where sentences are short enough');
SELECT is((SELECT count(*) FROM text, chunks('e', body, 30, 10) WHERE count_tokens('e', chunk) > 30), 0::bigint, 'they are as short');
SELECT is((SELECT string_agg(chunk, '') FROM chunks('e', repeat('redshoes', 50), 10)), repeat('redshoes', 50), 'a word without an end is cut');
SELECT is((SELECT string_agg(chunk, ' ') FROM chunks('e', repeat('red shoes ', 50), 10)), rtrim(repeat('red shoes ', 50)), 'a sentence without an end between words');
SELECT is_empty($$SELECT * FROM chunks('e', '')$$, 'nothing of nothing');
SELECT results_eq($$SELECT chunk FROM chunks('e', '[MASK] [SEP]')$$, ARRAY['[MASK] [SEP]'], 'special tokens are text');
SELECT throws_ok($$SELECT chunks('e', 'x', 2)$$, '22023', 'max_tokens 2 leaves no room for a text', 'no room');
SELECT throws_ok($$SELECT chunks('e', 'x', 10, 8)$$, '22023', 'overlap 8 is not between 0 and 7', 'no end');
SET statement_timeout = 300;
\set ON_ERROR_STOP off
SELECT count(*) FROM sentences(repeat('word ', 10000000));
SELECT is(:'SQLSTATE'::text, '57014', 'a long sentence hears a cancel');
RESET statement_timeout;
SELECT * FROM finish();
