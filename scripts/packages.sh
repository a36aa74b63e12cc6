# What the distribution has to give: finds out what is missing and installs only that. Sourced, never run.
#
# The server is the one of PG_CONFIG when the caller sets it, and nothing of PostgreSQL is installed then;
# otherwise it is the distribution's default major version. Either way PG_CONFIG is set afterwards.
# A machine without apt, or whose packages nobody may touch: MASKGEN_SKIP_PACKAGES=1.
# shellcheck shell=bash

packages_updated=no

# Runs a command as root.
as_root()
{
	if ((EUID == 0))
	then
		"$@"
	elif command -v sudo > /dev/null
	then
		sudo "$@"
	else
		die "\"$*\" needs root, and there is no sudo" "Run this as root, or install sudo."
	fi
}

apt_get()
{
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@"
}

# The lists of packages are fetched at most once, and only when something is missing.
packages_update()
{
	[[ $packages_updated == no ]] || return 0
	packages_updated=yes
	remark "fetching the lists of packages"
	apt_get update > "$packages_log" 2>&1 \
		|| { tail -n 5 "$packages_log" >&2; die "could not fetch the lists of packages" "Is the network up?"; }
}

package_is_installed()
{
	[[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2> /dev/null) == installed ]]
}

# Prints those of the named packages that are not installed.
packages_missing()
{
	local package

	for package
	do
		package_is_installed "$package" || printf '%s\n' "$package"
	done
}

default_major()
{
	apt-cache depends postgresql 2> /dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -n 1
}

# packages_require NAME...: installs what is missing of them or ends the script.
packages_require()
{
	local missing

	mapfile -t missing < <(packages_missing "$@")
	((${#missing[@]} > 0)) || return 0
	packages_update
	remark "installing ${missing[*]}"
	apt_get install -y --no-install-recommends "${missing[@]}" > "$packages_log" 2>&1 \
		|| { tail -n 15 "$packages_log" >&2; die "could not install ${missing[*]}"; }
}

# packages_prefer NAME...: the same for what the build and the server can do without.
packages_prefer()
{
	local package

	for package in $(packages_missing "$@")
	do
		packages_update
		remark "installing $package"
		apt_get install -y --no-install-recommends "$package" > "$packages_log" 2>&1 \
			|| warn "could not install $package: going on without it"
	done
}

# Debian starts a cluster of its own when a server is installed for the first time. Nobody asked us for
# one, so that is switched off while the package is unpacked, and only then.
packages_require_server()
{
	local folder=/etc/postgresql-common/createcluster.d switch='' status

	if ! package_is_installed postgresql-common
	then
		switch=$folder/maskgen.conf
		as_root mkdir -p "$folder"
		printf 'create_main_cluster = false\n' | as_root tee "$switch" > /dev/null
	fi
	status=0
	(packages_require "postgresql-$1" "postgresql-server-dev-$1") || status=$?
	if [[ -n $switch ]]
	then
		as_root rm -f "$switch"
		as_root rmdir --ignore-fail-on-non-empty "$folder"
	fi
	((status == 0)) || exit "$status"
}

# Sets PG_CONFIG, and pg_major when the server is the distribution's.
server_setup()
{
	pg_major=
	if [[ -n ${PG_CONFIG:-} ]]
	then
		command -v "$PG_CONFIG" > /dev/null || die "PG_CONFIG names \"$PG_CONFIG\", which is not a program"
		PG_CONFIG=$(command -v "$PG_CONFIG")
	elif [[ -n ${MASKGEN_SKIP_PACKAGES:-} ]]
	then
		PG_CONFIG=$(command -v pg_config) || die "there is no pg_config in PATH" "Set PG_CONFIG."
	else
		pg_major=$(default_major)
		[[ -n $pg_major ]] || { packages_update; pg_major=$(default_major); }
		[[ -n $pg_major ]] || die "no package \"postgresql\" is known here" \
			"Set PG_CONFIG to the pg_config of an installed server."
		packages_require_server "$pg_major"
		PG_CONFIG=/usr/lib/postgresql/$pg_major/bin/pg_config
	fi
	export PG_CONFIG
}

# packages_setup [test]: what the build and the server need, and with "test" what the tests need too.
packages_setup()
{
	step "Packages"
	packages_log=$(mktemp)
	if [[ -z ${MASKGEN_SKIP_PACKAGES:-} ]]
	then
		command -v apt-get > /dev/null || die "this machine has no apt-get" \
			"Install a C compiler, make, PostgreSQL with its server headers, utf8proc, Python with pip," \
			"Maven and unzip in its own way, then set MASKGEN_SKIP_PACKAGES=1."
		packages_require ca-certificates build-essential libutf8proc-dev python3 unzip
	fi
	server_setup
	if [[ -z ${MASKGEN_SKIP_PACKAGES:-} ]]
	then
		packages_prefer libdnnl-dev libopenblas0-pthread
		if [[ ${1:-} == test ]]
		then
			packages_require perl clang libipc-run-perl libtap-parser-sourcehandler-pgtap-perl
			[[ -z $pg_major ]] || packages_require "postgresql-$pg_major-pgtap"
		fi
	fi
	rm -f "$packages_log"
	remark "$("$PG_CONFIG" --version) ($PG_CONFIG)"
}
