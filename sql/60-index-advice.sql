-- Measuring an index on rows of its own table.

-- Called as the table's owner, by index_recall and index_advice. The same rows each time: where they lie decides, so that figures can be
-- compared. Their nearest rows are looked for by the table once, then by the index with each of efs, until recall is enough; NULL in efs
-- leaves maskgen.ef_search as it is. Rows that tie with the last exact one count as found. The result has for each of efs three
-- numbers: ef_search, recall, milliseconds of a search; NULL when there is no row.
CREATE FUNCTION "+maskgen".index_measured(index regclass, samples int, k int, efs int[], enough float8) RETURNS float8[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = on SET enable_sort = on SET enable_indexscan = on SET jit = off AS $$
DECLARE
	tab regclass; op text; expr text; pred text; value text; q text; sample text[]; farthest float8[]; far float8;
	n bigint; wanted bigint := 0; found bigint; ef int; began timestamptz; measured float8[] := '{}'; plan json;
BEGIN
	-- Samples are handed on as text: the plans of an expression of this function are for one type.
	SELECT i.indrelid, pg_get_indexdef(i.indexrelid, 1, true), coalesce(pg_get_expr(i.indpred, i.indrelid, true), 'true'),
		format('OPERATOR(%I.%s)', ns.nspname, o.oprname), format('$1::%I.%I', tn.nspname, t.typname)
	INTO tab, expr, pred, op, value
	FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam AND m.amname IN ('maskgen_hnsw', 'hnsw', 'ivfflat')
		JOIN pg_opclass oc ON oc.oid = i.indclass[0]
		JOIN pg_amop a ON a.amopfamily = oc.opcfamily AND a.amopstrategy = 1 AND a.amoppurpose = 'o'
		JOIN pg_operator o ON o.oid = a.amopopr JOIN pg_namespace ns ON ns.oid = o.oprnamespace
		JOIN pg_type t ON t.oid = oc.opcintype JOIN pg_namespace tn ON tn.oid = t.typnamespace
	WHERE i.indexrelid = index;
	IF tab IS NULL THEN
		RAISE EXCEPTION '"%" is not a maskgen_hnsw index', index USING ERRCODE = 'wrong_object_type';
	END IF;
	IF samples < 1 OR k < 1 THEN
		RAISE EXCEPTION 'samples and k must be at least 1' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	q := format('SELECT %1$s %2$s (%5$s) AS d FROM ONLY %3$s WHERE (%4$s) AND %1$s IS NOT NULL ORDER BY %1$s %2$s (%5$s) LIMIT $2', expr, op, tab, pred, value);
	EXECUTE format('SELECT array_agg(v) FROM (SELECT (%s)::text AS v FROM ONLY %s WHERE (%s) AND (%1$s) IS NOT NULL ORDER BY hashtid(ctid) LIMIT $1) x',
		expr, tab, pred) INTO sample USING samples;
	SET LOCAL enable_indexscan = off;
	FOR i IN 1 .. coalesce(cardinality(sample), 0) LOOP
		EXECUTE format('SELECT count(*), max(d) FROM (%s) x', q) INTO n, far USING sample[i], k;
		wanted := wanted + n;
		farthest := farthest || far;
	END LOOP;
	IF wanted = 0 THEN
		RETURN NULL;
	END IF;
	SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_indexscan = on;
	FOREACH ef IN ARRAY efs LOOP
		IF ef IS NOT NULL THEN
			PERFORM set_config('maskgen.ef_search', ef::text, true);
		END IF;
		found := 0;
		began := clock_timestamp();
		FOR i IN 1 .. cardinality(sample) LOOP
			EXECUTE format('SELECT count(*) FROM (%s) x WHERE d <= $3', q) INTO n USING sample[i], k, farthest[i];
			found := found + n;
		END LOOP;
		measured := measured || ARRAY[ef, found::float8 / wanted, extract(epoch FROM clock_timestamp() - began) * 1000 / cardinality(sample)]::float8[];
		EXIT WHEN found::float8 / wanted >= enough;
	END LOOP;
	RETURN measured;
END;
$$;
REVOKE EXECUTE ON FUNCTION "+maskgen".index_measured(regclass, int, int, int[], float8) FROM PUBLIC;

CREATE FUNCTION index_advice(index regclass, k int DEFAULT 10, recall float8 DEFAULT 0.95,
	OUT ef_search int, OUT measured float8, OUT ms float8, OUT note text) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'maskgen_index_advice' LANGUAGE C VOLATILE STRICT COST 100000;
COMMENT ON FUNCTION index_advice(regclass, int, float8) IS 'which ef_search reaches a recall, measured on rows of the table; and whether m and quantizer suit them';
