-- Generation. What a text is follows from the arguments, seed included, so the function is IMMUTABLE like other tasks: plans may
-- compute it once, results are cached, and rows may be computed in any order and together. Who wants another text passes another
-- seed. Arguments of -1 stand for what the model's own files say.

CREATE FUNCTION "+maskgen".generate_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_generate_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION "+maskgen".generate_support(internal) IS 'planner support: cost of generate and its kin';

CREATE FUNCTION generate(model text, prompt text, max_tokens int DEFAULT 128, temperature real DEFAULT -1, top_k int DEFAULT -1,
	top_p real DEFAULT -1, min_p real DEFAULT -1, stop text[] DEFAULT '{}', seed bigint DEFAULT 0, options jsonb DEFAULT '{}') RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_generate' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50000000
SUPPORT "+maskgen".generate_support;
COMMENT ON FUNCTION generate(text, text, int, real, int, real, real, text[], bigint, jsonb) IS 'text that a model writes after a prompt';
