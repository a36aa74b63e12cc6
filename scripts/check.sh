# What ./check does: sets everything up, then one prove over all tests. test/README.md tells about the tests.
# shellcheck shell=bash disable=SC2154 # the files sourced before this one set what is not assigned here

check_usage()
{
	cat << 'END'
usage: ./check             sets up what is missing and runs all tests
       ./check FILE...     the same for some test files only, for example test/pgtap/embed.sql

environment:
  MASKGEN_CACHE           where the downloaded models are kept
  PG_CONFIG               the server to use instead of the distribution's
  MASKGEN_SKIP_PACKAGES   set: install no packages
  MASKGEN_TEST_LOGS       a directory to keep what the servers of the tests said
  TEMP_CONFIG             a file of settings for all clusters of the tests, readable for the cluster's user
  PROVE_OPTIONS           more options for prove, for example --verbose
END
}

# Every test there is. A unit test is listed by its source: one that was not built is a failure.
check_files()
{
	local file

	printf '%s\n' test/layers.t test/clang.t test/exports.t
	for file in test/unit/*/*.c
	do
		file=${file#test/unit/}
		printf '%s\n' "build/unit/${file%.c}.t" "build-sanitize/unit/${file%.c}.t"
	done
	printf '%s\n' test/fuzz.t test/regress.t test/isolation.t
	for file in test/pgtap/*.sql test/tap/*.t
	do
		printf '%s\n' "$file"
	done
}

check_end()
{
	local status=$?

	trap '' INT TERM
	[[ -z ${check_dir:-} ]] || { cluster_stop "$check_dir" && check_keep_logs && rm -rf "$check_dir"; }
	exit "$status"
}

check_keep_logs()
{
	[[ -n ${MASKGEN_TEST_LOGS:-} ]] || return 0
	mkdir -p "$MASKGEN_TEST_LOGS"
	cp "$check_dir/log" "$MASKGEN_TEST_LOGS/cluster.log"
	[[ ! -d $check_dir/tree/tmp_check/log ]] || cp -r "$check_dir/tree/tmp_check/log/." "$MASKGEN_TEST_LOGS"
}

# check_needs_tests FILE...: one of them is a program to build, or calls such programs.
check_needs_tests()
{
	local file

	for file
	do
		[[ $file != build* && $file != test/fuzz.t ]] || return 0
	done
	return 1
}

# The working directory of everything that talks to a server: its user may not be able to read this one.
#
#   tree/        test/, expected/, scripts/, sql/ and what documents, owned by the cluster's user
#   data/ ...    the cluster; durability is of no use here, and a snapshot of autovacuum's would make plans and what is dead a matter of chance
check_cluster()
{
	step "Cluster of the tests"
	check_dir=$(mktemp -d /tmp/maskgen-check.XXXXXX)
	cluster_own "$check_dir"
	cluster_make "$check_dir" "shared_preload_libraries = 'maskgen'" "jit = off" "fsync = off" "full_page_writes = off" \
		"max_wal_size = 4GB" "max_prepared_transactions = 4" "autovacuum = off" "maskgen.embed_worker_nice = 0"
	# PostgreSQL's test modules know this variable: the clusters of test/tap find the same settings by themselves.
	[[ -z ${TEMP_CONFIG:-} ]] || cat "$TEMP_CONFIG" >> "$check_dir/data/postgresql.conf"
	mkdir "$check_dir/tree"
	cp -r test scripts docs examples README.md Makefile sql maskgen.control "$check_dir/tree"
	[[ ! -d expected ]] || cp -r expected "$check_dir/tree"
	((EUID != 0)) || chown -R "$(cluster_user)" "$check_dir/tree"
	MASKGEN_TEST_MINILM=$(cluster_lend "$check_dir" "$minilm_dir" minilm)
	MASKGEN_TEST_BERT=$(cluster_lend "$check_dir" "$bert_dir" bert)
	MASKGEN_TEST_RAMPART=$(cluster_lend "$check_dir" "$rampart_dir" rampart)
	MASKGEN_TEST_SPLADE=${minilm_dir%/*}/splade-tiny
	[[ ! -d $MASKGEN_TEST_SPLADE ]] || MASKGEN_TEST_SPLADE=$(cluster_lend "$check_dir" "$MASKGEN_TEST_SPLADE" splade)
	MASKGEN_TEST_SMOLLM2=$(cluster_lend "$check_dir" "$smollm2_dir" smollm2)
	export MASKGEN_TEST_SMOLLM2 MASKGEN_TEST_DIR=$check_dir MASKGEN_TEST_MINILM MASKGEN_TEST_BERT MASKGEN_TEST_RAMPART MASKGEN_TEST_SPLADE
	cluster_start "$check_dir"
	# What each pgTAP file gets a copy of.
	cluster_psql "$check_dir" --dbname=postgres --quiet --command="CREATE DATABASE pgtap_template"
	cluster_psql "$check_dir" --dbname=pgtap_template --quiet \
		--command="CREATE EXTENSION pgtap" --command="CREATE EXTENSION maskgen"
}

check_main()
{
	local files options

	trap check_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	shopt -s nullglob
	packages_setup test
	models_setup
	build_extension
	install_extension
	files=("$@")
	((${#files[@]} > 0)) || mapfile -t files < <(check_files)
	! check_needs_tests "${files[@]}" || build_tests
	check_cluster
	read -r -a options <<< "${PROVE_OPTIONS:-}"
	step "Tests"
	prove --exec test/run --jobs "$n_cores" --failures "${options[@]}" "${files[@]}"
}

case ${1:-} in
	-*)
		check_usage
		[[ $1 == -h || $1 == --help ]] || exit 2
		;;
	*) check_main "$@" ;;
esac
