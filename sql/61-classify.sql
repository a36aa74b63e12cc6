-- More of what 40-task.sql has: all labels that apply, scores for fitting, and the state of a mask.

CREATE FUNCTION classify_multi(model text, input text, labels text[], threshold real DEFAULT 0.2, template text DEFAULT '') RETURNS text[]
AS 'MODULE_PATHNAME', 'maskgen_classify_multi' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2000000
SUPPORT "+maskgen".classify_support;
COMMENT ON FUNCTION classify_multi(text, text, text[], real, text) IS
'the labels whose probability among all given ones is at least the threshold, best first';

CREATE FUNCTION label_scores(model text, input text, labels text[], template text DEFAULT '') RETURNS real[]
AS 'MODULE_PATHNAME', 'maskgen_label_scores' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2000000
SUPPORT "+maskgen".classify_support;
COMMENT ON FUNCTION label_scores(text, text, text[], text) IS 'the scores that classify_scores gives, in the order of the labels';

CREATE FUNCTION mask_state(model text, input text, template text DEFAULT '') RETURNS vector
AS 'MODULE_PATHNAME', 'maskgen_mask_state' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 2000000
SUPPORT "+maskgen".embed_support;
COMMENT ON FUNCTION mask_state(text, text, text) IS 'a masked model''s state at the mask of a template with a text in it, for fit_classifier()';
