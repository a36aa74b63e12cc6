-- Beside pgvector: values of its types are maskgen's, byte for byte.

-- maskgen's types become pgvector's wherever one of those is wanted, so that pgvector's operators and indexes take them; the
-- other way needs an assignment or a cast, for with both ways open no operator would be the better one.
CREATE FUNCTION link_pgvector() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	theirs name;
	ours name := '@extschema@';
	type name;
BEGIN
	SELECT nspname INTO theirs FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE extname = 'vector';
	IF theirs IS NULL THEN
		RAISE EXCEPTION 'extension "vector" is not installed'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CREATE EXTENSION vector first.';
	END IF;
	FOREACH type IN ARRAY ARRAY['vector', 'halfvec', 'sparsevec']::name[]
	LOOP
		-- Before 0.7 there is only the first.
		CONTINUE WHEN to_regtype(format('%I.%I', theirs, type)) IS NULL;
		CONTINUE WHEN EXISTS (SELECT FROM pg_cast WHERE castsource = to_regtype(format('%I.%I', ours, type))
			AND casttarget = to_regtype(format('%I.%I', theirs, type)));
		EXECUTE format('CREATE CAST (%I.%I AS %I.%2$I) WITHOUT FUNCTION AS IMPLICIT', ours, type, theirs);
		EXECUTE format('CREATE CAST (%I.%I AS %I.%2$I) WITHOUT FUNCTION AS ASSIGNMENT', theirs, type, ours);
	END LOOP;
END $$;
COMMENT ON FUNCTION link_pgvector() IS 'casts between the types of pgvector and those of maskgen that change nothing; for superusers';
