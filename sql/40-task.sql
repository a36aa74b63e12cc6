-- The tasks. Functions that name a model are IMMUTABLE, for a model never
-- changes under its name; those that read a setting are STABLE. COST is in
-- units of cpu_operator_cost (0.0025 of a page read, some 10 ns): a short text
-- is about 2 ms with a small embedder and 50 ms with BERT base. The planner uses it where
-- the support functions do not know: they go by the model's size and the width of the input.

CREATE FUNCTION "+maskgen".embed_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_embed_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION "+maskgen".embed_support(internal) IS 'planner support: cost of embed and its kin';

CREATE FUNCTION "+maskgen".fill_mask_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_fill_mask_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION "+maskgen".fill_mask_support(internal) IS 'planner support: cost and rows of fill_mask';

CREATE FUNCTION "+maskgen".classify_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_classify_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION "+maskgen".classify_support(internal) IS 'planner support: cost and rows of classify and its kin';

CREATE FUNCTION "+maskgen".tokenize_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_tokenize_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION "+maskgen".tokenize_support(internal) IS 'planner support: cost and rows of tokenize and its kin';

CREATE FUNCTION embed(model text, input text, prompt text DEFAULT '', dims int DEFAULT 0,
	normalized boolean DEFAULT true) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_embed' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 200000
SUPPORT "+maskgen".embed_support;
COMMENT ON FUNCTION embed(text, text, text, int, boolean) IS 'vector of a text';

CREATE FUNCTION embed(input text) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_embed_default' LANGUAGE C STRICT STABLE PARALLEL SAFE COST 200000
SUPPORT "+maskgen".embed_support;
COMMENT ON FUNCTION embed(text) IS 'vector of a text, by the model of maskgen.embed_model';

CREATE FUNCTION embed_batch(model text, inputs text[], prompt text DEFAULT '', dims int DEFAULT 0,
	normalized boolean DEFAULT true) RETURNS vector[]
AS 'MODULE_PATHNAME', 'maskgen_embed_batch' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000
SUPPORT "+maskgen".embed_support;
COMMENT ON FUNCTION embed_batch(text, text[], text, int, boolean) IS 'vectors of texts, computed together';

CREATE FUNCTION embed_query(model text, input text, dims int DEFAULT 0) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_embed_query' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 200000
SUPPORT "+maskgen".embed_support;
COMMENT ON FUNCTION embed_query(text, text, int) IS 'vector of a search query, with the model''s own prompt for queries';

CREATE FUNCTION embed_document(model text, input text, dims int DEFAULT 0) RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_embed_document' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 200000
SUPPORT "+maskgen".embed_support;
COMMENT ON FUNCTION embed_document(text, text, int) IS
'vector of a text to be found, with the model''s own prompt for documents';

CREATE FUNCTION fill_mask(model text, input text, top_k int DEFAULT 5, targets text[] DEFAULT '{}',
	OUT mask int, OUT rank int, OUT token_id int, OUT token text, OUT score real, OUT sequence text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_fill_mask' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2000000 ROWS 5
SUPPORT "+maskgen".fill_mask_support;
COMMENT ON FUNCTION fill_mask(text, text, int, text[]) IS 'the likeliest words in place of each [MASK] of a text; score is their probability';

CREATE FUNCTION classify(model text, input text, labels text[], template text DEFAULT '') RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_classify' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2000000
SUPPORT "+maskgen".classify_support;
COMMENT ON FUNCTION classify(text, text, text[], text) IS 'the label that fits a text best, zero-shot';

CREATE FUNCTION classify(input text, labels text[]) RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_classify_default' LANGUAGE C STRICT STABLE PARALLEL SAFE COST 2000000
SUPPORT "+maskgen".classify_support;
COMMENT ON FUNCTION classify(text, text[]) IS
'the label that fits a text best, by the model of maskgen.classify_model';

CREATE FUNCTION classify_scores(model text, input text, labels text[], template text DEFAULT '',
	OUT label text, OUT score real) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_classify_scores' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2000000 ROWS 4
SUPPORT "+maskgen".classify_support;
COMMENT ON FUNCTION classify_scores(text, text, text[], text) IS
'the score of each label for a text, best first: log probability, less what it would be without a text';

-- Not STRICT: the third argument is NULL::some_enum. STABLE, since an enum can get new labels.
CREATE FUNCTION classify_as(model text, input text, labels anyenum, template text DEFAULT '') RETURNS anyenum
AS 'MODULE_PATHNAME', 'maskgen_classify_as' LANGUAGE C STABLE PARALLEL SAFE COST 2000000
SUPPORT "+maskgen".classify_support;
COMMENT ON FUNCTION classify_as(text, text, anyenum, text) IS
'the value of an enum type that fits a text best: classify_as(model, input, NULL::some_enum)';

CREATE FUNCTION tokenize(model text, input text) RETURNS int[]
AS 'MODULE_PATHNAME', 'maskgen_tokenize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500
SUPPORT "+maskgen".tokenize_support;
COMMENT ON FUNCTION tokenize(text, text) IS 'token ids of a text as the model sees it, special tokens included';

CREATE FUNCTION detokenize(model text, ids int[]) RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_detokenize' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION detokenize(text, int[]) IS 'text of token ids; special tokens are left out';

CREATE FUNCTION count_tokens(model text, input text) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_count_tokens' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500
SUPPORT "+maskgen".tokenize_support;
COMMENT ON FUNCTION count_tokens(text, text) IS
'tokens of a text, special tokens included; to be compared with max_tokens of maskgen.maskgen_models';

CREATE FUNCTION tokens(model text, input text, OUT pos int, OUT id int, OUT token text, OUT start int, OUT stop int)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_tokens' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 500 ROWS 30
SUPPORT "+maskgen".tokenize_support;
COMMENT ON FUNCTION tokens(text, text) IS
'tokens of a text with their places: substr(input, start, stop - start); NULL for tokens put around it';
