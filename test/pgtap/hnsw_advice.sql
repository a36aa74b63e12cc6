-- index_advice: what it measures, and that index_recall measures the same on the same rows.
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET jit = off;
SELECT plan(12);

SELECT setseed(0.5);
CREATE FUNCTION uniform(n int) RETURNS vector LANGUAGE sql VOLATILE AS 'SELECT array_agg(random() - 0.5)::maskgen.vector FROM generate_series(1, n)';
CREATE TABLE item AS SELECT i AS id, uniform(48)::vector(48) AS v FROM generate_series(1, 3000) i;
CREATE INDEX item_v ON item USING maskgen_hnsw (v vector_l2_ops) WITH (m = 4, ef_construction = 8);
ANALYZE item;
-- Rows in the order of their codes, so that ef_search decides alone
SET maskgen.iterative_scan = off;

CREATE TABLE tried AS SELECT * FROM index_advice('item_v', 10, 0.9);
SELECT cmp_ok(count(*), '>', 1::bigint, 'the first ef_search is not enough') FROM tried;
SELECT results_eq('SELECT ef_search FROM tried ORDER BY 1', 'SELECT least(10 * 2 ^ i, 1000)::int FROM generate_series(0, (SELECT count(*)::int - 1 FROM tried)) i', 'each is twice the one before');
SELECT is_empty('SELECT * FROM tried WHERE (measured >= 0.9) <> (ef_search = (SELECT max(ef_search) FROM tried)) OR (note IS NULL) = (measured >= 0.9)',
	'the last one is enough, which a note says');
SELECT is_empty('SELECT * FROM (SELECT measured - lag(measured) OVER (ORDER BY ef_search) AS more FROM tried) x WHERE more < 0', 'a larger one finds no less');
SELECT matches(note, 'm = 4 |m = 8', 'it speaks of m') FROM tried WHERE note IS NOT NULL;
SELECT is_empty('SELECT * FROM tried WHERE ms <= 0', 'each takes its time');

SET maskgen.ef_search = 10;
SELECT is(index_recall('item_v'), (SELECT measured FROM tried ORDER BY ef_search LIMIT 1), 'index_recall says the same');
SELECT is(current_setting('maskgen.ef_search'), '10', 'settings are what they were');

SELECT is((SELECT note FROM index_advice('item_v', 10, 1) ORDER BY ef_search DESC LIMIT 1) IS NULL, false, 'what cannot be reached ends as well');
SELECT throws_ok($$SELECT * FROM index_advice('item_v', 10, 1.1)$$, '22023', 'recall must be above 0 and at most 1', 'of recall there is no more than all');
SELECT throws_ok($$SELECT * FROM index_advice('item_v', 0)$$, '22023', 'samples and k must be at least 1', 'and of rows no fewer than one');
TRUNCATE item;
SELECT is_empty($$SELECT * FROM index_advice('item_v')$$, 'of no rows there is nothing to say');
SELECT * FROM finish();
