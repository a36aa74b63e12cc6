-- What CREATE EXTENSION maskgen runs: the fragments sql/NN-*.sql, one after another.
\echo Use "CREATE EXTENSION maskgen" to load this file. \quit

-- Two schemas. What is documented is in maskgen, for a search_path. All else is in "+maskgen": tables, functions behind types,
-- operators and views. Only the owner of the database needs to look into that one.
--
-- Why that name: pg_dump writes the rows of tables in the order of their schemas' bytes, and '+' comes before letters,
-- digits and '_'. So models are restored before the rows of tables that need one while they are loaded.

-- Who can put functions into a schema can shadow those that this script means. Names are qualified until that is ruled out.
DO $$
DECLARE
	path text := pg_catalog.current_setting('search_path');
	owner text;
BEGIN
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	IF EXISTS (SELECT FROM pg_namespace WHERE nspname = '+maskgen') THEN
		RAISE EXCEPTION 'schema "+maskgen" exists already' USING ERRCODE = 'duplicate_schema',
			DETAIL = 'Extension "maskgen" makes that schema itself, for its tables.', HINT = 'Drop or rename that schema.';
	END IF;
	SELECT pg_get_userbyid(n.nspowner) INTO owner FROM pg_namespace n LEFT JOIN pg_roles r ON r.oid = n.nspowner
	WHERE n.nspname = 'maskgen' AND r.rolname <> current_user AND NOT r.rolsuper;
	IF FOUND THEN
		RAISE EXCEPTION 'schema "maskgen" belongs to role "%"', owner USING ERRCODE = 'invalid_schema_definition',
			DETAIL = 'Whoever owns the schema of an extension can put functions of their own into it.',
			HINT = 'Drop or rename that schema: CREATE EXTENSION makes it.';
	ELSIF EXISTS (SELECT FROM pg_namespace n, aclexplode(n.nspacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
		WHERE n.nspname = 'maskgen' AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner AND r.rolsuper IS NOT TRUE) THEN
		RAISE EXCEPTION 'others than its owner can create objects in schema "maskgen"' USING ERRCODE = 'invalid_schema_definition',
			HINT = 'Revoke CREATE on that schema, or drop or rename it: CREATE EXTENSION makes it.';
	ELSIF EXISTS (SELECT FROM pg_depend d JOIN pg_namespace n ON n.oid = d.refobjid
		WHERE n.nspname = 'maskgen' AND d.refclassid = 'pg_namespace'::regclass AND d.classid <> 'pg_extension'::regclass) THEN
		RAISE EXCEPTION 'schema "maskgen" is not empty' USING ERRCODE = 'invalid_schema_definition',
			DETAIL = 'It holds objects that do not belong to extension "maskgen".',
			HINT = 'Drop or rename that schema: CREATE EXTENSION makes it.';
	END IF;
	PERFORM pg_catalog.set_config('search_path', path, true);
END $$;

CREATE SCHEMA "+maskgen";
COMMENT ON SCHEMA "+maskgen" IS 'tables and functions of extension maskgen that are not for use; the name puts models first in dumps';

-- Who may use which model is a matter of grant_model(), not of the schema.
GRANT USAGE ON SCHEMA maskgen TO PUBLIC;
-- The owner of a database dumps and restores it.
GRANT USAGE ON SCHEMA "+maskgen" TO pg_database_owner;
