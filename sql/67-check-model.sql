-- What create_model would make of files.

CREATE FUNCTION maskgen.check_model(path text, options jsonb DEFAULT '{}', OUT item text, OUT value text) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_check_model' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE ROWS 12;
COMMENT ON FUNCTION maskgen.check_model(text, jsonb) IS
'what create_model would make of a directory or GGUF file: architecture, tasks, what is ignored, bytes; it refuses what create_model refuses';
