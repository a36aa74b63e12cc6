#!/usr/bin/env bash
# compare.py with a server of its own: a throw-away cluster that has the extension as it is built here.
#
#   [PG_CONFIG=...] bench/compare.sh PYTHON --data CSV --cache DIR --minilm DIR --bert DIR [ARGUMENT OF compare.py ...]
#
# PYTHON is the one with the peers installed (README.md). BENCH=generate.py runs that instead.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$here"
source scripts/say.sh
source scripts/packages.sh
source scripts/build.sh
source scripts/cluster.sh

python=${1:?Python with the peers}
shift
server_setup
make -s -j"$(nproc)" mg
build_extension
directory=$(mktemp -d /tmp/maskgen-compare.XXXXXX)
trap 'cluster_stop "$directory"; rm -rf "$directory"' EXIT
cluster_own "$directory"
cluster_make "$directory" "shared_preload_libraries = 'maskgen'" "maskgen.result_cache_size = 0"
cluster_start "$directory"
cluster_psql "$directory" --quiet --dbname=postgres --command="CREATE EXTENSION maskgen"
"$python" "bench/${BENCH:-compare.py}" --host "$directory/socket" --psql "$(cluster_program psql)" "$@"
