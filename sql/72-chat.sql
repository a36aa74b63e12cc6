-- Chats, answers piece by piece and by the dozen, and how likely a decoder finds a text. As with generate() what comes out follows from the
-- arguments alone, seed included.

CREATE FUNCTION chat_prompt(model text, messages jsonb, options jsonb DEFAULT '{}') RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_chat_prompt' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION chat_prompt(text, jsonb, jsonb) IS 'the prompt that a model''s own template makes of messages';

-- Batches have texts for inputs: so messages become one, and chat() is inlined.
CREATE FUNCTION "+maskgen".chat(model text, prompt text, max_tokens int, temperature real, top_k int, top_p real, min_p real, stop text[],
	seed bigint, options jsonb) RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_chat' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50000000
SUPPORT "+maskgen".generate_support;
COMMENT ON FUNCTION "+maskgen".chat(text, text, int, real, int, real, real, text[], bigint, jsonb) IS 'what chat() becomes';

CREATE FUNCTION chat(model text, messages jsonb, max_tokens int DEFAULT 128, temperature real DEFAULT -1, top_k int DEFAULT -1,
	top_p real DEFAULT -1, min_p real DEFAULT -1, stop text[] DEFAULT '{}', seed bigint DEFAULT 0, options jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql STRICT IMMUTABLE PARALLEL SAFE COST 50000000
RETURN "+maskgen".chat(model, messages::text, max_tokens, temperature, top_k, top_p, min_p, stop, seed, options);
COMMENT ON FUNCTION chat(text, jsonb, int, real, int, real, real, text[], bigint, jsonb) IS 'the next message of a chat';

CREATE FUNCTION generate_stream(model text, prompt text, max_tokens int DEFAULT 128, temperature real DEFAULT -1, top_k int DEFAULT -1,
	top_p real DEFAULT -1, min_p real DEFAULT -1, stop text[] DEFAULT '{}', seed bigint DEFAULT 0, options jsonb DEFAULT '{}') RETURNS SETOF text
AS 'MODULE_PATHNAME', 'maskgen_generate_stream' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 50000000 ROWS 100;
COMMENT ON FUNCTION generate_stream(text, text, int, real, int, real, real, text[], bigint, jsonb) IS
'pieces of the text that follows a prompt, each when it is there if the call stands in a select list';

CREATE FUNCTION generate_samples(model text, prompt text, max_tokens int DEFAULT 128, temperature real DEFAULT -1, top_k int DEFAULT -1,
	top_p real DEFAULT -1, min_p real DEFAULT -1, stop text[] DEFAULT '{}', seed bigint DEFAULT 0, options jsonb DEFAULT '{}', n int DEFAULT 4,
	OUT sample int, OUT text text, OUT score real) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_generate_samples' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 100000000 ROWS 4;
COMMENT ON FUNCTION generate_samples(text, text, int, real, int, real, real, text[], bigint, jsonb, int) IS
'texts that may follow a prompt, each with the log probability of its tokens';

CREATE FUNCTION logprob(model text, prompt text, continuation text) RETURNS real
AS 'MODULE_PATHNAME', 'maskgen_logprob' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION logprob(text, text, text) IS 'log probability of a text behind a prompt, in nats';

CREATE FUNCTION perplexity(model text, input text) RETURNS real
AS 'MODULE_PATHNAME', 'maskgen_perplexity' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION perplexity(text, text) IS 'how unlikely a decoder finds a text, averaged over its tokens: smaller is likelier';

CREATE FUNCTION token_logprobs(model text, input text, OUT pos int, OUT token_id int, OUT token text, OUT logprob real) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_token_logprobs' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 30;
COMMENT ON FUNCTION token_logprobs(text, text) IS 'log probability of each token of a text after those before it; of the first one NULL if nothing is before it';
