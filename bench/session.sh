#!/usr/bin/env bash
# What a new connection pays for a model that is resident already: time of its first call against its second, and memory.
#
#   PGHOST=... PGUSER=... bench/session.sh MINILM_DIRECTORY BERT_DIRECTORY
#
# Run on the server's machine as a user who may read /proc/PID/smaps_rollup of its processes (root). Memory is the
# growth of the sum of Pss over all sessions that use BERT, when one more does: the kernel splits the bill for shared
# pages, so one session's own Pss says how many sessions there are, not what it costs.
set -euo pipefail

minilm=${1:?directory of MiniLM} bert=${2:?directory of BERT}
sql=(psql --no-psqlrc --quiet --no-align --tuples-only)
"${sql[@]}" --command="SELECT maskgen.create_model('session_minilm', '$minilm'), maskgen.create_model('session_bert', '$bert')" > /dev/null
trap '"${sql[@]}" --command="SELECT maskgen.drop_model(name) FROM maskgen.maskgen_models WHERE name IN ('"'session_minilm', 'session_bert'"')" > /dev/null' EXIT

# measure NAME STATEMENT-WITH-%: median and largest difference between first and second call, over 15 new connections.
measure()
{
	local name=$1 statement=$2 run

	for run in {1..15}
	do
		printf '\\timing on\n%s\n%s\n' "${statement//%/a $run}" "${statement//%/b $run}" | "${sql[@]}" \
			| sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | paste - -
	done | awk 'NR > 1 { print $1 - $2, $2 }' | sort -n | awk -v name="$name" '
		{ more[NR] = $1; second += $2 }
		END { printf "%-10s first call costs %6.1f ms more (median; largest %.1f) than a second one of %.1f ms\n",
			name, more[int((NR + 1) / 2)], more[NR], second / NR }'
}

labels='{world,sports,business,technology}'
measure embed "SELECT maskgen.embed('session_minilm', 'red shoes %') IS NULL;"
measure fill_mask "SELECT count(*) FROM maskgen.fill_mask('session_bert', 'one [MASK] %');"
measure classify "SELECT maskgen.classify('session_bert', 'the team won the cup %', '$labels');"

# Sessions that stay: each is a coprocess of psql, held open by its input.
held=()
sum=0
for n in 1 2 3 4
do
	coproc session { "${sql[@]}"; }
	printf "SELECT maskgen.classify('session_bert', 'hello', '%s') IS NULL;\nSELECT pg_backend_pid();\n" "$labels" >&"${session[1]}"
	read -r _ <&"${session[0]}"
	read -r pid <&"${session[0]}"
	held+=("$pid")
	eval "exec {keep$n}>&${session[1]}"
	before=$sum
	sum=$(for pid in "${held[@]}"; do awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup"; done | awk '{ s += $1 } END { print s }')
	printf 'session %d: sum of Pss %4d MB, %5.1f MB more\n' "$n" $((sum / 1024)) "$(awk "BEGIN { print ($sum - $before) / 1024 }")"
done 2> /dev/null
kill "$(jobs -p)" 2> /dev/null || true
