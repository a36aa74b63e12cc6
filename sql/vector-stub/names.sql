
-- What pgvector's types get beside pgvector: casts of embed()'s results, radius, classes of maskgen_hnsw.
DO $$
BEGIN
	EXECUTE pg_catalog.format('SELECT %I.link_pgvector()', (SELECT n.nspname FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
		WHERE x.extname = 'maskgen'));
END $$;
-- bit is nobody's type: its classes here have pgvector's distances, and a radius as link_pgvector() gives the others.
DO $$
DECLARE
	ours pg_catalog.name := (SELECT n.nspname FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'maskgen');
	class record;
BEGIN
	EXECUTE pg_catalog.format('CREATE FUNCTION sphere(bit, float8) RETURNS %1$I.bit_sphere LANGUAGE sql IMMUTABLE PARALLEL SAFE
		BEGIN ATOMIC SELECT ROW($1, $2)::%1$I.bit_sphere; END', ours);
	FOR class IN
		SELECT c.opcname, near.oprname AS near, within.oprname AS within, within.oprcode, within.oprrest, within.oprjoin, p.amproc::pg_catalog.regprocedure AS kind
		FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod AND m.amname = 'maskgen_hnsw'
			JOIN pg_catalog.pg_amop a ON a.amopfamily = c.opcfamily AND a.amopstrategy = 1 JOIN pg_catalog.pg_operator near ON near.oid = a.amopopr
			JOIN pg_catalog.pg_amop b ON b.amopfamily = c.opcfamily AND b.amopstrategy = 2 JOIN pg_catalog.pg_operator within ON within.oid = b.amopopr
			JOIN pg_catalog.pg_amproc p ON p.amprocfamily = c.opcfamily
		WHERE c.opcintype = 'pg_catalog.bit'::pg_catalog.regtype AND c.opcnamespace = pg_catalog.quote_ident(ours)::pg_catalog.regnamespace
	LOOP
		EXECUTE pg_catalog.format('CREATE OPERATOR %s (LEFTARG = bit, RIGHTARG = %I.bit_sphere, FUNCTION = %s, RESTRICT = %s, JOIN = %s)',
			class.within, ours, class.oprcode, class.oprrest, class.oprjoin);
		EXECUTE pg_catalog.format('CREATE OPERATOR CLASS %I FOR TYPE bit USING maskgen_hnsw AS OPERATOR 1 %s (bit, bit) FOR ORDER BY pg_catalog.float_ops,
			OPERATOR 2 %s (bit, %I.bit_sphere), FUNCTION 1 %s', class.opcname, class.near, class.within, ours, class.kind);
	END LOOP;
END $$;

SELECT "+maskgen".name_access_method('hnsw', 'maskgen_hnsw_handler', current_schema()),
	"+maskgen".name_access_method('ivfflat', 'maskgen_ivfflat_handler', current_schema());
