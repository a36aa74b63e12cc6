-- maskgen's types and functions once more, in the schema of extension "vector": the fragments 10 to 14 of sql/, and their indexes.
\echo Use "CREATE EXTENSION vector" to load this file. \quit

-- Without maskgen's schema, which has operators of bit of the same names.
SELECT pg_catalog.set_config('search_path', pg_catalog.quote_ident(current_schema()), true);

