-- Very many equal rows: one node, whose heap tuples are in a long chain of chunks; built in memory, in little memory and inserted.
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET jit = off;
SELECT plan(13);

CREATE TABLE item (id int, v vector(4));
INSERT INTO item SELECT i, '[1, 2, 3, 4]' FROM generate_series(1, 60000) i;
CREATE INDEX item_v ON item USING maskgen_hnsw (v vector_l2_ops);
SELECT is((SELECT nodes FROM index_info('item_v')), 1::bigint, '60 000 equal rows are one node');
SELECT is_empty($$SELECT * FROM index_check('item_v')$$, 'which is sound');
INSERT INTO item SELECT i, '[1, 2, 3, 4]' FROM generate_series(60001, 63000) i;
INSERT INTO item SELECT i, ARRAY[i % 100, 0, 0, 0]::vector FROM generate_series(63001, 64000) i;
ANALYZE item;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT is(count(*), 63000::bigint, 'a radius has all of them, those inserted later as well') FROM item WHERE v <<->> sphere('[1, 2, 3, 4]'::vector, 0);
SELECT is(count(*), 45000::bigint, 'a LIMIT as many as it asks for') FROM (SELECT FROM item ORDER BY v <-> '[1, 2, 3, 5]' LIMIT 45000) x;
SELECT is(count(DISTINCT id), 64000::bigint, 'a scan without a LIMIT each once') FROM (SELECT id FROM item ORDER BY v <-> '[1, 2, 3, 5]') x;
SELECT is((SELECT array_agg(v <-> '[50, 0, 0, 0]') FROM (SELECT v FROM item ORDER BY v <-> '[50, 0, 0, 0]' LIMIT 10) x), array_fill(0::float8, ARRAY[10]),
	'other rows are found beside them');

DELETE FROM item WHERE id % 4 <> 0;
VACUUM item;
SELECT is(count(*), 15750::bigint, 'a quarter is left') FROM item WHERE v <<->> sphere('[1, 2, 3, 4]'::vector, 0);
SELECT is_empty($$SELECT * FROM index_check('item_v', true)$$, 'and sound');
DELETE FROM item WHERE v <-> '[1, 2, 3, 4]' = 0;
VACUUM item;
SELECT is((SELECT nodes || ' ' || deleted FROM index_info('item_v')), '25 0', 'the node goes with its last row');
SELECT is(count(*), 250::bigint, 'the others stay') FROM (SELECT FROM item ORDER BY v <-> '[1, 2, 3, 5]') x;
INSERT INTO item SELECT i, '[1, 2, 3, 4]' FROM generate_series(1, 20000) i;
SELECT is_empty($$SELECT * FROM index_check('item_v', true)$$, 'room is used again');

SET maintenance_work_mem = '1MB';
INSERT INTO item SELECT i, '[1, 2, 3, 4]' FROM generate_series(20001, 60000) i;
REINDEX INDEX item_v;
SELECT is_empty($$SELECT * FROM index_check('item_v', true)$$, 'built in little memory');
SELECT is(count(*), 60000::bigint, 'it has all of them, too') FROM item WHERE v <<->> sphere('[1, 2, 3, 4]'::vector, 0);
SELECT * FROM finish();
