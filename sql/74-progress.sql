-- What is computed right now, as the server's own pg_stat_progress_*: who may see what is as there.

CREATE FUNCTION "+maskgen".progress(OUT pid int, OUT leader_pid int, OUT datid oid, OUT usesysid oid, OUT model text, OUT verb text, OUT rows_done bigint,
	OUT rows_expected bigint, OUT tokens bigint, OUT new_tokens bigint, OUT tokens_per_second double precision, OUT since timestamptz) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_progress' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION "+maskgen".progress() IS 'what is computed right now; read maskgen.maskgen_stat_progress instead';

CREATE VIEW maskgen_stat_progress AS
SELECT p.pid, p.leader_pid, d.datname, r.rolname AS usename, p.model, p.verb, p.rows_done, p.rows_expected, p.tokens, p.new_tokens, p.tokens_per_second, p.since
FROM "+maskgen".progress() p LEFT JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) p.datid
	LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) p.usesysid;
COMMENT ON VIEW maskgen_stat_progress IS 'statements that run models now, in all databases, and how far they are';
GRANT SELECT ON maskgen_stat_progress TO PUBLIC;

COMMENT ON COLUMN maskgen_stat_progress.pid IS 'process, as in pg_stat_activity';
COMMENT ON COLUMN maskgen_stat_progress.leader_pid IS 'of a parallel worker: the process that it works for';
COMMENT ON COLUMN maskgen_stat_progress.datname IS 'database';
COMMENT ON COLUMN maskgen_stat_progress.usename IS 'role that is logged in';
COMMENT ON COLUMN maskgen_stat_progress.model IS 'model that computes; this and what follows is NULL for who may not see the role''s statements in pg_stat_activity';
COMMENT ON COLUMN maskgen_stat_progress.verb IS 'function that was called';
COMMENT ON COLUMN maskgen_stat_progress.rows_done IS 'rows with a result, computed or from the cache';
COMMENT ON COLUMN maskgen_stat_progress.rows_expected IS 'rows that the plan expects of this process; NULL: nobody knows';
COMMENT ON COLUMN maskgen_stat_progress.tokens IS 'tokens computed, prompts and answers';
COMMENT ON COLUMN maskgen_stat_progress.new_tokens IS 'tokens of answers';
COMMENT ON COLUMN maskgen_stat_progress.tokens_per_second IS 'tokens by the time since';
COMMENT ON COLUMN maskgen_stat_progress.since IS 'when the statement first called this';
