-- Questions with written-out choices, which a model answers by a letter.

-- Batches have texts for inputs: so a question and its choices become one, and choose() is inlined.
CREATE FUNCTION "+maskgen".question(question text, choices text[]) RETURNS text
AS 'MODULE_PATHNAME', 'maskgen_question' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION "+maskgen".question(text, text[]) IS 'a question and its choices as one text';

CREATE FUNCTION "+maskgen".choose(model text, input text, template text, rotations int) RETURNS int
AS 'MODULE_PATHNAME', 'maskgen_choose' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION "+maskgen".choose(text, text, text, int) IS 'what choose() becomes';

CREATE FUNCTION "+maskgen".choose_array(model text, input text, template text, rotations int) RETURNS real[]
AS 'MODULE_PATHNAME', 'maskgen_choose_array' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1000000
SUPPORT "+maskgen".task_support;
COMMENT ON FUNCTION "+maskgen".choose_array(text, text, text, int) IS 'what choose_scores() asks';

CREATE FUNCTION maskgen.choose(model text, question text, choices text[], template text DEFAULT '', rotations int DEFAULT 1) RETURNS int
LANGUAGE sql STRICT IMMUTABLE PARALLEL SAFE COST 1000000
RETURN "+maskgen".choose(model, "+maskgen".question(question, choices), template, rotations);
COMMENT ON FUNCTION maskgen.choose(text, text, text[], text, int) IS 'the number of the choice that answers a question, from 1';

CREATE FUNCTION maskgen.choose_scores(model text, question text, choices text[], template text DEFAULT '', rotations int DEFAULT 1,
	OUT choice int, OUT score real) RETURNS SETOF record
LANGUAGE sql STRICT IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 4
BEGIN ATOMIC
	SELECT number::int, value
	FROM unnest("+maskgen".choose_array(model, "+maskgen".question(question, choices), template, rotations)) WITH ORDINALITY AS scores(value, number)
	ORDER BY value DESC, number;
END;
COMMENT ON FUNCTION maskgen.choose_scores(text, text, text[], text, int) IS 'log probability of each choice of a question, best first';
