-- Beginnings of prompts that all sessions share. What they are shows nowhere; how full the cache is does.

CREATE FUNCTION "+maskgen".prompt_cache_state(OUT size bigint, OUT entries bigint, OUT bytes bigint, OUT hits bigint,
	OUT misses bigint, OUT evictions bigint, OUT stats_reset timestamptz)
AS 'MODULE_PATHNAME', 'maskgen_prompt_cache_state' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION "+maskgen".prompt_cache_state() IS 'how full the prompt cache is and what it was good for; read maskgen.maskgen_prompt_cache instead';

CREATE FUNCTION prompt_cache_reset() RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_prompt_cache_reset' LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION prompt_cache_reset() IS 'empty the prompt cache and set its counters to zero';
REVOKE ALL ON FUNCTION prompt_cache_reset() FROM PUBLIC;

CREATE VIEW maskgen_prompt_cache AS
SELECT size, entries, bytes, hits, misses, evictions, stats_reset FROM "+maskgen".prompt_cache_state();
COMMENT ON VIEW maskgen_prompt_cache IS 'beginnings of prompts that all sessions of the server share, in blocks of 32 tokens; size 0: there is no cache';
COMMENT ON COLUMN maskgen_prompt_cache.size IS 'bytes of shared memory; 0: there is no cache';
COMMENT ON COLUMN maskgen_prompt_cache.entries IS 'blocks of 32 tokens in it';
COMMENT ON COLUMN maskgen_prompt_cache.bytes IS 'bytes that they take';
COMMENT ON COLUMN maskgen_prompt_cache.hits IS 'blocks that were not computed again, in all databases';
COMMENT ON COLUMN maskgen_prompt_cache.misses IS 'prompts, or beginnings of several, that went on with a block that was not in it';
COMMENT ON COLUMN maskgen_prompt_cache.evictions IS 'blocks that made room for others';
COMMENT ON COLUMN maskgen_prompt_cache.stats_reset IS 'time since which is counted';

GRANT SELECT ON maskgen_prompt_cache TO PUBLIC;
