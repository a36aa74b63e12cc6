-- What the access method maskgen_hnsw accepts and refuses, and that plans use it.
SET search_path = public, maskgen;
CREATE TABLE item (id int PRIMARY KEY, embedding vector(3), half halfvec(3), sparse sparsevec(3), bits bit(8));
INSERT INTO item SELECT i, ARRAY[i, i % 7, 1]::vector, ARRAY[i, i % 7, 1]::vector::halfvec, ARRAY[i, i % 7, 1]::vector::sparsevec, (i % 256)::bit(8)
FROM generate_series(1, 200) i;
INSERT INTO item (id) VALUES (201);
INSERT INTO item (id, embedding) VALUES (202, '[0,0,0]');

-- Options
CREATE INDEX ON item USING maskgen_hnsw (embedding) WITH (m = 1);
CREATE INDEX ON item USING maskgen_hnsw (embedding) WITH (m = 101);
CREATE INDEX ON item USING maskgen_hnsw (embedding) WITH (ef_construction = 3);
CREATE INDEX ON item USING maskgen_hnsw (embedding) WITH (m = 40);
CREATE INDEX ON item USING maskgen_hnsw (embedding) WITH (quantizer = pq);
CREATE INDEX ON item USING maskgen_hnsw (embedding vector_l1_ops) WITH (quantizer = rabitq);
CREATE INDEX ON item USING maskgen_hnsw (embedding) WITH (lists = 10);
CREATE UNIQUE INDEX ON item USING maskgen_hnsw (embedding);
CREATE INDEX ON item USING maskgen_hnsw (embedding, half);
CREATE INDEX ON item USING maskgen_hnsw (id);

-- Dimensions
CREATE TABLE wide (a vector, b vector(4096), c halfvec(8192), d vector(16000), e vector(2000));
CREATE INDEX ON wide USING maskgen_hnsw (a);
CREATE INDEX ON wide USING maskgen_hnsw ((a::vector(5)));
CREATE INDEX ON wide USING maskgen_hnsw (b);
CREATE INDEX ON wide USING maskgen_hnsw (c);
CREATE INDEX ON wide USING maskgen_hnsw (d);
CREATE INDEX ON wide USING maskgen_hnsw (e) WITH (quantizer = none);
INSERT INTO wide (a) VALUES ('[1,2,3]');
DROP TABLE wide;

