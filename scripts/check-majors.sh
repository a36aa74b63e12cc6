#!/usr/bin/env bash
# Builds maskgen for PostgreSQL 16, 17 and 18 and runs the tests that talk to a server on each; not part of ./check.
#
# usage: scripts/check-majors.sh [MAJOR...]
#
# The servers come out of Python wheels (scripts/majors.sh). The psql of 17 and the pg_regress of 17 and 18 die at once: these and
# pgTAP, which is SQL only, are taken from the distribution's server. Left out are tests that need the real models, other extensions, two
# sessions of pg_isolation_regress, or clusters of their own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/say.sh
source scripts/cluster.sh
source scripts/majors.sh

major_stop()
{
	local status=$?

	trap '' INT TERM
	[[ -z ${run_dir:-} ]] || { cluster_stop "$run_dir" && rm -rf "$run_dir"; }
	exit "$status"
}

# major_replace FROM TO: FROM in place of TO if TO does not run.
major_replace()
{
	"$2" --version > /dev/null 2>&1 || ln -sf "$1" "$2"
}

# Gives the server what it lacks, and prints the pgTAP tests that it can run then.
major_complete()
{
	local from to

	major_replace "$("$distribution" --bindir)/psql" "$("$PG_CONFIG" --bindir)/psql"
	from=$(dirname "$("$distribution" --pgxs)")/../test/regress/pg_regress
	to=$(dirname "$("$PG_CONFIG" --pgxs)")/../test/regress/pg_regress
	major_replace "$from" "$to"
	from=$("$distribution" --sharedir)/extension
	[[ -r $from/pgtap.control ]] || { warn "pgTAP is not installed: its tests are left out"; return; }
	cp "$from"/pgtap* "$("$PG_CONFIG" --sharedir)/extension"
	grep --extended-regexp --files-without-match 'CREATE EXTENSION|MASKGEN_TEST_' test/pgtap/*.sql
}

major_check()
{
	local files

	run_dir=$majors_dir/$1/run
	mapfile -t files < <(major_complete)
	rm -rf "$run_dir"
	cluster_own "$run_dir"
	cluster_make "$run_dir" "shared_preload_libraries = 'maskgen'" "fsync = off" "max_prepared_transactions = 4"
	mkdir "$run_dir/tree"
	cp -r test expected "$run_dir/tree"
	((EUID != 0)) || chown -R "$(cluster_user)" "$run_dir/tree"
	cluster_start "$run_dir"
	if ((${#files[@]} > 0))
	then
		cluster_psql "$run_dir" --dbname=postgres --quiet --command="CREATE DATABASE pgtap_template"
		cluster_psql "$run_dir" --dbname=pgtap_template --quiet \
			--command="CREATE EXTENSION pgtap" --command="CREATE EXTENSION maskgen"
		# The wheels of 16 and 18 have pgvector, too.
		[[ ! -r $("$PG_CONFIG" --sharedir)/extension/vector.control ]] || files+=(test/peer/pgvector.sql)
	fi
	MASKGEN_TEST_DIR=$run_dir prove --exec test/run test/regress.t "${files[@]}"
	cluster_stop "$run_dir"
	rm -rf "$run_dir"
	run_dir=
}

trap major_stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
run_dir=
mkdir -p "$majors_dir"
(($# > 0)) || set -- 16 17 18
for major
do
	step "PostgreSQL $major"
	major_unpack "$major"
	remark "$("$PG_CONFIG" --version)"
	major_build "$major"
	major_check "$major"
done
