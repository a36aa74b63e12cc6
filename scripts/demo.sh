# What ./demo does: sets everything up, runs examples/tour/*.sql on a private cluster, leaves that running.
# shellcheck shell=bash disable=SC2154 # the files sourced before this one set what is not assigned here

demo_dir=${MASKGEN_DEMO_DIR:-/tmp/maskgen-demo.$EUID}
demo_done=no

demo_usage()
{
	cat << 'END'
usage: ./demo          sets up what is missing, then shows maskgen at work on the default models
       ./demo again    the same when it has been shown: new build, new server, new database
       ./demo psql     opens psql on the demonstration's database
       ./demo stop     stops its server and removes its directory

environment:
  MASKGEN_DEMO_DIR        the directory of its cluster (default: /tmp/maskgen-demo.UID)
  MASKGEN_CACHE           where the downloaded models are kept
  PG_CONFIG               the server to use instead of the distribution's
  MASKGEN_SKIP_PACKAGES   set: install no packages
END
}

# An installed server is needed to stop one: that of the demonstration, not the newest.
demo_find_server()
{
	[[ -r $demo_dir/pg_config ]] || die "there is no demonstration in \"$demo_dir\""
	PG_CONFIG=$(< "$demo_dir/pg_config")
}

demo_stop()
{
	demo_find_server
	cluster_stop "$demo_dir"
	as_cluster_user rm -rf "$demo_dir/data"
	rm -rf "$demo_dir"
	remark "stopped; \"$demo_dir\" is gone"
}

demo_psql()
{
	demo_find_server
	cluster_psql "$demo_dir" --dbname=demo --set=ON_ERROR_STOP=0 "$@"
}

# However this ends before the end: no server stays behind.
demo_interrupted()
{
	local status=$?

	[[ $demo_done == no ]] || return 0
	trap '' INT TERM
	if cluster_is_running "$demo_dir"
	then
		warn "stopping the server of the demonstration"
		cluster_stop "$demo_dir"
	fi
	exit "$status"
}

demo_has_server()
{
	[[ -r $demo_dir/pg_config && -e $demo_dir/shown ]] && PG_CONFIG=$(< "$demo_dir/pg_config") cluster_is_running "$demo_dir"
}

demo_farewell()
{
	step "The server is running"
	remark "look around:  ./demo psql"
	remark "or:           $(cluster_program psql) -h $demo_dir/socket -U postgres demo"
	remark "stop it:      ./demo stop"
}

# The extension is installed into a copy of the server, for others on this machine may use one of their own. PostgreSQL finds its
# files from where its program lies; a server that does not is used as it is.
demo_install()
{
	local copy=$demo_dir/server bindir part

	printf '%s\n' "$PG_CONFIG" > "$demo_dir/pg_config"
	bindir=$("$PG_CONFIG" --bindir)
	rm -rf "$copy"
	for part in "$bindir" "$("$PG_CONFIG" --pkglibdir)" "$("$PG_CONFIG" --sharedir)"
	do
		mkdir -p "$copy$part"
		cp -a "$part/." "$copy$part"
	done
	if [[ $("$copy$bindir/pg_config" --pkglibdir 2> /dev/null) == "$copy"/* ]]
	then
		make -s install DESTDIR="$copy" PG_CONFIG="$PG_CONFIG" > /dev/null
		PG_CONFIG=$copy$bindir/pg_config
		remark "installed in a copy of the server, $copy"
	else
		rm -rf "$copy"
		install_extension
	fi
	printf '%s\n' "$PG_CONFIG" > "$demo_dir/pg_config"
}

# A cluster from an earlier run serves again if it was finished and the same major version made it. Its server is
# restarted, so that it runs the library that has just been installed, and its database is made anew. The file
# "pg_config" says that the directory is ours to remove, "ready" that the cluster in it is whole.
demo_cluster()
{
	local major

	step "Cluster in $demo_dir"
	major=$("$PG_CONFIG" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
	if [[ -r $demo_dir/pg_config ]]
	then
		PG_CONFIG=$(< "$demo_dir/pg_config") cluster_stop "$demo_dir"
		[[ -e $demo_dir/ready && $(as_cluster_user cat "$demo_dir/data/PG_VERSION") == "$major" ]] \
			|| rm -rf "$demo_dir"
	fi
	[[ -r $demo_dir/pg_config || ! -e $demo_dir || -z $(ls -A "$demo_dir") ]] \
		|| die "directory \"$demo_dir\" is not empty" "Remove it, or name another one in MASKGEN_DEMO_DIR."
	cluster_own "$demo_dir"
	rm -f "$demo_dir/shown"
	demo_install
	if [[ ! -e $demo_dir/ready ]]
	then
		cluster_make "$demo_dir" "shared_preload_libraries = 'maskgen'" "log_min_messages = warning"
		touch "$demo_dir/ready"
	fi
	cluster_start "$demo_dir"
}

demo_show()
{
	local file files=()

	cluster_psql "$demo_dir" --dbname=postgres --quiet \
		--command="SET client_min_messages = warning" \
		--command="DROP DATABASE IF EXISTS demo" --command="CREATE DATABASE demo" \
		--command="ALTER DATABASE demo SET search_path = public, maskgen" \
		--command="ALTER DATABASE demo SET maskgen.embed_model = 'minilm'"
	for file in examples/tour/[0-9]*.sql
	do
		files+=(--file="$file")
	done
	cluster_psql "$demo_dir" --dbname=demo --quiet --set=minilm="$minilm_path" --set=bert="$bert_path" --set=rampart="$rampart_path" \
		--set=smollm2="$smollm2_path" "${files[@]}"
}

demo_main()
{
	trap demo_interrupted EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	packages_setup
	models_setup
	build_extension
	demo_cluster
	minilm_path=$(cluster_lend "$demo_dir" "$minilm_dir" minilm)
	bert_path=$(cluster_lend "$demo_dir" "$bert_dir" bert)
	smollm2_path=$(cluster_lend "$demo_dir" "$smollm2_dir" smollm2)
	rampart_path=$(cluster_lend "$demo_dir" "$rampart_dir" rampart)
	demo_show
	demo_done=yes
	touch "$demo_dir/shown"
	demo_farewell
}

case ${1:-} in
	'')
		if demo_has_server
		then
			demo_find_server
			demo_farewell
			remark "show it again: ./demo again"
		else
			demo_main
		fi
		;;
	again) demo_main ;;
	stop) demo_stop ;;
	psql)
		shift
		demo_psql "$@"
		;;
	*)
		demo_usage
		[[ $1 == -h || $1 == --help || $1 == help ]] || exit 2
		;;
esac
