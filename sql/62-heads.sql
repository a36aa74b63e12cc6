-- What heads beside the masked one say: classes of texts and pairs, rerankers, entities, replaced tokens; and more of a text than
-- one dense vector. As in 40-task.sql they are IMMUTABLE, for each names its model.

CREATE FUNCTION "+maskgen".task_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'maskgen_task_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION "+maskgen".task_support(internal) IS 'planner support: cost of functions that ask a head';

CREATE FUNCTION maskgen.rerank_score(model text, query text, document text) RETURNS real
AS 'MODULE_PATHNAME', 'maskgen_rerank_score' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION maskgen.rerank_score(text, text, text) IS 'how well a document answers a query, by a cross-encoder: larger is better';

CREATE FUNCTION maskgen.rerank(model text, query text, documents text[], top_k int DEFAULT 0, OUT ordinal int, OUT score real)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_rerank' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10000000 ROWS 10
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION maskgen.rerank(text, text, text[], int) IS 'documents by their place in the array with their scores, best first; top_k 0 means all';

CREATE FUNCTION maskgen.classify_own(model text, input text) RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_classify_own' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION maskgen.classify_own(text, text) IS 'the label that fits a text best, among those that the model was trained for';

CREATE FUNCTION maskgen.classify_own_scores(model text, input text, OUT label text, OUT score real) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_classify_own_scores' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 4
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION maskgen.classify_own_scores(text, text) IS
'probability of each label that the model was trained for, best first; of a regression its numbers';

CREATE FUNCTION maskgen.classify_pair(model text, input text, second text, OUT label text, OUT score real) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_classify_pair' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 4
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION maskgen.classify_pair(text, text, text) IS
'probability of each label that the model was trained for, of a pair of texts (entailment, paraphrase), best first';

CREATE FUNCTION maskgen.entities(model text, input text, OUT entity text, OUT label text, OUT score real, OUT start int, OUT stop int)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_entities' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 5
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION maskgen.entities(text, text) IS
'names and the like in a text: score is a probability, the place substr(input, start, stop - start); long texts are read in windows';

CREATE FUNCTION maskgen.mask_entities(model text, input text, labels text[] DEFAULT '{}', replacement text DEFAULT '[{label}]') RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_mask_entities' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION maskgen.mask_entities(text, text, text[], text) IS
'a text with its entities of these labels, or of all, replaced; {label} stands for the label';

CREATE FUNCTION maskgen.token_anomalies(model text, input text, OUT pos int, OUT token text, OUT start int, OUT stop int, OUT score real)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_token_anomalies' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 30
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION maskgen.token_anomalies(text, text) IS
'tokens of a text with the probability that each does not belong there, by an ELECTRA discriminator';

CREATE FUNCTION maskgen.embed_tokens(model text, input text, prompt text DEFAULT '') RETURNS vector[]
AS 'MODULE_PATHNAME', 'maskgen_embed_tokens' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 200000
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION maskgen.embed_tokens(text, text, text) IS 'a vector of length 1 for each token of a text, special ones included; for max_sim()';

CREATE FUNCTION maskgen.max_sim(query vector[], document vector[]) RETURNS real
AS 'MODULE_PATHNAME', 'maskgen_max_sim' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION maskgen.max_sim(vector[], vector[]) IS
'late interaction: sum over vectors of the query of the largest inner product with one of the document';

CREATE FUNCTION maskgen.embed_sparse(model text, input text) RETURNS sparsevec
AS 'MODULE_PATHNAME', 'maskgen_embed_sparse' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 400000
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION maskgen.embed_sparse(text, text) IS
'learnt sparse vector of a text (SPLADE): a weight for each word of the vocabulary that is in it, written or meant';
