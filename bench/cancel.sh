#!/usr/bin/env bash
# How long after its time a statement ends that is cancelled by statement_timeout, for each long way through maskgen.
#
#   PGHOST=... PGUSER=... bench/cancel.sh MINILM_DIRECTORY
#
# Needs a database with maskgen in which it may create the models cancel_bench and cancel_new and the table cancel_rows. Prints the median and the
# largest delay of 9 runs in ms; psql's own time and the machine's noise are in them.
set -euo pipefail

minilm=${1:?directory of MiniLM}
sql=(psql --no-psqlrc --quiet --no-align --tuples-only)
"${sql[@]}" --command="SELECT maskgen.create_model('cancel_bench', '$minilm')" > /dev/null
trap '"${sql[@]}" --command="SELECT maskgen.drop_model('"'cancel_bench'"')"' EXIT

measure()
{
	local name=$1 settings=$2 statement=$3 run

	for run in {1..9}
	do
		"${sql[@]}" 2> /dev/null << END | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -1
SELECT maskgen.embed('cancel_bench', 'warm up') IS NULL;
$settings
SET statement_timeout = $((290 + run * 7));
\timing on
$statement
END
		printf '%s\n' "$((290 + run * 7))"
	done | paste - - | awk -v name="$name" '{ print $1 - $2 }' | sort -n | awk -v name="$name" '
		{ delay[NR] = $1 }
		END { printf "%-28s median %6.1f ms   largest %6.1f ms\n", name, delay[int((NR + 1) / 2)], delay[NR] }'
}

long="SELECT count(maskgen.embed('cancel_bench', repeat('one two three ', 100) || i)) FROM generate_series(1, 1000000) i;"
measure "embed" "" "$long"
measure "embed, scalar kernels" "SET maskgen.cpu = scalar;" "$long"
measure "embed, 2 threads" "SET maskgen.threads = 2;" "$long"
measure "embed_batch" "" "SELECT maskgen.embed_batch('cancel_bench', array_agg(repeat('word ', 200) || i)) FROM generate_series(1, 20000) i;"
measure "count_tokens of 58 MB" "" "SELECT maskgen.count_tokens('cancel_bench', repeat('antidisestablishmentarianism ', 2000000));"
measure "create_model" "" "SELECT maskgen.create_model('cancel_new', '$minilm');"
measure "load_model" "" "DO \$\$ BEGIN LOOP PERFORM maskgen.unload_model('cancel_bench'); PERFORM maskgen.load_model('cancel_bench'); END LOOP; END \$\$;"

# The index. 60 000 x 384 take seconds to build, and scans that find nothing walk through all of it.
trap '"${sql[@]}" --command="DROP TABLE IF EXISTS cancel_rows" --command="SELECT maskgen.drop_model('"'cancel_bench'"')"' EXIT
"${sql[@]}" << 'END'
CREATE TABLE cancel_rows AS
SELECT i AS id, (SELECT array_agg(random() + (i % 50 = j % 50)::int) FROM generate_series(1, 384) j WHERE i > 0)::maskgen.vector(384) AS v
FROM generate_series(1, 60000) i;
ALTER TABLE cancel_rows ALTER v TYPE maskgen.vector(384);
END
build="CREATE INDEX cancel_index ON cancel_rows USING maskgen_hnsw (v maskgen.vector_l2_ops);"
measure "index build" "SET max_parallel_maintenance_workers = 0;" "$build"
measure "index build, 2 processes" "SET max_parallel_maintenance_workers = 1;" "$build"
measure "index build, 1 MB of memory" "SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = '1MB';" "$build"
"${sql[@]}" --command="$build"
near="(SELECT v FROM cancel_rows WHERE id = 1)"
endless="SET enable_seqscan = off; SET enable_sort = off; SET work_mem = '1GB'; SET maskgen.max_scan_tuples = 2147483647;"
measure "scan that finds nothing" "$endless" \
	"SELECT id FROM cancel_rows, generate_series(1, 1000) WHERE id < 0 AND v IS NOT NULL ORDER BY v OPERATOR(maskgen.<->) $near LIMIT 1;
DO \$\$ DECLARE q maskgen.vector := $near; BEGIN LOOP PERFORM id FROM cancel_rows WHERE id < 0 ORDER BY v OPERATOR(maskgen.<->) q LIMIT 1; END LOOP; END \$\$;"
measure "index_check" "" "DO \$\$ BEGIN LOOP PERFORM maskgen.index_check('cancel_index'); END LOOP; END \$\$;"
measure "index_recall" "" "SELECT maskgen.index_recall('cancel_index', 1000, 10);"
measure "inserts" "" "INSERT INTO cancel_rows SELECT -id, v FROM cancel_rows;"
measure "vacuum" "DELETE FROM cancel_rows WHERE random() < 0.2;" "VACUUM cancel_rows;"
"${sql[@]}" --command="SELECT count(*) || ' violations afterwards' FROM maskgen.index_check('cancel_index')"
