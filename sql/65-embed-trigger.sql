-- A NULL among the arguments is an error, and not a trigger that is not made.

ALTER FUNCTION maskgen.create_embed_trigger(regclass, text, text[]) CALLED ON NULL INPUT;
ALTER FUNCTION maskgen.drop_embed_trigger(regclass, text) CALLED ON NULL INPUT;
