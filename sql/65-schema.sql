-- The schemas keep their names, by which a dump restores what is in them.

CREATE FUNCTION "+maskgen".schema_renamed() RETURNS event_trigger
AS 'MODULE_PATHNAME', 'maskgen_schema_renamed' LANGUAGE C;
COMMENT ON FUNCTION "+maskgen".schema_renamed() IS 'event trigger: refuses ALTER SCHEMA ... RENAME of the schemas of the extension';
CREATE EVENT TRIGGER maskgen_schema_renamed ON ddl_command_end WHEN TAG IN ('ALTER SCHEMA') EXECUTE FUNCTION "+maskgen".schema_renamed();
COMMENT ON EVENT TRIGGER maskgen_schema_renamed IS 'keeps the names of the schemas of maskgen, which a dump needs';
