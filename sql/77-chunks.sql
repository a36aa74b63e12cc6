-- Long texts in pieces.

CREATE FUNCTION sentences(input text, OUT seq int, OUT sentence text, OUT start int, OUT stop int) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_sentences' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION sentences(text) IS 'sentences of a text; characters [start, stop), counted from 1';

CREATE FUNCTION chunks(model text, input text, max_tokens int DEFAULT 0, overlap int DEFAULT 0, OUT seq int, OUT chunk text, OUT start int, OUT stop int)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_chunks' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION chunks(text, text, int, int) IS
'whole sentences of a text, as many as a model takes at once, or max_tokens with those that it puts around; each chunk begins with up to overlap tokens of the one before';
