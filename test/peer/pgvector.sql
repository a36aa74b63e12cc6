-- Every type, function, operator, cast and aggregate beside pgvector's own: the same texts, bytes, results and errors.
-- Run by scripts/check-majors.sh where the server has pgvector 0.8; each expression is evaluated once with pgvector's
-- names in the search_path, once with maskgen's. What may differ stands in "differs", with the reason.
SET client_min_messages = warning;
CREATE EXTENSION vector SCHEMA public;
SELECT no_plan();

-- The result of an expression as text, or its error as SQLSTATE and message
CREATE FUNCTION answer(expression text, path text) RETURNS text LANGUAGE plpgsql SET search_path = public AS $$
DECLARE
	result text;
BEGIN
	PERFORM set_config('search_path', path || ', pg_catalog', true);
	EXECUTE 'SELECT (' || expression || ')::text' INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- Sums in float32 and in double agree to 6 digits.
CREATE FUNCTION agree(a text, b text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN a IS NOT DISTINCT FROM b OR abs(a::float8 - b::float8) <= 2e-6 * greatest(abs(a::float8), abs(b::float8))
		OR abs(a::float8 - b::float8) < 1e-6;
EXCEPTION WHEN OTHERS THEN
	RETURN false;
END $$;

CREATE TABLE differs (pattern text, reason text);
INSERT INTO differs VALUES
	('3e38', 'sums are in double, and overflow where the result does'),
	('1e-30', 'sums are in double, and so are squares'),
	('\ysum\(', 'sum is in double, and names the dimensions that it expected'),
	('^l2_norm\(.*::vector', 'pgvector has vector_norm alone'),
	('16001.*sparsevec', 'pgvector makes a value that it cannot read back');

CREATE TABLE compared (topic text, expression text, theirs text, ours text);
CREATE FUNCTION compare(topic text, expressions text[]) RETURNS void LANGUAGE sql AS $$
	INSERT INTO compared SELECT topic, e, answer(e, 'public'), answer(e, 'maskgen, "+maskgen"') FROM unnest(expressions) e;
$$;
CREATE FUNCTION report(about text) RETURNS text LANGUAGE sql AS $$
	SELECT is((SELECT string_agg(format(E'%s\n    pgvector: %s\n    maskgen:  %s', left(expression, 200), left(theirs, 200), left(ours, 200)), E'\n')
		FROM compared c WHERE topic = about AND NOT agree(theirs, ours) AND NOT EXISTS (SELECT FROM differs d WHERE c.expression ~ d.pattern)),
		NULL, about || ': ' || (SELECT count(*) FROM compared WHERE topic = about) || ' expressions, '
		|| (SELECT count(*) FROM compared WHERE topic = about AND theirs ~ '^[0-9A-Z]{5} ') || ' errors');
$$;

CREATE TABLE value (type text, text text);
INSERT INTO value SELECT type, text FROM unnest(ARRAY['vector', 'halfvec']) type, unnest(ARRAY['[1,2,3]', '[0,0,0]', '[-1,2.5,0.001]', '[3,4,-0]',
	'[1,2]', '[-1]', '[0.1,-0.2,0.3]', '[1e-3,1e3,1]', '[1e-45,1,2]', '[60000,60000,1]', '[1e-5,1e-5,1e-5]', '[1e-30,1e-30,1]', '[3e38,3e38,-3e38]']) text
	WHERE NOT (type = 'halfvec' AND text ~ '3e38');
INSERT INTO value SELECT 'sparsevec', text FROM unnest(ARRAY['{}/3', '{1:1,3:3}/3', '{2:-2.5}/3', '{1:3,2:4}/3', '{1:1}/2', '{1:-1}/1', '{3:1e-3}/3', '{1:0.1,2:-0.2,3:0.3}/3',
	'{1:-1,3:1}/3', '{5:2}/1000000000', '{1:3e38,2:-3e38}/3', '{1:1e-30}/3']) text;

-- Texts
SELECT compare('text', array_agg(format('%L::%s', text, type))) FROM value;
SELECT compare('text', array_agg(format('%L::%s', text, type))) FROM unnest(ARRAY['vector', 'halfvec']) type, unnest(ARRAY['', ' ', '[', ']', '[]', '[ ]', '[1', '[1,', '[1,]',
	'[,1]', '[1,,2]', '[1 2]', '[1;2]', '[1]x', '[1] ', ' [1]', '[[1]]', '{1}', '1', '[a]', '[1a]', '[1.5.5]', '[1e]', '[+1]', '[--1]', '[.5]', '[5.]', '[.]', '[0x1p3]', '[0x]',
	'[1e400]', '[-1e400]', '[1e-400]', '[4e38]', '[3.4e38]', '[65504]', '[65519]', '[65520]', '[1e-8]', '[3e-8]', '[nan]', '[-NaN]', '[inf]', '[-Infinity]', '[infinit]',
	E'[1,\t2\n,\v3\f,\r4]', '[1,2,3]' || chr(160), '[0.1,0.2]', '[1e10,123456789,0.00001]', '[00001]', '[1_000]', '[' || repeat('1,', 15999) || '1]', '[' || repeat('1,', 16000) || '1]']) text;
SELECT compare('text', array_agg(format('%L::sparsevec', text))) FROM unnest(ARRAY['', '{', '{}', '{}/', '/3', '{}/3', ' { } / 3 ', '{1:1}/3', '{ 3 : 2 , 1 : 1 }/3', '{1:1,1:2}/3', '{1:0,1:2}/3',
	'{1:0}/3', '{0:1}/3', '{0:0}/3', '{4:1}/3', '{4:0}/3', '{-1:1}/3', '{1:1}/0', '{}/0', '{}/-1', '{}/1000000000', '{}/1000000001', '{}/2147483647', '{}/99999999999', '{1:nan}/3', '{1:inf}/3',
	'{1:4e38}/3', '{1:1e-50}/3', '{1:1e-45}/3', '{1.5:1}/3', '{a:1}/3', '{1:a}/3', '{1}/3', '{1:}/3', '{:1}/3', '{1:1,}/3', '{,1:1}/3', '{1:1;2:2}/3', '{1:1}/3x', '{1:1}/3 ', '{1:1} 3',
	'{+1:+1}/+3', '{1:1}/x', '[1:1]/3', '{1:1}/3.5', '{2147483648:1}/3', '{99999999999999999999:1}/3', '{-99999999999999999999:1}/3', '{0000001:1}/3']) text;
SELECT report('text');

-- Binary form, through the functions that make and read it
SELECT compare('binary', array_agg(format('%s_send(%L::%1$s)', type, text))) FROM value;
SELECT report('binary');

-- Type modifiers
SELECT compare('modifier', array_agg(format('%L::%s(%s)', text, type, n))) FROM value, unnest(ARRAY['1', '2', '3', '0', '-1', '16000', '16001', '1000000001', '1,2', '''a''', 'NULL']) n
WHERE text IN ('[1,2]', '{1:1}/2');
SELECT compare('modifier', array_agg(format('format_type(%L::regtype, 3)', type))) FROM unnest(ARRAY['vector', 'halfvec', 'sparsevec']) type;
SELECT report('modifier');

-- Each pair of values under each operator; what the operators are called
SELECT compare('operator', array_agg(format('%L::%s %s %L::%2$s', a.text, a.type, operator, b.text))) FROM value a JOIN value b USING (type),
	unnest(ARRAY['<->', '<#>', '<=>', '<+>', '<', '<=', '=', '<>', '>=', '>', '+', '-', '*', '||']) operator;
SELECT report('operator');
SELECT compare('mixed operator', array_agg(format('pg_typeof(%L::%s %s %L::%s)', CASE a WHEN 'sparsevec' THEN '{1:1}/2' ELSE '[1,2]' END, a, operator,
	CASE b WHEN 'sparsevec' THEN '{1:1}/2' WHEN 'real[]' THEN '{1,2}' ELSE '[1,2]' END, b))) FROM unnest(ARRAY['vector', 'halfvec', 'sparsevec', 'unknown']) a,
	unnest(ARRAY['vector', 'halfvec', 'sparsevec', 'real[]', 'unknown']) b, unnest(ARRAY['<->', '<#>', '<=>', '<+>', '<', '=', '+', '||']) operator WHERE b <> 'unknown' OR a <> 'unknown';
SELECT report('mixed operator');

-- Functions
SELECT compare('function', array_agg(format('%s(%L::%s, %L::%3$s)', function, a.text, a.type, b.text))) FROM value a JOIN value b USING (type),
	LATERAL unnest(ARRAY['l2_distance', 'inner_product', 'cosine_distance', 'l1_distance', a.type || '_cmp', a.type || '_l2_squared_distance',
	a.type || '_negative_inner_product', a.type || '_spherical_distance']) function WHERE a.type <> 'sparsevec' OR function !~ 'spherical';
SELECT compare('function', array_agg(format('%s(%L::%s)', function, text, type))) FROM value,
	unnest(ARRAY['vector_dims', 'vector_norm', 'l2_norm', 'l2_normalize', 'binary_quantize']) function;
SELECT compare('function', array_agg(format('subvector(%L::%s, %s, %s)', text, type, start, n))) FROM value,
	unnest(ARRAY[-2147483648, -1, 0, 1, 2, 3, 4, 2147483647]) start, unnest(ARRAY[-2147483648, -1, 0, 1, 2, 5, 2147483647]) n WHERE text = '[1,2,3]';
SELECT compare('function', ARRAY['array_fill(1, ARRAY[16000])::vector || ''[1]''', 'array_fill(1, ARRAY[16000])::halfvec || ''[1]''',
	'binary_quantize(''[1,0,-1,1e-45,-0,0,7,8,9,-1,1]''::vector)', 'binary_quantize(''[1,0,-1,6e-8,-0,0,7,8,9,-1,1]''::halfvec)']);
SELECT report('function');

-- Bits
SELECT compare('bit', array_agg(format('%L::bit(%s) %s %L::bit(%s)', a, n, operator, b, m))) FROM unnest(ARRAY['0', '1', '101', '11111111', '1010101010', repeat('1101', 50)]) a,
	unnest(ARRAY['0', '1', '011', '10000001', '1111100000', repeat('0111', 50)]) b, unnest(ARRAY[1, 3, 8, 10, 200]) n, unnest(ARRAY[3, 8, 200]) m, unnest(ARRAY['<~>', '<%>']) operator
	WHERE n = m OR n = 3;
SELECT compare('bit', ARRAY['hamming_distance(''11'', ''10'')', 'jaccard_distance(''11'', ''10'')', 'hamming_distance('''', '''')', 'jaccard_distance('''', '''')',
	'B''11''::varbit <~> B''10''::varbit', 'hamming_distance(B''1'', NULL)']);
SELECT report('bit');

-- Casts
SELECT compare('cast', array_agg(format('%L::%s::%s', text, type, target))) FROM value, unnest(ARRAY['vector', 'halfvec', 'sparsevec', 'vector(3)', 'halfvec(2)', 'sparsevec(3)', 'real[]',
	'float8[]', 'int[]', 'numeric[]', 'text', 'bit']) target;
SELECT compare('cast', array_agg(format('%L::%s::%s', text, type, target))) FROM unnest(ARRAY['int[]', 'real[]', 'float8[]', 'numeric[]', 'bigint[]', 'text[]']) type,
	unnest(ARRAY['{}', '{1,0,3}', '{1,NULL}', '{{1,2}}', '{{1},{2}}', '[2:3]={5,6}', '{70000,-70000}', '{2147483647}']) text, unnest(ARRAY['vector', 'halfvec', 'sparsevec', 'vector(3)', 'sparsevec(2)']) target;
SELECT compare('cast', array_agg(format('%L::%s::%s', text, type, target))) FROM unnest(ARRAY['real[]', 'float8[]', 'numeric[]']) type,
	unnest(ARRAY['{1.5,0.1}', '{NaN}', '{65519.9}', '{65520}', '{1e-8}', '{1e38}', '{-0}']) text, unnest(ARRAY['vector', 'halfvec', 'sparsevec']) target;
SELECT compare('cast', array_agg(format('%L::%s::%s', text, type, target))) FROM unnest(ARRAY['real[]', 'float8[]']) type, unnest(ARRAY['{Infinity}', '{-Infinity}']) text,
	unnest(ARRAY['vector', 'halfvec', 'sparsevec']) target;
SELECT compare('cast', ARRAY['''{1e300}''::float8[]::vector', '''{1e300}''::float8[]::halfvec', '''{1e-300}''::float8[]::vector', '''{1e-300}''::float8[]::sparsevec', '''{1e39}''::numeric[]::vector',
	'''{}/16001''::sparsevec::vector', '''{}/16001''::sparsevec::halfvec', '''{1:65520}/2''::sparsevec::halfvec', 'length(array_fill(0, ARRAY[20000])::sparsevec::text)',
	'array_fill(0, ARRAY[16001])::vector', 'array_fill(0, ARRAY[16001])::halfvec', 'vector_dims(array_fill(0, ARRAY[16000])::halfvec)']);
SELECT report('cast');

-- Aggregates
SELECT compare('aggregate', array_agg(format('(SELECT %s(v) FROM unnest(%L::%s[]) v)', aggregate, list, type))) FROM unnest(ARRAY['avg', 'sum', 'count', 'min']) aggregate, unnest(ARRAY['vector', 'halfvec']) type,
	unnest(ARRAY['{"[1,2]","[3,5]"}', '{}', '{NULL}', '{"[1,2]",NULL}', '{"[1,2]","[3]"}', '{"[6e4]","[6e4]"}']) list;
SELECT compare('aggregate', ARRAY['(SELECT avg(v) FROM unnest(ARRAY[''{1:1}/2'']::sparsevec[]) v)']);
SELECT compare('aggregate', array_agg(format('%s_%s(%L%s)', type, function, state, argument))) FROM unnest(ARRAY['vector', 'halfvec']) type, (VALUES ('accum', ', ''[1,2]'''), ('combine', ', ''{1,2,3}'''), ('avg', '')) f (function, argument),
	unnest(ARRAY['{0}', '{1,2,3}', '{2,1,1}']) state;
SELECT report('aggregate');

-- Order: of a sort, and of an index
SELECT compare('order', array_agg(format('(SELECT string_agg(v::text, '' '' ORDER BY v, v::text) FROM unnest(%L::%s[]) v)', list, type))) FROM (SELECT type, array_agg(text ORDER BY text) AS list FROM value
	WHERE text !~ '3e38' GROUP BY type) r;
SELECT report('order');

-- The catalogue: kinds of casts, what functions promise, sort operators
CREATE FUNCTION name_of(t regtype) RETURNS text LANGUAGE sql AS $$ SELECT regexp_replace(t::text, '^(public|maskgen)\.', '') $$;
SELECT set_eq($$SELECT name_of(castsource) AS source, name_of(casttarget) AS target, castcontext FROM pg_cast JOIN pg_proc p ON p.oid = castfunc WHERE pronamespace = '"+maskgen"'::regnamespace$$,
	$$SELECT name_of(castsource) AS source, name_of(casttarget) AS target, castcontext FROM pg_cast JOIN pg_proc p ON p.oid = castfunc JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension x ON x.oid = d.refobjid WHERE x.extname = 'vector'$$, 'the same casts');
SELECT is_empty($$SELECT oprname, name_of(oprleft) AS l, name_of(oprright) AS r, name_of(oprresult) AS result, oprcanhash FROM pg_operator o JOIN pg_depend d ON d.objid = o.oid AND d.deptype = 'e'
	JOIN pg_extension x ON x.oid = d.refobjid WHERE x.extname = 'vector' EXCEPT SELECT oprname, name_of(oprleft) AS l, name_of(oprright) AS r, name_of(oprresult) AS result, oprcanhash FROM pg_operator
	WHERE oprnamespace = 'maskgen'::regnamespace$$, 'each operator');
SELECT is_empty($$SELECT proname, array(SELECT name_of(a) FROM unnest(proargtypes::oid[]) a) AS arguments, name_of(prorettype) AS result, provolatile, proisstrict, proparallel, prokind FROM pg_proc o JOIN pg_depend d ON d.objid = o.oid AND d.deptype = 'e'
	JOIN pg_extension x ON x.oid = d.refobjid WHERE x.extname = 'vector' AND proname !~ 'handler$|^(hnsw|ivfflat)_' EXCEPT
	SELECT proname, array(SELECT name_of(a) FROM unnest(proargtypes::oid[]) a) AS arguments, name_of(prorettype) AS result, provolatile, proisstrict, proparallel, prokind FROM pg_proc
	WHERE pronamespace IN ('maskgen'::regnamespace, '"+maskgen"'::regnamespace)$$, 'each function');

-- The form on disk: a value of one, taken as it lies there for one of the other
CREATE ROLE peer_mallory;
GRANT CREATE ON SCHEMA public TO peer_mallory;
SET ROLE peer_mallory;
CREATE FUNCTION public.vector_l2_within(public.vector, maskgen.vector_sphere) RETURNS boolean LANGUAGE sql AS 'SELECT true';
RESET ROLE;
SELECT throws_ok($$SELECT maskgen.link_pgvector()$$, '42P17', 'function public.vector_l2_within(public.vector,maskgen.vector_sphere) belongs to role "peer_mallory"', 'a function that somebody has put there');
DROP FUNCTION public.vector_l2_within(public.vector, maskgen.vector_sphere);
SET ROLE peer_mallory;
CREATE FUNCTION public.within(public.vector, maskgen.vector_sphere) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR public.<<->> (LEFTARG = public.vector, RIGHTARG = maskgen.vector_sphere, FUNCTION = public.within);
RESET ROLE;
SELECT throws_ok($$SELECT maskgen.link_pgvector()$$, '42P17', 'operator public.<<->>(public.vector,maskgen.vector_sphere) belongs to role "peer_mallory"', 'or an operator');
DROP OWNED BY peer_mallory CASCADE;
DROP ROLE peer_mallory;
SELECT lives_ok($$SELECT maskgen.link_pgvector()$$, 'the types are linked');
SELECT lives_ok($$SELECT maskgen.link_pgvector()$$, 'and once more');
SELECT set_eq($$SELECT castsource::regtype::text AS source, casttarget::regtype::text AS target, castcontext, castmethod FROM pg_cast
	WHERE castmethod = 'b' AND castsource::regtype::text ~ 'vec' AND castsource <> casttarget$$,
	$$SELECT 'maskgen.' || t AS source, t AS target, 'i'::"char" AS context, 'b'::"char" AS method FROM unnest(ARRAY['vector', 'halfvec', 'sparsevec']) t
	UNION ALL SELECT t, 'maskgen.' || t, 'a'::"char", 'b'::"char" FROM unnest(ARRAY['vector', 'halfvec', 'sparsevec']) t$$, 'the casts change no byte');
CREATE FUNCTION across(type text, text text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT concat_ws('' '', %L::public.%s::maskgen.%2$s, %1$L::maskgen.%2$s::public.%2$s, %1$L::public.%2$s::maskgen.%2$s = %1$L::maskgen.%2$s)', text, type) INTO result;
	RETURN result;
END $$;
SELECT is((SELECT string_agg(type || ' ' || text || ' ' || across(type, text), ', ') FROM value WHERE across(type, text)
	IS DISTINCT FROM concat_ws(' ', answer(format('%L::%s', text, type), 'public'), answer(format('%L::%s', text, type), 'maskgen'), 't')), NULL, 'all values mean the same');
CREATE TABLE kept (v public.vector(3), h public.halfvec(3), s public.sparsevec(3));
INSERT INTO kept SELECT '[1,2,3]'::maskgen.vector, '[1,2,3]'::maskgen.halfvec, '{1:1}/3'::maskgen.sparsevec;
SELECT is((SELECT concat_ws(' ', v OPERATOR(public.<->) '[1,2,4]'::maskgen.vector, h::maskgen.halfvec OPERATOR(maskgen.<->) '[1,2,4]', s OPERATOR(public.<+>) '{2:1}/3'::maskgen.sparsevec)
	FROM kept), '1 1 2', 'and work together');


-- An index of ours on a column of theirs
CREATE TABLE items (id int PRIMARY KEY, embedding public.vector(8), half public.halfvec(8));
INSERT INTO items SELECT i, v, v FROM (SELECT i, ARRAY(SELECT random() - 0.5 + 0 * i FROM generate_series(1, 8))::public.vector AS v FROM generate_series(1, 1000) i) x;
SELECT lives_ok('CREATE INDEX ON items USING maskgen_hnsw (embedding); CREATE INDEX ON items USING maskgen_hnsw (half public.halfvec_l2_ops)',
	'a column of theirs gets an index of ours');
SELECT is_empty($$SELECT * FROM maskgen.index_check('items_embedding_idx', true)$$, 'which is sound');
SELECT cmp_ok(maskgen.index_recall('items_embedding_idx', 30), '>=', 0.95::float8, 'and finds what theirs would');
SELECT cmp_ok(maskgen.index_recall('items_half_idx', 30), '>=', 0.95::float8, 'in halves, too');
-- Radii, which pgvector has no operator for
SET enable_seqscan = off;
CREATE FUNCTION plan_of(statement text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json, COSTS OFF) ' || statement INTO plan;
	RETURN plan -> 0 -> 'Plan';
END $$;
SELECT is(plan_of($$SELECT id FROM items WHERE embedding <<=>> sphere((SELECT embedding FROM items WHERE id = 1), 0.5)$$) ->> 'Index Name',
	'items_embedding_idx', 'a radius takes the index');
SELECT cmp_ok((SELECT count(*) FROM items WHERE embedding <<=>> sphere((SELECT embedding FROM items WHERE id = 1), 0.5)), '>=',
	(SELECT ceil(0.95 * count(*))::bigint FROM items WHERE (embedding <=> (SELECT embedding FROM items WHERE id = 1)) <= 0.5), 'which finds the rows within');
SELECT cmp_ok((SELECT count(*) FROM items WHERE half <<->> sphere((SELECT half FROM items WHERE id = 1), 0.7)), '>=',
	(SELECT ceil(0.95 * count(*))::bigint FROM items WHERE (half <-> (SELECT half FROM items WHERE id = 1)) <= 0.7), 'in halves, too');
RESET enable_seqscan;
SET enable_indexscan = off;
SELECT is((SELECT count(*) FROM items WHERE embedding <<=>> sphere((SELECT embedding FROM items WHERE id = 1), 0.5)),
	(SELECT count(*) FROM items WHERE (embedding <=> (SELECT embedding FROM items WHERE id = 1)) <= 0.5), 'without it, exactly those');
RESET enable_indexscan;
-- embed() beside their halfvec and their indexes: any vector of ours does here
INSERT INTO kept (h) VALUES ('[1,2,4]'::maskgen.vector);
SELECT is((SELECT array_agg(h::text || ' ' || (h <-> '[1,2,5]'::maskgen.vector) || ' ' || ('[1,2,5]'::maskgen.vector <-> h) ORDER BY h) FROM kept),
	'{"[1,2,3] 2 2","[1,2,4] 1 1"}', 'a vector of ours is stored in, and compared with, their halfvec');
CREATE INDEX theirs_half ON items USING hnsw (half halfvec_cosine_ops);
CREATE INDEX theirs ON items USING hnsw (embedding vector_l1_ops);
SET enable_seqscan = off;
SELECT matches(plan_of($$SELECT id FROM items ORDER BY half <=> '[1,2,3,4,5,6,7,8]'::maskgen.vector LIMIT 3$$)::text, 'theirs_half', 'their indexes are used');
SELECT matches(plan_of($$SELECT id FROM items ORDER BY embedding <+> '[1,2,3,4,5,6,7,8]'::maskgen.vector LIMIT 3$$)::text, '"theirs"', 'of vector as well');
SELECT is('[1,2,3]'::maskgen.vector <-> '[1,2,4]'::maskgen.vector, 1::float8, 'two of ours find an operator by a search_path without maskgen');
SELECT is('[1,2,3]'::maskgen.vector <-> '[1,2,4]', 1::float8, 'or one with a literal');
SELECT is(vector_dims('[1,2,3]'::maskgen.vector), 3, 'and a function');
CREATE TABLE of_ours (v maskgen.vector(3));
CREATE INDEX of_ours_v ON of_ours USING maskgen_hnsw (v maskgen.vector_l2_ops);
SELECT matches(plan_of($$SELECT FROM of_ours ORDER BY v <-> '[1,2,3]'::maskgen.vector LIMIT 1$$)::text, 'of_ours_v', 'a column of ours its index');
RESET enable_seqscan;
SELECT throws_ok('SELECT maskgen.enable_pgvector_names()', '42710', 'access method "hnsw" is that of extension "vector" in this database', 'its name stays theirs');

-- Its library in the session, and its names ours: what it defines is nobody's setting until it is set
DROP EXTENSION vector CASCADE;
SELECT maskgen.enable_pgvector_names();
CREATE TABLE again AS SELECT ARRAY[i, i % 7, i % 3, 1, 1, 1, 1, 1]::maskgen.vector(8) AS embedding FROM generate_series(1, 500) i;
CREATE INDEX ON again USING hnsw (embedding maskgen.vector_l2_ops);
CREATE FUNCTION n_found() RETURNS bigint LANGUAGE sql SET enable_seqscan = off AS
	$$SELECT count(*) FROM (SELECT FROM again ORDER BY embedding OPERATOR(maskgen.<->) '[1,2,3,4,5,6,7,8]' LIMIT 200) x$$;
SELECT is(current_setting('hnsw.iterative_scan'), 'off', 'its settings are defined');
SELECT is(n_found(), 200::bigint, 'their defaults are not obeyed');
SET hnsw.iterative_scan = off;
SET hnsw.ef_search = 77;
SELECT is(n_found(), 77::bigint, 'what is set, is');
\set found `psql -X -q -A -t -d :DBNAME -c "SET search_path = public" -c "SET hnsw.iterative_scan = off" -c "SET hnsw.ef_search = 78" -c "SELECT n_found()" -c "LOAD 'vector'" -c "SELECT n_found()"`
SELECT is((:'found')::text, E'78\n78', 'as placeholders, too, and when its library takes them over');
SELECT * FROM finish();
