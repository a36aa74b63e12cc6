-- Embedding what a statement has written, in batches, after it.

CREATE FUNCTION embed_statement_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'maskgen_embed_statement_trigger' LANGUAGE C;
COMMENT ON FUNCTION embed_statement_trigger() IS
'trigger: embeds the rows of a statement together; arguments are a model, columns of text, and the column of the vector';

CREATE FUNCTION create_embed_trigger(table_name regclass, model text, VARIADIC columns text[]) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_create_embed_trigger' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION create_embed_trigger(regclass, text, text[]) IS
'embed columns of text into the last-named column after each INSERT, COPY, UPDATE and MERGE';

CREATE FUNCTION drop_embed_trigger(table_name regclass, target text) RETURNS void
AS 'MODULE_PATHNAME', 'maskgen_drop_embed_trigger' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION drop_embed_trigger(regclass, text) IS 'remove what create_embed_trigger made for a column';
