-- Models: their bytes, owners and grants, in tables that pg_dump carries along.
-- Only the functions below write to them.

CREATE SEQUENCE "+maskgen".model_id_seq;

CREATE TABLE "+maskgen".model (
	id bigint PRIMARY KEY DEFAULT pg_catalog.nextval('"+maskgen".model_id_seq'),
	name text NOT NULL UNIQUE,
	version text NOT NULL,          -- SHA-256 of the image, in hexadecimal
	owner regrole NOT NULL,
	architecture text NOT NULL,
	tasks text NOT NULL,
	dims int NOT NULL,
	max_tokens int NOT NULL,
	parameters bigint NOT NULL,
	dtype text NOT NULL,            -- that matrices are stored in
	stored_bytes bigint NOT NULL,   -- of the image below
	options jsonb NOT NULL,
	created timestamptz NOT NULL DEFAULT now()
);

-- The portable image, cut into pieces of 1 MB; weights do not compress.
CREATE TABLE "+maskgen".model_chunk (
	model bigint NOT NULL REFERENCES "+maskgen".model ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
	part int NOT NULL,
	data bytea NOT NULL,
	PRIMARY KEY (model, part)
);
ALTER TABLE "+maskgen".model_chunk ALTER data SET STORAGE EXTERNAL;

-- Who besides the owner may use a model; role 0, shown as "-", is everybody.
CREATE TABLE "+maskgen".model_grant (
	model bigint NOT NULL REFERENCES "+maskgen".model ON DELETE CASCADE,
	role regrole NOT NULL,
	PRIMARY KEY (model, role)
);

SELECT pg_catalog.pg_extension_config_dump('"+maskgen".model_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('"+maskgen".model', '');
SELECT pg_catalog.pg_extension_config_dump('"+maskgen".model_chunk', '');
SELECT pg_catalog.pg_extension_config_dump('"+maskgen".model_grant', '');

GRANT SELECT, INSERT ON "+maskgen".model, "+maskgen".model_chunk, "+maskgen".model_grant TO pg_database_owner;
GRANT SELECT, UPDATE ON SEQUENCE "+maskgen".model_id_seq TO pg_database_owner;

-- Backends remember what these tables say; any change, a restore's COPY included, tells them to look again.
CREATE FUNCTION "+maskgen".model_changed() RETURNS trigger
AS 'MODULE_PATHNAME', 'maskgen_model_changed' LANGUAGE C;

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "+maskgen".model
FOR EACH STATEMENT EXECUTE FUNCTION "+maskgen".model_changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "+maskgen".model_grant
FOR EACH STATEMENT EXECUTE FUNCTION "+maskgen".model_changed();

CREATE FUNCTION create_model(name text, path text, options jsonb DEFAULT '{}') RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_create_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION create_model(text, text, jsonb) IS
'read a model from a directory on the server and store it; returns its content hash';

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

CREATE FUNCTION "+maskgen".model_statistics(OUT model bigint, OUT calls bigint, OUT rows bigint, OUT tokens bigint,
	OUT batches bigint, OUT compute_time double precision, OUT errors bigint, OUT cache_hits bigint,
	OUT stats_reset timestamptz) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_model_statistics' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION "+maskgen".model_statistics() IS 'what each model was used for; read maskgen.maskgen_stat_models instead';

CREATE FUNCTION stat_models_reset(name text DEFAULT '') RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_stat_models_reset' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION stat_models_reset(text) IS 'set the counters of one model, or of all, to zero';
REVOKE ALL ON FUNCTION stat_models_reset(text) FROM PUBLIC;

CREATE VIEW maskgen_models AS
SELECT m.name, m.version, m.architecture, m.tasks, m.dims, m.max_tokens, m.parameters, m.dtype,
	m.stored_bytes, s.resident_bytes, s.loaded, s.pinned, s.users, m.owner, s.kernel, m.created
FROM "+maskgen".model m JOIN "+maskgen".model_state() s ON s.model OPERATOR(pg_catalog.=) m.id;
COMMENT ON VIEW maskgen_models IS 'the models of this database, and what of them is in memory';

CREATE VIEW maskgen_stat_models AS
SELECT m.name, s.calls, s.rows, s.tokens, s.batches, s.compute_time, s.errors, s.cache_hits, s.stats_reset
FROM "+maskgen".model m JOIN "+maskgen".model_statistics() s ON s.model OPERATOR(pg_catalog.=) m.id;
COMMENT ON VIEW maskgen_stat_models IS 'what the models of this database were used for; compute_time is in milliseconds';

GRANT SELECT ON maskgen_models, maskgen_stat_models TO PUBLIC;
