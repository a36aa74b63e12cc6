-- Searches of a foreign table: what postgres_fdw sends, with the settings and the form that docs/recipes.md names.
SET client_min_messages = warning;
SET search_path = public, maskgen;
SELECT no_plan();
CREATE EXTENSION postgres_fdw;
SELECT format('host %L, dbname %L, port %L', split_part(current_setting('unix_socket_directories'), ',', 1), current_database(), current_setting('port')) AS here \gset
CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (:here, extensions 'maskgen', use_remote_estimate 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER here OPTIONS (user 'postgres');
CREATE TABLE far (id int PRIMARY KEY, v vector(3));
INSERT INTO far SELECT i, ARRAY[i, i % 7, 1]::vector FROM generate_series(1, 500) i;
CREATE INDEX ON far USING maskgen_hnsw (v vector_l2_ops);
ANALYZE far;
CREATE FOREIGN TABLE near (id int, v vector(3)) SERVER here OPTIONS (table_name 'far');

CREATE FUNCTION sent(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || statement LOOP
		IF line ~ 'Remote SQL:' THEN
			RETURN line;
		END IF;
	END LOOP;
END $$;
SELECT matches(sent($$SELECT id FROM near ORDER BY v <-> '[7,0,1]' LIMIT 5$$), 'ORDER BY \(v OPERATOR\(maskgen.<->\) .* LIMIT 5', 'order and LIMIT are sent');
SELECT is(array_agg(id), '{7,8,9}', 'and answered') FROM (SELECT id FROM near ORDER BY v <-> '[7.1,0,1]' LIMIT 3) x;
SELECT matches(sent($$SELECT id FROM near WHERE v <<->> sphere('[7,0,1]'::vector, 2)$$), 'WHERE .*<<->>', 'a radius of constants is sent');
SET plan_cache_mode = force_generic_plan;
PREPARE inlined(vector) AS SELECT id FROM near WHERE v <<->> sphere($1, 2);
PREPARE apart(vector) AS SELECT id FROM near WHERE v <<->> (SELECT sphere($1, 2));
SELECT doesnt_match(sent($$EXECUTE inlined('[7,0,1]')$$), '<<->>', 'one of a parameter is a row, which is not');
SELECT matches(sent($$EXECUTE apart('[7,0,1]')$$), 'WHERE .*<<->>.*\$1', 'in a subquery it is computed here, and sent');
CREATE TABLE found AS EXECUTE apart('[7,0,1]');
SELECT is((SELECT array_agg(id ORDER BY id) FROM found), (SELECT array_agg(id ORDER BY id) FROM far WHERE v <-> '[7,0,1]' <= 2), 'and answered, too');
SELECT * FROM finish();
