-- Results that all sessions share. What is in the cache shows nowhere; how full it is does.

CREATE FUNCTION "+maskgen".result_cache_state(OUT size bigint, OUT entries bigint, OUT bytes bigint, OUT hits bigint,
	OUT misses bigint, OUT evictions bigint, OUT stats_reset timestamptz)
AS 'MODULE_PATHNAME', 'maskgen_result_cache_state' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION "+maskgen".result_cache_state() IS 'how full the result cache is and what it was good for; read maskgen.maskgen_result_cache instead';

CREATE FUNCTION result_cache_reset() RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_result_cache_reset' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION result_cache_reset() IS 'empty the result cache and set its counters to zero';
REVOKE ALL ON FUNCTION result_cache_reset() FROM PUBLIC;

CREATE VIEW maskgen_result_cache AS
SELECT size, entries, bytes, hits, misses, evictions, stats_reset FROM "+maskgen".result_cache_state();
COMMENT ON VIEW maskgen_result_cache IS 'results that all sessions of the server share; size 0: there is no cache';

GRANT SELECT ON maskgen_result_cache TO PUBLIC;
