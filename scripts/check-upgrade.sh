#!/usr/bin/env bash
# Takes a cluster with models, vectors, indexes and triggers from one major to a later one with pg_upgrade, and
# compares what it answers before and after; not part of ./check.
#
# usage: scripts/check-upgrade.sh [FROM [TO]]      16 and 18 by default
#
# The distribution's major is the distribution's server, with maskgen as it is installed there; scripts/majors.sh tells where others
# come from. pg_upgrade wants minor releases of the same age: PostgreSQL 15.20 writes an option pg_attver for columns that 16.14 refuses.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/say.sh
source scripts/cluster.sh
source scripts/majors.sh

from=${1:-16} to=${2:-18}

# upgrade_server MAJOR: sets PG_CONFIG to a server with maskgen.
upgrade_server()
{
	if [[ $("$distribution" --version) == "PostgreSQL $1."* ]]
	then
		export PG_CONFIG=$distribution
	else
		major_unpack "$1"
		major_build "$1"
	fi
}

upgrade_stop()
{
	local status=$?

	trap '' INT TERM
	[[ -z ${old_dir:-} ]] || { PG_CONFIG=$old_config cluster_stop "$old_dir" && rm -rf "$old_dir"; }
	[[ -z ${new_dir:-} ]] || { PG_CONFIG=$new_config cluster_stop "$new_dir" && rm -rf "$new_dir"; }
	exit "$status"
}

upgrade_fill()
{
	cluster_psql "$1" --dbname=app --quiet --set=dir="$1/model" << 'END'
CREATE EXTENSION maskgen;
CREATE ROLE friend;
SELECT maskgen.create_model('m', :'dir') AS digest \gset
SELECT maskgen.grant_model('m', 'friend') \g /dev/null
CREATE TABLE doc (id int PRIMARY KEY, body text, e maskgen.vector(32), h maskgen.halfvec(3), s maskgen.sparsevec(5), b bit(8),
	g maskgen.vector(32) GENERATED ALWAYS AS (maskgen.embed_document('m', body)) STORED);
SELECT maskgen.create_embed_trigger('doc', 'm', 'body', 'e') \g /dev/null
INSERT INTO doc (id, body, h, s, b)
	SELECT i, 'text ' || i, ARRAY[i, i % 7, 1]::real[]::maskgen.halfvec, ('{1:' || i || ',3:2}/5')::maskgen.sparsevec, (i % 256)::bit(8)
	FROM generate_series(1, 300) i;
CREATE INDEX doc_e ON doc USING maskgen_hnsw (e maskgen.vector_cosine_ops);
CREATE INDEX doc_h ON doc USING maskgen_hnsw (h maskgen.halfvec_l2_ops);
CREATE INDEX doc_s ON doc USING maskgen_hnsw (s maskgen.sparsevec_l2_ops);
CREATE INDEX doc_b ON doc USING maskgen_hnsw (b maskgen.bit_hamming_ops);
CREATE INDEX doc_label ON doc (maskgen.count_tokens('m', body));
END
}

# What an application would ask; the same text before and after.
upgrade_ask()
{
	cluster_psql "$1" --dbname=app --quiet --no-align --tuples-only << 'END'
SET search_path = public, maskgen;
SET enable_seqscan = off;
SELECT md5(string_agg(d::text, ';' ORDER BY id)) FROM doc d;
SELECT embed('m', 'red shoes');
SELECT array_agg(id) FROM (SELECT id FROM doc ORDER BY e <=> embed('m', 'text 17') LIMIT 5) x;
SELECT array_agg(id) FROM (SELECT id FROM doc ORDER BY h <-> '[17,3,1]' LIMIT 5) x;
SELECT array_agg(id) FROM (SELECT id FROM doc ORDER BY s <-> '{1:17,3:2}/5' LIMIT 5) x;
SELECT count(*) FROM doc WHERE b <<~>> sphere(17::bit(8), 1);
SELECT index_check('doc_e'), index_check('doc_h'), index_check('doc_s'), index_check('doc_b');
SELECT count(*) FROM doc WHERE count_tokens('m', body) > 3;
SET ROLE friend;
SELECT vector_dims(embed('m', 'a grant holds'));
END
}

# The sequence of ids, the trigger and the indexes go on.
upgrade_write()
{
	cluster_psql "$1" --dbname=app --quiet --no-align --tuples-only --set=dir="$1/model" << 'END'
SET search_path = public, maskgen;
SELECT create_model('second', :'dir') AS digest \gset
INSERT INTO doc (id, body, h) VALUES (1000, 'a new row', '[9,9,9]');
SELECT e = embed_document('m', 'a new row') AND e = g FROM doc WHERE id = 1000;
SET enable_seqscan = off;
SELECT id FROM doc ORDER BY e <=> embed('m', 'a new row') LIMIT 1;
SELECT id FROM doc ORDER BY h <-> '[9,9,9]' LIMIT 1;
END
}

upgrade_cluster()
{
	local settings=("shared_preload_libraries = 'maskgen'" "fsync = off")

	cluster_own "$1"
	cluster_make "$1" "${settings[@]}"
	cp -rL test/golden/tiny/bert-embed-mean "$1/model"
	((EUID != 0)) || chown -R "$(cluster_user)" "$1/model"
}

trap upgrade_stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
old_dir='' new_dir=''
mkdir -p "$majors_dir"
step "PostgreSQL $to"
upgrade_server "$to"
new_config=$PG_CONFIG
step "PostgreSQL $from"
upgrade_server "$from"
old_config=$PG_CONFIG
step "A cluster of $("$PG_CONFIG" --version)"
old_dir=$majors_dir/old
rm -rf "$old_dir"
upgrade_cluster "$old_dir"
cluster_start "$old_dir"
cluster_psql "$old_dir" --dbname=postgres --quiet --command="CREATE DATABASE app"
upgrade_fill "$old_dir"
before=$(upgrade_ask "$old_dir")
cluster_stop "$old_dir"
# Since 18 new clusters have checksums, and pg_upgrade wants the same of both.
((to < 18 || from >= 18)) || (cd "$old_dir" && as_cluster_user "$(cluster_program pg_checksums)" --enable -D data > checksums.log)
step "pg_upgrade to $("$new_config" --version)"
export PG_CONFIG=$new_config
new_dir=$majors_dir/new
rm -rf "$new_dir"
upgrade_cluster "$new_dir"
(
	cd "$new_dir"
	as_cluster_user "$(cluster_program pg_upgrade)" --old-bindir="$("$old_config" --bindir)" --new-bindir="$("$PG_CONFIG" --bindir)" \
		--old-datadir="$old_dir/data" --new-datadir="$new_dir/data" --socketdir="$new_dir/socket" --username=postgres \
		--old-options="-c unix_socket_directories=$new_dir/socket" > upgrade.log 2>&1 || {
			tail -n 20 upgrade.log >&2
			find data/pg_upgrade_output.d -name '*.log' -exec sh -c 'grep -h -A3 "error:" "$@" >&2' sh {} +
			die "pg_upgrade failed"
		}
)
cluster_start "$new_dir"
after=$(upgrade_ask "$new_dir")
[[ $before == "$after" ]] || { diff <(printf '%s\n' "$before") <(printf '%s\n' "$after") >&2; die "answers differ after the upgrade"; }
remark "$(wc -l <<< "$after") answers are the same"
written=$(upgrade_write "$new_dir" | tr '\n' ' ')
[[ $written == "t 1000 1000 " ]] || die "rows written after the upgrade are wrong: $written"
remark "rows written afterwards are embedded, indexed and found"
