-- Distances in SQL beside pgvector's: CPU time of one row, a scan's own time taken off.
--
-- usage: psql -f bench/vectors.sql, as a superuser, in an empty database of a server that has both extensions (those that
-- scripts/check-majors.sh unpacks for 16 and 18 do). Rounds alternate between the two; medians of 5.
\set QUIET 1
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
CREATE EXTENSION vector SCHEMA public;
CREATE EXTENSION maskgen;

-- Seconds that this backend was on a CPU
CREATE FUNCTION cpu() RETURNS float8 LANGUAGE sql VOLATILE AS $$
	SELECT split_part(pg_read_file('/proc/self/schedstat', 0, 1000), ' ', 1)::float8 / 1e9
$$;
CREATE TABLE figure (dims int, type text, operator text, round int, whose text, ns float8);

CREATE PROCEDURE bench(dims int, type text, element text, rows int) LANGUAGE plpgsql AS $$
DECLARE
	whose text;
	operator text;
	start float8;
	used float8;
	repeats int := greatest(1, 20000000 / (rows * (200 + dims / 4)));
	condition text;
BEGIN
	FOREACH whose IN ARRAY ARRAY['public', 'maskgen']
	LOOP
		EXECUTE format('DROP TABLE IF EXISTS t_%s', whose);
		EXECUTE format('CREATE UNLOGGED TABLE t_%s (v %s)', whose, CASE type WHEN 'bit' THEN 'varbit' ELSE whose || '.' || type END);
		EXECUTE format('ALTER TABLE t_%s ALTER v SET STORAGE PLAIN', whose);
		EXECUTE format('INSERT INTO t_%s SELECT %s FROM (SELECT array_agg((%s)::real) AS a FROM generate_series(1, %s) n, generate_series(1, %s) i GROUP BY n) r',
			whose, format(CASE type WHEN 'sparsevec' THEN 'a::public.vector::public.sparsevec::text::%s.sparsevec'
			WHEN 'bit' THEN 'public.binary_quantize(a::public.vector)' ELSE 'a::%s.' || type END, whose), element, rows, dims);
	END LOOP;
	FOREACH operator IN ARRAY CASE type WHEN 'bit' THEN ARRAY['', '<~>', '<%>'] ELSE ARRAY['', '<->', '<#>', '<=>', '<+>'] END
	LOOP
		FOR round IN 0..5
		LOOP
			FOREACH whose IN ARRAY ARRAY['public', 'maskgen']
			LOOP
				condition := CASE operator WHEN '' THEN 'v IS NULL' ELSE format('v OPERATOR(%s.%s) (SELECT v FROM t_%1$s LIMIT 1) < -1e30', whose, operator) END;
				start := cpu();
				FOR i IN 1..repeats
				LOOP
					EXECUTE format('SELECT count(*) FROM t_%s WHERE %s', whose, condition) INTO used;
				END LOOP;
				-- The first round fills caches.
				IF round > 0 THEN
					INSERT INTO figure VALUES (dims, type, operator, round, whose, (cpu() - start) * 1e9 / repeats / rows);
				END IF;
			END LOOP;
		END LOOP;
	END LOOP;
END $$;

CALL bench(384, 'vector', 'random() - 0.5', 5000);
CALL bench(1536, 'vector', 'random() - 0.5', 2000);
CALL bench(384, 'halfvec', 'random() - 0.5', 5000);
CALL bench(1536, 'halfvec', 'random() - 0.5', 2000);
CALL bench(1000, 'sparsevec', 'CASE WHEN random() < 0.05 THEN random() ELSE 0 END', 5000);
CALL bench(1536, 'bit', 'random() - 0.5', 5000);

\set QUIET 0
SELECT o.type, o.dims, o.operator, p.ns - sp.ns AS "pgvector ns", m.ns - sm.ns AS "maskgen ns", round(((p.ns - sp.ns) / (m.ns - sm.ns))::numeric, 2) AS ratio, sm.ns AS "scan ns"
FROM (SELECT DISTINCT type, dims, operator FROM figure WHERE operator <> '') o,
	LATERAL (SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ns)) AS ns FROM figure f WHERE f.type = o.type AND f.dims = o.dims AND f.operator = o.operator AND whose = 'public') p,
	LATERAL (SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ns)) AS ns FROM figure f WHERE f.type = o.type AND f.dims = o.dims AND f.operator = o.operator AND whose = 'maskgen') m,
	LATERAL (SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ns)) AS ns FROM figure f WHERE f.type = o.type AND f.dims = o.dims AND f.operator = '' AND whose = 'public') sp,
	LATERAL (SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ns)) AS ns FROM figure f WHERE f.type = o.type AND f.dims = o.dims AND f.operator = '' AND whose = 'maskgen') sm
ORDER BY o.type DESC, o.dims, o.operator;
