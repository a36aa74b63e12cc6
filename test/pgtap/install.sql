-- What CREATE EXTENSION makes and where: names that others see, comments, and schemas that it refuses.
SET client_min_messages = warning;
SELECT plan(31);

-- Names that a search_path of "public, maskgen" puts before an application
SELECT set_eq($$SELECT relname::text, relkind::text FROM pg_class WHERE relnamespace = 'maskgen'::regnamespace AND relkind <> 'c'$$,
	$$VALUES ('maskgen_models', 'v'), ('maskgen_stat_models', 'v'), ('maskgen_result_cache', 'v'), ('maskgen_prompt_cache', 'v'), ('maskgen_model_grants', 'v'),
		('maskgen_settings', 'v'), ('maskgen_stat_roles', 'v'), ('maskgen_stat_progress', 'v'), ('maskgen_model_sources', 'v'), ('maskgen_embedding_status', 'v')$$, 'relations in the search_path: views with names of ours');
SELECT set_eq($$SELECT DISTINCT proname::text FROM pg_proc WHERE pronamespace = 'maskgen'::regnamespace$$, ARRAY['l2_distance', 'cosine_distance', 'inner_product',
	'l1_distance', 'hamming_distance', 'jaccard_distance', 'vector_dims', 'vector_norm', 'l2_norm', 'l2_normalize', 'binary_quantize', 'subvector', 'avg', 'sum',
	'sphere', 'embed', 'embed_query', 'embed_document', 'embed_batch', 'fill_mask', 'classify', 'classify_scores', 'classify_as', 'tokenize', 'detokenize',
	'tokens', 'count_tokens', 'create_model', 'drop_model', 'load_model', 'unload_model', 'grant_model', 'revoke_model', 'stat_models_reset',
	'result_cache_reset', 'prompt_cache_reset', 'create_embed_trigger', 'drop_embed_trigger', 'embed_statement_trigger', 'link_pgvector', 'enable_pgvector_names', 'index_check',
	'index_info', 'index_memory', 'index_recall', 'index_advice', 'last_index_scan', 'zero_shot_classifier', 'fit_classifier', 'fit_labels', 'predict', 'predict_scores',
	'label_scores', 'classifier_info', 'classify_multi', 'mask_state',
	'generate', 'rerank_score', 'rerank', 'classify_own', 'classify_own_scores', 'classify_pair', 'entities',
	'mask_entities', 'token_anomalies', 'embed_tokens', 'max_sim', 'embed_sparse', 'chat', 'chat_prompt', 'generate_stream', 'generate_samples', 'logprob',
	'perplexity', 'token_logprobs', 'model_labels', 'choose', 'choose_scores', 'check_model', 'embed_column', 'drop_embed_column', 'pause_embed_column', 'resume_embed_column', 'retry_failed',
	'embed_pending', 'reembed', 'column_model', 'embed_for', 'embed_failures', 'embed_row_trigger', 'search', 'search_sql', 'rrf', 'sentences', 'chunks'], 'functions: those that are documented');
SELECT set_eq($$SELECT typname::text FROM pg_type WHERE typnamespace = 'maskgen'::regnamespace AND typelem = 0 AND typname !~ '^maskgen_'$$,
	ARRAY['vector', 'halfvec', 'sparsevec', 'vector_sphere', 'halfvec_sphere', 'sparsevec_sphere', 'bit_sphere', 'classifier'], 'types: those that are documented');
