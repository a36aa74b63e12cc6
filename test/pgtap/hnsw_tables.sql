-- maskgen_hnsw on the kinds of tables and indexes that there are, and under the statements that make and move them.
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT no_plan();

SELECT setseed(0.25);
CREATE FUNCTION some_vector(seed int) RETURNS vector(16) LANGUAGE sql VOLATILE AS
	$$ SELECT array_agg(random() - 0.5 + 0 * seed)::vector FROM generate_series(1, 16) $$;
CREATE TABLE row_of AS SELECT i AS id, i % 4 AS part, some_vector(i)::vector(16) AS v FROM generate_series(1, 1200) i;

-- NULL when the index is sound and finds the rows; otherwise what is wrong.
CREATE FUNCTION fault(index regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	broken text := (SELECT string_agg(c::text, ', ') FROM index_check(index, true) c);
	recall float8 := index_recall(index, 40);
BEGIN
	RETURN coalesce(broken, CASE WHEN recall < 0.95 THEN 'recall ' || recall END);
END $$;

-- The plan of a statement when it is made to use indexes.
CREATE FUNCTION plan_of(statement text) RETURNS text LANGUAGE plpgsql SET enable_seqscan = off SET enable_sort = off AS $$
DECLARE line text; lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || statement LOOP
		lines := lines || line || E'\n';
	END LOOP;
	RETURN lines;
END $$;

-- Rows of the 10 nearest by the index among the 10 nearest.
CREATE FUNCTION agreement(table_name text, condition text DEFAULT 'true', expression text DEFAULT 'v') RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	one record; near int[]; exact int[]; found int := 0; wanted int := 0;
	search text := format('SELECT array_agg(id) FROM (SELECT id FROM %s WHERE %s ORDER BY %s <=> $1 LIMIT 10) x', table_name, condition, expression);
BEGIN
	FOR one IN SELECT v FROM row_of WHERE id % 60 = 0 LOOP
		SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_indexscan = on;
		EXECUTE search INTO near USING one.v;
		SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on; SET LOCAL enable_indexscan = off;
		EXECUTE search INTO exact USING one.v;
		wanted := wanted + cardinality(exact);
		found := found + (SELECT count(*) FROM unnest(near) n WHERE n = ANY (exact));
	END LOOP;
	RETURN found::float8 / wanted;
END $$;

-- A temporary table
CREATE TEMPORARY TABLE brief AS SELECT * FROM row_of;
CREATE INDEX brief_v ON brief USING maskgen_hnsw (v);
INSERT INTO brief SELECT 2000 + id, part, v FROM row_of WHERE id <= 100;
DELETE FROM brief WHERE id <= 100;
VACUUM brief;
SELECT is(fault('brief_v'), NULL, 'a temporary table');
BEGIN;
CREATE TEMPORARY TABLE till_commit (v vector(16)) ON COMMIT DELETE ROWS;
CREATE INDEX till_commit_v ON till_commit USING maskgen_hnsw (v);
INSERT INTO till_commit SELECT v FROM row_of;
COMMIT;
SELECT is(nodes, 0::bigint, 'one that is emptied at commit') FROM index_info('till_commit_v');
INSERT INTO till_commit SELECT v FROM row_of LIMIT 10;

-- An unlogged table, and back
CREATE UNLOGGED TABLE fleeting AS SELECT * FROM row_of;
CREATE INDEX fleeting_v ON fleeting USING maskgen_hnsw (v);
SELECT is(fault('fleeting_v'), NULL, 'an unlogged table');
ALTER TABLE fleeting SET LOGGED;
INSERT INTO fleeting SELECT 2000 + id, part, v FROM row_of WHERE id <= 50;
SELECT is(fault('fleeting_v'), NULL, 'which is logged afterwards');
ALTER TABLE fleeting SET UNLOGGED;
SELECT is(fault('fleeting_v'), NULL, 'and not any more');

-- A partitioned table: an index of it is one of each partition, of those to come as well
CREATE TABLE parted (id int, part int, v vector(16)) PARTITION BY LIST (part);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES IN (0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE INDEX parted_v ON parted USING maskgen_hnsw (v);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
INSERT INTO parted SELECT * FROM row_of WHERE part < 3;
CREATE TABLE loose AS SELECT * FROM row_of WHERE part = 3;
ALTER TABLE parted ATTACH PARTITION loose FOR VALUES IN (3);
SELECT is(count(fault(indexrelid)), 0::bigint, 'partitions: sound') FROM pg_index WHERE indrelid = ANY ('{parted_0,parted_1,parted_2,loose}'::regclass[]);
SELECT is(count(*), 4::bigint, 'partitions: each has one') FROM pg_index WHERE indrelid = ANY ('{parted_0,parted_1,parted_2,loose}'::regclass[]);
SELECT matches(plan_of($$SELECT id FROM parted ORDER BY v <=> (SELECT v FROM row_of WHERE id = 7) LIMIT 5$$), 'Merge Append(.*Index Scan using){4}', 'partitions: merged');
SELECT cmp_ok(agreement('parted'), '>=', 0.95::float8, 'partitions: nearest rows');
UPDATE parted SET part = (part + 1) % 4 WHERE id % 10 = 0;
SELECT is(count(fault(indexrelid)), 0::bigint, 'partitions: rows that moved') FROM pg_index WHERE indrelid = ANY ('{parted_0,parted_1,parted_2,loose}'::regclass[]);
ALTER TABLE parted DETACH PARTITION parted_1;
SELECT is(fault((SELECT indexrelid FROM pg_index WHERE indrelid = 'parted_1'::regclass)), NULL, 'partitions: one that left');

-- A partial index
CREATE TABLE item AS SELECT * FROM row_of;
ALTER TABLE item ADD PRIMARY KEY (id);
CREATE INDEX item_part ON item USING maskgen_hnsw (v) WHERE part = 1;
SELECT is(nodes, 300::bigint, 'a partial index has its rows') FROM index_info('item_part');
SELECT matches(plan_of($$SELECT id FROM item WHERE part = 1 ORDER BY v <=> (SELECT v FROM row_of WHERE id = 7) LIMIT 5$$), 'using item_part', 'and is used for them');
SELECT doesnt_match(plan_of($$SELECT id FROM item ORDER BY v <=> (SELECT v FROM row_of WHERE id = 7) LIMIT 5$$), 'using item_part', 'not for others');
SELECT cmp_ok(agreement('item', 'part = 1'), '>=', 0.95::float8, 'a partial index: nearest rows');
UPDATE item SET part = 1 WHERE id IN (2, 3);
SELECT is(nodes, 302::bigint, 'a partial index: rows that come into it') FROM index_info('item_part');
DROP INDEX item_part;

-- Indexes on expressions
CREATE INDEX item_half ON item USING maskgen_hnsw ((v::halfvec(16)) halfvec_l2_ops);
SELECT is(fault('item_half'), NULL, 'an expression: a cast');
CREATE INDEX item_front ON item USING maskgen_hnsw ((subvector(v, 1, 8)::vector(8)));
SELECT is(fault('item_front'), NULL, 'an expression: a part of the vector');
CREATE INDEX item_bits ON item USING maskgen_hnsw ((binary_quantize(v)::bit(16)) bit_hamming_ops);
SELECT is_empty($$SELECT * FROM index_check('item_bits', true)$$, 'an expression: bits');
SELECT matches(plan_of($$SELECT id FROM item ORDER BY subvector(v, 1, 8)::vector(8) <=> '[1,2,3,4,5,6,7,8]' LIMIT 5$$), 'using item_front', 'an expression: used');
DROP INDEX item_half, item_front, item_bits;
SELECT throws_like($$CREATE INDEX ON item USING maskgen_hnsw (v, part)$$, '%does not support multicolumn%', 'more columns than one are refused');
SELECT throws_like($$CREATE UNIQUE INDEX ON item USING maskgen_hnsw (v)$$, '%does not support unique%', 'so is UNIQUE');
SELECT throws_like($$CREATE INDEX ON item USING maskgen_hnsw (v) INCLUDE (v)$$, '%cannot be included%', 'and a column in INCLUDE whose type cannot be hashed');

-- Statements that make indexes anew
CREATE INDEX CONCURRENTLY item_v ON item USING maskgen_hnsw (v);
SELECT is(fault('item_v'), NULL, 'CREATE INDEX CONCURRENTLY');
REINDEX INDEX CONCURRENTLY item_v;
SELECT is(fault('item_v'), NULL, 'REINDEX CONCURRENTLY');
REINDEX TABLE item;
SELECT is(fault('item_v'), NULL, 'REINDEX TABLE');
DELETE FROM item WHERE id % 3 = 0;
VACUUM FULL item;
SELECT is(fault('item_v'), NULL, 'VACUUM FULL');
-- Others may still see what was deleted.
SELECT cmp_ok(nodes, '>=', 800::bigint, 'with the rows that are left') FROM index_info('item_v');
CLUSTER item USING item_pkey;
SELECT is(fault('item_v'), NULL, 'CLUSTER by another index');
SELECT throws_like($$CLUSTER item USING item_v$$, '%cannot cluster%', 'by this one there is no order');
ALTER TABLE item ALTER v TYPE halfvec(16);
SELECT is(fault('item_v'), NULL, 'another type of the column');
ALTER TABLE item ALTER v TYPE vector(16);
SELECT is(fault('item_v'), NULL, 'and back');
ALTER TABLE item ADD COLUMN more text DEFAULT 'x', ALTER id TYPE bigint;
SELECT is(fault('item_v'), NULL, 'a table that is written anew');
ALTER INDEX item_v RENAME TO item_near;
SELECT is(fault('item_near'), NULL, 'another name');
TRUNCATE item;
SELECT is(nodes, 0::bigint, 'TRUNCATE') FROM index_info('item_near');
INSERT INTO item SELECT id, part, v FROM row_of;
SELECT is(fault('item_near'), NULL, 'and rows after it');

-- Transactions
BEGIN;
TRUNCATE item;
INSERT INTO item SELECT id, part, v FROM row_of WHERE id <= 300;
SELECT is(nodes, 300::bigint, 'a TRUNCATE') FROM index_info('item_near');
ROLLBACK;
SELECT is(nodes, 1200::bigint, 'that is taken back') FROM index_info('item_near');
BEGIN;
SAVEPOINT s;
INSERT INTO item SELECT 5000 + id, part, v FROM row_of WHERE id <= 300;
ROLLBACK TO s;
INSERT INTO item SELECT 9000 + id, part, v FROM row_of WHERE id <= 20;
COMMIT;
SELECT is(count(*), 0::bigint, 'rows of a savepoint that is gone are not found')
FROM (SELECT id FROM item ORDER BY v <=> (SELECT v FROM row_of WHERE id = 33) LIMIT 50) x WHERE id BETWEEN 5000 AND 8999;
VACUUM item;
SELECT is(fault('item_near'), NULL, 'and vacuumed away');
BEGIN;
CREATE INDEX taken_back ON item USING maskgen_hnsw (v vector_l2_ops);
ROLLBACK;
SELECT is(to_regclass('taken_back'), NULL, 'an index that is taken back');

-- Rows that only a cursor sees
BEGIN;
DECLARE old CURSOR FOR SELECT id FROM item ORDER BY v <=> (SELECT v FROM row_of WHERE id = 5) LIMIT 2000;
MOVE 10 IN old;
DELETE FROM item WHERE id % 2 = 1;
MOVE ALL IN old;
SELECT is(:'ROW_COUNT'::int > 1000, true, 'a cursor goes on over rows that are deleted meanwhile');
ROLLBACK;

-- Tables that the index has nothing of
CREATE TABLE nothing (id int, v vector(16));
INSERT INTO nothing SELECT i, NULL FROM generate_series(1, 50) i;
CREATE INDEX nothing_v ON nothing USING maskgen_hnsw (v);
SELECT is(nodes, 0::bigint, 'nothing but NULL') FROM index_info('nothing_v');
INSERT INTO nothing VALUES (51, array_fill(0, ARRAY[16])::vector);
SELECT is_empty($$SELECT * FROM index_check('nothing_v', true)$$, 'a vector of zeros under cosine');

SELECT * FROM finish();
