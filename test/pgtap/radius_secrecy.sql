-- What the planner expects within a radius tells nothing about rows that a role may not see. Rows that are hidden lie at one
-- place, nothing lies at another: the estimates are the same.
SET search_path = public, maskgen;
SET client_min_messages = warning;
SELECT no_plan();
CREATE ROLE radius_stranger;

CREATE TABLE source AS SELECT i AS id, i % 2 = 0 AS seen, CASE WHEN i % 2 = 0 THEN '[0,0,1]' ELSE '[1,0,0]' END::vector(3) AS e
FROM generate_series(1, 4000) i;

-- Rows that a role expects of a table at the place.
CREATE FUNCTION expected(relation text, place text, role name DEFAULT 'radius_stranger') RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE format('EXPLAIN (FORMAT json) SELECT e FROM %s WHERE e <<->> sphere(%L::vector, 0.1)', relation, place) INTO plan;
	RESET ROLE;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
CREATE FUNCTION tells(relation text, role name DEFAULT 'radius_stranger') RETURNS bool LANGUAGE sql AS
	$$ SELECT expected(relation, '[1,0,0]', role) <> expected(relation, '[0,1,0]', role) $$;

-- Who may see all rows is told, so that the test can fail
CREATE TABLE plain AS TABLE source;
GRANT SELECT ON plain TO radius_stranger;
SELECT ok(tells('plain'), 'a table that may be read');
REVOKE SELECT ON plain FROM radius_stranger;
GRANT SELECT (e) ON plain TO radius_stranger;
SELECT ok(tells('plain'), 'its column that may be read');
CREATE VIEW over_plain AS SELECT * FROM plain WHERE seen;
GRANT SELECT ON over_plain TO radius_stranger;
SELECT ok(tells('over_plain'), 'a view of such a table');
REVOKE SELECT (e) ON plain FROM radius_stranger;
GRANT SELECT (id) ON plain TO radius_stranger;
SELECT ok(NOT tells('over_plain'), 'a view of a column that may not be read');
CREATE VIEW barrier WITH (security_barrier) AS SELECT * FROM plain WHERE seen;
GRANT SELECT ON barrier TO radius_stranger;
GRANT SELECT ON plain TO radius_stranger;
SELECT ok(NOT tells('barrier'), 'a view that is a security barrier');
SELECT ok(NOT tells('(SELECT * FROM barrier OFFSET 0) x'), 'in a subquery');

-- Row security
CREATE TABLE guarded AS TABLE source;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen_only ON guarded USING (seen);
GRANT SELECT ON guarded TO radius_stranger;
SELECT ok(NOT tells('guarded'), 'a table with a policy');
CREATE VIEW over_guarded AS TABLE guarded;
GRANT SELECT ON over_guarded TO radius_stranger;
SELECT ok(NOT tells('over_guarded'), 'a view that reads it as its owner');
CREATE VIEW invoked WITH (security_invoker) AS TABLE guarded;
GRANT SELECT ON invoked TO radius_stranger;
SELECT ok(NOT tells('invoked'), 'a view that reads it as the role');
SELECT ok(tells('guarded', current_user), 'the owner of the table is told');

-- Partitions, and partitions of them: the policy of the table that is named counts
CREATE TABLE root (id int, seen bool, e vector(3)) PARTITION BY RANGE (id);
CREATE TABLE branch PARTITION OF root FOR VALUES FROM (0) TO (10000) PARTITION BY LIST (seen);
CREATE TABLE leaf (e vector(3), unlike text, seen bool, id int);
ALTER TABLE leaf DROP unlike;
ALTER TABLE branch ATTACH PARTITION leaf FOR VALUES IN (true, false);
INSERT INTO root TABLE source;
ANALYZE root;
GRANT SELECT ON root TO radius_stranger;
SELECT ok(tells('root'), 'a partition below one, through the root that may be read');
REVOKE SELECT ON root FROM radius_stranger;
GRANT SELECT (e) ON root TO radius_stranger;
SELECT ok(tells('root'), 'through a column of the root that may be read');
ALTER TABLE root ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen_only ON root USING (seen);
SELECT ok(NOT tells('root'), 'a partition below one, when the root has a policy');
GRANT SELECT ON root, branch, leaf TO radius_stranger;
SELECT ok(NOT tells('root'), 'even where partitions may be read');
SELECT ok(NOT tells('(TABLE root UNION ALL TABLE root) x'), 'in an arm of UNION ALL');
SELECT ok(NOT tells('(SELECT r.e FROM root r, generate_series(1, 2) g) x'), 'in a join');
CREATE VIEW over_root AS TABLE root;
GRANT SELECT ON over_root TO radius_stranger;
SELECT ok(NOT tells('over_root'), 'a view that reads the root as its owner');
CREATE VIEW barrier_of_root WITH (security_barrier) AS SELECT * FROM root WHERE seen;
GRANT SELECT ON barrier_of_root TO radius_stranger;
SELECT ok(NOT tells('barrier_of_root'), 'a barrier over partitions');
SELECT ok(tells('leaf'), 'the partition itself has no policy');

-- Inheritance
CREATE TABLE parent (id int, seen bool, e vector(3));
CREATE TABLE child (note text) INHERITS (parent);
INSERT INTO child TABLE source;
GRANT SELECT ON parent TO radius_stranger;
SELECT ok(tells('parent'), 'a child through a parent that may be read');
ALTER TABLE parent ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen_only ON parent USING (seen);
GRANT SELECT ON child TO radius_stranger;
SELECT ok(NOT tells('parent'), 'and one that has a policy');

DROP OWNED BY radius_stranger;
DROP ROLE radius_stranger;
SELECT * FROM finish();
