# A private cluster in a directory of its own: a Unix-domain socket that only its owner may enter, no TCP.
# Sourced, never run.
#
#   DIR/data     the data directory
#   DIR/socket   the socket, mode 0700: which is why "trust" is enough
#   DIR/log      what the server says
#
# PostgreSQL refuses to run as root. For root everything of the cluster is done by the user "postgres", who
# owns DIR; for anybody else by themselves.
# shellcheck shell=bash

# In a function of its own, for a caller may set PG_CONFIG after sourcing this.
cluster_program()
{
	printf '%s/%s\n' "$("$PG_CONFIG" --bindir)" "$1"
}

cluster_user()
{
	if ((EUID == 0))
	then
		printf 'postgres\n'
	else
		id -un
	fi
}

# as_cluster_user COMMAND...: in the current directory, which that user must be able to enter.
as_cluster_user()
{
	if ((EUID == 0))
	then
		runuser -u postgres -- env HOME=/tmp USER=postgres LOGNAME=postgres "$@"
	else
		"$@"
	fi
}

# cluster_own DIR: makes DIR, or finds it empty or used, and hands it to the cluster's user, and to nobody else.
cluster_own()
{
	local dir=$1 owner

	owner=$(cluster_user)
	id "$owner" > /dev/null 2>&1 || die "there is no user \"$owner\"" \
		"PostgreSQL does not run as root. Run this as another user."
	[[ $dir == /* ]] || die "directory name \"$dir\" is not absolute"
	((${#dir} < 80)) || die "directory name \"$dir\" is too long for a socket in it"
	mkdir -p "$dir"
	[[ ! -L $dir && ( -O $dir || $(stat -c %U "$dir") == "$owner" ) ]] \
		|| die "directory \"$dir\" belongs to somebody else"
	chmod 0700 "$dir"
	((EUID != 0)) || chown "$owner" "$dir"
}

# cluster_make DIR [SETTING...]: a cluster in DIR, see cluster_own.
cluster_make()
{
	local dir=$1 setting
	shift

	(
		cd "$dir" || exit
		as_cluster_user mkdir -p socket
		as_cluster_user chmod 0700 socket
		as_cluster_user "$(cluster_program initdb)" -D data -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
			--no-instructions > initdb.log 2>&1 || { cat initdb.log >&2; die "could not make a cluster in \"$dir\""; }
		{
			printf "listen_addresses = ''\n"
			printf "unix_socket_directories = '%s/socket'\n" "$dir"
			printf "unix_socket_permissions = 0700\n"
			for setting
			do
				printf '%s\n' "$setting"
			done
		} >> data/postgresql.conf
	)
}

cluster_is_running()
{
	[[ -f $1/data/postmaster.pid ]] \
		&& (cd "$1" && as_cluster_user "$(cluster_program pg_ctl)" -D data status > /dev/null 2>&1)
}

cluster_start()
{
	(
		cd "$1" || exit
		# A terminal's Ctrl-C must not reach the server: pg_ctl puts it into a session of its own.
		as_cluster_user "$(cluster_program pg_ctl)" -D data -l log -w -t 120 start > start.log 2>&1 < /dev/null || {
			cat start.log >&2
			tail -n 20 log >&2
			die "could not start the server in \"$1\""
		}
	)
}

# Stops the server whose process id stands in DIR/data/postmaster.pid, and no other.
cluster_stop()
{
	cluster_is_running "$1" || return 0
	(
		cd "$1" || exit
		as_cluster_user "$(cluster_program pg_ctl)" -D data -m fast -w -t 60 stop > stop.log 2>&1 \
			|| as_cluster_user "$(cluster_program pg_ctl)" -D data -m immediate -w -t 60 stop >> stop.log 2>&1
	)
}

# cluster_psql DIR ARGUMENT...: psql as the caller, so that it reads the caller's files.
cluster_psql()
{
	local dir=$1
	shift

	PGHOST=$dir/socket PGUSER=postgres PGOPTIONS='' "$(cluster_program psql)" --no-psqlrc --set=ON_ERROR_STOP=1 "$@"
}

cluster_reads_model()
{
	as_cluster_user test -r "$1/config.json" 2> /dev/null || as_cluster_user test -r "$1/model.gguf" 2> /dev/null
}

# cluster_lend DIR SOURCE NAME: makes the model directory SOURCE readable for the server, as DIR/NAME if it is
# not already, and prints the path to use. Links are tried first: a copy of a model is hundreds of megabytes.
cluster_lend()
{
	local dir=$1 source=$2 name=$3

	if ! cluster_reads_model "$source"
	then
		rm -rf "${dir:?}/$name"
		cp -rL --link "$source" "$dir/$name" 2> /dev/null || cp -rL --reflink=auto "$source" "$dir/$name"
		source=$dir/$name
		cluster_reads_model "$source" || die "user \"$(cluster_user)\" cannot read \"$source\""
	fi
	printf '%s\n' "$source"
}