-- Each class: the nearest, and what is within a radius
SET enable_seqscan = off;
CREATE FUNCTION explain(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		IF line !~ 'Disabled: true' THEN -- since PostgreSQL 18
			RETURN NEXT line;
		END IF;
	END LOOP;
END $$;
CREATE INDEX item_cosine ON item USING maskgen_hnsw (embedding);
SELECT explain('SELECT id FROM item ORDER BY embedding <=> ''[1,2,3]'' LIMIT 3');
SELECT id FROM item ORDER BY embedding <=> '[1,2,3]' LIMIT 3;
SELECT explain('SELECT id FROM item WHERE embedding <<=>> sphere(''[1,2,3]''::vector, 0.2)');
SELECT id FROM item WHERE embedding <<=>> sphere('[1,2,3]'::vector, 0.2) ORDER BY id;
SELECT explain('SELECT id FROM item WHERE embedding <<=>> sphere(''[1,2,3]''::vector, 0.2) ORDER BY embedding <=> ''[1,2,3]''');
SELECT id FROM item WHERE embedding <<=>> sphere('[1,2,3]'::vector, 0.2) ORDER BY embedding <=> '[1,2,3]';
SELECT id FROM item WHERE embedding <<=>> sphere('[1,2,3]'::vector, 0.2) ORDER BY embedding <=> '[3,2,1]' LIMIT 2;
SELECT count(*) FROM item WHERE embedding <<=>> sphere('[1,2,3]'::vector, 'NaN');
SELECT count(*) FROM item WHERE embedding <<=>> sphere(NULL::vector, 1);
SELECT count(*) FROM item WHERE embedding <<=>> sphere('[1,2,3]'::vector, -0.1);
SELECT count(*) FROM (SELECT FROM item ORDER BY embedding <=> NULL) i;
SELECT count(*) FROM (SELECT FROM item ORDER BY embedding <=> '[0,0,0]') i;
SELECT id FROM item ORDER BY embedding <=> '[1,2]' LIMIT 1;
SELECT explain('SELECT id FROM item ORDER BY embedding <-> ''[1,2,3]'' LIMIT 3');
DROP INDEX item_cosine;

CREATE FUNCTION same(nearest text, within text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE by_index text; by_rows text;
BEGIN
	EXECUTE format('SELECT string_agg(d::text, '' '') FROM (SELECT %s d FROM item ORDER BY %1$s LIMIT 5) x', nearest) INTO by_index;
	EXECUTE format('SELECT %L || string_agg(id::text, '' '' ORDER BY id) FROM item WHERE %s', by_index || ' within ', within) INTO by_index;
	SET LOCAL enable_indexscan = off;
	EXECUTE format('SELECT string_agg(d::text, '' '') FROM (SELECT %s d FROM item ORDER BY %1$s LIMIT 5) x', nearest) INTO by_rows;
	EXECUTE format('SELECT %L || string_agg(id::text, '' '' ORDER BY id) FROM item WHERE %s', by_rows || ' within ', within) INTO by_rows;
	SET LOCAL enable_indexscan = on;
	RETURN CASE WHEN by_index = by_rows THEN 'same' ELSE format('%s, but exactly %s', by_index, by_rows) END;
END $$;
CREATE FUNCTION try(class text, columns text, nearest text, within text, options text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	EXECUTE format('CREATE INDEX item_index ON item USING maskgen_hnsw (%I %I) %s', columns, class, options);
	SELECT CASE WHEN string_agg(line, ' ') ~ 'item_index' THEN '' ELSE 'without the index, ' END
	INTO result FROM explain(format('SELECT id FROM item ORDER BY %s LIMIT 5', nearest)) line;
	result := result || same(nearest, within);
	DROP INDEX item_index;
	RETURN result;
END $$;
SELECT class, try(class, 'embedding', format('embedding %s ''[9,2,3]''', op), format('embedding <%s> sphere(''[9,2,3]''::vector, %s)', op, r))
FROM (VALUES ('vector_l2_ops', '<->', 4.5), ('vector_ip_ops', '<#>', -1700), ('vector_l1_ops', '<+>', 6.5)) x (class, op, r);
SELECT class, try(class, 'half', format('half %s ''[9,2,3]''', op), format('half <%s> sphere(''[9,2,3]''::halfvec, %s)', op, r))
FROM (VALUES ('halfvec_l2_ops', '<->', 4.5), ('halfvec_ip_ops', '<#>', -1700), ('halfvec_cosine_ops', '<=>', 0.2), ('halfvec_l1_ops', '<+>', 6.5)) x (class, op, r);
SELECT class, try(class, 'sparse', format('sparse %s ''{1:9,2:2,3:3}/3''', op), format('sparse <%s> sphere(''{1:9,2:2,3:3}/3''::sparsevec, %s)', op, r))
FROM (VALUES ('sparsevec_l2_ops', '<->', 4.5), ('sparsevec_ip_ops', '<#>', -1700), ('sparsevec_cosine_ops', '<=>', 0.2), ('sparsevec_l1_ops', '<+>', 6.5)) x (class, op, r);
SELECT class, try(class, 'bits', format('bits %s B''01010101''', op), format('bits <%s> sphere(B''01010101''::"bit", %s)', op, r))
FROM (VALUES ('bit_hamming_ops', '<~>', 1), ('bit_jaccard_ops', '<%>', 0.25)) x (class, op, r);
SELECT class, try(class, 'embedding', format('embedding %s ''[9,2,3]''', op), format('embedding <%s> sphere(''[9,2,3]''::vector, %s)', op, r), 'WITH (quantizer = none)')
FROM (VALUES ('vector_l2_ops', '<->', 4.5), ('vector_ip_ops', '<#>', -1700), ('vector_cosine_ops', '<=>', 0.2), ('vector_l1_ops', '<+>', 6.5)) x (class, op, r);

-- Expressions and parts of a table
CREATE INDEX item_index ON item USING maskgen_hnsw ((subvector(embedding, 1, 2)::vector(2)) vector_l2_ops) WHERE id > 100;
SET enable_sort = off;
SELECT explain('SELECT id FROM item WHERE id > 100 ORDER BY subvector(embedding, 1, 2)::vector(2) <-> ''[9,2]'' LIMIT 3');
SELECT id FROM item WHERE id > 100 ORDER BY subvector(embedding, 1, 2)::vector(2) <-> '[9,2]' LIMIT 3;
DROP INDEX item_index;
RESET enable_sort;

-- Settings
CREATE INDEX item_index ON item USING maskgen_hnsw (embedding vector_l2_ops);
SET maskgen.ef_search = 0;
SET maskgen.iterative_scan = sideways;
SET maskgen.ef_search = 10;
SELECT count(*) FROM (SELECT FROM item ORDER BY embedding <-> '[9,2,3]' LIMIT 50) i;
SELECT count(*) FROM (SELECT FROM item WHERE id % 20 = 0 ORDER BY embedding <-> '[9,2,3]' LIMIT 5) i;
SET maskgen.iterative_scan = strict_order;
SELECT count(*) FROM (SELECT d, lag(d) OVER () before FROM (SELECT embedding <-> '[9,2,3]' d FROM item ORDER BY embedding <-> '[9,2,3]') i) j WHERE d < before;
SET maskgen.iterative_scan = off;
SELECT count(*) FROM (SELECT FROM item ORDER BY embedding <-> '[9,2,3]' LIMIT 50) i;
RESET maskgen.iterative_scan;
SET maskgen.max_scan_tuples = 50;
SELECT count(*) FROM (SELECT FROM item ORDER BY embedding <-> '[9,2,3]' LIMIT 150) i;
SET maskgen.iterative_scan = relaxed_order;
-- How many entries that are depends on the graph.
\set VERBOSITY terse
SELECT count(*) < 150 AS bounded FROM (SELECT FROM item ORDER BY embedding <-> '[9,2,3]' LIMIT 150) i;
\set VERBOSITY default
RESET maskgen.iterative_scan;
RESET maskgen.max_scan_tuples;

-- Cursors go forward
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM item ORDER BY embedding <-> '[9,2,3]';
FETCH 1 FROM c;
FETCH BACKWARD 1 FROM c;
ROLLBACK;

-- Looking after it
SELECT * FROM index_check('item_index', true);
SELECT version, dims, m, ef_construction, quantizer, nodes, deleted, dead_links, unreachable FROM index_info('item_index');
SELECT index_recall('item_index', 10, 5) > 0.8 AS good;
SELECT index_check('item');
SELECT index_check('item_pkey');
SELECT index_recall('item_pkey');
SELECT index_recall('item_index', 0);
SELECT index_memory(-1, 3), index_memory(1, 3, 1);
SELECT index_memory(1000000, 384) BETWEEN 3e8 AND 8e8 AS plausible;
TRUNCATE item;
SELECT * FROM index_check('item_index', true);
SELECT id FROM item ORDER BY embedding <-> '[9,2,3]' LIMIT 1;
CREATE UNLOGGED TABLE volatile_item (embedding vector(3));
CREATE INDEX volatile_index ON volatile_item USING maskgen_hnsw (embedding);
INSERT INTO volatile_item VALUES ('[1,2,3]');
SELECT * FROM volatile_item ORDER BY embedding <=> '[1,2,3]';
CREATE TEMPORARY TABLE own_item (embedding vector(3));
CREATE INDEX own_index ON own_item USING maskgen_hnsw (embedding);
INSERT INTO own_item VALUES ('[1,2,3]'), ('[3,2,1]');
SELECT * FROM own_item ORDER BY embedding <=> '[1,2,3]';
DROP TABLE item, volatile_item, own_item;
DROP FUNCTION explain, same, try;