SELECT is_empty($$SELECT pg_describe_object(classid, objid, 0) FROM pg_depend d WHERE refclassid = 'pg_extension'::regclass
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'maskgen') AND deptype = 'e'
	AND classid IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_class'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass, 'pg_namespace'::regclass, 'pg_am'::regclass)
	AND obj_description(objid, classid::regclass::name) IS NULL
	AND NOT EXISTS (SELECT FROM pg_proc WHERE oid = objid AND pronamespace = '"+maskgen"'::regnamespace)
	AND NOT EXISTS (SELECT FROM pg_class WHERE oid = objid AND relnamespace = '"+maskgen"'::regnamespace)
	AND NOT EXISTS (SELECT FROM pg_type t WHERE oid = objid AND (typelem <> 0 AND typcategory = 'A' OR typnamespace = '"+maskgen"'::regnamespace
		OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')))$$, 'each has a comment');

-- An application's own tables of likely names
SET search_path = public, maskgen;
CREATE TABLE model (id int PRIMARY KEY, mine boolean DEFAULT true);
CREATE TABLE child (model int REFERENCES model(id));
SELECT is(confrelid, 'public.model'::regclass::oid, 'REFERENCES model(id) means the application''s') FROM pg_constraint WHERE conrelid = 'child'::regclass;
SELECT lives_ok(format('CREATE TABLE %I (id int); SELECT id FROM %1$I; DROP TABLE %1$I', name), name || ' is free')
FROM unnest(ARRAY['models', 'model_chunk', 'model_grant', 'result_cache', 'stat_models', 'model_id_seq']) name;
SELECT hasnt_table('model_chunk', 'a name that nobody took is not found');
RESET search_path;

-- Who has no right to look into the other schema uses everything
CREATE FUNCTION tried(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('role', role, true);
	EXECUTE statement;
	PERFORM set_config('role', 'none', true);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	PERFORM set_config('role', 'none', true);
	RETURN SQLSTATE;
END $$;
CREATE ROLE maskgen_user;
GRANT CREATE ON SCHEMA public TO maskgen_user;
SELECT is(tried('maskgen_user', statement), 'ok', statement) FROM unnest(ARRAY['SELECT * FROM maskgen.maskgen_models, maskgen.maskgen_stat_models, maskgen.maskgen_result_cache, maskgen.maskgen_prompt_cache',
	$$SELECT maskgen.avg(v)::text, v OPERATOR(maskgen.+) v, v::real[], '{1,2}'::real[]::maskgen.vector FROM (VALUES ('[1,2]'::maskgen.vector)) x (v) GROUP BY v ORDER BY v OPERATOR(maskgen.<->) v$$,
	'CREATE TABLE mine (v maskgen.vector(2) UNIQUE); CREATE INDEX ON mine USING maskgen_hnsw (v); INSERT INTO mine VALUES (''[1,2]''); SELECT FROM mine WHERE v OPERATOR(maskgen.<<=>>) maskgen.sphere(v, 1)']) statement;
SELECT is(tried('maskgen_user', 'SELECT "+maskgen".vector_cmp(NULL, NULL)'), '42501', 'but not what is in it');
DROP TABLE mine;
REVOKE CREATE ON SCHEMA public FROM maskgen_user;

-- Schemas that CREATE EXTENSION refuses
DROP EXTENSION maskgen CASCADE;
SELECT is((SELECT count(*) FROM pg_namespace WHERE nspname IN ('maskgen', '+maskgen')), 1::bigint, 'DROP EXTENSION takes its own schema along');
CREATE FUNCTION installed() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	CREATE EXTENSION maskgen;
	RAISE 'installed';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END $$;
SELECT is(installed(), 'installed', 'an empty schema of the installer will do: a dump makes it first');
GRANT CREATE ON SCHEMA maskgen TO maskgen_user;
SELECT is(installed(), 'others than its owner can create objects in schema "maskgen"', 'not if another role can create in it');
REVOKE CREATE ON SCHEMA maskgen FROM maskgen_user;
GRANT CREATE ON SCHEMA maskgen TO PUBLIC;
SELECT is(installed(), 'others than its owner can create objects in schema "maskgen"', 'nor if everybody can');
REVOKE CREATE ON SCHEMA maskgen FROM PUBLIC;
GRANT USAGE ON SCHEMA maskgen TO PUBLIC;
SELECT is(installed(), 'installed', 'USAGE is no harm');
ALTER SCHEMA maskgen OWNER TO maskgen_user;
SELECT is(installed(), 'schema "maskgen" belongs to role "maskgen_user"', 'not if another role owns it');
ALTER ROLE maskgen_user SUPERUSER;
SELECT is(installed(), 'installed', 'unless that is a superuser');
ALTER ROLE maskgen_user NOSUPERUSER;
ALTER SCHEMA maskgen OWNER TO CURRENT_USER;
CREATE FUNCTION maskgen.embed(varchar, varchar) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
SELECT is(installed(), 'schema "maskgen" is not empty', 'not with a function in it');
DROP FUNCTION maskgen.embed(varchar, varchar);
CREATE OPERATOR maskgen.<> (LEFTARG = name, RIGHTARG = name, FUNCTION = namelt);
SELECT is(installed(), 'schema "maskgen" is not empty', 'nor with an operator');
DROP OPERATOR maskgen.<> (name, name);
ALTER DEFAULT PRIVILEGES IN SCHEMA maskgen GRANT INSERT ON TABLES TO maskgen_user;
SELECT is(installed(), 'schema "maskgen" is not empty', 'nor with privileges for what will be made');
ALTER DEFAULT PRIVILEGES IN SCHEMA maskgen REVOKE INSERT ON TABLES FROM maskgen_user;
CREATE SCHEMA "+maskgen";
SELECT is(installed(), 'schema "+maskgen" exists already', 'the other schema may not be there');
DROP SCHEMA "+maskgen";

-- Names of schemas, which a dump needs
CREATE EXTENSION maskgen;
SELECT throws_ok('ALTER SCHEMA maskgen RENAME TO lm', '0A000', 'schema "maskgen" of extension maskgen cannot be renamed', 'the schema keeps its name');
SELECT throws_ok('ALTER SCHEMA "+maskgen" RENAME TO lm', '0A000', 'schema "+maskgen" of extension maskgen cannot be renamed', 'so does the other');
SELECT lives_ok('CREATE SCHEMA another; ALTER SCHEMA another RENAME TO others; ALTER SCHEMA maskgen OWNER TO CURRENT_USER; DROP SCHEMA others', 'others do as they like');
-- All goes on where somebody has done it all the same
ALTER EVENT TRIGGER maskgen_schema_renamed DISABLE;
ALTER SCHEMA maskgen RENAME TO lm;
ALTER SCHEMA "+maskgen" RENAME TO inner_lm;
\getenv dir PG_ABS_SRCDIR
SELECT lm.create_model('m', :'dir' || '/golden/tiny/bert-embed-mean') IS NOT NULL AS made \gset
SELECT lm.grant_model('m', 'public');
SELECT is((SELECT loaded FROM (SELECT lm.embed('m', 'a') FROM lm.load_model('m')) x, lm.maskgen_models), true, 'schemas can be renamed');
DROP ROLE maskgen_user;
SELECT * FROM finish();
