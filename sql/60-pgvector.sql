-- Beside pgvector, or in its place: values of its types are maskgen's, byte for byte.

-- What these two functions make belongs to whoever calls them, not to the extension: a dump has it. They are as old as 0.1.0 and stand here,
-- and not before 60, so that an update takes them whole.

CREATE FUNCTION "+maskgen".maskgen_ivfflat_handler(internal) RETURNS index_am_handler
AS 'MODULE_PATHNAME', 'maskgen_ivfflat_handler' LANGUAGE C;

-- An access method of a name of pgvector's, and classes for it as maskgen_hnsw has them in a schema. Those that pgvector has no default of
-- are none here either: a dump then names them, and can be restored where pgvector is.
CREATE FUNCTION "+maskgen".name_access_method(name name, handler name, schema name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	class record;
	known oid := (SELECT amhandler FROM pg_am a WHERE amname = name_access_method.name);
BEGIN
	IF known IS NULL THEN
		EXECUTE format('CREATE ACCESS METHOD %I TYPE INDEX HANDLER "+maskgen".%I', name, handler);
	ELSIF known <> format('"+maskgen".%I(internal)', handler)::regprocedure THEN
		RAISE EXCEPTION 'access method "%" is that of another extension', name USING ERRCODE = 'duplicate_object';
	END IF;
	FOR class IN
		SELECT c.opcname, c.opcintype::regtype AS type, near.amopopr::regoperator AS near, within.amopopr::regoperator AS within,
			p.amproc::regprocedure AS kind
		FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'maskgen_hnsw'
			JOIN pg_namespace n ON n.oid = c.opcnamespace AND n.nspname = schema
			JOIN pg_amop near ON near.amopfamily = c.opcfamily AND near.amopstrategy = 1
			LEFT JOIN pg_amop within ON within.amopfamily = c.opcfamily AND within.amopstrategy = 2
			JOIN pg_amproc p ON p.amprocfamily = c.opcfamily
		WHERE NOT EXISTS (SELECT FROM pg_opclass x JOIN pg_am y ON y.oid = x.opcmethod AND y.amname = name_access_method.name
			WHERE x.opcname = c.opcname AND x.opcnamespace = c.opcnamespace)
	LOOP
		EXECUTE format('CREATE OPERATOR CLASS %I.%I %s FOR TYPE %s USING %I AS
			OPERATOR 1 %s FOR ORDER BY pg_catalog.float_ops%s, FUNCTION 1 %s', schema, class.opcname,
			CASE WHEN name = 'ivfflat' AND class.opcname = 'vector_l2_ops' THEN 'DEFAULT' END, class.type, name, class.near,
			', OPERATOR 2 ' || class.within, class.kind);
	END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION "+maskgen".name_access_method(name, name, name) FROM PUBLIC;

-- embed() beside pgvector's halfvec: stored by an assignment, compared by operators of the pair, which the planner replaces by pgvector's.
-- An implicit cast would not do: what takes pgvector's vector mostly takes its halfvec as well, and neither would be the better one. For
-- the same reason there are operators for its vector and for two of ours, too.
CREATE FUNCTION "+maskgen".link_pgvector_halfvec(ours name, theirs name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	convert record;
	pair record;
BEGIN
	IF EXISTS (SELECT FROM pg_cast WHERE castsource = to_regtype(format('%I.vector', ours)) AND casttarget = to_regtype(format('%I.halfvec', theirs))) THEN
		RETURN;
	END IF;
	SELECT probin, prosrc INTO STRICT convert FROM pg_proc WHERE oid = (SELECT castfunc FROM pg_cast
		WHERE castsource = to_regtype(format('%I.vector', ours)) AND casttarget = to_regtype(format('%I.halfvec', ours)));
	EXECUTE format('CREATE OR REPLACE FUNCTION %1$I.maskgen_to_halfvec(%2$I.vector, int, boolean) RETURNS %1$I.halfvec
		AS %3$L, %4$L LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE', theirs, ours, convert.probin, convert.prosrc);
	EXECUTE format('CREATE CAST (%2$I.vector AS %1$I.halfvec) WITH FUNCTION %1$I.maskgen_to_halfvec(%2$I.vector, int, boolean) AS ASSIGNMENT',
		theirs, ours);
	FOR pair IN
		SELECT o.operator, 'maskgen_pair_' || o.name AS function, format(l, theirs, ours) AS left, format(r, theirs, ours) AS right,
			format(t, theirs, ours) AS type, CASE WHEN l = r THEN ours ELSE theirs END AS schema
		FROM (VALUES ('<->', 'l2'), ('<#>', 'ip'), ('<=>', 'cosine'), ('<+>', 'l1')) o (operator, name),
			(VALUES ('%1$I.halfvec', '%2$I.vector', '%1$I.halfvec'), ('%2$I.vector', '%1$I.halfvec', '%1$I.halfvec'),
				('%1$I.vector', '%2$I.vector', '%1$I.vector'), ('%2$I.vector', '%1$I.vector', '%1$I.vector'),
				('%2$I.vector', '%2$I.vector', '%2$I.vector')) p (l, r, t)
		WHERE to_regoperator(format('%1$I.%2$s(%1$I.halfvec,%1$I.halfvec)', theirs, o.operator)) IS NOT NULL
	LOOP
		EXECUTE format('CREATE OR REPLACE FUNCTION %I.%I(%s, %s) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
			BEGIN ATOMIC SELECT $1::%5$s OPERATOR(%6$I.%7$s) $2::%5$s; END',
			theirs, pair.function, pair.left, pair.right, pair.type, pair.schema, pair.operator);
		EXECUTE format('CREATE OPERATOR %1$I.%5$s (LEFTARG = %3$s, RIGHTARG = %4$s, FUNCTION = %1$I.%2$I, COMMUTATOR = OPERATOR(%1$I.%5$s))',
			theirs, pair.function, pair.left, pair.right, pair.operator);
	END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION "+maskgen".link_pgvector_halfvec(name, name) FROM PUBLIC;

-- maskgen's types become pgvector's wherever one of those is wanted, so that pgvector's operators and indexes take them; the
-- other way needs an assignment or a cast, for with both ways open no operator would be the better one.
CREATE OR REPLACE FUNCTION link_pgvector() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	theirs name;
	ours name := (SELECT nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE extname = 'maskgen');
	members oid[];
	type name;
	class record;
	foreign_object record;
BEGIN
	SELECT nspname INTO theirs FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE extname = 'vector';
	IF theirs IS NULL THEN
		RAISE EXCEPTION 'extension "vector" is not installed'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CREATE EXTENSION vector first.';
	END IF;
	-- Others may create objects in that schema: theirs are neither taken for pgvector's nor made a part of what follows.
	SELECT array_agg(objid) INTO members FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'vector'
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND d.classid IN ('pg_type'::regclass, 'pg_operator'::regclass);
	SELECT o.name, r.rolname INTO foreign_object
	FROM (SELECT 'function ' || oid::regprocedure, proowner, pronamespace FROM pg_proc WHERE proname = 'sphere' OR proname ~ '_within$' OR proname ~ '^maskgen_(pair|to)_'
		UNION ALL SELECT 'operator ' || oid::regoperator, oprowner, oprnamespace FROM pg_operator
			WHERE oprname IN ('<<->>', '<<#>>', '<<=>>', '<<+>>', '<<~>>', '<<%>>')) o (name, owner, namespace)
		JOIN pg_namespace n ON n.oid = o.namespace AND n.nspname = theirs
		JOIN pg_roles r ON r.oid = o.owner AND NOT r.rolsuper AND r.rolname <> current_user LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION '% belongs to role "%"', foreign_object.name, foreign_object.rolname
			USING ERRCODE = 'invalid_object_definition', DETAIL = 'What is made here would be within its owner''s reach.', HINT = 'Drop it.';
	END IF;
	FOREACH type IN ARRAY ARRAY['vector', 'halfvec', 'sparsevec']::name[]
	LOOP
		-- Before 0.7 there is only the first.
		CONTINUE WHEN (to_regtype(format('%I.%I', theirs, type)) = ANY (members)) IS NOT TRUE;
		CONTINUE WHEN EXISTS (SELECT FROM pg_cast WHERE castsource = to_regtype(format('%I.%I', ours, type))
			AND casttarget = to_regtype(format('%I.%I', theirs, type)));
		EXECUTE format('CREATE CAST (%I.%I AS %I.%2$I) WITHOUT FUNCTION AS IMPLICIT', ours, type, theirs);
		EXECUTE format('CREATE CAST (%I.%I AS %I.%2$I) WITHOUT FUNCTION AS ASSIGNMENT', theirs, type, ours);
		EXECUTE format('CREATE OR REPLACE FUNCTION %1$I.sphere(%1$I.%2$I, float8) RETURNS %3$I.%4$I LANGUAGE sql IMMUTABLE PARALLEL SAFE
			BEGIN ATOMIC SELECT ROW($1::%3$I.%2$I, $2)::%3$I.%4$I; END', theirs, type, ours, type || '_sphere');
	END LOOP;
	IF to_regtype(format('%I.halfvec', theirs)) = ANY (members) THEN
		PERFORM "+maskgen".link_pgvector_halfvec(ours, theirs);
	END IF;
	-- Classes of maskgen_hnsw for pgvector's own columns, under pgvector's names: an index compares bytes, whoever's they are.
	-- "near" is pgvector's operator; "within", the one with a radius, it does not have.
	FOR class IN
		SELECT c.opcname, c.opcdefault, t.typname, near.oprname AS near, within.oprname AS within, within.oprright::regtype AS sphere,
			within.oprrest, within.oprjoin, f.proname, f.probin, f.prosrc, f.procost, p.amproc::regprocedure AS kind
		FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'maskgen_hnsw'
			JOIN pg_namespace n ON n.oid = c.opcnamespace AND n.nspname = ours
			JOIN pg_type t ON t.oid = c.opcintype AND t.typnamespace = n.oid
			JOIN pg_amop a ON a.amopfamily = c.opcfamily AND a.amopstrategy = 1 JOIN pg_operator near ON near.oid = a.amopopr
			JOIN pg_amop b ON b.amopfamily = c.opcfamily AND b.amopstrategy = 2 JOIN pg_operator within ON within.oid = b.amopopr
			JOIN pg_proc f ON f.oid = within.oprcode
			JOIN pg_amproc p ON p.amprocfamily = c.opcfamily
		WHERE to_regoperator(format('%I.%s(%1$I.%3$I,%1$I.%3$I)', theirs, near.oprname, t.typname)) = ANY (members)
			AND NOT EXISTS (SELECT FROM pg_opclass x JOIN pg_namespace y ON y.oid = x.opcnamespace
				WHERE x.opcmethod = m.oid AND x.opcname = c.opcname AND y.nspname = theirs)
	LOOP
		EXECUTE format('CREATE OR REPLACE FUNCTION %1$I.%2$I(%1$I.%3$I, %4$s) RETURNS boolean
			AS %5$L, %6$L LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST %7$s',
			theirs, class.proname, class.typname, class.sphere, class.probin, class.prosrc, class.procost);
		IF to_regoperator(format('%1$I.%2$s(%1$I.%3$I,%4$s)', theirs, class.within, class.typname, class.sphere)) IS NULL THEN
			EXECUTE format('CREATE OPERATOR %1$I.%2$s
				(LEFTARG = %1$I.%3$I, RIGHTARG = %4$s, FUNCTION = %1$I.%5$I, RESTRICT = %6$s, JOIN = %7$s)',
				theirs, class.within, class.typname, class.sphere, class.proname, class.oprrest, class.oprjoin);
		END IF;
		EXECUTE format('CREATE OPERATOR CLASS %I.%I %s FOR TYPE %1$I.%4$I USING maskgen_hnsw AS
			OPERATOR 1 %1$I.%5$s (%1$I.%4$I, %1$I.%4$I) FOR ORDER BY pg_catalog.float_ops,
			OPERATOR 2 %1$I.%6$s (%1$I.%4$I, %7$s), FUNCTION 1 %8$s',
			theirs, class.opcname, CASE WHEN class.opcdefault THEN 'DEFAULT' END, class.typname, class.near, class.within, class.sphere, class.kind);
	END LOOP;
END $$;
COMMENT ON FUNCTION link_pgvector() IS
'casts between the types of pgvector and those of maskgen that change nothing, and classes of maskgen_hnsw and operators with a radius for its types; for superusers';

CREATE OR REPLACE FUNCTION enable_pgvector_names() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ours name := (SELECT nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE extname = 'maskgen');
BEGIN
	IF EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
		RAISE EXCEPTION 'access method "hnsw" is that of extension "vector" in this database'
			USING ERRCODE = 'duplicate_object', HINT = 'Use maskgen_hnsw beside it; link_pgvector() gives that to columns of its types.';
	ELSIF EXISTS (SELECT FROM pg_am WHERE amname = 'hnsw') AND EXISTS (SELECT FROM pg_am WHERE amname = 'ivfflat') THEN
		RAISE EXCEPTION 'access methods "hnsw" and "ivfflat" exist already' USING ERRCODE = 'duplicate_object';
	END IF;
	PERFORM "+maskgen".name_access_method('hnsw', 'maskgen_hnsw_handler', ours);
	PERFORM "+maskgen".name_access_method('ivfflat', 'maskgen_ivfflat_handler', ours);
END $$;
COMMENT ON FUNCTION enable_pgvector_names() IS
'the access method maskgen_hnsw under the names hnsw and ivfflat as well, where pgvector is not installed; for superusers';
