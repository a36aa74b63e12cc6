-- Who has used which model, the labels that a model was trained for, and how it was made.

CREATE FUNCTION model_labels(model text) RETURNS text[]
AS 'MODULE_PATHNAME', 'maskgen_model_labels' LANGUAGE C STRICT STABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION model_labels(text) IS 'labels that a model was trained for: of entities(), or of classify_own(); empty if it has none';

CREATE FUNCTION "+maskgen".role_statistics(OUT role oid, OUT model bigint, OUT calls bigint, OUT rows bigint, OUT tokens bigint,
	OUT batches bigint, OUT compute_time double precision, OUT errors bigint, OUT cache_hits bigint, OUT stats_reset timestamptz,
	OUT prompt_tokens bigint, OUT new_tokens bigint) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_role_statistics' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION "+maskgen".role_statistics() IS 'what each role used each model for; read maskgen.maskgen_stat_roles instead';

CREATE VIEW maskgen_stat_roles AS
SELECT pg_catalog.pg_get_userbyid(s.role) AS role, m.name AS model, s.calls, s.rows, s.tokens, s.batches, s.compute_time, s.errors, s.cache_hits, s.stats_reset,
	s.prompt_tokens, s.new_tokens
FROM "+maskgen".model m JOIN "+maskgen".role_statistics() s ON s.model OPERATOR(pg_catalog.=) m.id WHERE m.part OPERATOR(pg_catalog.<) 0;
COMMENT ON VIEW maskgen_stat_roles IS 'what each role used the models of this database for; others than oneself are shown to who has pg_read_all_stats';

-- Paths of the server are for those who may read its files. Models of 0.1.0 have none.
CREATE VIEW maskgen_model_sources AS
SELECT m.name AS model,
	CASE WHEN pg_catalog.pg_has_role('pg_read_server_files', 'USAGE') THEN m.options OPERATOR(pg_catalog.->>) 'path' END AS path,
	m.options OPERATOR(pg_catalog.-) 'path'::pg_catalog.text AS options
FROM "+maskgen".model m WHERE m.part OPERATOR(pg_catalog.<) 0;
COMMENT ON VIEW maskgen_model_sources IS 'what create_model was given for each model, to make it again';

GRANT SELECT ON maskgen_stat_roles, maskgen_model_sources TO PUBLIC;

COMMENT ON COLUMN maskgen_model_sources.model IS 'name of the model';
COMMENT ON COLUMN maskgen_model_sources.path IS 'directory or file that it was read from; NULL for who may not read files of the server';
COMMENT ON COLUMN maskgen_model_sources.options IS 'options of create_model';

COMMENT ON COLUMN maskgen_stat_roles.role IS 'current user of the calls; a role that was dropped is "unknown" with its number';
COMMENT ON COLUMN maskgen_stat_roles.model IS 'name of the model';
COMMENT ON COLUMN maskgen_stat_roles.calls IS 'calls of a function, a batch being one';
COMMENT ON COLUMN maskgen_stat_roles.rows IS 'texts';
COMMENT ON COLUMN maskgen_stat_roles.tokens IS 'tokens that were computed';
COMMENT ON COLUMN maskgen_stat_roles.batches IS 'forward passes';
COMMENT ON COLUMN maskgen_stat_roles.compute_time IS 'milliseconds spent in the model';
COMMENT ON COLUMN maskgen_stat_roles.errors IS 'calls that ended in an error';
COMMENT ON COLUMN maskgen_stat_roles.cache_hits IS 'texts answered from the result cache';
COMMENT ON COLUMN maskgen_stat_roles.stats_reset IS 'time since which is counted';
COMMENT ON COLUMN maskgen_stat_roles.prompt_tokens IS 'of the tokens, those that were read';
COMMENT ON COLUMN maskgen_stat_roles.new_tokens IS 'tokens of answers; the last one of each is drawn and not computed further';
