-- From 0.1.0: all that is not documented moves to a schema of its own, and views get names that nobody else has.
\echo Use "ALTER EXTENSION maskgen UPDATE TO '0.2.0'" to load this file. \quit

-- Whoever owns the schema could have put functions of their own into it. Names are qualified until that is ruled out.
DO $$
DECLARE
	path text := pg_catalog.current_setting('search_path');
	owner text;
BEGIN
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	IF EXISTS (SELECT FROM pg_namespace WHERE nspname = '+maskgen') THEN
		RAISE EXCEPTION 'schema "+maskgen" exists already' USING ERRCODE = 'duplicate_schema',
			DETAIL = 'Extension "maskgen" makes that schema itself, for its tables.', HINT = 'Drop or rename that schema.';
	END IF;
	SELECT pg_get_userbyid(n.nspowner) INTO owner FROM pg_namespace n LEFT JOIN pg_roles r ON r.oid = n.nspowner
	WHERE n.nspname = '@extschema@' AND r.rolname <> current_user AND NOT r.rolsuper;
	IF FOUND THEN
		RAISE EXCEPTION 'schema "@extschema@" belongs to role "%"', owner USING ERRCODE = 'invalid_schema_definition',
			DETAIL = 'Whoever owns the schema of an extension can put functions of their own into it.',
			HINT = 'Look for such functions, then run ALTER SCHEMA ... OWNER TO with the role that runs this.';
	ELSIF EXISTS (SELECT FROM pg_namespace n, aclexplode(n.nspacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
		WHERE n.nspname = '@extschema@' AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner AND r.rolsuper IS NOT TRUE) THEN
		RAISE EXCEPTION 'others than its owner can create objects in schema "@extschema@"' USING ERRCODE = 'invalid_schema_definition',
			HINT = 'Look for functions that do not belong to the extension, and revoke CREATE on that schema.';
	END IF;
	PERFORM pg_catalog.set_config('search_path', path, true);
END $$;

CREATE SCHEMA "+maskgen";
COMMENT ON SCHEMA "+maskgen" IS 'tables and functions of extension maskgen that are not for use; the name puts models first in dumps';
GRANT USAGE ON SCHEMA "+maskgen" TO pg_database_owner;

ALTER FUNCTION maskgen.vector_in(cstring, oid, int) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_out(vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_typmod_in(cstring[]) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_recv(internal, oid, int) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_send(vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_negative_inner_product(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_l2_squared_distance(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_spherical_distance(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_add(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_sub(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_mul(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_concat(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_lt(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_le(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_eq(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_ne(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_ge(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_gt(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_cmp(vector, vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_accum(float8[], vector) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_combine(float8[], float8[]) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_avg(float8[]) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_sum(float8[]) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_in(cstring, oid, int) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_out(halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_typmod_in(cstring[]) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_recv(internal, oid, int) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_send(halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_negative_inner_product(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_l2_squared_distance(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_spherical_distance(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_add(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_sub(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_mul(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_concat(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_lt(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_le(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_eq(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_ne(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_ge(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_gt(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_cmp(halfvec, halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_accum(float8[], halfvec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_combine(float8[], float8[]) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_avg(float8[]) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_sum(float8[]) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_in(cstring, oid, int) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_out(sparsevec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_typmod_in(cstring[]) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_recv(internal, oid, int) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_send(sparsevec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_negative_inner_product(sparsevec, sparsevec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_l2_squared_distance(sparsevec, sparsevec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_lt(sparsevec, sparsevec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_le(sparsevec, sparsevec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_eq(sparsevec, sparsevec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_ne(sparsevec, sparsevec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_ge(sparsevec, sparsevec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_gt(sparsevec, sparsevec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_cmp(sparsevec, sparsevec) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector(vector, int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec(halfvec, int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec(sparsevec, int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_to_vector(halfvec, int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_to_halfvec(vector, int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_to_vector(sparsevec, int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_to_sparsevec(vector, int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_to_halfvec(sparsevec, int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_to_sparsevec(halfvec, int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.array_to_vector(int[], int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.array_to_vector(real[], int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.array_to_vector(float8[], int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.array_to_vector(numeric[], int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.array_to_halfvec(int[], int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.array_to_halfvec(real[], int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.array_to_halfvec(float8[], int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.array_to_halfvec(numeric[], int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.array_to_sparsevec(int[], int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.array_to_sparsevec(real[], int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.array_to_sparsevec(float8[], int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.array_to_sparsevec(numeric[], int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_to_float4(vector, int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_to_float4(halfvec, int, boolean) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.maskgen_hnsw_handler(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.spheresel(internal, oid, internal, int) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_l2_within(vector, vector_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_vector_l2_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_ip_within(vector, vector_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_vector_ip_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_cosine_within(vector, vector_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_vector_cosine_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.vector_l1_within(vector, vector_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_vector_l1_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_l2_within(halfvec, halfvec_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_halfvec_l2_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_ip_within(halfvec, halfvec_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_halfvec_ip_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_cosine_within(halfvec, halfvec_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_halfvec_cosine_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.halfvec_l1_within(halfvec, halfvec_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_halfvec_l1_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_l2_within(sparsevec, sparsevec_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_sparsevec_l2_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_ip_within(sparsevec, sparsevec_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_sparsevec_ip_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_cosine_within(sparsevec, sparsevec_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_sparsevec_cosine_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.sparsevec_l1_within(sparsevec, sparsevec_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_sparsevec_l1_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.bit_hamming_within(bit, bit_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_bit_hamming_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.bit_jaccard_within(bit, bit_sphere) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.hnsw_bit_jaccard_kind(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.model_changed() SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.model_state() SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.embed_support(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.fill_mask_support(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.classify_support(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.tokenize_support(internal) SET SCHEMA "+maskgen";
ALTER FUNCTION maskgen.result_cache_state() SET SCHEMA "+maskgen";

ALTER SEQUENCE model_id_seq SET SCHEMA "+maskgen";
GRANT SELECT, UPDATE ON SEQUENCE "+maskgen".model_id_seq TO pg_database_owner;

-- A role, as regrole has it, for tables that are dumped: the name of a role that the restoring cluster does not have is a warning.
CREATE TYPE "+maskgen".role;
CREATE FUNCTION "+maskgen".role_in(cstring) RETURNS "+maskgen".role
AS 'MODULE_PATHNAME', 'maskgen_role_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".role_out("+maskgen".role) RETURNS cstring
AS 'MODULE_PATHNAME', 'maskgen_role_out' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE TYPE "+maskgen".role (INPUT = "+maskgen".role_in, OUTPUT = "+maskgen".role_out, LIKE = oid);
CREATE CAST ("+maskgen".role AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (oid AS "+maskgen".role) WITHOUT FUNCTION AS ASSIGNMENT;

/*
 * One row (part -1) says what a model is; the portable image follows, cut into pieces of 1 MB. All in one table: one COPY
 * restores a model, its image and its grants at once, and pg_restore --jobs, which begins with what is largest, does not leave the
 * rows that others wait for to the end.
 */
CREATE TABLE "+maskgen".model (
	id bigint NOT NULL,
	part int NOT NULL,
	data bytea,                     -- of the image; weights do not compress
	name text UNIQUE,
	version text,                   -- SHA-256 of the image, in hexadecimal
	owner "+maskgen".role,
	grants "+maskgen".role[],       -- who besides the owner may use it; role 0, shown as "-", is everybody
	architecture text,
	tasks text,
	dims int,
	max_tokens int,
	parameters bigint,
	dtype text,                     -- that matrices are stored in
	stored_bytes bigint,            -- of the image
	options jsonb,
	created timestamptz,
	PRIMARY KEY (id, part),
	CHECK (pg_catalog.num_nulls(name, version, owner, grants, architecture, tasks, dims, max_tokens, parameters, dtype, stored_bytes, options, created)
		OPERATOR(pg_catalog.=) CASE WHEN part OPERATOR(pg_catalog.<) 0 THEN 0 ELSE 13 END),
	CHECK (part OPERATOR(pg_catalog.>=) -1 AND (data IS NULL) OPERATOR(pg_catalog.=) (part OPERATOR(pg_catalog.<) 0))
);
ALTER TABLE "+maskgen".model ALTER data SET STORAGE EXTERNAL;

SELECT pg_catalog.pg_extension_config_dump('"+maskgen".model', '');
GRANT SELECT, INSERT ON "+maskgen".model TO pg_database_owner;

INSERT INTO "+maskgen".model (id, part, name, version, owner, grants, architecture, tasks, dims, max_tokens, parameters, dtype, stored_bytes, options, created)
SELECT id, -1, name, version, owner::oid, ARRAY(SELECT role::oid FROM maskgen.model_grant g WHERE g.model = m.id), architecture, tasks, dims, max_tokens,
	parameters, dtype, stored_bytes, options, created FROM maskgen.model m;
INSERT INTO "+maskgen".model (id, part, data) SELECT model, part, data FROM maskgen.model_chunk;

ALTER VIEW models RENAME TO maskgen_models;
ALTER VIEW stat_models RENAME TO maskgen_stat_models;
ALTER VIEW result_cache RENAME TO maskgen_result_cache;
CREATE OR REPLACE VIEW maskgen_models AS
SELECT m.name, m.version, m.architecture, m.tasks, m.dims, m.max_tokens, m.parameters, m.dtype,
	m.stored_bytes, s.resident_bytes, s.loaded, s.pinned, s.users, m.owner::pg_catalog.oid::pg_catalog.regrole AS owner, s.kernel, m.created,
	ARRAY(SELECT CASE g.role::pg_catalog.oid WHEN 0::pg_catalog.oid THEN 'public' ELSE r.rolname::pg_catalog.text END
		FROM pg_catalog.unnest(m.grants) g (role) LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) g.role::pg_catalog.oid
		WHERE r.oid IS NOT NULL OR g.role::pg_catalog.oid OPERATOR(pg_catalog.=) 0::pg_catalog.oid ORDER BY 1) AS granted_to
FROM "+maskgen".model m JOIN "+maskgen".model_state() s ON s.model OPERATOR(pg_catalog.=) m.id WHERE m.part OPERATOR(pg_catalog.<) 0;
CREATE FUNCTION "+maskgen".model_usage(OUT model bigint, OUT calls bigint, OUT rows bigint, OUT tokens bigint,
	OUT batches bigint, OUT compute_time double precision, OUT errors bigint, OUT cache_hits bigint,
	OUT stats_reset timestamptz, OUT prompt_tokens bigint, OUT new_tokens bigint) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_model_statistics' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 10;
CREATE OR REPLACE VIEW maskgen_stat_models AS
SELECT m.name, s.calls, s.rows, s.tokens, s.batches, s.compute_time, s.errors, s.cache_hits, s.stats_reset, s.prompt_tokens, s.new_tokens
FROM "+maskgen".model m JOIN "+maskgen".model_usage() s ON s.model OPERATOR(pg_catalog.=) m.id WHERE m.part OPERATOR(pg_catalog.<) 0;
ALTER EXTENSION maskgen DROP FUNCTION maskgen.model_statistics();
DROP FUNCTION maskgen.model_statistics();

ALTER TABLE maskgen.model ALTER id DROP DEFAULT;
ALTER EXTENSION maskgen DROP TABLE maskgen.model_grant;
ALTER EXTENSION maskgen DROP TABLE maskgen.model_chunk;
ALTER EXTENSION maskgen DROP TABLE maskgen.model;
DROP TABLE maskgen.model_grant, maskgen.model_chunk, maskgen.model;

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "+maskgen".model
FOR EACH STATEMENT EXECUTE FUNCTION "+maskgen".model_changed();

-- In place of roles that are missing here: whoever restores owns the model, and grants are left out.
CREATE FUNCTION "+maskgen".model_restored() RETURNS trigger
AS 'MODULE_PATHNAME', 'maskgen_model_restored' LANGUAGE C;
CREATE TRIGGER restored BEFORE INSERT OR UPDATE ON "+maskgen".model
FOR EACH ROW EXECUTE FUNCTION "+maskgen".model_restored();

-- Comments
COMMENT ON FUNCTION "+maskgen".model_state() IS 'what of each model is in shared memory; read maskgen.maskgen_models instead';
COMMENT ON FUNCTION "+maskgen".model_usage() IS 'what each model was used for; read maskgen.maskgen_stat_models instead';
COMMENT ON FUNCTION count_tokens(text, text) IS
'tokens of a text, special tokens included; to be compared with max_tokens of maskgen.maskgen_models';
COMMENT ON FUNCTION "+maskgen".result_cache_state() IS 'how full the result cache is and what it was good for; read maskgen.maskgen_result_cache instead';
COMMENT ON OPERATOR + (vector, vector) IS 'sum by element';
COMMENT ON OPERATOR - (vector, vector) IS 'difference by element';
COMMENT ON OPERATOR * (vector, vector) IS 'product by element';
COMMENT ON OPERATOR || (vector, vector) IS 'the two, joined';
COMMENT ON OPERATOR < (vector, vector) IS 'is less, in the order of an index';
COMMENT ON OPERATOR <= (vector, vector) IS 'is less or equal, in the order of an index';
COMMENT ON OPERATOR = (vector, vector) IS 'is equal';
COMMENT ON OPERATOR <> (vector, vector) IS 'is not equal';
COMMENT ON OPERATOR >= (vector, vector) IS 'is greater or equal, in the order of an index';
COMMENT ON OPERATOR > (vector, vector) IS 'is greater, in the order of an index';
COMMENT ON OPERATOR CLASS vector_ops USING btree IS 'order of vector, for indexes, ORDER BY and DISTINCT';
COMMENT ON AGGREGATE avg(vector) IS 'mean by element';
COMMENT ON AGGREGATE sum(vector) IS 'sum by element';
COMMENT ON OPERATOR + (halfvec, halfvec) IS 'sum by element';
COMMENT ON OPERATOR - (halfvec, halfvec) IS 'difference by element';
COMMENT ON OPERATOR * (halfvec, halfvec) IS 'product by element';
COMMENT ON OPERATOR || (halfvec, halfvec) IS 'the two, joined';
COMMENT ON OPERATOR < (halfvec, halfvec) IS 'is less, in the order of an index';
COMMENT ON OPERATOR <= (halfvec, halfvec) IS 'is less or equal, in the order of an index';
COMMENT ON OPERATOR = (halfvec, halfvec) IS 'is equal';
COMMENT ON OPERATOR <> (halfvec, halfvec) IS 'is not equal';
COMMENT ON OPERATOR >= (halfvec, halfvec) IS 'is greater or equal, in the order of an index';
COMMENT ON OPERATOR > (halfvec, halfvec) IS 'is greater, in the order of an index';
COMMENT ON OPERATOR CLASS halfvec_ops USING btree IS 'order of halfvec, for indexes, ORDER BY and DISTINCT';
COMMENT ON AGGREGATE avg(halfvec) IS 'mean by element';
COMMENT ON AGGREGATE sum(halfvec) IS 'sum by element';
COMMENT ON OPERATOR < (sparsevec, sparsevec) IS 'is less, in the order of an index';
COMMENT ON OPERATOR <= (sparsevec, sparsevec) IS 'is less or equal, in the order of an index';
COMMENT ON OPERATOR = (sparsevec, sparsevec) IS 'is equal';
COMMENT ON OPERATOR <> (sparsevec, sparsevec) IS 'is not equal';
COMMENT ON OPERATOR >= (sparsevec, sparsevec) IS 'is greater or equal, in the order of an index';
COMMENT ON OPERATOR > (sparsevec, sparsevec) IS 'is greater, in the order of an index';
COMMENT ON OPERATOR CLASS sparsevec_ops USING btree IS 'order of sparsevec, for indexes, ORDER BY and DISTINCT';
COMMENT ON OPERATOR CLASS vector_l2_ops USING maskgen_hnsw IS 'nearest vector by Euclidean distance';
COMMENT ON OPERATOR CLASS vector_ip_ops USING maskgen_hnsw IS 'nearest vector by negative inner product';
COMMENT ON OPERATOR CLASS vector_cosine_ops USING maskgen_hnsw IS 'nearest vector by cosine distance';
COMMENT ON OPERATOR CLASS vector_l1_ops USING maskgen_hnsw IS 'nearest vector by taxicab distance';
COMMENT ON OPERATOR CLASS halfvec_l2_ops USING maskgen_hnsw IS 'nearest halfvec by Euclidean distance';
COMMENT ON OPERATOR CLASS halfvec_ip_ops USING maskgen_hnsw IS 'nearest halfvec by negative inner product';
COMMENT ON OPERATOR CLASS halfvec_cosine_ops USING maskgen_hnsw IS 'nearest halfvec by cosine distance';
COMMENT ON OPERATOR CLASS halfvec_l1_ops USING maskgen_hnsw IS 'nearest halfvec by taxicab distance';
COMMENT ON OPERATOR CLASS sparsevec_l2_ops USING maskgen_hnsw IS 'nearest sparsevec by Euclidean distance';
COMMENT ON OPERATOR CLASS sparsevec_ip_ops USING maskgen_hnsw IS 'nearest sparsevec by negative inner product';
COMMENT ON OPERATOR CLASS sparsevec_cosine_ops USING maskgen_hnsw IS 'nearest sparsevec by cosine distance';
COMMENT ON OPERATOR CLASS sparsevec_l1_ops USING maskgen_hnsw IS 'nearest sparsevec by taxicab distance';
COMMENT ON OPERATOR CLASS bit_hamming_ops USING maskgen_hnsw IS 'nearest bit by Hamming distance';
COMMENT ON OPERATOR CLASS bit_jaccard_ops USING maskgen_hnsw IS 'nearest bit by Jaccard distance';

-- As in a new 0.2.0

-- Embedding triggers worked with the rights of their table's owner, whoever made them. Where nobody else could make one, the owner has consented.
DO $$
DECLARE
	statement text;
BEGIN
	FOR statement IN
		SELECT pg_catalog.format('ALTER TRIGGER %I ON %I.%I DEPENDS ON EXTENSION maskgen', t.tgname, n.nspname, c.relname)
		FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid
			JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
		WHERE t.tgfoid OPERATOR(pg_catalog.=) 'maskgen.embed_statement_trigger()'::pg_catalog.regprocedure
			AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) a
				WHERE a.privilege_type OPERATOR(pg_catalog.=) 'TRIGGER' AND a.grantee OPERATOR(pg_catalog.<>) c.relowner)
	LOOP
		EXECUTE statement;
	END LOOP;
END $$;

-- Whoever drops a model is told what depends on it.
DROP FUNCTION maskgen.drop_model(text);
CREATE FUNCTION maskgen.drop_model(name text, cascade boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_drop_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION maskgen.drop_model(text, boolean) IS 'remove a model; with cascade also what calls it by name';

-- What an index's definition holds is its owner's code: index_recall runs it as the owner.
CREATE OR REPLACE FUNCTION index_recall(index regclass, samples int DEFAULT 100, k int DEFAULT 10) RETURNS float8
AS 'MODULE_PATHNAME', 'maskgen_index_recall' LANGUAGE C VOLATILE STRICT COST 100000;

-- Embedding models classify as well.
UPDATE "+maskgen".model SET tasks = 'embed, classify' WHERE tasks = 'embed';

-- Comments that were said better.
COMMENT ON FUNCTION binary_quantize(vector) IS 'a bit for each element: 1 where it is above zero';
COMMENT ON FUNCTION binary_quantize(halfvec) IS 'a bit for each element: 1 where it is above zero';
COMMENT ON FUNCTION jaccard_distance(bit, bit) IS '1 - (bits set in both / bits set in either); 1 when none is common';
COMMENT ON TYPE vector_sphere IS 'a vector and a distance: what sphere() makes, for operators such as <<=>>';
COMMENT ON FUNCTION sphere(vector, float8) IS 'all that is within a distance of a vector, for operators such as <<=>>';
COMMENT ON TYPE halfvec_sphere IS 'a halfvec and a distance: what sphere() makes, for operators such as <<=>>';
COMMENT ON FUNCTION sphere(halfvec, float8) IS 'all that is within a distance of a halfvec, for operators such as <<=>>';
COMMENT ON TYPE sparsevec_sphere IS 'a sparsevec and a distance: what sphere() makes, for operators such as <<=>>';
COMMENT ON FUNCTION sphere(sparsevec, float8) IS 'all that is within a distance of a sparsevec, for operators such as <<=>>';
COMMENT ON TYPE bit_sphere IS 'a bit string and a distance: what sphere() makes, for <<~>> and <<%>>';
COMMENT ON FUNCTION sphere(bit, float8) IS 'all that is within a distance of a bit string, for <<~>> and <<%>>';
COMMENT ON FUNCTION index_recall(regclass, int, int) IS 'recall: share of the true k nearest rows that an index finds, measured at rows of the table';
COMMENT ON FUNCTION create_model(text, text, jsonb) IS 'read a model from a directory or a GGUF file on the server and store it; returns its content hash';
COMMENT ON FUNCTION fill_mask(text, text, int, text[]) IS 'the likeliest words in place of each [MASK] of a text; score is their probability';
COMMENT ON FUNCTION create_embed_trigger(regclass, text, text[]) IS 'embed columns of text into the last-named column after each INSERT, COPY, UPDATE and MERGE';
