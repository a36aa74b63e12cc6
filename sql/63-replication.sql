-- The table of models and logical replication: a publication FOR ALL TABLES has it, and a subscriber keeps models of its own.

CREATE FUNCTION "+maskgen".model_of_publisher() RETURNS trigger
AS 'MODULE_PATHNAME', 'maskgen_model_of_publisher' LANGUAGE C;
COMMENT ON FUNCTION "+maskgen".model_of_publisher() IS 'trigger: leaves out what logical replication would change of the models here';
CREATE TRIGGER of_publisher BEFORE INSERT OR UPDATE OR DELETE ON "+maskgen".model
FOR EACH ROW EXECUTE FUNCTION "+maskgen".model_of_publisher();
ALTER TABLE "+maskgen".model ENABLE REPLICA TRIGGER of_publisher;
-- Who restores with session_replication_role = replica changes models like anybody else.
ALTER TABLE "+maskgen".model ENABLE ALWAYS TRIGGER changed;
ALTER TABLE "+maskgen".model ENABLE ALWAYS TRIGGER restored;
