-- Tasks against the reference numbers of test/golden/tiny, whose form is described in test/golden/README.md.
\getenv dir PG_ABS_SRCDIR
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT plan(35);

CREATE TABLE golden (model text, word text, fields text[], line text);
CREATE TABLE input (model text, t text, input text);

-- Backslash escapes of a golden's text are those of E''.
CREATE FUNCTION unescape(escaped text) RETURNS text LANGUAGE plpgsql STRICT AS $$
DECLARE plain text;
BEGIN
	EXECUTE 'SELECT E''' || replace(escaped, '''', '''''') || '''' INTO plain;
	RETURN plain;
END $$;

-- Fields from the nth on as they stand in the line, spaces included
CREATE FUNCTION rest(line text, n int) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(line, '^([^ ]* ){' || n || '}', '')
$$;
CREATE FUNCTION numbers(fields text[], n int) RETURNS float8[] LANGUAGE sql AS $$ SELECT fields[n + 1:]::float8[] $$;
CREATE FUNCTION farthest(got float8[], want float8[]) RETURNS float8 LANGUAGE sql AS $$
	SELECT CASE WHEN cardinality(got) = cardinality(want) THEN max(abs(a - b)) ELSE 'infinity' END FROM unnest(got, want) u (a, b)
$$;

CREATE FUNCTION load(name text, dir text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM maskgen.create_model(name, dir || '/golden/tiny/' || name);
	INSERT INTO golden SELECT name, split_part(l, ' ', 1), string_to_array(l, ' '), l
	FROM regexp_split_to_table(pg_read_file(dir || '/golden/tiny/' || name || '.txt'), E'\n') l WHERE l !~ '^#';
	INSERT INTO input SELECT name, fields[2], unescape(rest(line, 2)) FROM golden WHERE model = name AND word = 'text';
END $$;
SELECT load(name, :'dir') FROM unnest(ARRAY['bert-mlm', 'bert-mlm-f16', 'bert-mlm-bf16', 'bert-sharded', 'bert-relu-odd', 'bert-embed-mean',
	'bert-embed-cls']) name;
ANALYZE golden, input;
SELECT is(count(*), 7::bigint, 'there are seven checkpoints') FROM golden WHERE word = 'end';

-- Tokens; a golden's are cut at max_tokens.
SELECT ok(bool_and(CASE WHEN g.fields[3] < m.max_tokens::text OR g.fields[3]::int < m.max_tokens THEN tokenize(model, input) = g.fields[4:]::int[]
	ELSE (tokenize(model, input))[1:m.max_tokens - 1] = g.fields[4:m.max_tokens + 2]::int[] END) AND count(*) = 14, 'tokens of ' || model)
FROM golden g JOIN input i USING (model) JOIN maskgen_models m ON m.name = model
WHERE g.word = 'ids' AND g.fields[2] = i.t GROUP BY model ORDER BY model;

-- The reference reads special tokens in any text; embed and classify take them for data.
-- Embeddings. float32 against float64 differs by less than 1e-5; a missing bias by 0.1.
CREATE VIEW embedding AS
SELECT g.model, i.input, numbers(g.fields, 4) AS want, coalesce(unescape(rest(p.line, 2)), '') AS prompt, g.fields[3] AS name
FROM golden g JOIN input i ON i.model = g.model AND i.t = g.fields[2]
LEFT JOIN golden p ON p.model = g.model AND p.word = 'prompt' AND p.fields[2] = g.fields[3]
WHERE g.word = 'embedding' AND i.input !~ '\[(CLS|MASK|PAD|SEP|UNK)\]';
SELECT cmp_ok(max(farthest(embed(model, input, prompt)::real[]::float8[], want)), '<', 1e-4::float8, 'embed: ' || model)
FROM embedding GROUP BY model ORDER BY model;
SELECT cmp_ok(max(farthest(embed_query(model, input)::real[]::float8[], want)), '<', 1e-4::float8, 'embed_query: ' || model)
FROM embedding WHERE name = 'query' GROUP BY model ORDER BY model;
SELECT cmp_ok(max(farthest(embed_document(model, input)::real[]::float8[], want)), '<', 1e-4::float8, 'embed_document: ' || model)
FROM embedding WHERE name = 'document' GROUP BY model ORDER BY model;
SELECT cmp_ok(max(farthest(got::real[]::float8[], want)), '<', 1e-4::float8, 'embed_batch: ' || model)
FROM (SELECT model, prompt, array_agg(input) AS inputs, array_agg(want::real[]::vector) AS wants FROM embedding WHERE name = '-' GROUP BY model, prompt) e,
	LATERAL unnest(embed_batch(model, inputs, prompt), wants) u (got, want_v), LATERAL (SELECT want_v::real[]::float8[] AS want) w
GROUP BY model ORDER BY model;

-- Masks. A mask behind the cut of a text has no record.
SELECT cmp_ok(max(CASE WHEN f.token_id = g.fields[6]::int AND f.token = g.fields[8] THEN abs(f.score - g.fields[7]::float8) ELSE 1 END), '<', 1e-4::float8,
	'fill_mask: ' || model)
FROM golden g JOIN input i USING (model) LEFT JOIN LATERAL fill_mask(model, input, 5) f ON f.mask = g.fields[3]::int AND f.rank = g.fields[5]::int
WHERE g.word = 'top' AND g.fields[2] = i.t GROUP BY model ORDER BY model;

-- Classes
CREATE TABLE label_set AS
SELECT model, fields[2] AS s, array_agg(rest(line, 3) ORDER BY fields[3]::int) AS labels FROM golden WHERE word = 'label' GROUP BY model, fields[2];
CREATE VIEW score AS
SELECT g.model, g.fields[3] AS t, i.input, s.labels, rest(t.line, 2) AS template, numbers(g.fields, 4) AS want
FROM golden g JOIN input i ON i.model = g.model AND i.t = g.fields[3] JOIN label_set s ON s.model = g.model AND s.s = g.fields[2]
JOIN golden t ON t.model = g.model AND t.word = 'template' AND t.fields[2] = g.fields[2]
WHERE g.word = 'score' AND i.input !~ '\[(CLS|MASK|PAD|SEP|UNK)\]';
SELECT cmp_ok(max(farthest((SELECT array_agg(c.score::float8 ORDER BY array_position(labels, c.label)) FROM classify_scores(model, input, labels, template) c), want)),
	'<', 1e-4::float8, 'classify_scores: ' || model)
FROM score GROUP BY model ORDER BY model;
-- Where the two best are closer than the tolerance, either will do.
SELECT is(count(*) FILTER (WHERE want[array_position(labels, classify(model, input, labels, template))] > (SELECT max(x) FROM unnest(want) x) - 2e-4), count(*),
	'classify: ' || model)
FROM score GROUP BY model ORDER BY model;

-- Parallel workers compute the same.
CREATE TABLE many WITH (parallel_workers = 2) AS SELECT t, input FROM input, generate_series(1, 3) WHERE model = 'bert-embed-mean';
ANALYZE many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || query; END $$;
SELECT ok(bool_or(line ~ 'Gather'), 'a scan that embeds is split among workers') FROM plan_of('SELECT embed(''bert-embed-mean'', input) FROM many') line;
SELECT cmp_ok((SELECT max(m.v <-> e.want::vector) FROM (SELECT input, embed('bert-embed-mean', input) AS v FROM many OFFSET 0) m JOIN embedding e
	ON e.input = m.input AND e.model = 'bert-embed-mean' AND e.name = '-'), '<', 1e-4::float8, 'workers compute the same');
-- The costly condition comes last, wherever it is written.
SET maskgen.enable_batching = off;
SELECT ok(bool_or(line ~ 'Filter: .*t = .*classify'), 'cheap conditions come before a model')
FROM plan_of('SELECT FROM many WHERE maskgen.classify(''bert-mlm'', input, ''{world}'') = ''world'' AND t = ''1''') line;
RESET maskgen.enable_batching;

SELECT results_eq($$SELECT (proname || '(' || pg_get_function_arguments(oid) || ')') COLLATE "default", pg_get_function_result(oid),
	provolatile::text || CASE WHEN proisstrict THEN 's' ELSE '-' END || proparallel::text, procost, prorows
	FROM pg_proc WHERE pronamespace = 'maskgen'::regnamespace AND prokind = 'f' AND proname ~ '^(embed|fill|class|token|detok|count)'
	AND prorettype <> ALL ('{internal,trigger}'::regtype[]) ORDER BY (proname || '(' || pg_get_function_arguments(oid) || ')') COLLATE "C"$$,
	$$VALUES
	('classifier_info(classifier classifier, OUT method text, OUT labels text[], OUT dims integer, OUT labelled bigint, OUT unlabelled bigint, OUT accuracy double precision)',
		'record', 'iss', 1::real, 0::real),
	('classify(input text, labels text[])', 'text', 'sss', 2000000, 0),
	('classify(model text, input text, labels text[], template text DEFAULT ''''::text)', 'text', 'iss', 2000000, 0),
	('classify_as(model text, input text, labels anyenum, template text DEFAULT ''''::text)', 'anyenum', 's-s', 2000000, 0),
	('classify_multi(model text, input text, labels text[], threshold real DEFAULT 0.2, template text DEFAULT ''''::text)', 'text[]', 'iss', 2000000, 0),
	('classify_own(model text, input text)', 'text', 'iss', 1000000, 0),
	('classify_own_scores(model text, input text, OUT label text, OUT score real)', 'SETOF record', 'iss', 1000000, 4),
	('classify_pair(model text, input text, second text, OUT label text, OUT score real)', 'SETOF record', 'iss', 1000000, 4),
	('classify_scores(model text, input text, labels text[], template text DEFAULT ''''::text, OUT label text, OUT score real)',
		'SETOF record', 'iss', 2000000, 4),
	('count_tokens(model text, input text)', 'integer', 'iss', 500, 0),
	('detokenize(model text, ids integer[])', 'text', 'iss', 500, 0),
	('embed(input text)', 'vector', 'sss', 200000, 0),
	('embed(model text, input text, prompt text DEFAULT ''''::text, dims integer DEFAULT 0, normalized boolean DEFAULT true)', 'vector', 'iss', 200000, 0),
	('embed_batch(model text, inputs text[], prompt text DEFAULT ''''::text, dims integer DEFAULT 0, normalized boolean DEFAULT true)', 'vector[]', 'iss',
		1000000, 0),
	('embed_column(target regclass, source text, destination name DEFAULT ''embedding''::name, model text DEFAULT NULL::text, mode text DEFAULT ''queue''::text,'
		' index boolean DEFAULT true)', 'void', 'v-u', 1, 0),
	('embed_document(model text, input text, dims integer DEFAULT 0)', 'vector', 'iss', 200000, 0),
	('embed_failures(target regclass, destination name DEFAULT ''embedding''::name, OUT key text[], OUT error text, OUT failed_at timestamp with time zone)',
		'SETOF record', 'vsr', 1, 100),
	('embed_for(target regclass, destination name, input text)', 'vector', 's-s', 100, 0),
	('embed_query(model text, input text, dims integer DEFAULT 0)', 'vector', 'iss', 200000, 0),
	('embed_sparse(model text, input text)', 'sparsevec', 'iss', 400000, 0),
	('embed_tokens(model text, input text, prompt text DEFAULT ''''::text)', 'vector[]', 'iss', 200000, 0),
	('fill_mask(model text, input text, top_k integer DEFAULT 5, targets text[] DEFAULT ''{}''::text[], OUT mask integer, OUT rank integer, OUT token_id integer,'
		' OUT token text, OUT score real, OUT sequence text)', 'SETOF record', 'iss', 2000000, 5),
	('token_anomalies(model text, input text, OUT pos integer, OUT token text, OUT start integer, OUT stop integer, OUT score real)', 'SETOF record', 'iss', 1000000, 30),
	('token_logprobs(model text, input text, OUT pos integer, OUT token_id integer, OUT token text, OUT logprob real)', 'SETOF record', 'iss', 1000000, 30),
	('tokenize(model text, input text)', 'integer[]', 'iss', 500, 0),
	('tokens(model text, input text, OUT pos integer, OUT id integer, OUT token text, OUT start integer, OUT stop integer)', 'SETOF record', 'iss', 500, 30)
	$$, 'signatures, volatility, strictness, parallel safety, costs');

-- What IMMUTABLE is for
CREATE TABLE note (body text, v vector(32) GENERATED ALWAYS AS (embed('bert-embed-mean', body)) STORED);
INSERT INTO note VALUES ('paris'), (NULL), ('red wine');
SELECT is((SELECT array_agg(v = embed('bert-embed-mean', body)) FROM note), ARRAY[true, NULL, true], 'a generated column');
CREATE INDEX note_topic ON note (classify('bert-mlm', body, '{world,sports}'));
SELECT ok(bool_or(line ~ 'note_topic'), 'an index on an expression') FROM (SELECT set_config('enable_seqscan', 'off', false)) s,
	plan_of('SELECT FROM note WHERE classify(''bert-mlm'', body, ''{world,sports}'') = ''world''') line;
SELECT * FROM finish();
