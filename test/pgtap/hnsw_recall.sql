-- Recall of each operator class of maskgen_hnsw and of each quantizer: as built, with half of the rows gone, and after as many came.
SET search_path = public, maskgen;
SET client_min_messages = warning;
SET jit = off;
SELECT plan(71);

SELECT setseed(0.25);
CREATE FUNCTION noise(n int, width float8) RETURNS vector LANGUAGE sql VOLATILE AS
	$$ SELECT array_agg((random() + random() + random() - 1.5) * width)::vector FROM generate_series(1, n) $$;
CREATE TABLE centre AS SELECT i AS id, noise(64, 1) AS v FROM generate_series(1, 25) i;
CREATE FUNCTION clustered() RETURNS vector(64) LANGUAGE plpgsql VOLATILE AS
	$$ DECLARE chosen int := 1 + floor(random() * 25); BEGIN RETURN (SELECT v + noise(64, 0.7) FROM centre WHERE id = chosen); END $$;
-- Sparse ones keep what is far from zero.
CREATE FUNCTION thinned(v vector) RETURNS sparsevec(64) LANGUAGE sql IMMUTABLE AS
	$$ SELECT array_agg(CASE WHEN abs(x) > 0.5 THEN x ELSE 0 END ORDER BY i)::vector::sparsevec(64) FROM unnest(v::real[]) WITH ORDINALITY u (x, i) $$;
CREATE TABLE made (id int PRIMARY KEY, v vector(64), h halfvec(64), s sparsevec(64), b bit(64));
CREATE FUNCTION add(first int, last int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO made SELECT i, v, v::halfvec(64), thinned(v), binary_quantize(v)::bit(64)
	FROM (SELECT i, clustered() AS v FROM generate_series(first, last) i OFFSET 0) x $$;
SELECT add(1, 2000);
CREATE TABLE query AS SELECT v, v::halfvec(64) AS h, thinned(v) AS s, binary_quantize(v)::bit(64) AS b
FROM (SELECT clustered() AS v FROM generate_series(1, 30) OFFSET 0) x;

-- What is indexed how. least: of recall@10 at the default ef_search
CREATE TABLE class AS
SELECT col || '_' || coalesce(quantizer || '_', '') || metric AS name, 'made' AS tab, col, typ || '_' || metric || '_ops' AS opclass, op, quantizer
FROM (VALUES ('v', 'vector'), ('h', 'halfvec'), ('s', 'sparsevec')) t (col, typ),
	(VALUES ('l2', '<->'), ('ip', '<#>'), ('cosine', '<=>'), ('l1', '<+>')) o (metric, op),
	(VALUES (NULL), ('none')) q (quantizer)
WHERE quantizer IS NULL OR typ <> 'sparsevec'
UNION ALL VALUES ('b_hamming', 'made', 'b', 'bit_hamming_ops', '<~>', NULL), ('b_jaccard', 'made', 'b', 'bit_jaccard_ops', '<%>', NULL);
SELECT is(count(*), (SELECT count(*) FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod WHERE amname = 'maskgen_hnsw'), 'all classes are here')
FROM class WHERE quantizer IS NULL;
CREATE FUNCTION build() RETURNS void LANGUAGE plpgsql AS $$
DECLARE c class;
BEGIN
	FOR c IN SELECT * FROM class LOOP
		EXECUTE format('CREATE INDEX %I ON made USING maskgen_hnsw (%I %s)%s', c.name, c.col, c.opclass,
			CASE WHEN c.quantizer IS NOT NULL THEN format(' WITH (quantizer = %s) WHERE true', c.quantizer) ELSE '' END);
	END LOOP;
END $$;
SELECT build();

-- The part of the 10 nearest rows that a class finds; the index of the other quantizer is hidden from the planner meanwhile.
CREATE FUNCTION recall(c class) RETURNS float8 LANGUAGE plpgsql SET search_path = public, maskgen AS $$
DECLARE
	q query; near float8[]; exact float8[]; found int := 0; wanted int := 0; plan text := ''; line text;
	search text := format('SELECT array_agg(d ORDER BY d) FROM (SELECT %1$I %2$s $1.%1$I AS d FROM made ORDER BY %1$I %2$s $1.%1$I LIMIT 10) x', c.col, c.op);
BEGIN
	UPDATE pg_index SET indisvalid = (indexrelid = c.name::regclass) FROM class
	WHERE indexrelid = class.name::regclass AND indisvalid <> (indexrelid = c.name::regclass);
	FOR q IN SELECT * FROM query LOOP
		SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_indexscan = on;
		IF plan = '' THEN
			FOR line IN EXECUTE 'EXPLAIN ' || replace(search, '$1.' || quote_ident(c.col), format('(SELECT %I FROM query LIMIT 1)', c.col)) LOOP
				plan := plan || line;
			END LOOP;
			IF position('using ' || c.name || ' on' IN plan) = 0 THEN
				RAISE 'the index % is not used: %', c.name, plan;
			END IF;
		END IF;
		EXECUTE search INTO near USING q;
		SET LOCAL enable_seqscan = on; SET LOCAL enable_sort = on; SET LOCAL enable_indexscan = off;
		EXECUTE search INTO exact USING q;
		wanted := wanted + cardinality(exact);
		found := found + (SELECT count(*) FROM unnest(near) d WHERE d <= exact[cardinality(exact)]);
	END LOOP;
	UPDATE pg_index SET indisvalid = true FROM class WHERE indexrelid = class.name::regclass;
	RETURN found::float8 / wanted;
END $$;
CREATE FUNCTION check_all(what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE c class; found float8;
BEGIN
	FOR c IN SELECT * FROM class ORDER BY name LOOP
		found := recall(c);
		RETURN NEXT cmp_ok(found, '>=', 0.95::float8, format('%s, %s', c.name, what));
	END LOOP;
	RETURN NEXT is_empty('SELECT name, (maskgen.index_check(name::regclass, true)).* FROM public.class', 'all are sound, ' || what);
END $$;
SELECT check_all('as built');
DELETE FROM made WHERE id % 2 = 0;
VACUUM made;
SELECT check_all('half of the rows gone');
SELECT is((SELECT sum((index_info(name::regclass)).deleted) FROM class), 0::numeric, 'nothing of them is left');
SELECT add(2001, 3000);
SELECT check_all('as many came');
SELECT * FROM finish();
