-- Memory of sorts of vectors: comparisons fetch them from a TOAST table, all in one memory context.
\set QUIET 1
SET search_path = public, maskgen;
BEGIN;
SELECT plan(2);

CREATE TABLE long AS
SELECT n, array_agg(random()::real)::vector AS v FROM generate_series(1, 2000) n, generate_series(1, 700) i GROUP BY n;
SELECT cmp_ok(pg_relation_size(reltoastrelid), '>', 2000 * 2800::bigint, 'the vectors are out of line')
FROM pg_class WHERE oid = 'long'::regclass;

-- A comparison that kept its copies would hold 200 MB, the sort itself needs less than 1. OFFSET rather than LIMIT,
-- which would make few comparisons; memory is looked at when the first row comes out.
SELECT cmp_ok((SELECT (SELECT sum(total_bytes) FROM pg_backend_memory_contexts) FROM (SELECT v FROM long ORDER BY v) sorted OFFSET 1999),
	'<', 32000000::numeric, 'a sort gives back what it fetched to compare');

SELECT * FROM finish();
ROLLBACK;
