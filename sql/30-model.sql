-- Models: their bytes, owners and grants, in a table that pg_dump carries along. Only the functions below write to it.

-- A role, as regrole has it, for tables that are dumped: the name of a role that the restoring cluster does not have is a warning.
CREATE TYPE "+maskgen".role;
CREATE FUNCTION "+maskgen".role_in(cstring) RETURNS "+maskgen".role
AS 'MODULE_PATHNAME', 'maskgen_role_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE FUNCTION "+maskgen".role_out("+maskgen".role) RETURNS cstring
AS 'MODULE_PATHNAME', 'maskgen_role_out' LANGUAGE C STABLE STRICT PARALLEL SAFE;
CREATE TYPE "+maskgen".role (INPUT = "+maskgen".role_in, OUTPUT = "+maskgen".role_out, LIKE = oid);
CREATE CAST ("+maskgen".role AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (oid AS "+maskgen".role) WITHOUT FUNCTION AS ASSIGNMENT;

CREATE SEQUENCE "+maskgen".model_id_seq;

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
	options jsonb,                  -- of create_model, and its path
	created timestamptz,
	PRIMARY KEY (id, part),
	CHECK (pg_catalog.num_nulls(name, version, owner, grants, architecture, tasks, dims, max_tokens, parameters, dtype, stored_bytes, options, created)
		OPERATOR(pg_catalog.=) CASE WHEN part OPERATOR(pg_catalog.<) 0 THEN 0 ELSE 13 END),
	CHECK (part OPERATOR(pg_catalog.>=) -1 AND (data IS NULL) OPERATOR(pg_catalog.=) (part OPERATOR(pg_catalog.<) 0))
);
ALTER TABLE "+maskgen".model ALTER data SET STORAGE EXTERNAL;

SELECT pg_catalog.pg_extension_config_dump('"+maskgen".model_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('"+maskgen".model', '');

GRANT SELECT, INSERT ON "+maskgen".model TO pg_database_owner;
GRANT SELECT, UPDATE ON SEQUENCE "+maskgen".model_id_seq TO pg_database_owner;

-- Backends remember what the table says; any change, a restore's COPY included, tells them to look again.
CREATE FUNCTION "+maskgen".model_changed() RETURNS trigger
AS 'MODULE_PATHNAME', 'maskgen_model_changed' LANGUAGE C;
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "+maskgen".model
FOR EACH STATEMENT EXECUTE FUNCTION "+maskgen".model_changed();

-- In place of roles that are missing here: whoever restores owns the model, and grants are left out.
CREATE FUNCTION "+maskgen".model_restored() RETURNS trigger
AS 'MODULE_PATHNAME', 'maskgen_model_restored' LANGUAGE C;
CREATE TRIGGER restored BEFORE INSERT OR UPDATE ON "+maskgen".model
FOR EACH ROW EXECUTE FUNCTION "+maskgen".model_restored();

CREATE FUNCTION create_model(name text, path text, options jsonb DEFAULT '{}') RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_create_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION create_model(text, text, jsonb) IS
'read a model from a directory or a GGUF file on the server and store it; returns its content hash';

CREATE FUNCTION drop_model(name text, cascade boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_drop_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION drop_model(text, boolean) IS 'remove a model; with cascade also what calls it by name';

CREATE FUNCTION load_model(name text, pin boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_load_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION load_model(text, boolean) IS
'bring a model into shared memory now; pinned, it is never evicted';

CREATE FUNCTION unload_model(name text) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_unload_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION unload_model(text) IS 'take a model, pinned or not, out of shared memory; the next use loads it again';

CREATE FUNCTION grant_model(name text, role text) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_grant_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION grant_model(text, text) IS 'let a role, or public, use a model';

CREATE FUNCTION revoke_model(name text, role text) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_revoke_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION revoke_model(text, text) IS 'take back what grant_model gave';

CREATE FUNCTION "+maskgen".model_state(OUT model bigint, OUT resident_bytes bigint, OUT loaded boolean, OUT pinned boolean,
	OUT users int, OUT kernel text) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_model_state' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION "+maskgen".model_state() IS 'what of each model is in shared memory; read maskgen.maskgen_models instead';

CREATE FUNCTION "+maskgen".model_usage(OUT model bigint, OUT calls bigint, OUT rows bigint, OUT tokens bigint,
	OUT batches bigint, OUT compute_time double precision, OUT errors bigint, OUT cache_hits bigint,
	OUT stats_reset timestamptz, OUT prompt_tokens bigint, OUT new_tokens bigint) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_model_statistics' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION "+maskgen".model_usage() IS 'what each model was used for; read maskgen.maskgen_stat_models instead';

CREATE FUNCTION stat_models_reset(name text DEFAULT '') RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_stat_models_reset' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION stat_models_reset(text) IS 'set the counters of one model, or of all, to zero';
REVOKE ALL ON FUNCTION stat_models_reset(text) FROM PUBLIC;

CREATE VIEW maskgen_models AS
SELECT m.name, m.version, m.architecture, m.tasks, m.dims, m.max_tokens, m.parameters, m.dtype,
	m.stored_bytes, s.resident_bytes, s.loaded, s.pinned, s.users, m.owner::pg_catalog.oid::pg_catalog.regrole AS owner, s.kernel, m.created,
	ARRAY(SELECT CASE g.role::pg_catalog.oid WHEN 0::pg_catalog.oid THEN 'public' ELSE r.rolname::pg_catalog.text END
		FROM pg_catalog.unnest(m.grants) g (role) LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) g.role::pg_catalog.oid
		WHERE r.oid IS NOT NULL OR g.role::pg_catalog.oid OPERATOR(pg_catalog.=) 0::pg_catalog.oid ORDER BY 1) AS granted_to
FROM "+maskgen".model m JOIN "+maskgen".model_state() s ON s.model OPERATOR(pg_catalog.=) m.id WHERE m.part OPERATOR(pg_catalog.<) 0;
COMMENT ON VIEW maskgen_models IS 'the models of this database, and what of them is in memory';

CREATE VIEW maskgen_stat_models AS
SELECT m.name, s.calls, s.rows, s.tokens, s.batches, s.compute_time, s.errors, s.cache_hits, s.stats_reset, s.prompt_tokens, s.new_tokens
FROM "+maskgen".model m JOIN "+maskgen".model_usage() s ON s.model OPERATOR(pg_catalog.=) m.id WHERE m.part OPERATOR(pg_catalog.<) 0;
COMMENT ON VIEW maskgen_stat_models IS 'what the models of this database were used for; compute_time is in milliseconds';

GRANT SELECT ON maskgen_models, maskgen_stat_models TO PUBLIC;
