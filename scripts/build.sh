# Builds the extension for the server of PG_CONFIG, and installs it there. Sourced, never run.
# shellcheck shell=bash

n_cores=$(nproc)

build_extension()
{
	step "Build"
	make -s -j"$n_cores" PG_CONFIG="$PG_CONFIG"
}

install_extension()
{
	local target

	target=$("$PG_CONFIG" --pkglibdir)
	if [[ -w $target ]]
	then
		make -s install PG_CONFIG="$PG_CONFIG" > /dev/null
	else
		as_root make -s install PG_CONFIG="$PG_CONFIG" > /dev/null
	fi
	remark "installed in $target"
}

# The unit tests, plain and with sanitizers, and the fuzz targets as programs that replay their corpus.
build_tests()
{
	step "Build of the tests"
	make -s -j"$n_cores" PG_CONFIG="$PG_CONFIG" unit
	make -s -j"$n_cores" PG_CONFIG="$PG_CONFIG" SANITIZE=1 unit fuzz
}
