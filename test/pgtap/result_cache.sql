-- Results from the shared cache: when, what they depend on, and for whom. Counts are the model's in this database, for other
-- tests use the same cache.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen, "+maskgen";
SET client_min_messages = warning;
SELECT plan(52);

SELECT create_model('e', :'dir' || '/golden/tiny/bert-embed-mean', '{"prompts": {"query": "result cache"}}') AS e \gset
SELECT create_model('m', :'dir' || '/golden/tiny/bert-mlm', '{"prompts": {"query": "result cache"}}') AS m \gset

-- Runs a statement in a plan of its own; returns how many rows the model computed and how many the cache gave, for e and m together.
CREATE FUNCTION cost(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE before record; after record;
BEGIN
	SELECT sum(rows) AS rows, sum(cache_hits) AS hits, sum(calls) AS calls INTO before FROM maskgen_stat_models;
	EXECUTE statement;
	SELECT sum(rows) AS rows, sum(cache_hits) AS hits, sum(calls) AS calls INTO after FROM maskgen_stat_models;
	RETURN (after.rows - before.rows) - (after.hits - before.hits) || ' computed, ' || after.hits - before.hits || ' found';
END $$;

-- Found
SELECT is(cost($$SELECT embed('e', 'paris')$$), '1 computed, 0 found', 'a new text is computed');
SELECT is(cost($$SELECT embed('e', 'paris')$$), '0 computed, 1 found', 'the second time it is found');
SELECT is(cost($$SELECT embed(model => 'e', input => 'paris', prompt => '', dims => 0, normalized => true)$$), '0 computed, 1 found', 'however it is written');
SELECT is(cost($$SELECT embed_batch('e', ARRAY['red', 'paris', NULL, 'red', 'wine'])$$), '3 computed, 1 found', 'embed_batch finds what embed computed');
SELECT is(cost($$SELECT embed('e', 'wine')$$), '0 computed, 1 found', 'and the other way round');
SELECT is(cost($$SELECT embed_batch('e', ARRAY['red', 'paris', NULL, 'red', 'wine'])$$), '0 computed, 4 found', 'all of a batch');
SELECT is(cost($$SELECT embed_batch('e', '{}')$$), '0 computed, 0 found', 'none of none');
SELECT is(cost($$SELECT classify('m', 'paris', '{world,sports}')$$), '1 computed, 0 found', 'classify: new');
SELECT is(cost($$SELECT classify('m', 'paris', '{world,sports}')$$), '0 computed, 1 found', 'classify: found');
CREATE TYPE topic AS ENUM ('world', 'sports');
SELECT is(cost($$SELECT classify_as('m', 'paris', NULL::topic)$$), '1 computed, 0 found', 'classify_as: new');
SELECT is(cost($$SELECT classify_as('m', 'paris', NULL::topic)$$), '0 computed, 1 found', 'classify_as: found');
SELECT is(cost($$SELECT embed('e', '')$$), '1 computed, 0 found', 'the empty text: new');
SELECT is(cost($$SELECT embed('e', '')$$), '0 computed, 1 found', 'the empty text: found');

-- The same results, bit for bit
CREATE TABLE said AS SELECT t, embed('e', t) AS v, embed_query('e', t, 7) AS q, embed_document('e', t) AS d, classify('m', t, '{world,sports,business}') AS c,
	classify_as('m', t, NULL::topic) AS a FROM (SELECT 'the ' || i || ' wines' AS t FROM generate_series(1, 200) i) x;
SELECT is(cost($$CREATE TABLE again AS SELECT t, embed('e', t) AS v, embed_query('e', t, 7) AS q, embed_document('e', t) AS d,
	classify('m', t, '{world,sports,business}') AS c, classify_as('m', t, NULL::topic) AS a FROM said$$), '0 computed, 1000 found', 'all of five functions are found');
SELECT is((SELECT count(*) FROM said s JOIN again a USING (t) WHERE vector_send(s.v) = vector_send(a.v) AND vector_send(s.q) = vector_send(a.q)
	AND vector_send(s.d) = vector_send(a.d) AND s.c = a.c AND s.a = a.a), 200::bigint, 'and the same bits');
SELECT is((SELECT count(DISTINCT vector_send(v)) FROM said), 200::bigint, 'which differ from text to text');

SET maskgen.enable_result_cache = off;
SELECT ok((SELECT embed_batch('e', array_agg(t || n ORDER BY n, t)) = array_agg(embed('e', t || n) ORDER BY n, t)
	FROM said, generate_series(1, 30) n), 'without it: six thousand at once, and one by one');
RESET maskgen.enable_result_cache;

-- What a result depends on
CREATE FUNCTION new_then_found(statement text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT is(public.cost(statement) || ', ' || public.cost(statement), '1 computed, 0 found, 0 computed, 1 found', what);
END $$;
SELECT new_then_found($$SELECT embed('e', 'paris', prompt => 'q: ')$$, 'a prompt');
SELECT new_then_found($$SELECT embed('e', 'paris', prompt => 'q:')$$, 'another prompt');
SELECT new_then_found($$SELECT embed('e', 'q:paris')$$, 'the prompt is not part of the text');
SELECT new_then_found($$SELECT embed('e', 'paris', dims => 5)$$, 'dimensions');
SELECT new_then_found($$SELECT embed('e', 'paris', normalized => false)$$, 'normalisation');
SELECT new_then_found($$SELECT embed_query('e', 'paris')$$, 'the function');
SELECT new_then_found($$SELECT embed_document('e', 'paris')$$, 'its sister');
SELECT new_then_found($$SELECT classify('m', 'paris', '{sports,world}')$$, 'the order of labels');
SELECT new_then_found($$SELECT classify('m', 'paris', '{world,sports}', 'a {mask} of {text}')$$, 'the template');
CREATE TYPE other_topic AS ENUM ('sports', 'world');
SELECT new_then_found($$SELECT classify_as('m', 'paris', NULL::other_topic)$$, 'the labels of an enum');
SET maskgen.long_input = error;
SELECT new_then_found($$SELECT embed('e', 'paris')$$, 'maskgen.long_input');
SET maskgen.long_input = truncate;
SELECT new_then_found($$SELECT embed('e', repeat('a ', 3000))$$, 'a text that is cut');
SET maskgen.long_input = error;
SELECT throws_ok($$SELECT embed('e', repeat('a ', 3000))$$, '54000', NULL, 'is refused, though its result is known');
RESET maskgen.long_input;
SET maskgen.cpu = scalar;
SELECT new_then_found($$SELECT embed('e', 'paris')$$, 'maskgen.cpu');
RESET maskgen.cpu;
SET maskgen.enable_result_cache = off;
SELECT is(cost($$SELECT embed('e', 'paris')$$) || ', ' || cost($$SELECT embed('e', 'unknown')$$), '1 computed, 0 found, 1 computed, 0 found', 'a session without');
RESET maskgen.enable_result_cache;
SELECT is(cost($$SELECT embed('e', 'unknown')$$), '1 computed, 0 found', 'leaves nothing');
SELECT throws_ok($$SELECT embed('e', 'paris', dims => 33)$$, '22023', NULL, 'an error');
SELECT throws_ok($$SELECT embed('e', 'paris', dims => 33)$$, '22023', NULL, 'is not remembered');

-- An enum that changes
SELECT is(classify_as('m', 'x', NULL::topic) IN ('world', 'sports'), true, 'a label');
ALTER TYPE topic RENAME VALUE 'world' TO 'business';
ALTER TYPE topic RENAME VALUE 'sports' TO 'world';
SELECT is(classify_as('m', 'x', NULL::topic)::text, classify('m', 'x', '{business,world}'), 'is one that the type has now');

-- Privileges, names and contents
BEGIN;
CREATE ROLE maskgen_curious;
CREATE FUNCTION tried(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE maskgen_curious;
	EXECUTE statement;
	RESET ROLE;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(tried($$SELECT embed('e', 'paris')$$), '42501', 'who may not use a model gets no result of it');
SELECT grant_model('e', 'maskgen_curious');
SELECT is(tried($$SELECT embed('e', 'paris')$$), 'ok', 'who may does');
SELECT revoke_model('e', 'maskgen_curious');
SELECT is(tried($$SELECT embed('e', 'paris')$$), '42501', 'until it is revoked');
SELECT is(tried($$SELECT embed_batch('e', '{}')$$), '42501', 'nor even nothing');
SELECT is(tried('SELECT * FROM maskgen.maskgen_result_cache'), 'ok', 'all see how full the cache is');
SELECT is(tried('SELECT maskgen.result_cache_reset()'), '42501', 'but cannot empty it');
ROLLBACK;
SELECT vector_send(embed('e', 'paris')) AS paris \gset
SELECT drop_model('e');
SELECT throws_ok($$SELECT embed('e', 'paris')$$, '42704', NULL, 'a dropped model has no results');
SELECT create_model('e', :'dir' || '/golden/tiny/bert-embed-cls', '{"prompts": {"query": "result cache"}}') AS other \gset
SELECT is(cost($$SELECT embed('e', 'paris')$$), '1 computed, 0 found', 'another model of its name has its own');
SELECT isnt(vector_send(embed('e', 'paris')), :'paris'::bytea, 'which differ');
SELECT drop_model('e');
SELECT create_model('again', :'dir' || '/golden/tiny/bert-embed-mean', '{"prompts": {"query": "result cache"}}') AS again \gset
SELECT is(cost($$SELECT embed('again', 'paris')$$), '0 computed, 1 found', 'the same content under another name has the old ones');
SELECT is(vector_send(embed('again', 'paris')), :'paris'::bytea, 'which are right');

-- Parallel workers
CREATE TABLE many WITH (parallel_workers = 2) AS SELECT t FROM said, generate_series(1, 10);
ANALYZE many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT is(cost($$SELECT count(embed('again', t)) FROM many$$), '0 computed, 2000 found', 'parallel workers find them');

-- The view
SELECT ok(size BETWEEN 15 * 1024 * 1024 AND 16 * 1024 * 1024 AND entries > 1000 AND bytes >= entries * 128 AND bytes <= size AND hits >= 3000 AND misses >= 1000,
	'the view counts') FROM maskgen_result_cache;
SELECT result_cache_reset();
SELECT ok(stats_reset > now() - interval '1 hour', 'emptied') FROM maskgen_result_cache;
SELECT is(cost($$SELECT embed('again', 'paris')$$), '1 computed, 0 found', 'then all is new');
SELECT * FROM finish();
