#!/usr/bin/env bash
# How long after its time a statement ends that is cancelled by statement_timeout, for each long way through maskgen.
#
#   PGHOST=... PGUSER=... bench/cancel.sh MINILM_DIRECTORY
#
# Needs a database with maskgen in which it may create the models cancel_bench and cancel_new. Prints the median and the
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
